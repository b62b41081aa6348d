#!/bin/sh
# What packages carry is right: goreleaser takes its configuration, systemd takes the units and finds them hardened, and the
# program makes no system call that they deny. What cannot be checked here is said.
set -eu
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export LC_ALL=C

# In CI it is fetched: two minutes.
if ! command -v goreleaser >/dev/null && [ -n "${CI:-}" ]; then
	GOBIN=$dir/bin go install github.com/goreleaser/goreleaser/v2@v2.15.1 >"$dir/said" 2>&1 || tail -n 1 "$dir/said"
	PATH=$PATH:$dir/bin
fi
if command -v goreleaser >/dev/null; then
	goreleaser check 2>"$dir/said" || { cat "$dir/said"; exit 1; }
else
	echo "packaging: NOT CHECKED: .goreleaser.yaml (goreleaser is not here)"
fi

CGO_ENABLED=0 go build -trimpath -o "$dir/pop2imap" ./cmd/pop2imap
chmod 755 "$dir"
if ! command -v systemd-analyze >/dev/null; then
	echo "packaging: NOT CHECKED: the units (systemd-analyze is not here)"
	exit 0
fi
for unit in service timer; do
	sed "s#/usr/bin/pop2imap#$dir/pop2imap#" "packaging/pop2imap@.$unit" >"$dir/pop2imap@alice.$unit"
done
systemd-analyze verify --man=no "$dir/pop2imap@alice.service" "$dir/pop2imap@alice.timer" 2>"$dir/said" || true
if grep pop2imap "$dir/said"; then
	echo "packaging: systemd does not take the units"
	exit 1
fi
# 20 is 2.0 of 10, which systemd calls OK.
systemd-analyze security --offline=yes --no-pager --threshold=20 "$dir/pop2imap@alice.service" >"$dir/said" || {
	echo "packaging: the unit is not as hardened as it was"
	tail -n 1 "$dir/said"
	exit 1
}

# Groups of system calls hold calls and groups.
members() {
	systemd-analyze syscall-filter 2>/dev/null | awk -v want="$*" '
		/^@/ { group = $1; next }
		/^    [^# ]+$/ { has[group] = has[group] " " $1 }
		function list(name,  n, i, part) {
			n = split(has[name], part, " ")
			for (i = 1; i <= n; i++) if (part[i] ~ /^@/) list(part[i]); else print part[i]
		}
		END { n = split(want, part, " "); for (i = 1; i <= n; i++) list(part[i]) }' | sort -u
}
if ! command -v strace >/dev/null; then
	echo "packaging: NOT CHECKED: the system calls (strace is not here)"
	exit 0
fi
filters() { sed -n "s/^SystemCallFilter=$1\(.*\)/\1/p" packaging/pop2imap@.service; }
members $(filters '@' | sed 's/^/@/') >"$dir/allowed"
members $(filters '~') >"$dir/denied"
# SQLite gives files of root to somebody, and the service is not root.
if [ "$(id -u)" = 0 ]; then as="setpriv --reuid=65534 --regid=65534 --clear-groups"; else as=""; fi
mkdir -m 777 "$dir/tmp"
TMPDIR=$dir/tmp $as strace -f -qq -o "$dir/tmp/calls" "$dir/pop2imap" demo >/dev/null 2>&1
sed -n 's/^[0-9]* *\([a-z_0-9]*\)(.*/\1/p' "$dir/tmp/calls" | sort -u >"$dir/made"
comm -23 "$dir/allowed" "$dir/denied" | comm -13 - "$dir/made" >"$dir/forbidden"
if [ -s "$dir/forbidden" ] || [ ! -s "$dir/made" ]; then
	echo "packaging: the unit denies what the program calls:" $(cat "$dir/forbidden")
	exit 1
fi
echo "packaging: $(wc -l <"$dir/made") system calls, all allowed by the unit"
