# SPDX-License-Identifier: Apache-2.0
"""The network by iPXE from the disk, and a rescue image, on OVMF.

Needs an iPXE of 2022 or later, which Debian 12 does not have: SLIPWAY_IPXE names it, or it is that
of the package ipxe of Debian 13, which make test-all fetches (get-ipxe.sh).
"""

import json
import os

import bootnode
import disk
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


SECOND = "NODE07TWO"


def mirrored(directory, node, binary, boot):
    """A node on two disks, installed elsewhere; each has an iPXE and a rescue image of its own."""
    where = os.path.join(directory, "standin")
    bootnode.on_standin(where, "machine", "create", where, "--disk", "serial=NODE07SYS,size=3G",
                        "--disk", "serial=%s,size=3G" % SECOND)
    text = bootnode.ANSWERS.format(
        kernel=node.kernel, initrd=node.initrd, cmdline=bootnode.CMDLINE + "lkg",
        attest=bootnode.ATTEST, more="rescue: {uki: %s}" % node.image("resc"),
        mode='network, network: {via: ipxe, uri: "%s", ipxe: %s}' % (boot, binary))
    text = text.replace("layout: node\n", "layout: mirror\n").replace(
        "  wipe: any\n",
        "  wipe: any\n  more: [{match: {serial: %s}, wipe: any}]\n" % SECOND)
    path = os.path.join(directory, "answers.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    bootnode.on_standin(where, "install", "--answers", path, "--yes")
    facts = json.loads(bootnode.on_standin(where, "facts", "--json"))
    machine = harness.Machine(os.path.join(directory, "machine"))
    machine.cpu = harness.PLAIN_CPU
    machine.disks = [disk.Disk(d["node"], d["serial"], 0, "nvme") for d in facts["disks"]]
    return machine


def current(vm):
    """The label of the entry that the firmware started."""
    listing = slipway(vm, "boot list")
    return [e["label"] for e in listing["entries"] if e["number"] == listing["current"]][0]


def spoil(vm, label, serial):
    """The first sector of a partition of the disk with this serial."""
    run(vm, "for d in /sys/block/nvme*; do grep -q %s $d/device/serial && for p in $d/*/uevent; do "
            "grep -q PARTNAME=%s $p && dd if=/dev/zero of=/dev/$(basename $(dirname $p)) bs=512 "
            "count=1 2>/dev/null; done; done; sync" % (serial, label))


def wrong(vm, words=""):
    text = run(vm, "slipway --json --yes doctor %s 2>/dev/null; true" % words, timeout=300)
    return [f["id"] for f in json.loads(text)["findings"] if f["severity"] != "info"]


def test_a_mirror_starts_the_network_and_rescue_from_its_second_disk(directory):
    """Its first disk away: iPXE and the rescue image of the second are started. With both here and
    the first rescue image spoilt, that of the second; doctor copies it, and the first starts."""
    binary, node = ipxe(), bootnode.build()
    http = server.Server()
    boot = http.add("/boot.efi", node.image("net1"))
    machine = mirrored(directory, node, binary, boot)
    both = list(machine.disks)
    try:
        with harness.Vm(machine, cpus=1) as vm:
            up(vm, "lkg", "slot")
            slipway(vm, "mode keep")
            restart(vm, "net1", "network")
            assert current(vm) == "Slipway network", current(vm)
            assert not wrong(vm), wrong(vm)
            spoil(vm, "slipway-rescue", "NODE07SYS")
            run(vm, "slipway mode once rescue")
            restart(vm, "resc", "other")
            assert current(vm) == "Slipway rescue (disk 2)", current(vm)
            found = wrong(vm)
            assert len(found) == 1 and found[0].endswith("rescue"), found
            assert not wrong(vm, "--repair " + found[0]), "still wrong"
            restart(vm, "lkg", "slot")
            assert current(vm) == "Slipway A", current(vm)
            run(vm, "slipway mode once rescue")
            restart(vm, "resc", "other")
            assert current(vm) == "Slipway rescue", current(vm)
        machine.disks = [both[1]]
        with harness.Vm(machine, cpus=1) as vm:
            up(vm)
            slipway(vm, "mode keep")
            asked = len(http.requests)
            restart(vm, "net1", "network")
            assert current(vm) == "Slipway network (disk 2)", current(vm)
            assert len(http.requests) > asked, "nobody asked the server"
            run(vm, "slipway mode once rescue")
            seen = restart(vm, "resc", "other")
            assert "rescue image" in seen.mode["why"], seen.mode["why"]
            assert current(vm) == "Slipway rescue (disk 2)", current(vm)
            slipway(vm, "mode local")
            restart(vm, "lkg", "slot")
            print("# started from the second disk alone: %s" % current(vm), flush=True)
    finally:
        http.close()


test_ipxe_starts_the_network_and_exit_1_leads_to_the_slot.long = True
test_a_mirror_starts_the_network_and_rescue_from_its_second_disk.long = True
