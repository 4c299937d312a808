# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# What an initrd-only node does for its own survival, in plain shell: source it in /init. It needs
# a shell, sed, sleep, sync (busybox has them), efivarfs mounted, and slipway-node.cpio behind the
# initrd: what is fetched, is fetched by slipway, from https as well. In this order:
#
#   node_watchdog          first of all, before drivers and network: a hang becomes a restart
#   node_config DIR        host name, attestation URL, overlay ... as files
#   node_network DIR       after node_config: the network of the answers, for systemd-networkd
#   node_identity DIR      host name and machine ID from DIR; before systemd or a daemon reads them
#   node_files DIR         the files of the answers' node.files, into the node's root
#   node_ssh DIR           who may log in, and the SSH host key that the install made
#   node_overlay DIR [FILE]  the cluster's configuration as a tree: FILE as the server gave it;
#                          without FILE, when the servers are away, what was kept for this image
#   node_admit DIR FILE    in place of node_overlay: attests to the node's server, which gives the
#                          overlay; when it cannot be reached, what was kept. Fails when it refuses.
#                          DIR and FILE must not be there yet; node_good keeps FILE
#   ... join the cluster ...
#   node_good URL          the cluster accepted the node: an image that came over the network is
#                          kept, and the network armed again
#   node_deadline          restart when node_good has not been called yet (the units' timer)
#   node_failed TEXT       it did not: restart, which leads to the last known good image
#   node_retry URL         in the last known good image: arm the network when it is worth a try;
#                          elsewhere, and in any mode but network, it returns at once
#
# NODE_OVERLAY    what node_good keeps, when node_admit ran in another shell (the units'); a file
#                 that is not there is none
# NODE_WAIT       seconds for which node_admit goes on asking a server that does not answer (60)
# NODE_DEADLINE   seconds until node_good must have been called (900)
# NODE_REBOOT     yes: node_retry restarts by itself when it has armed the network (no)
# NODE_ROOT       what node_identity, node_files and node_ssh take as / (the running system)
# NODE_PAUSE      seconds between two questions to the boot server at first (30); it doubles ...
# NODE_PAUSE_MAX  ... up to this (3600)

: "${NODE_SLIPWAY:=/slipway-node/slipway}"
: "${NODE_DEADLINE:=900}"
: "${NODE_REBOOT:=no}"
: "${NODE_PAUSE:=30}"
: "${NODE_PAUSE_MAX:=3600}"
: "${NODE_WAIT:=60}"
: "${NODE_RUN:=/run/slipway-node}"
: "${NODE_ROOT:=}"

node_say() {
	echo "slipway-node: $*"
}

# Feeds the hardware watchdog until the deadline, and for ever once node_good has been there. It is
# opened at once: from then on the machine restarts when this shell, the kernel or the bus hangs.
node_watchdog() {
	mkdir -p "$NODE_RUN"
	[ -c "${NODE_WATCHDOG:=/dev/watchdog}" ] || {
		node_say "there is no $NODE_WATCHDOG: a hang needs somebody at the power switch"
		return 0
	}
	(
		exec 9>"$NODE_WATCHDOG"
		fed=0
		while [ -e "$NODE_RUN/good" ] || [ $fed -lt "$NODE_DEADLINE" ]; do
			echo . >&9
			sleep 5
			fed=$((fed + 5))
		done
		node_say "not good after $NODE_DEADLINE s: the watchdog restarts the machine"
		sleep 3600
	) &
}

node_config() {
	"$NODE_SLIPWAY" node config "$1"
}

# Before networkd starts: it reads these files and no others of the same number. Without any in DIR
# the image's own stay. The driver of bonds is loaded with max_bonds=0, as systemd's modprobe.d has
# it: else there is a bond0 of another kind already, which networkd leaves as it is.
node_network() {
	[ -d "$1/network" ] || return 0
	mkdir -p /run/systemd/network
	cp "$1"/network/* /run/systemd/network/
}

# Where the answers had no node.machine-id, the node's own way goes on.
node_identity() {
	mkdir -p "$NODE_ROOT/etc" || return
	cat "$1/hostname" >"$NODE_ROOT/etc/hostname"
	cat "$1/hostname" >"${NODE_HOSTNAME:-/proc/sys/kernel/hostname}"
	[ ! -s "$1/machine-id" ] || cat "$1/machine-id" >"$NODE_ROOT/etc/machine-id"
}

# What `slipway config import` took from a stick: mounts and certificate authorities beyond those of
# the image. Before anything is mounted or fetched.
node_config_files() {
	bundle=$NODE_ROOT/etc/ssl/certs/ca-certificates.crt
	if [ -s "$1/config/fstab" ]; then
		mkdir -p "$NODE_ROOT/etc" && touch "$NODE_ROOT/etc/fstab" || return
		while read -r line; do
			case $line in '' | '#'*) continue ;; esac
			grep -qxF "$line" "$NODE_ROOT/etc/fstab" ||
				echo "$line" >>"$NODE_ROOT/etc/fstab"
		done <"$1/config/fstab"
	fi
	[ -s "$1/config/tls-roots" ] || return 0
	mkdir -p "${bundle%/*}" && cat "$1/config/tls-roots" >>"$bundle"
}

# In place of what the image brings along. Each is moved there whole, also over a link; paths have
# no blanks (`node config` sees to that).
node_files() {
	[ -d "$1/files" ] || return 0
	for path in $(cd "$1/files" && find . -type f); do
		to=$NODE_ROOT/${path#./}
		mkdir -p "${to%/*}" && cp -p "$1/files/$path" "$to.slipway" &&
			mv -f "$to.slipway" "$to" || return
	done
}

# Keys that the image brings along stay. The private half is opened by the TPM; when it does not,
# sshd makes a key of its own, as it does without one, and `slipway doctor` says what is wrong.
node_ssh() {
	home=$NODE_ROOT/root/.ssh key=$NODE_ROOT/etc/ssh/ssh_host_ed25519_key
	if [ -s "$1/ssh/authorized_keys" ]; then
		mkdir -p "$home" && chmod 700 "$home" && touch "$home/authorized_keys" || return
		while read -r line; do
			grep -qxF "$line" "$home/authorized_keys" ||
				echo "$line" >>"$home/authorized_keys"
		done <"$1/ssh/authorized_keys"
		chmod 600 "$home/authorized_keys"
	fi
	[ -s "$1/ssh/ssh_host_ed25519_key.pub" ] || return 0
	mkdir -p "${key%/*}" || return
	if "$NODE_SLIPWAY" secret open --out "$key" ssh_host_ed25519_key; then
		cat "$1/ssh/ssh_host_ed25519_key.pub" >"$key.pub"
	else
		node_say "the TPM does not open the SSH host key: sshd makes another"
	fi
}

# Both roads go through the same check, and a start without the servers has the configuration that
# the last good start over the network had. node_good keeps FILE beside the image.
node_overlay() {
	NODE_OVERLAY=${2:-}
	"$NODE_SLIPWAY" node overlay ${NODE_OVERLAY:+--file "$NODE_OVERLAY"} "$1"
}

# A server that refuses has said something: then the node does not go on with what it had.
node_admit() {
	NODE_OVERLAY=
	"$NODE_SLIPWAY" admit --wait "$NODE_WAIT" --save "$2" "$1"
	case $? in
	0) NODE_OVERLAY=$2 ;;
	10)
		node_say "the attestation server is away: taking what was kept for this image"
		node_overlay "$1"
		;;
	*) return 1 ;;
	esac
}

# By which road this system came: slot, network, other or unknown.
node_road() {
	"$NODE_SLIPWAY" --json status | sed -n 's/^ *"road": *"\([a-z]*\)".*/\1/p' | head -n 1
}

# network, local or hands-off.
node_mode() {
	"$NODE_SLIPWAY" --json mode | sed -n 's/^ *"mode": *"\([a-z-]*\)".*/\1/p' | head -n 1
}

node_restart() {
	sync
	sleep 1
	echo b >/proc/sysrq-trigger 2>/dev/null
	reboot -f
}

# Only what came over the network is new. Whatever promote says, the network is armed again, so
# that one refused image does not tie the node to its old one. In the last known good image all is
# put right, but it is node_retry that arms the network: what has just failed need not be tried at
# the next start.
node_good() {
	mkdir -p "$NODE_RUN" && touch "$NODE_RUN/good"
	if [ "$(node_road)" != network ] && [ "${2:-}" != always ]; then
		"$NODE_SLIPWAY" mode keep --unarmed
		return
	fi
	[ -s "${NODE_OVERLAY:-}" ] || NODE_OVERLAY=
	"$NODE_SLIPWAY" promote --uki "$1" --reason "accepted by the cluster" \
		${NODE_OVERLAY:+--overlay "$NODE_OVERLAY"} ||
		node_say "not promoted; the last known good image stays as it is"
	"$NODE_SLIPWAY" node set network_failures= network_image=
	"$NODE_SLIPWAY" mode keep
}

# For the timer of the units: systemd feeds the watchdog while a unit of its hangs.
node_deadline() {
	[ -e "$NODE_RUN/good" ] || node_failed "not good by the deadline"
}

node_failed() {
	node_say "$*: restarting"
	node_restart
}

# The SHA-256 of the image that the server has; empty when it has none, or is away.
node_image() {
	"$NODE_SLIPWAY" --json uki show "$1" | sed -n 's/^ *"sha256": *"\([0-9a-f]*\)".*/\1/p'
}

# How often the node came back from this image, as far as it is known: counted when it is armed.
# The first time nobody has counted yet: then it is what the server has now, if it was there.
node_failures() {
	known=$(cat "$2/config/network_image" 2>/dev/null)
	if [ "$known" = "$1" ]; then
		cat "$2/config/network_failures" 2>/dev/null || echo 0
	elif [ -z "$known" ] && [ "$3" = yes ] &&
		"$NODE_SLIPWAY" status | grep -q 'start from the network did not work out'; then
		echo 1
	else
		echo 0
	fi
}

# The boot server is asked with growing pauses. An image that the node came back from twice is not
# tried a third time; the next one on the server is.
node_retry() {
	[ "$(node_mode)" = network ] && [ "$(node_road)" != network ] || return 0
	dir=$NODE_RUN/retry pause=$NODE_PAUSE first=yes
	mkdir -p "$dir"
	while :; do
		image=$(node_image "$1")
		if [ "$image" ]; then
			node_config "$dir" >/dev/null
			failures=$(node_failures "$image" "$dir" $first)
			[ "$failures" -ge 2 ] || break
			node_say "the image on the server failed twice: waiting for another"
			pause=$NODE_PAUSE_MAX
		else
			node_say "the boot server has nothing to start: asking again in $pause s"
		fi
		first=no
		sleep "$pause"
		pause=$((pause * 2))
		[ $pause -le "$NODE_PAUSE_MAX" ] || pause=$NODE_PAUSE_MAX
	done
	"$NODE_SLIPWAY" node set network_image="$image" network_failures=$((failures + 1))
	"$NODE_SLIPWAY" mode keep
	node_say "the boot server has an image: the next start is from the network"
	[ "$NODE_REBOOT" != yes ] || node_restart
}
