# SPDX-License-Identifier: Apache-2.0
"""Doctor looks into a state that is encrypted or on a mirror, and writes nothing.

What is inside is made by mke2fs and debugfs, and encrypted by cryptsetup, never by slipway.
"""
import contextlib

from console import DOWN, Console
from lib import MiB, cut, expect, fingerprint, main, need, partitions, same, test, tool

KEY = b"sesame street"


def ext4(path, *requests, size=40):
    """An ext4 of so many MiB on which debugfs did these."""
    with open(path, "wb") as file:
        file.truncate(size * MiB)
    tool("mke2fs", "-q", "-t", "ext4", "-F", path)
    for words in requests:
        tool("debugfs", "-w", "-R", words, path)
    return path


def encrypted(case, path):
    """The image in place as LUKS2 with KEY; its header takes what is added at its end."""
    key = case.dir / "key"
    key.write_bytes(KEY)
    with open(path, "ab") as file:
        file.truncate(path.stat().st_size + 32 * MiB)
    tool("cryptsetup", "reencrypt", "--encrypt", "--batch-mode", "--type", "luks2", "--pbkdf",
         "pbkdf2", "--pbkdf-force-iterations", "1000", "--reduce-device-size", "32M",
         "--key-file", key, path)
    return path


def put(case, image, serial="NODE07SYS", skip=0):
    """Over the beginning of the state."""
    start = partitions(case.disk(serial))["state"]["start"] * 512 + skip
    with open(case.disk(serial), "r+b") as disk:
        disk.seek(start)
        disk.write(image.read_bytes())


def findings(case, *args, code=0):
    """Those about a state; what else is said of a new node is none of this test's."""
    found = expect(case.on("--json", "doctor", *args), code).json()["findings"]
    return {f["id"]: f for f in found if "/state" in f["id"]}


def whole(case, serial="NODE07SYS"):
    return fingerprint(case.disk(serial), 0, case.disk(serial).stat().st_size)


def install_encrypted(case):
    """A state that the TPM opens, and the file that is returned."""
    case.create("serial=NODE07SYS,size=1400M,model=Alpha,transport=nvme")
    (case.dir / "key").write_bytes(KEY)
    layout = case.own_layout("encrypted")
    conf = layout / "40-state.conf"
    conf.write_text(conf.read_text().replace("Encrypt=tpm2", "Encrypt=key-file+tpm2"))
    answers = case.answers(replace=[
        ("  layout: node", f"  layout: {layout}\n  keyfile: {case.dir}/key")])
    expect(case.on("install", "--answers", answers), 0)
    return case.dir / "key"


@test("an encrypted state is locked, which is no fault; --open looks into it by the TPM")
def _(case):
    need("swtpm", "cryptsetup")
    install_encrypted(case)
    before = whole(case)
    locked = findings(case)["nvme0n1/state-locked"]
    same((locked["severity"], locked.get("repair")), ("info", None), "locked")
    assert "doctor --open" in locked["advice"], locked
    same(set(findings(case, "--open")), set(), "findings by the TPM")
    same(set(findings(case, "--open", "--given", case.dir / "key")), set(), "by the key")
    wrong = case.dir / "wrong"
    wrong.write_bytes(b"no key at all")
    locked = findings(case, "--open", "--given", wrong)["nvme0n1/state-locked"]
    assert "does not open it" in locked["evidence"], locked
    same(whole(case), before, "the disk")


@test("what is wrong with an encrypted state is found as with a plain one; nothing is written")
def _(case):
    need("swtpm", "cryptsetup", "debugfs")
    case.create("serial=NODE07SYS,size=1400M,model=Alpha,transport=nvme")
    expect(case.on("install", "--answers", case.answers()), 0)
    key = case.dir / "key"
    for requests, identity, word in (
            (["ssv state 2"], "nvme0n1/state", "errors were met"),
            (["ssv free_blocks_count 3"], "nvme0n1/state-full", "3K of 40M are free")):
        put(case, encrypted(case, ext4(case.dir / "inner", *requests)))
        before = whole(case)
        same(set(findings(case)), {"nvme0n1/state-locked", "nvme0n1/state-other"},
             "without a key")
        found = findings(case, "--open", "--given", key, code=8)[identity]
        same((found["severity"], found.get("repair")), ("warning", None), identity)
        assert word in found["evidence"], found
        same(whole(case), before, "the disk")
    put(case, encrypted(case, ext4(case.dir / "inner", "ssv state 2")))
    advice = findings(case, "--open", "--given", key, code=8)["nvme0n1/state"]["advice"]
    assert "encrypted partition" in advice and "e2fsck" in advice, advice


@test("in an encrypted state that is the node's own another file system is told as information")
def _(case):
    need("swtpm", "cryptsetup")
    key = install_encrypted(case)
    place = partitions(case.disk())["state"]
    part = case.dir / "part"
    cut(case.disk(), place, part)
    uuid = tool("cryptsetup", "luksUUID", part).stdout.strip()
    image = encrypted(case, ext4(case.dir / "inner"))
    tool("cryptsetup", "luksUUID", "-q", "--uuid", uuid, image)
    put(case, image)
    same(set(findings(case)), {"nvme0n1/state-locked"}, "closed")
    found = findings(case, "--open", "--given", key)
    same(set(found), {"nvme0n1/state-other"}, "open")
    found = found["nvme0n1/state-other"]
    assert "an encrypted partition in partition 4 of nvme0n1 holds ext4 " in found["evidence"], \
        found


def where_it_is(case, secret):
    """Files of the machine, but for its disks, that hold these bytes."""
    return [p for p in case.machine_dir.rglob("*")
            if p.is_file() and p.stat().st_size < 64 * MiB and secret in p.read_bytes()]


@test("by keys: doctor asks for a state's key, again after a wrong one, and shows what is in it")
def _(case):
    need("swtpm", "cryptsetup", "debugfs")
    case.create("serial=NODE07SYS,size=1400M,model=Alpha,transport=nvme")
    expect(case.on("install", "--answers", case.answers()), 0)
    put(case, encrypted(case, ext4(case.dir / "inner", "ssv state 2")))
    before = whole(case)
    with contextlib.closing(Console(case)) as c:
        c.see("Find out why it does not boot", "nothing is wrong outside its encrypted state")
        c.press(DOWN, "\r")
        c.see("Nothing is wrong outside the encrypted state.",
              "the state is encrypted, and was not looked into")
        c.choose("encrypted")
        c.see("One finding", "Enter look into it")
        c.press("\r")
        c.see("The key of the state", "Enter alone asks")
        c.press("\r")                           # no TPM has a seal of it
        c.see("the state stays closed", "has no seal of a TPM")
        for typed, seen in (("no key at all", "does not open it"),
                            (KEY.decode(), "The state was opened, and looked into.")):
            c.press(typed)
            c.redraw()
            assert typed not in c.screen.text(), c.screen.text()
            c.press("\r")
            c.see(seen)
        c.see("the file system of the state")
        same(where_it_is(case, KEY), [], "files with the key")
        c.back("Power the machine off")
        c.see("1 thing is wrong: the file system of the state")
        c.choose("Find out")
        c.see("What is wrong", "was not looked into")    # the key is forgotten
        c.back("Power the machine off")     # ... and nothing is said of what was not looked into
        c.see("nothing is wrong outside its encrypted state")
    same(whole(case), before, "the disk")


@test("a state on a mirror is looked into on each member, an encrypted one once; never repaired")
def _(case):
    need("debugfs", "cryptsetup")
    case.create("serial=NODE07SYS,size=1400M,model=Alpha,transport=nvme",
                "serial=NODE07TWO,size=1400M,model=Beta,transport=nvme")
    answers = case.answers(replace=[
        ("  layout: node", "  layout: mirror\n  more:\n    - match: {serial: NODE07TWO}\n"
                           "      wipe: any")])
    expect(case.on("install", "--answers", answers), 0)
    same(set(findings(case)), set(), "a healthy mirror")
    image = ext4(case.dir / "inner", "ssv state 2")
    put(case, image, skip=MiB)
    put(case, image, "NODE07TWO", skip=MiB)
    sealed = encrypted(case, image)
    before = whole(case), whole(case, "NODE07TWO")
    found = findings(case, code=8)
    for name in ("nvme0n1/state", "nvme1n1/state"):
        same((found[name]["severity"], found[name].get("repair")), ("warning", None), name)
        assert "a mirror" in found[name]["advice"], found[name]
    same((whole(case), whole(case, "NODE07TWO")), before, "the disks")
    for serial in ("NODE07SYS", "NODE07TWO"):
        put(case, sealed, serial, skip=MiB)
    before = whole(case), whole(case, "NODE07TWO")
    locked = findings(case)
    others = {"nvme0n1/state-other", "nvme1n1/state-other"}     # the install did not encrypt it
    same(set(locked), {"nvme0n1/state-locked"} | others, "without a key")
    assert "a mirror that holds LUKS2" in locked["nvme0n1/state-locked"]["evidence"], locked
    found = findings(case, "--open", "--given", case.dir / "key", code=8)
    same(set(found), {"nvme0n1/state", "nvme1n1/state-other"}, "with it")
    assert "an encrypted partition" in found["nvme0n1/state"]["advice"], found
    same((whole(case), whole(case, "NODE07TWO")), before, "the disks")


main()
