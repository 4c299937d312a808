# SPDX-License-Identifier: Apache-2.0
"""`slipway layout plan|apply`: definitions on image files, judged with other people's tools."""
import os
import re
import stat
from pathlib import Path

from lib import (SOURCE, MiB, Skip, expect, fingerprint, main, need, partitions, same, sha256, test,
                 tool)

SEED = "00112233-4455-6677-8899-aabbccddeeff"


def define(case, folder="d", **files):
    where = case.dir / folder
    where.mkdir(exist_ok=True)
    for name, text in files.items():
        (where / f"{name}.conf").write_text("[Partition]\n" + "\n".join(text.split(";")) + "\n")
    return where


def layout(case, verb, image, *options, folders=("d",), yes=True):
    words = [w for f in folders for w in ("--definitions", case.dir / f)]
    return case.run("layout", verb, *(["--yes"] if yes else []), "--seed", SEED, *words, *options,
                    image)


def cut_out(case, image, part):
    out = case.dir / "part.img"
    tool("dd", f"if={image}", f"of={out}", "bs=512", "status=none", f"skip={part['start']}",
         f"count={part['size']}")
    return out


@test("plan writes nothing, not even the file that it would make")
def _(case):
    define(case, a="Type=esp;SizeMaxBytes=64M")
    image = case.dir / "disk.img"
    expect(layout(case, "plan", image, "--empty=create", "--size=200M"), 0, "create")
    assert not image.exists()
    expect(layout(case, "apply", image, "--empty=create", "--size=200M"), 0)
    before = fingerprint(image)
    define(case, b="Type=home")
    expect(layout(case, "plan", image), 0, "create", "keep")
    same(fingerprint(image), before, "image")


@test("the JSON of plan is what sfdisk reads after apply")
def _(case):
    define(case, a="Type=esp;SizeMaxBytes=64M;Label=boot", b="Type=home;NoAuto=yes")
    image = case.dir / "disk.img"
    plan = layout(case, "plan", image, "--empty=create", "--size=200M", "--json").json()
    expect(layout(case, "apply", image, "--empty=create", "--size=200M"), 0)
    found = partitions(image)
    same([p["label"] for p in plan["partitions"]], list(found), "labels")
    for part in plan["partitions"]:
        there = found[part["label"]]
        same((part["start"], part["size"]), (there["start"] * 512, there["size"] * 512), "place")
        same(part["uuid"].upper(), there["uuid"], "uuid")
        same(part["type"].upper(), there["type"], "type")
        same(part["action"], "create", "action")
    same(int(plan["partitions"][1]["attrs"], 16), 1 << 63 | 1 << 59, "attrs")


@test("apply a second time changes nothing")
def _(case):
    define(case, a="Type=esp;SizeMaxBytes=64M", b="Type=home")
    image = case.dir / "disk.img"
    expect(layout(case, "apply", image, "--empty=create", "--size=auto"), 0)
    before = fingerprint(image)
    expect(layout(case, "apply", image), 0, "nothing to change")
    same(fingerprint(image), before, "image")


@test("nobody to confirm is exit 4 and nothing is made")
def _(case):
    define(case, a="Type=esp")
    image = case.dir / "disk.img"
    expect(layout(case, "apply", image, "--empty=create", "--size=auto", yes=False), 4, "--yes")
    assert not image.exists()


@test("each --empty mode refuses what it does not allow, with what is there")
def _(case):
    define(case, a="Type=esp;SizeMaxBytes=20M")
    image = case.dir / "disk.img"

    def blank():
        image.write_bytes(b"")
        os.truncate(image, 100 * MiB)
    blank()
    expect(layout(case, "apply", image), 4, "no GPT", "--empty=allow")
    expect(layout(case, "apply", image, "--empty=create", "--size=50M"), 4, "exists already")
    expect(layout(case, "apply", image, "--empty=require"), 0)
    expect(layout(case, "apply", image, "--empty=require"), 4, "not empty")
    expect(layout(case, "apply", image, "--empty=allow"), 0, "nothing to change")
    blank()
    tool("mkswap", "-L", "precious", image)
    expect(layout(case, "apply", image, "--empty=allow"), 4, "swap", "--empty=force")
    expect(layout(case, "apply", image), 4, "no GPT", "swap", "--empty=force")
    blank()
    tool("sfdisk", "-q", image, input="label: dos\n,50M\n")
    expect(layout(case, "apply", image, "--empty=allow"), 4, "not empty", "DOS table")
    for verb in ("plan", "apply"):
        expect(layout(case, verb, image), 4, "has a DOS table and no GPT", "--empty=force")
    expect(layout(case, "apply", image, "--empty=force"), 0, "lost")
    same(list(partitions(image)), ["esp"], "partitions")
    assert "No problems" in tool("sgdisk", "-v", image).stdout


@test("a damaged table is refused and named, and force forgets it")
def _(case):
    define(case, a="Type=esp;SizeMaxBytes=20M")
    image = case.dir / "disk.img"
    expect(layout(case, "apply", image, "--empty=create", "--size=100M"), 0)
    with open(image, "r+b") as f:
        f.write(bytes(512))
    expect(layout(case, "apply", image, "--empty=allow"), 4, "damaged", "protective MBR")
    expect(layout(case, "apply", image, "--empty=force"), 0)


@test("a DOS table on 3 TiB is named with what it does not reach, whatever --empty says")
def _(case):
    define(case, a="Type=esp;SizeMaxBytes=20M")
    image = case.dir / "disk.img"
    image.write_bytes(b"")
    os.truncate(image, 3 << 40)
    tool("sfdisk", "-q", image, input="label: dos\n,50M\n")
    named = "a DOS table reaches only 2T of 3T"
    for empty in ("refuse", "allow", "require"):
        expect(layout(case, "plan", image, f"--empty={empty}"), 4, named, "--empty=force")
    expect(layout(case, "plan", image, "--empty=force"), 0, named)


@test("a hybrid MBR is refused with what would be lost, unless nothing changes or all is new")
def _(case):
    image = case.dir / "disk.img"
    image.write_bytes(b"")
    os.truncate(image, 100 * MiB)
    tool("sgdisk", "-n", "1:0:+20M", "-t", "1:8302", "-h", "1:EE", image)
    before = fingerprint(image)
    define(case, a="Type=home;SizeMaxBytes=10M")
    expect(layout(case, "apply", image), 0, "nothing to change")
    define(case, b="Type=esp;SizeMaxBytes=20M")
    expect(layout(case, "apply", image), 4, "hybrid MBR", "would lose", "--empty=force")
    same(fingerprint(image), before, "image")
    expect(layout(case, "apply", image, "--empty=force"), 0)


@test("a locked image is refused")
def _(case):
    import fcntl
    define(case, a="Type=esp")
    image = case.dir / "disk.img"
    image.write_bytes(b"")
    os.truncate(image, 100 * MiB)
    with open(image, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        expect(layout(case, "apply", image, "--empty=allow"), 4, "lock")


@test("a disk of the machine that must not be touched is refused with the reason")
def _(case):
    define(case, a="Type=esp")
    case.create("serial=NODE07SYS,size=1G,transport=usb", extra=("--medium", "NODE07SYS"))
    expect(case.on("layout", "apply", "--yes", "--empty=force", "--seed", SEED, "--definitions",
                   case.dir / "d", case.disk()), 4, "must not be touched")


@test("what does not fit is exit 3 with the file and the bytes, and nothing is written")
def _(case):
    define(case, a="Type=esp;SizeMinBytes=90M", b="Type=home;SizeMinBytes=90M")
    image = case.dir / "disk.img"
    result = layout(case, "apply", image, "--empty=create", "--size=100M")
    # 1 MiB before the partitions, a sector and 128 entries of the backup table behind them.
    short = 80 * MiB + MiB + 512 + 128 * 128
    expect(result, 3, f"{short} bytes too few", "it needs 181M and the disk has 100M",
           "a.conf 90M, b.conf 90M")
    assert not image.exists()
    # What is said to be missing is what is missing, to the grain of 4096 bytes.
    enough = -(-(100 * MiB + short) // 4096) * 4096
    expect(layout(case, "plan", image, "--empty=create", f"--size={enough - 4096}"), 3,
           f"{100 * MiB + short - enough + 4096} bytes too few", f"needs {100 * MiB + short} bytes "
           f"and the disk has {enough - 4096}:")
    expect(layout(case, "plan", image, "--empty=create", f"--size={enough}"), 0)


@test("a gap of one sector, into which libfdisk lets nothing grow, is exit 3 in plan and apply")
def _(case):
    image = case.dir / "disk.img"
    define(case, a="Type=home;SizeMinBytes=16M;SizeMaxBytes=16M;PaddingMinBytes=4K;"
           "PaddingMaxBytes=4K",
           b="Type=esp;SizeMinBytes=20M;SizeMaxBytes=20M")
    sector = "--sector-size=4096"
    expect(layout(case, "apply", image, "--empty=create", "--size=100M", sector, "--no-undo"), 0)
    before = fingerprint(image)
    define(case, a="Type=home")
    for verb in ("plan", "apply"):
        expect(layout(case, verb, image, sector), 3, "partition 1 cannot be put into the table",
               "SizeMaxBytes=")
    same(fingerprint(image), before, "image")
    define(case, a="Type=home;SizeMaxBytes=16M")
    expect(layout(case, "apply", image, sector), 0, "nothing to change")


@test("the first directory's file hides the later ones', drop-ins add, empty files hide")
def _(case):
    define(case, "d", a="Type=esp;Label=first;SizeMaxBytes=20M")
    define(case, "e", a="Type=home;Label=second", b="Type=swap;Label=hidden",
           c="Type=srv;Label=plain;SizeMaxBytes=20M")
    (case.dir / "d" / "b.conf").write_text("")
    (case.dir / "e" / "c.conf.d").mkdir()
    (case.dir / "e" / "c.conf.d" / "x.conf").write_text("[Partition]\nLabel=dropped-in\n")
    image = case.dir / "disk.img"
    expect(layout(case, "apply", image, "--empty=create", "--size=100M", folders=("d", "e")), 0)
    same(list(partitions(image)), ["first", "dropped-in"], "labels")


@test("an error in a drop-in names the drop-in's line")
def _(case):
    define(case, a="Type=esp")
    (case.dir / "d" / "a.conf.d").mkdir()
    (case.dir / "d" / "a.conf.d" / "x.conf").write_text("[Partition]\n\nWieght=5\n")
    expect(layout(case, "plan", case.dir / "i", "--empty=create", "--size=auto"), 3,
           "x.conf:3:1", "Weight=")


@test("ext4, vfat and swap are made, filled without root, and clean")
def _(case):
    need("mkfs.ext4", "mkfs.vfat", "mcopy", "mkswap", "e2fsck", "fsck.vfat")
    tree = case.dir / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "sub" / "file").write_text("content\n")
    define(case, a=f"Type=esp;Format=vfat;SizeMaxBytes=64M;SizeMinBytes=64M;CopyFiles={tree}:/EFI",
           b=f"Type=home;CopyFiles={tree}:/srv;MakeDirectories=/usr /var/lib",
           c="Type=swap;Format=swap;SizeMaxBytes=20M")
    image = case.dir / "disk.img"
    expect(layout(case, "apply", image, "--empty=create", "--size=300M"), 0)
    found = partitions(image)
    part = cut_out(case, image, found["esp"])
    tool("fsck.vfat", "-n", part)
    same(tool("mtype", "-i", part, "::/EFI/sub/file").stdout, "content\n", "file in vfat")
    part = cut_out(case, image, found["home"])
    tool("e2fsck", "-fn", part)
    same(tool("debugfs", "-R", "cat /srv/sub/file", part).stdout, "content\n", "file in ext4")
    assert "lib" in tool("debugfs", "-R", "ls /var", part).stdout
    part = cut_out(case, image, found["swap"])
    assert 'TYPE="swap"' in tool("blkid", "-p", part).stdout


@test("a link that was copied never leads a later copy out of the tree")
def _(case):
    need("mkfs.ext4")
    tree, outside = case.dir / "tree", case.dir / "outside"
    tree.mkdir()
    outside.mkdir()
    (tree / "out").symlink_to(outside)
    file = case.dir / "file"
    file.write_text("x")
    define(case, a=f"Type=home;CopyFiles={tree}:/;CopyFiles={file}:/out/file")
    image = case.dir / "disk.img"
    expect(layout(case, "apply", image, "--empty=create", "--size=100M"), 6, "link")
    same(list(outside.iterdir()), [], "outside")
    assert not image.exists()


@test("CopyBlocks copies the blocks, and the partition is as large as they need")
def _(case):
    blob = case.dir / "blob"
    blob.write_bytes(os.urandom(3 * MiB) * 5)
    define(case, a=f"Type=root;CopyBlocks={blob};SizeMaxBytes=4M;SizeMinBytes=4M")
    image = case.dir / "disk.img"
    expect(layout(case, "apply", image, "--empty=create", "--size=100M"), 0)
    part = partitions(image)["root-x86-64"]
    same(part["size"] * 512, 15 * MiB, "size")
    same(sha256(cut_out(case, image, part)), sha256(blob), "blocks")


def a_tree(case):
    """A directory for CopyFiles=: a file, a link, a directory below and an executable."""
    tree = case.dir / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "sub" / "file").write_text("content\n")
    (tree / "sub" / "link").symlink_to("file")
    (tree / "tool").write_text("#!/bin/sh\n")
    (tree / "tool").chmod(0o4755)
    return tree


@test("xfs is made without mounting, filled, and clean")
def _(case):
    need("mkfs.xfs", "xfs_repair", "xfs_db")
    define(case, a=f"Type=home;Format=xfs;SizeMinBytes=320M;CopyFiles={a_tree(case)}:/srv;"
                   "MakeDirectories=/var/lib")
    image = case.dir / "disk.img"
    expect(layout(case, "apply", image, "--empty=create", "--size=400M"), 0)
    part = cut_out(case, image, partitions(image)["home"])
    tool("xfs_repair", "-n", part)
    listed = tool("xfs_db", "-r", "-c", "ls /srv", "-c", "ls /srv/sub", "-c", "ls /var", part)
    for name in ("tool", "sub", "file", "link", "lib"):
        assert name in listed.stdout, listed.stdout
    assert 'LABEL="home"' in tool("blkid", "-p", part).stdout
    raw = part.read_bytes()
    assert b"content\n" in raw


@test("the log of an xfs holds nothing of an older one that was there")
def _(case):
    need("mkfs.xfs", "xfs_db", "xfs_logprint")
    define(case, a="Type=home;Format=xfs")
    image = case.dir / "disk.img"
    image.write_bytes(b"\xa5" * (305 * MiB))
    expect(layout(case, "apply", image, "--empty=allow"), 0)
    part = cut_out(case, image, partitions(image)["home"])
    fields = "logstart logblocks blocksize agblocks agblklog"
    asked = tool("xfs_db", "-r", "-c", "sb 0", "-c", f"p {fields}", part).stdout
    sb = {k: int(v) for k, v in re.findall(r"(\w+) = (\d+)", asked)}
    block = (sb["logstart"] >> sb["agblklog"]) * sb["agblocks"] + \
        (sb["logstart"] & ((1 << sb["agblklog"]) - 1))
    with open(part, "rb") as f:
        f.seek(block * sb["blocksize"])
        assert b"\xa5" * 512 not in f.read(sb["logblocks"] * sb["blocksize"])


@test("xfs in too small a partition, and names that it cannot take, are refused with the reason")
def _(case):
    need("mkfs.xfs")
    define(case, a="Type=home;Format=xfs")
    image = case.dir / "disk.img"
    expect(layout(case, "apply", image, "--empty=create", "--size=200M"), 3, "300M", "a.conf")
    assert not image.exists()
    (case.dir / "t").mkdir()
    (case.dir / "t" / "two words").write_text("x")
    define(case, a=f"Type=home;Format=xfs;CopyFiles={case.dir / 't'}:/")
    expect(layout(case, "apply", image, "--empty=create", "--size=400M"), 6, "white space")
    (case.dir / "t" / "two words").unlink()
    (case.dir / "t" / "group" / "plain").mkdir(parents=True)
    (case.dir / "t" / "group" / "plain").chmod(0o755)
    (case.dir / "t" / "group").chmod(0o2755)
    expect(layout(case, "apply", image, "--empty=create", "--size=400M"), 6, "set-group-ID")
    assert not image.exists()


@test("btrfs is made without mounting, filled, and clean")
def _(case):
    need("mkfs.btrfs", "btrfs")
    define(case, a=f"Type=home;Format=btrfs;CopyFiles={a_tree(case)}:/srv;MakeDirectories=/var/lib")
    image = case.dir / "disk.img"
    expect(layout(case, "apply", image, "--empty=create", "--size=400M"), 0)
    part = cut_out(case, image, partitions(image)["home"])
    tool("btrfs", "check", part)
    listed = tool("btrfs", "inspect-internal", "dump-tree", part).stdout
    for name in ("tool", "file", "link", "lib"):
        assert f"name: {name}" in listed, listed
    assert 'LABEL="home"' in tool("blkid", "-p", part).stdout


@test("squashfs is made, fits or says by how much not, and is not made of nothing")
def _(case):
    need("mksquashfs", "unsquashfs")
    tree = a_tree(case)
    define(case, a=f"Type=usr;Format=squashfs;CopyFiles={tree}:/;SizeMaxBytes=20M")
    image = case.dir / "disk.img"
    expect(layout(case, "apply", image, "--empty=create", "--size=100M"), 0)
    part = cut_out(case, image, partitions(image)["usr-x86-64"])
    same(tool("unsquashfs", "-cat", part, "sub/file").stdout, "content\n", "file in squashfs")
    image.unlink()
    (tree / "big").write_bytes(os.urandom(30 * MiB))
    expect(layout(case, "apply", image, "--empty=create", "--size=100M"), 3, "SizeMinBytes=",
           "20M")
    assert not image.exists()
    define(case, a="Type=usr;Format=squashfs")
    expect(layout(case, "plan", image, "--empty=create", "--size=100M"), 3, "squashfs", "a.conf:3")


@test("a file system that slipway does not make is refused with those that it makes")
def _(case):
    define(case, a="Type=home;Format=f2fs")
    image = case.dir / "disk.img"
    expect(layout(case, "plan", image, "--empty=create", "--size=1G"), 3, "a.conf:3:8", "ext4")


@test("a source that is not there is refused before anything is written")
def _(case):
    define(case, a=f"Type=home;CopyFiles={case.dir / 'missing'}:/")
    image = case.dir / "disk.img"
    expect(layout(case, "apply", image, "--empty=create", "--size=1G"), 5, "missing", "a.conf")
    assert not image.exists()


# ---- undo

def old_image(case, size=100):
    """An image with a table of its own and something in the free space."""
    image = case.dir / "disk.img"
    image.write_bytes(os.urandom(size * MiB))
    tool("sfdisk", "-q", image, input="label: gpt\nsize=20M, name=data\n")
    return image


def undo(case, image, *options, yes=True):
    return case.run("layout", "undo", *(["--yes"] if yes else []), *options, image)


@test("undo of an apply gives back every byte of an image, and says what before")
def _(case):
    define(case, a="Type=esp;SizeMaxBytes=20M", b="Type=home")
    image = old_image(case)
    before = fingerprint(image)
    for mode in ("allow", "force"):
        expect(layout(case, "apply", image, f"--empty={mode}"), 0, "disk.img.undo",
               "the old partition table (1 partition)", "put into partition")
        assert fingerprint(image) != before
        expect(undo(case, image, yes=False), 4, "--yes")
        expect(undo(case, image), 0, "the old partition table (1 partition)")
        same(fingerprint(image), before, "image")
        expect(undo(case, image), 4, "already")


@test("undo cuts a file that was made larger to its old size")
def _(case):
    define(case, a="Type=home")
    image = old_image(case)
    before = fingerprint(image)
    expect(layout(case, "apply", image, "--size=150M"), 0)
    same(image.stat().st_size, 150 * MiB, "size")
    expect(undo(case, image), 0, "the file's size of 100M")
    same(fingerprint(image), before, "image")


@test("an apply that failed half-way is done by the next, and undo still goes back to the start")
def _(case):
    need("mkfs.ext4")
    (case.dir / "t").mkdir()
    (case.dir / "t" / "out").symlink_to("/nowhere")
    (case.dir / "file").write_text("x")
    define(case, a="Type=esp;SizeMaxBytes=20M",
           b=f"Type=home;CopyFiles={case.dir / 't'}:/;CopyFiles={case.dir / 'file'}:/out/x")
    image = old_image(case)
    before, free = fingerprint(image), tool("sfdisk", "-J", image).stdout
    expect(layout(case, "apply", image), 6, "link", "layout undo")
    same(tool("sfdisk", "-J", image).stdout, free, "table")
    expect(layout(case, "plan", image), 0, "did not end")
    define(case, b="Type=home")
    expect(layout(case, "apply", image), 0, "did not end")
    same(list(partitions(image)), ["data", "esp", "home"], "partitions")
    expect(undo(case, image), 0)
    same(fingerprint(image), before, "image")


@test("undo refuses a table that somebody else changed since")
def _(case):
    define(case, a="Type=esp;SizeMaxBytes=20M")
    image = old_image(case)
    expect(layout(case, "apply", image), 0)
    tool("sgdisk", "-n", "0:0:+1M", image)
    before = fingerprint(image)
    expect(undo(case, image), 4, "somebody else")
    same(fingerprint(image), before, "image")


@test("a file that is not undo data is never overwritten, and --no-undo keeps none")
def _(case):
    define(case, a="Type=esp;SizeMaxBytes=20M")
    image = old_image(case)
    other = case.dir / "notes"
    other.write_text("precious " * 1000)
    before = fingerprint(image)
    expect(layout(case, "apply", image, "--undo", other), 4, "not undo data")
    expect(layout(case, "apply", image, "--undo", image), 4)
    same(fingerprint(image), before, "image")
    assert other.read_text().startswith("precious")
    expect(layout(case, "apply", image, "--no-undo"), 0)
    assert not (case.dir / "disk.img.undo").exists()
    expect(undo(case, image), 5, "no undo data", "--undo FILE")


@test("a damaged copy of the table is made anew")
def _(case):
    define(case, a="Type=esp;SizeMaxBytes=20M")
    image = case.dir / "disk.img"
    expect(layout(case, "apply", image, "--empty=create", "--size=100M"), 0)
    good = fingerprint(image)
    for at in (512, 100 * MiB - 512, 1024 + 16):
        with open(image, "r+b") as f:
            f.seek(at)
            f.write(b"\xff" * 16)
        expect(layout(case, "apply", image), 0, "changed")
        same(fingerprint(image), good, "image")


@test("keys that count in an install only are named as ignored, in words and in JSON")
def _(case):
    define(case, a="Type=home;X-Slipway-Disk=system data;X-Slipway-Raid=1;SizeMaxBytes=20M")
    image = case.dir / "disk.img"
    made = ("--empty=create", "--size=100M")
    expect(layout(case, "plan", image, *made), 0, "Ignored: X-Slipway-Disk=",
           "Ignored: X-Slipway-Raid=")
    found = expect(layout(case, "plan", image, "--json", *made), 0).json()
    same(found["ignored"], ["X-Slipway-Disk", "X-Slipway-Raid"], "ignored")
    define(case, a="Type=home")
    same(expect(layout(case, "plan", image, "--json", *made), 0).json()["ignored"], [], "ignored")


@test("specifiers are expanded, and UUID=null stays zero")
def _(case):
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    define(case, a="Type=home;Label=v-%v-%%;SizeMaxBytes=20M", b="Type=srv;UUID=null",
           c="Type=var;UUID=%b", d="Type=tmp;UUID=%b;UUID=")
    image = case.dir / "disk.img"
    expect(layout(case, "apply", image, "--empty=create", "--size=100M"), 0)
    found = partitions(image)
    assert f"v-{os.uname().release}-%" in found, found
    same(found["srv"]["uuid"], "00000000-0000-0000-0000-000000000000", "uuid")
    same(found["var"]["uuid"].lower(), boot_id, "uuid")
    assert found["tmp"]["uuid"] != found["var"]["uuid"], found


@test("old content of a new partition is not found in it afterwards")
def _(case):
    need("mkfs.ext4", "blkid")
    image = case.dir / "disk.img"
    define(case, a="Type=home;Format=ext4")
    expect(layout(case, "apply", image, "--empty=create", "--size=100M"), 0)
    define(case, a="Type=home")
    expect(layout(case, "apply", image, "--empty=force"), 0, "lost")
    part = cut_out(case, image, partitions(image)["home"])
    same(tool("blkid", "-p", part, check=False).stdout, "", "signature")


@test("every key that the documentation lists as not supported is refused with its version")
def _(case):
    listed = (SOURCE / "docs/layouts.md").read_text().split("### Not supported")[1]
    rows = re.findall(r"^\| `(\w+)=` \| (\d+) \|$", listed.split("## What")[0], re.M)
    assert len(rows) >= 15, rows
    for key, since in rows:
        define(case, a=f"Type=esp;{key}=x")
        expect(layout(case, "plan", case.dir / "i", "--empty=create", "--size=auto"), 3,
               f"{key}= is not supported", *([f"version {since}"] if int(since) > 252 else []))


@test("a real block device gets its partitions, and is refused while it is in use (root)")
def _(case):
    if os.geteuid() != 0:
        raise Skip("loop devices need root")
    define(case, a="Type=linux-generic")
    image = case.dir / "disk.img"
    image.write_bytes(b"")
    os.truncate(image, 100 * MiB)
    made = tool("losetup", "--find", "--show", image, check=False)
    if made.returncode:
        raise Skip("no loop device: " + made.stderr.strip())
    node = made.stdout.strip()
    try:
        assert stat.S_ISBLK(os.stat(node).st_mode)
        tool("dd", "if=/dev/urandom", f"of={node}", "bs=1M", "count=99", "seek=1", "status=none")

        def start():        # all but the zone that undo data takes
            with open(image, "rb") as f:
                return f.read(94 * MiB)
        before = start()
        expect(layout(case, "apply", node, "--empty=allow"), 4, "no place", "--undo FILE",
               "last 5M")
        kept = case.dir / "kept"
        result = layout(case, "apply", node, "--empty=allow", "--undo", kept)
        assert result.code in (0, 7), result    # 7: a kernel that does not re-read this loop
        result = undo(case, node, "--undo", kept)
        assert result.code in (0, 7) and start() == before, result
        define(case, a="Type=linux-generic;SizeMaxBytes=50M")
        result = layout(case, "apply", node, "--empty=allow")
        assert result.code in (0, 7) and "last 5M" in result.out, result
        result = undo(case, node)
        assert result.code in (0, 7) and start() == before, result
        define(case, a="Type=linux-generic;Format=ext4")
        result = layout(case, "apply", node, "--empty=allow", "--no-undo")
        same(list(partitions(node)), ["linux-generic"], "partitions")
        assert result.code in (0, 7), result    # 7: a kernel that does not re-read this loop
        expect(layout(case, "apply", node, "--size=1G"), 2, "files only")
        tool("mkfs.ext4", "-q", "-F", node)
        where = case.dir / "mnt"
        where.mkdir()
        if tool("mount", node, where, check=False).returncode:
            raise Skip("a loop device cannot be mounted here")
        try:
            expect(layout(case, "apply", node, "--empty=force"), 4, "mounted")
        finally:
            tool("umount", where)
    finally:
        tool("losetup", "--detach", node)


if __name__ == "__main__":
    main()
