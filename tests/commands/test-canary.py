# SPDX-License-Identifier: Apache-2.0
"""Canaries: secrets given in every way, then looked for wherever they must not be. And after every
command nothing of slipway's is left in the TPM."""
import os
import re
import subprocess
import time
from pathlib import Path

from canary import MARK, Watch, canary, files_with, pieces
from lib import SLIPWAY, expect, main, need, same, test, tool
from swtpm import Tpm
from terminal import Terminal

FILE, PIPE, TYPED, PASTED, TOKEN, KEY = map(canary, ("file", "pipe", "typed", "pasted", "token",
                                                     "key"))


def at_terminal(case, *args):
    """slipway at a terminal, which can be stopped between two questions."""
    return Terminal([SLIPWAY, "--machine", case.machine_dir, *args], term=None)


def type_line(terminal, text, at_once):
    for piece in [text + "\n"] if at_once else text + "\n":
        terminal.send(piece)


def core_of(case, pid):
    need("gcore")
    out = case.dir / "core"
    tool("gcore", "-o", out, pid)
    path = Path(f"{out}.{pid}")
    data = path.read_bytes()
    path.unlink()
    return data


def locked_kib(pid):
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmLck:\s+(\d+)", text).group(1))


def node(case):
    need("swtpm", "systemd-creds")
    case.create()
    expect(case.on("install", "--answers", case.answers()), 0)
    return Tpm(case)


@test("the looking itself sees a canary in a file, in arguments, an environment and a core dump")
def _(case):
    hole = case.dir / "sparse"
    with open(hole, "wb") as file:
        file.seek(1 << 30)
        file.write(b"x" + TYPED.encode())
    same(files_with(case.dir), [str(hole)], "in a file")
    code = f"import time; s = 'in-core' + {pieces()}; print(flush=True); time.sleep(60)"
    with Watch() as watch:
        child = subprocess.Popen(["python3", "-c", code, PASTED], stdout=subprocess.PIPE,
                                 env=dict(os.environ, LEAK=FILE))
        child.stdout.readline()
        until = time.monotonic() + 60
        while len(watch.seen) < 2 and time.monotonic() < until:
            time.sleep(0.05)
        core = core_of(case, child.pid)
        child.kill()
        child.wait()
        child.stdout.close()
    same({s.split("/")[1] for s in watch.seen}, {"cmdline", "environ"}, "in a process")
    assert MARK in core, "not in a core dump"


@test("secrets typed, pasted, piped and from files are nowhere but in their sealed place")
def _(case):
    tpm = node(case)
    given = case.dir / "given"
    given.mkdir()
    (given / "secret").write_text(FILE)
    (given / "token").write_text(TOKEN)
    (given / "key").write_text(KEY + "0" * 32)
    said = []
    with Watch() as watch:
        for name, more, pipe in (("file", ["--file", given / "secret"], None), ("pipe", [], PIPE)):
            said.append(expect(case.on("--json", "secret", "seal", name, "--recovery-file",
                                       given / "key", *more, stdin=pipe), 0))
        for name, text, at_once in (("typed", TYPED, False), ("pasted", PASTED, True)):
            at = at_terminal(case, "secret", "seal", name)
            at.wait("(it is not shown): ")
            type_line(at, text, at_once)
            at.wait("Once more: ")
            assert locked_kib(at.pid) > 0, "what was typed can be swapped out"
            assert MARK not in core_of(case, at.pid), "what was typed is in a core dump"
            type_line(at, text, at_once)
            same(at.ended(), 0, "exit code")
            at.never(MARK.decode())
        said.append(case.on("--json", "token", "inspect", stdin=TOKEN))
        said.append(case.on("token", "inspect", stdin=TOKEN))
        for more in (["secret", "list"], ["status"], ["doctor"], ["slots"],
                     ["node", "config", case.dir / "config"],
                     ["bundle", "--output", case.dir / "bundle.tar.gz"],
                     ["secret", "reseal", "--recovery-file", given / "key", "pipe"]):
            said.append(case.on("--json", *more))
        said.append(expect(case.on("secret", "open", "typed", "--out", case.dir / "typed"), 0))
    assert watch.rounds > 20, "nobody looked"
    (case.dir / "bundle").mkdir()
    tool("tar", "-xzf", case.dir / "bundle.tar.gz", "-C", case.dir / "bundle")
    same(watch.seen, [], "arguments and environments")
    same([r.out for r in said if MARK.decode() in r.out + r.err], [], "output")
    same((case.dir / "typed").read_text(), TYPED, "the one that was opened")
    allowed = [case.dir / "typed", *given.iterdir()]
    same(files_with(case.dir, *allowed), [], "disks, logs, variables, TPM state, node config")
    same(expect(case.on("secret", "open", "pasted"), 0).out, PASTED, "and it is there, sealed")
    same(tpm.left(), "", "left in the TPM")


@test("a key file of an encrypted layout is in no process, no output and on no disk")
def _(case):
    need("cryptsetup")
    case.create()
    given = case.dir / "given"
    given.mkdir()
    key = given / "disk.key"
    key.write_text(KEY)
    layout = case.own_layout("encrypted")
    conf = layout / "40-state.conf"
    conf.write_text(conf.read_text().replace("Encrypt=tpm2", "Encrypt=key-file"))
    answers = case.answers(replace=[("  layout: node", f"  layout: {layout}\n  keyfile: {key}")])
    with Watch() as watch:
        done = expect(case.on("--json", "install", "--answers", answers), 0)
    same((watch.seen, MARK.decode() in done.out + done.err), ([], False), "processes and output")
    same(files_with(case.dir, key), [], "disks, journals, logs")


# Words that each command needs to get to the TPM at least once; the rest is called as it is.
WORDS = {
    "tpm ek": [[], ["--ecc"]], "tpm facts": [[]], "tpm pcrs": [[]], "status": [[]],
    "doctor": [[]], "facts": [[]], "slots": [[], ["verify"]], "secret list": [[]],
    "secret open": [["join"], ["none"]], "secret seal": [["again", "--file", "SECRET"]],
    "secret reseal": [[]], "secret remove": [["again"]], "mode": [[]], "rollback": [["-D"]],
    "admit": [["--dry-run"], ["--preflight"]], "check": [["ANSWERS"]],
    "plan": [["--answers", "ANSWERS"]], "install": [["--yes", "--answers", "ANSWERS"]],
    "promote": [["--kernel", "KERNEL", "--initrd", "INITRD", "--cmdline", "x", "--trust", "none"]],
    "state reseal": [["--key-file", "SECRET"]],
}
ASKING = ("console", "session", "attach", "shell", "machine create")


@test("after every command nothing of slipway's is left in the TPM")
def _(case):
    tpm = node(case)
    secret = case.dir / "secret"
    secret.write_text("x")
    places = {"SECRET": secret, "ANSWERS": case.answers(), "KERNEL": case.dir / "vmlinuz",
              "INITRD": case.dir / "initrd"}
    expect(case.on("secret", "seal", "join", stdin="x"), 0)
    listing = expect(case.run("--help"), 0).out
    names = re.findall(r"^  ([a-z]+(?: [a-z]+)?)(?: +|$)", listing, re.M)
    assert set(WORDS) - {"check"} <= set(names), (set(WORDS) - set(names), names)
    done = 0
    for name in names:
        if name in ASKING:
            continue
        for words in WORDS.get(name, [[]]):
            case.on(*name.split(), *(places.get(w, w) for w in words), stdin="", timeout=300)
            same(tpm.left(), "", f"left in the TPM by {name} {words}")
            done += 1
    assert done > 40, names


if __name__ == "__main__":
    main()
