//! Times of loading and saving, for `scripts/peers/data.py`: one line of nanoseconds a repeat. Where
//! no repeats are asked for: rows, and the largest memory that the process has had.
//!
//! ```sh
//! timing load FILE REPEATS      into fresh memory each time
//! timing reload FILE REPEATS    into the memory of the load before
//! timing hit FILE REPEATS       answered by the cache
//! timing open FILE REPEATS      an Arrow file mapped
//! timing save FILE OUT REPEATS
//! timing peak FILE              one load
//! timing walk FILE              in pieces
//! timing synth OUT BARS         made in pieces
//! timing columns FILE OUT       one load, its columns to OUT: eight bytes a value, little-endian
//! ```

use std::path::Path;
use std::time::Instant;

use market_data::{
    Bars, CHUNK_ROWS, Chunks, DataCache, LoadOptions, Policy, SaveOptions, SynthOptions, load,
    load_into, save, synth_to,
};

type Outcome = Result<(), Box<dyn std::error::Error>>;

const ALL: LoadOptions = LoadOptions {
    from: None,
    to: None,
    columns: market_data::Columns::ALL,
    policy: Policy::Error,
    epoch_unit: None,
};

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["load", file, repeats] => repeat(repeats, || Ok(load(Path::new(file), &ALL)?)),
        ["reload", file, repeats] => {
            let mut bars = Bars::default();
            repeat(repeats, || Ok(load_into(Path::new(file), &ALL, &mut bars)?))
        }
        ["hit", file, repeats] => {
            let cache = DataCache::new(1 << 30);
            cache.load(Path::new(file), &ALL)?;
            repeat(repeats, || Ok(cache.load(Path::new(file), &ALL)?))
        }
        #[cfg(unix)]
        ["open", file, repeats] => {
            repeat(repeats, || Ok(market_data::MappedBars::open(Path::new(file))?))
        }
        ["save", file, out, repeats] => {
            let bars = load(Path::new(file), &ALL)?;
            let how = SaveOptions::default();
            repeat(repeats, || Ok(save(Path::new(out), bars.view(), &how)?))
        }
        ["peak", file] => told(load(Path::new(file), &ALL)?.len()),
        ["walk", file] => told(walk(Path::new(file))?),
        ["synth", out, bars] => {
            let options = SynthOptions { bars: bars.parse()?, ..SynthOptions::default() };
            told(synth_to(Path::new(out), &options, &SaveOptions::default())?)
        }
        ["columns", file, out] => columns(&load(Path::new(file), &ALL)?, out),
        _ => Err("see the first lines of this example for what it takes".into()),
    }
}

/// Times `work`, without the drop of what it gives: freeing the columns is not loading.
fn repeat<T>(
    repeats: &str,
    mut work: impl FnMut() -> Result<T, Box<dyn std::error::Error>>,
) -> Outcome {
    for _ in 0..repeats.parse()? {
        let started = Instant::now();
        let answer = work()?;
        println!("{}", started.elapsed().as_nanos());
        drop(std::hint::black_box(answer));
    }
    Ok(())
}

fn walk(file: &Path) -> Result<usize, market_data::DataError> {
    Chunks::open(file, CHUNK_ROWS, Policy::Error)?.map(|piece| Ok(piece?.len())).sum()
}

/// Nanoseconds, open, high, low, close and volume, column after column.
fn columns(bars: &Bars, out: &str) -> Outcome {
    let mut bytes: Vec<u8> = bars.timestamp.iter().flat_map(|time| time.to_le_bytes()).collect();
    for column in [&bars.open, &bars.high, &bars.low, &bars.close, &bars.volume] {
        bytes.extend(column.iter().flat_map(|value| value.to_le_bytes()));
    }
    std::fs::write(out, bytes)?;
    told(bars.len())
}

fn told(rows: usize) -> Outcome {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    println!("{rows} rows, {}", peak.unwrap_or("no peak is told here"));
    Ok(())
}
