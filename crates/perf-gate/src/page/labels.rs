//! Names beside dots, where they cover neither each other nor another dot.

use std::ops::Range;

/// Height of a line of text.
const LINE: i32 = 13;
/// Width of a character, a little more than it takes.
const CHARACTER: i32 = 7;
/// From a dot to its name.
const GAP: i32 = 8;
/// Half of what a dot takes.
const DOT: i32 = 5;

/// How wide a text is at most.
pub(super) fn width(text: &str) -> i32 {
    text.chars().count() as i32 * CHARACTER
}

/// A rectangle: left, top, right, bottom.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Area([i32; 4]);

impl Area {
    fn meets(&self, other: &Self) -> bool {
        let (Self([a, b, c, d]), Self([e, f, g, h])) = (self, other);
        a < g && e < c && b < h && f < d
    }

    fn is_in(&self, other: &Self) -> bool {
        let (Self([a, b, c, d]), Self([e, f, g, h])) = (self, other);
        a >= e && b >= f && c <= g && d <= h
    }
}

/// Where the middle of a text's end stands, from its dot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spot {
    pub(super) offset: (i32, i32),
    /// On which side of the dot, which is the side of the other end.
    pub(super) is_left: bool,
}

impl Spot {
    /// What a text of this width takes beside a dot at `x`, `y`.
    fn area(self, (x, y): (i32, i32), width: i32) -> Area {
        let (end, middle) = (x + self.offset.0, y + self.offset.1);
        let left = if self.is_left { end - width } else { end };
        Area([left, middle - LINE / 2, left + width, middle + LINE / 2])
    }
}

/// What is taken already.
pub(super) struct Labels {
    bounds: Area,
    taken: Vec<Area>,
}

impl Labels {
    /// Names stay within these bounds and off the `dots`.
    pub(super) fn new((x, y): (Range<i32>, Range<i32>), dots: &[(i32, i32)]) -> Self {
        let taken = dots.iter().map(|(x, y)| Area([x - DOT, y - DOT, x + DOT, y + DOT]));
        Self { bounds: Area([x.start, y.start, x.end, y.end]), taken: taken.collect() }
    }

    /// The first free spot around the dot, nearest first; `None` where none is free.
    pub(super) fn place(&mut self, dot: (i32, i32), text: &str) -> Option<Spot> {
        let rows = [0, -1, 1, -2, 2, -3, 3, 4, -4];
        let mut spots = rows.into_iter().flat_map(|row| {
            [(GAP, false), (-GAP, true)]
                .map(|(x, is_left)| Spot { offset: (x, row * LINE), is_left })
        });
        let width = width(text);
        let spot = spots.find(|spot| self.is_free(spot.area(dot, width)))?;
        self.taken.push(spot.area(dot, width));
        Some(spot)
    }

    fn is_free(&self, area: Area) -> bool {
        area.is_in(&self.bounds) && self.taken.iter().all(|taken| !taken.meets(&area))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_neighbours_stand_apart_and_within() {
        let dots = [(50, 50), (56, 52), (190, 50)];
        let mut labels = Labels::new((0..200, 0..100), &dots);
        let spots = dots.map(|dot| labels.place(dot, "a kernel").unwrap());
        let areas = [0, 1, 2].map(|at| spots[at].area(dots[at], width("a kernel")));
        assert!(!areas[0].meets(&areas[1]) && !areas[1].meets(&areas[2]), "{areas:?}");
        assert!(areas.iter().all(|area| area.is_in(&labels.bounds)), "{areas:?}");
        assert!(spots[2].is_left, "there is no room on the right");
    }

    #[test]
    fn a_name_without_room_is_left_out() {
        let mut labels = Labels::new((0..60, 0..20), &[(30, 10)]);
        assert_eq!(labels.place((30, 10), "much too long"), None);
        assert!(labels.place((30, 10), "1").is_some());
    }
}
