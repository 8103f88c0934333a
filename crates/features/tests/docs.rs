//! The table of the docs is the registry's: `UPDATE_FIXTURES=1 cargo test -p features --test docs` writes it.

use std::fmt::Write as _;
use std::path::Path;

use features::registry::{self, Indicator, Param};

fn range(param: &Param) -> String {
    let kind = if param.integer { "whole, " } else { "" };
    format!("`{}` {kind}{} to {}", param.name, param.min, param.max)
}

fn row(indicator: &Indicator) -> String {
    let Indicator { title, params, outputs, source, .. } = indicator;
    let ranges: Vec<String> = params.iter().map(range).collect();
    let warm_up = indicator.warm_up(&indicator.defaults()).expect("defaults are in range");
    format!(
        "| `{}` | {title} | {} | {} | {warm_up} | {source} |",
        indicator.signature(),
        outputs.join(", "),
        ranges.join("; "),
    )
}

#[test]
fn the_table_is_the_registry_s() {
    let mut table = String::from(
        "# Indicators\n\n\
         Inputs, then parameters with their defaults. The first rows, as many as the warm-up with the defaults,\n\
         are NaN or belong to the warm-up of a part.\n\n\
         | indicator | what | outputs | ranges | warm-up | formula and source |\n\
         |---|---|---|---|---:|---|\n",
    );
    for indicator in registry::all() {
        writeln!(table, "{}", row(indicator)).expect("a string takes it");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("INDICATORS.md");
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        std::fs::write(&path, &table).expect("a file of this crate");
    }
    let written = std::fs::read_to_string(&path).expect("the table");
    let differs = table.lines().zip(written.lines()).find(|(a, b)| a != b);
    assert_eq!(differs, None, "INDICATORS.md is of another registry");
    assert_eq!(table, written);
}
