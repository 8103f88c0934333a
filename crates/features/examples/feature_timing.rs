//! Times each indicator of a set and the whole set over a file of bars, for the comparison with
//! other libraries: `timing FILE SET ROUNDS THREADS`. SET is built in, or a file of one.
//!
//! The file of bars holds open, high, low, close and volume as little-endian f64, column after column.
//! Prints one line per case, `name nanoseconds`, the best of the rounds; the columns of the last
//! round go to `FILE.out` where `CHECK` is set; the single indicators are left out where `WHOLE` is.

use std::time::Instant;

use features::{ComputeOptions, FeatureSet, compute, compute_into, registry};
use market_data::{Bars, ask_for_large_pages};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, file, set, rounds, threads] = args.as_slice() else {
        return Err("usage: timing FILE SET ROUNDS THREADS".into());
    };
    let (rounds, threads): (usize, usize) = (rounds.parse()?, threads.parse()?);
    let bars = read(file)?;
    let options = ComputeOptions { threads, ..ComputeOptions::default() };
    let whole = match set.strip_suffix(".toml") {
        Some(_) => FeatureSet::parse(&std::fs::read_to_string(set)?)?,
        None => FeatureSet::built_in(set)?,
    };
    let name = whole.name();
    let fresh = best(rounds.min(5), || compute(&whole, bars.view(), &options).map(drop))?;
    println!("{name}/fresh {fresh}");
    let mut table = compute(&whole, bars.view(), &options)?;
    let reused = best(rounds, || compute_into(&whole, bars.view(), &options, &mut table))?;
    println!("{name}/reused {reused}");
    if set == "classic" && std::env::var_os("WHOLE").is_none() {
        each_indicator(&bars, &options, rounds)?;
    }
    if std::env::var_os("CHECK").is_some() {
        let bytes: Vec<u8> = table.columns.iter().flatten().flat_map(|v| v.to_le_bytes()).collect();
        std::fs::write(format!("{file}.out"), bytes)?;
        std::fs::write(format!("{file}.names"), table.names.join("\n"))?;
    }
    Ok(())
}

/// The indicators of the classic set, each alone, with the set's parameters.
const CLASSIC: [(&str, &[f64]); 20] = [
    ("sma", &[20.0]),
    ("ema", &[12.0]),
    ("rsi", &[14.0]),
    ("atr", &[14.0]),
    ("bbands", &[20.0, 2.0]),
    ("macd", &[12.0, 26.0, 9.0]),
    ("stoch", &[14.0, 3.0, 3.0]),
    ("adx", &[14.0]),
    ("cci", &[20.0]),
    ("mfi", &[14.0]),
    ("obv", &[]),
    ("roc", &[10.0]),
    ("stddev", &[20.0]),
    ("max", &[20.0]),
    ("min", &[20.0]),
    ("willr", &[14.0]),
    ("linearreg_slope", &[20.0]),
    ("correl", &[20.0]),
    ("wma", &[20.0]),
    ("aroon", &[25.0]),
];

fn each_indicator(
    bars: &Bars,
    options: &ComputeOptions<'_>,
    rounds: usize,
) -> Result<(), Box<dyn std::error::Error>> {
    for (name, params) in CLASSIC {
        let set = FeatureSet::single(registry::get(name)?, params)?;
        let mut table = compute(&set, bars.view(), options)?;
        let ns = best(rounds, || compute_into(&set, bars.view(), options, &mut table))?;
        println!("{name} {ns}");
    }
    Ok(())
}

fn best<E>(rounds: usize, mut run: impl FnMut() -> Result<(), E>) -> Result<u128, E> {
    let mut best = u128::MAX;
    for _ in 0..rounds.max(1) {
        let start = Instant::now();
        run()?;
        best = best.min(start.elapsed().as_nanos());
    }
    Ok(best)
}

fn read(path: &str) -> std::io::Result<Bars> {
    let bytes = std::fs::read(path)?;
    let (values, _) = bytes.as_chunks::<8>();
    let values: Vec<f64> = values.iter().map(|b| f64::from_le_bytes(*b)).collect();
    let rows = values.len() / 5;
    // In large pages, as a loaded file's are, and NumPy's.
    let column = |k: usize| {
        let mut column = vec![0.0; rows];
        ask_for_large_pages(&mut column);
        column.copy_from_slice(&values[k * rows..(k + 1) * rows]);
        column
    };
    Ok(Bars {
        timestamp: (0..rows as i64).map(|i| i * 60_000_000_000).collect(),
        open: column(0),
        high: column(1),
        low: column(2),
        close: column(3),
        volume: column(4),
    })
}
