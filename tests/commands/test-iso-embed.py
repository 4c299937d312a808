# SPDX-License-Identifier: Apache-2.0
"""`slipway iso`: answers in an image that was made as the medium is, looked at by xorriso."""
import os

from lib import expect, main, same, test, tool

ESP = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"


def image(case, label="SLIPWAY_MEDIUM"):
    """As installer-iso/lib/image.sh makes it, only small."""
    tree, esp, iso = case.dir / "tree", case.dir / "esp.img", case.dir / "slipway.iso"
    (tree / "boot").mkdir(parents=True)
    for name in ("vmlinuz", "initrd"):
        (tree / "boot" / name).write_bytes(os.urandom(300_000))
    (tree / "packages.txt").write_text("base-files 12\n")
    tool("truncate", "-s", "2M", esp)
    tool("mkfs.vfat", "--invariant", "-F", "12", "-n", "SLIPWAYEFI", esp)
    tool("xorriso", "-report_about", "WARNING", "-as", "mkisofs", "-r", "-J", "-V", label,
         "--modification-date=2026112712000000", "-partition_offset", "16",
         "--gpt_disk_guid", "modification-date", "-append_partition", "2", ESP, esp,
         "-appended_part_as_gpt", "-e", "--interval:appended_partition_2:all::", "-no-emul-boot",
         "-o", iso, tree)
    return iso


def inside(case, iso, name):
    """A file of the image, by another program than ours; None when it is not there."""
    out = case.dir / "extracted"
    out.unlink(missing_ok=True)
    tool("xorriso", "-abort_on", "NEVER", "-return_with", "FATAL", "32", "-osirrox", "on",
         "-indev", f"stdio:{iso}", "-extract", name, out)
    return out.read_bytes() if out.exists() else None


def boots(iso):
    """What firmware goes by: partition table and El Torito, without places and sizes of the ISO."""
    table = tool("sfdisk", "-d", iso).stdout
    torito = tool("xorriso", "-indev", f"stdio:{iso}", "-report_el_torito", "plain").stdout
    esp = next(line for line in table.splitlines() if ESP in line.upper())
    words = dict(w.strip().split("=", 1) for w in esp.split(":", 1)[1].split(",") if "=" in w)
    start, size = int(words["start"]), int(words["size"])
    with open(iso, "rb") as file:
        file.seek(start * 512)
        content = file.read(size * 512)
    return (tool("blkid", "-p", "-s", "UUID", "-o", "value", iso).stdout, words["type"], content,
            next(line.split() for line in table.splitlines() if line.startswith("label-id")),
            [line.split()[4:7] for line in torito.splitlines() if "El Torito boot img" in line])


@test("answers and files are embedded, shown and taken out; what the image starts from stays")
def _(case):
    iso = image(case)
    before, kernel = boots(iso), inside(case, iso, "/boot/vmlinuz")
    answers = case.answers()
    extra = case.dir / "state.key"
    extra.write_text("secret")
    expect(case.run("iso", "show", iso), 0, "nothing is embedded")
    said = expect(case.run("iso", "embed", iso, answers, extra), 0).out
    assert "embedded: slipway.embedded, slipway.yaml, state.key" in said, said
    same(inside(case, iso, "/slipway.yaml"), answers.read_bytes(), "slipway.yaml")
    same(inside(case, iso, "/state.key"), b"secret", "state.key")
    same(inside(case, iso, "/boot/vmlinuz"), kernel, "the kernel")
    same(boots(iso), before, "what it starts from")
    shown = expect(case.run("--json", "iso", "show", iso), 0).json()
    same(shown["answers"], answers.read_text(), "shown")
    # Again, with less: what was there before goes.
    expect(case.run("iso", "embed", iso, case.answers(replace=[("node-07", "node-08")])), 0)
    same(inside(case, iso, "/state.key"), None, "the file of the first time")
    assert b"node-08" in inside(case, iso, "/slipway.yaml")
    expect(case.run("iso", "clear", iso), 0, "nothing is embedded")
    same(inside(case, iso, "/slipway.yaml"), None, "slipway.yaml")
    same(inside(case, iso, "/packages.txt"), b"base-files 12\n", "the medium's own")
    same(boots(iso), before, "what it starts from")
    expect(case.run("iso", "clear", iso), 5, "nothing is embedded")
    same([p.name for p in case.dir.glob("*.part-*")], [], "left behind")


@test("--output leaves the image itself alone")
def _(case):
    iso = image(case)
    before = iso.read_bytes()
    out = case.dir / "rack.iso"
    expect(case.run("iso", "embed", iso, case.answers(), "--output", out), 0)
    same(iso.read_bytes() == before, True, "the image is unchanged")
    assert inside(case, out, "/slipway.yaml")


@test("what cannot be embedded is refused, and the image stays as it was")
def _(case):
    iso = image(case)
    before = iso.read_bytes()
    answers = case.answers()
    bad = case.dir / "bad.yaml"
    bad.write_text("slipway: 1\nnode: {hostnam: x}\nfinish: rebot\n")
    said = expect(case.run("iso", "embed", iso, bad), 3, "bad.yaml:2:8", "bad.yaml:3:9")
    same(said.err, case.run("check", bad).err, "the errors, as check lists them")
    listed = expect(case.run("--json", "iso", "embed", iso, bad), 3).json()
    same(listed["errors"], case.run("--json", "check", bad).json()["errors"], "errors in JSON")
    expect(case.run("iso", "embed", iso, "-"), 2, "not standard input")
    (case.dir / "boot").write_text("")
    expect(case.run("iso", "embed", iso, answers, case.dir / "boot"), 2, "cannot have this name")
    twice = case.dir / "sub"
    twice.mkdir()
    for name in (case.dir / "k", twice / "k"):
        name.write_text("")
    expect(case.run("iso", "embed", iso, answers, case.dir / "k", twice / "k"), 2, "one name")
    expect(case.run("iso", "embed", iso, answers, case.dir / "nothing"), 5, "is not there")
    expect(case.run("iso", "embed", iso, answers, twice), 2, "only files")
    expect(case.run("iso", "embed", case.dir / "none.iso", answers), 5, "cannot be read")
    expect(case.run("iso", "embed", answers, answers), 3, "no image of slipway")
    expect(case.run("iso", "embed", "/dev/null", answers), 2, "written already")
    same(iso.read_bytes() == before, True, "the image is unchanged")
    same([p.name for p in case.dir.glob("*.part-*")], [], "left behind")


@test("an ISO image of something else is not touched")
def _(case):
    iso = image(case, label="DEBIAN")
    before = iso.read_bytes()
    expect(case.run("iso", "embed", iso, case.answers()), 3, "no image of slipway")
    same(iso.read_bytes() == before, True, "the image is unchanged")


@test("answers that do not do by themselves are embedded, and that is said")
def _(case):
    iso = image(case)
    part = case.dir / "base.yaml"
    part.write_text("slipway: 1\nfinish: poweroff\n")
    said = expect(case.run("iso", "embed", iso, part), 0).out
    for word in ("command line has to add to it", "hostname is missing", "payload"):
        assert word in said, (word, said)


main()
