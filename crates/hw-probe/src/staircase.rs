//! Cache sizes read from the latency staircase, beside those that the system reports.

use crate::machine::Cache;
use crate::report::{CacheSeen, ProbeReport};

/// A step ends a plateau when a load takes this much longer than on it. The next level takes three times as long
/// and more; a cache that is indexed by physical address loses some lines to pages that collide before it is full.
const STEP: f64 = 1.5;
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
        let memory_ns = points
            .last()
            .filter(|point| {
                self.machine.last_level_cache_bytes().is_some_and(|llc| point.0 >= 2 * llc)
            })
            .map(|point| point.1);
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
                shared: memory_ns.and_then(|memory_ns| self.is_shared(cache, memory_ns)),
            });
            below = cache.bytes;
        }
        self.caches_seen = if points.is_empty() { Vec::new() } else { seen };
    }

    /// Whether a cache is shared by the measured ones of those that are said to share it.
    fn is_shared(&self, cache: &Cache, memory_ns: f64) -> Option<bool> {
        let shares = |cpu| cache.cpus.contains(&cpu);
        let rows = self.core_to_core.iter().filter(|row| shares(row.from) && shares(row.to));
        let farthest = rows.map(|row| row.ns).reduce(f64::max)?;
        Some(farthest < WITHOUT_MEMORY * memory_ns)
    }
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
    use super::plateau_end;
    use crate::report::{CoreToCoreRow, LatencyRow, ProbeReport};
    use crate::{Cache, machine};

    /// Whether cores 0 to 3, said to share 1 MiB, do: by the time from one to another, and beside a load from
    /// memory that takes 150 ns and was seen over `set` bytes.
    fn shared(set: u64, pairs: &[(usize, usize, f64)]) -> Option<bool> {
        let mut report = ProbeReport::empty(machine());
        let kind = "unified".to_owned();
        report.machine.caches = vec![Cache {
            level: 2,
            kind,
            bytes: 1 << 20,
            shared_by: 4,
            instances: 1,
            cpus: vec![0, 1, 2, 3],
        }];
        let latency =
            |(set, ns)| LatencyRow { working_set_bytes: set, huge_pages: true, ns_per_load: ns };
        report.latency = [(4096, 1.0), (set, 150.0)].map(latency).into();
        let distance = |&(from, to, ns)| CoreToCoreRow { from, to, ns };
        report.core_to_core = pairs.iter().map(distance).collect();
        report.see_caches();
        report.caches_seen[0].shared
    }

    #[test]
    fn a_cache_in_common_is_nearer_than_memory() {
        let far = 16 << 20;
        assert_eq!(shared(far, &[(0, 1, 45.0)]), Some(true));
        assert_eq!(shared(far, &[(0, 1, 190.0)]), Some(false));
        // Two threads of a core, another core below the cache, and one that is not.
        let pairs = [(0, 1, 8.0), (0, 2, 45.0), (0, 9, 210.0)];
        assert_eq!(shared(far, &pairs), Some(true));
        assert_eq!(shared(far, &[(0, 1, 8.0), (1, 3, 190.0)]), Some(false));
    }

    #[test]
    fn of_cores_that_were_not_measured_nothing_is_said() {
        let far = 16 << 20;
        assert_eq!(shared(far, &[]), None);
        assert_eq!(shared(far, &[(0, 8, 190.0)]), None);
        // Where memory was not seen either.
        assert_eq!(shared(1 << 20, &[(0, 1, 190.0)]), None);
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
