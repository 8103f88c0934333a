//! Rolling kernels and indicators over slices; feature sets declared as data.
