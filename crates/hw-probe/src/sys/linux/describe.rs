//! The machine from `/proc` and `/sys` under a given root, so that tests can give their own.

use std::fs;
use std::path::Path;

use super::files::{list, text};
use super::{cgroup, meminfo, memory_modules, topology};
use crate::machine::Machine;

/// Reads everything, the caches as seen by the processors `allowed` to this process; a file that is missing is
/// named in `unavailable` and leaves its field empty.
pub(super) fn describe(root: &Path, allowed: &[usize]) -> Machine {
    let mut unavailable = Vec::new();
    let cpuinfo = fs::read_to_string(root.join("proc/cpuinfo")).unwrap_or_default();
    let cpus = topology::online(root);
    let caches = topology::caches(root, allowed);
    if cpus.is_empty() {
        unavailable.push("caches and cores: /sys/devices/system/cpu cannot be read".to_owned());
    } else if caches.is_empty() {
        unavailable.push("caches: the system names none".to_owned());
    }
    let threads = cpus.len().max(std::thread::available_parallelism().map_or(1, usize::from));
    let kinds = topology::core_kinds(root);
    Machine {
        cpu_model: cpu_model(&cpuinfo),
        cores: if cpus.is_empty() { threads } else { topology::cores(root, &cpus) },
        performance_cores: kinds.map(|(performance, _)| performance),
        efficiency_cores: kinds.map(|(_, efficiency)| efficiency),
        threads,
        governor: text(root, "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        caches,
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
        theoretical: memory_modules::theoretical(root),
        unavailable,
    }
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
    let Some(flags) = cpuinfo.lines().find(|line| line.starts_with("flags")) else {
        return guest_by_firmware(root);
    };
    if !flags.split_whitespace().any(|flag| flag == "hypervisor") {
        return None;
    }
    Some(hypervisor_name().unwrap_or_else(|| "unnamed".to_owned()))
}

/// Arm's processors have no flag for it, but a virtual board says what it is.
fn guest_by_firmware(root: &Path) -> Option<String> {
    let product = text(root, "sys/class/dmi/id/product_name").unwrap_or_default();
    let board = text(root, "proc/device-tree/compatible").unwrap_or_default();
    let vendor = text(root, "sys/class/dmi/id/sys_vendor");
    let vendor = vendor.filter(|_| !product.contains("metal"));
    let name = match vendor.as_deref() {
        Some("QEMU" | "Amazon EC2" | "Google") => "KVM",
        Some("Microsoft Corporation") if product.contains("Virtual") => "Hyper-V",
        Some(vendor) if vendor.starts_with("VMware") => "VMware",
        _ if board.contains("dummy-virt") => "unnamed",
        _ => return None,
    };
    Some(name.to_owned())
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

#[cfg(test)]
#[path = "describe_tests.rs"]
mod tests;
