//! Names beside dots, where they cover neither each other nor another dot.

/// Height of a line of text.
const LINE: f64 = 13.0;
/// Width of a character, a little more than it takes.
const CHARACTER: f64 = 6.6;
/// From a dot to its name.
const GAP: f64 = 8.0;

/// A rectangle: left, top, right, bottom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area(pub(super) [f64; 4]);

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

/// Where a text stands: its anchor, and which end of it is there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spot {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) anchor: &'static str,
}

/// What is taken already.
pub(super) struct Labels {
    bounds: Area,
    taken: Vec<Area>,
}

impl Labels {
    /// Names stay within `bounds` and off the `dots`.
    pub(super) fn new(bounds: Area, dots: &[[f64; 2]]) -> Self {
        let taken = dots.iter().map(|[x, y]| Area([x - 5.0, y - 5.0, x + 5.0, y + 5.0]));
        Self { bounds, taken: taken.collect() }
    }

    /// The first free spot around the dot at `x`, `y`, nearest first; where none is free, the
    /// first of all.
    pub(super) fn place(&mut self, [x, y]: [f64; 2], text: &str) -> Spot {
        let width = text.chars().count() as f64 * CHARACTER;
        let rows = [0.0, -1.0, 1.0, -2.0, 2.0, -3.0, 3.0, 4.0, -4.0];
        let spots = rows.into_iter().flat_map(|row| {
            let y = y + row * LINE + 4.0;
            [("start", x + GAP), ("end", x - GAP)].map(|(anchor, x)| Spot { x, y, anchor })
        });
        let spots: Vec<(Spot, Area)> = spots.map(|spot| (spot, spot.area(width))).collect();
        let is_free = |(_, area): &&(Spot, Area)| {
            area.is_in(&self.bounds) && self.taken.iter().all(|taken| !taken.meets(area))
        };
        let (spot, area) = *spots.iter().find(is_free).unwrap_or(&spots[0]);
        self.taken.push(area);
        spot
    }
}

impl Spot {
    fn area(&self, width: f64) -> Area {
        let left = if self.anchor == "start" { self.x } else { self.x - width };
        Area([left, self.y - LINE + 3.0, left + width, self.y + 3.0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_neighbours_stand_apart_and_within() {
        let dots = [[50.0, 50.0], [56.0, 52.0], [190.0, 50.0]];
        let mut labels = Labels::new(Area([0.0, 0.0, 200.0, 100.0]), &dots);
        let spots = dots.map(|dot| labels.place(dot, "a kernel"));
        let areas = spots.map(|spot| spot.area(8.0 * CHARACTER));
        assert!(!areas[0].meets(&areas[1]) && !areas[1].meets(&areas[2]), "{areas:?}");
        assert!(areas.iter().all(|area| area.is_in(&labels.bounds)), "{areas:?}");
        assert_eq!(spots[2].anchor, "end", "there is no room on the right");
    }
}
