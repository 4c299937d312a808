# SPDX-License-Identifier: Apache-2.0
"""What an install makes of the node's boot mode, checked against the stand-in's files."""
import struct

from lib import GLOBAL, expect, main, same, test

OURS = "c7f24dd8-4d6c-4d0c-9a35-7e3f1b6f0a52"


def plant(case, name, data):
    path = case.machine_dir / "vars" / f"{name}-{GLOBAL}"
    path.write_bytes(struct.pack("<I", 7) + data)


def next_of(case):
    path = case.machine_dir / "vars" / f"BootNext-{GLOBAL}"
    return struct.unpack("<H", path.read_bytes()[4:])[0] if path.exists() else None


def state_of(case):
    """Our variable by its documented layout: mode, strategy, flags, BootNext, order; or None."""
    path = case.machine_dir / "vars" / f"SlipwayBoot-{OURS}"
    if not path.exists():
        return None
    d = path.read_bytes()[4:]
    same(d[:4], b"SWB\1", "magic")
    return d[4], d[5], d[6], struct.unpack("<H", d[10:12])[0], \
        list(struct.unpack(f"<{d[9]}H", d[12:12 + 2 * d[9]]))


def network(case, *more):
    return case.answers(replace=[("mode: local", "mode: network"), *more])


def variables(case):
    return {p.name: p.read_bytes() for p in (case.machine_dir / "vars").iterdir()}


@test("an install notes what it set in the firmware, so that the first start can be compared")
def _(case):
    case.create()
    expect(case.on("install", "--answers", network(case)), 0)
    order = case.entries()[1]
    same(next_of(case), 1, "BootNext")
    same(state_of(case), (1, 0, 1, 1, order[:3]), "mode network, strategy armed, armed with 1")
    # A firmware that does not use the first BootNext is found out at the first start.
    (case.machine_dir / "run" / "boot-id").unlink()
    expect(case.on("mode", "keep"), 0, "BootNext was lost")


@test("looked at in the boot that installed, nothing is lost yet and nothing is to be written")
def _(case):
    case.create()
    expect(case.on("install", "--answers", network(case)), 0)
    shown = expect(case.on("--json", "mode"), 0).json()
    same((shown["pending"], shown["notes"]), (0, []), "pending and notes")
    same(expect(case.on("--json", "mode", "keep"), 0).json()["written"], 0, "writes of keep")


@test("undo takes our variable away again, or puts back what it was")
def _(case):
    case.create()
    before = variables(case)
    expect(case.on("install", "--answers", network(case)), 0)
    assert state_of(case)
    expect(case.on("--yes", "undo"), 0)
    same(variables(case), before, "variables after the first undo")
    expect(case.on("install", "--answers", network(case)), 0)
    before = variables(case)
    expect(case.on("install", "--answers", case.answers()), 0)
    same(state_of(case)[0], 0, "mode local")
    expect(case.on("--yes", "undo"), 0)
    same(variables(case), before, "variables after the second undo")


@test("a reinstall in mode local takes the network's BootNext away, from a saved plan, too")
def _(case):
    case.create()
    expect(case.on("install", "--answers", network(case)), 0)
    same(next_of(case), 1, "BootNext of mode network")
    plan = case.dir / "plan.json"
    expect(case.on("plan", "--answers", case.answers(), "-o", plan), 0,
           "start in the usual order at the next boot")
    expect(case.on("--yes", "apply", plan), 0)
    same(next_of(case), None, "BootNext")
    same(state_of(case)[:3], (0, 0, 0), "mode local, nothing armed")


@test("a reinstall in mode local leaves somebody else's BootNext")
def _(case):
    case.create()
    plant(case, "BootNext", struct.pack("<H", 0))   # the firmware's own shell
    expect(case.on("install", "--answers", case.answers()), 0)
    same(next_of(case), 0, "BootNext")


@test("hands-off writes neither entries nor our variable")
def _(case):
    case.create()
    before = variables(case)
    expect(case.on("install", "--answers",
                   case.answers(replace=[("mode: local", "mode: hands-off")])), 0)
    same(variables(case), before, "variables")


def fill_store(case):
    """Leaves no room for anything new; what is there may be written over."""
    plant(case, "Filler", bytes(64 << 10))


@test("a full firmware: what needs no new variable works, what is not kept is said, and exit is 0")
def _(case):
    case.create()
    expect(case.on("install", "--answers", network(case)), 0)
    entries, following = case.entries(), next_of(case)
    (case.machine_dir / "vars" / f"SlipwayBoot-{OURS}").unlink()
    fill_store(case)
    said = "SlipwayBoot cannot be written"
    expect(case.on("mode", "network"), 0, said, "lost starts are not counted")
    same((case.entries(), next_of(case), state_of(case)), (entries, following, None), "variables")
    done = expect(case.on("--json", "mode", "keep"), 0).json()
    same(done["written"], 0, "written")
    assert any(said in note for note in done["notes"]), done["notes"]
    # What has to be written and cannot be is an error as ever; the disk says what is wanted.
    expect(case.on("mode", "local"), 0, said)
    same(next_of(case), None, "BootNext in mode local")
    expect(case.on("mode", "network"), 7, "BootNext", "No space left")
    same(case.on("--json", "mode").json()["mode"], "network", "the wish is on the disk")
    (case.machine_dir / "vars" / f"Filler-{GLOBAL}").unlink()
    expect(case.on("mode", "keep"), 0)
    same((case.entries(), next_of(case)), (entries, following), "variables in the end")


if __name__ == "__main__":
    main()
