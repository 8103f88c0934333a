//! The shards of one search put together.

use std::path::{Path, PathBuf};

use super::journal::parse;
use super::{Header, Row};
use crate::OptimizerError;
use crate::sampler::Shard;

/// All shards of a search.
#[derive(Debug, Clone)]
pub struct Merged {
    /// That of the unsharded study.
    pub header: Header,
    /// Its trials, in order.
    pub rows: Vec<Row>,
}

/// The search whose shards' journals are at `paths`, in any order.
///
/// # Errors
/// [`OptimizerError::Shards`] naming the shard that is missing, double, unfinished or of another
/// search; [`OptimizerError::NoStudy`] or [`OptimizerError::Journal`] for a file that cannot be
/// read.
pub fn merge(paths: &[PathBuf]) -> Result<Merged, OptimizerError> {
    let mut parts: Vec<Part<'_>> =
        paths.iter().map(|path| Part::read(path)).collect::<Result<_, _>>()?;
    let Some(first) = parts.first() else { return Err(wrong("no shard is given".to_owned())) };
    let mut header = first.header.clone();
    for part in &parts {
        part.belongs_to(first)?;
    }
    parts.sort_by_key(|part| part.shard.index);
    check_numbers(&parts)?;
    header.shard = Shard::WHOLE.to_string();
    let mut shards: Vec<_> = parts.into_iter().map(|part| part.rows.into_iter()).collect();
    let mut rows = Vec::new();
    for trial in 0..header.trials {
        let shard = (trial % shards.len() as u64) as usize;
        rows.extend(shards[shard].next());
    }
    Ok(Merged { header, rows })
}

struct Part<'a> {
    path: &'a Path,
    header: Header,
    shard: Shard,
    rows: Vec<Row>,
}

impl<'a> Part<'a> {
    fn read(path: &'a Path) -> Result<Self, OptimizerError> {
        let text = std::fs::read(path)
            .map_err(|source| OptimizerError::Journal { path: path.to_owned(), source })?;
        // A cut record is one trial too few, which is said below.
        let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let (header, rows) = parse(path, &text[..whole])?;
        let shard = header.shard.parse().map_err(wrong)?;
        Ok(Self { path, header, shard, rows })
    }

    /// Checks that it is a finished shard of the search of which `first` is one.
    fn belongs_to(&self, first: &Self) -> Result<(), OptimizerError> {
        let path = self.path.display();
        if let Some(difference) = first.header.difference(&self.header, "shard") {
            let first = first.path.display();
            return Err(wrong(format!(
                "{path} is of another search than {first}: {difference} (in the latter)"
            )));
        }
        if self.shard.of != first.shard.of {
            let (mine, of) = (self.shard, first.shard.of);
            return Err(wrong(format!("{path} is shard {mine}, not one of {of}")));
        }
        let (have, whole) = (self.rows.len() as u64, self.shard.share_of(self.header.trials));
        if have != whole {
            return Err(wrong(format!(
                "{path} has {have} of its {whole} trials: run shard {} again to finish it",
                self.shard
            )));
        }
        Ok(())
    }
}

/// Checks that `parts`, in order, are each number once.
fn check_numbers(parts: &[Part<'_>]) -> Result<(), OptimizerError> {
    if let Some([a, b]) = parts.array_windows().find(|[a, b]| a.shard == b.shard) {
        let (a_path, b_path) = (a.path.display(), b.path.display());
        return Err(wrong(format!("{a_path} and {b_path} are both shard {}", a.shard)));
    }
    let of = parts.first().map_or(0, |part| part.shard.of);
    let is_missing = |index: &u64| parts.iter().all(|part| part.shard.index != *index);
    let missing: Vec<String> =
        (1..=of).filter(is_missing).take(10).map(|index| format!("{index}/{of}")).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(wrong(format!("missing: shard {}", missing.join(", "))))
}

fn wrong(why: String) -> OptimizerError {
    OptimizerError::Shards { why }
}

#[cfg(test)]
mod tests {
    use super::super::Journal;
    use super::super::record::tests::{bits, row};
    use super::super::tests::header;
    use super::*;

    struct Shards {
        _folder: tempfile::TempDir,
        paths: Vec<PathBuf>,
    }

    /// Five trials in three shards.
    fn shards() -> Shards {
        let folder = tempfile::tempdir().unwrap();
        let paths: Vec<PathBuf> = (1..=3).map(|at| folder.path().join(format!("{at}"))).collect();
        for (at, path) in paths.iter().enumerate() {
            let rows: Vec<Row> = (0..5).skip(at).step_by(3).map(row).collect();
            let (mut journal, _) = Journal::open(path, &header(&format!("{}/3", at + 1))).unwrap();
            journal.append(&rows).unwrap();
        }
        Shards { _folder: folder, paths }
    }

    #[test]
    fn shards_in_any_order_make_the_whole() {
        let Shards { paths, _folder } = shards();
        let shuffled = [2, 0, 1].map(|at| paths[at].clone());
        let merged = merge(&shuffled).unwrap();
        assert_eq!(merged.header, header("1/1"));
        assert_eq!(merged.rows.len(), 5);
        for (at, merged) in merged.rows.iter().enumerate() {
            assert_eq!(bits(merged), bits(&row(at as u64)));
        }
    }

    #[test]
    fn missing_double_foreign_and_unfinished_shards_are_named() {
        let Shards { paths, _folder } = shards();
        let refusal = |which: &[usize]| {
            let paths: Vec<PathBuf> = which.iter().map(|&at| paths[at].clone()).collect();
            merge(&paths).unwrap_err().to_string()
        };
        assert!(refusal(&[0, 2]).contains("missing: shard 2/3"));
        assert!(refusal(&[0, 1, 2, 1]).contains("both shard 2/3"));
        std::fs::remove_file(&paths[1]).unwrap();
        let foreign = Header { seed: 9, ..header("2/3") };
        Journal::open(&paths[1], &foreign).unwrap();
        let why = refusal(&[0, 1, 2]);
        assert!(why.contains("another search") && why.contains("seed"), "{why}");
        std::fs::remove_file(&paths[1]).unwrap();
        Journal::open(&paths[1], &header("2/3")).unwrap();
        assert!(refusal(&[0, 1, 2]).contains("0 of its 2 trials"));
        std::fs::remove_file(&paths[1]).unwrap();
        Journal::open(&paths[1], &header("2/4")).unwrap();
        assert!(refusal(&[0, 1, 2]).contains("shard 2/4, not one of 3"));
    }
}
