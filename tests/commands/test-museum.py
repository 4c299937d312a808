# SPDX-License-Identifier: Apache-2.0
"""The museum of broken nodes: doctor names the cause first, repairs it, and the node starts.

A part of the museum in a quick run; all of it otherwise.
"""
import os

from lib import TESTS, expect, main, need, same, tool
import museum_machine   # adds its exhibits
import museum_sealed    # and its own
import museum_state
import museum_table
from museum import (EXHIBITS, Broken, bad, everything, findings, healthy, kept, kind_of,
                    repair_all, starts)

assert museum_machine and museum_sealed and museum_state and museum_table


def complete(finding):
    for part in ("what", "evidence", "effect", "sure"):
        assert finding[part], f"{finding['id']} does not say {part}"
    assert "repair" in finding or finding.get("advice"), f"{finding['id']} leaves one alone"


def visit(case, e):
    known, keeps = healthy(case, e.make)
    e.damage(Broken(case))
    damaged = everything(case)
    everything_said = findings(case)
    found = [f for f in everything_said if kind_of(f) in e.first] if e.info else \
        bad(everything_said)
    same(everything(case), damaged, "what was only examined")
    assert found, "nothing is found"
    same([f["id"] for f in bad(everything_said)] if e.info else [], [], "what is wrong")
    assert kind_of(found[0]) in e.first, \
        f"{[f['id'] for f in found]} instead of one of {e.first} first"
    assert e.says in found[0]["evidence"], f"{found[0]} does not say {e.says!r}"
    for finding in found:
        complete(finding)
    same("repair" in found[0], e.repair, f"a repair of {found[0]['id']}: {found[0]}")
    if not e.repair or not e.mends:
        return
    if e.info:
        expect(case.on("--yes", "doctor", "--repair", found[0]["id"]), 0, "is gone")
    repair_all(case, e.given)
    same([f["id"] for f in bad(findings(case))], [], "what is left after the repairs")
    assert starts(case, known), "the repaired node does not start"
    if e.keeps:
        same(kept(Broken(case)), keeps, "the state")
    assert "No problems found" in tool("sgdisk", "-v", Broken(case).image).stdout


def add(e):
    def run(case):
        need("sgdisk", "mcopy", "debugfs", "wipefs", "mkfs.xfs", "mkfs.btrfs")
        visit(case, e)
    TESTS.append((f"{e.name}: {e.what}", run))


# A quick run takes every fourth: each kind of damage is among them.
for number, one in enumerate(EXHIBITS):
    if not os.environ.get("SLIPWAY_TEST_QUICK") or number % 4 == 0:
        add(one)


if __name__ == "__main__":
    main()
