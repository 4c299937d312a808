# SPDX-License-Identifier: Apache-2.0
"""Looks for canaries, secrets that a test gave, where none may be: arguments, environments and
unlocked memory of processes, files, core dumps. Nothing here knows of slipway's code."""
import contextlib
import functools
import os
import re
import secrets
import signal
import threading
import time
from pathlib import Path

from lib import SLIPWAY, allocated

LOCKS_NS = 10_000_000       # more than a child needs until it has locked what it inherited

# What all canaries end in: one look for all, and none is for those of a test that runs beside it.
MARK = b"-" + secrets.token_hex(6).encode()


def canary(name):
    return f"canary-{name}{MARK.decode()}"


def pieces():
    """The end of all canaries as an expression of Python that does not have it in one piece."""
    text = MARK.decode()
    return f"'{text[:6]}' + '{text[6:]}'"


@functools.cache
def spread(mark):
    """The text with as many bytes for each character as keys, cells of a frame and those of
    ncurses have."""
    return re.compile(b"|".join((b".{%d}" % (size - 1)).join(re.escape(bytes([c])) for c in mark)
                                for size in (1, 2, *range(4, 36, 4))), re.DOTALL)


def mappings(folder):
    """What a process writes to and has touched: [start, end, whether it is locked]."""
    found = []
    for line in (folder / "smaps").read_text().splitlines():
        place = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) ", line)
        if place:
            found.append([int(place[1], 16), int(place[2], 16), "w" in place[3], False])
        elif line.startswith("Rss:"):
            found[-1][2] &= line.split()[1] != "0"
        elif line.startswith("VmFlags:"):
            found[-1][3] = "lo" in line.split()
    return [(start, end, locked) for start, end, wanted, locked in found if wanted]


def memory_hits(folder, only_unlocked=False, mark=MARK):
    """Canaries in a process's memory: {whether it is locked: how many mappings}."""
    hits = {True: 0, False: 0}
    with open(folder / "mem", "rb", buffering=0) as memory:
        for start, end, locked in mappings(folder):
            if locked and only_unlocked:
                continue
            with contextlib.suppress(OSError, ValueError):
                data = os.pread(memory.fileno(), min(end - start, 16 << 20), start)
                if spread(mark).search(data):
                    hits[locked] += 1
    return hits


def activity(folder):
    """(whether it waits for something, the nanoseconds for which it has run)"""
    state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
    with contextlib.suppress(OSError):
        return state == "S", int((folder / "schedstat").read_text().split()[0])
    return True, 0


class Watch(threading.Thread):
    """
    Reads arguments and environment of every process, over and over, and, when a folder is given,
    the memory of those of slipway that work on the machine in it. A child has its parent's pages
    for the moment until it locks its own, and they stay where they are for as long as the parent
    has them: what is found unlocked counts when it is found again while the process waits, or has
    run for longer than that takes. Until a secret was found in locked memory a process is stopped
    while it is looked into. `mark` may be set to another secret, one that slipway made.
    """

    def __init__(self, memory=None):
        super().__init__(daemon=True)
        self.seen, self.rounds, self.stop = [], 0, False
        self.memory = str(memory).encode() if memory else None
        self.locked, self.unlocked, self.once, self.mark = 0, [], {}, MARK
        self.program = os.path.realpath(SLIPWAY)

    def hold_and_look(self, folder):
        if self.locked:
            return memory_hits(folder, True, self.mark)
        os.kill(int(folder.name), signal.SIGSTOP)
        try:
            return memory_hits(folder, False, self.mark)
        finally:
            os.kill(int(folder.name), signal.SIGCONT)

    def look_into(self, folder):
        if self.memory not in (folder / "cmdline").read_bytes() or \
                os.path.realpath(os.readlink(folder / "exe")) != self.program:
            return
        waits, ran = activity(folder)
        hits = self.hold_and_look(folder)
        self.locked += hits[True]
        first = self.once.get(folder.name)
        if hits[False] and first is not None and (waits or ran - first > LOCKS_NS):
            self.unlocked.append((folder / "comm").read_text().strip())
        if hits[False]:
            self.once.setdefault(folder.name, ran)
        else:
            self.once.pop(folder.name, None)

    def look(self, folder):
        for name in ("cmdline", "environ"):
            with contextlib.suppress(OSError):
                if self.mark in (folder / name).read_bytes():
                    self.seen.append(f"{folder.name}/{name}")
        if self.memory:
            with contextlib.suppress(OSError):
                self.look_into(folder)

    def run(self):
        while not self.stop:
            for folder in Path("/proc").glob("[0-9]*"):
                self.look(folder)
            self.rounds += 1
            time.sleep(0.02 if self.locked else 0.002)

    def hold(self, seconds=60):
        """
        Until a secret that is there was met. It is there only for a moment, and on a busy machine
        nobody looks just then: so who asks for it (a server, a TPM, a test that types) waits here.
        """
        end = time.monotonic() + seconds
        while (self.memory and not self.locked or self.rounds < 4) and time.monotonic() < end:
            time.sleep(0.02)
        time.sleep(1)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop = True
        self.join()


def files_with(folder, *allowed, mark=MARK):
    """Files below a folder, sparse ones by what was written, that hold a canary."""
    return sorted(str(p) for p in Path(folder).rglob("*")
                  if p.is_file() and not p.is_symlink() and p not in allowed
                  and any(mark in data for _, data in allocated(p)))
