# SPDX-License-Identifier: Apache-2.0
"""A disk that reports wear is warned of; one that reports its end is refused unless told so."""
import shutil

from lib import expect, head, main, same, sha256, tail, test

CORPUS = "tests/fuzz/corpus/health/"


def with_health(case, recorded):
    """The node's disk answers smartctl with this record."""
    case.create()
    shutil.copy(CORPUS + recorded, case.machine_dir / "smart.json")
    yaml = case.machine_dir / "machine.yaml"
    text = yaml.read_text()
    yaml.write_text(text.replace("    image: disk-1.img\n",
                                 "    image: disk-1.img\n    health: smart.json\n", 1))
    assert "health: smart.json" in yaml.read_text(), text
    return case


def facts_of(case):
    return case.on("facts", "--json").json()["disks"]


def node_disk(case):
    return next(d for d in facts_of(case) if d["serial"] == "NODE07SYS")


@test("health: good is in the facts, and nothing is said about it")
def _(case):
    with_health(case, "nvme-good")
    same(node_disk(case).get("health"), "good", "health in the facts")
    other = next(d for d in facts_of(case) if d["serial"] == "DATA4711")
    assert "health" not in other and "health_text" not in other, other
    assert "health" not in expect(case.on("disks"), 0).out
    done = expect(case.on("plan", "--answers", case.answers()), 0)
    assert "reports that it is" not in done.out + done.err, done


@test("health: worn is shown, and the plan warns and goes on")
def _(case):
    with_health(case, "nvme-worn")
    same(node_disk(case).get("health"), "worn", "health in the facts")
    expect(case.on("disks"), 0, "health: worn: 104 percent of its rated life are used")
    expect(case.on("plan", "--answers", case.answers()), 0,
           "nvme0n1 reports that it is worn", "7 media errors")


@test("health: failing is shown and refused with the way out; disk.failing: use installs")
def _(case):
    with_health(case, "nvme-failing")
    disk = case.disk()
    before = sha256(head(disk) + tail(disk))
    expect(case.on("disks"), 0, "health: FAILING: it has made itself read-only")
    same([d.get("health") for d in case.on("disks", "--json").json()
          if d["serial"] == "NODE07SYS"], ["failing"], "health in disks --json")
    for words in (["plan"], ["install"]):
        expect(case.on(*words, "--answers", case.answers()), 4,
               "the disk reports that it is failing", "read-only", "disk.failing: use")
    same(sha256(head(disk) + tail(disk)), before, "the disk after the refusal")
    use = case.answers(replace=[("  wipe: any", "  wipe: any\n  failing: use")])
    expect(case.on("plan", "--answers", use), 0, "nvme0n1 reports that it is failing")
    expect(case.on("install", "--answers", use), 0)


@test("health: a failing disk that stays out of the plan refuses nothing")
def _(case):
    with_health(case, "ata-failing")
    expect(case.on("plan", "--answers", case.answers(
        replace=[("serial: NODE07SYS", "serial: DATA4711")])), 0)


@test("health: captured facts carry it, so a plan made from them refuses as well")
def _(case):
    with_health(case, "ata-failing")
    captured = case.dir / "facts.json"
    captured.write_text(expect(case.on("facts", "--json"), 0).out)
    expect(case.run("--facts", captured, "plan", "--answers", case.answers()), 4,
           "2040 sectors were replaced")


@test("health: a record that is none is a note in the facts, not an end")
def _(case):
    with_health(case, "nvme-good")
    for content, words in (("smartctl: not found", "not what smartctl"), (None, "No such file")):
        record = case.machine_dir / "smart.json"
        if content:
            record.write_text(content)
        else:
            record.unlink()
        assert "health" not in node_disk(case)
        notes = case.on("facts", "--json").json()["notes"]
        assert any("health of nvme0n1: smart.json" in n and words in n for n in notes), notes


if __name__ == "__main__":
    main()
