//! The command as a user runs it.

mod bad_input;
mod common;
mod optimize;
mod verbs;
