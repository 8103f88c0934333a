#!/usr/bin/env bash
# The page of a run, looked at in headless Chromium where there is one.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! python3 --version >/dev/null 2>&1; then
    echo "report: left out, no Python on this machine"
    exit 0
fi
exec scripts/check_report "$@"
