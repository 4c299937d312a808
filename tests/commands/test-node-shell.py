# SPDX-License-Identifier: Apache-2.0
"""The shipped shell functions of a node (docs/examples/node/slipway-node.sh), as they are, on a
stand-in machine: what they do to its boot variables and node data after each kind of start."""
import io
import os
import struct
import subprocess
import tarfile
import tempfile
from pathlib import Path

from attest_server import AttestServer
from lib import (GLOBAL, SOURCE, Server, expect, fake_initrd, main, need, same, sha256, test, tool)
from swtpm import Tpm

LOADER = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
FAILED = "the image on the server failed twice"
ARMED = "the next start is from the network"


def node(case):
    """A node in mode network that trusts one key, and the command that stands for its slipway."""
    need("ssh-keygen", "objcopy")
    case.create()
    expect(case.on("install", "--answers", case.answers()), 0)
    tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ops", "-f", case.dir / "key")
    expect(case.on("node", "set", f"trust=@{case.dir / 'key.pub'}"), 0)
    expect(case.on("mode", "network"), 0)
    case.program()


def image(case, word):
    """boot.efi on the server: signed, and like no other."""
    (case.dir / "initrd").write_bytes(fake_initrd(65536) + word.encode())
    (case.dir / "line").write_text("panic=10 " + word)
    words = ["objcopy"]
    for sect, source, at in ((".cmdline", "line", 0x30000), (".linux", "vmlinuz", 0x2000000),
                             (".initrd", "initrd", 0x4000000)):
        words += ["--add-section", f"{sect}={case.dir / source}",
                  "--change-section-vma", f"{sect}={at:#x}"]
    made = case.dir / "boot.efi"
    tool(*words, "/usr/lib/systemd/boot/efi/linuxx64.efi.stub", made)
    made.with_name("boot.efi.sig").unlink(missing_ok=True)
    tool("ssh-keygen", "-q", "-Y", "sign", "-n", "slipway-image", "-f", case.dir / "key", made)
    return sha256(made)


def variable(case, name, guid=GLOBAL):
    return case.machine_dir / "vars" / f"{name}-{guid}"


def started(case, label):
    """A restart that used BootNext up; label: the slot's entry that was started, None: the network
    (whose entry is Boot0001 on a stand-in machine)."""
    (case.machine_dir / "run" / "boot-id").unlink()
    variable(case, "BootNext").unlink(missing_ok=True)
    variable(case, "LoaderDevicePartUUID", LOADER).unlink(missing_ok=True)
    number = 1
    if label:
        number, entry = next((n, e) for n, e in case.entries()[0].items() if e[0] == label)
        variable(case, "LoaderDevicePartUUID", LOADER).write_bytes(
            struct.pack("<I", 6) + (entry[1] + "\0").encode("utf-16-le"))
    variable(case, "BootCurrent").write_bytes(struct.pack("<IH", 6, number))


def shell(case, script, sleeps=3, **more):
    """The functions, then script. Sleeping takes no time, and ends the script after so many."""
    env = dict(os.environ, NODE_SLIPWAY=str(case.dir / "slipway"), **more,
               NODE_RUN=str(case.dir / "run"))
    text = f"""mkdir -p "$NODE_RUN"
. {SOURCE / 'docs/examples/node/slipway-node.sh'}
n=0
sleep() {{ echo "SLEEP $1"; n=$((n + 1)); [ $n -lt {sleeps} ] || exit 7; }}
node_restart() {{ echo RESTART; }}
{script}
"""
    done = subprocess.run(["sh", "-c", text], capture_output=True, text=True, env=env,
                              timeout=120, check=False)
    assert done.returncode in (0, 7), f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def is_armed(case):
    return variable(case, "BootNext").exists()


def counted(case):
    seen = Path(tempfile.mkdtemp(dir=case.dir))
    tool(case.dir / "slipway", "node", "config", seen)
    found = seen / "config"
    return [(found / name).read_text() if (found / name).exists() else ""
            for name in ("network_image", "network_failures")]


@test("node_good keeps what came over the network and arms it; from a slot it arms nothing")
def _(case):
    node(case)
    wanted = image(case, "one")
    server = Server(case.dir)
    try:
        started(case, None)
        expect(case.on("node", "set", "network_failures=1", "network_image=x"), 0)
        shell(case, f"node_good {server.url}/boot.efi")
        slots = {s["slot"]: s for s in case.on("--json", "slots").json()["slots"]}
        same((slots["b"]["sha256"], slots["b"]["reason"]), (wanted, "accepted by the cluster"), "B")
        same((is_armed(case), counted(case)), (True, ["", ""]), "after a good start")
        started(case, "Slipway B")
        expect(case.on("boot", "order", "-f", "-y", "1"), 0)
        shell(case, f"node_good {server.url}/boot.efi")
        same(is_armed(case), False, "armed from a slot")
        same(case.entries()[0][case.entries()[1][0]][0], "Slipway B", "first of the order")
    finally:
        server.close()


def tree(case, name):
    path = case.dir / name / "etc/join"
    return path.read_text() if path.exists() else None


@test("node_admit attests, keeps the overlay for a start without the server, and takes no for no")
def _(case):
    need("openssl", "tpm2_checkquote")
    node(case)
    image(case, "one")
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        item = tarfile.TarInfo("etc/join")
        item.size = 5
        tar.addfile(item, io.BytesIO(b"word\n"))
    tpm, boot = Tpm(case), Server(case.dir)
    cluster = AttestServer(case.dir, out.getvalue())
    try:
        expect(case.on("node", "set", f"attest_url={cluster.url}",
                       f"attest_pin={cluster.authority.pin()}"), 0)
        started(case, None)
        expect(case.on("status"), 0, f"attest by {cluster.url}: not tried since this start")
        admit = f"node_admit {case.dir}/{{0}} {case.dir}/{{0}}.tar || echo REFUSED; "
        said = shell(case, admit.format("first"))
        same(("REFUSED" in said, tree(case, "first")), (True, None), "a node that is not enrolled")
        cluster.known.add(case.on("--json", "tpm", "ek").json()["node_id"])
        said = shell(case, admit.format("second") + f"node_good {boot.url}/boot.efi")
        same(("REFUSED" in said, tree(case, "second")), (False, "word\n"), "an enrolled node")
        told = expect(case.on("status"), 0, f"admitted by {cluster.url}, attest, ").out
        assert "NOT admitted" not in told and "not tried" not in told, told
        started(case, "Slipway B")
        (case.machine_dir / "run/admitted").unlink()    # as a restart leaves it: /run is memory
        [told] = case.on("--json", "status").json()["admissions"]
        same((told["admitted"], told["kept_overlay"], "time" in told),
             (True, sha256(case.dir / "second.tar"), False), "what a restarted node knows")
        expect(case.on("status"), 0, "not tried since this start; admitted before",
               told["kept_overlay"][:16])
        cluster.known.clear()
        shell(case, admit.format("third"))
        same(tree(case, "third"), None, "what was kept, after a refusal")
        cluster.close()
        said = shell(case, admit.format("fourth"), NODE_WAIT="0")
        same(("is away" in said, tree(case, "fourth")), (True, "word\n"), "without the server")
        same(tpm.left(), "", "left in the TPM")
    finally:
        cluster.close()
        boot.close()


@test("node_retry arms an image twice, waits for another, and starts its count anew with that")
def _(case):
    node(case)
    first = image(case, "bad")
    server = Server(case.dir)
    retry = f"node_good {server.url}/boot.efi; node_retry {server.url}/boot.efi"
    try:
        started(case, "Slipway A")      # the first time nobody has counted
        assert ARMED in shell(case, retry)
        same((is_armed(case), counted(case)), (True, [first, "2"]), "after the first")
        started(case, "Slipway A")
        said = shell(case, retry)
        assert FAILED in said and "SLEEP 3600" in said and ARMED not in said, said
        same(is_armed(case), False, "armed for a third time")
        second = image(case, "better")
        assert ARMED in shell(case, retry)
        same((is_armed(case), counted(case)), (True, [second, "1"]), "another image")
        started(case, None)
        shell(case, retry)
        same(counted(case), ["", ""], "after a good start")
    finally:
        server.close()


@test("node_retry asks with growing pauses while there is no server or no image")
def _(case):
    node(case)
    server = Server(case.dir)
    url = server.url + "/boot.efi"
    try:
        started(case, "Slipway A")
        said = shell(case, f"node_retry {url}", sleeps=9)
        same([line.split()[1] for line in said.splitlines() if line.startswith("SLEEP")],
             ["30", "60", "120", "240", "480", "960", "1920", "3600", "3600"], "pauses")
        (case.dir / "boot.efi").write_bytes(b"no image at all")
        assert "has nothing to start" in shell(case, f"node_retry {url}", sleeps=1)
    finally:
        server.close()
    image(case, "good")
    assert "has nothing to start" in shell(case, f"node_retry {url}", sleeps=1)
    same(is_armed(case), False, "armed")
    server = Server(case.dir)
    try:        # it was away: what failed before is not this image's fault
        said = shell(case, f"sleep() {{ url={server.url}/boot.efi; set -- $url; }}; "
                           f"node_image() {{ [ \"$url\" ] && echo ab12; }}; node_retry {url}")
        assert ARMED in said, said
        same(counted(case), ["ab12", "1"], "counted")
    finally:
        server.close()


@test("node_retry restarts only when it is told to, and does nothing outside mode network")
def _(case):
    node(case)
    image(case, "one")
    server = Server(case.dir)
    retry = f"node_retry {server.url}/boot.efi"
    try:
        started(case, "Slipway A")
        assert "RESTART" not in shell(case, retry)
        started(case, "Slipway A")
        image(case, "two")
        assert shell(case, retry, NODE_REBOOT="yes").endswith("RESTART\n")
        started(case, None)
        same(shell(case, retry, NODE_REBOOT="yes"), "", "over the network")
        expect(case.on("mode", "local"), 0)
        started(case, "Slipway A")
        same((shell(case, retry, NODE_REBOOT="yes"), is_armed(case)), ("", False), "mode local")
        assert "not accepted: restarting\nRESTART" in shell(case, "node_failed 'not accepted'")
    finally:
        server.close()


@test("node_watchdog feeds until the deadline and says so, and for ever once the node is good")
def _(case):
    node(case)
    feed = "node_watchdog; wait"
    said = shell(case, feed, sleeps=9, NODE_WATCHDOG="/dev/null", NODE_DEADLINE="15")
    same(said.splitlines()[:4], ["SLEEP 5"] * 3 + [
        "slipway-node: not good after 15 s: the watchdog restarts the machine"], "not good")
    said = shell(case, "touch $NODE_RUN/good; " + feed, sleeps=9, NODE_WATCHDOG="/dev/null",
                 NODE_DEADLINE="15")
    same(said.splitlines(), ["SLEEP 5"] * 9, "good")
    said = shell(case, feed, NODE_WATCHDOG=str(case.dir / "nothing"))
    assert "a hang needs somebody at the power switch" in said, said


if __name__ == "__main__":
    main()
