//! JSON documents: each begins with its schema and is written whole or not at all.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

/// A document with `schema` in front of its fields.
#[derive(Serialize)]
struct Document<'a, T> {
    schema: String,
    #[serde(flatten)]
    body: &'a T,
}

/// Writes `body` as a `redline.<verb>/1` document to `path`, `-` being standard output. Without a
/// path, does nothing.
pub(crate) fn write(path: Option<&Path>, verb: &str, body: &impl Serialize) -> Result<()> {
    let Some(path) = path else { return Ok(()) };
    write_json(path, &Document { schema: format!("redline.{verb}/1"), body })
}

/// Writes a document that has its schema in it already.
pub(crate) fn write_json(path: &Path, document: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_string_pretty(document)?;
    text.push('\n');
    if path == Path::new("-") {
        return Ok(std::io::stdout().write_all(text.as_bytes())?);
    }
    write_text(path, &text)
}

/// Writes `text` to `path`, whole or not at all.
pub(crate) fn write_text(path: &Path, text: &str) -> Result<()> {
    market_data::atomic::write(path, |file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
}
