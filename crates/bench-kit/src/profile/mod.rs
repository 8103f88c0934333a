//! Profiles: taken, read, drawn. Needs no bench harness, so that a program can profile itself.
//!
//! | part | what it does |
//! |---|---|
//! | [`Sampler`] | samples this process's stacks, 997 times per second of processor time |
//! | [`Allocations`] | reads the DHAT format: which places take how much from the heap |
//! | [`CallGraph`] | reads callgrind's format: which functions execute how many instructions |
//! | [`Stacks`] | what all three give: a weight per stack; tables, flamegraphs, comparisons |
//! | [`Summary`] | the document beside each picture: machine, commit, command, hottest frames |
//!
//! ```no_run
//! use bench_kit::profile::{About, Kind, Sampler};
//!
//! let sampler = Sampler::start()?;
//! println!("{}", (0..1_000_000_000_u64).sum::<u64>());
//! let folder = std::path::Path::new("profiles/sum");
//! let summary = sampler.stop().write(folder, &About::new("sum", Kind::Cpu))?;
//! println!("{} samples", summary.total);
//! # Ok::<(), bench_kit::profile::ProfileError>(())
//! ```

mod callgrind;
mod cpu;
mod dhat;
mod difference;
mod error;
mod names;
mod pprof;
mod stacks;
mod summary;
mod svg;
mod symbols;
mod sys;

pub use callgrind::CallGraph;
pub use cpu::{FREQUENCY_HZ, Sampler, Samples};
pub use dhat::{Allocations, Place};
pub use difference::{Change, changes};
pub use error::ProfileError;
pub use stacks::{Cost, Stacks};
pub use summary::{About, Allocated, HeapSummary, Hot, Kind, Machine, Summary};
pub use svg::{difference_svg, flamegraph_svg};

use std::io::Write;
use std::path::Path;

/// The files of a profile's folder.
pub mod files {
    /// The picture.
    pub const SVG: &str = "flamegraph.svg";
    /// A line per stack.
    pub const STACKS: &str = "stacks.folded";
    /// For `go tool pprof` and Speedscope.
    pub const PPROF: &str = "profile.pb";
    /// The document.
    pub const SUMMARY: &str = "summary.json";
    /// For the DHAT viewer.
    pub const DHAT: &str = "dhat-heap.json";
    /// For KCachegrind.
    pub const CALLGRIND: &str = "callgrind.out";
    /// What changed since another revision.
    pub const DIFFERENCE_SVG: &str = "difference.svg";
}

/// Writes a file whole or not at all.
fn write_file(folder: &Path, name: &str, content: &[u8]) -> Result<(), ProfileError> {
    let path = folder.join(name);
    let write = || {
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(content)?;
        // A temporary file is its owner's alone; a profile is for everybody.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
        }
        file.persist(&path)?;
        Ok(())
    };
    write().map_err(|source| ProfileError::Io { path: path.clone(), source })
}

fn read_file(path: &Path) -> Result<String, ProfileError> {
    std::fs::read_to_string(path)
        .map_err(|source| ProfileError::Io { path: path.to_owned(), source })
}
