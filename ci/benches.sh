#!/usr/bin/env bash
# Every bench runs once, at its small size, and checks its answer: a bench cannot rot.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo bench --workspace --benches -- --test
