#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What becomes of a node's secrets when it is installed again: kept where they open, else told."""
import json
import os

from lib import expect, main, need, same, test, tool
from powercut import power_cut
from swtpm import Tpm

HOST = "  hostname: node-07"
SECRET = "what the node was entrusted with"


def config(case):
    out = case.dir / "config"
    expect(case.on("node", "config", out), 0)
    return out


def by_systemd(case, tpm, name):
    cred = config(case) / "credentials" / f"{name}.cred"
    found = tool("systemd-creds", f"--tpm2-device=swtpm:path={tpm.path}", "decrypt",
                 f"--name={name}", cred, "-").stdout
    tpm.tool("tpm2_flushcontext", "-l", check=False)    # it leaves its sessions to /dev/tpmrm0
    return found


def node(case, host=HOST):
    need("swtpm", "systemd-creds", "ssh-keygen")
    tpm = Tpm(case.create())
    case.answers(replace=[(HOST, host)])
    done(install(case))
    return tpm


def install(case, *more, code=0):
    return expect(case.on("--json", "--yes", "install", "--answers", case.dir / "node.yaml", *more),
                  code)


def done(said):
    events = [json.loads(line) for line in said.out.splitlines() if line.startswith('{"event"')]
    return next(e for e in events if e["event"] == "done")


def answer(case, old, new):
    path = case.dir / "node.yaml"
    text = path.read_text()
    assert old in text, text
    path.write_text(text.replace(old, new, 1))


def review(case):
    """The review, on one line: where it wraps is of no interest here."""
    return " ".join(expect(case.on("plan", "--answers", case.dir / "node.yaml"), 0).out.split())


def plan(case):
    return {s["name"]: s["becomes"] for s in expect(
        case.on("--json", "plan", "--answers", case.dir / "node.yaml"), 0).json()["secrets"]}


def seal(case, *names):
    for name in names:
        expect(case.on("secret", "seal", name, stdin=SECRET + name), 0)


def opened(case, name, *more):
    return expect(case.on("secret", "open", name, *more), 0).out


def names(case):
    return [s["name"] for s in expect(case.on("--json", "secret", "list"), 0).json()["secrets"]]


@test("secrets that the TPM opens are there after another install, the same to the byte")
def _(case):
    tpm = node(case)
    seal(case, "join", "wifi")
    before = {name: (config(case) / "credentials" / f"{name}.cred").read_bytes()
              for name in ("join", "wifi")}
    same(plan(case), {"join": "kept", "wifi": "kept"}, "the plan")
    text = review(case)
    assert "Secrets join: kept, the TPM opens it wifi: kept" in text, text
    assert "Take over the secrets of the node that is there" in text, text
    facts = case.dir / "facts.json"
    facts.write_text(expect(case.on("--json", "facts"), 0).out)
    ask = ("--json", "plan", "--answers", case.dir / "node.yaml")
    same(expect(case.run("--facts", facts, *ask), 0).json()["secrets"],
         expect(case.on(*ask), 0).json()["secrets"], "from captured facts")
    install(case)
    for name, cred in before.items():
        same((config(case) / "credentials" / f"{name}.cred").read_bytes(), cred, name)
        same(opened(case, name), SECRET + name, name)
        same(by_systemd(case, tpm, name), SECRET + name, "systemd")
    same(tpm.left(), "", "left in the TPM")


@test("the SSH host key stays, public and private, and its fingerprint is told again")
def _(case):
    node(case, HOST + "\n  ssh: {host-key: make}")
    public = (config(case) / "ssh/ssh_host_ed25519_key.pub").read_text()
    private = opened(case, "ssh_host_ed25519_key")
    text = review(case)
    assert "SSH the host key is kept" in text and "a host key is made" not in text, text
    told = done(install(case))["ssh_host_key"]
    same(told, tool("ssh-keygen", "-l", "-f", config(case) / "ssh/ssh_host_ed25519_key.pub")
         .stdout.split()[1], "fingerprint")
    same((config(case) / "ssh/ssh_host_ed25519_key.pub").read_text(), public, "public half")
    same(opened(case, "ssh_host_ed25519_key"), private, "private half")
    answer(case, HOST + "\n", HOST + "\n  secrets: drop\n")
    text = review(case)
    assert "ssh_host_ed25519_key: dropped, as node.secrets says" in text, text
    assert "a host key is made and sealed" in text, text
    assert done(install(case))["ssh_host_key"] != told, "the same key again"


@test("what no longer opens is named as lost; its recovery key keeps it; nothing else goes with it")
def _(case):
    tpm = node(case)
    key = case.dir / "key"
    key.write_bytes(os.urandom(32))
    seal(case, "gone")
    expect(case.on("secret", "seal", "copied", "--recovery-file", key, stdin=SECRET), 0)
    tpm.tool("tpm2_pcrextend", "7:sha256=" + "11" * 32)
    seal(case, "fresh")
    same(plan(case), {"gone": "lost", "copied": "recovery", "fresh": "kept"}, "the plan")
    text = review(case)
    for words in ("gone: LOST: the TPM no longer opens it", "copied: kept, but only its recovery",
                  "fresh: kept, the TPM opens it"):
        assert words in text, text
    install(case)
    same(sorted(names(case)), ["copied", "fresh"], "secrets")
    same(opened(case, "fresh"), SECRET + "fresh", "fresh")
    expect(case.on("secret", "reseal", "copied", "--recovery-file", key), 0)
    same(opened(case, "copied"), SECRET, "copied")
    tpm.tool("tpm2_clear", "-c", "p")
    text = review(case)
    assert "fresh: LOST: it was sealed by another TPM, or this one was cleared" in text, text


@test("a plan whose promise can no longer be kept writes nothing")
def _(case):
    tpm = node(case)
    seal(case, "join")
    saved = case.dir / "plan.json"
    expect(case.on("plan", "--answers", case.dir / "node.yaml", "-o", saved), 0)
    tpm.tool("tpm2_clear", "-c", "p")
    failed = expect(case.on("--yes", "apply", saved), 4)
    assert '"join" cannot be kept' in failed.err and "nothing was written" in failed.err, failed.err
    same(names(case), ["join"], "the old node")


@test("an install that is cut off after the node data were begun keeps them at its resume")
def _(case):
    node(case)
    seal(case, "join")
    path = case.dir / "node.yaml"
    path.write_text(path.read_text() + "reinstall: always\n")
    power_cut(case, "table", path)
    expect(case.on("resume"), 0)
    same(opened(case, "join"), SECRET + "join", "after the resume")


@test("machine ID and admission of the node that is there are told where they change")
def _(case):
    node(case, HOST + "\n  machine-id: derive")
    was = (config(case) / "machine-id").read_text().strip()
    assert "machine ID " + was not in review(case).split("Note", 1)[-1], "the same one"
    answer(case, "\n  machine-id: derive", "")
    text = review(case)
    assert f"has the machine ID {was}; the new one gets none: node.machine-id" in text, text


@test("a secret of the answers takes the place of an old one; one that is not there stops all")
def _(case):
    node(case)
    for name in ("registry", "other"):
        expect(case.on("secret", "seal", name, stdin="old"), 0)
    given = case.dir / "given"
    given.write_text("new")
    answers = case.dir / "node.yaml"
    with open(answers, "a", encoding="utf-8") as file:
        file.write(f"secrets: {{name: registry, file: {given}}}\n")
    expect(case.on("plan", "--answers", answers), 0,
           "registry: replaced by the one that the answers give", "other: kept")
    given.unlink()
    before = config(case) / "node.json"
    was = before.read_text()
    failed = install(case, code=5)
    assert "given" in failed.out + failed.err, failed.out + failed.err
    same((config(case) / "node.json").read_text(), was, "the node data after a failed install")
    given.write_text("new")
    done(install(case))
    same([expect(case.on("secret", "open", name), 0).out for name in ("registry", "other")],
         ["new", "old"], "secrets")


@test("without a TPM the secrets of the answers are refused before anything is written")
def _(case):
    case.create(extra=["--no-tpm"])
    answers = case.answers()
    with open(answers, "a", encoding="utf-8") as file:
        file.write("secrets: {name: registry, file: /etc/hostname}\n")
    failed = expect(case.on("--yes", "install", "--answers", answers), 5)
    assert "secrets needs a TPM 2.0" in failed.err, failed.err
    expect(case.on("status"), 0, "nothing is installed")


if __name__ == "__main__":
    main()
