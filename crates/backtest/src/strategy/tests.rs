//! Strategies as data against a plain reading of them, bar by bar.

use market_data::{Bars, SynthOptions, synth};
use proptest::prelude::{Just, Strategy as Any, any, prop, prop_assert_eq, prop_oneof, proptest};

use super::expression::{Checker, Condition, Template, Term};
use super::*;

fn bars(count: usize) -> Bars {
    synth(&SynthOptions { bars: count, ..SynthOptions::default() })
}

/// The signals of all bars at once.
fn signals(strategy: &dyn Strategy, values: &[f64], bars: &Bars) -> EntryExit {
    spans(strategy, values, bars, &[])
}

/// The signals of one span after the other, cut at `cuts`, put together again.
fn spans(strategy: &dyn Strategy, values: &[f64], bars: &Bars, cuts: &[usize]) -> EntryExit {
    let features = strategy.features(values);
    let columns = FeatureColumns::compute(bars.view(), features.clone()).unwrap();
    let mut memory = vec![Last::default(); strategy.crossings()];
    let mut span = EntryExit::default();
    let mut bits: [Vec<bool>; 4] = Default::default();
    let mut from = 0;
    for to in cuts.iter().copied().chain([bars.len()]) {
        let part: Vec<&[f64]> = features.iter().map(|f| &columns.get(f)[from..to]).collect();
        strategy.signals(&part, values, &mut memory, &mut span);
        let masks = [&span.entry, &span.exit, &span.short_entry, &span.short_exit];
        for (bits, mask) in bits.iter_mut().zip(masks) {
            bits.extend((0..mask.len()).map(|bar| mask.get(bar)));
        }
        from = to;
    }
    let [entry, exit, short_entry, short_exit] = bits.map(|bits| Mask::from_bools(&bits));
    EntryExit { entry, exit, short_entry, short_exit }
}

fn defaults(strategy: &dyn Strategy) -> Vec<f64> {
    strategy.parameters().iter().map(|parameter| parameter.default).collect()
}

#[test]
fn every_built_in_strategy_enters_and_exits() {
    let bars = bars(5_000);
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/strategies")).unwrap();
    assert_eq!(built_in().len(), files.count(), "one of the files is not in BUILT_IN");
    for strategy in built_in() {
        let out = signals(strategy, &defaults(strategy), &bars);
        assert!(out.entry.count() > 0 && out.exit.count() > 0, "{}", strategy.name());
        assert!(strategy.description().ends_with('.'), "{}", strategy.name());
    }
}

#[test]
fn the_crossover_has_the_bits_of_the_kernels() {
    let bars = bars(5_000);
    let averages = [20, 50].map(|window| {
        let mut out = vec![0.0; bars.len()];
        features::indicator::sma(&bars.close, window, &mut out).unwrap();
        out
    });
    let mut expected = EntryExit::default();
    crossings(&averages[0], Operand::Column(&averages[1]), &mut Last::default(), &mut expected);
    let strategy = find("ma-cross").unwrap();
    assert_eq!(strategy.crossings(), 2);
    assert_eq!(signals(strategy, &[20.0, 50.0], &bars), expected);
}

#[test]
fn the_reversion_has_the_bits_of_the_kernels() {
    let bars = bars(5_000);
    let mut rsi = vec![0.0; bars.len()];
    features::indicator::rsi(&bars.close, 14, &mut rsi).unwrap();
    let mut expected = EntryExit::default();
    cross_below(&rsi, Operand::Level(30.0), &mut Last::default(), &mut expected.entry);
    cross_above(&rsi, Operand::Level(70.0), &mut Last::default(), &mut expected.exit);
    let strategy = find("rsi-reversion").unwrap();
    assert_eq!(signals(strategy, &[14.0, 30.0, 70.0], &bars), expected);
}

#[test]
fn a_breakout_looks_at_the_bars_before() {
    let bars = bars(300);
    let out = signals(find("donchian-breakout").unwrap(), &[20.0, 10.0], &bars);
    for bar in 20..300 {
        let highest = bars.high[bar - 20..bar].iter().copied().fold(f64::MIN, f64::max);
        assert_eq!(out.entry.get(bar), bars.close[bar] > highest, "bar {bar}");
    }
    assert!((0..20).all(|bar| !out.entry.get(bar)));
}

#[test]
fn shorts_of_its_own_are_signals_of_their_own() {
    let text = r#"
        entry = "close > open"
        exit = "close < open"
        short_entry = "close < low + 0.1 * (high - low)"
    "#;
    let bars = bars(300);
    let out = signals(&parse(text, "t", "t").unwrap(), &[], &bars);
    assert!(out.short_entry.count() > 0);
    assert_eq!((out.short_exit.len(), out.short_exit.count()), (300, 0));
    let direction = crate::Direction::LongOnly;
    let signals = crate::Signals::of(out.clone(), direction);
    assert_eq!(signals.short_entry, out.short_entry);
    assert_eq!(signals.into_entry_exit(direction), out);
}

/// Mistakes, and what is said of them: line, column, width and a part of the message.
#[test]
fn mistakes_are_pointed_at() {
    let mistakes: &[(&str, usize, usize, &str)] = &[
        ("clsoe > 3", 0, 5, "unknown name 'clsoe': did you mean 'close'?"),
        ("close > fsat", 8, 4, "did you mean 'fast'?"),
        ("smaa(close, 3) > 1", 0, 4, "did you mean 'sma'?"),
        ("crossabove(close, 3)", 0, 10, "did you mean 'cross_above'?"),
        ("rsi > 70", 0, 3, "write rsi(close, window)"),
        ("cross_above > 3", 0, 11, "is a function"),
        ("close", 0, 5, "a number where a condition is needed"),
        ("close > 3 and sma(close, 5)", 14, 13, "a number where a condition is needed"),
        ("(close > 3) + 1 > 2", 0, 11, "true or false where a number is needed"),
        ("sma(close > 3, 5) > 1", 4, 9, "true or false where a number is needed"),
        ("sma(close, 5, 6) > 1", 0, 16, "sma takes 1 series and 1 number, not 1 and 2"),
        ("atr(high, 5) > 1", 0, 12, "atr takes 3 series and 1 number, not 1 and 1"),
        ("sma(close, 2.5) > 1", 11, 3, "a whole number"),
        ("sma(close, 0) > 1", 11, 1, "window is 0"),
        ("sma(close, close) > 1", 0, 17, "sma takes 1 series"),
        ("sma(fast, close) > 1", 10, 5, "changes from bar to bar"),
        ("bbands(close) > 1", 0, 13, "there are: upper, middle, lower"),
        ("bbands(close).uper > 1", 14, 4, "did you mean 'upper'?"),
        ("shift(close, 1).upper > 1", 16, 5, "no outputs to choose from"),
        ("cross_above(close)", 0, 18, "2 arguments"),
        ("cross_above(fast, 3)", 0, 20, "nothing can cross"),
        ("shift(close, -1) > 1", 13, 2, "look ahead"),
        ("shift(close, 1.5) > 1", 13, 3, "whole number"),
        ("shift(close, close) > 1", 13, 5, "the same at every bar"),
        ("shift(3, 1) > close", 6, 1, "nothing to shift"),
        ("close >", 7, 1, "expected a number, a name or '('"),
        ("close > 3 and", 13, 1, "expected a number, a name or '('"),
        ("(close > 3", 10, 1, "expected ')'"),
        ("close > 3)", 9, 1, "closes nothing"),
        ("close 3", 6, 1, "expected an operator"),
        ("1 < close < 3", 10, 1, "do not chain"),
        ("close = 3", 6, 1, "write '=='"),
        ("close > 3 && low > 2", 10, 1, "write and, or, not"),
        ("close > not low", 8, 3, "parentheses"),
        ("close > 1e999", 8, 5, "too large"),
        ("close § 3", 6, 1, "'§' is no part"),
        ("", 0, 1, "expected a number"),
    ];
    for (expression, column, width, part) in mistakes {
        let text = format!(
            "exit = \"low > fast\"\nentry = \"{expression}\"\n[parameters]\nfast = {{ default = 5 }}\n"
        );
        let error = parse(&text, "file.toml", "file").unwrap_err();
        let BacktestError::StrategyText { line, column: at, width: wide, message, .. } = &error
        else {
            panic!("{expression}: {error}")
        };
        assert_eq!((*line, *at, *wide), (2, column + 10, *width), "{expression}: {error}");
        assert!(message.contains(part), "{expression}: {error}");
    }
}

#[test]
fn wrong_files_are_pointed_at() {
    let files: &[(&str, usize, usize, &str)] = &[
        ("exit = \"close > 3\"", 1, 1, "no 'entry'"),
        ("entry = \"close > 3\"\nexti = \"close < 3\"", 2, 1, "unknown field 'exti'"),
        ("entry = \"close > 3", 1, 19, ""),
        ("entry = 3", 1, 9, "expected a string"),
        ("entry = \"close > 3\"\n[parameters]\nfast = { default = 3 }", 3, 1, "'fast'"),
        ("entry = \"close > p\"\n[parameters]\np = { defalt = 3 }", 3, 7, "defalt"),
        ("entry = \"close > rsi\"\n[parameters]\nrsi = { default = 3 }", 3, 1, "another name"),
        ("entry = \"close > p\"\n[parameters]\np = { default = 3, min = 4 }", 3, 1, "at least 4"),
        ("check = \"close > 1\"\nentry = \"close > 3\"", 1, 9, "parameters and numbers only"),
        ("entry = \"2 > 1\"", 1, 1, "no expression reads a price"),
        (
            "check = \"p > 3\"\nentry = \"close > p\"\n[parameters]\np = { default = 3 }",
            1,
            1,
            "needs p > 3: p = 3 does not pass",
        ),
        ("entry = \"\"\"\nclose > 3\n  and clsoe > 3\"\"\"", 3, 7, "did you mean 'close'?"),
    ];
    for (text, line, column, part) in files {
        let error = parse(text, "file.toml", "file").unwrap_err();
        let BacktestError::StrategyText { line: l, column: c, message, .. } = &error else {
            panic!("{text}: {error}")
        };
        assert_eq!((l, c), (line, column), "{text}: {error}");
        assert!(message.contains(part), "{text}: {error}");
    }
}

#[test]
fn depth_is_bounded() {
    let deep = |count: usize| format!("{}close > 1{}", "(".repeat(count), ")".repeat(count));
    let read = |expression: &str| parse(&format!("entry = \"{expression}\""), "t", "t");
    assert!(read(&deep(60)).is_ok());
    assert!(read(&deep(100_000)).unwrap_err().to_string().contains("more than 1000 words"));
    assert!(read(&deep(300)).unwrap_err().to_string().contains("too deeply"));
    let right = (0..12).fold("close".to_owned(), |inner, _| format!("(open - {inner} * low)"));
    assert!(read(&format!("{right} > 1")).is_ok(), "columns to the left need no register");
    let right = (0..12).fold("close".to_owned(), |inner, _| format!("((open - low) * {inner})"));
    assert!(read(&format!("{right} > 1")).unwrap_err().to_string().contains("deeper than 8"));
}

#[test]
fn values_are_checked_against_indicators() {
    let text = "entry = \"sma(close, fast / 2) > shift(close, lag)\"\n[parameters]\n\
                fast = { default = 4 }\nlag = { default = 1 }";
    let strategy = parse(text, "t", "t").unwrap();
    assert!(strategy.check(&[6.0, 0.0]).is_ok());
    let error = |values: &[f64]| strategy.check(values).unwrap_err().to_string();
    assert!(error(&[5.0, 1.0]).contains("2.5"), "{}", error(&[5.0, 1.0]));
    assert!(error(&[4.0, -1.0]).contains("shift = -1"), "{}", error(&[4.0, -1.0]));
    let error = find("ma-cross").unwrap().check(&[50.0, 20.0]).unwrap_err().to_string();
    assert_eq!(error, "strategy 'ma-cross' needs fast < slow: fast = 50, slow = 20 does not pass");
}

/// Reads a condition bar by bar.
struct Reading<'a> {
    columns: &'a FeatureColumns<'a>,
    values: &'a [f64],
    bars: usize,
}

impl Reading<'_> {
    fn number(&self, term: &Term, bar: usize) -> f64 {
        match term {
            Term::Scalar(scalar) => scalar.value(self.values),
            Term::Series(Template::Arithmetic(operator, sides)) => {
                operator.apply(self.number(&sides[0], bar), self.number(&sides[1], bar))
            }
            Term::Series(template) => self.columns.get(&template.feature(self.values))[bar],
        }
    }

    fn condition(&self, condition: &Condition) -> Vec<bool> {
        let both = |sides: &[Condition; 2], of: fn(bool, bool) -> bool| {
            let (a, b) = (self.condition(&sides[0]), self.condition(&sides[1]));
            a.into_iter().zip(b).map(|(a, b)| of(a, b)).collect()
        };
        match condition {
            Condition::Compare(relation, [a, b]) => (0..self.bars)
                .map(|bar| relation.holds(self.number(a, bar), self.number(b, bar)))
                .collect(),
            Condition::Cross { is_above, sides: [a, b] } => {
                let (a, b) = if *is_above { (a, b) } else { (b, a) };
                let mut was_below = false;
                let step = |bar| {
                    let (a, b) = (self.number(a, bar), self.number(b, bar));
                    let crosses = was_below && a > b;
                    was_below = a < b || (was_below && a == b);
                    crosses
                };
                (0..self.bars).map(step).collect()
            }
            Condition::Not(of) => self.condition(of).into_iter().map(|bit| !bit).collect(),
            Condition::And(sides) => both(sides, |a, b| a && b),
            Condition::Or(sides) => both(sides, |a, b| a || b),
        }
    }
}

fn any_number() -> impl Any<Value = String> {
    let leaf = prop_oneof![
        4 => prop_oneof![Just("close"), Just("open"), Just("high"), Just("volume")],
        1 => prop_oneof![Just("sma(close, 3)"), Just("shift(close, n)"), Just("max(high, n)")],
        2 => prop_oneof![Just("n"), Just("2"), Just("n * 0.5")],
    ];
    leaf.prop_map(str::to_owned).prop_recursive(2, 6, 2, |inner| {
        let operator = prop_oneof![Just("+"), Just("-"), Just("*"), Just("/")];
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(a, o, b)| format!("({a} {o} {b})")),
            inner.prop_map(|a| format!("(-{a})")),
        ]
    })
}

fn any_condition() -> impl Any<Value = String> {
    let relation =
        prop_oneof![Just("<"), Just("<="), Just(">"), Just(">="), Just("=="), Just("!=")];
    let cross = prop_oneof![Just("cross_above"), Just("cross_below")];
    let leaf = prop_oneof![
        (any_number(), relation, any_number()).prop_map(|(a, o, b)| format!("{a} {o} {b}")),
        (cross, any_number(), any_number())
            .prop_map(|(f, a, b)| format!("{f}({a}, {b} + 0 * low)")),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        let word = prop_oneof![Just("and"), Just("or")];
        prop_oneof![
            (inner.clone(), word, inner.clone()).prop_map(|(a, w, b)| format!("({a} {w} {b})")),
            inner.clone().prop_map(|a| format!("(not {a})")),
            inner.prop_map(|a| format!("shift({a}, 2)")),
        ]
    })
}

/// Prices of a coarse grid, so that series touch often, with NaN among them.
fn coarse(rows: &[(u8, u8, u8, bool)]) -> Bars {
    let column = |of: fn(&(u8, u8, u8, bool)) -> u8| {
        let value = |row| f64::from(of(row));
        rows.iter().map(value).collect::<Vec<f64>>()
    };
    let mut close = column(|row| row.0);
    rows.iter().zip(&mut close).filter(|(row, _)| row.3).for_each(|(_, close)| *close = f64::NAN);
    Bars {
        timestamp: (0..rows.len() as i64).collect(),
        open: column(|row| row.1),
        high: column(|row| row.2),
        low: column(|row| row.0),
        volume: column(|row| row.1.wrapping_mul(row.2) % 4),
        close,
    }
}

proptest! {
    #[test]
    fn compiled_steps_give_the_bits_of_a_plain_reading_for_spans_of_any_cut(
        entry in any_condition(),
        exit in any_condition(),
        rows in prop::collection::vec((0..4_u8, 0..4_u8, 0..4_u8, prop::bool::weighted(0.05)), 10..700),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        n in 1..4_u8,
    ) {
        let text = format!(
            "entry = \"{entry}\"\nexit = \"{exit}\"\nshort_entry = \"close + n > low\"\n\
             [parameters]\nn = {{ default = 1, integer = true }}"
        );
        let strategy = match parse(&text, "t", "t") {
            Ok(strategy) => strategy,
            // The generator may nest to the right deeper than there are registers.
            Err(error) => {
                assert!(error.to_string().contains("deeper than"), "{error}");
                return Ok(());
            }
        };
        let (bars, values) = (coarse(&rows), [f64::from(n)]);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bars.len())).collect();
        cuts.sort_unstable();
        let whole = signals(&strategy, &values, &bars);
        prop_assert_eq!(&spans(&strategy, &values, &bars, &cuts), &whole);
        let columns = FeatureColumns::compute(bars.view(), strategy.features(&values)).unwrap();
        let reading = Reading { columns: &columns, values: &values, bars: bars.len() };
        let parameters = strategy.parameters();
        for (text, mask) in [(entry, whole.entry), (exit, whole.exit)] {
            let condition = Checker::new(parameters).condition(&text).unwrap();
            prop_assert_eq!(mask, Mask::from_bools(&reading.condition(&condition)), "{}", text);
        }
    }
}
