# SPDX-License-Identifier: Apache-2.0
"""Kills the process that writes, at a step of its work: to the disks a power cut."""
import os
import signal
from pathlib import Path

from lib import tool

TRIES = 20


class TooLate(Exception):
    """It had ended before the signal came."""


def writer(case):
    """The process that writes to our machine's disks, or None: it leads its own session."""
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                ours = str(case.machine_dir).encode() in file.read()
            with open(f"/proc/{entry}/comm", encoding="ascii") as file:
                if ours and file.read().strip() == "slipway-apply":
                    return int(entry)
        except (OSError, UnicodeDecodeError):
            continue
    return None


def kill_writer(pid):
    if pid is None:
        raise TooLate
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError as why:
        raise TooLate from why


def power_cut(case, kind, answers):
    """Installs, and the writer kills itself as step `kind` starts. The exit code of the command."""
    library = case.dir / "cut.so"
    if not library.exists():
        tool("cc", "-shared", "-fPIC", "-O1", "-o", library,
             Path(__file__).with_name("cut-at-event.c"))
    result = case.on("install", "--answers", answers,
                     env={"LD_PRELOAD": str(library), "SLIPWAY_CUT": kind})
    assert result.code != 0, f"step {kind} was not cut\n{result}"
    return result.code


def in_time(attempt):
    """
    What attempt returns. It sets all up and cuts; when a step was over before the
    signal came, as happens on a busy machine, it is called again.
    """
    for _ in range(TRIES):
        try:
            return attempt()
        except TooLate:
            continue
    raise AssertionError(f"none of {TRIES} cuts came in time")
