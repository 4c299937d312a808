#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the answers' node says: machine ID, who may log in, the SSH host key's fingerprint."""

import json
import os
import subprocess

import lib
from lib import SOURCE, expect, main, need, same, test, tool
from swtpm import Tpm

HOST = "  hostname: node-07"
KEYS = HOST + """
  machine-id: %s
  ssh:
    host-key: make
    authorized-keys: ['%s']"""


def public(case, name):
    """A key of somebody who may log in."""
    tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", case.dir / name)
    return (case.dir / f"{name}.pub").read_text().strip()


def install(case, key, machine_id="derive"):
    answers = case.answers(replace=[(HOST, KEYS % (machine_id, key))])
    said = expect(case.on("--json", "--yes", "install", "--answers", answers), 0)
    events = [json.loads(line) for line in said.out.splitlines() if line.startswith("{\"event\"")]
    return next(e for e in events if e["event"] == "done")


def configured(case):
    folder = case.dir / "config"
    expect(case.on("node", "config", folder), 0)
    return folder


def on_node(case, script):
    """The functions of slipway-node.sh with a directory as the node's /."""
    env = dict(os.environ, NODE_SLIPWAY=str(case.program()), NODE_ROOT=str(case.dir / "root"),
               NODE_HOSTNAME=str(case.dir / "kernel-hostname"))
    done = subprocess.run(["sh", "-ec", f". {SOURCE}/docs/examples/node/slipway-node.sh\n{script}"],
                          capture_output=True, text=True, env=env, timeout=120, check=False)
    same(done.returncode, 0, f"{done.stdout}\n{done.stderr}")
    return done.stdout


@test("the install makes the SSH host key, tells its fingerprint, and only the TPM gives it back")
def _(case):
    need("ssh-keygen", "swtpm")
    tpm = Tpm(case.create())
    key = public(case, "ops")
    done = install(case, key)
    expect(case.on("plan", "--answers", case.dir / "node.yaml"), 0, "machine ID ",
           "the host key is kept, 1 key may log in as root")
    folder, root = configured(case), case.dir / "root"
    host = folder / "ssh/ssh_host_ed25519_key.pub"
    judged = tool("ssh-keygen", "-l", "-f", host).stdout.split()
    same((judged[1], judged[2]), (done["ssh_host_key"], "root@node-07"), "fingerprint")
    expect(case.on("status"), 0, "SSH host key   " + judged[1])
    same((folder / "ssh/authorized_keys").read_text(), key + "\n", "who may log in")
    (root / "root/.ssh").mkdir(parents=True)
    (root / "root/.ssh/authorized_keys").write_text("ssh-rsa of-the-image\n")
    for _ in range(2):  # at the next start in the same tree nothing is there twice
        on_node(case, f"node_ssh {folder}")
    same((root / "root/.ssh/authorized_keys").read_text(), f"ssh-rsa of-the-image\n{key}\n", "keys")
    private = root / "etc/ssh/ssh_host_ed25519_key"
    same(private.stat().st_mode & 0o777, 0o600, "mode of the private half")
    same(tool("ssh-keygen", "-y", "-f", private).stdout.split()[1], host.read_text().split()[1],
         "the private half belongs to the public one")
    secret = private.read_text().splitlines()[4]  # where the seed is
    for path in case.machine_dir.rglob("*"):
        if path.is_file() and not path.is_symlink():
            found = any(secret.encode() in data for _, data in lib.allocated(path))
            assert not found, f"the private half is in {path}"
    same(tpm.left(), "", "left in the TPM")


@test("a host key that the TPM no longer opens is said, and the node goes on without it")
def _(case):
    need("ssh-keygen", "swtpm")
    tpm = Tpm(case.create())
    install(case, public(case, "ops"))
    tpm.tool("tpm2_clear", "-c", "p")
    said = on_node(case, f"node_ssh {configured(case)}")
    assert "sshd makes another" in said, said
    assert not (case.dir / "root/etc/ssh/ssh_host_ed25519_key").exists(), "a key from nowhere"


@test("the machine ID is the same again from the same answers, or the one that is given")
def _(case):
    need("swtpm")
    Tpm(case.create())
    key = public(case, "ops")
    install(case, key)
    first = (configured(case) / "machine-id").read_text()
    same((len(first), first[12]), (33, "4"), "32 hex digits, as systemd makes them")
    answers = case.dir / "node.yaml"
    expect(case.on("--yes", "install", "--answers", answers), 0)
    same((configured(case) / "machine-id").read_text(), first, "again")
    answers.write_text(answers.read_text().replace("derive", "0123456789abcdef0123456789ABCDEF")
                       .replace("wipe: blank", "wipe: any"))
    expect(case.on("--yes", "install", "--answers", answers), 0)
    folder = configured(case)
    on_node(case, f"node_identity {folder}")
    same((case.dir / "root/etc/machine-id").read_text(), "0123456789abcdef" * 2 + "\n", "given")
    same((case.dir / "root/etc/hostname").read_text(), "node-07\n", "hostname")
    same((case.dir / "kernel-hostname").read_text(), "node-07\n", "the kernel's")


@test("without a TPM a host key is refused before anything is written, with the way out")
def _(case):
    case.create(extra=["--no-tpm"])
    answers = case.answers(replace=[(HOST, HOST + "\n  ssh: {host-key: make}")])
    failed = expect(case.on("--yes", "install", "--answers", answers), 5)
    assert "node.ssh.host-key" in failed.err and "leave the key away" in failed.err, failed.err
    expect(case.on("status"), 0, "nothing is installed")


if __name__ == "__main__":
    main()
