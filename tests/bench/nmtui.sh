#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A NetworkManager with one connection, for nmtui to show: in namespaces of mounts, network and
# processes of its own (unshare -nmp --fork --kill-child), so that the machine's own network is
# untouched and nothing outlives the bench. Prints the process whose namespaces nmtui is to enter.
set -e
# As the machine calls this shell; then the /proc that NetworkManager looks its callers up in.
read -r pid rest </proc/self/stat
mount -t proc proc /proc
mkdir -p /var/lib/NetworkManager /etc/NetworkManager
for dir in /run /var/lib/NetworkManager /etc/NetworkManager; do
	mount -t tmpfs tmpfs $dir
done
mkdir -p /etc/NetworkManager/system-connections
cat >/etc/NetworkManager/NetworkManager.conf <<END
[main]
plugins=keyfile
auth-polkit=false
dns=none
END
cat >/run/bus.conf <<END
<busconfig>
	<type>system</type>
	<listen>unix:path=/run/system_bus_socket</listen>
	<auth>EXTERNAL</auth>
	<policy context="default">
		<allow user="*"/><allow own="*"/>
		<allow send_type="method_call"/><allow receive_type="method_call"/>
		<allow send_type="method_return"/><allow receive_type="method_return"/>
		<allow send_type="signal"/><allow receive_type="signal"/>
		<allow send_type="error"/><allow receive_type="error"/>
	</policy>
</busconfig>
END
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/system_bus_socket
dbus-daemon --config-file=/run/bus.conf --fork
NetworkManager --no-daemon >/run/log 2>&1 &
tries=0
until nmcli general >/run/nmcli 2>&1; do
	tries=$((tries + 1))
	if [ $tries -ge 300 ] || ! kill -0 $!; then
		cat /run/nmcli /run/log >&2
		exit 1
	fi
	sleep 0.1
done
nmcli connection add type ethernet ifname eth9 con-name wired autoconnect no >/run/nmcli
echo "$pid"
exec sleep infinity
