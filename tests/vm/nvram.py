# SPDX-License-Identifier: Apache-2.0
"""The boot variables of a machine that is off, as an operator changes them in the firmware setup.

OVMF keeps them in a firmware volume (UEFI PI 1.7, volume 3, section 3.2) that holds EDK II's
authenticated variable store: a header, then one variable behind the other, each aligned to four
bytes; a later one replaces an earlier one that is marked as deleted.
"""

import os
import struct
import uuid

STORE = uuid.UUID("aaf32c78-947b-439a-a180-2e144ec37792").bytes_le
X509 = uuid.UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072").bytes_le      # EFI_CERT_X509_GUID
OWNER = uuid.UUID("5a1b5d2c-5c0f-4c40-9f6e-7d5a3f1c7e11").bytes_le
ENABLE = uuid.UUID("f0a30bc7-af08-4556-99c4-001009c93a44").bytes_le    # EDK II's own switch
HEADER = struct.Struct("<HBBIQ16sIII16s")
START, ADDED, DELETED = 0x55aa, 0x3f, 0x3d
NON_VOLATILE = 1


class Variables:
    """The variables in a file; changed in memory until save()."""

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            self.data = bytearray(file.read())
        start, = struct.unpack_from("<H", self.data, 0x30)     # behind the volume's header
        assert self.data[0x28:0x2c] == b"_FVH" and self.data[start:start + 16] == STORE
        size, = struct.unpack_from("<I", self.data, start + 16)
        self.first, self.end = start + 28, start + size
        self.free = max((place + sum(HEADER.unpack_from(self.data, place)[7:9]) + HEADER.size
                         for place in self.places()), default=self.first)

    def places(self):
        at = self.first
        while at + HEADER.size <= self.end:
            start, _, _, _, _, _, _, name, size, _ = HEADER.unpack_from(self.data, at)
            if start != START:
                return
            yield at
            at = (at + HEADER.size + name + size + 3) & ~3

    def find(self, wanted):
        """(place, fields, value) of a variable that counts."""
        for at in self.places():
            fields = HEADER.unpack_from(self.data, at)
            name = at + HEADER.size
            value = name + fields[7]
            if fields[1] == ADDED and \
               self.data[name:value] == (wanted + "\0").encode("utf-16-le"):
                return at, fields, bytes(self.data[value:value + fields[8]])
        raise LookupError(wanted)

    def replace(self, name, value):
        """The same variable, with its attributes and its time, and another value."""
        at, fields, _ = self.find(name)
        self.data[at + 2] = DELETED
        new = HEADER.pack(*fields[:8], len(value), fields[9])
        new += (name + "\0").encode("utf-16-le") + value
        place = (self.free + 3) & ~3
        assert place + len(new) <= self.end and set(self.data[place:place + len(new)]) == {0xff}
        self.data[place:place + len(new)] = new
        self.free = place + len(new)

    def everything(self):
        """{(name, vendor GUID): (attributes, value)} of all that count."""
        found = {}
        for at in self.places():
            fields = HEADER.unpack_from(self.data, at)
            name = at + HEADER.size
            value = name + fields[7]
            if fields[1] == ADDED:
                text = self.data[name:value].decode("utf-16-le").rstrip("\0")
                found[text, str(uuid.UUID(bytes_le=fields[9]))] = (
                    fields[3], bytes(self.data[value:value + fields[8]]))
        return found

    def become(self, wanted):
        """Afterwards everything() is wanted. Those that stay the same keep their times and keys;
        the others are plain ones. The store is written anew, as when EDK II reclaims space."""
        same, here = bytearray(), self.everything()
        for at in self.places():
            fields = HEADER.unpack_from(self.data, at)
            name, end = at + HEADER.size, at + HEADER.size + fields[7] + fields[8]
            key = (self.data[name:name + fields[7]].decode("utf-16-le").rstrip("\0"),
                   str(uuid.UUID(bytes_le=fields[9])))
            if fields[1] == ADDED and key in wanted and wanted[key] == here[key]:
                same += self.data[at:end] + b"\xff" * (-len(same) - (end - at) & 3)
        for (name, guid), (attributes, value) in wanted.items():
            if here.get((name, guid)) != (attributes, value):
                text = (name + "\0").encode("utf-16-le")
                same += HEADER.pack(START, ADDED, 0, attributes, 0, bytes(16), 0, len(text),
                                    len(value), uuid.UUID(guid).bytes_le) + text + value
                same += b"\xff" * (-len(same) & 3)
        assert len(same) <= self.end - self.first
        self.data[self.first:self.end] = same + b"\xff" * (self.end - self.first - len(same))
        self.free = self.first + len(same)

    def save(self):
        with open(self.path, "r+b") as file:
            file.write(self.data)


def into_folder(path, folder):
    """The variables of a store as the files that Linux shows: attributes, then the value."""
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
    for (name, guid), (attributes, value) in Variables(path).everything().items():
        if attributes & NON_VOLATILE:
            with open(os.path.join(folder, "%s-%s" % (name, guid)), "wb") as file:
                file.write(struct.pack("<I", attributes) + value)


def from_folder(folder, path):
    """The other way round."""
    variables, wanted = Variables(path), {}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        wanted[name[:-37], name[-36:]] = (struct.unpack_from("<I", data)[0], data[4:])
    variables.become(wanted)
    variables.save()


def trust(path, certificate):
    """One more certificate (DER) in db."""
    variables = Variables(path)
    entry = OWNER + certificate
    variables.replace("db", variables.find("db")[2] + X509 +
                      struct.pack("<III", 28 + len(entry), 0, len(entry)) + entry)
    variables.save()


def turn_secure_boot_off(path):
    variables = Variables(path)
    assert variables.find("SecureBootEnable")[1][9] == ENABLE
    variables.replace("SecureBootEnable", b"\0")
    variables.save()
