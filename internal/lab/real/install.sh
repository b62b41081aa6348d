#!/bin/sh
# Gets the mail servers that package real starts: Dovecot, Cyrus and Courier, POP3 and IMAP each, from Debian; tmux, in which
# the tests look at the program as a person does; and in CI a Chromium, which takes 375 MB, for the page of a report.
#
# Dovecot is installed by apt. The two others cannot be installed beside it (each provides imap-server and conflicts
# with the rest), so they are unpacked, with the libraries that are not here, into $POP2IMAP_LAB/cyrus and
# $POP2IMAP_LAB/courier (/opt/pop2imap-lab unless said otherwise). No package is removed and no service is started.
#
# With all in place it asks nobody anything. A server that cannot be had is one line, "skipped: <server>: <why>", and
# no failure: the tests that need it then say so themselves.
set -u
LAB=${POP2IMAP_LAB:-/opt/pop2imap-lab}
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

have() {
	case $1 in
	dovecot) [ -x /usr/sbin/dovecot ] && [ -x /usr/lib/dovecot/imap-login ] && [ -x /usr/lib/dovecot/pop3-login ] ;;
	tmux | chromium) command -v "$1" >/dev/null ;;
	*) [ -e "$LAB/$1/complete" ] ;;
	esac
}

missing() {
	for server in dovecot cyrus courier tmux ${CI:+chromium}; do
		have "$server" || echo "$server"
	done
}

skip() {
	echo "skipped: $1: $2"
}

# The last line in which a tool says what is wrong.
reason() {
	grep '^E: ' "$work/log" | tail -n 1 | cut -c 4- | grep . || echo "see the output of apt-get"
}

# apt starts what it installs unless this file forbids it.
install_dovecot() {
	policy=/usr/sbin/policy-rc.d
	if [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
		ours=$policy
	fi
	apt-get install -y -q --no-install-recommends --no-remove dovecot-imapd dovecot-pop3d >"$work/log" 2>&1 </dev/null
	status=$?
	[ -z "$ours" ] || rm -f "$ours"
	ours=
	if [ $status -ne 0 ]; then
		skip dovecot "$(reason)"
	elif command -v systemctl >/dev/null; then
		systemctl disable --quiet dovecot.service dovecot.socket >/dev/null 2>&1 # nor at the next start of the machine
	fi
}

# unpack SERVER PACKAGE...: the packages, and what apt would install with them but for a mail system.
unpack() {
	server=$1
	shift
	if ! apt-get install -s --no-install-recommends "$@" >"$work/plan" 2>"$work/log"; then
		skip "$server" "$(reason)"
		return
	fi
	mkdir -p "$work/$server/debs" "$work/$server/root" "$LAB"
	wanted=$(awk '$1 == "Inst" && $2 !~ /^exim4|-dev$|^gnutls-bin$/ { print $2 }' "$work/plan")
	# shellcheck disable=SC2086 # a list of names
	if ! (cd "$work/$server/debs" && apt-get download -q $wanted >"$work/log" 2>&1); then
		skip "$server" "$(reason)"
		return
	fi
	for deb in "$work/$server/debs"/*.deb; do
		if ! dpkg-deb -x "$deb" "$work/$server/root"; then
			skip "$server" "cannot unpack $deb"
			return
		fi
	done
	[ "$server" != courier ] || make_movable "$work/courier/root"
	rm -rf "${LAB:?}/$server"
	cp -R "$work/$server/root" "$LAB/$server" && chmod 755 "$LAB/$server" && touch "$LAB/$server/complete" ||
		skip "$server" "cannot write to $LAB/$server"
}

# Courier's authentication has the paths of its socket and of its files in the programs. Made relative, and of the same
# length, they are in the folder in which it is started, and any number of servers can run.
make_movable() {
	find "$1/usr" -type f \( -name authdaemond -o -name 'libcourierauth.so.*' -o -name 'libauthuserdb.so.*' \) \
		-exec sed -i -e 's#/run/courier/aut#././././././/aut#g' -e 's#/etc/courier/userdb#././././././/userdb#g' \
		-e 's#/etc/courier/authdaemonrc#././././././/authdaemonrc#g' {} +
}

absent=$(missing)
[ -n "$absent" ] || exit 0
if ! command -v apt-get >/dev/null; then
	for server in $absent; do skip "$server" "not installed, and there is no apt-get"; done
	exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
	sudo -n true 2>/dev/null && exec sudo -n POP2IMAP_LAB="$LAB" CI="${CI:-}" sh "$0"
	for server in $absent; do skip "$server" "not installed, and installing needs root"; done
	exit 0
fi

ours=
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"; [ -z "$ours" ] || rm -f "$ours"' EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$work"
apt-get update -q >"$work/log" 2>&1 || echo "apt-get update: $(reason)" >&2
for server in $absent; do
	case $server in
	dovecot) install_dovecot ;;
	tmux | chromium)
		apt-get install -y -q --no-install-recommends --no-remove "$server" >"$work/log" 2>&1 </dev/null || skip "$server" "$(reason)"
		;;
	cyrus) unpack cyrus cyrus-imapd cyrus-pop3d sasl2-bin ;;
	courier) unpack courier courier-imap courier-pop courier-authlib-userdb libnss-wrapper ;;
	esac
done
