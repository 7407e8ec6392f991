#!/usr/bin/env bash
# Conflicts: from an edit to its verdict, beside `git merge-tree` over all pairs and the program `clash`.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -z "${CLASH:-}" ]; then
  CLASH=$(command -v clash || true)
  # Built once, aside, where the registry can be reached.
  root=${CARGO_TARGET_DIR:-target}/peers
  if [ -z "$CLASH" ] && { [ -x "$root/bin/clash" ] || cargo install --quiet --root "$root" clash-sh; }; then
    CLASH=$root/bin/clash
  fi
fi
export CLASH=${CLASH:-}
[ -n "$CLASH" ] || unset CLASH
cargo bench --quiet -p conflicts --bench verdicts
