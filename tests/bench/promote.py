# SPDX-License-Identifier: Apache-2.0
"""Promoting a UKI of 60 MB on a loop device, against the tools that do the same by hand."""
import json
import statistics
import struct
import subprocess
import tempfile
from pathlib import Path
from uuid import UUID

import lib

MiB = 1 << 20
STUB = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"
GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
LOADER = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"


def make_uki(folder, number, timed):
    """Another image each round, or there would be nothing to write."""
    (folder / "kernel").write_bytes(lib.fake_kernel(12 * MiB))
    (folder / "new-initrd").write_bytes(lib.fake_initrd(48 * MiB) + bytes([number]))
    (folder / "line").write_text("console=ttyS0 panic=10")
    (folder / "osrel").write_text(f"ID=bench\nVERSION_ID={number}\n")
    words = ["objcopy"]
    for name, source, at in ((".osrel", "osrel", 0x20000), (".cmdline", "line", 0x30000),
                             (".linux", "kernel", 0x2000000), (".initrd", "new-initrd", 0x4000000)):
        words += ["--add-section", f"{name}={folder / source}",
                  "--change-section-vma", f"{name}={at:#x}"]
    timed([*words, STUB, folder / "node.efi"], folder)
    return folder / "node.efi"


def run_from_a(machine):
    """As if the node had been started from slot A, which promote then leaves alone."""
    for path in sorted((machine / "vars").glob("Boot0*")):
        data = path.read_bytes()[4:]
        text = data[6:].decode("utf-16-le", errors="ignore").split("\0")[0]
        if text != "Slipway A":
            continue
        number = int(path.name[4:8], 16)
        at = 6 + 2 * (len(text) + 1)
        uuid = UUID(bytes_le=data[at + 24:at + 40])
        for name, guid, value in (("BootCurrent", GLOBAL, struct.pack("<H", number)),
                                  ("LoaderDevicePartUUID", LOADER,
                                   f"{uuid}\0".encode("utf-16-le"))):
            (machine / "vars" / f"{name}-{guid}").write_bytes(struct.pack("<I", 6) + value)
        return
    raise RuntimeError("no boot entry for slot A after the install")


def slot_start(device, env):
    """Where slot B begins, in bytes: the script has to be told, and takes what is free."""
    table = json.loads(subprocess.run(["sfdisk", "-J", str(device)], check=True, env=env,
                                      capture_output=True, text=True).stdout)
    return next(part["start"] * 512 for part in table["partitiontable"]["partitions"]
                if part.get("name") == "slipway-b")


def one_round(args, tools, device, machine, number):
    folder = machine.parent
    uki = make_uki(folder, number, tools.timed)
    start = slot_start(device, tools.environment())
    return (tools.timed([args.slipway, "--machine", machine, "promote", "--trust", "none", "--uki",
                         uki], folder),
            tools.timed(["sh", Path(__file__).parent / "promote.sh", device, str(start), uki],
                        folder))


def bench(args, tools):
    """tools: run.py, for its timed(), payload(), loop_device() and slipway_install_on()."""
    with tempfile.TemporaryDirectory(prefix="bench.", dir=args.out) as name:
        folder, machine = Path(name), Path(name) / "m"
        tools.payload(folder)
        tools.timed([args.slipway, "machine", "create", machine, "--no-tpm", "--disk",
                     "serial=NODE07SYS,size=8G,transport=nvme"], folder)
        (image,) = machine.glob("disk-*.img")
        image.unlink()
        with tools.loop_device(folder / "disk.img") as device:
            image.symlink_to(device)
            tools.slipway_install_on(args, folder, machine)
            run_from_a(machine)
            times = [one_round(args, tools, device, machine, number)
                     for number in range(args.rounds + 1)]
    ours, theirs = zip(*times[1:])
    a, b = statistics.median(ours), statistics.median(theirs)
    return {"what": "promote of a 60 MB UKI (s)", "slipway": round(a, 3),
            "with": "mcopy, fsync, read-back, sha256", "other": round(b, 3),
            "ratio": round(a / b, 2), "aim": "<= 1.0", "met": a <= b,
            "slipway all": [round(x, 3) for x in ours], "other all": [round(x, 3) for x in theirs]}
