# SPDX-License-Identifier: Apache-2.0
"""The machine handed over by keys: to the memory test, the firmware's setup, one boot entry, to
nobody; and a disk wiped. After each the firmware starts what it started before."""

import os
import subprocess

import disk
import harness
import nvram
from test_install import check
from test_iso import LOADING
from test_rescue import choose

START = "Install a node on this machine"
GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
APP, ACTIVE = 0x100, 1


def boot_variables(machine):
    """{name: value} of all entries, their order and the next start."""
    return {name: value for (name, guid), (_, value)
            in nvram.Variables(machine.vars).everything().items()
            if guid == GLOBAL and name.startswith("Boot") and name != "BootOptionSupport"}


def console(vm):
    """Until the console is there, and has looked at the machine."""
    vm.expect_raw(LOADING, timeout=120)
    vm.expect_screen(START, timeout=400)
    vm.expect_screen("from s", timeout=120)


def into_the_memory_test(vm):
    """By keys, until the test has begun; the machine has restarted once."""
    choose(vm, "Tools", "Disks, partitions, files")
    choose(vm, "Memory test", "Enter restarts this machine")
    vm.send("ENTER")
    vm.expect_screen("Restart into the memory test now?", timeout=30)
    resets = vm.resets
    vm.send("DOWN", "ENTER", pause=0.3)
    vm.wait_reset(resets + 1, timeout=120)
    vm.expect_screen("Memtest86+", timeout=120)
    vm.expect_screen("Status: Testing", timeout=120)
    # It is drawn after the status, and that is slow on a serial line.
    vm.expect_screen("Errors: 0", timeout=120)


def power_off(vm):
    choose(vm, "Power", "Power this machine off now?")
    vm.send("DOWN", "ENTER", pause=0.3)
    vm.wait_off(timeout=120)


def there_and_back(machine, **options):
    with harness.Vm(machine, iso=harness.build_file("slipway.iso"), cpus=1, network=False,
                    **options) as vm:
        console(vm)
        before = boot_variables(machine)
        check("BootNext" not in before, "something is set apart: %r" % before)
        into_the_memory_test(vm)
        now = boot_variables(machine)
        entry, = set(now) - set(before)
        label = "Slipway memory test".encode("utf-16-le")
        check(now[entry][6:6 + len(label)] == label and
              int.from_bytes(now[entry][:4], "little") == ACTIVE | APP, repr(now[entry]))
        check(now["BootOrder"] == before["BootOrder"] + bytes.fromhex(entry[4:])[::-1],
              "the order was %r and is %r" % (before["BootOrder"], now["BootOrder"]))
        vm.send("ESC")
        vm.wait_reset(2)
        console(vm)
        after = boot_variables(machine)
        check(after == before, "the variables were %r and are %r" % (before, after))
        power_off(vm)


def test_handover_to_the_memory_test_and_back(directory):
    """From the console on a stick; the firmware starts the stick again, and the entry is gone. Then
    the machine is powered off."""
    there_and_back(harness.Machine(directory), iso_bus="usb")


def test_handover_to_the_memory_test_from_a_cd(directory):
    """A CD has no partition with a UUID: its drive and the image on it are named instead."""
    there_and_back(harness.Machine(directory))


def into_the_setup(vm):
    choose(vm, "Restart", "Internal Shell")
    choose(vm, "setup", "Restart this machine now?")
    resets = vm.resets
    vm.send("DOWN", "ENTER", pause=0.3)
    vm.wait_reset(resets + 1)
    vm.expect_screen("Boot Maintenance Manager", timeout=120)
    vm.mark()
    vm.qmp("system_reset")
    vm.wait_reset(resets + 2)


def into_the_shell_of_the_firmware(vm):
    """One entry of the firmware's, once."""
    choose(vm, "Restart", "Internal Shell")
    choose(vm, "Internal Shell", "one start only")
    resets = vm.resets
    vm.send("DOWN", "ENTER", pause=0.3)
    vm.wait_reset(resets + 1)
    vm.expect_screen("UEFI Interactive Shell", timeout=120)
    vm.expect_screen("Shell>", timeout=60)
    vm.mark()
    vm.send("reset\r", pause=0.1)
    vm.wait_reset(resets + 2)


def wipe_by_keys(vm, victim, other):
    untouched = other.hash()
    choose(vm, "Wipe", victim.serial)
    vm.send("/", victim.serial, "ENTER", "ENTER", pause=0.1)
    vm.expect_screen("2 of 3", timeout=60)
    choose(vm, "Zeros over", "serial " + victim.serial)
    vm.expect_screen("To wipe it, type", timeout=30)
    vm.send("TA02", "ENTER", pause=0.1)
    vm.expect_screen("That is not", timeout=30)
    vm.send("BACKSPACE", "BACKSPACE", "BACKSPACE", "BACKSPACE", victim.serial[-4:], "ENTER",
            pause=0.1)
    vm.expect_screen("The disk was wiped", timeout=300)
    with open(victim.path, "rb") as file:
        check(not any(any(block) for block in iter(lambda: file.read(1 << 20), b"")),
              "not all of it is zeros")
    found = subprocess.run(["blkid", "-p", victim.path], check=False, capture_output=True)
    check(found.returncode == 2, "a signature is left: %r" % found.stdout)
    check(other.hash() == untouched, "the other disk is not as it was")
    vm.send("BACK")
    vm.expect_screen(START, timeout=60)


def test_handover_to_setup_entry_and_the_medium_again_and_a_wipe(directory):
    """Wiped by its typed serial; setup and an entry once, and each time the stick again."""
    machine = harness.Machine(directory)
    for serial in ("NODE07SYS", "DATA01"):
        machine.disks.append(disk.Disk(os.path.join(directory, serial), serial, 64 << 20, "virtio"))
        machine.disks[-1].fill(serial)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-F", machine.disks[1].path], check=True)
    with harness.Vm(machine, iso=harness.build_file("slipway.iso"), iso_bus="usb",
                    network=False) as vm:
        console(vm)
        before = boot_variables(machine)
        wipe_by_keys(vm, machine.disks[1], machine.disks[0])
        into_the_setup(vm)
        console(vm)
        into_the_shell_of_the_firmware(vm)
        console(vm)
        check(boot_variables(machine) == before, "the variables were %r and are %r"
              % (before, boot_variables(machine)))
        choose(vm, "Restart", "Internal Shell")
        choose(vm, "As the", "Restart this machine now?")
        resets = vm.resets
        vm.send("DOWN", "ENTER", pause=0.3)
        vm.wait_reset(resets + 1)
        vm.expect_raw(LOADING, timeout=120)


# The first is in CI; the others are starts of the medium by the same road.
test_handover_to_the_memory_test_from_a_cd.long = True
test_handover_to_setup_entry_and_the_medium_again_and_a_wipe.long = True
