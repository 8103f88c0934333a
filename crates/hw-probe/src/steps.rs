//! Cache sizes read from the latency staircase, beside those that the system reports.

use crate::report::{CacheSeen, ProbeReport};

/// A step ends a plateau when a load takes this much longer than on it.
const STEP: f64 = 1.3;
/// What is read agrees with what is reported within one octave: four points of the sweep to
/// either side, which allows for a cache that is not filled exactly and for one that is shared.
const AGREES: f64 = 2.0;
/// A line that comes out of a cache in common is there in less than this part of memory's latency.
const WITHOUT_MEMORY: f64 = 0.8;

impl ProbeReport {
    /// For each data cache that the system reports: the largest working set whose loads still
    /// cost what that cache's do. Large pages where there are any, so that no translation miss is
    /// taken for a cache's end.
    pub(crate) fn see_caches(&mut self) {
        let huge = self.latency.iter().any(|row| row.huge_pages);
        let rows = self.latency.iter().filter(|row| row.huge_pages == huge);
        let points: Vec<(u64, f64)> =
            rows.map(|row| (row.working_set_bytes, row.ns_per_load)).collect();
        let mut distances = self.distances_from_first();
        distances.sort_unstable_by(f64::total_cmp);
        let mut below = 0;
        let mut seen = Vec::new();
        for cache in self.machine.data_caches() {
            let found = plateau_end(&points, below, cache.bytes);
            seen.push(CacheSeen {
                level: cache.level,
                reported_bytes: cache.bytes,
                seen_bytes: found,
                agrees: found.map(|seen| {
                    let ratio = seen as f64 / cache.bytes as f64;
                    (1.0 / AGREES..=AGREES).contains(&ratio)
                }),
                shared: points
                    .last()
                    .and_then(|memory| is_shared(&distances, cache.shared_by, memory.1)),
            });
            below = cache.bytes;
        }
        self.caches_seen = if points.is_empty() { Vec::new() } else { seen };
    }

    /// From the first core to each other, nanoseconds.
    fn distances_from_first(&self) -> Vec<f64> {
        let first = self.core_to_core.first().map(|row| row.from);
        let rows = self.core_to_core.iter().filter(|row| Some(row.from) == first);
        rows.map(|row| row.ns).collect()
    }
}

/// Whether a cache that is said to be shared by so many is: by as many as lie nearest to the first core.
fn is_shared(nearest_first: &[f64], by: usize, memory_ns: f64) -> Option<bool> {
    let others = by.saturating_sub(1).min(nearest_first.len());
    let farthest = nearest_first[..others].last()?;
    Some(*farthest < WITHOUT_MEMORY * memory_ns)
}

/// The end of the plateau that begins beyond `below`: its level is the latency at the middle
/// (geometric) of the cache, or at the first point of the first level. `None` where no point lies
/// inside.
fn plateau_end(points: &[(u64, f64)], below: u64, bytes: u64) -> Option<u64> {
    let middle = ((below.max(4096) as f64) * bytes as f64).sqrt() as u64;
    let level = points.iter().rfind(|point| point.0 > below && point.0 <= middle)?.1;
    let mut within = points.iter().skip_while(|point| point.0 < middle);
    let mut end = None;
    while let Some(point) = within.next().filter(|point| point.1 <= STEP * level) {
        end = Some(point.0);
    }
    end
}

#[cfg(test)]
mod tests {
    use super::{is_shared, plateau_end};

    #[test]
    fn a_cache_in_common_is_nearer_than_memory() {
        assert_eq!(is_shared(&[45.0], 2, 150.0), Some(true));
        assert_eq!(is_shared(&[190.0], 2, 150.0), Some(false));
        // Two threads of a core, and the other cores below the cache.
        assert_eq!(is_shared(&[8.0, 40.0, 45.0, 210.0], 4, 150.0), Some(true));
        assert_eq!(is_shared(&[8.0, 190.0], 8, 150.0), Some(false));
        assert_eq!(is_shared(&[45.0], 1, 150.0), None);
        assert_eq!(is_shared(&[], 2, 150.0), None);
    }

    #[test]
    fn plateaus_end_at_their_step() {
        let kib = |size: u64| size << 10;
        let points: Vec<(u64, f64)> = [(4, 1.0), (8, 1.0), (16, 1.0), (32, 1.1), (64, 4.0)]
            .into_iter()
            .chain([(128, 4.0), (256, 4.1), (512, 4.2), (1024, 5.0), (2048, 20.0)])
            .map(|(size, ns)| (kib(size), ns))
            .collect();
        assert_eq!(plateau_end(&points, 0, kib(32)), Some(kib(32)));
        assert_eq!(plateau_end(&points, kib(32), kib(1024)), Some(kib(1024)));
        assert_eq!(plateau_end(&points, kib(1024), kib(1100)), None);
        assert_eq!(plateau_end(&[], 0, kib(32)), None);
    }
}
