# SPDX-License-Identifier: Apache-2.0
"""Hardware that goes away while slipway works with it."""

import payload
import server
from harness import Vm
from test_install import (PAYLOAD, SLOW, answer_iso, answers, check, check_node_after_install,
                          machine_with, need_slipway, resume)


def test_disk_pulled_in_the_middle(directory):
    """The disk is unplugged while the slot is written: the console says what failed and what to do;
    with the disk back after a restart, resume completes the install."""
    iso = need_slipway()
    node = payload.build(PAYLOAD)
    http = server.Server()
    try:
        medium = answer_iso(directory, iso, answers(node, http))
        machine = machine_with(directory, bus="scsi")
        machine.disks[0].rate = SLOW
        with Vm(machine, iso=medium) as vm:
            vm.wait_written(machine.disks[0], 6 << 20, timeout=240)
            vm.qmp("device_del", id="dev-disk0")
            vm.expect_screen("slipway resume", timeout=120)
            check(vm.resets == 0, "the machine was restarted")
        machine.disks[0].rate = None
        check(not machine.disks[0].partitions(), "the table was there already: pulled too late")
        with Vm(machine, iso=iso) as vm:
            resume(vm)
            vm.expect_screen("The interrupted install is complete.", timeout=300)
            vm.expect_screen("> Restart the machine")
            vm.send("ENTER")
            check_node_after_install(vm, machine)
    finally:
        http.close()


test_disk_pulled_in_the_middle.long = True
