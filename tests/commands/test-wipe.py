# SPDX-License-Identifier: Apache-2.0
"""`slipway wipe`: the right disk only, with its name said, and a report that claims no more."""
import json
import shutil
import subprocess

from lib import MiB, SLIPWAY, expect, main, same, test, tool
from powercut import TooLate, in_time, kill_writer, writer


def machine(case, size="64M"):
    case.create(f"serial=NODE07SYS,size={size},transport=nvme,model=Alpha",
                "serial=DATA4711,size=64M,transport=sata,model=Beta")
    for serial in ("NODE07SYS", "DATA4711"):
        tool("sfdisk", "-q", case.disk(serial),
             input="label: gpt\nstart=2M, size=16M, name=precious, type=linux\n")
        tool("mkfs.ext4", "-q", "-F", "-E", f"offset={2 * MiB}", case.disk(serial), "16M")
    return case


def whole(disk):
    return json.loads(tool("sfdisk", "-J", disk).stdout)["partitiontable"]["partitions"]


@test("nothing is wiped without the end of the serial, not even with --yes")
def _(case):
    disk = machine(case).disk()
    before = disk.read_bytes()
    for words in ((), ("--yes",), ("--confirm", "4711"), ("--confirm", "")):
        got = expect(case.on("wipe", "--match", "serial=NODE07SYS", *words), 4, "7SYS")
        assert "precious" in got.out + got.err, got
    expect(case.on("wipe", "--match", "serial=NODE07SYS", "--confirm", "7SYS", "--dry-run"), 0,
           "cannot be undone")
    assert disk.read_bytes() == before, "something was written"


@test("a disk is not chosen by a name that changes, by guessing, or when slipway came from it")
def _(case):
    machine(case)
    expect(case.on("wipe", "sda", "--confirm", "4711"), 2, "change from one start")
    expect(case.on("wipe"), 2, "name one disk")
    expect(case.on("wipe", case.disk(), "--match", "serial=X"), 2, "name one disk")
    expect(case.on("wipe", "--match", "colour=red"), 2, "names no rule")
    expect(case.on("wipe", "/dev/null", "--confirm", "x"), 5, "no whole disk has this path")
    expect(case.on("wipe", "--match", "size=>1M", "--confirm", "7SYS"), 4)
    expect(case.on("wipe", "--match", "rotational=yes", "--confirm", "7SYS"), 4)
    expect(case.on("wipe", "--match", "size=largest", "--confirm", "7SYS"), 4)
    same([len(whole(case.disk(s))) for s in ("NODE07SYS", "DATA4711")], [1, 1], "partitions")


@test("the medium is never wiped")
def _(case):
    case.create("serial=STICK1,size=64M,transport=usb", extra=("--medium", "STICK1"))
    expect(case.on("wipe", case.disk("STICK1"), "--yes"), 4, "started from it")


@test("zeros: nothing of the disk is left, the other disk is untouched, the report is saved")
def _(case):
    disk = machine(case).disk()
    other = case.disk("DATA4711").read_bytes()
    report = case.dir / "report.json"
    got = expect(case.on("--json", "wipe", "--match", "serial=NODE07SYS", "--method", "zero",
                         "--confirm", "7SYS", "--report", report), 0)
    assert not any(disk.read_bytes()), "something is left"
    assert case.disk("DATA4711").read_bytes() == other, "the other disk has changed"
    last = json.loads(got.out.splitlines()[-1])
    saved = json.loads(report.read_text())
    same(last, saved, "report")
    same(saved["result"], "done", "result")
    same({r["state"] for r in saved["regions"]}, {"verified by reading"}, "states")
    assert any(json.loads(line).get("event") == "progress" for line in got.out.splitlines()), got


@test("signatures: blkid and sgdisk find nothing, the report says what is left")
def _(case):
    disk = machine(case).disk("DATA4711")
    got = expect(case.on("wipe", disk, "--method", "signatures", "--confirm", "4711"), 0,
                 "left as it is: not done", "ext4 signature in partition 1")
    assert "commanded:" in got.out, got
    same(tool("blkid", "-p", disk, check=False).returncode, 2, "blkid")
    same(tool("wipefs", "-n", disk).stdout, "", "wipefs")
    assert "GPT: not present" in tool("sgdisk", "-p", disk, check=False).stdout + \
        tool("gdisk", "-l", disk, check=False, input="").stdout
    assert any(disk.read_bytes()[2 * MiB:]), "the content is gone as well"


@test("what is only commanded is never called verified")
def _(case):
    machine(case)
    got = expect(case.on("--json", "wipe", "--match", "serial=NODE07SYS", "--method", "discard",
                         "--confirm", "7SYS", "--verify", "edges"), 0)
    regions = {r["what"]: r["state"] for r in json.loads(got.out.splitlines()[-1])["regions"]}
    same(regions["content"], "commanded", "content")
    same(regions["first sector"], "verified by reading", "first sector")


@test("an erase command that the disk does not have is refused before anything is written")
def _(case):
    disk = machine(case).disk()
    before = disk.read_bytes()
    expect(case.on("wipe", disk, "--method", "secure", "--confirm", "7SYS"), 5, "--method zero")
    expect(case.on("wipe", disk, "--method", "shred", "--confirm", "7SYS"), 2, "signatures")
    assert disk.read_bytes() == before, "something was written"


def cut_wipe(case):
    """A wipe with zeros, killed behind its first 8 MiB. Returns the disk."""
    shutil.rmtree(case.machine_dir, ignore_errors=True)
    disk = machine(case, "256M").disk()
    child = subprocess.Popen([SLIPWAY, "--machine", str(case.machine_dir), "--json", "wipe",
                              "--match", "serial=NODE07SYS", "--method", "zero", "--confirm",
                              "7SYS"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    case.children.append(child)
    for line in child.stdout:
        event = json.loads(line)
        if event["event"] == "progress" and event["done"] > 8 * MiB:
            break
    kill_writer(writer(case))
    child.stdout.read()
    if child.wait() == 0:
        raise TooLate
    return disk


@test("killed half-way: no table to be seen, disks and status name it, install refuses it as "
      "blank, the same command ends it")
def _(case):
    disk = in_time(lambda: cut_wipe(case))
    assert '"gpt"' not in tool("sfdisk", "-J", disk, check=False).stdout, "a table is seen"
    expect(case.on("disks"), 0, "a wipe that was interrupted (zero")
    expect(case.on("status"), 0, "a wipe stopped (zero", "goes on where it stopped")
    assert case.on("--json", "status").json()["wipes"][0]["percent"] < 100
    expect(case.on("wipe", "--match", "serial=NODE07SYS", "--yes"), 4, "interrupted")
    got = expect(case.on("wipe", "--match", "serial=NODE07SYS", "--confirm", "7SYS"), 0,
                 "goes on where it was", "method   zero")
    assert "content" in got.out and not any(disk.read_bytes()), got
    expect(case.on("status"), 0, "nothing is installed")


if __name__ == "__main__":
    main()
