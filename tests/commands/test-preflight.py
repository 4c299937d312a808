# SPDX-License-Identifier: Apache-2.0
"""`slipway admit --preflight` against a server, a proxy and a machine that misbehave. What a server
is told must say nothing of the machine."""
import contextlib
import select
import socket
import threading
import time

from attest_server import AttestServer, Authority
from lib import expect, main, need, same, test
from swtpm import Tpm

NAMES = ["TPM", "clock", "route", "DNS", "proxy", "TLS", "server"]
NO_PROXY = {"https_proxy": "", "HTTPS_PROXY": "", "all_proxy": "", "ALL_PROXY": ""}


@contextlib.contextmanager
def world(case, tpm=True, **authority):
    need("openssl")
    case.create()
    if tpm:
        Tpm(case)
    server = AttestServer(case.dir, b"", authority=Authority(case.dir, **authority))
    try:
        yield server
    finally:
        server.close()


class Look:
    """One preflight: exit code, and of each check the verdict, the words and the fix."""

    def __init__(self, case, *words, env=None):
        self.done = case.on("--json", "admit", "--preflight", *words, env=env or NO_PROXY)
        self.said = self.done.json()
        self.code = self.done.code
        same([c["name"] for c in self.said["checks"]], NAMES, "checks")
        self.verdict = {c["name"]: c["verdict"] for c in self.said["checks"]}
        self.what = {c["name"]: c["what"] for c in self.said["checks"]}
        self.fix = {c["name"]: c.get("fix", "") for c in self.said["checks"]}
        for name, verdict in self.verdict.items():
            if verdict in ("failed", "warning"):
                assert self.fix[name], f"no fix for {name}: {self.what[name]}"

    def not_ok(self):
        return {n: v for n, v in self.verdict.items() if v != "ok"}


def pinned(server):
    return ["--url", server.url, "--ca", server.authority.ca]


@test("where all is well every check says so, and the server is told nothing of the machine")
def _(case):
    with world(case) as server:
        look = Look(case, *pinned(server))
        same((look.code, look.not_ok(), look.said["passed"]), (0, {}, True), "verdicts")
        same((look.said["source"], look.said["url"]), ("127.0.0.1", server.url), "said")
        assert abs(look.said["clock_off_s"]) < 300, look.said
        assert "its CA" in look.what["TLS"], look.what
        text = expect(case.on("admit", "--preflight", *pinned(server), env=NO_PROXY), 0).out
        same([line.split()[0] for line in text.splitlines()], ["Server", *NAMES], "the table")
        same((len(server.requests), server.questions), (0, 2), "requests")
        look = Look(case, "--url", server.url, "--pin", server.authority.pin())
        same((look.code, look.not_ok()), (0, {}), "with the key alone")
        assert "its key" in look.what["TLS"], look.what
        look = Look(case, *pinned(server), "--protocol", "strict")
        same((look.code, look.not_ok()), (9, {"server": "failed"}), "a server without strict")
        server.strict = True
        look = Look(case, *pinned(server), "--protocol", "strict")
        same((look.code, look.not_ok(), server.requests), (0, {}, []), "a server with strict")
        assert "offers the strict exchange" in look.what["server"], look.what


@test("a server that is not the right one is told from one that only has an old certificate")
def _(case):
    other = case.dir / "other"
    other.mkdir()
    another = Authority(other)
    with world(case) as server:
        seen = server.questions
        look = Look(case, "--url", server.url, "--pin", another.pin())
        same((look.code, look.not_ok()), (10, {"clock": "not checked", "TLS": "failed",
                                              "server": "not checked"}), "wrong pin")
        assert "pinned" in look.what["TLS"], look.what
        look = Look(case, "--url", server.url, "--ca", another.ca)
        same((look.code, look.verdict["TLS"]), (10, "failed"), "another CA")
        look = Look(case, "--url", server.url)
        same((look.code, look.verdict["TLS"]), (10, "failed"), "no CA of the system's")
        same(server.questions, seen, "questions to a server that is not believed")


@test("a certificate for another name fails, and the name is said")
def _(case):
    with world(case, name="127.0.0.9") as server:
        look = Look(case, *pinned(server))
        same((look.code, look.verdict["TLS"]), (10, "failed"), "verdict")
        assert "127.0.0.1" in look.what["TLS"], look.what


@test("an expired certificate is the server's fault by the right clock, ours by a wrong one")
def _(case):
    with world(case, days=-1) as server:
        look = Look(case, *pinned(server))
        same((look.code, look.not_ok()), (10, {"TLS": "failed", "server": "not checked"}),
             "the clock is right")
        assert "new certificate" in look.fix["TLS"], look.fix
        server.off_s = -50 * 3600
        look = Look(case, *pinned(server))
        same((look.code, look.not_ok()), (10, {"clock": "failed", "TLS": "failed",
                                              "server": "not checked"}), "the clock is wrong")
        assert "ahead of" in look.what["clock"] and "clock" in look.fix["TLS"], look.said
        proposed = int(look.fix["clock"].split("@")[1].split()[0])
        assert abs(proposed - (time.time() - 50 * 3600)) < 300, look.fix
        # The dates alone are passed over, not who signed.
        other = case.dir / "other"
        other.mkdir()
        look = Look(case, "--url", server.url, "--ca", Authority(other).ca)
        same(look.verdict["clock"], "not checked", "the clock of a server that nobody vouches for")


@test("a clock that is hours off is a warning with the command that sets it")
def _(case):
    with world(case) as server:
        for off, word in ((5 * 3600, "behind"), (-3 * 86400, "ahead of")):
            server.off_s = off
            look = Look(case, *pinned(server))
            same((look.code, look.not_ok()), (0, {"clock": "warning"}), f"{off} s")
            assert word in look.what["clock"] and "date -u -s @" in look.fix["clock"], look.said
            assert abs(look.said["clock_off_s"] + off) < 300, look.said


STATUSES = [(404, 9, "failed"), (403, 9, "failed"), (400, 0, "warning"), (500, 10, "failed"),
            (503, 10, "failed"), ("redirect", 10, "failed")]


@test("what the server answers is judged, and a redirect is not followed")
def _(case):
    with world(case) as server:
        for fault, code, verdict in STATUSES:
            server.fault = fault
            look = Look(case, *pinned(server))
            same((look.code, look.not_ok()), (code, {"server": verdict}), str(fault))


def nobody():
    """A port that refuses, and that no other test gets meanwhile."""
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    return s


def listener(backlog=8):
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(backlog)
    return s


@test("refused, silent, not TLS and not known are told apart")
def _(case):
    with world(case) as server:
        ca = server.authority.ca
        with listener() as s:
            url = f"https://127.0.0.1:{s.getsockname()[1]}/"
            look = Look(case, "--url", url, "--ca", ca, "--wait", "2")
            same((look.code, look.verdict["TLS"], look.verdict["server"]),
                 (10, "failed", "not checked"), "silent")
        with nobody() as s:
            look = Look(case, "--url", f"https://127.0.0.1:{s.getsockname()[1]}/", "--ca", ca)
            same((look.code, look.verdict["route"], look.verdict["server"]),
                 (10, "ok", "failed"), "refused")
        look = Look(case, "--url", "https://nowhere.invalid/", "--ca", ca)
        same((look.code, look.verdict["DNS"], look.verdict["server"]),
             (10, "failed", "not checked"), "a name that is not known")
        with listener() as s:
            def greet():
                with contextlib.suppress(OSError):
                    c, _ = s.accept()
                    with c:
                        c.sendall(b"220 mail.example ESMTP\r\n" * 10)
                        c.recv(4096)
            threading.Thread(target=greet, daemon=True).start()
            look = Look(case, "--url", f"https://127.0.0.1:{s.getsockname()[1]}/", "--ca", ca)
            same((look.code, look.verdict["TLS"]), (10, "failed"), "no TLS")


class Proxy:
    """Passes connections on, or answers with a status of its own."""

    def __init__(self, status=200):
        self.socket, self.status, self.asked = listener(), status, []
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.socket.accept()
                threading.Thread(target=self.one, args=(client,), daemon=True).start()

    def one(self, client):
        with client, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            target = head.split()[1].decode()
            self.asked.append(target)
            client.sendall(f"HTTP/1.1 {self.status} as told\r\n\r\n".encode())
            if self.status != 200:
                return
            host, port = target.rsplit(":", 1)
            with socket.create_connection((host, int(port))) as server:
                pairs = {client: server, server: client}
                while True:
                    for s in select.select(list(pairs), [], [])[0]:
                        data = s.recv(65536)
                        if not data:
                            return
                        pairs[s].sendall(data)

    def close(self):
        self.socket.close()


def through(address, **more):
    return {**NO_PROXY, "no_proxy": "", "https_proxy": f"http://user:canary@{address}", **more}


@test("a proxy that is used, not used, refuses or is away; its password is not shown")
def _(case):
    with world(case) as server:
        proxy, closed = Proxy(), Proxy(403)
        try:
            look = Look(case, *pinned(server), env=through(proxy.address))
            same((look.code, look.not_ok(), len(proxy.asked)), (0, {}, 1), "used")
            assert proxy.address in look.what["proxy"], look.what
            assert "canary" not in look.done.out + look.done.err, look.done
            look = Look(case, *pinned(server),
                        env=through(proxy.address, no_proxy="127.0.0.1"))
            same((look.code, look.not_ok(), len(proxy.asked)), (0, {}, 1), "not used")
            assert "not used" in look.what["proxy"], look.what
            look = Look(case, *pinned(server), env=through(closed.address))
            same((look.code, look.verdict["proxy"], look.verdict["server"]),
                 (10, "failed", "not checked"), "refuses")
            assert "no_proxy" in look.fix["proxy"], look.fix
            look = Look(case, *pinned(server), env=through("proxy.invalid:3128"))
            same((look.code, look.verdict["proxy"]), (10, "failed"), "its name is not known")
            with nobody() as gone:
                away = f"127.0.0.1:{gone.getsockname()[1]}"
                look = Look(case, *pinned(server), env=through(away))
                same((look.code, look.verdict["proxy"], look.verdict["server"]),
                     (10, "failed", "not checked"), "is away")
        finally:
            proxy.close()
            closed.close()


@test("a machine without a TPM fails in that, and all else is still looked at")
def _(case):
    with world(case, tpm=False) as server:
        bare = case.dir / "bare"
        expect(case.run("machine", "create", bare, "--disk", "serial=A,size=1G", "--no-tpm"), 0)
        case.machine_dir = bare
        look = Look(case, *pinned(server))
        same((look.code, look.not_ok()), (5, {"TPM": "failed"}), "verdicts")
        said = look.done.error()
        assert said["where"] == "TPM" and said["hint"], said


@test("--preflight gets no overlay, so what would be done with one is refused")
def _(case):
    with world(case, tpm=False) as server:
        for words in (["--save", case.dir / "t"], ["--dry-run"], [case.dir / "out"]):
            expect(case.on("admit", "--preflight", *pinned(server), *words), 2, "no overlay")
        same(server.questions, 0, "questions")


if __name__ == "__main__":
    main()
