# SPDX-License-Identifier: Apache-2.0
"""A technician in front of a node that does not start: the medium as a USB stick, keys on the
serial line, and what the screen says to do. First everything is looked at: no block changes."""

import hashlib
import os
import subprocess

import bootnode
import disk
import harness
from test_doctor import doctor, repair_by_keys, spoil
from test_install import check, need_slipway
from test_modes import zero_boot_sector


def blocks(machine):
    """The hash of every block of the node's disk."""
    found = hashlib.sha256()
    with open(machine.disks[0].path, "rb") as file:
        while data := file.read(8 << 20):
            found.update(data)
    return found.hexdigest()


def choose(vm, name, *seen):
    """The row with this word in it, by a search."""
    vm.send("/", name, "ENTER", "ENTER", pause=0.1)
    for text in seen:
        vm.expect_screen(text, timeout=150)


def back(vm, title):
    vm.send("BACK")
    vm.expect_screen(title)


def look_at_partitions(vm):
    """What is on the disk, and the files of a slot that is whole, read without mounting."""
    choose(vm, "Disks", "nvme0n1")
    for name, files in (("slipway-a", True), ("slipway-b", False), ("slipway-node", False)):
        choose(vm, name)
        # The words of the partition before stand there until the new frame is drawn.
        vm.redraw()
        vm.expect_screen("Begins at", timeout=150)
        vm.send("ENTER")
        vm.expect_screen("directory" if files else "cannot look into this", timeout=60)
        if files:
            choose(vm, "EFI", "BOOT")
            back(vm, "SLIPWAY")
        back(vm, "One partition")
        back(vm, "Disks and partitions")
    back(vm, "Memory test")


def look_at_everything(vm):
    vm.expect_screen("Find out why it does not boot", timeout=400)
    vm.expect_screen(" wrong: ", timeout=150)
    choose(vm, "Tools", "Disks, partitions, files")
    look_at_partitions(vm)
    choose(vm, "Logs", "none was recorded")
    choose(vm, "kernel", "Linux version")
    back(vm, "none was recorded")
    back(vm, "Memory test")
    choose(vm, "TPM", "no TPM")
    back(vm, "Memory test")
    choose(vm, "Hardware", "Processor")
    vm.expect_screen("nvme0n1")
    back(vm, "Memory test")
    choose(vm, "Bundle", "Write it", "facts.json")
    back(vm, "Memory test")
    choose(vm, "Configuration", "there is no configuration to import")
    back(vm, "Memory test")
    back(vm, "Install a node")
    choose(vm, "Status", "nvme0n1")
    back(vm, "Install a node")
    vm.send("HOME")


def spoilt_node(directory, *partitions):
    """A node with two images, another machine's, whose slot B and first node data are damaged; the
    given ones lose their first 4 KiB as well."""
    node = bootnode.build()
    machine = bootnode.installed(directory, node)
    bootnode.on_standin(os.path.join(directory, "standin"), "promote", "--uki",
                        node.image("lkg2"), "--trust", "none")
    zero_boot_sector(machine, 1)
    found = machine.disks[0].partitions()
    spoil(machine, found[2]["start"] + 4096, b"XX")
    for number in partitions:
        spoil(machine, found[number]["start"], bytes(4096))
    return machine


def test_a_technician_does_what_the_screen_says(directory):
    """The primary table, the newer image, a copy of the node data, the superblock of the state and
    all boot entries are gone: a stick, keys on the serial line, and the node starts."""
    iso = need_slipway()
    machine = spoilt_node(directory, 3)
    spoil(machine, 512, bytes(33 * 512))
    with harness.Vm(machine, iso=iso, iso_bus="usb-first", network=False) as vm:
        seen = repair_by_keys(vm)
    check(set(seen) == {"nvme0n1/gpt-primary", "slot-b", "node-data-copy", "nvme0n1/state",
                        "firmware-new"}, "repaired: %r" % seen)
    with harness.Vm(machine, cpus=1, network=False) as vm:
        bootnode.up(vm, "lkg", "slot")
        left = doctor(vm)
        check(not left, "the node is not whole: %r" % left)


def test_a_technician_looks_at_everything_and_puts_it_right(directory):
    """A destroyed slot and a bad copy of the node data: all that can be browsed leaves the disk as
    it was, then what the screen proposes is done, and the node starts."""
    iso = need_slipway()
    machine = spoilt_node(directory)
    before = blocks(machine)
    with harness.Vm(machine, iso=iso, iso_bus="usb-first", network=False) as vm:
        look_at_everything(vm)
        check(blocks(machine) == before, "looking at everything has changed the disk")
        seen = repair_by_keys(vm)
        check({"slot-b", "node-data-copy"} <= set(seen), "repaired: %r" % seen)
    check(blocks(machine) != before, "the repair has written nothing")
    with harness.Vm(machine, cpus=1, network=False) as vm:
        bootnode.up(vm, "lkg", "slot")


# A start from the stick and one of the node: two minutes, which a change of a screen does not pay.
test_a_technician_looks_at_everything_and_puts_it_right.long = True


NETWORK = "[Match]\nName=eth0\n\n[Network]\nAddress=10.0.2.15/24\nGateway=10.0.2.2\n"
MACHINE_ID = "0123456789abcdef0123456789abcdef"


def key(directory, name):
    """(path of the private half, the public line)"""
    path = os.path.join(directory, name)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path],
                   check=True)
    with open(path + ".pub", encoding="utf-8") as file:
        return path, file.read()


def config_stick(directory, files):
    """A removable FAT partition SLIPWAY with these below config/."""
    sources = {}
    for number, (name, text) in enumerate(files.items()):
        path = os.path.join(directory, "config-%d" % number)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        sources["/config/" + name] = path
    stick = disk.make_esp_disk(os.path.join(directory, "CONF01"), "CONF01", sources, bus="usb",
                               name="SLIPWAY")
    stick.removable = True
    return stick


def import_by_keys(vm):
    """What the stick has, each file with its verdict; then it is imported."""
    vm.expect_screen("Install a node", timeout=400)
    vm.expect_screen("node-07", timeout=150)
    choose(vm, "Tools", "Configuration on a stick")
    choose(vm, "Configuration", "the stick")
    for text in ("hostname", "machine-id", "authorized_keys", "ssh_host_ed25519_key",
                 "10-lan.network"):
        vm.expect_screen(text)
    choose(vm, "Import", "into the node data of node-07?")
    vm.send("DOWN", "ENTER", pause=0.3)
    vm.expect_screen("Imported, and read back.", timeout=200)


def test_a_configuration_on_a_stick_is_imported_by_keys_and_the_node_has_it(directory):
    """Host name, machine ID, who may log in, the host's own key and the network lie on a stick
    beside the medium: by keys on the serial line into the node data, the key sealed to the TPM.
    The node starts from its disk and has all of them."""
    iso = need_slipway()
    host, host_public = key(directory, "host")
    _, operator = key(directory, "operator")
    with open(host, encoding="utf-8") as file:
        private = file.read()
    machine = bootnode.installed(directory, bootnode.build())
    machine.tpm = True
    stick = config_stick(directory, {
        "hostname": "node-08\n", "machine-id": MACHINE_ID + "\n", "ssh/authorized_keys": operator,
        "ssh/ssh_host_ed25519_key": private, "network/10-lan.network": NETWORK})
    machine.disks.append(stick)
    with harness.Vm(machine, iso=iso, network=False) as vm:
        import_by_keys(vm)
    machine.disks.remove(stick)
    with harness.Vm(machine, cpus=1, network=False) as vm:
        bootnode.up(vm, "lkg", "slot")
        said = bootnode.run(vm, "cd /run/node; cat hostname machine-id ssh/authorized_keys "
                            "ssh/ssh_host_ed25519_key.pub; find . -name '10-lan.network' -exec "
                            "cat {} \\;; ls credentials")
        for text in ("node-08", MACHINE_ID, operator.strip(), " ".join(host_public.split()[:2]),
                     "Gateway=10.0.2.2", "ssh_host_ed25519_key.cred"):
            check(text in said, "%r is not in\n%s" % (text, said))
        check("PRIVATE KEY" not in said, "a private key in the clear:\n" + said)


# A start from the medium and one of the node: a change of what an import takes does not pay it.
test_a_configuration_on_a_stick_is_imported_by_keys_and_the_node_has_it.long = True
