//! Signals to orders to trades to equity to statistics.
