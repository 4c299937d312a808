# SPDX-License-Identifier: Apache-2.0
"""`slipway shell --state`: a shell in the node's state, of which nothing stays afterwards.

The state is made by mke2fs and debugfs and lies in the image of a stand-in's disk. Mounts, loop
devices and namespaces are the kernel's own, so this needs root and a kernel that has them.
"""
import contextlib
import os
import pty
import signal
import subprocess
import time
from pathlib import Path

from lib import SLIPWAY, MiB, Skip, expect, fingerprint, main, need, same, test, tool
from terminal import Reader, Terminal

SIZE, START, LENGTH = 160, 16, 96       # MiB: the disk, and the state on it
NOT_HERE = ("no loop device can be had", "no process of its own can be started",
            "it cannot be mounted: Operation not permitted")


def made(case, *debugfs, root=None, extra=("--no-tpm",)):
    """A machine whose disk has an ext4 called "state"; its image."""
    need("sfdisk", "mke2fs", "debugfs")
    if os.geteuid() != 0:
        raise Skip("it needs to be root")
    case.create(f"serial=NODE07SYS,size={SIZE}M,transport=nvme", "serial=EMPTY,size=4G",
                extra=extra)
    image, alone = case.disk(), case.dir / "state.img"
    tool("sfdisk", "-q", image, input=f"label: gpt\nstart={START}MiB, size={LENGTH}MiB, "
         "name=state\n")
    with open(alone, "wb") as file:
        file.truncate(LENGTH * MiB)
    tool("mke2fs", "-q", "-t", "ext4", *(("-d", root) if root else ()), alone)
    note = case.dir / "note"
    note.write_text("of the node\n")
    for words in (f"write {note} note", *debugfs):
        tool("debugfs", "-w", "-R", words, alone)
    with open(image, "r+b") as file:
        file.seek(START * MiB)
        file.write(alone.read_bytes())
    alone.unlink()
    return image


def state_of(image):
    return fingerprint(image, START * MiB, LENGTH * MiB)


def left(case):
    """What the kernel still has of it."""
    loops = []
    for path in Path("/sys/block").glob("loop*/loop/backing_file"):
        with contextlib.suppress(OSError):      # another's, which is just being given back
            loops += [path] if str(case.dir) in path.read_text() else []
    mounts = [line for line in Path("/proc/mounts").read_text().splitlines()
              if str(case.dir) in line]
    return loops, mounts, sorted(p.name for p in (case.machine_dir / "run").glob("state"))


def nothing_left(case, what):
    """The kernel gives a loop device back when whoever looks at it as well has let it go."""
    end = time.monotonic() + 60
    while left(case) != ([], [], []) and time.monotonic() < end:
        time.sleep(0.05)
    same(left(case), ([], [], []), what)


def shell(case, typed, *words):
    done = case.on("shell", "--state", *words, stdin=typed)
    for text in NOT_HERE:
        if text in done.err:
            raise Skip("this kernel, or who runs the tests, does not let it: " + text)
    nothing_left(case, "what is left of it")
    return done


@test("read-only it starts there in this system's shell, sees the files, and writes not one byte")
def _(case):
    # Deleted while it was open, and not unmounted: ext4 tidies that up on what it can write to.
    gone = case.dir / "gone"
    gone.write_text("deleted\n")
    image = made(case, f"write {gone} gone", "unlink gone", "sif <13> links_count 0",
                 "ssv last_orphan 13", "feature needs_recovery")
    before = state_of(image)
    typed = ("cat note; pwd; echo x >new || echo refused; mount -o remount,rw . || echo stays; "
             "echo pid $$; touch note; exit 7\n")
    done = expect(shell(case, typed), 0, "of the node", "refused", "stays", "Opened read-only",
                  "holds no system that could run a shell", "was not unmounted",
                  "unmounted. Nothing was written to it.")
    assert f"{case.machine_dir}/run/state" in done.out, done
    same(state_of(image), before, "what was only read")


@test("for writing it is asked explicitly, and what was written is on the disk when it has ended")
def _(case):
    image = made(case)
    expect(shell(case, "echo from the shell >new; exit\n", "--write"), 0, "Opened for writing")
    alone = case.dir / "after.img"
    with open(image, "rb") as file:
        file.seek(START * MiB)
        alone.write_bytes(file.read(LENGTH * MiB))
    same(tool("debugfs", "-R", "cat new", alone).stdout, "from the shell\n", "the file")
    same(tool("e2fsck", "-f", "-n", alone, check=False).returncode, 0, "e2fsck's judgement")


@test("a damaged one is not opened for writing unless that is said, and is opened for reading")
def _(case):
    image = made(case, "ssv state 2")
    before = state_of(image)
    refused = expect(shell(case, "echo in-$((40+2))\n", "--write"), 4, "is damaged",
                     "slipway doctor", "--damaged")
    assert "in-42" not in refused.out, refused
    expect(shell(case, "echo in-$((40+2))\n"), 0, "in-42", "file system is damaged")
    same(state_of(image), before, "the state")
    expect(shell(case, "echo x >new && echo in-$((40+2))\n", "--write", "--damaged"), 0, "in-42")


@test("where it holds a system its own /bin/sh is started, in a chroot with /dev, /proc and /sys")
def _(case):
    need("busybox")
    busybox = Path("/bin/busybox")
    if not busybox.exists() or b"statically" not in tool("file", "-L", busybox).stdout.encode():
        raise Skip("no static busybox")
    root = case.dir / "root"
    for name in ("bin", "dev", "proc", "sys", "tmp", "run"):
        (root / name).mkdir(parents=True)
    (root / "bin/busybox").write_bytes(busybox.read_bytes())
    (root / "bin/busybox").chmod(0o755)
    (root / "bin/sh").symlink_to("/bin/busybox")
    image = made(case, root=root)
    before = state_of(image)
    typed = ("/bin/busybox cat /note; /bin/busybox pwd; /bin/busybox ls /; "
             "/bin/busybox readlink /proc/1/exe; echo x >/dev/null && echo dev-$((40+2)); "
             "/bin/busybox test -d /sys/block && echo sys-$((40+2)); "
             "echo t >/tmp/t && echo tmp-$((40+2)); echo x >/new || echo refused; "
             "/bin/busybox sleep 1000 & exit\n")
    done = expect(shell(case, typed), 0, "of the node", "dev-42", "sys-42", "tmp-42", "refused",
                  "in a chroot", "unmounted. Nothing was written")
    assert "\n/\n" in done.out and "lost+found" in done.out, done
    same(state_of(image), before, "the state")


@test("without a state, and with two of them, it says so and what to do")
def _(case):
    case.create("serial=NODE07SYS,size=64M", extra=("--no-tpm",))
    expect(case.on("shell", "--state", stdin=""), 5, "there is no partition", "slipway disks")
    case2 = case.machine_dir.rename(case.dir / "old")
    assert case2
    case.create("serial=A,size=64M", "serial=B,size=64M", extra=("--no-tpm",))
    for serial in "AB":
        tool("sfdisk", "-q", case.disk(serial), input="label: gpt\nname=state\n")
    expect(case.on("shell", "--state", stdin=""), 4, "several partitions", "--disk NAME")
    expect(case.on("shell", "--write", stdin=""), 2, "go with --state")
    expect(case.on("shell", "--state", "--damaged", stdin=""), 2, "goes with --write")


@test("the TPM's keys are given up before there is a shell in it, and a second one is refused")
def _(case):
    need("swtpm")
    made(case, extra=())
    done = expect(shell(case, f"{SLIPWAY} --machine {case.machine_dir} shell --state; "
                        "echo status-$?; exit\n"), 0, "keeps what is sealed until",
                  "status-4", "a shell is open in the state already")
    assert done.err.index("keeps what is sealed") < done.err.index("Opened read-only"), done
    encrypted = case.answers(replace=[
        ("  layout: node", "  layout: encrypted\n  recovery: none\n  conflicts: ignore"),
        ("serial: NODE07SYS", "serial: EMPTY")])
    expect(case.on("install", "--answers", encrypted), 4,
           "a rescue shell was opened since this system started")


@test("encrypted, it is the TPM that is asked; without one and without a key it is one error")
def _(case):
    need("swtpm")
    case.create("serial=NODE07SYS,size=2G,transport=nvme")
    encrypted = case.answers(replace=[("  layout: node", "  layout: encrypted\n"
                                                         "  recovery: none")])
    expect(case.on("install", "--answers", encrypted), 0)
    opened = shell(case, "ls -d lost+found\n")
    if opened.code == 0:        # this kernel has a device mapper
        expect(opened, 0, "The TPM opens it", "lost+found", "its encryption closed")
    else:
        expect(opened, 5, "has no device mapper")
    yaml = case.machine_dir / "machine.yaml"
    yaml.write_text(yaml.read_text().replace("tpm: true", "tpm: false"))
    closed = expect(shell(case, "echo in-$((40+2))\n"), 5, "nothing opens the encrypted state",
                    "the TPM: ", "--key-file FILE")
    assert "in-42" not in closed.out, closed
    shown = asked_without_a_session(case)
    assert "has no device mapper" in shown or "this key does not open it" in shown, shown


def asked_without_a_session(case):
    """What is said on a terminal that is nobody's own, as a console's may be."""
    master, slave = pty.openpty()
    child = subprocess.Popen([SLIPWAY, "--machine", str(case.machine_dir), "shell", "--state"],
                             stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    case.children.append(child)
    reader, typed = Reader(master), 0
    for shown in reader.each():
        if shown.endswith("(it is not shown): "):
            typed += 1
            reader.send("-".join(["cbdefghi"] * 8) + "\n")
    child.wait()
    os.close(master)
    assert typed, reader.shown
    reader.never("cbdefghi")
    return reader.shown


@test("a mirror is read from one member, and never written to")
def _(case):
    need("mke2fs")
    disks = ("NODE07SYS", "DATA4711")
    case.create(*(f"serial={serial},size=2G" for serial in disks), extra=("--no-tpm",))
    mirror = case.answers(replace=[
        ("layout: node", "layout: mirror"),
        ("  wipe: any", "  wipe: any\n  more: [{match: {serial: DATA4711}, wipe: any}]")])
    expect(case.on("install", "--yes", "--answers", mirror), 0)
    before = [fingerprint(case.disk(serial), 0, 2 << 30) for serial in disks]
    expect(shell(case, "ls -d lost+found\n"), 0, "one member of a mirror", "lost+found")
    refused = expect(shell(case, "echo in-$((40+2))\n", "--write"), 4, "is not written")
    assert "in-42" not in refused.out, refused
    same([fingerprint(case.disk(serial), 0, 2 << 30) for serial in disks], before, "the disks")


def state_shell(case):
    """`slipway shell --state` on a terminal of its own, which can be hung up."""
    return Terminal([SLIPWAY, "--machine", case.machine_dir, "shell", "--state"], term=None)


def opened(case):
    image = made(case)
    shell(case, "exit\n")       # skips where it cannot be
    before = state_of(image)
    terminal = state_shell(case)
    terminal.wait("'exit' closes it")
    # A program that nothing but SIGKILL ends, and that stands in the way of an unmount.
    terminal.send("trap '' HUP TERM; (trap '' HUP TERM; sleep 1000) & echo in-$((40+2))\n")
    terminal.wait("in-42")
    assert left(case)[0], "no loop device while it is open"
    return terminal, image, before


@test("a line that is cut closes it, though the shell and what runs in it ignore that")
def _(case):
    terminal, image, before = opened(case)
    terminal.hang_up()
    nothing_left(case, "what is left of it")
    same(state_of(image), before, "the state")


def inside(pid):
    """The first process in there."""
    return int(subprocess.run(["pgrep", "-P", str(pid), "slipway-inside"], capture_output=True,
                              text=True, check=True).stdout.split()[0])


@test("the shell killed, and its guardian too, is closed as well")
def _(case):
    need("pgrep")
    terminal, image, before = opened(case)
    os.kill(inside(terminal.pid), signal.SIGKILL)
    terminal.wait("The state is unmounted")
    same(terminal.ended(), 0, "the exit code")
    nothing_left(case, "what is left of it")
    terminal = state_shell(case)
    terminal.wait("'exit' closes it")
    terminal.kill()
    end = time.monotonic() + 120
    while left(case)[:2] != ([], []) and time.monotonic() < end:
        time.sleep(0.05)
    same(left(case)[:2], ([], []), "what is left when slipway itself is killed")
    same(state_of(image), before, "the state")


if __name__ == "__main__":
    main()
