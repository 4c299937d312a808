# SPDX-License-Identifier: Apache-2.0
"""Both slots of a node are damaged: doctor fills one from a URL or a stick, and takes it back.

The damage is the museum's; what comes of it is judged by mtools and by the variables alone.
"""
import os
import shutil
import struct

from lib import Server, expect, fingerprint, main, need, same, sha256, test, tool
from museum import (BOOT_FILE, EXHIBITS, Broken, bad, findings, healthy, kept, make, repair_all,
                    starts)


def broken(case, name, owner=None):
    """The node of this exhibit and the image of its newer slot, as a file that somebody kept."""
    need("mcopy", "sgdisk")
    known = healthy(case, make)
    b = Broken(case)
    image = case.dir / "kept.efi"
    image.write_bytes(b.get("slipway-b", BOOT_FILE))
    if owner:
        expect(case.on("node", "set", f"trust=@{owner}"), 0)
    next(e for e in EXHIBITS if e.name == name).damage(b)
    return b, image, known


def thorough(name):
    """Not in a quick run."""
    return (lambda function: function) if os.environ.get("SLIPWAY_TEST_QUICK") else test(name)


def disk(b):
    return fingerprint(b.image)


def fill(case, source, *more, slot="slot-b"):
    return case.on("--yes", "doctor", "--repair", slot, "--image", source, *more)


def whole(case, b, known, image):
    """It starts from what was given, and its state is as it was."""
    same(sha256(b.get("slipway-b", BOOT_FILE)), sha256(image), "the image in slot B")
    repair_all(case)
    same([f["id"] for f in bad(findings(case))], [], "what is left")
    assert starts(case, known[0]), "it does not start"
    same(kept(b), known[1], "the state")


@test("both slots bad: one is filled from a URL with its hash, the other from that; and back")
def _(case):
    b, image, known = broken(case, "both-slots")
    before, undo, server = disk(b), case.dir / "undo.json", Server(case.dir)
    url, pin = f"{server.url}/kept.efi", ("--sha256", sha256(image), "--trust", "none")
    try:
        advice = {f["id"]: f for f in findings(case)}["slot-b"]["advice"]
        assert "--repair slot-b --image" in advice, advice
        expect(fill(case, url, "--dry-run", *pin), 0, "kept.efi", "slipway-b")
        same(len(server.hits), 0, "what a dry run fetches")
        expect(fill(case, url), 4, "who vouches")
        expect(fill(case, url, "--trust", "none"), 4)
        expect(fill(case, url, "--sha256", "0" * 64, "--trust", "none"), 8)
        expect(fill(case, f"{server.url}/none.efi", *pin), 10)
        expect(case.on("--yes", "doctor", "--repair", "boot-order", "--image", url), 2, "no image")
        same(disk(b), before, "after what was refused")
        expect(fill(case, url, "--save", undo, *pin), 0, "fetching", "slot-b is gone")
        expect(case.on("--yes", "doctor", "--undo", undo), 0)
        same(disk(b), before, "after the undo")
        expect(fill(case, url, "--no-undo", *pin), 0, "slot-b is gone")
    finally:
        server.close()
    whole(case, b, known, image)


@thorough("both slots bad in other ways: one is filled from the stick, signed by a key of the node")
def _(case):
    need("ssh-keygen")
    key = case.dir / "key"
    tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
    b, image, known = broken(case, "both-slots-differently", owner=key.with_suffix(".pub"))
    medium = case.machine_dir / "medium"
    medium.mkdir(exist_ok=True)
    shutil.copy(image, medium / "kept.efi")
    before = disk(b)
    expect(fill(case, "medium:/kept.efi"), 5, "signature")
    same(disk(b), before, "without a signature")
    tool("ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", "slipway-image", medium / "kept.efi")
    with open(medium / "kept.efi", "ab") as file:
        file.write(b"more")
    expect(fill(case, "medium:/kept.efi"), 8)
    same(disk(b), before, "with another's signature")
    shutil.copy(image, medium / "kept.efi")
    expect(fill(case, "medium:/kept.efi"), 0, "slot-b is gone")
    whole(case, b, known, image)


@thorough("an undo whose kept image was changed is refused, and so is one of a slot used since")
def _(case):
    b, image, _ = broken(case, "both-slots")
    undo = case.dir / "undo.json"
    expect(fill(case, image, "--trust", "none", "--save", undo), 0)
    filled, spoilt = disk(b), case.dir / "undo.json.image"
    good = spoilt.read_bytes()
    spoilt.write_bytes(good[:70000] + b"x" + good[70001:])
    expect(case.on("--yes", "doctor", "--undo", undo), 8, "kept whole")
    spoilt.write_bytes(good)
    same(disk(b), filled, "after what was refused")
    b.write(b.at("slipway-b") + 4096 + 512, struct.pack("<Q", 1))
    changed = disk(b)
    expect(case.on("--yes", "doctor", "--undo", undo), 4, "changed since")
    same(disk(b), changed, "after another's write")


if __name__ == "__main__":
    main()
