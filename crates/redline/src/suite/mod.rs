//! What the suite measures: the main job, step by step, on this machine's own probe.
//!
//! Each step gives every repeat's time; the KPI's value is their median. Each checks its answer,
//! outside the clock.

mod steps;
mod work;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use hw_probe::{Ceilings, ProbeOptions, ProbeReport};
use indicatif::ProgressBar;
use market_data::DataCache;
use monitor::{ContinuousMonitor, Options, PerformanceMonitor, State};
use perf_gate::{Alert, AlertState, Kernel, Kpi, Measured};

/// The KPIs: titles, targets, criticals.
const KPIS: &str = include_str!("../../../../benches/kpis.toml");

/// What to run.
pub(crate) struct Plan {
    pub(crate) quick: bool,
    pub(crate) data: Option<PathBuf>,
}

impl Plan {
    /// Steps that move the progress bar.
    pub(crate) const STEPS: u64 = 8;

    fn repeats(&self) -> usize {
        if self.quick { 3 } else { 11 }
    }
}

/// A KPI's measurement, and the share of the ceiling that bounds it.
type Figure = (Measured, Option<f64>);

/// Figures by KPI name, and the kernels whose work is known.
#[derive(Default)]
pub(crate) struct Figures {
    by_name: HashMap<&'static str, Figure>,
    kernels: Vec<Kernel>,
}

/// What a run of the suite has found.
pub(crate) struct Found {
    pub(crate) probe: ProbeReport,
    pub(crate) kpis: Vec<Kpi>,
    pub(crate) kernels: Vec<Kernel>,
    /// Where the built-in alert rules stood at the end.
    pub(crate) alerts: Vec<Alert>,
}

impl Figures {
    fn samples(&mut self, name: &'static str, samples: Vec<f64>) {
        self.by_name.insert(name, (Measured::Samples(samples), None));
    }

    /// Notes the kernel that took `seconds` in each of its repeats.
    fn kernel(&mut self, seconds: &[f64], kernel: impl FnOnce(f64) -> Kernel) {
        self.kernels.extend(perf_gate::median(seconds).map(kernel));
    }

    fn ceiling(&mut self, name: &'static str, value: Option<f64>, of: Option<f64>) {
        let figure = match value {
            Some(value) => (Measured::Samples(vec![value]), of.map(|of| value / of)),
            None => (Measured::NotAvailable("the probe could not measure it".to_owned()), None),
        };
        self.by_name.insert(name, figure);
    }
}

/// Measures everything and judges it.
pub(crate) fn measure(plan: &Plan, bar: &ProgressBar) -> Result<Found> {
    // The probe takes its time: a file that is none is refused before it.
    if plan.data.is_some() {
        steps::minute_year(plan)?;
    }
    let mut figures = Figures::default();
    bar.set_message("probe");
    let options = ProbeOptions { quick: true, ..ProbeOptions::default() };
    let probe = hw_probe::probe(&options, &mut ());
    from_probe(&probe.ceilings(), &mut figures);
    bar.inc(1);
    let cache = Arc::new(DataCache::new(1 << 30));
    let job = || steps::main_job(plan, bar, &cache, &mut figures);
    let mut monitor = watch()?;
    let handle = monitor.handle();
    let (done, usage) = watching(&cache).reporting_to(handle).monitor("suite", job);
    let alerts = monitor.stop().alerts.into_iter().map(alert).collect();
    done?;
    ensure!(usage.cache_hits > Some(0), "the monitor saw no hit of the data cache");
    let gb = |bytes: Option<u64>| bytes.map(|bytes| bytes as f64 / 1e9);
    figures.ceiling("memory_typical", gb(usage.mean_rss_bytes), None);
    figures.ceiling("memory_peak", gb(usage.peak_rss_bytes), None);
    let memory_gb = gb(probe.machine.memory_bytes).unwrap_or(f64::INFINITY);
    let kpis = perf_gate::parse_kpis(KPIS)?
        .iter()
        .map(|spec| {
            let missing = || (Measured::NotAvailable("not measured yet".to_owned()), None);
            let (measured, of_ceiling) =
                figures.by_name.remove(spec.name.as_str()).unwrap_or_else(missing);
            spec.judge(measured, of_ceiling, memory_gb)
        })
        .collect();
    Ok(Found { probe, kpis, kernels: figures.kernels, alerts })
}

/// Watches this process by the built-in alert rules while the job runs.
fn watch() -> Result<ContinuousMonitor> {
    let options = Options { rules: monitor::built_in_rules()?, ..Options::default() };
    let mut monitor = ContinuousMonitor::with_options(Duration::from_secs(1), options)?;
    monitor.start()?;
    Ok(monitor)
}

fn alert(alert: monitor::Alert) -> Alert {
    let state = match alert.state {
        State::Inactive => AlertState::Inactive,
        State::Pending => AlertState::Pending,
        State::Firing => AlertState::Firing,
        State::Resolved => AlertState::Resolved,
        State::NoData => AlertState::NoData,
    };
    let monitor::Alert { rule, since, value, threshold, .. } = alert;
    Alert { rule, state, since, value, threshold }
}

/// A monitor that reads the cache's hits and misses.
fn watching(cache: &Arc<DataCache>) -> PerformanceMonitor {
    let [of_hits, of_misses] = [Arc::clone(cache), Arc::clone(cache)];
    PerformanceMonitor::new()
        .with_cache(move || of_hits.stats().hits, move || of_misses.stats().misses)
}

fn from_probe(ceilings: &Ceilings, figures: &mut Figures) {
    figures.ceiling("memory_read", ceilings.read_gb_per_s, None);
    figures.ceiling("memory_write", ceilings.write_gb_per_s, None);
    figures.ceiling("memory_copy", ceilings.copy_gb_per_s, None);
    figures.ceiling("gemm_f64", ceilings.gemm_f64_gflops, ceilings.fma_f64_gflops);
    figures.ceiling("gemm_f32", ceilings.gemm_f32_gflops, ceilings.fma_f32_gflops);
    figures.ceiling("storage_save", ceilings.save_mb_per_s, None);
    figures.ceiling("storage_load", ceilings.load_mb_per_s, None);
}
