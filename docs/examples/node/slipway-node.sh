# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# What an initrd-only node does for its own survival, in plain shell: source it in /init. It needs
# a shell, mount, sleep, sync, wget, sha256sum (busybox has them), efivarfs mounted, and
# slipway-node.cpio behind the initrd. In this order:
#
#   node_watchdog          first of all, before drivers and network: a hang becomes a restart
#   node_config DIR        host name, attestation URL, overlay ... as files
#   node_overlay DIR [FILE]  the cluster's configuration as a tree: FILE as the server gave it;
#                          without FILE, when the servers are away, what was kept for this image
#   ... join the cluster ...
#   node_good URL          the cluster accepted the node: keep this image, arm the network again
#   node_failed TEXT       it did not: restart, which leads to the last known good image
#   node_retry URL         in the last known good image: when to try the network again
#
# NODE_DEADLINE  seconds until node_good must have been called (900)
# NODE_REBOOT    yes: node_retry restarts by itself when the network is worth a try (no)

: "${NODE_SLIPWAY:=/slipway-node/slipway}"
: "${NODE_DEADLINE:=900}"
: "${NODE_REBOOT:=no}"
: "${NODE_RUN:=/run/slipway-node}"

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

# Both roads go through the same check, and a start without the servers has the configuration that
# the last good start over the network had. node_good keeps FILE beside the image.
node_overlay() {
	NODE_OVERLAY=${2:-}
	"$NODE_SLIPWAY" node overlay ${NODE_OVERLAY:+--file "$NODE_OVERLAY"} "$1"
}

# By which road this system came: slot, network, other or unknown.
node_road() {
	"$NODE_SLIPWAY" --json status | sed -n 's/^ *"road": *"\([a-z]*\)".*/\1/p' | head -n 1
}

node_restart() {
	sync
	sleep 1
	echo b >/proc/sysrq-trigger 2>/dev/null
	reboot -f
}

# Only what came over the network is new. Whatever promote says, the network is armed again, so
# that one refused image does not tie the node to its old one.
node_good() {
	touch "$NODE_RUN/good"
	if [ "$(node_road)" = network ] || [ "${2:-}" = always ]; then
		"$NODE_SLIPWAY" promote --uki "$1" --reason "accepted by the cluster" \
			${NODE_OVERLAY:+--overlay "$NODE_OVERLAY"} ||
			node_say "not promoted; the last known good image stays as it is"
	fi
	"$NODE_SLIPWAY" node set network_failures= network_image=
	"$NODE_SLIPWAY" mode keep
}

node_failed() {
	node_say "$*: restarting"
	node_restart
}

# The boot server is asked with growing pauses, from 30 s to an hour. An image that the node came
# back from twice is not tried a third time; the next one on the server is.
node_retry() {
	dir=$NODE_RUN/retry pause=30
	while :; do
		if wget -q -T 20 -O "$NODE_RUN/image" "$1"; then
			image=$(sha256sum <"$NODE_RUN/image")
			image=${image%% *}
			rm -f "$NODE_RUN/image"
			node_config "$dir" >/dev/null
			failures=$(cat "$dir/config/network_failures" 2>/dev/null || echo 0)
			known=$(cat "$dir/config/network_image" 2>/dev/null)
			[ "$known" = "$image" ] || failures=0
			[ "$failures" -ge 2 ] || break
			node_say "the image on the server failed twice: waiting for another"
			pause=3600
		else
			node_say "the boot server is away: asking again in $pause s"
		fi
		sleep "$pause"
		pause=$((pause * 2))
		[ $pause -le 3600 ] || pause=3600
	done
	"$NODE_SLIPWAY" node set network_image="$image" network_failures=$((failures + 1))
	"$NODE_SLIPWAY" mode keep
	[ "$NODE_REBOOT" != yes ] || node_restart
}
