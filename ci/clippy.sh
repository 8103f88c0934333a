#!/usr/bin/env bash
# No lint of [workspace.lints] fires, tests and benches included.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo clippy --workspace --all-targets -- -D warnings
