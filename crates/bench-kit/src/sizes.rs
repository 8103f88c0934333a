//! The sizes of standard cases, at two scales: full when a bench measures, small when it only runs
//! (`cargo bench -- --test`, or under `cargo test`), so that it cannot rot.
//!
//! ```
//! // Only `cargo bench` measures at the full size.
//! assert_eq!(bench_kit::sizes::minute_year(), 5_000);
//! ```

/// Whether this run measures, and so at full size.
#[must_use]
pub fn measures() -> bool {
    let has = |name: &str| std::env::args().any(|argument| argument == name);
    (has("--bench") || has("--profile-time")) && !has("--test") && !has("--list")
}

fn scale(full: usize, small: usize) -> usize {
    if measures() { full } else { small }
}

/// Minutes of a year: 525,600.
#[must_use]
pub fn minute_year() -> usize {
    scale(525_600, 5_000)
}

/// Trading days of five years: 1,260.
#[must_use]
pub fn daily_five_years() -> usize {
    scale(1_260, 1_260)
}

/// Rows of 100 MB in six columns of eight bytes: 2,083,333.
#[must_use]
pub fn load_rows() -> usize {
    scale(100_000_000 / 48, 20_000)
}

/// Order of a square matrix.
#[must_use]
pub fn matrix() -> usize {
    scale(2_048, 64)
}
