//! Search of a strategy's parameters.
