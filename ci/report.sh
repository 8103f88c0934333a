#!/usr/bin/env bash
# The page of a run, looked at in headless Chromium where there is one.
set -euo pipefail
cd "$(dirname "$0")/.."
exec scripts/check_report "$@"
