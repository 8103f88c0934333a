#!/usr/bin/env bash
# Documentation builds without a warning: no broken link, no undocumented public item.
set -euo pipefail
cd "$(dirname "$0")/.."
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps
