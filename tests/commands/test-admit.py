# SPDX-License-Identifier: Apache-2.0
"""`slipway admit` against a server that judges with tpm2-tools and openssl (attest_server.py)."""
import contextlib
import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import eventlog
from attest_server import AttestServer, Authority
from lib import SLIPWAY, Skip, expect, main, need, same, test, tool
from swtpm import Tpm

SECRET = b"token: canary-4f7a0b52c9\n"


def overlay(mode="w:gz", **more):
    """A tar with a configuration that holds a secret."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as tar:
        for name, data in {"etc/rancher/rke2/config.yaml": SECRET, **more}.items():
            item = tarfile.TarInfo(name)
            item.size, item.mode = len(data), 0o600
            tar.addfile(item, io.BytesIO(data))
    return out.getvalue()


@contextlib.contextmanager
def world(case, certified=False, data=None, enrolled=True, **more):
    """A machine with a TPM, and a server that knows it."""
    need("openssl", "tpm2_checkquote", "tpm2_print")
    tpm = Tpm(case.create(**more), certified)
    server = AttestServer(case.dir, overlay() if data is None else data, maker=tpm.maker)
    if enrolled:
        server.known.add(case.on("--json", "tpm", "ek").json()["node_id"])
    try:
        yield tpm, server
    finally:
        server.close()


def pinned(server):
    return ["--url", server.url, "--ca", server.authority.ca, "--wait", "0"]


@test("a machine that the server knows gets its overlay, whole; nothing is left in the TPM")
def _(case):
    with world(case) as (tpm, server):
        log = case.dir / "log"
        log.write_bytes(eventlog.agile(["sha256"], eventlog.EVENTS))
        out, keep = case.dir / "out", case.dir / "kept.tar"
        said = expect(case.on("--json", "admit", *pinned(server), "--log", log, "--save", keep,
                              out), 0).json()
        same((out / "etc/rancher/rke2/config.yaml").read_bytes(), SECRET, "the overlay's file")
        same(keep.read_bytes(), server.overlay, "the tar that was kept")
        same(keep.stat().st_mode & 0o777, 0o600, "its mode")
        same((said["overlay"]["entries"], said["pinned"], said["sent"]), (1, True, True), "said")
        same(sorted(server.requests[0]), ["ak.pub", "ek.pub", "eventlog", "nonce", "pcr", "quote",
                                          "sig"], "fields")
        same(server.requests[0]["eventlog"], log.read_bytes(), "the log")
        same(server.complaints, [], "what the server did not like")
        same(tpm.left(), "", "left in the TPM")
        told = case.on("--json", "status").json()["admissions"][0]
        same((told["url"], told["admitted"], told["overlay"]),
             (server.url, True, said["overlay"]["sha256"]), "what status tells")
        again = case.dir / "again"
        expect(case.on("admit", *pinned(server), again), 0, "Admitted: an overlay of 1 entries",
               "its CA", "etc/rancher/rke2/config.yaml")
        same(server.requests[1]["ak.pub"], server.requests[0]["ak.pub"], "AK of a second time")


@test("after power losses a node is admitted as before: its TPM counts no wrong tries")
def _(case):
    with world(case) as (tpm, server):
        server.strict = True
        # swtpm locks itself after three.
        for _ in range(5):
            expect(case.on("admit", *pinned(server)), 0)
            tpm.lose_power()
        said = tpm.tool("tpm2_getcap", "properties-variable").stdout.decode()
        assert "TPM2_PT_LOCKOUT_COUNTER: 0x0\n" in said, said
        same(server.complaints, [], "what the server did not like")


@test("the maker's certificate goes along, and the server follows it to the maker")
def _(case):
    with world(case, certified=True) as (_tpm, server):
        expect(case.on("admit", *pinned(server)), 0, "neither DIR nor --save")
        assert b"BEGIN CERTIFICATE" in server.requests[0]["ek.crt"], server.requests[0]
        same(server.complaints, [], "what the server did not like")


@test("the pinned key alone is enough; another key and another CA are not believed")
def _(case):
    with world(case) as (_tpm, server):
        base = ["admit", "--url", server.url, "--wait", "0"]
        expect(case.on(*base, "--pin", server.authority.pin()), 0, "its key")
        other = case.dir / "other"
        other.mkdir()
        another = Authority(other)
        seen = len(server.requests)
        wrong = expect(case.on("--json", *base, "--pin", another.pin()), 10).error()
        assert "pinned" in wrong["why"] and wrong["hint"], wrong
        wrong = expect(case.on("--json", *base, "--ca", another.ca), 10).error()
        assert "CA that was given" in wrong["why"], wrong
        wrong = expect(case.on("--json", *base), 10).error()
        assert "not known here" in wrong["why"] and "pin" in wrong["hint"], wrong
        expect(case.on("--json", *base, "--ca", server.authority.ca, "--pin", another.pin()), 10)
        same(len(server.requests), seen, "requests that reached a server that is not believed")
        expect(case.on(*base, "--pin", "sha256:12"), 2, "64 hexadecimal digits")
        expect(case.on(*base, "--ca", case.dir / "srv.key"), 2, "no certificate in it")


REFUSALS = [
    (400, 9, "did not understand"), (401, 9, "another proof"), (403, 9, "refuses this machine"),
    (404, 9, "no attestation service"), (405, 9, "takes no attestation"), (413, 9, "size"),
    (429, 10, "too many"), (500, 10, "server failed"), (503, 10, "too busy"),
]


@test("each status of a server is a likely cause and a next step, and only some are tried again")
def _(case):
    with world(case) as (tpm, server):
        for status, code, words in REFUSALS:
            server.fault = status
            failed = expect(case.on("--json", "admit", *pinned(server), "--protocol", "plain",
                                    case.dir / "out"), code)
            error = failed.error()
            assert words in error["what"] and str(status) in error["why"] and error["hint"], error
            same((case.dir / "out").exists(), False, "a directory after a refusal")
            told = expect(case.on("status"), 0, f"NOT admitted by {server.url}, ").out
            assert error["what"] in told, told
        same(len(server.requests), len(REFUSALS), "requests")
        server.fault, server.faults = 403, 1
        base = ["admit", "--url", server.url, "--ca", server.authority.ca, "--protocol", "plain"]
        expect(case.on(*base, "--wait", "30"), 9)
        same(len(server.requests), len(REFUSALS) + 1, "a refusal is not asked for again")
        server.fault, server.faults = 429, 1
        done = expect(case.on(*base, "--wait", "60"), 0, "Admitted")
        assert "next try in 1 s" in done.err or "next try in 2 s" in done.err, done.err
        first, second = server.requests[-2:]
        assert first["quote"] != second["quote"], "the second try sent the first one's quote"
        same(tpm.left(), "", "left in the TPM")


@test("the server's own reasons are told apart, and what it does not know is named")
def _(case):
    with world(case, enrolled=False) as (_tpm, server):
        error = expect(case.on("--json", "admit", *pinned(server)), 9).error()
        assert "does not know this machine" in error["what"] and "tpm ek" in error["hint"], error
        server.refuse_log = True
        error = expect(case.on("--json", "admit", *pinned(server)), 9).error()
        assert "event log" in error["what"] and "--no-log" in error["hint"], error


ANSWERS = [
    ("wrong name", 9, "another attestation key"), ("changed", 9, "HMAC does not hold"),
    ("truncated", 9, ""), ("garbage", 9, "no JSON object"),
    ("short key", 9, "another length"), ("cut", 10, ""), ("redirect", 10, "redirect"),
]


@test("an answer for another machine, a changed, cut or foreign one leaves nothing behind")
def _(case):
    with world(case) as (tpm, server):
        for fault, code, words in ANSWERS:
            server.fault = fault
            error = expect(case.on("--json", "admit", *pinned(server), "--save",
                                   case.dir / "keep", case.dir / "out"), code).error()
            assert words in error["why"] and error["hint"], (fault, error)
            same([(case.dir / n).exists() for n in ("keep", "out")], [False, False],
                 f"left after {fault}")
        same(tpm.left(), "", "left in the TPM")
        server.fault = "slow"
        expect(case.on("admit", *pinned(server)), 0, "Admitted")


@contextlib.contextmanager
def strict_world(case, **more):
    with world(case, **more) as (tpm, server):
        server.strict = True
        yield tpm, server


def strict(server):
    return ["admit", *pinned(server), "--protocol", "strict"]


@test("the strict exchange: a nonce of the server's, a key bound to the PCRs, an overlay for both")
def _(case):
    with strict_world(case, certified=True) as (tpm, server):
        log, out, keep = case.dir / "log", case.dir / "out", case.dir / "kept.tar"
        log.write_bytes(eventlog.agile(["sha256"], eventlog.EVENTS))
        said = expect(case.on("--json", *strict(server), "--log", log, "--save", keep, out),
                      0).json()
        same((said["protocol"], said["fell_back"], said["allows"]), ("strict", False, "strict"),
             "said")
        same((out / "etc/rancher/rke2/config.yaml").read_bytes(), SECRET, "the overlay's file")
        same(keep.read_bytes(), server.overlay, "the tar that was kept")
        sent = server.requests[0]
        same(sorted(sent), ["ak.pub", "ek.crt", "ek.pub", "eventlog", "nonce", "pcr", "protocol",
                            "quote", "sig"], "fields")
        same(server.complaints, [], "what the server did not like")
        same(tpm.left(), "", "left in the TPM")
        expect(case.on("status"), 0, ", strict exchange, overlay ")
        said = expect(case.on("--json", "admit", *pinned(server)), 0).json()
        same((said["protocol"], said["fell_back"], said["allows"]), ("strict", False, "auto"),
             "where both are allowed")
        assert server.requests[1]["nonce"] != sent["nonce"], "the same nonce twice"
        same(server.requests[1]["ak.pub"], sent["ak.pub"], "the AK of the same state")
        tpm.tool("tpm2_pcrextend", "16:sha256=" + "11" * 32)
        expect(case.on(*strict(server)), 0)
        assert server.requests[2]["ak.pub"] != sent["ak.pub"], "the AK of another state"
        said = expect(case.on("--json", "admit", *pinned(server), "--protocol", "plain"), 0).json()
        same((said["protocol"], said["fell_back"]), ("plain", False), "asked for plain")


STRICT_ANSWERS = [
    ("wrong name", "another attestation key"), ("changed", "its tag does not hold"),
    ("bad tag", "its tag does not hold"), ("wrong nonce", "its tag does not hold"),
    ("replay", "its tag does not hold"), ("plain answer", "one of the plain exchange"),
    ("short key", "another length"), ("truncated", ""), ("garbage", "no JSON object"),
]


@test("strict: a forged, changed, replayed, cut or plain answer leaves nothing behind")
def _(case):
    with strict_world(case) as (tpm, server):
        expect(case.on(*strict(server)), 0)
        for protocol in ("strict", "auto"):
            for fault, words in STRICT_ANSWERS:
                server.fault = fault
                error = expect(case.on("--json", "admit", *pinned(server), "--protocol", protocol,
                                       "--save", case.dir / "keep", case.dir / "out"), 9).error()
                assert words in error["why"] and error["hint"], (fault, error)
                same([(case.dir / n).exists() for n in ("keep", "out")], [False, False],
                     f"left after {fault}")
        for fault in ("cut", "redirect"):
            server.fault = fault
            expect(case.on(*strict(server)), 10)
        server.fault = "slow"
        expect(case.on(*strict(server)), 0, "Admitted", "Exchange  strict")
        same([r for r in server.requests if "protocol" not in r], [], "plain requests")
        same(tpm.left(), "", "left in the TPM")


@test("strict: each status is a cause and a next step; a server without it is not fallen back on")
def _(case):
    with strict_world(case) as (tpm, server):
        for status, code, words in REFUSALS:
            server.fault = status
            error = expect(case.on("--json", *strict(server), case.dir / "out"), code).error()
            words = "does not offer the strict exchange" if status in (404, 405) else words
            assert words in error["what"] and str(status) in error["why"] and error["hint"], error
        same(server.requests, [], "evidence that was sent")
        server.fault, server.strict = None, False
        expect(case.on(*strict(server), "--wait", "30"), 9, "does not offer the strict exchange",
               "admission.protocol: auto")
        same(server.requests, [], "evidence that was sent")
        expect(case.on("status"), 0, "NOT admitted by", "does not offer the strict exchange")
        done = expect(case.on("admit", *pinned(server)), 0, "plain, as the server has no other")
        assert "no strict exchange (HTTP status 405): the plain one is used" in done.err, done.err
        told = case.on("--json", "status").json()["admissions"][0]
        same((told["protocol"], told["fell_back"]), ("plain", True), "what status tells")
        risks = expect(case.on("--json", "admit", *pinned(server)), 0).json()["warnings"]
        assert len(risks) == 1 and "no strict exchange" in risks[0], risks
        dry = case.on("--json", "admit", "--url", server.url, "--dry-run").json()["warnings"]
        assert len(dry) == 1 and "nothing pins the server" in dry[0], dry
        expect(case.on("status"), 0, "plain exchange (the server has no other)")
        expect(case.on("admit", *pinned(server), "--protocol", "strickt"), 2,
               "strict, plain or auto")
        same(tpm.left(), "", "left in the TPM")


BAD_OFFERS = [
    ({"protocol": "plain"}, "another than strict"),
    ({"protocol": "strict", "version": 2, "nonce": "ab" * 32}, "another than 1"),
    ({"protocol": "strict", "version": 1, "nonce": "ab" * 31}, "not 64 hexadecimal digits"),
    (["strict"], "no JSON object"), ({"x": "y" * 5000}, ""),
]


@test("strict: an offer that cannot be understood sends no evidence, and is no reason for plain")
def _(case):
    with strict_world(case) as (_tpm, server):
        for server.offer, words in BAD_OFFERS:
            for protocol in ("strict", "auto"):
                done = case.on("--json", "admit", *pinned(server), "--protocol", protocol)
                error = expect(done, 10 if "x" in server.offer else 9).error()
                assert words in error["why"] and error["hint"], (server.offer, error)
        same(server.requests, [], "evidence that was sent")


@test("strict: a stale nonce and PCRs that move meanwhile are met with another try, and only then")
def _(case):
    with strict_world(case) as (tpm, server):
        base = ["admit", "--url", server.url, "--ca", server.authority.ca, "--protocol", "strict"]
        server.fault, server.faults = "stale nonce", 1
        done = expect(case.on(*base, "--wait", "60"), 0, "Admitted")
        assert "does not take its nonce" in done.err and "next try in 1 s" in done.err, done.err
        server.faults = 1
        expect(case.on(*base, "--wait", "0"), 9, "does not take its nonce")
        server.fault = None

        def measure():
            tpm.tool("tpm2_pcrextend", "11:sha256=" + "22" * 32)
            server.before_answer = None

        server.before_answer = measure
        done = expect(case.on(*base, "--wait", "60"), 0, "Admitted")
        assert "PCRs changed while the server was asked" in done.err, done.err
        server.before_answer = measure
        expect(case.on("admit", *pinned(server), "--protocol", "plain"), 0)
        server.before_answer = measure
        expect(case.on(*base, "--wait", "0"), 9, "PCRs changed")
        same(tpm.left(), "", "left in the TPM")


@test("the exchange comes from answers, the node data, node set, and --protocol before all")
def _(case):
    with strict_world(case) as (_tpm, server):
        answers = case.answers(replace=[
            ("https://attest.example/v1\n", f"{server.url}\n  protocol: strict\n"
             f"  pin: {server.authority.pin()}\n")])
        said = expect(case.on("--json", "admit", "--answers", answers, "--wait", "0"), 0).json()
        same((said["allows"], said["protocol"]), ("strict", "strict"), "answers")
        expect(case.on("plan", "--answers", answers), 0, "the strict exchange only")
        expect(case.on("--yes", "install", "--answers", answers), 0)
        server.strict = False
        expect(case.on("admit", "--wait", "0"), 9, "does not offer the strict exchange")
        expect(case.on("admit", "--wait", "0", "--protocol", "auto"), 0, "Admitted")
        expect(case.on("node", "set", "attest_protocol=strikt"), 3, "auto, strict, plain")
        expect(case.on("node", "set", "attest_protocol=plain"), 0)
        said = expect(case.on("--json", "admit", "--wait", "0"), 0).json()
        same((said["allows"], said["protocol"], said["fell_back"]), ("plain", "plain", False),
             "after node set")


@test("a hostile overlay is refused whole")
def _(case):
    with world(case, data=overlay(**{"../../escape": b"x"})) as (_tpm, server):
        expect(case.on("admit", *pinned(server), "--save", case.dir / "keep", case.dir / "out"), 8)
        same([p.name for p in case.dir.iterdir() if p.name in ("out", "keep", "escape")], [],
             "what was left")


@test("--dry-run sends nothing, and says what it would send to whom")
def _(case):
    with world(case) as (tpm, server):
        said = expect(case.on("--json", "admit", "--dry-run", *pinned(server)), 0).json()
        same((said["sent"], said["url"], len(server.requests)), (False, server.url, 0), "said")
        same([p["name"] for p in said["parts"]], ["protocol", "ek.pub", "ak.pub", "nonce", "quote",
                                                  "sig", "pcr"], "parts")
        assert said["ak_name"].startswith("000b"), said
        expect(case.on("admit", "--dry-run", *pinned(server)), 0, "Nothing was sent.")
        same(tpm.left(), "", "left in the TPM")


def pem_in_yaml(path):
    return "".join(f"    {line}\n" for line in path.read_text().splitlines())


@test("server, CA and pin come from answers, from the node data, else from the command line")
def _(case):
    with world(case) as (_tpm, server):
        answers = case.answers(replace=[
            ("https://attest.example/v1\n", f"{server.url}\n  ca: |\n"
             f"{pem_in_yaml(server.authority.ca)}  pin: {server.authority.pin()}\n")])
        expect(case.on("check", answers), 0)
        said = expect(case.on("--json", "admit", "--answers", answers, "--wait", "0"), 0).json()
        same((said["url_from"], said["believes"]), ("the answers", "its CA and its key"), "answers")
        expect(case.on("--yes", "install", "--answers", answers), 0)
        said = expect(case.on("--json", "admit", "--wait", "0"), 0).json()
        same((said["url_from"], said["believes"]), ("the node data", "its CA and its key"), "node")
        expect(case.on("node", "set", "attest_pin=sha256:" + "0" * 64), 0)
        expect(case.on("admit", "--wait", "0"), 10, "another server")
        expect(case.on("node", "set", "attest_pin=", f"attest_ca=@{server.authority.ca}"), 0)
        said = expect(case.on("--json", "admit", "--wait", "0"), 0).json()
        same(said["believes"], "its CA", "after node set")
        expect(case.on("node", "config", case.dir / "cfg"), 0)
        given = tool("openssl", "x509", "-in", case.dir / "cfg/attest_ca", "-noout", "-subject")
        same(given.stdout, "subject=CN = test CA\n", "the CA that node config gives")


@test("a machine that was never installed takes ember.attest_url= of its command line")
def _(case):
    with world(case) as (_tpm, server):
        expect(case.on("admit"), 5, "nothing names an attestation server", "--url")
        (case.machine_dir / "proc").mkdir(exist_ok=True)
        (case.machine_dir / "proc/cmdline").write_text(
            f"quiet x.ember.attest_url=https://wrong/ ember.attest_url={server.url} ro\n")
        said = expect(case.on("--json", "admit", "--ca", server.authority.ca), 0).json()
        same((said["url"], said["url_from"]), (server.url, "the kernel's command line"), "URL")
        (case.machine_dir / "proc/cmdline").write_text("ember.attest_url=http://h/\n")
        expect(case.on("admit"), 2, "only over https")


@test("what would fail afterwards fails before anything is sent")
def _(case):
    with world(case) as (_tpm, server):
        (case.dir / "there").mkdir()
        expect(case.on("admit", *pinned(server), case.dir / "there"), 6, "there already")
        expect(case.on("admit", *pinned(server)[:-1], "-5"), 2, "number of seconds")
        for url in ("http://127.0.0.1/", "https://u:p@127.0.0.1/", "https://127.0.0.1/?t=1"):
            expect(case.on("admit", "--url", url), 2)
        same(server.requests, [], "requests")


@test("the secret in the overlay is in no output, argument list or environment of the exchange")
def _(case):
    need("strace")
    with world(case, data=overlay("w")) as (_tpm, server):
        trace = case.dir / "trace"
        done = subprocess.run(
            ["strace", "-f", "-qq", "-v", "-s", "65536", "-e",
             "trace=execve,write,writev,sendto,sendmsg,pwrite64", "-o", trace, SLIPWAY,
             "--machine", case.machine_dir, "--json", "admit", *map(str, pinned(server))],
            capture_output=True, timeout=120, check=False)
        same(done.returncode, 0, done.stderr.decode())
        for data in (done.stdout, done.stderr):
            assert SECRET.strip() not in data, "the secret was shown"
        assert SECRET.strip() not in trace.read_bytes(), "the secret was written or passed on"


@test("a machine without a TPM is told so before anything is sent")
def _(case):
    with world(case, enrolled=False) as (_tpm, server):
        other = case.dir / "bare"
        expect(case.run("machine", "create", other, "--disk", "serial=A,size=1G", "--no-tpm"), 0)
        expect(case.run("--machine", other, "admit", *pinned(server)), 5, "no TPM")
        same(server.requests, [], "requests")


@test("a real safeboot-attest server admits the machine")
def _(case):
    url, ca = (os.environ.get(f"SLIPWAY_TEST_SAFEBOOT{n}") for n in ("", "_CA"))
    folder = os.environ.get("SLIPWAY_TEST_SAFEBOOT_DB")
    if not url or not ca or not folder:
        raise Skip("no server: SLIPWAY_TEST_SAFEBOOT has its URL, SLIPWAY_TEST_SAFEBOOT_CA a file "
                   "with its CA, SLIPWAY_TEST_SAFEBOOT_DB the folder db/ that it serves")
    tpm = Tpm(case.create())
    node = Path(folder, case.on("--json", "tpm", "ek").json()["node_id"])
    node.mkdir()
    try:
        (node / "motd").write_text("hello\n")
        expect(case.on("admit", "--url", url, "--ca", ca, case.dir / "out"), 0)
        same((case.dir / "out/motd").read_text(), "hello\n", "overlay")
    finally:
        shutil.rmtree(node)
    same(tpm.left(), "", "left in the TPM")


if __name__ == "__main__":
    main()
