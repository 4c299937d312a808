# SPDX-License-Identifier: Apache-2.0
"""Choosing a disk and planning on captured facts: time grows with the disks, and no faster."""
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

FEW, MANY = 500, 5000
SLACK = 1.3         # a process start and cache misses are no line

ANSWERS = """slipway: 1
node: {hostname: node-07}
disk: {match: {serial: S00000100}, wipe: any}
payload: {kernel: /boot/vmlinuz, initrd: /boot/initrd.img}
finish: stay
"""


def disk(number, twins):
    """One of many alike: without twins each has its serial, WWN and place; with, all share them."""
    own = 0 if twins else number
    part = {"number": 1, "start": 1 << 20, "size": 100 << 30, "attrs": 0, "label": "data",
            "type": "0fc63daf-8483-4772-8e79-3d69d8477de4",
            "uuid": f"11111111-1111-4111-8111-{number:012x}"}
    return {"name": f"sd{number:05d}", "node": f"/dev/sd{number:05d}", "serial": f"S{own:08d}",
            "wwn": f"0x5000c500{own:08x}", "path": f"pci-0000:00:17.0-sas-{own}", "model": "Bench",
            "transport": "sas", "size": 200 << 30, "sector": 512, "diskseq": 0, "rotational": True,
            "removable": False, "read_only": False, "medium": False,
            "table": {"type": "gpt", "id": "33333333-3333-4333-8333-333333333333",
                      "parts": [part], "digest": "03" * 32}}


def facts(machine, count, twins):
    return dict(machine, disks=[disk(number, twins) for number in range(count)])


def run(args, expected):
    start = time.monotonic()
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, check=False)
    seconds = time.monotonic() - start
    if done.returncode != expected:
        raise RuntimeError(f"{args}: {done.returncode}\n{done.stderr[-800:]}")
    return seconds


CASES = [("plan, disk named by serial", 0, False, ["plan", "--answers", "node.yaml"]),
         ("slipway disks, one fits", 0, False, ["disks", "--match", "serial=S00000100"]),
         ("slipway disks, all fit: the table and what would decide", 4, False,
          ["disks", "--match", "model=Bench"]),
         ("slipway disks, all alike: nothing decides", 4, True,
          ["disks", "--match", "model=Bench"])]


def bench(args):
    rows = []
    with tempfile.TemporaryDirectory(prefix="bench.", dir=args.out) as name:
        folder = Path(name)
        run([args.slipway, "machine", "create", folder / "m", "--no-tpm", "--disk",
             "serial=X,size=1G"], 0)
        machine = json.loads(subprocess.run(
            [args.slipway, "--machine", folder / "m", "--json", "facts"], capture_output=True,
            text=True, check=True).stdout)
        (folder / "node.yaml").write_text(ANSWERS)
        for what, expected, twins, words in CASES:
            words = [folder / w if w == "node.yaml" else w for w in words]
            times = {FEW: [], MANY: []}
            for count in times:
                (folder / f"{count}.json").write_text(json.dumps(facts(machine, count, twins)))
            for _ in range(args.rounds):
                for count, list_ in times.items():
                    list_.append(run([args.slipway, "--facts", folder / f"{count}.json", *words],
                                     expected))
            few, many = (statistics.median(times[count]) for count in (FEW, MANY))
            ratio = many / few * FEW / MANY
            rows.append({"what": f"{what}: {MANY} disks (ms)", "slipway": round(many * 1000, 1),
                         "with": f"{FEW} disks", "other": round(few * 1000, 1),
                         "ratio": f"{ratio:.2f} a disk", "aim": f"<= {SLACK}",
                         "met": ratio <= SLACK})
    return rows
