//! The file's bytes, read piece by piece where they are needed.
//!
//! Each page is read by the thread that decodes it into a buffer that stays in its cache. Against
//! one large read this spares a second copy of the file in memory and that copy's page faults. A map
//! would spare the copy too, but a file that shrinks meanwhile would end the process by a signal;
//! here it is an error.

use std::fs::File;
use std::io::{self, Read};

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

use crate::sys;

/// A file that many threads read at once.
pub(super) struct Source {
    file: File,
    pub(super) bytes: u64,
}

impl Source {
    pub(super) fn new(file: File, bytes: u64) -> Self {
        Self { file, bytes }
    }

    /// Fills `buffer` from `offset` on.
    pub(super) fn read(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        sys::read_at(&self.file, buffer, offset)
    }
}

impl Length for Source {
    fn len(&self) -> u64 {
        self.bytes
    }
}

impl ChunkReader for Source {
    type T = Reading;

    fn get_read(&self, start: u64) -> Result<Reading> {
        Ok(Reading { file: self.file.try_clone()?, at: start, end: self.bytes })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        if start.checked_add(length as u64).is_none_or(|end| end > self.bytes) {
            return Err(ParquetError::EOF(format!("{length} bytes at {start} are past the end")));
        }
        let mut buffer = vec![0; length];
        self.read(&mut buffer, start)?;
        Ok(buffer.into())
    }
}

/// The file from an offset on, with a place of its own.
pub(super) struct Reading {
    file: File,
    at: u64,
    end: u64,
}

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.end.saturating_sub(self.at).min(buffer.len() as u64) as usize;
        sys::read_at(&self.file, &mut buffer[..left], self.at)?;
        self.at += left as u64;
        Ok(left)
    }
}
