# SPDX-License-Identifier: Apache-2.0
"""Writes measured-boot logs from their specification (TCG PC Client PFP 1.05, section 10), and
works out PCR values with Python's hashes: shares no code with backend/."""
import hashlib
import struct
import uuid

ALGS = {"sha1": 0x0004, "sha256": 0x000b, "sha384": 0x000c, "sha512": 0x000d}
NO_ACTION, SEPARATOR, ACTION, IPL = 3, 4, 5, 13
VARIABLE, APPLICATION, GPT = 0x80000001, 0x80000003, 0x80000006
AUTHORITY, ACTION_EFI = 0x800000e0, 0x80000007


def spec_id(banks):
    data = b"Spec ID Event03\0" + struct.pack("<IBBBBI", 0, 0, 2, 0, 2, len(banks))
    data += b"".join(struct.pack("<HH", ALGS[b], hashlib.new(b).digest_size) for b in banks)
    data += b"\0"
    return struct.pack("<II", 0, NO_ACTION) + bytes(20) + struct.pack("<I", len(data)) + data


def locality(value):
    return (0, NO_ACTION, b"StartupLocality\0" + bytes([value]))


def variable(name, value):
    return bytes(16) + struct.pack("<QQ", len(name), len(value)) + name.encode("utf-16le") + value


X509 = uuid.UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072").bytes_le
DATABASE = uuid.UUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f").bytes_le
OWNER = bytes(range(16))


def signature_lists(*certificates):
    """EFI_SIGNATURE_LIST for each certificate (DER), as db holds them."""
    return b"".join(X509 + struct.pack("<III", 28 + 16 + len(c), 0, 16 + len(c)) + OWNER + c
                    for c in certificates)


def authority(certificate):
    """What is measured when an image is trusted because of this entry of db."""
    value = OWNER + certificate
    return (7, AUTHORITY, DATABASE + struct.pack("<QQ", 2, len(value)) +
            "db".encode("utf-16le") + value)


def agile(banks, events):
    """events: (pcr, type, data); what is measured is the data itself."""
    out = spec_id(banks)
    for pcr, kind, data in events:
        out += struct.pack("<III", pcr, kind, len(banks))
        for bank in banks:
            digest = hashlib.new(bank, data).digest()
            out += struct.pack("<H", ALGS[bank]) + (bytes(len(digest)) if kind == NO_ACTION
                                                    else digest)
        out += struct.pack("<I", len(data)) + data
    return out


def sha1_form(events):
    return b"".join(struct.pack("<II", pcr, kind) + hashlib.sha1(data).digest() +
                    struct.pack("<I", len(data)) + data for pcr, kind, data in events)


def replay(bank, events, start=0):
    size = hashlib.new(bank).digest_size
    pcrs = {}
    for pcr, kind, data in events:
        if kind == NO_ACTION:
            continue
        first = bytes(size - 1) + bytes([start]) if pcr == 0 else \
            b"\xff" * size if 17 <= pcr <= 22 else bytes(size)
        digest = hashlib.new(bank, data).digest()
        pcrs[pcr] = hashlib.new(bank, pcrs.get(pcr, first) + digest).digest()
    return {str(pcr): value.hex() for pcr, value in sorted(pcrs.items())}


EVENTS = [
    (0, 8, "version 1".encode("utf-16le")),
    (7, VARIABLE, variable("SecureBoot", b"\1")),
    (1, 0x80000002, variable("BootOrder", b"\3\0\4\0")),
    (4, ACTION, b"Calling EFI Application from Boot Option"),
    (4, SEPARATOR, bytes(4)), (7, SEPARATOR, b"\xff\xff\xff\xff"),
    (5, GPT, b"EFI PART" + bytes(84) + struct.pack("<Q", 1) + bytes(128)),
    (4, APPLICATION, struct.pack("<QQQQ", 1, 2, 3, 4) + b"\x7f\xff\x04\0"),
    (11, IPL, ".linux".encode("utf-16le") + b"\0\0"), (12, IPL, b"console=ttyS0\0"),
    (12, 6, struct.pack("<II", 0x8f3b22ec, 8) + "abcd".encode("utf-16le")),
    (17, 0x80000010, b"HCRTM"),
]
