#!/usr/bin/env bash
# fuzz.sh TIME runs every fuzz test of the project for TIME, one after the other.
set -euo pipefail

duration=${1:?usage: fuzz.sh TIME}
grep -rlE '^func Fuzz[A-Z]' --include='*_test.go' . | xargs -r -n1 dirname | sort -u | while read -r package; do
  grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$package"/*_test.go | sed 's/^func //' | sort -u | while read -r test; do
    echo "$package $test"
    go test -run '^$' -fuzz "^$test\$" -fuzztime "$duration" -fuzzminimizetime 200x "$package"
  done
done
