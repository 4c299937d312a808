# SPDX-License-Identifier: Apache-2.0
"""Power cuts in a mode switch and a promote on a real kernel, booted for real afterwards."""

import os
import shutil
import subprocess

import blocklog
import bootnode
import disk
import harness
import server
from bootnode import run, slipway, up


def check(condition, text):
    if not condition:
        raise harness.Failure(text)


class Recorded:
    """A switch to mode local and a promote: the disk before, all block writes, the variables."""

    def __init__(self, directory):
        node = bootnode.build()
        self.directory, self.node = directory, node
        self.machine = bootnode.installed(directory, node)
        system = self.machine.disks[0]
        self.base = os.path.join(directory, "base")
        subprocess.run(["cp", "--sparse=always", system.path, self.base], check=True)
        system.log = os.path.join(directory, "log")
        image = node.image("net1")
        http = server.Server()
        try:
            url = http.add("/net1.efi", image)
            with harness.Vm(self.machine, cpus=1) as vm:
                up(vm, "lkg", "slot")
                self._keep("before")
                slipway(vm, "mode network")
                self._keep("switched")
                run(vm, "slipway promote --uki %s --sha256 %s --trust none" %
                    (url, node.sha256(image)), timeout=400)
                self._keep("promoted")
        finally:
            http.close()
        self.log = blocklog.Log(system.log)

    def _keep(self, name):
        shutil.copyfile(self.machine.vars, os.path.join(self.directory, name + ".fd"))

    def start(self, name, variables, make):
        """Boots one state; returns what came up."""
        there = os.path.join(self.directory, name)
        machine = harness.Machine(there)
        machine.cpu = self.machine.cpu
        path = os.path.join(there, "disk")
        what = make(path)
        machine.disks.append(disk.Disk(path, "NODE07SYS", 0))
        shutil.copyfile(os.path.join(self.directory, variables + ".fd"), machine.vars)
        print("# %s, variables %s: %s" % (name, variables, what), end="", flush=True)
        with harness.Vm(machine, cpus=1, network=False) as vm:
            seen = up(vm, running="slot", timeout=600)
            check(seen.attest == bootnode.ATTEST, "attestation URL %r" % seen.attest)
            kept = slipway(vm, "mode keep") if variables != "before" else {}
        print(": %s from slot %s" % (seen.id, seen.mode["slot"]), flush=True)
        shutil.rmtree(there)
        check(kept.get("error") is None, "keep: %r" % kept)
        return seen


def old_and_new(recorded):
    """Every block, with the variables of before and after the last write: the old slot, the new."""
    def everything(path):
        blocklog.whole(recorded.log, recorded.base, path)
        return "every block"
    check(recorded.start("whole-old", "switched", everything).id == "lkg", "not the old image")
    check(recorded.start("whole-new", "promoted", everything).id == "net1", "not the new image")


def boot_states(recorded, count):
    """Goes on after a failure, whose state is kept, so that all of them are counted."""
    rng = harness.drawn()
    check(recorded.log.count() >= 5, "only %d epochs" % recorded.log.count())
    failures = []
    for number in range(count):
        variables = rng.choice(("before", "switched"))
        try:
            recorded.start("state%d" % number, variables,
                           lambda path: recorded.log.cut(recorded.base, path, rng))
        except harness.Failure as failure:
            failures.append("state%d: %s" % (number, failure))
            print(": FAILED", flush=True)
    print("# %d states of power cuts started, %d failures" % (count, len(failures)), flush=True)
    check(not failures, "\n".join(failures))


def test_two_power_cuts_of_a_switch_and_a_promote(directory):
    """Two states drawn by a printed seed start from a slot, with their node data."""
    boot_states(Recorded(directory), 2)


def test_fifty_power_cuts_of_a_switch_and_a_promote(directory):
    """Fifty of them; and every block with the old variables is the old slot, else the new one."""
    recorded = Recorded(directory)
    old_and_new(recorded)
    boot_states(recorded, 50)


test_two_power_cuts_of_a_switch_and_a_promote.drawn = True
test_fifty_power_cuts_of_a_switch_and_a_promote.long = True
