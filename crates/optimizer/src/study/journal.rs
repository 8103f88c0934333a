//! The file that a study appends to.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::record::{Record, Row};
use super::{Header, SCHEMA};
use crate::OptimizerError;

/// An open journal, locked against a second process.
pub struct Journal {
    path: PathBuf,
    file: File,
    known: VecDeque<Row>,
    next: u64,
}

/// What a journal held when it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resumed {
    /// Whole records.
    pub trials: u64,
    /// Bytes of a record that was cut in its middle, now gone.
    pub cut_bytes: u64,
}

impl Journal {
    /// Opens the journal at `path`, or begins one. A record cut in its middle is dropped.
    ///
    /// # Errors
    /// [`OptimizerError::ForeignStudy`] for the journal of another study, with what differs;
    /// [`OptimizerError::NoStudy`] for a file that is no journal; both leave it as it is.
    /// [`OptimizerError::Journal`] for what the system says.
    pub fn open(path: &Path, header: &Header) -> Result<(Self, Resumed), OptimizerError> {
        let failed = |source| OptimizerError::Journal { path: path.to_owned(), source };
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let why = "another process is writing it: wait for it, or choose another file";
                return Err(failed(io::Error::new(io::ErrorKind::WouldBlock, why)));
            }
            // Some file systems have no locks: the study is no worse off without.
            Err(TryLockError::Error(_)) => {}
        }
        let mut journal = Self { path: path.to_owned(), file, known: VecDeque::new(), next: 0 };
        let text = journal.read().map_err(failed)?;
        let first = header_line(header);
        let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let cut_bytes = (text.len() - whole) as u64;
        if whole == 0 {
            if !first.as_bytes().starts_with(&text) {
                return Err(no_study(path, 1, "it does not begin with a study's header"));
            }
            journal.file.set_len(0).map_err(failed)?;
            journal.file.write_all(first.as_bytes()).map_err(failed)?;
            return Ok((journal, Resumed { trials: 0, cut_bytes }));
        }
        let (found, rows) = parse(path, &text[..whole])?;
        if let Some(difference) = header.difference(&found, "") {
            return Err(OptimizerError::ForeignStudy { path: path.to_owned(), difference });
        }
        if cut_bytes > 0 {
            journal.file.set_len(whole as u64).map_err(failed)?;
        }
        let trials = rows.len() as u64;
        journal.known = rows.into();
        Ok((journal, Resumed { trials, cut_bytes }))
    }

    fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        self.file.read_to_end(&mut text)?;
        Ok(text)
    }

    /// The recorded trials of the first of `points`: as many as there are.
    ///
    /// # Errors
    /// [`OptimizerError::NoStudy`] where a record is of another point than the search asks for,
    /// as after a change of the sampler's code.
    pub(crate) fn take(
        &mut self,
        points: &[Vec<f64>],
        share: f64,
    ) -> Result<Vec<Row>, OptimizerError> {
        let rows: Vec<Row> = self.known.drain(..points.len().min(self.known.len())).collect();
        for (row, point) in rows.iter().zip(points) {
            self.next += 1;
            if row.values() != point.as_slice() || row.share != share {
                let why = format!("it tries {:?}, not {point:?}", row.values());
                return Err(no_study(&self.path, self.next + 1, &why));
            }
        }
        Ok(rows)
    }

    /// Appends `rows` in one write.
    ///
    /// # Errors
    /// [`OptimizerError::Journal`] for what the system says.
    pub(crate) fn append(&mut self, rows: &[Row]) -> Result<(), OptimizerError> {
        let mut text = Vec::new();
        for row in rows {
            // Writing to memory does not fail.
            serde_json::to_writer(&mut text, &Record::of(self.next, row)).unwrap_or_default();
            text.push(b'\n');
            self.next += 1;
        }
        self.file
            .write_all(&text)
            .map_err(|source| OptimizerError::Journal { path: self.path.clone(), source })
    }
}

fn header_line(header: &Header) -> String {
    serde_json::to_string(header).unwrap_or_default() + "\n"
}

fn no_study(path: &Path, line: u64, why: &str) -> OptimizerError {
    OptimizerError::NoStudy { path: path.to_owned(), line, why: why.to_owned() }
}

/// Header and rows of the whole lines of a journal.
pub(super) fn parse(path: &Path, text: &[u8]) -> Result<(Header, Vec<Row>), OptimizerError> {
    let mut lines = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let header: Header = serde_json::from_slice(first).map_err(|why| {
        no_study(path, 1, &format!("it does not begin with a study's header ({why})"))
    })?;
    if header.schema != SCHEMA {
        return Err(no_study(path, 1, &format!("it is of {}, not of {SCHEMA}", header.schema)));
    }
    let mut rows = Vec::new();
    for (at, line) in lines.enumerate() {
        let record: Record = serde_json::from_slice(line)
            .map_err(|why| no_study(path, at as u64 + 2, &format!("it is no record ({why})")))?;
        if record.trial != at as u64 {
            let why = format!("it is of trial {}, not of {at}", record.trial);
            return Err(no_study(path, at as u64 + 2, &why));
        }
        rows.push(record.into_row());
    }
    Ok((header, rows))
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::{bits, row};
    use super::super::tests::header;
    use super::*;

    fn points(rows: &[Row]) -> Vec<Vec<f64>> {
        rows.iter().map(|row| row.values().to_vec()).collect()
    }

    #[test]
    fn a_cut_at_any_byte_resumes_from_the_last_whole_record() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("study.jsonl");
        let rows: Vec<Row> = (0..3).map(row).collect();
        let (mut journal, resumed) = Journal::open(&path, &header("1/1")).unwrap();
        assert_eq!(resumed, Resumed::default());
        journal.append(&rows).unwrap();
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        for cut in (0..whole.len()).rev().step_by(61).chain([whole.len()]) {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let (mut journal, resumed) = Journal::open(&path, &header("1/1")).unwrap();
            let lines = whole[..cut].iter().filter(|&&byte| byte == b'\n').count();
            assert_eq!(resumed.trials, lines.saturating_sub(1) as u64);
            let known = journal.take(&points(&rows), 1.0).unwrap();
            for (known, row) in known.iter().zip(&rows) {
                assert_eq!(bits(known), bits(row));
            }
            journal.append(&rows[known.len()..]).unwrap();
            drop(journal);
            assert_eq!(std::fs::read(&path).unwrap(), whole, "cut at {cut}");
        }
    }

    #[test]
    fn what_is_not_this_study_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("study.jsonl");
        let refusal = |text: &[u8]| {
            std::fs::write(&path, text).unwrap();
            let error = Journal::open(&path, &header("1/1")).err().unwrap().to_string();
            assert_eq!(std::fs::read(&path).unwrap(), text, "the file is as it was");
            error
        };
        let first = header_line(&header("1/1"));
        let other = Header { orders: "1".to_owned(), ..header("1/1") };
        assert!(refusal(header_line(&other).as_bytes()).contains("orders '1' there, '0' here"));
        assert!(refusal(b"PAR1").contains("header"));
        assert!(refusal(b"a,b\n1,2\n").contains("line 1"));
        assert!(refusal((first.clone() + "{}\n").as_bytes()).contains("line 2"));
        let twice = serde_json::to_string(&Record::of(0, &row(0))).unwrap() + "\n";
        let twice = format!("{first}{twice}{twice}");
        assert!(refusal(twice.as_bytes()).contains("of trial 0, not of 1"));
    }

    #[test]
    fn one_process_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("study.jsonl");
        let first = Journal::open(&path, &header("1/1")).unwrap();
        let error = Journal::open(&path, &header("1/1")).err().unwrap().to_string();
        assert!(error.contains("another process"), "{error}");
        drop(first);
        assert!(Journal::open(&path, &header("1/1")).is_ok());
    }

    #[test]
    fn other_points_than_recorded_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("study.jsonl");
        Journal::open(&path, &header("1/1")).unwrap().0.append(&[row(1)]).unwrap();
        let (mut journal, _) = Journal::open(&path, &header("1/1")).unwrap();
        assert!(journal.take(&[vec![8.0, 8.0]], 1.0).is_err());
    }
}
