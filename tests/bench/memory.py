# SPDX-License-Identifier: Apache-2.0
"""The least memory in which the ISO installs a node by itself, in steps of 32 MiB.

An install counts when the machine has switched itself off, and afterwards the node boots from the
disk alone: a machine that ran out of memory may also go off.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import boot

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "vm"))
import disk  # noqa: E402
import harness  # noqa: E402
import payload  # noqa: E402
import test_install  # noqa: E402

MiB = 1 << 20
STEP = 32
WANTED = 20 * MiB


def heavy_payload(folder):
    """The payload of the VM tests, with as much in its initrd as makes both 20 MB together."""
    node = payload.build(test_install.PAYLOAD)
    lacking = WANTED - os.path.getsize(node.kernel) - os.path.getsize(node.initrd)
    extra = folder / "ballast"
    extra.write_bytes(os.urandom(max(lacking, 0)))
    archive = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input=b"ballast\n",
                             cwd=folder, capture_output=True, check=True).stdout
    first = Path(node.initrd).read_bytes()
    heavy = payload.Payload(str(folder))
    heavy.kernel = node.kernel
    heavy.initrd = str(folder / "initrd")
    Path(heavy.initrd).write_bytes(first + b"\0" * (-len(first) % 4) + archive)
    extra.unlink()
    return heavy


def install(iso, memory, out):
    """(whether a node was installed that boots, the last that was seen when not)"""
    with tempfile.TemporaryDirectory(prefix="memory.", dir=out) as name:
        machine = harness.Machine(name)
        machine.disks.append(disk.Disk(os.path.join(name, "system"), "NODE07SYS", 8 << 30))
        boot.wait_for_quiet()
        try:
            with harness.Vm(machine, iso=iso, memory=memory, reboot=False) as vm:
                vm.wait_off(150)
                seen = vm.plain()[-600:]
            if not machine.disks[0].partitions():
                return False, "the machine went off without an install\n" + seen
            with harness.Vm(machine, network=False, memory=1024) as vm:
                vm.expect_raw("NODE-END", timeout=90)
        except harness.Failure as failure:
            return False, str(failure)[-1500:]
    return True, ""


def bench(args):
    with tempfile.TemporaryDirectory(prefix="medium.", dir=args.out) as name:
        node = heavy_payload(Path(name))
        size = os.path.getsize(node.kernel) + os.path.getsize(node.initrd)
        text = test_install.answers(node).replace("finish: reboot", "finish: poweroff")
        text = text.replace(" testpayload.wait", "")
        iso = test_install.answer_iso(name, harness.build_file("slipway.iso"), text,
                                      node.kernel, node.initrd)
        fails, works, why = 128 // STEP, 1024 // STEP, ""
        good, last = install(iso, works * STEP, args.out)
        if not good:
            raise RuntimeError("no install in 1024 MiB: " + last)
        while works - fails > 1:
            middle = (works + fails) // 2
            good, last = install(iso, middle * STEP, args.out)
            print(f"bench: memory {middle * STEP} MiB: {'installs' if good else 'fails'}",
                  flush=True)
            if good:
                works = middle
            else:
                fails, why = middle, last
    return {"what": f"least memory for an unattended install of {size / 1e6:.0f} MB (MiB)",
            "slipway": works * STEP, "aim": "<= 512", "met": works * STEP <= 512,
            "fails at": fails * STEP, "seen there": why}
