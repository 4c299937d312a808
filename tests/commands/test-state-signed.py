#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An encrypted state that the TPM opens for images that a key signs. systemd's plugin judges."""
import base64
import ctypes
import json

from escrow import certificate, decrypt
from lib import cut, expect, main, need, partitions, same, test, tool
from signed import MEASURE, STUB, Image, answers, signed_uki, signing_key
from swtpm import Tpm

def state(case):
    return cut(case.disk(), partitions(case.disk())["state"], case.dir / "state.img")


def tokens(image):
    dump = json.loads(tool("cryptsetup", "luksDump", "--dump-json-metadata", image).stdout)
    return [t for t in dump["tokens"].values() if t["type"] == "systemd-tpm2"]


def opened(case, image, signatures=None, code=0):
    """By slipway: the passphrase, which cryptsetup tries."""
    more = ["--pcr-signature", signatures] if signatures else []
    said = expect(case.on("state", "key", *more), code)
    if code == 0:
        key = case.dir / "passphrase"
        key.write_text(said.out)
        tool("cryptsetup", "open", "--test-passphrase", "--key-file", key, image)
    return said


class Params(ctypes.Structure):
    """What systemd-cryptsetup gives its plugin (cryptsetup-token-systemd-tpm2.c of 252)."""
    _fields_ = [("search_pcr_mask", ctypes.c_uint32), ("device", ctypes.c_char_p),
                ("signature_path", ctypes.c_char_p)]


def by_systemd(tpm, image, signatures):
    """Whether systemd's plugin opens it, in a process of libcryptsetup's alone."""
    lib = ctypes.CDLL("libcryptsetup.so.12")
    params = Params(0xffffffff, f"swtpm:path={tpm.path}".encode(),
                    str(signatures).encode() if signatures else None)
    cd = ctypes.c_void_p()
    same(lib.crypt_init(ctypes.byref(cd), str(image).encode()), 0, "crypt_init")
    try:
        same(lib.crypt_load(cd, b"LUKS2", None), 0, "crypt_load")
        return lib.crypt_activate_by_token_pin(cd, None, b"systemd-tpm2", -1, None,
                                               ctypes.c_size_t(0), ctypes.byref(params), 0) >= 0
    finally:
        lib.crypt_free(cd)
        for kind in ("-t", "-l", "-s"):     # it leaves them to /dev/tpmrm0
            tpm.tool("tpm2_flushcontext", kind, check=False)


def create(case):
    need("openssl", "cryptsetup", "objcopy", MEASURE, STUB)
    case.create("serial=NODE07SYS,size=1400M,model=Alpha,transport=nvme")
    return Tpm(case)


@test("the state opens for each image that the key signs, by slipway and by systemd's plugin")
def _(case):
    tpm = create(case)
    key = signing_key(case)
    case.payload()
    first, second = (Image(case, tpm, word) for word in ("first", "second"))
    path = answers(case, key, uki=signed_uki(case, first))
    review = " ".join(expect(case.on("plan", "--answers", path), 0).out.split())
    assert "only for images that bring a signature of PCR 11 by the key" in review, review
    done = expect(case.on("--yes", "install", "--answers", path), 0, "sealed to PCR 11 as")
    assert "no signature" not in done.out + done.err, done
    image = state(case)
    token, = tokens(image)
    same((token["tpm2-pcrs"], token["tpm2_pubkey_pcrs"]), ([7], [11]), "PCRs of the token")
    same(base64.b64decode(token["tpm2_pubkey"]).decode(), key.read_text(), "its key")
    for one in (first, second):     # an update; a TPM locks after a few lost powers
        one.start()
        opened(case, image, one.signatures)
        same(by_systemd(tpm, image, one.signatures), True, f"systemd's plugin, {one.word}")
    # What the running image brought along is found by itself.
    brought = case.machine_dir / "run" / "tpm2-pcr-signature.json"
    brought.write_text(second.signatures.read_text())
    opened(case, image)
    brought.write_text(first.signatures.read_text())
    said = opened(case, image, code=5)
    assert "nobody signed the PCRs" in said.err, said
    good = case.dir / "good.pcrsig"
    good.write_text(second.signatures.read_text())
    signing_key(case, "stranger")
    foreign = Image(case, tpm, "second", "stranger")
    assert "nobody signed" in opened(case, image, foreign.signatures, code=5).err
    same(by_systemd(tpm, image, foreign.signatures), False, "systemd's plugin, by a stranger")
    tpm.tool("tpm2_pcrextend", "7:sha256=" + "11" * 32)
    said = opened(case, image, good, code=5)
    assert "do not hold" in said.err, said
    same(tpm.left(), "", "left in the TPM")


@test("an image without the signature: refused where only the TPM opens, else warned of")
def _(case):
    create(case)
    key = signing_key(case)
    before = case.disk().read_bytes()[:1 << 20]
    failed = expect(case.on("--yes", "install", "--answers", answers(case, key)), 4)
    assert "could not open its state" in failed.err and "nothing was written" in failed.err, failed
    same(case.disk().read_bytes()[:1 << 20], before, "the disk")
    done = expect(case.on("--yes", "install", "--answers", answers(case, key, certificate(case))),
                  0)
    assert "brings no signature of PCR 11" in done.out + done.err, done


@test("state reseal keeps the signer; the new seal opens by the image's signature, tried at once")
def _(case):
    tpm = create(case)
    key = signing_key(case)
    case.payload()
    image = Image(case, tpm, "first")
    path = answers(case, key, certificate(case), signed_uki(case, image))
    done = expect(case.on("--json", "--yes", "install", "--answers", path), 0)
    events = [json.loads(line) for line in done.out.splitlines() if line[:8] == '{"event"']
    recovery = case.dir / "recovery"
    recovery.write_bytes(decrypt(case, events[-1]["recovery_escrow"]))
    image.start()
    tpm.tool("tpm2_pcrextend", "7:sha256=" + "11" * 32)
    (case.machine_dir / "run" / "tpm2-pcr-signature.json").write_text(image.signatures.read_text())
    opened(case, state(case), code=5)
    got = expect(case.on("--json", "state", "reseal", "--key-file", recovery), 0).json()
    same(got["tried"], True, "tried")
    token = tokens(state(case))[0]
    same(token["tpm2_pubkey_pcrs"], [11], "the signer")
    opened(case, state(case))
    same(by_systemd(tpm, state(case), image.signatures), True, "systemd's plugin")


@test("state key goes to no terminal and into no JSON, and says what there is not")
def _(case):
    need("swtpm")
    case.create()
    expect(case.on("install", "--answers", case.answers()), 0)
    expect(case.on("--json", "state", "key"), 2, "no secret goes into JSON")
    expect(case.on("state", "key"), 4, "is not encrypted")
    expect(case.on("state", "key", "nothing"), 5, "no partition")


if __name__ == "__main__":
    main()
