#!/usr/bin/env bash
# Fuzzes every target, one after another, each for FUZZTIME (5m); FUZZ picks targets by a pattern.
# A find ends its target and fails the run, but not before the others had their turn; the input that
# was found stands in that package's testdata/fuzz. The end is a table of all targets.
set -uo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
fuzztime=${FUZZTIME:-5m}
read -ra flags <<<"${FUZZFLAGS:--parallel 1 -fuzzminimizetime 1x}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'printf "%s" "$table"; exit 130' INT TERM
table="" failed=0 count=0
while read -r file target; do
  package=./$(dirname "${file#./}")
  [[ -n ${FUZZ:-} && ! "$package $target" =~ $FUZZ ]] && continue
  echo "== $package $target"
  count=$((count + 1)) result=nothing
  if ! "$go" test "$package" -run '^$' -fuzz "^$target\$" -fuzztime "$fuzztime" -timeout 0 "${flags[@]}" >"$log" 2>&1; then
    failed=$((failed + 1)) result=FOUND
    grep -av '^fuzz: elapsed' "$log" | head -100
  fi
  # Go's fuzzing does not notice an input that never ends: the count stands still for a minute.
  if [ "$result" = nothing ] && [ "$(grep -ao 'execs: [0-9]*' "$log" | tail -n 20 | uniq -c | awk 'NR == 1 { n = $1 } END { print n }')" = 20 ]; then
    failed=$((failed + 1)) result=HANGS
  fi
  executed=$(grep -ao 'execs: [0-9]*' "$log" | tail -n 1)
  # All the time can go into inputs of earlier runs that Go keeps (go clean -fuzzcache throws them away).
  if [ "$result" = nothing ] && [ "${executed:-execs: 0}" = "execs: 0" ]; then
    failed=$((failed + 1)) result=NOTHING-RUN
  fi
  table+=$(printf '%-28s %-24s %14s  %s' "$package" "$target" "${executed:-execs: 0}" "$result")$'\n'
done < <(grep -ro --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sed 's/:func / /' | sort)
printf '\n%s\n' "$table"
if [ "$count" -eq 0 ]; then
  echo "no target matches" >&2
  exit 1
fi
echo "$count targets of $fuzztime each, $failed with a find"
[ "$failed" -eq 0 ]
