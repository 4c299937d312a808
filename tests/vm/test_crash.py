# SPDX-License-Identifier: Apache-2.0
"""Power cuts in a mode switch and a promote on a real kernel, booted for real afterwards."""

import os
import random
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


def boot_states(directory, count):
    seed = int(os.environ.get("SLIPWAY_SEED") or random.SystemRandom().randrange(1 << 32))
    print("# seed %d (SLIPWAY_SEED=%d repeats it)" % (seed, seed), flush=True)
    rng = random.Random(seed)
    recorded = Recorded(directory)
    check(recorded.log.count() >= 5, "only %d epochs" % recorded.log.count())
    # Whole, with the variables of before and after the last write: the old slot, then the new.
    def everything(path):
        blocklog.whole(recorded.log, recorded.base, path)
        return "every block"
    check(recorded.start("whole-old", "switched", everything).id == "lkg", "not the old image")
    check(recorded.start("whole-new", "promoted", everything).id == "net1", "not the new image")
    for number in range(count - 2):
        variables = rng.choice(("before", "switched"))
        recorded.start("state%d" % number, variables,
                       lambda path: recorded.log.cut(recorded.base, path, rng))


def test_some_power_cuts_of_a_switch_and_a_promote(directory):
    """Three states drawn by a printed seed, and the whole of it with old and new variables."""
    boot_states(directory, 5)


def test_fifty_power_cuts_of_a_switch_and_a_promote(directory):
    """Every state starts from a slot, with its node data."""
    boot_states(directory, 52)


test_fifty_power_cuts_of_a_switch_and_a_promote.long = True
