//! What a load and a walk take of memory, of the whole process and not of its heap alone.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::Command;

use market_data::{
    Bars, BatchWriter, Chunks, Compression, LoadOptions, Policy, SaveOptions, SynthOptions, load,
    synth, synth_to,
};

/// A piece that is walked: 12 MiB of columns.
const PIECE_ROWS: usize = 1 << 18;

/// The most bytes of memory that a process of its own has while it does `work` with the file `path`.
fn peak(work: &str, path: &Path) -> usize {
    let me = std::env::current_exe().expect("this test");
    let output = Command::new(me)
        .args(["--exact", "what_files_take_of_memory", "--nocapture"])
        .envs([(WORK, work.as_ref()), (FILE, path.as_os_str())])
        .output()
        .expect("a process");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}");
    let line = told.lines().find_map(|line| line.strip_prefix(PEAK));
    line.and_then(|bytes| bytes.parse().ok()).unwrap_or_else(|| panic!("no peak in {told}"))
}

const WORK: &str = "BOUNDED_WORK";
const FILE: &str = "BOUNDED_FILE";
const PEAK: &str = "peak bytes: ";

/// In the process of its own.
fn work(work: &str, path: &Path) {
    match work {
        "synth" => {
            let options = SynthOptions { bars: MADE_ROWS, ..SynthOptions::default() };
            let made = synth_to(path, &options, &SaveOptions::default()).expect("a file");
            assert_eq!(made, MADE_ROWS);
        }
        "write" => write(path, rows_of(mib())),
        "walk" => {
            let pieces = Chunks::open(path, PIECE_ROWS, Policy::Error).expect("a file of bars");
            let rows: usize = pieces.map(|piece| piece.expect("sound").len()).sum();
            assert_eq!(rows, rows_of(mib()));
        }
        _ => {
            let bars = load(path, &LoadOptions::default()).expect("bars");
            assert_eq!(bars.len(), LOADED_ROWS);
        }
    }
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its memory");
    let kib: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
    println!("\n{PEAK}{}", kib << 10);
}

/// The size of the large file.
fn mib() -> usize {
    std::env::var("BOUNDED_MIB").map_or(512, |text| text.parse().expect("a size"))
}

/// So many fill so much, and somewhat more.
fn rows_of(mib: usize) -> usize {
    (mib << 20) / 40
}

const LOADED_ROWS: usize = 2_500_000;

/// 480 MB of columns.
const MADE_ROWS: usize = 10_000_000;

/// Bars whose prices hardly repeat, of which a dictionary makes no small file.
fn piece(first: usize, rows: usize) -> Bars {
    let mut bars = Bars::with_capacity(rows);
    for row in first..first + rows {
        let price = 100.0 + (row as f64 * 0.618_033_988_749_895).fract();
        bars.timestamp.push(row as i64 * 60_000_000_000);
        bars.open.push(price);
        bars.high.push(price + 2e-3);
        bars.low.push(price - 2e-3);
        bars.close.push(price + 1e-3);
        bars.volume.push(1.0 + price);
    }
    bars
}

fn write(path: &Path, rows: usize) {
    let mut writer =
        BatchWriter::create(path, &SaveOptions { compression: Compression::None }).expect("a file");
    for first in (0..rows).step_by(PIECE_ROWS) {
        writer.write(piece(first, PIECE_ROWS.min(rows - first)).view()).expect("rows");
    }
    assert_eq!(writer.finish().expect("the whole file"), rows);
}

/// `BOUNDED_MIB` is the size of the large file: 2048 is what a limit of 512 MiB is promised for, the default
/// is a quarter of each.
#[test]
fn what_files_take_of_memory() {
    if let (Ok(what), Some(path)) = (std::env::var(WORK), std::env::var_os(FILE)) {
        return work(&what, Path::new(&path));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("large.parquet");
    let (writing, size) = (peak("write", &path), std::fs::metadata(&path).expect("it").len());
    let (walking, limit) = (peak("walk", &path), mib() << 18);
    println!("{size} bytes: written within {writing}, walked within {walking}");
    assert!(size >= (mib() << 20) as u64, "the file has {size} bytes");
    assert!(writing <= limit, "writing took {writing} bytes of {limit}");
    assert!(walking <= limit, "walking took {walking} bytes of {limit}");

    let making = peak("synth", &path);
    println!("{MADE_ROWS} bars: made within {making}");
    assert!(making <= 256 << 20, "making took {making} bytes");

    let bars = synth(&SynthOptions { bars: LOADED_ROWS, ..SynthOptions::default() });
    market_data::save(&path, bars.view(), &SaveOptions::default()).expect("a file");
    let (loading, columns) = (peak("load", &path), bars.bytes());
    println!("{columns} bytes of columns: loaded within {loading}");
    assert!(loading * 10 <= columns * 13, "loading took {loading} bytes for {columns} of columns");
}
