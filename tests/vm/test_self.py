# SPDX-License-Identifier: Apache-2.0
"""The harness itself: if these fail, no verdict of the other tests means anything."""

import os
import socket
import subprocess
import types
import urllib.error
import urllib.request

import disk
import harness
import line
import payload
import run
import screen
import server

PAYLOAD = os.path.join(harness.BUILD, "vm-payload")


def check(condition, text):
    if not condition:
        raise harness.Failure(text)


def test_screen_follows_a_vt220(_):
    s = screen.Screen(5, 10)
    answers = []
    s.answer = answers.append
    s.feed(b"hello\r\nworld")
    check(s.text().split("\n")[:2] == ["hello", "world"], "plain lines")
    s.feed(b"\x1b[1;3HXY\x1b[K")
    check(s.line(0) == "heXY", "cursor address and erase: %r" % s.line(0))
    s.feed(b"\x1b[2J\x1b[H0123456789AB")
    check(s.line(0) == "0123456789" and s.line(1) == "AB", "wrap at the right margin")
    s.feed(b"\x1b[2;1H\x1b[L" b"new")
    check(s.line(1) == "new" and s.line(2) == "AB", "insert line")
    s.feed(b"\x1b[2;1H\x1b[M")
    check(s.line(1) == "AB", "delete line")
    s.feed(b"\x1b[2;1H\x1b[@_\x1b[P")
    check(s.line(1) == "_B", "insert and delete character: %r" % s.line(1))
    s.feed(b"\x1b[2;4r\x1b[4;1Hx\r\ny")
    check(s.line(2) == "x" and s.line(3) == "y", "scroll region: %r" % s.text())
    s.feed(b"\x1b(0q\x1b(B\x1b[6n\x1b[c")
    check(answers == [b"\x1b[4;3R", b"\x1b[?62;1;2c"], "answers %r" % answers)


def test_screen_agrees_with_ncurses(_):
    """tput writes what terminfo says a vt220 understands; the screen must understand it too."""
    s = screen.Screen()
    for args in (["clear"], ["cup", "5", "10"], ["smacs"]):
        s.feed(subprocess.run(["tput", "-T", "vt220"] + args, check=True,
                              capture_output=True).stdout)
    s.feed(b"q")
    s.feed(subprocess.run(["tput", "-T", "vt220", "rmacs"], check=True,
                          capture_output=True).stdout)
    s.feed(b"ok")
    check(s.line(5) == " " * 10 + "-ok", "got %r" % s.line(5))


def test_line_is_read_no_further_than_somebody_looks(directory):
    """What a screen draws a moment later is not there when the wait before it returns, also when
    all of it was received at once; a question of the program is answered when it is received."""
    answers = []
    one = line.Line(24, 80, answers.append)
    one.receive(b"a\x1b[6n\x1b[")
    check(answers == [b"\x1b[1;2R"] and not one.text, "answers %r" % answers)
    one.all()
    check(one.text == b"a" and not one.step(), "half a sequence is nothing: %r" % one.text)
    one.receive(b"1;5Hb\r\n")
    one.all()
    check(one.text == b"ab\n" and one.screen.line(0) == "a   b", "%r" % one.text)
    vm = harness.Vm(harness.Machine(directory))
    vm.line.receive(b"Status: Testing\x1b[5;1HErrors: 0\x1b[6;1HPass: 0\r\n")
    vm.expect_screen("Status: Testing")
    check("Errors" not in vm.screen, "too much was seen:\n" + vm.screen.text())
    vm.expect_screen("Errors: 0")
    check("Pass" not in vm.screen, "too much was seen:\n" + vm.screen.text())
    vm.expect_raw("s: 0", "Pass")
    check(vm.here() == len("Status: TestingErrors: 0"), "%d were seen" % vm.here())
    vm.wait_quiet(0)
    check("Pass: 0" in vm.screen, "not all was seen:\n" + vm.screen.text())


def test_commands_and_frames_end_with_their_last_byte(directory):
    """A shell that is slow to prompt, and echoes; a console that draws the frame of an earlier key
    before the one that was asked for."""
    vm = harness.Vm(harness.Machine(directory))
    typed = bytearray()

    def shell(data):
        typed.extend(data)
        if data == b"\r":
            vm.line.receive(typed + b"\nout\r\nend=%d=\r\n" % (b"bad" in typed) + b"~ # ")
            typed.clear()
    vm.line.receive(b"~ # ")
    vm._write = shell
    check([vm.run("first"), vm.run("second")] == ["out\n"] * 2, "the echo is in the output")
    try:
        vm.run("bad")
        raise AssertionError("a bad status is none")
    except harness.Failure as failure:
        check("status 1" in str(failure), str(failure))
    vm._write = lambda data: vm.line.receive(b"\x1b[1;1Hold\x1b[H\x1b[Jnew\x1b[24;1HEsc back")
    vm.redraw()
    check(vm.screen.line(0) == "new" and vm.screen.line(23) == "E", vm.screen.text())


def test_kernel_that_hung_is_told_from_a_test_that_failed(directory):
    vm = harness.Vm(harness.Machine(directory))
    vm.line.receive(b"[    1.0] i8042: PNP\r\nINFO: task init:1 blocked for more than 120")
    check(not isinstance(vm.failure("x"), harness.Stalled), "a program is no kernel")
    vm.line.receive(b"\r\n[  242.6] INFO: task swapper/0:1 blocked for more than 120 seconds.\r\n")
    check(isinstance(vm.failure("x"), harness.Stalled), "process 1 was the kernel still")

    def hung(_):
        raise vm.failure("no end")
    check(run.run_one(hung, directory)[0] == "stalled", "the runner is told")
    repeated = []
    test = types.SimpleNamespace(name="t", verdict=lambda: ("stalled", "no end"), end=lambda: None)
    check(run.again(test, repeated), "it is repeated")
    check(not run.again(test, repeated), "once")
    test.verdict = lambda: ("failed", "no end")
    check(not run.again(test, []), "who failed is not repeated")


def test_server_resets_in_the_middle(_):
    http = server.Server()
    try:
        body = os.urandom(400000)
        http.add("/good", body)
        http.add("/bad", body, server.Fault(reset_at=0.3, times=1))
        http.add("/gone", body, server.Fault(status=503))
        with urllib.request.urlopen(http.url("/good", guest=False)) as reply:
            check(reply.read() == body, "a good path is served whole")
        try:
            with urllib.request.urlopen(http.url("/bad", guest=False)) as reply:
                got = reply.read()
            raise harness.Failure("%d bytes came and no reset" % len(got))
        except (ConnectionResetError, socket.error):
            pass
        with urllib.request.urlopen(http.url("/bad", guest=False)) as reply:
            check(reply.read() == body, "the second try is served")
        try:
            urllib.request.urlopen(http.url("/gone", guest=False))
            raise harness.Failure("503 was not answered")
        except urllib.error.HTTPError as error:
            check(error.code == 503, "status %d" % error.code)
    finally:
        http.close()


def test_disk_hash_sees_one_changed_byte(directory):
    one = disk.Disk(os.path.join(directory, "a"), "A", 64 << 20)
    two = disk.Disk(os.path.join(directory, "b"), "B", 64 << 20)
    check(one.hash() == two.hash(), "empty disks of one size are equal")
    one.fill("x")
    two.fill("x")
    check(one.hash() == two.hash(), "equal content")
    with open(two.path, "r+b") as file:
        file.seek(50 << 20)
        file.write(b"\0" * 4096)
    check(one.hash() == two.hash(), "zeroes that are written equal a hole")
    with open(two.path, "r+b") as file:
        file.seek((50 << 20) + 5)
        file.write(b"\1")
    check(one.hash() != two.hash(), "one byte differs")


def node_machine(directory, cmdline, **options):
    """A machine whose only disk boots the payload by the firmware's fallback path."""
    node = payload.build(PAYLOAD)
    machine = harness.Machine(directory, **options)
    uki = node.uki(os.path.join(directory, "node.efi"), cmdline)
    machine.disks.append(disk.make_esp_disk(os.path.join(directory, "disk"), "FALLBACK01",
                                            {"/EFI/BOOT/BOOTX64.EFI": uki}))
    return machine


def test_node_boots_by_the_fallback_path(directory):
    machine = node_machine(directory, "console=ttyS0,115200 panic=10 mark=one")
    with harness.Vm(machine) as vm:
        vm.expect_raw("NODE-END", timeout=90)
        vm.wait_off(30)
    seen = payload.facts(vm.plain())
    check("mark=one" in seen["cmdline"], "command line %r" % seen["cmdline"])
    uuid = machine.disks[0].partitions()[0]["uuid"]
    check(seen["loaderpart"].lower() == uuid, "started from %r" % seen["loaderpart"])
    check(uuid in seen["part"].values(), "partitions %r" % seen["part"])
    check(seen["bootcurrent"] in seen["bootorder"].split(), "BootCurrent %r" % seen["bootcurrent"])


def test_nvram_keeps_and_loses_a_variable(directory):
    machine = node_machine(directory, "console=ttyS0,115200 testpayload.setvar=kept")
    with harness.Vm(machine, network=False) as vm:
        vm.expect_raw("NODE variable=kept", timeout=90)
        vm.wait_off(30)
    # The same serial at the same port is the same boot option to the firmware.
    machine.disks.clear()
    node = payload.build(PAYLOAD)
    machine.disks.append(disk.make_esp_disk(
        os.path.join(directory, "second"), "FALLBACK01",
        {"/EFI/BOOT/BOOTX64.EFI": node.uki(os.path.join(directory, "plain.efi"),
                                           "console=ttyS0,115200")}))
    with harness.Vm(machine, network=False) as vm:
        vm.expect_raw("NODE-END", timeout=90)
    check(payload.facts(vm.plain())["variable"] == "kept", "the variable store was not kept")
    machine.wipe_nvram()
    with harness.Vm(machine, network=False) as vm:
        vm.expect_raw("NODE-END", timeout=90)
    check(payload.facts(vm.plain())["variable"] == "", "the wiped store still has it")
