# SPDX-License-Identifier: Apache-2.0
"""Broken nodes of the museum (tests/commands/museum.py) on real firmware.

A node is started once by OVMF, which makes its own entries beside ours. Of that disk and that
variable store each exhibit gets a copy, which is damaged while the machine is off, examined and
repaired by slipway on these very bytes, and started: the slot that the variables ask for must come
up, and doctor on the node itself must find nothing.
"""

import json
import os
import shutil
import subprocess
import sys
import time

import bootnode
import disk
import harness
import nvram
from bootnode import run, slipway, up

COMMANDS = os.path.join(harness.ROOT, "tests", "commands")
OTHER = "DATA4711"

# What is damaged, one or more of each kind that the museum has: the table, slots, node data, boot
# variables, another disk.
SHOWN = ("both_copies", "zapped", "dos_table", "zapped_without_journal", "first_sectors",
         "grown_and_primary", "backup_overwritten", "mbr_zeroed", "type_both", "name_data",
         "boot_sector_b", "formatted_a", "altered_b", "image_gone_a", "fat_zeroed_b",
         "data_first", "stranger", "twice_a", "vanished", "no_order", "older_first", "inactive_b",
         "other_file_b", "short_entry_a", "stale_label")
# Tables that are whole, and are not the node's: partitions deleted, moved, all with new UUIDs;
# copies that differ; a protective MBR that OVMF does not take.
TABLES = ("deleted_a", "deleted_slots", "deleted_data", "emptied", "moved_b", "same_uuid",
          "hidden_a", "other_uuids", "other_primary", "differ_in_type", "mbr_active")
# The stand-in has a TPM, which the emulated machine is without.
ELSEWHERE = {"tpm-gone", "tpm-count"}
IN_CI = ("header_zeroed",)


def museum():
    """The module; its folder is no package, and its tools are told where the program is."""
    if COMMANDS not in sys.path:
        sys.path.append(COMMANDS)
    import lib
    import museum as exhibits
    import museum_machine   # adds its exhibits
    import museum_table     # and its own
    assert museum_machine and museum_table
    lib.SLIPWAY = os.path.join(harness.BUILD, "release", "slipway")
    return lib, exhibits


class Node:
    """A healthy node as OVMF left it: the stand-in that its disks are in, and the store."""

    def __init__(self, directory):
        node = bootnode.build()
        machine = bootnode.installed(directory, node, others=((OTHER, "3G"),))
        self.directory = directory
        self.standin = os.path.join(directory, "standin")
        bootnode.on_standin(self.standin, "promote", "--uki", node.image("lkg2"),
                            "--trust", "none")
        with harness.Vm(machine, cpus=1, network=False) as vm:
            up(vm, running="slot")
            slipway(vm, "mode keep")
        self.vars = machine.vars
        nvram.into_folder(self.vars, os.path.join(self.standin, "vars"))

    def copy(self, name):
        """(case for the museum's functions, machine for the emulator) of the same bytes."""
        lib, _ = museum()
        case = lib.Case()
        shutil.rmtree(case.dir)
        case.dir = lib.Path(self.directory, name)
        case.dir.mkdir()
        case.machine_dir = case.dir / "m"
        subprocess.run(["cp", "-a", "--sparse=always", "--reflink=auto", self.standin,
                        case.machine_dir], check=True)
        machine = harness.Machine(str(case.dir))
        machine.cpu = harness.PLAIN_CPU
        shutil.copyfile(self.vars, machine.vars)
        return case, machine


def repair(case, exhibit, known):
    """Damages and repairs; returns (the finding that was first, what was repaired, the slot)."""
    _, exhibits = museum()
    exhibit.damage(exhibits.Broken(case))
    found = exhibits.bad(exhibits.findings(case))
    first = exhibits.kind_of(found[0]) if found else "nothing"
    if first not in exhibit.first:
        raise harness.Failure("%s: %s is first" % (exhibit.name, first))
    done = exhibits.repair_all(case)
    left = exhibits.bad(exhibits.findings(case))
    if left:
        raise harness.Failure("%s: %s is left" % (exhibit.name, left[0]["id"]))
    return first, done, exhibits.starts(case, known)


def start(case, machine, wanted):
    """Seconds until the node was up from the wanted slot; its own doctor finds nothing."""
    for number, serial in ((1, "NODE07SYS"), (2, OTHER)):
        machine.disks.append(disk.Disk(str(case.machine_dir / ("disk-%d.img" % number)), serial,
                                       0, "nvme" if number == 1 else "virtio"))
    nvram.from_folder(str(case.machine_dir / "vars"), machine.vars)
    began = time.monotonic()
    with harness.Vm(machine, cpus=1, network=False) as vm:
        seen = up(vm, running="slot")
        took = time.monotonic() - began
        if "slipway-" + seen.mode["slot"] != wanted or seen.attest != bootnode.ATTEST:
            raise harness.Failure("slot %s with %r came up instead of %s" %
                                  (seen.mode["slot"], seen.attest, wanted))
        said = run(vm, "slipway --json doctor 2>/dev/null || :", timeout=300)
    left = [f["id"] for f in museum()[1].bad(json.loads(said)["findings"])]
    if set(left) - ELSEWHERE:
        raise harness.Failure("doctor on the node: %r" % left)
    return took


def visit(directory, names):
    """All of them, also after a failure, so that the table is whole."""
    _, exhibits = museum()
    chosen = [e for e in exhibits.EXHIBITS if e.damage.__name__ in names]
    if len(chosen) != len(names):
        raise harness.Failure("exhibits are missing: %r" % (names,))
    node = Node(directory)
    healthy, _ = node.copy("healthy")
    known = set(exhibits.images(exhibits.Broken(healthy)).values())
    failures = []
    for exhibit in chosen:
        case, machine = node.copy(exhibit.name)
        try:
            first, done, slot = repair(case, exhibit, known)
            took = start(case, machine, slot)
            print("# %-20s %-16s %-40s %s in %.0f s" %
                  (exhibit.name, first, ", ".join(done), slot, took), flush=True)
        except (harness.Failure, AssertionError) as failure:
            failures.append("%s: %s" % (exhibit.name, failure))
            print("# %-20s FAILED: %.300s" % (exhibit.name, failure), flush=True)
        shutil.rmtree(case.dir)
    print("# %d of %d repaired nodes started" % (len(chosen) - len(failures), len(chosen)),
          flush=True)
    if failures:
        raise harness.Failure("\n".join(failures))


def test_a_broken_node_is_repaired_and_starts(directory):
    """One exhibit, so that each change of the doctor is tried on real firmware."""
    visit(directory, IN_CI)


def test_twenty_five_broken_nodes_are_repaired_and_start(directory):
    """Each kind of damage that can be repaired."""
    visit(directory, SHOWN)


def test_nodes_with_another_table_are_repaired_and_start(directory):
    """What goes by the install's journal, or by the copy under which the node lies."""
    visit(directory, TABLES)


test_a_broken_node_is_repaired_and_starts.drawn = True
test_twenty_five_broken_nodes_are_repaired_and_start.long = True
test_nodes_with_another_table_are_repaired_and_start.long = True
