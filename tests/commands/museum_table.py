# SPDX-License-Identifier: Apache-2.0
"""More of the museum: tables that are whole, and are not the node's."""
import os

from museum import SECTOR, exhibit
from lib import tool


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
