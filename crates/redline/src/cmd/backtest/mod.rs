//! `redline backtest`: one strategy, or the user's own signals, over bars.
//!
//! | file | part |
//! |---|---|
//! | `group.rs` | several assets, with one cash or one each |

mod group;

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};
use backtest::engine::{self, CallSequence, Fill, OrderSize};
use backtest::records::{self, Trade};
use backtest::statistics::{Run, Stat, StatSet, Statistics};
use backtest::strategy::{self, Compiled, EntryExit, Lookahead, Strategy};
use backtest::{Config, Direction, PerBar};
use clap::Args;
use market_data::BarsView;
use serde::Serialize;

use crate::bar_options::BarOptions;
use crate::cli::{Global, Json};
use crate::data::{Input, check_outputs, elapsed_ns};
use crate::options::OrderOptions;
use crate::report::{self, Beyond, Detail};
use crate::{document, source, stats, strategies, tables, values};

const EXAMPLES: &str = "\
Examples:
  redline backtest --data year.parquet --strategy ma-cross --param fast=20 --param slow=50
  redline backtest --data year.parquet --strategy rsi-reversion --fees 0.001 --sl-stop 0.02 --json -
  redline backtest --data year.parquet --strategy mine.toml --param window=30
  redline backtest --data year.parquet --strategy mine.toml --check-lookahead
  redline backtest --data year.parquet --strategy macd --fees 0.001 --report macd.html
  redline backtest --data year.csv.gz --signals signals.parquet --trades-out trades.parquet
  redline backtest --data year.parquet --orders weights.parquet --orders-size-type target-percent
  redline backtest --data year.parquet --strategy macd --leverage 2 --margin-rate 0.06
  redline backtest --data year.parquet --strategy macd --limit-entry 0.001 --limit-bars 30
  redline backtest --data year.parquet --strategy macd --per-bar sizes.parquet
  redline backtest --data a.parquet --data b.parquet --strategy macd --cash-sharing --call-seq auto

A signals file has a row per bar and boolean columns 'entry' and 'exit', and where wanted
'short_entry' and 'short_exit', which then replace --direction. An orders file has a column 'size'
(above 0 buys, below 0 sells, NaN is no order) and, where wanted, 'price'. A --per-bar file has
columns called as the options under 'Orders' with _ for -, such as size, fees, sl_stop, direction or
accumulate: numbers, booleans, or words as on the command line.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BacktestArgs {
    #[command(flatten)]
    input: Input,
    #[arg(long, help = strategies::HELP, value_name = "NAME|FILE.toml", required_unless_present_any = ["signals", "orders_in"])]
    strategy: Option<String>,
    /// A parameter of the strategy, such as fast=20; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = values::assignment)]
    param: Vec<(String, String)>,
    /// Your own signals instead of a strategy's; one file per --data
    #[arg(long, value_name = "FILE", conflicts_with_all = ["strategy", "param"])]
    signals: Vec<PathBuf>,
    /// Your own orders, a size per bar, instead of a strategy's
    #[arg(long = "orders", value_name = "FILE", conflicts_with_all = ["strategy", "param", "signals"])]
    orders_in: Option<PathBuf>,
    /// Unit of the sizes of --orders: amount, value, percent, target-amount, target-value or
    /// target-percent
    #[arg(
        long,
        value_name = "WORD",
        default_value = "amount",
        value_parser = values::word::<OrderSize>,
        requires = "orders_in"
    )]
    orders_size_type: OrderSize,
    /// Compute the signals anew on data cut at this many places, and stop where one has changed
    #[arg(
        long,
        value_name = "CUTS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "40",
        requires = "strategy"
    )]
    check_lookahead: Option<usize>,
    #[command(flatten)]
    orders: OrderOptions,
    /// Options bar by bar, a table with a row per bar (see below), instead of those here
    #[arg(long, value_name = "FILE")]
    per_bar: Option<PathBuf>,
    /// Let the assets share one cash (--init-cash), instead of one account each
    #[arg(long)]
    cash_sharing: bool,
    /// Whose order comes first in a bar, where assets share their cash: default (the first --data),
    /// reversed, or auto (sales before purchases)
    #[arg(
        long,
        value_name = "WORD",
        default_value = "default",
        value_parser = values::word::<CallSequence>,
        requires = "cash_sharing"
    )]
    call_seq: CallSequence,
    /// Only these statistics, such as sharpe_ratio,max_drawdown_percent [default: all]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', value_parser = stats::find)]
    stats: Vec<Stat>,
    /// Write the filled orders as Parquet
    #[arg(long, value_name = "FILE")]
    orders_out: Option<PathBuf>,
    /// Write the trades as Parquet, one per order that closes or reduces
    #[arg(long, value_name = "FILE")]
    trades_out: Option<PathBuf>,
    /// Write the trades as Parquet, one per order that opens or adds
    #[arg(long, value_name = "FILE")]
    entry_trades_out: Option<PathBuf>,
    /// Write the positions as Parquet
    #[arg(long, value_name = "FILE")]
    positions_out: Option<PathBuf>,
    /// Write equity, returns and exposure per bar as Parquet
    #[arg(long, value_name = "FILE")]
    equity_out: Option<PathBuf>,
    /// Write the drawdowns as Parquet
    #[arg(long, value_name = "FILE")]
    drawdowns_out: Option<PathBuf>,
    /// Write a page with curves, months, drawdowns and statistics, which needs no other file
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Run this many times in this process: the times are each step's median
    #[arg(long, value_name = "N", default_value = "1")]
    repeat: NonZeroUsize,
    #[command(flatten)]
    pub(crate) pprof: crate::profile::PprofArgs,
    #[command(flatten)]
    json: Json,
}

/// The `redline.backtest/1` document.
#[derive(Serialize)]
struct Document {
    bars: usize,
    elapsed_ns: Elapsed,
    orders: usize,
    stats: stats::Document,
    /// Each of several assets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assets: Vec<group::AssetDocument>,
    /// What VectorBT has not.
    beyond: Option<Beyond>,
}

#[derive(Clone, Copy, Default, Serialize)]
struct Elapsed {
    load: u64,
    features: u64,
    signals: u64,
    simulate: u64,
    statistics: u64,
}

impl Elapsed {
    /// The median of each step over `runs`, of which there is one at least.
    fn medians(runs: &[Self]) -> Self {
        let median = |of: fn(&Self) -> u64| {
            let mut values: Vec<u64> = runs.iter().map(of).collect();
            values.sort_unstable();
            values[values.len() / 2]
        };
        Self {
            load: median(|run| run.load),
            features: median(|run| run.features),
            signals: median(|run| run.signals),
            simulate: median(|run| run.simulate),
            statistics: median(|run| run.statistics),
        }
    }
}

impl BacktestArgs {
    fn title(&self) -> String {
        let data = self.input.data[0].file_name().unwrap_or_default().to_string_lossy();
        let file = self.signals.first().or(self.orders_in.as_ref());
        let file = file.map(|path| path.display().to_string());
        format!("{} on {data}", self.strategy.clone().or(file).unwrap_or_default())
    }

    /// The parameters that were given, for the page's head.
    fn options(&self) -> String {
        self.param.iter().map(|(name, value)| format!("{name} = {value}, ")).collect()
    }

    /// The strategy and the values of its parameters.
    fn strategy(&self, name: &str) -> Result<(Cow<'static, Compiled>, Vec<f64>)> {
        let strategy = strategies::choose(name)?;
        let values = strategy::resolve_values(&*strategy, &values::numbers(&self.param)?)?;
        Ok((strategy, values))
    }

    /// The statistics that are wanted.
    fn wanted(&self) -> StatSet {
        if self.stats.is_empty() { StatSet::all() } else { StatSet::of(&self.stats) }
    }

    /// Entries and exits of the strategy or of the signals file for the data at `asset`.
    fn masks(
        &self,
        asset: usize,
        bars: &BarsView<'_>,
        took: &mut source::Took,
    ) -> Result<EntryExit> {
        let masks = match (&self.strategy, self.signals.get(asset)) {
            (Some(name), _) => {
                let (strategy, values) = self.strategy(name)?;
                source::of_strategy(&*strategy, &values, bars, took)?
            }
            (None, Some(path)) => source::of_signals_file(path, bars)?,
            (None, None) => bail!("give --strategy NAME, --signals FILE or --orders FILE"),
        };
        Ok(if self.orders.waits_a_bar() { masks.delayed() } else { masks })
    }

    /// Fills what the strategy, the signals or the orders ask for.
    fn fill(
        &self,
        bars: &BarsView<'_>,
        config: &Config<'_>,
        direction: PerBar<'_, Direction>,
        elapsed: &mut Elapsed,
    ) -> Result<Vec<Fill>> {
        let mut fills = Vec::new();
        if let Some(path) = &self.orders_in {
            if self.orders.waits_a_bar() {
                bail!("--fill next-open has no meaning for --orders: give a 'price' per bar");
            }
            let started = Instant::now();
            let size_type = self.orders_size_type;
            source::fill_orders_file(path, size_type, direction, bars, config, &mut fills)?;
            elapsed.simulate = elapsed_ns(started);
            return Ok(fills);
        }
        let mut took = source::Took::default();
        let masks = self.masks(0, bars, &mut took)?;
        let signals = source::directed(masks, direction);
        (elapsed.features, elapsed.signals) = (took.features_ns, took.signals_ns);
        let started = Instant::now();
        backtest::check(bars, &signals, config)?;
        engine::simulate(bars, &signals, config, &mut fills)?;
        elapsed.simulate = elapsed_ns(started);
        Ok(fills)
    }
}

pub(crate) fn run(args: &BacktestArgs, global: &Global) -> Result<ExitCode> {
    check_outputs(&args.input.data, &args.outputs())?;
    let loaded = args.input.load()?;
    let [loaded] = &loaded[..] else { return group::run(args, &loaded, global) };
    if args.cash_sharing {
        bail!("--cash-sharing: one asset has its cash for itself; give --data more than once");
    }
    let closes = backtest::fill_close(&loaded.bars.close);
    let bars = loaded.bars.view();
    let varying = args.per_bar.as_deref().map(|path| BarOptions::read(path, &bars)).transpose()?;
    let (config, direction) = match &varying {
        Some(varying) => varying.apply(args.orders.config(&bars)),
        None => (args.orders.config(&bars), args.orders.direction().into()),
    };
    if let Some(verdict) = check_lookahead(args, &bars)? {
        return Ok(verdict);
    }
    let wanted = args.wanted();
    let valued = BarsView { close: &closes, ..bars };
    let (init_cash, freq_ns) = (config.init_cash, loaded.freq_ns);
    let mut runs = Vec::new();
    let mut repeat = || loop {
        let mut elapsed = Elapsed { load: loaded.load_ns, ..Elapsed::default() };
        let fills = args.fill(&bars, &config, direction, &mut elapsed)?;
        let started = Instant::now();
        let run = Run { bars: valued, fills: &fills, init_cash, freq_ns, returns: None };
        let statistics = run.statistics(wanted);
        elapsed.statistics = elapsed_ns(started);
        runs.push(elapsed);
        if runs.len() == args.repeat.get() {
            return anyhow::Ok((fills, statistics));
        }
    };
    // On a thread of the pool: one outside of it falls asleep at each parallel step, and must be woken.
    let (fills, statistics) = rayon::scope(|_| repeat())?;
    let run = Run { bars: valued, fills: &fills, init_cash, freq_ns, returns: None };
    let elapsed = Elapsed::medians(&runs);

    let json = args.json.json.as_deref();
    let wants_detail = json.is_some() || args.report.is_some() || args.drawdowns_out.is_some();
    let detail = wants_detail.then(|| Detail::new(&run));
    write_records(args, &run, detail.as_ref())?;
    if global.prints(json) {
        print_summary(&statistics, wanted, &elapsed, bars.len());
    }
    let body = Document {
        bars: bars.len(),
        elapsed_ns: elapsed,
        orders: fills.iter().filter(|fill| !fill.is_charge()).count(),
        stats: stats::Document::new(&statistics, wanted),
        assets: Vec::new(),
        beyond: detail.map(|detail| detail.beyond(&run)),
    };
    document::write(json, "backtest", &body)?;
    Ok(ExitCode::SUCCESS)
}

/// Where the look-ahead check cuts.
const SEED: u64 = 1;

/// The bad verdict of a strategy that looks ahead, where the check was asked for.
fn check_lookahead(args: &BacktestArgs, bars: &BarsView<'_>) -> Result<Option<ExitCode>> {
    let (Some(cuts), Some(name)) = (args.check_lookahead, &args.strategy) else { return Ok(None) };
    let (strategy, values) = args.strategy(name)?;
    let found = strategy::lookahead(&*strategy, &values, *bars, cuts, SEED)?;
    let Some(Lookahead { bar, what, cut }) = found else { return Ok(None) };
    eprintln!(
        "redline: {} looks ahead: with data up to row {cut} only, {what} is another at row {} ({})",
        strategy.name(),
        bar + 1,
        values::time(bars.timestamp[bar]),
    );
    Ok(Some(ExitCode::from(1)))
}

fn write_records(args: &BacktestArgs, run: &Run<'_>, detail: Option<&Detail>) -> Result<()> {
    let times = run.bars.timestamp;
    if let Some(path) = &args.orders_out {
        tables::orders(times, run.fills).write(path)?;
    }
    for (path, trades) in args.trade_files() {
        tables::trades(times, &trades(run)).write(path)?;
    }
    if let Some(path) = &args.equity_out {
        tables::equity(times, run.course(), run.init_cash).write(path)?;
    }
    let Some(detail) = detail else { return Ok(()) };
    if let Some(path) = &args.drawdowns_out {
        tables::drawdowns(times, &detail.drawdowns).write(path)?;
    }
    if let Some(path) = &args.report {
        let page = report::html(
            [&args.title(), &args.options(), &std::env::args().collect::<Vec<_>>().join(" ")],
            run,
            &run.statistics(StatSet::all()),
            detail,
        )?;
        document::write_text(path, &page)?;
    }
    Ok(())
}

/// The trades of a run in one of their forms.
type TradesOf = fn(&Run<'_>) -> Vec<Trade>;

impl BacktestArgs {
    /// The files that are to be written.
    fn outputs(&self) -> [Option<&Path>; 8] {
        [
            &self.orders_out,
            &self.trades_out,
            &self.entry_trades_out,
            &self.positions_out,
            &self.equity_out,
            &self.drawdowns_out,
            &self.report,
            &self.json.json,
        ]
        .map(Option::as_deref)
    }

    /// The files of trades that are wanted, and what they hold.
    fn trade_files(&self) -> impl Iterator<Item = (&Path, TradesOf)> {
        fn by(run: &Run<'_>, form: fn(&[Fill], f64, usize) -> Vec<Trade>) -> Vec<Trade> {
            let bars = run.bars.len();
            form(run.fills, run.bars.close[bars - 1], bars)
        }
        let files: [(&Option<PathBuf>, TradesOf); 3] = [
            (&self.trades_out, |run| by(run, records::exit_trades)),
            (&self.entry_trades_out, |run| by(run, records::entry_trades)),
            (&self.positions_out, |run| by(run, records::positions)),
        ];
        files.into_iter().filter_map(|(path, trades)| Some((path.as_deref()?, trades)))
    }
}

fn print_summary(statistics: &Statistics, wanted: StatSet, elapsed: &Elapsed, bars: usize) {
    print!("{}", stats::table(statistics, wanted));
    let total = elapsed.features + elapsed.signals + elapsed.simulate + elapsed.statistics;
    println!(
        "\n{bars} bars: load {:.3} ms, features {:.3} ms, signals {:.3} ms, simulate {:.3} ms, \
         statistics {:.3} ms; {:.0} M bars/s without load",
        ms(elapsed.load),
        ms(elapsed.features),
        ms(elapsed.signals),
        ms(elapsed.simulate),
        ms(elapsed.statistics),
        bars as f64 / total as f64 * 1e3,
    );
}

fn ms(ns: u64) -> f64 {
    ns as f64 / 1e6
}
