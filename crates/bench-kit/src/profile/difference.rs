//! What changed from one profile to another, frame by frame.

use std::collections::BTreeMap;

use super::Stacks;

/// A frame's own cost before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The function.
    pub frame: String,
    /// Before; 0 where it was not there.
    pub base: u64,
    /// After; 0 where it is gone.
    pub head: u64,
}

impl Change {
    /// After less before.
    #[must_use]
    pub fn difference(&self) -> i64 {
        self.head as i64 - self.base as i64
    }
}

/// Own costs of all frames of both, the largest change first. `skip` as in [`Stacks::costs`].
#[must_use]
pub fn changes(base: &Stacks, head: &Stacks, skip: usize) -> Vec<Change> {
    let mut both: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for cost in base.costs(skip) {
        both.entry(cost.frame).or_default().0 = cost.own;
    }
    for cost in head.costs(skip) {
        both.entry(cost.frame).or_default().1 = cost.own;
    }
    let mut changes: Vec<Change> =
        both.into_iter().map(|(frame, (base, head))| Change { frame, base, head }).collect();
    changes.sort_by_key(|change| std::cmp::Reverse(change.difference().unsigned_abs()));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_that_came_and_went_are_changes_too() {
        let base = Stacks::parse("main;a;old 5\nmain;a 10\n").unwrap();
        let head = Stacks::parse("main;a;new 9\nmain;a 9\n").unwrap();
        let found = changes(&base, &head, 1);
        let found: Vec<_> = found.iter().map(|c| (c.frame.as_str(), c.difference())).collect();
        assert_eq!(found, [("new", 9), ("old", -5), ("a", -1)]);
    }
}
