# SPDX-License-Identifier: Apache-2.0
"""An install onto two disks, taken back on the same machine; a third one erases itself."""

import glob
import gzip
import os
import stat
import subprocess

import bootnode
import disk
import harness
import payload
import server
from test_disks import ANSWERS, SERIALS
from test_install import check

MIB = 1 << 20
NVME = "/usr/sbin/nvme"
STUB = "usr/lib/systemd/boot/efi/linuxx64.efi.stub"
LAYOUTS = "usr/share/slipway/layouts"
SIZE = 2048 * MIB
# Old tables; "films" lies in the last MiB, which undo promises, "old" where the slots will be.
OLD = ("label: gpt\nstart=2MiB, size=300MiB, name=old\n",
       "label: gpt\nstart=2MiB, size=300MiB, name=old\nstart=2047MiB, size=900KiB, name=films\n")
MKE2FS = b"[defaults]\n\tbase_features = sparse_super,large_file,filetype,resize_inode,dir_index\n"


def node_with_tools(directory):
    """The tests' node with mkfs.ext4 and nvme in a second archive behind its initrd."""
    node = bootnode.build()
    files = {"etc": (stat.S_IFDIR | 0o755, b""),
             "etc/mke2fs.conf": (stat.S_IFREG | 0o644, MKE2FS)}
    payload.programs(files, "/sbin/mkfs.ext4", *([NVME] if os.path.exists(NVME) else []))
    for at in ("usr/lib", "usr/lib/systemd", "usr/lib/systemd/boot", os.path.dirname(STUB)):
        files[at] = (stat.S_IFDIR | 0o755, b"")
    with open("/" + STUB, "rb") as file:
        files[STUB] = (stat.S_IFREG | 0o644, file.read())
    for at in ("usr/share", "usr/share/slipway", LAYOUTS, LAYOUTS + "/mirror"):
        files[at] = (stat.S_IFDIR | 0o755, b"")
    for path in glob.glob(os.path.join(harness.ROOT, "layouts/mirror/*.conf")):
        with open(path, "rb") as file:
            files["%s/mirror/%s" % (LAYOUTS, os.path.basename(path))] = (stat.S_IFREG | 0o644,
                                                                       file.read())
    path = os.path.join(directory, "initrd")
    with open(node.initrd, "rb") as first, open(path, "wb") as file:
        file.write(first.read() + gzip.compress(payload.newc(files), 1, mtime=0))
    return node, path


def piece(image, start, end):
    with open(image.path, "rb") as file:
        file.seek(start)
        return file.read(end - start)


def ends(image):
    """The first and the last MiB: both copies of the table, and what undo promises."""
    return piece(image, 0, MIB), piece(image, image.size - MIB, image.size)


def old_disk(directory, serial, table):
    image = disk.Disk(os.path.join(directory, serial), serial, SIZE, "virtio")
    subprocess.run(["sfdisk", "-q", image.path], input=table.encode(), check=True)
    with open(image.path, "r+b") as file:
        for at in (512 << 10, SIZE - MIB + 4096, SIZE - (200 << 10)):
            file.seek(at)
            file.write(b"%s %12d\n" % (serial.encode(), at) * 2000)
    return image


def variables(vm):
    """Boot order, and every Boot#### and variable of ours, as efivarfs has them."""
    return bootnode.run(vm, "cd /sys/firmware/efi/efivars; for f in Boot[0O]* Slipway*; do "
                            "[ -e $f ] && echo $f $(sha256sum <$f); done; cd /")


def install(vm, url, node, initrd):
    text = ANSWERS.format(first=SERIALS[0], second=SERIALS[1],
                          kernel=url + "/vmlinuz", initrd=url + "/initrd",
                          kernel_sum=node.sha256(node.kernel), initrd_sum=node.sha256(initrd),
                          cmdline=bootnode.CMDLINE + "new", attest=bootnode.ATTEST)
    lines = " ".join("'%s'" % line for line in text.splitlines())
    bootnode.run(vm, "printf '%%s\\n' %s >/answers.yaml" % lines)
    bootnode.run(vm, "slipway install --answers /answers.yaml --yes && echo INSTALLED", 600)


def erase(vm, third):
    """The NVMe disk's own command, through nvme-cli; what is read back is said to be verified."""
    if not os.path.exists(NVME):
        print("# nvme-cli is not installed: no disk erases itself")
        return
    report = bootnode.slipway(vm, "wipe --match serial=OTHER9876 --method secure --confirm 9876 "
                                  "2>/erase.log | tail -n 1", 400)
    states = {r["what"]: r["state"] for r in report["regions"]}
    how = [r["how"] for r in report["regions"] if r["what"] == "content"]
    check(how == ["NVMe format with user data erase"] and report["result"] == "done",
          "the report: %s" % report)
    check(states["first sector"] == "verified by reading" and
          set(states.values()) <= {"commanded", "verified by reading"}, "regions %s" % states)
    with open(third.path, "rb") as file:
        check(not file.read().strip(b"\0"), "something is left on the disk")


def test_undo_of_a_mirror_install(directory):
    """Installed on two disks with old tables beside a third disk, and undone in the same start.

    Both tables and the disks' first and last MiB come back bit by bit, with a small partition in
    one of these, and the boot variables too; undo says first which partitions are not whole. The
    third disk, which neither touched, then erases itself by its own command (NVMe format).
    """
    node, initrd = node_with_tools(directory)
    machine = harness.Machine(os.path.join(directory, "machine"))
    images = [old_disk(directory, serial, old)
              for serial, old in zip(SERIALS, OLD, strict=True)]
    third = disk.Disk(os.path.join(directory, "third"), "OTHER9876", 64 * MIB, "nvme")
    third.fill("third")
    machine.disks += [*images, third]
    other, before = third.hash(), [ends(image) for image in images]
    http = server.Server()
    try:
        for name, path in (("/vmlinuz", node.kernel), ("/initrd", initrd)):
            with open(path, "rb") as file:
                url = http.add(name, file.read())
        with harness.Vm(machine, kernel=node.kernel, initrd=initrd,
                        append=bootnode.CMDLINE + "undo") as vm:
            bootnode.up(vm)
            first = variables(vm)
            check("BootOrder" in first, "no variables: %s" % first)
            install(vm, url.rpartition("/")[0], node, initrd)
            check(variables(vm) != first, "the install wrote no variables")
            there = [[p["name"] for p in image.partitions()] for image in images]
            check(all(p[:2] == ["slipway-a", "slipway-b"] and "state" in p for p in there),
                  "the tables after the install: %s" % there)
            said = bootnode.run(vm, "slipway undo --yes", 400)
            for text in ("the old boot order", "films: comes back whole", "old: NOT whole"):
                check(text in said, "%r is not in what undo said: %s" % (text, said))
            check(variables(vm) == first, "variables before %s\nand after %s" %
                  (first, variables(vm)))
            states = [j["state"] for j in bootnode.slipway(vm, "status")["journals"]]
            check(states == ["undone"], "journals %s" % states)
            bootnode.run(vm, "sync")
            check(third.hash() == other, "the third disk was written to")
            erase(vm, third)
    finally:
        http.close()
    for image, was in zip(images, before, strict=True):
        check(ends(image) == was, "%s: other bytes at its ends" % image.serial)


test_undo_of_a_mirror_install.long = True
