//! A weight per stack, in the folded format: frames from the outermost in, `;` between them, then a
//! space and the weight.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::ProfileError;

/// Stacks and their weights: samples, bytes, instructions or nanoseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stacks(BTreeMap<String, u64>);

/// What a frame costs by itself and with all it calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// The function.
    pub frame: String,
    /// In it and in what it calls of the standard library, most of which is inlined.
    pub own: u64,
    /// In it and in what it calls; a recursive function counts once.
    pub total: u64,
}

impl Stacks {
    /// Reads the folded format.
    ///
    /// # Errors
    /// [`ProfileError::Format`] for a line without a weight at its end.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let mut stacks = Self::default();
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
            let weight = line.rsplit_once(' ').and_then(|(stack, n)| {
                let weight: u64 = n.parse().ok()?;
                Some((stack, weight))
            });
            let (stack, weight) = weight.ok_or_else(|| ProfileError::Format {
                line: at + 1,
                what: "expected frames, a space and a whole number".to_owned(),
            })?;
            *stacks.0.entry(stack.to_owned()).or_default() += weight;
        }
        Ok(stacks)
    }

    /// Adds a stack. Separators in names are replaced.
    pub fn add<'a>(&mut self, frames: impl IntoIterator<Item = &'a str>, weight: u64) {
        let frames: Vec<String> = frames.into_iter().map(|f| f.replace(';', ":")).collect();
        *self.0.entry(frames.join(";")).or_default() += weight;
    }

    /// The sum of all weights.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Stacks and weights, sorted by stack.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(stack, weight)| (stack.as_str(), *weight))
    }

    /// The same stacks, all weights multiplied.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        let scale = |weight: u64| (weight as f64 * factor).round() as u64;
        Self(self.0.iter().map(|(stack, weight)| (stack.clone(), scale(*weight))).collect())
    }

    /// The same stacks with each way through rayon as one frame, for pictures: a closure on another
    /// core is twenty frames of plumbing deep, and recursive. A run of frames of rayon and of the
    /// standard library with one of rayon's among them is one frame, `rayon`.
    #[must_use]
    pub fn without_plumbing(&self) -> Self {
        let mut short = Self::default();
        for (stack, weight) in self.iter() {
            let frames: Vec<&str> = stack.split(';').collect();
            let runs = frames.chunk_by(|a, b| is_plumbing(a) == is_plumbing(b));
            let runs = runs.map(|run| if run.iter().any(is_rayon) { &["rayon"][..] } else { run });
            short.add(runs.flatten().copied(), weight);
        }
        short
    }

    /// Every frame's cost, the largest own cost first. The outermost `skip` names of each stack
    /// (1 where that is a thread) are no frames.
    #[must_use]
    pub fn costs(&self, skip: usize) -> Vec<Cost> {
        let mut costs: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for (stack, weight) in self.iter() {
            let frames: Vec<&str> = stack.split(';').skip(skip).collect();
            for frame in frames.iter().copied().collect::<BTreeSet<_>>() {
                costs.entry(frame).or_default().1 += weight;
            }
            let ours = frames.iter().rfind(|frame| !is_library(frame)).or(frames.last());
            if let Some(innermost) = ours {
                costs.entry(innermost).or_default().0 += weight;
            }
        }
        let cost = |(frame, (own, total)): (&str, _)| Cost { frame: frame.to_owned(), own, total };
        let mut costs: Vec<Cost> = costs.into_iter().map(cost).collect();
        costs.sort_by_key(|cost| std::cmp::Reverse((cost.own, cost.total)));
        costs
    }
}

fn until<'a>(text: &'a str, end: &str) -> &'a str {
    text.split_once(end).map_or(text, |(before, _)| before)
}

/// Whether a function is of the standard library: by its path, or as what a trait adds to a
/// primitive type, such as `<u32 as core::cmp::PartialOrd>::lt`.
pub(super) fn is_library(name: &str) -> bool {
    let of_type = name.strip_prefix('<');
    let name = of_type.unwrap_or(name).trim_start_matches(['&', '*', '[']);
    let path = name.strip_prefix("mut ").unwrap_or(name);
    let is_primitive = || !until(until(path, " as "), ">::").contains("::");
    ["core::", "std::", "alloc::", "core_arch::"].iter().any(|library| path.starts_with(library))
        || (of_type.is_some() && is_primitive())
}

fn is_rayon(frame: &&str) -> bool {
    ["rayon::", "rayon_core::"].iter().any(|path| frame.starts_with(path))
}

fn is_plumbing(frame: &&str) -> bool {
    let library = ["crossbeam_", "core::", "std::", "alloc::"];
    is_rayon(frame) || library.iter().any(|path| frame.trim_start_matches('<').starts_with(path))
}

impl fmt::Display for Stacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|(stack, weight)| writeln!(f, "{stack} {weight}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_through_rayon_is_one_frame() {
        let text = "main;a::b;core::iter::map;a::c 1\n\
            worker;std::thread::start;rayon_core::registry::run;core::ops::call_once;a::c 2\n\
            worker;std::thread::start;rayon_core::join::join;<alloc::boxed::Box as F>::call;a::c 3\n\
            worker;rayon_core::sleep::sleep;syscall 4\n";
        let short = Stacks::parse(text).unwrap().without_plumbing();
        let expected =
            "main;a::b;core::iter::map;a::c 1\nworker;rayon;a::c 5\nworker;rayon;syscall 4\n";
        assert_eq!(short.to_string(), expected);
    }

    #[test]
    fn a_frame_counts_once_in_a_stack_and_its_own_cost_is_what_nothing_stands_on() {
        let text = "main;a;b 3\nmain;a;b;a 2\nmain;a 1\n";
        let stacks = Stacks::parse(text).unwrap();
        assert_eq!(stacks.to_string(), "main;a 1\nmain;a;b 3\nmain;a;b;a 2\n");
        assert_eq!(stacks.total(), 6);
        let cost = |frame: &str, own, total| Cost { frame: frame.to_owned(), own, total };
        assert_eq!(stacks.costs(1), [cost("a", 3, 6), cost("b", 3, 5)]);
        assert_eq!(stacks.costs(0).len(), 3);
    }

    #[test]
    fn what_the_standard_library_does_is_its_callers_cost() {
        let text = "main;house::sum;core::iter::Iterator::fold;<u32 as core::cmp::Ord>::cmp 5\n\
                    main;<house::Row as core::cmp::Ord>::cmp;<[T]>::len 2\n";
        let costs = Stacks::parse(text).unwrap().costs(1);
        let own: Vec<_> = costs.iter().filter(|cost| cost.own > 0).collect();
        assert_eq!(own.len(), 2, "{own:?}");
        assert_eq!((own[0].frame.as_str(), own[0].own), ("house::sum", 5));
        assert_eq!(own[1].frame, "<house::Row as core::cmp::Ord>::cmp");
    }

    #[test]
    fn a_line_without_a_weight_is_named() {
        let error = Stacks::parse("main;a 1\nmain;a\n").unwrap_err();
        assert_eq!(error.to_string(), "line 2: expected frames, a space and a whole number");
    }
}
