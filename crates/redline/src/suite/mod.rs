//! What the suite measures: the main job, step by step, on this machine's own probe.
//!
//! Each step gives every repeat's time; the KPI's value is their median. Each checks its answer,
//! outside the clock.

mod steps;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, ensure};
use hw_probe::{Ceilings, ProbeOptions, ProbeReport};
use indicatif::ProgressBar;
use market_data::DataCache;
use monitor::PerformanceMonitor;
use perf_gate::{Kpi, Measured};

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

/// Figures by KPI name.
#[derive(Default)]
pub(crate) struct Figures(HashMap<&'static str, Figure>);

impl Figures {
    fn samples(&mut self, name: &'static str, samples: Vec<f64>) {
        self.0.insert(name, (Measured::Samples(samples), None));
    }

    fn ceiling(&mut self, name: &'static str, value: Option<f64>, of: Option<f64>) {
        let figure = match value {
            Some(value) => (Measured::Samples(vec![value]), of.map(|of| value / of)),
            None => (Measured::NotAvailable("the probe could not measure it".to_owned()), None),
        };
        self.0.insert(name, figure);
    }
}

/// Measures everything and judges it.
pub(crate) fn measure(plan: &Plan, bar: &ProgressBar) -> Result<(ProbeReport, Vec<Kpi>)> {
    let mut figures = Figures::default();
    bar.set_message("probe");
    let options = ProbeOptions { quick: true, ..ProbeOptions::default() };
    let probe = hw_probe::probe(&options, &mut ())?;
    from_probe(&probe.ceilings(), &mut figures);
    bar.inc(1);
    let cache = Arc::new(DataCache::new(1 << 30));
    let job = || steps::main_job(plan, bar, &cache, &mut figures);
    let (done, usage) = watching(&cache).monitor("suite", job);
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
                figures.0.remove(spec.name.as_str()).unwrap_or_else(missing);
            spec.judge(measured, of_ceiling, memory_gb)
        })
        .collect();
    Ok((probe, kpis))
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
