# SPDX-License-Identifier: Apache-2.0
"""Generated partition definitions: slipway's table against the one that systemd-repart 252 makes.

Every set runs on an empty image, on one with partitions (from sfdisk, with gaps and odd places), or
on one that has grown. What counts is what sfdisk reads; sgdisk and libblkid must agree. Sets with
content compare the file systems too: type, label, UUID, and each file when this kernel mounts it.
The seed is new in each run and printed; SLIPWAY_TEST_SEED repeats it, SLIPWAY_TEST_SET runs one set
of it and keeps its directory. SLIPWAY_TEST_LONG runs ten times as many.
Differences on purpose are in docs/layouts.md; the generator leaves them out.
"""
import contextlib
import difflib
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import generate
from generate import MiB, guid, sfdisk_script, write_definitions

SLIPWAY = os.environ.get("SLIPWAY", "build/release/slipway")
LONG = bool(os.environ.get("SLIPWAY_TEST_LONG"))
SETS = {"table": 45, "sizes": 25, "content": 3, "big sectors": 8}
if os.environ.get("SLIPWAY_TEST_QUICK"):
    SETS = {"table": 15, "sizes": 8, "content": 1, "big sectors": 3}
if LONG:
    SETS = {"table": 600, "sizes": 300, "content": 60, "big sectors": 120}
ENV = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin", LC_ALL="C.UTF-8")


class Skip(Exception):
    pass


class Aborted(Exception):
    """systemd-repart ended at an assertion of its own, so there is nothing to compare with."""


def run(*argv, **more):
    return subprocess.run([str(a) for a in argv], capture_output=True, text=True, env=ENV,
                          timeout=120, check=False, **more)


def must(*argv, **more):
    done = run(*argv, **more)
    if done.returncode:
        raise AssertionError(f"{argv}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


# ---- running

def table(image):
    found = json.loads(must("sfdisk", "-J", image))["partitiontable"]
    for part in found.get("partitions", []):
        part["node"] = part["node"].removeprefix(str(image)).removeprefix("p")
        part["attrs"] = " ".join(sorted(part.get("attrs", "").split()))
    found.pop("device")
    return found


def theirs(case, image, options, dry="no"):
    return run("systemd-repart", "--pretty=no", f"--dry-run={dry}", "--discard=no",
               f"--seed={case.seed}", *(f"--definitions={d}" for d in case.folders), *options,
               image)


def ours(case, image, options, verb="apply"):
    words = [w for d in case.folders for w in ("--definitions", d)]
    return run(SLIPWAY, "layout", verb, *(["--yes"] if verb == "apply" else ["--json"]), "--seed",
               case.seed, *words, *options, image)


class Case:
    def __init__(self, rng, where):
        self.rng, self.dir, self.seed = rng, where, guid(rng)
        where.mkdir()
        self.folders = []
        self.a, self.b = where / "a.img", where / "b.img"

    def define(self, **how):
        self.folders = write_definitions(self.rng, self.dir / "d", **how)

    def image(self, size):
        with open(self.a, "wb") as out:
            out.truncate(size)

    def copy(self):
        must("cp", "--sparse=always", self.a, self.b)

    def words(self):
        files = [p for d in self.folders for p in sorted(d.rglob("*.conf"))]
        return "\n".join(f"{p.relative_to(self.dir)}: {p.read_text()}" for p in files)


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


def must_equal(x, y, what):
    if x != y:
        lines = difflib.unified_diff(x, y, "systemd-repart", "slipway", lineterm="", n=1)
        raise AssertionError(what + "\n".join(lines))


def refused(case, options, left, right):
    """True: both did; what only one refuses is raised."""
    what = f"{' '.join(options)}\n{case.words()}"
    detail = f"--- systemd-repart {left.returncode}\n{left.stderr}--- slipway " \
             f"{right.returncode}\n{right.stdout}{right.stderr}"
    if left.returncode == -signal.SIGABRT and right.returncode in (0, 3, 4):
        raise Aborted(detail)
    if (left.returncode == 0) != (right.returncode == 0):
        raise AssertionError(f"only one refused\n{what}{detail}")
    if left.returncode and right.returncode not in (3, 4):
        # sfdisk can make what nobody can place: a partition at the very end of the disk, say.
        raise AssertionError(f"refused with another exit code\n{what}{detail}")
    case.detail = what + detail
    return left.returncode != 0


def judge(case, options, left, right, read):
    """equal, or refused; anything else is raised."""
    try:
        if refused(case, options, left, right):
            return "refused"
    except Aborted:
        if right.returncode == 0:
            others_agree(case.b)
        raise
    x, y = read(case.a), read(case.b)
    must_equal(words_of(x), words_of(y), case.detail)
    return "equal"


def others_agree(image):
    """sgdisk finds nothing wrong, and libblkid sees what libfdisk sees."""
    checked = must("sgdisk", "-v", image)
    if "No problems found" not in checked:
        raise AssertionError("sgdisk finds problems\n" + checked)
    seen = must("partx", "--raw", "--noheadings", "-o", "NR,START,SECTORS,UUID", image)
    found = table(image)
    per = found["sectorsize"] // 512        # partx counts in 512 bytes
    want = {f"{p['node']} {p['start'] * per} {p['size'] * per} {p['uuid'].lower()}"
            for p in found.get("partitions", [])}
    if want != set(seen.splitlines()):
        raise AssertionError(f"partx sees {seen}instead of {want}")


def one_set(case):
    case.define()
    options = case.rng.choice(PREPARE)(case)
    left, right = theirs(case, case.a, options), ours(case, case.b, options)
    verdict = judge(case, options, left, right, table)
    # On a disk that grew and needs nothing, both leave the backup table where it is.
    if verdict == "equal" and "Writing new partition table" in left.stderr:
        others_agree(case.b)
    return verdict


def types_set(case):
    """As many as a table takes, one of each type."""
    folder = case.dir / "d"
    folder.mkdir()
    case.folders = [folder]
    names = generate.every_type()
    for i, name in enumerate(case.rng.sample(names, 120)):
        (folder / f"{i:03}.conf").write_text(
            f"[Partition]\nType={name}\nSizeMinBytes=4096\nSizeMaxBytes=8192\n")
    options = ["--empty=create", "--size=64M"]
    left, right = theirs(case, case.a, options), ours(case, case.b, options)
    return judge(case, options, left, right, table)


# ---- sizes that follow from content, without making it

def planned(text, start, size):
    return [" ".join(str(p[k] or "-") for k in ("file", "label", "uuid", start, size))
            for p in json.loads(text or "[]") if p.get("file", "-") != "-"]


def sizes_set(case):
    rng, blob = case.rng, case.dir / "blob"
    with open(blob, "wb") as out:
        out.truncate(512 * rng.randrange(1, 100000))
    case.define(content=generate.sizes_only(blob))
    size = random_size(rng) * rng.choice([1, 2, 4])
    case.image(size)
    if rng.random() < .4:
        must("sfdisk", "-q", "--no-reread", "--no-tell-kernel", case.a,
             input=sfdisk_script(rng, size, 512))
    left = theirs(case, case.a, ["--empty=allow", "--json=short"], "yes")
    right = ours(case, case.a, ["--empty=allow"], "plan")
    if left.returncode == 0 and "no partition number left" in right.stdout + right.stderr:
        # Its dry run does not count the entries that the table has; when it writes it must.
        left = theirs(case, case.a, ["--empty=allow"])
    if refused(case, ["--empty=allow"], left, right):
        return "refused"
    if "No changes." in left.stderr:    # then it shows labels that it does not write
        must_equal([], [w for w in ['"changed":true'] if w in right.stdout], case.detail)
        return "equal"
    parts = json.loads(right.stdout)["partitions"]
    must_equal(sorted(planned(left.stdout, "offset", "raw_size")),
               sorted(planned(json.dumps(parts), "start", "size")), case.detail)
    return "equal"


# ---- content

class Part:
    """A partition of an image as a loop device."""

    def __init__(self, image, part):
        self.place = ["--offset", part["start"] * 512, "--sizelimit", part["size"] * 512]
        self.image, self.node = image, None

    def __enter__(self):
        done = run("losetup", "--find", "--show", "--read-only", *self.place, self.image)
        if done.returncode:
            raise Skip("no loop device: " + done.stderr.strip())
        self.node = done.stdout.strip()
        return self.node

    def __exit__(self, *_):
        must("losetup", "--detach", self.node)


@contextlib.contextmanager
def mounted(node, where, kind):
    where.mkdir(exist_ok=True)
    must("mount", "-t", kind, "-o", "ro" + {"ext4": ",noload", "xfs": ",norecovery,nouuid"}
         .get(kind, ""), node, where)
    try:
        yield where
    finally:
        must("umount", where)


def listing(where):
    for path in sorted(where.rglob("*")):
        name, st = path.relative_to(where), path.lstat()
        if str(name) == "lost+found":
            continue
        data = os.readlink(path) if path.is_symlink() else ""
        if path.is_file() and not path.is_symlink():
            data = hashlib.sha256(path.read_bytes()).hexdigest()
        mode = 0 if path.is_symlink() else st.st_mode
        yield f"{name} {mode:o} {st.st_uid}:{st.st_gid} {data}"


CHECKERS = {"ext4": ["e2fsck", "-fn"], "xfs": ["xfs_repair", "-n"], "btrfs": ["btrfs", "check"],
            "vfat": ["fsck.vfat", "-n"]}


def content_of(case, image, part, check):
    """Lines that say what is in a partition."""
    with Part(image, part) as node:
        found = dict(line.split("=", 1) for line in
                     run("blkid", "-p", "-o", "export", node).stdout.splitlines() if "=" in line)
        kind = found.get("TYPE", "")
        lines = [f"{k}={found.get(k)}" for k in ("TYPE", "LABEL", "UUID")]
        if check and kind in CHECKERS:
            must(*CHECKERS[kind], node)
        if kind in ("ext4", "xfs", "btrfs", "squashfs"):
            with mounted(node, case.dir / "mnt", kind) as where:
                return lines + list(listing(where))
        if not kind:
            with open(node, "rb") as f:
                lines.append(hashlib.sha256(f.read(case.blob)).hexdigest())
    return lines


def content_set(case):
    rng, blob = case.rng, case.dir / "blob"
    case.blob = 4096 * rng.randrange(1, 2000)
    blob.write_bytes(b"\1" + rng.randbytes(case.blob - 1))
    tree = generate.make_tree(rng, case.dir / "tree")
    formats = [f for f in ("ext4", "ext4", "xfs", "btrfs") if shutil.which("mkfs." + f)]
    case.define(most=4, content=generate.real_content(blob, tree, formats))
    size = rng.randrange(1300, 1800) * MiB
    options = ["--empty=create", f"--size={size}"]
    left, right = theirs(case, case.a, options), ours(case, case.b, options)
    if judge(case, options, left, right, table) == "refused":
        return "refused"
    for part in table(case.b).get("partitions", []):
        must_equal(content_of(case, case.a, part, False), content_of(case, case.b, part, True),
                   case.detail)
    return "equal"


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
        return table(node)


def big_sector_set(case):
    rng, size = case.rng, random_size(case.rng)
    case.define()
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
    verdict = judge(case, options, left, right, big_table)
    if verdict == "equal" and "Writing new partition table" in left.stderr:
        with Loop(case.b, "--read-only") as node:
            others_agree(node)
    return verdict


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
    counts = {"equal": 0, "refused": 0, "aborted": 0}
    for number in range(count):
        if only is not None and f"{one.__name__}-{number}" != only:
            continue
        where = top / f"{one.__name__}-{number}"
        try:
            verdict = one(Case(random.Random(f"{seed}/{one.__name__}/{number}"), where))
        except Aborted:
            verdict = "aborted"
        except AssertionError as why:
            raise AssertionError(f"SLIPWAY_TEST_SEED={seed} SLIPWAY_TEST_SET={where.name}\n{why}")
        counts[verdict] += 1
        if only is None:
            shutil.rmtree(where)
    print(f"# {counts['equal']} equal, {counts['refused']} refused by both"
          + (f", {counts['aborted']} at which systemd-repart fails an assertion"
             if counts["aborted"] else ""))
    if only is None and (counts["equal"] < count // 3 or counts["aborted"] > 2 + count // 100):
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
    top = Path(tempfile.mkdtemp(prefix="repart."))
    points = [
        (SETS["table"], one_set, need, "generated definition sets give systemd-repart's tables"),
        (3, types_set, need, "tables with 120 types by name are those of systemd-repart"),
        (SETS["sizes"], sizes_set, need, "sets with content are planned as systemd-repart does"),
        (SETS["content"], content_set, need_loop, "sets with content hold the same files"),
        (SETS["big sectors"], big_sector_set, need_loop, "sets on 4096-byte sectors do as well"),
    ]
    print(f"1..{len(points)}\n# SLIPWAY_TEST_SEED={seed}", flush=True)
    failed = 0
    try:
        for number, (count, one, needs, name) in enumerate(points, 1):
            def check(count=count, one=one, needs=needs):
                needs()
                many(top, seed, count, one, only)
            failed += point(number, f"{count} {name}", check)
    finally:
        if only is None:
            shutil.rmtree(top, ignore_errors=True)
        else:
            print(f"# kept: {top}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
