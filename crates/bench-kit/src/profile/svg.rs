//! Flamegraphs as SVG text.

use inferno::differential;
use inferno::flamegraph::{self, Options, Palette, color::MultiPalette};

use super::{About, ProfileError, Stacks};

/// A flamegraph of one profile, without [rayon's plumbing](Stacks::without_plumbing). The same stacks
/// give the same bytes.
///
/// # Errors
/// [`ProfileError::Drawing`] where there is nothing to draw.
pub fn flamegraph_svg(stacks: &Stacks, about: &About) -> Result<Vec<u8>, ProfileError> {
    let mut options = options(about);
    options.colors = Palette::Multi(MultiPalette::Rust);
    let lines = stacks.without_plumbing().to_string();
    let mut svg = Vec::new();
    flamegraph::from_lines(&mut options, lines.lines(), &mut svg).map_err(drawing)?;
    Ok(svg)
}

/// A flamegraph of `head`, coloured by what changed since `base`: red is more, blue is less.
///
/// # Errors
/// [`ProfileError::Drawing`] where there is nothing to draw.
pub fn difference_svg(
    base: &Stacks,
    head: &Stacks,
    about: &About,
    base_name: &str,
) -> Result<Vec<u8>, ProfileError> {
    let mut options = options(about);
    options.title = format!("{} since {base_name}: red is more, blue is less", about.name);
    let [base, head] = [base, head].map(|side| side.without_plumbing().to_string());
    let mut lines = Vec::new();
    let of = differential::Options::default();
    differential::from_readers(of, base.as_bytes(), head.as_bytes(), &mut lines)
        .map_err(drawing)?;
    let lines = String::from_utf8_lossy(&lines);
    let mut svg = Vec::new();
    flamegraph::from_lines(&mut options, lines.lines(), &mut svg).map_err(drawing)?;
    Ok(svg)
}

fn options(about: &About) -> Options<'static> {
    let mut options = Options::default();
    options.title = about.name.clone();
    options.count_name = about.kind.unit().to_owned();
    options.deterministic = true;
    // In percent: what is narrower than a pixel or so is not drawn. It is in the stacks.
    options.min_width = 0.1;
    options
}

fn drawing(error: impl std::fmt::Display) -> ProfileError {
    ProfileError::Drawing(error.to_string())
}
