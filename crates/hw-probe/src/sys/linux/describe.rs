//! The machine from `/proc` and `/sys` under a given root, so that tests can give their own.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{cgroup, meminfo};
use crate::machine::{Cache, Machine, Theoretical};

/// Reads everything; a file that is missing is named in `unavailable` and leaves its field empty.
pub(super) fn describe(root: &Path) -> Machine {
    let mut unavailable = Vec::new();
    let cpuinfo = fs::read_to_string(root.join("proc/cpuinfo")).unwrap_or_default();
    let cpus = cpu_folders(root);
    if cpus.is_empty() {
        unavailable.push("caches and cores: /sys/devices/system/cpu cannot be read".to_owned());
    }
    let threads = cpus.len().max(std::thread::available_parallelism().map_or(1, usize::from));
    let kinds = core_kinds(root);
    Machine {
        cpu_model: cpu_model(&cpuinfo),
        cores: physical_cores(root, &cpus).unwrap_or(threads),
        performance_cores: kinds.map(|(performance, _)| performance),
        efficiency_cores: kinds.map(|(_, efficiency)| efficiency),
        threads,
        caches: caches(root),
        memory_bytes: meminfo(root, "MemTotal:"),
        page_bytes: Some(rustix::param::page_size() as u64),
        huge_page_bytes: huge_pages(root),
        numa_nodes: list(root, "sys/devices/system/node/online").map(|nodes| nodes.len()),
        os: os_name(root),
        kernel: text(root, "proc/sys/kernel/osrelease"),
        hypervisor: hypervisor(root, &cpuinfo),
        cgroup: cgroup::limits(root),
        isa: Vec::new(),
        gpu: gpus(root),
        neural_engine: None,
        fingerprint: String::new(),
        theoretical: theoretical(root),
        unavailable,
    }
}

fn text(root: &Path, path: &str) -> Option<String> {
    let text = fs::read_to_string(root.join(path)).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A kernel list such as `0-3,8`.
fn list(root: &Path, path: &str) -> Option<Vec<usize>> {
    parse_list(&text(root, path)?)
}

fn parse_list(text: &str) -> Option<Vec<usize>> {
    let mut numbers = Vec::new();
    for part in text.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        numbers.extend(from.trim().parse::<usize>().ok()?..=to.trim().parse().ok()?);
    }
    Some(numbers)
}

fn cpu_folders(root: &Path) -> Vec<usize> {
    list(root, "sys/devices/system/cpu/online").unwrap_or_default()
}

fn cpu_model(cpuinfo: &str) -> String {
    let field = |key: &str| {
        let line =
            cpuinfo.lines().find(|line| line.split(':').next().unwrap_or("").trim() == key)?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    // x86 says "model name"; Arm boards say "Model" or nothing but a part number.
    let name = field("model name").or_else(|| field("Model")).or_else(|| field("Hardware"));
    let Some(name) = name else {
        return match (field("CPU implementer"), field("CPU part")) {
            (Some(maker), Some(part)) => format!("Arm implementer {maker} part {part}"),
            _ => "unknown processor".to_owned(),
        };
    };
    // Hypervisors shorten the name to one that generations share: "AMD EPYC", "Xeon CPU @ 2.20GHz".
    let without_clock = name.split('@').next().unwrap_or_default();
    let is_emulated = ["QEMU", "Common"].iter().any(|begin| name.starts_with(begin));
    let is_one = without_clock.contains(|c: char| c.is_ascii_digit()) && !is_emulated;
    match ["cpu family", "model", "stepping"].map(field) {
        [Some(family), Some(model), Some(stepping)] if !is_one => {
            format!("{name} (family {family} model {model} stepping {stepping})")
        }
        _ => name,
    }
}

fn physical_cores(root: &Path, cpus: &[usize]) -> Option<usize> {
    let cores: BTreeSet<_> = cpus
        .iter()
        .filter_map(|cpu| {
            let folder = format!("sys/devices/system/cpu/cpu{cpu}/topology");
            let package = text(root, &format!("{folder}/physical_package_id"))?;
            Some((package, text(root, &format!("{folder}/core_id"))?))
        })
        .collect();
    (!cores.is_empty()).then_some(cores.len())
}

/// Performance and efficiency cores of Intel's hybrids.
fn core_kinds(root: &Path) -> Option<(usize, usize)> {
    let performance = list(root, "sys/devices/cpu_core/cpus")?;
    let efficiency = list(root, "sys/devices/cpu_atom/cpus")?;
    Some((performance.len(), efficiency.len()))
}

/// The caches of the first processor, which stand for those of its kind.
fn caches(root: &Path) -> Vec<Cache> {
    let first = cpu_folders(root).first().copied().unwrap_or(0);
    let mut found: Vec<Cache> = (0..16).map_while(|index| cache(root, first, index)).collect();
    found.sort_by(|a, b| (a.level, &a.kind).cmp(&(b.level, &b.kind)));
    found
}

fn cache(root: &Path, cpu: usize, index: usize) -> Option<Cache> {
    let folder = format!("sys/devices/system/cpu/cpu{cpu}/cache/index{index}");
    let read = |file: &str| text(root, &format!("{folder}/{file}"));
    let cpus = read("shared_cpu_list").and_then(|text| parse_list(&text)).unwrap_or_default();
    Some(Cache {
        level: read("level")?.parse().ok()?,
        kind: read("type")?.to_lowercase(),
        bytes: parse_size(&read("size")?)?,
        shared_by: cpus.len().max(1),
        cpus,
    })
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

fn huge_pages(root: &Path) -> Vec<u64> {
    let Ok(folder) = fs::read_dir(root.join("sys/kernel/mm/hugepages")) else { return Vec::new() };
    let mut sizes: Vec<u64> = folder
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let kib: u64 = name.strip_prefix("hugepages-")?.strip_suffix("kB")?.parse().ok()?;
            Some(kib << 10)
        })
        .collect();
    sizes.sort_unstable();
    sizes
}

fn os_name(root: &Path) -> String {
    let release = fs::read_to_string(root.join("etc/os-release")).unwrap_or_default();
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.map_or_else(|| "Linux".to_owned(), |name| name.trim_matches('"').to_owned())
}

/// The hypervisor by its own name where the processor tells, else that there is one.
fn hypervisor(root: &Path, cpuinfo: &str) -> Option<String> {
    if let Some(name) = text(root, "sys/hypervisor/type") {
        return Some(name);
    }
    let flags = cpuinfo.lines().find(|line| line.starts_with("flags"))?;
    if !flags.split_whitespace().any(|flag| flag == "hypervisor") {
        return None;
    }
    Some(hypervisor_name().unwrap_or_else(|| "unnamed".to_owned()))
}

/// Leaf 0x4000_0000 of CPUID: the vendor's signature in three registers.
#[cfg(target_arch = "x86_64")]
fn hypervisor_name() -> Option<String> {
    let leaf = std::arch::x86_64::__cpuid(0x4000_0000);
    let bytes: Vec<u8> =
        [leaf.ebx, leaf.ecx, leaf.edx].iter().flat_map(|word| word.to_le_bytes()).collect();
    let name = String::from_utf8(bytes).ok()?;
    let name = match name.trim_end_matches('\0').trim() {
        "KVMKVMKVM" => "KVM",
        "Microsoft Hv" => "Hyper-V",
        "VMwareVMware" => "VMware",
        "XenVMMXenVMM" => "Xen",
        other => other,
    };
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(not(target_arch = "x86_64"))]
fn hypervisor_name() -> Option<String> {
    None
}

/// NVIDIA's driver names its devices; others are known by their driver.
fn gpus(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join("proc/driver/nvidia/gpus")).into_iter().flatten().flatten()
    {
        let text = fs::read_to_string(entry.path().join("information")).unwrap_or_default();
        let model = text.lines().find_map(|line| line.strip_prefix("Model:"));
        found.extend(model.map(|model| model.trim().to_owned()));
    }
    if found.is_empty() {
        for entry in fs::read_dir(root.join("sys/class/drm")).into_iter().flatten().flatten() {
            let driver = fs::read_link(entry.path().join("device/driver")).ok();
            let name = driver.and_then(|path| Some(path.file_name()?.to_str()?.to_owned()));
            found.extend(name.map(|name| format!("driver {name}")));
        }
        found.sort();
        found.dedup();
    }
    found
}

/// Bandwidth from the memory modules' own records (SMBIOS type 17), where they can be read.
fn theoretical(root: &Path) -> Theoretical {
    let folder = root.join("sys/firmware/dmi/entries");
    let Ok(entries) = fs::read_dir(&folder) else {
        return not_available("the system shows no DMI records (usual in a virtual machine)");
    };
    let mut bytes_per_s = 0.0;
    let mut denied = false;
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with("17-") {
            continue;
        }
        match fs::read(entry.path().join("raw")) {
            Ok(record) => bytes_per_s += module_bandwidth(&record).unwrap_or(0.0),
            Err(_) => denied = true,
        }
    }
    if bytes_per_s > 0.0 {
        let source = "DMI memory modules: speed x width, one channel for each".to_owned();
        return Theoretical { memory_gb_per_s: Some(bytes_per_s * 1e-9), source };
    }
    not_available(if denied { "DMI records need root" } else { "DMI names no memory speed" })
}

fn not_available(why: &str) -> Theoretical {
    Theoretical { memory_gb_per_s: None, source: format!("not available: {why}") }
}

/// Bytes a second of one module: data width (bits, offset 0x0A) times configured speed (10^6
/// transfers a second, offset 0x20); DSP0134, "Memory Device (Type 17)".
fn module_bandwidth(record: &[u8]) -> Option<f64> {
    let word = |at: usize| Some(u16::from_le_bytes(record.get(at..at + 2)?.try_into().ok()?));
    let (width, size, speed) = (word(0x0A)?, word(0x0C)?, word(0x20)?);
    let present = size != 0 && width != 0xFFFF && speed != 0 && speed != 0xFFFF;
    present.then(|| f64::from(width) / 8.0 * f64::from(speed) * 1e6)
}

#[cfg(test)]
#[path = "describe_tests.rs"]
mod tests;
