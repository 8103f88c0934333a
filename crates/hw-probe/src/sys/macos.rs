//! macOS, by `sysctl` and the I/O registry.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::process::Command;

use super::CpuTimes;
use crate::machine::{Cache, Limits, Machine, Theoretical};

pub(crate) use super::unix::own_cpu_seconds;

/// Describes the machine; every name is asked of the system's own `sysctl`, so that no call into
/// C is needed for what is read once.
pub(crate) fn describe() -> Machine {
    let cpu_model = sysctl("machdep.cpu.brand_string").unwrap_or_else(|| "unknown".to_owned());
    let performance = number("hw.perflevel0.physicalcpu").map(|n| n as usize);
    let efficiency = number("hw.perflevel1.physicalcpu").map(|n| n as usize);
    let threads = number("hw.logicalcpu").map_or(1, |n| n as usize);
    let (gpu, gpu_cores) = gpu();
    Machine {
        cores: number("hw.physicalcpu").map_or(threads, |n| n as usize),
        performance_cores: performance.filter(|_| efficiency.is_some()),
        efficiency_cores: efficiency,
        threads,
        governor: None,
        caches: caches(threads),
        memory_bytes: number("hw.memsize"),
        page_bytes: Some(rustix::param::page_size() as u64),
        huge_page_bytes: Vec::new(),
        numa_nodes: None,
        os: format!("macOS {}", sysctl("kern.osproductversion").unwrap_or_default()),
        kernel: sysctl("kern.osrelease"),
        hypervisor: (number("kern.hv_vmm_present") == Some(1)).then(|| "unnamed".to_owned()),
        cgroup: Limits::default(),
        isa: Vec::new(),
        gpu,
        neural_engine: neural_engine(&cpu_model),
        fingerprint: String::new(),
        theoretical: theoretical(&cpu_model, gpu_cores),
        unavailable: vec![
            "pinning: macOS binds no thread to a core".to_owned(),
            "the system-level cache of Apple chips: no name in sysctl".to_owned(),
        ],
        cpu_model,
    }
}

fn sysctl(name: &str) -> Option<String> {
    let output = Command::new("/usr/sbin/sysctl").args(["-n", name]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}

fn number(name: &str) -> Option<u64> {
    sysctl(name)?.parse().ok()
}

/// The performance cores' caches, or on a processor of one kind its only ones.
fn caches(threads: usize) -> Vec<Cache> {
    let first = |names: &[&str]| names.iter().find_map(|name| number(name));
    let sharing = number("hw.perflevel0.cpusperl2").map_or(threads, |n| n as usize);
    let sizes = [
        (1, "data", first(&["hw.perflevel0.l1dcachesize", "hw.l1dcachesize"]), 1),
        (1, "instruction", first(&["hw.perflevel0.l1icachesize", "hw.l1icachesize"]), 1),
        (2, "unified", first(&["hw.perflevel0.l2cachesize", "hw.l2cachesize"]), sharing),
        (3, "unified", first(&["hw.perflevel0.l3cachesize", "hw.l3cachesize"]), threads),
    ];
    let known = sizes.into_iter().filter_map(|(level, kind, bytes, shared_by)| {
        let bytes = bytes.filter(|&bytes| bytes > 0)?;
        let (kind, instances) = (kind.to_owned(), threads.div_ceil(shared_by.max(1)));
        Some(Cache { level, kind, bytes, shared_by, instances, cpus: Vec::new() })
    });
    known.collect()
}

/// The graphics processor's name and its cores, from the I/O registry.
fn gpu() -> (Vec<String>, Option<u32>) {
    let asked =
        Command::new("/usr/sbin/ioreg").args(["-r", "-d", "1", "-c", "AGXAccelerator"]).output();
    let Ok(output) = asked else { return (Vec::new(), None) };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let value = |key: &str| {
        let line = text.lines().find(|line| line.contains(&format!("\"{key}\"")))?;
        Some(line.split_once('=')?.1.trim().trim_matches('"').to_owned())
    };
    let cores = value("gpu-core-count").and_then(|cores| cores.parse().ok());
    let Some(model) = value("model") else { return (Vec::new(), cores) };
    let name = cores.map_or(model.clone(), |cores: u32| format!("{model}, {cores} cores"));
    (vec![name], cores)
}

/// Apple's data sheets: 16 cores in every chip of the M family, twice that in the Ultras.
fn neural_engine(cpu_model: &str) -> Option<String> {
    let chip = cpu_model.strip_prefix("Apple M")?;
    let cores = if chip.ends_with("Ultra") { 32 } else { 16 };
    Some(format!("Apple Neural Engine, {cores} cores (data sheet)"))
}

/// Bandwidth of unified memory by chip, 10^9 bytes a second, from the technical specifications at
/// support.apple.com. Two Max chips come in two sizes, told apart by their graphics cores.
fn theoretical(cpu_model: &str, gpu_cores: Option<u32>) -> Theoretical {
    const BY_CHIP: [(&str, f64); 18] = [
        ("Apple M1", 68.25),
        ("Apple M1 Pro", 200.0),
        ("Apple M1 Max", 400.0),
        ("Apple M1 Ultra", 800.0),
        ("Apple M2", 100.0),
        ("Apple M2 Pro", 200.0),
        ("Apple M2 Max", 400.0),
        ("Apple M2 Ultra", 800.0),
        ("Apple M3", 100.0),
        ("Apple M3 Pro", 150.0),
        ("Apple M3 Max", 400.0),
        ("Apple M3 Max/30", 300.0),
        ("Apple M3 Ultra", 819.0),
        ("Apple M4", 120.0),
        ("Apple M4 Pro", 273.0),
        ("Apple M4 Max", 546.0),
        ("Apple M4 Max/32", 410.0),
        ("Apple M5", 153.0),
    ];
    let narrow = gpu_cores.map(|cores| format!("{cpu_model}/{cores}"));
    let find = |name: &str| BY_CHIP.iter().find(|(chip, _)| *chip == name).map(|(_, rate)| *rate);
    let rate = narrow.as_deref().and_then(find).or_else(|| find(cpu_model));
    let source = match rate {
        Some(_) => "Apple's technical specifications".to_owned(),
        None => format!("not available: no entry for `{cpu_model}`"),
    };
    Theoretical { memory_gb_per_s: rate, source }
}

pub(crate) fn allowed_cpus() -> Vec<usize> {
    Vec::new()
}

/// macOS offers no binding to a core on Apple silicon; its scheduler prefers performance cores
/// for busy threads.
pub(crate) fn pin(_: usize) -> bool {
    false
}

/// Asks the scheduler for performance cores for the calling thread.
pub(crate) fn prefer_fast_cores() {
    let class = libc::qos_class_t::QOS_CLASS_USER_INITIATED;
    // SAFETY: sets a property of the calling thread; a refusal leaves it as it was.
    let _ = unsafe { libc::pthread_set_qos_class_self_np(class, 0) };
}

/// Half of the memory: macOS has no figure of what can be taken without compressing or swapping.
pub(crate) fn available_memory() -> Option<u64> {
    number("hw.memsize").map(|bytes| bytes / 2)
}

/// The one-minute load is all that can be read without a call into the Mach kernel, and it is too
/// slow to judge a section by.
pub(crate) fn cpu_times() -> Option<CpuTimes> {
    None
}

/// Opens a file with `F_NOCACHE`: its transfers leave nothing in the page cache, though what is
/// already there may be served from it.
pub(crate) fn open_direct(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    rustix::fs::fcntl_nocache(&file, true)?;
    Ok(file)
}

/// Pages of a file cannot be dropped by an ordinary user.
pub(crate) fn drop_cache(_: &File) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "macOS drops no pages of one file"))
}

/// No file system in memory is known here.
pub(crate) fn in_memory(_: &File) -> bool {
    false
}
