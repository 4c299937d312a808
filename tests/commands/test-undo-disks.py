#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Undo of an install over several disks when one of them is away."""
import os
import re
import shutil

from lib import MiB, expect, main, same, sha256, test, tool

FIRST, SECOND = "NODE07SYS", "DATA4711"
DISKS = (f"serial={FIRST},size=2G,model=Alpha,transport=nvme",
         f"serial={SECOND},size=3G,model=Beta,transport=sata")


def twin(case):
    """Old tables, then a mirror on both; configuration, images, and their ends before."""
    case.create(*DISKS)
    images = {serial: case.disk(serial) for serial in (FIRST, SECOND)}
    for image in images.values():
        tool("sfdisk", "-q", image, input="label: gpt\nsize=100M, name=old\n")
    before = {serial: ends(image) for serial, image in images.items()}
    more = f"\n    - match: {{serial: {SECOND}}}\n      wipe: any"
    answers = case.answers(replace=[("layout: node\n", "layout: mirror\n"),
                                    ("  wipe: any\n", f"  wipe: any\n  more:{more}\n")])
    expect(case.on("install", "--yes", "--answers", answers), 0)
    return case.machine_dir / "machine.yaml", images, before


def without(config, serial):
    """The machine's configuration when the disk of this serial is not attached."""
    disks = re.split(r"(?m)^(?=  - )", config)
    return "".join(d for d in disks if serial not in d)


def written(image):
    """When it was written to last."""
    return image.stat().st_mtime_ns


def ends(image):
    """The first and the last MiB: the whole partition table, and what undo saves."""
    with open(image, "rb") as f:
        first = f.read(MiB)
        f.seek(os.path.getsize(image) - MiB)
        return sha256(first + f.read())


def journals(case):
    return [(j["disk"], j["state"], [d["serial"] for d in j["owed"]], [d["serial"] for d in
             j["absent"]]) for j in case.on("--json", "status").json()["journals"]]


def our_entries(case):
    return [e["label"] for e in case.on("--json", "boot", "list").json()["entries"]
            if e["owner"] == "ours"]


@test("undo with a disk away is refused, naming it and what is on it, and writes nothing")
def _(case):
    config, disk, before = twin(case)
    whole = config.read_text()
    config.write_text(without(whole, SECOND))
    image = written(disk[FIRST])
    holds = f"disk 2 (Beta, serial {SECOND}) is not in this machine"
    for extra in ([], ["--dry-run"]):
        expect(case.on("undo", "--yes", *extra), 4, holds, "on it: slipway-a 512M",
               "of a RAID1", f"slipway undo --without {SECOND}")
    expect(case.on("undo", "--yes", "--without", FIRST), 4, holds)
    expect(case.on("undo", "--yes", "--without", FIRST, "--without", "2"), 4,
           "no disk is left to undo")
    expect(case.on("undo", "--yes", "--without", "NOSUCH"), 2, 'has no disk "NOSUCH"', SECOND)
    expect(case.on("resume"), 5, "nothing to resume")
    same(written(disk[FIRST]), image, "the disk that is here")
    same(journals(case), [("nvme0n1", "done", [], [SECOND])], "journals")
    config.write_text(whole)
    expect(case.on("undo", "--yes"), 0)
    same({s: ends(disk[s]) for s in before}, before, "ends of both disks")


@test("undo --without takes back what is here, tells what is owed, and finishes when it is back")
def _(case):
    config, disk, before = twin(case)
    whole = config.read_text()
    config.write_text(without(whole, SECOND))
    away = written(disk[SECOND])
    dry = expect(case.on("undo", "--without", SECOND, "--dry-run"), 0).out
    assert f"NOT disk 2 (Beta, serial {SECOND}), which is not here; on it: slipway-a" in dry, dry
    expect(case.on("undo", "--without", SECOND, "--yes"), 0, "Taken back, but not disk 2")
    same((ends(disk[FIRST]), our_entries(case)), (before[FIRST], []), "what was here")
    same(journals(case), [("nvme0n1", "partly undone", [SECOND], [SECOND])], "journals")
    expect(case.on("status"), 0, f"still to be undone: disk 2 (Beta, serial {SECOND}), which is "
           "not here; on it: slipway-a 512M", "`slipway undo` again")
    expect(case.on("undo", "--yes"), 4, "is not in this machine", "attach it")
    expect(case.on("undo", "--yes", "--without", "2"), 4, "no disk is left to undo")
    expect(case.on("resume"), 5, "nothing to resume")
    config.write_text(whole)
    same(written(disk[SECOND]), away, "the disk that was away")
    # What was undone is nobody's any more: its table may be another by now.
    tool("sfdisk", "-q", "--wipe", "never", disk[FIRST], input="label: gpt\nsize=50M, name=mine\n")
    mine = ends(disk[FIRST])
    text = expect(case.on("undo", "--yes"), 0, "on disk 2 (Beta").out
    assert "boot order" not in text, text
    same((ends(disk[FIRST]), ends(disk[SECOND])), (mine, before[SECOND]), "ends")
    same([j[1:3] for j in journals(case)], [("undone", [])], "journals at the end")
    expect(case.on("undo", "--yes"), 5, "nothing to undo")


@test("undo without the first disk takes the other back; with the first one here again, that too")
def _(case):
    config, disk, before = twin(case)
    whole = config.read_text()
    config.write_text(without(whole, FIRST))
    expect(case.on("undo", "--yes"), 4, "disk 1 (Alpha, serial NODE07SYS) is not in this machine",
           "on it: slipway-a 512M", "undo --without NODE07SYS")
    expect(case.on("undo", "--yes", "--without", FIRST), 0, "Taken back, but not disk 1 (Alpha")
    same((ends(disk[SECOND]), our_entries(case)), (before[SECOND], []), "what was here")
    same(journals(case), [("sda", "partly undone", [FIRST], [FIRST])], "journals")
    expect(case.on("status"), 0, "with it back, `slipway undo` finishes")
    expect(case.on("undo", "--yes"), 4, "attach it")
    config.write_text(whole)
    same(journals(case), [("nvme0n1", "partly undone", [FIRST], [])], "journals, both here")
    expect(case.on("undo", "--yes"), 0)
    same({s: ends(disk[s]) for s in before}, before, "ends of both disks")
    same(journals(case), [("nvme0n1", "undone", [], [])], "journals at the end")


@test("one disk undone without the other and then the other without it: nothing is owed any more")
def _(case):
    config, disk, before = twin(case)
    whole = config.read_text()
    for away, other in ((SECOND, FIRST), (FIRST, SECOND)):
        config.write_text(without(whole, away))
        expect(case.on("undo", "--yes", "--without", away), 0)
        same(ends(disk[other]), before[other], other)
    config.write_text(whole)
    same([j[1:3] for j in journals(case)], [("undone", [])], "journals")
    expect(case.on("undo", "--yes"), 5, "nothing to undo")


@test("a first disk with other uses by now: the others are undone, and boot entries stay its own")
def _(case):
    _, disk, before = twin(case)
    one = case.answers(name="one.yaml", replace=[("  wipe: any\n",
                                                  "  wipe: any\n  conflicts: ignore\n")])
    expect(case.on("install", "--yes", "--answers", one), 0)
    entries, first = our_entries(case), written(disk[FIRST])
    assert entries, "no entries"
    expect(case.on("undo", "--yes", "--disk", "sda"), 4, "has lost its journal")
    expect(case.on("undo", "--yes", "--disk", "sda", "--without", FIRST), 0,
           "The boot entries stay as they are")
    same((our_entries(case), written(disk[FIRST])), (entries, first), "the new node")
    same(ends(disk[SECOND]), before[SECOND], "the old second disk")
    same(journals(case), [("nvme0n1", "done", [], []), ("sda", "undone", [], [])], "journals")


def lose_journal(image):
    """The journal's zone: 4 MiB that end 1 MiB before the end."""
    with image.open("r+b") as f:
        f.seek(image.stat().st_size - 5 * MiB)
        f.write(bytes(4 * MiB))


@test("with a copy and a disk away, --from and --without together take the others back")
def _(case):
    for away, here in ((SECOND, FIRST), (FIRST, SECOND)):
        config, disk, before = twin(case)
        whole, copy = config.read_text(), case.dir / f"{away}.bin"
        expect(case.on("undo", "export", copy), 0)
        left = ends(disk[away])
        lose_journal(disk[here])
        config.write_text(without(whole, away))
        expect(case.on("undo", "--yes"), 5, "nothing to undo")
        said = expect(case.on("undo", "--from", copy, "--yes"), 4, away, "--without")
        assert "Type yes" not in said.out
        words = ("undo", "--from", copy, "--without", away)
        expect(case.on(*words, "--dry-run"), 0, f"NOT disk {1 if away == FIRST else 2}")
        expect(case.on(*words, "--yes"), 0)
        same(ends(disk[here]), before[here], f"{here} without {away}")
        # The disk that was away comes back as it was left, and is taken back alone.
        config.write_text(whole)
        same(ends(disk[away]), left, f"{away}, which was away")
        expect(case.on("undo", "--yes"), 0)
        same({s: ends(d) for s, d in disk.items()}, before, "both disks")
        shutil.rmtree(case.machine_dir)


def boot_order(case):
    entries = case.on("--json", "boot", "list").json()["entries"]
    return [(e["label"], e["target_text"].split(" of ")[-1] if e["owner"] == "ours" else "")
            for e in sorted(entries, key=lambda e: e["position"]) if e["position"]]


def own_variables(case):
    found = {p.name: p.read_bytes() for p in (case.machine_dir / "vars").glob("SlipwayBoot-*")}
    assert found, "no mode is stored"
    return found


@test("undo of an older install leaves what a newer one on another disk made of the boot order")
def _(case):
    case.create()
    bare, untouched = boot_order(case), ends(case.disk(SECOND))
    ignore = ("  wipe: any", "  wipe: any\n  conflicts: ignore")
    new = case.answers("new.yaml", replace=[(f"serial: {FIRST}", f"serial: {SECOND}"), ignore])
    expect(case.on("install", "--answers", case.answers()), 0)
    expect(case.on("install", "--answers", new), 0)
    mode = own_variables(case)
    newer = [("Slipway A", "sda, slipway-a"), ("Slipway B", "sda, slipway-b")]
    same(boot_order(case)[:2], newer, "the order after both")

    expect(case.on("undo", "--yes", "--disk", "nvme0n1"), 0, "entries that are newer", "it stays",
           "the boot mode is a newer install's and stays")
    same(boot_order(case), [*newer, *bare], "the order after the undo of the older")
    same(own_variables(case), mode, "the mode")
    same(journals(case), [("nvme0n1", "undone", [], []), ("sda", "done", [], [])], "journals")
    # What the newer one found, the older one's entries among it, is gone for good.
    expect(case.on("undo", "--yes", "--disk", "sda"), 0, "restoring the boot order")
    same((boot_order(case), our_entries(case)), (bare, []), "the order after both undos")
    same(list((case.machine_dir / "vars").glob("SlipwayBoot-*")), [], "the mode after both undos")
    same(ends(case.disk(SECOND)), untouched, "the newer one's disk")


@test("undo after a switch of the mode: the old boot order exactly")
def _(case):
    case.create()
    bare = boot_order(case)
    expect(case.on("install", "--answers", case.answers()), 0)
    expect(case.on("mode", "network"), 0)
    assert boot_order(case) != bare
    expect(case.on("undo", "--yes"), 0, "restoring the boot order")
    same(boot_order(case), bare, "the order")


main()
