# SPDX-License-Identifier: Apache-2.0
"""Boot entries, modes, slots and node data by command, checked against the stand-in's files."""
import struct

from lib import (GLOBAL, MiB, cut, expect, fake_initrd, main, need, partitions, same, sha256, test,
                 tool)

LOADER = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"


def install(case):
    case.create()
    expect(case.on("install", "--answers", case.answers()), 0)
    return case


def plant(case, name, data):
    path = case.machine_dir / "vars" / f"{name}-{GLOBAL}"
    path.write_bytes(struct.pack("<I", 7) + data)


def number_of(case, label):
    return next(n for n, e in case.entries()[0].items() if e[0] == label)


def variables(case):
    return {p.name: p.read_bytes() for p in (case.machine_dir / "vars").iterdir()}


def next_of(case):
    path = case.machine_dir / "vars" / f"BootNext-{GLOBAL}"
    return struct.unpack("<H", path.read_bytes()[4:])[0] if path.exists() else None


@test("boot list tells ours, firmware's, network, foreign and phantom entries apart, "
      "and which lead nowhere")
def _(case):
    install(case)
    ours, second = number_of(case, "Slipway A"), number_of(case, "Slipway B")
    vars_dir = case.machine_dir / "vars"
    raw = bytearray((vars_dir / f"Boot{ours:04X}-{GLOBAL}").read_bytes()[4:])
    at = raw.index(bytes([4, 1, 42, 0]))
    raw[at + 24:at + 40] = bytes(16 * [0x5a])            # another disk's partition
    plant(case, "Boot0030", bytes(raw).replace("Slipway A".encode("utf-16-le"),
                                               "OtherOS X".encode("utf-16-le")))
    order = case.entries()[1]
    plant(case, "BootOrder", struct.pack(f"<{len(order) + 2}H", *order, 0x30, 0x2001))
    entries = {e["number"]: e for e in case.on("--json", "boot", "list").json()["entries"]}
    same({n: (e["owner"], e["target"]) for n, e in entries.items()},
         {ours: ("ours", "present"), second: ("ours", "present"), 0: ("firmware", "unknown"),
          1: ("network", "present"), 0x30: ("foreign", "missing"),
          0x2001: ("phantom", "missing")}, "owners and targets")
    expect(case.on("boot", "list"), 0, "MISSING: no disk here has this partition",
           "partition 1 of", "phantom")
    expect(case.on("boot", "show", "30"), 0, "OtherOS X", "stored: ")


@test("every boot edit shows its writes, and --dry-run changes no variable")
def _(case):
    install(case)
    ours, before = f"{number_of(case, 'Slipway A'):04X}", variables(case)
    for edit in (["order", "1"], ["next", ours], ["rename", ours, "Other"], ["delete", ours],
                 ["add", "--uri", "http://boot.example/a.efi"]):
        expect(case.on("boot", *edit, "--dry-run"), 0, "Boot")
        assert case.on("--json", "boot", *edit, "--dry-run").json()["writes"], edit
    same(variables(case), before, "variables")


@test("order, next, rename, add and delete do what they say and read it back")
def _(case):
    install(case)
    ours = number_of(case, "Slipway A")
    old = case.entries()[1]
    expect(case.on("boot", "order", "1"), 0)
    same(case.entries()[1], [1] + [n for n in old if n != 1], "order")
    expect(case.on("boot", "order", f"{ours:04X}"), 0)
    expect(case.on("boot", "rename", f"{ours:x}", "Slipway main"), 0)
    same(case.entries()[0][ours][0], "Slipway main", "label")
    expect(case.on("boot", "add", "--uri", "https://boot.example/uki.efi"), 0)
    new = number_of(case, "Slipway network")
    same(case.entries()[1][-1], new, "last in the order")
    expect(case.on("boot", "next", f"{new:04X}"), 0)
    same(next_of(case), new, "BootNext")
    expect(case.on("boot", "next", f"{new:04X}"), 0, "Nothing to write")
    expect(case.on("boot", "delete", f"{new:04X}"), 0)
    assert new not in case.entries()[0] and new not in case.entries()[1]
    same(next_of(case), None, "BootNext")


@test("what is not ours needs --force and a question")
def _(case):
    install(case)
    before = variables(case)
    expect(case.on("boot", "delete", "0"), 4, "--force")
    expect(case.on("boot", "rename", "1", "mine"), 4, "--force")
    expect(case.on("boot", "delete", "0", "--force"), 4, "nobody is there to confirm")
    same(variables(case), before, "variables")
    expect(case.on("--yes", "boot", "delete", "0", "--force"), 0)
    assert 0 not in case.entries()[0]


@test("an entry for a partition that is not here, a path with slashes, a bad address: refused")
def _(case):
    install(case)
    uuid = case.entries()[0][number_of(case, "Slipway A")][1]
    expect(case.on("boot", "add", "--label", "x", "--partition",
                   "5a5a5a5a-5a5a-5a5a-5a5a-5a5a5a5a5a5a"), 5)
    expect(case.on("boot", "add", "--label", "x", "--partition", uuid, "--file", "/EFI/X.EFI"), 2)
    expect(case.on("boot", "add", "--label", "x", "--partition", uuid), 4, "already")
    expect(case.on("boot", "add", "--label", "x", "--partition", uuid, "--file", "\\EFI\\X.EFI"), 0)
    same(case.entries()[0][number_of(case, "x")][1:], (uuid, "\\EFI\\X.EFI"), "the new entry")
    expect(case.on("boot", "add", "--uri", "ftp://a/x"), 2)
    expect(case.on("boot", "add", "--uri", "http://a/x", "--nic", "02:00:00:00:00:01"), 5)
    expect(case.on("boot", "show", "77"), 5)
    expect(case.on("boot", "next", "zz"), 2)


def restart(case, took_next):
    """What a restart does: another boot id, and BootNext used up unless the firmware ignores it."""
    (case.machine_dir / "run" / "boot-id").unlink()
    if took_next:
        (case.machine_dir / "vars" / f"BootNext-{GLOBAL}").unlink()


def mode(case, *words):
    return expect(case.on("--json", "mode", *words), 0).json()


@test("mode network arms the network, a second time writes nothing, and mode says so in JSON")
def _(case):
    install(case)
    shown = mode(case)
    same((shown["mode"], shown["strategy"]), ("local", "armed"), "as installed")
    before = variables(case)
    assert mode(case, "network", "--dry-run")["writes"]
    same(variables(case), before, "after the dry run")
    same(mode(case)["mode"], "local", "after the dry run")
    mode(case, "network")
    first = number_of(case, "Slipway A")
    same(case.entries()[1][:2], [first, 1], "order: the good slot, then the network")
    same(next_of(case), 1, "BootNext")
    after = variables(case)
    same(mode(case, "network")["written"], 0, "writes of the second time")
    same(mode(case, "keep")["written"], 0, "writes of keep")
    same(variables(case), after, "variables")
    shown = mode(case)
    same((shown["mode"], shown["strategy"], shown["pending"]), ("network", "armed", 0), "mode")
    expect(case.on("status", "--json"), 0, '"mode":"network"')


@test("keep after a restart arms again with one write, and local takes BootNext away")
def _(case):
    install(case)
    mode(case, "network")
    for _ in range(3):
        restart(case, took_next=True)
        done = mode(case, "keep")
        same((done["written"], [w["name"] for w in done["writes"]]), (1, ["BootNext"]), "keep")
    mode(case, "local")
    same(next_of(case), None, "BootNext")


@test("a firmware that ignores BootNext twice gets mode local, said and kept, never strategy order")
def _(case):
    install(case)
    mode(case, "network")
    restart(case, took_next=False)
    same(mode(case, "keep")["mode"], "network", "after the first")
    restart(case, took_next=False)
    expect(case.on("mode", "keep"), 0, "the mode is local now", "BootNext was lost 2 times")
    shown = mode(case)
    same((shown["mode"], shown["strategy"], next_of(case)), ("local", "armed", None), "mode")
    restart(case, took_next=False)
    same(mode(case, "keep")["mode"], "local", "later")
    same(mode(case, "network")["mode"], "network", "when a person says so")


@test("mode network --uri makes one entry, keeps the address on the node, and order is a choice")
def _(case):
    install(case)
    mode(case, "network", "--uri", "http://boot.example/a.efi")
    net = number_of(case, "Slipway network")
    same(next_of(case), net, "BootNext")
    mode(case, "network", "--uri", "http://boot.example/b.efi", "--strategy", "order")
    same(number_of(case, "Slipway network"), net, "the same entry")
    same((case.entries()[1][0], next_of(case)), (net, None), "network first, no BootNext")
    expect(case.on("--yes", "boot", "delete", f"{net:04X}"), 0)
    mode(case, "keep")
    assert "b.efi" in expect(case.on("boot", "list"), 0).out


@test("once sets BootNext alone; an empty slot, hands-off and mistyped words are refused")
def _(case):
    install(case)
    before = case.entries()
    mode(case, "once", "a")
    same((next_of(case), case.entries()), (number_of(case, "Slipway A"), before), "once a")
    same(mode(case)["mode"], "local", "mode")
    expect(case.on("mode", "keep"), 0, "a single start is pending")
    said = expect(case.on("status"), 0, '"Slipway A" once').out
    assert "Before this" not in said, said
    expect(case.on("mode", "once", "b"), 4, "slot B holds no good image", "slipway slots")
    expect(case.on("mode", "once"), 2)
    expect(case.on("mode", "netwrok"), 2)
    expect(case.on("mode", "network", "--strategy", "fast"), 2)
    expect(case.on("mode", "network", "--uri", "ftp://a"), 2)
    mode(case, "hands-off")
    expect(case.on("mode", "once", "a"), 4, "hands-off")
    same(case.entries(), before, "entries and order in hands-off")


@test("the firmware's setup is asked for and taken back; other wishes stay; only if offered")
def _(case):
    install(case)
    wish = case.machine_dir / "vars" / f"OsIndications-{GLOBAL}"
    expect(case.on("boot", "setup"), 5, "cannot be told to open its setup", "press the firmware's")
    assert not wish.exists()
    plant_guid(case, "OsIndicationsSupported", GLOBAL, struct.pack("<Q", 1))
    before = case.entries()
    expect(case.on("boot", "setup"), 0, "The next start opens the firmware's setup.")
    same(wish.read_bytes(), struct.pack("<IQ", 7, 1), "OsIndications")
    wish.write_bytes(struct.pack("<IQ", 7, 0x45))
    same(case.on("--json", "boot", "setup", "none").json(), {"setup": False}, "taken back")
    same(wish.read_bytes(), struct.pack("<IQ", 7, 0x44), "the other wishes")
    same(case.entries(), before, "entries and order")
    expect(case.on("boot", "setup", "no"), 2)


def plant_guid(case, name, guid, data):
    (case.machine_dir / "vars" / f"{name}-{guid}").write_bytes(struct.pack("<I", 6) + data)


def run_from(case, label):
    """As if the node had been started from this slot."""
    number = number_of(case, label)
    plant_guid(case, "BootCurrent", GLOBAL, struct.pack("<H", number))
    plant_guid(case, "LoaderDevicePartUUID", LOADER,
               (case.entries()[0][number][1] + "\0").encode("utf-16-le"))


def promote(case, word, *more, code=0):
    """A promote of a new initrd; word makes it another image."""
    initrd = case.dir / f"initrd-{word}"
    initrd.write_bytes(fake_initrd() + word.encode())
    return expect(case.on("promote", "--kernel", case.dir / "vmlinuz", "--initrd", initrd,
                          "--cmdline", "panic=10", "--trust", "none", *more), code)


def slots(case):
    return {s["slot"]: s for s in case.on("--json", "slots").json()["slots"]}


@test("what does not go with a mode is refused, and the words say what is wrong and what to do")
def _(case):
    install(case)
    before = variables(case), case.on("--json", "slots").out
    for words, text in ((("local", "--uri", "http://a.example/x"), "--uri goes with"),
                        (("hands-off", "--nic", "52:54:00:12:34:56"), "--nic goes with"),
                        (("keep", "--via", "http"), "--via goes with"),
                        (("once", "a", "--uri", "http://a.example/x"), "--uri goes with"),
                        (("once", "network", "--strategy", "order"), "--strategy goes with"),
                        (("network", "--nic", "zz"), '"zz" is not a MAC address'),
                        (("network", "--uri", "ftp://x"), "is not an address to boot from")):
        expect(case.on("mode", *words), 2, text, "->")
    for words in (("boot", "show", "xyz"), ("boot", "add", "--uri", "foo"), ("slots", "foo"),
                  ("node", "set", "foo"), ("node", "set", "hostname=a_b"),
                  ("node", "set", "attest_url=http://x")):
        expect(case.on(*words), 2, "->")
    expect(case.on("boot", "show", "9"), 5, "slipway boot list")
    same((variables(case), case.on("--json", "slots").out), before, "machine")


@test("a switch there and back writes BootNext alone; hands-off writes no variable")
def _(case):
    install(case)
    expect(case.on("mode", "network"), 0)
    first = variables(case)
    for word, written in (("local", 1), ("network", 1), ("network", 0), ("hands-off", 0),
                          ("network", 0)):
        done = mode(case, word)
        same((done["written"], len(done["writes"])), (written, written), f"mode {word}")
        if word == "local":
            assert set(first) - set(variables(case)) == {f"BootNext-{GLOBAL}"}
    same(variables(case), first, "variables")
    same(mode(case)["mode"], "network", "the mode that is kept")


@test("status knows an entry whose label somebody changed, and calls a damaged slot damaged")
def _(case):
    install(case)
    label = "My own name"
    expect(case.on("boot", "rename", f"{number_of(case, 'Slipway A'):04X}", label), 0)
    out = expect(case.on("status"), 0, label, "Slipway B").out
    assert "DAMAGED" not in out, out
    expect(case.on("slots", "verify"), 0, "B  empty")
    part = partitions(case.disk())["slipway-b"]
    with open(case.disk(), "r+b") as disk:
        disk.seek(part["start"] * 512 + 4096)
        disk.write(b"half a file system")
    expect(case.on("status"), 0, "slipway-b      DAMAGED")
    expect(case.on("slots"), 0, "B  DAMAGED")
    expect(case.on("slots", "verify"), 8, "slot B is damaged", "slipway doctor")


@test("promote fills the slot that is not first, puts it first, and does nothing the second time")
def _(case):
    need("mcopy", "fsck.vfat")
    install(case)
    a, b = number_of(case, "Slipway A"), number_of(case, "Slipway B")
    before = slots(case)
    order = case.entries()[1]
    promote(case, "one", "--dry-run")
    same(slots(case), before, "after the dry run")
    promote(case, "one", "--reason", "test")
    after = slots(case)
    same((after["b"]["good"], after["b"]["first"], after["b"]["sequence"], after["b"]["reason"]),
         (True, True, 2, "test"), "slot B")
    same(after["a"]["sha256"], before["a"]["sha256"], "slot A")
    same(case.entries()[1], [b, a] + [n for n in order if n not in (a, b)], "order")
    part = partitions(case.disk())["slipway-b"]
    tool("fsck.vfat", "-n", cut(case.disk(), part, case.dir / "b.img"))
    out = case.dir / "uki"
    tool("mcopy", "-i", case.dir / "b.img", "::/EFI/BOOT/BOOTX64.EFI", out)
    same(sha256(out), after["b"]["sha256"], "hash of the image in slot B")
    assert b"ember.attest_url=https://attest.example/v1" in out.read_bytes()
    expect(promote(case, "one"), 0, "Nothing to do")
    promote(case, "two")
    same({k: s["sequence"] for k, s in slots(case).items()}, {"a": 3, "b": 2}, "sequences")
    expect(case.on("slots", "verify"), 0)


@test("promote takes files as one names them from where one is, and keeps their whole path")
def _(case):
    install(case)
    words = ("promote", "--kernel", "vmlinuz", "--initrd", "initrd", "--cmdline", "x=1",
             "--trust", "none")
    expect(case.on(*words, cwd=case.dir), 0, "Written, read back and verified")
    same({s["slot"]: s for s in case.on("--json", "slots").json()["slots"]}["b"]["source"],
         str(case.dir / "vmlinuz"), "source")
    expect(case.on("promote", "--uki", "nowhere.efi", "--trust", "none"), 5, "nowhere.efi")


@test("promote from a slot never writes the running one, even while the other is first")
def _(case):
    install(case)
    promote(case, "one")                # B is first
    run_from(case, "Slipway A")
    was = slots(case)
    same((was["a"]["running"], was["b"]["first"]), (True, True), "before")
    promote(case, "two")
    now = slots(case)
    same(now["a"]["sha256"], was["a"]["sha256"], "the running slot")
    same((now["b"]["sequence"], now["b"]["first"]), (3, True), "slot B")


@test("promote is refused when the road is unknown, unsigned images are not named trusted, "
      "or a hash is wrong; nothing changes")
def _(case):
    install(case)
    before, was = variables(case), slots(case)
    initrd = case.dir / "initrd"
    words = ["promote", "--kernel", case.dir / "vmlinuz", "--initrd", initrd, "--cmdline", "x"]
    expect(case.on(*words), 4, "whoever can change the file")
    expect(case.on(*words, "--trust", "none", "--sha256", "0" * 64), 8)
    expect(case.on("promote", "--uki", initrd, "--trust", "none"), 3)
    expect(case.on("promote", "--trust", "none"), 2)
    same((variables(case), slots(case)), (before, was), "the node")
    plant_guid(case, "LoaderDevicePartUUID", LOADER,
               (case.entries()[0][number_of(case, "Slipway A")][1] + "\0").encode("utf-16-le"))
    before = variables(case)
    promote(case, "one", code=4)        # BootCurrent says network, the stub says slot A
    same((variables(case), slots(case)), (before, was), "the node")
    expect(case.on("mode"), 0, "disagree")


@test("with Secure Boot on an unsigned image is refused")
def _(case):
    install(case)
    plant_guid(case, "SecureBoot", GLOBAL, b"\1")
    expect(promote(case, "one", code=4), 4, "Secure Boot is on")


@test("rollback puts the other slot first and keep leaves it; the next promote ends it")
def _(case):
    install(case)
    expect(case.on("rollback"), 4, "no other good slot")
    promote(case, "one")
    expect(case.on("rollback", "--dry-run"), 0, "Slipway A")
    same(slots(case)["b"]["first"], True, "after the dry run")
    expect(case.on("rollback"), 0)
    same((slots(case)["a"]["first"], slots(case)["b"]["rolled_back"]), (True, True), "slots")
    same(mode(case, "keep")["written"], 0, "keep")
    expect(promote(case, "one", code=4), 4, "rolled back")
    promote(case, "two")
    now = slots(case)
    same((now["b"]["first"], now["b"]["rolled_back"], now["b"]["sequence"]), (True, False, 3),
         "slot B")


@test("a flipped byte in a slot is found by slots verify, and mode keep puts the good slot first")
def _(case):
    install(case)
    promote(case, "one")
    part = partitions(case.disk())["slipway-b"]
    with open(case.disk(), "r+b") as disk:
        at = part["start"] * 512
        disk.seek(at)
        at += disk.read(32 * MiB).index(fake_initrd()[:64]) + 5000
        disk.seek(at)
        byte = disk.read(1)
        disk.seek(at)
        disk.write(bytes([byte[0] ^ 1]))
    expect(case.on("slots", "verify"), 8, "slot B is bad")
    same(slots(case)["b"]["good"], False, "slot B")
    mode(case, "keep")
    same(slots(case)["a"]["first"], True, "A is first")
    run_from(case, "Slipway A")
    promote(case, "two")
    expect(case.on("slots", "verify"), 0)


@test("node set changes the node data alone, and node config writes it as private files")
def _(case):
    install(case)
    before, was = variables(case), slots(case)
    ca = case.dir / "ca.pem"
    ca.write_text("-----BEGIN\nx\n")
    expect(case.on("node", "set", "hostname=node-08", f"join.ca=@{ca}", "attest_url=https://b/v2",
                   "site=berlin"), 0)
    expect(case.on("node", "set", "site=berlin"), 0, "Nothing to write")
    out = case.dir / "out"
    expect(case.on("node", "config", out), 0, "hostname")
    same({p.relative_to(out).as_posix(): p.read_text() for p in out.rglob("*")
          if p.is_file() and p.name != "node.json"},
         {"hostname": "node-08\n", "attest_url": "https://b/v2\n", "config/site": "berlin",
          "config/join.ca": "-----BEGIN\nx\n"}, "files")
    same({p.stat().st_mode & 0o77 for p in out.rglob("*")}, {0}, "rights of others")
    expect(case.on("node", "set", "site="), 0)
    assert "berlin" not in case.on("status", "--json").out
    for word, code in (("mode=network", 4), ("../x=1", 2), ("hostname=a b", 2), ("novalue", 2),
                       ("attest_url=http://a", 2), ("x=@/nonexistent", 2)):
        expect(case.on("node", "set", word), code)
    same((variables(case), slots(case)), (before, was), "variables and slots")


def network_answers(case, boot, payload=True, **more):
    path = case.answers(replace=[("mode: local", boot)], **more)
    if not payload:
        text = path.read_text()
        path.write_text(text[:text.index("payload:")] + text[text.index("boot:"):])
    return path


@test("an install into mode network arms the first start, and the node's first keep writes nothing "
      "but BootNext")
def _(case):
    case.create()
    answers = network_answers(case, "mode: network\n  network: {uri: http://boot.example/node.efi}")
    expect(case.on("plan", "--answers", answers), 0, '"Slipway network" once at the next boot')
    expect(case.on("install", "--answers", answers), 0)
    a, b, net = (number_of(case, "Slipway " + x) for x in ("A", "B", "network"))
    found, order = case.entries()
    same(order[:3], [a, net, b], "order")
    same(next_of(case), net, "BootNext")
    seen = case.on("--json", "mode").json()
    same((seen["mode"], seen["strategy"], seen["pending"]), ("network", "armed", 0), "mode")
    restart(case, net)
    done = mode(case, "keep")
    same([w["name"] for w in done["writes"]], ["BootNext"], "writes of the first keep")
    expect(case.on("undo", "-y"), 0)
    same((case.entries()[0].get(net), next_of(case)), (None, None), "after undo")


def from_a_stick(case):
    """A node whose machine was started from a stick with a memory test on it."""
    case.create("serial=NODE07SYS,size=4G", "serial=STICK,size=64M,transport=usb",
                extra=("--medium", "STICK"))
    expect(case.on("install", "--answers", case.answers()), 0)
    tool("sgdisk", "-n", "2:2048:+5M", "-t", "2:EF00", case.disk("STICK"))
    (case.machine_dir / "medium/boot").mkdir()
    (case.machine_dir / "medium/boot/memtest.efi").write_text("MZ")


@test("the memory test of a medium is the next start once, and gone after it")
def _(case):
    need("sgdisk")
    from_a_stick(case)
    expect(case.on("mode", "keep"), 0)
    before = variables(case)
    expect(case.on("boot", "memtest", "next"), 2, "is not \"none\"")
    expect(case.on("boot", "memtest", "--restart", "none"), 2, "does not go with none")
    expect(case.on("boot", "memtest", "--dry-run"), 0, "memtest.efi", "once at the next boot")
    same(variables(case), before, "variables")
    expect(case.on("boot", "memtest"), 0, "from minutes to hours", "Esc ends it")
    expect(case.on("boot", "list"), 0, "ours     Slipway memory test (next boot only)",
           "partition 2 of sdb")
    number = number_of(case, "Slipway memory test")
    same((case.entries()[1][-1], next_of(case)), (number, number), "last in the order, and next")
    restart(case, True)
    found = {f["id"]: f["severity"] for f in case.on("--json", "doctor").json()["findings"]}
    same(found.get("memtest-entry"), "info", "finding")
    expect(case.on("mode", "keep"), 0, "the boot entry of a memory test is taken away")
    same(variables(case), before, "variables")


@test("a memory test is restarted into, taken back, and refused where there is none")
def _(case):
    need("sgdisk")
    from_a_stick(case)
    before = variables(case)
    expect(case.on("boot", "memtest", "--restart"), 0, "The machine restarts into the memory test")
    same((case.machine_dir / "run/power").read_text().strip(), "reboot", "power")
    done = expect(case.on("--json", "boot", "memtest", "none"), 0).json()
    same([w["kind"] for w in done["writes"]], ["order", "next", "delete"], "writes")
    same(variables(case), before, "variables")
    (case.machine_dir / "medium/boot/memtest.efi").unlink()
    expect(case.on("boot", "memtest"), 5, "boot/memtest.efi", "newer slipway.iso")
    same(variables(case), before, "variables")


@test("an install without a payload leaves the slots empty and says what is lost")
def _(case):
    case.create()
    answers = network_answers(case, "mode: network\n  strategy: order", payload=False)
    expect(case.on("plan", "--answers", answers), 0, "none: the slots stay empty",
           "nothing starts when the", "panics is started again and")
    expect(case.on("install", "--answers", answers), 0)
    listing = {e["number"]: e for e in case.on("--json", "boot", "list").json()["entries"]}
    order = case.entries()[1]
    same([listing[n]["owner"] for n in order[:3]], ["network", "ours", "ours"], "owners")
    same(next_of(case), None, "BootNext")
    same({k: s["good"] for k, s in slots(case).items()}, {"a": False, "b": False}, "slots")
    promote(case, "one", code=0)
    same(sum(s["good"] for s in slots(case).values()), 1, "good slots after the first promote")


@test("answers for the network that cannot work are refused before anything is written")
def _(case):
    case.create()
    for boot, code, *words in (
            ("mode: network\n  network: {via: pxe, uri: http://boot.example/x}", 3, "via: pxe"),
            ("mode: network\n  network: {uri: ftp://boot.example/x}", 3, "boot.network.uri"),
            ("mode: network\n  network: {nic: 52-54}", 3, "boot.network.nic"),
            ("mode: network\n  network: {nic: 02:00:00:00:00:09}", 5, "for this network card"),
            ("mode: network\n  network: {via: http}", 5, "no network boot entry"),
            ("mode: local\n  network: {uri: http://boot.example/x}", 3, "nothing would use it")):
        before = variables(case)
        expect(case.on("install", "--answers", network_answers(case, boot)), code, *words)
        same(variables(case), before, "variables")
    local = network_answers(case, "mode: local", payload=False)
    expect(case.on("plan", "--answers", local), 3, "payload.kernel")


if __name__ == "__main__":
    main()
