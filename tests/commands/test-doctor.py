# SPDX-License-Identifier: Apache-2.0
"""slipway doctor: real damage by dd, sgdisk and edited variables; found, repaired, taken back."""
import json
import os
import re
import shutil
import signal
import struct

from lib import (GLOBAL, MiB, SLIPWAY, expect, fake_initrd, fingerprint, main, need, partitions,
                 same, test, tool)
from swtpm import Bus, Tpm

SECTOR = 512
GET_CAPABILITY = 0x17a        # TPM2_CC_GetCapability


def one_slot(case):
    case.create()
    expect(case.on("install", "--answers", case.answers()), 0)


def two_slots(case):
    one_slot(case)
    initrd = case.dir / "initrd-second"
    initrd.write_bytes(fake_initrd() + b"second")
    expect(case.on("promote", "--kernel", case.dir / "vmlinuz", "--initrd", initrd,
                   "--cmdline", "", "--trust", "none"), 0)


def install(case, second=True):
    case.payload()
    return case.copy_of(two_slots if second else one_slot)


def everything(case):
    """All disks and all variables: what an examination must leave alone."""
    disks = {d["name"]: d["node"] for d in case.on("--json", "facts").json()["disks"]}
    found = {name: fingerprint(node) for name, node in disks.items()}
    for path in (case.machine_dir / "vars").iterdir():
        found[path.name] = path.read_bytes()
    return found


def write_at(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def findings(case, code):
    done = expect(case.on("--json", "doctor"), code)
    return {f["id"]: f for f in done.json()["findings"]}


def name_of(case):
    return next(d["name"] for d in case.on("--json", "facts").json()["disks"]
                if d.get("serial") == "NODE07SYS")


def check_repair(case, identity, severity, more=()):
    """Found; only read; shown; repaired; taken back byte for byte; repaired again."""
    damaged = everything(case)
    found = findings(case, 8)
    assert identity in found, f"{identity} is not among {list(found)}"
    finding = found[identity]
    same(finding["severity"], severity, identity)
    for part in ("what", "evidence", "effect"):
        assert finding[part], part
    expect(case.on("doctor"), 8, identity, finding["what"])
    expect(case.on("doctor", "--repair", identity, "--dry-run"), 0, finding["repair"]["text"])
    expect(case.on("doctor", "--repair", identity), 4, "nobody is there to confirm")
    same(everything(case), damaged, "what was examined only")
    undo = case.dir / "undo.json"
    expect(case.on("--yes", "doctor", "--repair", identity, "--save", undo), 0, "is gone")
    left = findings(case, 8 if more else 0)
    assert identity not in left, left
    same(sorted(i for i, f in left.items() if f["severity"] != "info"), sorted(more), "left")
    repaired = everything(case)
    expect(case.on("--yes", "doctor", "--undo", undo), 0, "Taken back")
    same(everything(case), damaged, "after undo")
    expect(case.on("--yes", "doctor", "--undo", undo), 0)      # one that was cut off is repeated
    same(everything(case), damaged, "undone twice")
    expect(case.on("--yes", "doctor", "--repair", identity), 0)
    same({n: v for n, v in everything(case).items()}, repaired, "repaired again")


@test("a healthy node gives no finding above information, and the examination writes nothing")
def _(case):
    install(case, second=False)
    before = everything(case)
    found = findings(case, 0)
    same({i: f["severity"] for i, f in found.items() if i != "admission-attest"},
         {"slot-b": "info"}, "findings")
    same(found.get("admission-attest", {}).get("severity", "info"), "info", "not admitted yet")
    expect(case.on("doctor"), 0, "Nothing is wrong.", "slot B is empty")
    same(everything(case), before, "disks and variables")
    case.machine_dir = case.dir / "empty"
    expect(case.run("machine", "create", case.machine_dir, "--disk", "serial=X,size=1G"), 0)
    same({i: f["severity"] for i, f in findings(case, 0).items()}, {"no-node": "info"},
         "findings on an empty machine")


@test("status names what the node runs on and what is likely to go wrong next, and writes nothing")
def _(case):
    install(case, second=False)
    before = everything(case)
    told = expect(case.on("--json", "status"), 0).json()
    same([p["id"] for p in told["soon"]], ["one-image"], "of a healthy node with one image")
    same((told["machine"]["firmware"], told["machine"]["tpm"]), ("uefi", True), "machine")
    expect(case.on("status"), 0, "Firmware        UEFI; TPM 2.0", "can seal",
           "Disks           ", "Most likely to go wrong next:\n1. one good image", "   -> ")
    same(everything(case), before, "disks and variables")
    write_at(case.disk(), SECTOR + 40, b"\xff" * 8)
    told = expect(case.on("--json", "status"), 0).json()
    same([p["severity"] for p in told["soon"]], ["error", "ahead"], "with a damaged table")
    assert "slipway doctor --repair" in told["soon"][0]["advice"], told["soon"]
    case.machine_dir = case.dir / "empty"
    expect(case.run("machine", "create", case.machine_dir, "--disk", "serial=X,size=1G"), 0)
    expect(case.on("status"), 0, "Nothing is wrong, and no problem is in sight.")


def table_damage(case, identity, severity, damage, more=()):
    need("sgdisk", "sfdisk")
    install(case)
    image = case.disk()
    before = partitions(image)
    damage(image)
    check_repair(case, f"{name_of(case)}/{identity}", severity, more)
    out = tool("sgdisk", "-v", image).stdout
    assert "No problems found" in out, out
    same({n: (p["uuid"], p["start"], p["size"], p["type"]) for n, p in partitions(image).items()},
         {n: (p["uuid"], p["start"], p["size"], p["type"]) for n, p in before.items()},
         "partitions")


@test("the primary GPT header is damaged: written anew from the backup, and taken back")
def _(case):
    table_damage(case, "gpt-primary", "error", lambda i: write_at(i, SECTOR + 40, b"\xff" * 8))


@test("the primary GPT entries are damaged: written anew from the backup")
def _(case):
    table_damage(case, "gpt-primary", "error", lambda i: write_at(i, 2 * SECTOR, b"\0" * 128))


@test("the backup GPT is damaged: written anew from the primary")
def _(case):
    table_damage(case, "gpt-backup", "warning",
                 lambda i: write_at(i, i.stat().st_size - SECTOR, b"\0" * SECTOR))


@test("the disk has grown: the backup GPT goes to its end")
def _(case):
    def grow(image):
        with open(image, "r+b") as file:
            file.truncate(image.stat().st_size + 512 * MiB)
    table_damage(case, "gpt-grown", "warning", grow)


@test("the protective MBR is lost: written anew")
def _(case):
    table_damage(case, "gpt-mbr", "error", lambda i: write_at(i, 0, b"\0" * SECTOR))


@test("the two GPT copies differ: the primary counts")
def _(case):
    need("sgdisk")

    def differ(image):
        size = image.stat().st_size
        with open(image, "rb") as file:
            file.seek(size - 33 * SECTOR)
            old = file.read()
        tool("sgdisk", "-U", "R", image)
        write_at(image, size - 33 * SECTOR, old)
    table_damage(case, "gpt-differ", "warning", differ)


def lose_both(image):
    write_at(image, SECTOR + 40, b"\xff" * 8)
    write_at(image, image.stat().st_size - SECTOR + 40, b"\xff" * 8)


@test("both GPT copies are damaged: written as the install's journal says, to the byte, and back")
def _(case):
    install(case)
    image = case.disk()
    whole = everything(case)
    lose_both(image)
    before = everything(case)
    identity = f"{name_of(case)}/gpt-lost"
    found = findings(case, 8)[identity]
    same((found["severity"], found["sure"]), ("error", "certain"), "gpt-lost")
    assert "not found with this one" in found["repair"]["loses"], found
    code, shown = case.at_terminal(lambda text: "yes" if text.endswith("this: ") else None,
                                   "doctor", "--repair", identity)
    same(code, 130, shown)
    same(everything(case), before, "what was not confirmed")
    undo = case.dir / "undo.json"
    expect(case.on("--yes", "doctor", "--repair", identity, "--save", undo), 0, "is gone")
    same(everything(case), whole, "after the repair")
    expect(case.on("--yes", "doctor", "--undo", undo), 0)
    same(everything(case), before, "after the undo")


@test("both GPT copies, the journal and a copy of the node data: said, with no repair that guesses")
def _(case):
    install(case)
    image = case.disk()
    size, data = image.stat().st_size, partitions(image)["slipway-node"]["start"] * SECTOR
    lose_both(image)
    write_at(image, size // MiB * MiB - 5 * MiB, bytes(4096))
    write_at(image, data, bytes(4096))
    before = everything(case)
    found = findings(case, 8)[f"{name_of(case)}/gpt-lost"]
    same((found["severity"], "repair" in found), ("error", False), "gpt-lost")
    expect(case.on("--yes", "doctor", "--repair", found["id"]), 4, "cannot repair")
    same(everything(case), before, "disks")


@test("with no good slot left an image from elsewhere fills one by promote, and the node is whole")
def _(case):
    install(case)
    for label in ("slipway-a", "slipway-b"):
        write_at(case.disk(), slot_at(case, label), bytes(512))
    found = findings(case, 8)
    assert "--repair slot-a --image" in found["slot-a"]["advice"], found
    kernel, initrd = case.payload()
    expect(case.on("promote", "--kernel", kernel, "--initrd", initrd, "--cmdline",
                   "console=ttyS0", "--trust", "none"), 0)
    for _ in range(6):
        left = [i for i, f in findings_now(case).items()
                if "repair" in f and f["severity"] != "info"]
        if not left:
            break
        expect(case.on("--yes", "doctor", "--repair", left[0]), 0, "is gone")
    same([i for i, f in findings_now(case).items() if f["severity"] != "info"], [], "what is left")


@test("an image without console= is told; to who works at a serial line as a warning")
def _(case):
    case.create()
    expect(case.on("install", "--yes", "--answers",
                   case.answers(replace=[("console=ttyS0,115200 panic=10", "quiet panic=10")])), 0)
    same(findings_now(case)["console-a"]["severity"], "info", "nobody at a serial line")
    proc = case.machine_dir / "proc"
    proc.mkdir(exist_ok=True)
    (proc / "cmdline").write_text("quiet console=ttyS1,115200 console=tty0\n")
    found = findings_now(case)["console-a"]
    same(found["severity"], "warning", "at a serial line")
    assert "console=ttyS1" in found["evidence"] and found["advice"], found


def findings_now(case):
    return {f["id"]: f for f in case.on("--json", "doctor").json()["findings"]}


def slot_at(case, label):
    return partitions(case.disk())[label]["start"] * SECTOR


@test("a slot whose image was altered is filled again from the other one")
def _(case):
    install(case)
    at = slot_at(case, "slipway-a")
    with open(case.disk(), "rb") as file:
        file.seek(at)
        block = file.read(64 * MiB)
    write_at(case.disk(), at + block.index(b"HdrS") + 4096, b"altered")
    check_repair(case, "slot-a", "warning", ["boot-order"])     # both are equally new now
    seen = findings_now(case)["boot-order"]["evidence"]
    assert re.match('it is ("Slipway [AB]", "Slipway [AB]"), .*; for mode local: start in the '
                    r'order (?!\1)"Slipway', seen), seen
    expect(case.on("--yes", "doctor", "--repair", "boot-order"), 0)
    findings(case, 0)
    expect(case.on("slots", "verify"), 0)


@test("a slot whose boot sector is zeroed is filled again from the other one")
def _(case):
    install(case)
    write_at(case.disk(), slot_at(case, "slipway-b"), b"\0" * SECTOR)
    check_repair(case, "slot-b", "warning", ["boot-order"])
    slots = {s["slot"]: s for s in case.on("--json", "slots").json()["slots"]}
    same(slots["a"]["sha256"], slots["b"]["sha256"], "both slots")


@test("both slots bad: an error with advice, and no repair from nothing")
def _(case):
    install(case)
    for label in ("slipway-a", "slipway-b"):
        write_at(case.disk(), slot_at(case, label), b"\0" * SECTOR)
    found = findings(case, 8)
    same({i: f["severity"] for i, f in found.items() if i.startswith("slot")},
         {"slot-a": "error", "slot-b": "error"}, "slots")
    assert "repair" not in found["slot-a"] and "--image" in found["slot-a"]["advice"]
    said = expect(case.on("doctor"), 8, "cannot put this right by itself")
    assert "puts one thing right" not in said.err, said
    lines = case.at_terminal(lambda shown: None, "doctor")[1].splitlines()
    assert max(map(len, lines)) < 80 < max(map(len, said.out.splitlines())), lines
    same(" ".join(" ".join(lines).split()), " ".join((said.out + said.err).split()), "the words")


@test("either copy of the node data is written from the other; both lost is an error")
def _(case):
    install(case)
    part = partitions(case.disk())["slipway-node"]
    at, half = part["start"] * SECTOR, part["size"] * SECTOR // 2
    write_at(case.disk(), at + 4096, b"XX")
    check_repair(case, "node-data-copy", "warning")
    write_at(case.disk(), at + half, b"XX")
    expect(case.on("--yes", "doctor", "--repair", "node-data-copy"), 0)
    expect(case.on("node", "config", case.dir / "config"), 0)
    for offset in (at, at + half):
        write_at(case.disk(), offset, b"XX")
    same(findings(case, 8)["node-data"]["severity"], "error", "node data")


def variable(case, name):
    return case.machine_dir / "vars" / f"{name}-{GLOBAL}"


def number_of(case, label):
    return next(n for n, e in case.entries()[0].items() if e[0] == label)


@test("a slot without its boot entry gets one, in its place in the order")
def _(case):
    install(case)
    variable(case, f"Boot{number_of(case, 'Slipway A'):04X}").unlink()
    damaged = everything(case)
    found = findings(case, 8)
    same(found["entry-a"]["severity"], "warning", "entry-a")
    same(everything(case), damaged, "what was examined only")
    undo = case.dir / "u.json"
    expect(case.on("--yes", "doctor", "--repair", "entry-a", "--repair", "boot-order", "--save",
                   undo), 0, "put right already") if "boot-order" in found else \
        expect(case.on("--yes", "doctor", "--repair", "entry-a", "--save", undo), 0)
    same([f for f in findings(case, 0).values() if f["severity"] != "info"], [], "left")
    expect(case.on("--yes", "doctor", "--undo", undo), 0)
    assert "entry-a" in findings(case, 8)


@test("two entries for one slot become one")
def _(case):
    install(case)
    data = variable(case, f"Boot{number_of(case, 'Slipway A'):04X}").read_bytes()
    variable(case, "Boot0055").write_bytes(data)
    check_repair(case, "entry-a", "warning")


@test("a disk from another machine: one finding with one repair, and the entries are there")
def _(case):
    install(case)
    for label in ("Slipway A", "Slipway B"):
        variable(case, f"Boot{number_of(case, label):04X}").unlink()
    for path in (case.machine_dir / "vars").glob("SlipwayBoot-*"):
        path.unlink()
    check_repair(case, "firmware-new", "warning")
    same(case.entries()[0][case.entries()[1][0]][0], "Slipway B", "the newest slot is first")


@test("a healthy node of each layout gives no finding above information")
def _(case):
    more = "  more: [{match: {serial: DATA4711}, wipe: any}]\n"
    for layout, others in (("node", ""), ("diskless", ""), ("mirror", more), ("two-tier", more)):
        case.create()
        answers = case.answers(replace=[("layout: node\n", f"layout: {layout}\n"),
                                        ("  wipe: any\n", "  wipe: any\n" + others)])
        expect(case.on("install", "--yes", "--answers", answers), 0)
        found = expect(case.on("--json", "doctor"), 0).json()["findings"]
        same([f["id"] for f in found if f["severity"] != "info"], [], layout)
        shutil.rmtree(case.machine_dir)


def machine_yaml(case, *pairs):
    path = case.machine_dir / "machine.yaml"
    text = path.read_text()
    for old, new in pairs:
        assert old in text, f"{old!r} is not in {text}"
        text = text.replace(old, new, 1)
    path.write_text(text)


def one_more(case, identity, severity, *words):
    """Nothing but this one is found, it says so in words and what to do, and nothing is written."""
    before = everything(case)
    found = findings(case, 8)
    same([i for i, f in found.items() if f["severity"] != "info"], [identity], "findings")
    finding = found[identity]
    same(finding["severity"], severity, identity)
    said = " ".join((finding["what"], finding["evidence"], finding["advice"]))
    for word in words:
        assert word in said, f"{word!r} is not said: {finding}"
    assert finding["advice"] and "repair" not in finding, finding
    same(everything(case), before, "disks and variables")


@test("a disk that says it is failing is an error, a worn one a warning, each with its own words")
def _(case):
    install(case, second=False)
    disk = name_of(case)
    plain = (case.machine_dir / "machine.yaml").read_text()
    for recorded, severity, word in (("nvme-failing", "error", "failing"),
                                     ("nvme-worn", "warning", "worn")):
        shutil.copy("tests/fuzz/corpus/health/" + recorded, case.machine_dir / "smart.json")
        (case.machine_dir / "machine.yaml").write_text(plain)
        machine_yaml(case, ("image: disk-1.img\n", "image: disk-1.img\n    health: smart.json\n"))
        one_more(case, f"{disk}/health", severity, word)


def bytes_read(case, *command):
    """What the command reads of the first disk's image, by strace."""
    log = case.dir / "trace"
    tool("strace", "-f", "-y", "-e", "trace=pread64,read", "-o", log,
         os.path.abspath(SLIPWAY), "--machine", case.machine_dir, *command)
    return sum(int(found.group(1)) for found in
               re.finditer(r"disk-1\.img>.* = (\d+)$", log.read_text(), re.M))


@test("status reads a node's image once, and of it not again what its kernel is told")
def _(case):
    need("strace")
    case.payload()
    initrd = case.dir / "initrd-large"
    initrd.write_bytes(fake_initrd() + bytes(24 * MiB))
    one_slot(case)
    expect(case.on("promote", "--kernel", case.dir / "vmlinuz", "--initrd", initrd,
                   "--cmdline", "console=ttyS0", "--trust", "none"), 0)
    for command in ("status", "slots"):
        read = bytes_read(case, command)
        assert 24 * MiB <= read < 44 * MiB, f"{command}: {read / MiB:.0f} MiB are read"


@test("a full variable store names what fills it: a variable, or dumps, which go and come back")
def _(case):
    install(case, second=False)
    space = vars_free(case)
    blobs = fill_vars(case, "VendorBlob%u-12345678-1234-1234-1234-123456789abc", space, 7)
    one_more(case, "nvram-full", "warning", "VendorBlob", "boot delete")
    for path in blobs:
        path.unlink()
    dumps = fill_vars(case, "dump-type0-%u-1-1700000000-C-cfc8fc79-be2e-4ddc-97f0-9f98bfe298a0",
                      space, 10)
    before = {path.name: path.read_bytes() for path in dumps}
    found = findings(case, 8)["nvram-dumps"]
    same(found["severity"], "warning", "nvram-dumps")
    assert "10 crash dumps" in found["evidence"] and found["repair"]["undo"], found
    dumps_go_and_come_back(case, before)


def dumps_go_and_come_back(case, before):
    """Kept as files where --save says; undone, the firmware has them again, to the byte."""
    undo = case.dir / "stick" / "dumps.json"
    undo.parent.mkdir()
    expect(case.on("--yes", "doctor", "--repair", "nvram-dumps", "--save", undo), 0, "is gone")
    where = case.machine_dir / "vars"
    assert not list(where.glob("dump-type*")), "a dump is left"
    kept = {path.name: path.read_bytes() for path in (case.dir / "stick/dumps.json.vars").iterdir()}
    same(kept, {name[:-37]: data[4:] for name, data in before.items()}, "files on the stick")
    expect(case.on("doctor"), 0)
    expect(case.on("--yes", "doctor", "--undo", undo), 0)
    same({p.name: p.read_bytes() for p in where.glob("dump-type*")}, before, "after the undo")


def fill_vars(case, name, space, n):
    """All but some 800 to 2000 bytes, in n variables; the store counts names along."""
    paths = [case.machine_dir / "vars" / (name % (i + 1)) for i in range(n)]
    each = (space - 800) // n - 2 * len(paths[0].name) - 60
    for path in paths:
        path.write_bytes(struct.pack("<I", 7) + bytes(each))
    assert 0 < vars_free(case) < 2048, vars_free(case)
    return paths


def vars_free(case):
    out = case.dir / "bundle.tar.gz"
    expect(case.on("bundle", "-o", out), 0)
    told = tool("tar", "-xzOf", out, "slipway-bundle/variables.json").stdout
    return json.loads(told)["store_free"]


@test("a network card that is gone is an error of a node that starts from it")
def _(case):
    install(case, second=False)
    entry = variable(case, "Boot0001")
    entry.write_bytes(entry.read_bytes().replace(bytes.fromhex("525400123456"),
                                                 bytes.fromhex("020000000099")))
    expect(case.on("mode", "network", "--nic", "02:00:00:00:00:99"), 0)
    found = findings(case, 8)
    same(found["nic-gone"]["severity"], "error", "nic-gone")
    assert "02:00:00:00:00:99" in found["nic-gone"]["evidence"]


@test("a TPM that does not answer is not told as one that is gone")
def _(case):
    tpm = Tpm(case.create())
    expect(case.on("--yes", "install", "--answers", case.answers()), 0)
    tpm.child.send_signal(signal.SIGSTOP)
    try:
        one_more(case, "tpm-silent", "error", "does not answer", "off and on again")
    finally:
        tpm.child.send_signal(signal.SIGCONT)


@test("a TPM that answers late on a busy machine is told as slow, not as broken")
def _(case):
    tpm = Tpm(case.create())
    expect(case.on("--yes", "install", "--answers", case.answers()), 0)
    bus = Bus(tpm)
    bus.rules[GET_CAPABILITY] = [bus.asked_anew]
    found = {f["id"]: f for f in case.on("--json", "doctor").json()["findings"]}
    assert bus.asked.count(GET_CAPABILITY) > 1, bus.asked
    assert "tpm-slow" in found, found
    same([found["tpm-slow"]["severity"], "tpm-silent" in found], ["info", False], "findings")
    assert "no answer in time" in found["tpm-slow"]["evidence"], found


@test("a node that attests on a machine without TPM, or one that was started the BIOS way")
def _(case):
    case.create(extra=("--no-tpm",))
    expect(case.on("install", "--answers", case.answers()), 0)
    one_more(case, "tpm-gone", "error", "attests", "firmware setup")
    case.machine_dir = case.dir / "second"
    install(case, second=False)
    machine_yaml(case, ("firmware: uefi", "firmware: bios"))
    found = findings(case, 8)
    same(found["bios-mode"]["severity"], "error", "bios-mode")
    assert "CSM off" in found["bios-mode"]["advice"]


@test("without --save the file for undo has a name of its own, and goes with the undo")
def _(case):
    install(case)
    write_at(case.disk(), slot_at(case, "slipway-b"), b"\0" * SECTOR)
    expect(case.on("--yes", "doctor", "--repair", "slot-b"), 0, "doctor-undo-1.json")
    run = case.machine_dir / "run"
    assert (run / "doctor-undo-1.json.slot").exists()
    same((run / "doctor-undo-1.json.slot").stat().st_mode & 0o777, 0o600, "mode")
    expect(case.on("--yes", "doctor", "--undo", run / "doctor-undo-1.json"), 0, "copy the image")
    same(list(run.glob("doctor-undo*")), [], "files left")
    expect(case.on("--yes", "doctor", "--repair", "slot-b", "--no-undo"), 0)
    same(list(run.glob("doctor-undo*")), [], "files of a repair without undo")


@test("an entry of ours that leads to a vanished partition is deleted, others' are left alone")
def _(case):
    install(case)
    data = bytearray(variable(case, f"Boot{number_of(case, 'Slipway A'):04X}").read_bytes())
    at = data.index(bytes([4, 1, 42, 0]))
    data[at + 24:at + 40] = bytes(16 * [0x5a])
    variable(case, "Boot0055").write_bytes(data)
    variable(case, "Boot0056").write_bytes(
        bytes(data).replace("Slipway A".encode("utf-16-le"), "OtherOS X".encode("utf-16-le")))
    check_repair(case, "entry-0055", "warning")
    assert variable(case, "Boot0056").exists()


@test("a boot order that somebody changed is put back")
def _(case):
    install(case)
    order = case.entries()[1]
    path = variable(case, "BootOrder")
    path.write_bytes(path.read_bytes()[:4] + struct.pack(f"<{len(order)}H", *reversed(order)))
    check_repair(case, "boot-order", "warning")
    same(case.entries()[1][:2], order[:2], "order")


@test("a BootNext that was lost within this start is a warning, one not yet set information")
def _(case):
    install(case)
    expect(case.on("mode", "network", "--uri", "http://boot.example/node.efi"), 0)
    same([f for f in findings(case, 0).values() if f["severity"] != "info"], [], "armed")
    variable(case, "BootNext").unlink()
    same(findings(case, 8)["boot-next"]["severity"], "warning", "lost")
    (case.machine_dir / "run" / "boot-id").unlink()
    same(findings(case, 0)["boot-next"]["severity"], "info", "after a restart")
    expect(case.on("--yes", "doctor", "--repair", "boot-next"), 0)
    assert variable(case, "BootNext").exists()


@test("an unknown ID, a damaged undo file and a disk that changed since are refused")
def _(case):
    install(case)
    expect(case.on("doctor", "--repair", "nothing"), 2, "no finding")
    bad = case.dir / "bad.json"
    bad.write_text('{"slipway_undo": 1, "bytes": [{"old": "zz"}], "variables": []}')
    expect(case.on("--yes", "doctor", "--undo", bad), 3, "not an undo file")
    bad.write_text("[]")
    expect(case.on("--yes", "doctor", "--undo", bad), 3)
    image = case.disk()
    write_at(image, image.stat().st_size - SECTOR, b"\0" * SECTOR)
    undo, identity = case.dir / "undo.json", f"{name_of(case)}/gpt-backup"
    expect(case.on("--yes", "doctor", "--repair", identity, "--save", undo), 0)
    expect(case.on("--yes", "doctor", "--repair", identity, "--save", undo), 2, "no finding")
    write_at(image, image.stat().st_size - SECTOR + 100, b"x")
    expect(case.on("--yes", "doctor", "--undo", undo), 4, "changed since the repair")


if __name__ == "__main__":
    main()
