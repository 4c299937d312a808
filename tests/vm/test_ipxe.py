# SPDX-License-Identifier: Apache-2.0
"""The network by iPXE from the disk, and a rescue image, on OVMF.

Needs an iPXE of 2022 or later, which Debian 12 does not have: SLIPWAY_IPXE names it, or it is that
of the package ipxe of Debian 13, which make test-all fetches (get-ipxe.sh).
"""

import os

import bootnode
import harness
import server
from bootnode import restart, run, slipway, up


def ipxe():
    named = os.environ.get("SLIPWAY_IPXE")
    for path in [named] if named else [os.path.join(harness.BUILD, "ipxe-amd64.efi"),
                                       "/usr/lib/ipxe/ipxe-amd64.efi"]:
        if os.path.exists(path):
            return path
    raise harness.Skip("no iPXE that reads autoexec.ipxe (tests/vm/get-ipxe.sh FILE, "
                       "SLIPWAY_IPXE=FILE)")


def test_ipxe_starts_the_network_and_exit_1_leads_to_the_slot(directory):
    """Served: the network's image by iPXE. Server off: exit 1, and slot A. Then once rescue."""
    binary, node = ipxe(), bootnode.build()
    http = server.Server()
    boot = http.add("/boot.efi", node.image("net1"))
    machine = bootnode.installed(
        directory, node, size="3G", more="rescue: {uki: %s}" % node.image("resc"),
        mode="network, network: {via: ipxe, uri: \"%s\", ipxe: %s}" % (boot, binary))
    try:
        with harness.Vm(machine, cpus=1) as vm:
            up(vm, "lkg", "slot")
            print("# " + run(vm, "slipway mode keep").strip().replace("\n", " | "), flush=True)
            restart(vm, "net1", "network")
            assert any(r[1] == "/boot.efi" for r in http.requests), "nobody asked the server"
            slipway(vm, "mode keep")
            http.close()
            seen = restart(vm, "lkg", "slot")
            print("# server off: %s; %s" % (seen, seen.mode["notes"]), flush=True)
            slipway(vm, "mode local")
            run(vm, "slipway mode once rescue")
            seen = restart(vm, "resc", "other")
            assert "rescue image" in seen.mode["why"], seen.mode["why"]
            restart(vm, "lkg", "slot")
    finally:
        http.close()


test_ipxe_starts_the_network_and_exit_1_leads_to_the_slot.long = True
