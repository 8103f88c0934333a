//! Which logical processors make a core, which are fast, and which caches they lie under.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::files::{list, text};
use crate::machine::Cache;

const CPUS: &str = "sys/devices/system/cpu";

/// Logical processors that are online.
pub(super) fn online(root: &Path) -> Vec<usize> {
    list(root, &format!("{CPUS}/online")).unwrap_or_default()
}

/// `cpus` in the order in which threads should take them: one of each core before a second one of any, fast
/// cores before slow ones, else as they are numbered.
pub(super) fn cores_first(root: &Path, cpus: &[usize]) -> Vec<usize> {
    let slow = list(root, "sys/devices/cpu_atom/cpus").unwrap_or_default();
    // Arm's kernels give each core a capacity; Intel's hybrids list their efficiency cores.
    let speed = |cpu: usize| {
        let capacity = text(root, &format!("{CPUS}/cpu{cpu}/cpu_capacity"));
        let capacity = capacity.and_then(|capacity| capacity.parse::<u64>().ok());
        capacity.unwrap_or(u64::from(!slow.contains(&cpu)))
    };
    let mut taken = BTreeMap::new();
    let mut keyed: Vec<_> = cpus
        .iter()
        .map(|&cpu| {
            let siblings: &mut usize = taken.entry(core_of(root, cpu)).or_default();
            *siblings += 1;
            (*siblings, Reverse(speed(cpu)), cpu)
        })
        .collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, _, cpu)| cpu).collect()
}

/// What tells a core from all others; processors that the system says nothing of are cores of their own.
fn core_of(root: &Path, cpu: usize) -> String {
    let folder = format!("{CPUS}/cpu{cpu}/topology");
    let package = text(root, &format!("{folder}/physical_package_id"));
    let core = text(root, &format!("{folder}/core_id"));
    // Small Arm clusters number their cores anew in each.
    let cluster = text(root, &format!("{folder}/cluster_id")).unwrap_or_default();
    match package.zip(core) {
        Some((package, core)) => format!("{package}/{cluster}/{core}"),
        None => format!("processor {cpu}"),
    }
}

/// How many cores `cpus` are.
pub(super) fn cores(root: &Path, cpus: &[usize]) -> usize {
    cpus.iter().map(|&cpu| core_of(root, cpu)).collect::<BTreeSet<_>>().len()
}

/// Performance and efficiency cores of Intel's hybrids.
pub(super) fn core_kinds(root: &Path) -> Option<(usize, usize)> {
    let performance = list(root, "sys/devices/cpu_core/cpus")?;
    let efficiency = list(root, "sys/devices/cpu_atom/cpus")?;
    Some((cores(root, &performance), cores(root, &efficiency)))
}

/// The caches of the first of `cpus`, which stand for those of its kind, and how many of each `cpus` lie under.
pub(super) fn caches(root: &Path, cpus: &[usize]) -> Vec<Cache> {
    let Some(&first) = cpus.first() else { return Vec::new() };
    let read = |index| {
        let mut cache = cache(root, first, index)?;
        let shared = |&cpu: &usize| shared_by(root, cpu, index).unwrap_or_else(|| vec![cpu]);
        cache.instances = cpus.iter().map(shared).collect::<BTreeSet<_>>().len();
        Some(cache)
    };
    let mut found: Vec<Cache> = (0..16).map_while(read).collect();
    found.sort_by(|a, b| (a.level, &a.kind).cmp(&(b.level, &b.kind)));
    found
}

fn cache(root: &Path, cpu: usize, index: usize) -> Option<Cache> {
    let read = |file: &str| text(root, &format!("{CPUS}/cpu{cpu}/cache/index{index}/{file}"));
    let cpus = shared_by(root, cpu, index).unwrap_or_default();
    Some(Cache {
        level: read("level")?.parse().ok()?,
        kind: read("type")?.to_lowercase(),
        bytes: parse_size(&read("size")?)?,
        shared_by: cpus.len().max(1),
        instances: 1,
        cpus,
    })
}

fn shared_by(root: &Path, cpu: usize, index: usize) -> Option<Vec<usize>> {
    list(root, &format!("{CPUS}/cpu{cpu}/cache/index{index}/shared_cpu_list"))
}

/// `48K`, `2M` or plain bytes.
fn parse_size(text: &str) -> Option<u64> {
    let shift = match text.as_bytes().last()? {
        b'K' => 10,
        b'M' => 20,
        b'G' => 30,
        _ => 0,
    };
    Some(text.trim_end_matches(['K', 'M', 'G']).parse::<u64>().ok()? << shift)
}

#[cfg(test)]
mod tests {
    use super::super::files::tests::put;
    use super::*;

    /// Processors of `cores`, each on the core of its place in the list.
    fn put_cores(root: &Path, cores: &[usize]) {
        for (cpu, core) in cores.iter().enumerate() {
            let folder = format!("{CPUS}/cpu{cpu}/topology");
            put(root, &format!("{folder}/physical_package_id"), "0");
            put(root, &format!("{folder}/core_id"), core.to_string());
        }
    }

    #[test]
    fn one_thread_of_each_core_comes_before_its_second() {
        let root = tempfile::tempdir().unwrap();
        put_cores(root.path(), &[0, 0, 1, 1]);
        assert_eq!(cores_first(root.path(), &[0, 1, 2, 3]), [0, 2, 1, 3]);
        assert_eq!(cores_first(root.path(), &[1, 3]), [1, 3]);
        assert_eq!(cores(root.path(), &[0, 1, 2, 3]), 2);
        // Nothing known: as they are numbered.
        assert_eq!(cores_first(root.path(), &[7, 9]), [7, 9]);
    }

    #[test]
    fn fast_cores_come_before_slow_ones() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        // Intel: two performance cores of two threads, numbered last, and two efficiency cores.
        put_cores(root, &[0, 1, 2, 2, 3, 3]);
        put(root, "sys/devices/cpu_core/cpus", "2-5\n");
        put(root, "sys/devices/cpu_atom/cpus", "0-1\n");
        assert_eq!(cores_first(root, &[0, 1, 2, 3, 4, 5]), [2, 4, 0, 1, 3, 5]);
        assert_eq!(core_kinds(root), Some((2, 2)));
        // Arm: the last two are the big ones.
        let arm = tempfile::tempdir().unwrap();
        for (cpu, capacity) in [(0, "446"), (1, "446"), (2, "1024"), (3, "1024")] {
            put(arm.path(), &format!("{CPUS}/cpu{cpu}/cpu_capacity"), capacity);
        }
        assert_eq!(cores_first(arm.path(), &[0, 1, 2, 3]), [2, 3, 0, 1]);
    }

    #[test]
    fn caches_are_counted_by_those_whom_they_serve() {
        let root = tempfile::tempdir().unwrap();
        for cpu in 0..4 {
            for (index, level, kind, size) in [(0, "1", "Data", "48K"), (1, "3", "Unified", "4M")] {
                let folder = format!("{CPUS}/cpu{cpu}/cache/index{index}");
                put(root.path(), &format!("{folder}/level"), level);
                put(root.path(), &format!("{folder}/type"), kind);
                put(root.path(), &format!("{folder}/size"), size);
                let own = cpu.to_string();
                let pair = if cpu < 2 { "0-1" } else { "2-3" };
                let shared = if index == 0 { own.as_str() } else { pair };
                put(root.path(), &format!("{folder}/shared_cpu_list"), shared);
            }
        }
        let of = |cpus: &[usize]| -> Vec<_> {
            let found = caches(root.path(), cpus);
            found.iter().map(|cache| (cache.bytes, cache.shared_by, cache.instances)).collect()
        };
        assert_eq!(of(&[0, 1, 2, 3]), [(48 << 10, 1, 4), (4 << 20, 2, 2)]);
        assert_eq!(of(&[1, 2]), [(48 << 10, 1, 2), (4 << 20, 2, 2)]);
        assert_eq!(of(&[2, 3]), [(48 << 10, 1, 2), (4 << 20, 2, 1)]);
        assert_eq!(caches(root.path(), &[]), []);
    }

    #[test]
    fn sizes_parse() {
        assert_eq!(parse_size("266240K"), Some(260 << 20));
        assert_eq!(parse_size(""), None);
    }
}
