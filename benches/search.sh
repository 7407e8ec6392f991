#!/usr/bin/env bash
# Search: over panes in memory, and over a gigabyte of history beside ripgrep on the same text, and so of conversations; tmux' copy mode and
# xterm.js' search addon over 50,000 such lines.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v rg >/dev/null || echo "ripgrep: not installed"
MEGABYTES=${MEGABYTES:-1000} cargo bench --quiet -p terminal --bench search
MEGABYTES=${MEGABYTES:-1000} cargo bench --quiet -p transcripts --bench search

lines=$(mktemp)
trap 'rm -f "$lines"; tmux -L switchyard-bench kill-server 2>/dev/null || true' EXIT
awk 'BEGIN {
  srand(7); split("the yard is quiet and rails run past signal box Compiling Finished test result ok passed", words)
  for (n = 0; n < 50000; n++) {
    line = sprintf("2026-11-23T%02d:%02d:%02dZ ", n / 3600 % 24, n / 60 % 60, n % 60); r = rand()
    if (r < 0.005) line = line "error: build " n " failed: "
    else if (r < 0.015) line = line "timeout after " int(rand() * 9000) " ms "
    for (i = 4 + rand() * 10; i > 0; i--) line = line words[1 + int(rand() * 16)] " "
    print line int(rand() * 1000000)
  }
}' > "$lines"

if command -v tmux >/dev/null; then
  printf '\n%-44s %9s\n' "tmux' copy mode, 50,000 lines, back to a match" ms
  on() { tmux -L switchyard-bench -f /dev/null "$@"; }
  on new-session -d -x 160 -y 48 \; set -g history-limit 60000 \; new-window "cat '$lines'; echo all printed; sleep 600"
  until on capture-pane -p | grep -q 'all printed'; do sleep 0.1; done
  for pattern in 'Nowhere-to-be-found' 'error' 'timeout after [0-9]* ms'; do
    on copy-mode
    start=$(date +%s%N)
    on send-keys -X search-backward "$pattern"
    # Answered once the search is done: the server does one thing at a time.
    on display-message -p '' >/dev/null
    printf '%-44s %9.1f\n' "$pattern" "$((($(date +%s%N) - start) / 1000))e-3"
    on send-keys -X cancel
  done
else
  echo "tmux: not installed"
fi

cargo build --release --quiet --workspace --bin switchyard --bin switchyard-window --bin bench-xterm
export SWITCHYARD_VIRTUAL_DISPLAY=1 SWITCHYARD_PROGRAM=${CARGO_TARGET_DIR:-$PWD/target}/release/switchyard
scripts/with-display "${CARGO_TARGET_DIR:-target}/release/bench-xterm" "$lines"
