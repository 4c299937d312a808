# SPDX-License-Identifier: Apache-2.0
"""A machine whose clock is wrong, time servers that are right, wrong, silent and rude, and https
servers whose certificates look bad to a wrong clock. Only the stand-in's clock is ever set."""
import contextlib
import http.server
import io
import json
import os
import tarfile
import time

from attest_server import AttestServer, Authority, listen_tls
from lib import expect, main, need, same, sha256, test
from ntp_server import Ntp
from swtpm import Tpm

DAY = 86400
DECADE = 3650 * DAY


class Tls:
    """Files over https, from a server that only a CA of its own vouches for. Its clock is `off`
    seconds ahead: the certificate is brand-new, and a Date without its fraction lies before."""

    def __init__(self, case, off):
        self.authority, self.asked = Authority(case.dir), []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def date_time_string(self, timestamp=None):
                return super().date_time_string((timestamp or time.time()) + off)

            def do_GET(self):
                server.asked.append(self.path)
                path = case.dir / os.path.basename(self.path)
                if not path.is_file():
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(path.stat().st_size))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(path.read_bytes())

        self.http = listen_tls(Handler, self.authority)
        self.url = f"https://127.0.0.1:{self.http.server_address[1]}"

    def close(self):
        self.http.shutdown()
        self.http.server_close()


def overlay():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        item = tarfile.TarInfo("etc/joined")
        item.size = 4
        tar.addfile(item, io.BytesIO(b"yes\n"))
    return out.getvalue()


def wrong_by(case, seconds):
    (case.machine_dir / "clock").write_text(f"{seconds}\n")


def is_wrong_by(case):
    path = case.machine_dir / "clock"
    return int(path.read_text()) if path.exists() else 0


def one_line(pem):
    return " ".join(pem.read_text().split("\n")).strip()


def remote_answers(case, server, more=""):
    """An install whose payload comes from that server, whom only its own CA vouches for."""
    kernel, initrd = case.payload()
    path = case.answers(kernel=f"{server.url}/vmlinuz", initrd=f"{server.url}/initrd",
                        kernel_sha256=sha256(kernel), initrd_sha256=sha256(initrd),
                        replace=[("  cmdline:", f"  ca: \"{one_line(server.authority.ca)}\"\n"
                                                "  cmdline:"),
                                 ("finish:", more + "finish:")])
    return path


def install(case, answers):
    return case.on("--yes", "--json", "install", "--answers", answers, timeout=240)


@contextlib.contextmanager
def world(case, off=2):
    need("openssl")
    case.create()
    server = Tls(case, off)
    try:
        yield server
    finally:
        server.close()


@test("a clock ten years off, either way, is set by the server of the payload before it comes")
def _(case):
    with world(case) as server:
        for off, words in ((-DECADE, "3650 days behind"), (DECADE, "3650 days ahead of")):
            wrong_by(case, off)
            done = expect(install(case, remote_answers(case, server)), 0)
            assert abs(is_wrong_by(case)) < 10, is_wrong_by(case)
            assert "The clock is set to" in done.out and words in done.out, done
            events = [json.loads(line) for line in done.out.splitlines()]
            first, last = (events[i]["time_ms"] / 1000 - time.time() for i in (0, -1))
            assert abs(first - off) < 600 and abs(last) < 600, "not the machine's time of day"
            passed = [e["monotonic_ms"] for e in events]
            assert passed == sorted(passed) and passed[-1] - passed[0] < 600000, passed


@test("with time.from: leave the clock stays wrong, and the certificate is what looks bad")
def _(case):
    with world(case) as server:
        wrong_by(case, -DECADE)
        done = install(case, remote_answers(case, server, "time: {from: leave}\n"))
        assert done.code in (7, 10), done
        assert "certificate is not trusted" in done.out + done.err, done
        same(is_wrong_by(case), -DECADE, "the clock")


@test("NTP of the answers sets the clock when the server does not say the time, and not before")
def _(case):
    with world(case, off=-9000 * DAY) as server:
        ntp = Ntp(case)
        wrong_by(case, DECADE)
        done = expect(install(case, remote_answers(
            case, server, "network: {ntp: 127.0.0.1}\n")), 0)
        assert abs(is_wrong_by(case)) < 10, is_wrong_by(case)
        assert ntp.asked and all(len(q) == 48 and set(q[1:40]) == {0} for q in ntp.asked), \
            "a question tells something of the machine"
        assert "others that were asked say another time" in done.out, done
        ntp.close()


@test("a server that is believed outweighs NTP, and that they do not agree is shown")
def _(case):
    with world(case) as server:
        ntp = Ntp(case, off=-400 * DAY + DECADE)
        wrong_by(case, 0)
        said = expect(case.on("--json", "clock", "--ntp", "127.0.0.1", "--url", server.url,
                              "--ca", server.authority.ca), 0).json()
        same((said["believed"], said["wrong"], said["disputed"]),
             (server.url, False, True), "verdict")
        same([h["from"] for h in said["heard"]], ["NTP", "server"], "heard")
        text = expect(case.on("clock", "--ntp", "127.0.0.1", "--url", server.url, "--pin",
                              server.authority.pin()), 0).out
        assert "3250 days ahead" in text and "say another time" in text, text
        ntp.close()


@test("slipway clock --set sets it; without --set nothing is set")
def _(case):
    case.create()
    ntp = Ntp(case)
    wrong_by(case, -5 * DAY)
    text = expect(case.on("clock", "--ntp", "127.0.0.1"), 0).out
    assert "5 days behind 127.0.0.1" in text, text
    same(is_wrong_by(case), -5 * DAY, "the clock")
    expect(case.on("clock", "--ntp", "127.0.0.1", "--set"), 0)
    assert abs(is_wrong_by(case)) < 10, is_wrong_by(case)
    ntp.close()


@test("a time server that is silent, rude or forged is not believed, and the reason is said")
def _(case):
    case.create()
    for fault, words in (("silent", "does not answer"), ("kiss", "not to be asked"),
                         ("lost", "does not know"), ("forged", "")):
        ntp = Ntp(case, fault=fault, off=DECADE)
        said = expect(case.on("--json", "clock", "--ntp", "127.0.0.1"), 0).json()
        same((said.get("believed"), said["wrong"]), (None, False), fault)
        assert words in said["heard"][0]["error"]["why"], said
        ntp.close()


@test("when nobody says the time, a clock of last decade is set to when slipway was made")
def _(case):
    case.create()
    wrong_by(case, -DECADE)
    said = expect(case.on("--json", "clock", "--set"), 0).json()
    same((said["believed"], said["wrong"]), ("floor", True), "verdict")
    assert is_wrong_by(case) > -DECADE + 365 * DAY, is_wrong_by(case)
    assert time.time() + is_wrong_by(case) >= said["floor"] - 2, "before the floor"


@test("a certificate that has expired is no reason to believe another server's key")
def _(case):
    with world(case) as server:
        other = case.dir / "other"
        other.mkdir()
        wrong_by(case, -DECADE)
        said = expect(case.on("--json", "clock", "--url", server.url, "--ca",
                              Authority(other).ca), 0).json()
        same(said["believed"], "floor", "believed")
        assert "certificate" in said["heard"][0]["error"]["what"], said
        same(server.asked, [], "questions")


@test("a node with a wrong clock is admitted all the same, where the clock may be set")
def _(case):
    need("openssl", "tpm2_checkquote", "tpm2_print")
    tpm = Tpm(case.create(), False)
    server = AttestServer(case.dir, overlay(), maker=tpm.maker)
    server.known.add(case.on("--json", "tpm", "ek").json()["node_id"])
    server.off_s = 2                    # as above
    wrong_by(case, -DECADE)
    expect(case.on("admit", "--url", server.url, "--ca", server.authority.ca, "--wait", "0",
                   case.dir / "out"), 0)
    assert abs(is_wrong_by(case)) < 10, is_wrong_by(case)
    server.close()


main()
