# SPDX-License-Identifier: Apache-2.0
"""The command line itself: help, suggestions, exit codes, JSON errors."""
import json

from lib import expect, main, same, test


@test("--help lists every command and every global option")
def _(case):
    out = expect(case.run("--help"), 0).out
    for word in ("facts", "disks", "check", "plan", "apply", "install", "status", "undo", "resume",
                 "explain", "answers example", "answers manual", "answers schema",
                 "machine create", "session", "attach", "shell", "boot list", "layout list",
                 "--machine", "--facts", "--json", "--yes"):
        assert word in out, word


@test("help COMMAND and COMMAND --help say the same, and name the command's options")
def _(case):
    for command in (["install"], ["machine", "create"], ["plan"]):
        first = expect(case.run("help", *command), 0).out
        same(expect(case.run(*command, "--help"), 0).out, first, "help text")
        assert "Usage: slipway " + " ".join(command) in first
    assert "--sha256" in case.run("help", "install").out


@test("the first word of several commands: --help lists them, alone it says what is missing")
def _(case):
    first = expect(case.run("boot", "--help"), 0, "boot list", "boot delete").out
    same(expect(case.run("help", "boot"), 0).out, first, "help text")
    same(expect(case.run("--help", "boot"), 0).out, first, "help text")
    assert "boot list" in first and "slots" not in first, first
    for group in ("layout", "node", "tpm", "uki"):
        expect(case.run(group, "--help"), 0, f"slipway {group} COMMAND")
    expect(case.run("boot"), 2, "a second word is missing", "slipway boot --help")
    expect(case.run("boot", "--json"), 2, "a second word is missing")
    expect(case.run("boot", "lst"), 2, "boot list")
    expect(case.run("undo", "--help"), 0, "Usage: slipway undo")


@test("--version prints one line")
def _(case):
    out = expect(case.run("--version"), 0).out
    assert out.startswith("slipway ") and out.count("\n") == 1


@test("a mistyped command is exit 2 and names the one that was meant")
def _(case):
    expect(case.run("instal"), 2, "unknown command", "install")
    expect(case.run("satus"), 2, "status")
    expect(case.run("machine", "craete"), 2, "machine create")
    assert "did you mean" not in expect(case.run("xyzzyplugh"), 2).err


@test("a mistyped option is exit 2 and names the one that was meant")
def _(case):
    expect(case.run("install", "--answrs", "x"), 2, "--answrs", "--answers")
    expect(case.run("--jsno", "facts"), 2, "--json")
    expect(case.run("plan", "-Q"), 2, "-Q")
    expect(case.run("plan", "--answers"), 2, "needs an argument")


@test("missing and surplus operands are exit 2")
def _(case):
    expect(case.run("check"), 2, "FILE... is missing")
    expect(case.run("facts", "surplus"), 2, "surplus")
    expect(case.run("install"), 2, "--answers")
    expect(case.run("--machine", "a", "--facts", "b", "facts"), 2, "exclude")


@test("with --json an error is one JSON object on stderr")
def _(case):
    result = case.run("--json", "--machine", case.dir / "none", "facts")
    error = json.loads(result.err)
    same(error["exit"], result.code, "exit")
    assert error["what"], error


@test("global options count before and after the command")
def _(case):
    case.create()
    one = case.run("--machine", case.machine_dir, "--json", "disks")
    two = case.run("disks", "--machine", case.machine_dir, "--json")
    same(one.out, two.out, "output")


@test("output that cannot be written is not success")
def _(case):
    import subprocess
    from lib import SLIPWAY
    with open("/dev/full", "w") as full:
        done = subprocess.run([SLIPWAY, "--help"], stdout=full, stderr=subprocess.PIPE, text=True)
    same(done.returncode, 6, "exit code")
    assert "cannot be written" in done.stderr


@test("a reader that goes away ends a command quietly, and not with success")
def _(case):
    import os
    import subprocess
    from lib import SLIPWAY
    reader, writer = os.pipe()
    os.close(reader)    # before it begins: all that it says would fit into the pipe
    command = subprocess.Popen([SLIPWAY, "explain"], stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    said = command.stderr.read()
    same((command.wait(), said), (141, b""), "how it ended, and what it said")


@test("explain knows every key that it lists, and suggests for one that it does not know")
def _(case):
    listing = expect(case.run("explain"), 0).out
    keys = [line.split()[0] for line in listing.splitlines() if line and "." in line.split()[0]]
    assert "disk.match.serial" in keys and "payload.kernel" in keys, keys
    for key in keys:
        expect(case.run("explain", key), 0, key)
    expect(case.run("explain", "disk.match.serail"), 2, "disk.match.serial")
    expect(case.run("explain", "report.webhook"), 2, "did you mean report.webhooks?")


@test("the example answers are valid")
def _(case):
    path = case.dir / "example.yaml"
    path.write_text(expect(case.run("answers", "example"), 0).out)
    expect(case.run("check", path), 0, "valid")


@test("layout list names the shipped layout, as text and as JSON")
def _(case):
    expect(case.run("layout", "list"), 0, "node")
    assert "node" in [entry["name"] for entry in case.run("--json", "layout", "list").json()]


if __name__ == "__main__":
    main()
