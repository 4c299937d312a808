# SPDX-License-Identifier: Apache-2.0
"""Partition definitions, partition tables and file trees, all from one random generator."""
import os
from pathlib import Path

MiB = 1 << 20
ARCHITECTURES = ("alpha arc arm arm64 ia64 loongarch64 mips-le mips64-le parisc ppc ppc64 ppc64-le "
                 "riscv32 riscv64 s390 s390x tilegx x86 x86-64").split()
PLAIN = "esp xbootldr swap home srv var tmp linux-generic".split()
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
LABELS = ["esp", "home", "swap-2", "Größe", "x" * 36, "%a-%o", "100%% %w", "%A%B%M", "a%%b", "%b",
          "%W."]
# Of these it depends on the machine whether they have a value that a label has room for.
HOST = os.uname().nodename
LABELS += [f"{s}{t}" for s, t, value in
           [("%v", "", os.uname().release), ("%H", "-", HOST), ("-%l", "", HOST),
            ("%V", "", os.environ.get("TMPDIR", "/var/tmp")),
            ("%T", "", os.environ.get("TMPDIR", "/tmp"))]
           if len(value) < 36]
LABELS += ["%m"] if Path("/etc/machine-id").is_file() else []


def every_type():
    """Each name that repart.d(5) of systemd 252 gives for Type=."""
    suffixes = ["", "-verity", "-verity-sig"]
    names = [f"{top}{arch}{s}" for top in ("root", "usr")
             for arch in ["", "-secondary", *("-" + a for a in ARCHITECTURES)] for s in suffixes]
    return PLAIN + names


def guid(rng):
    h = f"{rng.getrandbits(128):032x}"
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-8{h[17:20]}-{h[20:]}"


# ---- definitions

def written(rng, size):
    """A multiple of 4096 in one of the ways in which it can be written."""
    return f"{size // 1024}K" if rng.random() < .2 else str(size)


def size_keys(rng, what, low):
    """Multiples of 4096, least below greatest."""
    keys, least = [], (low * MiB + 4096 * rng.randrange(20000)) if rng.random() < .6 else None
    if least is not None:
        keys.append(f"{what}MinBytes={written(rng, least)}")
    if rng.random() < .4:
        most = (least or low * MiB) + 4096 * rng.randrange(30000)
        keys.append(f"{what}MaxBytes={written(rng, most)}")
    return keys


def flag_keys(rng, kind):
    keys = []
    if kind in FLAGS and rng.random() < .4:
        flags = ["NoAuto=yes", "NoAuto=no", "ReadOnly=yes", "ReadOnly=no", "GrowFileSystem=yes"]
        keys.append(rng.choice(flags[:-1] if "verity" in kind else flags))
    # Of bits below 48 libfdisk wants names, and systemd-repart 252 gives it numbers.
    if rng.random() < .1:
        bits = rng.sample([48, 51, 58, 61, 62, 63], 2)
        value = sum(1 << b for b in set(bits))
        keys.append("Flags=" + rng.choice([str(value), hex(value), bin(value)]))
    if rng.random() < .1:
        keys.append("FactoryReset=" + rng.choice(["yes", "no"]))
    return keys


def keys_of(rng, name, kind, content):
    keys = []
    if rng.random() < .5:
        keys.append("Label=" + rng.choice([f"part {name}", *LABELS]))
    if rng.random() < .15:
        uuid = guid(rng)
        keys.append("UUID=" + rng.choice(["null", uuid, uuid, uuid, uuid.replace("-", "")]))
    if rng.random() < .35:
        keys.append(f"Priority={rng.choice([-5, 0, 1, 1, 2, 3, 100])}")
    if rng.random() < .4:
        keys.append(f"Weight={rng.choice([0, 1, 100, 333, 1000, 5000, 1000000])}")
    if rng.random() < .3:
        keys.append(f"PaddingWeight={rng.choice([1, 500, 1000, 2000])}")
    keys += size_keys(rng, "Size", rng.randrange(1, 60))
    if rng.random() < .4:
        keys += size_keys(rng, "Padding", rng.randrange(20))
    keys += flag_keys(rng, kind)
    # Without a value: what was said before is taken back.
    if rng.random() < .1:
        keys.append(rng.choice(["Label=", "UUID=", "NoAuto=", "ReadOnly=", "GrowFileSystem=",
                                "CopyBlocks=", "Encrypt="]))
    return keys + content(rng)


def no_content(_rng):
    return []


def text(keys):
    return "[Partition]\n" + "\n".join(keys) + "\n"


def add_dropins(rng, folders, name, keys):
    """Some keys go into drop-ins, in any of the directories; a wrong one is left to be replaced."""
    for i in range(rng.randrange(1, 3)):
        where = rng.choice(folders) / f"{name}.d"
        where.mkdir(exist_ok=True)
        moved = [k for k in keys if rng.random() < .4 and not k.startswith(("Size", "Flags"))]
        (where / f"{i}-{rng.choice('xyz')}.conf").write_text(text(moved))
        for key in moved:
            keys.remove(key)
    if rng.random() < .3:
        keys.insert(0, "Weight=17")


def write_definitions(rng, top, most=7, content=no_content):
    """Up to `most` - 1 of them over one to three directories; gives these, first one first."""
    folders = [top.with_name(top.name + s) for s in ["", "2", "3"][:rng.choice([1, 1, 1, 2, 3])]]
    for folder in folders:
        folder.mkdir()
    types = rng.sample(list(TYPES), rng.randrange(1, 6))
    for i in range(rng.randrange(1, most)):
        name, kind = f"{10 * (i + 1)}-{rng.choice('abc')}.conf", rng.choice(types)
        keys = keys_of(rng, i, kind, content)
        at = rng.randrange(len(folders))
        if rng.random() < .2:
            add_dropins(rng, folders, name, keys)
        (folders[at] / name).write_text(text([f"Type={kind}", *keys]))
        for later in folders[at + 1:]:
            if rng.random() < .3:
                (later / name).write_text(text(["Type=srv", "Label=hidden"]))
    if len(folders) > 1 and rng.random() < .3:
        (folders[0] / "95-m.conf").write_text("")
        (folders[1] / "95-m.conf").write_text(text(["Type=srv", "Label=masked"]))
    return folders


# ---- content

def make_tree(rng, where):
    """Files, links, directories; no white space and no set-group-ID directory, for xfs's sake."""
    where.mkdir()
    places = [where]
    for i in range(rng.randrange(2, 14)):
        path = rng.choice(places) / f"n{i}{rng.choice(['', 'ä', '.conf'])}"
        kind = rng.random()
        if kind < .3:
            path.mkdir(mode=0o755)
            places.append(path)
        elif kind < .45:
            path.symlink_to(rng.choice(["n0", "/etc/x", "../n1"]))
            continue
        else:
            path.write_bytes(rng.randbytes(rng.choice([0, 1, 4096, 5000, 200000])))
        path.chmod(rng.choice([0o755, 0o640, 0o4755, 0o2750, 0o700]) if path.is_file()
                   else rng.choice([0o755, 0o700]))
        os.chown(path, rng.choice([0, 7, 1000]), rng.choice([0, 100]))
    return where


def sizes_only(blob):
    """Format= and CopyBlocks=, for what they do to sizes."""
    def content(rng):
        if rng.random() < .5:
            return []
        kind = rng.choice(["ext4", "vfat", "swap", "xfs", "btrfs", "blocks", "directories"])
        if kind == "xfs":       # mkfs.xfs makes none below 300M; repart would let it try
            return ["Format=xfs", "SizeMinBytes=310M", "SizeMaxBytes=700M"]
        return {"blocks": [f"CopyBlocks={blob}"],
                "directories": ["MakeDirectories=/a"]}.get(kind, [f"Format={kind}"])
    return content


def real_content(blob, tree, formats):
    def content(rng):
        kind = rng.choice(["none", "blocks", "swap", "vfat", *formats])
        if kind in ("none", "blocks"):
            return [f"CopyBlocks={blob}"] if kind == "blocks" else []
        keys = [f"Format={kind}"] if kind != "ext4" or rng.random() < .5 else []
        keys += ["SizeMinBytes=310M", "SizeMaxBytes=700M"] if kind == "xfs" else []
        if kind in ("swap", "vfat"):
            return keys
        if rng.random() < .7 or kind == "squashfs" or not keys:
            keys.append(f"CopyFiles={tree}{rng.choice(['', ':/', ':/srv/deep'])}")
        if rng.random() < .5:
            keys.append("MakeDirectories=" + rng.choice(["/srv", "/usr /var/lib", "/x/y/z /x"]))
        return keys
    return content


# ---- tables

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
