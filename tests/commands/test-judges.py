# SPDX-License-Identifier: Apache-2.0
"""Independent judges of what slipway makes with the TPM: tpm2-pytss (judge-tpm.py), and tpm2-tools
in slipway's place."""
import base64
import io
import subprocess
import tarfile
from pathlib import Path

from attest_server import AttestServer
from lib import Skip, expect, main, need, same, test
from swtpm import Tpm

JUDGE = Path(__file__).resolve().parent / "judge-tpm.py"
PYTHON = "/usr/bin/python3"     # Debian's own, which has python3-tpm2-pytss
AK = "fixedtpm|stclear|fixedparent|sensitivedataorigin|userwithauth|restricted|sign"


def judge(where, *words):
    tcti = f"swtpm:path={where.path}" if isinstance(where, Tpm) else where
    done = subprocess.run([PYTHON, JUDGE, tcti, *map(str, words)], capture_output=True, timeout=60,
                          check=False)
    if b"No module named 'tpm2_pytss'" in done.stderr:
        raise Skip("python3-tpm2-pytss is not installed")
    return done


def agrees(where, *words):
    done = judge(where, *words)
    assert done.returncode == 0, done.stderr.decode()[-1500:]
    return done.stdout


class Judged(AttestServer):
    """Its credentials are locked by tpm2-pytss."""

    tpm = None

    def credential(self, d, fields, secret, fault):
        for name in ("ek.pub", "ak.pub"):
            (d / name).write_bytes(fields[name])
        (d / "keys").write_bytes(secret)
        agrees(self.tpm, "credential", d / "ek.pub", d / "ak.pub", d / "keys", d / "credential")
        return (d / "credential").read_bytes()


def attested(case, protocol="plain"):
    """A machine that was admitted; what was sent is in files. (TPM, nonce, where the overlay is)"""
    need("openssl", "tpm2_checkquote")
    tpm, out = Tpm(case.create()), io.BytesIO()
    tpm.tool("tpm2_pcrextend", f"7:sha256={'5a' * 32}")
    with tarfile.open(fileobj=out, mode="w") as tar:
        item = tarfile.TarInfo("etc/config")
        item.size = 5
        tar.addfile(item, io.BytesIO(b"hello"))
    server = Judged(case.dir, out.getvalue())
    server.tpm, server.enrols, server.strict = tpm, True, protocol == "strict"
    place = case.dir / "overlay"
    try:
        expect(case.on("admit", "--url", server.url, "--ca", server.authority.ca, "--wait", "0",
                       "--protocol", protocol, place), 0)
    finally:
        server.close()
    same(server.complaints, [], "what the server did not like")
    for name, data in server.requests[-1].items():
        (case.dir / name).write_bytes(data)
    return tpm, server.requests[-1]["nonce"].decode(), place


@test("EK and AK are what tpm2-pytss makes of the profile's template and of ours on the same TPM")
def _(case):
    tpm, _, _ = attested(case)
    agrees(tpm, "keys", case.dir / "ek.pub", case.dir / "ak.pub")
    other = bytearray((case.dir / "ak.pub").read_bytes())
    other[-1] ^= 1
    (case.dir / "other").write_bytes(other)
    assert judge(tpm, "keys", case.dir / "ek.pub", case.dir / "other").returncode, "another AK"
    same(tpm.left(), "", "left in the TPM")


@test("a quote is about the PCRs as tpm2-pytss reads them, with the nonce, and signed by the AK")
def _(case):
    for protocol in ("plain", "strict"):
        tpm, nonce, _ = attested(case, protocol)
        words = ["quote", *(case.dir / name for name in ("ak.pub", "quote", "sig"))]
        agrees(tpm, *words, nonce)
        other = nonce[:-1] + ("1" if nonce[-1] == "0" else "0")
        assert b"nonce: " in judge(tpm, *words, other).stderr, f"{other} for {nonce}"
        tpm.tool("tpm2_pcrextend", f"7:sha256={'5b' * 32}")
        assert b"PCRs: " in judge(tpm, *words, nonce).stderr, "other PCRs"
        case.children[-1].kill()
        case.children[-1].wait()
        tpm.path.unlink()
        subprocess.run(["rm", "-rf", case.machine_dir, case.dir / "overlay"], check=True)


@test("what tpm2-pytss locks for a node is opened, in both exchanges: the overlay is there")
def _(case):
    _, _, place = attested(case, "strict")
    same((place / "etc/config").read_text(), "hello", "strict")
    subprocess.run(["rm", "-rf", case.machine_dir, place], check=True)
    _, _, place = attested(case)
    same((place / "etc/config").read_text(), "hello", "plain")


@test("what is locked for slipway's keys tpm2_activatecredential opens with keys that it made")
def _(case):
    tpm, _, _ = attested(case)
    secret, locked, opened = case.dir / "secret", case.dir / "locked", case.dir / "opened"
    secret.write_bytes(b"0123456789abcdef0123456789abcdef")
    agrees(tpm, "credential", case.dir / "ek.pub", case.dir / "ak.pub", secret, locked)
    (case.dir / "unique").write_bytes((b"\x20\0" + bytes(128)) * 2)     # x and y in C's structure
    tpm.tool("tpm2_createek", "-Q", "-c", case.dir / "ek", "-G", "rsa", "-u", case.dir / "ek2")
    tpm.tool("tpm2_flushcontext", "-t")
    tpm.tool("tpm2_createprimary", "-Q", "-C", "e", "-G", "ecc256:ecdsa-sha256:null", "-a", AK,
             "-u", case.dir / "unique", "-c", case.dir / "ak")
    tpm.tool("tpm2_flushcontext", "-t")
    tpm.tool("tpm2_startauthsession", "-Q", "--policy-session", "-S", case.dir / "session")
    tpm.tool("tpm2_policysecret", "-Q", "-S", case.dir / "session", "-c", "e")
    tpm.tool("tpm2_activatecredential", "-Q", "-c", case.dir / "ak", "-C", case.dir / "ek", "-i",
             locked, "-o", opened, "-P", f"session:{case.dir / 'session'}")
    same(opened.read_bytes(), secret.read_bytes(), "what it opened")


@test("a sealed secret is opened by tpm2-pytss alone, and no longer when PCR 7 has changed")
def _(case):
    need("swtpm")
    case.create()
    expect(case.on("install", "--answers", case.answers()), 0)
    tpm = Tpm(case)
    tpm.tool("tpm2_pcrextend", f"7:sha256={'5a' * 32}")
    expect(case.on("secret", "seal", "join", stdin="a token"), 0)
    expect(case.on("node", "config", case.dir / "config"), 0)
    cred = case.dir / "config/credentials/join.cred"
    base64.b64decode(cred.read_bytes())
    same(agrees(tpm, "unseal", cred), b"a token", "the secret")
    same(tpm.left(), "", "left in the TPM by the judge")
    tpm.tool("tpm2_pcrextend", f"7:sha256={'5b' * 32}")
    done = judge(tpm, "unseal", cred)
    assert done.returncode and b"policy" in done.stderr, done.stderr


if __name__ == "__main__":
    main()
