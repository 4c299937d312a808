# SPDX-License-Identifier: Apache-2.0
"""An initrd-only node with systemd: the shipped units, shell functions and watchdog settings, as
they are, around slipway-node.cpio."""

import hashlib
import json
import os
import re
import stat
import subprocess

import bootnode
import harness
import payload
import server
import test_node
from test_install import check
from test_node import image, shell, sign, slipway, up

FOLDER = os.path.join(harness.BUILD, "vm-units")
SYSTEMD = "/lib/systemd/systemd"
UNITS = "/lib/systemd/system"
WANTED = ("basic.target", "sysinit.target", "multi-user.target", "network.target",
          "network-pre.target", "network-online.target", "shutdown.target", "umount.target",
          "final.target", "reboot.target", "systemd-reboot.service", "paths.target",
          "slices.target", "sockets.target", "timers.target", "local-fs.target", "swap.target",
          "local-fs-pre.target", "nss-lookup.target", "remote-fs.target", "time-set.target")

INIT = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
dmesg -n 1
while read -r module; do
	insmod /modules/$module
done </modules/order
ip link set lo up
""" + bootnode.ADDRESS + bootnode.WAIT_FOR_DISK + """
# An image may say for itself how long it has until it must be accepted.
given=$(sed -n 's/.*node.deadline=\\([0-9]*\\).*/\\1/p' /proc/cmdline)
if [ "$given" ]; then
	own=/etc/systemd/system/slipway-node-deadline.timer.d
	mkdir -p $own
	printf '[Timer]\\nOnBootSec=\\nOnBootSec=%s\\n' "$given" >$own/own.conf
fi
echo on >/proc/sys/kernel/printk_devkmsg
exec /lib/systemd/systemd --log-target=kmsg --show-status=0
"""

JOIN = """[Unit]
Description=The node's way into its cluster
Requires=slipway-node-config.service
After=slipway-node-config.service
OnFailure=slipway-node-failed.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/join

[Install]
WantedBy=multi-user.target
"""

# Node data names the images that the cluster accepts. The bad one is turned away, the next time it
# hangs.
ACCEPT = """#!/bin/sh
data=/run/node/config
accepted=$(cat $data/accepted 2>/dev/null) || exit 0
echo "JOIN $(cat /run/node/attest_url)"
word=$(sed 's/.*node.id=//; s/ .*//' /proc/cmdline)
while [ "$word" = bad ] && [ -s $data/network_failures ]; do sleep 100; done
case $accepted in *,$word,*) exit 0 ;; esac
exit 1
"""

SHELL = """[Unit]
Description=The operator of the test
After=slipway-node-good.service slipway-node-failed.service

[Service]
Type=simple
StandardInput=tty
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
ExecStart=/sbin/operator

[Install]
WantedBy=multi-user.target
"""

# What the node's owner may change with a drop-in: restart at once, and ask more often.
RETRY = "[Service]\nEnvironment=NODE_REBOOT=yes NODE_PAUSE=2 NODE_PAUSE_MAX=4\n"


def _text(files, name, text, mode=0o644):
    folder = ""
    for step in name.split("/")[:-1]:
        folder = (folder + "/" + step).lstrip("/")
        files.setdefault(folder, (stat.S_IFDIR | 0o755, b""))
    files[name] = (stat.S_IFREG | mode, text if isinstance(text, bytes) else text.encode())


def _read(path):
    with open(path, "rb") as file:
        return file.read()


def _shipped(files):
    """docs/examples/node, put where its comments say."""
    for name in sorted(os.listdir(test_node.EXAMPLES)):
        content = _read(os.path.join(test_node.EXAMPLES, name))
        if name.endswith((".service", ".timer")):
            _unit(files, name, content)
    _text(files, "slipway-node.sh", _read(os.path.join(test_node.EXAMPLES, "slipway-node.sh")))
    _text(files, "etc/systemd/system.conf.d/50-watchdog.conf",
          _read(os.path.join(test_node.EXAMPLES, "50-watchdog.conf")))


def _unit(files, name, content):
    """A unit, enabled as its [Install] says."""
    content = content if isinstance(content, bytes) else content.encode()
    _text(files, "etc/systemd/system/" + name, content)
    for kind, target in re.findall(rb"^(Wanted|Required)By=(.*)$", content, re.M):
        kind = {b"Wanted": "wants", b"Required": "requires"}[kind]
        link = "etc/systemd/system/%s.%s/%s" % (target.decode(), kind, name)
        _text(files, link, b"")
        files[link] = (stat.S_IFLNK | 0o777, b"../" + name.encode())


def systemd_node():
    if not os.path.exists(SYSTEMD):
        raise harness.Skip("systemd is not installed (package systemd)")
    kernel, modules = payload.unpack(payload.kernel_package(), test_node.NET_MODULES)
    files = test_node.base(modules)
    payload.programs(files, SYSTEMD, "/bin/systemctl")
    for name in WANTED:
        if os.path.exists(os.path.join(UNITS, name)):
            _text(files, "lib/systemd/system/" + name, _read(os.path.join(UNITS, name)))
    _shipped(files)
    _unit(files, "node-join.service", JOIN)
    _unit(files, "operator.service", SHELL)
    _text(files, "etc/systemd/system/slipway-node-retry.service.d/own.conf", RETRY)
    _text(files, "etc/systemd/system.conf.d/test.conf",
          "[Manager]\nDefaultStandardOutput=tty\nDefaultStandardError=tty\n")
    files["etc/systemd/system/default.target"] = (stat.S_IFLNK | 0o777,
                                                  b"/lib/systemd/system/multi-user.target")
    _text(files, "etc/machine-id", "")
    _text(files, "etc/passwd", "root:x:0:0:root:/:/bin/sh\n")
    _text(files, "etc/group", "root:x:0:\n")
    _text(files, "sbin/operator", test_node.OWN["sbin/init"], 0o755)
    _text(files, "join", ACCEPT, 0o755)
    _text(files, "init", INIT, 0o755)
    node = test_node.build(FOLDER, files)
    with open(node.kernel, "wb") as file:
        file.write(kernel)
    return node


def watched(vm):
    """systemd set the time that the settings say, before the first unit was started."""
    text = shell(vm, "cat /sys/class/watchdog/watchdog0/state "
                     "/sys/class/watchdog/watchdog0/timeout")
    check(text.split() == ["active", "60"], "the watchdog is %r" % text)
    said = shell(vm, "dmesg | grep -E 'systemd.*(hardware watchdog|: Starting |Reached target)'")
    check("hardware watchdog" in said.split("\n", 1)[0], "not the watchdog first:\n" + said)


def comes_back(vm, attest, *texts):
    """These were said, one after the other; then the slot's image is up and joined."""
    for text in texts:
        vm.expect_raw(text, timeout=600)
    vm.expect_raw("JOIN " + attest.seen_as, timeout=600)
    return up(vm, "first")


def test_the_units_come_back_from_bad_images_and_keep_an_accepted_one(directory):
    """What is started over the network and not accepted, or hangs while it joins, restarts into the
    slot; there the boot server is asked, the network armed and the node restarted. What is accepted
    is promoted. A process 1 that hangs is restarted by the watchdog."""
    attest, answer = test_node.cluster(directory)
    node = systemd_node()
    key = os.path.join(directory, "key")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ops", "-f", key],
                   check=True)
    with open(key + ".pub", encoding="utf-8") as file:
        machine = test_node.installed(directory, node, file.read().strip(), answer)
    machine.tpm = True
    good = image(node, "good")
    sign(key, good)
    http = server.Server()
    try:
        url = http.url("/boot.efi")
        with harness.Vm(machine, devices=test_node.WATCHDOG) as vm:
            seen = up(vm, "first")
            check("NODE attest=" + attest.seen_as in seen and "from slot A" in seen, seen)
            watched(vm)
            deadline = max(30, 3 * int(re.search(r"^NODE uptime=(\d+)", seen, re.M).group(1)))
            http.add("/boot.efi", image(node, "bad node.deadline=%d" % deadline))
            slipway(vm, "node set image_url=%s accepted=,first,good," % url)
            slipway(vm, "mode network --uri " + url)
            vm.mark()
            vm.send("reboot -f\r")
            seen = comes_back(vm, attest, "the node was not accepted: restarting")
            check(test_node.CAME_BACK in seen, seen)
            vm.expect_raw("the next start is from the network", timeout=600)
            vm.expect_raw("not good by the deadline: restarting", timeout=300 + 2 * deadline)
            # By the time that the slot's system asks, there is another image.
            http.add("/boot.efi", good)
            http.add("/boot.efi.sig", good + ".sig")
            comes_back(vm, attest)
            vm.expect_raw("the next start is from the network", timeout=600)
            seen = up(vm, "good")
            check("started over the network" in seen and "is in slot B" in seen, seen)
            kept(vm, url, attest)
            hung(vm)
    finally:
        attest.close()
        http.close()


def kept(vm, url, attest):
    """What the units did once the cluster had accepted the image."""
    watched(vm)
    said = slipway(vm, "status")
    for text in ("is in slot B", "from " + url, "once; when that fails",
                 "Admission       admitted by %s, " % attest.seen_as):
        check(text in said, "%r is not in\n%s" % (text, said))
    found = json.loads(slipway(vm, "--json slots"))["slots"]
    check([s["reason"] for s in found if s["slot"] == "b"] == ["accepted by the cluster"], found)
    overlay = hashlib.sha256(attest.overlay).hexdigest()
    check([s.get("overlay_sha256") for s in found if s["slot"] == "b"] == [overlay], found)
    state = shell(vm, "systemctl is-active slipway-node-admit slipway-node-good; "
                      "systemctl is-active slipway-node-retry || true")
    check(state.split() == ["active", "active", "inactive"], "units: %r" % state)


def hung(vm):
    """systemd stops where it is when it gets a signal of a crash: nobody feeds the watchdog."""
    resets = vm.resets
    vm.mark()
    vm.send("kill -SEGV 1\r")
    vm.wait_reset(resets + 1, timeout=600)
    check("started over the network" in up(vm, "good"), "not back from the network")


test_the_units_come_back_from_bad_images_and_keep_an_accepted_one.long = True
