# SPDX-License-Identifier: Apache-2.0
"""A state whose file system is damaged: e2fsck by slipway, its plan, its way back, and power cuts.

What is damaged is made by debugfs, and judged by e2fsck -fn and debugfs alone.
"""
import contextlib
import os
import random
import re
import time
from pathlib import Path

from lib import Skip, expect, fingerprint, main, need, same, test, tool
from museum import Broken, bad, findings, make

BLOCK = 4096
IDENTITY = "nvme0n1/state"


def broken(case):
    """A file that stays, one that has lost its name, and a superblock that says so."""
    need("debugfs", "e2fsck", "e2undo")
    case.copy_of(make)
    b = Broken(case)
    kept = case.dir / "kept"
    kept.write_bytes(b"what must stay\n" * 1000)

    def damage(image):
        for words in ("mkdir d", f"write {kept} kept", f"write {kept} d/lost", "unlink d/lost",
                      "mkdir e", "mkdir e/f", "clri e", "freeb 40000 200", "setb 90000 200",
                      "sif <2> links_count 77", "ssv state 2"):
            tool("debugfs", "-w", "-R", words, image)
    b.on_state(damage)
    return b


def alone(case, b, what):
    """what(path of the state as a file of its own)"""
    out = []
    b.on_state(lambda image: out.append(what(image)))
    return out[0]


def is_clean(case, b):
    return alone(case, b, lambda image: tool("e2fsck", "-f", "-n", image, check=False)
                 .returncode) == 0


def cat(case, b, name):
    return alone(case, b, lambda image: tool("debugfs", "-R", f"cat {name}", image).stdout)


def state_of(b):
    return fingerprint(b.image, *b.state())


@test("the plan is what e2fsck says before; repaired it is clean, nothing is lost, and comes back")
def _(case):
    b = broken(case)
    before = state_of(b)
    found = {f["id"]: f for f in bad(findings(case))}
    repair = found[IDENTITY]["repair"]
    assert "lost+found" in repair["loses"] and repair["confirm"] and repair["undo"], repair
    said = [w["text"] for w in repair["writes"]]
    assert any("unused inode" in line for line in said), said
    same(state_of(b), before, "what was only looked at")
    code, shown = case.at_terminal(lambda text: "yes" if text.endswith("this: ") else None,
                                   "doctor", "--repair", IDENTITY)
    same((code, state_of(b)), (130, before), shown)
    undo = case.dir / "undo.json"
    expect(case.on("--yes", "doctor", "--repair", IDENTITY, "--save", undo), 0, "is gone",
           "had lost their name are in lost+found")
    assert is_clean(case, b), "e2fsck finds more"
    same(cat(case, b, "kept"), "what must stay\n" * 1000, "the file that stays")
    assert "Pass 5" in (case.dir / "undo.json.log").read_text(), "no log of what e2fsck said"
    expect(case.on("--yes", "doctor", "--undo", undo), 0)
    same(state_of(b), before, "after the undo")


@test("an undo after the file system was used is refused, and nothing is written")
def _(case):
    b = broken(case)
    undo = case.dir / "undo.json"
    expect(case.on("--yes", "doctor", "--repair", IDENTITY, "--save", undo), 0, "is gone")
    b.on_state(lambda image: tool("debugfs", "-w", "-R", "ssv mtime 20300101", image))
    used = state_of(b)
    expect(case.on("--yes", "doctor", "--undo", undo), 4, "e2undo")
    same(state_of(b), used, "the state")


@test("cut off anywhere the repair is repeated: each state ends clean, with the file that stays")
def _(case):
    b = broken(case)
    at, size = b.state()
    before = case.dir / "before.img"
    tool("cp", "--sparse=always", b.image, before)
    expect(case.on("--yes", "doctor", "--repair", IDENTITY, "--no-undo"), 0, "is gone")
    with open(before, "rb") as old, open(b.image, "rb") as new:
        changed = [off for off in range(at, at + size, BLOCK)
                   if os.pread(old.fileno(), BLOCK, off) != os.pread(new.fileno(), BLOCK, off)]
        now = {off: os.pread(new.fileno(), BLOCK, off) for off in changed}
    seed = os.environ.get("SLIPWAY_TEST_SEED") or str(random.SystemRandom().randrange(1 << 32))
    rng, states = random.Random(seed), 4 if os.environ.get("SLIPWAY_TEST_QUICK") else 24
    print(f"# SLIPWAY_TEST_SEED={seed}: {len(changed)} blocks differ", flush=True)
    assert changed[0] == at and len(changed) > 4, changed
    for _ in range(states):
        tool("cp", "--sparse=always", before, b.image)
        for off in rng.sample(changed[1:], rng.randrange(len(changed))):
            b.write(off, now[off])
        expect(case.on("--yes", "doctor", "--repair", IDENTITY, "--no-undo"), 0, "is gone")
        assert is_clean(case, b), "not clean after a cut"
        same(cat(case, b, "kept"), "what must stay\n" * 1000, "the file that stays")


@contextlib.contextmanager
def attached(b):
    """The node's disk as a block device of this machine: the state's device."""
    if os.geteuid() != 0:
        raise Skip("loop devices need root")
    need("losetup", "addpart", "blockdev")
    made = tool("losetup", "--partscan", "--find", "--show", b.image, check=False)
    if made.returncode:
        raise Skip("no loop device: " + made.stderr.strip())
    device = Path(made.stdout.strip())
    part = b.parts["state"]
    number = re.search(r"\d+$", part["node"]).group()
    node = device.with_name(f"{device.name}p{number}")
    try:
        if not Path(f"/sys/class/block/{node.name}").exists():    # a kernel that reads no tables
            tool("addpart", device, number, part["start"], part["size"], check=False)
        for _ in range(50):
            if node.exists():
                break
            time.sleep(0.1)
        else:
            raise Skip("this kernel makes no partitions of a loop device")
        yield node
    finally:
        tool("losetup", "--detach", device)


@test("a running node: a partition in use is no failure of a repair that was written (root)")
def _(case):
    b = broken(case)
    before = Path(b.image).read_bytes()
    b.write(len(before) - 512, bytes(512))
    undo = case.dir / "undo.json"
    with attached(b) as node, open(node, "rb"):
        name = node.name.rpartition("p")[0]

        def doctor(*words):
            return case.run("--yes", "doctor", "--disk", name, *words)
        expect(doctor("--repair", f"{name}/gpt-backup", "--save", undo), 0, "is gone")
        tool("blockdev", "--flushbufs", f"/dev/{name}")
        assert Path(b.image).read_bytes() == before, "the backup table is not as it was"
        expect(doctor("--undo", undo), 0)
        tool("blockdev", "--flushbufs", f"/dev/{name}")
        assert Path(b.image).read_bytes()[-512:] == bytes(512), "it was not undone"


@test("a block device: e2fsck repairs what debugfs and dd damaged, e2undo brings it back (root)")
def _(case):
    b = broken(case)
    at, size = b.state()
    b.write(at + size // 2 // BLOCK * BLOCK, random.Random(1).randbytes(16 * BLOCK))
    for group in (1, 2):    # what the groups behind the first say of themselves
        b.write(at + BLOCK + 64 * group + 12, b"\xff\xff\xff\xff")
    before, everything = state_of(b), fingerprint(b.image)
    undo = case.dir / "undo.json"
    with attached(b) as node:
        name = node.name.rpartition("p")[0]

        def doctor(*words):
            return case.run("--yes", "doctor", "--disk", name, *words)

        def now():
            tool("blockdev", "--flushbufs", f"/dev/{name}")
            return state_of(b)
        shown = doctor("--repair", f"{name}/state", "--dry-run")
        assert shown.code == 0 and "lost+found" in shown.out, shown
        same(now(), before, "what was only looked at")
        expect(doctor("--repair", f"{name}/state", "--save", undo), 0, "is gone",
               "of its own questions with yes", "had lost their name are in lost+found")
        assert now() != before, "nothing was written"
        assert is_clean(case, b), "e2fsck finds more"
        same(cat(case, b, "kept"), "what must stay\n" * 1000, "the file that stays")
        assert "Pass 5" in (case.dir / "undo.json.log").read_text(), "no log of what e2fsck said"
        where = case.dir / "mounted"
        where.mkdir()
        if tool("mount", "-o", "ro", node, where, check=False).returncode == 0:
            try:
                same((where / "kept").read_bytes(), b"what must stay\n" * 1000, "mounted")
                assert doctor("--undo", undo).code != 0, "taken back under a mount"
            finally:
                tool("umount", where)
        expect(doctor("--undo", undo), 0, "Taken back")
        same(now(), before, "the state after the undo")
    same(fingerprint(b.image), everything, "the whole disk after the undo")


if __name__ == "__main__":
    main()
