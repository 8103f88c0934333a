//! The fast reader held against the careful one.

use super::*;

fn both(text: &str) -> (Option<Bars>, Result<Bars, DataError>) {
    let path = Path::new("bars.csv");
    let read = |text: &str| read(path, text.as_bytes(), &LoadOptions::default());
    let header: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    let layout = Layout::named(path, &header, [true; 6]).unwrap();
    // A quoted field anywhere is for the careful reader.
    let careful = format!(
        "\"timestamp\",open,high,low,close,volume\n{}",
        text.replacen(
            text.split(',').next().unwrap(),
            &format!("\"{}\"", text.split(',').next().unwrap()),
            1,
        )
    );
    (plain(text.as_bytes(), &layout, b',', None), read(&careful))
}

#[test]
fn the_fast_reader_reads_what_the_careful_one_does() {
    for text in [
        "1704067200,1,2,0.5,1.25,10\n1704067260,1.1,2,0.50,1.25,1e3\n",
        "2024-02-29T23:59:59Z,0.1,0.30000000000000004,0.1,0.2,0.001\r\n2024-03-01,1,1,1,1,0\r\n",
        "2024-12-31 00:00:00,123456789.12345678,.5,5.,-1,9007199254740993",
        "1999-12-31,inf,NaN,1,1,1\n",
    ] {
        let (fast, careful) = both(text);
        let (fast, careful) = (fast.expect(text), careful.unwrap());
        assert_eq!(fast.timestamp, careful.timestamp, "{text}");
        let bits = |bars: &Bars| -> Vec<u64> {
            let columns = [&bars.open, &bars.high, &bars.low, &bars.close, &bars.volume];
            columns.into_iter().flatten().map(|value| value.to_bits()).collect()
        };
        assert_eq!(bits(&fast), bits(&careful), "{text}");
    }
}

#[test]
fn what_the_fast_reader_leaves_to_the_careful_one() {
    for text in
        ["1,1,1,1,1\n", "1,1,1,1,1,1,1\n", "1,,1,1,1,1\n", "1,1,1,1,1,\"1\"\n", "x,1,1,1,1,1\n"]
    {
        assert_eq!(both(text).0, None, "{text}");
    }
}

#[test]
fn numbers_are_those_of_the_standard_library() {
    let mut random = crate::parquet::tests::Random(7);
    for _ in 0..100_000 {
        let digits = (random.next() % 1_000_000_000_000).to_string();
        let point = random.next() as usize % (digits.len() + 1);
        let text = format!("{}.{}", &digits[..point], &digits[point..]);
        let expected: f64 = text.parse().unwrap();
        assert_eq!(fast::number(text.as_bytes()).map(f64::to_bits), Some(expected.to_bits()));
    }
    for wrong in ["", "-", ".", "-.", "1.2.3", "1x", "--1"] {
        assert_eq!(fast::number(wrong.as_bytes()), None, "{wrong}");
    }
}

#[test]
fn days_are_those_of_the_calendar() {
    let mut day = jiff::civil::date(1700, 1, 1);
    while day.year() < 2262 {
        let text = day.to_string();
        assert_eq!(fast::iso(text.as_bytes()), iso_time(&text), "{text}");
        day = day.checked_add(jiff::Span::new().days(1)).unwrap();
    }
    assert_eq!(fast::iso(b"2024-01-01T24:00:00"), None);
    assert_eq!(fast::iso(b"2024-01-01T09:30:00+"), None);
}

#[test]
fn pieces_are_put_together_in_order() {
    let rows: Vec<String> =
        (0..60_000).map(|i| format!("{},1.5,2.25,1,{},7\n", 1_704_067_200 + i, i + 1)).collect();
    let text = format!("{}\n{}", NAMES.join(","), rows.concat());
    let close = LoadOptions { columns: crate::Columns::CLOSE, ..LoadOptions::default() };
    let bars = read(Path::new("bars.csv"), text.as_bytes(), &close).unwrap();
    assert_eq!(bars.close, (1..=60_000).map(f64::from).collect::<Vec<_>>());
    assert!(bars.timestamp.is_sorted() && bars.len() == 60_000 && bars.open.is_empty());
}
