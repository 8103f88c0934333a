//! Instruction counts of the hot kernels, under callgrind: the same to the last instruction from
//! run to run. Valgrind knows no AVX-512, so that run-time dispatch takes the AVX2 path.
//!
//! A group per crate. Work on other threads is not counted: what is counted here runs on one. The
//! sampler of `monitor` reads the system's files, whose length is not always the same; its count
//! moves in the fourth digit.

// gungraun's attributes write public items without docs.
#![allow(missing_docs)]

use std::hint::black_box;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use backtest::batch::{Batch, Events, LANES, TILE, Tile};
use backtest::statistics::{Run, StatSet, Statistics};
use backtest::strategy::{EntryExit, Last, Operand, crossings};
use backtest::{Config, Direction, Signals, SizeType, engine};
use features::{ComputeOptions, FeatureSet, FeatureTable};
use gungraun::{library_benchmark, library_benchmark_group};
use hw_probe::cases::ChaseCase;
use hw_probe::gemm;
use market_data::{Bars, LoadOptions, SaveOptions, SynthOptions};
use monitor::{Alerts, Sample, Sampler};
use ndarray::Array2;
use optimizer::sampler::SamplerKind;
use optimizer::{Axis, ParamSpace};

const BARS: usize = 20_000;
const MINUTE_NS: i64 = 60_000_000_000;

fn bars() -> Bars {
    market_data::synth(&SynthOptions { bars: BARS, ..SynthOptions::default() })
}

fn averages() -> [Vec<f64>; 2] {
    let bars = bars();
    [20, 50].map(|window| {
        let mut column = vec![0.0; BARS];
        features::rolling::mean(&bars.close, window, &mut column).expect("a window that fits");
        column
    })
}

fn crossing_signals() -> (Bars, Signals) {
    let [fast, slow] = averages();
    let mut masks = EntryExit::default();
    crossings(&fast, Operand::Column(&slow), &mut Last::default(), &mut masks);
    (bars(), Signals::new(masks.entry, masks.exit, Direction::LongOnly))
}

fn fills() -> (Bars, Vec<engine::Fill>) {
    let (bars, signals) = crossing_signals();
    let mut fills = Vec::new();
    engine::simulate(&bars.view(), &signals, &Config::default(), &mut fills).expect("fills");
    (bars, fills)
}

fn column(name: &str, params: &[f64], bars: &Bars) -> Vec<f64> {
    let mut out = vec![0.0; bars.len()];
    let indicator = features::registry::find(name).expect("a name of the registry");
    indicator.compute(&[black_box(&bars.close)], params, &mut [&mut out]).expect("enough rows");
    out
}

#[library_benchmark]
#[bench::window_50(bars())]
fn rolling_mean(bars: Bars) -> Vec<f64> {
    let mut out = vec![0.0; bars.len()];
    features::rolling::mean(black_box(&bars.close), 50, &mut out).expect("a window that fits");
    out
}

#[library_benchmark]
#[bench::sma_20("sma", 20.0, bars())]
#[bench::stddev_20("stddev", 20.0, bars())]
#[bench::max_20("max", 20.0, bars())]
#[bench::median_20("median", 20.0, bars())]
#[bench::wma_20("wma", 20.0, bars())]
#[bench::ema_20("ema", 20.0, bars())]
fn kernel(name: &str, window: f64, bars: Bars) -> Vec<f64> {
    column(name, &[window], &bars)
}

#[library_benchmark]
#[bench::classic(bars())]
fn set(bars: Bars) -> FeatureTable {
    let options = ComputeOptions { threads: 1, progress: None };
    features::compute(&FeatureSet::classic(), black_box(bars.view()), &options).expect("features")
}

#[library_benchmark]
#[bench::two_averages(averages())]
fn crossing(columns: [Vec<f64>; 2]) -> EntryExit {
    let mut masks = EntryExit::default();
    let mut last = Last::default();
    crossings(black_box(&columns[0]), Operand::Column(&columns[1]), &mut last, &mut masks);
    masks
}

#[library_benchmark]
#[bench::all_in(crossing_signals(), Config::default())]
#[bench::half(
    crossing_signals(),
    Config { size: 0.5.into(), size_type: SizeType::Percent.into(), ..Config::default() }
)]
#[bench::stops(
    crossing_signals(),
    Config { sl_stop: 0.01.into(), tp_stop: 0.02.into(), ..Config::default() }
)]
fn simulate((bars, signals): (Bars, Signals), config: Config<'static>) -> Vec<engine::Fill> {
    let mut fills = Vec::with_capacity(BARS);
    engine::simulate(&bars.view(), black_box(&signals), &config, &mut fills).expect("fills");
    fills
}

#[library_benchmark]
#[bench::streaming(fills(), StatSet::streaming())]
#[bench::all(fills(), StatSet::all())]
fn statistics((bars, fills): (Bars, Vec<engine::Fill>), set: StatSet) -> Statistics {
    let run = Run {
        bars: bars.view(),
        fills: black_box(&fills),
        init_cash: 100.0,
        freq_ns: MINUTE_NS,
        returns: None,
    };
    run.statistics(set)
}

// Eight trials, one strategy: signals, orders and statistics.
#[library_benchmark]
#[bench::eight_trials((bars(), averages()))]
fn batch((bars, columns): (Bars, [Vec<f64>; 2])) -> Statistics {
    let mut batch = Batch::new(&Config::default()).expect("a case for batches");
    let (mut tile, mut events) = (Tile::new(), Events::new());
    let mut last = Last::default();
    let mut masks = EntryExit::default();
    for from in (0..BARS).step_by(TILE) {
        let to = (from + TILE).min(BARS);
        tile.load(&bars.close, from..to);
        let [fast, slow] = [&columns[0][from..to], &columns[1][from..to]];
        crossings(black_box(fast), Operand::Column(slow), &mut last, &mut masks);
        let signals: [EntryExit; LANES] = std::array::from_fn(|_| masks.clone());
        batch.feed(&tile, &signals, &mut events);
    }
    batch.statistics(0, bars.view(), MINUTE_NS)
}

#[library_benchmark]
#[bench::minutes()]
fn synth() -> Bars {
    bars()
}

#[library_benchmark]
#[bench::minutes(bars())]
fn validate(bars: Bars) -> usize {
    market_data::defects(black_box(bars.view())).count()
}

/// A file of bars in a folder of its own, which the system clears.
fn file(name: &str) -> PathBuf {
    let folder = tempfile::tempdir().expect("a folder for temporary files").keep();
    let path = folder.join(name);
    market_data::save(&path, bars().view(), &SaveOptions::default()).expect("a file");
    path
}

#[library_benchmark]
#[bench::csv(file("bars.csv"))]
#[bench::arrow(file("bars.arrow"))]
fn load(path: PathBuf) -> Bars {
    let bars = market_data::load(&path, &LoadOptions::default()).expect("bars");
    std::fs::remove_dir_all(path.parent().expect("its folder")).expect("the folder removed");
    bars
}

const MATRIX: usize = 64;

#[library_benchmark]
#[bench::f64()]
fn filled() -> Array2<f64> {
    gemm::filled::<f64>(MATRIX, 1)
}

#[library_benchmark]
#[bench::f64(gemm::filled::<f64>(MATRIX, 1), gemm::filled::<f64>(MATRIX, 2))]
fn verify(a: Array2<f64>, b: Array2<f64>) -> bool {
    gemm::verify(black_box(&a), &b, &a)
}

#[library_benchmark]
#[bench::one_page(ChaseCase::new(1 << 16, false).expect("memory"))]
fn chase(mut case: ChaseCase) -> ChaseCase {
    case.run(black_box(100_000));
    case
}

#[library_benchmark]
#[bench::two_numbers(numbers(), SamplerKind::Tpe)]
#[bench::evenly(numbers(), SamplerKind::Sobol)]
#[bench::evolving(numbers(), SamplerKind::CmaEs)]
fn sampler(axes: Vec<Axis>, kind: SamplerKind) -> f64 {
    let space = ParamSpace::new(axes, Some("x > y")).expect("a space");
    let (mut sampler, trials) =
        kind.build(&space, 100, 1, optimizer::MAX_POINTS).expect("a sampler");
    let (mut done, mut sum) = (0, 0.0);
    while done < trials {
        let batch = sampler.batch().unwrap_or(64).min((trials - done) as usize);
        let score = |point: Vec<f64>| {
            let score = -(point[0] / 100.0 - 1.0).powi(2) - point[1].abs();
            (point, score)
        };
        let told: Vec<_> = sampler.ask(batch).expect("points").into_iter().map(score).collect();
        done += told.len() as u64;
        sum += told.iter().map(|(_, score)| score).sum::<f64>();
        sampler.tell(black_box(&told));
    }
    sum
}

fn numbers() -> Vec<Axis> {
    [("x", "2:400:1"), ("y", "log:0.01:100")]
        .map(|(name, text)| Axis::parse(name, text).expect("an axis"))
        .to_vec()
}

fn watched() -> Sampler {
    let mut sampler = Sampler::new(std::process::id(), vec![".".into()]).expect("this process");
    sampler.sample();
    sampler
}

#[library_benchmark]
#[bench::process(watched())]
fn sample(mut sampler: Sampler) -> Sample {
    sampler.sample()
}

#[library_benchmark]
#[bench::built_in(watched().sample(), Alerts::new(monitor::built_in_rules().expect("rules")))]
fn judge(sample: Sample, mut alerts: Alerts) -> Alerts {
    alerts.judge(black_box(&sample));
    alerts
}

library_benchmark_group!(name = hw_probe_kernels, benchmarks = [filled, verify, chase]);
library_benchmark_group!(name = market_data_kernels, benchmarks = [synth, validate, load]);
library_benchmark_group!(name = features_kernels, benchmarks = [rolling_mean, kernel, set]);
library_benchmark_group!(
    name = backtest_kernels,
    benchmarks = [crossing, simulate, statistics, batch]
);
library_benchmark_group!(name = optimizer_kernels, benchmarks = [sampler]);
library_benchmark_group!(name = monitor_kernels, benchmarks = [sample, judge]);

fn main() {
    // What runs under valgrind is this program, too: it has nothing to look for and nothing to say.
    let is_counted = std::env::args().nth(1).is_some_and(|argument| argument == "--gungraun-run");
    if is_counted || is_ready() {
        counted();
    }
}

/// Whether there is a valgrind; says what is about to be counted.
fn is_ready() -> bool {
    let valgrind = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
    if !valgrind.is_ok_and(|status| status.success()) {
        println!("instructions: skipped, no valgrind on this machine");
        return false;
    }
    if cfg!(target_arch = "x86_64") {
        println!("instructions: valgrind knows no AVX-512, so the AVX2 path is what is counted");
    }
    true
}

fn counted() {
    gungraun::main!(
        library_benchmark_groups = hw_probe_kernels,
        market_data_kernels,
        features_kernels,
        backtest_kernels,
        optimizer_kernels,
        monitor_kernels
    );
    main();
}
