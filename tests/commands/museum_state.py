# SPDX-License-Identifier: Apache-2.0
"""More of the museum: states that are whole, and are not what the node's install made."""
import struct
import zlib

from lib import MiB, cut, expect, tool
from museum import another_node, exhibit, run_from
from museum_machine import remade
from museum_sealed import make_mirror

KEY = b"a key that is long enough to be one"
ANEW = {"repair": False, "info": True, "keeps": False, "kind": "state"}
LOST = {"repair": False, "keeps": False, "kind": "state"}


@exhibit("somebody formatted the state", "state-other", **ANEW, says="nvme0n1 holds ext4 ")
def formatted_state(b):
    remade(b, "mkfs.ext4", "-q", "-F")


@exhibit("somebody formatted the state over the old one, as xfs", "state-other", **ANEW,
         says="nvme0n1 holds xfs ")
def formatted_state_xfs(b):
    remade(b, "mkfs.xfs", "-q", discards=False)


@exhibit("somebody formatted the state as btrfs", "state-other", **ANEW)
def formatted_state_btrfs(b):
    remade(b, "mkfs.btrfs", "-q")


@exhibit("somebody formatted the state as FAT", "state-other", **ANEW)
def formatted_state_fat(b):
    remade(b, "mkfs.vfat", "-F", "32")


@exhibit("the state was copied from another node", "state-other", **ANEW)
def foreign_state(b):
    with another_node() as there:
        cut(there.image, there.parts["state"], b.case.dir / "theirs.img")
    remade(b, "true", fill=lambda image: (b.case.dir / "theirs.img").replace(image))


@exhibit("the state was discarded", "state-other", **LOST, says="holds nothing that is known")
def discarded_state(b):
    at, size = b.state()
    tool("fallocate", "--punch-hole", "--offset", at, "--length", size, b.image)


@exhibit("the state is a container of LUKS, and was plain", "state-other", **ANEW,
         says="nvme0n1 holds LUKS ")
def locked_state(b):
    remade(b, *luks_format(b.case))


@exhibit("the state was given to LVM", "state-other", **LOST, says="nvme0n1 holds LVM2_member")
def state_of_lvm(b):
    """What pvcreate writes first; it takes block devices only."""
    at = remade(b, "true")
    label = b"LABELONE" + struct.pack("<QII", 1, 0, 32) + b"LVM2 001" + b"7" * 32 + \
        struct.pack("<Q", b.bytes("state")) + bytes(512 - 72)
    b.write(at + 512, label[:16] + struct.pack("<I", lvm_crc(label[20:])) + label[20:])


def lvm_crc(data):
    """Its CRC-32 begins elsewhere than everybody's, and is not turned over at the end."""
    return zlib.crc32(data, 0xf597a6cf ^ 0xffffffff) ^ 0xffffffff


# ---- an encrypted state ----

def luks_format(case):
    key = case.dir / "another.key"
    key.write_bytes(KEY)
    return ("cryptsetup", "luksFormat", "-q", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations",
            "1000", "--key-file", key)


def make_encrypted(case):
    """The TPM and a key file open the state; it runs from its newer slot."""
    case.payload()
    case.create("serial=NODE07SYS,size=1400M,model=Alpha,transport=nvme")
    layout = case.own_layout("encrypted")
    path = layout / "40-state.conf"
    path.write_text(path.read_text().replace("Encrypt=tpm2", "Encrypt=key-file+tpm2"))
    (case.dir / "state.key").write_bytes(KEY)
    answers = case.answers(replace=[
        ("  kind: attest\n  url: https://attest.example/v1\n", "  kind: none\n"),
        ("  layout: node\n", f"  layout: {layout}\n  keyfile: {case.dir}/state.key\n")])
    expect(case.on("--yes", "install", "--answers", answers), 0)
    expect(case.on("promote", "--kernel", case.dir / "vmlinuz", "--initrd", case.dir / "initrd",
                   "--cmdline", "console=ttyS0 second", "--trust", "none"), 0)
    run_from(case, "b")


@exhibit("an encrypted state was formatted, and is not encrypted now", "state-other",
         make=make_encrypted, **LOST, says="nvme0n1 holds ext4 ")
def opened_state(b):
    remade(b, "mkfs.ext4", "-q", "-F")


@exhibit("an encrypted state was encrypted anew, and the TPM has no key to it", "state-other",
         make=make_encrypted, **LOST, says="nvme0n1 holds LUKS ")
def encrypted_anew(b):
    remade(b, *luks_format(b.case))


@exhibit("both headers of an encrypted state are gone", "state-other", make=make_encrypted,
         **LOST, says="holds nothing that is known")
def header_gone(b):
    b.write(b.at("state"), bytes(16 * MiB))


@exhibit("on one disk of two the encrypted mirror's member was formatted", "state-other",
         make=make_mirror, **LOST, says="made a member of a mirror;")
def formatted_member(b):
    remade(b, "mkfs.ext4", "-q", "-F")
