# SPDX-License-Identifier: Apache-2.0
"""A node installed for real from the medium, and the machine that boots it afterwards."""

import base64
import hashlib
import os
import struct
import subprocess
import threading
import time

import bootnode
import disk
import harness
import nvram
import payload
import server
import switch

HERE = os.path.dirname(os.path.abspath(__file__))
PAYLOAD = os.path.join(harness.BUILD, "vm-payload")
CMDLINE = "console=ttyS0,115200 panic=10 testpayload.wait"
ATTEST = "https://attest.example/v1"
MAC = "52:54:00:12:34:56"               # of the harness' card
# Bytes a second that a disk takes, so that a slot is being written for some seconds.
SLOW = 2 << 20

ANSWERS = """slipway: 1
node:
  hostname: node-07
disk:
  match: {{serial: NODE07SYS}}
  layout: node
  wipe: any
payload:
  kernel: {kernel}
  initrd: {initrd}
  sha256: {{kernel: "{kernel_sum}", initrd: "{initrd_sum}"}}
  cmdline: "{cmdline}"
boot:
  mode: local
admission:
  kind: attest
  url: {attest}
finish: reboot
"""


CREDENTIAL = """slipway: 1
disk: {match: {serial: NODE07SYS}}
report: {webhooks: {url: "https://10.0.2.2:9/events"}}
"""


def check(condition, text):
    if not condition:
        raise harness.Failure(text)


def need_slipway():
    """The tests below need a medium whose slipway has `session` and `attach`."""
    iso = harness.build_file("slipway.iso")
    program = os.path.join(harness.BUILD, "release", "slipway")
    if not os.path.exists(program):
        raise harness.Skip("build/release/slipway is not built (make)")
    text = subprocess.run([program, "--help"], capture_output=True, text=True).stdout
    for command in ("session", "attach"):
        if subprocess.run([program, command, "--help"], capture_output=True).returncode:
            raise harness.Skip("this slipway has no `%s` yet:\n%s" % (command, text[:200]))
    return iso


def answers(node, http=None, prefix="medium:"):
    """The answer file of issue 2; the payload from a server, or from the medium."""
    kernel = http.add("/vmlinuz", node.kernel) if http else prefix + "/vmlinuz"
    initrd = http.add("/initrd", node.initrd) if http else prefix + "/initrd"
    return ANSWERS.format(kernel=kernel, initrd=initrd, cmdline=CMDLINE, attest=ATTEST,
                          kernel_sum=node.sha256(node.kernel),
                          initrd_sum=node.sha256(node.initrd))


def answer_iso(directory, iso, text, *files):
    """The medium with an answer file at its root, made by the tool that users have."""
    source = os.path.join(directory, "slipway.yaml")
    with open(source, "w", encoding="utf-8") as file:
        file.write(text)
    out = os.path.join(directory, "answers.iso")
    program = os.path.join(harness.BUILD, "release", "slipway")
    done = subprocess.run([program, "iso", "embed", iso, source, *files, "--output", out],
                          capture_output=True, text=True)
    check(done.returncode == 0, done.stderr)
    return out


def machine_with(directory, bus="nvme", size=8 << 30, others=()):
    machine = harness.Machine(directory)
    machine.disks.append(disk.Disk(os.path.join(directory, "system"), "NODE07SYS", size, bus))
    for serial, other_bus in others:
        other = disk.Disk(os.path.join(directory, serial), serial, 2 << 30, other_bus)
        other.fill(serial)
        machine.disks.append(other)
    return machine


def check_node(vm, machine, fallback=False):
    """The node is up: it has its command line, and it came from slot A of the right disk."""
    vm.expect_raw("NODE-END", timeout=150)
    seen = payload.facts(vm.plain())
    check(CMDLINE in seen["cmdline"], "command line %r" % seen["cmdline"])
    check("ember.attest_url=" + ATTEST in seen["cmdline"], "no attestation URL: %r"
          % seen["cmdline"])
    slots = [p for p in machine.disks[0].partitions() or [] if p["type"] == disk.ESP]
    check(len(slots) == 2, "slots %r" % slots)
    check(seen["loaderpart"].lower() == slots[0]["uuid"], "started from %r, not from slot A"
          % seen["loaderpart"])
    if not fallback:
        current = seen["bootcurrent"].strip()
        check(seen["entry"].get(current) == "Slipway A", "BootCurrent %s is %r" %
              (current, seen["entry"].get(current)))
        check(seen["bootorder"].split()[0] == current, "BootOrder %r" % seen["bootorder"])
    return seen


def test_unattended_from_the_medium_and_started_after_nvram_is_lost(directory):
    """(b) slipway.yaml, kernel and initrd lie on the medium; nobody touches a key.

    The medium stays first in the order: it starts the node then.
    (d) A new board, or a cleared NVRAM: the fallback path still starts slot A.
    """
    iso = need_slipway()
    node = payload.build(PAYLOAD)
    medium = answer_iso(directory, iso, answers(node), node.kernel, node.initrd)
    machine = machine_with(directory)
    with harness.Vm(machine, iso=medium) as vm:
        check_node_after_install(vm, machine)
    starts_again_with_the_medium_first(machine, medium)
    machine.wipe_nvram()
    with harness.Vm(machine, network=False) as vm:
        check_node(vm, machine, fallback=True)


def put_medium_first(machine):
    """As an operator orders it in the firmware setup."""
    variables = nvram.Variables(machine.vars)
    order = variables.find("BootOrder")[2]
    numbers = struct.unpack("<%dH" % (len(order) // 2), order)
    medium = [n for n in numbers if "DVD-ROM".encode("utf-16-le")
              in variables.find("Boot%04X" % n)[2]]
    check(len(medium) == 1, "entries of the medium: %r" % medium)
    order = medium + [n for n in numbers if n not in medium]
    variables.replace("BootOrder", struct.pack("<%dH" % len(order), *order))
    variables.save()


def starts_again_with_the_medium_first(machine, medium):
    """The medium stays in, before the disk: the node starts, and is not installed again."""
    before = machine.disks[0].partitions()
    put_medium_first(machine)
    with harness.Vm(machine, iso=medium) as vm:
        resets = vm.resets
        vm.expect("These answers were installed on", timeout=150)
        vm.wait_reset(resets + 1, timeout=150)
        vm.mark()
        vm.expect_raw("NODE-END", timeout=150)
        seen = payload.facts(vm.plain())
        check(CMDLINE in seen["cmdline"], "command line %r" % seen["cmdline"])
    check(machine.disks[0].partitions() == before, "the table is another")


def check_node_after_install(vm, machine):
    resets = vm.resets
    vm.wait_reset(resets + 1, timeout=300)
    vm.mark()
    return check_node(vm, machine)


def sources(directory, node, http, https):
    """(kernel command line, QEMU's arguments for SMBIOS and fw_cfg, URL for DHCP, URL for DNS):
    each source has a part of the answers, and without any of them they would not do."""
    text = answers(node, http)
    for good, bad in ((CMDLINE, "console=ttyS0,115200 wrong"), ("NODE07SYS", "ask"),
                      ("finish: reboot", "finish: stay"), ("mode: local", "mode: ask"),
                      (ATTEST, "https://wrong.example/"), ("/vmlinuz", "/no-kernel"),
                      ("/initrd", "/no-initrd")):
        text = text.replace(good, bad)
    dhcp = 'slipway: 1\nadmission: {kind: attest, url: "%s"}\n' % ATTEST
    dns = 'slipway: 1\npayload: {initrd: "%s"}\n' % http.url("/initrd")
    inline = 'slipway: 1\npayload: {kernel: "%s"}\n' % http.url("/vmlinuz")
    words = ("console=tty0 console=ttyS0,115200", "slipway.answers=%s" %
             http.add("/answers.yaml", text.encode()),
             "slipway.answers.sha256=" + hashlib.sha256(text.encode()).hexdigest(),
             "slipway.answers=smbios slipway.answers=fw_cfg:opt/slipway/answers",
             "slipway.answers=credential:rack",
             "slipway.answers=dhcp#sha256=" + hashlib.sha256(dhcp.encode()).hexdigest(),
             "slipway.answers=dns#pin=" + https.authority.pin(),
             "slipway.answers=base64:" + base64.b64encode(inline.encode()).decode(),
             "slipway.set=boot.mode=local")
    item = os.path.join(directory, "fw_cfg.yaml")
    with open(item, "w", encoding="utf-8") as file:
        file.write('slipway: 1\npayload: {cmdline: "%s"}\n' % CMDLINE)
    hardware = ("-smbios", "type=11,value=slipway.set=finish=reboot",
                "-fw_cfg", "name=opt/slipway/answers,file=" + item,
                "-smbios", "type=11,value=io.systemd.credential.binary:rack=" +
                base64.b64encode(CREDENTIAL.encode()).decode())
    return (" ".join(words), hardware, http.add("/dhcp.yaml", dhcp.encode()),
            https.add("/%s.yaml" % MAC, dns.encode()).replace(MAC, "${mac}"))


def test_unattended_from_all_sources_at_once(directory):
    """(b) The kernel command line names answers by URL with their hash, SMBIOS, fw_cfg, a
    credential, the lease's option, a TXT record in the lease's domain, inline text and one value.
    Each has a part. A server has the payload. The receiver of the reports is down, which holds
    nothing up."""
    need_slipway()
    node = payload.build(PAYLOAD)
    http = server.Server()
    https = server.Server(authority=server.authority(directory, server.LOOPBACK[1]))
    append, hardware, by_dhcp, by_dns = sources(directory, node, http, https)
    wires = switch.Switch(directory, (MAC,), options={224: by_dhcp},
                          txt={"_slipway.rack.example": by_dns}, user=",domainname=rack.example")
    try:
        machine = machine_with(directory, bus="virtio")
        with harness.Vm(machine, kernel=harness.build_file("slipway-vmlinuz"),
                        initrd=harness.build_file("slipway-initrd"), append=append,
                        devices=(*hardware, *wires.devices()), network=False,
                        reboot=False) as vm:
            vm.wait_off(300)
        with harness.Vm(machine, network=False) as vm:
            check_node(vm, machine)
    finally:
        wires.close()
        https.close()
        http.close()


def test_url_with_a_wrong_hash_changes_nothing(directory):
    """The answers are not what the command line promised: refused, and the disk is untouched."""
    need_slipway()
    node = payload.build(PAYLOAD)
    http = server.Server()
    try:
        url = http.add("/answers.yaml", answers(node, http).encode())
        machine = machine_with(directory, bus="virtio")
        before = machine.disks[0].hash()
        append = ("console=ttyS0,115200 slipway.answers=%s slipway.answers.sha256=%s"
                  % (url, "0" * 64))
        with harness.Vm(machine, kernel=harness.build_file("slipway-vmlinuz"),
                        initrd=harness.build_file("slipway-initrd"), append=append) as vm:
            vm.expect_screen("No unattended install", timeout=120)
            vm.redraw()
            check("expected is 000000000000..." in " ".join(vm.screen.text().split()),
                  "another reason is given:\n" + vm.screen.text())
            check(vm.resets == 0, "the machine was restarted")
        check(machine.disks[0].hash() == before, "the disk was written to")
    finally:
        http.close()


def test_usb_stick_beside_two_other_disks(directory):
    """(c) Only the disk that was named changes; the stick stays as it was, too."""
    iso = need_slipway()
    node = payload.build(PAYLOAD)
    medium = answer_iso(directory, iso, answers(node), node.kernel, node.initrd)
    machine = machine_with(directory, bus="sata",
                           others=(("DATA01", "nvme"), ("DATA02", "virtio")))
    before = [d.hash() for d in machine.disks[1:]]
    with harness.Vm(machine, iso=medium, iso_bus="usb") as vm:
        check_node_after_install(vm, machine)
    for other, old in zip(machine.disks[1:], before):
        check(other.hash() == old, "%s has changed" % other.serial)


def test_power_cut_in_the_middle(directory):
    """(e) The plug is pulled while the slot is written; the next start, with a medium that has no
    answers, says so, and the person who reads it resumes."""
    iso = need_slipway()
    node = payload.build(PAYLOAD)
    http = server.Server()
    try:
        medium = answer_iso(directory, iso, answers(node, http))
        machine = machine_with(directory)
        machine.disks[0].rate = SLOW
        with harness.Vm(machine, iso=medium) as vm:
            vm.wait_written(machine.disks[0], 6 << 20, timeout=200)
            vm.cut_power()
        machine.disks[0].rate = None
        check(not machine.disks[0].partitions(), "the table was there already: cut too late")
        with harness.Vm(machine, iso=iso) as vm:
            resume(vm)
            vm.expect_screen("The interrupted install is complete.", timeout=240)
            vm.expect_screen("> Restart the machine")
            vm.send("ENTER")
            check_node_after_install(vm, machine)
    finally:
        http.close()


def resume(vm):
    """KEYS: from the start of a machine whose install was interrupted to the start of the rest."""
    # Nobody has pressed a key: it comes up as soon as the disk is there.
    vm.expect_screen("was interrupted at step", timeout=150)
    vm.expect_screen("> Resume", timeout=30)
    vm.send("ENTER")


def chosen(vm, text):
    """Until the row that is chosen has this in it."""
    vm._wait_for(lambda: any(row.startswith(">") and text in row
                             for row in vm.screen.text().split("\n")), 60, "row > " + text)


def install_by_keys(vm, node, kernel, initrd):
    """KEYS: from the first screen to the start of the install, as a person would.

    The one place that knows the order of the console's screens and of the fields on them.
    """
    vm.expect_screen("Install a node on this machine", timeout=120)
    vm.send("ENTER")
    vm.expect_screen("Which disk")
    # Whoever is faster than udev sees the disks come.
    vm.expect_screen("NODE07SYS", timeout=90)
    # It may have come above the line that was chosen while there was no disk.
    vm.send("/", "NODE07SYS", "ENTER")
    chosen(vm, "NODE07SYS")
    vm.send("ENTER")
    vm.expect_screen("How the disk is divided")
    vm.send("ENTER")
    vm.expect_screen("How the node boots")
    vm.send("ENTER")
    vm.expect_screen("What the node boots")
    for text in (kernel, initrd, node.sha256(node.kernel), node.sha256(node.initrd)):
        vm.send(text, "TAB")
    vm.send(CMDLINE, "ENTER")
    vm.expect_screen("Admission")
    vm.send("RIGHT")
    vm.expect_screen("Admission server")
    vm.send("TAB", ATTEST, "ENTER")
    vm.expect_screen("1 attest")
    vm.send("ENTER")
    vm.expect_screen("Host name")
    vm.send("node-07", "ENTER")
    vm.expect_screen("Boot     add the boot entry")
    vm.send("ENTER")
    vm.expect_screen("To install, type 7SYS")
    vm.send("7SYS", "ENTER")


def without_the_console(vm, http, gate):
    """The serial cable is out while the install goes on, and shows its state when it is back."""
    vm.expect_screen("> Fetch and check the payload", timeout=120)
    vm.cut_serial()
    check(not any(path == "/initrd" for _, path, _ in http.requests), "it was not held")
    gate.set()
    end = time.monotonic() + 120 * harness.PATIENCE
    while not any(path == "/initrd" for _, path, _ in http.requests):
        check(time.monotonic() < end, "the install stands still without its console")
        time.sleep(0.2)
    vm.mend_serial()
    vm.send("\x0c")


def hostile_disk(directory):
    """An inner disk that calls itself the stick, with answers that would take the node's disk."""
    text = os.path.join(directory, "hostile.yaml")
    with open(text, "w", encoding="utf-8") as file:
        file.write(ANSWERS.format(kernel="/vmlinuz", initrd="/initrd", cmdline="hostile",
                                  attest=ATTEST, kernel_sum="0" * 64, initrd_sum="0" * 64))
    return disk.make_esp_disk(os.path.join(directory, "DATA01"), "DATA01",
                              {"/slipway.yaml": text}, name="SLIPWAY")


def test_install_by_keys(directory):
    """(a) A person on the serial port, 80x24, no answer file; the node comes up afterwards. The
    line that the install was started from is cut off during it. Answers on an inner disk labelled
    SLIPWAY count for nothing."""
    iso = need_slipway()
    gate = threading.Event()
    node = payload.build(PAYLOAD)
    http = server.Server()
    try:
        machine = machine_with(directory)
        machine.disks.append(hostile_disk(directory))
        before = machine.disks[1].hash()
        with harness.Vm(machine, iso=iso) as vm:
            install_by_keys(vm, node, http.add("/vmlinuz", node.kernel, server.Fault(gate=gate)),
                            http.add("/initrd", node.initrd))
            without_the_console(vm, http, gate)
            # After an install by hand the machine waits for the person, whatever `finish` is.
            vm.expect_screen("The node is installed.", timeout=240)
            vm.expect_screen("> Restart the machine")
            vm.send("ENTER")
            check_node_after_install(vm, machine)
        check(machine.disks[1].hash() == before, "the other disk has changed")
    finally:
        http.close()


NETWORK = """slipway: 1
node: {{hostname: node-07}}
disk:
  match: {{serial: NODE07SYS}}
  layout: node
  wipe: any
boot: {{mode: network, network: {{via: http, uri: "{uri}"}}}}
trust: none
admission: {{kind: attest, url: "{attest}"}}
finish: reboot
"""


def test_into_mode_network_without_a_payload(directory):
    """The medium writes two empty slots and arms the first start, which is from the server. What
    is promoted there is what starts when the server is away."""
    iso = need_slipway()
    node = bootnode.build()
    image = node.image("net1")
    http = server.Server()
    try:
        text = NETWORK.format(uri=http.add("/boot.efi", image), attest=ATTEST)
        machine = machine_with(directory)
        with harness.Vm(machine, iso=answer_iso(directory, iso, text), cpus=1) as vm:
            vm.wait_reset(vm.resets + 1, timeout=600)
            vm.mark()
            first_start_from_the_network(vm, http, node.sha256(image))
            http.close()
            seen = bootnode.restart(vm, "net1", "slot")
            check(seen.attest == ATTEST, "attestation URL %r" % seen.attest)
            bootnode.status(vm, "started from slot A", "The mode is network, strategy armed",
                            "Before this: the last start from the network did not work out",
                            "is in slot A", 'Next: "Slipway A"')
    finally:
        http.close()


def first_start_from_the_network(vm, http, sha256):
    seen = bootnode.up(vm, "net1", "network")
    check(seen.attest == ATTEST, "attestation URL %r" % seen.attest)
    slots = bootnode.slipway(vm, "slots")["slots"]
    check([s["good"] for s in slots] == [False, False], "slots %r" % slots)
    bootnode.run(vm, "slipway promote --uki %s --sha256 %s" % (http.url("/boot.efi"), sha256),
                 timeout=600)
    bootnode.slipway(vm, "mode keep")
    bootnode.status(vm, "started over the network", "is in slot A",
                    'once; when that fails, "Slipway A"')


test_into_mode_network_without_a_payload.long = True


def test_straight_into_the_node(directory):
    """finish: kexec: the node runs without a restart of the firmware, and says where it came from.
    The next start, which is the firmware's, finds it by its entry."""
    iso = need_slipway()
    node = payload.build(PAYLOAD)
    text = answers(node).replace("finish: reboot", "finish: kexec")
    medium = answer_iso(directory, iso, text, node.kernel, node.initrd)
    machine = machine_with(directory)
    with harness.Vm(machine, iso=medium) as vm:
        resets = vm.resets
        vm.expect("The node starts in", timeout=300)
        vm.mark()
        vm.expect_raw("NODE-END", timeout=150)
        seen = payload.facts(vm.plain())
        check(CMDLINE in seen["cmdline"] and seen["cmdline"].endswith(" node.src=a"),
              "command line %r" % seen["cmdline"])
        check(vm.resets == resets, "the firmware has restarted")
    with harness.Vm(machine, network=False) as vm:
        check_node(vm, machine)


test_straight_into_the_node.long = True
