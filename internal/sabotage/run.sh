#!/bin/sh
# Runs the tests of the packages given, from the top of the module, once with each safeguard removed. Fails if they pass
# with one of them, or do not compile. Says for each which test was the first to fail.
#
#	sh internal/sabotage/run.sh ./sync ./state
set -eu
[ $# -gt 0 ] || { echo "usage: run.sh PACKAGE…" >&2; exit 64; }
out=$(mktemp)
trap 'rm -f "$out"' EXIT
safeguards=$(cd "$(dirname "$0")" && go list -f '{{join .IgnoredGoFiles "\n"}}' .)
[ -n "$safeguards" ] || { echo "no safeguards found" >&2; exit 1; }
bad=0
for safeguard in $safeguards; do
	tag=sabotage_${safeguard%.go}
	if go test -failfast -tags "$tag" "$@" >"$out" 2>&1; then
		echo "$tag: NOT NOTICED: every test passed"
		bad=1
	elif grep -E '\[(build|setup) failed\]' "$out"; then
		echo "$tag: does not compile"
		bad=1
	elif first=$(grep -m 1 -oE -e '--- FAIL: [^ ]+|^panic: .*' "$out"); then
		echo "$tag: noticed by ${first#--- FAIL: }"
	else
		cat "$out"
		echo "$tag: go test failed, but no test"
		bad=1
	fi
done
exit $bad
