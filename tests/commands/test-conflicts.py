# SPDX-License-Identifier: Apache-2.0
"""Names of the new node on a disk that stays: refused, renamed and brought back, or ignored."""
import json
import re
import shutil

from lib import expect, head, like_the_first, main, partitions, same, sha256, tail, test, tool
from powercut import power_cut


def old_install(case, serial="DATA4711"):
    """What an earlier node left on another disk, as far as names go."""
    case.create()
    disk = case.disk(serial)
    like_the_first(disk, old_table)
    return disk


def old_table(disk):
    tool("sgdisk", "-n", "1:0:+64M", "-c", "1:slipway-a", "-t", "1:ef00", "-n", "2:0:+64M", "-c",
         "2:state", "-t", "2:8300", "-A", "2:set:59", "-n", "3:0:+64M", "-c", "3:music", disk)


def answers(case, choice):
    return case.answers(replace=[("  wipe: any", f"  wipe: any\n  conflicts: {choice}")])


def ends(disk):
    return sha256(head(disk) + tail(disk))


def others_of(disk):
    """Everything of the table but names and UUIDs."""
    table = json.loads(tool("sfdisk", "-J", disk).stdout)["partitiontable"]
    return [(p["node"], p["start"], p["size"], p["type"], p.get("attrs")) for p in
            table["partitions"]], table["id"], table["firstlba"], table["lastlba"]


@test("a partition called state on another disk: refused by default, with the effect and ways out")
def _(case):
    disk = old_install(case)
    before = ends(disk)
    done = expect(case.on("plan", "--answers", case.answers()), 4, "bears names of the new node",
                  "partition 1 is called slipway-a too", "disk.conflicts: rename", "ignore")
    assert "sda" in done.err, done
    expect(case.on("install", "--answers", case.answers()), 4, "bears names")
    same(ends(disk), before, "the other disk")


@test("conflicts: rename gives them other names, nothing else changes, and undo brings them back")
def _(case):
    disk = old_install(case)
    before, rest = ends(disk), others_of(disk)
    plan = expect(case.on("plan", "--answers", answers(case, "rename")), 0,
                  "its name becomes state-old-", "Rename partitions that bear the node's names")
    assert "Rename" in plan.out, plan
    expect(case.on("install", "--answers", answers(case, "rename")), 0)
    names = list(partitions(disk))
    assert names[0].startswith("slipway-a-old-") and names[1].startswith("state-old-"), names
    same(names[2], "music", "the name that is nobody else's")
    same(others_of(disk), rest, "the rest of the other disk's table")
    assert "No problems found" in tool("sgdisk", "-v", disk).stdout
    assert "state" in partitions(case.disk()), "no state on the node's disk"
    same([j["state"] for j in case.on("--json", "status").json()["journals"]], ["done"],
         "journals")
    expect(case.on("undo", "--dry-run"), 0, "the names of 2 partitions on sda")
    expect(case.on("undo", "--yes"), 0)
    same(ends(disk), before, "bytes of the other disk after undo")


@test("conflicts: ignore installs, warns, and leaves the other disk alone")
def _(case):
    disk = old_install(case)
    before = ends(disk)
    expect(case.on("plan", "--answers", answers(case, "ignore")), 0, "partition 2 is called state")
    expect(case.on("install", "--answers", answers(case, "ignore")), 0)
    same(ends(disk), before, "the other disk")


@test("a copy of the node's own disk: the same partition UUIDs are seen and get new ones")
def _(case):
    case.create("serial=NODE07SYS,size=4G,transport=nvme", "serial=CLONE001,size=4G,transport=sata")
    expect(case.on("install", "--answers", case.answers()), 0)
    clone = case.disk("CLONE001")
    tool("cp", "--sparse=always", case.disk(), clone)
    expect(case.on("plan", "--answers", case.answers()), 4,
           "has the partition UUID that slipway-a gets")
    before = ends(clone)
    uuids = {p["uuid"] for p in partitions(case.disk()).values()}
    expect(case.on("plan", "--answers", answers(case, "rename")), 0, "its UUID a new one")
    expect(case.on("install", "--answers", answers(case, "rename")), 0)
    same({p["uuid"] for p in partitions(case.disk()).values()}, uuids, "UUIDs of the node")
    theirs = {p["uuid"] for p in partitions(clone).values()}
    same(theirs & uuids, set(), "UUIDs on both disks")
    expect(case.on("undo", "--disk", "nvme0n1", "--yes"), 0)
    same(ends(clone), before, "bytes of the copy after undo")


@test("a disk that must not be written to is not renamed either: refused with the reason")
def _(case):
    old_install(case)
    yaml = case.machine_dir / "machine.yaml"
    text = yaml.read_text()
    at = text.index("DATA4711")
    yaml.write_text(text[:at] + text[at:].replace("removable: false",
                                                  "removable: false\n    read_only: true", 1))
    expect(case.on("plan", "--answers", answers(case, "rename")), 4, "cannot be renamed",
           "read-only", "ignore")


@test("the other disk changed between plan and apply: refused, nothing written")
def _(case):
    disk = old_install(case)
    plan = case.dir / "plan.json"
    expect(case.on("plan", "-o", plan, "--answers", answers(case, "rename")), 0)
    tool("sgdisk", "-c", "3:films", disk)
    node, other = ends(case.disk()), ends(disk)
    expect(case.on("apply", plan, "--yes"), 4, "has changed since the plan")
    same((ends(case.disk()), ends(disk)), (node, other), "both disks")


def cut_anew(case, kind):
    shutil.rmtree(case.machine_dir, ignore_errors=True)
    disk = old_install(case)
    before = ends(disk)
    power_cut(case, kind, answers(case, "rename"))
    return disk, before


@test("power cut around the renaming: resume finishes it, undo takes it back bit by bit")
def _(case):
    for kind in ("table", "aside", "entries", "verify"):
        for way in ("resume", "undo"):
            disk, before = cut_anew(case, kind)
            expect(case.on(way, *(["--yes"] if way == "undo" else [])), 0)
            names = list(partitions(disk))
            if way == "undo":
                same(ends(disk), before, f"undo after a cut at {kind}")
            else:
                assert names[1].startswith("state-old-"), (kind, names)


def journals(case):
    """[(state, what is owed, whether it is here)] of all journals."""
    found = json.loads(expect(case.on("status", "--json"), 0).out)["journals"]
    return [(j["state"], [(o["text"], o["holds"], o["here"]) for o in j["owed"]]) for j in found]


@test("undo without the disk whose partitions got other names: it says which they had, owes them "
      "in the journal, and gives them back once the disk is here")
def _(case):
    disk = old_install(case)
    before = ends(disk)
    expect(case.on("install", "--answers", answers(case, "rename")), 0)
    renamed = list(partitions(disk))
    yaml = case.machine_dir / "machine.yaml"
    whole = yaml.read_text()
    away = "".join(d for d in re.split(r"(?m)^(?=  - )", whole) if "DATA4711" not in d)
    yaml.write_text(away)
    expect(case.on("undo", "--dry-run"), 0, "NOT the names of 2 partitions on sda (",
           "serial DATA4711), which is not here: ", f"{renamed[1]}, which was state")
    expect(case.on("undo", "--yes"), 0, "warning: the names on sda stay", "DATA4711",
           'there partition 1 was called "slipway-a", UUID ',
           'there partition 2 was called "state", UUID ',
           "Taken back, but not the names of 2 partitions on sda (")
    same(list(partitions(disk)), renamed, "names while it is away")
    (state, owed), = journals(case)
    same((state, len(owed), owed[0][2]), ("partly undone", 1, False), "the journal")
    expect(case.on("status"), 0, "partly undone", "still to be undone: the names of 2 partitions "
           "on sda (", "which is not here")
    expect(case.on("undo", "--yes"), 4, "no disk is left to undo", "attach it")
    system = ends(case.disk())

    # Here again, but nothing can be written to it: still owed.
    yaml.write_text(whole.replace('serial: "DATA4711"\n',
                                  'serial: "DATA4711"\n    read_only: true\n'))
    expect(case.on("undo", "--yes"), 0, "warning: the names on sda stay", "it is read-only",
           "Taken back, but not the names")
    same(journals(case)[0][0], "partly undone", "the journal")

    yaml.write_text(whole)
    same(journals(case)[0][1][0][2], True, "it is here")
    expect(case.on("undo", "--yes"), 0, "Undo brings back:\n  the names of 2 partitions on "
           "sda", "restoring the partition names on sda")
    same(ends(disk), before, "the other disk")
    same(ends(case.disk()), system, "the node's disk")
    same(journals(case), [("undone", [])], "the journal")
    expect(case.on("undo", "--yes"), 5, "nothing to undo")


@test("names that are owed but were changed by somebody since are left alone, and no longer owed")
def _(case):
    disk = old_install(case)
    expect(case.on("install", "--answers", answers(case, "rename")), 0)
    yaml = case.machine_dir / "machine.yaml"
    whole = yaml.read_text()
    yaml.write_text("".join(d for d in re.split(r"(?m)^(?=  - )", whole) if "DATA4711" not in d))
    expect(case.on("undo", "--yes"), 0, "Taken back, but not")
    yaml.write_text(whole)
    tool("sfdisk", "--no-reread", "--no-tell-kernel", "-q", "--part-label", disk, "2", "mine")
    expect(case.on("undo", "--yes"), 0, "warning: the names on sda stay: partition 2 of sda is not")
    assert "mine" in partitions(disk), partitions(disk)
    same(journals(case), [("undone", [])], "the journal")


@test("a volume group with a part on the disk and another elsewhere is named as a loss")
def _(case):
    case.create()
    with open("tests/fuzz/corpus/lvm/vg0", "rb") as file:
        volume = file.read()
    for serial in ("NODE07SYS", "DATA4711"):
        with open(case.disk(serial), "r+b") as file:
            file.write(volume)
    expect(case.on("plan", "--answers", case.answers()), 0, "volume group vg0", "it loses the part")


if __name__ == "__main__":
    main()
