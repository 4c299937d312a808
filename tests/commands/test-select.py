# SPDX-License-Identifier: Apache-2.0
"""Which disk: what `slipway disks` shows is what an install would choose, or why it would not."""
import json

from lib import expect, main, same, test

PAIR = ("serial=NODE07SYS,size=4G,model=Alpha,transport=nvme",
        "serial=DATA4711,size=6G,model=Alpha,transport=sata",
        "serial=STICK1,size=6G,model=Alpha,transport=usb")


def machine(case):
    return case.create(*PAIR, extra=("--medium", "STICK1"))


def with_match(case, match, more=""):
    """The answers with another match, and perhaps more below disk."""
    return case.answers(replace=[("{serial: NODE07SYS}", match), ("  wipe: any\n",
                                                                  "  wipe: blank\n" + more)])


@test("without rules all disks are listed, with the reason of those that are excluded")
def _(case):
    expect(machine(case).on("disks"), 0, "can be installed to", "slipway was started from it")


@test("a rule that fits one disk says what an install would use")
def _(case):
    machine(case)
    expect(case.on("disks", "--match", "serial=DATA4711"), 0, "serial yes", "serial no",
           "An install would use sda", "serial DATA4711")
    expect(case.on("disks", "--match", "model=al*", "--match", "size=largest"), 0,
           "An install would use sda")
    expect(case.on("disks", "-m", "rotational=no", "-m", "transport=nvme"), 0,
           "An install would use nvme0n1")


@test("several and none are exit 4 with the shortest clause that decides, as in plan and install")
def _(case):
    machine(case)
    hint = "Add size: 4G (nvme0n1) or size: 6G (sda) to disk.match"
    expect(case.on("disks", "--match", "model=Alpha"), 4, "2 disks match", hint,
           "excluded: slipway was started from it")
    answers = with_match(case, "{model: Alpha}")
    expect(case.on("disks", "--match-file", answers), 4, "2 disks match", hint)
    expect(case.on("plan", "--answers", answers), 4, "2 disks match", hint)
    expect(case.on("install", "--yes", "--answers", answers), 4, "2 disks match", hint)
    expect(case.on("check", answers), 4, "2 disks match", hint)
    expect(case.on("disks", "--match", "serial=NONE"), 4, "no disk matches",
           "let disk.match be serial: NODE07SYS (nvme0n1) or serial: DATA4711 (sda)")
    expect(case.on("disks", "--match", "serial=STICK1"), 4,
           "sdb matches but cannot be used: slipway was started from it")


@test("what the hint says, added, decides")
def _(case):
    machine(case)
    expect(case.on("disks", "-m", "model=Alpha", "-m", "size=6G"), 0, "An install would use sda")


@test("captured facts give the same table and exit code as the machine")
def _(case):
    machine(case)
    facts = case.dir / "facts.json"
    facts.write_text(expect(case.on("--json", "facts"), 0).out)
    for rule, code in (("model=Alpha", 4), ("serial=NODE07SYS", 0), ("size=>=1T", 4)):
        here = expect(case.on("disks", "--match", rule), code)
        there = expect(case.run("--facts", facts, "disks", "--match", rule), code)
        same((here.out, here.err), (there.out, there.err), rule)


@test("alternatives are tried in order and never past a doubt")
def _(case):
    machine(case)
    answers = with_match(case, "[{serial: NONE}, {wwn: NONE}, {serial: DATA4711}]")
    result = expect(case.on("disks", "--match-file", answers), 0, "alternative 3",
                    "An install would use sda")
    expect(case.on("check", answers), 0, "system on", "serial DATA4711")
    shown = expect(case.on("--json", "disks", "--match-file", answers), 0).json()["choices"][0]
    same(len(shown["alternatives"]), 3, "alternatives")
    same(shown["chosen"], "sda", "chosen")
    answers = with_match(case, "[{model: Alpha}, {serial: DATA4711}]")
    result = expect(case.on("disks", "--match-file", answers), 4, "2 disks match")
    assert "alternative 2:" not in result.out, result.out
    assert "to disk.match, alternative 1" in result.err, result.err


@test("a further disk is never the one that is chosen already")
def _(case):
    machine(case)
    more = "  more:\n    - match: {model: Alpha}\n      wipe: blank\n"
    answers = with_match(case, "{transport: nvme}", more)
    answers.write_text(answers.read_text().replace("layout: node", "layout: two-tier"))
    expect(case.on("disks", "--match-file", answers), 0, "disk.more[1].match:",
           "excluded: chosen already", "An install would use nvme0n1", "An install would use sda")
    plan = expect(case.on("--json", "plan", "--answers", answers), 0).json()
    same([d["serial"] for d in plan["disks"]], ["NODE07SYS", "DATA4711"], "the plan's disks")
    same(plan["answers"]["disk.more[1].match.model"], "Alpha", "the plan's answers")
    same([(d["chosen_by"], d["rule"]) for d in plan["disks"]],
         [("disk.match", "transport: nvme"), ("disk.more[1].match", "model: Alpha")], "rules")
    same([[(o["name"], o["why"]) for o in d["others"]] for d in plan["disks"]],
         [[("sdb", "slipway was started from it")],
          [("sdb", "the rule fits it, but slipway was started from it")]], "the others")
    answers.write_text(answers.read_text().replace("- match: {model: Alpha}",
                                                   "- match: {serial: NODE07SYS}"))
    result = expect(case.on("plan", "--answers", answers), 4,
                    "nvme0n1 matches but cannot be used: chosen already",
                    "let disk.more[1].match be serial: DATA4711 (sda)")
    assert "disk.more[1].match:" in result.err, result.err


@test("a plan with alternatives and further disks survives being edited by nobody")
def _(case):
    machine(case)
    more = "  more:\n    - match: [{serial: NONE}, {serial: DATA4711}]\n      wipe: blank\n"
    answers = with_match(case, "[{serial: NONE}, {serial: NODE07SYS}]", more)
    answers.write_text(answers.read_text().replace("layout: node", "layout: two-tier"))
    plan = case.dir / "plan.json"
    expect(case.on("plan", "--answers", answers, "-o", plan), 0)
    expect(case.on("apply", "--yes", plan), 0)


@test("what may be lost is judged by the rule that decided")
def _(case):
    machine(case)
    with open(case.disk("DATA4711"), "r+b") as disk:
        disk.seek(1080)
        disk.write(b"\x53\xef")     # the magic of ext2
        disk.seek(1024)
        disk.write(b"\x01")
    for wipe, code in (("blank", 4), ("any", 0)):
        answers = with_match(case, "[{serial: NONE}, {serial: DATA4711}]")
        answers.write_text(answers.read_text().replace("wipe: blank", f"wipe: {wipe}"))
        table = expect(case.on("disks", "--match-file", answers), code)
        plan = expect(case.on("plan", "--answers", answers), code)
        if code:
            same(table.err, plan.err, "the refusal")


@test("two ways to one disk are refused as that, and a path decides")
def _(case):
    machine(case)
    facts = expect(case.on("--json", "facts"), 0).json()
    twin = dict(next(d for d in facts["disks"] if d["serial"] == "DATA4711"))
    twin.update(name="sdq", node="/dev/sdq", path="pci-0000:09:00.0-sas-2")
    for disk in facts["disks"] + [twin]:
        if disk["serial"] == "DATA4711":
            disk["wwn"] = "0x5000c500a1b2c3d4"
    facts["disks"].append(twin)
    path = case.dir / "facts.json"
    path.write_text(json.dumps(facts))
    result = expect(case.run("--facts", path, "disks", "--match", "serial=DATA4711"), 4,
                    "sda and sdq are two ways to one disk", "path: pci-0000:09:00.0-sas-2 (sdq)")
    assert "candidate, maybe the same disk as" in result.out, result.out
    expect(case.run("--facts", path, "disks", "-m", "serial=DATA4711", "-m", "path=*sas-2"), 0,
           "An install would use sdq")


@test("a rule that is none is a usage error with what was meant")
def _(case):
    machine(case)
    expect(case.on("disks", "--match", "serail=X"), 2, "did you mean serial=VALUE?")
    expect(case.on("disks", "--match", "serial"), 2, "names no rule")
    expect(case.on("disks", "--match", "size=huge"), 2, "it is not a rule about a size")
    expect(case.on("disks", "-m", "serial=A", "-m", "serial=B"), 2, "given twice")
    expect(case.on("disks", "-m", "serial=A", "--match-file", "x"), 2, "do not go together")
    expect(case.on("disks", "--match-file", case.dir / "none.yaml"), 5, "none.yaml")
    expect(case.on("disks", "--match-file", with_match(case, "[]")), 3, "empty list")


if __name__ == "__main__":
    main()
