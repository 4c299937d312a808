# SPDX-License-Identifier: Apache-2.0
"""Undo data away from the disk: to a path, a server, a stick; and back when the journal is lost."""
import json

from lib import (GLOBAL, MiB, expect, head, main, partitions, put_server, same, stick, tail, test,
                 tool)

ZONE = 4 * MiB


def layout(case):
    """As the node's layout, but small enough to copy around."""
    where = case.dir / "small"
    where.mkdir(exist_ok=True)
    parts = (("10-a", "esp", "slipway-a", "slot", 36), ("20-b", "esp", "slipway-b", "slot", 36),
             ("30-n", "linux-generic", "slipway-node", "node-data", 2))
    for name, kind, label, role, size in parts:
        (where / f"{name}.conf").write_text(
            f"[Partition]\nType={kind}\nLabel={label}\nSizeMinBytes={size}M\n"
            f"SizeMaxBytes={size}M\nX-Slipway-Role={role}\n")
    (where / "40-s.conf").write_text(
        "[Partition]\nType=linux-generic\nLabel=state\nSizeMinBytes=8M\nSizeMaxBytes=8M\n"
        "PaddingMinBytes=6M\nFormat=ext4\nX-Slipway-Role=state\n")
    return where


def machine(case, table="label: gpt\nstart=2M, size=32M, name=precious, type=linux\n"):
    case.create("serial=NODE07SYS,size=160M,transport=nvme",
                "serial=STICK77,size=64M,transport=usb")
    if table:
        tool("sfdisk", "-q", case.disk(), input=table)
    return case.answers(replace=[("layout: node", f"layout: {layout(case)}")])


def variables(case):
    return {p.name: p.read_bytes() for p in (case.machine_dir / "vars").glob(f"*-{GLOBAL}")}


def lose_journal(case):
    """Somebody overwrites the zone near the end of the disk."""
    disk = case.disk()
    end = disk.stat().st_size - MiB
    with disk.open("r+b") as f:
        f.seek(end - ZONE)
        f.write(bytes(ZONE))


def undo_from(case, source, before):
    """The journal is gone; a copy says first what comes back, then brings it back."""
    disk, old_head, old_tail, old_vars = before
    expect(case.on("undo", "--yes"), 5, "nothing to undo")
    expect(case.on("undo", "--from", source, "--dry-run"), 0, "precious", "NOT whole")
    assert head(disk) != old_head, "a dry run wrote"
    expect(case.on("undo", "--from", source, "--yes"), 0)
    same(sorted(partitions(disk)), ["precious"], "partitions")
    assert head(disk) == old_head and tail(disk) == old_tail, "not the old first and last MiB"
    same(variables(case), old_vars, "boot variables")
    expect(case.on("status"), 0, "undone")


def state(case):
    disk = case.disk()
    return disk, head(disk), tail(disk), variables(case)


@test("a copy at a path: the journal is lost, undo --from brings the old table and entries back")
def _(case):
    answers = machine(case)
    before = state(case)
    copy = case.dir / "copy.bin"
    expect(case.on("install", "--answers", answers, "--undo-copy", copy), 0, "undo data is on")
    same(copy.stat().st_size, ZONE, "size of the copy")
    lose_journal(case)
    undo_from(case, copy, before)
    expect(case.on("undo", "--from", copy, "--yes"), 4, "undone already")


@test("a copy on a server by PUT, named in the answers; a server that refuses stops the install "
      "before anything is written")
def _(case):
    answers = machine(case)
    text = answers.read_text()
    before = state(case)
    whole = before[0].read_bytes()
    for status, code in ((500, 10), (403, 10), (302, 10)):
        with put_server(status) as (url, kept):
            answers.write_text(text.replace("  wipe: any", f"  wipe: any\n  undo-copy: {url}"))
            expect(case.on("install", "--answers", answers), code, "nothing was written")
            assert kept, "nothing was sent"
    assert before[0].read_bytes() == whole and variables(case) == before[3], "written"
    with put_server() as (url, kept):
        answers.write_text(text.replace("  wipe: any", f"  wipe: any\n  undo-copy: {url}"))
        expect(case.on("install", "--answers", answers), 0)
        same(list(kept), ["/undo/slipway-undo-NODE07SYS.bin"], "uploaded")
        lose_journal(case)
        undo_from(case, url + "slipway-undo-NODE07SYS.bin", before)


@test("a copy on the operator's stick; without one the install stops before anything is written")
def _(case):
    answers = machine(case)
    before = state(case)
    whole = before[0].read_bytes()
    expect(case.on("install", "--answers", answers, "--undo-copy", "stick"), 5, "SLIPWAY")
    assert before[0].read_bytes() == whole, "written"
    image = stick(case)
    expect(case.on("install", "--answers", answers, "--undo-copy", "stick"), 0)
    listed = tool("mdir", "-b", "-i", f"{image}@@{MiB}", "::/").stdout
    assert "slipway-undo-NODE07SYS.bin" in listed, listed
    lose_journal(case)
    undo_from(case, "stick", before)


@test("an interrupted install whose journal is lost is resumed from an exported copy")
def _(case):
    answers = machine(case)
    copy, bad = case.dir / "copy.bin", case.dir / "kernel"
    expect(case.on("install", "--answers", answers), 0)
    want = head(case.disk())
    expect(case.on("undo", "export", copy), 0, "copied")
    # As after a cut before the table: slots may be there, the old table is.
    expect(case.on("undo", "--yes"), 0)
    lose_journal(case)
    expect(case.on("resume"), 5)
    expect(case.on("resume", "--from", copy), 0)
    assert head(case.disk()) == want, "another table than the install's"
    expect(case.on("status"), 0, "the last install is done", "hash right")
    assert not bad.exists()
    # The same from a server, and from the operator's stick.
    stick(case)
    with put_server() as (url, _kept):
        for place in (url + "copy.bin", "stick"):
            expect(case.on("undo", "export", place), 0, "copied")
            expect(case.on("undo", "--yes"), 0)
            lose_journal(case)
            expect(case.on("resume", "--from", place), 0)
            assert head(case.disk()) == want, f"another table than the install's ({place})"


@test("what is not a whole copy, or one of another machine, is refused and nothing is written")
def _(case):
    answers = machine(case)
    copy, bad = case.dir / "copy.bin", case.dir / "bad.bin"
    expect(case.on("install", "--answers", answers, "--undo-copy", copy), 0)
    lose_journal(case)
    disk = case.disk()
    whole, data = disk.read_bytes(), copy.read_bytes()
    for broken in (b"", data[:-1], data[:MiB], b"x" * len(data), data + data,
                   data[:MiB + 99] + b"\1" + data[MiB + 100:],
                   data[:3 * MiB + 9] + b"\1" + data[3 * MiB + 10:]):
        bad.write_bytes(broken)
        expect(case.on("undo", "--from", bad, "--yes"), 3, "not a whole undo copy")
    expect(case.on("undo", "--from", case.dir / "none", "--yes"), 5)
    tool("sfdisk", "-q", disk, input="label: gpt\nstart=1M, size=1M\n")
    changed = disk.read_bytes()
    expect(case.on("undo", "--from", copy, "--yes"), 4, "somebody else has changed")
    assert disk.read_bytes() == changed, "written"
    disk.write_bytes(whole)
    config = case.machine_dir / "machine.yaml"
    config.write_text(config.read_text().replace("NODE07SYS", "OTHER"))
    expect(case.on("undo", "--from", copy, "--yes"), 4, "not in this machine")
    assert disk.read_bytes() == whole, "written"


def luks_at(disk, offset):
    with disk.open("r+b") as f:
        f.seek(offset)
        f.write(b"LUKS\xba\xbe\0\2" + bytes(4088) + b"keyslot" * 9000)


@test("a copy holds no LUKS header: what is left out is said, and undo does not invent it")
def _(case):
    answers = machine(case, table=None)
    disk, copy = case.disk(), case.dir / "copy.bin"
    luks_at(disk, 0)
    expect(case.on("install", "--answers", answers, "--undo-copy", copy), 0)
    data = copy.read_bytes()
    assert b"LUKS\xba\xbe" not in data and b"keyslot" not in data, "in the copy"
    lose_journal(case)
    expect(case.on("undo", "--from", copy, "--dry-run"), 0, "NOT bytes 0 to", "LUKS header")
    expect(case.on("undo", "--from", copy, "--yes"), 0)
    got = tool("sfdisk", "-J", disk, check=False).stdout
    assert "slipway" not in got, got
    listed = {d["serial"]: d for d in case.on("--json", "facts").json()["disks"]}["NODE07SYS"]
    assert not listed["table"].get("parts"), listed


@test("a LUKS partition within the first MiB is left out, the table before it comes back")
def _(case):
    answers = machine(case, table="label: dos\nstart=128, size=1M, type=83\n")
    disk, copy = case.disk(), case.dir / "copy.bin"
    luks_at(disk, 128 * 512)
    expect(case.on("install", "--answers", answers, "--undo-copy", copy), 0)
    data = copy.read_bytes()
    assert b"LUKS\xba\xbe" not in data and b"keyslot" not in data, "in the copy"
    lose_journal(case)
    expect(case.on("undo", "--from", copy, "--yes"), 0, "NOT bytes 65536 to 1048576")
    table = json.loads(tool("sfdisk", "-J", disk).stdout)["partitiontable"]
    same((table["label"], len(table["partitions"])), ("dos", 1), "table")


@test("a disk that still has its journal uses it; another install's journal is not overwritten")
def _(case):
    answers = machine(case)
    copy = case.dir / "copy.bin"
    expect(case.on("install", "--answers", answers, "--undo-copy", copy), 0)
    got = expect(case.on("undo", "--from", copy, "--dry-run"), 0, "own journal is whole")
    assert "old boot order" in got.out, got
    # What is said again is not installed again.
    other = case.dir / "other.yaml"
    other.write_text(answers.read_text().replace("hostname: ", "hostname: other-"))
    expect(case.on("install", "--answers", other), 0)
    expect(case.on("undo", "--from", copy, "--yes"), 4, "another install")


if __name__ == "__main__":
    main()
