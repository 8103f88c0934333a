//! Strategies by name or from a file.

use std::borrow::Cow;
use std::path::Path;

use anyhow::{Context, Result};
use backtest::strategy::{self, Compiled};

/// What `--strategy` takes.
pub(crate) const HELP: &str = "A built-in strategy (ma-cross, ema-cross, rsi-reversion, \
    bollinger-breakout, donchian-breakout, macd, momentum) or a TOML file with one";

/// The built-in strategy of that name, or the one in the file where `text` is a path.
pub(crate) fn choose(text: &str) -> Result<Cow<'static, Compiled>> {
    let path = Path::new(text);
    let is_path = path.extension().is_some() || path.components().count() > 1;
    if !is_path {
        return Ok(Cow::Borrowed(strategy::find(text)?));
    }
    let content = std::fs::read_to_string(path).with_context(|| format!("cannot read {text}"))?;
    let name = path.file_stem().map_or(text.into(), |stem| stem.to_string_lossy());
    Ok(Cow::Owned(strategy::parse(&content, text, &name)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_every_built_in_strategy() {
        use strategy::Strategy;
        for strategy in strategy::built_in() {
            assert!(HELP.contains(strategy.name()), "{}", strategy.name());
        }
    }
}
