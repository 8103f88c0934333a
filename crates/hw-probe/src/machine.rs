//! What this machine is.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::sys;

/// The machine as a program finds it: inside its container and its virtual machine.
///
/// What the system does not tell is `None`, and [`Machine::unavailable`] says why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's own name; with its family, model and stepping where a hypervisor gives a name
    /// that generations of processors share.
    pub cpu_model: String,
    /// Physical cores that this process sees.
    pub cores: usize,
    /// Performance cores, on processors of two kinds.
    pub performance_cores: Option<usize>,
    /// Efficiency cores, on processors of two kinds.
    pub efficiency_cores: Option<usize>,
    /// Threads that this process may run at once: affinity and quota counted.
    pub threads: usize,
    /// The rule by which the system sets the processors' clock; `powersave` and its like can halve every figure.
    #[serde(default)]
    pub governor: Option<String>,
    /// Caches, nearest first.
    pub caches: Vec<Cache>,
    /// Main memory, bytes.
    pub memory_bytes: Option<u64>,
    /// The ordinary page, bytes.
    pub page_bytes: Option<u64>,
    /// Larger pages that the system can give, bytes.
    #[serde(default)]
    pub huge_page_bytes: Vec<u64>,
    /// Memory nodes.
    #[serde(default)]
    pub numa_nodes: Option<usize>,
    /// Operating system.
    pub os: String,
    /// Its kernel's release.
    pub kernel: Option<String>,
    /// What the machine is a guest of; `None` on bare metal.
    pub hypervisor: Option<String>,
    /// Limits set from outside by a control group.
    #[serde(default)]
    pub cgroup: Limits,
    /// Instruction sets that the kernels of this workspace can use.
    pub isa: Vec<String>,
    /// Graphics processors that the system names.
    pub gpu: Vec<String>,
    /// The neural engine, where the system names one.
    #[serde(default)]
    pub neural_engine: Option<String>,
    /// Sixteen hexadecimal digits, a hash of what decides speed: processor, cores, threads,
    /// caches, memory to the GiB, instruction sets, hypervisor. Not the kernel, so that an
    /// upgrade leaves records comparable.
    pub fingerprint: String,
    /// What the parts could do on paper.
    pub theoretical: Theoretical,
    /// What could not be found out, and why.
    #[serde(default)]
    pub unavailable: Vec<String>,
}

/// One cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cache {
    /// 1 is the nearest.
    pub level: u8,
    /// `data`, `instruction` or `unified`.
    pub kind: String,
    /// Size, bytes.
    pub bytes: u64,
    /// How many of the logical processors share one.
    pub shared_by: usize,
    /// How many such caches the processors of this process lie under, as the system reports it; 0 in documents
    /// of before this was counted.
    #[serde(default)]
    pub instances: usize,
    /// Which ones share the first processor's; empty where the system does not tell.
    #[serde(default)]
    pub cpus: Vec<usize>,
}

/// What a control group grants.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of memory; `None` for no limit.
    pub memory_bytes: Option<u64>,
    /// Processors' worth of time; `None` for no limit.
    pub cpus: Option<f64>,
}

/// Figures of the data sheet.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Theoretical {
    /// Memory bandwidth, 10^9 bytes a second.
    pub memory_gb_per_s: Option<f64>,
    /// Where the figure is from, or why there is none.
    pub source: String,
}

/// Describes this machine. Costs milliseconds: files of the system are read, nothing is timed.
#[must_use]
pub fn machine() -> Machine {
    let mut machine = sys::describe();
    machine.isa = isa();
    machine.threads = std::thread::available_parallelism().map_or(1, usize::from);
    machine.fingerprint = fingerprint(&machine);
    machine
}

impl Machine {
    /// The largest cache that holds data, bytes of one; `None` where the system names none.
    #[must_use]
    pub fn last_level_cache_bytes(&self) -> Option<u64> {
        self.data_caches().map(|cache| cache.bytes).max()
    }

    /// As [`last_level_cache_bytes`](Self::last_level_cache_bytes), of all such caches that `threads` threads can
    /// fill.
    #[must_use]
    pub fn last_level_caches_bytes(&self, threads: usize) -> Option<u64> {
        let last = self.data_caches().max_by_key(|cache| cache.bytes)?;
        Some(last.bytes * last.instances.clamp(1, threads.max(1)) as u64)
    }

    /// The caches that hold data, nearest first.
    pub fn data_caches(&self) -> impl Iterator<Item = &Cache> {
        self.caches.iter().filter(|cache| cache.kind != "instruction")
    }
}

/// The instruction sets among those that kernels of this workspace are compiled for.
fn isa() -> Vec<String> {
    #[cfg(target_arch = "x86_64")]
    macro_rules! check {
        ($($name:tt),*) => { [$(($name, is_x86_feature_detected!($name))),*] };
    }
    #[cfg(target_arch = "aarch64")]
    macro_rules! check {
        ($($name:tt),*) => { [$(($name, std::arch::is_aarch64_feature_detected!($name))),*] };
    }
    #[cfg(target_arch = "x86_64")]
    let checked = check!(
        "sse4.2", "avx", "avx2", "fma", "bmi2", "avx512f", "avx512bw", "avx512dq", "avx512vl"
    );
    #[cfg(target_arch = "aarch64")]
    let checked = check!("neon", "fp16", "dotprod", "sve", "sve2");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let checked: [(&str, bool); 0] = [];
    checked.iter().filter(|(_, is_here)| *is_here).map(|(name, _)| (*name).to_owned()).collect()
}

/// FNV-1a, 64 bits: short, stable for ever, and no defence against anyone.
fn fingerprint(machine: &Machine) -> String {
    let caches: Vec<_> =
        machine.caches.iter().map(|c| (c.level, &c.kind, c.bytes, c.shared_by)).collect();
    // Kernels keep some memory back, a little more or less at each start: count whole GiB.
    let memory_gib = machine.memory_bytes.map(|bytes| (bytes + (1 << 29)) >> 30);
    let text = format!(
        "{}|{}|{}|{}|{caches:?}|{memory_gib:?}|{:?}|{:?}",
        std::env::consts::ARCH,
        machine.cpu_model,
        machine.cores,
        machine.threads,
        machine.isa,
        machine.hypervisor,
    );
    let hash = text.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    format!("{hash:016x}")
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::report::display::machine(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_a_name_threads_and_a_fingerprint() {
        let machine = machine();
        assert!(!machine.cpu_model.is_empty());
        assert!(machine.threads >= 1 && machine.cores >= 1);
        assert_eq!(machine.fingerprint.len(), 16);
        assert_eq!(machine.fingerprint, super::machine().fingerprint);
    }

    #[test]
    fn the_fingerprint_moves_with_speed_and_not_with_the_kernel() {
        let base = machine();
        let mut other = base.clone();
        other.kernel = Some("99.0".into());
        assert_eq!(fingerprint(&base), fingerprint(&other));
        other.threads += 1;
        assert_ne!(fingerprint(&base), fingerprint(&other));
    }
}
