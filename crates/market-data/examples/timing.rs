//! Times of loading and saving, for `scripts/peers/data.py`: one line of nanoseconds a repeat.
//!
//! ```sh
//! timing load FILE REPEATS
//! timing save FILE OUT REPEATS
//! ```

use std::path::Path;
use std::time::Instant;

use market_data::{LoadOptions, SaveOptions, load, save};

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
        ["save", file, out, repeats] => {
            let bars = load(Path::new(file), &options)?;
            let write = SaveOptions::default();
            repeat(repeats, &|| save(Path::new(out), bars.view(), &write))
        }
        _ => Err("timing load FILE REPEATS | save FILE OUT REPEATS".into()),
    }
}
