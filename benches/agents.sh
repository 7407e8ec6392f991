#!/usr/bin/env bash
# Measures agents, optimised: a long list over the socket, and the window while hosts hang.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --quiet --bin switchyard --bin switchyard-window --bin bench-agents --bin stand-in-paseo-daemon -p shell -p cli -p benches -p agents
export SWITCHYARD_VIRTUAL_DISPLAY=1 SWITCHYARD_PROGRAM=${CARGO_TARGET_DIR:-$PWD/target}/release/switchyard
exec scripts/with-display "${CARGO_TARGET_DIR:-target}/release/bench-agents"
