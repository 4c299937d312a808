# SPDX-License-Identifier: Apache-2.0
"""Job control: a console under an interactive shell, which could stop it with ^Z.

The shell is a real one with a terminal of its own, so that the console's process group is no
orphan: in one that is, the kernel throws SIGTSTP away and nothing here could fail.
"""
import contextlib
import fcntl
import os
import re
import signal
import struct
import termios
import time

from lib import SLIPWAY, main, need, same, test
from terminal import Terminal

NODE = "serial=NODE07SYS,size=4G,transport=nvme"
LIMIT = 120
STOPPED = "Stopped"
PROMPT = "ready> "


class At(Terminal):
    """A program that may be under a shell."""

    def __init__(self, *argv):
        super().__init__(argv, setup=as_a_shell_has_it)

    def type(self, text, then):
        """then: what has to come after it."""
        self.send(text)
        return self.wait(then)


def as_a_shell_has_it():
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.environ.update(PS1=PROMPT, HISTFILE="", LC_ALL="C")
    os.environ.pop("PROMPT_COMMAND", None)


def processes(case):
    """{pid: state} of slipway on this machine; the shell's own line does not name it."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/cmdline", "rb") as line, open(f"/proc/{pid}/stat") as stat:
                if str(case.machine_dir).encode() in line.read():
                    found[int(pid)] = stat.read().rsplit(")", 1)[1].split()[0]
    return found


def none_is_stopped(case):
    states = processes(case)
    assert states and "T" not in states.values(), states


def wait_stopped(pid):
    end = time.monotonic() + LIMIT
    while True:
        with open(f"/proc/{pid}/stat") as stat:
            state = stat.read().rsplit(")", 1)[1].split()[0]
        if state == "T":
            return
        assert time.monotonic() < end, f"process {pid} is in state {state}"
        time.sleep(0.1)


@contextlib.contextmanager
def stage(case):
    """(shell with the machine's command in $s, another console's terminal maker)."""
    need("bash")
    case.create(NODE)
    os.environ["s"] = f"{SLIPWAY} --machine {case.machine_dir}"
    opened = [At("bash", "--norc", "--noprofile", "-i")]

    def other():
        opened.append(At(SLIPWAY, "--machine", case.machine_dir, "attach"))
        opened[-1].wait("nstall a node")
        return opened[-1]

    try:
        opened[0].wait(PROMPT)
        yield opened[0], other
    finally:
        for terminal in opened:
            terminal.kill()
        for pid in processes(case):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def modes(shell):
    """How commands find the terminal."""
    told = shell.type("stty -a; echo all-$((40+2))\r", "all-42")
    shell.wait(PROMPT)
    # The line editor has answered with the command itself.
    return re.sub(r"\s+", " ", told.split("speed", 1)[1])


def front(shell):
    """The process group that the terminal belongs to, which is the job's."""
    group = os.tcgetpgrp(shell.fd)
    assert group != shell.pid, "the shell has the terminal"
    return group


def leave(shell, before):
    shell.type("\x1c", PROMPT)
    same(modes(shell), before, "the terminal's modes")
    shell.type("jobs; echo left-$((40+2))\r", "left-42")
    shell.never(STOPPED)


@test("^Z and SIGTSTP do not stop a console under a shell with job control, nor the others")
def _(case):
    with stage(case) as (shell, other):
        before = modes(shell)
        session = case.start("session")
        try:
            shell.type("$s attach\r", "nstall a node")
            watcher = other()
            shell.type("\x1a?", "Keys")
            watcher.wait("Keys")
            os.killpg(front(shell), signal.SIGTSTP)
            none_is_stopped(case)
            shell.type("\x02", "nstall a node")
            # One that sleeps over the screen in between draws nothing anew.
            watcher.wait("nstall a node")
            shell.type("?", "Keys")
            watcher.wait("Keys")
            none_is_stopped(case)
            leave(shell, before)
        finally:
            session.terminate()
            session.communicate(timeout=LIMIT)


@test("^Z on lines, where the terminal makes a signal of it, stops neither session nor console")
def _(case):
    with stage(case) as (shell, other):
        shell.type("$s --plain\r", "Number [1]: ")
        shell.type("\x1a?\r", "Number [1]: ")
        none_is_stopped(case)
        os.killpg(front(shell), signal.SIGTSTP)
        shell.type("?\r", "Number [1]: ")
        none_is_stopped(case)
        # The session is a process of its own; it was started here, and answers another.
        watcher = other()
        watcher.type("\x0b", "pen")
        watcher.type("?", "Keys")
        shell.never(STOPPED)


@test("a console that is started behind the shell waits for its turn, and the others go on")
def _(case):
    with stage(case) as (shell, other):
        before = modes(shell)
        session = case.start("session")
        try:
            watcher = other()
            shell.type("$s attach &\r", "[1] ")
            pid = int(shell.wait("\n"))
            wait_stopped(pid)
            watcher.type("?", "Keys")
            watcher.type("\x02", "nstall a node")
            shell.type("fg\r", "nstall a node")
            shell.type("\x0b", "pen")
            shell.type("?", "Keys")
            watcher.wait("Keys")
            shell.type("\x1c", PROMPT)
            same(modes(shell), before, "the terminal's modes")
        finally:
            session.terminate()
            session.communicate(timeout=LIMIT)


def stopped_and_continued(case, command, shown, answer):
    """answer(shell, watcher) is typed when the console is back."""
    with stage(case) as (shell, other):
        before = modes(shell)
        session = case.start("session")
        try:
            shell.type(command, shown)
            watcher = other()
            os.killpg(front(shell), signal.SIGSTOP)
            shell.wait(STOPPED)
            shell.wait(PROMPT)
            watcher.type("?", "Keys")
            watcher.type("\x02", "nstall a node")
            shell.type("echo mine-$((40+2))\r", "mine-42")
            shell.wait(PROMPT)
            shell.type("fg\r", shown)
            answer(shell, watcher)
            shell.type("\x1c", PROMPT)
            same(modes(shell), before, "the terminal's modes")
        finally:
            session.terminate()
            session.communicate(timeout=LIMIT)


@test("a console stopped by SIGSTOP holds nobody up, and with fg shows its screen and hears keys")
def _(case):
    # Seen by the other one: this one may go from the help that it missed to this one at once.
    def answer(shell, watcher):
        shell.type("\x0b", "pen")
        shell.send("?")
        watcher.wait("Keys")

    stopped_and_continued(case, "$s attach\r", "nstall a node", answer)


@test("a console on lines stopped by SIGSTOP holds nobody up, and with fg asks again")
def _(case):
    stopped_and_continued(case, "$s --plain attach\r", "Number [1]: ",
                          lambda shell, _: shell.type("pen\r", "Number [1]: "))


@test("^Z in the console's shell stops a program there and nothing else")
def _(case):
    with stage(case) as (shell, other):
        session = case.start("session")
        try:
            shell.type("$s attach\r", "nstall a node")
            watcher = other()
            # One key after the other: several at once look like a paste, whose Enter counts less.
            shell.type("/Rescue\r", ">")
            shell.type("\r", "No, go back")
            shell.type("\x1b[B", ">")
            shell.type("\r", "goes back to slipway")
            shell.type("echo in-$((40+2))\r", "in-42")
            shell.type("sleep 500\r", "sleep")
            end = time.monotonic() + LIMIT
            while not (job := sleeping(front(shell))):
                assert time.monotonic() < end, "no program was started"
                time.sleep(0.1)
            shell.send("\x1a")
            wait_stopped(job)
            none_is_stopped(case)
            watcher.wait("A shell is open")
            shell.type("echo on-$((40+2))\r", "on-42")
            shell.type("exit\r", "stopped jobs")
            shell.type("exit\r", "nstall a node")
            none_is_stopped(case)
        finally:
            session.terminate()
            session.communicate(timeout=LIMIT)


def sleeping(group):
    """The process group of the shell's program, when that has the terminal."""
    with contextlib.suppress(OSError):
        with open(f"/proc/{group}/cmdline", "rb") as line:
            return group if line.read().startswith(b"sleep") else 0
    return 0


if __name__ == "__main__":
    main()
