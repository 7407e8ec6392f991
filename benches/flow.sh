#!/usr/bin/env bash
# Measures the graph of a run with 500 steps in the real window, optimised, on a virtual display.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --quiet --bin switchyard --bin switchyard-window --bin bench-flow -p shell -p cli -p benches
export SWITCHYARD_VIRTUAL_DISPLAY=1 SWITCHYARD_PROGRAM=${CARGO_TARGET_DIR:-$PWD/target}/release/switchyard
exec scripts/with-display "${CARGO_TARGET_DIR:-target}/release/bench-flow"
