# SPDX-License-Identifier: Apache-2.0
"""`slipway admit` with a token: join files for rke2, k3s and kubeadm, and Homeworld's exchange,
against servers of our own that share no code with it (join_server.py)."""
import base64
import hashlib
import io
import os
import subprocess
import tarfile
import threading
import time
from pathlib import Path

import yaml

from attest_server import AttestServer, Authority, spki_pin
from join_server import ApiServer, Keyserver, Supervisor
from lib import SLIPWAY, Skip, expect, main, need, same, test, tool
from swtpm import Tpm

BOOT = "abcdef.0123456789abcdef"


def setup(case):
    need("openssl")
    if not case.machine_dir.exists():
        case.create()
    return Authority(case.dir)


def plain_tar(name):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        item = tarfile.TarInfo(name)
        item.size, item.mode = 5, 0o600
        tar.addfile(item, io.BytesIO(b"hello"))
    return out.getvalue()


def other(case, name="other"):
    folder = case.dir / name
    folder.mkdir()
    return Authority(folder)


def give(case, token, name="token"):
    path = case.dir / name
    path.write_text(token + "\n")
    path.chmod(0o600)
    return path


def admit(case, kind, server, token, *more, code=0, words=(), **how):
    args = ["admit", "--kind", kind, "--url", server.url, "--wait", "0", *more]
    if token is not None:
        args += ["--token", give(case, token)]
    return expect(case.on(*args, **how), code, *words)


def nothing_secret(server, token):
    """What reached the server has no part of the token that is secret."""
    seen = "".join(f"{m} {p} {h} {b!r}" for m, p, h, b in server.requests)
    for part in token.replace("::", ":").replace(".", ":").split(":")[1:]:
        assert len(part) < 5 or part not in seen, f"{part} reached the server: {seen}"


@test("rke2: the CA is the one that the token names; config.yaml with server and token, 0600")
def _(case):
    with Supervisor(setup(case)) as server:
        token = server.token('server:pass"word\\x')
        out, keep = case.dir / "out", case.dir / "keep.tar"
        said = admit(case, "rke2", server, token, "--json", "--save", keep, out).json()
        path = out / "etc/rancher/rke2/config.yaml"
        same(yaml.safe_load(path.read_text()), {"server": server.url, "token": token}, "config")
        same(path.stat().st_mode & 0o777, 0o600, "its mode")
        with tarfile.open(keep) as tar:
            same([(m.name, m.mode, m.uid) for m in tar], [("etc/rancher/rke2/config.yaml", 0o600,
                                                           0)], "the tar")
        same(keep.stat().st_mode & 0o777, 0o600, "the tar's mode")
        same((said["kind"], said["pinned"], said["believes"], said["overlay"]["entries"]),
             ("rke2", True, "the CA that the token names", 1), "said")
        same([r[1] for r in server.requests], ["/cacerts", "/cacerts"], "what was asked")
        nothing_secret(server, token)
        told = case.on("--json", "status").json()["admissions"][0]
        same((told["url"], told["admitted"]), (server.url, True), "what status tells")


@test("k3s: a bundle counts by its root, a bootstrap token behind the hash is one, too")
def _(case):
    root = setup(case)
    middle = case.dir / "middle"
    middle.mkdir()
    subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", middle / "key", "-out",
                    middle / "csr", "-subj", "/CN=middle"], check=True, capture_output=True)
    (middle / "ext").write_text("basicConstraints=critical,CA:TRUE\n")
    subprocess.run(["openssl", "x509", "-req", "-in", middle / "csr", "-CA", root.ca, "-CAkey",
                    case.dir / "ca.key", "-CAcreateserial", "-out", middle / "pem", "-days", "2",
                    "-extfile", middle / "ext"], check=True, capture_output=True)
    bundle = (middle / "pem").read_bytes() + root.ca.read_bytes()
    der = subprocess.run(["openssl", "x509", "-in", root.ca, "-outform", "DER"], check=True,
                         capture_output=True).stdout
    with Supervisor(root, bundle) as server:
        token = f"K10{hashlib.sha256(der).hexdigest()}::{BOOT}"
        admit(case, "k3s", server, token, case.dir / "out")
        text = (case.dir / "out/etc/rancher/k3s/config.yaml").read_text()
        assert token in text, text
        wrong = f"K10{hashlib.sha256(bundle).hexdigest()}::{BOOT}"
        admit(case, "k3s", server, wrong, code=10, words=["another cluster's server"])


@test("another CA than the token's is refused with both hashes, and nothing is left")
def _(case):
    authority, stranger = setup(case), other(case)
    with Supervisor(authority) as server, Supervisor(stranger) as impostor:
        token = server.token("node:secret-part")
        error = admit(case, "rke2", impostor, token, "--json", "--save", case.dir / "keep",
                      case.dir / "out", code=10).error()
        for bundle in (authority.ca.read_bytes(), stranger.ca.read_bytes()):
            assert hashlib.sha256(bundle).hexdigest() in error["why"], error
        assert "new token" in error["hint"], error
        same([(case.dir / n).exists() for n in ("keep", "out")], [False, False], "left")
        nothing_secret(impostor, token)
        assert case.on("--json", "status").json()["admissions"][0]["admitted"] is False
        # The right CA's text on a server that it did not sign.
        impostor.bundle = authority.ca.read_bytes()
        admit(case, "rke2", impostor, token, code=10, words=["certificate is not trusted"])


@test("a token without the CA's hash: only with a CA that is given, and a warning; junk is refused")
def _(case):
    authority = setup(case)
    with Supervisor(authority) as server:
        admit(case, "rke2", server, "just-a-password", code=10, words=["not known here"])
        done = admit(case, "rke2", server, "just-a-password", "--ca", authority.ca,
                     case.dir / "out")
        assert "does not name the cluster's CA" in done.err, done
        said = admit(case, "rke2", server, "just-a-password", "--json", "--ca",
                     authority.ca).json()
        same((said["pinned"], said["warnings"]), (True, []), "with a CA")
        seen = len(server.requests)
        admit(case, "rke2", server, "K10abc::x:y", code=3, words=["64 hexadecimal digits"])
        admit(case, "rke2", server, server.token("node:"), code=3, words=["password is missing"])
        admit(case, "rke2", server, "", code=5, words=["token for rke2 is missing"])
        admit(case, "rke2", server, None, code=5, words=["--token FILE"])
        admit(case, "rke2", JoinUrl(server.url + "/v1"), "x" * 30, code=3, words=["no path"])
        same(len(server.requests), seen, "requests after what cannot be a token")
        done = expect(case.on("admit", "--kind", "rke2", "--url", server.url, "--token", "-",
                              "--wait", "0", stdin=server.token("node:p") + "\n"), 0)
        assert "the CA that the token names" in done.out, done


class JoinUrl:
    def __init__(self, url):
        self.url = url


FAULTS = [(401, 9, "wants a login"), (403, 9, "does not give its CA"), (404, 9, "no rke2 or k3s"),
          (429, 10, "too many requests"), (500, 10, "server failed"), (503, 10, "not ready"),
          ("redirect", 10, "elsewhere"), ("big", 10, "too long"), ("truncated", 10, ""),
          ("garbage", 10, "CA cannot be used"), ("cut", 10, ""), ("close", 10, "")]


@test("rke2: each way of a server to misbehave is an error with a next step; a slow one is fine")
def _(case):
    with Supervisor(setup(case)) as server:
        token = server.token("node:secret-part")
        for fault, code, words in FAULTS:
            server.fault = fault
            error = admit(case, "rke2", server, token, "--json", case.dir / "out",
                          code=code).error()
            assert words in error["what"] and error["why"] and error["hint"], (fault, error)
            assert not (case.dir / "out").exists(), fault
        server.fault, server.faults = 503, 1
        done = expect(case.on("admit", "--kind", "rke2", "--url", server.url, "--token",
                              give(case, token), "--wait", "60"), 0)
        assert "next try" in done.err, done
        server.fault, server.faults = "slow", 9
        admit(case, "rke2", server, token, case.dir / "out")
        nothing_secret(server, token)


@test("kubeadm: signature and pin hold; kubeconfig, JoinConfiguration and CA are files")
def _(case):
    authority = setup(case)
    with ApiServer(authority, [BOOT, "zzzzzz.aaaaaaaaaaaaaaaa"]) as server:
        pin = spki_pin(authority.ca)
        said = admit(case, "kubeadm", server, BOOT, "--json", "--pin", pin, case.dir / "out").json()
        same((said["pinned"], said["believes"]), (True, "its CA's key"), "said")
        folder = case.dir / "out/etc/kubernetes"
        config = yaml.safe_load((folder / "bootstrap-kubelet.conf").read_text())
        cluster = config["clusters"][0]["cluster"]
        same(cluster["server"], server.url, "server")
        same(base64.b64decode(cluster["certificate-authority-data"]), authority.ca.read_bytes(),
             "CA")
        same((config["users"][0]["user"], config["current-context"]),
             ({"token": BOOT}, config["contexts"][0]["name"]), "user")
        join = yaml.safe_load((folder / "kubeadm-join.yaml").read_text())
        same(join["discovery"]["bootstrapToken"],
             {"apiServerEndpoint": server.url[8:], "token": BOOT, "caCertHashes": [pin]}, "join")
        same((folder / "pki/ca.crt").read_bytes(), authority.ca.read_bytes(), "ca.crt")
        same([(folder / n).stat().st_mode & 0o777
              for n in ("bootstrap-kubelet.conf", "kubeadm-join.yaml", "pki/ca.crt")],
             [0o600, 0o600, 0o644], "modes")
        same(len(server.requests), 2, "asked twice")
        nothing_secret(server, BOOT)
        done = admit(case, "kubeadm", server, BOOT, case.dir / "unpinned")
        assert "nothing pins" in done.err, done


@test("kubeadm: another CA, an unknown or expired token, another secret are told apart")
def _(case):
    authority, stranger = setup(case), other(case)
    pin = spki_pin(authority.ca)
    with ApiServer(stranger, [BOOT]) as server:
        error = admit(case, "kubeadm", server, BOOT, "--json", "--pin", pin, case.dir / "out",
                      code=10).error()
        assert pin in error["why"] and spki_pin(stranger.ca) in error["why"], error
        server.ca = authority.ca        # signed and pinned, but the server is not of that CA
        admit(case, "kubeadm", server, BOOT, "--pin", pin, code=10, words=["not trusted"])
    with ApiServer(authority, [BOOT]) as server:
        admit(case, "kubeadm", server, "expire.0123456789abcdef", "--pin", pin, code=9,
              words=["does not know this token", "expire", "kubeadm token create"])
        admit(case, "kubeadm", server, "abcdef.0123456789abcdee", "--pin", pin, code=9,
              words=["not the token's"])
        server.header = {"alg": "none"}
        admit(case, "kubeadm", server, BOOT, "--pin", pin, code=9, words=["not the token's"])
        server.header, server.server = {"alg": "HS256"}, "http://127.0.0.1"
        admit(case, "kubeadm", server, BOOT, "--pin", pin, code=9, words=["no https address"])
        server.server, server.changes = server.url, True
        admit(case, "kubeadm", server, BOOT, "--pin", pin, code=10, words=["two things"])
        server.changes = False
        admit(case, "kubeadm", server, "abcdef.0123", code=3, words=["12 more characters"])
        admit(case, "kubeadm", server, server.url, code=3, words=["no bootstrap token"])
        for fault, code in [(401, 9), (403, 9), (404, 9), (429, 10), (500, 10), (503, 10),
                            ("redirect", 10), ("big", 10), ("truncated", 9), ("garbage", 9),
                            ("cut", 10)]:
            server.fault = fault
            error = admit(case, "kubeadm", server, BOOT, "--json", "--pin", pin, case.dir / "out",
                          code=code).error()
            assert error["why"] and error["hint"], (fault, error)
        assert not (case.dir / "out").exists()


def homeworld_files(out, ca):
    """etc/homeworld as the node's keyclient wants it; the key fits the certificate."""
    top = out / "etc/homeworld"
    key, cert = top / "keyclient/granting.key", top / "keyclient/granting.pem"
    assert key.read_text().startswith("-----BEGIN RSA PRIVATE KEY-----"), "PKCS #1"
    same(key.stat().st_mode & 0o777, 0o600, "the key's mode")
    of_key = tool("openssl", "pkey", "-in", key, "-pubout").stdout
    same(tool("openssl", "x509", "-in", cert, "-noout", "-pubkey").stdout, of_key, "its key")
    same((top / "keyclient/keyservertls.pem").read_bytes(), ca.read_bytes(), "CA")
    return top


@test("Homeworld: one POST, the certificate and the key are files below /etc/homeworld")
def _(case):
    authority = setup(case)
    with Keyserver(authority, case.dir) as server:
        token = server.issue()
        out = case.dir / "out"
        said = admit(case, "homeworld", server, token, "--json", "--ca", authority.ca, out).json()
        same((said["kind"], said["believes"], server.complaints), ("homeworld", "its CA", []), "")
        same([(m, p, h["X-Bootstrap-Token"]) for m, p, h, _b in server.requests],
             [("POST", "/apirequest", token)], "requests")
        top = homeworld_files(out, authority.ca)
        same((top / "config/local.conf").read_text(),
             "HOST_NODE=node-07\nHOST_DNS=node-07.example\n", "local.conf")
        same((top / "config/keyserver.domain").read_text(), "127.0.0.1\n", "keyserver.domain")


@test("a real keyserver of Homeworld admits the machine, with a token that counts this once")
def _(case):
    url, ca, token = (os.environ.get(f"SLIPWAY_TEST_HOMEWORLD{n}") for n in ("", "_CA", "_TOKEN"))
    if not url or not ca or not token:
        raise Skip("no server: SLIPWAY_TEST_HOMEWORLD has its URL, SLIPWAY_TEST_HOMEWORLD_CA a "
                   "file with its CA, SLIPWAY_TEST_HOMEWORLD_TOKEN one with a token for this "
                   "machine's address")
    out = case.dir / "out"
    case.create()
    expect(case.on("admit", "--kind", "homeworld", "--url", url, "--ca", ca, "--preflight"), 0)
    expect(case.on("admit", "--kind", "homeworld", "--url", url, "--ca", ca, "--token", token,
                   out), 0)
    assert "HOST_NODE=" in (homeworld_files(out, Path(ca)) / "config/local.conf").read_text()


@test("Homeworld: a token is never sent as a test, to a stranger, or twice")
def _(case):
    authority, stranger = setup(case), other(case)
    ca = ["--ca", authority.ca]
    with Keyserver(authority, case.dir) as server, Keyserver(stranger, case.dir) as impostor:
        token, out = server.issue(), case.dir / "out"
        swapped = token[1] + token[0] + token[2:] if token[0] != token[1] else token[::-1]
        for bad in (swapped, token[:-1], "manual", "abcdef.0123456789abcdef"):
            admit(case, "homeworld", server, bad, *ca, out, code=3)
        admit(case, "homeworld", server, token, out, code=3, words=["which keyserver to believe"])
        admit(case, "homeworld", server, token, *ca, code=2, words=["--save FILE"])
        admit(case, "homeworld", server, token, *ca, "--dry-run", out)
        admit(case, "homeworld", server, token, *ca, "--preflight")
        admit(case, "homeworld", impostor, token, *ca, out, code=10, words=["not trusted"])
        sent = [h for s in (server, impostor) for _m, _p, h, _b in s.requests
                if "X-Bootstrap-Token" in h]
        same(sent, [], "tokens that were sent")
        for fault in ("cut", 503):
            server.fault, before = fault, len(server.requests)
            failed = case.on("--json", "admit", "--kind", "homeworld", "--url", server.url, *ca,
                             "--token", give(case, token), "--wait", "30", out)
            error = expect(failed, 10).error()
            same(len(server.requests) - before, 1, f"requests when {fault}")
            assert "issued" in error["hint"], (fault, error)
        assert not out.exists()


@test("Homeworld: burnt and foreign tokens, refusals, and an answer that is none")
def _(case):
    authority = setup(case)
    ca, out = ["--ca", authority.ca], case.dir / "out"
    with Keyserver(authority, case.dir) as server:
        token = server.issue()
        admit(case, "homeworld", server, token, *ca, case.dir / "first")
        foreign = server.issue("192.0.2.7")
        for bad, why in [(token, "unknown token"), (foreign, "token for 192.0.2.7")]:
            error = admit(case, "homeworld", server, bad, *ca, "--json", out, code=9).error()
            same(server.complaints[-1], why, "what the server found")
            assert "another address" in error["hint"], error
        for fault, code, words in [(403, 9, "forbids"), ("redirect", 10, "was lost")]:
            server.fault = fault
            error = admit(case, "homeworld", server, server.issue(), *ca, "--json", out,
                          code=code).error()
            assert words in error["what"] and "issued" in error["hint"], (fault, error)
        server.fault, server.other_key = None, True
        admit(case, "homeworld", server, server.issue(), *ca, out, code=9, words=["another key"])
        assert not out.exists()


def answers_with(case, admission):
    return case.answers(replace=[("admission:\n  kind: attest\n  url: https://attest.example/v1\n",
                                  admission)])


@test("a list of attest and rke2: both in order, one overlay; a failure keeps what was gained")
def _(case):
    need("tpm2_checkquote", "tpm2_print")
    case.create()
    Tpm(case)
    first = AttestServer(case.dir, plain_tar("etc/attested"))
    first.known.add(case.on("--json", "tpm", "ek").json()["node_id"])
    folder = case.dir / "rke2"
    folder.mkdir()
    authority = Authority(folder)
    pem = "".join(f"      {line}\n" for line in first.authority.ca.read_text().splitlines())
    try:
        with Supervisor(authority) as server:
            token = give(case, server.token("node:canary"))
            answers = answers_with(case, f"admission:\n  - kind: attest\n    url: {first.url}\n"
                                   f"    ca: |\n{pem}  - kind: rke2\n    url: {server.url}\n"
                                   f"    tokenfile: {token}\n")
            expect(case.on("check", answers), 0)
            plan = expect(case.on("plan", "--answers", answers), 0).out
            assert "by rke2 at" in plan and "Attests" in plan, plan
            said = expect(case.on("--json", "admit", "--answers", answers, "--wait", "0",
                                  case.dir / "out"), 0).json()
            same([a["kind"] for a in said["admissions"]], ["attest", "rke2"], "order")
            same(said["overlay"]["entries"], 2, "entries")
            same([(a["kind"], a["url"], a["admitted"], a["overlay"])
                  for a in case.on("--json", "status").json()["admissions"]],
                 [(k, s.url, True, said["overlay"]["sha256"])
                  for k, s in (("attest", first), ("rke2", server))], "what status tells")
            same(sorted(str(p.relative_to(case.dir / "out")) for p in
                        (case.dir / "out").rglob("*") if p.is_file()),
                 ["etc/attested", "etc/rancher/rke2/config.yaml"], "files")
            only = expect(case.on("--json", "admit", "--answers", answers, "--kind", "rke2",
                                  "--wait", "0"), 0).json()
            same(only["kind"], "rke2", "--kind")
            server.fault = 403
            failed = expect(case.on("admit", "--answers", answers, "--wait", "0", "--save",
                                    case.dir / "part.tar"), 9, "--kind rke2")
            assert "etc/attested" in failed.out, failed
            with tarfile.open(case.dir / "part.tar") as tar:
                same(tar.getnames(), ["etc/attested"], "what was gained")
            told = expect(case.on("status"), 0, f"admitted by {first.url}, attest, ",
                          f"NOT admitted by {server.url}, rke2, ").out
            same(told.count("Admission  "), 2, "a line for each")
            server.fault = None
            expect(case.on("--yes", "install", "--answers", answers), 0)
            expect(case.on("node", "config", case.dir / "cfg"), 0)
            expect(case.on("admit", "--kind", "rke2", "--wait", "0"), 5, "token for rke2")
            said = expect(case.on("--json", "admit", "--token", token, "--wait", "0"), 0).json()
            same([a["url_from"] for a in said["admissions"]], ["the node data"] * 2, "node data")
    finally:
        first.close()


def held(looked):
    """What a server does before each answer: there is time for a look at who waits for it."""
    def fault():
        looked.wait(60)
        time.sleep(1)
    return fault


def leaks(pid, secret):
    """Where a process shows it to others: arguments and environment of it and its children."""
    found = []
    for proc in Path("/proc").iterdir():
        if not proc.name.isdigit():
            continue
        for name in ("cmdline", "environ"):
            try:
                if secret in (proc / name).read_bytes() and int(proc.name) != os.getpid():
                    found.append(f"{proc.name}/{name}")
            except OSError:
                continue
    return found


@test("canary: a token is in no argument, environment, output, log or file but its own")
def _(case):
    case.create()
    authority = setup(case)
    secret = "canary9d31c7f0a5"
    with Supervisor(authority) as server, Keyserver(authority, case.dir) as keys, \
            ApiServer(authority, [f"abcdef.{secret}"]) as api:
        home = keys.issue()
        flows = [("rke2", server, server.token(f"node:{secret}"), secret, []),
                 ("k3s", server, server.token(f"node:{secret}"), secret, []),
                 ("kubeadm", api, f"abcdef.{secret}", secret, ["--pin", spki_pin(authority.ca)]),
                 ("homeworld", keys, home, home, ["--ca", authority.ca])]
        planted = subprocess.Popen(["sleep", "60"], env={"X": secret})
        assert leaks(0, secret.encode()), "the search finds nothing, not even what was planted"
        planted.kill()
        planted.wait()
        for kind, at, token, part, more in flows:
            looked = threading.Event()
            at.fault = held(looked)
            path, out = give(case, token, f"token-{kind}"), case.dir / f"out-{kind}"
            child = subprocess.Popen(
                [SLIPWAY, "--machine", case.machine_dir, "--json", "admit", "--kind", kind, "--url",
                 at.url, "--token", path, *more, out], stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
            case.children.append(child)
            looks = 0
            while child.poll() is None:
                same(leaks(child.pid, part.encode()), [], f"{kind}: shown to others")
                looks += 1
                if looks > 3:
                    looked.set()
                time.sleep(0.02)
            said, err = child.communicate()
            same(child.returncode, 0, f"{kind}: {err}")
            assert looks > 3, looks
            assert part.encode() not in said + err, f"{kind}: in the output"
            path.unlink()
            files = [p for p in case.dir.rglob("*") if p.is_file()
                     and p.stat().st_size < 1 << 24]
            here = [str(p) for p in files if part.encode() in p.read_bytes()]
            wanted = {"rke2": ["etc/rancher/rke2/config.yaml"], "homeworld": [],
                      "k3s": ["etc/rancher/k3s/config.yaml"],
                      "kubeadm": ["etc/kubernetes/bootstrap-kubelet.conf",
                                  "etc/kubernetes/kubeadm-join.yaml"]}[kind]
            same(sorted(here), sorted(str(out / w) for w in wanted), f"{kind}: files that hold it")
            for w in wanted:
                (out / w).unlink()


@test("a token typed at a terminal is not echoed, and its kind is named")
def _(case):
    case.create()
    with Supervisor(setup(case)) as server:
        token = server.token("node:typed-secret")
        typed = []

        def answer(shown):
            if "not shown" in shown and not typed:
                typed.append(1)
                return token
            return None

        code, shown = case.at_terminal(answer, "admit", "--kind", "rke2", "--url", server.url,
                                       "--wait", "0", case.dir / "out")
        same(code, 0, shown)
        assert "k3s or rke2 token, complete" in shown and "typed-secret" not in shown, shown
        assert token in (case.dir / "out/etc/rancher/rke2/config.yaml").read_text()


@test("--preflight of each kind sends no token, needs no TPM, and says what answers")
def _(case):
    case.create()
    authority = setup(case)
    with Supervisor(authority) as server, ApiServer(authority, [BOOT]) as api:
        for kind, at in [("rke2", server), ("kubeadm", api)]:
            said = expect(case.on("--json", "admit", "--preflight", "--kind", kind, "--url",
                                  at.url), 0).json()
            rows = {c["name"]: c for c in said["checks"]}
            same((rows["TPM"]["verdict"], rows["server"]["verdict"]), ("not checked", "ok"), rows)
        server.fault = 404
        expect(case.on("admit", "--preflight", "--kind", "rke2", "--url", server.url), 9,
               "no rke2 or k3s server")


if __name__ == "__main__":
    main()
