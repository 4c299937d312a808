#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Several disks in one plan, kept partitions, and what an install may write."""
import os
import struct
import zlib

from lib import (GLOBAL, MiB, cut, expect, fake_initrd, fingerprint, main, partitions as table,
                 same, test, tool)

LOADER = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

SECOND = "DATA4711"
DISKS = ("serial=NODE07SYS,size=2G,model=Alpha,transport=nvme",
         f"serial={SECOND},size=3G,model=Beta,transport=sata",
         "serial=THIRD99,size=2G,model=Gamma,transport=sata")


def several(case, layout, *more, wipe="any"):
    """The answers of the documentation for another layout, with these further disks."""
    text = "".join(f"\n    - match: {{serial: {serial}}}\n      wipe: {wipe}" for serial in more)
    return case.answers(replace=[("layout: node\n", f"layout: {layout}\n"),
                                 ("  wipe: any\n", f"  wipe: any\n  more:{text}\n")])


def keeping(case, *labels, layout="node", name="keep.yaml"):
    return case.answers(name=name, replace=[
        ("layout: node\n", f"layout: {layout}\n"),
        ("  wipe: any\n", f"  wipe: any\n  preserve: [{', '.join(labels)}]\n")])


def content(image, part):
    return fingerprint(image, part["start"] * 512, part["size"] * 512)


@test("mirror: each disk gets slots and node data of its own, entries in turn, state as RAID1")
def _(case):
    case.create(*DISKS)
    expect(case.on("install", "--yes", "--answers", several(case, "mirror", SECOND)), 0)
    one, two = table(case.disk()), table(case.disk(SECOND))
    same(list(one), ["slipway-a", "slipway-b", "slipway-node", "state"], "first disk")
    same(list(two), list(one), "second disk")
    same({p["uuid"] for p in one.values()} & {p["uuid"] for p in two.values()}, set(), "UUIDs")
    entries = case.on("--json", "boot", "list").json()["entries"]
    labels = [e["label"] for e in sorted(entries, key=lambda e: e.get("position") or 99)]
    same(labels[:4], ["Slipway A", "Slipway A (disk 2)", "Slipway B", "Slipway B (disk 2)"],
         "boot order")
    status = case.on("--json", "status").json()
    slots = [[s["filled"] and s["hash_ok"] for s in d["slots"]] for d in status["installed"]]
    same(slots, [[True, False], [True, False]], "filled slots")
    same([(j["disk"], j["state"], j["disks"]) for j in status["journals"]],
         [("nvme0n1", "done", 2)], "one journal for both disks")


@test("mirror: mdadm takes the state partitions for one RAID1 array that holds one ext4")
def _(case):
    case.create(*DISKS)
    expect(case.on("install", "--yes", "--answers", several(case, "mirror", SECOND)), 0)
    arrays = []
    for serial in ("NODE07SYS", SECOND):
        image, member = case.disk(serial), case.dir / f"member-{serial}"
        state = table(image)["state"]
        tool("dd", f"if={image}", f"of={member}", "bs=1M", f"skip={state['start'] * 512}",
             f"count={state['size'] * 512}", "iflag=skip_bytes,count_bytes", "conv=sparse",
             "status=none")
        words = tool("mdadm", "--examine", member).stdout
        assert "Raid Level : raid1" in words and "Raid Devices : 2" in words, words
        arrays.append([line for line in words.splitlines() if "Array UUID" in line])
        file_system = case.dir / f"fs-{serial}"
        tool("dd", f"if={member}", f"of={file_system}", "bs=1M", "skip=1", "conv=sparse",
             "status=none")
        tool("e2fsck", "-fn", file_system)
    same(arrays[0], arrays[1], "array")


@test("two-tier: the system on one disk, data and data-2 on the others")
def _(case):
    case.create(*DISKS)
    answers = several(case, "two-tier", SECOND, "THIRD99")
    expect(case.on("install", "--yes", "--answers", answers), 0)
    same(list(table(case.disk())), ["slipway-a", "slipway-b", "slipway-node", "state"], "system")
    same(list(table(case.disk(SECOND))), ["data"], "second")
    same(list(table(case.disk("THIRD99"))), ["data-2"], "third")


@test("too few or too many disks for the layout are refused (exit 3), saying what it is for")
def _(case):
    case.create(*DISKS)
    for layout, more, words in (
            ("mirror", [], 'the layout "mirror" is for 2 disks and the answers name 1'),
            ("two-tier", [], 'the layout "two-tier" is for 2 disks or more'),
            ("mirror", [SECOND, "THIRD99"], "is for 2 disks and the answers name 3"),
            ("node", [SECOND], 'the layout "node" is for 1 disk and the answers name 2')):
        answers = several(case, layout, *more) if more else case.answers(
            replace=[("layout: node\n", f"layout: {layout}\n")])
        expect(case.on("plan", "--answers", answers), 3, words, "disk.more")


@test("one disk cannot be two of a layout's disks")
def _(case):
    case.create(*DISKS)
    expect(case.on("plan", "--answers", several(case, "mirror", "NODE07SYS")), 4)


@test("a further disk that is not empty is refused unless its own wipe allows it")
def _(case):
    case.create(*DISKS)
    tool("sfdisk", "-q", case.disk(SECOND), input="label: gpt\nsize=1G, name=precious\n")
    expect(case.on("plan", "--answers", several(case, "mirror", SECOND, wipe="blank")), 4)
    out = expect(case.on("plan", "--answers", several(case, "mirror", SECOND)), 0).out
    assert "Disk 2" in out and 'Lost     partition 1 "precious"' in out, out
    plan = case.on("--json", "plan", "--answers", several(case, "mirror", SECOND)).json()
    same([bool(d.get("confirm")) for d in plan["disks"]], [True, True], "what is confirmed")


@test("undo brings both old tables back, whatever was written to which disk")
def _(case):
    case.create(*DISKS)
    before = []
    for serial in ("NODE07SYS", SECOND):
        tool("sfdisk", "-q", case.disk(serial), input="label: gpt\nsize=100M, name=old\n")
        before.append(tool("sfdisk", "-J", case.disk(serial)).stdout)
    expect(case.on("install", "--yes", "--answers", several(case, "mirror", SECOND)), 0)
    text = expect(case.on("undo", "--dry-run"), 0).out
    assert "and on disk 2" in text and "partition 1 100M old" in text, text
    expect(case.on("undo", "--yes"), 0)
    after = [tool("sfdisk", "-J", case.disk(s)).stdout for s in ("NODE07SYS", SECOND)]
    same(after, before, "tables")
    same([e["label"] for e in case.on("--json", "boot", "list").json()["entries"]
          if e["owner"] == "ours"], [], "our entries")


def blank_journal(image):
    size = os.path.getsize(image)
    with open(image, "r+b") as f:
        f.seek(size // MiB * MiB - 5 * MiB)
        f.write(bytes(4096))


@test("a further disk's journal alone says what it is, and neither resume nor undo guess")
def _(case):
    case.create(*DISKS)
    expect(case.on("install", "--yes", "--answers", several(case, "mirror", SECOND)), 0)
    blank_journal(case.disk())
    expect(case.on("status"), 0, "the last install is done", "no longer has its journal")
    expect(case.on("undo", "--yes"), 4, "no longer has its journal")
    expect(case.on("resume"), 4, "not the whole story")
    config = case.machine_dir / "machine.yaml"
    config.write_text(config.read_text().replace("NODE07SYS", "ANOTHER1"))
    expect(case.on("status"), 0, "system disk (serial NODE07SYS) is not in this machine")
    expect(case.on("undo", "--yes"), 4, "is not in this machine")


@test("a plan for two disks names the binding of either that no longer holds (exit 4)")
def _(case):
    case.create(*DISKS)
    path = case.dir / "plan.json"
    expect(case.on("plan", "--answers", several(case, "mirror", SECOND), "-o", path), 0)
    config = case.machine_dir / "machine.yaml"
    whole = config.read_text()
    config.write_text(whole.replace(SECOND, "ELSE0815"))
    expect(case.on("apply", "--yes", path), 4, f"no disk has the serial {SECOND}")
    config.write_text(whole)
    os.truncate(case.disk(SECOND), 4 << 30)
    expect(case.on("apply", "--yes", path), 4, "its size is 4G", "the plan says 3G")
    os.truncate(case.disk(SECOND), 3 << 30)
    tool("sfdisk", "-q", case.disk(SECOND), input="label: gpt\nsize=1G, name=new\n")
    expect(case.on("apply", "--yes", path), 4, "its partition table is not the one")


@test("disk.preserve: state stays to the byte, new partitions go around it, and it is said")
def _(case):
    case.create(*DISKS)
    image = case.disk()
    expect(case.on("install", "--answers", case.answers()), 0)
    old = table(image)
    before = content(image, old["state"])
    answers = keeping(case, "state")
    text = expect(case.on("plan", "--answers", answers), 0).out
    assert 'Kept     partition 4 "state"' in text, text
    assert not any("Format state" in line for line in text.splitlines()), text
    expect(case.on("install", "--answers", answers), 0)
    new = table(image)
    same(new["state"], old["state"], "the kept partition's entry")
    same(content(image, new["state"]), before, "the kept partition's content")
    same([new[n]["node"][-1] for n in ("slipway-a", "slipway-b", "slipway-node")],
         ["1", "2", "3"], "numbers")


@test("disk.preserve: both members of a RAID1 state stay to the byte; of two arrays none is kept")
def _(case):
    case.create(*DISKS)
    one, two = case.disk(), case.disk(SECOND)
    expect(case.on("install", "--yes", "--answers", several(case, "mirror", SECOND)), 0)
    old = table(one)["state"], table(two)["state"]
    before = content(one, old[0]), content(two, old[1])
    more = f"\n    - match: {{serial: {SECOND}}}\n      wipe: any"
    answers = case.answers(replace=[
        ("layout: node\n", "layout: mirror\n"),
        ("  wipe: any\n", f"  wipe: any\n  preserve: [state]\n  more:{more}\n")])
    plan = expect(case.on("plan", "--answers", answers), 0)
    assert "not encrypted" not in plan.out, plan.out
    expect(case.on("install", "--yes", "--answers", answers), 0)
    same((table(one)["state"], table(two)["state"]), old, "the members' entries")
    same((content(one, old[0]), content(two, old[1])), before, "the members' content")
    # A member of an array of its own: the name alone says nothing.
    part = cut(two, old[1], case.dir / "member")
    with open(part, "r+b") as f:
        f.seek(4096)
        block = bytearray(f.read(4096))
    block[16] ^= 1          # the array's UUID
    block[216:220] = bytes(4)
    total = sum(struct.unpack("<64I", block[:256]))
    block[216:220] = struct.pack("<I", (total & 0xffffffff) + (total >> 32) & 0xffffffff)
    with open(two, "r+b") as f:
        f.seek(old[1]["start"] * 512 + 4096)
        f.write(block)
    expect(case.on("install", "--yes", "--answers", answers), 4, "state cannot be kept",
           "another array")
    same(content(one, old[0]), before[0], "the first member")


@test("what does not match is not kept: file system, type, size, name, two of a name")
def _(case):
    case.create(*DISKS)
    image = case.disk()
    expect(case.on("install", "--answers", case.answers()), 0)
    saved = case.dir / "saved"
    tool("cp", "--sparse=always", image, saved)
    state = table(image)["state"]

    def refused(code, *words):
        expect(case.on("install", "--answers", keeping(case, "state")), code, *words)
        tool("cp", "--sparse=always", saved, image)

    with open(image, "r+b") as f:
        f.seek(state["start"] * 512)
        f.write(bytes(MiB))
    refused(4, "it holds no file system and 40-state.conf says ext4")
    tool("sfdisk", "-q", "--part-type", image, "4", "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F")
    refused(4, "its type is 0657fd6d")
    tool("sfdisk", "-q", "-N", "4", image, input="size=100M\n")
    refused(4, "wants at least 256M")
    tool("sfdisk", "-q", "--part-label", image, "4", "stat")
    refused(4, "there is no partition of that name")
    tool("sfdisk", "-q", "--part-label", image, "2", "state")
    refused(4, "partitions 2 and 4 both have that name")
    expect(case.on("plan", "--answers", keeping(case, "home")), 3, "home")
    expect(case.on("plan", "--answers", keeping(case, "slipway-a")), 3, "every install writes")


def stretch(image, number, last):
    """Both copies of the GPT with another last LBA of a partition, which no tool would write."""
    with open(image, "r+b") as f:
        for lba in (1, os.path.getsize(image) // 512 - 1):
            f.seek(lba * 512)
            header = bytearray(f.read(92))
            entries, count, size = struct.unpack_from("<QII", header, 72)
            f.seek(entries * 512)
            table = bytearray(f.read(count * size))
            struct.pack_into("<Q", table, (number - 1) * size + 40, last)
            struct.pack_into("<II", header, 16, 0, 0)
            struct.pack_into("<I", header, 88, zlib.crc32(table))
            struct.pack_into("<I", header, 16, zlib.crc32(header))
            f.seek(entries * 512)
            f.write(table)
            f.seek(lba * 512)
            f.write(header)


@test("what is to be kept and overlaps another partition is refused, nothing written")
def _(case):
    case.create(*DISKS)
    image = case.disk()
    expect(case.on("install", "--answers", case.answers()), 0)
    state = table(image)["state"]
    stretch(image, 3, state["start"] + 4096)
    before = fingerprint(image)
    expect(case.on("install", "--answers", keeping(case, "state")), 4, "state cannot be kept",
           "overlap")
    same(fingerprint(image), before, "the disk")


@test("state that somebody grown over the journal's place is refused, in free space it is kept")
def _(case):
    case.create(*DISKS)
    image = case.disk()
    layout = case.dir / "small"
    layout.mkdir()
    for name in ("10-slot-a", "20-slot-b", "30-node-data", "40-state"):
        text = open(f"layouts/node/{name}.conf").read()
        if name == "40-state":
            text = text.replace("PaddingMaxBytes=6M\n", "SizeMaxBytes=256M\n")
        (layout / f"{name}.conf").write_text(text)
    expect(case.on("install", "--answers", case.answers(
        replace=[("layout: node\n", f"layout: {layout}\n")])), 0)
    state = table(image)["state"]
    tool("sfdisk", "-q", "-N", "4", image, input="size=512M\n")
    grown = table(image)["state"]
    assert grown["size"] > state["size"]
    answers = keeping(case, "state", layout=layout)
    expect(case.on("install", "--answers", answers), 0)
    same(table(image)["state"], grown, "the grown partition")
    tool("sfdisk", "-q", "--delete", image, "3")
    tool("sfdisk", "-q", "-N", "4", image, input="size=+\n")
    expect(case.on("install", "--yes", "--answers", answers), 4, "the last 5M of the disk")


@test("with wipe: ours a foreign ESP of the right type is neither a slot nor overwritten (exit 4)")
def _(case):
    case.create(*DISKS)
    image = case.disk()
    expect(case.on("install", "--answers", case.answers()), 0)
    tool("sfdisk", "-q", "--part-label", image, "1", "EFI System")
    before = content(image, table(image)["EFI System"])
    answers = case.answers(replace=[("wipe: any", "wipe: ours")])
    expect(case.on("install", "--answers", answers), 4, "EFI System")
    same(content(image, table(image)["EFI System"]), before, "the foreign ESP")


@test("X-Slipway-SizePercent is a share of the usable space, and what does not fit is named")
def _(case):
    case.create(*DISKS)
    layout = case.dir / "share"
    layout.mkdir()
    for name in ("10-slot-a", "20-slot-b", "30-node-data"):
        (layout / f"{name}.conf").write_text(open(f"layouts/diskless/{name}.conf").read())

    def share(percent):
        (layout / "40-data.conf").write_text(
            "[Partition]\nType=linux-generic\nLabel=data\nPaddingMinBytes=6M\n"
            f"X-Slipway-SizePercent={percent}\n")
        return case.on("--json", "plan", "--answers", case.answers(
            replace=[("layout: node\n", f"layout: {layout}\n")]))

    data = [p for p in share(25).json()["partitions"] if p["label"] == "data"][0]
    usable = (2 << 30) - MiB - 512 - 16384
    same(data["size"], usable // 4 // 4096 * 4096, "a quarter")
    expect(share(80), 3, "does not fit", "40-data.conf", "80%")
    expect(share(101), 3, "40-data.conf:5:", "1 to 100")


def promote(case, code=0, *words, more=(), cmdline="x"):
    """A promote of another initrd, as a node started from slot A would make it."""
    initrd = case.dir / "initrd-new"
    initrd.write_bytes(fake_initrd() + b"new")
    number = [n for n, e in case.entries()[0].items() if e[0] == "Slipway A"][0]
    variables = case.machine_dir / "vars"
    variables.joinpath(f"BootCurrent-{GLOBAL}").write_bytes(struct.pack("<IH", 6, number))
    variables.joinpath(f"LoaderDevicePartUUID-{LOADER}").write_bytes(
        struct.pack("<I", 6) + (case.entries()[0][number][1] + "\0").encode("utf-16-le"))
    return expect(case.on("promote", "--kernel", case.dir / "vmlinuz", "--initrd", initrd,
                          "--cmdline", cmdline, "--trust", "none", *more), code, *words)


@test("promote writes no foreign ESP that stands where a slot was, by whatever name (exit 4)")
def _(case):
    case.create(*DISKS)
    image = case.disk()
    expect(case.on("install", "--answers", case.answers()), 0)
    b = table(image)["slipway-b"]
    foreign = case.dir / "foreign"
    foreign.write_bytes(b"")
    os.truncate(foreign, b["size"] * 512)
    tool("mkfs.vfat", "-F", "32", foreign)
    tool("dd", f"if={foreign}", f"of={image}", "bs=1M", f"seek={b['start'] // 2048}",
         "conv=notrunc,sparse", "status=none")
    before = content(image, b)
    promote(case, 4, "holds something else", "vfat without a manifest of ours")
    same(content(image, b), before, "the foreign file system")
    with open(image, "r+b") as f:
        f.seek(b["start"] * 512)
        f.write(bytes(MiB))
    tool("sfdisk", "-q", "--part-uuid", image, "2", "11111111-2222-4333-8444-555555555555")
    before = content(image, b)
    promote(case, 4, "the slot to write is not ours", "none that the install made")
    same(content(image, b), before, "the partition with our name")


@test("slot A's entry missing, and slots swapped: promote still writes only the slot that is free")
def _(case):
    case.create(*DISKS)
    image = case.disk()
    expect(case.on("install", "--answers", case.answers()), 0)
    running = table(image)["slipway-a"]
    before = content(image, running)
    tool("sfdisk", "-q", "--part-label", image, "1", "slipway-x")
    tool("sfdisk", "-q", "--part-label", image, "2", "slipway-a")
    tool("sfdisk", "-q", "--part-label", image, "1", "slipway-b")
    same(table(image)["slipway-b"]["uuid"], running["uuid"], "the slots are swapped")
    promote(case)
    same(content(image, running), before, "the running slot")
    assert [e for e in case.entries()[0].values() if e[1] == running["uuid"].lower()]


@test("mirror: the node's data is found and kept the same on both disks")
def _(case):
    case.create(*DISKS)
    expect(case.on("install", "--yes", "--answers", several(case, "mirror", SECOND)), 0)
    out = case.dir / "config"
    expect(case.on("node", "config", out), 0)
    same((out / "hostname").read_text().strip(), "node-07", "host name")
    expect(case.on("node", "set", "colour=red"), 0)
    data = [d["node"] for d in case.on("--json", "status").json()["installed"]]
    same([d["config"]["colour"] for d in data], ["red", "red"], "both copies")
    same(data[0], data[1], "node data")


def mirrored(case):
    case.create(*DISKS)
    expect(case.on("install", "--yes", "--answers", several(case, "mirror", SECOND)), 0)
    return case


def both(case):
    """What `slots` says of each disk: [{letter: slot}], and how they differ."""
    o = case.on("--json", "slots").json()
    return [{s["slot"]: s for s in d["slots"]} for d in [o, *o["copies"]]], o.get("differences")


def labels(case):
    entries, order = case.entries()
    return [entries[n][0] for n in order if entries.get(n, ("",))[0].startswith("Slipway ")]


@test("mirror: one promote fills the free slot of each disk, with one sequence, newest first")
def _(case):
    mirrored(case)
    expect(case.on("mode", "keep"), 0, "Nothing to write")
    was, _ = both(case)
    initrd = case.dir / "initrd-new"
    initrd.write_bytes(fake_initrd() + b"new")
    words = ["promote", "--kernel", case.dir / "vmlinuz", "--initrd", initrd, "--cmdline",
             "panic=10", "--trust", "none"]
    dry = case.on("--json", *words, "--dry-run").json()
    same([d["result"] for d in dry["disks"]], ["planned", "planned"], "dry run")
    same(both(case)[0], was, "slots after the dry run")
    done = expect(case.on("--json", *words), 0).json()
    same([(d["slot"], d["result"], d["sequence"]) for d in done["disks"]],
         [("b", "promoted", 2)] * 2, "both disks")
    same([d["writes"] for d in done["disks"]], [d["writes"] for d in dry["disks"]],
         "the dry run said it")
    now, differ = both(case)
    same(differ, None, "differences")
    same([d["a"]["sha256"] for d in now], [d["a"]["sha256"] for d in was], "slots A")
    same(len({d["b"]["sha256"] for d in now}), 1, "one image on both")
    same(labels(case), ["Slipway B", "Slipway B (disk 2)", "Slipway A", "Slipway A (disk 2)"],
         "order")
    expect(case.on(*words), 0, "every disk holds this image")
    expect(case.on("slots", "verify"), 0)
    expect(case.on("mode", "keep"), 0, "Nothing to write")


@test("mirror: rollback puts the image back on both disks, and the next promote ends it on both")
def _(case):
    mirrored(case)
    promote(case)
    expect(case.on("rollback"), 0)
    same(labels(case), ["Slipway A", "Slipway A (disk 2)", "Slipway B", "Slipway B (disk 2)"],
         "order after the rollback")
    same([d["b"]["rolled_back"] for d in both(case)[0]], [True, True], "B on both")
    expect(case.on("mode", "keep"), 0, "Nothing to write")
    promote(case, cmdline="two")
    same([(d["b"]["sequence"], d["b"]["rolled_back"]) for d in both(case)[0]], [(3, False)] * 2,
         "B on both")


@test("mirror: a promote of one disk is named by slots and status, and repeated for all it ends")
def _(case):
    mirrored(case)
    first = case.on("--json", "slots").json()["disk"]
    promote(case, more=("--disk", first))
    expect(case.on("slots"), 0, "another last known good image")
    expect(case.on("slots", "verify"), 8, "do not hold the same")
    expect(case.on("status"), 0, "disks differ")
    expect(promote(case), 0, "holds it already", "sequence 2")
    same(both(case)[1], None, "differences")
    expect(case.on("slots", "verify"), 0)


@test("mirror: with the entries of one disk lost, keep writes them again with names of their own")
def _(case):
    mirrored(case)
    before = labels(case)
    for number, entry in case.entries()[0].items():
        if entry[0].startswith("Slipway ") and "disk 2" in entry[0]:
            expect(case.on("--yes", "boot", "delete", f"{number:04X}"), 0)
    expect(case.on("mode", "keep"), 0)
    got = labels(case)
    same((got[:2], len(set(got))), (before[:2], len(got)), "order and names")


@test("disks open takes a partition as the kernel calls it, and says which one it means")
def _(case):
    case.create("serial=A,size=1G,transport=nvme", "serial=B,size=1G,transport=sata")
    tool("sgdisk", "-n", "1:2048:+8M", case.disk("A"))
    for words in (("nvme0n1p1",), ("/dev/nvme0n1p1",), ("nvme0n1", "1")):
        expect(case.on("disks", "open", *words), 5, "nvme0n1, partition 1: there is nothing to")
    expect(case.on("disks", "open", "nvme0n1p7"), 5, "nvme0n1, partition 7: there is no such")
    expect(case.on("disks", "open", "/dev/sda"), 5, "sda: there is nothing to open")
    expect(case.on("disks", "open", "sdax1"), 5, "sdax1: there is no such", "sda4")


if __name__ == "__main__":
    main()
