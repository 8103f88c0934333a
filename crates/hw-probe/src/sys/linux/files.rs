//! The small text files of `/proc` and `/sys`, under a given root, so that tests can give their own.

use std::fs;
use std::path::Path;

/// A file's text without the space around it; `None` where it is missing or empty.
pub(super) fn text(root: &Path, path: &str) -> Option<String> {
    let text = fs::read_to_string(root.join(path)).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A kernel list such as `0-3,8`.
pub(super) fn list(root: &Path, path: &str) -> Option<Vec<usize>> {
    parse_list(&text(root, path)?)
}

fn parse_list(text: &str) -> Option<Vec<usize>> {
    let mut numbers = Vec::new();
    for part in text.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        numbers.extend(from.trim().parse::<usize>().ok()?..=to.trim().parse().ok()?);
    }
    Some(numbers)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Writes a file of a made-up system.
    pub(in super::super) fn put(root: &Path, path: &str, text: impl AsRef<[u8]>) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn lists_parse() {
        assert_eq!(parse_list("0-2,7"), Some(vec![0, 1, 2, 7]));
        assert_eq!(parse_list("x"), None);
    }
}
