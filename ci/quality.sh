#!/usr/bin/env bash
# The quality figures that are quick to have: complexity, documentation, types.
set -euo pipefail
cd "$(dirname "$0")/.."
exec scripts/quality --quick "$@"
