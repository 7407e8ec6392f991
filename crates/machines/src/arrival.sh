# What is done on a machine before our program runs there: POSIX sh, with what any system has. `sy_word` was set before.
# Names begin with `sy_` and nothing is exported: what the program hands on is as it was.
sy_say() {
  printf '\n%s %s\n' "$sy_word" "$*"
}
# Several lines as one.
sy_flat() {
  printf '%s' "$1" | tr '\n' ' '
}
sy_say here "$(uname -s)" "$(uname -m)"
IFS=' ' read -r sy_name sy_size sy_sum || exit 1
sy_mask=$(umask)
umask 077
sy_user=$(id -u)

# Where programs may lie: at home, or where home does not let any be run.
sy_place() {
  case $1 in
  1) sy_dir=${XDG_DATA_HOME:-${HOME:-/nowhere}/.local/share}/switchyard/programs ;;
  2) sy_dir=${XDG_RUNTIME_DIR:-/nowhere}/switchyard-programs ;;
  3) sy_dir=/var/tmp/switchyard-$sy_user ;;
  4) sy_dir=/tmp/switchyard-$sy_user ;;
  *) return 1 ;;
  esac
}

# Nobody else may have put a program there.
sy_ours() {
  [ -d "$1" ] && [ ! -L "$1" ] && [ -O "$1" ] && chmod 700 "$1" 2>/dev/null
}

sy_run=
for sy_n in 1 2 3 4; do
  sy_place "$sy_n"
  if sy_ours "$sy_dir" && [ -x "$sy_dir/$sy_name/switchyard" ] &&
    "$sy_dir/$sy_name/switchyard" --version >/dev/null 2>&1 </dev/null; then
    sy_run=$sy_dir/$sy_name/switchyard
    break
  fi
done

if [ -z "$sy_run" ]; then
  sy_why=
  sy_new=
  for sy_n in 1 2 3 4; do
    sy_place "$sy_n"
    # A home that is missing is not made.
    case $sy_dir in /nowhere/*) continue ;; esac
    if ! sy_said=$(mkdir -p "$sy_dir" 2>&1); then
      sy_why="$sy_why$sy_said; "
      continue
    fi
    if ! sy_ours "$sy_dir"; then
      sy_why="$sy_why$sy_dir: it belongs to another user; "
      continue
    fi
    # What was cut short an hour ago and more.
    find "$sy_dir" -name '.new.*' -mmin +60 -exec rm -f {} + 2>/dev/null
    sy_new=$sy_dir/.new.$$
    # Whether there is room, and programs may be run.
    if sy_said=$({ printf '#!/bin/sh\nexit 0\n' >"$sy_new" && chmod 700 "$sy_new" && "$sy_new"; } 2>&1); then
      break
    fi
    rm -f "$sy_new"
    sy_new=
    sy_why="$sy_why$sy_dir: no program can be put and run there ($sy_said); "
  done
  if [ -z "$sy_new" ]; then
    sy_say nowhere "$(sy_flat "$sy_why")"
    exit 1
  fi
  sy_say need
  sy_bad() {
    rm -f "$sy_new"
    sy_say bad "$(sy_flat "$1")"
    exit 1
  }
  sy_said=$({ head -c "$sy_size" >"$sy_new"; } 2>&1) || sy_bad "it could not be written to $sy_dir: $sy_said"
  [ "$(wc -c <"$sy_new" | tr -d ' ')" = "$sy_size" ] || sy_bad "it did not come whole"
  if command -v sha256sum >/dev/null 2>&1; then
    sy_got=$(sha256sum <"$sy_new")
  elif command -v shasum >/dev/null 2>&1; then
    sy_got=$(shasum -a 256 <"$sy_new")
  elif command -v openssl >/dev/null 2>&1; then
    sy_got=$(openssl dgst -sha256 -r <"$sy_new")
  else
    sy_got=$sy_sum
  fi
  case $sy_got in
  "$sy_sum"*) ;;
  *) sy_bad "it did not come as it was sent" ;;
  esac
  chmod 700 "$sy_new"
  sy_said=$("$sy_new" --version 2>&1 </dev/null) || sy_bad "it does not run there: $sy_said"
  sy_said=$({ mkdir -p "$sy_dir/$sy_name" && mv -f "$sy_new" "$sy_dir/$sy_name/switchyard"; } 2>&1) ||
    sy_bad "it could not be put in its place: $sy_said"
  sy_run=$sy_dir/$sy_name/switchyard
fi
umask "$sy_mask"
sy_say run
exec "$sy_run" host --pipe
