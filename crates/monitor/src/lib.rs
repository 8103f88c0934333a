//! What a run costs: samples of a process and its machine.
