#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The script that builds the medium, as far as it can be tested without building one."""
import fcntl
import os
import pathlib
import subprocess

from lib import main, same, test

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "installer-iso" / "build.sh"
TOOLS = ("apt-get", "dpkg-deb", "gcc", "mksquashfs", "cpio", "zstd", "xorriso", "mkfs.vfat", "mmd",
         "mcopy")


@test("a second build into the same directory waits for the first, and makes nothing until then")
def _(case):
    out, tools = case.dir / "out", case.dir / "tools"
    out.mkdir()
    tools.mkdir()
    for name in TOOLS:
        (tools / name).write_text("#!/bin/sh\nexit 1\n")
        (tools / name).chmod(0o755)
    with open(out / ".iso.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with subprocess.Popen([SCRIPT, "--slipway", "/bin/true", "--out", out], text=True,
                              env=dict(os.environ, PATH=f"{tools}:{os.environ['PATH']}"),
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as build:
            line = build.stdout.readline()
            assert "another build" in line and str(out) in line, line
            same(sorted(p.name for p in out.iterdir()), [".iso.lock"], "made while it waits")
            fcntl.flock(lock, fcntl.LOCK_UN)
            build.stdout.read()
            assert build.wait() != 0, "apt-get that fails did not stop it"


main()
