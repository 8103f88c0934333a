#!/usr/bin/env bash
# Does the gate find what it must, and nothing else? Its counted canaries, which no busy machine
# disturbs: more instructions, one more allocation, a comment, nothing at all.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! valgrind --version >/dev/null 2>&1; then
    echo "self_test: left out, no valgrind on this machine"
    exit 0
fi
cargo run --release -- gate --self-test --counts-only
