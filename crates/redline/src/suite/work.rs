//! The work of the timed kernels, counted by the rule of [`Kernel::RULE`].

use backtest::statistics::Stat;
use features::FeatureSet;
use optimizer::Trial;
use perf_gate::Kernel;

/// Bytes of a value.
const VALUE: f64 = 8.0;

/// Operations a row of each indicator of the classic set, each by its running formula and on its
/// own, whatever it could share with another.
const CLASSIC: [(&str, u32); 20] = [
    // Running sum: one in, one out, times 1 / n.
    ("sma", 3),
    // e += k (x - e).
    ("ema", 3),
    // The change, two smoothed sides (3 each), 100 g / (g + l).
    ("rsi", 10),
    // Three reaches of the true range, smoothed.
    ("atr", 6),
    // Mean (3) and deviation (8, see stddev), width times it, above and below.
    ("bbands", 14),
    // Two averages and their difference, its average, the difference from that.
    ("macd", 11),
    // 100 (c - l) / (h - l), and two means.
    ("stoch", 10),
    // Two movements, smoothed; 100 |u - d| / (u + d), smoothed.
    ("adx", 15),
    // Typical price (3), mean (3), 20 deviations summed and divided (40), the quotient (3).
    ("cci", 49),
    // Typical price (3), flow, two running sums (2 each), 100 u / (u + d).
    ("mfi", 11),
    // Running total.
    ("obv", 1),
    // 100 (x / y - 1).
    ("roc", 3),
    // Mean (3); squares in and out (4), times 1 / n, less the mean's square (2), root.
    ("stddev", 11),
    ("max", 0),
    ("min", 0),
    // -100 (h - c) / (h - l).
    ("willr", 4),
    // Running sum (2), weighted sum (3), their combination (4).
    ("linearreg_slope", 9),
    // Two sums (2 each), three of products (4 each), covariance and variances (3 each), quotient
    // by a root (3).
    ("correl", 28),
    // Running sum (2), weighted sum (3), times a constant.
    ("wma", 6),
    // 100 (1 - age / n), twice.
    ("aroon", 4),
];

/// Columns that the classic set reads: high, low, close, volume.
const CLASSIC_INPUTS: usize = 4;
/// A moving average by its running sum.
const AVERAGE: f64 = 3.0;
/// Fee, slippage, size and cash of one order of an account that is all in.
const ORDER: f64 = 5.0;
/// What a sweep prepares of a bar for all its trials: the return (2), and sums of returns, gains
/// and losses (3), of squares (2) and of squared losses (2).
const PREPARED: f64 = 9.0;
/// A trade of a sweep: the buy (25) and the sale (36), each with the sums, the drawdown and the
/// trade's result.
const TRADE: f64 = 61.0;

/// Loading `rows` rows of `columns` columns from a file.
pub(super) fn load(rows: usize, columns: usize, file_bytes: u64, seconds: f64) -> Kernel {
    Kernel {
        title: "Data loading (100 MB)".to_owned(),
        threads: threads(),
        seconds,
        bytes: file_bytes as f64 + (rows * columns) as f64 * VALUE,
        operations: 0.0,
        count: format!("the file in, {columns} columns out; moves data only"),
    }
}

/// The classic set over `rows` rows.
pub(super) fn classic(set: &FeatureSet, rows: usize, seconds: f64) -> Kernel {
    let (columns, operations) = (set.columns().len(), classic_operations());
    Kernel {
        title: "Features, classic set".to_owned(),
        threads: threads(),
        seconds,
        bytes: ((CLASSIC_INPUTS + columns) * rows) as f64 * VALUE,
        operations: f64::from(operations) * rows as f64,
        count: format!(
            "{CLASSIC_INPUTS} columns in, {columns} out; {operations} operations a row over the \
             20 indicators"
        ),
    }
}

fn classic_operations() -> u32 {
    CLASSIC.iter().map(|(_, operations)| operations).sum()
}

/// The crossover over `rows` closes with `orders` orders, to its total return.
pub(super) fn backtest(rows: usize, orders: usize, seconds: f64) -> Kernel {
    Kernel {
        title: "1-year minute backtest".to_owned(),
        threads: 1,
        seconds,
        bytes: rows as f64 * VALUE,
        operations: 2.0 * AVERAGE * rows as f64 + ORDER * orders as f64,
        count: format!(
            "closes in; two averages of {AVERAGE} operations a row, {ORDER} for each of {orders} \
             orders"
        ),
    }
}

/// A sweep of `trials` over `rows` closes, with `averages` different windows.
pub(super) fn sweep(rows: usize, averages: usize, trials: &[Trial], seconds: f64) -> Kernel {
    let trades: f64 =
        trials.iter().filter_map(|trial| trial.statistics.get(Stat::TotalTrades)).sum();
    let per_row = averages as f64 * AVERAGE + PREPARED;
    Kernel {
        title: format!("Parameter optimization ({} pairs)", trials.len()),
        threads: threads(),
        seconds,
        bytes: rows as f64 * VALUE,
        operations: per_row * rows as f64 + TRADE * trades,
        count: format!(
            "closes in; {averages} averages and the sums of returns, {per_row} operations a row \
             for all trials, {TRADE} for each of {trades} trades"
        ),
    }
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_indicator_of_the_classic_set_is_counted_once() {
        let set = FeatureSet::classic();
        let columns = set.columns();
        for (name, _) in CLASSIC {
            let is_of = |column: &&String| {
                let rest = column.strip_prefix(name);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
            };
            let outputs = features::registry::find(name).unwrap().outputs.len();
            assert_eq!(columns.iter().filter(is_of).count(), outputs, "{name} in {columns:?}");
        }
        let counted =
            CLASSIC.map(|(name, _)| features::registry::find(name).unwrap().outputs.len());
        assert_eq!(counted.iter().sum::<usize>(), columns.len(), "an indicator is not counted");
    }

    #[test]
    fn the_set_reads_the_columns_that_are_counted() {
        use features::registry::Column;
        let reads = |column: Column| {
            CLASSIC
                .iter()
                .any(|(name, _)| features::registry::find(name).unwrap().inputs.contains(&column))
        };
        let read = Column::ALL.into_iter().filter(|&column| reads(column)).count();
        assert_eq!(read, CLASSIC_INPUTS);
    }

    #[test]
    fn work_grows_with_rows_and_orders() {
        let kernel = backtest(1_000, 10, 1e-3);
        assert_eq!((kernel.bytes, kernel.operations), (8_000.0, 6_050.0));
        let classic = classic(&FeatureSet::classic(), 10, 1.0);
        assert_eq!((classic.bytes, classic.operations), (30.0 * 80.0, 1_980.0));
        let sweep = sweep(10, 15, &[], 1.0);
        assert_eq!((sweep.bytes, sweep.operations), (80.0, 540.0));
    }
}
