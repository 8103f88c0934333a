//! Limits that control groups set, of both versions: every ancestor's counts, the least holds.

use std::fs;
use std::path::{Path, PathBuf};

use crate::machine::Limits;

/// The limits of this process's groups, seen from `root`.
pub(super) fn limits(root: &Path) -> Limits {
    let memory = folders(root, "memory")
        .iter()
        .filter_map(|folder| limit(folder, "memory.max", "memory.limit_in_bytes"))
        .min();
    let cpus = folders(root, "cpu").iter().filter_map(|folder| cpus(folder)).reduce(f64::min);
    Limits { memory_bytes: memory, cpus }
}

/// Bytes that the groups leave: the least of limit minus use, over every ancestor with a limit.
/// Of the page cache, what nobody has asked for twice counts as room: the kernel gives it back first.
pub(super) fn memory_room(root: &Path) -> Option<u64> {
    folders(root, "memory")
        .iter()
        .filter_map(|folder| {
            let limit = limit(folder, "memory.max", "memory.limit_in_bytes")?;
            let used = number(folder, "memory.current")
                .or_else(|| number(folder, "memory.usage_in_bytes"))
                .unwrap_or(0);
            Some(limit.saturating_sub(used.saturating_sub(idle_cache(folder))))
        })
        .min()
}

/// The folders of this process's group for `controller`, from the group up to the mount; in a
/// container whose own group is the mount's root, that one alone exists.
fn folders(root: &Path, controller: &str) -> Vec<PathBuf> {
    let text = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let base = root.join("sys/fs/cgroup");
    let mut found = Vec::new();
    for line in text.lines() {
        // hierarchy:controllers:path
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let mount = if controllers.is_empty() {
            base.clone()
        } else if controllers.split(',').any(|name| name == controller) {
            base.join(controllers)
        } else {
            continue;
        };
        let relative = Path::new(path.trim_start_matches('/'));
        found.extend(relative.ancestors().map(|part| mount.join(part)));
    }
    found
}

/// A limit in either version's file; `max`, and the numbers that mean "none" in version 1, are none.
fn limit(folder: &Path, v2: &str, v1: &str) -> Option<u64> {
    const NO_LIMIT: u64 = 1 << 60;
    number(folder, v2).or_else(|| number(folder, v1)).filter(|&bytes| bytes < NO_LIMIT)
}

fn number(folder: &Path, file: &str) -> Option<u64> {
    fs::read_to_string(folder.join(file)).ok()?.trim().parse().ok()
}

/// Bytes of the page cache that were read or written once.
fn idle_cache(folder: &Path) -> u64 {
    let stat = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    // Version 1 has the sum over the descendants under a name of its own.
    ["total_inactive_file ", "inactive_file "]
        .iter()
        .find_map(|key| stat.lines().find_map(|line| line.strip_prefix(key)?.trim().parse().ok()))
        .unwrap_or(0)
}

/// Quota over period, in processors.
fn cpus(folder: &Path) -> Option<f64> {
    let (quota, period) = match fs::read_to_string(folder.join("cpu.max")) {
        Ok(text) => {
            let (quota, period) = text.trim().split_once(' ')?;
            (quota.parse::<f64>().ok()?, period.parse::<f64>().ok()?)
        }
        Err(_) => (
            number(folder, "cpu.cfs_quota_us")? as f64,
            number(folder, "cpu.cfs_period_us")? as f64,
        ),
    };
    (quota > 0.0 && period > 0.0).then(|| quota / period)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn version_2_takes_the_least_of_every_ancestor() {
        let root = tree(&[
            ("proc/self/cgroup", "0::/a/b\n"),
            ("sys/fs/cgroup/a/memory.max", "268435456\n"),
            ("sys/fs/cgroup/a/memory.current", "68435456\n"),
            ("sys/fs/cgroup/a/b/memory.max", "max\n"),
            ("sys/fs/cgroup/a/b/cpu.max", "150000 100000\n"),
            ("sys/fs/cgroup/a/cpu.max", "max 100000\n"),
        ]);
        let found = limits(root.path());
        assert_eq!(found.memory_bytes, Some(256 << 20));
        assert_eq!(found.cpus, Some(1.5));
        assert_eq!(memory_room(root.path()), Some(200_000_000));
        let stat = "anon 1000\ninactive_file 8435456\nactive_file 9\n";
        fs::write(root.path().join("sys/fs/cgroup/a/memory.stat"), stat).unwrap();
        assert_eq!(memory_room(root.path()), Some(208_435_456));
    }

    #[test]
    fn version_1_reads_its_own_names() {
        let root = tree(&[
            ("proc/self/cgroup", "4:memory:/docker/x\n2:cpu,cpuacct:/\n"),
            ("sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes", "9223372036854771712\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "1000000\n"),
            ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "100000\n"),
            ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
        ]);
        let found = limits(root.path());
        assert_eq!(found.memory_bytes, Some(1_000_000));
        assert_eq!(found.cpus, Some(1.0));
    }

    #[test]
    fn no_groups_are_no_limits() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(limits(root.path()), Limits::default());
        assert_eq!(memory_room(root.path()), None);
    }
}
