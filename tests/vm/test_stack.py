# SPDX-License-Identifier: Apache-2.0
"""Encryption, a mirror and a volume group that the medium puts together to look into: what is in
them can be read, and no block of any disk changes."""

import os
import re
import subprocess

import disk
import harness
from test_iso import check, shell

KEY = "open sesame"
SIZE = 96 << 20
SERIALS = ("SEALED", "PAIRONE", "PAIRTWO", "GROUP")

# By mdadm and lvm themselves, in a start of its own; a file in each file system.
MAKE = (
    "mkdir -p /tmp/w && echo hello >/tmp/w/witness",
    "modprobe -a raid1 dm-mod ext4; export MDADM_NO_UDEV=1 DM_DISABLE_UDEV=1",
    "mdadm --create /dev/md0 --run --level=1 --raid-devices=2 --assume-clean --name=pair "
    "/dev/vdb /dev/vdc && /usr/sbin/mkfs.ext4 -q -d /tmp/w /dev/md0 && mdadm --stop /dev/md0",
    "lvm vgcreate -y vg0 /dev/vdd && lvm lvcreate -y -n root -L 40M vg0 && "
    "lvm lvcreate -y -n more -L 20M vg0 && /usr/sbin/mkfs.ext4 -q -d /tmp/w /dev/vg0/root && "
    "lvm vgchange -an vg0",
    "sync",
)


def sealed(path, work):
    """A disk that is one LUKS2 with an ext4 in it, made by cryptsetup on the file."""
    folder = os.path.join(work, "content")
    os.makedirs(folder)
    with open(os.path.join(folder, "witness"), "w", encoding="utf-8") as file:
        file.write("hello\n")
    key = os.path.join(work, "key")
    with open(key, "w", encoding="utf-8") as file:
        file.write(KEY)
    with open(path, "wb") as file:
        file.truncate(SIZE)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", folder, "-F", path, "60M"], check=True)
    subprocess.run(["cryptsetup", "reencrypt", "--encrypt", "--batch-mode", "--type", "luks2",
                    "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000",
                    "--reduce-device-size", "32M", "--key-file", key, path], check=True,
                   stdout=subprocess.DEVNULL)


def machine_with_stacks(directory):
    machine = harness.Machine(directory)
    for serial in SERIALS:
        path = os.path.join(directory, serial)
        if serial == "SEALED":
            sealed(path, directory)
        machine.disks.append(disk.Disk(path, serial, SIZE, "virtio"))
    return machine


def started(vm):
    shell(vm)
    vm.run("until [ -e /run/slipway/settled ]; do sleep 1; done", timeout=120)


def make(machine, iso):
    with harness.Vm(machine, iso=iso, network=False) as vm:
        started(vm)
        for command in MAKE:
            vm.run(command, timeout=120)


def witness(vm, device):
    """The file in the file system on a device, read by debugfs, which mounts nothing."""
    return vm.run("debugfs -R 'cat witness' %s 2>/dev/null" % device, timeout=60)


def nothing_by_itself(vm):
    """Neither udev nor the kernel has put anything together."""
    said = vm.run("for f in /sys/block/*/dm /sys/block/*/md; do [ -e $f ] && echo on=$f; done; "
                  "true")
    check("on=/sys" not in said, "what nobody asked for: %r" % said)


def look_into_all(vm):
    """By command; what mount sees is read-only, and writes fail."""
    vm.run("printf '%s' >/tmp/key" % KEY)
    said = vm.run("slipway disks open vda --key-file /tmp/key", timeout=120)
    check("slipway-vda" in said and "ext4" in said, said)
    check("hello" in witness(vm, "/dev/mapper/slipway-vda"), "the encrypted disk")
    said = vm.run("slipway disks open vdb", timeout=120)
    check("md127" in said and "on vdb, vdc" in said, said)
    check("hello" in witness(vm, "/dev/md127"), "the mirror")
    vm.run("grep 1 /sys/block/md127/ro && grep readonly /sys/block/md127/md/array_state")
    said = vm.run("slipway disks open vdd", timeout=120)
    check("vg0-root" in said and "vg0-more" in said, said)
    check("hello" in witness(vm, "/dev/mapper/vg0-root"), "the volume")


def close_all(vm):
    """What is mounted stays, the rest is ended; then nothing is left."""
    vm.run("mount -t ext4 -o ro,noload /dev/mapper/vg0-root /mnt && grep hello /mnt/witness",
           timeout=60)
    said = vm.run("! slipway disks close", timeout=120)
    check("something uses what was opened" in said and "vg0-root" in said, said)
    said = vm.run("umount /mnt; slipway disks close", timeout=60)
    check("Closed: 1" in said, said)
    nothing_by_itself(vm)


def try_to_write(vm):
    """What a bug would do: every layer refuses, down to the loop devices."""
    for device in ("/dev/mapper/slipway-vda", "/dev/md127", "/dev/mapper/vg0-root",
                   "/dev/loop1", "/dev/loop2"):
        vm.run("blockdev --setrw %s; ! dd if=/dev/zero of=%s bs=4096 count=1 conv=fsync" %
               (device, device), timeout=60)


def degraded(vm):
    """One member alone: only when it is asked for."""
    vm.run("d=$(readlink -f /sys/block/vdc/device); echo ${d##*/} >$d/driver/unbind; n=0; "
           "while [ -e /sys/block/vdc ] && [ $n -lt 60 ]; do sleep 1; n=$((n+1)); done; "
           "! [ -e /sys/block/vdc ]", timeout=90)
    said = vm.run("! slipway disks open vdb", timeout=120)
    check("members of the array are away" in said and "--degraded" in said, said)
    nothing_by_itself(vm)
    said = vm.run("slipway disks open vdb --degraded", timeout=120)
    device = re.search(r"^/dev/md\d+", said, re.M)
    check(device and "hello" in witness(vm, device.group()), said)
    vm.run("slipway disks close", timeout=60)


def test_what_is_encrypted_mirrored_or_in_volumes_is_looked_into(directory):
    """LUKS2, an md mirror, whole and with one disk away, and LVM, each on disks of its own, made by
    cryptsetup, mdadm and lvm: opened by command, read, closed, and every block is as before."""
    iso = harness.build_file("slipway.iso")
    machine = machine_with_stacks(directory)
    make(machine, iso)
    before = [d.hash() for d in machine.disks]
    with harness.Vm(machine, iso=iso, network=False) as vm:
        started(vm)
        nothing_by_itself(vm)
        look_into_all(vm)
        try_to_write(vm)
        close_all(vm)
        degraded(vm)
        vm.run("sync")
    for d, old in zip(machine.disks, before):
        check(d.hash() == old, "a look has changed " + d.serial)


# Two starts of the medium.
test_what_is_encrypted_mirrored_or_in_volumes_is_looked_into.long = True
