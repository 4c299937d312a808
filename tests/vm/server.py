# SPDX-License-Identifier: Apache-2.0
"""A real HTTP server on 127.0.0.1 (10.0.2.2 for a guest) that can be told to misbehave; with a
certificate it speaks https, and it can be one of IPv6 alone."""

import http.server
import json
import os
import pathlib
import socket
import ssl
import struct
import sys
import threading
import time

import harness


class Fault:
    """What happens to one path. Counts down `times`, then the path is served properly."""

    def __init__(self, status=None, reset_at=None, rate=None, delay=0, times=None, gate=None):
        self.status = status        # answer this status and nothing else
        self.reset_at = reset_at    # 0.3: send 30 % of the body, then reset the connection
        self.rate = rate            # bytes a second
        self.delay = delay          # seconds before the first byte
        self.times = times          # None: for ever
        self.gate = gate            # a threading.Event that the first byte waits for

    def take(self):
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


def authority(directory, name):
    """A CA, and a certificate from it for this address, which is valid now."""
    sys.path.insert(0, os.path.join(harness.ROOT, "tests", "commands"))
    import attest_server

    folder = pathlib.Path(directory, "authority")
    folder.mkdir()
    return attest_server.Authority(folder, name=name)


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass                # a client that does not believe us ends the connection


class Listener6(Listener):
    address_family = socket.AF_INET6


LOOPBACK = ("127.0.0.1", "10.0.2.2")
# The guest's side is that of QEMU's user network with GUEST6 as its options.
LOOPBACK6 = ("::1", "2001:db8:7::2")
GUEST6 = ",ipv4=off,ipv6=on,ipv6-net=2001:db8:7::/64,ipv6-host=2001:db8:7::2"


class Server:
    """at: the address here, and the one that guests know it by. authority: what its certificate is
    from, see attest_server.Authority. posts: {path: what makes the answer of the JSON that is sent,
    or None}."""

    def __init__(self, at=LOOPBACK, authority=None):
        self.files, self.faults, self.requests, self.posts = {}, {}, [], {}
        self.at, self.authority = at, authority
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer._serve(self, body=True)

            def do_HEAD(self):
                outer._serve(self, body=False)

            def do_POST(self):
                outer._post(self)

            def log_message(self, *_):
                pass

        self._handler, self._kept = Handler, None
        self.open()

    def open(self, port=0):
        """port: the one that a closed server had, when it comes back; 0: a free one."""
        kind = Listener6 if ":" in self.at[0] else Listener
        self._http = kind((self.at[0], port), self._handler)
        if self.authority:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.authority.cert, self.authority.key)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True,
                                                    do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)
        self._thread.start()
        if self._kept:
            self._kept.close()

    @property
    def port(self):
        return self._http.server_address[1]

    def url(self, path, guest=True):
        host = self.at[1 if guest else 0]
        return "%s://%s:%d%s" % ("https" if self.authority else "http",
                                 "[%s]" % host if ":" in host else host, self.port, path)

    def add(self, path, content, fault=None):
        """content: bytes, or the name of a file. Returns the guest's URL."""
        self.files[path] = content
        if fault:
            self.faults[path] = fault
        return self.url(path)

    def close(self):
        """Whoever comes is refused. The port stays ours, so that it can come back."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
        self._kept = socket.socket(self._http.address_family)
        self._kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._kept.bind((self.at[0], self.port))

    def _post(self, handler):
        sent = handler.rfile.read(int(handler.headers["Content-Length"]))
        self.requests.append(("POST", handler.path, None))
        text = self.posts.get(handler.path, lambda _: None)(json.loads(sent))
        body = (text or "").encode()
        handler.send_response(404 if text is None else 200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def _serve(self, handler, body):
        path = handler.path.split("?")[0]
        self.requests.append((handler.command, path, handler.headers.get("Range")))
        fault = self.faults.get(path)
        if fault and not fault.take():
            fault = None
        if fault and fault.delay:
            time.sleep(fault.delay)
        if fault and fault.gate:
            fault.gate.wait()
        if path not in self.files or (fault and fault.status):
            handler.send_response(fault.status if fault and fault.status else 404)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        content = self.files[path]
        if not isinstance(content, bytes):
            with open(content, "rb") as file:
                content = file.read()
        first, status = self._range(handler, len(content))
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content) - first))
        handler.send_header("Accept-Ranges", "bytes")
        if status == 206:
            handler.send_header("Content-Range",
                                "bytes %d-%d/%d" % (first, len(content) - 1, len(content)))
        handler.end_headers()
        if body:
            self._send(handler, content[first:], fault)

    @staticmethod
    def _range(handler, size):
        wanted = handler.headers.get("Range", "")
        if wanted.startswith("bytes=") and wanted.endswith("-") and wanted[6:-1].isdigit():
            first = int(wanted[6:-1])
            if 0 < first < size:
                return first, 206
        return 0, 200

    @staticmethod
    def _send(handler, content, fault):
        end = len(content)
        if fault and fault.reset_at is not None:
            end = int(end * fault.reset_at)
        step = 65536 if not (fault and fault.rate) else max(1, fault.rate // 10)
        try:
            for start in range(0, end, step):
                handler.wfile.write(content[start:min(start + step, end)])
                if fault and fault.rate:
                    time.sleep(0.1)
            handler.wfile.flush()
        except OSError:
            return
        if end < len(content):
            # Linger 0 makes close() send RST instead of FIN.
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                          struct.pack("ii", 1, 0))
            handler.close_connection = True
            handler.connection.close()
            handler.wfile = open(os.devnull, "wb")
