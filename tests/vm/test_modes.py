# SPDX-License-Identifier: Apache-2.0
"""Mode local, a single start, a full NVRAM, lost entries and a destroyed slot, on OVMF."""

import os
import struct

import bootnode
import harness
import server
from bootnode import restart, run, slipway, status, up

# One write() for a variable, as efivarfs wants it.
FILL = """{ printf '\\007\\000\\000\\000'; head -c 8000 /dev/zero; } >/tmp/fill; i=0; \
while [ $i -lt 200 ] && dd bs=16384 if=/tmp/fill 2>/dev/null \
of=/sys/firmware/efi/efivars/Fill$i-5a1b5d2c-5c0f-4c40-9f6e-7d5a3f1c7e11; do i=$((i + 1)); done; \
echo filled=$i"""
EMPTY = """for f in /sys/firmware/efi/efivars/Fill*; do chattr -i $f; rm -f $f; done"""


def check(condition, text):
    if not condition:
        raise harness.Failure(text)


def refused(vm, words):
    """A command that must fail: (status, what it said)."""
    text = run(vm, "slipway %s 2>&1; echo status=$?" % words)
    status = int(text.rsplit("status=", 1)[1])
    check(status != 0, "%s worked:\n%s" % (words, text))
    return status, text


def full_store(vm, boot):
    """What needs no new variable may still be written; what is not kept is named, and what needs
    one is refused."""
    text = run(vm, "slipway mode network --uri %s/other 2>&1; echo status=$?" % boot)
    print("# full: " + text.strip().replace("\n", " | "), flush=True)
    check("No space left" in text, "a full store is not named:\n" + text)
    check("status=0" not in text or "lost starts are not counted" in text,
          "a write that failed passes for done:\n" + text)
    before = slipway(vm, "boot list")
    _, text = refused(vm, "--yes boot add --label Full --uri %s/new" % boot)
    check("No space left" in text, "a full store is not named:\n" + text)
    check(slipway(vm, "boot list") == before, "a refused entry changed the others")


class Wire:
    """What the machine's network card sends, as QEMU's filter-dump keeps it (pcap)."""

    def __init__(self, directory):
        self.path = os.path.join(directory, "wire.pcap")
        self.at = 24
        self.devices = ("-object", "filter-dump,id=wire,netdev=net,file=" + self.path)

    def since(self):
        """Frames since the last call that are not what Linux sends of itself (ICMPv6)."""
        found = []
        with open(self.path, "rb") as file:
            data = file.read()
        while len(data) >= self.at + 16:
            size, = struct.unpack_from("<I", data, self.at + 8)
            frame = data[self.at + 16:self.at + 16 + size]
            if len(frame) < size:
                break
            self.at += 16 + size
            if not (frame[12:14] == b"\x86\xdd" and frame[20] in (0, 58)):
                found.append(frame)
        return found


def zero_boot_sector(machine, number):
    part = machine.disks[0].partitions()[number]
    with open(machine.disks[0].path, "r+b") as file:
        file.seek(part["start"])
        file.write(bytes(512))


def slots(vm):
    return {s["slot"]: s for s in slipway(vm, "slots")["slots"]}


def test_local_once_and_a_full_nvram(directory):
    """Mode local sends nothing at all; once works once; a full NVRAM is named, changes nothing
    that starts, and is put right after the restart that frees it."""
    node = bootnode.build()
    machine = bootnode.installed(directory, node)
    http = server.Server()
    boot = http.add("/boot.efi", node.image("net1"))
    newer = http.add("/newer.efi", node.image("lkg2"))
    wire = Wire(directory)
    try:
        with harness.Vm(machine, cpus=1, devices=wire.devices) as vm:
            up(vm, "lkg", "slot")
            run(vm, "slipway promote --uki %s --sha256 %s --trust none" %
                (newer, node.sha256(node.image("lkg2"))), timeout=600)
            slipway(vm, "mode local")
            check(wire.since(), "no frame of the promote was seen")
            check(restart(vm, "lkg2", "slot").mode["slot"] == "b", "not slot B")
            sent = wire.since()
            check(not sent, "in mode local %d frames were sent, the first %s" %
                  (len(sent), sent and sent[0].hex()))
            status(vm, "started from slot B", "The mode is local.", 'Next: "Slipway B".')
            slipway(vm, "mode once network --uri " + boot)
            restart(vm, "net1", "network")
            check(wire.since(), "no frame of a start from the network was seen")
            status(vm, "started over the network", "The mode is local.", 'Next: "Slipway B".')
            seen = restart(vm, "lkg2", "slot")
            check(seen.mode["mode"] == "local", "once changed the mode: %r" % seen.mode)
            text = run(vm, FILL, timeout=600)
            print("# " + text.strip(), flush=True)
            check("filled=0" not in text, "the store was not filled:\n" + text)
            full_store(vm, boot)
            restart(vm, "lkg2", "slot")
            run(vm, EMPTY)
            restart(vm, "lkg2", "slot")
            check(slipway(vm, "mode network --uri " + boot)["written"] > 0, "nothing written")
            restart(vm, "net1", "network")
    finally:
        http.close()


def with_newer(directory, mode):
    """A machine in this mode whose slot B holds lkg2, and A lkg; switched off while B is first."""
    node = bootnode.build()
    machine = bootnode.installed(directory, node)
    http = server.Server()
    newer = http.add("/newer.efi", node.image("lkg2"))
    try:
        with harness.Vm(machine, cpus=1) as vm:
            up(vm, "lkg", "slot")
            status(vm, "started from slot A", "Nothing is remembered of earlier starts.")
            slipway(vm, mode)
            run(vm, "slipway promote --uki %s --sha256 %s --trust none" %
                (newer, node.sha256(node.image("lkg2"))), timeout=600)
    finally:
        http.close()
    return machine


def slot_entries(vm):
    """Our entries in their order: "Slipway B", "Slipway A"."""
    found = [e for e in slipway(vm, "boot list")["entries"] if e["owner"] == "ours"]
    return [(e["label"], e["number"]) for e in sorted(found, key=lambda e: e["position"])]


def both_entries_deleted(vm):
    """The fallback path starts slot A, the older; keep writes the entries and puts B first."""
    numbers = " ".join("%04X" % n for _, n in slot_entries(vm))
    run(vm, "slipway boot delete -f -y " + numbers)
    check(not slot_entries(vm), "the entries are still there")
    seen = restart(vm, "lkg", "slot")
    check(seen.attest == bootnode.ATTEST, "attestation URL %r" % seen.attest)
    status(vm, "started from slot A", "is in slot B", "Next: ")
    slipway(vm, "mode keep")
    check([label for label, _ in slot_entries(vm)] == ["Slipway B", "Slipway A"],
          "entries %r" % slot_entries(vm))
    check(restart(vm, "lkg2", "slot").mode["slot"] == "b", "B is not first")


def order_restored(vm):
    """As firmware with an order of its own does it: said, and put right."""
    (_, b), (_, a) = slot_entries(vm)
    run(vm, "efibootmgr -q -o %04X,%04X" % (a, b))
    check(restart(vm, "lkg", "slot").mode["slot"] == "a", "A was not started")
    said = "the firmware changed the boot order since it was written"
    status(vm, "started from slot A", "Before this: " + said, 'Next: "Slipway A"')
    check(said in slipway(vm, "mode keep")["notes"], "keep does not say it")
    status(vm, "Before this: " + said, 'Next: "Slipway B"')


def test_card_gone_entries_deleted_order_restored_another_board_and_slot_a_destroyed(directory):
    """In mode network, armed. Without the card the order leads to slot B; with both entries
    deleted, and on a board that never saw the disk, the fallback path leads to slot A, and keep
    puts the newer B first; A's boot sector zeroed while A is first leads to B."""
    machine = with_newer(directory, "mode network")
    with harness.Vm(machine, cpus=1, network=False) as vm:
        check(up(vm, "lkg2", "slot").mode["slot"] == "b", "not slot B without the card")
        status(vm, "started from slot B", "The mode is network, strategy armed",
               "Before this: the network has no boot entry now", 'Next: "Slipway B".')
        slipway(vm, "mode keep")
        both_entries_deleted(vm)
        slipway(vm, "mode keep")
        order_restored(vm)
    machine.wipe_nvram()
    with harness.Vm(machine, cpus=1, network=False) as vm:
        seen = up(vm, "lkg", "slot")
        check(seen.attest == bootnode.ATTEST, "attestation URL %r" % seen.attest)
        status(vm, "started from slot A", "is in slot B", "Nothing is remembered of earlier")
        notes = slipway(vm, "mode keep")["notes"]
        check(any("no boot entry" in n for n in notes), "notes %r" % notes)
        check(restart(vm, "lkg2", "slot").mode["slot"] == "b", "B is not first")
        slipway(vm, "rollback")
        status(vm, 'Next: "Slipway A"')
    zero_boot_sector(machine, 0)
    with harness.Vm(machine, cpus=1, network=False) as vm:
        check(up(vm, "lkg2", "slot").mode["slot"] == "b", "B does not start without A")
        check(not slots(vm)["a"]["good"], "slot A passes for good")
        status(vm, "started from slot B", "is in slot B")
        slipway(vm, "mode keep")
        status(vm, 'Next: "Slipway B"')


def test_slot_a_destroyed_and_nvram_lost(directory):
    """No entry and no slot A: the fallback path finds slot B."""
    machine = with_newer(directory, "mode local")
    machine.wipe_nvram()
    zero_boot_sector(machine, 0)
    with harness.Vm(machine, cpus=1, network=False) as vm:
        check(up(vm, "lkg2", "slot").mode["slot"] == "b", "B does not start")
        status(vm, "started from slot B")


def test_one_of_two_lives_of_a_node_drawn_by_a_seed(directory):
    """In CI one of the first two tests here, whose starts are what it has least time for."""
    harness.drawn().choice((
        test_local_once_and_a_full_nvram,
        test_card_gone_entries_deleted_order_restored_another_board_and_slot_a_destroyed,
    ))(directory)


test_one_of_two_lives_of_a_node_drawn_by_a_seed.drawn = True
test_local_once_and_a_full_nvram.long = True
test_card_gone_entries_deleted_order_restored_another_board_and_slot_a_destroyed.long = True
test_slot_a_destroyed_and_nvram_lost.long = True
