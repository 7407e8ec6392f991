#!/usr/bin/env bash
# Conflicts: from an edit to its verdict, beside `git merge-tree` over all pairs and the program `clash`; then the same
# in the real window, on a virtual display.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -z "${CLASH:-}" ]; then
  CLASH=$(command -v clash || true)
  # Built once, aside, where the registry can be reached.
  root=${CARGO_TARGET_DIR:-$PWD/target}/peers
  if [ -z "$CLASH" ] && { [ -x "$root/bin/clash" ] || cargo install --quiet --locked --root "$root" clash-sh; }; then
    CLASH=$root/bin/clash
  fi
fi
export CLASH=${CLASH:-}
[ -n "$CLASH" ] || unset CLASH
cargo bench --quiet -p conflicts --bench verdicts
# The worktrees of a large repository; what others say of it is not asked again.
env -u CLASH WORKTREES=6 FILES=50000 ROUNDS=50 cargo bench --quiet -p conflicts --bench verdicts
cargo build --release --quiet --bin switchyard --bin switchyard-window --bin bench-conflicts -p shell -p cli -p benches
export SWITCHYARD_VIRTUAL_DISPLAY=1 SWITCHYARD_PROGRAM=${CARGO_TARGET_DIR:-$PWD/target}/release/switchyard
exec scripts/with-display "${CARGO_TARGET_DIR:-target}/release/bench-conflicts"
