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

pub(crate) fn advise_huge_pages<T>(_memory: &mut [std::mem::MaybeUninit<T>]) {}

pub(crate) fn memory_available() -> Option<u64> {
    None
}
