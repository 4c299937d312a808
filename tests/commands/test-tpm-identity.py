# SPDX-License-Identifier: Apache-2.0
"""`slipway tpm facts` and `tpm ek` on swtpm, compared with tpm2-tools, swtpm_setup and openssl."""
import hashlib
import json

from lib import expect, main, need, same, test, tool
from swtpm import Tpm


def write(case, name, text):
    path = case.dir / name
    path.write_text(text)
    return path


@test("tpm ek: the key is the one that tpm2_createek makes, its id is the hash of that PEM file")
def _(case):
    need("openssl")
    tpm = Tpm(case.create())
    for options, algorithm in (([], "rsa"), (["--ecc"], "ecc")):
        said = expect(case.on("--json", "tpm", "ek", *options), 0).json()
        pem = case.dir / f"{algorithm}.pem"
        tpm.tool("tpm2_createek", "-Q", "-c", case.dir / "ctx", "-G", algorithm, "-f", "pem", "-u",
                 pem)
        tpm.tool("tpm2_flushcontext", "-t")
        same(said["public"], pem.read_text(), f"{algorithm} key")
        same(said["node_id"], hashlib.sha256(pem.read_bytes()).hexdigest(), "node id")
        tool("openssl", "pkey", "-pubin", "-in", pem, "-pubout", "-outform", "DER", "-out",
             case.dir / "der")
        same(said["spki_sha256"], hashlib.sha256((case.dir / "der").read_bytes()).hexdigest(),
             "SHA-256 of the key")
        assert "certificate" not in said, said
    expect(case.on("tpm", "ek"), 0, "Node id", "the TPM stores none", "BEGIN PUBLIC KEY")
    same(tpm.left(), "", "left in the TPM")


@test("tpm ek: the maker's certificate is about the key, and openssl follows it to the maker")
def _(case):
    need("openssl")
    tpm = Tpm(case.create(), certified=True)
    said = expect(case.on("--json", "tpm", "ek"), 0).json()
    assert said["certificate_fits"], "the certificate is about another key"
    cert = write(case, "ek.crt", said["certificate"])
    same(tool("openssl", "x509", "-in", cert, "-noout", "-pubkey").stdout, said["public"], "key")
    tool("openssl", "verify", "-ignore_critical", "-CAfile", tpm.maker.root, "-untrusted",
         tpm.maker.issuer, cert)
    facts = expect(case.on("--json", "tpm", "facts"), 0).json()
    same(facts["certificates"], {"rsa2048": True, "p256": False}, "certificates")
    same(facts["findings"], [], "findings")
    same(tpm.left(), "", "left in the TPM")


@test("tpm ek: a certificate that a later owner stored is told from the maker's")
def _(case):
    need("openssl")
    tpm = Tpm(case.create())
    key, cert, nv = case.dir / "k", case.dir / "c.der", case.dir / "nv"
    tool("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-outform",
         "DER", "-out", cert, "-subj", "/CN=another")
    der = cert.read_bytes()
    # As some makers store it: a header with the length, and what is left of the index behind it.
    nv.write_bytes(b"\x10\x01\x00" + len(der).to_bytes(2, "big") + der + b"\xff" * 40)
    tpm.tool("tpm2_nvdefine", "-Q", "-s", nv.stat().st_size, "-a",
             "ownerread|ownerwrite|authread|authwrite|no_da", "0x1c00002")
    absent = expect(case.on("--json", "tpm", "ek"), 0).json()    # defined, never written
    assert "certificate" not in absent, absent
    tpm.tool("tpm2_nvwrite", "-Q", "-C", "o", "-i", nv, "0x1c00002")
    said = expect(case.on("--json", "tpm", "ek"), 0).json()
    same(tool("openssl", "x509", "-in", write(case, "pem", said["certificate"]), "-noout",
              "-subject").stdout.strip(), "subject=CN = another", "subject")
    same(said["certificate_fits"], False, "about this key")
    same(said["node_id"], absent["node_id"], "node id")
    expect(case.on("tpm", "ek"), 0, "about another key")


@test("tpm facts: what tpm2_getcap says, and what stops attestation or sealing with a way out")
def _(case):
    tpm = Tpm(case.create())
    facts = expect(case.on("--json", "tpm", "facts"), 0).json()
    said = tpm.tool("tpm2_getcap", "properties-fixed").stdout.decode()
    maker = said.split("TPM2_PT_MANUFACTURER")[1].split('value: "')[1].split('"')[0]
    same(facts["vendor"], maker.strip(), "vendor")
    same((facts["attests"], facts["seals"]), (True, True), "use")
    same(facts["hierarchies"], {"platform": True, "storage": True, "endorsement": True}, "on")
    tpm.tool("tpm2_changeauth", "-c", "o", "theirs")
    facts = expect(case.on("--json", "tpm", "facts"), 0).json()
    same((facts["attests"], facts["seals"]), (True, False), "use of an owned TPM")
    same(facts["passwords"]["owner"], True, "owner password")
    assert any("previous owner" in f["what"] and "firmware setup" in f["hint"]
               for f in facts["findings"]), facts
    expect(case.on("tpm", "facts"), 0, "Sealing       cannot be used", "previous owner")
    tpm.tool("tpm2_hierarchycontrol", "-C", "p", "ehEnable", "clear")
    facts = expect(case.on("--json", "tpm", "facts"), 0).json()
    same((facts["attests"], facts["hierarchies"]["endorsement"]), (False, False), "turned off")
    failed = expect(case.on("tpm", "ek"), 5, "turned off", "firmware setup")
    assert "0x" not in failed.err, "a bare response code"
    same(tpm.left(), "", "left in the TPM")


@test("the end of an install names the node by its TPM, in the event and in words")
def _(case):
    tpm = Tpm(case.create())
    answers = case.answers()
    said = expect(case.on("--json", "--yes", "install", "--answers", answers), 0)
    events = [json.loads(line) for line in said.out.splitlines() if line.startswith("{\"event\"")]
    wanted = expect(case.on("--json", "tpm", "ek"), 0).json()["node_id"]
    same([e.get("node_id") for e in events if e["event"] == "done"], [wanted], "event")
    expect(case.on("--yes", "install", "--answers", answers), 0, "Node id " + wanted)
    same(tpm.left(), "", "left in the TPM")


@test("tpm facts: a machine without a TPM says what to do")
def _(case):
    case.create(extra=["--no-tpm"])
    expect(case.on("tpm", "facts"), 5, "no TPM")
    expect(case.on("tpm", "ek"), 5, "no TPM")


if __name__ == "__main__":
    main()
