//! The report as a table for people.

use std::fmt::{self, Display, Formatter, Write};

use super::{CacheSeen, ComputeRow, MemoryRow, Percentiles, ProbeReport, StorageRow};
use crate::machine::{Cache, Machine};

/// How many threads, in the words that name rows and lines: `1 thread`, `2 threads`.
#[must_use]
pub fn in_threads(count: usize) -> String {
    if count == 1 { "1 thread".to_owned() } else { format!("{count} threads") }
}

/// Bytes in the binary unit that makes the number short: `48 KiB`, `1.5 GiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = usize::from(value < 10.0 && value.fract() > 0.05);
    format!("{value:.digits$} {}", UNITS[unit])
}

/// The machine, one line for each thing.
pub(crate) fn machine(machine: &Machine, f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(f, "machine      {}", machine.cpu_model)?;
    let kinds = match (machine.performance_cores, machine.efficiency_cores) {
        (Some(p), Some(e)) => format!(" ({p} performance, {e} efficiency)"),
        _ => String::new(),
    };
    let governor = machine.governor.as_ref().map(|name| format!(", governor {name}"));
    let (cores, threads, governor) = (machine.cores, machine.threads, governor.unwrap_or_default());
    writeln!(f, "  cores      {cores}{kinds}, {threads} threads usable{governor}")?;
    let caches: Vec<String> = machine.caches.iter().map(cache).collect();
    writeln!(f, "  caches     {}", or_not_available(caches.join(", ")))?;
    let memory = machine.memory_bytes.map(bytes).unwrap_or_default();
    let page = machine.page_bytes.map(|page| format!(", pages {}", bytes(page)));
    let nodes = machine.numa_nodes.map(|nodes| format!(", {nodes} memory node(s)"));
    let more = [page, nodes].into_iter().flatten().collect::<String>();
    writeln!(f, "  memory     {}{more}", or_not_available(memory))?;
    match machine.theoretical.memory_gb_per_s {
        Some(rate) => {
            writeln!(f, "  on paper   {rate:.0} GB/s ({})", machine.theoretical.source)?;
        }
        None => writeln!(f, "  on paper   {}", machine.theoretical.source)?,
    }
    let kernel = machine.kernel.as_deref().unwrap_or("kernel not available");
    let guest = machine.hypervisor.as_ref().map(|name| format!(", guest of {name}"));
    writeln!(f, "  system     {}, {kernel}{}", machine.os, guest.unwrap_or_default())?;
    limits(machine, f)?;
    writeln!(f, "  isa        {}", machine.isa.join(" "))?;
    let gpu = if machine.gpu.is_empty() { "none named".to_owned() } else { machine.gpu.join(", ") };
    let neural = machine.neural_engine.as_ref().map(|name| format!("; {name}"));
    writeln!(f, "  gpu        {gpu}{}", neural.unwrap_or_default())?;
    writeln!(f, "  identity   {}", machine.fingerprint)?;
    machine.unavailable.iter().try_for_each(|text| writeln!(f, "  not available: {text}"))
}

fn cache(cache: &Cache) -> String {
    let kind = match cache.kind.as_str() {
        "data" => "d",
        "instruction" => "i",
        _ => "",
    };
    format!("L{}{kind} {} (shared by {})", cache.level, bytes(cache.bytes), cache.shared_by)
}

fn limits(machine: &Machine, f: &mut Formatter<'_>) -> fmt::Result {
    let memory = machine.cgroup.memory_bytes.map(|limit| format!("{} of memory", bytes(limit)));
    let cpus = machine.cgroup.cpus.map(|cpus| format!("{cpus:.1} processors"));
    let both: Vec<String> = [memory, cpus].into_iter().flatten().collect();
    if both.is_empty() { Ok(()) } else { writeln!(f, "  limits     {}", both.join(", ")) }
}

fn or_not_available(text: String) -> String {
    if text.is_empty() { "not available".to_owned() } else { text }
}

impl Display for ProbeReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        machine(&self.machine, f)?;
        self.memory_table(f)?;
        self.latency_table(f)?;
        self.compute_table(f)?;
        self.storage_table(f)?;
        self.noise_lines(f)
    }
}

/// A mark beside what was measured and found wrong.
fn mark(verified: bool) -> &'static str {
    if verified { "" } else { "  WRONG VALUES" }
}

impl ProbeReport {
    fn rule_of(&self, section: &str, f: &mut Formatter<'_>) -> fmt::Result {
        let mut rules = self.rules.iter().filter(|rule| rule.section == section);
        rules.try_for_each(|rule| writeln!(f, "  rule: {}", rule.text))
    }

    fn memory_table(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.memory.is_empty() {
            return Ok(());
        }
        writeln!(
            f,
            "\nmemory       stores        threads  isa        best   median  GB/s    spread  with write-allocate"
        )?;
        for row in self.memory.iter().filter(|row| row.series == "main") {
            memory_row(row, f)?;
        }
        self.read_by_cache(f)?;
        self.rule_of("memory", f)
    }

    /// The sweep at the sizes that matter: half of each cache, and main memory.
    fn read_by_cache(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut line = String::new();
        for cache in self.machine.data_caches() {
            let inside = self.memory.iter().filter(|row| {
                row.series == "sweep"
                    && row.kernel == "read"
                    && row.threads == 1
                    && row.working_set_bytes <= cache.bytes / 2
            });
            if let Some(row) = inside.max_by_key(|row| row.working_set_bytes) {
                let (set, rate) = (bytes(row.working_set_bytes), row.gb_per_s.best);
                write!(line, "  L{} {rate:.0} GB/s ({set})", cache.level)?;
            }
        }
        if line.is_empty() { Ok(()) } else { writeln!(f, "  read, one core:{line}") }
    }

    fn latency_table(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.latency.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nlatency      working set  ordinary pages   large pages   ns a load")?;
        for set in self.latency_sets() {
            let at = |huge| {
                let mut rows = self.latency.iter();
                let row = rows.find(|row| row.huge_pages == huge && row.working_set_bytes == set);
                row.map_or_else(|| "-".to_owned(), |row| format!("{:.1}", row.ns_per_load))
            };
            writeln!(f, "             {:>11}  {:>14}  {:>12}", bytes(set), at(false), at(true))?;
        }
        for cache in &self.caches_seen {
            let seen = cache.seen_bytes.map_or_else(|| "no plateau".to_owned(), bytes);
            let verdict = match cache.agrees {
                Some(true) => "agrees",
                Some(false) if self.is_less_in_a_guest(cache) => {
                    "does not agree; others on the host may fill the rest"
                }
                Some(false) => "does not agree",
                None => "cannot be compared",
            };
            let (level, reported) = (cache.level, bytes(cache.reported_bytes));
            writeln!(f, "  L{level} reported {reported}, seen {seen}: {verdict}")?;
            if cache.shared == Some(false) {
                writeln!(
                    f,
                    "  L{level} is reported as shared, but its cores are as far apart as memory: they do \
                     not all lie under one"
                )?;
            }
        }
        for row in &self.loaded_latency {
            writeln!(
                f,
                "  loaded     {} streaming {:>3.0} % of the time, {:>5.1} GB/s: {:>6.1} ns",
                row.streaming_threads, row.duty_percent, row.gb_per_s, row.ns_per_load
            )?;
        }
        for row in &self.core_to_core {
            writeln!(f, "  core {} to {}  {:.0} ns one way", row.from, row.to, row.ns)?;
        }
        self.rule_of("latency", f)
    }

    /// Whether a guest finds less of a cache than the system reports: the host's other work fills it too.
    fn is_less_in_a_guest(&self, cache: &CacheSeen) -> bool {
        let is_less = cache.seen_bytes.is_some_and(|seen| seen < cache.reported_bytes);
        is_less && self.machine.hypervisor.is_some()
    }

    /// One set for each factor of four, and the largest.
    fn latency_sets(&self) -> Vec<u64> {
        let mut sets: Vec<u64> = self.latency.iter().map(|row| row.working_set_bytes).collect();
        sets.sort_unstable();
        sets.dedup();
        let last = sets.last().copied();
        sets.retain(|&set| {
            Some(set) == last || (set.is_power_of_two() && set.trailing_zeros().is_multiple_of(2))
        });
        sets
    }

    fn compute_table(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.compute.is_empty() && self.scalar.is_empty() {
            return Ok(());
        }
        writeln!(
            f,
            "\ncompute      backend         type      n  threads     best   median  GFLOPS  of FMA peak"
        )?;
        for row in &self.compute {
            compute_row(row, f)?;
        }
        for row in &self.scalar {
            let wrong = mark(row.verified);
            let name = row.kernel.replace('_', " ");
            writeln!(f, "  {name:<22} {:>7.2} ns ({}){wrong}", row.ns_per_op, row.measures)?;
        }
        self.rule_of("compute", f)
    }

    fn storage_table(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.storage.is_empty() {
            return Ok(());
        }
        writeln!(
            f,
            "\nstorage       path            block  depth      MB/s       IOPS  p50 / p99 / p99.9 us"
        )?;
        for row in &self.storage {
            storage_row(row, f)?;
        }
        writeln!(f, "  page_cache rows are memory's speed, not the disk's")?;
        self.rule_of("storage", f)
    }

    fn noise_lines(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let noise = &self.noise;
        let percent =
            |v: Option<f64>| v.map_or_else(|| "not available".to_owned(), |v| format!("{v:.1} %"));
        writeln!(
            f,
            "\nnoise        {}: steal {}, others {}, spread {:.1} %, drift {:.1} %, {} repeated; \
             clock {:.0} ns, {:.0} ns a read",
            if noise.quiet { "quiet" } else { "NOT QUIET" },
            percent(noise.steal_percent),
            percent(noise.others_percent),
            noise.spread_percent,
            noise.drift_percent,
            noise.repeated,
            noise.timer_ns,
            noise.timer_overhead_ns,
        )?;
        noise.disturbed.iter().try_for_each(|text| writeln!(f, "  disturbed: {text}"))?;
        self.unavailable
            .iter()
            .try_for_each(|row| writeln!(f, "  not available: {}: {}", row.what, row.why))?;
        writeln!(f, "  took {:.1} s", self.elapsed_s)
    }
}

fn memory_row(row: &MemoryRow, f: &mut Formatter<'_>) -> fmt::Result {
    let rates = row.gb_per_s;
    let traffic = row.with_write_allocate_gb_per_s;
    let traffic = traffic.map_or_else(String::new, |rate| format!("{rate:>9.1}"));
    writeln!(
        f,
        "  {:<10} {:<13} {:>7}  {:<7} {:>7.1}  {:>7.1}        {:>6.1} %{traffic}{}",
        row.kernel,
        row.stores.replace('_', "-"),
        row.threads,
        row.isa,
        rates.best,
        rates.median,
        rates.spread_percent,
        mark(row.verified)
    )
}

fn compute_row(row: &ComputeRow, f: &mut Formatter<'_>) -> fmt::Result {
    let n = row.n.map_or_else(|| "-".to_owned(), |n| n.to_string());
    let share = match (row.kernel.as_str(), row.of_fma_peak_percent) {
        ("gemm", Some(share)) => format!("  {share:>6.1} % on {}", row.unit),
        _ => String::new(),
    };
    writeln!(
        f,
        "  {:<10} {:<15} {:<4} {n:>6}  {:>7}  {:>7.1}  {:>7.1}        {share}{}",
        row.kernel,
        row.backend,
        row.dtype,
        row.threads,
        row.gflops.best,
        row.gflops.median,
        mark(row.verified)
    )
}

fn storage_row(row: &StorageRow, f: &mut Formatter<'_>) -> fmt::Result {
    let rate = |v: Option<f64>| v.map_or_else(|| "-".to_owned(), |v| format!("{v:.0}"));
    let times = row.latency_us.map_or_else(String::new, |times| percentiles(times, row.transfers));
    writeln!(
        f,
        "  {:<12} {:<10} {:>10}  {:>5}  {:>8}  {:>9}  {times}{}",
        row.op,
        row.path,
        bytes(row.block_bytes),
        row.queue_depth,
        rate(row.mb_per_s),
        rate(row.iops),
        mark(row.verified)
    )
}

/// The percentiles beyond which some of `transfers` lie.
fn percentiles(times: Percentiles, transfers: usize) -> String {
    let at = |least: usize, time: f64| {
        if transfers >= least { format!("{time:.0}") } else { "-".to_owned() }
    };
    format!("{:.0} / {} / {}", times.p50, at(100, times.p99), at(1000, times.p999))
}

#[cfg(test)]
mod tests {
    use super::{bytes, percentiles};
    use crate::report::{CacheSeen, LatencyRow, Percentiles, ProbeReport};

    #[test]
    fn percentiles_of_too_few_transfers_are_left_out() {
        let times = Percentiles { p50: 10.0, p99: 20.0, p999: 30.0 };
        assert_eq!(percentiles(times, 5000), "10 / 20 / 30");
        assert_eq!(percentiles(times, 999), "10 / 20 / -");
        assert_eq!(percentiles(times, 15), "10 / - / -");
    }

    /// What the table says of 32 MiB in common of which a guest sees `mib`.
    fn told_of_a_cache(mib: u64, shared: Option<bool>) -> String {
        let mut report = ProbeReport::empty(crate::machine());
        report.machine.hypervisor = Some("KVM".to_owned());
        report.latency =
            vec![LatencyRow { working_set_bytes: 4096, huge_pages: false, ns_per_load: 1.0 }];
        report.caches_seen = vec![CacheSeen {
            level: 3,
            reported_bytes: 32 << 20,
            seen_bytes: Some(mib << 20),
            agrees: Some(mib >= 16),
            shared,
        }];
        report.to_string()
    }

    #[test]
    fn a_cache_that_cores_do_not_share_is_named() {
        let told = |shared| told_of_a_cache(32, shared).contains("L3 is reported as shared, but");
        assert!(told(Some(false)));
        assert!(!told(Some(true)) && !told(None));
    }

    #[test]
    fn a_cache_that_others_fill_is_named() {
        let told =
            |mib| told_of_a_cache(mib, None).contains("others on the host may fill the rest");
        assert!(told(8) && !told(16) && !told(64));
    }

    #[test]
    fn sizes_are_short() {
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(48 << 10), "48 KiB");
        assert_eq!(bytes(3 << 19), "1.5 MiB");
        assert_eq!(bytes(260 << 20), "260 MiB");
    }
}
