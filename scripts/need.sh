#!/usr/bin/env bash
# need.sh PROGRAM:PACKAGE… makes sure that programs are there. As root on Debian it installs the packages of those that
# are not; otherwise it says what to install and fails. Quiet, and quick, when nothing is missing. A PROGRAM with
# arguments, such as 'ruby -rliquid -e 0', is there if it succeeds: for libraries.
set -euo pipefail

missing=()
for pair in "$@"; do
  program=${pair%%:*}
  case $program in
    *' '*) $program >/dev/null 2>&1 ;;
    *) command -v "$program" >/dev/null 2>&1 ;;
  esac || missing+=("${pair#*:}")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  printf 'Missing: %s. Install with:\n\n    sudo apt-get install %s\n\n(or the packages of the same purpose of your system)\n' \
    "${missing[*]}" "${missing[*]}" >&2
  exit 1
fi

install() {
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>"$log" 9<&-
}

exec 9</var/lib/apt
flock 9 # one at a time; what packages start must not hold it, so that nothing that runs here gets 9
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "installing: ${missing[*]}"
if ! install; then # the package lists of a fresh machine are empty or old
  apt-get update -qq >/dev/null 2>"$log" 9<&- || true
  install || { cat "$log" >&2; exit 1; }
fi
