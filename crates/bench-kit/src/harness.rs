//! Criterion as every bench has it, and the profiles that it takes under `--profile-time`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::profiler::Profiler;

use crate::clock::{self, Clock};
use crate::profile::{About, Allocations, Kind, ProfileError, Sampler, Summary};

/// Criterion with the house's clock.
pub type Criterion = criterion::Criterion<Clock>;

/// What a bench reads from its environment.
pub mod environment {
    /// `cpu` (without it, too) or `heap`: what `--profile-time` profiles.
    pub const KIND: &str = "BENCH_KIT_PROFILE";
    /// Where to, instead of `profiles/<crate>/<case>`.
    pub const FOLDER: &str = "BENCH_KIT_FOLDER";
}

/// The one criterion configuration: 20 samples over 2 seconds after half a second of warm-up, and
/// under `--profile-time` a profile in `profiles/<krate>/<case>/`.
#[must_use]
pub fn criterion(krate: &'static str) -> Criterion {
    criterion::Criterion::default()
        .with_measurement(Clock)
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .with_profiler(Profiles { krate, running: None })
}

/// Criterion's entry point, with the allocator that heap profiles need. It is the system's, one
/// relaxed load away, for as long as no heap profile is being taken.
#[macro_export]
macro_rules! criterion_main {
    ($($group:path),+ $(,)?) => {
        #[global_allocator]
        static ALLOCATOR: $crate::heap::Allocator = $crate::heap::Allocator;

        fn main() {
            $($group();)+
            $crate::criterion_crate::Criterion::default().configure_from_args().final_summary();
        }
    };
}

/// Profiles the running case.
struct Profiles {
    krate: &'static str,
    running: Option<Running>,
}

enum Running {
    Cpu(Sampler),
    Heap,
}

impl Profiles {
    /// `profiles/<crate>/<case>`, the crate not repeated.
    fn folder(&self, case: &str) -> PathBuf {
        if let Some(folder) = std::env::var_os(environment::FOLDER) {
            return folder.into();
        }
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

impl Profiler for Profiles {
    fn start_profiling(&mut self, case: &str, _criterion_folder: &Path) {
        let is_heap = std::env::var_os(environment::KIND).is_some_and(|kind| kind == "heap");
        clock::begin(is_heap);
        if is_heap {
            self.running = Some(Running::Heap);
            return;
        }
        match Sampler::start() {
            Ok(sampler) => self.running = Some(Running::Cpu(sampler)),
            Err(error) => eprintln!("{case}: {error}"),
        }
    }

    fn stop_profiling(&mut self, case: &str, _criterion_folder: &Path) {
        let Some(running) = self.running.take() else { return };
        let folder = self.folder(case);
        match write(running, case, &folder) {
            Ok(summary) => {
                println!("{case}: {} {} in {}", summary.total, summary.unit, folder.display());
            }
            Err(error) => eprintln!("{case}: {error}"),
        }
    }
}

fn write(running: Running, case: &str, folder: &Path) -> Result<Summary, ProfileError> {
    match running {
        Running::Cpu(sampler) => {
            let samples = sampler.stop();
            let timed = clock::end();
            let mut summary = samples.write(folder, &About::new(case, Kind::Cpu))?;
            summary.ns_per_call = timed.ns_per_call;
            summary.write(folder)?;
            Ok(summary)
        }
        Running::Heap => {
            let Some((json, calls)) = clock::end().heap else {
                return Err(ProfileError::Format {
                    line: 0,
                    what: "the case times itself: heap profiles need one that runs in `b.iter`"
                        .to_owned(),
                });
            };
            let about = About::new(case, Kind::Heap);
            Allocations::parse(&json)?.write(folder, &about, Some(calls))
        }
    }
}
