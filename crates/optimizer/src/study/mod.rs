//! A search that survives being killed: its journal, and the shards of one search put together.
//!
//! A journal is JSON lines: a [`Header`] that says of what the study is, then a record per trial,
//! in the order of the sampler's points. Records are appended a batch at a time. To resume, the
//! same search asks its sampler for the same points, and takes from the journal what is there:
//! so a resumed search is the uninterrupted one, bit by bit. Numbers are written in the shortest
//! decimal form that reads back as the same bits.
//!
//! ```
//! use market_data::{SynthOptions, synth};
//! use optimizer::study::fingerprint;
//!
//! // A study is of its very bars: another seed is another study.
//! let of = |seed| synth(&SynthOptions { seed, ..SynthOptions::default() });
//! let minute = 60_000_000_000;
//! assert_eq!(fingerprint(of(1).view(), minute), fingerprint(of(1).view(), minute));
//! assert_ne!(fingerprint(of(1).view(), minute), fingerprint(of(2).view(), minute));
//! ```

mod journal;
mod merge;
mod record;

pub use journal::{Journal, Resumed};
pub use merge::{Merged, merge};
pub use record::Row;

use market_data::BarsView;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use twox_hash::XxHash3_128;

use backtest::statistics::StatSet;

/// Name and version of the format.
pub(crate) const SCHEMA: &str = "redline.study/1";

/// Of what a study is. Two searches with the same header have the same trials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Name and version of the format.
    pub schema: String,
    /// Version of this crate: another one may simulate otherwise.
    pub version: String,
    /// Each symbol or period.
    pub data: Vec<Source>,
    /// The strategy's name, or its text.
    pub strategy: String,
    /// Parameters in the order of a record's values.
    pub parameters: Vec<String>,
    /// The axes and the condition.
    pub space: String,
    /// Fingerprint of the order options.
    pub orders: String,
    /// The statistic that is searched for.
    pub objective: String,
    /// The rule over several symbols or periods.
    pub aggregate: String,
    /// The sampler.
    pub sampler: String,
    /// Its seed.
    pub seed: u64,
    /// Trials of the whole search, all shards together.
    pub trials: u64,
    /// Which shard, such as 1/1.
    pub shard: String,
    /// Statistics in the order of a record's.
    pub statistics: Vec<String>,
}

/// The bars of one symbol or period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Name in columns and documents.
    pub name: String,
    /// First bar that counts.
    pub from: usize,
    /// One past the last.
    pub to: usize,
    /// [`fingerprint`] of all bars.
    pub fingerprint: String,
}

impl Header {
    /// [`Header::schema`] of the present format.
    #[must_use]
    pub fn schema() -> String {
        SCHEMA.to_owned()
    }

    /// [`Header::version`] of this crate.
    #[must_use]
    pub fn version() -> String {
        env!("CARGO_PKG_VERSION").to_owned()
    }

    /// The statistics that records hold.
    #[must_use]
    pub fn statistics() -> Vec<String> {
        StatSet::streaming().iter().map(|stat| stat.name().to_owned()).collect()
    }

    /// What differs between this header and that of `other`, but for `except`; `None` where
    /// nothing does.
    pub(crate) fn difference(&self, other: &Self, except: &str) -> Option<String> {
        let fields = |header: &Self| match serde_json::to_value(header) {
            Ok(Value::Object(fields)) => fields,
            _ => unreachable!("a header is an object"),
        };
        let theirs = fields(other);
        let differs = |(name, mine): (String, Value)| {
            let their = &theirs[&name];
            (name != except && mine != *their).then(|| {
                let (their, mine) = only_differing(their, &mine);
                format!("{name} {} there, {} here", short(&their), short(&mine))
            })
        };
        let all: Vec<String> = fields(self).into_iter().filter_map(differs).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

/// Of two lists of one length, the first items that differ; else both values.
fn only_differing(a: &Value, b: &Value) -> (Value, Value) {
    if let (Value::Array(a), Value::Array(b)) = (a, b)
        && a.len() == b.len()
        && let Some((a, b)) = a.iter().zip(b).find(|(a, b)| a != b)
    {
        return (a.clone(), b.clone());
    }
    (a.clone(), b.clone())
}

/// A value that fits an error's one line.
fn short(value: &Value) -> String {
    let text = match value {
        Value::String(text) => format!("'{text}'"),
        other => other.to_string(),
    };
    if text.chars().count() <= 160 {
        return text;
    }
    format!("{}...", text.chars().take(160).collect::<String>())
}

/// 128 bits that tell bars apart: XXH3 of their number, length and columns. No defence against
/// forgery. O(bars).
#[must_use]
pub fn fingerprint(bars: BarsView<'_>, freq_ns: i64) -> String {
    let mut hash = XxHash3_128::new();
    hash.write(&(bars.len() as u64).to_le_bytes());
    hash.write(&freq_ns.to_le_bytes());
    feed(&mut hash, bars.timestamp, |time| time.to_le_bytes());
    for column in [bars.open, bars.high, bars.low, bars.close, bars.volume] {
        feed(&mut hash, column, |value| value.to_bits().to_le_bytes());
    }
    format!("{:032x}", hash.finish_128())
}

/// As [`fingerprint`], of text.
#[must_use]
pub fn fingerprint_text(text: &str) -> String {
    format!("{:032x}", XxHash3_128::oneshot(text.as_bytes()))
}

/// Hashes `values` a buffer at a time: short writes would cost more than the hash.
fn feed<T: Copy>(hash: &mut XxHash3_128, values: &[T], bytes: impl Fn(T) -> [u8; 8]) {
    let mut buffer = [0; 4096];
    for chunk in values.chunks(buffer.len() / 8) {
        for (slot, value) in buffer.chunks_exact_mut(8).zip(chunk) {
            slot.copy_from_slice(&bytes(*value));
        }
        hash.write(&buffer[..chunk.len() * 8]);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn header(shard: &str) -> Header {
        Header {
            schema: SCHEMA.to_owned(),
            version: Header::version(),
            data: vec![Source {
                name: "bars".to_owned(),
                from: 0,
                to: 9,
                fingerprint: "0".to_owned(),
            }],
            strategy: "ma-cross".to_owned(),
            parameters: vec!["a".to_owned(), "b".to_owned()],
            space: "a=1,2".to_owned(),
            orders: "0".to_owned(),
            objective: "sharpe_ratio".to_owned(),
            aggregate: "mean".to_owned(),
            sampler: "grid".to_owned(),
            seed: 1,
            trials: 5,
            shard: shard.to_owned(),
            statistics: Header::statistics(),
        }
    }

    #[test]
    fn differences_are_named() {
        let mine = header("1/1");
        assert_eq!(mine.difference(&mine.clone(), ""), None);
        let theirs = Header { seed: 2, space: "a=1".to_owned(), ..header("2/2") };
        let difference = mine.difference(&theirs, "shard").unwrap();
        assert_eq!(difference, "space 'a=1' there, 'a=1,2' here; seed 2 there, 1 here");
    }

    #[test]
    fn one_bit_changes_the_fingerprint() {
        let options = market_data::SynthOptions { bars: 1_000, ..Default::default() };
        let mut bars = market_data::synth(&options);
        let before = fingerprint(bars.view(), 1);
        assert_eq!(before, fingerprint(bars.view(), 1));
        assert_ne!(before, fingerprint(bars.view(), 2));
        assert_ne!(before, fingerprint(bars.view().slice(0..999), 1));
        bars.close[777] = f64::from_bits(bars.close[777].to_bits() ^ 1);
        assert_ne!(before, fingerprint(bars.view(), 1));
    }
}
