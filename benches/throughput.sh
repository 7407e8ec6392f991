#!/usr/bin/env bash
# How long `cat` of 100 MB takes until the terminal has parsed all of it, in Switchyard and in the terminals beside it,
# on one display. "Parsed" is proved by a question (cursor position, DSR 6) that the terminal answers in order.
set -euo pipefail
cd "$(dirname "$0")/.."
megabytes=${MEGABYTES:-100} rounds=${ROUNDS:-2}
if [ -z "${SWITCHYARD_BENCH_INSIDE:-}" ]; then
  cargo build --release --workspace --bin switchyard --bin switchyard-window --quiet
  export SWITCHYARD_BENCH_INSIDE=1 SWITCHYARD_VIRTUAL_DISPLAY=1
  exec scripts/with-display "$0" "$@"
fi
program=$(realpath "${CARGO_TARGET_DIR:-target}")/release/switchyard
work=$(mktemp -d)
export SWITCHYARD_HOME=$work/home HOME=$work
mkdir -p "$SWITCHYARD_HOME/config"
trap '"$program" host --stop >/dev/null 2>&1 || true; rm -rf "$work"' EXIT

python3 - "$work" "$megabytes" <<'PY'
import sys
work, megabytes = sys.argv[1], int(sys.argv[2])
words = "the yard is quiet and the rails run on past signal box number".split()
def lines(colour):
    n = 0
    while True:
        text = " ".join(words[(n * 7 + i) % len(words)] for i in range(4 + n % 11))
        yield (f"\x1b[{31 + n % 7}m{n:08d}\x1b[0m \x1b[1m{text}\x1b[22m\n" if colour else f"{n:08d} {text}\n").encode()
        n += 1
for name, colour in (("plain", False), ("coloured", True)):
    left = megabytes * 1_000_000
    with open(f"{work}/{name}.txt", "wb") as out:
        for line in lines(colour):
            if left <= 0: break
            out.write(line); left -= len(line)
PY
cat > "$work/measure" <<'SH'
#!/bin/bash
# measure FILE RESULT: cats FILE, waits until the terminal answers where the cursor is, tells RESULT the milliseconds.
stty raw -echo
ask() { printf '\033[6n'; IFS= read -r -d R; }
ask
start=$(date +%s%N)
cat "$1"
ask
echo $((($(date +%s%N) - start) / 1000000)) > "$2"
stty sane
SH
chmod +x "$work/measure"

# run NAME COMMAND…: starts the command, which must run `measure` in a terminal, once per round and file.
run() {
  local name=$1 file took
  shift
  for file in plain coloured; do
    local times=()
    for _ in $(seq "$rounds"); do
      mkfifo "$work/result"
      exec 3<>"$work/result"
      "$@" "$work/measure" "$work/$file.txt" "$work/result" >/dev/null 2>&1 3>&- &
      local pid=$!
      if read -r -t 120 -u 3 took; then times+=("$took"); else times+=(timeout); fi
      exec 3>&-
      rm "$work/result"
      kill "$pid" 2>/dev/null || true
      wait "$pid" 2>/dev/null || true
    done
    printf '%-34s %-9s %s\n' "$name" "$file" "$(printf '%s ' "${times[@]}")"
  done
}

printf '%-34s %-9s %s\n' terminal text "milliseconds for $megabytes MB, each round"
in_pane() { "$program" open -- "$@"; exec sleep 600; }
run "switchyard (pane host)" in_pane
# A person looks at this one: it is the pane that the window opens. Home and log are new each time: in those of an
# earlier round the window would seem to be there before it is.
in_window() {
  local home window
  home=$(mktemp -d -p "$work")
  export SWITCHYARD_HOME=$home
  mkdir -p "$home/config"
  printf '{ "tour": false, "shell": "/bin/bash" }' > "$home/config/settings.json"
  SWITCHYARD_LOG=info "$program" 2>"$home/log" &
  window=$!
  trap 'kill "$window"; "$program" host --stop >/dev/null; exit' TERM
  until grep -q 'prompt on screen' "$home/log"; do sleep 0.1; done
  # A shell reads it: paths may have blanks.
  "$program" send "$("$program" panes | awk 'NR == 2 { print $1 }')" "$(printf '%q ' "$@")" --enter
  wait "$window"
}
run "switchyard (in its window)" in_window
if command -v xterm >/dev/null; then run xterm xterm -e; else echo "xterm: not installed"; fi
if command -v alacritty >/dev/null; then run alacritty alacritty -e; else echo "alacritty: not installed"; fi
in_vte() { lxterminal --no-remote -e "$(printf '%q ' "$@")"; }
if command -v lxterminal >/dev/null; then run "lxterminal (VTE)" in_vte; else echo "lxterminal (VTE): not installed"; fi
