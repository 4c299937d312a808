# SPDX-License-Identifier: Apache-2.0
"""A copy of the node's disk in the machine: which of the two is it, and what when nobody knows."""
from lib import MiB, expect, main, need, partitions, same, test, tool
from museum import bad, findings, ranges

DISKS = ("serial=NODE07SYS,size=4G,model=Alpha,transport=nvme",
         "serial=DATA4711,size=4G,model=Beta,transport=sata")


def copy(source, target):
    """As dd does."""
    with open(target, "r+b") as to, open(source, "rb") as file:
        for start, end in ranges(file):
            file.seek(start)
            to.seek(start)
            to.write(file.read(end - start))


def installed(case, serial):
    """A node on the disk with this serial; the images of both disks."""
    case.create(*DISKS)
    expect(case.on("--yes", "install", "--answers",
                   case.answers(replace=[("NODE07SYS", serial)])), 0)
    return case.machine_dir / "disk-1.img", case.machine_dir / "disk-2.img"


def no_journal(image):
    with open(image, "r+b") as file:
        file.seek(4096 * MiB - 5 * MiB)
        file.write(bytes(4096))


def twins(case):
    return {f["id"]: f for f in bad(findings(case)) if f["id"].endswith("/twin")}


@test("the copy is the disk whose serial the install's journal does not name, wherever it stands")
def _(case):
    need("sgdisk")
    for serial, wanted in (("NODE07SYS", "sda/twin"), ("DATA4711", "nvme0n1/twin")):
        case.machine_dir = case.dir / serial
        images = installed(case, serial)
        node, other = images if serial == "NODE07SYS" else reversed(images)
        copy(node, other)
        found = twins(case)
        same(list(found), [wanted], f"installed on {serial}")
        same(found[wanted]["sure"], "certain", wanted)
        assert "confirm" not in found[wanted]["repair"], found
        expect(case.on("--yes", "doctor", "--repair", wanted), 0, "is gone")
        assert "slipway-a" in partitions(node), "the node itself was renamed"
        same(twins(case), {}, "afterwards")


@test("with nothing that tells them apart each is offered, says its cost, and wants its serial")
def _(case):
    node, other = installed(case, "NODE07SYS")
    copy(node, other)
    no_journal(node)
    no_journal(other)
    found = twins(case)
    same(sorted(found), ["nvme0n1/twin", "sda/twin"], "findings")
    for name, serial in (("nvme0n1/twin", "NODE07SYS"), ("sda/twin", "DATA4711")):
        repair = found[name]["repair"]
        same(found[name]["sure"], "likely", name)
        assert "does not start any more" in repair["loses"], repair
        assert len(repair["confirm"]) >= 4 and serial.endswith(repair["confirm"]), repair
    code, shown = case.at_terminal(lambda text: "yes" if text.endswith("this: ") else None,
                                   "doctor", "--repair", "sda/twin")
    same(code, 130, shown)
    same(sorted(twins(case)), ["nvme0n1/twin", "sda/twin"], "after a yes that was not asked for")
    expect(case.on("--yes", "doctor", "--repair", "sda/twin"), 0, "is gone")
    same(twins(case), {}, "afterwards")
    assert "slipway-a" in partitions(node) and "slipway-a" not in partitions(other)
    assert "No problems found" in tool("sgdisk", "-v", other).stdout


if __name__ == "__main__":
    main()
