# SPDX-License-Identifier: Apache-2.0
"""Bytes that text interfaces send to a terminal: slipway beside others, one pty, one run.

A vt220 of 80x24 (TERM=vt220), everything the program writes between a key and 0.3 s of silence. The
others do what comes nearest to the action; where nothing does, the cell is empty.
"""
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
import time
from pathlib import Path

QUIET = 0.3
ITEMS = [w for i in range(12) for w in (f"disk{i}", f"Model-{i} {64 + i}G serial S{i:04}")]
FIELDS = [w for i in range(6) for w in (f"Field {i}", str(i + 1), "1", f"value {i}", str(i + 1),
                                        "20", "30", "40")]
DOWN = b"\033[B"
REDRAW = b"\f"


class Terminal:
    def __init__(self, argv, env):
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
        total = 0
        while select.select([self.fd], [], [], seconds)[0]:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                break
            if not data:
                break
            total += len(data)
        return total

    def key(self, key):
        os.write(self.fd, key)
        return self.count()

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def measure(argv, env, keys, settle=1.0):
    """keys: {action: (keys before, key)}; what the first of several moves costs is not typical."""
    terminal, found = Terminal([str(a) for a in argv], env), {}
    try:
        found["first screen"] = terminal.count(settle)
        for action, (before, key) in keys.items():
            for k in before:
                terminal.key(k)
            found[action] = terminal.key(key)
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


def slipway(args, folder, env):
    machine = Path(folder) / "m"
    disks = [w for i in range(12)
             for w in ("--disk", f"serial=S{i:04},size={64 + i}G,model=Model-{i},transport=sata")]
    subprocess.run([args.slipway, "machine", "create", str(machine), "--no-tpm", *disks],
                   check=True, capture_output=True, env=env)
    start = [args.slipway, "--machine", str(machine), "session"]
    with subprocess.Popen(start, env=env, stdout=subprocess.DEVNULL) as session:
        # The facts are to be there, as they are on the others' first screens.
        time.sleep(2)
        try:
            found = measure([args.slipway, "--machine", machine, "attach"], env, {
                "list move": ([b"\r", DOWN], DOWN), "redraw": ([], REDRAW),
                "screen change": ([], b"\r"), "form move": ([b"\t"], b"\t"),
                # On to the payload's form: its first field is typed into.
                "typed character": ([b"\033[C", b"\033[C", b"\r", b"\r", b"x"], b"y")})
        finally:
            session.terminate()
    return found


def others(folder, env):
    yield "cfdisk", ["cfdisk", image(folder)], {
        "list move": ([DOWN], DOWN), "redraw": ([], REDRAW)}, True
    menu = ["--menu", "Choose a disk", "22", "76", "12", *ITEMS]
    yield "whiptail", ["whiptail", *menu], {
        "list move": ([DOWN], DOWN), "redraw": ([], REDRAW)}, True
    yield "whiptail", ["whiptail", "--inputbox", "Host name", "10", "60"], {
        "typed character": ([b"x"], b"y")}, False
    yield "dialog", ["dialog", *menu], {"list move": ([DOWN], DOWN), "redraw": ([], REDRAW)}, True
    yield "dialog", ["dialog", "--form", "Node", "20", "70", "8", *FIELDS], {
        "form move": ([DOWN], DOWN), "typed character": ([b"x"], b"y")}, False
    yield "nmtui", ["nmtui"], {"list move": ([DOWN], DOWN), "screen change": ([], b"\r")}, True


def compare(ours, name, theirs):
    rows = []
    for action, used in ours.items():
        if action not in theirs:
            continue
        other = theirs[action]
        rows.append({"what": f"bytes: {action}", "slipway": used, "with": name, "other": other,
                     "ratio": round(used / other, 2) if other else "",
                     "aim": "no more", "met": used <= other})
    return rows


def bench(args, env):
    with tempfile.TemporaryDirectory(prefix="bench.", dir=args.out) as folder:
        ours = slipway(args, folder, env)
        rows, found = [], {}
        for name, argv, keys, first in others(folder, env):
            if not shutil.which(argv[0], path=env["PATH"]):
                rows.append({"what": f"bytes beside {name}", "skipped": f"{name} is not installed"})
                continue
            one = measure(argv, env, keys)
            if not first:
                one = {action: one[action] for action in keys}
            # nmtui says one sentence and leaves where NetworkManager does not run.
            if first and one["first screen"] < 200:
                rows.append({"what": f"bytes beside {name}", "skipped": f"{name} has no screen"})
                continue
            found.setdefault(name, {}).update(one)
        for name, theirs in found.items():
            rows += compare(ours, name, theirs)
    return rows
