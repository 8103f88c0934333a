//! Files that are written whole or not at all.
//!
//! ```
//! use std::io::{self, Write};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("notes.txt");
//! market_data::atomic::write(&path, |file| file.write_all(b"whole"))?;
//! let failed = market_data::atomic::write(&path, |file| {
//!     file.write_all(b"half")?;
//!     Err(io::Error::other("the power is gone"))
//! });
//! assert!(failed.is_err());
//! assert_eq!(std::fs::read_to_string(&path)?, "whole");
//! # Ok::<(), io::Error>(())
//! ```

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use tempfile::NamedTempFile;

/// Writes `path` through `fill`: to a temporary file in the same folder, flushed to the disk, then
/// renamed. A killed process leaves the old file or the new one.
///
/// # Errors
/// What `fill` or the system says; the old file stays then.
pub fn write<E: From<io::Error>>(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&mut File>) -> Result<(), E>,
) -> Result<(), E> {
    let mut pending = Pending::new(path)?;
    let mut out = BufWriter::with_capacity(1 << 18, pending.0.as_file_mut());
    fill(&mut out)?;
    out.flush()?;
    drop(out);
    Ok(pending.finish(path)?)
}

/// A file that is not at its place yet; dropped, it is gone.
pub(crate) struct Pending(NamedTempFile);

impl Pending {
    pub(crate) fn new(path: &Path) -> io::Result<Self> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        if !folder.is_dir() {
            let why = format!("the folder {} does not exist: make it first", folder.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, why));
        }
        tempfile::Builder::new().prefix(".redline-").tempfile_in(folder).map(Self)
    }

    /// Flushes it to the disk and renames it.
    pub(crate) fn finish(self, path: &Path) -> io::Result<()> {
        self.0.as_file().sync_all()?;
        self.0.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
