#!/usr/bin/env bash
# Judges this branch against where it left the policy's base, on any CI:
#
#     ci/gate.sh [--base REV] [--markdown FILE] [--junit FILE]
set -euo pipefail
cd "$(dirname "$0")/.."
exec cargo run --release -- gate "$@"
