# SPDX-License-Identifier: Apache-2.0
"""What the command tests share: TAP, a stand-in machine, a payload, a web server that can fail.

The disks that slipway wrote are looked at with other people's tools only (sfdisk, sgdisk, mtools,
fsck.vfat, e2fsck); boot variables are decoded here, from the UEFI specification.
"""
import contextlib
import fcntl
import functools
import hashlib
import http.server
import json
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import traceback
from pathlib import Path

from terminal import Terminal

SLIPWAY = os.environ.get("SLIPWAY", "build/release/slipway")
SOURCE = Path(os.environ.get("SLIPWAY_SOURCE", ".")).resolve()
MiB = 1 << 20
GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"


class Skip(Exception):
    """Raised by a test that cannot run here, with the reason."""


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def json(self):
        return json.loads(self.out)

    def error(self):
        """The JSON error object of a command run with --json: the last line of stderr."""
        return json.loads(self.err.strip().splitlines()[-1])

    def __repr__(self):
        return f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


def need(*tools):
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    for tool in tools:
        if not shutil.which(tool, path=path):
            raise Skip(f"{tool} is not installed")


def tool(*argv, check=True, **more):
    if argv[0] == "sfdisk" and not any(Path(word).is_block_device() for word in argv[1:]):
        # It sleeps for the kernel's sake, and syncs all disks of the machine that runs the tests.
        argv = ("sfdisk", "--no-tell-kernel", *argv[1:])
    env = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin",
               MTOOLS_SKIP_CHECK="1")
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, env=env,
                          timeout=120, check=False, **more)
    if check and done.returncode != 0:
        raise AssertionError(f"{argv[0]}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def sha256(data):
    if isinstance(data, Path):
        data = data.read_bytes()
    return hashlib.sha256(data).hexdigest()


@functools.cache
def fake_kernel(size=3 * MiB):
    """A bzImage with an EFI stub as far as its headers go; nothing here executes it."""
    data = bytearray(hashlib.shake_256(b"kernel").digest(size))
    data[0:0x200] = bytes(0x200)
    data[0:2] = b"MZ"
    data[0x3c:0x40] = struct.pack("<I", 0x40)
    data[0x40:0x58] = b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 160, 0x206)
    optional = bytearray(160)
    optional[0:2] = struct.pack("<H", 0x20b)
    optional[16:20] = struct.pack("<I", 0x1000)             # AddressOfEntryPoint
    optional[32:40] = struct.pack("<II", 0x1000, 0x200)     # SectionAlignment, FileAlignment
    optional[56:64] = struct.pack("<II", 0x1000 + size, 0x1000)
    optional[68:70] = struct.pack("<H", 10)                 # EFI application
    optional[108:112] = struct.pack("<I", 6)
    data[0x58:0x58 + 160] = optional
    data[0xf8:0x120] = struct.pack("<8sIIIIIIHHI", b".text", size - 0x1000, 0x1000, size - 0x1000,
                                   0x1000, 0, 0, 0, 0, 0x60000020)
    data[0x1fe:0x208] = b"\x55\xaa\0\0HdrS" + struct.pack("<H", 0x020f)
    return bytes(data)


@functools.cache
def fake_initrd(size=MiB):
    return b"070701" + hashlib.shake_256(b"initrd").digest(size)


KEPT = {}       # what made a machine: where a copy of it lies until the program ends


def copy_tree(source, target):
    tool("cp", "-a", "--sparse=always", "--reflink=auto", source, target)


class Case:
    """One test: a directory of its own, removed when it ends."""

    def __init__(self):
        self.dir = Path(tempfile.mkdtemp(prefix="case."))
        self.machine_dir = self.dir / "m"
        self.children = []

    def close(self):
        for child in self.children:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            child.wait()
        # A session whose directory is removed ends by itself, and may write a last file meanwhile.
        end = time.monotonic() + 30
        while self.dir.exists() and time.monotonic() < end:
            shutil.rmtree(self.dir, ignore_errors=True)

    def run(self, *args, stdin=None, timeout=120, env=None, cwd=None):
        done = subprocess.run([SLIPWAY, *map(str, args)], input=stdin, capture_output=True,
                              text=True, timeout=timeout, check=False, cwd=cwd,
                              env=dict(os.environ, **(env or {})))
        return Result(done.returncode, done.stdout, done.stderr)

    def on(self, *args, **more):
        """A command on the stand-in machine."""
        return self.run("--machine", self.machine_dir, *args, **more)

    def program(self):
        """A slipway that knows no machine but this one, as a node's shell functions call it."""
        path = self.dir / "slipway"
        path.write_text(f'#!/bin/sh\nexec {os.path.abspath(SLIPWAY)} '
                        f'--machine {self.machine_dir} "$@"\n')
        path.chmod(0o755)
        return path

    def start(self, *args):
        child = subprocess.Popen([SLIPWAY, "--machine", str(self.machine_dir), *map(str, args)],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 stdin=subprocess.DEVNULL, text=True)
        self.children.append(child)
        return child

    def at_terminal(self, answer, *args, timeout=120):
        """A command on a terminal of its own; answer(what was shown) gives a line to type, or
        None. (exit code, what was shown)"""
        at = Terminal([SLIPWAY, "--machine", self.machine_dir, *args], term=None)
        for shown in at.each(timeout):
            typed = answer(shown)
            if typed is not None:
                at.send(typed + "\n")
        return at.ended(), at.shown

    def own_layout(self, name="node"):
        """A copy of a shipped layout, to be changed."""
        folder = self.dir / "layout"
        shutil.copytree(SOURCE / "layouts" / name, folder)
        return folder

    def create(self, *disks, extra=()):
        disks = disks or ("serial=NODE07SYS,size=4G,model=Alpha,transport=nvme",
                          "serial=DATA4711,size=6G,model=Beta,transport=sata")
        words = [w for d in disks for w in ("--disk", d)]
        result = self.run("machine", "create", self.machine_dir, *words, *extra)
        expect(result, 0)
        return self

    def copy_of(self, make):
        """The machine as make(case) leaves it: made once in a program, copied from then on."""
        if make not in KEPT:
            make(self)
            KEPT[make] = Path(tempfile.mkdtemp(prefix="kept."))
            copy_tree(self.machine_dir, KEPT[make] / "m")
        else:
            copy_tree(KEPT[make] / "m", self.machine_dir)
        return self

    def disk(self, serial="NODE07SYS"):
        for disk in self.on("facts", "--json").json()["disks"]:
            if disk.get("serial") == serial:
                return Path(disk["node"])
        raise AssertionError(f"no disk {serial}")

    def payload(self):
        kernel, initrd = self.dir / "vmlinuz", self.dir / "initrd"
        kernel.write_bytes(fake_kernel())
        initrd.write_bytes(fake_initrd())
        return kernel, initrd

    def answers(self, name="node.yaml", replace=(), **values):
        """The answer file of the documentation, with local payload; replace: (old, new) pairs."""
        kernel, initrd = self.payload()
        text = f"""slipway: 1
node:
  hostname: node-07
disk:
  match: {{serial: NODE07SYS}}
  layout: node
  wipe: any
payload:
  kernel: {values.get("kernel", kernel)}
  initrd: {values.get("initrd", initrd)}
  sha256: {{kernel: "{values.get("kernel_sha256", sha256(kernel))}", \
initrd: "{values.get("initrd_sha256", sha256(initrd))}"}}
  cmdline: "console=ttyS0,115200 panic=10"
boot:
  mode: local
admission:
  kind: attest
  url: https://attest.example/v1
finish: {values.get("finish", "stay")}
"""
        for old, new in replace:
            if old not in text:
                raise AssertionError(f"{old!r} is not in the answers")
            text = text.replace(old, new)
        path = self.dir / name
        path.write_text(text)
        return path

    def entries(self):
        """Boot variables as the stand-in's files have them: {number: (label, uuid, path)}, order"""
        found, order = {}, []
        for path in (self.machine_dir / "vars").glob(f"Boot*-{GLOBAL}"):
            name, data = path.name.split("-")[0], path.read_bytes()[4:]
            if name == "BootOrder":
                order = list(struct.unpack(f"<{len(data) // 2}H", data))
            elif len(name) == 8 and name != "BootNext":
                found[int(name[4:], 16)] = decode_option(data)
        return found, order


def guid_text(raw):
    a, b, c = struct.unpack("<IHH", raw[:8])
    return f"{a:08x}-{b:04x}-{c:04x}-{raw[8:10].hex()}-{raw[10:].hex()}"


def decode_option(data):
    """EFI_LOAD_OPTION (UEFI 3.1.3): label, GUID of the HD() node, file path."""
    end = 6
    while data[end:end + 2] != b"\0\0":
        end += 2
    label, at = data[6:end].decode("utf-16-le"), end + 2
    stop = at + struct.unpack("<H", data[4:6])[0]
    uuid = path = None
    while at + 4 <= stop:
        kind, sub, length = data[at], data[at + 1], struct.unpack("<H", data[at + 2:at + 4])[0]
        if length < 4:
            break
        body = data[at + 4:at + length]
        if (kind, sub) == (4, 1):
            uuid = guid_text(body[20:36])
        if (kind, sub) == (4, 4):
            path = body.decode("utf-16-le").rstrip("\0")
        at += length
    return label, uuid, path


def expect(result, code, *texts):
    """The exit code, and words that stdout or stderr must have."""
    assert result.code == code, f"exit {code} was expected\n{result}"
    for text in texts:
        assert text in result.out + result.err, f"{text!r} was expected\n{result}"
    return result


def same(got, wanted, what):
    assert got == wanted, f"{what}: {got!r} instead of {wanted!r}"


def partitions(image):
    """What sfdisk sees: {label: partition}."""
    table = json.loads(tool("sfdisk", "-J", image).stdout)["partitiontable"]
    return {p.get("name", ""): p for p in table["partitions"]}


def like_the_first(path, make):
    """Makes the image as make(path) did the first time: sgdisk sleeps for a second each time."""
    kept = MADE.setdefault((make, os.stat(path).st_size), [])
    if not kept:
        make(path)
        kept.extend(allocated(path))
    with open(path, "r+b") as file:
        for at, data in kept:
            file.seek(at)
            file.write(data)


MADE = {}


def data_in(file, start, end):
    """(from, to) of what is no hole between two places of a sparse file."""
    while start < end:
        try:
            start = os.lseek(file.fileno(), start, os.SEEK_DATA)
        except OSError:
            return
        hole = min(os.lseek(file.fileno(), start, os.SEEK_HOLE), end)
        if start < end:
            yield start, hole
        start = hole


def cut(image, part, out, sector=512):
    """A partition as a sparse file of its own."""
    start, size = part["start"] * sector, part["size"] * sector
    with open(image, "rb") as source, open(out, "wb") as file:
        file.truncate(size)
        for at, end in data_in(source, start, start + size):
            while at < end:
                at += os.copy_file_range(source.fileno(), file.fileno(), end - at, at, at - start)
    return out


def allocated(path):
    """(place, bytes) of all that was ever written to a sparse file."""
    with open(path, "rb") as file:
        for at, end in data_in(file, 0, os.fstat(file.fileno()).st_size):
            file.seek(at)
            yield at, file.read(end - at)


def fingerprint(path, start=0, size=None):
    """
    A hash over every byte of a large sparse file, or of a part of it: over the pieces that are
    not all zeros and where they are, so that holes, written or not, cost nothing.
    """
    piece = 64 << 10
    zeros, seen = bytes(piece), hashlib.sha256()
    with open(path, "rb") as file:
        end = os.fstat(file.fileno()).st_size if size is None else start + size
        seen.update(struct.pack("<Q", end - start))
        done = start
        for at, until in data_in(file, start, end):
            at = max(done, at - (at - start) % piece)
            file.seek(at)
            while at < until:
                data = file.read(min(piece, end - at))
                if data != zeros[:len(data)]:
                    seen.update(struct.pack("<Q", at - start) + data)
                at += piece
            done = at
    return seen.hexdigest()


def stick(case):
    """A FAT partition labelled SLIPWAY on the removable disk."""
    image = case.disk("STICK77")
    tool("sfdisk", "-q", image, input="label: dos\nstart=1M, type=c\n")
    tool("mkfs.vfat", "-F", "32", "-n", "SLIPWAY", "--offset", "2048", image, "60000")
    return image


@contextlib.contextmanager
def put_server(status=201):
    """Keeps what is PUT below /undo/ and gives it back. (URL, {path: bytes})"""
    kept = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_PUT(self):
            kept[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        def do_GET(self):
            data = kept.get(self.path)
            self.send_response(200 if data else 404)
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, *args):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_address[1]}/undo/", kept
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


def head(image, size=MiB):
    with open(image, "rb") as f:
        return f.read(size)


def tail(image, size=MiB):
    with open(image, "rb") as f:
        f.seek(-size, os.SEEK_END)
        return f.read()


def section(image, name):
    """The content of a PE section, from the PE format's own tables."""
    data = Path(image).read_bytes()
    coff = struct.unpack_from("<I", data, 0x3c)[0] + 4
    count, optional = struct.unpack_from("<H", data, coff + 2)[0], \
        struct.unpack_from("<H", data, coff + 16)[0]
    for i in range(count):
        at = coff + 20 + optional + 40 * i
        size, _, raw, offset = struct.unpack_from("<IIII", data, at + 8)
        if data[at:at + 8].rstrip(b"\0").decode() == name:
            return data[offset:offset + min(size, raw)]
    raise AssertionError(f"no section {name}")


def arrived(connection):
    """Waits until the other side's system has all that was sent."""
    unsent = bytes(4)
    while any(fcntl.ioctl(connection, termios.TIOCOUTQ, unsent)):
        time.sleep(0.01)


class Server:
    """Serves files over HTTP on the loopback; `cut_at`: resets a connection after so many bytes;
    `tls`: an Authority (attest_server.py), whose certificate it shows over HTTPS."""

    def __init__(self, folder, cut_at=None, cuts=1 << 30, tls=None):
        self.hits, self.cuts = [], cuts
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_GET(self):
                path = Path(folder, os.path.basename(self.path.partition("?")[0]))
                server.hits.append((self.path, self.headers.get("Range")))
                if not path.exists():
                    self.send_error(404)
                    return
                server.answer(self, path.read_bytes(), cut_at)

        class Listener(http.server.ThreadingHTTPServer):
            def shutdown_request(self, request):
                request.close()     # without a FIN first, so that SO_LINGER gives a reset

            def handle_error(self, *args):
                if not tls:         # who does not believe us ends the connection
                    super().handle_error(*args)

        self.http = Listener(("127.0.0.1", 0), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.cert, tls.key)
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True,
                                                   do_handshake_on_connect=False)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def answer(self, request, data, cut_at):
        asked = request.headers.get("Range")
        first = int(asked.split("=")[1].split("-")[0]) if asked else 0
        request.send_response(206 if asked else 200)
        if asked:
            request.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        request.send_header("Content-Length", str(len(data) - first))
        request.send_header("ETag", f'"{sha256(data)[:16]}"')
        request.send_header("Accept-Ranges", "bytes")
        request.end_headers()
        if cut_at is not None and self.cuts > 0:
            self.cuts -= 1
            request.wfile.write(data[first:first + cut_at])
            request.wfile.flush()
            arrived(request.connection)     # a reset throws away what has not
            linger = struct.pack("ii", 1, 0)
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            request.close_connection = True
            return
        request.wfile.write(data[first:])

    def close(self):
        self.http.shutdown()
        self.http.server_close()


TESTS = []


def test(name):
    """Marks a function of one Case as a test; the name says what it proves."""
    def add(function):
        TESTS.append((name, function))
        return function
    return add


def complain(text):
    for line in text.splitlines()[-25:]:
        print(f"# {line}")


def main():
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    todo = [t for t in TESTS if wanted in t[0]]
    failed = 0
    print(f"1..{len(todo)}")
    for number, (name, function) in enumerate(todo, 1):
        case = Case()
        try:
            function(case)
            print(f"ok {number} - {name}", flush=True)
        except Skip as why:
            print(f"ok {number} - {name} # SKIP {why}", flush=True)
        except Exception:  # every failure of a test is reported, whatever it is
            failed += 1
            print(f"not ok {number} - {name}")
            complain(traceback.format_exc(limit=-2))
        finally:
            case.close()
    for folder in KEPT.values():
        shutil.rmtree(folder)
    sys.exit(1 if failed else 0)
