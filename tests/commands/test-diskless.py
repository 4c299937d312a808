# SPDX-License-Identifier: Apache-2.0
"""disk: none: a node of boot variables alone; disks that are there stay untouched."""
import hashlib
import itertools
import json
import re
import shutil
import struct

from lib import GLOBAL, expect, fingerprint, main, same, sha256, test
from powercut import power_cut

OURS = "c7f24dd8-4d6c-4d0c-9a35-7e3f1b6f0a52"
NODE = f"SlipwayNode-{OURS}"
STEPS = ("journal", "node-data", "entries", "verify")
FOREIGN = ("NODE07SYS", "DATA4711")
SMALL = [f"serial={serial},size=64M,model=Alpha,transport=sata" for serial in FOREIGN]


def answers(case, disk="none", mode="network", more="", name="none.yaml"):
    path = case.dir / name
    path.write_text(f"""slipway: 1
node:
  hostname: edge-12
disk: {disk}
boot:
  mode: {mode}
admission:
  kind: attest
  url: https://attest.example/v1
finish: stay
{more}""")
    return path


def variables(case):
    """All of them; a write of the stand-in's that was cut off leaves a file, but no variable."""
    return {p.name: p.read_bytes() for p in (case.machine_dir / "vars").iterdir()
            if "." not in p.name}


def with_disks(case):
    """Two disks with something on them, which slipway knows nothing of."""
    case.create(*SMALL)
    for serial in FOREIGN:
        with open(case.disk(serial), "r+b") as file:
            for at in (0, 1 << 20, 63 << 20):
                file.seek(at)
                file.write(hashlib.shake_256(f"{serial}{at}".encode()).digest(1 << 16))
    return case


def disks(case):
    return {serial: fingerprint(case.disk(serial)) for serial in FOREIGN}


def without_disks(case):
    """A stand-in whose only disks were taken out."""
    case.create(*SMALL)
    config = case.machine_dir / "machine.yaml"
    lines, kept, inside = config.read_text().splitlines(), [], False
    for line in lines:
        if line.startswith("disks:"):
            kept.append("disks: []")
            inside = True
        elif inside and line[:1] in (" ", "-"):
            continue
        else:
            inside = False
            kept.append(line)
    config.write_text("\n".join(kept) + "\n")
    for path in (case.machine_dir / "disks").glob("*"):
        path.unlink()
    same(case.on("facts", "--json").json()["disks"], [], "disks")
    return case


def node_data(case):
    raw = (case.machine_dir / "vars" / NODE).read_bytes()
    same(struct.unpack("<I", raw[:4])[0], 7, "attributes: non-volatile, boot, runtime")
    assert len(raw) - 4 <= 2048
    return json.loads(raw[4:])


def next_of(case):
    raw = (case.machine_dir / "vars" / f"BootNext-{GLOBAL}").read_bytes()[4:]
    return struct.unpack("<H", raw)[0]


@test("without any disk: entries, mode and admission are set; the node reads them; undo is exact")
def _(case):
    without_disks(case)
    before = variables(case)
    expect(case.on("install", "--answers", answers(case)), 0, "Disk     none", "last-known-good")
    data = node_data(case)
    same((data["hostname"], data["mode"], data["slots"]), ("edge-12", "network", []), "node data")
    same(data["admission"], [{"kind": "attest", "url": "https://attest.example/v1"}], "admission")
    same(next_of(case), case.entries()[1][0], "BootNext is the network, which is first")
    expect(case.on("node", "config", case.dir / "out"), 0)
    same((case.dir / "out" / "attest_url").read_text(), "https://attest.example/v1\n", "its URL")
    same(expect(case.on("--json", "mode"), 0).json()["mode"], "network", "mode")
    status = expect(case.on("--json", "status"), 0).json()
    same([(d["disk"], d["node"]["hostname"]) for d in status["installed"]], [("none", "edge-12")],
         "installed")
    same([(j["disk"], j["state"]) for j in status["journals"]], [("none", "done")], "journals")
    expect(case.on("status"), 0, "no disk: node edge-12, mode network")
    expect(case.on("--yes", "undo"), 0)
    same(variables(case), before, "variables after undo")
    expect(case.on("--yes", "undo"), 5, "nothing to undo")


@test("a disk installed later takes the node data out of the firmware; its undo gives them back")
def _(case):
    case.create()
    expect(case.on("install", "--answers", answers(case)), 0)
    before = variables(case)
    assert NODE in before, sorted(before)
    for more in ("", "  mode: hands-off\n"):
        disk = case.answers(name="disk.yaml", replace=[("  mode: local\n", more)] if more else [])
        expect(case.on("install", "--yes", "--answers", disk), 0, "are gone from the firmware")
        assert NODE not in variables(case), "the old node data"
        same(expect(case.on("--json", "status"), 0).json()["installed"][0]["disk"], "nvme0n1", more)
        expect(case.on("--yes", "undo", "--disk", "nvme0n1"), 0)
        same(variables(case), before, f"variables after undo {more}")


@test("disks that are there stay as they are, to the byte, in install and undo")
def _(case):
    with_disks(case)
    image, before = disks(case), variables(case)
    expect(case.on("install", "--answers", answers(case)), 0)
    assert variables(case) != before
    same(disks(case), image, "disks after the install")
    expect(case.on("--yes", "undo"), 0)
    same((disks(case), variables(case)), (image, before), "disks and variables after undo")


@test("plan, apply and undo --dry-run say what is set and what is lost; a second time changes "
      "nothing")
def _(case):
    case.create(*SMALL)
    before = variables(case)
    plan = case.dir / "plan.json"
    expect(case.on("plan", "--answers", answers(case), "-o", plan), 0)
    saved = json.loads(plan.read_text())
    same((saved["disks"], saved["partitions"]), ([], []), "disks and partitions of the plan")
    same([s["kind"] for s in saved["steps"]], list(STEPS), "steps")
    expect(case.on("plan", "--answers", answers(case)), 0, "no last-known-good image",
           "are lost when it")
    expect(case.on("apply", plan), 4, "nobody is there to confirm")
    same(variables(case), before, "variables")
    expect(case.on("--yes", "apply", plan), 0)
    expect(case.on("undo", "--dry-run"), 0, "no disk was written")
    expect(case.on("--yes", "apply", plan), 4, "have changed since the plan was made")


@test("cut off in every step: resume finishes it, undo gives the variables back bit by bit")
def _(case):
    with_disks(case)
    image, before = disks(case), variables(case)
    path = answers(case)
    for kind, how in itertools.product(STEPS[1:], ("undo", "resume")):
        (case.machine_dir / "run" / "no-disk.journal").unlink(missing_ok=True)
        shutil.rmtree(case.machine_dir / "vars")
        (case.machine_dir / "vars").mkdir()
        for name, data in before.items():
            (case.machine_dir / "vars" / name).write_bytes(data)
        power_cut(case, kind, path)
        journals = case.on("--json", "status").json()["journals"]
        same([j["state"] for j in journals], ["interrupted"], "journals")
        expect(case.on("--yes", how), 0)
        if how == "resume":
            same(node_data(case)["hostname"], "edge-12", "node data after resume")
            expect(case.on("--yes", "undo"), 0)
        same((disks(case), variables(case)), (image, before), f"after {kind}, {how}")


@test("power lost with the run directory: the copy named in the answers brings everything back")
def _(case):
    case.create(*SMALL)
    before = variables(case)
    store = case.dir / "store"
    store.mkdir()
    path = answers(case, f"{{use: none, undo-copy: {store}}}")
    expect(case.on("install", "--answers", path), 0, str(store))
    shutil.rmtree(case.machine_dir / "run")
    expect(case.on("--yes", "undo"), 5, "nothing to undo")
    copies = list(store.iterdir())
    same([c.name for c in copies], ["slipway-undo-edge-12.bin"], "copies")
    expect(case.on("--yes", "undo", "--from", copies[0]), 0)
    same(variables(case), before, "variables after undo from the copy")


@test("what needs a disk does not go with disk: none, nor does another mode; the place is named")
def _(case):
    case.create(*SMALL)
    before = variables(case)
    expect(case.on("install", "--answers", answers(case, mode="local")), 3,
           "none.yaml:6:", "boot.mode must be network")
    for disk, more, key in (
            ("{use: none, layout: mirror}", "", "disk.layout"),
            ("{use: none, preserve: [state]}", "", "disk.preserve"),
            ("{use: none, match: {serial: NODE07SYS}}", "", "disk.match.serial"),
            ("{use: none, wipe: any}", "", "disk.wipe"),
            ("none", "rescue: {uki: /r.efi}\n", "rescue.uki"),
            ("none", "trust: none\n", "trust.policy"),
            ("none", "payload: {uki: /n.efi}\n", "payload.uki")):
        expect(case.on("install", "--answers", answers(case, disk, more=more)), 3,
               "none.yaml:", f"{key} does not go with disk: none")
    expect(case.on("install", "--answers", answers(case, "some")), 3, "none.yaml:4:7",
           "disk is a group of keys")
    same(variables(case), before, "variables")
    plans = [expect(case.on("plan", "--json", "--answers", answers(case, disk)), 0).json()["steps"]
             for disk in ("{use: none}", '{use: none, layout: ""}')]
    same(plans[1], plans[0], "the plan with a layout that was emptied")


@test("a disk with a node is not passed over: refused, nothing written")
def _(case):
    case.create()
    expect(case.on("install", "--answers", case.answers()), 0)
    before = variables(case)
    expect(case.on("install", "--answers", answers(case)), 4, "a disk here holds a node")
    same(variables(case), before, "variables")


@test("undo of an install to a disk leaves order and mode to a node without a disk that came later")
def _(case):
    case.create()
    config = case.machine_dir / "machine.yaml"
    whole = config.read_text()

    def order():
        entries = case.on("--json", "boot", "list").json()["entries"]
        return [e["label"] for e in sorted(entries, key=lambda e: e["position"]) if e["position"]]
    path = case.machine_dir / "vars" / f"BootOrder-{GLOBAL}"
    raw = path.read_bytes()
    path.write_bytes(raw[:4] + raw[6:8] + raw[4:6] + raw[8:])   # the network not first
    bare = order()
    expect(case.on("install", "--answers", case.answers()), 0)
    config.write_text("".join(d for d in re.split(r"(?m)^(?=  - )", whole)
                              if "NODE07SYS" not in d))
    expect(case.on("install", "--answers", answers(case)), 0)
    config.write_text(whole)
    mode = {name: data for name, data in variables(case).items() if OURS in name}
    assert NODE in mode and "PXE" in order()[0], (sorted(mode), order())
    after = [label for label in order() if label not in ("Slipway A", "Slipway B")]
    assert after != bare, after
    expect(case.on("--yes", "undo", "--disk", "nvme0n1"), 0, "entries that are newer",
           "the boot mode is a newer install's and stays")
    same(order(), after, "the order")
    same({n: d for n, d in variables(case).items() if OURS in n}, mode, "mode and node data")
    expect(case.on("status"), 0, "no disk: node edge-12, mode network")


@test("no secret goes into the firmware; name and attestation URL can be changed there")
def _(case):
    without_disks(case)
    expect(case.on("install", "--answers", answers(case)), 0)
    before = variables(case)
    secret = case.dir / "secret"
    secret.write_text("K1")
    expect(case.on("node", "set", f"join=@{secret}"), 4, "no secret may be in it")
    same(variables(case), before, "variables")
    expect(case.on("node", "set", "hostname=edge-13"), 0)
    same(node_data(case)["hostname"], "edge-13", "hostname")


main()
