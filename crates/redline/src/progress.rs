//! Progress bars on standard error, for people only: a pipe or `--quiet` sees none.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::Global;

/// A bar of `length` steps that appears once the work takes longer than a moment.
pub(crate) fn bar(length: u64, message: &'static str, global: &Global) -> ProgressBar {
    let bar = ProgressBar::new(length).with_message(message);
    if global.quiet {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = "{msg:28} [{bar:32}] {percent:>3}% {elapsed_precise} eta {eta}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

/// A bar for a search of trials: their rate, the time left, and as its message the best so far.
pub(crate) fn search(global: &Global) -> ProgressBar {
    let bar = bar(0, "", global);
    let style = "trials [{bar:32}] {pos}/{len} {per_sec} eta {eta} {msg}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}

/// A sign of life with a message, for work whose length nobody knows.
pub(crate) fn spinner(message: String, global: &Global) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(message);
    if global.quiet {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed_precise}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}
