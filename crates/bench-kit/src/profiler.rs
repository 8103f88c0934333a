//! Flamegraphs of criterion's cases: what pprof's own adapter does for an older criterion.

use std::fs;
use std::path::{Path, PathBuf};

use criterion::profiler::Profiler;
use pprof::ProfilerGuard;
use pprof::protos::Message;

/// Samples a second: prime, so that it does not beat with anything periodic.
const FREQUENCY: i32 = 997;
/// Unwinding in these is what crashes and deadlocks other profilers.
const BLOCKED: [&str; 4] = ["libc", "libgcc", "pthread", "vdso"];

/// Samples the running case and writes its profile.
pub(crate) struct Flamegraphs {
    krate: &'static str,
    running: Option<ProfilerGuard<'static>>,
}

impl Flamegraphs {
    pub(crate) fn new(krate: &'static str) -> Self {
        Self { krate, running: None }
    }

    /// `profiles/<crate>/<case>`, the crate not repeated.
    fn folder(&self, case: &str) -> PathBuf {
        let case = case.strip_prefix(self.krate).unwrap_or(case).trim_start_matches('/');
        workspace_root().join("profiles").join(self.krate).join(case)
    }
}

/// The nearest folder upwards with a lock file: benches run in their package's folder.
fn workspace_root() -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let is_root = |folder: &&Path| folder.join("Cargo.lock").is_file();
    here.ancestors().find(is_root).unwrap_or(&here).to_owned()
}

impl Profiler for Flamegraphs {
    fn start_profiling(&mut self, case: &str, _criterion_folder: &Path) {
        let guard =
            pprof::ProfilerGuardBuilder::default().frequency(FREQUENCY).blocklist(&BLOCKED).build();
        match guard {
            Ok(guard) => self.running = Some(guard),
            Err(error) => eprintln!("{case}: cannot profile: {error}"),
        }
    }

    fn stop_profiling(&mut self, case: &str, _criterion_folder: &Path) {
        let Some(guard) = self.running.take() else { return };
        let folder = self.folder(case);
        match write(&guard, &folder) {
            Ok(()) => println!("{case}: {}", folder.join("flamegraph.svg").display()),
            Err(error) => eprintln!("{case}: cannot write {}: {error}", folder.display()),
        }
    }
}

/// Writes `stacks.folded`, `flamegraph.svg` and `profile.pb`.
fn write(guard: &ProfilerGuard<'_>, folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let report = guard.report().build()?;
    fs::create_dir_all(folder)?;
    let folded = fold(&report);
    fs::write(folder.join("stacks.folded"), folded.join("\n") + "\n")?;
    let mut svg = Vec::new();
    let mut options = inferno::flamegraph::Options::default();
    options.deterministic = true;
    inferno::flamegraph::from_lines(&mut options, folded.iter().map(String::as_str), &mut svg)?;
    fs::write(folder.join("flamegraph.svg"), svg)?;
    fs::write(folder.join("profile.pb"), report.pprof()?.encode_to_vec())?;
    Ok(())
}

/// A line per stack: thread, then frames from the outermost in, inlined ones as frames; then the
/// number of samples. Sorted.
fn fold(report: &pprof::Report) -> Vec<String> {
    let mut lines: Vec<String> = report
        .data
        .iter()
        .map(|(stack, count)| {
            let mut frames = vec![stack.thread_name_or_id()];
            let inward = stack.frames.iter().rev().flat_map(|frame| frame.iter().rev());
            frames.extend(inward.map(|symbol| symbol.name().replace(';', ":")));
            format!("{} {count}", frames.join(";"))
        })
        .collect();
    lines.sort_unstable();
    lines
}
