# SPDX-License-Identifier: Apache-2.0
"""A node for the boot tests: Debian's kernel and an initrd with slipway and efibootmgr in it.

Its /init does what an initrd-only node is meant to do: the watchdog first, then the network, the
node data, and how it was started. It prints NODE-UP, `NODE name=value` lines and NODE-END, and
gives the serial port to a shell, in which the tests are the operator. node.id=WORD on the command
line tells images apart; node.fault=panic and node.fault=hang make bad ones.
"""

import gzip
import json
import os
import re
import stat
import subprocess

import disk
import harness
import payload

FOLDER = os.path.join(harness.BUILD, "vm-bootnode")
MODULES = ["i6300esb", "efivarfs", "virtio_pci", "virtio_blk", "nvme", "virtio_net", "nls_ascii",
           "vfat", "nls_cp437", "loop"]
NET_MODULES = ("virtio_net", "net_failover", "failover")
ATTEST = "https://attest.example/v1"
CMDLINE = "console=ttyS0,115200 panic=1 quiet node.id="
WATCHDOG = ("-device", "i6300esb", "-action", "watchdog=reset")

# Lines of an init: the address that QEMU gives, and until the kernel has seen the disk.
ADDRESS = """ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
"""
WAIT_FOR_DISK = """n=0
while [ $n -lt 30 ] && ! ls /sys/class/block/*/partition >/dev/null 2>&1; do
	n=$((n + 1))
	sleep 0.1
done
"""

INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp /run
/bin/busybox --install -s /bin
export PATH=/sbin:/usr/bin:/bin HOME=/
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
dmesg -n 1
exec </dev/ttyS0 >/dev/ttyS0 2>&1
# Without echo the shell edits no lines, and long commands come through as they are.
stty -echo
cmdline=$(cat /proc/cmdline)
case $cmdline in
*node.fault=hang*) heartbeat=8 ;;
*) heartbeat=600 ;;
esac
while read -r module; do
	case $module in
	i6300esb.ko) insmod /modules/$module heartbeat=$heartbeat ;;
	*) insmod /modules/$module ;;
	esac
done </modules/order
# Opened, it runs; nobody feeds it before the node is up.
[ -c /dev/watchdog ] && exec 9>/dev/watchdog
case $cmdline in
*node.fault=panic*) echo NODE-PANICS; exit 1 ;;
*node.fault=hang*) echo NODE-HANGS; while :; do sleep 100; done ;;
esac
vars=/sys/firmware/efi/efivars
mount -t efivarfs efivarfs $vars
ip link set lo up
if [ -e /sys/class/net/eth0 ]; then
""" + ADDRESS + """fi
""" + WAIT_FOR_DISK + """echo
echo NODE-UP
echo "NODE cmdline=$cmdline"
slipway node config /run/node >/dev/null && echo "NODE attest=$(cat /run/node/attest_url)"
[ -e /run/node/overlay ] && echo "NODE overlay=$(cat /run/node/overlay)"
echo "NODE mode=$(slipway mode --json | tr -d '\\n')"
[ -c /dev/watchdog ] && echo V >&9
exec 9>&-
echo NODE-END
PS1='node# ' exec sh
"""


def _slipway():
    path = os.path.join(harness.BUILD, "release", "slipway")
    if not os.path.exists(path):
        raise harness.Skip("build/release/slipway is not built (make)")
    return path


def _real_firmware():
    path = os.path.join(harness.BUILD, "release", "tests", "vm", "real-firmware")
    if not os.path.exists(path):
        raise harness.Skip("build/release/tests/vm/real-firmware is not built (make tests-bin)")
    return path


def _file(files, path):
    folder = ""
    for step in path.strip("/").split("/")[:-1]:
        folder = (folder + "/" + step).lstrip("/")
        files.setdefault(folder, (stat.S_IFDIR | 0o755, b""))
    with open(path, "rb") as file:
        files[path.lstrip("/")] = (stat.S_IFREG | 0o644, file.read())


def _strip(files, path, name):
    """Our own program under another name and without what only a debugger needs."""
    out = os.path.join(FOLDER, os.path.basename(name))
    subprocess.run(["objcopy", "-S", path, out], check=True)
    payload.programs(files, path)
    del files[path.lstrip("/")]
    with open(out, "rb") as file:
        files[name] = (stat.S_IFREG | 0o755, file.read())


class Node(payload.Payload):
    """The kernel and initrd, and images made of them."""

    def image(self, name, fault=None):
        """A UKI with node.id=NAME; made once in a run."""
        path = os.path.join(self.directory, name + ".efi")
        return self.uki(path, CMDLINE + name + (" node.fault=" + fault if fault else ""))


def build():
    with harness.alone(FOLDER):
        return _build()


def _build():
    node = Node(FOLDER)
    programs = [_slipway(), _real_firmware()]
    package = payload.kernel_package()
    sources = [package, os.path.abspath(__file__)] + programs
    if os.path.exists(node.initrd) and \
       all(os.path.getmtime(node.initrd) > os.path.getmtime(path) for path in sources):
        return node
    kernel, modules = payload.unpack(package, NET_MODULES)
    order = payload.load_order(modules, MODULES)
    files = {name: (stat.S_IFDIR | 0o755, b"") for name in ("bin", "sbin", "modules")}
    with open("/bin/busybox", "rb") as file:
        files["bin/busybox"] = (stat.S_IFREG | 0o755, file.read())
    payload.programs(files, "/bin/efibootmgr", "/sbin/mkfs.vfat", "/usr/bin/mcopy",
                     "/usr/bin/mmd", "/usr/bin/chattr")
    for name in ("gconv-modules", "gconv-modules.cache", "IBM850.so"):
        _file(files, "/usr/lib/x86_64-linux-gnu/gconv/" + name)    # mtools' code page
    for path, name in zip(programs, ("sbin/slipway", "sbin/real-firmware")):
        _strip(files, path, name)
    for name in order:
        files["modules/%s.ko" % name] = (stat.S_IFREG | 0o644, modules[name])
    listing = "".join(name + ".ko\n" for name in order)
    files["modules/order"] = (stat.S_IFREG | 0o644, listing.encode())
    files["init"] = (stat.S_IFREG | 0o755, INIT.encode())
    with open(node.kernel, "wb") as file:
        file.write(kernel)
    with open(node.initrd + ".new", "wb") as file:
        file.write(gzip.compress(payload.newc(files), 6, mtime=0))
    os.rename(node.initrd + ".new", node.initrd)
    return node


ANSWERS = """slipway: 1
node: {{hostname: node-07}}
disk:
  match: {{serial: NODE07SYS}}
  layout: node
  wipe: any
payload: {{kernel: {kernel}, initrd: {initrd}, cmdline: "{cmdline}"}}
boot: {{mode: {mode}}}
admission: {{kind: attest, url: "{attest}"}}
{more}
finish: stay
"""


def on_standin(where, *words):
    done = subprocess.run([_slipway(), "--machine", where, *words], capture_output=True, text=True)
    if done.returncode:
        raise harness.Failure("slipway %s: %s%s" % (" ".join(words), done.stdout, done.stderr))
    return done.stdout


def installed(directory, node, mode="local", bus="nvme", size="2G", more="", others=()):
    """A machine whose disk was installed elsewhere: its own boot variables know nothing of it.

    others: (serial, size) of disks that only the stand-in has."""
    where = os.path.join(directory, "standin")
    disks = [word for one in (("NODE07SYS", size), *others)
             for word in ("--disk", "serial=%s,size=%s" % one)]
    on_standin(where, "machine", "create", where, *disks)
    path = os.path.join(directory, "answers.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(ANSWERS.format(kernel=node.kernel, initrd=node.initrd, mode=mode,
                                  cmdline=CMDLINE + "lkg", attest=ATTEST, more=more))
    on_standin(where, "install", "--answers", path, "--yes")
    facts = json.loads(on_standin(where, "facts", "--json"))
    machine = harness.Machine(os.path.join(directory, "machine"))
    machine.cpu = harness.PLAIN_CPU
    machine.disks.append(disk.Disk(facts["disks"][0]["node"], "NODE07SYS", 0, bus))
    return machine


class Seen:
    """What one start of the node printed."""

    def __init__(self, text):
        values = dict(re.findall(r"^NODE (\w+)=(.*)$", text[text.rindex("NODE-UP"):], re.M))
        self.cmdline = values["cmdline"].strip()
        self.id = re.search(r"node\.id=(\w+)", self.cmdline).group(1)
        self.attest = values.get("attest", "").strip()
        self.overlay = values.get("overlay", "").strip()
        self.mode = json.loads(values["mode"])

    def __str__(self):
        return "%s, running from %s" % (self.id, self.mode.get("running"))


def up(vm, want=None, running=None, timeout=600):
    """Waits for the node's next start, and that it is the image that was wanted."""
    vm.expect_raw("NODE-END", timeout=timeout)
    vm.expect_raw("node# ", timeout=60)
    seen = Seen(vm.plain())
    if (want and seen.id != want) or (running and seen.mode["running"] != running):
        raise harness.Failure("%s (%s) was expected, it is %s: %s" %
                              (want, running, seen, seen.mode["why"]))
    return seen


def restart(vm, want=None, running=None, timeout=600):
    """Reboots from the node's shell; returns what came up, and how long that took."""
    vm.mark()
    vm.send("reboot -f\r", pause=0.004)
    return up(vm, want, running, timeout)


def run(vm, command, timeout=200):
    """A command in the node's shell: its output."""
    return vm.run("echo begin=; " + command, timeout).rpartition("begin=\n")[2]


def status(vm, *texts):
    """`slipway status` in words, with these texts in it."""
    said = run(vm, "slipway status")
    for text in texts:
        if text not in said:
            raise harness.Failure("%r is not in the status:\n%s" % (text, said))
    return said


def slipway(vm, words, timeout=200):
    """A slipway command on the node; its JSON."""
    return json.loads(run(vm, "slipway --json %s" % words, timeout))
