# SPDX-License-Identifier: Apache-2.0
"""A shell in the node's encrypted state, from the console of the medium, and what is left of it.

The medium is the network's: shim, which starts the ISO, measures something of its own into PCR 7,
so that there only the recovery key opens what is sealed for the node."""

import contextlib
import hashlib
import json
import time

import payload
import server
from test_crypt import certificate, opener, recovery_key, start
from test_doctor import looked
from test_install import PAYLOAD, answers, check, machine_with, need_slipway
from test_rescue import choose
from test_unattended import from_the_network

WRONG = "-".join(["cbdefghi"] * 8)


def encrypted(directory, http, initrd=None):
    """(machine, command line that installs it with its state encrypted, key of the escrow)"""
    pem, private = certificate(directory)
    node = payload.build(PAYLOAD)
    node.initrd = initrd or node.initrd
    text = answers(node, http)
    text = text.replace("  layout: node\n", "  layout: encrypted\n  recovery: escrow\n"
                        "  escrow: %s\n" % json.dumps(pem))
    text = text.replace("finish: reboot", "finish: stay")
    machine = machine_with(directory, size=1400 << 20)
    machine.tpm = True
    append = "slipway.answers=%s slipway.answers.sha256=%s" % (
        http.add("/answers.yaml", text.encode()), hashlib.sha256(text.encode()).hexdigest())
    return machine, append, private


def content(machine):
    """The hash of the state as it lies on the disk."""
    part, found = machine.disks[0].partitions()[3], hashlib.sha256()
    with open(machine.disks[0].path, "rb") as file:
        file.seek(part["start"])
        left = part["size"]
        while left:
            data = file.read(min(left, 8 << 20))
            left -= len(data)
            found.update(data)
    return found.hexdigest()


def open_it(vm, *seen, write=False):
    """From the list of the tools; read-only, if it is not to write."""
    choose(vm, "Shell in", "Open a shell, read-only")
    wanted = ("partition 4 of nvme0n1", *seen)
    # Whatever line each of them is broken into.
    vm._wait_for(lambda: all(text in " ".join(vm.screen.text().split()) for text in wanted), 60,
                 repr(wanted))
    if write:
        vm.send("DOWN")
        vm.expect_screen("> Open a shell that can write")
    vm.send("ENTER")
    vm.expect_screen("> No, go back")
    vm.expect_screen("can write in the state" if write else "It can read everything")
    vm.expect_screen("nothing that is sealed to the TPM opens")
    vm.mark()
    vm.send("DOWN", "ENTER", pause=0.3)


def at_its_prompt(vm, how="Opened read-only."):
    vm.expect_raw(how, timeout=60)
    vm.expect_raw("It holds no system that could run a shell")
    vm.expect_raw("'exit' closes it.")
    vm.expect_raw("/run/slipway/state #")


def closed(vm, typed, then=" Nothing was written to it."):
    """What is typed ends the shell; then the console is there as before."""
    vm.mark()
    vm.send(typed + "\r")
    vm.expect_raw("The state is unmounted, and its encryption closed." + then)
    vm.expect_raw("Enter goes back to slipway.")
    vm.send("ENTER")
    vm.expect_screen("Open a shell that can write")
    vm.send("BACK")
    vm.expect_screen("Memory test")


def opens_nothing_more(vm):
    """What the state is sealed to is gone, for this shell and for whoever else has this system."""
    refused = vm.run("! slipway state key --out /tmp/key && [ ! -e /tmp/key ]", timeout=60)
    check("slipway:" in refused, refused)


def by_the_tpm(vm):
    open_it(vm, "The TPM is asked to open it")
    vm.expect_raw("The TPM opens it.", timeout=60)
    vm.expect_raw("The TPM keeps what is sealed until the machine is restarted")
    at_its_prompt(vm)
    said = vm.run("ls -d lost+found; grep slipway/state /proc/mounts; cat /sys/block/dm-0/ro")
    check("lost+found" in said and "dm-0 /run/slipway/state ext4 ro," in
          said.replace("mapper/slipway-state", "dm-0"), said)
    check("\n1\n" in said.replace("\r", ""), "dm-0 takes writes: " + said)
    said = vm.run("slipway disks", timeout=60)
    names = [line.split()[0] for line in said.splitlines() if line.strip()]
    check("nvme0n1" in names and "dm-0" not in names, "the shell's own mapping is a disk: " + said)
    vm.run("! touch x && ! mount -o remount,rw . && ! touch x")
    opens_nothing_more(vm)
    said = vm.run("slipway --json tpm pcrs --bank sha256 7", timeout=60)
    pcr = json.loads(said[said.index("{"):said.rindex("}") + 1])
    check(not pcr["sha256"]["7"]["explained"], "PCR 7 is as the firmware left it: %r" % pcr)
    vm.run("(sleep 1000 &)")
    closed(vm, "exit")


def type_keys(vm, *keys):
    """Each where it is asked for, and what is said to it."""
    vm.expect_raw("The TPM does not open it: ", timeout=60)
    for typed, then in keys:
        vm.expect_raw("(it is not shown): ", timeout=60)
        vm.send(typed, "ENTER")
        vm.expect_raw(then, timeout=120)


def by_the_recovery_key(vm, key):
    open_it(vm, "The TPM opens nothing any more", "the recovery key is asked for")
    begin = vm.here()
    type_keys(vm, (WRONG, "this key does not open it."), (key, "The recovery key opens it."))
    at_its_prompt(vm)
    check(key[:17] not in vm.plain(begin), "the key was shown:\n" + vm.plain(begin))
    vm.run("ls -d lost+found")
    closed(vm, "kill -9 $$")


def nothing_is_left(vm):
    vm.send("BACK")
    vm.expect_screen("Power the machine off")
    # Its disk was opened anew, so this screen is just being drawn again.
    vm.expect_screen("1: nvme0n1", timeout=60)
    vm.send("/", "Rescue", "ENTER", pause=0.1)
    vm.expect_screen("> Rescue shell")
    vm.send("ENTER")
    vm.expect_screen("Open a shell on this console?")
    vm.send("DOWN", "ENTER", pause=0.3)
    vm.expect_raw("goes back to slipway")
    vm.expect_raw("# ", timeout=30)
    said = vm.run("ls /dev/mapper; ls -d /sys/block/dm-*; cat /sys/block/loop*/loop/backing_file; "
                  "ls /run/slipway; cat /proc/mounts; true")
    for word in ("slipway-state", "/sys/block/dm-0", "nvme", "/run/slipway/state "):
        check(word not in said.replace("/sys/block/dm-*", ""), "%r is left:\n%s" % (word, said))
    vm.run("! slipway state key --out /tmp/key && [ ! -e /tmp/key ]", timeout=60)


def test_a_shell_in_the_encrypted_state_by_the_tpm_then_by_its_recovery_key(directory):
    """Installed from the medium, and in the same start: the TPM opens the state for the shell, is
    asked in that shell and refuses; the next shell needs the recovery key. Not a byte of the state
    changes, and neither mapping nor mount nor loop device is left."""
    need_slipway()
    began = time.monotonic()
    http = server.Server()
    machine, append, private = encrypted(directory, http)
    with contextlib.closing(http), from_the_network(machine, append) as vm:
        vm.expect_screen("The node is installed.", timeout=600)
        print("# %.0f s: installed" % (time.monotonic() - began), flush=True)
        before = content(machine)
        vm.send("BACK")
        vm.expect_screen("Install a node", timeout=60)
        choose(vm, "Tools", "Shell in the state")
        by_the_tpm(vm)
        print("# %.0f s: by the TPM" % (time.monotonic() - began), flush=True)
        by_the_recovery_key(vm, recovery_key(directory, machine, private))
        nothing_is_left(vm)
        check(content(machine) == before, "the state is another than before")
        print("# %.0f s: by the recovery key" % (time.monotonic() - began), flush=True)


test_a_shell_in_the_encrypted_state_by_the_tpm_then_by_its_recovery_key.long = True


def write_in_it(vm, key):
    """By the TPM, then by the recovery key; the second fills it up."""
    open_it(vm, "The TPM is asked to open it", write=True)
    vm.expect_raw("The TPM opens it.", timeout=60)
    at_its_prompt(vm, "Opened for writing.")
    vm.run("grep 'slipway/state ext4 rw,' /proc/mounts && printf one >left")
    opens_nothing_more(vm)
    closed(vm, "exit", "")
    open_it(vm, "The TPM opens nothing any more", write=True)
    type_keys(vm, (key, "The recovery key opens it."))
    at_its_prompt(vm, "Opened for writing.")
    vm.run("grep one left && printf two >>left && "
           "fallocate -l $(df -k . | awk 'END { print $4 }')k full; "
           "dd if=/dev/zero of=full.2 bs=64k; df -k .", timeout=120)
    closed(vm, "exit", "")
    nothing_is_left(vm)


def doctor_by_the_tpm(vm):
    """The console's doctor opens the state without a key, and what it found in there stands on the
    first screen; without the TPM's help it is closed again."""
    # Before its disk is there, the node's boot entries lead nowhere.
    vm.expect_screen("nothing is wrong outside its encrypted state", timeout=400)
    choose(vm, "Find out", "and was not looked into")
    looked(vm)
    choose(vm, "encrypted", "Enter look into it")
    vm.send("ENTER")
    vm.expect_screen("Enter alone asks")
    vm.send("ENTER")
    vm.expect_screen("The state was opened, and looked into.", timeout=120)
    vm.expect_screen("warning  the state is full")
    vm.send("BACK")
    vm.expect_screen("1 thing is wrong: the state is full")
    choose(vm, "Find out", "and was not looked into")
    vm.expect_screen("Nothing is wrong outside the encrypted state.")
    vm.send("BACK")
    vm.expect_screen("nothing is wrong outside its encrypted state")


def test_what_is_written_in_the_encrypted_state_is_there_and_doctor_opens_it_by_the_tpm(directory):
    """A shell that can write, opened by the TPM and once more by the recovery key: the TPM opens
    nothing after the first. In the next start the console's doctor looks inside by the TPM alone,
    and in the third the node's own system has what was written."""
    need_slipway()
    began = time.monotonic()

    def step(what):
        print("# %.0f s: %s" % (time.monotonic() - began, what), flush=True)

    http = server.Server()
    machine, append, private = encrypted(directory, http, opener(directory))
    with contextlib.closing(http), from_the_network(machine, append) as vm:
        vm.expect_screen("The node is installed.", timeout=600)
        step("installed")
        vm.send("BACK")
        vm.expect_screen("Install a node", timeout=60)
        choose(vm, "Tools", "Shell in the state")
        write_in_it(vm, recovery_key(directory, machine, private))
    step("written")
    with from_the_network(machine, "") as vm:
        doctor_by_the_tpm(vm)
    step("looked into by the console's doctor")
    seen, _ = start(machine)
    check((seen["tpm"], seen["left"]) == ("mounted", "onetwo"), repr(seen))
    step("the node has it")


test_what_is_written_in_the_encrypted_state_is_there_and_doctor_opens_it_by_the_tpm.long = True
