# SPDX-License-Identifier: Apache-2.0
"""The layout mirror: a node on two disks starts from either one, and its state is there."""

import gzip
import json
import os
import stat

import bootnode
import disk
import harness
import payload
from test_install import ATTEST, CMDLINE, PAYLOAD, check

SERIALS = ("NODE07SYS", "NODE07TWO")
MODULES = payload.MODULES + ["md_mod", "raid1", "crc32c_generic", "ext4"]
MDADM = "/usr/sbin/mdadm"

ANSWERS = """slipway: 1
node: {{hostname: node-07}}
disk:
  match: {{serial: {first}}}
  layout: mirror
  wipe: any
  more:
    - match: {{serial: {second}}}
      wipe: any
payload:
  kernel: {kernel}
  initrd: {initrd}
  sha256: {{kernel: "{kernel_sum}", initrd: "{initrd_sum}"}}
  cmdline: "{cmdline}"
boot: {{mode: local}}
admission: {{kind: attest, url: "{attest}"}}
finish: stay
"""

# The node says what the kernel makes of the partitions named state. With both disks it leaves a
# file behind, which each disk must have on its own.
RAID = r"""
export MDADM_NO_UDEV=1
mkdir -p /run /mnt
set --
for name in $(grep -l PARTNAME=state /sys/class/block/*/uevent); do
	name=${name%/uevent}
	set -- "$@" /dev/${name##*/}
done
@MDADM@ --assemble --run /dev/md0 "$@"
md=/sys/block/md0/md
echo "NODE array=$(cat $md/level $md/metadata_version $md/raid_disks | tr '\n' ' ')"
echo "NODE insync=$(cat $md/dev-*/state | grep -c in_sync)"
echo "NODE degraded=$(cat $md/degraded)"
if mount -t ext4 /dev/md0 /mnt; then
	[ $# -lt 2 ] || echo left-by-both >/mnt/witness
	echo "NODE witness=$(cat /mnt/witness)"
	umount /mnt
fi
@MDADM@ --stop /dev/md0
echo NODE-END
""".replace("@MDADM@", MDADM)


def raid_node(directory):
    """The tests' node with a second archive behind its initrd: RAID1, ext4, mdadm, and a longer
    /init. The kernel unpacks both; the later file wins."""
    node = payload.build(PAYLOAD)
    _, modules = payload.unpack(payload.kernel_package())
    order = payload.load_order(modules, MODULES)
    for name in ("raid1", "ext4"):
        check(name in order, "the kernel package has no module " + name)
    files = {"modules": (stat.S_IFDIR | 0o755, b"")}
    payload.programs(files, MDADM)
    for name in order:
        files["modules/%s.ko" % name] = (stat.S_IFREG | 0o644, modules[name])
    listing = "".join(name + ".ko\n" for name in order)
    files["modules/order"] = (stat.S_IFREG | 0o644, listing.encode())
    init = payload.INIT.replace("@GUID@", payload.GUID).replace("echo NODE-END\n", RAID)
    files["init"] = (stat.S_IFREG | 0o755, init.encode())
    more = payload.Payload(directory)
    more.kernel = node.kernel
    with open(node.initrd, "rb") as first, open(more.initrd, "wb") as file:
        file.write(first.read() + gzip.compress(payload.newc(files), 1, mtime=0))
    return more


def mirrored(directory, node):
    """The two disks of a mirrored node, installed unattended on a stand-in machine."""
    where = os.path.join(directory, "standin")
    words = [word for serial in SERIALS for word in ("--disk", "serial=%s,size=2G" % serial)]
    bootnode.on_standin(where, "machine", "create", where, *words)
    text = ANSWERS.format(first=SERIALS[0], second=SERIALS[1], kernel=node.kernel,
                          initrd=node.initrd, kernel_sum=node.sha256(node.kernel),
                          initrd_sum=node.sha256(node.initrd), cmdline=CMDLINE, attest=ATTEST)
    path = os.path.join(directory, "answers.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    bootnode.on_standin(where, "install", "--answers", path, "--yes")
    images = {d["serial"]: d["node"]
              for d in json.loads(bootnode.on_standin(where, "facts", "--json"))["disks"]}
    return [disk.Disk(images[serial], serial, 0, "virtio") for serial in SERIALS]


def start(machine, *disks):
    """The facts that the node prints on a board that knows no boot entry, with these disks."""
    machine.disks = list(disks)
    machine.wipe_nvram()
    with harness.Vm(machine, network=False) as vm:
        vm.expect_raw("NODE-END", timeout=400)
        return payload.facts(vm.plain())


def slot_a(system):
    return [p["uuid"] for p in system.partitions() if p["name"] == "slipway-a"][0]


def check_start(machine, *disks):
    """The node came from slot A of one of the disks, and its array has a member on each."""
    seen = start(machine, *disks)
    what = "with %s: " % " and ".join(d.serial for d in disks)
    check(CMDLINE in seen["cmdline"], what + "command line %r" % seen["cmdline"])
    check(seen["loaderpart"].lower() in [slot_a(d) for d in disks],
          what + "started from %r" % seen["loaderpart"])
    check(len(seen["part"]) == 4 * len(disks), what + "partitions %r" % seen["part"])
    check(seen["array"] == "raid1 1.2 2", what + "array %r" % seen["array"])
    check(seen["insync"] == str(len(disks)), what + "%s members" % seen["insync"])
    check(seen["degraded"] == str(2 - len(disks)), what + "degraded %s" % seen["degraded"])
    check(seen.get("witness") == "left-by-both", what + "state holds %r" % seen.get("witness"))


def test_mirror_starts_from_either_disk_alone(directory):
    """A mirrored node, whichever of its two disks is pulled out.

    slipway installs it on a stand-in machine's two disk images, so this proves what is on the
    disks, not the installer on the medium (test_install does that) nor its boot entries: every
    start is on a new board, so OVMF's fallback path must find the slot. With both disks Linux's own
    RAID1 takes the two partitions `state` as one array, in sync, with the ext4 that slipway made; a
    file is left on it. Then each disk alone: the node starts from that disk's slot A, the array
    comes up degraded with one member, and the file is there.
    """
    one, two = mirrored(directory, raid_node(directory))
    machine = harness.Machine(os.path.join(directory, "machine"))
    check_start(machine, one, two)
    check_start(machine, one)
    check_start(machine, two)
