//! Files that are written whole or not at all.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes `path` through `fill`: to a temporary file in the same folder, flushed to the disk, then
/// renamed. A killed process leaves the old file or the new one.
///
/// # Errors
/// What `fill` or the system says; the old file stays then.
pub fn write<E: From<io::Error>>(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&mut File>) -> Result<(), E>,
) -> Result<(), E> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        let why = format!("the folder {} does not exist: make it first", folder.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, why).into());
    }
    let mut temporary = tempfile::Builder::new().prefix(".redline-").tempfile_in(folder)?;
    let mut out = BufWriter::with_capacity(1 << 18, temporary.as_file_mut());
    fill(&mut out)?;
    out.flush()?;
    drop(out);
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|error| error.error)?;
    Ok(())
}
