# SPDX-License-Identifier: Apache-2.0
"""Facts, check and plan: what is refused before anything is written, and where it says so."""
import json
import re

from lib import SOURCE, expect, head, main, same, sha256, tail, test, tool


@test("facts name both disks, UEFI and the boot variables")
def _(case):
    facts = expect(case.create().on("--json", "facts"), 0).json()
    same(sorted(d["serial"] for d in facts["disks"]), ["DATA4711", "NODE07SYS"], "serials")
    expect(case.on("facts"), 0, "UEFI", "NODE07SYS", "4G")


@test("disks say why the medium cannot be chosen")
def _(case):
    case.create("serial=NODE07SYS,size=4G,transport=nvme", "serial=STICK1,size=4G,transport=usb",
                extra=("--medium", "STICK1"))
    listed = {d["serial"]: d.get("excluded") for d in case.on("--json", "disks").json()}
    same(listed["NODE07SYS"], None, "system disk")
    assert listed["STICK1"], "the medium is offered"
    expect(case.on("disks"), 0, listed["STICK1"])


@test("a plan from captured facts equals the plan on the machine, byte for byte")
def _(case):
    case.create()
    answers = case.answers()
    facts = case.dir / "facts.json"
    facts.write_text(expect(case.on("--json", "facts"), 0).out)
    here = expect(case.on("--json", "plan", "--answers", answers), 0).json()
    there = expect(case.run("--facts", facts, "--json", "plan", "--answers", answers), 0).json()
    for plan in (here, there):
        plan.pop("time", None)
        plan.pop("digest")   # over the time, too
    same(json.dumps(here), json.dumps(there), "plan")


@test("the same machine and answers give the same plan twice")
def _(case):
    case.create()
    answers = case.answers()
    plans = [case.on("--json", "plan", "--answers", answers).json() for _ in range(2)]
    for plan in plans:
        plan.pop("time", None)
        plan.pop("digest")   # over the time, too
    same(plans[0], plans[1], "plan")


@test("a name that libfdisk would leave empty is refused by check and plan, not by the install")
def _(case):
    case.create()
    layout = case.dir / "named"
    layout.mkdir()
    for path in (SOURCE / "layouts/node").iterdir():
        (layout / path.name).write_text(path.read_text())
    name = layout / "25-more.conf"
    name.write_text("[Partition]\nType=linux-generic\nLabel=\U0001f6a2\nSizeMaxBytes=20M\n")
    answers = case.answers(replace=[("  layout: node", f"  layout: {layout}")])
    facts = [case.dir / "one.json", case.dir / "two.json"]
    for path in facts:
        path.write_text(expect(case.on("--json", "facts"), 0).out)
    many = ("check", answers, "--facts", facts[0], "--facts", facts[1])
    for argv in (("plan", "--answers", answers), ("check", answers),
                 ("install", "--answers", answers, "--dry-run")):
        expect(case.on(*argv), 3, "a letter that no table can be given", "another Label=")
    expect(case.run(*many), 3, "a letter that no table can be given")
    name.write_text(name.read_text().replace("\U0001f6a2", "\u2192 \u00e9"))
    expect(case.on("check", answers), 0)
    expect(case.run(*many), 0, "it plans on 2 of 2 machines")


@test("planning and checking write nothing to the disks")
def _(case):
    case.create()
    disk = case.disk()
    before = sha256(head(disk)) + sha256(tail(disk))
    answers = case.answers()
    expect(case.on("plan", "--answers", answers), 0)
    expect(case.on("check", answers), 0)
    expect(case.on("install", "--answers", answers, "--dry-run"), 0)
    same(sha256(head(disk)) + sha256(tail(disk)), before, "disk")


@test("the review names the disk, what dies and every partition, in 79 columns")
def _(case):
    case.create()
    disk = case.disk()
    tool("sfdisk", "-q", disk, input="label: gpt\nsize=1G, name=precious, type=linux\n")
    out = expect(case.on("plan", "--answers", case.answers()), 0).out
    for word in ("NODE07SYS", "precious", "slipway-a", "slipway-b", "slipway-node", "state"):
        assert word in out, word
    # A path is one word and is not broken, however long it is.
    for line in out.splitlines():
        assert len(line) <= 79 or str(case.dir) in line, line


@test("an unknown key is exit 3 with file:line:column and a suggestion")
def _(case):
    answers = case.answers(replace=[("hostname:", "hostnam:")])
    result = expect(case.run("check", answers), 3, "hostnam", "hostname")
    assert re.search(r"node\.yaml:3:\d+", result.err), result.err


@test("a wrong type, a missing value and a bad hash are each exit 3 at their line")
def _(case):
    for old, new, line in (("mode: local", "mode: [local]", 14), ("mode: local", "mode: lokal", 14),
                           ("layout: node", "layout: [node]", 6),
                           ("hostname: node-07", "hostname: -bad-", 3)):
        result = expect(case.run("check", case.answers(replace=[(old, new)])), 3)
        assert f"node.yaml:{line}:" in result.err, f"{new}\n{result}"
    expect(case.run("check", case.answers(kernel_sha256="abc")), 3, "node.yaml:")
    expect(case.run("check", case.answers(replace=[("  hostname: node-07\n", "  {}\n")])), 3,
           "hostname")


@test("what is not YAML at all, or not there, is one clear message")
def _(case):
    path = case.dir / "bad.yaml"
    path.write_text("slipway: 1\nnode: {hostname: [\n")
    expect(case.run("check", path), 3, "bad.yaml:")
    expect(case.run("check", case.dir / "missing.yaml"), 5, "missing.yaml")


@test("check goes through all files and keeps the first failure's exit code")
def _(case):
    good, bad = case.answers(), case.answers("bad.yaml", replace=[("finish:", "finnish:")])
    result = expect(case.run("check", bad, good), 3, "finnish", "node.yaml: valid")
    assert result.code == 3


@test("check lists every error of a file, each with its place, and as JSON")
def _(case):
    path = case.dir / "bad.yaml"
    path.write_text("slipway: 1\nnode: {hostnme: n}\ndisk: {wipe: al}\nfinish: rebot\n")
    err = expect(case.run("check", path), 3).err
    for place in ("bad.yaml:2:8", "bad.yaml:3:14", "bad.yaml:4:9"):
        assert place in err, err
    errors = expect(case.run("--json", "check", path), 3).json()["errors"]
    same([e["where"].rpartition("/")[2] for e in errors],
         ["bad.yaml:2:8", "bad.yaml:3:14", "bad.yaml:4:9"], "places")
    # Rules over several keys: all that is missing, in one run.
    path.write_text("slipway: 1\n")
    err = expect(case.run("check", path), 3).err
    for key in ("node.hostname", "payload.kernel", "disk.match.serial"):
        assert f"{key} is missing" in err, err
    same(case.run("--json", "check", case.answers()).json()["errors"], [], "errors")


@test("each warning of a review has a label of its own")
def _(case):
    case.create(extra=("--no-tpm",))
    answers = case.answers(replace=[("mode: local", "mode: hands-off")])
    warnings = case.on("--json", "plan", "--answers", answers).json()["warnings"]
    assert len(warnings) > 1, warnings
    out = case.on("plan", "--answers", answers).out
    same(out.count("\nNote     "), len(warnings), "notes")
    for warning in warnings:
        assert "\nNote     " + warning.split(" ")[0] in out, warning


@test("http without a hash is refused in the answers")
def _(case):
    answers = case.answers(kernel="http://192.0.2.1/vmlinuz",
                           replace=[("sha256: {kernel:", "sha256: {X:")])
    text = answers.read_text().replace("X:", "kernel:").splitlines()
    answers.write_text("\n".join(line for line in text if "sha256" not in line) + "\n")
    expect(case.run("check", answers), 3, "sha256")


@test("an ambiguous match is exit 4 with the candidates and what would decide")
def _(case):
    case.create()
    answers = case.answers(replace=[("{serial: NODE07SYS}", '{size: ">=1G"}'),
                                    ("wipe: any", "wipe: ours")])
    result = expect(case.on("plan", "--answers", answers), 4, "NODE07SYS", "DATA4711")
    assert "serial" in result.err


@test("a disk that is not there is exit 4 and the ones that are there are named")
def _(case):
    case.create()
    answers = case.answers(replace=[("NODE07SYS}", "NODE08SYS}")])
    expect(case.on("plan", "--answers", answers), 4, "NODE07SYS")


@test("the medium is never planned on, even when it is the one that matches")
def _(case):
    case.create("serial=NODE07SYS,size=4G,transport=usb", extra=("--medium", "NODE07SYS"))
    expect(case.on("plan", "--answers", case.answers()), 4)


@test("wipe: blank refuses a disk with something on it and says what")
def _(case):
    case.create()
    tool("sfdisk", "-q", case.disk(), input="label: gpt\nsize=1G, name=precious, type=linux\n")
    answers = case.answers(replace=[("wipe: any", "wipe: blank")])
    expect(case.on("plan", "--answers", answers), 4, "blank")


@test("wipe: any with only a size rule is refused before any disk is looked at")
def _(case):
    answers = case.answers(replace=[("{serial: NODE07SYS}", '{size: ">=1G"}')])
    expect(case.run("check", answers), 3, "node.yaml:7:", "disk.match.serial")


@test("wipe: ours with a size rule refuses a disk with foreign content and says what")
def _(case):
    case.create("serial=NODE07SYS,size=4G,transport=nvme")
    tool("sfdisk", "-q", case.disk(), input="label: gpt\nsize=1G, name=precious, type=linux\n")
    answers = case.answers(replace=[("{serial: NODE07SYS}", '{size: ">=1G"}'),
                                    ("wipe: any", "wipe: ours")])
    expect(case.on("plan", "--answers", answers), 4, "precious")


@test("a layout that does not fit says by how much it is too small")
def _(case):
    case.create("serial=NODE07SYS,size=512M,transport=nvme")
    result = case.on("plan", "--answers", case.answers())
    assert result.code in (3, 4), result
    assert re.search(r"\d+(\.\d+)?[MG]", result.err), result


@test("what an install fills itself is refused by the plan, naming file and role")
def _(case):
    case.create()
    layout = case.own_layout()
    slot = layout / "20-slot-b.conf"
    assert slot.exists(), list(layout.iterdir())
    slot.write_text(slot.read_text() + "MakeDirectories=/var\n")
    answers = case.answers(replace=[("layout: node", f"layout: {layout}")])
    expect(case.on("plan", "--answers", answers), 3, "X-Slipway-Role=slot", slot.name)


@test("a layout that does not exist names those that do")
def _(case):
    case.create()
    answers = case.answers(replace=[("layout: node", "layout: nod")])
    expect(case.on("plan", "--answers", answers), 3, "node")


@test("facts that were edited are refused")
def _(case):
    case.create()
    facts = case.on("--json", "facts").json()
    path = case.dir / "facts.json"
    variables = facts.get("boot_variables")
    assert variables is not None, "the facts have no boot variables"
    variables["Boot00AA"] = "00"
    path.write_text(json.dumps(facts))
    expect(case.run("--facts", path, "plan", "--answers", case.answers()), 3)
    path.write_text("{\"slipway_facts\": 99}")
    expect(case.run("--facts", path, "facts"), 3)


@test("captured facts cannot be installed to")
def _(case):
    case.create()
    path = case.dir / "facts.json"
    path.write_text(case.on("--json", "facts").out)
    expect(case.run("--facts", path, "install", "--answers", case.answers()), 2, "captured")


@test("status, resume and undo refuse captured facts: a file has no disks to read")
def _(case):
    case.create()
    path = case.dir / "facts.json"
    path.write_text(case.on("--json", "facts").out)
    for command in ("status", "resume", "undo"):
        expect(case.run("--facts", path, command), 4, command, "facts.json", "the machine that")


@test("machine create refuses what it does not understand, at the right place")
def _(case):
    for disk, word in (("serial=A,size=1Q", "size"), ("serial=A", "size"), ("size=1G", "serial"),
                       ("serial=A,size=1G,sector=520", "512"),
                       ("serial=A,size=1G,colour=red", "keys"),
                       ("serial=A,size=1G,transport=floppy", "nvme")):
        expect(case.run("machine", "create", case.dir / "x", "--disk", disk), 2, word)
    expect(case.run("machine", "create", case.dir / "x", "--medium", "B"), 2, "B")
    expect(case.run("machine", "create", case.dir / "x", "--firmware", "coreboot"), 2)
    assert not (case.dir / "x").exists()


if __name__ == "__main__":
    main()
