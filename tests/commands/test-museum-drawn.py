# SPDX-License-Identifier: Apache-2.0
"""Nodes with one to three faults each, drawn at random: doctor names a cause first.

Ten, always the same, and with SLIPWAY_TEST_LONG 200 that are others each time; the seed is printed,
and SLIPWAY_TEST_SEED repeats it. What is drawn, where and how much of it, is none of the exhibits
of the museum.
"""
import collections
import concurrent.futures
import os
import random
import struct

from lib import Case, expect, main, need, test, tool
from museum import (BOOT_FILE, MANIFEST, SECTOR, Broken, bad, findings, healthy, kept, kind_of,
                    make, repair_all, starts)

LONG = bool(os.environ.get("SLIPWAY_TEST_LONG"))
NODES = 200 if LONG else 10
WANTED = 0.95


def choose_seed():
    chance = str(random.SystemRandom().randrange(1 << 32))
    return os.environ.get("SLIPWAY_TEST_SEED") or (chance if LONG else "a sample")


# ---- faults: each breaks something and says which findings name it ----

def primary(b, rng):
    first = rng.randrange(1, 33)
    b.write(first * SECTOR, rng.randbytes(SECTOR * rng.randrange(1, 35 - first)))
    return ["gpt-primary", "gpt-lost"]


def backup(b, rng):
    size = b.image.stat().st_size
    first = rng.randrange(1, 34)
    b.write(size - first * SECTOR, rng.randbytes(SECTOR * rng.randrange(1, first + 1)))
    return ["gpt-backup", "gpt-lost"]


def mbr(b, rng):
    b.write(446, bytes(2) if rng.random() < 0.5 else bytes(16))
    b.write(510, bytes(2))
    return ["gpt-mbr"]


def larger(b, rng):
    b.grow(rng.randrange(1, 4096) * MIB_SECTORS * SECTOR)
    return ["gpt-grown", "gpt-primary"]


MIB_SECTORS = 8


def part(b, rng):
    number = rng.choice((1, 2))
    if rng.random() < 0.5:
        b.sgdisk("-t", f"{number}:{rng.choice(('8300', '0700', 'fd00', '8e00'))}")
        return [f"part-type-{number}"]
    number = rng.choice((1, 2, 3))
    b.sgdisk("-c", f"{number}:{rng.choice(('EFI', 'boot', 'data', 'Microsoft basic data'))}")
    return [f"part-name-{number}"]


def deleted(b, rng):
    number = rng.choice((1, 2, 3, 4))
    b.sgdisk("-d", str(number))
    if rng.random() < 0.5:
        b.sgdisk("-n", f"{number}:0:+{rng.randrange(1, 16)}M")
    return ["table-changed"]


def slot(b, rng):
    letter = rng.choice("ab")
    label = f"slipway-{letter}"
    at = b.at(label)
    kind = rng.randrange(5)
    if kind == 0:
        b.write(at, rng.randbytes(SECTOR * rng.randrange(1, 8)))
    elif kind == 1:
        where = at + b.read(at, 32 << 20).index(b"HdrS") + rng.randrange(4096, 2 << 20)
        b.write(where, rng.randbytes(rng.randrange(4, 100000)))
    elif kind == 2:
        tool("mdel", "-i", b.fat(label), rng.choice((MANIFEST, BOOT_FILE)), check=False)
    elif kind == 3:
        tool("mkfs.vfat", "-F", "32", "--offset", str(at // SECTOR), b.image, "520000")
    else:
        b.write(at, bytes(rng.randrange(1, 64) * SECTOR))
    return [f"slot-{letter}"]


def data(b, rng):
    at = b.at("slipway-node") + rng.choice((0, b.bytes("slipway-node") // 2))
    b.write(at + rng.choice((rng.randrange(8), 4096 + rng.randrange(100))),
            bytes([rng.randrange(0x80, 0x100)]) * rng.randrange(2, 9))
    return ["node-data-copy", "node-data"]


def entry(b, rng):
    letter = rng.choice("ab")
    path = b.entry(letter)
    kind = rng.randrange(3)
    if kind == 0:
        path.unlink()
    elif kind == 1:
        for number in range(rng.randrange(1, 4)):
            b.variable(f"Boot00{rng.randrange(10, 100)}").write_bytes(path.read_bytes())
            assert number < 4
    else:
        content = bytearray(path.read_bytes())
        content[4] &= 0xfe
        path.write_bytes(bytes(content))
    return [f"entry-{letter}"]


def order(b, rng):
    old, numbers = b.order(), b.order()
    while numbers[:2] == old[:2]:
        rng.shuffle(numbers)
    b.variable("BootOrder").write_bytes(struct.pack(f"<I{len(numbers)}H", 7, *numbers))
    return ["boot-order"]


def vanished(b, rng):
    content = bytearray(b.any_entry().read_bytes())
    at = content.index(bytes([4, 1, 42, 0]))
    content[at + 24:at + 40] = rng.randbytes(16)
    number = f"{rng.randrange(0x100, 0x1000):04X}"
    b.variable(f"Boot{number}").write_bytes(bytes(content))
    return [f"entry-{number}"]


def firmware(b, _):
    b.yaml("firmware: uefi", "firmware: bios")
    return ["bios-mode"]


def tpm(b, _):
    b.yaml("tpm: true", "tpm: false")
    return ["tpm-gone"]


# In the order in which they can follow each other: mtools and sfdisk need a table.
FAULTS = (slot, data, entry, order, vanished, part, deleted, larger, primary, backup, mbr, firmware,
          tpm)


# ---- one node ----

def judge(number, seed):
    """(names of the faults, ID that was first, whether it names one of them, what went wrong)"""
    rng = random.Random(f"{seed}/{number}")
    drawn = sorted(rng.sample(range(len(FAULTS)), rng.randrange(1, 4)))
    names = [FAULTS[i].__name__ for i in drawn]
    case = Case()
    try:
        known, keeps = healthy(case, make)
        broken = Broken(case)
        causes = [cause for i in drawn for cause in FAULTS[i](broken, rng)]
        found = bad(findings(case))
        first = kind_of(found[0]) if found else "nothing"
        return names, first, first in causes, after(case, known, keeps)
    finally:
        case.close()


def after(case, known, keeps):
    """What the repairs have made worse, in words, or ""."""
    repair_all(case)
    left = bad(findings(case))
    if any("repair" in f for f in left):
        return f"still to be repaired: {[f['id'] for f in left]}"
    if left:
        return ""
    if not starts(case, known):
        return "nothing is wrong, and it does not start"
    return "" if kept(Broken(case)) == keeps else "the state is another one"


def show(table):
    """A row for each fault, the finding that was first and how often."""
    for name in sorted(table):
        seen = ", ".join(f"{first} {count}" for first, count in table[name].most_common())
        print(f"# {name:>10}: {seen}", flush=True)


@test(f"of {NODES} nodes with one to three drawn faults doctor names a cause first in 95 %")
def _(case):
    need("sgdisk", "mcopy", "mkfs.vfat")
    seed = choose_seed()
    print(f"# SLIPWAY_TEST_SEED={seed}", flush=True)
    healthy(case, make)     # before the others copy it
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as workers:
        seen = list(workers.map(lambda n: judge(n, seed), range(NODES)))
    table = collections.defaultdict(collections.Counter)
    for names, first, _, _ in seen:
        table[names[0] if len(names) == 1 else "several"][first] += 1
    show(table)
    right = sum(named for _, _, named, _ in seen)
    print(f"# a cause first: {right} of {NODES}", flush=True)
    for number, (names, first, named, wrong) in enumerate(seen):
        if not named or wrong:
            print(f"# node {number}: {names}: {first} first; {wrong}", flush=True)
    assert not any(wrong for _, _, _, wrong in seen), "a repair went wrong"
    assert right >= WANTED * NODES, f"{right} of {NODES}"
    expect(case.on("doctor"), 0)


if __name__ == "__main__":
    main()
