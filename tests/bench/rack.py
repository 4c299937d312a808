# SPDX-License-Identifier: Apache-2.0
"""A rack of 1,000: reading 1,000 answer files, planning one on 1,000 captured machines, and each
of 1,000 held against all of 1,000, with a disk of its own and with one rule for all, each beside
the start of the program; and how much memory an unattended install needs at most."""
import statistics
import subprocess
import tempfile
from pathlib import Path

import lib

MiB = 1 << 20
NODES, ROUNDS = 1000, 3
AIM_SECONDS, AIM_MIB = 1.0, 40
ANSWERS = """slipway: 1
node: {{hostname: node-{number:04}}}
disk: {{match: {{serial: {serial}}}, wipe: any}}
payload: {{kernel: {kernel}, initrd: {initrd}}}
finish: stay
"""


# In a small process of its own: what a program had before it was started counts as its own.
MEASURE = """import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(code, used.ru_utime + used.ru_stime, used.ru_maxrss)"""


def run(argv, env):
    subprocess.run([str(a) for a in argv], env=env, check=True, stdout=subprocess.DEVNULL)


def used(argv, env):
    """Seconds of processor time and KiB of memory at most, of the program and what it waits for."""
    said = subprocess.run(["/usr/bin/python3", "-c", MEASURE, *map(str, argv)], env=env, check=True,
                          stdout=subprocess.PIPE, text=True).stdout.split()
    assert said[0] == "0", argv
    return float(said[1]), int(said[2])


def seconds(argv, env):
    return statistics.median(used(argv, env)[0] for _ in range(ROUNDS))


def rack(slipway, folder, env):
    """The facts of one machine with four disks, a thousand times with other serials."""
    machine, out, answers = folder / "m", folder / "rack", folder / "answers"
    disks = [w for i in range(4) for w in ("--disk", f"serial=NODE0000D{i},size=4G,transport=nvme")]
    run([slipway, "machine", "create", machine, *disks], env)
    text = subprocess.run([slipway, "--machine", machine, "facts", "--json"], env=env, check=True,
                          capture_output=True, text=True).stdout
    alike = folder / "alike"
    for made in (out, answers, alike):
        made.mkdir()
    for i in range(NODES):
        (out / f"node-{i:04}.json").write_text(text.replace("NODE0000", f"NODE{i:04}"))
        for where, serial in ((answers, f"NODE{i:04}D0"), (alike, "NODE*D0")):
            (where / f"node-{i:04}.yaml").write_text(
                ANSWERS.format(number=i, serial=serial, kernel=folder / "vmlinuz",
                               initrd=folder / "initrd"))
    return out, answers, alike


def check(slipway, folder, env):
    for name in ("vmlinuz", "initrd"):
        (folder / name).write_bytes(b"\0" * 4096)
    nodes, answers, alike = rack(slipway, folder, env)
    every = folder / "every.yaml"
    every.write_text(ANSWERS.format(number=1, serial="NODE*D0", kernel=folder / "vmlinuz",
                                    initrd=folder / "initrd"))
    start = seconds([slipway, "--version"], env)
    rows = []
    for what, argv in ((f"check of {NODES} answer files (processor s)",
                        [slipway, "check", *sorted(answers.iterdir())]),
                       (f"check of an answer file on {NODES} captured machines (processor s)",
                        [slipway, "check", every, "--facts", nodes]),
                       (f"check of {NODES} answer files against {NODES} captured machines "
                        "(processor s)",
                        [slipway, "check", *sorted(answers.iterdir()), "--facts", nodes]),
                       ("the same with one disk rule for all, so that each file fits each machine",
                        [slipway, "check", *sorted(alike.iterdir()), "--facts", nodes])):
        took = seconds(argv, env)
        rows.append({"what": what, "slipway": round(took, 2), "with": "slipway --version",
                     "other": round(start, 4), "ratio": round(took / start, 1),
                     "aim": f"< {AIM_SECONDS}", "met": took < AIM_SECONDS})
    return rows


def memory(slipway, folder, env):
    """The most that the install, or a process that it waited for, had resident."""
    machine, www = folder / "install", folder / "payload"
    www.mkdir()
    named = {name: www / name for name in ("kernel", "initrd")}
    named["kernel"].write_bytes(lib.fake_kernel(10 * MiB))
    named["initrd"].write_bytes(lib.fake_initrd(10 * MiB))
    run([slipway, "machine", "create", machine, "--disk", "serial=NODE0001D0,size=4G"], env)
    answers = folder / "install.yaml"
    answers.write_text(ANSWERS.format(number=1, serial="NODE0001D0", **named))
    _, kib = used([slipway, "--machine", machine, "install", "--answers", answers,
                   "--no-finish"], env)
    mib = kib / 1024
    return [{"what": "resident memory of an unattended install, 20 MB payload (MiB)",
             "slipway": round(mib, 1), "aim": f"<= {AIM_MIB}", "met": mib <= AIM_MIB}]


def bench(slipway, out, env):
    with tempfile.TemporaryDirectory(prefix="rack.", dir=out) as name:
        folder = Path(name)
        return check(slipway, folder, env) + memory(Path(slipway).resolve(), folder, env)
