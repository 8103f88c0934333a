//! What the things in a picture are, and how the style sheet's colours reach them.
//!
//! The drawing library knows colours; a page that is read by day, by night and on paper knows
//! names of colours. So each thing is drawn in a colour that only stands for what it is, and
//! [`elements`] puts a class there instead. What the class looks like is `style.css`'s business
//! alone: colours, widths, dashes and the font.

use std::io;

use plotters::coord::Shift;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::prelude::*;

use crate::GateError;

/// What a thing in a picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// The first series, or the only one.
    C0,
    C1,
    C2,
    C3,
    C4,
    C5,
    /// A series that stands back.
    Quiet,
    /// A bound of what can be reached.
    Roof,
    /// The bound of one core.
    RoofOfOne,
    /// A name beside a dot.
    Name,
    /// The names of axes, ticks and marks.
    Words,
    /// The axes.
    Axis,
    /// The grid.
    Rule,
    /// A place on the x axis that has a name.
    Mark,
    /// A change for the worse.
    Worse,
    /// A change for the better.
    Better,
}

impl Ink {
    /// The colours of series that have none of their own, in turn.
    pub(super) const SERIES: [Self; 6] =
        [Self::C0, Self::C1, Self::C2, Self::C3, Self::C4, Self::C5];

    /// Its class in the style sheet.
    pub(super) fn class(self) -> &'static str {
        CLASSES[self as usize]
    }

    /// The colour that stands for it while it is drawn.
    pub(super) fn colour(self) -> RGBColor {
        RGBColor(0, 0, self as u8)
    }
}

/// Classes in the style sheet, in the order of what they are of.
const CLASSES: [&str; 16] = [
    "c0", "c1", "c2", "c3", "c4", "c5", "quiet", "roof", "roof one", "name", "words", "axis",
    "rule", "mark", "critical", "ok",
];

/// The class of what a colour of the SVG text stands for.
fn class_of(colour: &str) -> Option<&'static str> {
    let number = usize::from_str_radix(colour.strip_prefix("#0000")?, 16).ok()?;
    CLASSES.get(number).copied()
}

/// What can go wrong while a picture is drawn into a text: nothing but what the library may add.
pub(super) type Drawn<T> = Result<T, DrawingAreaErrorKind<io::Error>>;

/// The elements of the SVG that `draw` draws, and what it tells of it.
///
/// # Errors
/// [`GateError::Page`] for what the drawing library refuses.
pub(super) fn drawn<T>(
    size: (u32, u32),
    draw: impl FnOnce(&DrawingArea<SVGBackend<'_>, Shift>) -> Drawn<T>,
) -> Result<(String, T), GateError> {
    let mut svg = String::new();
    let told = {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        draw(&root).and_then(|told| root.present().map(|()| told))
    };
    let told = told.map_err(|error| GateError::Page(format!("a picture: {error}")))?;
    Ok((elements(&svg), told))
}

/// What stands within an SVG of the drawing library, with a class in place of each colour.
///
/// The library writes `<circle cx="1" cy="2" r="3" opacity="1" fill="#000004" stroke="none"
/// stroke-width="1"/>`; this leaves `<circle cx="1" cy="2" r="3" class="c4"/>`. Texts lose their
/// font in the same way and take the page's. Only `fill="none"` stays, by which an open dot is
/// known. The outermost element is left to the template, which gives it a name. Texts and values
/// are escaped by the library: a `<` or a quote in them is never one of the SVG's own.
fn elements(svg: &str) -> String {
    let mut elements = String::with_capacity(svg.len() / 2);
    let tags = svg.split('<').skip(2).filter_map(|piece| piece.split_once('>'));
    for (tag, text) in tags.filter(|(tag, _)| *tag != "/svg") {
        elements.push('<');
        elements.push_str(&classed(tag));
        elements.push('>');
        elements.push_str(text.trim());
    }
    elements
}

/// What stands between `<` and `>`, without what the style sheet says.
fn classed(tag: &str) -> String {
    let Some((name, attributes)) = tag.split_once(' ') else { return tag.to_owned() };
    let mut classed = name.to_owned();
    let mut class = None;
    let mut pieces = attributes.split('"');
    while let (Some(key), Some(value)) = (pieces.next(), pieces.next()) {
        match key.trim().trim_end_matches('=') {
            "fill" | "stroke" if value != "none" => class = class_of(value),
            "stroke" | "opacity" | "stroke-width" | "font-family" | "font-size" => {}
            key => classed += &format!(" {key}=\"{}\"", value.trim()),
        }
    }
    if let Some(class) = class {
        classed += &format!(" class=\"{class}\"");
    }
    if tag.ends_with('/') {
        classed.push('/');
    }
    classed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_stands_for_one_thing() {
        let last = [(Ink::C5, "c5"), (Ink::Name, "name"), (Ink::Better, "ok")];
        assert!(last.iter().all(|(ink, class)| ink.class() == *class));
        assert_eq!(Ink::Better as usize + 1, CLASSES.len());
        assert_eq!(
            ["#00000F", "#000010", "#FFFFFF", "none"].map(class_of),
            [Some("ok"), None, None, None]
        );
    }

    #[test]
    fn colours_become_classes_and_the_font_the_pages() {
        let (text, ()) = drawn((100, 50), |area| {
            area.draw(&Circle::new((1, 2), 3, Ink::C4.colour().filled()))?;
            area.draw(&Circle::new((1, 2), 3, Ink::Roof.colour()))?;
            area.draw(&PathElement::new([(1, 2), (3, 4)], Ink::RoofOfOne.colour()))?;
            let style = ("sans-serif", 12).into_font().color(&Ink::Name.colour());
            area.draw(&Text::new("<a> & \"b\"", (5, 6), style))
        })
        .unwrap();
        let expected = [
            "<circle cx=\"1\" cy=\"2\" r=\"3\" class=\"c4\"/>",
            "<circle cx=\"1\" cy=\"2\" r=\"3\" fill=\"none\" class=\"roof\"/>",
            "<polyline fill=\"none\" points=\"1,2 3,4\" class=\"roof one\"/>",
            "<text x=\"5\" y=\"6\" dy=\"0.76em\" text-anchor=\"start\" class=\"name\">\
             &lt;a&gt; &amp; &quot;b&quot;</text>",
        ];
        assert_eq!(text, expected.concat());
    }
}
