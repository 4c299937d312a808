# SPDX-License-Identifier: Apache-2.0
"""An initrd-only node: busybox, the shipped shell fragment, slipway-node.cpio, and nothing else.

The initrd has no libc, no /etc and no tools of slipway's: everything that promotes, arms and
configures comes out of the archive that was put behind it. The disk is made by an install onto a
stand-in machine, so that the only machines started here are the node's own.
"""

import gzip
import json
import os
import stat
import subprocess

import disk
import harness
import payload
import server
import test_install

FOLDER = os.path.join(harness.BUILD, "vm-node")
MODULES = ["efivarfs", "virtio_pci", "virtio_blk", "nvme", "virtio_net", "i6300esb"]
NET_MODULES = ("virtio_net", "net_failover", "failover")
FRAGMENT = os.path.join(harness.ROOT, "docs", "examples", "node", "slipway-node.sh")
CMDLINE = "console=ttyS0,115200 panic=1 quiet"
ATTEST = test_install.ATTEST

# What is the node's own: drivers and network. The rest is the fragment, in its order.
INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /run /tmp
/bin/busybox --install -s /bin
export PATH=/bin HOME=/
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
exec </dev/ttyS0 >/dev/ttyS0 2>&1
stty -echo
dmesg -n 1
. /slipway-node.sh
while read -r module; do
	insmod /modules/$module
	case $module in i6300esb.ko) node_watchdog ;; esac
done </modules/order
mount -t efivarfs efivarfs /sys/firmware/efi/efivars
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
n=0
while [ $n -lt 30 ] && ! ls /sys/class/block/*/partition >/dev/null 2>&1; do
	n=$((n + 1))
	sleep 0.1
done
echo "NODE-UP $(cat /etc/node-id)"
node_config /run/node
echo "NODE attest=$(cat /run/node/attest_url)"
echo "NODE road=$(node_road)"
echo NODE-END
PS1='node# ' exec sh
"""


def _initrd(path, word, modules, archive):
    """busybox and the modules, packed; slipway-node.cpio behind it as `cat` does it."""
    order = payload.load_order(modules, MODULES)
    files = {name: (stat.S_IFDIR | 0o755, b"") for name in ("bin", "modules", "etc")}
    for name, source in (("bin/busybox", "/bin/busybox"), ("slipway-node.sh", FRAGMENT)):
        with open(source, "rb") as file:
            files[name] = (stat.S_IFREG | 0o755, file.read())
    for name in order:
        files["modules/%s.ko" % name] = (stat.S_IFREG | 0o644, modules[name])
    listing = "".join(name + ".ko\n" for name in order)
    files["modules/order"] = (stat.S_IFREG | 0o644, listing.encode())
    files["etc/node-id"] = (stat.S_IFREG | 0o644, word.encode() + b"\n")
    files["init"] = (stat.S_IFREG | 0o755, INIT.encode())
    with open(path, "wb") as file:
        file.write(gzip.compress(payload.newc(files), 6, mtime=0))
        file.write(b"\0" * (-file.tell() % 4))
        with open(archive, "rb") as source:
            file.write(gzip.compress(source.read(), 6, mtime=0))


def build():
    """Two images of the node, told apart by the word in /etc/node-id."""
    archive = harness.build_file("slipway-node.cpio")
    os.makedirs(FOLDER, exist_ok=True)
    kernel, modules = payload.unpack(payload.kernel_package(), NET_MODULES)
    nodes = []
    for word in ("first", "second"):
        folder = os.path.join(FOLDER, word)
        os.makedirs(folder, exist_ok=True)
        node = payload.Payload(folder)
        with open(node.kernel, "wb") as file:
            file.write(kernel)
        _initrd(node.initrd, word, modules, archive)
        nodes.append(node)
    return nodes


def _run(*argv, **more):
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, **more)
    test_install.check(done.returncode == 0, "%s: %s%s" % (argv[0], done.stdout, done.stderr))
    return done.stdout


def _answers(node, key):
    text = test_install.ANSWERS.format(
        kernel=node.kernel, initrd=node.initrd, cmdline=CMDLINE, attest=ATTEST,
        kernel_sum=node.sha256(node.kernel), initrd_sum=node.sha256(node.initrd))
    return text.replace("finish: reboot", "finish: stay") + "trust: {keys: \"%s\"}\n" % key


def installed(directory, node, key):
    """A machine whose disk holds the node, and whose firmware knows nothing of it."""
    program = os.path.join(harness.BUILD, "release", "slipway")
    standin = os.path.join(directory, "standin")
    name = os.path.join(directory, "answers.yaml")
    for part in (node.kernel, node.initrd):
        sign(os.path.join(directory, "key"), part)
    with open(name, "w", encoding="utf-8") as file:
        file.write(_answers(node, key))
    _run(program, "machine", "create", standin, "--disk", "serial=NODE07SYS,size=4G")
    _run(program, "--machine", standin, "install", "--answers", name)
    facts = json.loads(_run(program, "--machine", standin, "--json", "facts"))
    image = next(d["node"] for d in facts["disks"] if d.get("serial") == "NODE07SYS")
    machine = harness.Machine(os.path.join(directory, "machine"))
    machine.disks.append(disk.Disk(image, "NODE07SYS", 4 << 30, "nvme"))
    return machine


def sign(key, path):
    if os.path.exists(path + ".sig"):
        os.unlink(path + ".sig")
    _run("ssh-keygen", "-q", "-Y", "sign", "-n", "slipway-image", "-f", key, path)


def shell(vm, command, timeout=60):
    """The node's shell does not echo, and run() takes the first line for the command itself."""
    return vm.run("echo; " + command, timeout=timeout)


def up(vm, word, timeout=60):
    vm.expect_raw("NODE-UP " + word, timeout=timeout)
    vm.expect_raw("NODE-END", timeout=60)
    vm.expect_raw("node# ", timeout=60)


def test_a_busybox_node_promotes_a_signed_image_and_restarts_into_it(directory):
    """slipway-node.cpio behind an initrd with nothing else in it does what a node must do.

    It starts from its slot by the fallback path, says where it is to be attested, refuses an image
    that nobody signed, promotes the signed one from an HTTP server and restarts into that.
    """
    first, second = build()
    key = os.path.join(directory, "key")
    _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ops", "-f", key)
    with open(key + ".pub", encoding="utf-8") as file:
        machine = installed(directory, first, file.read().strip())
    image = second.uki(os.path.join(directory, "second.efi"), CMDLINE)
    http = server.Server()
    try:
        url = http.add("/node.efi", image)
        with harness.Vm(machine, devices=("-device", "i6300esb")) as vm:
            up(vm, "first", timeout=120)
            seen = vm.plain()
            test_install.check("NODE attest=" + ATTEST in seen, seen)
            test_install.check("NODE road=slot" in seen, seen)
            text = shell(vm, "/slipway-node/slipway status")
            test_install.check("started from slot A" in text, text)
            refused = shell(vm, "/slipway-node/slipway promote --uki %s 2>&1; echo exit=$?" % url)
            test_install.check("exit=10" in refused, refused)
            sign(key, image)
            http.add("/node.efi.sig", image + ".sig")
            shell(vm, "echo from the cluster >/tmp/overlay")
            done = shell(vm, "/slipway-node/slipway promote --uki %s --overlay /tmp/overlay && "
                          "/slipway-node/slipway mode keep" % url, timeout=60)
            test_install.check("signed by ops" in done and "Written, read back" in done, done)
            vm.mark()
            vm.send("reboot -f\r")
            up(vm, "second", timeout=120)
            check_second(vm)
    finally:
        http.close()


def check_second(vm):
    """The promoted image runs, from slot B, with what was kept for it."""
    slots = json.loads(shell(vm, "/slipway-node/slipway --json slots"))["slots"]
    running = [s["slot"] for s in slots if s["running"]]
    test_install.check(running == ["b"], "running %r of %r" % (running, slots))
    test_install.check("from the cluster" in shell(vm, "cat /run/node/overlay"), "overlay")
    text = shell(vm, "node_good http://10.0.2.2:9/none; /slipway-node/slipway status")
    test_install.check("started from slot B" in text, text)
