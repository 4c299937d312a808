# SPDX-License-Identifier: Apache-2.0
"""Secrets sealed to the TPM of a node and kept in its node data. systemd-creds judges both ways."""
import base64
import hashlib
import json
import os
import struct
import subprocess

from lib import allocated, expect, main, need, partitions, same, test, tool
from signed import Image, MEASURE, signing_key
from swtpm import Tap, Tpm

SECRET = "join-token-\u00e9 of the cluster\nsecond line"


def node(case):
    """An installed node with a TPM that outlives single commands."""
    need("swtpm", "systemd-creds")
    case.create()
    expect(case.on("install", "--answers", case.answers()), 0)
    return Tpm(case)


def creds(case, tpm, *argv, data=None):
    words = ["systemd-creds", f"--tpm2-device=swtpm:path={tpm.path}", *map(str, argv)]
    done = subprocess.run(words, input=data, capture_output=True, timeout=60, check=False)
    tpm.tool("tpm2_flushcontext", "-l", check=False)    # it leaves its sessions to /dev/tpmrm0
    return done.returncode, done.stdout


def config(case):
    out = case.dir / "config"
    expect(case.on("node", "config", out), 0)
    return out


def rewrite(case, change):
    """Changes the node data behind slipway's back, both copies, by the format's description."""
    image = case.disk()
    part = partitions(image)["slipway-node"]
    start, size = part["start"] * 512, part["size"] * 512
    with open(image, "r+b") as file:
        for at in (start, start + size // 2 // 4096 * 4096):
            file.seek(at)
            head = bytearray(file.read(4096))
            same(head[:8], b"SWNODED\n", "node data")
            data = json.loads(file.read(struct.unpack_from("<Q", head, 24)[0]))
            change(data)
            text = json.dumps(data).encode()
            struct.pack_into("<Q", head, 24, len(text))
            head[32:64] = hashlib.sha256(text).digest()
            head[64:96] = hashlib.sha256(head[:64]).digest()
            file.seek(at)
            file.write(head + text)


def swap(case, name, text):
    rewrite(case, lambda data: data.setdefault("secrets", {}).update({name: {"credential": text}}))


def holds(folder, text):
    """The file below folder that has these bytes, or None."""
    for path in folder.rglob("*"):
        if path.is_file() and any(text in data for _, data in allocated(path)):
            return path
    return None


@test("secret seal: systemd-creds decrypts it, slipway opens it, and it is nowhere in the clear")
def _(case):
    tpm = node(case)
    said = expect(case.on("--json", "secret", "seal", "join", stdin=SECRET), 0)
    same(said.json(), {"secrets": [{"name": "join", "measured": False, "tried": True,
                                    "replaced": False, "recovery": False}],
                       "secure_boot": False}, "what it says")
    cred = config(case) / "credentials" / "join.cred"
    same(cred.stat().st_mode & 0o777, 0o600, "mode")
    same(creds(case, tpm, "decrypt", "--name=join", cred, "-"), (0, SECRET.encode()), "systemd")
    same(expect(case.on("secret", "open", "join"), 0).out, SECRET, "opened")
    out = case.dir / "out"
    same(expect(case.on("--json", "secret", "open", "join", "--out", out), 0).json(),
         {"name": "join", "file": str(out), "bytes": len(SECRET.encode())}, "json")
    same((out.read_bytes(), out.stat().st_mode & 0o777), (SECRET.encode(), 0o600), "the file")
    same(creds(case, tpm, "decrypt", "--name=other", cred, "-")[0] != 0, True, "another name")
    same(holds(case.machine_dir, SECRET.encode()[:11]), None, "in the clear")
    same(tpm.left(), "", "left in the TPM")


@test("what systemd-creds sealed is opened, with its name; not another's, not when it is too late")
def _(case):
    tpm = node(case)
    for name, more, code, words in (
            ("theirs", ["--name=theirs"], 0, ()),
            ("unnamed", ["--name="], 0, ()),
            ("renamed", ["--name=theirs"], 8, ("under another name",)),
            ("late", ["--name=late", "--not-after=2020-01-01"], 8, ("has passed",))):
        code_there, text = creds(case, tpm, "encrypt", "--with-key=tpm2", "--timestamp=2019-01-01",
                                 *more, "-", "-", data=SECRET.encode())
        same(code_there, 0, "systemd-creds encrypt")
        expect(case.on("secret", "seal", name, stdin="x"), 0)
        swap(case, name, "".join(text.decode().split()))
        done = expect(case.on("secret", "open", name), code, *words)
        same(done.out, SECRET if code == 0 else "", "opened")
    same(tpm.left(), "", "left in the TPM")


@test("a changed PCR 7 closes a secret with a way out: the copy of a recovery key, and reseal")
def _(case):
    tpm = node(case)
    key, weak = case.dir / "key", case.dir / "weak"
    key.write_bytes(os.urandom(32))
    weak.write_text("password\n")
    expect(case.on("secret", "seal", "join", "--recovery-file", weak, stdin=SECRET), 3, "too short",
           "32 random bytes")
    same(expect(case.on("--json", "secret", "list"), 0).json(), {"secrets": []}, "secrets")
    expect(case.on("secret", "seal", "join", "--recovery-file", key, stdin=SECRET), 0,
           "the TPM opens it, tried", "can read everything: Secure Boot is off")
    expect(case.on("secret", "seal", "other", stdin="no copy"), 0)
    same(expect(case.on("--json", "secret", "list"), 0).json()["secrets"],
         [{"name": "join", "pcrs": [7], "signed": [], "recovery": True, "damaged": False},
          {"name": "other", "pcrs": [7], "signed": [], "recovery": False, "damaged": False}],
         "list")
    tpm.tool("tpm2_pcrextend", "7:sha256=" + "11" * 32)
    for pcr in ("1", "4", "5", "9", "12"):
        tpm.tool("tpm2_pcrextend", f"{pcr}:sha256=" + "22" * 32)
    failed = expect(case.on("secret", "open", "join"), 5, "do not hold", "secret reseal", "join")
    assert "state reseal" not in failed.err, failed
    expect(case.on("secret", "reseal"), 5, "secret reseal --recovery-file")
    same(expect(case.on("secret", "open", "join", "--recovery-file", key), 0).out, SECRET, "copy")
    key2 = case.dir / "key2"
    key2.write_bytes(os.urandom(32))
    expect(case.on("secret", "open", "join", "--recovery-file", key2), 8, "does not open it")
    # All or none: the other one has no copy.
    expect(case.on("secret", "reseal", "--recovery-file", key), 5, "other", "from where it came")
    expect(case.on("secret", "open", "join"), 5, "do not hold")
    expect(case.on("secret", "reseal", "join", "--recovery-file", key), 0, "in place of an older")
    same(expect(case.on("secret", "open", "join"), 0).out, SECRET, "opened after resealing")
    same(expect(case.on("secret", "open", "join", "--recovery-file", key), 0).out, SECRET, "copy")
    expect(case.on("secret", "seal", "other", stdin="again"), 0, "in place of an older one")
    expect(case.on("secret", "reseal"), 0)
    same(expect(case.on("secret", "open", "other"), 0).out, "again", "the other")
    same(tpm.left(), "", "left in the TPM")


@test("PCRs that change with the road change nothing; another TPM and a cleared one are told")
def _(case):
    tpm = node(case)
    expect(case.on("secret", "seal", "join", stdin=SECRET), 0)
    for pcr in (1, 4, 5, 9, 12):    # another order, a failed attempt, another road
        tpm.tool("tpm2_pcrextend", f"{pcr}:sha256=" + "22" * 32)
    same(expect(case.on("secret", "open", "join"), 0).out, SECRET, "opened")
    expect(case.on("secret", "seal", "x", "--pcrs", "7+9", stdin=SECRET), 2, "change with the boot")
    expect(case.on("secret", "seal", "eleven", "--pcrs", "7+11", stdin=SECRET), 0)
    cred = config(case) / "credentials" / "eleven.cred"
    same(creds(case, tpm, "decrypt", "--name=eleven", cred, "-"), (0, SECRET.encode()), "systemd")
    tpm.tool("tpm2_pcrextend", "11:sha256=" + "22" * 32)
    expect(case.on("secret", "open", "eleven"), 5, "do not hold")
    same(creds(case, tpm, "decrypt", "--name=eleven", cred, "-")[0] != 0, True, "systemd")
    tpm.tool("tpm2_clear", "-c", "p")
    expect(case.on("secret", "open", "join"), 5, "sealed by another TPM, or the TPM was cleared",
           "secret reseal")


def sealed_key(case, tpm, cred):
    """What the TPM holds for a credential, by tpm2-tools and the format's description: the key that
    encrypts the secret."""
    raw = base64.b64decode(cred.read_text())
    size, = struct.unpack_from("<I", raw, 60)
    blob = raw[68:68 + size]
    private = 2 + int.from_bytes(blob[:2], "big")
    names = {}
    for name, data in (("private", blob[:private]), ("public", blob[private:])):
        names[name] = case.dir / ("seal." + name)
        names[name].write_bytes(data)
    primary, key = case.dir / "primary.ctx", case.dir / "key.ctx"
    tpm.tool("tpm2_createprimary", "-C", "o", "-g", "sha256", "-G", "ecc", "-c", primary)
    tpm.tool("tpm2_flushcontext", "-t")
    tpm.tool("tpm2_load", "-C", primary, "-u", names["public"], "-r", names["private"], "-c", key)
    tpm.tool("tpm2_flushcontext", "-t")
    out = tpm.tool("tpm2_unseal", "-c", key, "-p", "pcr:sha256:7").stdout
    for kind in ("-t", "-l", "-s"):
        tpm.tool("tpm2_flushcontext", kind, check=False)
    return out


@test("whoever listens on the bus hears neither a secret nor the key that the TPM keeps for it")
def _(case):
    need("tpm2_unseal")
    tpm = node(case)
    tap = Tap(tpm)
    expect(case.on("secret", "seal", "join", stdin=SECRET), 0, "tried")
    expect(case.on("secret", "reseal"), 0)
    same(expect(case.on("secret", "open", "join"), 0).out, SECRET, "opened")
    heard = bytes(tap.heard)
    key = sealed_key(case, tpm, config(case) / "credentials" / "join.cred")
    same((len(key), len(heard) > 2000), (32, True), "what there is to hear")
    same((key in heard, SECRET.encode()[:11] in heard), (False, False), "heard")
    # The same TPM, asked without an encrypted session: it is there to be heard.
    assert key in bytes(tap.heard), "tpm2_unseal was not heard"


@test("sealed to what a key signs: opens by each image that brings its signature, and by systemd")
def _(case):
    need("openssl", MEASURE)
    tpm = node(case)
    key = signing_key(case)
    first, second = (Image(case, tpm, word) for word in ("first", "second"))
    first.start()
    seal = ("secret", "seal", "join", "--pcr-key", key)
    expect(case.on(*seal, stdin=SECRET), 0, "only the node can open it, so it was not tried")
    expect(case.on(*seal, "--pcr-signature", first.signatures, stdin=SECRET), 0,
           "the TPM opens it, tried")
    cred = config(case) / "credentials" / "join.cred"
    for image in (first, second, first, second):    # three wrong tries would lock the TPM
        image.start()
        same(expect(image.open("join"), 0).out, SECRET, image.word)
    for image in (first, second):
        image.start()
        same(creds(case, tpm, "decrypt", "--name=join", f"--tpm2-signature={image.signatures}",
                   cred, "-"), (0, SECRET.encode()), "systemd by the " + image.word)
    first.start()
    # A phase that was signed, too, and one that was not.
    tpm.tool("tpm2_pcrextend", "11:sha256=" + hashlib.sha256(b"enter-initrd").hexdigest())
    same(expect(first.open("join"), 0).out, SECRET, "in the initrd")
    tpm.tool("tpm2_pcrextend", "11:sha256=" + hashlib.sha256(b"leave-initrd").hexdigest())
    expect(first.open("join"), 5, "nobody signed the PCRs", "join")
    # Signed by the same key, but about another image; by another key; by nobody.
    second.start()
    expect(second.open("join", first), 5, "nobody signed the PCRs")
    expect(case.on("secret", "open", "join"), 5, "nobody signed the PCRs")
    signing_key(case, "stranger")
    expect(second.open("join", Image(case, tpm, "second", "stranger")), 5, "nobody signed")
    # What the image brought along is found by itself; PCR 7 counts beside it.
    (case.machine_dir / "run" / "tpm2-pcr-signature.json").write_text(
        Image(case, tpm, "second").signatures.read_text())
    same(expect(case.on("secret", "open", "join"), 0).out, SECRET, "by the image's own")
    tpm.tool("tpm2_pcrextend", "7:sha256=" + "11" * 32)
    expect(case.on("secret", "open", "join"), 5, "do not hold")
    same(tpm.left(), "", "left in the TPM")


@test("a signer stays at a reseal; a false signature and a bad key are told; systemd's are opened")
def _(case):
    need("openssl", MEASURE)
    tpm = node(case)
    key = signing_key(case)
    image = Image(case, tpm, "image")
    image.start()
    code, text = creds(case, tpm, "encrypt", "--with-key=tpm2-with-public-key", "--tpm2-pcrs=",
                       f"--tpm2-public-key={key}", "--name=join", "-", "-", data=SECRET.encode())
    same(code, 0, "systemd-creds encrypt")
    swap(case, "join", "".join(text.decode().split()))
    same(expect(image.open("join"), 0).out, SECRET, "systemd's")
    same(expect(case.on("--json", "secret", "list"), 0).json()["secrets"],
         [{"name": "join", "pcrs": [], "signed": [11], "recovery": False, "damaged": False}],
         "list")
    expect(case.on("secret", "reseal", "--pcr-signature", image.signatures), 0, "opens it, tried")
    expect(case.on("secret", "list"), 0, "PCR 7, signed PCR 11")
    same(expect(image.open("join"), 0).out, SECRET, "resealed")
    signed = json.loads(image.signatures.read_text())
    for entry in signed["sha256"]:
        raw = bytearray(base64.b64decode(entry["sig"]))
        raw[5] ^= 1
        entry["sig"] = base64.b64encode(raw).decode()
    image.signatures.write_text(json.dumps(signed))
    expect(image.open("join"), 5, "was not made with the key", "join")
    image.signatures.write_text("no JSON")
    expect(image.open("join"), 3)
    short = case.dir / "short"
    tool("openssl", "genrsa", "-out", short, "1024")
    tool("openssl", "rsa", "-in", short, "-pubout", "-out", f"{short}.pub")
    for bad, words in ((f"{short}.pub", "2048 to 4096 bits"), (short, "no public key in PEM"),
                       ("/bin/true", "too long")):
        expect(case.on("secret", "seal", "x", "--pcr-key", bad, stdin="x"), 3, words)
    expect(case.on("secret", "seal", "x", "--pcr-key", case.dir / "none", stdin="x"), 5)
    same(tpm.left(), "", "left in the TPM")


@test("every kind of wrong use and damage has its sentence, and nothing is written")
def _(case):
    tpm = node(case)
    expect(case.on("secret", "open", "join"), 5, 'no secret "join"', "secret list")
    expect(case.on("secret", "remove", "join"), 5, 'no secret "join"')
    expect(case.on("secret", "reseal"), 5, "no secrets")
    expect(case.on("secret", "list"), 0, "has no secrets")
    for name in ("../up", ".hidden", "a/b", "x" * 65, "sp ace", ""):
        expect(case.on("secret", "seal", name, stdin="x"), 2, "no name for a secret")
    expect(case.on("secret", "seal", "empty", stdin=""), 3)
    expect(case.on("secret", "seal", "long", stdin="x" * 16385), 3)
    expect(case.on("secret", "seal", "missing", "--file", case.dir / "missing"), 5)
    expect(case.on("node", "set", "secrets=x"), 4, "not set by hand")
    expect(case.on("secret", "list"), 0, "has no secrets")
    expect(case.on("secret", "seal", "join", stdin="x" * 16384), 0)
    expect(case.on("--json", "secret", "open", "join"), 2, "no secret goes into JSON")
    code, shown = case.at_terminal(lambda _: None, "secret", "open", "join")
    same((code, "xxx" in shown), (2, False), "at a terminal")
    mark = case.machine_dir / "run" / "shell-opened"
    mark.write_text("done\n")
    expect(case.on("secret", "seal", "other", stdin=SECRET), 4, "a rescue shell was opened")
    mark.unlink()
    good = (config(case) / "credentials" / "join.cred").read_text().strip()
    raw = base64.b64decode(good)
    for bad, code, words in (
            ("", 8, "base64"), ("*===", 8, "base64"), (good[:400], 8, "damaged"),
            (good[:520], 8, "was changed"),
            (base64.b64encode(raw[:-1] + bytes([raw[-1] ^ 1])).decode(), 8, "was changed"),
            (base64.b64encode(raw[:33] + bytes([raw[33] ^ 1]) + raw[34:]).decode(), 8, "changed"),
            (base64.b64encode(bytes(16) + raw[16:]).decode(), 5, "a TPM alone"),
            (base64.b64encode(raw[:56] + b"\x04" + raw[57:]).decode(), 5, "another bank")):
        swap(case, "join", bad)
        expect(case.on("secret", "open", "join"), code, words)
        expect(case.on("secret", "list"), 0, "join")
    expect(case.on("secret", "remove", "join"), 0, "gone")
    same(tpm.left(), "", "left in the TPM")


class Typer:
    """Answers the two questions for a secret."""

    def __init__(self, *lines):
        self.lines, self.asked = list(lines), 0

    def __call__(self, shown):
        if shown.count("Secret join (") + shown.count("Once more: ") <= self.asked:
            return None
        self.asked += 1
        return self.lines.pop(0)


@test("a secret is typed twice at a terminal and not shown; two that differ change nothing")
def _(case):
    node(case)
    code, shown = case.at_terminal(Typer("open sesame", "open sesamee"), "secret", "seal", "join")
    same((code, "sesam" in shown), (130, False), shown)
    expect(case.on("secret", "list"), 0, "has no secrets")
    code, shown = case.at_terminal(Typer("open sesame", "open sesame"), "secret", "seal", "join")
    same((code, "sesam" in shown), (0, False), shown)
    same(expect(case.on("secret", "open", "join"), 0).out, "open sesame", "opened")


@test("without a TPM, and without a disk, nothing is sealed, and it is said why")
def _(case):
    case.create(extra=["--no-tpm"])
    expect(case.on("install", "--answers", case.answers()), 0)
    expect(case.on("secret", "seal", "join", stdin=SECRET), 5, "no TPM")
    expect(case.on("secret", "list"), 0, "has no secrets")




if __name__ == "__main__":
    main()
