#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is sealed and no longer opens: doctor names the PCR and the event, and seals it again."""
import hashlib
import io
import json
import os
import shutil
import struct
import tarfile

import eventlog
from eventlog import SEPARATOR, VARIABLE
from lib import SOURCE, MiB, cut, expect, fingerprint, main, need, partitions, same, test, tool
from attest_server import AttestServer, Authority
from escrow import block, certificate, decrypt
from join_server import Keyserver
from museum import run_from
from swtpm import Tpm

SECRET = "what the node was entrusted with"
TWO = ("NODE07SYS", "DATA4711")
NO_ADMISSION = ("  kind: attest\n  url: https://attest.example/v1\n", "  kind: none\n")


def node(case, *more):
    """Installed, and started from its first slot."""
    need("swtpm")
    case.create("serial=NODE07SYS,size=1400M,model=Alpha,transport=nvme")
    tpm = Tpm(case)
    answers = case.answers(replace=[NO_ADMISSION, *more])
    case.said = expect(case.on("--json", "--yes", "install", "--answers", answers), 0)
    run_from(case, "a")
    return tpm


def encrypted(case):
    """The same with an encrypted state; its recovery key, out of the escrow, in a file."""
    need("openssl", "cryptsetup")
    tpm = node(case, ("  layout: node\n", "  layout: encrypted\n  recovery: escrow\n"
                      "  escrow: |\n" + block(certificate(case))))
    events = [json.loads(line) for line in case.said.out.splitlines() if line[:8] == '{"event"']
    key = case.dir / "recovery"
    key.write_bytes(decrypt(case, events[-1]["recovery_escrow"]))
    return tpm, key


def state(case):
    return cut(case.disk(), partitions(case.disk())["state"], case.dir / "state.img")


def opens(image, key):
    return tool("cryptsetup", "open", "--test-passphrase", "--key-file", key, image,
                check=False).returncode == 0


def seals(image):
    dump = json.loads(tool("cryptsetup", "luksDump", "--dump-json-metadata", image).stdout)
    return [t for t in dump["tokens"].values() if t["type"] == "systemd-tpm2"]


def log_of(case, tpm, events):
    """The firmware's log, and the TPM as it would be after that."""
    path = case.machine_dir / "sys/kernel/security/tpm0/binary_bios_measurements"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(eventlog.agile(["sha256"], events))
    tpm.lose_power()
    for pcr, kind, data in events:
        if kind != eventlog.NO_ACTION:
            tpm.tool("tpm2_pcrextend", f"{pcr}:sha256={hashlib.sha256(data).hexdigest()}")


def firmware(secure_boot=0, db=b"one", extra=()):
    return [(7, VARIABLE, eventlog.variable("SecureBoot", bytes([secure_boot]))),
            (7, VARIABLE, eventlog.variable("PK", b"")), (7, VARIABLE, eventlog.variable("db", db)),
            *extra, (7, SEPARATOR, bytes(4)), (4, SEPARATOR, bytes(4))]


def found(case, name):
    for finding in case.on("--json", "doctor").json()["findings"]:
        if finding["id"].split("/")[-1] == name:
            return finding
    return None


def everything(case):
    return fingerprint(case.disk())


def repair(case, finding, given, *more, code=0, words=("is gone",)):
    return expect(case.on("--yes", "doctor", "--repair", finding["id"], "--given", given, *more),
                  code, *words)


@test("a secret that PCR 7 closed is sealed again by its recovery key; undo; nothing else changes")
def _(case):
    tpm = node(case)
    key, wrong = case.dir / "key", case.dir / "wrong"
    key.write_bytes(os.urandom(32))
    wrong.write_bytes(os.urandom(32))
    expect(case.on("secret", "seal", "join", "--recovery-file", key, stdin=SECRET), 0)
    same(found(case, "secret-join"), None, "a healthy one")
    tpm.tool("tpm2_pcrextend", "7:sha256=" + "11" * 32)
    finding = found(case, "secret-join")
    same((finding["severity"], finding["repair"]["needs"]), ("warning", "key"), "finding")
    assert "PCR 7 is " in finding["evidence"] and "it was 0000" in finding["evidence"], finding
    before = everything(case)
    expect(case.on("--yes", "doctor", "--repair", finding["id"]), 2, "asks for the recovery key",
           "--given FILE")
    repair(case, finding, wrong, code=8, words=("does not open it",))
    same(everything(case), before, "by the wrong key")
    shown = expect(case.on("doctor", "--repair", finding["id"], "--dry-run"), 0, "was     join",
                   "writes  join: sealed to PCR 7 as it is")
    assert SECRET not in str(shown), shown
    undo = case.dir / "undo.json"
    repair(case, finding, key, "--save", undo)
    same(expect(case.on("secret", "open", "join"), 0).out, SECRET, "opened")
    same(expect(case.on("secret", "open", "join", "--recovery-file", key), 0).out, SECRET, "copy")
    assert SECRET not in undo.read_text() and key.read_bytes().hex() not in undo.read_text()
    expect(case.on("--yes", "doctor", "--undo", undo), 0, "Taken back")
    same(everything(case), before, "after the undo")
    assert found(case, "secret-join"), "the finding is not there again"
    repair(case, finding, key)
    same(expect(case.on("secret", "open", "join"), 0).out, SECRET, "opened again")
    same(tpm.left(), "", "left in the TPM")


@test("a cleared TPM: a secret without a copy is taken again and sealed; on both disks of a mirror")
def _(case):
    need("swtpm")
    case.create()
    tpm = Tpm(case)
    answers = case.answers(replace=[NO_ADMISSION, ("layout: node\n", "layout: mirror\n"),
                                    ("  wipe: any\n", "  wipe: any\n  more: [{match: {serial: "
                                     "DATA4711}, wipe: any}]\n")])
    expect(case.on("--yes", "install", "--answers", answers), 0)
    expect(case.on("secret", "seal", "join", stdin=SECRET), 0)
    tpm.tool("tpm2_clear", "-c", "p")
    finding = found(case, "secret-join")
    same(finding["repair"]["needs"], "secret", "what is asked for")
    assert "another TPM, or this one was cleared" in finding["evidence"], finding
    given, undo = case.dir / "given", case.dir / "undo.json"
    given.write_text(SECRET)
    before = [fingerprint(case.disk(s)) for s in ("NODE07SYS", "DATA4711")]
    repair(case, finding, given, "--save", undo)
    same(found(case, "secret-join"), None, "after it")
    for disk in case.on("--json", "facts").json()["disks"]:
        same(expect(case.on("secret", "open", "join", "--disk", disk["name"]), 0).out, SECRET,
             disk["name"])
    expect(case.on("--yes", "doctor", "--undo", undo), 0, "Taken back")
    same([fingerprint(case.disk(s)) for s in ("NODE07SYS", "DATA4711")], before, "both disks")
    repair(case, finding, given)


@test("the finding names the event of the firmware's log that differs: changed, new, or gone")
def _(case):
    tpm = node(case)
    log_of(case, tpm, firmware())
    expect(case.on("secret", "seal", "join", stdin=SECRET), 0)
    for events, words in (
            (firmware(secure_boot=1), "event 1 is another one, now EV_EFI_VARIABLE_DRIVER_CONFIG "
             "SecureBoot"),
            (firmware(db=b"two"), "event 3 is another one, now EV_EFI_VARIABLE_DRIVER_CONFIG db"),
            (firmware(extra=[(7, VARIABLE, eventlog.variable("dbx", b"revoked"))]),
             "event 4 is new: EV_EFI_VARIABLE_DRIVER_CONFIG dbx"),
            (firmware()[:2] + firmware()[3:], "an event is missing before event 3")):
        log_of(case, tpm, events)
        assert words in found(case, "secret-join")["evidence"], (words, found(case, "secret-join"))
    log_of(case, tpm, firmware())
    same(found(case, "secret-join"), None, "as it was")
    tpm.tool("tpm2_pcrextend", "7:sha256=" + "11" * 32)
    assert "not in the firmware's log" in found(case, "secret-join")["evidence"]


@test("an encrypted state that PCR 7 closed: by its recovery key; undo")
def _(case):
    tpm, key = encrypted(case)
    label = "seal-state"
    same(found(case, label), None, "a healthy one")
    tpm.tool("tpm2_pcrextend", "7:sha256=" + "11" * 32)
    finding = found(case, label)
    same((finding["severity"], finding["repair"]["needs"]), ("error", "key"), "finding")
    assert "PCR 7 is " in finding["evidence"] and "it was 0000" in finding["evidence"], finding
    wrong, undo, before = case.dir / "wrong", case.dir / "undo.json", everything(case)
    wrong.write_text("vvvvvvvv-" * 7 + "vvvvvvvv")
    repair(case, finding, wrong, code=4, words=("this key does not open it",))
    same(everything(case), before, "by the wrong key")
    old = seals(state(case))
    repair(case, finding, key, "--save", undo)
    image, now = state(case), seals(state(case))
    same((len(old), len(now)), (1, 1), "seals")
    assert now[0]["tpm2-blob"] != old[0]["tpm2-blob"], "the same seal"
    assert now[0]["slipway-sealed-to"]["7"]["value"] != "00" * 32, now
    assert opens(image, key), "the recovery key no longer opens it"
    assert key.read_text().strip() not in undo.read_text(), "the key is in the file for undo"
    expect(case.on("--yes", "doctor", "--undo", undo), 0, "Taken back")
    same(everything(case), before, "after the undo")
    repair(case, finding, key)
    same(tpm.left(), "", "left in the TPM")


def mirrored(case):
    """An encrypted state on two disks, started from its first slot; its recovery key in a file."""
    need("openssl", "swtpm")
    case.create()
    tpm = Tpm(case)
    folder = case.dir / "mirrored"
    shutil.copytree(SOURCE / "layouts/mirror", folder)
    with open(folder / "40-state.conf", "a", encoding="utf-8") as file:
        file.write("Encrypt=tpm2\n")
    keeper = "  recovery: escrow\n  escrow: |\n" + block(certificate(case))
    answers = case.answers(replace=[
        NO_ADMISSION, ("  layout: node\n", f"  layout: {folder}\n{keeper}"),
        ("  wipe: any\n", "  wipe: any\n  more: [{match: {serial: DATA4711}, wipe: any}]\n")])
    said = expect(case.on("--json", "--yes", "install", "--answers", answers), 0)
    run_from(case, "a")
    events = [json.loads(line) for line in said.out.splitlines() if line[:8] == '{"event"']
    key = case.dir / "recovery"
    key.write_bytes(decrypt(case, events[-1]["recovery_escrow"]))
    return tpm, key


def inside(case, serial):
    """What is encrypted on this disk's member of the mirror, as a file of its own."""
    whole = cut(case.disk(serial), partitions(case.disk(serial))["state"],
                case.dir / f"{serial}.member")
    path = case.dir / f"{serial}.state"
    with open(whole, "rb") as file:
        file.seek(MiB)
        path.write_bytes(file.read(17 * MiB))
    whole.unlink()
    return path


def super_of(case, serial):
    at = partitions(case.disk(serial))["state"]["start"] * 512 + 4096
    with open(case.disk(serial), "rb") as file:
        file.seek(at)
        return at, bytearray(file.read(4096))


def change_super(case, serial, events=None, gone=None):
    """As md writes it: a later count of events, and a member that it no longer counts."""
    at, block = super_of(case, serial)
    if events is not None:
        block[200:208] = struct.pack("<Q", events)
    if gone is not None:
        block[256 + 2 * gone:258 + 2 * gone] = b"\xfe\xff"
    block[216:220] = bytes(4)
    length = 256 + 2 * struct.unpack_from("<I", block, 220)[0]
    total = sum(struct.unpack_from(f"<{length // 4}I", block))
    block[216:220] = struct.pack("<I", (total + (total >> 32)) & 0xffffffff)
    with open(case.disk(serial), "r+b") as file:
        file.seek(at)
        file.write(block)
    tool("mdadm", "--examine", cut(case.disk(serial), partitions(case.disk(serial))["state"],
                                   case.dir / "member"))


def both(case):
    return [fingerprint(case.disk(s)) for s in TWO]


@test("an encrypted mirror whose TPM was cleared: sealed again on both members alike; undo")
def _(case):
    need("cryptsetup")
    tpm, key = mirrored(case)
    same(found(case, "seal-state"), None, "a healthy one")
    tpm.tool("tpm2_clear", "-c", "p")
    seen = [f for f in case.on("--json", "doctor").json()["findings"]
            if f["id"].endswith("seal-state")]
    same([(f["repair"]["needs"], f["severity"]) for f in seen], [("key", "error")], "findings")
    assert "another TPM, or this one was cleared" in seen[0]["evidence"], seen
    before, supers, old = both(case), [super_of(case, s) for s in TWO], seals(inside(case, TWO[0]))
    wrong, undo = case.dir / "wrong", case.dir / "undo.json"
    wrong.write_text("vvvvvvvv-" * 7 + "vvvvvvvv")
    repair(case, seen[0], wrong, code=4, words=("this key does not open it",))
    same(both(case), before, "by the wrong key")
    repair(case, seen[0], key, "--save", undo)
    same([super_of(case, s) for s in TWO], supers, "what md knows of the members")
    images = [inside(case, s) for s in TWO]
    same(images[0].read_bytes()[:16 * MiB] == images[1].read_bytes()[:16 * MiB], True, "alike")
    now = seals(images[1])
    same((len(old), len(now)), (1, 1), "seals")
    assert now[0]["tpm2-blob"] != old[0]["tpm2-blob"], "the same seal"
    assert all(opens(image, key) for image in images), "the recovery key no longer opens it"
    given = expect(case.on("state", "key"), 0).out
    (case.dir / "given").write_text(given)
    assert all(opens(image, case.dir / "given") for image in images), "the TPM's key opens it not"
    expect(case.on("--yes", "doctor", "--undo", undo), 0, "Taken back")
    same(both(case), before, "after the undo")
    done = expect(case.on("state", "reseal", "--key-file", key), 0)
    assert "state on the mirror of" in done.out and " and " in done.out, done
    same(found(case, "seal-state"), None, "after the command")
    images = [inside(case, s) for s in TWO]
    same(images[0].read_bytes()[:16 * MiB] == images[1].read_bytes()[:16 * MiB], True, "alike")
    same(tpm.left(), "", "left in the TPM")


@test("a mirror is not sealed again while a member is away, behind or in use; without one that "
      "failed it is")
def _(case):
    tpm, key = mirrored(case)
    tpm.tool("tpm2_clear", "-c", "p")
    yaml = case.machine_dir / "machine.yaml"
    healthy, saved = yaml.read_text(), [super_of(case, s) for s in TWO]

    def refused(*words):
        before = both(case)
        finding = found(case, "seal-state")
        assert "repair" not in finding and words[0] in finding["advice"], (words, finding)
        expect(case.on("state", "reseal", "--key-file", key), 4, *words)
        same(both(case), before, "the disks")

    yaml.write_text(healthy.replace("serial: DATA4711", "serial: OTHER"))
    disk = case.disk("DATA4711")
    disk.rename(disk.with_suffix(".away"))
    with open(disk, "wb") as file:
        file.truncate(disk.with_suffix(".away").stat().st_size)
    same("repair" in found(case, "seal-state"), False, "a member is away")
    expect(case.on("state", "reseal", "--key-file", key), 4, "is not here", "put its disk back")
    disk.with_suffix(".away").rename(disk)
    yaml.write_text(healthy)

    change_super(case, "NODE07SYS", events=9)
    refused("is behind the others", "recovery key")
    change_super(case, "NODE07SYS", events=9, gone=1)
    change_super(case, "DATA4711", events=9, gone=0)
    refused("do not agree", "take one of them out")
    # The member that failed is copied anew when it is back: it is left alone.
    at, block = saved[1]
    with open(disk, "r+b") as file:
        file.seek(at)
        file.write(block)
    name = next(d["name"] for d in case.on("--json", "facts").json()["disks"]
                if d["serial"] == "NODE07SYS")
    holder = case.machine_dir / f"sys/class/block/{name}p4/holders/md127"
    holder.mkdir(parents=True)
    refused("put the mirror together", "nothing uses it", "mdadm --stop /dev/md127")
    above = case.machine_dir / "sys/class/block/md127/holders/dm-0"
    above.mkdir(parents=True)
    refused("put the mirror together", "systemd-cryptenroll", "/dev/md127")
    shutil.rmtree(above.parents[1])
    holder.rmdir()
    before = both(case)
    repair(case, found(case, "seal-state"), key)
    after = both(case)
    same([a == b for a, b in zip(after, before)], [False, True], "what is written")
    same(seals(inside(case, "NODE07SYS"))[0] != seals(inside(case, "DATA4711"))[0], True, "seals")


@test("a TPM that is gone is told to a node that needs it for nothing but an encrypted mirror")
def _(case):
    mirrored(case)
    same(found(case, "tpm-gone"), None, "a healthy one")
    path = case.machine_dir / "machine.yaml"
    path.write_text(path.read_text().replace("tpm: true", "tpm: false"))
    finding = found(case, "tpm-gone")
    same((finding["severity"], "repair" in finding), ("error", False), "finding")
    assert finding["evidence"].startswith("its state is sealed to the TPM;"), finding


@test("a TPM that was replaced opens nothing: all is sealed to the new one, and told as such")
def _(case):
    tpm, key = encrypted(case)
    tpm.tool("tpm2_clear", "-c", "p")
    finding = found(case, "seal-state")
    assert "another TPM, or this one was cleared" in finding["evidence"], finding
    repair(case, finding, key)
    same(found(case, "seal-state"), None, "after it")
    same(len(seals(state(case))), 1, "seals")
    # Booted from elsewhere a changed PCR says nothing about the node.
    tpm.tool("tpm2_pcrextend", "7:sha256=" + "11" * 32)
    (case.machine_dir / "vars" / "BootCurrent-8be4df61-93ca-11d2-aa0d-00e098032b8c").unlink()
    for path in (case.machine_dir / "vars").glob("LoaderDevicePartUUID-*"):
        path.unlink()
    same(found(case, "seal-state"), None, "under another system")


@test("a burnt token is an error with a repair that asks for a new one, and admits the node again")
def _(case):
    need("openssl")
    with Keyserver(Authority(case.dir), case.dir) as server:
        pem = "".join(f"    {line}\n" for line in server.authority.ca.read_text().splitlines())
        case.create()
        answers = case.answers(replace=[(
            "  kind: attest\n  url: https://attest.example/v1\n",
            f"  kind: homeworld\n  url: {server.url}\n  ca: |\n{pem}")])
        expect(case.on("--yes", "install", "--answers", answers), 0)
        run_from(case, "a")
        same(found(case, "admission-homeworld"), None, "before anybody tried")
        burnt, fresh = case.dir / "burnt", case.dir / "fresh"
        burnt.write_text(server.issue(age_s=7200))
        expect(case.on("admit", "--wait", "0", "--token", burnt, "--save", case.dir / "x"), 9)
        finding = found(case, "admission-homeworld")
        same((finding["severity"], finding["repair"]["needs"], finding["repair"]["undo"]),
             ("error", "token", False), "finding")
        expect(case.on("doctor", "--repair", finding["id"], "--dry-run"), 0, "cannot be taken back")
        before = everything(case)
        repair(case, finding, burnt, code=9, words=("token",))
        fresh.write_text(server.issue() + "\n")
        said = repair(case, finding, fresh)
        assert "takes it back" not in said.out, said
        same(found(case, "admission-homeworld"), None, "after it")
        same(everything(case), before, "the disk")
        kept = case.machine_dir / "run/overlay.tar"
        same(kept.stat().st_mode & 0o777, 0o600, "the overlay's mode")
        assert "homeworld" in tool("tar", "-tf", kept).stdout
        assert fresh.read_text().strip() not in said.out + said.err, "the token was shown"


@test("a node that attests and has not is told without alarm; its repair attests and keeps the tar")
def _(case):
    need("openssl", "tpm2_checkquote", "tpm2_print")
    tpm = Tpm(case.create())
    server = AttestServer(case.dir, b"not a tar")
    pem = "".join(f"    {line}\n" for line in server.authority.ca.read_text().splitlines())
    answers = case.answers(replace=[("https://attest.example/v1\n",
                                     f"{server.url}\n  ca: |\n{pem}")])
    expect(case.on("--yes", "install", "--answers", answers), 0)
    run_from(case, "a")
    finding = found(case, "admission-attest")
    same((finding["severity"], "needs" in finding["repair"]), ("info", False), "finding")
    refused = expect(case.on("--yes", "doctor", "--repair", finding["id"]), 9)
    assert refused.err, refused
    same(found(case, "admission-attest")["severity"], "error", "once it was refused")
    server.known.add(case.on("--json", "tpm", "ek").json()["node_id"])
    server.overlay = tar_of("etc/rancher/config")
    expect(case.on("--yes", "doctor", "--repair", finding["id"]), 0, "is gone")
    same(found(case, "admission-attest"), None, "after it")
    same(tool("tar", "-tf", case.machine_dir / "run/overlay.tar").stdout, "etc/rancher/config\n",
         "the overlay")
    server.close()
    same(tpm.left(), "", "left in the TPM")


def tar_of(name):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        item = tarfile.TarInfo(name)
        item.size, item.mode = 5, 0o600
        tar.addfile(item, io.BytesIO(b"hello"))
    return out.getvalue()


if __name__ == "__main__":
    main()
