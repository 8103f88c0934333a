//! A save killed at any moment leaves the old file whole, or the new one.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use market_data::{Bars, LoadOptions, SaveOptions, SynthOptions, load, save, synth};

const PATH: &str = "MARKET_DATA_KILLED_PATH";
const KILLS: u64 = 40;

fn version(seed: u64) -> Bars {
    synth(&SynthOptions { bars: 100_000, seed, ..SynthOptions::default() })
}

fn write(path: &Path, bars: &Bars) {
    save(path, bars.view(), &SaveOptions::default()).expect("a file");
}

#[test]
fn a_killed_save_leaves_a_whole_file() {
    if let Some(path) = std::env::var_os(PATH) {
        // The process to kill: the test runs itself once more.
        let versions = [version(1), version(2)];
        for bars in versions.iter().cycle() {
            write(path.as_ref(), bars);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bars.parquet");
    let versions = [version(1), version(2)];
    write(&path, &versions[0]);
    let mut seen = [0_u64; 2];
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_killed_save_leaves_a_whole_file"])
            .env(PATH, &path)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // Some die before their first save, some in one, some between two.
        std::thread::sleep(Duration::from_millis(15 + kill * 7 % 60));
        child.kill().unwrap();
        child.wait().unwrap();
        let bars = load(&path, &LoadOptions::default()).expect("a whole file");
        let found = versions.iter().position(|version| *version == bars);
        seen[found.expect("one of the two versions")] += 1;
    }
    assert_eq!(seen.iter().sum::<u64>(), KILLS);
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert!(left > 1, "no kill met a save: the test has shown nothing");
}
