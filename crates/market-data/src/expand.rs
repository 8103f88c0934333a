//! Compressed text, expanded as far as memory goes.

use std::io::Read;
use std::path::Path;

use crate::{DataError, sys};

/// All that `reader` gives; a file that expands without end is refused before it fills the memory.
pub(crate) fn expand(
    path: &Path,
    kind: &'static str,
    reader: impl Read,
) -> Result<Vec<u8>, DataError> {
    // The text, its growing by doubling, and the columns of it must all fit.
    let most = sys::memory_available().map_or(u64::MAX - 1, |available| available / 4);
    up_to(path, kind, reader, most)
}

fn up_to(
    path: &Path,
    kind: &'static str,
    reader: impl Read,
    most: u64,
) -> Result<Vec<u8>, DataError> {
    let mut text = Vec::new();
    reader
        .take(most + 1)
        .read_to_end(&mut text)
        .map_err(|why| DataError::damaged(path, kind, why))?;
    if text.len() as u64 > most {
        let why = format!("it expands to more than the {most} bytes that memory has room for");
        return Err(DataError::damaged(path, kind, why));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bomb_is_refused() {
        let bomb = zstd::encode_all(std::io::repeat(b'0').take(50_000_000), 1).unwrap();
        assert!(bomb.len() < 10_000);
        let reader = || zstd::Decoder::new(bomb.as_slice()).unwrap();
        let error = up_to(Path::new("bomb.csv.zst"), "zstd", reader(), 1_000_000).unwrap_err();
        assert!(error.to_string().starts_with("bomb.csv.zst: "), "{error}");
        assert_eq!(up_to(Path::new("b"), "zstd", reader(), 50_000_000).unwrap().len(), 50_000_000);
    }
}
