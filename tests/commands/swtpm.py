# SPDX-License-Identifier: Apache-2.0
"""A software TPM for a stand-in machine that outlives single commands, with a maker's certificates
where wanted, and tpm2-tools on it. Nothing here knows of slipway's code."""
import contextlib
import os
import select
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

from lib import need

HANDLES = ("handles-transient", "handles-loaded-session", "handles-saved-session")


class Maker:
    """A certificate authority as a TPM's maker has one, below a directory (swtpm-localca)."""

    def __init__(self, folder):
        need("swtpm_setup", "swtpm_localca")
        self.dir = folder / "maker"
        self.dir.mkdir()
        self.issuer = self.dir / "issuercert.pem"
        self.root = self.dir / "swtpm-localca-rootca-cert.pem"
        ca, options, setup = self.dir / "ca.conf", self.dir / "ca.options", self.dir / "setup.conf"
        ca.write_text(f"statedir = {self.dir}\nsigningkey = {self.dir}/signkey.pem\n"
                      f"issuercert = {self.issuer}\ncertserial = {self.dir}/serial\n")
        options.write_text("--platform-manufacturer Maker\n--platform-version 1\n"
                           "--platform-model Board\n")
        setup.write_text("create_certs_tool = /usr/bin/swtpm_localca\n"
                         f"create_certs_tool_config = {ca}\n"
                         f"create_certs_tool_options = {options}\nactive_pcr_banks = sha256\n")
        self.setup = setup

    def equip(self, state):
        """Puts an endorsement key and its certificate into a TPM's state, as a maker does."""
        subprocess.run(["swtpm_setup", "--tpm2", "--tpmstate", state, "--create-ek-cert",
                        "--overwrite", "--config", self.setup, "--logfile", self.dir / "log"],
                       check=True, capture_output=True, timeout=120)


def listening(pid):
    """At how many sockets of the file system a process waits for others."""
    own = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            own.add(os.readlink(descriptor))
    accepts = "00010000"        # __SO_ACCEPTCON
    lines = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    return sum(f"socket:[{line[6]}]" in own for line in lines if line[3] == accepts)


class Tpm:
    """swtpm on the sockets where a stand-in machine looks for one."""

    def __init__(self, case, certified=False):
        need("swtpm", "tpm2_getcap")
        self.maker = None
        state = case.machine_dir / "tpm"
        if certified:
            state.mkdir(exist_ok=True)
            self.maker = Maker(case.dir)
            self.maker.equip(state)
        (case.machine_dir / "run").mkdir(exist_ok=True)
        self.path = case.machine_dir / "run" / "tpm.sock"
        self.case = case
        self.start()

    def start(self):
        self.child = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", "dir=tpm", "--server",
             "type=unixio,path=run/tpm.sock", "--ctrl", "type=unixio,path=run/tpm.sock.ctrl",
             "--flags", "not-need-init,startup-clear"], cwd=self.case.machine_dir,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.case.children.append(self.child)
        end = time.monotonic() + 120
        while listening(self.child.pid) < 2:        # for commands, and for its control
            assert self.child.poll() is None and time.monotonic() < end, "swtpm does not start"
            time.sleep(0.02)

    def lose_power(self):
        """... and get it back: nobody told the TPM."""
        self.child.kill()
        self.child.wait()
        self.start()

    def tool(self, *argv, check=True):
        env = dict(os.environ, TPM2TOOLS_TCTI=f"swtpm:path={self.path}")
        done = subprocess.run([str(a) for a in argv], capture_output=True, env=env, timeout=60,
                              check=False)
        if check and done.returncode:
            raise AssertionError(f"{argv}: {done.stderr.decode()}")
        return done

    def left(self):
        """What somebody left in it."""
        return "".join(self.tool("tpm2_getcap", kind).stdout.decode() for kind in HANDLES)


class Tap:
    """Stands between a machine and its TPM, as somebody does who listens on the bus."""

    def __init__(self, tpm):
        self.heard = bytearray()
        self.inner = tpm.path.with_name("bus.sock")
        tpm.path.rename(self.inner)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(tpm.path))
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            outer, _ = self.listener.accept()
            inner = socket.socket(socket.AF_UNIX)
            inner.connect(str(self.inner))
            with outer, inner, contextlib.suppress(OSError):    # who asked may have gone away
                self.pass_on({outer: inner, inner: outer})

    def pass_on(self, to):
        while True:
            for side in select.select(list(to), [], [])[0]:
                data = side.recv(8192)
                if not data:
                    return
                self.heard += data
                to[side].sendall(data)


def whole(sock):
    """One command or answer: tag, length of all, code, the rest; b"" at the end."""
    data = b""
    while len(data) < 10 or len(data) < int.from_bytes(data[2:6], "big"):
        piece = sock.recv(8192)
        if not piece:
            return b""
        data += piece
    return data


class Bus(Tap):
    """... or as a TPM that misbehaves: rules[command code] is what becomes of the next commands of
    that kind, one after the other: a response code that is answered instead, "garbled" (the last
    byte of the answer is another), "hang up", what is called before it is passed on, or None for
    nothing. The last one counts for ever where `for_ever` has the code."""

    def __init__(self, tpm):
        self.rules, self.for_ever, self.asked = {}, set(), []
        super().__init__(tpm)

    def asked_anew(self):
        """A rule: the answer comes when somebody has lost patience and asks on a new connection."""
        select.select([self.listener], [], [], 120)

    def rule(self, code):
        left = self.rules.get(code)
        if not left:
            return None
        return left[0] if len(left) == 1 and code in self.for_ever else left.pop(0)

    def pass_on(self, to):
        outer, inner = to
        while command := whole(outer):
            code = int.from_bytes(command[6:10], "big")
            self.asked.append(code)
            rule = self.rule(code)
            if rule == "hang up":
                return
            if callable(rule):
                rule()
            if isinstance(rule, int):
                outer.sendall(struct.pack(">HII", 0x8001, 10, rule))
                continue
            inner.sendall(command)
            answer = bytearray(whole(inner))
            if rule == "garbled":
                answer[-1] ^= 1
            outer.sendall(answer)
