# SPDX-License-Identifier: Apache-2.0
"""A broken node in another machine: the medium as a USB stick, by keys on the serial line; then
the same by command on the node itself."""

import json
import os
import re
import subprocess

import bootnode
import harness
from bootnode import restart, run, up
from test_install import check, need_slipway
from test_modes import zero_boot_sector


def spoil(machine, offset, data):
    with open(machine.disks[0].path, "r+b") as file:
        file.seek(offset)
        file.write(data)


# The node was installed on a machine with a TPM, which this one does not have.
ELSEWHERE = {"tpm-gone", "tpm-count"}
WRONG = re.compile(r"^[> ] (ERROR|warning) ")


def rows(vm):
    return [line for line in vm.screen.text().split("\n") if WRONG.match(line)]


def looked(vm):
    """Until nothing is being looked at, and all of what was found is on the screen."""
    vm.redraw()
    while "looking ..." in vm.screen:
        vm.expect_gone("looking ...", timeout=200)
        vm.redraw()


def choose_row(vm, down):
    """... and what belongs to it stands below. The screen may begin to look again meanwhile."""
    vm.send("HOME", *["DOWN"] * down)
    looked(vm)
    return "".join(rows(vm)[down:down + 1]).startswith(">")


def first_repair(vm):
    """Chooses the first finding that has a repair; False: there is none, also after another look
    at the machine."""
    for key in ("REDRAW", "u"):
        vm.send(key)
        looked(vm)
        for down in range(len(rows(vm))):
            if choose_row(vm, down) and "Repair  " in vm.screen:
                return True
    return False


def say_yes(vm):
    """As the screen asks: a choice; where something may be lost, the end of the serial typed."""
    vm.send("ENTER")
    typed = "To repair it, type "
    if vm.expect_screen("can be taken back until this", typed) == typed:
        vm.redraw()
        word = vm.screen.text().partition(typed)[2].split()[0]
        vm.send(word, "ENTER", pause=0.3)
    else:
        vm.send("DOWN", "ENTER", pause=0.3)


def repair_by_keys(vm):
    """What the screen proposes, the first finding first, until nothing can be repaired."""
    vm.expect_screen("Find out why it does not boot", timeout=400)
    vm.expect_screen(" wrong: ", timeout=150)
    vm.send("DOWN", "ENTER")
    vm.expect_screen("What is wrong with this machine")
    vm.expect_screen(" warning  ", timeout=60)
    seen = []
    while first_repair(vm):
        check(len(seen) < 9, "no end of findings:\n" + vm.screen.text())
        vm.send("ENTER", pause=0.3)
        vm.expect_screen("One finding")
        vm.redraw()
        seen.append(vm.screen.line(2).split()[1].rstrip(":"))
        say_yes(vm)
        vm.expect_screen("%s is gone." % seen[-1], timeout=200)
        vm.expect_screen("Take the last repair back")
    print("# repaired by keys: " + ", ".join(seen), flush=True)
    return seen


def take_the_last_back_and_repair_it_again(vm):
    vm.send("END", "ENTER", pause=0.3)
    vm.expect_screen("What was wrong is then wrong again.")
    vm.send("DOWN", "ENTER", pause=0.3)
    vm.expect_screen("Taken back:", timeout=200)
    check(first_repair(vm), "nothing came back:\n" + vm.screen.text())
    vm.send("BACK")
    vm.expect_screen(" wrong: ")
    vm.send("UP")
    check(len(repair_by_keys(vm)) == 1, "more than one thing came back")


def doctor(vm, words=""):
    """What is wrong by a command on the node, as names."""
    text = run(vm, "slipway --json --yes doctor %s 2>/dev/null; echo status=$?" % words,
               timeout=300)
    body, _, status = text.rpartition("status=")
    found = json.loads(body[:body.rindex("}") + 1])["findings"]
    wrong = [f["id"] for f in found if f["severity"] != "info"]
    good = int(status) == (8 if wrong else 0)
    check(words or good, "status %s with %r" % (status.strip(), wrong))
    return [name for name in wrong if name not in ELSEWHERE]


def break_on_the_node(vm, other):
    run(vm, "dd if=/dev/zero of=/dev/nvme0n1p%d bs=512 count=1 2>/dev/null; "
        "dd if=/dev/zero of=/dev/nvme0n1 bs=512 count=1 "
        "seek=$(($(cat /sys/block/nvme0n1/size) - 1)) 2>/dev/null; "
        "printf XX | dd of=/dev/nvme0n1p3 bs=1 seek=4096 2>/dev/null; sync; "
        "for n in $(efibootmgr | sed -n 's/^Boot\\([0-9A-F]*\\).*Slipway .*/\\1/p'); do "
        "efibootmgr -q -b $n -B; done" % other)


def repair_by_command(vm):
    ids = doctor(vm)
    print("# repaired by command: " + ", ".join(ids), flush=True)
    for name in ids:
        if name in doctor(vm):
            doctor(vm, "--repair " + name)
    left = doctor(vm)
    check(not left, "still wrong: %r" % left)
    return ids


def test_a_broken_node_in_another_machine_is_put_right(directory):
    """A disk from elsewhere with a destroyed slot, a bad copy of the node data and a table that
    does not reach its end: by keys from the stick; then worse, by command on the node."""
    iso = need_slipway()
    node = bootnode.build()
    machine = bootnode.installed(directory, node)
    bootnode.on_standin(os.path.join(directory, "standin"), "promote", "--uki",
                        node.image("lkg2"), "--trust", "none")
    zero_boot_sector(machine, 1)
    spoil(machine, machine.disks[0].partitions()[2]["start"] + 4096, b"XX")
    os.truncate(machine.disks[0].path, os.path.getsize(machine.disks[0].path) + (64 << 20))
    with harness.Vm(machine, iso=iso, iso_bus="usb-first", network=False) as vm:
        seen = repair_by_keys(vm)
        wanted = {"nvme0n1/gpt-grown", "slot-b", "node-data-copy", "firmware-new"}
        check(set(seen) == wanted, "repaired: %r" % seen)
        take_the_last_back_and_repair_it_again(vm)
    verified = subprocess.run(["sgdisk", "-v", machine.disks[0].path], capture_output=True,
                              text=True).stdout
    check("No problems found" in verified, verified)
    with harness.Vm(machine, cpus=1, network=False) as vm:
        first = up(vm, "lkg", "slot")
        left = doctor(vm)
        check(not left, "the node is not whole: %r" % left)
        break_on_the_node(vm, 2 if first.mode["slot"] == "a" else 1)
        ids = repair_by_command(vm)
        check({"nvme0n1/gpt-backup", "node-data-copy"} < set(ids) and
              len([i for i in ids if i.startswith("slot-")]) == 1 and
              any(i.startswith("entry-") for i in ids), "found: %r" % ids)
        restart(vm, "lkg", "slot")
        left = doctor(vm)
        check(not left, "not whole after a restart: %r" % left)


# A start from the stick and two of the node: more than a change of the doctor pays for in CI.
test_a_broken_node_in_another_machine_is_put_right.long = True
