# SPDX-License-Identifier: Apache-2.0
"""Disk images: sparse files, their hashes, and just enough GPT to see what an installer did."""

import hashlib
import os
import struct
import subprocess
import uuid

ESP = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"


class Disk:
    """One disk of a machine. bus: nvme, virtio, sata, scsi or usb."""

    def __init__(self, path, serial, size, bus="nvme", sector=512, removable=False):
        self.path, self.serial, self.bus, self.sector = path, serial, bus, sector
        self.removable = removable
        self.rate = None    # bytes a second that it takes
        self.log = None     # a file in which QEMU's blklogwrites keeps every write
        if not os.path.exists(path):
            with open(path, "wb") as file:
                file.truncate(size)
        self.size = os.path.getsize(path)

    def fill(self, seed):
        """Something recognisable at the start, in the middle and at the end."""
        block = hashlib.sha256(seed.encode()).digest() * 2048
        with open(self.path, "r+b") as file:
            for offset in (0, self.size // 2 & ~4095, self.size - len(block)):
                file.seek(offset)
                file.write(block)

    def hash(self):
        """sha256 over every allocated extent and its offset: holes cost nothing to hash."""
        digest = hashlib.sha256(str(self.size).encode())
        with open(self.path, "rb") as file:
            for start, end in self._extents(file):
                file.seek(start)
                while start < end:
                    data = file.read(min(1 << 20, end - start))
                    # An extent of zeroes reads as a hole does, so it must hash as one.
                    for at in range(0, len(data), 4096):
                        page = data[at:at + 4096]
                        if page.strip(b"\0"):
                            digest.update(b"%d:" % (start + at) + page)
                    start += len(data)
        return digest.hexdigest()

    @staticmethod
    def _extents(file):
        size = os.fstat(file.fileno()).st_size
        position = 0
        while position < size:
            try:
                start = os.lseek(file.fileno(), position, os.SEEK_DATA)
            except OSError:
                return
            # Page by page from a page boundary, wherever the file system puts its extents.
            start &= ~4095
            position = os.lseek(file.fileno(), max(start, position), os.SEEK_HOLE)
            position = min(size, (position + 4095) & ~4095)
            yield start, position

    def written(self):
        """Bytes that are allocated: how far an install has come, seen from outside."""
        return os.stat(self.path).st_blocks * 512

    def partitions(self):
        """[{number, type, uuid, start, size, name}] from the primary GPT, or None without one."""
        with open(self.path, "rb") as file:
            file.seek(self.sector)
            header = file.read(92)
            if header[:8] != b"EFI PART":
                return None
            lba, = struct.unpack_from("<Q", header, 72)
            count, size = struct.unpack_from("<II", header, 80)
            file.seek(lba * self.sector)
            table = file.read(min(count, 1024) * size)
        found = []
        for number in range(len(table) // size):
            entry = table[number * size:(number + 1) * size]
            if entry[:16] == bytes(16):
                continue
            first, last = struct.unpack_from("<QQ", entry, 32)
            found.append({
                "number": number + 1,
                "type": str(uuid.UUID(bytes_le=entry[:16])),
                "uuid": str(uuid.UUID(bytes_le=entry[16:32])),
                "start": first * self.sector,
                "size": (last - first + 1) * self.sector,
                "name": entry[56:128].decode("utf-16-le").rstrip("\0"),
            })
        return found


def make_esp_disk(path, serial, files, bus="sata", size=256 << 20, name="TEST"):
    """A disk with one EFI system partition that holds files {"/EFI/BOOT/BOOTX64.EFI": source}."""
    disk = Disk(path, serial, size, bus)
    subprocess.run(["sfdisk", "-q", path], check=True, text=True,
                   input="label: gpt\nstart=2048, type=%s, name=%s\n" % (ESP, name))
    part = disk.partitions()[0]
    image = path + ".part"
    with open(image, "wb") as file:
        file.truncate(part["size"])
    subprocess.run(["mkfs.vfat", "-F", "32", "-n", name, image], check=True,
                   stdout=subprocess.DEVNULL)
    made = set()
    for target, source in files.items():
        folder = ""
        for step in target.strip("/").split("/")[:-1]:
            folder += "/" + step
            if folder not in made:
                subprocess.run(["mmd", "-i", image, "::" + folder], check=True)
                made.add(folder)
        subprocess.run(["mcopy", "-i", image, source, "::" + target], check=True)
    subprocess.run(["dd", "if=" + image, "of=" + path, "bs=1M", "seek=1", "conv=notrunc,sparse",
                    "status=none"], check=True)
    os.unlink(image)
    return disk
