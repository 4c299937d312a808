# SPDX-License-Identifier: Apache-2.0
"""The proxy of the answers: what slipway fetches and tells goes through it, and its login nowhere
else."""
import base64
import contextlib
import http.server
import select
import socket
import threading
import urllib.request

from attest_server import AttestServer, Authority
from lib import Server, expect, main, need, same, sha256, test

CANARY = "ann:canary-6d1f%0a77"
DIRECT = {"https_proxy": "", "HTTPS_PROXY": "", "all_proxy": "", "ALL_PROXY": "", "http_proxy": "",
          "no_proxy": "", "NO_PROXY": ""}


class Proxy:
    """HTTP/1.1 with CONNECT on the loopback. login: who else is answered 407."""

    def __init__(self, login=None):
        self.seen, self.refused = [], 0
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def knows(self):
                if login is None:
                    return True
                said = self.headers.get("Proxy-Authorization", "")
                if said == "Basic " + base64.b64encode(login.encode()).decode():
                    return True
                proxy.refused += 1
                self.send_response(407)
                self.send_header("Proxy-Authenticate", 'Basic realm="rack"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return False

            def do_CONNECT(self):
                if not self.knows():
                    return
                proxy.seen.append(("CONNECT", self.path))
                host, _, port = self.path.rpartition(":")
                with socket.create_connection((host, int(port)), timeout=60) as out:
                    self.send_response(200)
                    self.end_headers()
                    self.pump(out)
                self.close_connection = True

            def pump(self, out):
                ends = {self.connection: out, out: self.connection}
                while True:
                    for end in select.select(list(ends), [], [], 60)[0] or [None]:
                        data = end.recv(65536) if end else b""
                        if not data:
                            return
                        ends[end].sendall(data)

            def do_GET(self):
                if not self.knows():
                    return
                proxy.seen.append(("GET", self.path))
                opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
                with opener.open(self.path, timeout=60) as answer:
                    data = answer.read()
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(data)

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.handle_error = lambda *args: None
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


@contextlib.contextmanager
def world(case, login=None):
    case.create()
    case.payload()
    server, proxy = Server(case.dir), Proxy(login)
    try:
        yield server, proxy
    finally:
        server.close()
        proxy.close()


def remote_answers(case, server, network):
    kernel, initrd = case.payload()
    return case.answers(kernel=f"{server.url}/vmlinuz", initrd=f"{server.url}/initrd",
                        kernel_sha256=sha256(kernel), initrd_sha256=sha256(initrd),
                        replace=[("finish:", network + "finish:")])


def install(case, answers):
    return case.on("--yes", "--json", "install", "--answers", answers, timeout=240, env=DIRECT)


def everything(case):
    """All that the machine kept but its disks: logs, events, notes, variables."""
    return b"".join(p.read_bytes() for p in sorted(case.machine_dir.rglob("*"))
                    if p.is_file() and p.suffix != ".img" and not p.is_symlink())


@test("the payload comes through the proxy of the answers, and not where no-proxy says so")
def _(case):
    with world(case) as (server, proxy):
        expect(install(case, remote_answers(case, server,
                                            f"network: {{proxy: '{proxy.url}'}}\n")), 0)
        same([path.rpartition("/")[2] for _, path in proxy.seen], ["vmlinuz", "initrd"], "through")
        proxy.seen.clear()
        expect(install(case, remote_answers(
            case, server, f"network: {{proxy: '{proxy.url}', no-proxy: [127.0.0.0/8]}}\n")), 0)
        same(proxy.seen, [], "with no-proxy")


@test("a proxy that is away ends the install, and the error names it")
def _(case):
    with world(case) as (server, proxy):
        proxy.close()
        answers = remote_answers(case, server, "network: {proxy: 'http://proxy.invalid:3128'}\n")
        done = install(case, answers)
        same((done.code, server.hits), (10, []), "result")
        assert "the proxy's name is not known" in done.out, done
        assert "network.proxy" in done.out, done


@test("the login of a proxy is a file; without it the error says what to do; it is told to nobody")
def _(case):
    with world(case, login=CANARY) as (server, proxy):
        done = install(case, remote_answers(case, server,
                                            f"network: {{proxy: '{proxy.url}'}}\n"))
        same(done.code, 10, "without a login")
        assert "network.proxy-login" in done.out and "the proxy wants" in done.out, done
        (case.machine_dir / "medium").mkdir(exist_ok=True)
        (case.machine_dir / "medium/proxy").write_text(CANARY + "\n")
        answers = remote_answers(case, server, f"network: {{proxy: '{proxy.url}', "
                                               "proxy-login: 'medium:/proxy'}\n")
        done = expect(install(case, answers), 0)
        same(len(proxy.seen), 2, "through the proxy")
        (case.machine_dir / "medium/proxy").unlink()
        for text in (CANARY, base64.b64encode(CANARY.encode()).decode()):
            assert text not in done.out + done.err, "the login was told"
            assert text.encode() not in everything(case), "the login was kept"


@test("an https server is reached through the proxy, and a preflight says so")
def _(case):
    need("openssl")
    with world(case) as (_server, proxy):
        attest = AttestServer(case.dir, b"", authority=Authority(case.dir))
        answers = case.answers(replace=[
            ("https://attest.example/v1", f"{attest.url}\n  pin: {attest.authority.pin()}"),
            ("finish:", f"network: {{proxy: '{proxy.url}'}}\nfinish:")])
        said = case.on("--json", "admit", "--preflight", "--answers", answers, env=DIRECT).json()
        row = next(c for c in said["checks"] if c["name"] == "proxy")
        same((row["verdict"], said["proxy"]), ("ok", proxy.url), "the proxy's row")
        assert proxy.url in row["what"], row
        same([word for word, _ in proxy.seen], ["CONNECT"] * len(proxy.seen), "asked for")
        assert proxy.seen, "nothing went through the proxy"
        attest.close()


main()
