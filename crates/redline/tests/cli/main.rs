//! The command as a user runs it.

mod backtest;
mod bad_input;
mod common;
mod gate;
mod monitor;
mod optimize;
mod profile;
mod records;
mod report;
mod shell;
mod validation;
mod verbs;
