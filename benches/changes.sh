#!/usr/bin/env bash
# Changes: what a worktree of many files changed, and the lines of a long one, beside `git status` and `git diff --stat`.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo bench --quiet -p changes --bench listing
