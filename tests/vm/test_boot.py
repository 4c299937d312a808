# SPDX-License-Identifier: Apache-2.0
"""Boot entries, modes and slots on real firmware: OVMF, efivarfs, and HTTP boot from a server on
the loopback."""

import re

import bootnode
import harness
import server
from bootnode import restart, slipway, up


def check(condition, text):
    if not condition:
        raise harness.Failure(text)


def entries(vm):
    return slipway(vm, "boot list")


def test_conformance_and_codec(directory):
    """A disk that was installed on another machine starts by the fallback path; on it the variable
    store keeps every rule of the suite, and every entry of the firmware is reproduced."""
    node = bootnode.build()
    machine = bootnode.installed(directory, node)
    with harness.Vm(machine) as vm:
        seen = up(vm, "lkg")
        check(seen.attest == bootnode.ATTEST, "attestation URL %r" % seen.attest)
        print("# started after %.0f s: %s" % (vm.seconds(), seen.mode["why"]))
        text = vm.run("real-firmware; echo status=$?", timeout=120)
        print(re.sub("(?m)^", "# ", text))
        check("status=0" in text and "not ok" not in text, "the suite failed:\n" + text)
