# SPDX-License-Identifier: Apache-2.0
"""More of the museum: tables, slots and node data that are whole, and are not the node's."""
import os
import struct

from lib import MiB, sha256, tool
from museum import BOOT_FILE, MANIFEST, SECTOR, another_node, exhibit


def another_table(b, *words):
    """The first and the last sectors of a disk that somebody partitioned otherwise."""
    image = b.case.dir / "another.img"
    with open(image, "wb") as file:
        file.truncate(b.size)
    tool("sgdisk", *words, image)
    with open(image, "rb") as file:
        first = file.read(34 * SECTOR)
        file.seek(-33 * SECTOR, os.SEEK_END)
        last = file.read()
    image.unlink()
    return first, last


@exhibit("the primary table is another disk's", "gpt-differ", kind="table",
         says="backup: whole")
def other_primary(b):
    b.write(0, another_table(b, "-n", "1:2048:+100M", "-c", "1:old")[0])


@exhibit("the backup table is another disk's", "gpt-differ", kind="table")
def other_backup(b):
    b.write(b.size - 33 * SECTOR, another_table(b, "-n", "1:2048:+100M", "-c", "1:old")[1])


@exhibit("parted marked the protective MBR active", "gpt-mbr", kind="table",
         says="marked active")
def mbr_active(b):
    b.write(446, b"\x80")


@exhibit("the protective MBR ends short of the disk, as on one that dd copied", "gpt-mbr-length",
         info=True, kind="table", says="protective MBR: for 204800 sectors")
def mbr_short(b):
    b.write(446 + 12, struct.pack("<I", 204800))


@exhibit("the protective MBR is longer than the disk", "gpt-mbr-length", info=True, kind="table")
def mbr_too_long(b):
    b.write(446 + 12, struct.pack("<I", b.size // SECTOR + 7))


# -- partitions of the node that are gone from a whole table --

@exhibit("slot A's partition was deleted", "table-changed", kind="table",
         says="slipway-a, 512M from sector 2048 on; it is not there")
def deleted_a(b):
    b.sgdisk("-d", "1")


@exhibit("slot B's partition was deleted, with the newer image", "table-changed", kind="table")
def deleted_b(b):
    b.sgdisk("-d", "2")


@exhibit("both slots' partitions were deleted", "table-changed", kind="table")
def deleted_slots(b):
    b.sgdisk("-d", "1", "-d", "2")


@exhibit("the partition of the node data was deleted", "table-changed", kind="table")
def deleted_data(b):
    b.sgdisk("-d", "3")


@exhibit("the state's partition was deleted", "table-changed", kind="table")
def deleted_state(b):
    b.sgdisk("-d", "4")


@exhibit("somebody began with a new, empty GPT", "table-changed", kind="table")
def emptied(b):
    b.sgdisk("-o")


@exhibit("somebody made a GPT with one partition, and no file system yet", "table-changed",
         kind="table")
def made_anew(b):
    b.sgdisk("-o", "-n", "1:2048:+1G", "-t", "1:8300")


def state_again(b, end, *more):
    """The state's partition, which ends elsewhere now."""
    state = b.parts["state"]
    b.sgdisk("-d", "4", "-n", f"4:{state['start']}:{end}", "-c", "4:state",
             "-t", f"4:{state['type']}", "-u", f"4:{state['uuid']}", *more)


@exhibit("the state's partition was made shorter, and its file system was not", "table-changed",
         kind="table", says="now it is 512M")
def shortened_state(b):
    state_again(b, "+512M")


@exhibit("a partition was made in the second half of the state's", "table-changed", kind="table")
def divided_state(b):
    state_again(b, "+1G", "-n", "5:0:0", "-c", "5:scratch")


@exhibit("the node data's partition was made anew, and shorter", "table-changed", kind="table",
         says="now it is 4M")
def shortened_data(b):
    b.sgdisk("-d", "3", "-n", f"3:{b.parts['slipway-node']['start']}:+4M")


@exhibit("slot B's partition begins a sector later", "table-changed", kind="table",
         says="from sector 1050624 on; now it is 512M from 1050625 on")
def moved_b(b):
    b.sgdisk("-a", "1", "-d", "2", "-n", "2:1050625:2099199", "-t", "2:ef00", "-c",
             "2:slipway-b", "-u", f"2:{b.parts['slipway-b']['uuid']}")


@exhibit("the disk has grown, and the node data's partition was deleted", "table-changed",
         kind="table")
def deleted_and_grown(b):
    b.sgdisk("-d", "3")
    b.grow(64 * MiB)


@exhibit("slot A's partition has the UUID of slot B's", "table-changed", kind="table",
         says="another one has its UUID")
def same_uuid(b):
    b.sgdisk("-u", f"1:{b.parts['slipway-b']['uuid']}")


@exhibit("slot A's partition has the attribute that hides it from firmware", "table-changed",
         kind="table", says="no block io")
def hidden_a(b):
    b.sgdisk("-A", "1:set:1")


@exhibit("the state's partition has the UUID of slot B's", "table-changed", kind="table",
         says="another one has its UUID")
def state_as_b(b):
    b.sgdisk("-u", f"4:{b.parts['slipway-b']['uuid']}")


@exhibit("all partitions have other UUIDs, as sgdisk -G gives them", "table-changed",
         kind="table", says="its UUID is")
def other_uuids(b):
    b.sgdisk("-G")


# -- an image that nobody has signed --

def altered_with_manifest(b, letter, old, new):
    """As somebody does it who knows how a slot is made."""
    label, image = f"slipway-{letter}", b.get(f"slipway-{letter}", BOOT_FILE)
    assert len(old) == len(new) and image.count(old) == 1, old
    altered = image.replace(old, new)
    text = b.get(label, MANIFEST).decode().replace(sha256(image), sha256(altered))
    b.put(label, BOOT_FILE, altered)
    b.put(label, MANIFEST, text.encode())


@exhibit("slot A's kernel command line was changed, and its manifest along", "image-a",
         repair=False, kind="slot", says='"init=/bin/sh" where "console=ttyS0,115200" was')
def cmdline_and_manifest_a(b):
    altered_with_manifest(b, "a", b"console=ttyS0,115200", b"init=/bin/sh quiet  ")


@exhibit("slot A asks another server to admit the node, and its manifest was changed along",
         "image-a", repair=False, kind="slot",
         says='"ember.attest_url=https://attest.invalid/v1" where')
def server_and_manifest_a(b):
    altered_with_manifest(b, "a", b"https://attest.example/v1", b"https://attest.invalid/v1")


@exhibit("a word was added to slot A's kernel command line, in the place of what slipway adds",
         "image-a", repair=False, kind="slot", says='line goes on with "single"')
def added_word_and_manifest_a(b):
    url = b"ember.attest_url=https://attest.example/v1"
    old = b"watchdog.open_timeout=300 " + url
    altered_with_manifest(b, "a", old, (url + b" single").ljust(len(old)))


@exhibit("the node data were copied from another node", "node-data-other", repair=False,
         kind="data", says='they are of "other-9"')
def foreign_data(b):
    with another_node() as there:
        at, size = there.at("slipway-node"), there.bytes("slipway-node")
        b.write(b.at("slipway-node"), there.read(at, size))
