#!/usr/bin/env bash
# Flows: what a step costs, in the engine alone and with a program each, beside ninja, make and the Python engines.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
cargo bench --quiet -p flow --bench steps
[ -n "${SWITCHYARD_PROGRAM:-}" ] || cargo build --quiet --release --workspace --bin switchyard
export SWITCHYARD_PROGRAM=${SWITCHYARD_PROGRAM:-$target/release/switchyard}
# The peers live in an environment of their own; one that does not install is said.
peers=$target/bench-peers
[ -x "$peers/bin/python" ] || python3 -m venv "$peers" || { echo "no python3 with venv: no peers but make"; peers=; }
if [ -n "$peers" ]; then
  for peer in ninja doit luigi prefect; do
    "$peers/bin/python" -c "import importlib.metadata as m; m.version('$peer')" 2>/dev/null \
      || "$peers/bin/pip" install --quiet "$peer" >"$peers/$peer.log" 2>&1 \
      || echo "$peer: does not install here: $(tail -n 1 "$peers/$peer.log")"
  done
fi
if [ -n "$peers" ]; then python=$peers/bin/python; else python=python3; fi
exec "$python" benches/flow-peers.py "${peers:-none}"
