#!/bin/sh
# Two builds of HEAD, in folders of different names, one with what Go has built before and one from nothing, are the same octet
# for octet: whoever doubts what we released can build it. Half a minute on two processors.
set -eu
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for clone in a b/elsewhere/with/a/longer/name; do
	git clone -q . "$dir/$clone"
	(
		cd "$dir/$clone"
		[ "$clone" = a ] || export GOCACHE="$dir/cache" TZ=Pacific/Auckland
		CGO_ENABLED=0 go build -trimpath -buildvcs=true -ldflags='-s -w' -o pop2imap ./cmd/pop2imap
	)
done
cmp "$dir/a/pop2imap" "$dir/b/elsewhere/with/a/longer/name/pop2imap"
if grep -q "$dir" "$dir/a/pop2imap"; then
	echo "packaging: the program holds the name of the folder that it was built in"
	exit 1
fi
echo "packaging: reproducible, sha256 $(sha256sum <"$dir/a/pop2imap" | cut -c1-64) of $("$dir/a/pop2imap" version)"
