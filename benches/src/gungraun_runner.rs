//! gungraun's runner, built with the workspace: the instruction counts need no `cargo install`.

fn main() {
    gungraun_runner::runner::run::run();
}
