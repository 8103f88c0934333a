//! `/proc/self/status`, in kB.

pub(crate) fn peak_rss_bytes() -> Option<u64> {
    field("VmHWM:")
}

pub(crate) fn rss_bytes() -> Option<u64> {
    field("VmRSS:")
}

fn field(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
