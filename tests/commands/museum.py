# SPDX-License-Identifier: Apache-2.0
"""The museum of broken nodes: what is done to a healthy node, and what doctor has to say of it.

Each exhibit is a small script of other people's tools (sgdisk, sfdisk, wipefs, mkfs, mtools,
e2fsprogs) and of plain writes, as dd makes them. None of them asks slipway for anything.
"""
import contextlib
import hashlib
import json
import os
import struct

from lib import (GLOBAL, Case, MiB, cut, decode_option, expect, fake_initrd, fake_kernel,
                 fingerprint, partitions, sha256, tool)

SECTOR = 512
ESP = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
BOOT_FILE = "::/EFI/BOOT/BOOTX64.EFI"
MANIFEST = "::/SLIPWAY/MANIFEST"
ORDER_OF_SLOTS = ("slipway-a", "slipway-b")
LOADER = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
VENDOR = "c7f24dd8-4d6c-4d0c-9a35-7e3f1b6f0a52"
SLIPWAY_VARIABLE = f"SlipwayBoot-{VENDOR}"
KNOWN = {}      # what made a node: the hashes of its images, and of what must stay


# ---- a healthy node, and what can be done to it ----

def make(case):
    """Two slots with an image each; the second is the newer one."""
    case.payload()
    case.create()
    expect(case.on("install", "--answers", case.answers()), 0)
    initrd = case.dir / "initrd-second"
    initrd.write_bytes(fake_initrd() + b"second")
    expect(case.on("promote", "--kernel", case.dir / "vmlinuz", "--initrd", initrd,
                   "--cmdline", "console=ttyS0", "--trust", "none"), 0)


def make_network(case):
    make(case)
    expect(case.on("mode", "network", "--uri", "http://boot.example/node.efi"), 0)


def make_other_card(case):
    make(case)
    entry = case.machine_dir / "vars" / f"Boot0001-{GLOBAL}"
    entry.write_bytes(entry.read_bytes().replace(bytes.fromhex("525400123456"),
                                                 bytes.fromhex("020000000099")))
    expect(case.on("mode", "network", "--nic", "02:00:00:00:00:99"), 0)


def run_from(case, letter):
    """As if the node had been started from this slot."""
    broken = Broken(case)
    uuid = broken.parts[f"slipway-{letter}"]["uuid"].lower()
    broken.variable("BootCurrent").write_bytes(struct.pack("<IH", 6, broken.number(letter)))
    broken.variable("LoaderDevicePartUUID", LOADER).write_bytes(
        struct.pack("<I", 6) + (uuid + "\0").encode("utf-16-le"))


@contextlib.contextmanager
def another_node():
    """A node of other answers, on a machine of its own while this lasts."""
    other = Case()
    try:
        other.create()
        expect(other.on("install", "--answers", other.answers(replace=(
            ("hostname: node-07", "hostname: other-9"),))), 0)
        yield Broken(other)
    finally:
        other.close()


class Broken:
    """A node's disk and variables, for those who break them."""

    def __init__(self, case):
        self.case, self.dir = case, case.machine_dir
        self.image = self.dir / "disk-1.img"
        self.other = self.dir / "disk-2.img"
        self.parts = partitions(self.image)
        self.size = self.image.stat().st_size

    def write(self, offset, data, image=None):
        with open(image or self.image, "r+b") as file:
            file.seek(offset)
            file.write(data)

    def read(self, offset, length):
        with open(self.image, "rb") as file:
            file.seek(offset)
            return file.read(length)

    def at(self, label):
        return self.parts[label]["start"] * SECTOR

    def bytes(self, label):
        return self.parts[label]["size"] * SECTOR

    def fat(self, label):
        return f"{self.image}@@{self.at(label)}"

    def put(self, label, target, data):
        path = self.case.dir / "put"
        path.write_bytes(data)
        tool("mcopy", "-o", "-i", self.fat(label), path, target)

    def get(self, label, source):
        path = self.case.dir / "got"
        tool("mcopy", "-n", "-o", "-i", self.fat(label), source, path)
        return path.read_bytes()

    def sgdisk(self, *words, image=None):
        tool("sgdisk", *words, image or self.image)

    def grow(self, by):
        os.truncate(self.image, self.size + by)
        self.resized(self.size + by)

    def resized(self, size):
        path = self.dir / "machine.yaml"
        path.write_text(path.read_text().replace(f"size: {self.size}\n", f"size: {size}\n", 1))

    def cut_off(self, by):
        os.truncate(self.image, self.size - by)
        self.resized(self.size - by)

    def yaml(self, old, new):
        path = self.dir / "machine.yaml"
        text = path.read_text()
        assert old in text, text
        path.write_text(text.replace(old, new, 1))

    # -- variables --

    def variable(self, name, guid=GLOBAL):
        return self.dir / "vars" / f"{name}-{guid}"

    def entry(self, letter):
        """The file of the boot entry of a slot."""
        uuid = self.parts[f"slipway-{letter}"]["uuid"].lower()
        for path in sorted((self.dir / "vars").glob(f"Boot0*-{GLOBAL}")):
            if decode_option(path.read_bytes()[4:])[1] == uuid:
                return path
        raise AssertionError(f"no entry of slot {letter}")

    def any_entry(self):
        """That of a slot which has one; its own faults may have taken the other's."""
        for letter in "ab":
            with contextlib.suppress(AssertionError):
                return self.entry(letter)
        raise AssertionError("no slot has an entry")

    def number(self, letter):
        return int(self.entry(letter).name[4:8], 16)

    def order(self):
        data = self.variable("BootOrder").read_bytes()[4:]
        return list(struct.unpack(f"<{len(data) // 2}H", data))

    def set_order(self, numbers):
        self.variable("BootOrder").write_bytes(
            struct.pack(f"<I{len(numbers)}H", 7, *numbers))

    def edit_entry(self, letter, change):
        path = self.entry(letter)
        data = bytearray(path.read_bytes())
        path.write_bytes(bytes(change(data)))

    # -- the state --

    def state(self):
        return self.at("state"), self.bytes("state")

    def on_state(self, command):
        """debugfs on the state, which it needs as a file of its own."""
        at, _ = self.state()
        alone = self.case.dir / "state.img"
        cut(self.image, self.parts["state"], alone)
        command(alone)
        with open(alone, "rb") as source, open(self.image, "r+b") as file:
            for start, end in ranges(source):
                source.seek(start)
                file.seek(at + start)
                file.write(source.read(end - start))
        alone.unlink()


def ranges(file):
    end, at = os.fstat(file.fileno()).st_size, 0
    while at < end:
        try:
            at = os.lseek(file.fileno(), at, os.SEEK_DATA)
        except OSError:
            return
        hole = os.lseek(file.fileno(), at, os.SEEK_HOLE)
        yield at, hole
        at = hole


# ---- what the firmware would do ----

def images(broken):
    """The image of each slot as mtools read it."""
    return {label: sha256(broken.get(label, BOOT_FILE)) for label in ORDER_OF_SLOTS}


def starts(case, known):
    """The slot that a UEFI firmware starts from the disk, by the variables and the table alone:
    the first active entry of the order whose partition is an ESP and whose file is whole."""
    broken = Broken(case)
    by_uuid = {p["uuid"].lower(): (label, p) for label, p in broken.parts.items()}
    for number in broken.order():
        path = broken.variable(f"Boot{number:04X}")
        if not path.exists():
            continue
        data = path.read_bytes()[4:]
        _, uuid, file = decode_option(data)
        label, part = by_uuid.get(uuid, (None, None))
        if not data[0] & 1 or not part or part["type"].upper() != ESP or not file:
            continue
        if sha256(broken.get(label, "::" + file.replace("\\", "/"))) in known:
            return label
    return None


def kept(broken):
    """What no repair of a table, a slot or an entry has any business with."""
    return {label: fingerprint(broken.image, broken.at(label), broken.bytes(label))
            for label in ("state",) if label in broken.parts}


# ---- what doctor says and does ----

def findings(case):
    done = case.on("--json", "doctor")
    assert done.code in (0, 8), done
    return done.json()["findings"]


def everything(case):
    """Every block of every disk, and every variable."""
    found = {path.name: fingerprint(path) for path in case.machine_dir.glob("disk-*.img")}
    for path in (case.machine_dir / "vars").iterdir():
        found[path.name] = path.read_bytes()
    return found


def bad(found):
    return [f for f in found if f["severity"] != "info"]


def kind_of(finding):
    return finding["id"].split("/")[-1]


def healthy(case, make):
    """A healthy node; what is known of it is looked at once."""
    case.copy_of(make)
    if make not in KNOWN:
        broken = Broken(case)
        KNOWN[make] = (set(images(broken).values()), kept(broken))
        assert starts(case, KNOWN[make][0]), "the healthy node does not start"
    return KNOWN[make]


def repair_all(case, given=None):
    """The first finding first, until nothing is wrong; what was repaired."""
    done = []
    for _ in range(12):
        left = [f for f in bad(findings(case)) if "repair" in f]
        if not left:
            return done
        more = []
        if "needs" in left[0]["repair"]:
            more = ["--given", case.dir / "given"]
            more[1].write_bytes(given)
        expect(case.on("--yes", "doctor", "--repair", left[0]["id"], *more), 0, "is gone")
        done.append(left[0]["id"])
    raise AssertionError(f"no end of repairs: {done}")


# ---- the exhibits ----

class Exhibit:
    """first: what may stand first in the list, ID by its end; repair: one that has to be offered;
    keeps: the state must be as it was."""

    def __init__(self, name, what, damage, first, repair=True, **more):
        self.name, self.what, self.damage = name, what, damage
        self.first = (first,) if isinstance(first, str) else first
        self.repair = repair
        self.make = more.get("make", make)
        self.keeps = more.get("keeps", True)
        self.kind = more.get("kind", "")
        self.given = more.get("given")      # what its repair asks for
        self.mends = more.get("mends", True)    # False: not without somebody else's help
        self.info = more.get("info", False)     # it tells of something, and nothing is wrong
        self.says = more.get("says", "")        # in the evidence of what stands first


EXHIBITS = []


def exhibit(what, first, repair=True, **more):
    def add(function):
        name = function.__name__.replace("_", "-").strip("-")
        EXHIBITS.append(Exhibit(name, what, function, first, repair, **more))
        return function
    return add


def zeros(count):
    return bytes(count * SECTOR)


# -- the partition table --

@exhibit("the primary header's checksum is wrong", "gpt-primary", kind="table")
def header_bytes(b):
    b.write(SECTOR + 40, b"\xff" * 8)


@exhibit("the primary header is zeroed", "gpt-primary", kind="table")
def header_zeroed(b):
    b.write(SECTOR, zeros(1))


@exhibit("the primary entries are zeroed", "gpt-primary", kind="table")
def entries_zeroed(b):
    b.write(2 * SECTOR, zeros(32))


@exhibit("one bit of the primary entries is flipped", "gpt-primary", kind="table")
def entry_bit(b):
    b.write(2 * SECTOR + 35, bytes([b.read(2 * SECTOR + 35, 1)[0] ^ 4]))


@exhibit("header and entries of the primary are zeroed", "gpt-primary", kind="table")
def primary_zeroed(b):
    b.write(SECTOR, zeros(33))


@exhibit("a boot loader was written over the primary", "gpt-primary", kind="table")
def primary_overwritten(b):
    b.write(SECTOR, hashlib.shake_256(b"grub").digest(40 * SECTOR))


@exhibit("the backup header is zeroed", "gpt-backup", kind="table")
def backup_zeroed(b):
    b.write(b.size - SECTOR, zeros(1))


@exhibit("the backup header's checksum is wrong", "gpt-backup", kind="table")
def backup_bytes(b):
    b.write(b.size - SECTOR + 24, b"\x55")


@exhibit("the backup entries are zeroed", "gpt-backup", kind="table")
def backup_entries(b):
    b.write(b.size - 33 * SECTOR, zeros(32))


@exhibit("an old RAID superblock took the disk's end", "gpt-backup", kind="table")
def backup_overwritten(b):
    b.write(b.size - 33 * SECTOR, hashlib.shake_256(b"raid").digest(33 * SECTOR))


@exhibit("the protective MBR is zeroed", "gpt-mbr", kind="table")
def mbr_zeroed(b):
    b.write(0, zeros(1))


@exhibit("the protective MBR's signature is gone", "gpt-mbr", kind="table")
def mbr_signature(b):
    b.write(510, b"\0\0")


@exhibit("dd took the first 17 KiB", ("gpt-mbr", "gpt-primary"), kind="table")
def first_sectors(b):
    b.write(0, zeros(34))


@exhibit("the disk has grown by 512 MiB", "gpt-grown", kind="table")
def grown(b):
    b.grow(512 * MiB)


@exhibit("the disk has grown by one sector", "gpt-grown", kind="table")
def grown_a_little(b):
    b.grow(SECTOR)


@exhibit("the disk has grown and lost its primary", "gpt-primary", kind="table")
def grown_and_primary(b):
    b.grow(64 * MiB)
    b.write(SECTOR, zeros(33))


@exhibit("the copies name the disk differently", "gpt-differ", kind="table")
def differ_in_disk(b):
    old = b.read(b.size - 33 * SECTOR, 33 * SECTOR)
    b.sgdisk("-U", "R")
    b.write(b.size - 33 * SECTOR, old)


@exhibit("the copies give a partition another type each", "gpt-differ", kind="table")
def differ_in_type(b):
    old = b.read(b.size - 33 * SECTOR, 33 * SECTOR)
    b.sgdisk("-t", "4:0700")
    b.write(b.size - 33 * SECTOR, old)


@exhibit("both copies are damaged", "gpt-lost", kind="table")
def both_copies(b):
    header_bytes(b)
    backup_bytes(b)


@exhibit("the disk's end was cut off, behind the last partition", "gpt-shrunk", kind="table")
def shrunk(b):
    b.cut_off(MiB)


@exhibit("the disk's end was cut off, within the state", "gpt-shrunk", repair=False, keeps=False,
         kind="table")
def shrunk_into_state(b):
    b.cut_off(64 * MiB)


@exhibit("sgdisk --zap-all", "table-gone", kind="table")
def zapped(b):
    b.sgdisk("-Z")


@exhibit("wipefs --all", "table-gone", kind="table")
def wiped(b):
    tool("wipefs", "-a", "-f", b.image)


@exhibit("somebody began with a DOS table", "table-gone", kind="table")
def dos_table(b):
    tool("sfdisk", "-q", "-w", "always", b.image, input="label: dos\nstart=1M, size=8M\n")


@exhibit("the table is gone, and so is the install's journal", "table-gone", kind="table")
def zapped_without_journal(b):
    b.sgdisk("-Z")
    journal_gone(b)


@exhibit("both copies are damaged, and the disk has grown: no journal where it was looked for",
         "gpt-lost", kind="table")
def both_copies_and_grown(b):
    both_copies(b)
    b.grow(64 * MiB)


@exhibit("table, journal and the second copy of the node data are gone", "table-gone",
         repair=False, kind="table")
def zapped_without_anything(b):
    zapped_without_journal(b)
    b.write(b.at("slipway-node") + b.bytes("slipway-node") // 2, bytes(4096))


def journal_gone(b):
    b.write(b.size // MiB * MiB - 5 * MiB, bytes(4096))


@exhibit("slot A's partition is no ESP any more", "part-type-1", kind="table")
def type_a(b):
    b.sgdisk("-t", "1:8300")


@exhibit("slot B's partition is no ESP any more", "part-type-2", kind="table")
def type_b(b):
    b.sgdisk("-t", "2:8300")


@exhibit("both slots are basic data, as another system sets it", ("part-type-1", "part-type-2"),
         kind="table")
def type_both(b):
    b.sgdisk("-t", "1:0700", "-t", "2:0700")


@exhibit("slot A's partition has another name", "part-name-1", kind="table")
def name_a(b):
    b.sgdisk("-c", "1:EFI system partition")


@exhibit("slot B's partition has no name", "part-name-2", kind="table")
def name_b(b):
    b.sgdisk("-c", "2:")


@exhibit("slot A's partition has another name, and its beginning is zeroed", "part-name-1",
         kind="table", says="a boot entry of the slot leads to it")
def name_and_image_a(b):
    b.sgdisk("-c", "1:data")
    b.write(b.at("slipway-a"), zeros(8))


@exhibit("the partition of the node data has another name", "part-name-3", kind="table")
def name_data(b):
    b.sgdisk("-c", "3:Linux filesystem")


# -- slots --

@exhibit("slot A's boot sector is zeroed", "slot-a", kind="slot")
def boot_sector_a(b):
    b.write(b.at("slipway-a"), zeros(1))


@exhibit("slot B's boot sector is zeroed", "slot-b", kind="slot")
def boot_sector_b(b):
    b.write(b.at("slipway-b"), zeros(1))


@exhibit("wipefs on slot A", "slot-a", kind="slot")
def wipefs_a(b):
    tool("wipefs", "-a", "-o", str(b.at("slipway-a") + 0x1fe), b.image, check=False)
    b.write(b.at("slipway-a") + 0x52, bytes(8))
    b.write(b.at("slipway-a") + 0x1fe, bytes(2))


@exhibit("slot A was formatted", "slot-a", kind="slot")
def formatted_a(b):
    tool("mkfs.vfat", "-F", "32", "--offset", str(b.parts["slipway-a"]["start"]), b.image,
         str(b.bytes("slipway-a") // 1024))


@exhibit("slot B is an ext4 now", "slot-b", kind="slot")
def ext4_b(b):
    tool("mkfs.ext4", "-q", "-F", "-E", f"offset={b.at('slipway-b')}", b.image, "500M")
    b.write(b.at("slipway-b"), b"\xeb\x63\x90" + bytes(509))


@exhibit("one byte of slot A's image is another one", "slot-a", kind="slot")
def altered_a(b):
    at = b.at("slipway-a")
    b.write(at + b.read(at, 32 * MiB).index(b"HdrS") + 4096, b"altered")


@exhibit("one byte of slot B's image is another one", "slot-b", kind="slot")
def altered_b(b):
    at = b.at("slipway-b")
    b.write(at + b.read(at, 32 * MiB).index(b"HdrS") + 8192, b"altered")


@exhibit("slot A has lost its manifest", "slot-a", kind="slot")
def manifest_gone_a(b):
    tool("mdel", "-i", b.fat("slipway-a"), MANIFEST)


@exhibit("slot B's manifest names another hash", "slot-b", kind="slot")
def manifest_hash_b(b):
    old = b.get("slipway-b", MANIFEST).decode()
    b.put("slipway-b", MANIFEST, old.replace(sha256(b.get("slipway-b", BOOT_FILE)),
                                             sha256(b"another")).encode())


@exhibit("slot A's manifest is empty", "slot-a", kind="slot")
def manifest_empty_a(b):
    b.put("slipway-a", MANIFEST, b"")


@exhibit("slot B's manifest is another text", "slot-b", kind="slot")
def manifest_text_b(b):
    b.put("slipway-b", MANIFEST, b"hello\n" * 50)


@exhibit("slot A's image was deleted", "slot-a", kind="slot")
def image_gone_a(b):
    tool("mdel", "-i", b.fat("slipway-a"), BOOT_FILE)


@exhibit("slot B's image is truncated", "slot-b", kind="slot")
def image_short_b(b):
    b.put("slipway-b", BOOT_FILE, b.get("slipway-b", BOOT_FILE)[:MiB])


@exhibit("slot A's image is empty", "slot-a", kind="slot")
def image_empty_a(b):
    b.put("slipway-a", BOOT_FILE, b"")


@exhibit("another system's loader lies in slot B", "slot-b", kind="slot")
def image_foreign_b(b):
    b.put("slipway-b", BOOT_FILE, fake_kernel()[:300000])


@exhibit("slot A's folder EFI has another name", "slot-a", kind="slot")
def folder_a(b):
    tool("mren", "-i", b.fat("slipway-a"), "::/EFI", "::/OLD")


@exhibit("both FATs of slot B are zeroed", "slot-b", kind="slot")
def fat_zeroed_b(b):
    b.write(b.at("slipway-b") + 32 * SECTOR, bytes(2 * MiB))


@exhibit("slot A was half overwritten", "slot-a", kind="slot")
def half_a(b):
    b.write(b.at("slipway-a") + MiB, hashlib.shake_256(b"half").digest(4 * MiB))


@exhibit("both slots have lost their boot sectors", ("slot-a", "slot-b"), repair=False, kind="slot")
def both_slots(b):
    boot_sector_a(b)
    boot_sector_b(b)


@exhibit("one image is altered, the other deleted", ("slot-a", "slot-b"), repair=False, kind="slot")
def both_slots_differently(b):
    altered_a(b)
    tool("mdel", "-i", b.fat("slipway-b"), BOOT_FILE)


# -- node data --

@exhibit("the first copy of the node data is damaged", "node-data-copy", kind="data")
def data_first(b):
    b.write(b.at("slipway-node") + 4096, b"XX")


@exhibit("the second copy of the node data is damaged", "node-data-copy", kind="data")
def data_second(b):
    b.write(b.at("slipway-node") + b.bytes("slipway-node") // 2 + 16, b"XX")


@exhibit("the first copy of the node data is zeroed", "node-data-copy", kind="data")
def data_zeroed(b):
    b.write(b.at("slipway-node"), bytes(64 * 1024))


@exhibit("both copies of the node data are damaged", "node-data", repair=False, kind="data")
def data_both(b):
    data_first(b)
    data_second(b)


@exhibit("the node data were formatted", "node-data", repair=False, kind="data")
def data_formatted(b):
    tool("mkfs.vfat", "-F", "16", "--offset", str(b.parts["slipway-node"]["start"]), b.image,
         str(b.bytes("slipway-node") // 1024))
    data_both(b)


# -- the firmware's variables --

@exhibit("slot A's entry is deleted", "entry-a", kind="variables")
def entry_a(b):
    b.entry("a").unlink()


@exhibit("slot B's entry is deleted", "entry-b", kind="variables")
def entry_b(b):
    b.entry("b").unlink()


@exhibit("a firmware update has deleted both entries", ("entry-a", "entry-b"), kind="variables")
def entries_gone(b):
    b.entry("a").unlink()
    b.entry("b").unlink()


@exhibit("the disk is in another machine", "firmware-new", kind="variables")
def stranger(b):
    entries_gone(b)
    (b.dir / "vars" / SLIPWAY_VARIABLE).unlink()


@exhibit("slot A has two entries", "entry-a", kind="variables")
def twice_a(b):
    b.variable("Boot0055").write_bytes(b.entry("a").read_bytes())


@exhibit("slot B has four entries", "entry-b", kind="variables")
def four_times_b(b):
    for number in (0x61, 0x62, 0x63):
        b.variable(f"Boot{number:04X}").write_bytes(b.entry("b").read_bytes())


@exhibit("an entry leads to a partition that is not here", "entry-0055", kind="variables")
def vanished(b):
    data = bytearray(b.entry("a").read_bytes())
    at = data.index(bytes([4, 1, 42, 0]))
    data[at + 24:at + 40] = bytes(16 * [0x5a])
    b.variable("Boot0055").write_bytes(data)


@exhibit("the order is reversed", "boot-order", kind="variables")
def reversed_order(b):
    b.set_order(list(reversed(b.order())))


@exhibit("another system has put itself first", "boot-order", kind="variables")
def foreign_first(b):
    b.set_order([0] + [n for n in b.order() if n])


@exhibit("the order is gone", "boot-order", kind="variables")
def no_order(b):
    b.variable("BootOrder").unlink()


@exhibit("the order names the older slot first", "boot-order", kind="variables")
def older_first(b):
    order = [n for n in b.order() if n not in (b.number("a"), b.number("b"))]
    b.set_order([b.number("a"), b.number("b")] + order)


@exhibit("the order does not name the slots", "boot-order", kind="variables")
def order_without(b):
    b.set_order([n for n in b.order() if n not in (b.number("a"), b.number("b"))])


@exhibit("slot B's entry is switched off", "entry-b", kind="variables")
def inactive_b(b):
    def off(data):
        data[4] &= 0xfe
        return data
    b.edit_entry("b", off)


@exhibit("slot A's entry is switched off and hidden", "entry-a", kind="variables")
def inactive_a(b):
    def off(data):
        data[4:8] = struct.pack("<I", 8)
        return data
    b.edit_entry("a", off)


@exhibit("slot B's entry starts another file", "entry-b", kind="variables")
def other_file_b(b):
    b.edit_entry("b", lambda data: data.replace("BOOTX64".encode("utf-16-le"),
                                                "GRUBX64".encode("utf-16-le")))


@exhibit("slot A's entry is cut short", "entry-a", kind="variables")
def short_entry_a(b):
    b.edit_entry("a", lambda data: data[:-20])


@exhibit("BootNext was lost in network mode", "boot-next", make=make_network, kind="variables")
def next_lost(b):
    b.variable("BootNext").unlink()


@exhibit("BootNext goes to another system, once, and the mode is local", "boot-next", info=True,
         kind="variables", says="BootNext is 0000")
def next_elsewhere(b):
    b.variable("BootNext").write_bytes(struct.pack("<IH", 7, 0))


@exhibit("BootNext goes to an entry that is not there", "boot-next", info=True, kind="variables",
         says="mode local did not set it")
def next_nowhere(b):
    b.variable("BootNext").write_bytes(struct.pack("<IH", 7, 0x99))


@exhibit("a BMC has set BootNext in network mode", "boot-next", info=True, make=make_network,
         kind="variables", says="mode network did not set it")
def next_of_bmc(b):
    next_elsewhere(b)


@exhibit("the store is full of a vendor's variable", "nvram-full", repair=False, kind="variables")
def store_full(b):
    fill(b, "VendorBlob%u-12345678-1234-1234-1234-123456789abc")


@exhibit("the store is full of crash dumps", "nvram-dumps", kind="variables")
def store_dumps(b):
    fill(b, "dump-type0-%u-1-1700000000-C-cfc8fc79-be2e-4ddc-97f0-9f98bfe298a0")


def fill(b, name, count=8):
    """All but some 800 to 2000 bytes; the store counts names along."""
    each = (store_free(b) - 800) // count - 2 * len(name % 1) - 60
    for number in range(1, count + 1):
        (b.dir / "vars" / (name % number)).write_bytes(struct.pack("<I", 7) + bytes(each))


def store_free(b):
    out = b.case.dir / "free.tar.gz"
    expect(b.case.on("bundle", "-o", out), 0)
    told = tool("tar", "-xzOf", out, "slipway-bundle/variables.json").stdout
    out.unlink()
    return json.loads(told)["store_free"]
