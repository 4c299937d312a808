# SPDX-License-Identifier: Apache-2.0
"""Bytes that text interfaces send to a terminal: slipway beside others, one pty, one run.

A vt220 of 80x24 (TERM=vt220), everything the program writes between a key and 0.3 s of silence. The
others do what comes nearest to the action; where nothing does, the cell is empty. A terminal by
others (screen.py) says what each action left on the screen: one that did not do what its name says
is no figure, and fails.
"""
import contextlib
import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
from pathlib import Path

QUIET = 0.3
ITEMS = [w for i in range(12) for w in (f"disk{i}", f"Model-{i} {64 + i}G serial S{i:04}")]
FIELDS = [w for i in range(6) for w in (f"Field {i}", str(i + 1), "1", f"value {i}", str(i + 1),
                                        "20", "30", "40")]
HERE = Path(__file__).resolve().parent
DOWN = b"\033[B"
REDRAW = b"\f"
FOUND = "12: sda"
SHARE = "first screen, for 100 characters on it"
MENU = ["--menu", "Choose a disk", "22", "76", "12", *ITEMS]


class Terminal:
    def __init__(self, argv, env):
        self.written = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # The size has to be there before the program looks.
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
            try:
                os.execvpe(argv[0], argv, dict(env, TERM="vt220", LC_ALL="C.UTF-8"))
            finally:
                os._exit(127)

    def count(self, seconds=QUIET):
        """Bytes until the program has been silent for this long."""
        before = len(self.written)
        while select.select([self.fd], [], [], seconds)[0]:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                break
            if not data:
                break
            self.written += data
        return len(self.written) - before

    def key(self, key):
        os.write(self.fd, key)
        return self.count()

    def screen(self):
        return subprocess.run([HERE / "screen.py"], input=self.written, check=True,
                              capture_output=True).stdout.decode()

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def act(terminal, action, before, key, wanted):
    """Bytes of one action; what the first of several moves costs is not typical."""
    for k in before:
        terminal.key(k)
    old, used, new = terminal.screen(), terminal.key(key), terminal.screen()
    assert wanted in new, f"{action}: no {wanted!r} on\n{new}"
    assert key == REDRAW or new != old, f"{action} changed nothing:\n{new}"
    return used


def letters(screen):
    return len("".join(screen.partition("[cursor")[0].split()))


def measure(argv, env, first, keys, settle=1.0):
    """first: what the first screen shows; keys: {action: (keys before, key, what shows then)}"""
    terminal, found = Terminal([str(a) for a in argv], env), {}
    try:
        found["first screen"] = terminal.count(settle)
        screen = terminal.screen()
        assert first in screen, f"{argv[0]}: no {first!r} on\n{screen}"
        found[SHARE] = round(
            100 * found["first screen"] / letters(screen))
        for action, (before, key, wanted) in keys.items():
            found[action] = act(terminal, action, before, key, wanted)
        found["idle for 2 s"] = terminal.count(2.0)
    finally:
        terminal.end()
    return found


def image(folder):
    path = Path(folder) / "disk.img"
    with open(path, "wb") as f:
        f.truncate(256 << 20)
    subprocess.run(["sfdisk", "-q", str(path)], check=True, text=True, capture_output=True,
                   input="label: gpt\nsize=32M\nsize=32M\nsize=32M\nsize=32M\n")
    return path


def facts_are_there(argv, env):
    """The others have on their first screen what they found, so ours is measured with it, too."""
    for _ in range(60):
        terminal = Terminal(argv, env)
        try:
            terminal.count(1.0)
            if FOUND in terminal.screen():
                return
        finally:
            terminal.end()
    raise AssertionError("the session does not show the disks")


def slipway(args, folder, env):
    machine = Path(folder) / "m"
    disks = [w for i in range(12)
             for w in ("--disk", f"serial=S{i:04},size={64 + i}G,model=Model-{i},transport=sata")]
    subprocess.run([args.slipway, "machine", "create", str(machine), "--no-tpm", *disks],
                   check=True, capture_output=True, env=env)
    start = [args.slipway, "--machine", str(machine), "session"]
    with subprocess.Popen(start, env=env, stdout=subprocess.DEVNULL) as session:
        try:
            attach = [args.slipway, "--machine", str(machine), "attach"]
            facts_are_there(attach, env)
            return measure(attach, env, FOUND, {
                "list move": ([b"\r", DOWN], DOWN, "S0002"),
                "redraw": ([], REDRAW, "S0002"),
                "screen change": ([], b"\r", "Layout"), "form move": ([b"\t"], b"\t", "Layout"),
                # On to the payload's form: its first field is typed into.
                "typed character": ([b"\033[C", b"\033[C", b"\r", b"\r", b"x"], b"y", "xy")})
        finally:
            session.terminate()


@contextlib.contextmanager
def network_manager(env):
    """How to enter where one runs, with its environment; nothing where it cannot run."""
    if os.geteuid() != 0 or not shutil.which("nmtui", path=env["PATH"]):
        yield None
        return
    start = ["unshare", "-nmp", "--fork", "--kill-child", HERE / "nmtui.sh"]
    with subprocess.Popen(start, env=env, stdout=subprocess.PIPE, text=True) as server:
        try:
            pid = server.stdout.readline().strip()
            yield (["nsenter", "-n", "-m", "-p", "-t", pid],
                   dict(env, DBUS_SYSTEM_BUS_ADDRESS="unix:path=/run/system_bus_socket"))
        finally:
            # unshare waits for its child when it is asked to end.
            server.kill()


def nmtui(env):
    with network_manager(env) as there:
        if not there:
            return None
        enter, inside = there
        return {
            **measure([*enter, "nmtui"], inside, "NetworkManager TUI", {
                "list move": ([DOWN], DOWN, "hostname"), "redraw": ([], REDRAW, "hostname"),
                "screen change": ([b"\033[A", b"\033[A"], b"\r", "wired")}),
            **only(measure([*enter, "nmtui", "edit", "wired"], inside, "Profile name wired", {
                "typed character": ([b"x"], b"y", "wiredxy"),
                "form move": ([], b"\t", "wiredxy")}), "typed character", "form move")}


def only(found, *actions):
    return {action: found[action] for action in actions}


def cfdisk(env, folder):
    return measure(["cfdisk", image(folder)], env, "disk.img", {
        "list move": ([DOWN], DOWN, "disk.img"), "redraw": ([], REDRAW, "disk.img")})


def whiptail(env):
    return {
        **measure(["whiptail", *MENU], env, "S0011", {
            "list move": ([DOWN], DOWN, "S0011"), "redraw": ([], REDRAW, "S0011")}),
        **only(measure(["whiptail", "--inputbox", "Host name", "10", "60"], env, "Host name", {
            "typed character": ([b"x"], b"y", "xy")}), "typed character")}


def dialog(env):
    return {
        **measure(["dialog", *MENU], env, "S0011", {
            "list move": ([DOWN], DOWN, "S0011"), "redraw": ([], REDRAW, "S0011")}),
        **only(measure(["dialog", "--form", "Node", "20", "70", "8", *FIELDS], env, "Field 0", {
            "form move": ([DOWN], DOWN, "value 2"),
            "typed character": ([b"x"], b"y", "xy")}), "form move", "typed character")}


def compare(ours, name, theirs):
    rows = []
    for action, used in ours.items():
        if action not in theirs:
            continue
        other = theirs[action]
        row = {"what": f"bytes beside {name}: {action}", "slipway": used, "with": name,
               "other": other, "ratio": round(used / other, 2) if other else ""}
        # What is on a first screen differs; this row only says how much of it that is.
        rows.append(row if action == SHARE else dict(row, aim="no more", met=used <= other))
    return rows


def bench(args, env):
    with tempfile.TemporaryDirectory(prefix="bench.", dir=args.out) as folder:
        ours, rows = slipway(args, folder, env), []
        others = {"cfdisk": lambda: cfdisk(env, folder), "whiptail": lambda: whiptail(env),
                  "dialog": lambda: dialog(env), "nmtui": lambda: nmtui(env)}
        for name, one in others.items():
            theirs = one() if shutil.which(name, path=env["PATH"]) else None
            why = "needs root" if shutil.which(name, path=env["PATH"]) else "is not installed"
            rows += compare(ours, name, theirs) if theirs else [
                {"what": f"bytes beside {name}", "skipped": f"{name} {why}"}]
    return rows
