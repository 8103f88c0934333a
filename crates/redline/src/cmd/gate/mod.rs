//! `redline gate`: two revisions, built and measured side by side, and a verdict.

mod anchor;
mod bisect;
mod build;
mod code;
mod harness;
mod layers;
mod pinned;
mod process;
mod repository;
mod self_test;
mod sides;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;
use perf_gate::gate::{self, Document, Policy};

use crate::cli::{Global, Json};
use crate::{document, progress};
use process::Runner;
use repository::Repository;

const EXAMPLES: &str = "\
Examples:
  redline gate                                  this branch against where it left the policy's base
  redline gate --base v1.4 --head HEAD --markdown comment.md --junit gate.xml
  redline gate --base HEAD --head HEAD --measure-unchanged    how noisy this machine is: an A/A run
  redline gate --base v1.4 --bisect backtest/simulate/all_in    the first commit that made it slower
  redline gate --self-test                      does it see what it must, and nothing else

Only commits are gated. Exit codes: 0 pass or unstable, 1 regressed or a required layer is missing,
2 bad usage, or a revision that does not build.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct GateArgs {
    /// Compare with where the head left this revision [default: the policy's base, else HEAD^]
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// The revision to judge
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    head: String,
    /// What is gated and how strictly
    #[arg(long, value_name = "FILE", default_value = "ci/gate.toml")]
    policy: PathBuf,
    /// Write the verdict as markdown, fit for a comment on a pull request
    #[arg(long, value_name = "PATH")]
    markdown: Option<PathBuf>,
    /// Write the verdict as JUnit XML
    #[arg(long, value_name = "PATH")]
    junit: Option<PathBuf>,
    /// Print annotations of hosted CI [default: where GITHUB_ACTIONS is set]
    #[arg(long, env = "GITHUB_ACTIONS", num_args = 0, value_parser = clap::builder::FalseyValueParser::new())]
    annotations: bool,
    /// Measure benches of identical machine code too
    #[arg(long)]
    measure_unchanged: bool,
    /// Keep built benches here [default: the user's cache folder]
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Find the first commit between base and head with which this metric got worse
    #[arg(long, value_name = "METRIC", conflicts_with_all = ["self_test", "markdown", "junit"])]
    bisect: Option<String>,
    /// Plant canaries in a scratch repository and report what is found
    #[arg(long, conflicts_with_all = ["base", "head", "markdown", "junit"])]
    self_test: bool,
    /// Runs of each canary of the self-test, twice as many of those that change nothing
    #[arg(long, value_name = "N", default_value_t = 1, requires = "self_test")]
    runs: usize,
    /// Only the self-test's canaries that are counted, which no busy machine disturbs
    #[arg(long, requires = "self_test")]
    counts_only: bool,
    /// Only the self-test's canaries with this in their name
    #[arg(long, value_name = "TEXT", requires = "self_test")]
    canary: Option<String>,
    #[command(flatten)]
    json: Json,
}

/// What a gate is asked, apart from where its answer goes.
struct Question<'a> {
    repository: &'a Repository,
    policy: &'a Policy,
    base: String,
    head: String,
    measure_unchanged: bool,
    cache: PathBuf,
}

pub(crate) fn run(args: &GateArgs, global: &Global) -> Result<ExitCode> {
    let runner = Runner::new()?;
    if args.self_test {
        let options = self_test::Options {
            runs: args.runs,
            counts_only: args.counts_only,
            only: args.canary.as_deref(),
            json: args.json.json.as_deref(),
        };
        return self_test::run(&options, &runner, global);
    }
    let repository = Repository::open()?;
    let policy = Policy::read(&policy_path(&args.policy, &repository))?;
    let base = args.base.as_deref().or(policy.base.as_deref()).unwrap_or("HEAD^");
    let question = Question {
        base: repository.fork_point(base, &args.head)?,
        head: repository.commit(&args.head)?,
        measure_unchanged: args.measure_unchanged,
        cache: cache_folder(args.cache.as_deref(), &repository)?,
        repository: &repository,
        policy: &policy,
    };
    if let Some(metric) = &args.bisect {
        return bisect::run(metric, &question, args.json.json.as_deref(), &runner, global);
    }
    let mut verdict = ask(&question, &runner, global)?;
    if args.head == "HEAD" && repository.has_changes() {
        verdict.notes.push("the work tree has uncommitted changes: they are not gated".to_owned());
    }
    tell(args, &verdict, global)?;
    Ok(if verdict.blocks() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The named file here, else at the root of the repository.
fn policy_path(path: &Path, repository: &Repository) -> PathBuf {
    if path.exists() { path.to_owned() } else { repository.root.join(path) }
}

fn tell(args: &GateArgs, verdict: &Document, global: &Global) -> Result<()> {
    let json = args.json.json.as_deref();
    if global.prints(json) {
        print!("{}", gate::text(verdict));
    }
    if args.annotations && json != Some(Path::new("-")) {
        print!("{}", gate::annotations(verdict));
    }
    if let Some(path) = &args.markdown {
        document::write_text(path, &gate::markdown(verdict))?;
    }
    if let Some(path) = &args.junit {
        document::write_text(path, &gate::junit(verdict))?;
    }
    document::write(json, "gate", verdict)
}

/// Builds, measures and judges.
fn ask(question: &Question<'_>, runner: &Runner, global: &Global) -> Result<Document> {
    let (started, started_at) = (Instant::now(), jiff::Timestamp::now());
    std::fs::create_dir_all(&question.cache)
        .with_context(|| format!("cannot make {}", question.cache.display()))?;
    let _alone = lock(&question.cache)?;
    let bar = progress::bar(1, "gate: building", global);
    let sides = sides::prepare(question, runner, &bar)?;
    let mut found = layers::measure(question, &sides, runner, &bar)?;
    bar.finish_and_clear();
    let today = jiff::Zoned::now().date().to_string();
    let unused = gate::accept(&question.policy.accepted, &today, &mut found.layers);
    let verdict = Document::judge(&found.layers, &found.missing, &unused.errors);
    Ok(Document {
        verdict,
        base: question.base.clone(),
        head: question.head.clone(),
        machine: hw_probe::machine().fingerprint,
        started_at: started_at.to_string(),
        elapsed_s: started.elapsed().as_secs_f64(),
        layers: found.layers,
        not_available: found.missing,
        notes: unused.notes,
        errors: unused.errors,
    })
}

/// One gate at a time in a cache: two would build over each other and disturb each other's clocks.
fn lock(cache: &Path) -> Result<std::fs::File> {
    let path = cache.join("lock");
    let file =
        std::fs::File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}

/// A folder per repository, so that benches built once are found again.
fn cache_folder(given: Option<&Path>, repository: &Repository) -> Result<PathBuf> {
    if let Some(path) = given {
        return std::path::absolute(path).context("--cache");
    }
    let home = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let home = home.context("no cache folder: say one with --cache DIR")?;
    let name = repository.root.file_name().map_or_else(Default::default, |n| n.to_string_lossy());
    let key = perf_gate::gate::key(repository.root.as_os_str().as_encoded_bytes());
    Ok(home.join("redline/gate").join(format!("{name}-{key:016x}")))
}
