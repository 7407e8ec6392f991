#!/usr/bin/env bash
# What it costs to take in output, without a window and through a PTY, and to make a snapshot of it.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo bench --quiet -p terminal --bench intake
