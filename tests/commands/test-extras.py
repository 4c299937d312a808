# SPDX-License-Identifier: Apache-2.0
"""An iPXE and a rescue image beside the slots: installed, started once, kept, undone."""
import json
from pathlib import Path
import struct

from lib import (GLOBAL, MiB, cut, expect, fingerprint, head, main, need, partitions, same, sha256,
                 tail, test, tool)

EFI = Path("/usr/lib/systemd/boot/efi/systemd-bootx64.efi")
URI = "http://boot.example/node.efi"


def ipxe(case, words=b"#!ipxe\n\0autoexec.ipxe\0"):
    """A real EFI program with the words in it by which a new iPXE is known."""
    path = case.dir / "ipxe.efi"
    path.write_bytes(EFI.read_bytes() + words)
    return path


def uki(case):
    """The image that an install assembled, as a rescue image."""
    expect(case.on("install", "--answers", case.answers()), 0)
    part = cut(case.disk(), partitions(case.disk())["slipway-a"], case.dir / "a.img")
    out = case.dir / "rescue.efi"
    tool("mcopy", "-n", "-i", part, "::/EFI/BOOT/BOOTX64.EFI", out)
    return out


def by_ipxe(case, binary, *more):
    return case.answers(replace=[
        ("mode: local", "mode: network\n  network: {via: ipxe, uri: \"" + URI +
         f"\", ipxe: {binary}}}"), *more])


def with_rescue(case, image, *more):
    return case.answers(replace=[("finish:", f"rescue: {{uki: {image}}}\nfinish:"), *more])


def plant(case, name, data):
    path = case.machine_dir / "vars" / f"{name}-{GLOBAL}"
    path.write_bytes(struct.pack("<I", 7) + data)


def empty(case, label, serial="NODE07SYS", size=MiB):
    """As a partition on which nothing was ever put, or with so many bytes of it lost."""
    part = partitions(case.disk(serial))[label]
    with open(case.disk(serial), "r+b") as disk:
        disk.seek(part["start"] * 512)
        disk.write(bytes(size))


def next_of(case):
    path = case.machine_dir / "vars" / f"BootNext-{GLOBAL}"
    return struct.unpack("<H", path.read_bytes()[4:])[0] if path.exists() else None


def number_of(case, label):
    return next(n for n, e in case.entries()[0].items() if e[0] == label)


def variables(case):
    """But for the note of a failure, which is written for whoever comes next."""
    return {p.name: p.read_bytes() for p in (case.machine_dir / "vars").iterdir()
            if not p.name.startswith("SlipwayLastFailure-")}


@test("via: ipxe puts binary and script onto a partition of their own, and arms its entry")
def _(case):
    need("mcopy", "fsck.vfat")
    case.create()
    binary = ipxe(case)
    answers = by_ipxe(case, binary, (f"uri: \"{URI}\"", f"uri: \"{URI}\", nic: 52:54:00:12:34:56"))
    expect(case.on("plan", "--answers", answers), 0, "iPXE", "slipway-ipxe")
    expect(case.on("install", "--answers", answers), 0)
    part = partitions(case.disk())["slipway-ipxe"]
    image = cut(case.disk(), part, case.dir / "ipxe.img")
    tool("fsck.vfat", "-n", image)
    tool("mcopy", "-i", image, "::/EFI/IPXE/IPXE.EFI", case.dir / "out.efi")
    same(sha256(case.dir / "out.efi"), sha256(binary), "the binary")
    script = tool("mtype", "-i", image, "::/EFI/IPXE/autoexec.ipxe").stdout
    lines = script.strip().splitlines()
    same((lines[0], lines[-1]), ("#!ipxe", "exit 1"), "first and last line of the script")
    for word in ("ifconf", "chain"):
        assert [x for x in lines if x.startswith(word) and "--timeout" in x], script
    assert "52:54:00:12:34:56" in script and URI in script
    net = number_of(case, "Slipway network")
    same(case.entries()[0][net][1:], (part["uuid"].lower(), "\\EFI\\IPXE\\IPXE.EFI"), "entry")
    order = [case.entries()[0][n][0] for n in case.entries()[1]]
    same(order[:3], ["Slipway A", "Slipway network", "Slipway B"], "order")
    same(next_of(case), net, "BootNext")
    owners = {e["number"]: (e["owner"], e["target"])
              for e in case.on("--json", "boot", "list").json()["entries"]}
    same(owners[net], ("ours", "present"), "whose it is")
    same(case.on("--json", "mode").json()["pending"], 0, "nothing left to write")


@test("a node that iPXE started came from the network; keep writes a lost entry again")
def _(case):
    case.create()
    expect(case.on("install", "--answers", by_ipxe(case, ipxe(case))), 0)
    net = number_of(case, "Slipway network")
    plant(case, "BootCurrent", struct.pack("<H", net))
    same(case.on("--json", "mode").json()["running"], "network", "the road")
    expect(case.on("--yes", "boot", "delete", f"{net:04X}"), 0)
    expect(case.on("mode", "keep"), 0)
    assert number_of(case, "Slipway network") in case.entries()[1]
    expect(case.on("mode", "network", "--uri", "http://x.example/y"), 4, "script")
    expect(case.on("mode", "local"), 0)
    same(next_of(case), None, "BootNext in mode local")
    expect(case.on("mode", "network"), 0)
    same(next_of(case), number_of(case, "Slipway network"), "BootNext again")


@test("no iPXE, one too old, one that Secure Boot refuses: a clear error, and nothing is written")
def _(case):
    case.create()
    before = head(case.disk()), tail(case.disk(), 8 * MiB), variables(case)
    for words, text in ((b"nothing", "this is not iPXE"), (b"#!ipxe\n", "too old")):
        expect(case.on("install", "--answers", by_ipxe(case, ipxe(case, words))), 3, text)
    expect(case.on("check", by_ipxe(case, "http://a.example/ipxe.efi")), 3, "SHA-256")
    expect(case.on("check", case.answers(replace=[
        ("mode: local", "mode: network\n  network: {via: ipxe}")])), 3, "boot.network.ipxe")
    expect(case.on("check", case.answers(replace=[
        ("mode: local", "mode: network\n  network: {via: http, ipxe: /x}")])), 3, "via is not ipxe")
    same((head(case.disk()), tail(case.disk(), 8 * MiB), variables(case)), before, "machine")
    expect(case.on("install", "--answers", case.answers()), 0)
    expect(case.on("mode", "network", "--via", "ipxe"), 5, "no iPXE on the node's disk")


@test("rescue.uki: a partition and an entry behind the slots, started by once rescue alone")
def _(case):
    case.create()
    image = uki(case)
    expect(case.on("mode", "once", "rescue"), 4, "the node has no rescue image", "rescue.uki")
    expect(case.on("install", "--answers", with_rescue(case, image)), 0)
    entry = number_of(case, "Slipway rescue")
    order = [case.entries()[0][n][0] for n in case.entries()[1]]
    same(order[:3], ["Slipway A", "Slipway B", "Slipway rescue"], "order")
    part = cut(case.disk(), partitions(case.disk())["slipway-rescue"], case.dir / "r.img")
    tool("mcopy", "-n", "-i", part, "::/EFI/BOOT/BOOTX64.EFI", case.dir / "r.efi")
    same(sha256(case.dir / "r.efi"), sha256(image), "the rescue image")
    before = case.entries()
    expect(case.on("mode", "once", "rescue"), 0, "Slipway rescue")
    same((next_of(case), case.entries()), (entry, before), "BootNext alone")
    same(case.on("--json", "mode").json()["mode"], "local", "the mode stays")
    expect(case.on("--yes", "boot", "delete", f"{entry:04X}"), 0)
    expect(case.on("mode", "keep"), 0)
    assert number_of(case, "Slipway rescue") in case.entries()[1]


SECOND = "DATA4711"


def both_on_mirror(case, image, binary):
    """A mirror whose answers have both; uki() has left an install on the first disk."""
    return with_rescue(case, image, ("layout: node\n", "layout: mirror\n"),
                       ("  wipe: any\n", "  wipe: any\n  more: [{match: {serial: "
                        f"{SECOND}}}, wipe: any}}]\n"),
                       ("mode: local", f"mode: network\n  network: {{via: ipxe, uri: \"{URI}\", "
                        f"ipxe: {binary}}}"))


def mirror(case):
    case.create("serial=NODE07SYS,size=4G,transport=nvme",
                f"serial={SECOND},size=4G,transport=sata")
    image, binary = uki(case), ipxe(case)
    answers = both_on_mirror(case, image, binary)
    plan = expect(case.on("--json", "plan", "--answers", answers), 0).json()
    same([w for w in plan.get("warnings", []) if "first disk only" in w], [], "warnings")
    expect(case.on("--yes", "install", "--answers", answers), 0)
    return image, binary


def without(case, serial):
    """The disk is taken out of the machine."""
    config = case.machine_dir / "machine.yaml"
    head_, *disks = config.read_text().split("  - name: ")
    config.write_text("  - name: ".join([head_] + [d for d in disks if serial not in d]))


@test("mirror: each disk gets rescue image and iPXE, with entries of their own; keep agrees")
def _(case):
    need("mcopy")
    image, binary = mirror(case)
    uuids = {}
    for serial, more in (("NODE07SYS", ""), (SECOND, " (disk 2)")):
        parts = partitions(case.disk(serial))
        for label, entry, path, wanted in (
                ("slipway-rescue", "Slipway rescue", "EFI/BOOT/BOOTX64.EFI", image),
                ("slipway-ipxe", "Slipway network", "EFI/IPXE/IPXE.EFI", binary)):
            part = cut(case.disk(serial), parts[label], case.dir / "p.img")
            out = case.dir / "out.efi"
            tool("mcopy", "-n", "-D", "o", "-i", part, "::/" + path, out)
            same(sha256(out), sha256(wanted), f"{label} on {serial}")
            found = case.entries()[0][number_of(case, entry + more)]
            same(found[1:], (parts[label]["uuid"].lower(), "\\" + path.replace("/", "\\")), entry)
            uuids[label, serial] = found[1]
    same(len(set(uuids.values())), 4, "UUIDs")
    order = [case.entries()[0][n][0] for n in case.entries()[1]]
    same(order[:9], ["Slipway A", "Slipway A (disk 2)", "Slipway network", "Slipway B",
                     "Slipway B (disk 2)", "Slipway rescue", "Slipway rescue (disk 2)",
                     "Slipway network (disk 2)"] + order[8:9], "order")
    same(next_of(case), number_of(case, "Slipway network"), "BootNext")
    same(case.on("--json", "mode").json()["pending"], 0, "nothing left to write")
    same(found_by_doctor(case, 0), {}, "findings")
    expect(case.on("slots", "verify"), 0, "rescue image  good", "iPXE  good")
    expect(case.on("--yes", "undo"), 0)
    same(sorted(e[0] for e in case.entries()[0].values() if "Slipway" in e[0]),
         ["Slipway A", "Slipway B"], "entries after undo: those of the install before")


@test("mirror: with iPXE or the rescue image of one disk spoilt, or it away, the other serves")
def _(case):
    image, binary = mirror(case)
    nets = [number_of(case, f"Slipway network{more}") for more in ("", " (disk 2)")]
    rescues = [number_of(case, f"Slipway rescue{more}") for more in ("", " (disk 2)")]
    back = flip(case, "slipway-ipxe", binary.read_bytes()[8192:12288])
    expect(case.on("mode", "network"), 0)
    same(next_of(case), nets[1], "BootNext with the first iPXE spoilt")
    back()
    expect(case.on("mode", "network"), 0)
    same(next_of(case), nets[0], "BootNext with both whole")
    flip(case, "slipway-rescue", image.read_bytes()[8192:12288])
    expect(case.on("mode", "once", "rescue"), 0)
    same(next_of(case), rescues[1], "BootNext with the first rescue image spoilt")
    # Started by the second disk's iPXE: that is the network, too.
    plant(case, "BootCurrent", struct.pack("<H", nets[1]))
    same(case.on("--json", "mode").json()["running"], "network", "the road")
    without(case, "NODE07SYS")
    expect(case.on("mode", "network"), 0)
    same(next_of(case), nets[1], "BootNext without the first disk")
    expect(case.on("mode", "once", "rescue"), 0)
    same(next_of(case), rescues[1], "BootNext for rescue without the first disk")


@test("mirror: doctor finds the lost entries of the second disk, and keep writes them again")
def _(case):
    mirror(case)
    for label in ("Slipway rescue (disk 2)", "Slipway network (disk 2)", "Slipway A (disk 2)"):
        expect(case.on("--yes", "boot", "delete", "--force", f"{number_of(case, label):04X}"), 0)
    found = found_by_doctor(case, 8)
    for identity in ("sda/entry-rescue", "sda/entry-ipxe", "sda/entry-a"):
        assert identity in found, found
    expect(case.on("--yes", "doctor", "--repair", "sda/entry-rescue", "--no-undo"), 0)
    same(found_by_doctor(case, 0), {}, "findings")
    for label in ("Slipway rescue (disk 2)", "Slipway network (disk 2)", "Slipway A (disk 2)"):
        assert number_of(case, label) in case.entries()[1], label


@test("mirror: of two iPXE the one that a switch armed is disarmed by mode local, whole or not")
def _(case):
    _, binary = mirror(case)
    other = number_of(case, "Slipway network (disk 2)")
    back = flip(case, "slipway-ipxe", binary.read_bytes()[8192:12288])
    expect(case.on("mode", "network"), 0)
    same(next_of(case), other, "BootNext with the first iPXE spoilt")
    back()
    ours = [p for p in (case.machine_dir / "vars").iterdir() if p.name.startswith("SlipwayBoot-")]
    ours[0].unlink()    # nothing is remembered of what was armed
    expect(case.on("mode", "local"), 0)
    same(next_of(case), None, "BootNext in mode local")


@test("a rescue partition that nothing was put on has no entry, and keep makes none")
def _(case):
    case.create()
    expect(case.on("install", "--answers", with_rescue(case, uki(case))), 0)
    empty(case, "slipway-rescue")
    number = number_of(case, "Slipway rescue")
    expect(case.on("--yes", "boot", "delete", "--force", f"{number:04X}"), 0)
    writes = expect(case.on("--json", "mode", "keep"), 0).json()["writes"]
    same([w["name"] for w in writes if w["kind"] != "own"], [], "writes of keep")
    same([e[0] for e in case.entries()[0].values() if "rescue" in e[0]], [], "entries")
    same(found_by_doctor(case, 0), {}, "findings")
    expect(case.on("mode", "once", "rescue"), 4, "no rescue image", "empty")


def repaired(case, identity, source):
    """Repaired from the other disk, taken back to the byte, and repaired again."""
    disks = [case.disk(serial) for serial in ("NODE07SYS", SECOND)]
    damaged = [fingerprint(disk) for disk in disks]
    finding = found_by_doctor(case, 8)[identity]
    assert source in finding["repair"]["text"], finding
    undo = case.dir / "undo.json"
    expect(case.on("--yes", "doctor", "--repair", identity, "--save", undo), 0, "is gone")
    assert fingerprint(disks[0]) != damaged[0] or fingerprint(disks[1]) != damaged[1]
    same(json.loads(undo.read_text())["slipway_undo"], 3, "the undo file's version")
    expect(case.on("--yes", "doctor", "--undo", undo), 0, "Taken back")
    same([fingerprint(disk) for disk in disks], damaged, "the disks after the undo")
    for file in case.dir.glob("undo.json*"):
        file.unlink()
    expect(case.on("--yes", "doctor", "--repair", identity, "--no-undo"), 0, "is gone")


@test("mirror: doctor takes rescue image, iPXE and slots that are damaged from the other disk")
def _(case):
    image, binary = mirror(case)
    flip(case, "slipway-rescue", image.read_bytes()[8192:12288])
    repaired(case, "rescue", "sda")
    flip(case, "slipway-ipxe", binary.read_bytes()[8192:12288])
    repaired(case, "ipxe", "sda")
    for label, identity in (("slipway-rescue", "sda/rescue"), ("slipway-ipxe", "sda/ipxe")):
        empty(case, label, SECOND)
        assert "missing" in found_by_doctor(case, 8)[identity]["what"]
        repaired(case, identity, "nvme0n1")
    # Both slots of one disk: none of its own is left to copy from.
    same(found_by_doctor(case, 0), {}, "findings")
    part = partitions(case.disk(SECOND))["slipway-a"]
    with open(case.disk(SECOND), "r+b") as disk:
        disk.seek(part["start"] * 512)
        disk.write(bytes([0xff]) * 512)
    repaired(case, "sda/slot-a", "slot A of nvme0n1")
    same(found_by_doctor(case, 0), {}, "findings in the end")
    expect(case.on("slots", "verify"), 0)


@test("mirror: an undo of what came from a disk that is away is refused, nothing written")
def _(case):
    image, _ = mirror(case)
    flip(case, "slipway-rescue", image.read_bytes()[8192:12288])
    undo = case.dir / "undo.json"
    expect(case.on("--yes", "doctor", "--repair", "rescue", "--save", undo), 0)
    whole = fingerprint(case.disk())
    without(case, SECOND)
    expect(case.on("--yes", "doctor", "--undo", undo), 5, "copied from is not here", SECOND)
    same(fingerprint(case.disk()), whole, "the disk")


@test("a damaged rescue image is not started")
def _(case):
    case.create()
    expect(case.on("install", "--answers", with_rescue(case, uki(case))), 0)
    empty(case, "slipway-rescue", size=512)
    before = variables(case)
    expect(case.on("mode", "once", "rescue"), 4, "damaged")
    same(variables(case), before, "variables")


def found_by_doctor(case, code):
    done = expect(case.on("--json", "doctor"), code).json()
    return {f["id"]: f for f in done["findings"] if f["severity"] != "info"}


@test("doctor: nothing on a healthy node; damaged rescue image, iPXE and lost entries are found")
def _(case):
    case.create()
    expect(case.on("install", "--answers", with_rescue(case, uki(case), (
        "mode: local", "mode: network\n  network: {via: ipxe, uri: \"" + URI +
        f"\", ipxe: {ipxe(case)}}}"))), 0)
    same(found_by_doctor(case, 0), {}, "findings of a healthy node")
    for identity, label in (("entry-rescue", "Slipway rescue"), ("entry-ipxe", "Slipway network")):
        expect(case.on("--yes", "boot", "delete", "--force", f"{number_of(case, label):04X}"), 0)
        assert identity in found_by_doctor(case, 8), identity
        expect(case.on("--yes", "doctor", "--repair", identity, "--no-undo"), 0, "is gone")
        same(found_by_doctor(case, 0), {}, f"findings after the repair of {identity}")
    for label, identity in (("slipway-rescue", "rescue"), ("slipway-ipxe", "ipxe")):
        empty(case, label, size=512)
        finding = found_by_doctor(case, 8)[identity]
        same(finding["severity"], "warning", identity)
        assert "install" in finding["advice"], finding


def flip(case, label, words):
    """One bit of the first place where these bytes lie on a partition, and the way back."""
    at = partitions(case.disk())[label]["start"] * 512
    with open(case.disk(), "r+b") as disk:
        disk.seek(at)
        content = disk.read(64 * MiB)
        inside = content.index(words) + len(words) // 2
        disk.seek(at + inside)
        disk.write(bytes([content[inside] ^ 1]))

    def back():
        with open(case.disk(), "r+b") as disk:
            disk.seek(at + inside)
            disk.write(content[inside:inside + 1])
    return back


@test("doctor: a rescue image with a flipped bit deep inside does not have its manifest's hash")
def _(case):
    case.create()
    image = uki(case)
    expect(case.on("install", "--answers", with_rescue(case, image)), 0)
    flip(case, "slipway-rescue", image.read_bytes()[8192:12288])
    assert "hash" in found_by_doctor(case, 8)["rescue"]["evidence"]
    expect(case.on("slots", "verify"), 8, "the rescue image is damaged", "hash")


@test("a bit that changed in iPXE or its script is found by slots verify and doctor")
def _(case):
    case.create()
    binary = ipxe(case)
    expect(case.on("install", "--answers", by_ipxe(case, binary)), 0)
    expect(case.on("slots", "verify"), 0, "iPXE  good")
    same([(e["what"], e["good"]) for e in case.on("--json", "slots").json()["extras"]],
         [("ipxe", True)], "extras")
    for words, what in ((binary.read_bytes()[8192:12288], "the iPXE binary"),
                        (URI.encode(), "iPXE's script")):
        back = flip(case, "slipway-ipxe", words)
        expect(case.on("slots", "verify"), 8, "iPXE is damaged",
               what + " is not the one that was put there", "install")
        assert what in found_by_doctor(case, 8)["ipxe"]["evidence"]
        back()
        same(found_by_doctor(case, 0), {}, "findings with the bit as it was")
    expect(case.on("node", "set", "ipxe=x"), 4, "not set by hand")
    expect(case.on("node", "config", case.dir / "c"), 0)
    noted = json.loads((case.dir / "c" / "node.json").read_text())["ipxe"]
    same(noted["sha256"], sha256(binary), "the hash in the node data")


@test("undo takes both away, and a plan that was saved installs both")
def _(case):
    case.create()
    image = uki(case)
    expect(case.on("--yes", "undo"), 0)
    before = head(case.disk()), variables(case)
    answers = with_rescue(case, image, (
        "mode: local", f"mode: network\n  network: {{via: ipxe, uri: \"{URI}\", "
        f"ipxe: {ipxe(case)}}}"))
    plan = case.dir / "plan.json"
    expect(case.on("plan", "--answers", answers, "-o", plan), 0, "slipway-rescue", "slipway-ipxe")
    expect(case.on("--yes", "apply", plan), 0)
    assert {"slipway-rescue", "slipway-ipxe"} <= set(partitions(case.disk()))
    expect(case.on("--yes", "undo"), 0)
    same((head(case.disk()), variables(case)), before, "machine")


@test("in mode network without a payload both still come, and the slots stay empty")
def _(case):
    case.create()
    image = uki(case)
    text = with_rescue(case, image, ("mode: local", "mode: network\n  network: {via: ipxe, uri: \""
                                     + URI + f"\", ipxe: {ipxe(case)}}}")).read_text()
    at, end = text.index("payload:"), text.index("boot:")
    path = case.dir / "bare.yaml"
    path.write_text(text[:at] + text[end:])
    expect(case.on("install", "--answers", path), 0)
    same([s["filled"] for s in case.on("--json", "slots").json()["slots"]], [False, False], "slots")
    order = [case.entries()[0][n][0] for n in case.entries()[1]]
    same(order[0], "Slipway network", "first in the order")


if __name__ == "__main__":
    main()
