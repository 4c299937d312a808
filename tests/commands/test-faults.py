# SPDX-License-Identifier: Apache-2.0
"""What breaks while installing, and what can be done about it afterwards."""
import json
import os
import shutil
import signal
import subprocess

from lib import (GLOBAL, MiB, Result, SLIPWAY, Skip, expect, head, main, partitions, same, sha256,
                 tail, test, tool)
from powercut import power_cut


def old_table(case, serial="NODE07SYS"):
    tool("sfdisk", "-q", case.disk(serial),
         input="label: gpt\nstart=100M, size=1G, name=precious, type=linux\n")


def variables(case):
    return {p.name: p.read_bytes() for p in (case.machine_dir / "vars").glob(f"*-{GLOBAL}")}


def steps(case):
    plan = json.loads(case.on("--json", "plan", "--answers", case.answers()).out)
    return [s["kind"] for s in plan["steps"]]


def behind_the_journal(case):
    """Each kind of step behind the journal, with its number."""
    case.create()
    kinds = steps(case)
    return [(kind, kinds.index(kind) + 1)
            for kind in dict.fromkeys(kinds[kinds.index("journal") + 1:])]


def cut_anew(case, kind):
    """On a new machine with an old table: what was there before the cut, and the exit code."""
    shutil.rmtree(case.machine_dir, ignore_errors=True)
    case.create()
    old_table(case)
    before = head(case.disk()), tail(case.disk()), variables(case)
    return before, power_cut(case, kind, case.answers())


@test("killed at any step after the journal: exit 7, status names the step, resume completes it")
def _(case):
    for kind, number in behind_the_journal(case):
        _, code = cut_anew(case, kind)
        same(code, 7, f"exit code after a cut at {kind}")
        status = expect(case.on("status"), 0, "stopped at step", "resume", "undo")
        journal = case.on("--json", "status").json()["journals"][0]
        same(journal["state"], "interrupted", f"state after a cut at {kind}\n{status}")
        same(journal["step"], number, f"the step that it stopped at, {kind}")
        expect(case.on("resume"), 0)
        same([p.name for p in (case.machine_dir / "run").glob("work.*")], [], "work files left")
        assert "slipway-a" in partitions(case.disk()), kind
        expect(case.on("status"), 0, "node-07", "hash right")


@test("killed at any step after the journal: undo brings old table and variables back, bit by bit")
def _(case):
    for kind, _ in behind_the_journal(case):
        (first, last, before), _ = cut_anew(case, kind)
        expect(case.on("undo", "--dry-run"), 0, "precious")
        expect(case.on("undo"), 4, "--yes")
        expect(case.on("undo", "--yes"), 0)
        same(sha256(head(case.disk())), sha256(first), f"first MiB after a cut at {kind}")
        same(sha256(tail(case.disk())), sha256(last), f"last MiB after a cut at {kind}")
        same(variables(case), before, f"variables after a cut at {kind}")
        same(list(partitions(case.disk())), ["precious"], "partitions")


@test("killed before the journal nothing was changed and there is nothing to resume")
def _(case):
    case.create()
    first = steps(case)[0]

    shutil.rmtree(case.machine_dir)
    case.create()
    old_table(case)
    before = sha256(head(case.disk()) + tail(case.disk(), 8 * MiB))
    power_cut(case, first, case.answers())
    same(sha256(head(case.disk()) + tail(case.disk(), 8 * MiB)), before, "disk")
    same(case.on("--json", "status").json()["journals"], [], "journals")
    expect(case.on("resume"), 5, "nothing to resume")
    expect(case.on("undo", "--yes"), 5, "nothing to undo")


@test("undo after a complete install brings the old table back")
def _(case):
    case.create()
    old_table(case)
    first, before = head(case.disk()), variables(case)
    expect(case.on("install", "--answers", case.answers()), 0)
    expect(case.on("undo", "--yes"), 0)
    same(sha256(head(case.disk())), sha256(first), "first MiB")
    same(variables(case), before, "variables")
    same([j["state"] for j in case.on("--json", "status").json()["journals"]], ["undone"],
         "journals")


@test("resume refuses a disk that was changed after the cut")
def _(case):
    cut_anew(case, "entries")
    tool("sfdisk", "-q", case.disk(), input="label: gpt\nsize=1G, name=other, type=linux\n")
    expect(case.on("resume"), 4)
    same(list(partitions(case.disk())), ["other"], "partitions")


@test("SIGTERM to the command stops the install and says in which state the machine is")
def _(case):
    case.create()
    child = case.start("--json", "install", "--answers", case.answers())
    for line in child.stdout:
        event = json.loads(line)
        if event["event"] == "start" and event.get("id") == "slot":
            child.send_signal(signal.SIGTERM)
            break
    _, err = child.communicate(timeout=240)
    if child.returncode == 0:
        raise Skip("the install was faster than the signal")
    assert child.returncode in (7, 130), (child.returncode, err)
    same(case.on("--json", "status").json()["journals"][0]["state"], "interrupted", "state")


@test("a disk in use is exit 4 and says so")
def _(case):
    import fcntl
    case.create()
    answers = case.answers()
    with open(case.disk(), "rb") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        result = case.on("install", "--answers", answers)
    expect(result, 4, "another program holds the lock")
    same(list((case.machine_dir / "run").glob("power")), [], "power")


@test("a disk that vanishes between plan and apply is refused with nothing written")
def _(case):
    case.create()
    plan = case.dir / "plan.json"
    expect(case.on("plan", "--answers", case.answers(), "-o", plan), 0)
    disk = case.disk()
    disk.rename(case.dir / "gone.img")
    result = case.on("apply", "--yes", plan)
    assert result.code in (4, 5, 6), result
    assert result.err.strip(), "no message"


@test("full boot variables: the install ends, warns by name, and the fallback path is there")
def _(case):
    case.create()
    folder = case.machine_dir / "vars"
    filler = "Filler{}-5a17e5a1-0000-4000-8000-000000000001"
    for number in range(64):
        (folder / filler.format(number)).write_bytes(b"\7\0\0\0" + bytes(1000))
    result = case.on("install", "--answers", case.answers())
    assert result.code in (0, 7), result
    text = (result.out + result.err).lower()
    assert "entr" in text and ("full" in text or "space" in text), result
    part = partitions(case.disk())["slipway-a"]
    tool("mcopy", "-n", "-i", f"{case.disk()}@@{part['start'] * 512}", "::/EFI/BOOT/BOOTX64.EFI",
         case.dir / "uki")


@test("read-only boot variables: the install ends, says so, and the fallback path is there")
def _(case):
    case.create()
    answers = case.answers()
    # Root writes everywhere, unless that very capability is taken from it.
    argv = ["setpriv", "--bounding-set", "-dac_override"] if os.geteuid() == 0 else []
    os.chmod(case.machine_dir / "vars", 0o555)
    try:
        result = tool(*argv, SLIPWAY, "--machine", case.machine_dir, "install", "--answers",
                      answers, check=False)
        result = Result(result.returncode, result.stdout, result.stderr)
    finally:
        os.chmod(case.machine_dir / "vars", 0o755)
    expect(result, 0, "EFI variables cannot be written here", "fallback path")
    part = partitions(case.disk())["slipway-a"]
    tool("mcopy", "-n", "-i", f"{case.disk()}@@{part['start'] * 512}", "::/EFI/BOOT/BOOTX64.EFI",
         case.dir / "uki")


@test("no room for the work files is one message, exit 6, nothing written")
def _(case):
    case.create()
    before = sha256(head(case.disk()) + tail(case.disk(), 8 * MiB))
    answers = case.answers()
    limit = "import os, resource, sys; " \
            "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536)); " \
            "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); " \
            "os.execv(sys.argv[1], sys.argv[1:])"
    done = subprocess.run(["python3", "-c", limit, SLIPWAY, "--machine", str(case.machine_dir),
                           "install", "--answers", str(answers)], capture_output=True, text=True,
                          timeout=120, check=False)
    same(done.returncode, 6, f"exit code\n{done.stdout}{done.stderr}")
    same(sha256(head(case.disk()) + tail(case.disk(), 8 * MiB)), before, "disk")


if __name__ == "__main__":
    main()
