# SPDX-License-Identifier: Apache-2.0
"""The console's tools by keys on a real session: what they show is there, what they copy is whole,
and browsing everything leaves every block of every disk and every variable as it was."""
import hashlib
import json
import os

from console import DOWN, ESC, Console
from lib import MiB, expect, main, need, partitions, same, stick, test, tool
from swtpm import Tpm

STATE = {"etc/hostname": b"node-07\n", "var/log/app.log": b"begin\nthe needle is here\nend\n",
         "bin/blob": bytes(range(256)) * 300, "a b/c'd": b"quoted\n"}


def machine(case):
    """A node whose state has files, in ext4; a stick; a disk with a file system and no table."""
    need("swtpm", "mke2fs", "debugfs", "mdir")
    case.create("serial=NODE07SYS,size=2G,model=Alpha,transport=nvme",
                "serial=STICK77,size=64M,transport=usb",
                "serial=WHOLE,size=64M,transport=sata")
    expect(case.on("install", "--answers", case.answers()), 0)
    disk, root = case.disk(), case.dir / "root"
    for name, data in STATE.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    (root / "link").symlink_to("/etc/shadow")
    part = partitions(disk)["state"]
    tool("mke2fs", "-q", "-t", "ext4", "-d", root, "-F", "-E", f"offset={part['start'] * 512}",
         disk, f"{part['size'] // 2}k")
    image = stick(case)
    config = case.dir / "config"
    config.mkdir()
    (config / "machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    tool("mcopy", "-s", "-i", f"{image}@@1M", config, "::/")
    tool("mke2fs", "-q", "-t", "ext4", "-F", case.disk("WHOLE"))
    return Tpm(case)


def everything(case):
    """The hash of every block of every disk, and each variable as it is."""
    found = {}
    for disk in case.on("--json", "facts").json()["disks"]:
        h = hashlib.sha256()
        with open(disk["node"], "rb") as file:
            while data := file.read(8 * MiB):
                h.update(data)
        found[disk["name"]] = h.hexdigest()
    for path in (case.machine_dir / "vars").iterdir():
        found[path.name] = path.read_bytes()
    return found


def to_the_tools(c):
    c.see("Install a node on this machine", "nothing is wrong with it")
    c.choose("Tools")
    c.see("Disks, partitions, files")


def tool_named(c, name):
    c.choose(name)


def browse_disks(c, numbers):
    """Every partition, and the directories of those that can be looked into."""
    tool_named(c, "Disks")
    c.see("NODE07SYS")
    c.press("\r")
    c.see("One disk in full", "Alpha")
    c.back("Disks and partitions")
    for text in numbers:
        c.choose(text)
        c.see("One partition", "Begins at")
        c.press("\r")
        c.see("Files", "partition ")
        c.see("lost+found" if text == "state" else "EFI" if text == "slipway-a" else "slipway")
        c.back("One partition")
        c.back("Disks and partitions")
    c.back("Tools")


def browse_files(c):
    """Down to a file, a binary, names with blanks and quotes, and a link that is not followed."""
    tool_named(c, "Disks")
    c.see("NODE07SYS")
    c.choose("state")
    c.see("Begins at")
    c.press("\r")
    c.see("lost+found", "a link")
    for folder, file, seen in (("var", "log", "app.log"), ("bin", "blob", "000000  00 01 02"),
                               ("a b", "c'd", "quoted")):
        c.choose(folder)
        c.see(": /" + folder, file)
        c.choose(file)
        c.see(seen)
        if folder == "var":
            c.press("\r")
            c.see("the needle is here")
            c.press("/", *"needle", "\r")
            c.back("app.log")
        c.back(file)
        c.back("lost+found")
    c.choose("link")
    c.see("a link.")
    c.back("One partition")
    c.back("Disks and partitions")
    c.back("Tools")


@test("browsing everything by keys changes no block of any disk and no variable")
def _(case):
    _tpm = machine(case)
    before = everything(case)
    c = Console(case)
    try:
        to_the_tools(c)
        browse_disks(c, ("slipway-a", "slipway-b", "slipway-node", "state"))
        browse_files(c)
        tool_named(c, "Logs")
        c.see("kernel", "none was recorded", "it has no journal")
        c.back("Tools")
        tool_named(c, "TPM")
        c.see("Lockout", "PCR banks")
        c.press("\x1b[6~")
        c.back("Tools")
        tool_named(c, "Hardware")
        c.see("Memory", "eth0", "NODE07SYS")
        c.back("Tools")
        tool_named(c, "Memory test")
        c.see("memtest86+")
        c.back("Tools")
        tool_named(c, "Bundle")
        c.see("facts.json", "Serials, addresses, names")
        c.back("Tools")
        tool_named(c, "Configuration")
        c.see("the stick", "machine-id", "Import this")
        c.back("Tools")
        c.back("Install a node")
        for item, word in (("Find out", "Nothing is wrong"), ("Switch", "Mode"),
                           ("Status", "node-07")):
            c.choose(item)
            c.see(word)
            c.back("Install a node")
        c.press(DOWN, "\r")
        c.see("eth0", "DHCP")
        c.back("Install a node")
    finally:
        c.close()
    same(everything(case), before, "disks and variables")


@test("a file that was found is copied whole; a configuration is imported, and taken back")
def _(case):
    _tpm = machine(case)
    c = Console(case)
    try:
        to_the_tools(c)
        tool_named(c, "Disks")
        c.see("NODE07SYS")
        c.choose("state")
        c.see("Begins at")
        c.press("\r")
        c.see("lost+found")
        c.choose("bin")
        c.see("blob")
        c.press("s")
        c.see("Where to:")
        c.press("\x15", *str(case.dir), "\r")
        c.see("Copied to")
        same((case.dir / "blob").read_bytes(), STATE["bin/blob"], "the copy")
        for title in ("lost+found", "One partition", "Disks and partitions", "Tools"):
            c.back(title)
        tool_named(c, "Configuration")
        c.see("Import this")
        c.choose("Import")
        c.see("into the node data of node-07?")
        c.press(DOWN, "\r")
        c.see("Imported, and read back.", "nothing would change")
        assert node_data(case).get("machine_id"), "it was not imported"
        c.choose("Take")
        c.see("as they were before")
        c.press(DOWN, "\r")
        c.see("as before the import", "new  machine-id")    # it has looked again
        assert not node_data(case).get("machine_id"), "it was not taken back"
        c.back("Tools")
        tool_named(c, "Bundle")
        c.see("facts.json", "Write it")
        c.choose("Write")
        c.see("Where to:")
        c.press("\r")
        c.see("Its code", "begin-base64")
    finally:
        c.close()
    listed = tool("mdir", "-b", "-i", f"{case.disk('STICK77')}@@1M", "::/").stdout
    assert ".tar.gz" in listed, listed


def files_of_state(c, seen):
    """What the files of the state say, with nothing of an earlier look left on the screen."""
    tool_named(c, "Disks")
    c.see("NODE07SYS")
    c.choose("state")
    c.see("Begins at")
    c.press("\r")
    c.see(": /", seen)
    for title in ("One partition", "Disks and partitions", "Tools"):
        c.back(title)


@test("an encrypted state and a torn file system say why they cannot be looked into")
def _(case):
    _tpm = machine(case)
    disk = case.disk()
    start = partitions(disk)["state"]["start"] * 512
    c = Console(case)
    try:
        to_the_tools(c)
        with open(disk, "r+b") as file:     # all but the superblock
            file.seek(start + 2048)
            file.write(os.urandom(MiB))
        files_of_state(c, "the file system cannot be read")
        with open(disk, "r+b") as file:
            file.seek(start)
            file.write(b"LUKS\xba\xbe\0\2" + bytes(4088))
        tool_named(c, "Disks")
        c.see("NODE07SYS")
        c.choose("state")
        c.see("Encrypted and locked")
        c.press("\r")
        c.see("Its passphrase or recovery key")
        c.press(*"sesame", "\r")
        c.see("a stand-in has no kernel that does it")
        for title in ("One partition", "Disks and partitions", "Tools"):
            c.back(title)
        tool_named(c, "Logs")
        c.see("it is encrypted, and")
    finally:
        c.close()


def node_data(case):

    out = case.dir / "given"
    tool("rm", "-rf", out)
    expect(case.on("node", "config", out), 0)
    return json.loads((out / "node.json").read_text())


main()
