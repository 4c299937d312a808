# SPDX-License-Identifier: Apache-2.0
"""The session as the medium starts it: where answers come from, and that consoles keep working."""
import contextlib
import fcntl
import json
import os
import pty
import signal
import struct
import termios
import time
import tty

from lib import SLIPWAY, Server, expect, main, partitions, same, sha256, test, tool
from terminal import Reader, Terminal

STICK = "serial=STICK1,size=256M,transport=usb"
TIOCGPTN = 0x80045430        # which pts it is; not in Python's termios
NODE = "serial=NODE07SYS,size=4G,transport=nvme"


def session(case):
    return case.start("session", "--medium")


def wait_installed(case, seconds=240):
    end = time.monotonic() + seconds
    states = None
    while time.monotonic() < end:
        states = [j["state"] for j in case.on("--json", "status").json()["journals"]]
        if states == ["done"]:
            assert "slipway-a" in partitions(case.disk())
            return
        time.sleep(0.5)
    raise AssertionError(f"not installed after {seconds} s: {states}")


def wait_paused(case, seconds=120):
    """The install says that it waits, and a request that was on its way has come."""
    end = time.monotonic() + seconds
    log = case.machine_dir / "run/events.jsonl"
    while '"text":"paused' not in log.read_text().replace(" ", ""):
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.05)
    time.sleep(1)


def wait_requests(server, many, seconds=120):
    end = time.monotonic() + seconds
    while len(server.hits) < many:
        assert time.monotonic() < end, f"{len(server.hits)} of {many} requests came"
        time.sleep(0.05)


def stop(child):
    child.send_signal(signal.SIGTERM)
    return child.communicate(timeout=120)[1]


def console(case, *args):
    return Terminal([SLIPWAY, "--machine", case.machine_dir, *args])


@test("slipway.yaml on the medium installs without a person")
def _(case):
    case.create(NODE, STICK, extra=("--medium", "STICK1"))
    medium = case.machine_dir / "medium"
    medium.mkdir(exist_ok=True)
    (medium / "slipway.yaml").write_text(case.answers().read_text())
    child = session(case)
    wait_installed(case)
    assert "on the medium" in stop(child)


@test("slipway.answers= on the kernel command line installs, and counts before the medium")
def _(case):
    case.create(NODE, STICK, extra=("--medium", "STICK1"))
    answers = case.answers()
    (case.machine_dir / "medium").mkdir(exist_ok=True)
    (case.machine_dir / "medium/slipway.yaml").write_text("slipway: 1\nfinish: poweroff\n")
    (case.machine_dir / "proc").mkdir(exist_ok=True)
    server = Server(case.dir)
    try:
        (case.machine_dir / "proc/cmdline").write_text(
            f"quiet slipway.answers={server.url}/node.yaml "
            f"slipway.answers.sha256={sha256(answers)}\n")
        child = session(case)
        wait_installed(case)
        assert "kernel command line" in stop(child)
    finally:
        server.close()


@test("a wrong hash on the kernel command line installs nothing and is said on the console")
def _(case):
    case.create(NODE)
    case.answers()
    (case.machine_dir / "proc").mkdir(exist_ok=True)
    server = Server(case.dir)
    terminal = None
    try:
        (case.machine_dir / "proc/cmdline").write_text(
            f"slipway.answers={server.url}/node.yaml slipway.answers.sha256={'0' * 64}\n")
        child = session(case)
        terminal = console(case, "attach")
        terminal.wait("No unattended install")
        same(case.on("--json", "status").json()["journals"], [], "journals")
        assert "slipway: " in stop(child)
    finally:
        server.close()
        if terminal:
            terminal.kill()


def ends_by_itself(case):
    """The session's last words, and what the machine was told to do."""
    child = session(case)
    said = child.communicate(timeout=240)[1]
    assert "slipway: " in said and "installing from" not in said, said
    same(case.on("--json", "status").json()["journals"], [], "journals")
    return said, (case.machine_dir / "run/power").read_text().strip()


@test("answers that cannot be used: the kernel command line's on-error is done, past a bad word")
def _(case):
    case.create(NODE)
    (case.machine_dir / "proc").mkdir(exist_ok=True)
    (case.machine_dir / "proc/cmdline").write_text(
        "slipway.set=disk.matsh.serial=NODE07SYS slipway.set=on-error.action=poweroff "
        "slipway.set=on-error.pause=1\n")
    said, power = ends_by_itself(case)
    assert "disk.matsh" in said, said
    same(power, "off", "power")


@test("answers that cannot be used: the on-error of the medium's file is done, a key stops it")
def _(case):
    case.create(NODE, STICK, extra=("--medium", "STICK1"))
    medium = case.machine_dir / "medium"
    medium.mkdir(exist_ok=True)
    words = "slipway: 1\nsources: /nowhere/node.yaml\non-error: {action: reboot, pause: %u}\n"
    (medium / "slipway.yaml").write_text(words % 1)
    said, power = ends_by_itself(case)
    assert "/nowhere/node.yaml" in said, said
    same(power, "reboot", "power")
    (case.machine_dir / "run/power").unlink()
    (case.machine_dir / "run/unattended").unlink()
    (medium / "slipway.yaml").write_text(words % 600)
    child = session(case)
    terminal = console(case, "attach")
    try:
        terminal.wait("The machine restarts in ")
        terminal.send("x")
        terminal.wait("Nothing happens until you choose")
    finally:
        terminal.kill()
    stop(child)
    assert not (case.machine_dir / "run/power").exists()


@test("a stick labelled SLIPWAY counts down on the console, and a key stops it")
def _(case):
    case.create(NODE, STICK)
    image = case.disk("STICK1")
    tool("sfdisk", "-q", image, input="label: gpt\nstart=1M, type=linux\n")
    start = partitions(image)[""]["start"]
    tool("mkfs.vfat", "-n", "SLIPWAY", "--offset", start, image, "200000")
    tool("mcopy", "-i", f"{image}@@{start * 512}", case.answers(), "::/slipway.yaml")
    child = session(case)
    terminal = console(case, "attach")
    try:
        terminal.wait("on the stick")
        terminal.send(" ")
        terminal.wait("nothing has been written")
        time.sleep(2)
        same(case.on("--json", "status").json()["journals"], [], "journals")
        same(child.poll(), None, "the session's exit code")
    finally:
        terminal.kill()
        stop(child)


def stop_and_go(case):
    """What the log says of pauses, as far as it has lines that are whole."""
    log = (case.machine_dir / "run/events.jsonl").read_text().rpartition("\n")[0]
    texts = [json.loads(line).get("text", "") for line in log.splitlines()]
    return [text for text in texts if text.startswith(("paused", "it goes on"))]


@test("any console holds an unattended install up and all say who did; a deaf one stops none")
def _(case):
    case.create(NODE, STICK, extra=("--medium", "STICK1"))
    (case.machine_dir / "medium").mkdir(exist_ok=True)
    server = Server(case.dir, cut_at=1000)      # until it is told otherwise
    kernel, _ = case.payload()
    (case.machine_dir / "medium/slipway.yaml").write_text(
        case.answers(kernel=f"{server.url}/{kernel.name}").read_text())
    child = session(case)
    deaf = console(case, "attach")     # nobody ever reads it
    one, other = console(case, "attach"), console(case, "attach")
    late = None
    try:
        one.wait("the connection broke")
        one.send("p")
        number = struct.unpack("I", fcntl.ioctl(one.fd, TIOCGPTN, bytes(4)))[0]
        other.wait(f"Paused by pts/{number} at the next safe point")
        wait_paused(case)
        before = len(server.hits)
        late = console(case, "attach")
        late.wait("the connection broke")
        late.wait("Paused by")
        late.send("p")         # the pen is elsewhere: nothing happens
        time.sleep(3)                   # longer than the pause between two tries
        same(len(server.hits), before, "requests while it is paused")
        stop(child)
        child = session(case)           # the session is another, and knows of it
        for terminal in (one, other, late):
            terminal.kill()
        one = other = None
        late = console(case, "attach")
        late.wait(f"Paused by pts/{number} at the next safe point")
        same(len(server.hits), before, "requests while it is paused")
        server.cuts = 0
        end = time.monotonic() + 240
        late.send("p")         # once, and it goes on
        wait_installed(case)
        said = stop_and_go(case)
        while len(said) < 2 and time.monotonic() < end:
            time.sleep(0.1)
            said = stop_and_go(case)
        same(said, [f"paused by pts/{number}", "it goes on"], "what the log says of it")
    finally:
        server.close()
        for terminal in (deaf, one, other, late):
            if terminal:
                terminal.kill()
        stop(child)


@test("a session that is started again does not install again")
def _(case):
    again_changes_nothing(case, restart=False)


@test("a machine that starts from its medium again does not install again")
def _(case):
    again_changes_nothing(case, restart=True)


def again_changes_nothing(case, restart):
    case.create(NODE, STICK, extra=("--medium", "STICK1"))
    (case.machine_dir / "medium").mkdir(exist_ok=True)
    (case.machine_dir / "medium/slipway.yaml").write_text(case.answers().read_text())
    child = session(case)
    wait_installed(case)
    stop(child)
    ended(case)
    if restart:
        for name in ("unattended", "boot-id"):
            (case.machine_dir / "run" / name).unlink(missing_ok=True)
    changed = case.disk().stat().st_mtime_ns
    child = session(case)
    time.sleep(4)
    stop(child)
    same(case.disk().stat().st_mtime_ns, changed, "last change of the disk")


@test("slipway without a command opens a session that another terminal can join and leave")
def _(case):
    case.create(NODE)
    first = console(case)
    second = None
    try:
        first.wait("nstall")
        second = console(case, "attach")
        second.wait("nstall")
        second.send("\x1c")
        same(second.ended(), 0, "exit code after ^\\")
        # vt220 has no second screen: what a shell prints next begins on a line that is empty.
        after = second.shown[second.shown.rindex("redraw"):]
        second = None
        assert "\x1b[K" in after or "\x1b[J" in after, after
        assert (case.machine_dir / "run/session.sock").exists()
    finally:
        first.kill()
        if second:
            second.kill()
        end_session(case)


def end_session(case):
    """The console's session is a process of its own; it is told to end by its machine's name."""
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as f:
                ours = str(case.machine_dir).encode() in f.read()
        except OSError:
            continue
        if ours and int(entry) != os.getpid():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(entry), signal.SIGTERM)
    ended(case)


class Line(Reader):
    """A terminal that nobody has opened yet, as a serial line; read from its other end."""

    def __init__(self):
        fd, self.other = pty.openpty()
        tty.setraw(self.other)
        self.name = os.ttyname(self.other)
        super().__init__(fd)

    def close(self):
        os.close(self.fd)
        os.close(self.other)


def ended(case, seconds=120):
    """No console of this machine's session is left."""
    end = time.monotonic() + seconds
    mark = str(case.machine_dir).encode()
    while time.monotonic() < end:
        left = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    if mark in file.read():
                        left.append(pid)
        if not left:
            return
        time.sleep(0.2)
    raise AssertionError(f"processes left: {left}")


@test("--console shows the session on further terminals, says what is none, and ends with it")
def _(case):
    case.create(NODE)
    expect(case.on("session", "--console", "ttyS99"), 5, "/dev/ttyS99 cannot be opened")
    expect(case.on("session", "--console", "/dev/null"), 2, "/dev/null is no terminal")
    expect(case.on("session", "--console", "ttyS1,fast"), 2, "is no console", "ttyS1,57600")
    one, two = Line(), Line()
    child = case.start("session", "--console", one.name, "--console", f"{two.name},57600")
    try:
        one.wait("Install a node on this machine")
        two.wait("Install a node on this machine")
        same(termios.tcgetattr(two.other)[5], termios.B57600, "speed")
    finally:
        stop(child)
    ended(case)
    for line in one, two:
        line.close()


TAKE_PEN = "\x0b"


def press(line, keys, *words):
    """From a console, which takes the pen first; and what it shows of it then."""
    line.send(TAKE_PEN + keys)
    for word in words:
        line.wait(word)


@test("every console shows an unattended install; each pauses it, reads what it does, and stops it")
def _(case):
    case.create(NODE, STICK, extra=("--medium", "STICK1"))
    server = Server(case.dir, cut_at=1000)
    kernel, _ = case.payload()
    (case.machine_dir / "medium").mkdir(exist_ok=True)
    answers = case.answers(kernel=f"{server.url}/{kernel.name}")
    (case.machine_dir / "medium/slipway.yaml").write_text(answers.read_text())
    changed = case.disk().stat().st_mtime_ns
    one, two = Line(), Line()
    child = case.start("session", "--medium", "--console", one.name, "--console", two.name)
    try:
        for line in one, two:
            line.wait("Fetch and check the payload")
        # So that the log, which is looked into while it is paused, tells of a try that failed.
        wait_requests(server, 2)
        said = f"Paused by {two.name.removeprefix('/dev/')} at the next safe point"
        press(two, "p", said)
        one.wait(said)
        wait_paused(case)
        before = len(server.hits)
        time.sleep(4)
        same(len(server.hits), before, "requests while it is paused")
        press(one, "d", "hat is being done", "serial NODE07SYS")
        two.wait("serial NODE07SYS")
        press(two, "l", "next try in")
        press(two, "ldp", "Fetch and check the payload")
        wait_requests(server, before + 1)
        press(one, "c", "Stop at the next safe point?", "Nothing has been written yet")
        two.wait("Stop at the next safe point?")
        press(one, "\x1b[B\r", "Nothing")
        two.wait("Nothing")
        same(case.disk().stat().st_mtime_ns, changed, "last change of the disk")
    finally:
        stop(child)
        server.close()
    ended(case)
    for line in one, two:
        line.close()


@test("the console without a terminal is one clear message")
def _(case):
    case.create(NODE)
    expect(case.on(), 2, "needs a terminal", "--help")


@test("attach without a session says so within seconds")
def _(case):
    case.create(NODE)
    terminal = console(case, "attach")
    code = terminal.ended()
    assert code not in (0, 1), (code, terminal.shown)
    assert "session" in terminal.shown, terminal.shown


if __name__ == "__main__":
    main()
