#!/usr/bin/env bash
# The README's test command, read from the README so that the two cannot differ.
set -euo pipefail
cd "$(dirname "$0")/.."
command=$(sed -n '/<!-- command: test -->/,/^```$/p' README.md | grep '^cargo ')
echo "+ $command"
eval "$command"
