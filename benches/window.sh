#!/usr/bin/env bash
# Measures the real window, optimised, on a virtual display: start, key to echo, memory.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --quiet --workspace --bin switchyard --bin switchyard-window --bin bench-window
export SWITCHYARD_VIRTUAL_DISPLAY=1 SWITCHYARD_PROGRAM=${CARGO_TARGET_DIR:-$PWD/target}/release/switchyard
exec scripts/with-display "${CARGO_TARGET_DIR:-target}/release/bench-window"
