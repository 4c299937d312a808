# SPDX-License-Identifier: Apache-2.0
"""Unattended installs in a site that has its own ways, and has them break."""

import os
import time

import disk
import harness
import payload
import server
from test_install import (MAC, PAYLOAD, SLOW, answers, check, check_node, chosen, hostile_disk,
                          machine_with, need_slipway)


def by_https(text, ca):
    """The answers, with this CA for the payload's servers and no other."""
    pem = " ".join(ca.ca.read_text().split("\n")).strip()
    return text.replace("  cmdline:", '  ca: "%s"\n  cmdline:' % pem)


def from_the_network(machine, append, **more):
    return harness.Vm(machine, kernel=harness.build_file("slipway-vmlinuz"),
                      initrd=harness.build_file("slipway-initrd"),
                      append="console=tty0 console=ttyS0,115200 " + append, **more)


def dies_and_comes_back(vm, http, path):
    """The server goes away while it sends the file, for longer than one try takes. Until it is
    away it breaks off whatever is asked of it."""
    asked = lambda: [r for r in http.requests if r[1] == path]      # noqa: E731
    vm._wait_for(asked, 300, "request for " + path)
    port = http.port
    http.close()
    del http.faults[path]
    seen = len(asked())
    time.sleep(15)
    http.open(port)
    vm._wait_for(lambda: len(asked()) > seen, 120, "second request for " + path)


def test_ipv6_alone_ten_years_behind_by_a_server_that_chooses_and_dies(directory):
    """The only network is IPv6, by a router's adverts; the clock stands at 2016, before all of the
    site's certificates. The machine's facts go to an https server that has another node's answers
    for another card. What has the payload breaks off after 40 % and is away for longer than one try
    takes: it is asked again. Its certificate counts by its dates, so the clock was set before."""
    need_slipway()
    node = payload.build(PAYLOAD)
    ca = server.authority(directory, server.LOOPBACK6[1])
    http = server.Server(server.LOOPBACK6, ca)
    try:
        facts = []
        text = answers(node, http).replace("finish: reboot", "finish: poweroff")
        text = by_https(text, ca)
        by_mac = {"52:54:00:00:00:01": text.replace("node-07", "another"), MAC: text}

        def choose(sent):
            facts.append(sent)
            return next((by_mac[link["mac"]] for link in sent["links"]
                         if link.get("mac") in by_mac), None)

        http.posts["/answers"] = choose
        http.faults["/initrd"] = server.Fault(reset_at=0.4, rate=4 << 20)
        machine = machine_with(directory, bus="virtio")
        append = "slipway.answers=post:%s#pin=%s" % (http.url("/answers"), ca.pin())
        with from_the_network(machine, append, reboot=False, network=False, devices=(
                "-rtc", "base=2016-02-29T12:00:00", "-netdev", "user,id=six" + server.GUEST6,
                "-device", "virtio-net-pci,netdev=six,romfile=,mac=" + MAC)) as vm:
            dies_and_comes_back(vm, http, "/initrd")
            vm.wait_off(400)
        check([d.get("serial") for d in facts[0]["disks"]] == ["NODE07SYS"],
              "facts %r" % facts[0]["disks"])
        with harness.Vm(machine, network=False) as vm:
            check_node(vm, machine)
    finally:
        http.close()


def labelled(directory, text, name="CONFIG"):
    """A stick with a FAT partition of that name."""
    path = os.path.join(directory, "slipway.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    stick = disk.make_esp_disk(os.path.join(directory, "CONF01"), "CONF01",
                               {"/slipway.yaml": path}, bus="usb", name=name)
    stick.removable = True
    return stick


def test_from_a_stick_beside_a_hostile_disk_and_through_a_power_cut(directory):
    """Nothing names any answers: a stick's partition SLIPWAY counts, and one on an inner disk that
    calls itself the same does not. The plug is pulled while the slot is written; the next start, of
    the same medium, goes on by itself with nobody there, and the node comes up."""
    need_slipway()
    node = payload.build(PAYLOAD)
    files = server.Server()
    try:
        machine = machine_with(directory, bus="virtio")
        text = answers(node, files).replace("finish: reboot", "finish: poweroff")
        machine.disks += [hostile_disk(directory), labelled(directory, text, "SLIPWAY")]
        before = [d.hash() for d in machine.disks[1:]]
        machine.disks[0].rate = SLOW
        with from_the_network(machine, "", reboot=False) as vm:
            vm.wait_written(machine.disks[0], 6 << 20, timeout=400)
            vm.cut_power()
        machine.disks[0].rate = None
        check(not machine.disks[0].partitions(), "the table was there already: cut too late")
        with from_the_network(machine, "", reboot=False) as vm:
            vm.expect("The interrupted install is complete.", timeout=400)
            vm.wait_off(200)
        check([d.hash() for d in machine.disks[1:]] == before, "the stick or the inner disk "
              "has changed")
        with harness.Vm(machine, network=False) as vm:
            check_node(vm, machine)
    finally:
        files.close()


def test_a_failure_is_told_by_the_next_boot(directory):
    """The payload is not what the answers promise. Nobody is told and the machine is switched off;
    the next start of the medium, without any answers, still knows the code."""
    iso = need_slipway()
    node = payload.build(PAYLOAD)
    files = server.Server()
    try:
        text = answers(node, files).replace(node.sha256(node.initrd), "0" * 64)
        machine = machine_with(directory, bus="virtio")
        machine.disks.append(labelled(directory, text))
        with from_the_network(machine, "slipway.answers=label:CONFIG") as vm:
            vm.expect("Code: FETCH-8-", timeout=400)
        with harness.Vm(machine, iso=iso) as vm:
            vm.expect_screen("Install a node on this machine", timeout=200)
            vm.send("/", "Status", "ENTER")
            chosen(vm, "Status")
            vm.send("ENTER")
            vm.expect_screen("FETCH-8-", timeout=120)
    finally:
        files.close()


test_a_failure_is_told_by_the_next_boot.long = True
