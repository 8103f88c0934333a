//! Times of loading and saving, for `scripts/peers/data.py`: one line of nanoseconds a repeat.
//!
//! ```sh
//! timing load FILE REPEATS      into fresh memory each time
//! timing reload FILE REPEATS    into the memory of the load before
//! timing open FILE REPEATS      an Arrow file mapped
//! timing peak FILE              peak memory of one load
//! timing walk FILE              in pieces, with its peak memory
//! timing synth OUT BARS         in pieces, with its peak memory
//! timing save FILE OUT REPEATS
//! ```

use std::path::Path;
use std::time::Instant;

use market_data::{
    Bars, BatchWriter, CHUNK_ROWS, Chunks, LoadOptions, MappedBars, Policy, SaveOptions, Synth,
    SynthOptions, load, load_into, save,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let options = LoadOptions::default();
    let repeat = |repeats: &str, work: &dyn Fn() -> Result<(), market_data::DataError>| {
        for _ in 0..repeats.parse()? {
            let started = Instant::now();
            work()?;
            println!("{}", started.elapsed().as_nanos());
        }
        Ok(())
    };
    match words[..] {
        ["load", file, repeats] => {
            for _ in 0..repeats.parse()? {
                let started = Instant::now();
                let bars = load(Path::new(file), &options)?;
                // Freeing the columns is not loading.
                println!("{}", started.elapsed().as_nanos());
                drop(std::hint::black_box(bars));
            }
            Ok(())
        }
        ["reload", file, repeats] => {
            let mut bars = Bars::default();
            for _ in 0..repeats.parse()? {
                let started = Instant::now();
                load_into(Path::new(file), &options, &mut bars)?;
                println!("{}", started.elapsed().as_nanos());
            }
            Ok(())
        }
        ["open", file, repeats] => repeat(repeats, &|| {
            std::hint::black_box(MappedBars::open(Path::new(file))?);
            Ok(())
        }),
        ["peak", file] => {
            let bars = load(Path::new(file), &options)?;
            let peak = peak();
            println!("{} MB of columns, {peak}", bars.bytes() as f64 / 1e6);
            Ok(())
        }
        ["walk", file] => {
            let mut rows = 0;
            for piece in Chunks::open(Path::new(file), CHUNK_ROWS, Policy::Error)? {
                rows += piece?.len();
            }
            let peak = peak();
            println!("{rows} rows, {peak}");
            Ok(())
        }
        ["synth", out, bars] => {
            let options = SynthOptions { bars: bars.parse()?, ..SynthOptions::default() };
            let mut writer = BatchWriter::create(Path::new(out), &SaveOptions::default())?;
            for piece in Synth::new(&options, CHUNK_ROWS) {
                writer.write(piece.view())?;
            }
            let rows = writer.finish()?;
            let peak = peak();
            println!("{rows} rows, {peak}");
            Ok(())
        }
        ["save", file, out, repeats] => {
            let bars = load(Path::new(file), &options)?;
            let write = SaveOptions::default();
            repeat(repeats, &|| save(Path::new(out), bars.view(), &write))
        }
        _ => Err("timing load|reload|open FILE REPEATS | peak|walk FILE | synth OUT BARS | save FILE OUT REPEATS".into()),
    }
}

/// The line of the largest size that this process has had.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.unwrap_or("no peak is told here").to_owned()
}
