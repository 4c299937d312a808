# SPDX-License-Identifier: Apache-2.0
"""A node whose network is systemd-networkd's: the files that slipway-node.cpio gives it are all
that it knows. The shell that it ends in is the operator's."""

import os
import stat

import harness
import payload
import test_node

FOLDER = os.path.join(harness.BUILD, "vm-netnode")
MODULES = ["efivarfs", "virtio_pci", "virtio_blk", "nvme", "e1000", "8021q", "bonding"]
NET_MODULES = ("e1000", "bonding")
UDEVADM, NETWORKD = "/bin/udevadm", "/lib/systemd/systemd-networkd"

INIT = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /run /tmp
mount -t tmpfs tmpfs /run
dmesg -n 1
exec </dev/ttyS0 >/dev/ttyS0 2>&1
stty -echo
while read -r module; do
	case $module in
	# As systemd's modprobe.d has it: no bond is there before networkd makes it.
	bonding.ko) insmod /modules/$module max_bonds=0 ;;
	*) insmod /modules/$module ;;
	esac
done </modules/order
mount -t efivarfs efivarfs /sys/firmware/efi/efivars
ip link set lo up
/lib/systemd/systemd-udevd --daemon
udevadm trigger --action=add
udevadm settle
. /slipway-node.sh
node_config /run/node
node_network /run/node
/lib/systemd/systemd-networkd >/run/networkd.log 2>&1 &
echo
echo "NODE-UP $(sed 's/.*node.id=//; s/ .*//' /proc/cmdline)"
echo NODE-END
export PS1='node# '
while :; do sh; done
"""


def build():
    for path in (UDEVADM, NETWORKD):
        if not os.path.exists(path):
            raise harness.Skip("%s is not installed (packages systemd, udev)" % path)
    kernel, modules = payload.unpack(payload.kernel_package(), NET_MODULES)
    files = test_node.base(modules, MODULES)
    payload.programs(files, UDEVADM, NETWORKD)
    files["lib/systemd/systemd-udevd"] = (stat.S_IFLNK | 0o777, UDEVADM.encode())
    etc = os.path.join(harness.ROOT, "installer-iso", "rootfs", "etc")
    for name, path in (("slipway-node.sh", os.path.join(test_node.EXAMPLES, "slipway-node.sh")),
                       ("etc/passwd", os.path.join(etc, "passwd")),
                       ("etc/group", os.path.join(etc, "group"))):
        with open(path, "rb") as file:
            files[name] = (stat.S_IFREG | 0o644, file.read())
    files["init"] = (stat.S_IFREG | 0o755, INIT.encode())
    node = test_node.build(FOLDER, files)
    with open(node.kernel, "wb") as file:
        file.write(kernel)
    return node
