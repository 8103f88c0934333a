#!/usr/bin/env bash
# The README's main command on generated data, in its quick form, and what it must have written.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cargo run --release -- suite --quick --json "$out/suite.json"
grep -q '"schema": "redline.suite/1"' "$out/suite.json"
grep -q '"kpis"' "$out/suite.json"
