# SPDX-License-Identifier: Apache-2.0
"""disk: none for real: installed from the medium, then started by the firmware from a server."""

import os

import bootnode
import disk
import harness
import server
import test_install

ANSWERS = """slipway: 1
node:
  hostname: edge-12
disk: none
boot:
  mode: network
  network: {{via: http, uri: "{uri}"}}
admission:
  kind: attest
  url: {attest}
finish: reboot
"""


def test_a_node_without_a_disk_starts_from_the_server_with_the_data_in_its_firmware(directory):
    """The medium writes boot variables only, a foreign disk stays to the byte; the firmware then
    starts the image over HTTP, which reads its attestation URL out of the variable, and arms the
    next start itself."""
    test_install.need_slipway()
    node = bootnode.build()
    machine = harness.Machine(directory)
    foreign = disk.Disk(os.path.join(directory, "foreign"), "FOREIGN1", 1 << 30, "virtio")
    foreign.fill("FOREIGN1")
    machine.disks.append(foreign)
    before = foreign.hash()
    http = server.Server()
    try:
        image = http.add("/boot.efi", node.image("net1"))
        text = ANSWERS.format(uri=image, attest=bootnode.ATTEST).encode()
        name = os.path.join(directory, "answers.yaml")
        with open(name, "wb") as file:
            file.write(text)
        append = ("console=tty0 console=ttyS0,115200 slipway.answers=%s slipway.answers.sha256=%s"
                  % (http.add("/answers.yaml", text), node.sha256(name)))
        with harness.Vm(machine, kernel=harness.build_file("slipway-vmlinuz"),
                        initrd=harness.build_file("slipway-initrd"), append=append,
                        reboot=False) as vm:
            vm.wait_off(600)
        with harness.Vm(machine, cpus=1) as vm:
            seen = bootnode.up(vm, "net1", "network")
            test_install.check(seen.attest == bootnode.ATTEST,
                               "attestation URL %r" % seen.attest)
            test_install.check(seen.mode["mode"] == "network", "mode %r" % seen.mode)
            bootnode.status(vm, "no disk: node edge-12, mode network")
            bootnode.slipway(vm, "mode keep")
            bootnode.restart(vm, "net1", "network")
        test_install.check(foreign.hash() == before, "the foreign disk was written to")
    finally:
        http.close()


test_a_node_without_a_disk_starts_from_the_server_with_the_data_in_its_firmware.long = True
