//! Which case is meant.

use std::path::PathBuf;

use anyhow::{Result, bail};
use bench_kit::profile::Kind;

use super::checkout::Checkout;
use crate::cli::Global;

/// The bench that counts instructions, all crates' cases in one.
pub(super) const COUNTED: &str = "instructions";
/// The package of the whole KPIs, which are named `kpi/...`.
pub(super) const KPI_PACKAGE: &str = "redline-benches";
const KPI: &str = "kpi";
/// Groups of the counted bench are called after their crates, with this at the end.
const GROUP_END: &str = "_kernels";

/// A case of a bench.
#[derive(Debug)]
pub(super) struct Case {
    name: String,
    kind: Kind,
    /// As the bench itself names it.
    id: String,
}

impl Case {
    /// The case of that name.
    pub(super) fn find(
        name: &str,
        kind: Kind,
        checkout: &Checkout,
        global: &Global,
    ) -> Result<Self> {
        let krate = name.split('/').next().unwrap_or_default();
        let cases = match kind {
            Kind::Instructions => counted_cases(checkout, global)?,
            _ => timed_cases(krate, checkout, global)?,
        };
        if let Some((_, id)) = cases.iter().find(|(case, _)| case == name) {
            return Ok(Self { name: name.to_owned(), kind, id: id.clone() });
        }
        let names: Vec<&str> = cases.iter().map(|(case, _)| case.as_str()).collect();
        bail!("{}", missing(name, krate, &names))
    }

    /// Whether the checkout has the crate that `name` begins with, and bench cases in it.
    pub(super) fn check_crate(name: &str, checkout: &Checkout) -> Result<()> {
        let krate = name.split('/').next().unwrap_or_default();
        let packages = checkout.packages_with_benches();
        let known = |package: &&str| **package != *KPI_PACKAGE;
        let crates: Vec<&str> =
            packages.iter().map(String::as_str).filter(known).chain([KPI]).collect();
        if !crates.contains(&krate) {
            let hint = nearest(krate, &crates)
                .map_or_else(String::new, |near| format!("; did you mean {near}?"));
            bail!("no crate `{krate}` with bench cases{hint} (crates: {})", crates.join(", "));
        }
        Ok(())
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Where profiles of it go, under `profiles`.
    pub(super) fn folder(&self) -> PathBuf {
        let folder = PathBuf::from(&self.name);
        match self.kind {
            Kind::Cpu => folder,
            Kind::Heap => folder.join("heap"),
            Kind::Instructions => folder.join("instructions"),
        }
    }

    pub(super) fn package(&self) -> &str {
        package(self.name.split('/').next().unwrap_or_default())
    }
}

fn package(krate: &str) -> &str {
    if krate == KPI { KPI_PACKAGE } else { krate }
}

/// Names of criterion's cases, from the benches themselves.
fn timed_cases(krate: &str, checkout: &Checkout, global: &Global) -> Result<Vec<(String, String)>> {
    let mut cases = Vec::new();
    for bench in checkout.build_benches(package(krate), global)? {
        let listed = bench.list()?;
        cases.extend(listed.into_iter().map(|case| (case.clone(), case)));
    }
    Ok(cases)
}

/// `instructions::features_kernels::kernel sma_20:...` is called `features/kernel/sma_20`.
fn counted_cases(checkout: &Checkout, global: &Global) -> Result<Vec<(String, String)>> {
    let listed = checkout.list_counted(global)?;
    Ok(listed.iter().filter_map(|id| Some((counted_name(id)?, id.clone()))).collect())
}

fn counted_name(id: &str) -> Option<String> {
    let mut parts = id.split("::").skip(1);
    let krate = parts.next()?.strip_suffix(GROUP_END)?.replace('_', "-");
    let rest: Vec<&str> = parts.flat_map(|part| part.split([' ', '.'])).collect();
    Some(format!("{krate}/{}", rest.join("/")))
}

fn missing(name: &str, krate: &str, names: &[&str]) -> String {
    let of_crate = |case: &&&str| case.split('/').next() == Some(krate);
    let names: Vec<&str> = names.iter().filter(of_crate).copied().collect();
    let under: Vec<&str> =
        names.iter().filter(|case| case.starts_with(&format!("{name}/"))).copied().collect();
    if !under.is_empty() {
        return format!("`{name}` has {} cases, name one: {}", under.len(), under.join(", "));
    }
    match nearest(name, &names) {
        Some(near) => format!("no case `{name}`; did you mean {near}?"),
        None => format!("no case `{name}`: {krate} has none of this kind"),
    }
}

fn nearest<'a>(name: &str, names: &[&'a str]) -> Option<&'a str> {
    let likeness = |near: &str| strsim::jaro_winkler(name, near);
    names.iter().copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 3] = ["features/sma/20", "features/sma/20-naive", "features/ema/20"];

    #[test]
    fn a_wrong_name_is_met_with_the_nearest_and_half_a_name_with_what_it_begins() {
        let missing = |name| missing(name, "features", &NAMES);
        let near = "no case `features/smaa/20`; did you mean features/sma/20?";
        assert_eq!(missing("features/smaa/20"), near);
        let both = "`features/sma` has 2 cases, name one: features/sma/20, features/sma/20-naive";
        assert_eq!(missing("features/sma"), both);
    }

    #[test]
    fn counted_cases_are_named_like_the_others() {
        let id = "instructions::market_data_kernels::load csv";
        assert_eq!(counted_name(id).as_deref(), Some("market-data/load/csv"));
    }
}
