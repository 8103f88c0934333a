//! Probes this machine and prints the table: `cargo run --release -p hw-probe --example probe`.
//!
//! Arguments: `--quick`, sections by name, `--dir=DIR`, `--threads=N`, `--json`.

use hw_probe::{ProbeOptions, Progress, Section};

struct Steps(std::time::Instant);

impl Progress for Steps {
    fn step(&mut self, what: &str, share: f64) {
        eprintln!("{:>6.1} s {:>3.0} %  {what}", self.0.elapsed().as_secs_f64(), 100.0 * share);
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut options = ProbeOptions::default();
    let mut sections: Vec<Section> = Vec::new();
    let mut json = false;
    for argument in std::env::args().skip(1) {
        match argument.split_once('=').unwrap_or((&argument, "")) {
            ("--quick", _) => options.quick = true,
            ("--json", _) => json = true,
            ("--dir", dir) => options.dir = Some(dir.into()),
            ("--threads", threads) => options.threads = Some(threads.parse()?),
            (section, _) => sections.push(section.parse()?),
        }
    }
    if !sections.is_empty() {
        options.sections = sections;
    }
    let report = hw_probe::probe(&options, &mut Steps(std::time::Instant::now()));
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!("{report}");
    }
    Ok(())
}
