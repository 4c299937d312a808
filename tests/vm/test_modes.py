# SPDX-License-Identifier: Apache-2.0
"""Mode local, a single start, a full NVRAM, lost entries and a destroyed slot, on OVMF."""

import bootnode
import harness
import server
from bootnode import restart, run, slipway, up

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


def zero_boot_sector(machine, number):
    part = machine.disks[0].partitions()[number]
    with open(machine.disks[0].path, "r+b") as file:
        file.seek(part["start"])
        file.write(bytes(512))


def slots(vm):
    return {s["slot"]: s for s in slipway(vm, "slots")["slots"]}


def test_local_once_and_a_full_nvram(directory):
    """Mode local never touches the network; once works once; a full NVRAM is named, changes
    nothing that starts, and is put right after the restart that frees it."""
    node = bootnode.build()
    machine = bootnode.installed(directory, node)
    http = server.Server()
    boot = http.add("/boot.efi", node.image("net1"))
    newer = http.add("/newer.efi", node.image("lkg2"))
    try:
        with harness.Vm(machine, cpus=1) as vm:
            up(vm, "lkg", "slot")
            run(vm, "slipway promote --uki %s --sha256 %s --trust none" %
                (newer, node.sha256(node.image("lkg2"))), timeout=600)
            slipway(vm, "mode local")
            check(restart(vm, "lkg2", "slot").mode["slot"] == "b", "not slot B")
            check(not any(r[1] == "/boot.efi" for r in http.requests), "the network was asked")
            slipway(vm, "mode once network --uri " + boot)
            restart(vm, "net1", "network")
            seen = restart(vm, "lkg2", "slot")
            check(seen.mode["mode"] == "local", "once changed the mode: %r" % seen.mode)
            text = run(vm, FILL, timeout=600)
            print("# " + text.strip(), flush=True)
            check("filled=0" not in text, "the store was not filled:\n" + text)
            status, text = refused(vm, "mode network --uri %s/other" % boot)
            print("# status %d: %s" % (status, text.strip().replace("\n", " | ")), flush=True)
            check("No space left" in text, "a full store is not named:\n" + text)
            restart(vm, "lkg2", "slot")
            run(vm, EMPTY)
            restart(vm, "lkg2", "slot")
            check(slipway(vm, "mode network --uri " + boot)["written"] > 0, "nothing written")
            restart(vm, "net1", "network")
    finally:
        http.close()


def test_entries_wiped_card_gone_and_slots_destroyed(directory):
    """A new board without its network card, in mode network: the fallback path starts slot A,
    keep puts the newer slot B first, and either slot starts when the other is destroyed."""
    node = bootnode.build()
    machine = bootnode.installed(directory, node)
    http = server.Server()
    newer = http.add("/newer.efi", node.image("lkg2"))
    try:
        with harness.Vm(machine, cpus=1) as vm:
            up(vm, "lkg", "slot")
            slipway(vm, "mode network")
            run(vm, "slipway promote --uki %s --sha256 %s --trust none" %
                (newer, node.sha256(node.image("lkg2"))), timeout=600)
    finally:
        http.close()
    machine.wipe_nvram()
    with harness.Vm(machine, cpus=1, network=False) as vm:
        seen = up(vm, "lkg", "slot")
        check(seen.attest == bootnode.ATTEST, "attestation URL %r" % seen.attest)
        notes = slipway(vm, "mode keep")["notes"]
        check(any("no boot entry" in n for n in notes), "notes %r" % notes)
        check(restart(vm, "lkg2", "slot").mode["slot"] == "b", "B is not first")
    zero_boot_sector(machine, 1)
    with harness.Vm(machine, cpus=1, network=False) as vm:
        check(up(vm, "lkg", "slot").mode["slot"] == "a", "A does not start without B")
        check(not slots(vm)["b"]["good"], "slot B passes for good")
        slipway(vm, "mode keep")
        run(vm, "slipway slots")


def test_slot_a_destroyed_and_nvram_lost(directory):
    """No entry and no slot A: the fallback path finds slot B."""
    node = bootnode.build()
    machine = bootnode.installed(directory, node)
    http = server.Server()
    newer = http.add("/newer.efi", node.image("lkg2"))
    try:
        with harness.Vm(machine, cpus=1) as vm:
            up(vm, "lkg", "slot")
            run(vm, "slipway promote --uki %s --sha256 %s --trust none" %
                (newer, node.sha256(node.image("lkg2"))), timeout=600)
    finally:
        http.close()
    machine.wipe_nvram()
    zero_boot_sector(machine, 0)
    with harness.Vm(machine, cpus=1, network=False) as vm:
        check(up(vm, "lkg2", "slot").mode["slot"] == "b", "B does not start")


test_slot_a_destroyed_and_nvram_lost.long = True
