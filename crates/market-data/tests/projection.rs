//! Only the columns asked for, from every kind of file.

use market_data::{
    Bars, Columns, LoadOptions, Policy, SaveOptions, SynthOptions, load, load_into, save, synth,
};

#[test]
fn only_what_is_asked_for_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let bars = synth(&SynthOptions { bars: 5_000, ..SynthOptions::default() });
    let columns = Columns::CLOSE | Columns::VOLUME;
    for name in ["bars.parquet", "bars.csv", "bars.csv.zst", "bars.arrow"] {
        let path = folder.path().join(name);
        save(&path, bars.view(), &SaveOptions::default()).unwrap();
        let options = LoadOptions { columns, ..LoadOptions::default() };
        let part = load(&path, &options).unwrap();
        let empty = Vec::new;
        let expected = Bars { open: empty(), high: empty(), low: empty(), ..bars.clone() };
        assert_eq!(part, expected, "{name}");
        assert_eq!(part.bytes(), 3 * 8 * 5_000);
        let from = Some(bars.timestamp[4_000]);
        let late = load(&path, &LoadOptions { from, ..options }).unwrap();
        assert_eq!(late.view(), expected.view().slice(4_000..5_000), "{name}");
        let times = load(&path, &LoadOptions { columns: Columns::NONE, ..options }).unwrap();
        assert_eq!((times.timestamp, times.close), (bars.timestamp.clone(), empty()), "{name}");
    }
}

#[test]
fn a_column_that_is_not_asked_for_may_be_missing_or_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bars.csv");
    std::fs::write(&path, "time,close,low\n60,1,-1\n120,2,x\n180,-3,1\n").unwrap();
    let close = LoadOptions { columns: Columns::CLOSE, ..LoadOptions::default() };
    let error = load(&path, &close).unwrap_err().to_string();
    assert!(error.contains("row 3") && error.contains("close is -3"), "{error}");
    let dropped = load(&path, &LoadOptions { policy: Policy::Drop, ..close }).unwrap();
    assert_eq!(dropped.close, [1.0, 2.0]);
    assert!(load(&path, &LoadOptions::default()).is_err());
}

#[test]
fn memory_is_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bars.parquet");
    let bars = synth(&SynthOptions { bars: 5_000, ..SynthOptions::default() });
    save(&path, bars.view(), &SaveOptions::default()).unwrap();
    let mut again = synth(&SynthOptions { bars: 6_000, seed: 2, ..SynthOptions::default() });
    let place = again.close.as_ptr();
    load_into(&path, &LoadOptions::default(), &mut again).unwrap();
    assert_eq!((&again, again.close.as_ptr()), (&bars, place));
    let close = LoadOptions { columns: Columns::CLOSE, ..LoadOptions::default() };
    load_into(&path, &close, &mut again).unwrap();
    assert!(again.open.is_empty() && again.close == bars.close);
    let nothing = folder.path().join("nothing.parquet");
    assert!(load_into(&nothing, &close, &mut again).is_err());
    assert!(again.is_empty(), "an error leaves no bars");
}
