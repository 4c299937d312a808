# SPDX-License-Identifier: Apache-2.0
"""The rest of the museum: what surrounds the node's disk (the machine, the state, other disks)."""
import json
import shutil
import struct

from lib import SOURCE, tool
from museum import SECTOR, VENDOR, exhibit, make_other_card, ranges

YEAR = 366 * 86400      # s


# -- the machine --

@exhibit("the firmware was set to BIOS", "bios-mode", repair=False, kind="machine")
def bios_mode(b):
    b.yaml("firmware: uefi", "firmware: bios")


@exhibit("the TPM is switched off", "tpm-gone", repair=False, kind="machine")
def tpm_off(b):
    b.yaml("tpm: true", "tpm: false")


@exhibit("the clock lost eleven years with its battery", "clock", repair=False, kind="machine")
def clock_behind(b):
    (b.dir / "clock").write_text(f"{-11 * YEAR}\n")


@exhibit("the clock is in the middle of the century", "clock", repair=False, kind="machine")
def clock_ahead(b):
    (b.dir / "clock").write_text(f"{25 * YEAR}\n")


@exhibit("an install failed at the last start, and noted it in the firmware", "last-failure",
         repair=False, info=True, kind="machine", says="did not take the file system")
def failed_before(b):
    noted = {"code": "FORMAT-7-EIO", "time": 1790000000, "step": 4, "steps": 9, "host": "node-07",
             "text": "the disk did not take the file system", "slipway_failure": 1}
    text = json.dumps(noted, separators=(",", ":")).encode()
    b.variable("SlipwayLastFailure", VENDOR).write_bytes(struct.pack("<I", 7) + text)


@exhibit("the disk says that it is failing", "health", repair=False, kind="machine")
def failing(b):
    health(b, "nvme-failing")


@exhibit("the disk is worn", "health", repair=False, kind="machine")
def worn(b):
    health(b, "nvme-worn")


def health(b, recorded):
    shutil.copy(SOURCE / "tests/fuzz/corpus/health" / recorded, b.dir / "smart.json")
    b.yaml("image: disk-1.img\n", "image: disk-1.img\n    health: smart.json\n")


@exhibit("the network card was replaced", "nic-gone", repair=False, make=make_other_card,
         kind="machine")
def card(b):
    assert b.order()


@exhibit("Secure Boot was turned on, and the images are not signed",
         ("unsigned-a", "unsigned-b"), repair=False, kind="machine")
def secure_boot(b):
    for name, value in (("SecureBoot", 1), ("SetupMode", 0)):
        b.variable(name).write_bytes(struct.pack("<IB", 6, value))


@exhibit("the node's disk is dead", "disk-gone", repair=False, kind="machine")
def dead(b):
    path = b.dir / "machine.yaml"
    before, _, rest = path.read_text().partition("  - name: nvme0n1\n")
    path.write_text(before + rest[rest.index("  - name: "):])


# -- the state --

@exhibit("the state was not unmounted and has errors", "state", keeps=False, kind="state")
def state_errors(b):
    b.on_state(lambda image: tool("debugfs", "-w", "-R", "ssv state 2", image))


@exhibit("an inode of the state is damaged", "state", keeps=False, kind="state")
def state_inode(b):
    def damage(image):
        tool("debugfs", "-w", "-R", "sif <2> links_count 77", image)
        tool("debugfs", "-w", "-R", "ssv state 2", image)
    b.on_state(damage)


@exhibit("the state's superblock is zeroed", "state", keeps=False, kind="state")
def state_superblock(b):
    b.write(b.at("state") + 1024, bytes(1024))


@exhibit("the state is full", "state-full", repair=False, kind="state")
def state_full(b):
    b.on_state(lambda image: tool("debugfs", "-w", "-R", "ssv free_blocks_count 10", image))


def remade(b, *mkfs, discards=True, room=None, fill=None):
    """Another file system in the state's place; on a disk that discards, nothing else is left.
    room: it is so large, in bytes; fill: called with its image."""
    at, size = b.state()
    if discards:
        tool("fallocate", "--punch-hole", "--offset", at, "--length", size, b.image)
    alone = b.case.dir / "made.img"
    with open(alone, "wb") as file:
        file.truncate(room or size)
    tool(*mkfs, alone)
    if fill:
        fill(alone)
    b.write(at, bytes(2 << 20))
    with open(alone, "rb") as file:
        for start, end in ranges(file):
            file.seek(start)
            b.write(at + start, file.read(end - start))
    alone.unlink()
    return at


@exhibit("the state is FAT, and one file takes all of it", "state-full", repair=False,
         keeps=False, kind="state")
def full_fat(b):
    large = b.case.dir / "large"
    large.write_bytes(bytes(399 * 10**5))
    remade(b, "mkfs.vfat", "-F", "32", "-s", "1", room=40000 << 10,
           fill=lambda image: tool("mcopy", "-i", image, large, "::"))


@exhibit("the state is a full FAT whose FSInfo says nothing", "state-full", repair=False,
         keeps=False, kind="state")
def full_fat_unknown(b):
    full_fat(b)
    b.write(b.at("state") + SECTOR + 488, b"\xff" * 4)


@exhibit("the state is xfs, and is full", "state-full", repair=False, keeps=False, kind="state")
def full_xfs(b):
    remade(b, "mkfs.xfs", "-q", fill=lambda image: tool(
        "xfs_db", "-x", "-c", "sb 0", "-c", "write fdblocks 100", image))


def crc32c(data):
    value = 0xffffffff
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82f63b78 if value & 1 else 0)
    return value ^ 0xffffffff


def used_up(image):
    """Every byte has a chunk, all but a 30th is used: no tool fills one that is not mounted."""
    with open(image, "r+b") as file:
        file.seek(65536)
        block = bytearray(file.read(4096))
        total, = struct.unpack_from("<Q", block, 112)
        struct.pack_into("<Q", block, 120, total - total // 30)
        struct.pack_into("<Q", block, 217, total - total // 100)
        struct.pack_into("<I", block, 0, crc32c(block[32:]))
        file.seek(65536)
        file.write(block)
    assert "[match]" in tool("btrfs", "inspect-internal", "dump-super", image).stdout


@exhibit("the state is btrfs, and is full", "state-full", repair=False, keeps=False, kind="state")
def full_btrfs(b):
    remade(b, "mkfs.btrfs", "-q", fill=used_up)


@exhibit("the state is FAT and was not unmounted", "state", keeps=False, kind="state")
def state_fat(b):
    at = remade(b, "mkfs.vfat", "-F", "32")
    b.write(at + 0x41, b"\1")


@exhibit("the state is xfs and has lost its first superblock", "state", keeps=False, kind="state")
def state_xfs(b):
    at = remade(b, "mkfs.xfs", "-q")
    b.write(at, bytes(512))


@exhibit("the state is btrfs and has lost its first superblock", "state", keeps=False,
         kind="state")
def state_btrfs(b):
    at = remade(b, "mkfs.btrfs", "-q")
    b.write(at + 65536, bytes(4096))


@exhibit("the state is xfs where an ext4 was, and has lost its first superblock", "state",
         keeps=False, kind="state")
def state_xfs_over_ext4(b):
    at = remade(b, "mkfs.xfs", "-q", discards=False)
    b.write(at, bytes(512))


@exhibit("the state is btrfs where an ext4 was, and has lost its first superblock", "state",
         repair=False, keeps=False, kind="state")
def state_btrfs_over_ext4(b):
    at = remade(b, "mkfs.btrfs", "-q", discards=False)
    b.write(at + 65536, bytes(4096))


# -- other disks --

@exhibit("a copy of the disk is in the machine", ("twin",), kind="other")
def cloned(b):
    with open(b.other, "r+b") as target, open(b.image, "rb") as source:
        for start, end in ranges(source):
            source.seek(start)
            target.seek(start)
            target.write(source.read(end - start))
    b.sgdisk("-e", image=b.other)


@exhibit("another disk has a partition that is called like a slot", "stale-label", kind="other")
def stale_label(b):
    b.sgdisk("-n", "1:2048:+512M", "-t", "1:ef00", "-c", "1:slipway-a", image=b.other)
