# SPDX-License-Identifier: Apache-2.0
"""The console in plain mode: questions and answers on lines, for scripts and braille displays."""
import time

from attest_server import Authority
from canary import files_with
from join_server import Supervisor
from lib import SLIPWAY, expect, main, partitions, same, sha256, test
from terminal import Terminal


class Lines(Terminal):
    """`slipway ARGS` on a pseudo terminal that can do nothing but lines."""

    def __init__(self, case, *args, term="dumb"):
        super().__init__([SLIPWAY, "--machine", case.machine_dir, *args], term=term)

    def answer(self, word, text):
        """What was passed until the word came."""
        passed = self.wait(word)
        self.send(text + "\n")
        return passed


def to_the_review(case, lines):
    kernel, initrd = case.payload()
    for word, text in (
            ("Number [1]: ", "1"), ("Number [1]: ", "/NODE07SYS"), ("]: ", "1"),
            ("Layout:", "node"), ("Existing content:", "any"), ("Same names", ""),
            ("Boot mode:", "local"), ("When done:", "stay"), ("Kernel", str(kernel)),
            ("Initrd", str(initrd)), ("Kernel SHA-256", sha256(kernel)),
            ("Initrd SHA-256", sha256(initrd)), ("Command line", "console=ttyS0 panic=10"),
            ("Admission:", "none"),
            ("Host name", "by-lines"), ("Machine ID", ""), ("Who may log in", ""),
            ("SSH host key", ""), ("Old secrets", "")):
        lines.answer(word, text)


def leave(case, lines):
    """The session ends when the person says so."""
    lines.answer("Number [", "<")
    lines.answer("Number [1]: ", "2")
    lines.ended()
    end = time.monotonic() + 60
    while (case.machine_dir / "run/session.sock").exists():
        assert time.monotonic() < end, "the session stays"
        time.sleep(0.1)


@test("on a dumb terminal the whole install is asked on lines, and is the plan of its answer file")
def _(case):
    case.create()
    lines = Lines(case)
    to_the_review(case, lines)
    saved = case.dir / "saved.yaml"
    lines.answer("Enter: confirm", "save answers")
    lines.answer("]: ", str(saved))
    lines.answer("Enter: confirm", "")
    # Neither nothing nor something else is the serial.
    lines.answer("Text: ", "")
    lines.answer("Text: ", "yes")
    lines.wait("Nothing has been written")
    same(case.on("--json", "status").json()["journals"], [], "journals")
    plan = expect(case.on("plan", "--json", "--answers", saved), 0).out.lower()
    lines.answer("Text: ", "7SYS")
    lines.wait("The node is installed", 240)
    for word in ("Step 1 of ", "Step 2 of ", "% of the whole"):
        assert word in lines.shown, f"no {word!r}"
    lines.never("\033")
    parts = partitions(case.disk())
    same(sorted(parts), ["slipway-a", "slipway-b", "slipway-node", "state"], "partitions")
    for part in parts.values():
        assert part["uuid"].lower() in plan, f"{part} is not in the plan of the saved answers"
    lines.answer("Number [", "5")
    leave(case, lines)


@test("install asks at its terminal for what the answers leave open, and for nothing else")
def _(case):
    case.create()
    answers = case.answers(replace=[("hostname: node-07", "hostname: ask"),
                                    ("serial: NODE07SYS", "serial: ask")])
    lines = Lines(case, "install", "--answers", str(answers))
    lines.answer("Host name (node.hostname): ", "-no-")
    lines.answer("Host name (node.hostname): ", "by-asking")
    lines.wait("NODE07SYS")
    lines.answer("Disk serial (disk.match.serial): ", "NODE07SYS")
    lines.answer("Type 7SYS to start: ", "7SYS")
    lines.ended()
    assert "by-asking" in lines.shown, lines.shown
    same([j["state"] for j in case.on("--json", "status").json()["journals"]], ["done"], "journal")


@test("a node is admitted on lines: checks, a token that is not echoed, and what it gave")
def _(case):
    case.create()
    with Supervisor(Authority(case.dir)) as server:
        token = server.token("node:typed-canary")
        answers = case.answers()
        text = answers.read_text().replace("kind: attest", "kind: rke2")
        answers.write_text(text.replace("https://attest.example/v1", server.url))
        expect(case.on("--yes", "install", "--answers", answers), 0)
        lines = Lines(case)
        lines.answer("Number [", "/Status")
        lines.answer("Number [", "")
        lines.answer("<: back", "admission")
        lines.wait("Nothing stands in the way")
        lines.answer("<: back", "")
        lines.answer("The token for rke2 at " + server.url, token[:20])
        lines.wait("This is no whole token")
        same([r for r in server.requests if r[1] != "/cacerts"], [], "what was asked")
        lines.answer("Text: ", token)
        page = lines.wait("etc/rancher/rke2/config.yaml") + lines.wait("?: help")
        for word in ("Admitted by rke2 at " + server.url, "the CA that the token names",
                     "run/overlay.tar"):
            # A path longer than a line goes on in the next.
            assert word.replace(" ", "") in "".join(page.split()), f"{word!r}\n{page}"
        lines.end()
        lines.never("canary")
        same(files_with(case.machine_dir, mark=b"typed-canary"),
             [str(case.machine_dir / "run/overlay.tar")], "files that hold the token")
        same((case.machine_dir / "run/overlay.tar").stat().st_mode & 0o777, 0o600, "its mode")
        told = case.on("--json", "status").json()["admissions"]
        same([(a["kind"], a["admitted"]) for a in told], [("rke2", True)], "what status tells")


@test("an unknown terminal type asks on lines too, --plain does anywhere, and help is by question")
def _(case):
    case.create()
    lines = Lines(case, term="no-such-terminal")
    lines.wait("cannot be drawn on")
    lines.wait("slipway asks on lines")
    lines.answer("Number [1]: ", "1")
    lines.answer("Number [1]: ", "")
    lines.answer("Layout:", "?")
    lines.wait("In an answer file: disk.layout")
    other = Lines(case, "attach", "--plain", term="vt220")
    other.wait("How the disk is divided")
    assert "Layout:" not in other.wait("ext4, encrypted"), "a question without the pen"
    other.send("blank\n")
    other.wait("The pen is with")
    other.answer("type pen", "pen")
    other.answer("Layout:", "<")
    other.wait("Which disk")
    lines.wait("The pen is now with")
    lines.wait("Which disk")
    # One that ends leaves the other its session.
    lines.send("\x04")
    lines.ended()
    other.answer("Number [1]: ", "<")
    leave(case, other)


main()
