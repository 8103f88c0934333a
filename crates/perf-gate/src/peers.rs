//! What `scripts/peers/*.py --json FILE` measured beside other programs: `redline.peers/1`.
//!
//! ```json
//! {"schema": "redline.peers/1", "runs": [{
//!   "script": "features.py", "measured_at": "2026-11-23T10:00:00Z",
//!   "machine": "Intel(R) Xeon(R) Processor",
//!   "host": {"fingerprint": "0123456789abcdef", "cores": 2, "threads": 2,
//!     "memory_bytes": 8589934592, "os": "Debian GNU/Linux 12 (bookworm)", "kernel": "6.1.0",
//!     "hypervisor": "KVM"},
//!   "rows": [
//!     {"case": "sma", "peer": "TA-Lib 0.8.2", "unit": "ms",
//!      "ours": 0.31, "theirs": 0.62, "ratio": 2.0, "ratio_low": 1.9, "ratio_high": 2.2}]}]}
//! ```
//!
//! A script replaces its own run on the machine of this fingerprint and leaves the others; the peer
//! is named with its version. `ratio` says how many times better ours is: theirs over ours of times
//! and memory, ours over theirs of rates.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::GateError;
use crate::record::read_document;

/// The schema that this version reads.
pub const PEERS_SCHEMA: &str = "redline.peers/1";

/// A document of comparisons with other programs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Peers {
    /// [`PEERS_SCHEMA`].
    pub schema: String,
    /// A run per script and machine.
    pub runs: Vec<PeerRun>,
}

/// One script's last run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeerRun {
    /// File name of the script.
    pub script: String,
    /// RFC 3339.
    pub measured_at: String,
    /// The processor's name.
    pub machine: String,
    /// What tells the machine from others of that processor; `None` in runs of before it was kept.
    #[serde(default)]
    pub host: Option<PeerHost>,
    /// Case by case.
    pub rows: Vec<PeerRow>,
}

/// A machine, as [`hw_probe::Machine`] has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeerHost {
    /// Sixteen hexadecimal digits, a hash of what decides speed.
    pub fingerprint: String,
    /// Physical cores.
    pub cores: usize,
    /// Threads that a process may run at once.
    pub threads: usize,
    /// Main memory, bytes.
    pub memory_bytes: Option<u64>,
    /// Operating system.
    pub os: String,
    /// Its kernel's release.
    pub kernel: Option<String>,
    /// What the machine is a guest of; `None` on bare metal.
    pub hypervisor: Option<String>,
}

/// A case on both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeerRow {
    /// What was done.
    pub case: String,
    /// By which other program.
    pub peer: String,
    /// Unit of both values.
    pub unit: String,
    /// Our value.
    pub ours: f64,
    /// The other's value.
    pub theirs: f64,
    /// How many times better ours is.
    pub ratio: f64,
    /// The lowest and the highest ratio of a single round; `None` where there was one.
    #[serde(default)]
    pub ratio_low: Option<f64>,
    /// See [`PeerRow::ratio_low`].
    #[serde(default)]
    pub ratio_high: Option<f64>,
}

impl Peers {
    /// Each script's run on `machine` (a processor's name), and on all others where it has none there.
    pub fn seen_from<'a>(&'a self, machine: &'a str) -> impl Iterator<Item = &'a PeerRun> {
        let here = move |script: &str| {
            self.runs.iter().any(|run| run.script == script && run.machine == machine)
        };
        self.runs.iter().filter(move |run| run.machine == machine || !here(&run.script))
    }

    /// Reads a document; fields that this version does not know are passed over.
    ///
    /// # Errors
    /// [`GateError::Io`], [`GateError::Schema`] for another document, [`GateError::Document`] for
    /// one that cannot be read.
    pub fn read(path: &Path) -> Result<Self, GateError> {
        read_document(path, PEERS_SCHEMA)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_example_is_read() {
        let example: String = include_str!("peers.rs")
            .lines()
            .skip_while(|line| *line != "//! ```json")
            .skip(1)
            .take_while(|line| *line != "//! ```")
            .map(|line| line.trim_start_matches("//!"))
            .collect();
        let peers: Peers = serde_json::from_str(&example).unwrap();
        assert_eq!((peers.schema.as_str(), peers.runs[0].rows[0].ratio), (PEERS_SCHEMA, 2.0));
        let host = peers.runs[0].host.as_ref().unwrap();
        assert_eq!((host.cores, host.memory_bytes), (2, Some(8 << 30)));
    }

    #[test]
    fn a_run_of_before_hosts_were_kept_is_read() {
        for host in ["", r#""host": null,"#] {
            let text = format!(
                r#"{{"script": "data.py", "measured_at": "2026-11-23T10:00:00Z", "machine": "x",
                    {host} "rows": []}}"#
            );
            assert_eq!(serde_json::from_str::<PeerRun>(&text).unwrap().host, None);
        }
    }

    #[test]
    fn the_kept_record_is_read() {
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../benches/record/peers.json");
        let peers = Peers::read(&kept).unwrap();
        assert!(peers.runs.iter().all(|run| !run.rows.is_empty()));
    }

    #[test]
    fn a_machine_sees_its_own_runs_and_those_that_it_lacks() {
        let run = |script: &str, machine: &str| PeerRun {
            script: script.into(),
            measured_at: String::new(),
            machine: machine.into(),
            host: None,
            rows: Vec::new(),
        };
        let runs = vec![run("a.py", "x"), run("a.py", "y"), run("b.py", "y"), run("b.py", "z")];
        let peers = Peers { schema: PEERS_SCHEMA.into(), runs };
        let seen = |machine| {
            let name = |run: &PeerRun| format!("{} {}", run.script, run.machine);
            peers.seen_from(machine).map(name).collect::<Vec<_>>()
        };
        assert_eq!(seen("x"), ["a.py x", "b.py y", "b.py z"]);
        assert_eq!(seen("y"), ["a.py y", "b.py y"]);
    }
}
