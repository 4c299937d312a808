# SPDX-License-Identifier: Apache-2.0
"""Canaries in what people work at: a token on the console, on lines and at a terminal, and an
install with its keys and receivers. None is in an argument, an environment, a file, an output, a
core dump, or in memory that can be swapped out."""
import contextlib
import fcntl
import http.server
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import termios
import time
from pathlib import Path

from attest_server import Authority, listen_tls
from canary import MARK, Watch, canary, files_with, memory_hits, pieces
from join_server import Keyserver, Supervisor
from lib import SLIPWAY, Skip, expect, main, need, same, test, tool
from swtpm import Bus, Tpm
from terminal import Terminal

NOBODY = 65534
CREATE = 0x153          # TPM2_CC_Create
PASTE = "\033[200~{}\033[201~"


class Screen(Terminal):
    """slipway at a terminal; where it crashes a core dump would be welcome."""

    def __init__(self, case, *args, term="vt220"):
        super().__init__([os.path.abspath(SLIPWAY), "--machine", case.machine_dir, *args],
                         term=term, setup=lambda: os.chdir(case.dir))


def processes(case):
    """Those of this machine's slipway, by their arguments: {pid: name}."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(case.machine_dir).encode() in (folder / "cmdline").read_bytes() and \
                    int(folder.name) != os.getpid():
                found[int(folder.name)] = (folder / "comm").read_text().strip()
    return found


def crash_all(case, *screens):
    """Ends every process of the machine's as a fault would; what each left behind."""
    dumped = []
    for pid in processes(case):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSEGV)
    for screen in screens:
        dumped += [screen.pid] if os.WCOREDUMP(screen.end(signal.SIGSEGV)) else []
    end = time.monotonic() + 120
    while processes(case) and time.monotonic() < end:
        time.sleep(0.05)
    same((dumped, processes(case)), ([], {}), "dumped core, or is still there")


def aftermath(case, said, *allowed):
    """What somebody gets to see later, and what is on the disks."""
    for words in (["status"], ["doctor"], ["slots"], ["secret", "list"], ["facts"],
                  ["bundle", "--output", case.dir / "bundle.tar.gz"]):
        said.append(case.on("--json", *words))
    (case.dir / "bundle").mkdir()
    tool("tar", "-xzf", case.dir / "bundle.tar.gz", "-C", case.dir / "bundle")
    same([r for r in said if MARK.decode() in r.out + r.err], [], "output")
    same(files_with(case.dir, *allowed), [], "disks, logs, journals, bundle, core dumps")


def nowhere(watch):
    assert watch.rounds > 3, "nobody looked"
    same(watch.seen, [], "arguments and environments")
    if watch.memory:
        assert watch.locked, "not even in memory: the look is blind"
        same(sorted(set(watch.unlocked)), [], "processes with it in memory that can be swapped")


def all_locked():
    """Whether this user's processes may lock all of their memory (CAP_IPC_LOCK)."""
    status = Path("/proc/self/status").read_text()
    return bool(int(status.split("CapEff:")[1].split()[0], 16) >> 14 & 1) and os.getuid() == 0


def machine_to_watch(case):
    return case.machine_dir if all_locked() else None


@test("the looking itself tells locked memory from memory that can be swapped, and sees core dumps")
def _(case):
    code = (f"import ctypes, sys; s = 'in-memory' + {pieces()}; print(flush=True)\n"
            "sys.stdin.readline(); ctypes.CDLL(None).mlockall(3); print(flush=True)\n"
            "sys.stdin.readline()")
    with subprocess.Popen(["python3", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          cwd=case.dir) as child:
        folder = Path(f"/proc/{child.pid}")
        child.stdout.readline()
        hits = memory_hits(folder)
        assert hits[False] and not hits[True], hits
        if all_locked():
            child.stdin.write(b"\n")
            child.stdin.flush()
            child.stdout.readline()
            hits = memory_hits(folder)
            assert hits[True] and not hits[False], hits
        child.send_signal(signal.SIGSEGV)
    pattern = Path("/proc/sys/kernel/core_pattern").read_text()
    if not pattern.startswith(("|", "/")) and resource.getrlimit(resource.RLIMIT_CORE)[0]:
        assert files_with(case.dir), f"no core dump with {pattern}"


def read_and_abort(words, cwd, program):
    """A program of nobody's that has a canary from its input: (whether nobody reads its
    environment, whether it dumps core)."""
    nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    with subprocess.Popen(words, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                          pass_fds=[program], **nobody) as child:
        child.stdin.write(canary("read").encode())
        child.stdin.flush()
        end = time.monotonic() + 120
        while any(fcntl.ioctl(child.stdin, termios.FIONREAD, bytes(4))):
            assert time.monotonic() < end, "it does not read the secret"
            time.sleep(0.02)
        reads = subprocess.run(["head", "-c1", f"/proc/{child.pid}/environ"], capture_output=True,
                               check=False, **nobody)
        child.send_signal(signal.SIGABRT)
        status = os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    return reads.returncode == 0, status.si_code == os.CLD_DUMPED


@test("a process that holds a secret dumps no core, and other processes of its user cannot read it")
def _(case):
    if os.getuid() != 0:
        raise Skip("only root can start processes of another user")
    cores, left = case.dir / "cores", {}
    cores.mkdir()
    cores.chmod(0o777)
    # By a descriptor: nobody may go down to where the program lies.
    program = os.open(SLIPWAY, os.O_RDONLY)
    try:
        for name, words in (("control", ["cat"]),
                            ("slipway", [f"/proc/self/fd/{program}", "token", "inspect"])):
            left[name] = read_and_abort(words, cores, program)
    finally:
        os.close(program)
    same(left["slipway"], (False, False), "read by its user, dumped")
    assert left["control"][0], "not even a process without secrets is read"
    if not left["control"][1]:
        raise Skip("no process leaves a core dump here")


@test("a token by file, pipe, typed and pasted at a terminal is nowhere but in the overlay")
def _(case):
    need("openssl")
    case.create()
    given, out, said = case.dir / "given", case.dir / "out", []
    given.mkdir()
    with Supervisor(Authority(case.dir)) as server, Watch(machine_to_watch(case)) as watch:
        server.fault = watch.hold
        admit = ["admit", "--kind", "rke2", "--url", server.url, "--wait", "0"]
        token = given / "token"
        token.write_text(server.token(f"node:{canary('file')}") + "\n")
        said.append(expect(case.on("--json", *admit, "--token", token, out), 0))
        shutil.rmtree(out)
        said.append(expect(case.on("--json", *admit, "--token", "-", out,
                                   stdin=server.token(f"node:{canary('pipe')}")), 0))
        shutil.rmtree(out)
        for text in (server.token(f"node:{canary('typed')}"),
                     server.token(f"node:{canary('pasted')}") + "\r"):
            screen = Screen(case, *admit, out)
            screen.wait("not shown")
            for piece in [text] if text.endswith("\r") else text + "\r":
                screen.send(piece)
            screen.wait("Admitted")
            same(screen.ended(), 0, "exit code")
            screen.never(MARK.decode())
            assert any(MARK in p.read_bytes() for p in out.rglob("*") if p.is_file()), "not given"
            shutil.rmtree(out)
    nowhere(watch)
    aftermath(case, said, *given.iterdir())


@test("a token that is sent, by libcurl in a header, is in its copies in locked memory only, too")
def _(case):
    need("openssl")
    case.create()
    authority, given = Authority(case.dir), case.dir / "token"
    with Keyserver(authority, case.dir) as server, Watch(machine_to_watch(case)) as watch:
        token = server.issue()
        watch.mark, server.fault = token.encode(), watch.hold
        given.write_text(token)
        said = expect(case.on("--json", "admit", "--kind", "homeworld", "--url", server.url, "--ca",
                              authority.ca, "--token", given, "--wait", "0", case.dir / "out"), 0)
        assert token in str(server.requests), "it was not sent"
    nowhere(watch)
    aftermath(case, [said])
    same((files_with(case.dir, given, mark=token.encode()), token in said.out + said.err),
         ([], False), "files and output")


def installed(case, server):
    answers = case.answers()
    text = answers.read_text().replace("kind: attest", "kind: rke2")
    answers.write_text(text.replace("https://attest.example/v1", server.url))
    expect(case.create().on("--yes", "install", "--answers", answers), 0)


@test("a token on the console, typed, pasted and shown, or on lines, is only in the overlay")
def _(case):
    need("openssl")
    said = []
    with Supervisor(Authority(case.dir)) as server, Watch(machine_to_watch(case)) as watch:
        installed(case, server)
        typed, pasted = (server.token(f"node:{canary(n)}") for n in ("typed", "pasted"))
        screen = Screen(case)
        screen.wait("Status")
        screen.send("/Status\r\r")
        screen.wait("admission")
        screen.send("d")
        screen.wait("Nothing stands in the way")
        screen.send("\r")
        screen.wait("The token for rke2")
        for key in typed:
            screen.send(key)
        screen.send("\f")
        screen.wait(", complete")
        watch.hold()
        screen.never(MARK.decode())
        screen.send("\t\f")
        screen.wait(MARK.decode())          # shown because that was asked for
        screen.wait(", complete")
        screen.send("\t\025\f")
        screen.wait("The token for rke2")
        screen.forget()
        screen.send(PASTE.format(pasted) + "\f")
        screen.wait(", complete")
        screen.send("\r")
        screen.wait("Admitted by rke2")
        screen.never(MARK.decode())
        overlay = case.machine_dir / "run/overlay.tar"
        assert canary("pasted").encode() in overlay.read_bytes()
        lines = Screen(case, "attach", "--plain")
        lines.wait("Admitted by")
        lines.send("pen\n")
        lines.wait("<: back")
        lines.send("<\n")
        lines.wait("<: back")
        lines.send("\n")
        lines.wait("The token for rke2")
        lines.send(server.token(f"node:{canary('on-lines')}") + "\n")
        lines.wait("Admitted by rke2")
        lines.never(MARK.decode())
        assert canary("on-lines").encode() in overlay.read_bytes()
        crash_all(case, lines, screen)
    nowhere(watch)
    same(overlay.stat().st_mode & 0o777, 0o600, "mode of the overlay")
    aftermath(case, said, overlay)


@test("a recovery key that is shown and typed back, then typed to reseal, stays in locked memory")
def _(case):
    need("cryptsetup", "swtpm")
    case.create("serial=NODE07SYS,size=1400M,model=Alpha,transport=nvme")
    answers = case.answers(replace=[("  layout: node", "  layout: encrypted")])
    with Watch(machine_to_watch(case)) as watch:
        screen = Screen(case, "install", "--answers", answers, term="dumb")
        screen.send(re.search(r"Type (\S+) to start:", screen.wait("to start:"))[1] + "\n")
        page = screen.wait("written it down")
        groups = dict(re.findall(r"\b([1-8]): ([cbdefghijklnrtuv]{8})\b", page))
        key = "-".join(groups[n] for n in sorted(groups))
        watch.mark = key.encode()
        watch.hold()
        screen.send("\n")
        screen.wait("Type group ")
        asked = screen.wait(" of it").removesuffix(" of it")
        screen.send(groups[asked] + "\n")
        screen.wait("Node id")
        screen.end()
        shown = screen.came
        screen = Screen(case, "state", "reseal", term="dumb")
        screen.wait("(it is not shown): ")
        screen.send(key + "\n")
        screen.wait("The TPM opens it")
        same(screen.ended(), 0, "exit code")
    nowhere(watch)
    same([n for n, group in groups.items() if shown.count(group) > (n == asked) + 1], [],
         "groups shown again")
    screen.never(key)
    aftermath(case, [])
    same(files_with(case.dir, mark=key.encode()), [], "files that hold the recovery key")


class Receiver:
    """A webhook that counts who came with the token, and a syslog receiver on UDP."""

    def __init__(self, authority):
        self.tokens, self.hold, receiver = set(), None, self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                if receiver.hold:
                    receiver.hold(6)    # it is not waited for much longer
                receiver.hold = None
                receiver.tokens.add(self.headers["Authorization"])
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

        self.http = listen_tls(Handler, authority)
        self.url = f"https://127.0.0.1:{self.http.server_address[1]}/"
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.udp.settimeout(0.2)

    def close(self):
        """What syslog was told."""
        self.http.shutdown()
        self.http.server_close()
        heard = b""
        with contextlib.suppress(OSError):
            while True:
                heard += self.udp.recv(65536)
        self.udp.close()
        return heard


@test("secrets of the answers, by file, credential and sealed blob, are on the node only sealed")
def _(case):
    need("swtpm", "systemd-creds")
    case.create()
    given, log, tpm = case.dir / "given", case.dir / "install.log", Tpm(case)
    bus = Bus(tpm)
    credentials = case.machine_dir / "run/credentials"
    given.mkdir()
    credentials.mkdir()
    (given / "file").write_text(canary("file"))
    (credentials / "site.cred").write_text(canary("credential"))
    creds = ["systemd-creds", f"--tpm2-device=swtpm:path={tpm.path}"]
    made = subprocess.run([*creds, "encrypt", "--with-key=tpm2", "--name=blob", "-",
                           case.dir / "blob"], input=canary("blob").encode(), check=False,
                          capture_output=True, timeout=120)
    same(made.returncode, 0, made.stderr.decode())
    tpm.tool("tpm2_flushcontext", "-l", check=False)    # it leaves its sessions to /dev/tpmrm0
    answers = case.answers()
    with open(answers, "a", encoding="utf-8") as file:
        file.write(f"report: {{log: {log}}}\nsecrets:\n  - {{name: file, file: {given}/file}}\n"
                   f"  - {{name: credential, credential: site.cred}}\n"
                   f"  - {{name: blob, sealed: {case.dir}/blob}}\n")
    plan = expect(case.on("plan", "--answers", answers), 0, "credential: from the credential",
                  "Seal the node's secrets to the TPM")
    with Watch(machine_to_watch(case)) as watch:
        bus.rules[CREATE] = [watch.hold]        # the first of them is on its way to be sealed
        done = expect(case.on("--json", "--yes", "install", "--answers", answers), 0)
    assert CREATE in bus.asked, "nothing was sealed"
    same(tpm.left(), "", "left in the TPM")
    folder = case.dir / "config"
    expect(case.on("node", "config", folder), 0)
    for name in ("file", "credential", "blob"):
        same(expect(case.on("secret", "open", name), 0).out, canary(name), name)
        found = tool(*creds, "decrypt", f"--name={name}", folder / f"credentials/{name}.cred",
                     "-").stdout
        same(found, canary(name), f"{name}, as systemd opens it")
        tpm.tool("tpm2_flushcontext", "-l", check=False)
    nowhere(watch)
    assert log.stat().st_size, "an empty log"
    aftermath(case, [plan, done], *given.iterdir(), *credentials.iterdir())


@test("an install's key file and webhook token are in no log, journal, syslog, process or disk")
def _(case):
    need("cryptsetup", "openssl")
    case.create()
    given, authority = case.dir / "given", Authority(case.dir)
    given.mkdir()
    key, token, log = given / "disk.key", given / "token", case.dir / "install.log"
    key.write_text(canary("key"))
    token.write_text(canary("webhook"))
    receiver = Receiver(authority)
    layout = case.own_layout("encrypted")
    conf = layout / "40-state.conf"
    conf.write_text(conf.read_text().replace("Encrypt=tpm2", "Encrypt=key-file"))
    answers = case.answers(replace=[("  layout: node", f"  layout: {layout}\n  keyfile: {key}")])
    pem = "\n".join("        " + line for line in authority.ca.read_text().splitlines())
    port = receiver.udp.getsockname()[1]
    with open(answers, "a", encoding="utf-8") as file:
        file.write(f"report:\n  log: {log}\n  syslog: udp://127.0.0.1:{port}\n  webhooks:\n"
                   f"    - url: {receiver.url}\n      token: {token}\n      ca: |\n{pem}\n")
    with Watch(machine_to_watch(case)) as watch:
        receiver.hold = watch.hold
        done = expect(case.on("--json", "install", "--answers", answers), 0)
    heard = receiver.close()
    same(receiver.tokens, {f"Bearer {canary('webhook')}"}, "who told")
    assert b"slipway" in heard and MARK not in heard, heard
    assert log.stat().st_size, "an empty log"
    nowhere(watch)
    aftermath(case, [done], *given.iterdir())


if __name__ == "__main__":
    most = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))
    main()
