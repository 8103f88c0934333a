//! The command as a user runs it.

mod backtest;
mod bad_input;
mod common;
mod monitor;
mod optimize;
mod profile;
mod report;
mod validation;
mod verbs;
