#!/usr/bin/env bash
# Formatting is what rustfmt says.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo fmt --all -- --check
