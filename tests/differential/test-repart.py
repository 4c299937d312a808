# SPDX-License-Identifier: Apache-2.0
"""Generated partition definitions: slipway's table against the one that systemd-repart 252 makes.

Every set runs on an empty image, on one with partitions (from sfdisk, with gaps and odd places), or
on one that has grown. What counts is what sfdisk reads. The seed is new in each run and printed;
SLIPWAY_TEST_SEED repeats it, SLIPWAY_TEST_SET runs one set of it and keeps its directory.
Differences on purpose are in docs/layouts.md; the generator leaves them out.
"""
import difflib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SLIPWAY = os.environ.get("SLIPWAY", "build/release/slipway")
LONG = bool(os.environ.get("SLIPWAY_TEST_LONG"))
SETS = 600 if LONG else 60
BIG_SECTOR_SETS = 60 if LONG else 8
MiB = 1 << 20
ENV = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin", LC_ALL="C.UTF-8")
TYPES = {
    "esp": "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
    "home": "933ac7e1-2eb4-4f13-b844-0e14e2aef915",
    "linux-generic": "0fc63daf-8483-4772-8e79-3d69d8477de4",
    "root-x86-64": "4f68bce3-e8cd-4db1-96e7-fbcaf984b709",
    "swap": "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f",
    "xbootldr": "bc13c2ff-59e6-4262-a352-b275fd6f7172",
    "usr-x86-64-verity": "77ff5f63-e7b6-4633-acf4-1565b864c0e6",
    "1b9f2a6e-8a5c-4d6f-9c3e-77aa00112233": "1b9f2a6e-8a5c-4d6f-9c3e-77aa00112233",
}
FLAGS = {"home", "root-x86-64", "xbootldr", "usr-x86-64-verity"}


class Skip(Exception):
    pass


def run(*argv, **more):
    return subprocess.run([str(a) for a in argv], capture_output=True, text=True, env=ENV,
                          timeout=120, check=False, **more)


def must(*argv, **more):
    done = run(*argv, **more)
    if done.returncode:
        raise AssertionError(f"{argv}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def guid(rng):
    h = f"{rng.getrandbits(128):032x}"
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-8{h[17:20]}-{h[20:]}"


# ---- generating

def size_keys(rng, what, low):
    """Multiples of 4096, least below greatest."""
    keys, least = [], (low * MiB + 4096 * rng.randrange(20000)) if rng.random() < .6 else None
    if least is not None:
        keys.append(f"{what}MinBytes={least}")
    if rng.random() < .4:
        keys.append(f"{what}MaxBytes={(least or low * MiB) + 4096 * rng.randrange(30000)}")
    return keys


def definition(rng, name, types):
    kind = rng.choice(types)
    keys = [f"Type={kind}"]
    if rng.random() < .5:
        labels = [f"part {name}", "esp", "home", "swap-2", "Größe", "x" * 36]
        keys.append("Label=" + rng.choice(labels))
    if rng.random() < .15:
        keys.append(f"UUID={guid(rng)}")
    if rng.random() < .35:
        keys.append(f"Priority={rng.choice([-5, 0, 1, 1, 2, 3, 100])}")
    if rng.random() < .4:
        keys.append(f"Weight={rng.choice([0, 1, 100, 333, 1000, 5000, 1000000])}")
    if rng.random() < .3:
        keys.append(f"PaddingWeight={rng.choice([1, 500, 1000, 2000])}")
    keys += size_keys(rng, "Size", rng.randrange(1, 60))
    if rng.random() < .4:
        keys += size_keys(rng, "Padding", rng.randrange(20))
    if kind in FLAGS and rng.random() < .4:
        flags = ["NoAuto=yes", "NoAuto=no", "ReadOnly=yes", "ReadOnly=no", "GrowFileSystem=yes"]
        keys.append(rng.choice(flags[:-1] if "verity" in kind else flags))
    return "[Partition]\n" + "\n".join(keys) + "\n"


def write_definitions(rng, where, most=7):
    where.mkdir()
    types = rng.sample(list(TYPES), rng.randrange(1, 6))
    for i in range(rng.randrange(1, most)):
        (where / f"{10 * (i + 1)}-{rng.choice('abc')}.conf").write_text(definition(rng, i, types))


def sfdisk_script(rng, image, sector):
    """Partitions in any order and at any sector, with gaps; some without a name."""
    per = MiB // sector
    last = image // sector - 34 * 512 // sector - 40
    lines = ["label: gpt", f"label-id: {guid(rng)}"]
    at, parts = (4096 if rng.random() < .3 else 2048) * 512 // sector, []
    if rng.random() < .3:
        lines.append(f"first-lba: {at - rng.choice([0, 0, 8, 200])}")
    if rng.random() < .2:
        lines.append(f"table-length: {rng.choice([12, 16, 64, 256])}")
    for _ in range(rng.randrange(1, 7)):
        if rng.random() < .4:
            at += rng.choice([per * rng.randrange(1, 80), rng.randrange(1, 40)])
        size = per * rng.randrange(1, 60) + (rng.randrange(20) if rng.random() < .3 else 0)
        if at + size > last:
            break
        parts.append((at, size))
        at += size
    if rng.random() < .3:
        rng.shuffle(parts)
    numbers = sorted(rng.sample(range(1, 12), len(parts))) if rng.random() < .3 else \
        range(1, len(parts) + 1)
    for number, (start, size) in zip(numbers, parts):
        kind = TYPES[rng.choice(list(TYPES))]
        line = f"{number}: start={start}, size={size}, type={kind}, uuid={guid(rng)}"
        if rng.random() < .6:
            line += f", name=\"{rng.choice(['data', 'esp', 'home', f'p{start}'])}\""
        if rng.random() < .2:
            line += ", attrs=\"GUID:63\""
        lines.append(line)
    return "\n".join(lines) + "\n"


# ---- running

def table(image):
    found = json.loads(must("sfdisk", "-J", image))["partitiontable"]
    for part in found.get("partitions", []):
        part["node"] = part["node"].removeprefix(str(image))
        part["attrs"] = " ".join(sorted(part.get("attrs", "").split()))
    found.pop("device")
    return found


def theirs(case, image, options):
    return run("systemd-repart", "--pretty=no", "--dry-run=no", "--discard=no",
               f"--seed={case.seed}", f"--definitions={case.dir / 'd'}", *options, image)


def ours(case, image, options):
    return run(SLIPWAY, "layout", "apply", "--yes", "--seed", case.seed, "--definitions",
               case.dir / "d", *options, image)


class Case:
    def __init__(self, rng, where):
        self.rng, self.dir, self.seed = rng, where, guid(rng)
        where.mkdir()
        write_definitions(rng, where / "d")
        self.a, self.b = where / "a.img", where / "b.img"

    def image(self, size):
        with open(self.a, "wb") as out:
            out.truncate(size)

    def copy(self):
        must("cp", "--sparse=always", self.a, self.b)

    def words(self):
        return "\n".join(f"{p.name}: {p.read_text()}" for p in sorted((self.dir / "d").iterdir()))


def random_size(rng):
    return rng.randrange(60, 700) * MiB + 4096 * rng.randrange(256)


def prepare_empty(case):
    size = f"--size={random_size(case.rng)}"
    return ["--empty=create", size]


def prepare_existing(case):
    size = random_size(case.rng)
    case.image(size)
    must("sfdisk", "-q", "--no-reread", "--no-tell-kernel", case.a,
         input=sfdisk_script(case.rng, size, 512))
    case.copy()
    return ["--empty=allow"]


def prepare_grown(case):
    """Partitions, then more room behind the old end: by --size, or because the disk is larger."""
    options, rng = prepare_existing(case), case.rng
    more = case.a.stat().st_size + 4096 * rng.randrange(1, 60000)
    if rng.random() < .5:
        return options + [f"--size={more}"]
    for image in (case.a, case.b):
        os.truncate(image, more)
    return options


def prepare_again(case):
    """A table by systemd-repart from other definitions, then these on it."""
    rng, first = case.rng, case.dir / "first"
    write_definitions(rng, first, 4)
    size = random_size(rng)
    done = run("systemd-repart", "--pretty=no", "--dry-run=no", "--empty=create", f"--size={size}",
               f"--seed={guid(rng)}", f"--definitions={first}", case.a)
    if done.returncode:
        return prepare_existing(case)
    case.copy()
    return ["--empty=refuse", f"--size={size + MiB * rng.randrange(200)}"]


def prepare_auto(case):
    return ["--empty=create", "--size=auto"]


PREPARE = [prepare_empty, prepare_existing, prepare_existing, prepare_grown, prepare_again,
           prepare_auto]


def words_of(found):
    rest = [f"{k}: {v}" for k, v in found.items() if k != "partitions"]
    return rest + [" ".join(map(str, p.values())) for p in found.get("partitions", [])]


def judge(case, options, left, right, read):
    """equal, or refused; anything else is raised."""
    what = f"{' '.join(options)}\n{case.words()}"
    detail = f"--- systemd-repart {left.returncode}\n{left.stderr}--- slipway " \
             f"{right.returncode}\n{right.stdout}{right.stderr}"
    if (left.returncode == 0) != (right.returncode == 0):
        raise AssertionError(f"only one refused\n{what}{detail}")
    if left.returncode:
        # sfdisk can make what nobody can place: a partition at the very end of the disk, say.
        if right.returncode not in (3, 4):
            raise AssertionError(f"refused with another exit code\n{what}{detail}")
        return "refused"
    x, y = read(case.a), read(case.b)
    if x != y:
        lines = difflib.unified_diff(words_of(x), words_of(y), "systemd-repart", "slipway",
                                     lineterm="", n=1)
        raise AssertionError(f"{what}{detail}" + "\n".join(lines))
    return "equal"


def one_set(case):
    options = case.rng.choice(PREPARE)(case)
    left, right = theirs(case, case.a, options), ours(case, case.b, options)
    verdict = judge(case, options, left, right, table)
    # On a disk that grew and needs nothing, both leave the backup table where it is.
    wrote = "Writing new partition table" in left.stderr
    if verdict == "equal" and wrote and "No problems found" not in must("sgdisk", "-v", case.b):
        raise AssertionError("sgdisk finds problems\n" + run("sgdisk", "-v", case.b).stdout)
    return verdict


# ---- 4096-byte sectors

class Loop:
    """systemd-repart takes the sector size from a block device only."""

    def __init__(self, image, *options):
        self.image, self.options, self.node = image, options, None

    def __enter__(self):
        done = run("losetup", "--find", "--show", "--sector-size", "4096", *self.options,
                   self.image)
        if done.returncode:
            raise Skip("no loop device with 4096-byte sectors: " + done.stderr.strip())
        self.node = done.stdout.strip()
        return self.node

    def __exit__(self, *_):
        must("losetup", "--detach", self.node)


def big_table(image):
    with Loop(image, "--read-only") as node:
        found = table(node)
    for part in found.get("partitions", []):
        part["node"] = part["node"].removeprefix("p")
    return found


def big_sector_set(case):
    rng, size = case.rng, random_size(case.rng)
    case.image(size)
    options = ["--empty=allow"]
    if rng.random() < .6:
        with Loop(case.a) as node:
            must("sfdisk", "-q", "--no-reread", "--no-tell-kernel", node,
                 input=sfdisk_script(rng, size, 4096))
        if rng.random() < .4:
            os.truncate(case.a, size + 4096 * rng.randrange(60000))
    case.copy()
    with Loop(case.a) as node:
        left = theirs(case, node, options)
    right = ours(case, case.b, [*options, "--sector-size=4096"])
    return judge(case, options, left, right, big_table)


# ---- TAP

def need():
    for tool in ("systemd-repart", "sfdisk", "sgdisk"):
        if not shutil.which(tool, path=ENV["PATH"]):
            raise Skip(f"{tool} is not installed")
    version = run("systemd-repart", "--version").stdout.split()[1:2]
    if version != ["252"]:
        raise Skip(f"systemd-repart is version {version}, not 252")


def need_loop():
    need()
    if os.geteuid() != 0:
        raise Skip("4096-byte sectors need loop devices, and these need root")


def many(top, seed, count, one, only):
    counts = {"equal": 0, "refused": 0}
    for number in range(count):
        if only is not None and number != only:
            continue
        where = top / f"{one.__name__}-{number}"
        try:
            verdict = one(Case(random.Random(f"{seed}/{one.__name__}/{number}"), where))
        except AssertionError as why:
            raise AssertionError(f"SLIPWAY_TEST_SEED={seed} SLIPWAY_TEST_SET={number}\n{why}")
        counts[verdict] += 1
        shutil.rmtree(where)
    print(f"# {counts['equal']} equal tables, {counts['refused']} refused by both")
    if only is None and counts["equal"] < count // 3:
        raise AssertionError("too few of the generated sets could be placed")


def point(number, name, check):
    try:
        check()
    except Skip as why:
        print(f"ok {number} - {name} # SKIP {why}", flush=True)
        return 0
    except AssertionError as why:
        print(f"not ok {number} - {name}")
        print("\n".join("# " + line for line in str(why).splitlines()), flush=True)
        return 1
    print(f"ok {number} - {name}", flush=True)
    return 0


def main():
    seed = int(os.environ.get("SLIPWAY_TEST_SEED") or random.SystemRandom().getrandbits(32))
    only = os.environ.get("SLIPWAY_TEST_SET")
    only = int(only) if only else None
    top = Path(tempfile.mkdtemp(prefix="repart."))
    print(f"1..2\n# SLIPWAY_TEST_SEED={seed}", flush=True)

    def small():
        need()
        many(top, seed, SETS, one_set, only)

    def big():
        need_loop()
        many(top, seed, BIG_SECTOR_SETS, big_sector_set, only)
    try:
        failed = point(1, f"{SETS} generated definition sets give systemd-repart's tables", small)
        failed += point(2, f"{BIG_SECTOR_SETS} sets on 4096-byte sectors do as well", big)
    finally:
        if only is None:
            shutil.rmtree(top, ignore_errors=True)
        else:
            print(f"# kept: {top}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
