#!/usr/bin/env bash
# The quality figures that are quick to have, complexity, documentation and types: each must be met,
# and redline must be able to show the document.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
scripts/quality --quick --json "$out/quality.json"
cargo build --release
redline=$PWD/target/release/redline
cd "$out"
"$redline" suite --quick --quiet --json suite.json --markdown suite.md
grep '^| Cognitive complexity' suite.md
