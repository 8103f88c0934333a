//! gungraun's runner, built with the workspace: the instruction counts need no `cargo install`.

use std::process::ExitCode;

fn main() -> ExitCode {
    match gungraun_runner::runner::run::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gungraun: {error}");
            ExitCode::FAILURE
        }
    }
}
