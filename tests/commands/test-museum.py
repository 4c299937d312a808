# SPDX-License-Identifier: Apache-2.0
"""The museum of broken nodes: doctor names the cause first, repairs it, and the node starts.

A part of the museum in a quick run; all of it otherwise. With SLIPWAY_TEST_LONG also 200 nodes
that a seeded generator damaged, and their confusion table.
"""
import os

from lib import Case, Skip, TESTS, expect, fingerprint, main, need, partitions, same, tool
from museum import EXHIBITS, Broken, images, kept, starts

KNOWN = {}      # what made a node: the hashes of its images, and of what must stay


def everything(case):
    """Every block of every disk, and every variable."""
    found = {path.name: fingerprint(path) for path in case.machine_dir.glob("disk-*.img")}
    for path in (case.machine_dir / "vars").iterdir():
        found[path.name] = path.read_bytes()
    return found


def findings(case):
    done = case.on("--json", "doctor")
    assert done.code in (0, 8), done
    return done.json()["findings"]


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


def complete(finding):
    for part in ("what", "evidence", "effect", "sure"):
        assert finding[part], f"{finding['id']} does not say {part}"
    assert "repair" in finding or finding.get("advice"), f"{finding['id']} leaves one alone"


def repair_all(case):
    """The first finding first, until nothing is wrong; what was repaired."""
    done = []
    for _ in range(12):
        left = [f for f in bad(findings(case)) if "repair" in f]
        if not left:
            return done
        expect(case.on("--yes", "doctor", "--repair", left[0]["id"]), 0, "is gone")
        done.append(left[0]["id"])
    raise AssertionError(f"no end of repairs: {done}")


def visit(case, e):
    known, keeps = healthy(case, e.make)
    e.damage(Broken(case))
    damaged = everything(case)
    found = bad(findings(case))
    same(everything(case), damaged, "what was only examined")
    assert found, "nothing is found"
    assert kind_of(found[0]) in e.first, \
        f"{[f['id'] for f in found]} instead of one of {e.first} first"
    for finding in found:
        complete(finding)
    same("repair" in found[0], e.repair, f"a repair of {found[0]['id']}: {found[0]}")
    if not e.repair:
        return
    repair_all(case)
    same([f["id"] for f in bad(findings(case))], [], "what is left after the repairs")
    assert starts(case, known), "the repaired node does not start"
    if e.keeps:
        same(kept(Broken(case)), keeps, "the state")
    assert "No problems found" in tool("sgdisk", "-v", Broken(case).image).stdout


def add(e):
    def run(case):
        need("sgdisk", "mcopy", "debugfs", "wipefs")
        visit(case, e)
    TESTS.append((f"{e.name}: {e.what}", run))


# A quick run takes every fourth: each kind of damage is among them.
for number, one in enumerate(EXHIBITS):
    if not os.environ.get("SLIPWAY_TEST_QUICK") or number % 4 == 0:
        add(one)


if __name__ == "__main__":
    main()
