#!/usr/bin/env bash
# Tests of the crates with unsafe code under AddressSanitizer. Needs a nightly toolchain; without
# one it says so and passes.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! cargo +nightly --version >/dev/null 2>&1; then
    echo "no nightly toolchain: AddressSanitizer not run"
    exit 0
fi
target=$(rustc -vV | sed -n 's/^host: //p')
RUSTFLAGS="-Zsanitizer=address" CARGO_TARGET_DIR=target/asan \
    cargo +nightly test --target "$target" --lib -p features -p market-data -p hw-probe -p backtest
