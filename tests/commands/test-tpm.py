# SPDX-License-Identifier: Apache-2.0
"""The measured-boot log: PCR values against real machines and against an independent replay."""
import hashlib
import json
import os
import subprocess
from pathlib import Path

import eventlog
from lib import SOURCE, Skip, expect, main, need, same, test, tool

DATA = SOURCE.parent / "shared" / "data" / "eventlogs"


def recorded():
    if not DATA.is_dir():
        raise Skip("no recorded event logs beside the project (../shared/data/eventlogs)")
    return json.loads((DATA / "expected-pcrs.json").read_text())


def write(case, name, data):
    path = case.dir / name
    path.write_bytes(data)
    return path


@test("the logs of real machines replay to the values that their TPMs reported")
def _(case):
    for name, banks in recorded().items():
        got = expect(case.run("--json", "tpm", "replay", "--log", DATA / name), 0).json()
        for bank, pcrs in banks.items():
            for pcr, value in pcrs.items():
                same(got[bank].get(pcr), value, f"{name} {bank} PCR {pcr}")


@test("every recorded log can be shown and explained, also those with faults")
def _(case):
    recorded()
    for path in sorted(DATA.glob("*.bin")):
        expect(case.run("tpm", "log", "--log", path), 0)
        expect(case.run("tpm", "explain", "--log", path), 0)


@test("a log of three banks replays as an independent program replays it")
def _(case):
    banks = ["sha1", "sha256", "sha384"]
    path = write(case, "log", eventlog.agile(banks, eventlog.EVENTS))
    got = expect(case.run("--json", "tpm", "replay", "--log", path), 0).json()
    same(got, {b: eventlog.replay(b, eventlog.EVENTS) for b in banks}, "PCRs")
    one = expect(case.run("--json", "tpm", "replay", "--bank", "sha384", "--log", path), 0).json()
    same(list(one), ["sha384"], "banks")


@test("a SHA-1 log and the padding behind it are read")
def _(case):
    for padding in (b"", bytes(100), b"\xff" * 100):
        path = write(case, "log", eventlog.sha1_form(eventlog.EVENTS) + padding)
        got = expect(case.run("--json", "tpm", "replay", "--log", path), 0).json()
        same(got, {"sha1": eventlog.replay("sha1", eventlog.EVENTS)}, "PCRs")


@test("the locality at which the TPM was started begins PCR 0")
def _(case):
    events = [eventlog.locality(3)] + eventlog.EVENTS
    path = write(case, "log", eventlog.agile(["sha256"], events))
    got = expect(case.run("--json", "tpm", "replay", "--log", path), 0).json()
    same(got["sha256"], eventlog.replay("sha256", events, start=3), "PCRs")
    expect(case.run("tpm", "log", "0", "--log", path), 0, "started at locality 3")


@test("events are shown in words, and only those of the PCRs asked for")
def _(case):
    path = write(case, "log", eventlog.agile(["sha256"], eventlog.EVENTS))
    expect(case.run("tpm", "log", "--log", path), 0, "version 1", "SecureBoot = 1", "BootOrder, 4",
           "Calling EFI Application", "end of the firmware's part", "1 partitions", ".linux",
           "console=ttyS0", "tag 8f3b22ec: abcd")
    only = expect(case.run("--json", "tpm", "log", "7", "12", "--log", path), 0).json()
    same(sorted({e["pcr"] for e in only}), [7, 12], "PCRs")
    expect(case.run("tpm", "log", "24", "--log", path), 2, "no PCR")
    expect(case.run("tpm", "log", "--bank", "sha1", "--log", path), 2, "it has sha256")


@test("each step of a PCR is shown with the value that it left")
def _(case):
    path = write(case, "log", eventlog.agile(["sha256"], eventlog.EVENTS))
    steps = expect(case.run("--json", "tpm", "explain", "4", "--log", path), 0).json()["4"]
    same([s["type"] for s in steps],
         ["EV_ACTION", "EV_SEPARATOR", "EV_EFI_BOOT_SERVICES_APPLICATION"], "types")
    same(steps[-1]["value"], eventlog.replay("sha256", eventlog.EVENTS)["4"], "last value")


@test("two logs: only the PCRs that differ, and the events that make the difference")
def _(case):
    other = list(eventlog.EVENTS)
    other[1] = (7, eventlog.VARIABLE, eventlog.variable("SecureBoot", b"\0"))
    other.insert(4, (4, eventlog.ACTION, b"Returning from EFI Application from Boot Option"))
    one = write(case, "one", eventlog.agile(["sha256"], eventlog.EVENTS))
    two = write(case, "two", eventlog.agile(["sha256"], other))
    said = expect(case.run("--json", "tpm", "explain", "--log", one, "--against", two), 0).json()
    same(sorted(said), ["4", "7"], "PCRs that differ")
    same([e["text"] for e in said["7"]["log"]], ["SecureBoot = 1"], "this log")
    same([e["text"] for e in said["7"]["against"]], ["SecureBoot = 0"], "the other log")
    four = said["4"]
    same((four["same_before"], four["log"], len(four["against"])), (1, [], 1), "PCR 4")
    expect(case.run("tpm", "explain", "--log", one, "--against", one), 0, "No PCR differs")


@test("a damaged log is refused with the place of the damage")
def _(case):
    good = eventlog.agile(["sha256"], eventlog.EVENTS)
    # The cut falls into the third record (the first is the list of banks).
    path = write(case, "log", good[:len(eventlog.agile(["sha256"], eventlog.EVENTS[:2])) - 5])
    expect(case.run("tpm", "replay", "--log", path), 8, "damaged", "record 3, at byte")
    path = write(case, "log", b"")
    expect(case.run("tpm", "replay", "--log", path), 8, "kept no log")
    banks = bytearray(good)
    banks[len(eventlog.spec_id(["sha256"])) + 12] = 4       # a digest of a bank not declared
    path = write(case, "log", bytes(banks))
    expect(case.run("tpm", "replay", "--log", path), 8, "banks that the log declares")
    expect(case.run("tpm", "replay", "--log", case.dir / "missing"), 5, "missing")


@test("a machine without a log says so and names the way out")
def _(case):
    case.create()
    expect(case.on("tpm", "log"), 5, "keeps no event log", "--log FILE")


@test("tpm pcrs: what the TPM holds in each bank, beside what the log leads to and its events")
def _(case):
    need("swtpm")
    case.create()
    got = expect(case.on("--json", "tpm", "pcrs"), 0).json()
    same((sorted(got["sha256"], key=int), len(got["sha256"]["7"]["value"])),
         ([str(n) for n in range(24)], 64), "PCRs")
    same(got["sha256"]["17"]["value"], "ff" * 32, "a PCR of the dynamic root of trust")
    log = write(case, "log", eventlog.agile(["sha256"], started(1, b"")))
    got = expect(case.on("--json", "tpm", "pcrs", "--log", log, "--bank", "sha256", 7, 8),
                 0).json()
    same(list(got), ["sha256"], "banks")
    same(sorted(got["sha256"]), ["7", "8"], "PCRs")
    seven, eight = got["sha256"]["7"], got["sha256"]["8"]
    same(seven["log"], eventlog.replay("sha256", started(1, b""))["7"], "what the log leads to")
    same((seven["value"], seven["explained"], eight["explained"], eight["events"]),
         ("00" * 32, False, True, []), "what is said")
    same([e["type"] for e in seven["events"]][:3], ["EV_EFI_VARIABLE_DRIVER_CONFIG"] * 2 +
         ["EV_SEPARATOR"], "events of PCR 7")
    expect(case.on("tpm", "pcrs", "--log", log, 7, 8), 0, "not what the log leads to (4 events)",
           "nothing was measured", "PCR 7 was made by", "SecureBoot = 1", "not in the log")
    expect(case.on("tpm", "pcrs", "24"), 2)
    expect(case.on("tpm", "pcrs", "--bank", "md5"), 2, "the TPM keeps no bank", "it has sha")


BOOTX64 = "/usr/lib/systemd/boot/efi/systemd-bootx64.efi"


def signer(case, name, issuer=None):
    """A key with a certificate, its own or of an issuer; the certificate in DER."""
    key, pem = case.dir / f"{name}.key", case.dir / f"{name}.pem"
    more = ("-CA", case.dir / f"{issuer}.pem", "-CAkey", case.dir / f"{issuer}.key") \
        if issuer else ()
    tool("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", pem,
         "-subj", f"/CN={name}", "-days", "2", *more)
    return subprocess.run(["openssl", "x509", "-in", pem, "-outform", "DER"], check=True,
                          capture_output=True).stdout


def signed(case, name, image=BOOTX64):
    out = case.dir / f"{name}.efi"
    tool("sbsign", "--key", case.dir / f"{name}.key", "--cert", case.dir / f"{name}.pem",
         "--output", out, image)
    return out


def started(secure, db, *authorities):
    """The log of a system that a loader started, trusted by what is said."""
    return [(7, eventlog.VARIABLE, eventlog.variable("SecureBoot", bytes([secure]))),
            (7, eventlog.VARIABLE, eventlog.variable("db", db)),
            (7, eventlog.SEPARATOR, bytes(4)),
            (4, eventlog.ACTION_EFI, b"Calling EFI Application from Boot Option"),
            *authorities,
            (7, eventlog.AUTHORITY, eventlog.variable("SbatLevel", b"sbat,1"))]


def foretold(case, image, events):
    log = write(case, "log", eventlog.agile(["sha1", "sha256"], events))
    return case.run("--json", "tpm", "predict", "--log", log, image, 7)


@test("PCR 7 of an image under Secure Boot: the first entry of db above its signer is measured")
def _(case):
    need("sbsign", "openssl")
    other, root, shim = (signer(case, name) for name in ("other", "root", "shim"))
    leaf = signer(case, "leaf", issuer="root")
    image = signed(case, "leaf")
    for db, entry in (((shim, other, root, leaf), root), ((shim, other, leaf, root), leaf)):
        events = started(1, eventlog.signature_lists(*db), eventlog.authority(shim))
        got = expect(foretold(case, image, events), 0).json()
        same((got["log"], got["sha256"]),
             ({"7": eventlog.replay("sha256", events)["7"]},
              {"7": eventlog.replay("sha256", events[:4] + [eventlog.authority(entry)])["7"]}),
             "PCR 7")
    # What made the firmware trust a card's driver is measured before, and once.
    events = started(1, eventlog.signature_lists(root), eventlog.authority(shim))
    events.insert(3, eventlog.authority(root))
    got = expect(foretold(case, image, events), 0).json()
    same(got["sha256"]["7"], eventlog.replay("sha256", events[:4])["7"], "PCR 7")
    # A log of a real machine, and the loader that this machine has been started by.
    shim = Path("/usr/lib/shim/shimx64.efi.signed")
    if DATA.is_dir() and shim.exists():
        got = expect(case.run("--json", "tpm", "predict", "--log", DATA / "rhel8-uefi.bin", shim,
                              7), 0).json()
        same(got["sha256"]["7"], "7473bd00541c811cb0327d39e8a6a099bd216b58343e5873a6733f3624bddfc0",
             "PCR 7 after shim's own authority")


@test("PCR 7 of an image is not guessed: unknown signer, no signature, no log, other habits")
def _(case):
    need("sbsign", "openssl")
    other, _ = signer(case, "other"), signer(case, "leaf")
    image = signed(case, "leaf")
    events = started(1, eventlog.signature_lists(other))
    for path in (image, BOOTX64):
        expect(foretold(case, path, events), 8, "no certificate in its db is above")
    # Without Secure Boot nobody asks who signed it.
    off = started(0, eventlog.signature_lists(other))
    for path in (image, BOOTX64):
        same(expect(foretold(case, path, off), 0).json()["sha256"]["7"],
             eventlog.replay("sha256", off[:3])["7"], "PCR 7")
    log = eventlog.agile(["sha256"], started(1, eventlog.signature_lists(other),
                                             eventlog.authority(other)))
    entry = eventlog.authority(other)[2]
    habit = log.replace(hashlib.sha256(entry).digest(), hashlib.sha256(entry[32:]).digest())
    assert habit != log
    expect(case.run("tpm", "predict", "--log", write(case, "habit", habit), image, 7), 5,
           "in a way of its own")
    expect(case.run("tpm", "predict", "--log", write(case, "sha1", eventlog.agile(["sha1"], off)),
                    image, 7), 8, "sha256 bank")
    expect(case.run("tpm", "predict", "--log", case.dir / "sha1", case.dir / "none", 7), 5)


STUB = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"
MEASURE = "/usr/lib/systemd/systemd-measure"
PHASES = ("", "enter-initrd", "enter-initrd:leave-initrd",
          "enter-initrd:leave-initrd:sysinit:ready")


def unified(case, **parts):
    """An image of systemd's stub and these sections, as binutils put it together; the parts' files
    for systemd-measure."""
    out, argv, files, at = case.dir / "unified.efi", [], [], 0x20000
    for name, data in parts.items():
        path = write(case, "part." + name, data)
        argv += ["--add-section", f".{name}={path}", "--change-section-vma", f".{name}={at:#x}"]
        files.append(f"--{name}={path}")
        at += (len(data) + 0xffff) & ~0xffff
    tool("objcopy", *argv, STUB, out)
    return out, files


def signed_digest(image):
    """The Authenticode digest that whoever signed the image put into the signature."""
    mark = bytes.fromhex("3031300d060960864801650304020105000420")
    data = image.read_bytes()
    return data[data.rindex(mark) + len(mark):][:32]


@test("tpm predict: PCR 11 is what systemd-measure says, PCR 4 by the digests that sbsign signs")
def _(case):
    need("sbsign", "openssl", "objcopy", MEASURE)
    signer(case, "node")
    kernel = signed(case, "node")
    plain, files = unified(case, osrel=b"ID=node\n", cmdline=b"quiet", pcrpkey=b"a key\n",
                           initrd=os.urandom(300001), linux=kernel.read_bytes())
    kernel = signed_digest(kernel)
    image = signed(case, "node", plain)
    events = started(0, b"")
    events[4:] = [(4, eventlog.SEPARATOR, bytes(4)), (4, eventlog.APPLICATION, b"a loader")]
    log = write(case, "log", eventlog.agile(["sha256"], events))
    got = expect(case.run("--json", "tpm", "predict", "--log", log, image), 0).json()
    four = bytes.fromhex(eventlog.replay("sha256", events[:-1])["4"])
    alone = hashlib.sha256(four + signed_digest(image)).digest()
    four = hashlib.sha256(alone + kernel).digest()
    same((got["sha256"]["4"], got["sha256"]["12"], got["unknown"], sorted(got["sha256"])),
         (four.hex(), "00" * 32, {}, ["11", "12", "4", "7"]), "told")
    same(got["log"]["4"], eventlog.replay("sha256", events)["4"], "PCR 4 of the log")
    events = started(1, b"")[:4] + events[4:]
    log = write(case, "secure", eventlog.agile(["sha256"], events))
    got = expect(case.run("--json", "tpm", "predict", "--log", log, image, 4), 0).json()
    same(got["sha256"], {"4": alone.hex()}, "under Secure Boot, without the kernel")
    for phases in PHASES:
        said = tool(MEASURE, "calculate", "--json=short", "--bank=sha256", "--phase=" + phases,
                    *files).stdout
        want = json.loads(said)["sha256"][0]["hash"]
        got = expect(case.run("--json", "tpm", "predict", "--phases", phases, image, 11), 0).json()
        same(got["sha256"], {"11": want}, "PCR 11 after " + (phases or "the stub"))


@test("tpm predict says what it cannot tell: no log, no unified image, another stub, a newer one")
def _(case):
    need("objcopy")
    image, _ = unified(case, linux=Path(BOOTX64).read_bytes())
    got = expect(case.run("--json", "tpm", "predict", image), 0).json()
    same((sorted(got["sha256"]), sorted(got["unknown"])), (["11", "12"], ["4", "7"]), "without log")
    expect(case.run("tpm", "predict", image, 4), 5, "PCR 4 of this image", "--log FILE")
    expect(case.run("tpm", "predict", image, 0), 2, "4, 7, 11 and 12")
    log = write(case, "log", eventlog.agile(["sha256"], started(0, b"")))
    expect(case.run("tpm", "predict", "--log", log, BOOTX64), 0,
           "PCR 11  cannot be told: it is no unified kernel image", "PCR  7  ")
    expect(case.run("tpm", "predict", "--log", log, BOOTX64, 7), 0)
    expect(case.run("tpm", "predict", "--log", log, image, 4), 8, "nothing of PCR 4")
    stub = image.read_bytes()
    at = stub.index(b"systemd-stub 25")
    for version, told, words in ((b"999", ["11", "12", "7"], "may start the kernel by itself"),
                                 (b"249", ["7"], "older than 252"), (b"x", ["7"], "not systemd")):
        image.write_bytes(stub[:at + 13] + version + stub[at + 13 + len(version):])
        got = expect(case.run("--json", "tpm", "predict", "--log", log, image), 0).json()
        same(sorted(got["sha256"]), told, version)
        assert words in got["unknown"]["4"], got


if __name__ == "__main__":
    main()
