# SPDX-License-Identifier: Apache-2.0
"""From the start of QEMU to something that a person can use on the serial line.

slipway counts from the start of QEMU until a key has opened the disk list and it shows every disk
of the machine, with no further key. Debian's text installer counts until its first question, the
floor (Debian's kernel and a busybox that prints a line) until its line. All have the same machine,
and what is compared starts the same way: -kernel against -kernel on QEMU's own firmware, ISO
against ISO on OVMF.

Wall time is what an operator waits for; QEMU's CPU time is given too, because it is what stays the
same when something else wants the processors.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "vm"))
import disk  # noqa: E402
import harness  # noqa: E402

DI = Path("/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64")
CONSOLE = "console=ttyS0,115200"
DISKS = (("BENCHVIRT0", "virtio"), ("BENCHVIRT1", "virtio"), ("BENCHNVME0", "nvme"))


class BiosMachine(harness.Machine):
    """QEMU's own firmware, which hands -kernel over at once."""

    def firmware(self):
        return ["-machine", "q35,accel=tcg"]


def wait_for_quiet(timeout=float(os.environ.get("BENCH_WAIT", "300"))):
    """Until nobody else runs a machine: two at a time would spoil both figures."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if subprocess.run(["pgrep", "-c", "qemu-system"], capture_output=True,
                          check=False).returncode:
            return True
        time.sleep(0.3)
    print("bench: another QEMU is still running; the next figure is spoilt", flush=True)
    return False


def cpu_seconds(vm):
    """What QEMU has used of all processors so far."""
    fields = Path(f"/proc/{vm.process.pid}/stat").read_text(encoding="utf8").rsplit(")", 1)[1]
    fields = fields.split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def lap(vm):
    return {"wall": vm.seconds(), "cpu": cpu_seconds(vm)}


def slipway_usable(vm):
    """ENTER is pressed as soon as there is a screen and nothing more: the console comes up before
    udev has found every disk, and has to show them as they come."""
    vm.expect_screen("Install a node on this machine", timeout=900)
    first = lap(vm)
    vm.send("ENTER", pause=0)
    for serial, _ in DISKS:
        vm.expect_screen(serial, timeout=900)
    return dict(lap(vm), first=first["wall"], first_cpu=first["cpu"])


def di_question(vm):
    vm.expect_screen("Select a language", timeout=900)
    return lap(vm)


def floor_line(vm):
    vm.expect_raw("FLOOR-UP", timeout=900)
    return lap(vm)


def build_floor(folder):
    done = subprocess.run(["bash", str(HERE / "floor.sh"), harness.BUILD, str(folder)],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError("floor.sh: " + done.stderr[-800:])


def candidates(folder):
    """name: (machine class, options of Vm, what is waited for)"""
    build = Path(harness.BUILD)
    bios, uefi = BiosMachine, harness.Machine
    found = {
        "slipway, -kernel": (bios, {"kernel": build / "slipway-vmlinuz",
                                    "initrd": build / "slipway-initrd",
                                    "append": CONSOLE + " quiet"}, slipway_usable),
        "floor, -kernel": (bios, {"kernel": folder / "slipway-vmlinuz",
                                  "initrd": folder / "slipway-initrd",
                                  "append": CONSOLE + " quiet"}, floor_line),
        "slipway, ISO": (uefi, {"iso": str(build / "slipway.iso")}, slipway_usable),
        "floor, ISO": (uefi, {"iso": str(folder / "slipway.iso")}, floor_line),
    }
    if (DI / "linux").exists():
        found["Debian installer, -kernel"] = (
            bios, {"kernel": DI / "linux", "initrd": DI / "initrd.gz",
                   "append": CONSOLE + " quiet"}, di_question)
    return found


def one(machine_class, options, wait, out):
    with tempfile.TemporaryDirectory(prefix="boot.", dir=out) as name:
        machine = machine_class(name)
        for serial, bus in DISKS:
            machine.disks.append(disk.Disk(os.path.join(name, serial), serial, 1 << 30, bus))
        wait_for_quiet()
        options = {key: str(value) for key, value in options.items()}
        with harness.Vm(machine, memory=1024, cpus=1, **options) as vm:
            return wait(vm)


def ratio(times, ours, theirs, key):
    if theirs not in times:
        return None
    return round(median(times[ours], key) / median(times[theirs], key), 2)


def median(laps, key):
    return statistics.median(lap[key] for lap in laps)


def compare(times, kind, theirs, aim):
    ours = f"slipway, {kind}"
    row = {"what": f"start of QEMU to a full disk list on serial ({kind}), s",
           "slipway": round(median(times[ours], "wall"), 1), "aim": f"<= {aim}",
           "with": theirs.partition(",")[0]}
    if theirs not in times:
        return dict(row, skipped="not installed")
    row["other"] = round(median(times[theirs], "wall"), 1)
    row["ratio"] = ratio(times, ours, theirs, "wall")
    row["ratio of CPU time"] = ratio(times, ours, theirs, "cpu")
    row["met"] = row["ratio"] <= aim
    return row


def bench(args):
    """Rounds in turn, so that what disturbs one disturbs the others."""
    rounds = max(3, min(args.rounds, 5))
    with tempfile.TemporaryDirectory(prefix="floor.", dir=args.out) as name:
        folder = Path(name)
        build_floor(folder)
        wanted = candidates(folder)
        times = {name: [] for name in wanted}
        for number in range(rounds):
            for name, (machine, options, wait) in wanted.items():
                times[name].append(one(machine, options, wait, args.out))
                print(f"bench: boot {number + 1}: {name}: " + ", ".join(
                    f"{key} {value:.1f}" for key, value in times[name][-1].items()), flush=True)
    rows = [compare(times, "-kernel", "Debian installer, -kernel", 0.60),
            compare(times, "-kernel", "floor, -kernel", 1.5),
            compare(times, "ISO", "floor, ISO", 1.5)]
    for name, laps in times.items():
        rows.append({"what": f"start: {name}, s", "detail": True, "rounds": len(laps),
                     "slipway": round(median(laps, "wall"), 1),
                     "cpu": round(median(laps, "cpu"), 1),
                     "first screen": round(median(laps, "first"), 1) if "first" in laps[0]
                     else None, "all": [{k: round(v, 2) for k, v in lap.items()}
                                        for lap in laps]})
    return rows
