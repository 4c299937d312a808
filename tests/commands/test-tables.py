# SPDX-License-Identifier: Apache-2.0
"""Partition tables as other people's tools make and break them: never blank, and named right.

Each row is a damage that libblkid or libfdisk overlook or half see (probing "finds nothing" on some
of them). The disk must never pass for blank, `wipe: blank` must refuse it, and the words must say
what is wrong.
"""
import json
import os
import struct

from lib import Skip, expect, head, like_the_first, main, same, sha256, tail, test, tool

SIZE = 4 << 30
LAST = SIZE - 512


def image(case, sector=512):
    case.create(f"serial=NODE07SYS,size=4G,transport=nvme,sector={sector}")
    return case.disk()


def two_partitions(path):
    like_the_first(path, by_sgdisk)


def by_sgdisk(path):
    tool("sgdisk", "-n", "1:2048:+64M", "-c", "1:first", "-t", "1:ef00", "-n", "2:0:+64M", "-c",
         "2:second", path)


def zero(path, offset, length=512):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(bytes(length))


def spoil(path, offset):
    """One byte that no checksum of the header covers as it was."""
    with open(path, "r+b") as file:
        file.seek(offset + 60)
        byte = file.read(1)[0]
        file.seek(offset + 60)
        file.write(bytes([byte ^ 0xff]))


def look(case, kind, words, names):
    """What facts say, and that nobody takes the disk for a blank one."""
    path = case.disk()
    before = sha256(head(path)) + sha256(tail(path))
    disk = case.on("facts", "--json").json()["disks"][0]
    table = disk["table"]
    same(table["type"], kind, "type")
    same([p.get("label", "") for p in table["parts"]], names, "partitions")
    if words is None:
        same(table.get("damage"), None, "damage")
    else:
        for text in (words,) if isinstance(words, str) else words:
            assert text in table.get("damage", ""), f"{text!r} is not in {table}"
        expect(case.on("disks"), 0, *((words,) if isinstance(words, str) else words))
    assert "empty" not in case.on("--json", "disks").json()[0]["content"], "called empty"
    answers = case.answers(replace=[("wipe: any", "wipe: blank")])
    expect(case.on("plan", "--answers", answers), 4, "not blank")
    answers = case.answers(replace=[("wipe: any", "wipe: ours")])
    expect(case.on("plan", "--answers", answers), 4, "did not put there")
    expect(case.on("plan", "--answers", case.answers()), 0)
    same(sha256(head(path)) + sha256(tail(path)), before, "bytes of the disk")
    return disk


def row(name, kind, words, names, size=None, tools=("sgdisk",)):
    """A test of one damage, done to a disk with two partitions."""
    def add(damage):
        @test(f"{name}: seen, named, never blank")
        def _(case):
            for each in tools:
                if tool("which", each, check=False).returncode:
                    raise Skip(f"{each} is not installed")
            path = image(case)
            two_partitions(path)
            damage(path)
            if size:
                os.truncate(path, size)
            look(case, kind, words, names)
        return damage
    return add


BOTH = ["first", "second"]


@row("a whole GPT", "gpt", None, BOTH)
def _(path):
    tool("sgdisk", "-v", path)


@row("primary header bad", "gpt", "the primary GPT copy is damaged; the backup is used", BOTH)
def _(path):
    spoil(path, 512)


@row("primary entries bad", "gpt", "the primary GPT copy is damaged; the backup is used", BOTH)
def _(path):
    spoil(path, 1024)


@row("backup header bad", "gpt", "the backup GPT copy is damaged or missing", BOTH)
def _(path):
    spoil(path, LAST)


@row("backup entries bad", "gpt", "the backup GPT copy is damaged or missing", BOTH)
def _(path):
    spoil(path, LAST - 32 * 512)


@row("disk grew", "gpt", "the disk has grown: the backup GPT is not at its end", BOTH, size=6 << 30)
def _(path):
    pass


@row("disk shrank", "damaged-gpt", "a whole GPT copy (512-byte sectors) at byte 512", BOTH,
     size=3 << 30)
def _(path):
    pass


@row("primary bad and disk grew", "damaged-gpt",
     f"a whole GPT copy (512-byte sectors) at byte {LAST}", BOTH, size=6 << 30)
def _(path):
    spoil(path, 512)


@row("both headers bad", "damaged-gpt",
     ("a broken GPT copy (512-byte sectors) at byte 512",
      f"a broken GPT copy (512-byte sectors) at byte {LAST}"), [])
def _(path):
    spoil(path, 512)
    spoil(path, LAST)


@row("both headers zeroed, only the PMBR left", "damaged-gpt",
     "a protective MBR without any GPT copy", [])
def _(path):
    zero(path, 512)
    zero(path, LAST)


@row("PMBR zeroed, both GPTs whole", "damaged-gpt", "the protective MBR is missing", BOTH)
def _(path):
    tool("dd", "if=/dev/zero", f"of={path}", "bs=512", "count=1", "conv=notrunc", "status=none")
    same(tool("blkid", "-p", path, check=False).stdout, "", "what libblkid sees")


@row("the first MiB zeroed, backup whole", "damaged-gpt",
     ("the protective MBR is missing", f"a whole GPT copy (512-byte sectors) at byte {LAST}"), BOTH)
def _(path):
    tool("dd", "if=/dev/zero", f"of={path}", "bs=1M", "count=1", "conv=notrunc", "status=none")


@row("hybrid MBR", "gpt", "a hybrid MBR", BOTH)
def _(path):
    tool("sgdisk", "-h", "1", path)


@row("old GPT under a new DOS label", "dos", "a whole GPT copy (512-byte sectors) at byte 512", [])
def _(path):
    tool("sfdisk", "--wipe", "never", path, input="label: dos\n")


@test("a healthy table is read as sfdisk reads it: every partition, type, UUID, name, attribute")
def _(case):
    path = image(case)
    words = []
    for number in (1, 2, 5, 77, 128):
        words += ["-n", f"{number}:0:+16M", "-c", f"{number}:Größe {number} \u20ac", "-t",
                  f"{number}:{'ef00' if number % 2 else '8302'}", "-A",
                  f"{number}:set:{number % 3}", "-A", f"{number}:set:{60 + number % 4}"]
    tool("sgdisk", *words, path)
    theirs = json.loads(tool("sfdisk", "-J", path).stdout)["partitiontable"]
    table = case.on("facts", "--json").json()["disks"][0]["table"]
    same(table["id"], theirs["id"].lower(), "disk id")
    same([(p["start"] // 512, p["size"] // 512, p["type"], p["uuid"], p["label"], p["number"])
          for p in table["parts"]],
         [(p["start"], p["size"], p["type"].lower(), p["uuid"].lower(), p["name"],
           int(p["node"].removeprefix(str(path)).lstrip("p"))) for p in theirs["partitions"]],
         "partitions")
    names = {"RequiredPartition": 0, "NoBlockIOProtocol": 1, "LegacyBIOSBootable": 2}
    for ours, other in zip(table["parts"], theirs["partitions"]):
        bits = 0
        for word in other["attrs"].split():
            for bit in [names[word]] if word in names else map(int, word[5:].split(",")):
                bits |= 1 << bit
        same(ours["attrs"], bits, f"attributes of {ours['number']}")


@test("a 512-byte table on a disk of 4096-byte sectors: seen, named, never blank")
def _(case):
    path = image(case, sector=4096)
    two_partitions(path)
    look(case, "damaged-gpt", "a whole GPT copy (512-byte sectors) at byte 512", BOTH)


@test("a 4096-byte table on a disk of 512-byte sectors: seen, named, never blank")
def _(case):
    path = image(case)
    tool("fdisk", "-b", "4096", path, input="g\nn\n\n\n+64M\nx\nn\nfirst\nr\nw\n")
    look(case, "damaged-gpt", "a whole GPT copy (4096-byte sectors) at byte 4096", ["first"])


@test("a DOS table on a disk of more than 2 TiB: named with what it cannot reach")
def _(case):
    path = image(case)
    os.truncate(path, 3 << 40)
    tool("sfdisk", path, input="label: dos\n2048,1000M,83\n")
    disk = look(case, "dos", "a DOS table reaches only 2T of 3T", [""])
    same(disk["size"], 3 << 40, "size")
    case.on("disks")


@test("a DOS table with a partition that ends past the disk: not blank")
def _(case):
    path = image(case)
    tool("sfdisk", path, input="label: dos\n2048,1000M,83\n")
    with open(path, "r+b") as file:
        file.seek(446 + 12)
        file.write(struct.pack("<I", 0xfffffff0))
    look(case, "dos", None, [""])


if __name__ == "__main__":
    main()
