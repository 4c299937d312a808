# SPDX-License-Identifier: Apache-2.0
"""`slipway answers`: what is printed for editors and people, judged by other programs."""
import json
import random
from pathlib import Path

from lib import SOURCE, expect, main, same, test, tool

JUDGE = Path(__file__).resolve().parent / "judge-schema.py"


def judged(case, paths):
    schema = case.dir / "schema.json"
    schema.write_text(expect(case.run("answers", "schema"), 0).out)
    done = tool("/usr/bin/python3", JUDGE, schema, *paths)
    return {Path(path).name: verdict for path, verdict in json.loads(done.stdout).items()}


@test("the schema is valid, and every answer file that slipway takes is good by it")
def _(case):
    paths = sorted((SOURCE / "tests/answers/accept").glob("*.yaml"))
    assert len(paths) >= 40, len(paths)
    example = case.dir / "example.yaml"
    example.write_text(expect(case.run("answers", "example"), 0).out)
    for name, verdict in judged(case, [*paths, example]).items():
        same((name, verdict), (name, {"text": [], "typed": []}), "verdict")


@test("an editor with the schema points at unknown keys and at values that are no choice")
def _(case):
    paths = sorted((SOURCE / "tests/answers/refuse").glob("*.yaml"))
    verdicts = judged(case, paths)
    caught = 0
    for path in paths:
        said = case.run("check", path).err
        bad = verdicts[path.name]["text"] != []
        caught += bad
        if "unknown key" in said or "it is one of" in said:
            assert bad, (path.name, said)
    print(f"# {caught} of {len(paths)} files that are refused are seen by the schema alone")
    assert caught >= len(paths) * 2 // 5, caught


@test("every key of the table has its words in the schema, at its place")
def _(case):
    schema = json.loads(expect(case.run("answers", "schema"), 0).out)
    keys = [line.split()[0] for line in expect(case.run("explain"), 0).out.splitlines()
            if line and line[0] != " "]
    assert "disk.match.serial" in keys and "finish" in keys, keys
    for key in keys:
        at = schema
        for word in key.split("."):
            at = next(s for s in at.get("anyOf", [at]) if "properties" in s)["properties"][word]
        assert at["title"] and at["description"].endswith("."), key


def schema_at(schema, key):
    """The schema of a key's value, and of one value of it."""
    for word in key.split("."):
        groups = [schema, *schema.get("anyOf", [])]
        schema = next(s for s in groups if "properties" in s)["properties"][word]
    value = schema
    while "anyOf" in value:
        value = value["anyOf"][0]
    return schema, value


@test("explain --json has the table for programs, and the schema says the same of every key")
def _(case):
    schema = json.loads(expect(case.run("answers", "schema"), 0).out)
    told = expect(case.run("--json", "explain"), 0).json()
    lines = [line.split()[0] for line in expect(case.run("explain"), 0).out.splitlines()
             if line and line[0] != " "]
    same([f["key"] for f in told["keys"]], lines, "the keys")
    for f in told["keys"]:
        whole, value = schema_at(schema, f["key"])
        same((f["label"], f["help"], f["example"], f.get("default")),
             (whole["title"], whole["description"], whole["examples"][0], whole.get("default")),
             f["key"])
        same(f["type"] == "choice", "allowed" in f, f)
        assert f["required"] in ("no", "depends", "always", "default"), f
        if "allowed" in f:
            assert {*f["allowed"]} <= {*map(str, value["enum"])}, (f, value)
            assert f.get("default", f["allowed"][0]) in f["allowed"], f
        elif "max_length" in f and f["key"] != "slipway":
            same(f["max_length"], value["maxLength"], f["key"])
    one = expect(case.run("explain", "disk.more.wipe", "--json"), 0).json()
    same([f["key"] for f in one["keys"]], ["disk.wipe"], "of a further disk")
    group = expect(case.run("explain", "report", "--json"), 0).json()
    same(group["keys"], [f for f in told["keys"] if f["key"].startswith("report.")], "of a group")
    same({f["in_list"] for f in group["keys"] if "in_list" in f}, {"report.webhooks"}, "lists")
    unknown = expect(case.run("explain", "disk.wype", "--json"), 2)
    assert "did you mean disk.wipe" in json.loads(unknown.err)["hint"], unknown


def capture(case, name, *disks):
    """The facts of one more machine of the rack, as its operator would have saved them."""
    case.machine_dir = case.dir / ("m-" + name)
    case.create(*disks)
    path = case.dir / "rack" / (name + ".json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(expect(case.on("facts", "--json"), 0).out)
    return path


def rack(case):
    """Three machines with two disks each, and one that has the disk twice as large only."""
    two = "serial=DATA4711,size=6G,model=Beta,transport=sata"
    for name in ("node-01", "node-02", "node-12"):
        capture(case, name, f"serial=S-{name},size=4G,model=Alpha,transport=nvme", two)
    return capture(case, "node-31", two)


@test("check says on how many machines of a rack the answers plan, and why not on the others")
def _(case):
    last = rack(case)
    answers = case.answers(replace=[("{serial: NODE07SYS}", "{serial: 'S-node-0?'}")])
    result = expect(case.run("--facts", last.parent, "check", answers), 4,
                    "node.yaml: valid; it plans on 2 of 4 machines")
    reasons = [line for line in result.out.splitlines() if line.startswith("  node-")]
    same([line.split(":")[0] for line in reasons], ["  node-12, node-31"], "reasons")
    # Each machine's own disks and its own way out stand below its name, nothing at the margin.
    below = result.out.splitlines()[2:]
    assert all(line.startswith("    ") for line in below), result
    same([line.split(":")[0].strip() for line in below if line[4] != " "],
         ["node-12", "node-31"], "machines with a reason")
    same([line.split("be ")[1].split(" ")[1] for line in below if "-> " in line],
         ["S-node-12", "DATA4711"], "hints")
    said = expect(case.run("--json", "--facts", last.parent, "check", answers), 4).json()
    same([(m["name"], m["planned"]) for m in said["machines"]],
         [("node-01", True), ("node-02", True), ("node-12", False), ("node-31", False)], "machines")
    same(said["machines"][1]["disks"][0]["serial"], "S-node-02", "disk")
    same(said["machines"][3]["error"]["exit"], 4, "error")
    every = case.answers(replace=[("{serial: NODE07SYS}", "{size: largest}"),
                                  ("wipe: any", "wipe: blank")])
    expect(case.run("check", every, "--facts", last.parent), 0, "it plans on 4 of 4 machines")
    expect(case.run("check", every, "--facts", last, last.parent / "node-01.json"), 2,
           "node-01.json", "facts, no answers", "give it before each")


@test("a layout and a transport that there are not are named with their place; no rack is judged")
def _(case):
    last = rack(case)
    layout = case.answers(replace=[("layout: node", "layout: nodes")])
    layout = layout.rename(case.dir / "layout.yaml")
    expect(case.run("check", layout), 3, "layout.yaml:", 'there is no layout called "nodes"',
           "Known layouts: ")
    bus = case.answers(replace=[("{serial: NODE07SYS}", "{transport: nvm}"), ("any", "blank")])
    expect(case.run("check", bus), 3, 'disk.match.transport cannot be "nvm"',
           'did you mean "nvme"?')
    result = expect(case.run("check", bus, bus, "--facts", last.parent), 3)
    assert "machines" not in result.out, result


@test("with a file for each machine, check says which goes with which, and what is left over")
def _(case):
    last = rack(case)
    names = {name: f"S-{name}" for name in ("node-01", "node-02", "node-12")}
    files = []
    for name, serial in names.items():
        answers = case.answers(replace=[("NODE07SYS", serial)])
        files.append(answers.rename(case.dir / f"{name}.yaml"))
    result = expect(case.run("check", *files, "--facts", last.parent), 4)
    said = result.out.splitlines()
    same([line.split("/")[-1] for line in said[:3]],
         [f"{name}.yaml: valid; it plans on 1 of 4 machines: {name}" for name in names], "files")
    same(said[3:5], ["3 of 4 machines have one of the files each",
                     "no file plans on 1 of 4 machines: node-31"], "machines")
    # A second file for a machine is told; it is no mistake, for a server may choose.
    more = case.answers(replace=[("{serial: NODE07SYS}", "{serial: DATA4711}")])
    result = expect(case.run("check", *files, more, "--facts", last.parent), 0,
                    "1 of 4 machines have one of the files each",
                    f"  node-12: 2 files: {files[2]}, {more}")
    assert "no file" not in result.out, result
    # One whose disk is there and refuses is said, as for a single file.
    facts = json.loads(last.read_text())
    facts["disks"][0]["read_only"] = True
    last.write_text(json.dumps(facts))
    expect(case.run("check", *files, more, "--facts", last.parent), 4,
           "  node-31: ", "matches but cannot be used: it is read-only", "no file plans on 1 of 4")
    alone = [case.run("--json", "check", f, "--facts", last.parent).json() for f in [*files, more]]
    both = case.run("--json", "check", *files, more, "--facts", last.parent).out
    both = [json.loads(part) for part in both.replace("}\n{", "}\n\x1e{").split("\x1e")]
    for one, shared in zip(alone, both, strict=True):
        same([(m["name"], m["planned"], m.get("disks")) for m in one["machines"]],
             [(m["name"], m["planned"], m.get("disks")) for m in shared["machines"]], "verdicts")


def drawn_rack(case, chance):
    """Fourteen machines: disks that are blank or have a table, some that cannot be used."""
    blank = capture(case, "blank", "serial=S0,size=4G,model=Alpha,transport=nvme",
                    "serial=T0,size=6G,model=Beta,transport=sata")
    expect(case.on("install", "--answers", case.answers(replace=[("NODE07SYS", "S0")])), 0)
    used = blank.with_name("used.json")
    used.write_text(expect(case.on("facts", "--json"), 0).out)
    shapes = [json.loads(path.read_text()) for path in (blank, used)]
    for i in range(12):
        facts = json.loads(json.dumps(chance.choice(shapes)))
        for disk, letter in zip(facts["disks"], "ST"):
            disk["serial"] = f"{letter}{i}"
            disk["read_only"] = chance.random() < 0.15
            facts["serial"] = chance.choice(("", "M1"))
            disk["model"] = chance.choice(("Alpha", "Beta"))
        (blank.parent / f"m{i:02}.json").write_text(json.dumps(facts))
    return blank.parent


def drawn_rule(chance):
    return chance.choice((f"{{serial: S{chance.randrange(14)}}}", "{serial: 'S*'}",
                          "{size: largest}", "{size: '<5G'}", "{model: Alpha}",
                          f"{{serial: T{chance.randrange(14)}}}",
                          f"{{serial: '?{chance.randrange(14)}', model: Beta}}"))


@test("a rack checked at once comes to what each file and machine come to alone, whatever is drawn")
def _(case):
    chance = random.Random(20261128)
    folder = drawn_rack(case, chance)
    alone, files = {}, []
    for i in range(24):
        # Every second one is the file before with another name, or the very same name.
        rule = drawn_rule(chance) if i % 2 == 0 else rule
        wipe = wipe if i % 2 else chance.choice(("any", "blank")) if "serial" in rule else "ours"
        host = chance.choice(("node-name-7", "node-name-8") if i % 2 == 0 else
                             ("node-name-7", "node-name-9", "${serial}-a"))
        name = case.answers(replace=[("{serial: NODE07SYS}", rule), ("wipe: any", f"wipe: {wipe}"),
                                     ("node-07", f'"{host}"')])
        files.append(name.rename(case.dir / f"drawn-{i:02}.yaml"))
        alone[files[-1]] = [path.stem for path in sorted(folder.glob("*.json"))
                            if case.run("check", files[-1], "--facts", path).code == 0]
    said = case.run("check", *files, "--facts", folder).out
    for path in files:
        line = next(line for line in said.splitlines() if line.startswith(f"{path}: "))
        good = alone[path]
        names = ": " + ", ".join(good) if 0 < len(good) <= 8 else ""
        same(line, f"{path}: valid; it plans on {len(good)} of 14 machines{names}", "verdict")
    without = [p.stem for p in sorted(folder.glob("*.json"))
               if not any(p.stem in good for good in alone.values())]
    once = sum(sum(p.stem in good for good in alone.values()) == 1 for p in folder.glob("*.json"))
    assert f"\n{once} of 14 machines have one of the files each\n" in said, said
    assert ("no file plans on" in said) == bool(without), (without, said)


@test("each mistake of a file is shown: its place, its line with a caret, and what was meant")
def _(case):
    bad = case.dir / "bad.yaml"
    bad.write_text("slipway: 1\nnode: {hostnam: n}\ndisk:\n  wipe: anny   # \u00fcber\n"
                   "finish: stop\npayload: {cmdline: '" + "x" * 100 + "', kernle: y}\n")
    said = expect(case.run("check", bad), 3).err
    for line in ("     2 | node: {hostnam: n}\n       |        ^\n",
                 "     4 |   wipe: anny   # \u00fcber\n       |         ^\n",
                 "     5 | finish: stop\n       |         ^\n",
                 'did you mean "hostname"?', "reboot, poweroff"):
        assert line in said, (line, said)
    caret = next(i for i, line in enumerate(said.splitlines()) if "| " in line and "kernle" in line)
    shown, below = said.splitlines()[caret:caret + 2]
    same((shown[below.index("^"):], len(shown) < 101), ("kernle: y}", True), said)
    same(said.count("slipway: "), 4, "all of them are told")
    json_said = expect(case.run("--json", "check", bad), 3).json()
    same(len(json_said["errors"]), 4, "errors in JSON")
    bad.write_bytes(b"slipway: 1\nnode: \xff\n")
    expect(case.run("check", bad), 3, "not UTF-8")
    bad.write_text("slipway: 1\nnode: {hostname: " + "n" * 10_000_000 + "}\n")
    expect(case.run("check", bad), 3, "larger than 1 MiB")


@test("the line that is shown has no password of a URL, and the caret stays where it belongs")
def _(case):
    bad = case.dir / "bad.yaml"
    bad.write_text("slipway: 1\n"
                   "payload: {kernel: 'http://me:s3cret/\u00fc@h/v', wrong: 1, initrd: /i}\n")
    said = expect(case.run("check", bad), 3).err
    assert "s3cret" not in said and "me:" not in said, said
    lines = said.splitlines()
    shown = max(i for i, line in enumerate(lines) if "| " in line and "wrong: 1" in line)
    assert "'http://***********@h/v'" in lines[shown], said
    same(lines[shown][lines[shown + 1].index("^"):], "wrong: 1, initrd: /i}", said)


@test("answers on standard input: their places, what is shown of them, a plan, an install")
def _(case):
    case.create()
    text = case.answers().read_text()
    bad = text.replace("hostname:", "hostnam:")
    bad = bad.replace("wipe: any", "wipe: any\n  token: hunter2")
    said = expect(case.run("check", "-", stdin=bad), 3, "stdin:3:3: ", "stdin:8:3: ",
                  "     3 |   hostnam: node-07\n", "     8 |   token: *******\n")
    same(expect(case.run("plan", "--answers", "-", stdin=bad), 3).err in said.err, True, "plan")
    expect(case.on("install", "--answers", "-", stdin=bad), 3, "stdin:3:3: ")
    listed = expect(case.run("--json", "check", "-", stdin=bad), 3).json()
    same((listed["file"], [e["where"] for e in listed["errors"]]),
         ("stdin", ["stdin:3:3", "stdin:8:3"]), "JSON")
    expect(case.run("check", "-", stdin=""), 3, "stdin:1:1: the file is empty")
    long = "#" * ((1 << 20) + 1)
    expect(case.run("check", "-", stdin=long), 3, "stdin: ", "larger than 1 MiB")
    expect(case.run("check", "-", "-", stdin=text), 0, "stdin: valid\nstdin: valid\n")
    facts = case.dir / "facts.json"   # of one moment: a plan says when its facts were read
    facts.write_text(expect(case.on("--json", "facts"), 0).out)
    plan = ("--facts", facts, "--json", "plan", "--answers")
    same(expect(case.run(*plan, "-", stdin=text), 0).out,
         expect(case.run(*plan, case.answers()), 0).out, "the plan, byte for byte")
    expect(case.on("plan", "--answers", "-", stdin=text), 0, "NODE07SYS")
    expect(case.on("install", "--answers", "-", "--sha256", "0" * 64, stdin=text), 2, "--sha256")
    expect(case.on("install", "--answers", "-", stdin=text.replace("NODE07SYS", "ask")), 3,
           "nobody has answered disk.match.serial")
    expect(case.on("install", "--answers", "-", stdin=text), 0)
    same(case.on("--json", "status").json()["journals"][0]["state"], "done", "the install")


@test("facts of several machines may be given one by one, and only to check")
def _(case):
    last = rack(case)
    first = last.with_name("node-01.json")
    answers = case.answers(replace=[("{serial: NODE07SYS}", "{size: largest}"),
                                  ("wipe: any", "wipe: blank")])
    expect(case.run("check", answers, "--facts", first, "--facts", last), 0, "on 2 of 2 machines")
    expect(case.run("plan", "--facts", first, "--facts", last, "--answers", answers), 2,
           "more than once")
    last.write_text("{")
    expect(case.run("check", answers, "--facts", last.parent), 3, "node-31.json")
    empty = case.dir / "empty"
    empty.mkdir()
    expect(case.run("check", answers, "--facts", empty), 5, "no *.json")


main()
