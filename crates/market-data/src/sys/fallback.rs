//! Systems without `pread`.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Mutex;

static SEEKING: Mutex<()> = Mutex::new(());

pub(crate) fn read_at(mut file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    let _seeking = SEEKING.lock();
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(buffer)
}

/// Asks for pages of 2 MiB below `memory`, which this system does not have.
pub fn ask_for_large_pages<T>(_memory: &mut [T]) {}

pub(crate) fn memory_available() -> Option<u64> {
    None
}
