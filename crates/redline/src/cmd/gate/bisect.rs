//! `redline gate --bisect METRIC`: the first commit between two with which a metric got worse.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail, ensure};
use perf_gate::gate::{Document, Policy, Row, RowVerdict, matches};
use serde::Serialize;

use super::process::Runner;
use super::{Question, ask};
use crate::cli::Global;
use crate::document;

/// What was found out about one commit.
#[derive(Debug, Clone, Serialize)]
struct Step {
    commit: String,
    subject: String,
    verdict: Option<RowVerdict>,
    change_percent: Option<f64>,
    /// Why it could not be judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<String>,
}

#[derive(Debug, Serialize)]
struct Report<'a> {
    metric: &'a str,
    base: &'a str,
    head: &'a str,
    /// Between these two it got worse; more than one commit lies between them where some could not be
    /// judged.
    last_good: Option<&'a str>,
    first_bad: Option<&'a str>,
    steps: &'a [Step],
}

/// Searches the commits from the question's base to its head, each compared with the base. A commit
/// that does not build or is too noisy is passed over for its neighbour.
pub(super) fn run(
    metric: &str,
    question: &Question<'_>,
    json: Option<&Path>,
    runner: &Runner,
    global: &Global,
) -> Result<ExitCode> {
    let mut commits = question.repository.between(&question.base, &question.head)?;
    ensure!(!commits.is_empty(), "no commit lies between the base and the head: nothing to search");
    let policy = narrowed(question.policy, metric);
    let mut search =
        Search { metric, question, policy: &policy, runner, global, steps: Vec::new() };
    if global.prints(json) {
        println!("{} commits, about {} steps", commits.len(), commits.len().ilog2() + 1);
    }
    let head = commits[commits.len() - 1].clone();
    let first_bad = match search.is_worse(&head, json)? {
        None => bail!("'{metric}' cannot be judged at the head: {}", search.why()),
        Some(false) => None,
        Some(true) => Some(search.narrow(&mut commits, json)?),
    };
    let last_good = first_bad.as_ref().map(|(good, _)| good.as_str());
    let found = first_bad.as_ref().map(|(_, bad)| bad.as_str());
    if global.prints(json) {
        match found {
            Some(bad) => println!("first bad commit: {bad} {}", search.subject(bad)),
            None => println!("'{metric}' is no worse at the head than at the base"),
        }
    }
    let report = Report {
        metric,
        base: &question.base,
        head: &question.head,
        last_good,
        first_bad: found,
        steps: &search.steps,
    };
    document::write(json, "gate-bisect", &report)?;
    Ok(if found.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The policy with nothing to measure but `metric`.
fn narrowed(policy: &Policy, metric: &str) -> Policy {
    let mut policy = policy.clone();
    policy.kpi = None;
    for bench in &mut policy.benches {
        bench.cases = vec![metric.to_owned()];
    }
    policy
}

struct Search<'a> {
    metric: &'a str,
    question: &'a Question<'a>,
    policy: &'a Policy,
    runner: &'a Runner,
    global: &'a Global,
    steps: Vec<Step>,
}

impl Search<'_> {
    /// The last good and the first bad of `commits`, the last of which is bad.
    fn narrow(
        &mut self,
        commits: &mut Vec<String>,
        json: Option<&Path>,
    ) -> Result<(String, String)> {
        let mut good = self.question.base.clone();
        while commits.len() > 1 {
            let middle = (commits.len() - 1) / 2;
            match self.is_worse(&commits[middle].clone(), json)? {
                Some(true) => commits.truncate(middle + 1),
                Some(false) => good = commits.drain(..=middle).next_back().unwrap_or(good),
                None => drop(commits.remove(middle)),
            }
        }
        Ok((good, commits.remove(0)))
    }

    /// Whether `commit` is worse than the base; `None` where that cannot be told.
    fn is_worse(&mut self, commit: &str, json: Option<&Path>) -> Result<Option<bool>> {
        let question = Question {
            head: commit.to_owned(),
            policy: self.policy,
            base: self.question.base.clone(),
            cache: self.question.cache.clone(),
            ..*self.question
        };
        let step = Step {
            commit: commit.to_owned(),
            subject: self.question.repository.subject(commit),
            verdict: None,
            change_percent: None,
            skipped: None,
        };
        let step = match ask(&question, self.runner, self.global) {
            Ok(document) => judged(step, self.metric, &document),
            Err(error) if self.runner.is_over() => return Err(error),
            Err(error) => Step { skipped: Some(format!("{error:#}")), ..step },
        };
        if self.global.prints(json) {
            println!("{}", line(&step));
        }
        let is_worse = match step.verdict {
            Some(RowVerdict::Regressed | RowVerdict::Accepted) => Some(true),
            Some(RowVerdict::Same | RowVerdict::Improved | RowVerdict::Unchanged) => Some(false),
            _ => None,
        };
        self.steps.push(step);
        Ok(is_worse)
    }

    fn subject(&self, commit: &str) -> &str {
        let step = self.steps.iter().find(|step| step.commit == commit);
        step.map_or("", |step| step.subject.as_str())
    }

    fn why(&self) -> String {
        let why = self.steps.last().and_then(|step| step.skipped.clone());
        why.unwrap_or_else(|| "no bench of the policy has it".to_owned())
    }
}

/// `step` with the worst of what the gate says of `metric`.
fn judged(step: Step, metric: &str, document: &Document) -> Step {
    let is_asked = |row: &Row| matches(metric, &row.metric) || row.verdict == RowVerdict::Unchanged;
    let rows: Vec<&Row> =
        document.layers.rows().map(|(_, row)| row).filter(|row| is_asked(row)).collect();
    let order = [
        RowVerdict::Regressed,
        RowVerdict::Accepted,
        RowVerdict::Unstable,
        RowVerdict::Improved,
        RowVerdict::Same,
        RowVerdict::Unchanged,
    ];
    let worst = order.iter().find_map(|verdict| rows.iter().find(|row| row.verdict == *verdict));
    match worst {
        None => Step { skipped: document.not_available.first().map(|m| m.why.clone()), ..step },
        Some(row) => Step {
            verdict: Some(row.verdict),
            change_percent: row.change_percent,
            skipped: row.note.clone().filter(|_| row.verdict == RowVerdict::Unstable),
            ..step
        },
    }
}

fn line(step: &Step) -> String {
    let commit = step.commit.get(..12).unwrap_or(&step.commit);
    let change = step.change_percent.map_or_else(String::new, |p| format!("{p:+.2} %"));
    let verdict = step.verdict.map_or_else(|| "skipped".to_owned(), |verdict| verdict.to_string());
    let why = step.skipped.as_ref().map_or_else(String::new, |why| format!(": {why}"));
    format!("{commit} {verdict:<10} {change:>10} {}{why}", step.subject)
}
