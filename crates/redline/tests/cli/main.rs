//! The command as a user runs it.

mod bad_input;
mod common;
mod monitor;
mod optimize;
mod validation;
mod verbs;
