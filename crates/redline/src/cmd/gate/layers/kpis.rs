//! KPIs: a suite record of each side.

use std::process::Command;

use anyhow::{Context, Result};
use perf_gate::RunRecord;
use perf_gate::gate::{self, Layer, Missing};

use super::super::process::Runner;
use super::super::sides::Prepared;
use super::Gate;

impl Gate<'_> {
    pub(super) fn kpis(&mut self, runner: &Runner) -> Result<()> {
        let Some(policy) = &self.question.policy.kpi else { return Ok(()) };
        self.bar.set_message("gate: KPIs");
        let record = |side: &Prepared, name: &str| -> Result<RunRecord> {
            let out = self.sides.scratch.path().join(format!("kpi-{name}.json"));
            let words: Vec<String> = policy
                .command
                .iter()
                .map(|word| word.replace("{out}", &out.to_string_lossy()))
                .collect();
            let (program, arguments) = words.split_first().context("kpi.command is empty")?;
            let mut command = Command::new(program);
            command.args(arguments).current_dir(side.tree());
            command.env("CARGO_TARGET_DIR", self.question.cache.join("target"));
            // Exit code 1 is a critical KPI, which the record says.
            let finished = runner.run(&mut command, self.sides.scratch.path())?;
            RunRecord::read(&out).with_context(|| format!("{name}: {}", finished.last_line()))
        };
        let base = record(&self.sides.base, "base").ok();
        match record(&self.sides.head, "head") {
            Ok(head) => {
                let rows = gate::judge_kpis(base.as_ref(), &head, policy.ceiling_loss_percent);
                self.found.layers.kpi.extend(rows);
            }
            Err(error) => self.found.missing.push(Missing {
                layer: Layer::Kpi,
                why: format!("{error:#}"),
                required: policy.required,
            }),
        }
        Ok(())
    }
}
