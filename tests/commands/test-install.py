# SPDX-License-Identifier: Apache-2.0
"""Installs on a stand-in machine, looked at with other people's tools."""
import json
import os
import subprocess
import time

from lib import (GLOBAL, MiB, Server, SLIPWAY, cut, expect, head, main, need, partitions,
                 same, section, sha256, tail, test, tool)

FAT = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"


def install(case, *args, **more):
    case.create()
    return expect(case.on("install", "--answers", case.answers(**more), *args), 0)


def slot_file(case, part, name="::/EFI/BOOT/BOOTX64.EFI", serial="NODE07SYS"):
    out = case.dir / "from-slot"
    out.unlink(missing_ok=True)
    tool("mcopy", "-n", "-i", f"{case.disk(serial)}@@{part['start'] * 512}", name, out)
    return out


@test("an install leaves a table that sfdisk and sgdisk find right, with the layout's partitions")
def _(case):
    need("sfdisk", "sgdisk")
    install(case)
    disk = case.disk()
    parts = partitions(disk)
    same(sorted(parts), ["slipway-a", "slipway-b", "slipway-node", "state"], "partitions")
    for label in ("slipway-a", "slipway-b"):
        same(parts[label]["type"].lower(), FAT, f"type of {label}")
        same(parts[label]["size"] * 512, 512 * MiB, f"size of {label}")
    for part in parts.values():
        assert part["start"] % 8 == 0, f"{part} is not aligned"
    out = tool("sgdisk", "-v", disk).stdout
    assert "No problems found" in out, out


@test("slot A is a sound FAT with a UKI that carries kernel, initrd and command line unchanged")
def _(case):
    need("mcopy", "fsck.vfat")
    install(case)
    part = partitions(case.disk())["slipway-a"]
    image = cut(case.disk(), part, case.dir / "slot.img")
    tool("fsck.vfat", "-n", image)
    uki = slot_file(case, part)
    kernel, initrd = case.dir / "vmlinuz", case.dir / "initrd"
    assert section(uki, ".linux") == kernel.read_bytes(), "another kernel"
    assert section(uki, ".initrd") == initrd.read_bytes(), "another initrd"
    words = section(uki, ".cmdline").decode().rstrip("\0").split()
    for word in ("console=ttyS0,115200", "panic=10", "ember.attest_url=https://attest.example/v1"):
        assert word in words, words


@test("the state partition is a sound ext4, and slot B holds nothing that looks like content")
def _(case):
    need("e2fsck", "blkid")
    install(case)
    parts = partitions(case.disk())
    tool("e2fsck", "-fn", cut(case.disk(), parts["state"], case.dir / "state.img"))
    other = cut(case.disk(), parts["slipway-b"], case.dir / "b.img")
    same(tool("blkid", "-p", other, check=False).stdout, "", "blkid on slot B")


@test("a script that installs the same answers again writes nothing, unless they say always")
def _(case):
    install(case)
    before = os.stat(case.disk()).st_mtime_ns
    again = expect(case.on("install", "--answers", case.answers()), 0)
    assert "nothing was done" in again.err, again
    same(again.out, "", "what it printed")
    same(os.stat(case.disk()).st_mtime_ns, before, "when the disk was written last")
    other = case.answers(replace=[("node-07", "node-08")])
    assert "node-08" in expect(case.on("install", "--answers", other), 0).out
    always = case.answers(replace=[("node-07", "node-08"),
                                   ("finish:", "reinstall: always\nfinish:")])
    assert "Payload" in expect(case.on("install", "--answers", always), 0).out
    assert "Payload" in expect(case.on("install", "--answers", always), 0).out


def own_layout(case, old, new):
    """The answers' replacement for layout node with another state partition."""
    layout = case.own_layout()
    state = layout / "40-state.conf"
    state.write_text(state.read_text().replace(old, new))
    return [("layout: node", f"layout: {layout}")]


@test("an install fills partitions as the layout says: files, directories, blocks; ext4 and xfs")
def _(case):
    need("e2fsck", "mkfs.xfs", "xfs_repair", "xfs_db")
    (case.dir / "motd").write_text("hello\n")
    blob = case.dir / "blob"
    blob.write_bytes(os.urandom(MiB))
    replace = own_layout(case, "Format=ext4", "Format=xfs\nMakeDirectories=/var/lib")
    (case.dir / "layout/41-extra.conf").write_text(
        "[Partition]\nType=home\nLabel=extra\nSizeMaxBytes=64M\nPaddingMinBytes=6M\n"
        f"CopyFiles={case.dir / 'motd'}:/etc/motd\n")
    (case.dir / "layout/30-raw.conf").write_text(
        f"[Partition]\nType=srv\nLabel=raw\nSizeMaxBytes=4M\nCopyBlocks={blob}\n")
    install(case, replace=replace)
    parts = partitions(case.disk())
    part = cut(case.disk(), parts["state"], case.dir / "part.img")
    tool("xfs_repair", "-n", part)
    assert "lib" in tool("xfs_db", "-r", "-c", "ls /var", part).stdout
    part = cut(case.disk(), parts["extra"], part)
    tool("e2fsck", "-fn", part)
    same(tool("debugfs", "-R", "cat /etc/motd", part).stdout, "hello\n", "file in ext4")
    part = cut(case.disk(), parts["raw"], part)
    assert part.read_bytes()[:MiB] == blob.read_bytes(), "other blocks"


@test("a file that the layout copies and that is not there is exit 5, and nothing is written")
def _(case):
    case.create()
    replace = own_layout(case, "Format=ext4", "Format=ext4\nCopyFiles=/not/there:/x")
    before = sha256(head(case.disk()))
    expect(case.on("install", "--answers", case.answers(replace=replace)), 5, "/not/there")
    same(sha256(head(case.disk())), before, "disk")


@test("Slipway A is an entry for slot A's partition and comes first; foreign entries stay the same")
def _(case):
    need("sfdisk")
    case.create()
    before, order = case.entries()
    raw = {p.name: p.read_bytes() for p in (case.machine_dir / "vars").glob(f"Boot0*-{GLOBAL}")}
    expect(case.on("install", "--answers", case.answers()), 0)
    after, new = case.entries()
    parts = partitions(case.disk())
    ours = {label: (number, uuid, path) for number, (label, uuid, path) in after.items()
            if label.startswith("Slipway")}
    number, uuid, path = ours["Slipway A"]
    same(uuid, parts["slipway-a"]["uuid"].lower(), "GUID of Slipway A")
    same(path.upper(), "\\EFI\\BOOT\\BOOTX64.EFI", "path of Slipway A")
    same(new[0], number, "first in BootOrder")
    same([n for n in new if n in order], order, "order of the others")
    assert set(before) <= set(after)
    for name, data in raw.items():
        same((case.machine_dir / "vars" / name).read_bytes(), data, name)


@test("the other disk is not touched")
def _(case):
    case.create()
    other = case.disk("DATA4711")
    tool("sfdisk", "-q", other, input="label: gpt\nsize=1G, name=photos, type=linux\n")
    before, blocks = sha256(head(other, 4 * MiB) + tail(other, 4 * MiB)), os.stat(other).st_blocks
    expect(case.on("install", "--answers", case.answers()), 0)
    same(sha256(head(other, 4 * MiB) + tail(other, 4 * MiB)), before, "content")
    same(os.stat(other).st_blocks, blocks, "allocated blocks")


@test("two installs of the same answers give the same partition UUIDs")
def _(case):
    install(case)
    first = {k: v["uuid"] for k, v in partitions(case.disk()).items()}
    expect(case.on("install", "--answers", case.dir / "node.yaml"), 0)
    same({k: v["uuid"] for k, v in partitions(case.disk()).items()}, first, "UUIDs")


@test("status after an install names the node, the slot with a right hash, and the entry")
def _(case):
    install(case)
    expect(case.on("status"), 0, "node-07", "slipway-a", "hash right", "Slipway A")
    status = case.on("--json", "status").json()
    same([j["state"] for j in status["journals"]], ["done"], "journals")
    slots = {s["partition"]: s for s in status["installed"][0]["slots"]}
    same((slots["slipway-a"]["filled"], slots["slipway-b"]["filled"]), (True, False), "slots")
    uki = slot_file(case, partitions(case.disk())["slipway-a"])
    same(slots["slipway-a"]["sha256"], sha256(uki), "hash in the manifest")


@test("boot list shows our entry first and whose each one is")
def _(case):
    install(case)
    entries = case.on("--json", "boot", "list").json()["entries"]
    first = [e for e in entries if e["position"] == 1]
    same([(e["label"], e["owner"]) for e in first], [("Slipway A", "ours")], "first entry")
    expect(case.on("boot", "list"), 0, "Slipway A")


@test("--json prints one event a line: every step starts and finishes, and the end is done")
def _(case):
    case.create()
    result = expect(case.on("--json", "install", "--answers", case.answers()), 0)
    events = [json.loads(line) for line in result.out.splitlines()]
    started = [e["step"] for e in events if e["event"] == "start"]
    same(started, list(range(1, started[-1] + 1)), "started steps")
    same([e["step"] for e in events if e["event"] == "finish"], started, "finished steps")
    same((events[-1]["event"], events[-1]["result"]), ("done", 0), "last event")


@test("a saved plan installs, and is refused (exit 4, nothing written) on a changed disk")
def _(case):
    case.create()
    plan = case.dir / "plan.json"
    expect(case.on("plan", "--answers", case.answers(), "-o", plan), 0)
    tool("sfdisk", "-q", case.disk(), input="label: gpt\nsize=1G, name=new, type=linux\n")
    before = sha256(head(case.disk())) + sha256(tail(case.disk(), 8 * MiB))
    expect(case.on("apply", "--yes", plan), 4)
    same(sha256(head(case.disk())) + sha256(tail(case.disk(), 8 * MiB)), before, "disk")
    expect(case.on("plan", "--answers", case.answers(), "-o", plan), 0)
    expect(case.on("apply", plan), 4, "--yes")
    expect(case.on("apply", "--yes", plan), 0)
    assert "slipway-a" in partitions(case.disk())


@test("a saved plan that sets the network installs, and is undone")
def _(case):
    case.create()
    plan = case.dir / "plan.json"
    network = "network:\n  links: {name: lan0, addresses: 192.0.2.7/24}\nfinish: stay\n"
    answers = case.answers(replace=(("finish: stay\n", network),))
    expect(case.on("plan", "--answers", answers, "-o", plan), 0)
    before = sha256(head(case.disk()))
    expect(case.on("apply", "--yes", plan), 0)
    assert "slipway-a" in partitions(case.disk())
    expect(case.on("undo", "--yes"), 0)
    same(sha256(head(case.disk())), before, "disk")


@test("a plan that somebody edited is refused (exit 4), one that is none is exit 3")
def _(case):
    case.create()
    path = case.dir / "plan.json"
    expect(case.on("plan", "--answers", case.answers(), "-o", path), 0)
    plan = json.loads(path.read_text())
    plan["partitions"][0]["start"] += 4096
    path.write_text(json.dumps(plan))
    expect(case.on("apply", "--yes", path), 4, "plan.json", "was changed after it was made")
    path.write_text(json.dumps(json.loads("{}")))
    expect(case.on("apply", "--yes", path), 3, "plan.json")


@test("finish: reboot asks the machine to reboot, --no-finish does not")
def _(case):
    case.create()
    answers = case.answers(finish="reboot")
    note = case.machine_dir / "run/power"
    expect(case.on("install", "--no-finish", "--answers", answers), 0)
    assert not note.exists()
    expect(case.on("install", "--yes", "--answers", answers), 0)
    same(note.read_text().strip(), "reboot", "power")


@test("finish: kexec hands kernel, initrd and command line of the slot to the running kernel")
def _(case):
    case.create()
    answers = case.answers(finish="kexec")
    said = expect(case.on("install", "--yes", "--answers", answers), 0, "Starting the node.").out
    said = " ".join(said.split())
    for text in ("starts the node without the firmware", "has the measurements of this system"):
        assert text in said, said
    run = case.machine_dir / "run"
    same((run / "power").read_text().strip(), "kexec", "power")
    kernel, initrd = case.payload()
    same((run / "kexec/kernel").read_bytes(), kernel.read_bytes(), "kernel")
    same((run / "kexec/initrd").read_bytes(), initrd.read_bytes(), "initrd")
    line = (run / "kexec/cmdline").read_text()
    assert line.startswith("console=ttyS0,115200 panic=10 "), line
    assert line.endswith(" node.src=a"), line
    same([p.name for p in run.glob("handover*")], [], "left behind")


@test("finish: kexec on a machine whose kernel does not do it: refused, with the reason")
def _(case):
    case.create()
    facts = case.on("facts", "--json").json()
    facts["no_kexec"] = "the running kernel is locked down"
    path = case.dir / "facts.json"
    path.write_text(json.dumps(facts))
    answers = case.answers(finish="kexec")
    expect(case.run("--facts", path, "plan", "--answers", answers), 4, "finish: kexec cannot be",
           "the running kernel is locked down", "use finish: reboot")
    expect(case.run("--facts", path, "plan", "--answers", case.answers()), 0)


@test("a payload over HTTP is fetched, and resumed when the server resets at 30 %")
def _(case):
    case.create()
    kernel, _ = case.payload()
    server = Server(case.dir, cut_at=kernel.stat().st_size * 3 // 10, cuts=1)
    try:
        answers = case.answers(kernel=f"{server.url}/vmlinuz", initrd=f"{server.url}/initrd")
        expect(case.on("install", "--answers", answers), 0)
    finally:
        server.close()
    assert any(asked for _, asked in server.hits), f"nothing was resumed: {server.hits}"
    assert "slipway-a" in partitions(case.disk())


@test("what a URL carries behind its '?' is not in the review, the log, the status or the slot")
def _(case):
    case.create()
    kernel, _ = case.payload()
    server = Server(case.dir, cut_at=kernel.stat().st_size * 3 // 10, cuts=1)
    try:
        answers = case.answers(kernel=f"{server.url}/vmlinuz?token=hush",
                               initrd=f"{server.url}/initrd?token=hush")
        said = [case.on("plan", "--answers", answers), case.on("install", "--answers", answers)]
    finally:
        server.close()
    assert any(path.endswith("?token=hush") for path, _ in server.hits), server.hits
    said.append(case.on("--json", "status"))
    for result in said:
        expect(result, 0)
        assert "hush" not in result.out + result.err, result
    assert "/vmlinuz?..." in said[0].out and "/vmlinuz?..." in said[1].out, said
    manifest = slot_file(case, partitions(case.disk())["slipway-a"], "::/SLIPWAY/MANIFEST")
    assert b"/vmlinuz?..." in manifest.read_bytes() and b"hush" not in manifest.read_bytes()


@test("a payload with another hash is exit 8, names the file, and nothing was written")
def _(case):
    case.create()
    before = sha256(head(case.disk())) + sha256(tail(case.disk(), 8 * MiB))
    result = case.on("install", "--answers", case.answers(kernel_sha256="0" * 64))
    expect(result, 8, "vmlinuz")
    same(sha256(head(case.disk())) + sha256(tail(case.disk(), 8 * MiB)), before, "disk")
    status = case.on("--json", "status").json()
    same((status["journals"], status["installed"]), ([], []), "status")


@test("a payload that is not there is one message and nothing was written")
def _(case):
    case.create()
    server = Server(case.dir)
    try:
        answers = case.answers(kernel=f"{server.url}/nothing", initrd=f"{server.url}/initrd")
        result = case.on("install", "--answers", answers)
    finally:
        server.close()
    assert result.code in (5, 10), result
    assert "404" in result.err, result


@test("answers over http need a hash, and a wrong one is exit 8")
def _(case):
    case.create()
    answers = case.answers()
    server = Server(case.dir)
    url = f"{server.url}/node.yaml"
    try:
        expect(case.on("install", "--dry-run", "--answers", url), 2, "--sha256")
        expect(case.on("install", "--dry-run", "--answers", url, "--sha256", "0" * 64), 8)
        expect(case.on("install", "--dry-run", "--answers", url, "--sha256", sha256(answers)), 0,
               "NODE07SYS")
    finally:
        server.close()


@test("an install on 4096-byte sectors gives a table that fdisk reads with that size")
def _(case):
    need("fdisk", "e2fsck")
    case.create("serial=NODE07SYS,size=4G,transport=nvme,sector=4096")
    expect(case.on("install", "--answers", case.answers()), 0)
    disk = case.disk()
    lines = tool("fdisk", "-b", "4096", "-l", "-o", "Start,Sectors,Name", disk).stdout.splitlines()
    rows = [line.split() for line in lines if line.strip()[:1].isdigit()]
    parts = {name: {"start": int(start), "size": int(size)} for start, size, name in rows}
    same(sorted(parts), ["slipway-a", "slipway-b", "slipway-node", "state"], "partitions")
    out = case.dir / "uki"
    tool("mcopy", "-n", "-i", f"{disk}@@{parts['slipway-a']['start'] * 4096}",
         "::/EFI/BOOT/BOOTX64.EFI", out)
    tool("e2fsck", "-fn", cut(disk, parts["state"], case.dir / "state.img", sector=4096))


@test("on a BIOS machine an install is refused or named as one without boot entries")
def _(case):
    case.create("serial=NODE07SYS,size=4G,transport=sata", extra=("--firmware", "bios"))
    result = case.on("install", "--answers", case.answers())
    assert result.code in (0, 4, 5), result
    assert "UEFI" in result.out + result.err or "BIOS" in result.out + result.err, result
    expect(case.on("boot", "list"), 5, "BIOS")


def talk(case, answers, typed):
    """Installs at a terminal, and types once it asks; (exit code, what was shown)."""
    left = [typed]
    return case.at_terminal(lambda shown: left.pop() if left and "to start:" in shown else None,
                            "install", "--answers", answers)


@test("at a terminal the end of the serial has to be typed; anything else cancels with exit 130")
def _(case):
    case.create()
    answers = case.answers()
    before = sha256(head(case.disk()))
    code, shown = talk(case, answers, "yes")
    same(code, 130, f"exit code\n{shown}")
    same(sha256(head(case.disk())), before, "disk")
    word = json.loads(case.on("--json", "plan", "--answers", answers).out)["disks"][0]["confirm"]
    assert "NODE07SYS".endswith(word) and len(word) >= 4, word
    code, shown = talk(case, answers, word)
    same(code, 0, f"exit code\n{shown}")
    assert "slipway-a" in partitions(case.disk())


@test("the install goes on when the process that started it is killed")
def _(case):
    case.create()
    kernel, _ = case.payload()
    answers = case.answers()
    child = subprocess.Popen([SLIPWAY, "--machine", str(case.machine_dir), "--json", "install",
                              "--answers", str(answers)], stdout=subprocess.PIPE, text=True)
    for line in child.stdout:
        if json.loads(line).get("event") == "start":
            break
    child.kill()
    child.wait()
    end = time.monotonic() + 240
    while time.monotonic() < end:
        states = [j["state"] for j in case.on("--json", "status").json()["journals"]]
        if states == ["done"]:
            return
        time.sleep(0.3)
    raise AssertionError(f"it did not end: {states}")


@test("the machine that installs gets the network of the answers")
def _(case):
    case.create()
    network = "network:\n  links: {name: lan0, addresses: 192.0.2.7/24}\nfinish: stay\n"
    answers = case.answers(replace=(("finish: stay\n", network),))
    at = case.machine_dir / "run/systemd/network"
    expect(case.on("--json", "install", "--answers", answers), 0, "Setting the network")
    text = (at / "10-slipway-01-lan0.network").read_text()
    assert "[Match]\nName=lan0\n" in text and "\nAddress=192.0.2.7/24\n" in text, text
    small = case.dir / "network.yaml"
    small.write_text("slipway: 1\nnetwork:\n  links: {name: lan1}\n")
    expect(case.on("network", "apply", small), 0, "the network is as it says")
    same([p.name for p in at.iterdir()], ["10-slipway-01-lan1.network"], "files")
    small.write_text("slipway: 1\nnetwork:\n  links: {name: v, vlan: {id: 7, link: lan1}}\n")
    expect(case.on("network", "apply", small), 3, "network.yaml:3:", "no link has that name")
    facts = case.dir / "facts.json"
    facts.write_text(case.on("--json", "facts").out)
    small.write_text("slipway: 1\nnetwork:\n  links: {name: lan1}\n")
    expect(case.run("--facts", facts, "network", "apply", small), 4, "not slipway's to set")


if __name__ == "__main__":
    main()
