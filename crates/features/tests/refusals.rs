//! What is refused, and with which words.

use features::{ComputeOptions, FeatureError, FeatureSet, compute, indicator, registry, rolling};
use market_data::Bars;

fn refused(set: &str) -> String {
    FeatureSet::parse(set).expect_err("it must be refused").to_string()
}

#[test]
fn windows_that_cannot_be() {
    let (input, mut out) = ([1.0; 10], [0.0; 10]);
    let text = rolling::mean(&input, 0, &mut out).expect_err("window 0").to_string();
    assert_eq!(text, "window is 0: it must hold at least 1 rows");
    let text = rolling::std(&input, 1, &mut out).expect_err("window 1").to_string();
    assert_eq!(text, "window is 1: this statistic needs at least 2 rows");
    let text = rolling::max(&input, 11, &mut out).expect_err("too wide").to_string();
    assert_eq!(text, "max needs 11 rows for its first value, but the data has 10");
    assert!(rolling::max(&input, 10, &mut out).is_ok());
    let text = indicator::rsi(&input, 10, &mut out).expect_err("too wide").to_string();
    assert_eq!(text, "rsi needs 11 rows for its first value, but the data has 10");
    let text = indicator::sma(&input, 0, &mut out).expect_err("window 0").to_string();
    assert_eq!(text, "window is 0: it must hold at least 1 rows");
    let text = rolling::mean::<f64>(&[], 1, &mut []).expect_err("no rows").to_string();
    assert_eq!(text, "mean needs 1 rows for its first value, but the data has 0");
}

#[test]
fn columns_of_unequal_length() {
    let (long, short, mut out) = ([1.0; 10], [1.0; 9], [0.0; 10]);
    let text = rolling::corr(&long, &short, 3, &mut out).expect_err("unequal").to_string();
    assert!(text.contains("9 rows where 10 were expected"), "{text}");
    let text = indicator::atr(&long, &short, &long, 3, &mut out).expect_err("unequal").to_string();
    assert!(text.contains("column `low` has 9 rows where 10"), "{text}");
    let bars = Bars { timestamp: vec![0; 10], ..Bars::default() };
    let error = compute(&FeatureSet::classic(), bars.view(), &ComputeOptions::default());
    assert!(matches!(error, Err(FeatureError::UnequalLengths { .. })));
}

#[test]
fn names_that_nobody_knows() {
    let text = refused("[[feature]]\nindicator = 'rsy'");
    assert_eq!(text, "unknown indicator `rsy`: did you mean `rsi`?");
    let text = refused("[[feature]]\nindicator = 'rsi'\nparams = { windo = 3 }");
    assert_eq!(text, "unknown parameter `windo`: did you mean `window`?");
    let text = refused("[[feature]]\nindicator = 'macd'\noutputs = ['sginal']");
    assert_eq!(text, "unknown output `sginal`: did you mean `signal`?");
    let text = refused("[[feature]]\nindicator = 'rsi'\ninputs = ['clsoe']");
    assert_eq!(text, "unknown input `clsoe`: did you mean `close`?");
    let text = FeatureSet::built_in("clasic").expect_err("unknown").to_string();
    assert_eq!(text, "unknown feature set `clasic`: did you mean `classic`?");
}

#[test]
fn parameters_out_of_range() {
    let text = refused("[[feature]]\nindicator = 'rsi'\nparams = { window = 2.5 }");
    assert_eq!(text, "rsi: parameter `window` is 2.5, it must be a whole number from 1 to 1000000");
    let text = refused("[[feature]]\nindicator = 'psar'\nparams = { maximum = 2 }");
    assert_eq!(text, "psar: parameter `maximum` is 2, it must be a number from 0 to 1");
    let rsi = registry::get("rsi").expect("it is there");
    assert!(matches!(rsi.check(&[f64::NAN]), Err(FeatureError::OutOfRange { .. })));
    assert!(matches!(rsi.check(&[]), Err(FeatureError::Arity { .. })));
}

#[test]
fn sets_that_make_no_sense() {
    let text = refused("[[feature]]\nindicator = 'rsi'\n[[feature]]\nindicator = 'rsi'");
    assert!(text.contains("names column `rsi_14` twice"), "{text}");
    let text = refused(
        "[[feature]]\nname = 'a'\nindicator = 'sma'\ninputs = ['b']\n\
         [[feature]]\nname = 'b'\nindicator = 'ema'\ninputs = ['a']",
    );
    assert_eq!(text, "features refer to each other in a circle: a -> b -> a");
    let text = refused("[[feature]]\nindicator = 'rsi'\nparams = { window = }");
    assert!(text.contains("line 3"), "{text}");
    let text = refused("[[feature]]\nindicator = 'atr'\ninputs = ['close']");
    assert_eq!(text, "atr takes 3 inputs, not 1");
    for name in ["", "\\u0007bell"] {
        let text = refused(&format!("[[feature]]\nindicator = 'rsi'\nname = \"{name}\""));
        assert!(text.contains("a name has one character or more"), "{text}");
    }
}

#[test]
fn a_feature_may_read_another_in_any_order() {
    let set = FeatureSet::parse(
        "[[feature]]\nname = 'smooth'\nindicator = 'sma'\nparams = { window = 3 }\n\
         inputs = ['strength']\n\
         [[feature]]\nname = 'strength'\nindicator = 'rsi'\nparams = { window = 5 }",
    )
    .expect("a valid set");
    let close: Vec<f64> = (0..50).map(|i| 100.0 + f64::from(i % 7)).collect();
    let bars = Bars {
        timestamp: (0..50).collect(),
        open: close.clone(),
        high: close.clone(),
        low: close.clone(),
        close,
        volume: vec![1.0; 50],
    };
    let table = compute(&set, bars.view(), &ComputeOptions::default()).expect("enough rows");
    assert_eq!(table.names, ["smooth", "strength"]);
    let (smooth, strength) = (&table.columns[0], &table.columns[1]);
    assert_eq!(smooth.iter().position(|v| !v.is_nan()), Some(7));
    let mean = (strength[20] + strength[21] + strength[22]) / 3.0;
    assert!((smooth[22] - mean).abs() < 1e-12);
}
