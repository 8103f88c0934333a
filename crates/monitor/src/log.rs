//! JSON lines, one write a line: what was written survives a kill of this process.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::MonitorError;

/// A log that goes on when its disk is full or its folder is gone.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: File,
    lost: u64,
    /// Why the last line was not written.
    trouble: Option<String>,
    /// The last write stopped inside a line.
    is_torn: bool,
}

impl Log {
    /// Appends to `path`, or makes it.
    pub(crate) fn open(path: &Path) -> Result<Self, MonitorError> {
        let file = open(path).map_err(|source| MonitorError::Log { path: path.into(), source })?;
        Ok(Self { path: path.into(), file, lost: 0, trouble: None, is_torn: false })
    }

    /// Writes one line; what keeps it from that is kept for [`Log::trouble`].
    pub(crate) fn write(&mut self, line: &impl Serialize) {
        let result = self.try_write(line);
        self.lost += u64::from(result.is_err());
        self.trouble = result.err().map(|error| format!("{}: {error}", self.path.display()));
    }

    fn try_write(&mut self, line: &impl Serialize) -> std::io::Result<()> {
        if !self.path.exists() {
            self.file = open(&self.path)?;
            self.is_torn = false;
        }
        let mut text = if self.is_torn { "\n".to_owned() } else { String::new() };
        text.push_str(&serde_json::to_string(line)?);
        text.push('\n');
        let written = self.file.write(text.as_bytes())?;
        // A disk that fills up takes part of a line first.
        self.is_torn = written < text.len();
        if self.is_torn {
            return Err(std::io::Error::other("the disk took only part of a line"));
        }
        Ok(())
    }

    pub(crate) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_loses_lines_and_says_so() {
        let mut log = Log::open(Path::new("/dev/full")).unwrap();
        log.write(&1);
        log.write(&2);
        assert_eq!(log.lost(), 2);
        assert!(log.trouble().is_some_and(|why| why.contains("No space left")), "{log:?}");
    }

    #[test]
    fn a_folder_that_vanishes_loses_lines_and_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("logs");
        std::fs::create_dir(&inner).unwrap();
        let path = inner.join("log.jsonl");
        let mut log = Log::open(&path).unwrap();
        log.write(&1);
        std::fs::remove_dir_all(&inner).unwrap();
        log.write(&2);
        assert!(log.trouble().is_some_and(|why| why.contains("log.jsonl")));
        std::fs::create_dir(&inner).unwrap();
        log.write(&3);
        assert_eq!((log.trouble(), log.lost()), (None, 1));
        assert_eq!(std::fs::read_to_string(path).unwrap(), "3\n");
    }
}
