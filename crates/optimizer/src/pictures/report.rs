//! All pictures and the words on one page.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment};
use serde::Serialize;

use super::{Trials, heatmap, history, parallel};
use crate::OptimizerError;

/// A number with its name, and what it says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// The number as text.
    pub value: String,
    /// What it means, in plain words.
    pub meaning: String,
}

/// The words of a page; the pictures come from the trials.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page {
    /// What was searched: strategy and data.
    pub title: String,
    /// What was tried, in a sentence.
    pub summary: String,
    /// The best trial's parameters.
    pub parameters: Vec<(String, String)>,
    /// Its statistics.
    pub statistics: Vec<(String, String)>,
    /// The judgement of it.
    pub verdict: String,
    /// It is likely luck.
    pub is_suspect: bool,
    /// The reasons for the judgement.
    pub warnings: Vec<String>,
    /// What the judgement is made of.
    pub facts: Vec<Fact>,
}

#[derive(Serialize)]
struct Picture {
    title: &'static str,
    caption: &'static str,
    svg: String,
}

#[derive(Serialize)]
struct Whole<'a> {
    page: &'a Page,
    pictures: Vec<Picture>,
}

/// One HTML file without any outside reference, for light and dark screens: the best trial with its
/// validation, then a heatmap of parameters `x` and `y` where there are two that vary, parallel
/// coordinates and history.
///
/// # Errors
/// [`OptimizerError::Picture`] for what cannot be drawn.
pub fn page(
    page: &Page,
    trials: &Trials<'_>,
    axes: Option<(usize, usize)>,
) -> Result<String, OptimizerError> {
    let mut pictures = Vec::new();
    if let Some((x, y)) = axes {
        pictures.push(Picture {
            title: "Two parameters",
            caption: "Each cell is the best trial with these values; hatched cells have none. The \
                      best of all is framed. A lone bright cell is likely luck; a bright field may last.",
            svg: heatmap(trials, x, y)?,
        });
    }
    pictures.push(Picture {
        title: "All parameters",
        caption: "Each line is a trial, from dark (the lowest rank) to bright (the highest); the \
                  best is drawn thick.",
        svg: parallel(trials)?,
    });
    pictures.push(Picture {
        title: "Course of the search",
        caption: "Each dot is a trial; the line is the best so far.",
        svg: history(trials)?,
    });
    let whole = Whole { page, pictures };
    let mut templates = Environment::new();
    templates.set_auto_escape_callback(|_| AutoEscape::Html);
    let rendered = templates
        .add_template("report", include_str!("report.html"))
        .and_then(|()| templates.get_template("report"))
        .and_then(|template| template.render(Serde(&whole)));
    rendered.map_err(|error| OptimizerError::Picture { picture: "report", why: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_needs_nothing_else_and_escapes_what_it_is_given() {
        let names = ["fast", "slow"].map(str::to_owned);
        let points: [&[f64]; 2] = [&[5.0, 10.0], &[10.0, 20.0]];
        let trials = Trials {
            names: &names,
            points: &points,
            scores: &[0.5, 1.5],
            score_name: "sharpe_ratio",
            is_lower_better: false,
            best: Some(1),
        };
        let words = Page {
            title: "<script>".to_owned(),
            summary: "2 trials".to_owned(),
            parameters: vec![("fast".to_owned(), "10".to_owned())],
            statistics: vec![],
            verdict: "Likely luck".to_owned(),
            is_suspect: true,
            warnings: vec!["a & b".to_owned()],
            facts: vec![],
        };
        let text = page(&words, &trials, Some((0, 1))).unwrap();
        assert_eq!(text.matches("<svg").count(), 3);
        assert!(text.contains("&lt;script&gt;") && text.contains("a &amp; b"));
        assert!(!text.contains("<script"));
        let outside = text.replace("http://www.w3.org/2000/svg", "");
        assert!(!outside.contains("http") && !outside.contains("<link"), "an outside reference");
        assert!(text.contains("prefers-color-scheme: dark"));
    }
}
