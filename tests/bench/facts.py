# SPDX-License-Identifier: Apache-2.0
"""Facts of machines with many disks: real block devices against lsblk, and growth on a stand-in."""
import contextlib
import resource
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

LOOPS = 500
FEW, MANY = 1000, 5000
SIZE = 256 << 20
SLACK = 1.3         # of five times as long: a process start and cache misses are no line


def run(argv, env, **more):
    return subprocess.run([str(a) for a in argv], env=env, check=True, capture_output=True, **more)


def templates(folder, env):
    """A quarter each: blank, GPT and DOS with two partitions, ext4 on the whole disk."""
    names = []
    for kind in ("blank", "gpt", "dos", "ext4"):
        path = folder / f"template-{kind}"
        with open(path, "wb") as file:
            file.truncate(SIZE)
        if kind in ("gpt", "dos"):
            run(["sfdisk", "-q", path], env, input=f"label: {kind}\nsize=64M\nsize=64M\n".encode())
        elif kind == "ext4":
            run(["mkfs.ext4", "-q", "-F", path], env)
        names.append(path)
    return names


@contextlib.contextmanager
def loop_devices(folder, env):
    """Loop devices on sparse copies, all let go again; fewer where they cannot be had."""
    kinds, devices = templates(folder, env), []
    try:
        for i in range(LOOPS):
            image = folder / f"disk-{i}.img"
            run(["cp", "--sparse=always", kinds[i % len(kinds)], image], env)
            done = subprocess.run(["losetup", "--find", "--show", str(image)], env=env,
                                  check=False, capture_output=True, text=True)
            if done.returncode != 0:
                break
            devices.append(done.stdout.strip())
        yield devices
    finally:
        for device in devices:
            subprocess.run(["losetup", "--detach", device], env=env, check=False)


def processor():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def seconds(argv, env):
    """On the clock, and of the processor: what else runs moves the first far more."""
    start, used = time.monotonic(), processor()
    run(argv, env)
    return time.monotonic() - start, processor() - used


def alternate(commands, env, rounds):
    """Medians and least; the commands run in turn, so that what disturbs one disturbs all."""
    times = [[] for _ in commands]
    for number in range(rounds + 1):
        for which, argv in enumerate(commands):
            took = seconds(argv, env)
            if number > 0:
                times[which].append(took)
    return [[[of(column) for column in zip(*t, strict=True)] for t in times]
            for of in (statistics.median, min)]


def row(what, ours, theirs):
    return {"what": f"{what} (ms)", "slipway": round(ours * 1000, 1), "with": "lsblk -O -J",
            "other": round(theirs * 1000, 1), "ratio": round(ours / theirs, 2), "aim": "<= 0.5",
            "met": ours / theirs <= 0.5}


def bench_loops(args, env):
    what = f"facts on {LOOPS} loop devices"
    with tempfile.TemporaryDirectory(prefix="bench.", dir=args.out) as name, \
         loop_devices(Path(name), env) as devices:
        if len(devices) < LOOPS:
            return [{"what": what, "skipped": f"only {len(devices)} loop devices can be had here"}]
        found = alternate([[args.slipway, "--json", "facts"], ["lsblk", "-O", "-J"]], env,
                          6 * args.rounds)
    return [row(f"{what}{kind}{of}", ours[i], theirs[i])
            for kind, (ours, theirs) in zip(("", ", least"), found, strict=True)
            for i, of in enumerate(("", ", processor time"))]


def stand_in(folder, count, kinds, base):
    """A machine whose disks are the templates again and again, each under a name of its own."""
    folder.mkdir()
    lines = [line for line in base.splitlines() if not line.startswith(("disks:", " ", "-"))]
    lines.append("disks:")
    for i in range(count):
        image = f"disk-{i}.img"
        (folder / image).hardlink_to(kinds[i % len(kinds)])
        lines.append(f"- {{name: sd{i}, image: {image}, size: {SIZE >> 20}M, serial: S{i:08}, "
                     f"wwn: '0x5000c500{i:08x}', model: Bench, transport: sas}}")
    (folder / "machine.yaml").write_text("\n".join(lines) + "\n")


def bench_growth(args, env):
    with tempfile.TemporaryDirectory(prefix="bench.", dir=args.out) as name:
        folder = Path(name)
        kinds = templates(folder, env)
        run([args.slipway, "machine", "create", folder / "m", "--no-tpm", "--disk",
             "serial=X,size=1G"], env)
        base = (folder / "m/machine.yaml").read_text()
        for count in (FEW, MANY):
            stand_in(folder / str(count), count, kinds, base)
        commands = [[args.slipway, "--machine", folder / str(count), "--json", "facts"]
                    for count in (FEW, MANY)]
        ((few, _), (many, _)), _ = alternate(commands, env, args.rounds)
    ratio = many / few
    aim = SLACK * MANY / FEW
    return {"what": f"facts of a stand-in with {MANY} disks (ms)", "slipway": round(many * 1000, 1),
            "with": f"{FEW} disks", "other": round(few * 1000, 1), "ratio": round(ratio, 2),
            "aim": f"<= {aim} (a line is {MANY // FEW})", "met": ratio <= aim}


def bench(args, env):
    return [*bench_loops(args, env), bench_growth(args, env)]
