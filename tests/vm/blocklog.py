# SPDX-License-Identifier: Apache-2.0
"""What a disk was sent, as QEMU's blklogwrites keeps it, and the disks that a power cut may leave.

The format is that of dm-log-writes (Linux, Documentation/admin-guide/device-mapper/log-writes.rst):
a superblock (magic, version, entries, sector size), then per entry one sector with sector, count,
flags and length, and the data behind it.
"""

import shutil
import struct
import subprocess

SECTOR = 512
MAGIC = 0x6A736677736872
FLUSH, DISCARD = 1, 4


class Log:
    """Writes as (flush before it, offset, data), grouped into epochs between flushes."""

    def __init__(self, path):
        self.epochs = [[]]
        with open(path, "rb") as file:
            magic, _, count, size = struct.unpack("<QQQI", file.read(28))
            if magic != MAGIC or size != SECTOR:
                raise ValueError("%s is no log of this sector size" % path)
            file.seek(SECTOR)
            for _ in range(count):
                self._take(file)

    def _take(self, file):
        sector, count, flags, _ = struct.unpack("<QQQQ", file.read(SECTOR)[:32])
        if flags & DISCARD:
            raise ValueError("a discard: its effect is not known")
        data = file.read(count * SECTOR)
        if flags & FLUSH and self.epochs[-1]:
            self.epochs.append([])
        if data:
            self.epochs[-1].append((sector * SECTOR, data))

    def count(self):
        return len([e for e in self.epochs if e])

    def cut(self, base, path, random):
        """A disk as a cut in a random epoch may leave it; says in words what it is."""
        epoch = random.randrange(self.count())
        sectors = [(offset + at, data[at:at + SECTOR]) for offset, data in self.epochs[epoch]
                   for at in range(0, len(data), SECTOR)]
        keep = random.choice((None, None, 0.02, 0.5, 0.98))
        if keep is None:
            left = sectors[:random.randrange(len(sectors) + 1)]
        else:
            left = [s for s in sectors if random.random() < keep]
        subprocess.run(["cp", "--sparse=always", "--reflink=auto", base, path], check=True)
        with open(path, "r+b") as file:
            for done in self.epochs[:epoch]:
                for offset, data in done:
                    file.seek(offset)
                    file.write(data)
            for offset, data in left:
                file.seek(offset)
                file.write(data)
        return "epoch %d of %d, %d of %d sectors, %s" % (
            epoch + 1, self.count(), len(left), len(sectors),
            "in order" if keep is None else "in any order")


def whole(log, base, path):
    """The disk after every write."""
    shutil.copyfile(base, path)
    with open(path, "r+b") as file:
        for epoch in log.epochs:
            for offset, data in epoch:
                file.seek(offset)
                file.write(data)
