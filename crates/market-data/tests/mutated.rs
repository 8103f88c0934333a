//! Damaged files, thousands of them: an error of one line or bars, but no panic and no hang.
//!
//! Sound files are taken, bytes flipped, cut out, doubled, set to extremes, and the result loaded by
//! every way in. `MUTATE_SECONDS` says for how long (2 where it does not), `MUTATE_SEED` from which
//! seed on; `scripts/fuzz` runs it for minutes.

use std::path::Path;
use std::time::{Duration, Instant};

use market_data::{
    Chunks, Compression, LoadOptions, Policy, SaveOptions, SynthOptions, Universe, inspect, load,
    save, synth,
};

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

fn mutate(content: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(4) {
        let at = random.below(content.len());
        let length = 1 + random.below(16).min(content.len() - 1 - at.min(content.len() - 1));
        let end = (at + length).min(content.len());
        match random.below(6) {
            0 => content[at] ^= 1 << random.below(8),
            1 => content[at] = [0, 1, 0x7f, 0x80, 0xff, b'\n', b',', b'"'][random.below(8)],
            2 => content[at..end].fill([0, 0xff][random.below(2)]),
            3 => drop(content.drain(at..end)),
            4 => {
                let copy = content[at..end].to_vec();
                content.splice(at..at, copy);
            }
            _ => content.truncate(at),
        }
        if content.is_empty() {
            content.push(0);
        }
    }
}

/// Every way in; each may refuse in one line that names the file.
fn take(path: &Path) {
    let judge = |refused: Option<market_data::DataError>| {
        let Some(error) = refused.map(|error| error.to_string()) else { return };
        assert!(error.starts_with(&path.display().to_string()), "{error}");
        assert!(!error.contains('\n'), "{error}");
    };
    let keep = LoadOptions { policy: Policy::Keep, ..LoadOptions::default() };
    judge(load(path, &LoadOptions::default()).err());
    judge(load(path, &LoadOptions { from: Some(1_704_067_200_000_000_000), ..keep }).err());
    judge(Universe::load(path, &keep).err());
    judge(inspect(path).map(|inspection| drop(inspection.to_string())).err());
    match Chunks::open(path, 70, Policy::Drop) {
        Ok(chunks) => chunks.for_each(|piece| judge(piece.err())),
        Err(error) => judge(Some(error)),
    }
    #[cfg(unix)]
    match market_data::MappedBars::open(path) {
        Ok(mapped) => judge(mapped.with(|view| drop(view.to_owned())).err()),
        Err(error) => judge(Some(error)),
    }
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn damaged_files_are_refused_or_read() {
    let folder = tempfile::tempdir().unwrap();
    let bars = synth(&SynthOptions { bars: 300, ..SynthOptions::default() });
    let mut sound = Vec::new();
    for (name, compression) in [
        ("snappy.parquet", Compression::Snappy),
        ("zstd.parquet", Compression::Zstd),
        ("lz4.parquet", Compression::Lz4),
        ("none.parquet", Compression::None),
        ("bars.csv", Compression::None),
        ("bars.csv.gz", Compression::None),
        ("bars.csv.zst", Compression::None),
        ("bars.arrow", Compression::None),
    ] {
        let path = folder.path().join(name);
        save(&path, bars.view(), &SaveOptions { compression }).unwrap();
        sound.push(std::fs::read(&path).unwrap());
    }
    sound.push(b"time;open;high;low;close\n60;1;2;1;2\n120;2;2;2;2\n".to_vec());
    let end = Instant::now() + Duration::from_secs(number("MUTATE_SECONDS", 2));
    let path = folder.path().join("damaged");
    let mut seed = number("MUTATE_SEED", 1);
    let first = seed;
    while Instant::now() < end {
        let mut random = Random(seed);
        let mut content = sound[random.below(sound.len())].clone();
        mutate(&mut content, &mut random);
        std::fs::write(&path, &content).unwrap();
        let taken = std::panic::catch_unwind(|| take(&path));
        assert!(taken.is_ok(), "seed {seed}: run again with MUTATE_SEED={seed}");
        seed += 1;
    }
    println!("{} damaged files, seeds {first} to {}", seed - first, seed - 1);
}
