//! `/proc` and `/sys`.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Process, Reading};

/// Pages and clock ticks, asked once.
fn page_bytes() -> u64 {
    rustix::param::page_size() as u64
}

pub(crate) fn peak_rss_bytes() -> Option<u64> {
    kilobytes("/proc/self/status", "VmHWM:").ok()
}

pub(crate) fn rss_bytes() -> Option<u64> {
    kilobytes("/proc/self/status", "VmRSS:").ok()
}

/// A field of a file of `name: N kB` lines, in bytes.
fn kilobytes(path: &str, name: &str) -> Reading<u64> {
    let text = fs::read_to_string(path).map_err(|_| "the kernel does not let it be read")?;
    field(&text, name).map(|kilobytes| kilobytes * 1024).ok_or("the kernel does not report it")
}

/// The number behind `name` at a line's start.
fn field(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// `/proc/<pid>/stat`, with the children that were waited for. `None` when there is none.
pub(crate) fn process(pid: u32) -> Option<Process> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    parse_stat(&text)
}

/// The name in parentheses may hold spaces and parentheses: fields are counted from its end.
fn parse_stat(text: &str) -> Option<Process> {
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    // proc_pid_stat(5) counts from 1 and the name is its second.
    let number = |at: usize| fields.get(at - 3)?.parse::<u64>().ok();
    let ticks = number(14)? + number(15)? + number(16)? + number(17)?;
    Some(Process {
        started: number(22)?,
        is_zombie: fields.first() == Some(&"Z"),
        rss_bytes: number(24)? * page_bytes(),
        virtual_bytes: Ok(number(23)?),
        cpu_seconds: ticks as f64 / rustix::param::clock_ticks_per_second() as f64,
        threads: Ok(number(20)?),
        minor_faults: Ok(number(10)? + number(11)?),
        major_faults: Ok(number(12)? + number(13)?),
    })
}

/// Machine-wide figures, and those of a process that need files of their own.
#[derive(Debug)]
pub(crate) struct Machine {
    cores: u64,
    cgroup: Option<Cgroup>,
}

/// A control group v2 with a memory limit.
#[derive(Debug)]
struct Cgroup {
    limit_bytes: u64,
    folder: PathBuf,
}

/// Looks up once what does not change: the cores, and the control group of `pid`.
pub(crate) fn machine(pid: u32) -> Machine {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    Machine { cores, cgroup: Cgroup::tightest(Path::new("/sys/fs/cgroup"), &groups) }
}

impl Cgroup {
    /// The tightest limit on the way from the group in `/proc/<pid>/cgroup` to the root.
    fn tightest(root: &Path, groups: &str) -> Option<Self> {
        let own = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
        Path::new(own)
            .ancestors()
            .filter_map(|group| {
                let folder = root.join(group);
                let limit = fs::read_to_string(folder.join("memory.max")).ok()?;
                Some(Self { limit_bytes: limit.trim().parse().ok()?, folder })
            })
            .min_by_key(|group| group.limit_bytes)
    }

    /// Memory that cannot be reclaimed at once: without cached files that nobody reads now.
    fn used_bytes(&self) -> Option<u64> {
        let current = fs::read_to_string(self.folder.join("memory.current")).ok()?;
        let stat = fs::read_to_string(self.folder.join("memory.stat")).unwrap_or_default();
        let cached = field(&stat, "inactive_file ").unwrap_or(0);
        Some(current.trim().parse::<u64>().ok()?.saturating_sub(cached))
    }
}

impl Machine {
    pub(crate) fn cores(&self) -> u64 {
        self.cores
    }

    /// A process's living children.
    pub(crate) fn children(&self, pid: u32) -> Vec<u32> {
        let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
        tasks
            .flatten()
            .filter_map(|task| fs::read_to_string(task.path().join("children")).ok())
            .flat_map(|text| {
                text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>()
            })
            .collect()
    }

    /// Bytes read from and written to storage, waited-for children included.
    pub(crate) fn process_io(&self, pid: u32) -> Reading<(u64, u64)> {
        let text = fs::read_to_string(format!("/proc/{pid}/io"))
            .map_err(|_| "the kernel lets only the process's owner read its I/O")?;
        field(&text, "read_bytes:")
            .zip(field(&text, "write_bytes:"))
            .ok_or("the kernel does not report it")
    }

    pub(crate) fn open_files(&self, pid: u32) -> Reading<u64> {
        let files = fs::metadata(format!("/proc/{pid}/fd"))
            .map_err(|_| "the kernel lets only the process's owner see its files")?;
        // Linux 6.2 and later report the count as the folder's size.
        match std::os::unix::fs::MetadataExt::size(&files) {
            0 => fs::read_dir(format!("/proc/{pid}/fd"))
                .map(|files| files.count() as u64)
                .map_err(|_| "the kernel lets only the process's owner see its files"),
            count => Ok(count),
        }
    }

    pub(crate) fn pss_bytes(&self, pid: u32) -> Reading<u64> {
        kilobytes(&format!("/proc/{pid}/smaps_rollup"), "Pss:")
    }

    /// Memory in use and in all: the control group's where it has a limit.
    pub(crate) fn memory(&self) -> Reading<(u64, u64)> {
        let text = fs::read_to_string("/proc/meminfo").map_err(|_| "/proc/meminfo is missing")?;
        let total = field(&text, "MemTotal:").ok_or("the kernel does not report it")? * 1024;
        let free = field(&text, "MemAvailable:").ok_or("the kernel does not report it")? * 1024;
        let whole = (total.saturating_sub(free), total);
        // A limit above what the machine has limits nothing.
        let group = self.cgroup.as_ref().filter(|group| group.limit_bytes < total);
        Ok(group.and_then(|group| Some((group.used_bytes()?, group.limit_bytes))).unwrap_or(whole))
    }

    /// Busy and all ticks of all cores since the machine started.
    pub(crate) fn cpu_ticks(&self) -> Reading<(u64, u64)> {
        let text = fs::read_to_string("/proc/stat").map_err(|_| "/proc/stat is missing")?;
        let first = text.lines().next().and_then(|line| line.strip_prefix("cpu "));
        // Guest time is in user time already: eight fields.
        let ticks: Vec<u64> = first
            .unwrap_or("")
            .split_whitespace()
            .take(8)
            .filter_map(|field| field.parse().ok())
            .collect();
        let all: u64 = ticks.iter().sum();
        let idle = ticks.get(3).zip(ticks.get(4)).ok_or("the kernel does not report it")?;
        Ok((all - idle.0 - idle.1, all))
    }

    pub(crate) fn load(&self) -> Reading<f64> {
        let text = fs::read_to_string("/proc/loadavg").map_err(|_| "/proc/loadavg is missing")?;
        let load = text.split_whitespace().next().and_then(|load| load.parse().ok());
        load.ok_or("the kernel does not report it")
    }

    /// Bytes read and written by whole disks, partitions and layers above them left out.
    pub(crate) fn disk_bytes(&self) -> Reading<(u64, u64)> {
        let text = fs::read_to_string("/proc/diskstats").map_err(|_| "no disk statistics")?;
        let disks = text.lines().filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let name = fields.get(2)?;
            if !Path::new("/sys/block").join(name).join("device").exists() {
                return None;
            }
            let bytes = |at: usize| Some(fields.get(at)?.parse::<u64>().ok()? * 512);
            Some((bytes(5)?, bytes(9)?))
        });
        disks
            .reduce(|sum, disk| (sum.0 + disk.0, sum.1 + disk.1))
            .ok_or("no disk is visible from here")
    }

    /// Percent of the last ten seconds in which some task waited for `resource`.
    pub(crate) fn pressure(&self, resource: &str) -> Reading<f64> {
        let why = "the kernel has no pressure stall information";
        let text = fs::read_to_string(format!("/proc/pressure/{resource}")).map_err(|_| why)?;
        let mean = text.split_whitespace().find_map(|field| field.strip_prefix("avg10="));
        mean.and_then(|mean| mean.parse().ok()).ok_or(why)
    }

    pub(crate) fn temperature_celsius(&self) -> Reading<f64> {
        numbers("/sys/class/thermal", "temp")
            .map(|thousandths| thousandths / 1_000.0)
            .reduce(f64::max)
            .ok_or("no thermal zone is visible from here")
    }

    /// Energy of all processor packages so far, in joules.
    pub(crate) fn energy_joules(&self) -> Reading<f64> {
        numbers("/sys/class/powercap", "energy_uj")
            .map(|microjoules| microjoules * 1e-6)
            .reduce(|a, b| a + b)
            .ok_or("no power meter is visible from here, or only root may read it")
    }
}

/// The number in `file` of every folder under `root`; packages only, not the domains inside them.
fn numbers(root: &str, file: &'static str) -> impl Iterator<Item = f64> + use<> {
    fs::read_dir(root).into_iter().flatten().flatten().filter_map(move |entry| {
        let is_inside = entry.file_name().to_string_lossy().matches(':').count() > 1;
        let text = (!is_inside).then(|| fs::read_to_string(entry.path().join(file)).ok())??;
        text.trim().parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tightest_limit_of_a_container_counts() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("pod/box");
        fs::create_dir_all(&inner).unwrap();
        fs::write(inner.join("memory.max"), "max\n").unwrap();
        let pod = root.path().join("pod");
        fs::write(pod.join("memory.max"), "1000000\n").unwrap();
        fs::write(pod.join("memory.current"), "600000\n").unwrap();
        fs::write(pod.join("memory.stat"), "anon 1\ninactive_file 200000\n").unwrap();
        let group = Cgroup::tightest(root.path(), "1:name=x:/\n0::/pod/box\n").unwrap();
        assert_eq!((group.limit_bytes, group.used_bytes()), (1_000_000, Some(400_000)));
        assert!(Cgroup::tightest(root.path(), "1:memory:/pod\n").is_none());
    }

    #[test]
    fn a_name_with_parentheses_does_not_shift_fields() {
        let text = "7 (a) (b c) S 1 1 1 0 -1 0 11 12 13 14 100 50 25 25 20 0 3 0 999 4096 2 0";
        let process = parse_stat(text).unwrap();
        assert_eq!((process.started, process.rss_bytes), (999, 2 * page_bytes()));
        assert_eq!((process.threads, process.minor_faults), (Ok(3), Ok(23)));
        assert!((process.cpu_seconds - 2.0).abs() < 1e-9);
        assert!(parse_stat("7 (a S 1").is_none());
    }
}
