# SPDX-License-Identifier: Apache-2.0
"""Healthy nodes of every layout that is shipped and of every mode: doctor finds nothing above
information, and writes nothing. What is shipped and which modes there are is asked, not listed.

A quick run takes each layout and each mode once.
"""
import os
import re
import shutil
from pathlib import Path

from escrow import block, certificate
from lib import SOURCE, TESTS, Case, MiB, expect, main, need, same, tool
from museum import BOOT_FILE, Broken, bad, everything, findings, make, run_from
from museum_machine import remade
from museum_sealed import make_mirror
from museum_state import make_encrypted
from museum_table import state_again
from signed import MEASURE, STUB, Image, answers, signed_uki, signing_key
from swtpm import Tpm

LAYOUTS = sorted(path.name for path in (SOURCE / "layouts").iterdir())
QUICK = bool(os.environ.get("SLIPWAY_TEST_QUICK"))
MODES = 3       # as many as are looked for; a fourth has to be counted here
MORE = "  more: [{match: {serial: DATA4711}, wipe: any}]\n"
EFI = Path("/usr/lib/systemd/boot/efi/systemd-bootx64.efi")


def modes(case):
    text = expect(case.run("explain", "boot.mode"), 0).out
    found = re.search(r"choices: +(.*)", text).group(1).split(", ")
    same(len(found), MODES, f"the modes {found}")
    return found


def wants_more(layout):
    """Whether one of its partitions is for a second disk, by its own words."""
    text = "".join(path.read_text() for path in (SOURCE / "layouts" / layout).glob("*.conf"))
    return "X-Slipway-Disk=" in text


def replaced(layout, mode, words=""):
    """What an answer file says otherwise."""
    others = MORE if wants_more(layout) else ""
    network = "mode: network\n  network: {uri: http://boot.example/node.efi}\n"
    return [("  layout: node\n", f"  layout: {layout}\n{words}"),
            ("  wipe: any\n", "  wipe: any\n" + others),
            ("mode: local\n", network if mode == "network" else f"mode: {mode}\n")]


def is_healthy(case, what):
    before = everything(case)
    found = bad(findings(case))
    same([(f["id"], f["evidence"]) for f in found], [], what)
    same(everything(case), before, f"{what}: disks and variables")


def install(case, changes, what):
    expect(case.on("install", "--yes", "--answers", case.answers(replace=changes)), 0)
    is_healthy(case, f"{what}, seen from a medium")
    # Mode hands-off has made no entry that it could have come by.
    if any(entry[0] == "Slipway A" for entry in case.entries()[0].values()):
        run_from(case, "a")
        is_healthy(case, f"{what}, running from slot A")


def words_of(case, layout, protected):
    """An encrypted layout wants to know who else can open it."""
    if layout != "encrypted":
        return ""
    need("swtpm", "cryptsetup", "openssl")
    if protected == "escrow":
        return "  recovery: escrow\n  escrow: |\n" + block(certificate(case))
    return "  recovery: none\n"


def add(layout, number, protected="none"):
    def run(case):
        mode = modes(case)[number]
        case.create()
        what = f"{layout}, {mode}, {protected}"
        install(case, replaced(layout, mode, words_of(case, layout, protected)), what)
    TESTS.append((f"healthy: layout {layout}, mode {number + 1} of {MODES}, "
                  f"recovery {protected}", run))


for place, name in enumerate(LAYOUTS):
    for one in range(MODES):
        if not QUICK or one == place % MODES:
            add(name, one)
if not QUICK:
    add("encrypted", 0, "escrow")


def diskless(case):
    path = case.dir / "none.yaml"
    path.write_text("slipway: 1\nnode:\n  hostname: edge-12\ndisk: none\nboot:\n  mode: network\n"
                    "admission:\n  kind: attest\n  url: https://attest.example/v1\nfinish: stay\n")
    case.create()
    expect(case.on("install", "--yes", "--answers", path), 0)
    is_healthy(case, "disk: none")


def extras(case):
    """With a rescue image and an iPXE on partitions of their own."""
    need("mcopy", "sgdisk")
    case.create()
    ipxe, rescue = case.dir / "ipxe.efi", case.dir / "rescue.efi"
    expect(case.on("install", "--yes", "--answers", case.answers()), 0)
    rescue.write_bytes(Broken(case).get("slipway-a", BOOT_FILE))
    ipxe.write_bytes(EFI.read_bytes() + b"#!ipxe\n\0autoexec.ipxe\0")
    network = f'{{via: ipxe, uri: "http://boot.example/node.efi", ipxe: {ipxe}}}'
    install(case, [("mode: local", f"mode: network\n  network: {network}"),
                   ("finish:", f"rescue: {{uki: {rescue}}}\nfinish:")], "rescue image and iPXE")


def signed(case):
    """Running from slot A with the signature of its image at hand, as the stub leaves it. An image
    that nobody signed is a finding."""
    need("openssl", "cryptsetup", "objcopy", "swtpm", MEASURE, STUB)
    case.create("serial=NODE07SYS,size=1400M,model=Alpha,transport=nvme")
    tpm, key = Tpm(case), signing_key(case)
    case.payload()
    image = Image(case, tpm, "first")
    path = answers(case, key, uki=signed_uki(case, image))
    expect(case.on("--yes", "install", "--answers", path), 0, "sealed to PCR 11 as")
    image.start()
    run_from(case, "a")
    shutil.copy(image.signatures, case.machine_dir / "run/tpm2-pcr-signature.json")
    is_healthy(case, "signed policy, running from slot A")
    tpm.lose_power()
    tpm.tool("tpm2_pcrextend", "11:sha256=" + "11" * 32)
    same([f["id"] for f in bad(findings(case))], ["nvme0n1/seal-state"], "an unsigned image")


def changed(case):
    """A table that somebody changed with thought since the install, as it may be."""
    need("sgdisk", "resize2fs", "e2fsck")
    make(case)
    broken = Broken(case)
    broken.sgdisk("-c", "4:data")
    is_healthy(case, "the state with another name")
    broken.on_state(lambda image: (tool("e2fsck", "-fy", image, check=False),
                                   tool("resize2fs", image, "1G")))
    state_again(broken, "+1100M", "-n", "5:0:0", "-c", "5:scratch")
    is_healthy(case, "a shorter file system in a shorter partition, and another one behind it")
    broken.grow(512 * MiB)
    broken.sgdisk("-e", "-d", "5")
    state_again(broken, "0")
    is_healthy(case, "a larger disk, and a state that takes all of it")


def asked_for(case):
    """What says nothing: a single start that somebody asked slipway for, and the length of a
    protective MBR that stands for any."""
    make(case)
    expect(case.on("mode", "once", "a"), 0)
    Broken(case).write(446 + 12, b"\xff" * 4)
    same([f["id"] for f in findings(case) if "boot-next" in f["id"] or "gpt-" in f["id"]], [],
         "what is said of BootNext and of the table")


def is_its_own(case, what):
    is_healthy(case, what)
    same([f["id"] for f in findings(case) if f["id"].endswith("state-other")], [], what)


def renamed(case):
    """UUIDs of the state that somebody changed: what it holds is what the node stored."""
    need("tune2fs", "xfs_admin", "btrfstune", "mkfs.xfs", "mkfs.btrfs")
    for kind, tools in (("ext4", [("tune2fs", "-U", "random")]),
                        ("xfs", [("xfs_admin", "-U", "generate")]),
                        ("btrfs", [("btrfstune", "-f", "-m")])):
        one = Case()
        try:
            one.create()
            layout = one.own_layout()
            path = layout / "40-state.conf"
            path.write_text(path.read_text().replace("Format=ext4", f"Format={kind}"))
            expect(one.on("install", "--yes", "--answers", one.answers(
                replace=[("  layout: node\n", f"  layout: {layout}\n")])), 0)
            broken = Broken(one)
            is_its_own(one, f"a new state, {kind}")
            for words in tools:
                broken.on_state(lambda image, words=words: tool(*words, image))
                is_its_own(one, " ".join(words))
        finally:
            one.close()
    assert case


def kept(case):
    """A state that was formatted by hand, and kept by the install after that."""
    case.create()
    expect(case.on("install", "--answers", case.answers()), 0)
    remade(Broken(case), "mkfs.ext4", "-q", "-F")
    keep = [("  wipe: any\n", "  wipe: any\n  preserve: [state]\n")]
    expect(case.on("install", "--yes", "--answers", case.answers(replace=keep)), 0)
    is_its_own(case, "a state that was kept")


def opened(case):
    """What is inside an encrypted state, also on a mirror, is the node's own."""
    need("swtpm", "cryptsetup")
    make_mirror(case)
    for what in ("mirror", "one disk"):
        found = expect(case.on("--json", "doctor", "--open", "--given", case.dir / "state.key"), 0)
        same([f["id"] for f in found.json()["findings"] if "/state" in f["id"]], [], what)
        if what == "mirror":
            shutil.rmtree(case.machine_dir)
            shutil.rmtree(case.dir / "layout")
            make_encrypted(case)


def not_filled(case):
    """A layout that leaves the state to the node, which formats it when it starts."""
    case.create()
    layout = case.own_layout()
    path = layout / "40-state.conf"
    path.write_text(path.read_text().replace("Format=ext4\n", ""))
    expect(case.on("install", "--yes", "--answers", case.answers(
        replace=[("  layout: node\n", f"  layout: {layout}\n")])), 0)
    is_its_own(case, "before the first start")
    remade(Broken(case), "mkfs.ext4", "-q", "-F")
    is_its_own(case, "after it")


def rekeyed(case):
    """Another key for what is encrypted, and the header written anew by cryptsetup."""
    need("swtpm", "cryptsetup")
    make_encrypted(case)
    is_its_own(case, "encrypted")
    key = case.dir / "new.key"
    key.write_bytes(b"another key that is long enough")
    Broken(case).on_state(lambda image: tool(
        "cryptsetup", "luksChangeKey", "-q", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations",
        "1000", "--key-file", case.dir / "state.key", image, key))
    is_its_own(case, "with another key")


TESTS.append(("healthy: states whose UUID was changed", renamed))
TESTS.append(("healthy: a state made by hand that an install has kept", kept))
TESTS.append(("healthy: a state that the node makes itself", not_filled))
TESTS.append(("healthy: an encrypted state with another key", rekeyed))
TESTS.append(("healthy: encrypted states that are looked into with their key", opened))
def promoted(case):
    """Images that came after the install, also into the slot that it filled."""
    make(case)
    run_from(case, "b")
    expect(case.on("promote", "--kernel", case.dir / "vmlinuz", "--initrd", case.dir / "initrd",
                   "--cmdline", "console=ttyS0 third", "--trust", "none"), 0)
    is_healthy(case, "another image in slot A")
    expect(case.on("--yes", "rollback"), 0)
    is_healthy(case, "put back")


TESTS.append(("healthy: both slots promoted, and one put back", promoted))
TESTS.append(("healthy: a single start that was asked for, and an MBR without an end", asked_for))
TESTS.append(("healthy: a table that was changed since the install", changed))
TESTS.append(("healthy: an encrypted state that opens for images that a key signs", signed))
TESTS.append(("healthy: a node without a disk", diskless))
TESTS.append(("healthy: rescue image and iPXE beside the slots", extras))

if __name__ == "__main__":
    main()
