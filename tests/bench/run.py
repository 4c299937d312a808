#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures slipway and what it is compared with side by side; writes results.json and results.md.

    python3 tests/bench/run.py --slipway BINARY --out DIR [--rounds N] [--only NAME]...
"""
import argparse
import contextlib
import hashlib
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
sys.path[:0] = [str(HERE), str(HERE.parent / "commands")]
import layout  # noqa: E402
import lib  # noqa: E402

MiB = 1 << 20
PAYLOAD = 60 * MiB


def environment():
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return dict(os.environ, PATH=path, MTOOLS_SKIP_CHECK="1",
                SLIPWAY_LAYOUTS=str(SOURCE / "layouts"))


def timed(argv, cwd):
    start = time.monotonic()
    done = subprocess.run([str(a) for a in argv], cwd=cwd, env=environment(), capture_output=True,
                          text=True, check=False)
    seconds = time.monotonic() - start
    if done.returncode != 0:
        raise RuntimeError(f"{argv[0]}: {done.returncode}\n{done.stdout[-800:]}\n{done.stderr}")
    return seconds


def payload(folder):
    """60 MB that does not compress: a kernel with an EFI header and an initrd."""
    (folder / "vmlinuz").write_bytes(lib.fake_kernel(12 * MiB))
    (folder / "initrd").write_bytes(lib.fake_initrd(PAYLOAD - 12 * MiB))


@contextlib.contextmanager
def loop_device(image):
    """A loop device on a new sparse image; without the right to make one, the image itself."""
    with open(image, "wb") as file:
        file.truncate(8 << 30)
    done = subprocess.run(["losetup", "--find", "--show", str(image)], env=environment(),
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print("bench: no loop device, a file instead: " + done.stderr.strip(), flush=True)
        yield image
        return
    try:
        yield done.stdout.strip()
    finally:
        subprocess.run(["losetup", "-d", done.stdout.strip()], env=environment(), check=False)


def check_table(target):
    """It was this device that was written to, and not something beside it."""
    with open(target, "rb") as file:
        if file.read(520)[512:] != b"EFI PART":
            raise RuntimeError(f"{target}: no partition table after the install")


def slipway_install(args, folder):
    """On a stand-in machine whose disk is a link to the loop device."""
    machine = folder / "m"
    timed([args.slipway, "machine", "create", machine, "--no-tpm", "--disk",
           "serial=NODE07SYS,size=8G,transport=nvme"], folder)
    (image,) = machine.glob("disk-*.img")
    image.unlink()
    with loop_device(folder / "slipway.img") as target:
        image.symlink_to(target)
        seconds = slipway_install_on(args, folder, machine)
        check_table(target)
        return seconds


def slipway_install_on(args, folder, machine):
    digest = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
              for name in ("vmlinuz", "initrd")}
    (folder / "node.yaml").write_text(f"""slipway: 1
node: {{hostname: node-07}}
disk: {{match: {{serial: NODE07SYS}}, layout: node, wipe: any}}
payload:
  kernel: {folder}/vmlinuz
  initrd: {folder}/initrd
  sha256: {{kernel: "{digest['vmlinuz']}", initrd: "{digest['initrd']}"}}
  cmdline: "console=ttyS0"
boot: {{mode: local}}
finish: stay
""")
    return timed([args.slipway, "--machine", machine, "install", "--answers", folder / "node.yaml"],
                 folder)


def script_install(_, folder):
    """The same content with the usual tools; see install.sh."""
    with loop_device(folder / "script.img") as target:
        seconds = timed(["sh", HERE / "install.sh", target, folder / "vmlinuz",
                         folder / "initrd"], folder)
        check_table(target)
        return seconds


def alternate(args, first, second):
    """Rounds in turn, so that what disturbs one disturbs the other; caches are warm for both."""
    times = ([], [])
    for number in range(args.rounds + 1):
        for which, function in enumerate((first, second)):
            with tempfile.TemporaryDirectory(prefix="bench.", dir=args.out) as name:
                folder = Path(name)
                payload(folder)
                os.sync()
                seconds = function(args, folder)
            if number > 0:
                times[which].append(seconds)
    return times


def bench_install(args):
    ours, script = alternate(args, slipway_install, script_install)
    a, b = statistics.median(ours), statistics.median(script)
    return {"what": "install of a 60 MB payload, plan to done (s)", "slipway": round(a, 3),
            "with": "shell script", "other": round(b, 3), "ratio": round(a / b, 2),
            "aim": "<= 1.0", "met": a <= b,
            "rounds": args.rounds, "slipway all": [round(x, 3) for x in ours],
            "script all": [round(x, 3) for x in script]}


def bench_switch(args):
    """Variables written by a mode switch: each write wears the firmware's flash."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="bench.", dir=args.out) as name:
        folder, machine = Path(name), Path(name) / "m"
        (folder / "vmlinuz").write_bytes(lib.fake_kernel())
        (folder / "initrd").write_bytes(lib.fake_initrd())
        timed([args.slipway, "machine", "create", machine, "--no-tpm", "--disk",
               "serial=NODE07SYS,size=4G,transport=nvme"], folder)
        slipway_install_on(args, folder, machine)

        def writes(*words):
            done = subprocess.run([args.slipway, "--machine", machine, "--json", "mode", *words],
                                  capture_output=True, text=True, check=True, env=environment())
            return json.loads(done.stdout)["written"]

        writes("network")       # the first switch also writes the order, which then stays
        for what, words, aim in (("switch to local", ("local",), 1),
                                 ("switch to the network", ("network",), 1),
                                 ("switch to what it is", ("network",), 0)):
            count = writes(*words)
            rows.append({"what": "variables written, our own among them, " + what, "slipway": count,
                         "aim": f"<= {aim}", "met": count <= aim})
    return rows


def bench_iso(_):
    iso = SOURCE / "build/slipway.iso"
    if not iso.exists():
        return {"what": "size of the ISO (MB)", "skipped": "build/slipway.iso is not there"}
    return {"what": "size of the ISO (MB)", "slipway": round(iso.stat().st_size / 1e6, 1),
            "aim": "<= 90", "met": iso.stat().st_size <= 90e6}


def bench_serial(args):
    """What the console's own test counts on a vt220 of 24 x 80."""
    test = Path(args.slipway).parent / "tests/unit/test-viewer"
    if not test.exists():
        return {"what": "serial bytes per screen and key", "skipped": f"{test} is not built"}
    done = subprocess.run([str(test)], capture_output=True, text=True, check=False)
    found = {}
    for name, used, limit in re.findall(r"^# (.*): (\d+) bytes of (\d+)$",
                                        done.stdout + done.stderr, re.M):
        if int(used) >= found.get(name, (-1, 0))[0]:
            found[name] = int(used), int(limit)
    if done.returncode != 0 or not found:
        raise RuntimeError(f"test-viewer: {done.returncode}, {len(found)} figures")
    return [{"what": f"serial bytes: {name}", "slipway": used, "aim": f"<= {limit}",
             "met": used <= limit} for name, (used, limit) in found.items()]


def bench_terminal(args):
    import terminal  # pylint: disable=import-outside-toplevel
    return terminal.bench(args, environment())


def bench_start(_):
    """Starting the program and reading all facts of a stand-in: the floor of every command."""
    slipway = _.slipway
    with tempfile.TemporaryDirectory(prefix="bench.", dir=_.out) as name:
        machine = Path(name) / "m"
        timed([slipway, "machine", "create", machine, "--no-tpm", "--disk",
               "serial=NODE07SYS,size=8G,transport=nvme"], name)
        times = [timed([slipway, "--machine", machine, "facts"], name) for _ in range(9)]
    return {"what": "slipway facts on a stand-in (ms)",
            "slipway": round(statistics.median(times) * 1000, 1), "aim": "-"}


def bench_boot(args):
    import boot  # pylint: disable=import-outside-toplevel
    return boot.bench(args)


def bench_memory(args):
    import memory  # pylint: disable=import-outside-toplevel
    return memory.bench(args)


def bench_layout(args):
    return layout.bench(args.slipway, args.out, environment())


def bench_facts(args):
    import facts  # pylint: disable=import-outside-toplevel
    return facts.bench(args, environment())


def bench_promote(args):
    import promote  # pylint: disable=import-outside-toplevel
    return promote.bench(args, sys.modules[__name__])


def bench_node(_):
    cpio = SOURCE / "build/slipway-node.cpio"
    what = "size of slipway-node.cpio, unpacked and gzip -9 (MB)"
    if not cpio.exists():
        return {"what": what, "skipped": f"{cpio} is not there"}
    packed = subprocess.run(["gzip", "-9c", str(cpio)], check=True, capture_output=True).stdout
    return {"what": what, "slipway": f"{cpio.stat().st_size / 1e6:.1f}, {len(packed) / 1e6:.1f}",
            "aim": "-"}


def bench_rack(args):
    import rack  # pylint: disable=import-outside-toplevel
    return rack.bench(args.slipway, args.out, environment())


def bench_disks(args):
    import disks  # pylint: disable=import-outside-toplevel
    return disks.bench(args)


def bench_attest(args):
    import attest  # pylint: disable=import-outside-toplevel
    return attest.measure(args, environment())


BENCHES = {"install": bench_install, "switch": bench_switch, "iso": bench_iso,
           "start": bench_start,
           "serial": bench_serial, "terminal": bench_terminal,
           "boot": bench_boot, "memory": bench_memory,
           "layout": bench_layout, "disks": bench_disks, "facts": bench_facts,
           "promote": bench_promote, "rack": bench_rack, "node": bench_node,
           "attest": bench_attest}


def machine_text():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="utf8")
                  if line.startswith("model name")), platform.machine())
    return f"{model}, {os.cpu_count()} CPUs, {platform.release()}"


def as_table(results, before):
    """before: the results of the last run by what they measure, for a look at how it moved."""
    lines = ["| what | slipway | compared with | | ratio | aim | met | ratio or value before |",
             "|---|---|---|---|---|---|---|---|"]
    for row in results:
        met = {True: "yes", False: "**no**"}.get(row.get("met"), "")
        old = before.get(row["what"], {})
        cells = [row["what"], row.get("slipway", ""), row.get("with", ""), row.get("other", ""),
                 row.get("ratio", row.get("skipped", "")), row.get("aim", ""), met,
                 old.get("ratio", old.get("slipway", ""))]
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines)


def last_results(path):
    try:
        return {row["what"]: row for row in json.loads(path.read_text())}
    except (OSError, ValueError):
        return {}


def run_group(name, args):
    """Its rows; a group that fails is a row that says so, and the others still run."""
    try:
        rows = BENCHES[name](args)
    except Exception as problem:  # pylint: disable=broad-exception-caught
        traceback.print_exc()
        first = (str(problem) or type(problem).__name__).splitlines()[0]
        return [{"what": name, "skipped": "failed: " + first, "failed": True}]
    return rows if isinstance(rows, list) else [rows]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slipway", required=True, type=lambda p: str(Path(p).resolve()))
    parser.add_argument("--out", required=True, type=lambda p: Path(p).resolve())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", action="append", choices=sorted(BENCHES))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if not shutil.which("sfdisk", path=environment()["PATH"]):
        print("bench: sfdisk is missing (package fdisk)", file=sys.stderr)
        return 1
    results, kept = [], args.out / "results.json"
    before = last_results(kept)
    for name in args.only or BENCHES:
        print(f"bench: {name}", flush=True)
        results += run_group(name, args)
    text = f"Measured on {machine_text()}.\n\n{as_table(results, before)}\n"
    # Groups that did not run now stay for the next comparison.
    now = {row["what"]: row for row in results}
    merged = [*results, *(row for what, row in before.items() if what not in now)]
    kept.write_text(json.dumps(merged, indent=1) + "\n")
    (args.out / "results.md").write_text(text)
    print(text)
    return 1 if any(row.get("failed") for row in results) else 0


if __name__ == "__main__":
    sys.exit(main())
