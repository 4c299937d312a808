# SPDX-License-Identifier: Apache-2.0
"""Servers of webhooks and syslog on the loopback, well-behaved and not, and answers that name
them."""
import http.server
import json
import socket
import threading
import time

from attest_server import Authority, listen_tls

FAILURE = "SlipwayLastFailure-c7f24dd8-4d6c-4d0c-9a35-7e3f1b6f0a52"


class Receiver:
    """A webhook's server. fault: how it misbehaves, for the next `faults` requests."""

    def __init__(self, folder, fault=None, faults=1 << 30):
        self.told, self.headers, self.fault, self.faults = [], [], fault, faults
        self.open = threading.Event()       # what it hangs on, until it is closed
        folder.mkdir(exist_ok=True)
        self.authority = Authority(folder)
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_POST(self):
                server.answer(self)

        self.http = listen_tls(Handler, self.authority)
        self.url = f"https://127.0.0.1:{self.http.server_address[1]}/events"

    def answer(self, request):
        fault = self.fault if self.faults > 0 else None
        self.faults -= 1
        if fault == "never reads":
            self.open.wait(60)
            return
        body = request.rfile.read(int(request.headers["Content-Length"]))
        if fault == "slow":
            time.sleep(0.3)
        elif fault == "redirect":
            request.send_response(307)
            request.send_header("Location", self.url + "/elsewhere")
            request.end_headers()
            return
        elif isinstance(fault, int):
            request.send_response(fault)
            request.end_headers()
            return
        self.told.append(body.decode())
        self.headers.append(dict(request.headers))
        request.send_response(200)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def events(self):
        return [json.loads(t) for t in self.told]

    def close(self):
        self.open.set()
        self.http.shutdown()
        self.http.server_close()


class Syslog:
    """Takes messages over UDP, or over TCP with counted frames; `silent`: accepts, never reads."""

    def __init__(self, tcp=False, silent=False):
        self.data, self.got = b"", []
        self.socket = socket.socket(socket.AF_INET,
                                    socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        if tcp:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            self.socket.listen()
        self.address = f"{'tcp' if tcp else 'udp'}://127.0.0.1:{self.socket.getsockname()[1]}"
        run = (self.hold if silent else self.stream) if tcp else self.datagrams
        threading.Thread(target=run, daemon=True).start()

    def datagrams(self):
        while True:
            self.got.append(self.socket.recv(65536).decode())

    def hold(self):
        self.kept = self.socket.accept()

    def stream(self):
        peer, _ = self.socket.accept()
        while data := peer.recv(4096):
            self.data += data

    def frames(self):
        """Those that have come as a whole."""
        rest, out = self.data, []
        while True:
            count, found, rest = rest.partition(b" ")
            if not found or len(rest) < int(count):
                return out
            out.append(rest[:int(count)].decode())
            rest = rest[int(count):]


def report(case, text, **more):
    """An answer file with a report section."""
    path = case.answers(**more)
    path.write_text(path.read_text() + "report:\n" + text)
    return path


def hook(receiver, more=""):
    return f"    - url: {receiver.url}\n      pin: \"{receiver.authority.pin()}\"\n{more}"
