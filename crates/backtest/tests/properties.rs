//! What must hold whatever the options are.

use backtest::config::{
    Accumulate, Conflict, DirectionConflict, FeeTier, OppositeEntry, SizeType, StopEntryPrice,
    StopExit, StopExitPrice,
};
use backtest::engine::{Account, Fill, Side, Simulation, simulate};
use backtest::statistics::equity;
use backtest::{Config, Mask, PerBar, Signals};
use market_data::{Bars, BarsView};
use proptest::prelude::*;
use proptest::sample::select;

// No sum of a thousand's round trips: whether a sum that meets a bound reaches it, rounding decides.
const TIERS: [FeeTier; 3] = [
    FeeTier { from: 0.0, fees: 0.01 },
    FeeTier { from: 311.7, fees: 0.004 },
    FeeTier { from: 2_017.3, fees: 0.001 },
];

/// Steps of the price, signals and options of one bar.
#[derive(Debug, Clone)]
struct Row {
    step: f64,
    range: f64,
    signals: [bool; 4],
    size: f64,
    limit: f64,
}

fn row() -> impl Strategy<Value = Row> {
    let signal = || prop::bool::weighted(0.2);
    let signals = (signal(), signal(), signal(), signal()).prop_map(<[bool; 4]>::from);
    let size = select(&[f64::INFINITY, 1.0, 3.0, 40.0][..]);
    let limit = select(&[f64::NAN, 0.0, 0.004][..]);
    (-0.02_f64..0.02, 0.0_f64..0.01, signals, size, limit)
        .prop_map(|(step, range, signals, size, limit)| Row { step, range, signals, size, limit })
}

/// Bars every five hours, so that days and months end among them.
fn bars(rows: &[Row]) -> Bars {
    let mut close = Vec::new();
    let mut price = 50.0;
    for row in rows {
        price *= 1.0 + row.step;
        close.push(price);
    }
    let open: Vec<f64> =
        std::iter::once(50.0).chain(close.iter().copied()).take(rows.len()).collect();
    let reach = |sign: f64| {
        let reach = |at: usize| {
            let far = if sign > 0.0 { open[at].max(close[at]) } else { open[at].min(close[at]) };
            far * (1.0 + sign * rows[at].range)
        };
        (0..rows.len()).map(reach).collect()
    };
    let (high, low) = (reach(1.0), reach(-1.0));
    let timestamp = (0..rows.len() as i64).map(|bar| bar * 5 * 3_600_000_000_000).collect();
    Bars { timestamp, open: open.clone(), high, low, volume: vec![1.0; rows.len()], close }
}

fn signals(rows: &[Row]) -> Signals {
    let mask =
        |at: usize| Mask::from_bools(&rows.iter().map(|row| row.signals[at]).collect::<Vec<_>>());
    Signals { long_entry: mask(0), long_exit: mask(1), short_entry: mask(2), short_exit: mask(3) }
}

/// Options without the arrays, which a test adds from its rows.
fn options() -> impl Strategy<Value = Config<'static>> {
    let maybe = |values: &'static [f64]| select(values);
    let costs = (
        maybe(&[0.0, 0.001, 0.02]),
        maybe(&[0.0, 0.5]),
        maybe(&[0.0, 0.01]),
        maybe(&[0.0, 2.0]),
        maybe(&[0.0, 0.002]),
        any::<bool>(),
    );
    let lending =
        (maybe(&[1.0, 1.0, 2.5]), maybe(&[f64::NAN, 0.2]), maybe(&[0.0, 0.5]), maybe(&[0.0, 0.5]));
    let stops = (
        maybe(&[f64::NAN, 0.01, 0.03]),
        any::<bool>(),
        maybe(&[f64::NAN, 0.005]),
        maybe(&[f64::NAN, 0.01]),
        maybe(&[f64::INFINITY, 7.0]),
        maybe(&[f64::NAN, 0.02]),
        maybe(&[f64::INFINITY, 3.0]),
    );
    let words = (
        select(
            &[Accumulate::Off, Accumulate::Both, Accumulate::AddOnly, Accumulate::RemoveOnly][..],
        ),
        select(&[Conflict::Ignore, Conflict::Entry, Conflict::Opposite][..]),
        select(&[DirectionConflict::Ignore, DirectionConflict::Short][..]),
        select(&[OppositeEntry::Ignore, OppositeEntry::Close, OppositeEntry::ReverseReduce][..]),
        select(&[StopEntryPrice::Close, StopEntryPrice::FillPrice][..]),
        select(&[StopExitPrice::StopLimit, StopExitPrice::StopMarket, StopExitPrice::Close][..]),
        select(&[StopExit::Close, StopExit::Reverse, StopExit::CloseReduce][..]),
        select(&[SizeType::Amount, SizeType::Value][..]),
    );
    (costs, lending, stops, words).prop_map(|(costs, lending, stops, words)| Config {
        init_cash: 1_000.0,
        fees: costs.0.into(),
        fixed_fees: costs.1.into(),
        fees_per_unit: costs.2,
        min_fees: costs.3,
        slippage: costs.4.into(),
        fee_tiers: if costs.5 { &TIERS } else { &[] },
        leverage: lending.0,
        maintenance_margin: lending.1,
        borrow_rate: lending.2,
        margin_rate: lending.3,
        sl_stop: stops.0.into(),
        sl_trail: stops.1.into(),
        trail_after: stops.2,
        breakeven_after: stops.3,
        time_stop: stops.4,
        tp_stop: stops.5.into(),
        limit_bars: stops.6,
        accumulate: words.0.into(),
        upon_long_conflict: words.1.into(),
        upon_dir_conflict: words.2.into(),
        upon_opposite_entry: words.3.into(),
        stop_entry_price: words.4.into(),
        stop_exit_price: words.5.into(),
        upon_stop_exit: words.6.into(),
        size_type: words.7.into(),
        ..Config::default()
    })
}

fn run(bars: &BarsView<'_>, signals: &Signals, config: &Config<'_>) -> Vec<Fill> {
    backtest::check(bars, signals, config).unwrap();
    let mut fills = Vec::new();
    simulate(bars, signals, config, &mut fills).unwrap();
    fills
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_run_that_is_split_has_the_bits_of_the_whole(
        rows in prop::collection::vec(row(), 1..180),
        options in options(),
        cuts in prop::collection::vec(0.0_f64..1.0, 0..4),
        has_limits in any::<bool>(),
    ) {
        let sizes: Vec<f64> = rows.iter().map(|row| row.size).collect();
        let limits: Vec<f64> = rows.iter().map(|row| row.limit).collect();
        let limit_entry = if has_limits { PerBar::Array(&limits) } else { f64::NAN.into() };
        let config = Config { size: PerBar::Array(&sizes), limit_entry, ..options };
        let bars = bars(&rows);
        let whole = run(&bars.view(), &signals(&rows), &config);

        let mut ends: Vec<usize> = cuts.iter().map(|cut| (cut * rows.len() as f64) as usize).collect();
        ends.push(rows.len());
        ends.sort_unstable();
        let (mut split, mut from) = (Vec::new(), 0);
        let mut simulation = Simulation::new(config.init_cash);
        for end in ends {
            let span = bars.view().slice(from..end);
            let signals = signals(&rows[from..end]);
            simulation.extend(&span, &signals, &config.slice(from..end), &mut split).unwrap();
            from = end;
        }
        prop_assert_eq!(simulation.bars(), rows.len());
        prop_assert_eq!(&split, &whole);
        if let Some(last) = whole.last() {
            // A later order that was refused may have taken rounding residue away.
            prop_assert!((simulation.account().cash - last.account.cash).abs() < 1e-9);
        }
    }

    #[test]
    fn every_order_pays_its_price_and_fees(
        rows in prop::collection::vec(row(), 1..180),
        options in options(),
    ) {
        let sizes: Vec<f64> = rows.iter().map(|row| row.size).collect();
        let limits: Vec<f64> = rows.iter().map(|row| row.limit).collect();
        let config = Config {
            size: PerBar::Array(&sizes),
            limit_entry: PerBar::Array(&limits),
            ..options
        };
        let bars = bars(&rows);
        let mut before = Account::new(config.init_cash);
        for Fill { order, account } in run(&bars.view(), &signals(&rows), &config) {
            let sign = if order.side == Side::Buy { 1.0 } else { -1.0 };
            let scale = order.size * order.price + before.cash.abs() + 1.0;
            // Cash and position at the order's price are worth what they were, less the fees.
            let worth = |account: &Account| account.cash + account.position * order.price;
            let lost = worth(&before) - worth(&account);
            prop_assert!((lost - order.fees).abs() <= 1e-9 * scale, "{order:?} {before:?} {account:?}");
            let moved = account.position - before.position - sign * order.size;
            prop_assert!(moved.abs() <= 1e-9 * (1.0 + order.size), "{order:?}");
            before = account;
        }
    }

    #[test]
    fn no_order_without_a_signal_or_a_stop(
        rows in prop::collection::vec(row(), 1..180),
        options in options(),
    ) {
        let config = Config {
            sl_stop: f64::NAN.into(),
            tp_stop: f64::NAN.into(),
            breakeven_after: f64::NAN,
            time_stop: f64::INFINITY,
            maintenance_margin: f64::NAN,
            leverage: 1.0,
            ..options
        };
        let bars = bars(&rows);
        let mut last = None;
        for fill in run(&bars.view(), &signals(&rows), &config) {
            let Fill { order, .. } = fill;
            if !fill.is_charge() {
                prop_assert!(rows[order.bar].signals.contains(&true), "{order:?}");
                prop_assert!(last < Some(order.bar), "one order a bar");
                last = Some(order.bar);
            }
        }
        // With stops, an order in a bar without a signal ends or turns a position.
        let stopped = Config { sl_stop: 0.01.into(), ..config };
        let mut position = 0.0;
        for fill in run(&bars.view(), &signals(&rows), &stopped) {
            if !rows[fill.order.bar].signals.contains(&true) && !fill.is_charge() {
                let is_against = (fill.order.side == Side::Sell) == (position > 0.0);
                prop_assert!(position != 0.0 && is_against, "{fill:?}");
            }
            position = fill.account.position;
        }
    }

    #[test]
    fn prices_and_cash_scale_the_equity(
        rows in prop::collection::vec(row(), 1..180),
        options in options(),
        scale in select(&[0.25_f64, 8.0, 3.7][..]),
    ) {
        // Sizes in units stay; what is said in cash scales with it.
        let tiers = TIERS.map(|tier| FeeTier { from: tier.from * scale, ..tier });
        let sizes: Vec<f64> = rows.iter().map(|row| row.size).collect();
        let config = Config { size: PerBar::Array(&sizes), size_type: SizeType::Amount.into(), ..options };
        let PerBar::Scalar(fixed_fees) = config.fixed_fees else { unreachable!("a scalar") };
        let scaled = Config {
            init_cash: config.init_cash * scale,
            fixed_fees: (fixed_fees * scale).into(),
            fees_per_unit: config.fees_per_unit * scale,
            min_fees: config.min_fees * scale,
            fee_tiers: if config.fee_tiers.is_empty() { &[] } else { &tiers },
            ..config
        };
        let bars = bars(&rows);
        let times = |column: &[f64]| column.iter().map(|price| price * scale).collect::<Vec<_>>();
        let larger = Bars {
            open: times(&bars.open),
            high: times(&bars.high),
            low: times(&bars.low),
            close: times(&bars.close),
            ..bars.clone()
        };
        let curve = |bars: &Bars, config: &Config<'_>| {
            let fills = run(&bars.view(), &signals(&rows), config);
            let mut values = vec![0.0; bars.len()];
            equity(&bars.close, &fills, config.init_cash, &mut values);
            values
        };
        for (at, (a, b)) in curve(&bars, &config).iter().zip(curve(&larger, &scaled)).enumerate() {
            let near = 1e-9 * (a.abs() + config.init_cash);
            prop_assert!((a - b / scale).abs() <= near, "bar {at}: {a} and {b} / {scale}");
        }
    }
}
