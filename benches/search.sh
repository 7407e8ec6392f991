#!/usr/bin/env bash
# Search: over panes in memory, and over a gigabyte of history beside ripgrep on the same text.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v rg >/dev/null; then
  if [ "$(id -u)" = 0 ]; then apt-get install -y --no-install-recommends ripgrep >/dev/null; else echo "ripgrep: not installed"; fi
fi
MEGABYTES=${MEGABYTES:-1000} cargo bench --quiet -p terminal --bench search
