# SPDX-License-Identifier: Apache-2.0
"""Answers that cannot be used: who is told of that, by what they still say, and who never is."""
import json
import time

from canary import canary
from lib import SLIPWAY, Server, expect, main, need, partitions, same, sha256, test, tool
from receiver import FAILURE, Receiver, Syslog, hook, report
from terminal import Terminal

NODE = "serial=NODE07SYS,size=4G,transport=nvme"
STICK = "serial=STICK1,size=64M,transport=usb"
BAD = ("  layout: node\n", "  laiout: node\n  wype: any\n")


def bad_answers(case, text, name="node.yaml"):
    """Answers with two unknown keys, and a report section."""
    return report(case, text, name=name, replace=[BAD])


def medium(case, answers):
    case.create(NODE, STICK, extra=("--medium", "STICK1"))
    folder = case.machine_dir / "medium"
    folder.mkdir(exist_ok=True)
    (folder / "slipway.yaml").write_text(answers)
    (case.machine_dir / "proc").mkdir(exist_ok=True)


def cmdline(case, words):
    (case.machine_dir / "proc").mkdir(exist_ok=True)
    (case.machine_dir / "proc/cmdline").write_text(words + "\n")


def session_ends(case):
    """What a session says that does its on-error by itself, and what the machine is told to do."""
    said = case.start("session", "--medium").communicate(timeout=240)[1]
    assert "slipway: " in said and "installing from" not in said, said
    same(case.on("--json", "status").json()["journals"], [], "journals")
    return said, (case.machine_dir / "run/power").read_text().strip()


def kinds(receiver):
    return [e["event"] for e in receiver.events()]


@test("an unknown key: the receivers and the log that the file names hear of it, and all errors")
def _(case):
    need("openssl")
    case.create(NODE)
    r, log = Receiver(case.dir / "r", 503, 1), case.dir / "install.log"
    path = bad_answers(case, f"  log: {log}\n  webhooks:\n" + hook(r))
    expect(case.on("install", "--dry-run", "--answers", path), 3)
    same((r.told, log.exists()), ([], False), "what a dry run tells")
    expect(case.on("install", "--answers", path), 3, 'unknown key "laiout"')
    r.close()
    same(kinds(r), ["FAILED"], "events")
    last = r.events()[0]
    same((last["code"], last["hostname"], last["answers_sha256"]),
         ("ANSWERS-3-EINVAL", "node-07", ""), "what it says")
    same((last["error"]["what"], last["error"]["where"]),
         ('unknown key "laiout" in disk', f"{path}:6:3"), "the error")
    for word in ("laiout", "wype"):
        assert any(word in line for line in last["log"]), last["log"]
        assert word in log.read_text(), log.read_text()
    assert f"failed, code ANSWERS-3-EINVAL: {path}:6:3: " in log.read_text(), log.read_text()
    assert not (case.machine_dir / "vars" / FAILURE).exists(), "a refused command left a note"


@test("a secret in bad answers is on no screen, in no JSON, log or note, and told to nobody")
def _(case):
    need("openssl")
    r, log, syslog = Receiver(case.dir / "r"), case.dir / "install.log", Syslog(tcp=True)
    secret = canary("secret")
    wrong = f"admission:\n  kind: k3s\n  token: {secret}\n  tokenfile: K10abc::server:{secret}\n" \
            f"wifi: {{psk: \"{secret}\"}}\nwlan: {{token:{secret}}}\nfinish: K10::{secret}\n"
    path = report(case, f"  log: {log}\n  syslog: [{syslog.address}]\n  webhooks:\n" + hook(r) +
                  "on-error: {action: poweroff, pause: 1}\n", finish=f"K10::{secret}",
                  replace=[("admission:\n  kind: attest\n  url: https://attest.example/v1\n"
                            f"finish: K10::{secret}\n", wrong)])
    shown = expect(case.run("check", path), 3)
    stars = "*" * len(secret)
    for line in (f"17 |   token: {stars}\n       |   ^\n",
                 f"18 |   tokenfile: {stars}***************\n       |              ^\n",
                 f"20 | wlan: {{token:{stars}}}\n", f"21 | finish: K10::{stars}\n"):
        assert line in shown.err, (line, shown)
    listed = expect(case.run("--json", "check", path), 3)
    same(len(listed.json()["errors"]), 5, listed)
    medium(case, path.read_text())
    said, _ = session_ends(case)
    told = case.on("--json", "status")
    end = time.monotonic() + 60
    while not any("ANSWERS-3-EINVAL" in m for m in syslog.frames()):
        assert time.monotonic() < end, syslog.data
        time.sleep(0.05)
    r.close()
    note = (case.machine_dir / "vars" / FAILURE).read_bytes().decode(errors="replace")
    for where, text in (("check", str(shown)), ("JSON", str(listed)), ("session", said),
                        ("status", str(told)), ("note", note), ("log", log.read_text()),
                        ("webhook", str(r.told)), ("syslog", str(syslog.frames()))):
        assert "token" in text and secret not in text, (where, text)


@test("a report that is bad in itself: nobody is told, and that is said")
def _(case):
    need("openssl")
    case.create(NODE)
    r, log = Receiver(case.dir / "r"), case.dir / "install.log"
    for more in (hook(r) + "      evnts: [failed]\n",                  # an unknown key
                 hook(r) + "    - pin: \"sha256:" + "0" * 64 + "\"\n",  # one without an address
                 hook(r).replace("https:", "http:"),
                 hook(r) + "  sislog: [udp://127.0.0.1]\n"):
        path = bad_answers(case, f"  log: {log}\n  webhooks:\n" + more)
        expect(case.on("install", "--answers", path), 3, "laiout",
               "nobody is told: report cannot be used: ")
    r.close()
    same((r.told, log.exists()), ([], False), "what was told")
    path.write_text(path.read_text() + "  - :\n: [\n")
    result = expect(case.on("install", "--answers", path), 3)
    assert "nobody is told" not in result.err, result


@test("on the medium: FAILED, the note in the firmware and status, and on-error waits for the news")
def _(case):
    need("openssl")
    r = Receiver(case.dir / "r", 503, 2)     # told at the third try, which is after the pause
    path = bad_answers(case, "  webhooks:\n" + hook(r) +
                       "on-error: {action: poweroff, pause: 1}\n")
    medium(case, path.read_text())
    said, power = session_ends(case)
    r.close()
    assert "laiout" in said, said
    same(power, "off", "power")
    same(kinds(r), ["FAILED"], "events")
    same((r.events()[0]["code"], r.events()[0]["hostname"]), ("ANSWERS-3-EINVAL", "node-07"),
         "what it says")
    note = (case.machine_dir / "vars" / FAILURE).read_bytes()[4:]
    kept = json.loads(note)
    same((kept["code"], kept["host"]), ("ANSWERS-3-EINVAL", "node-07"), "the note")
    assert "slipway.yaml:6:3: unknown key \"laiout\"" in kept["text"], kept
    expect(case.on("status"), 0, "ANSWERS-3-EINVAL", "laiout")
    same(case.on("--json", "status").json()["last_failure"]["code"], "ANSWERS-3-EINVAL", "status")


@test("a value left to ask where nobody can be asked, and a disk that is not there, are told")
def _(case):
    need("openssl")
    r = Receiver(case.dir / "r")
    text = "  webhooks:\n" + hook(r) + "on-error: {action: poweroff, pause: 1}\n"
    path = report(case, text, replace=[("{serial: NODE07SYS}", "{serial: ask}")])
    case.create(NODE)
    expect(case.on("install", "--answers", path), 3)
    path = report(case, text, replace=[("{serial: NODE07SYS}", "{serial: NONE}"),
                                       ("  wipe: any\n", "  wipe: any\n  wait: 1\n")])
    cmdline(case, f"slipway.answers={path}")
    case.start("session", "--medium").communicate(timeout=240)
    r.close()
    same([(e["event"], e["code"], e["hostname"]) for e in r.events()],
         [("FAILED", "PLAN-3-EINVAL", "node-07"), ("FAILED", "PLAN-4-ENODEV", "node-07")], "told")
    assert "serial NODE07SYS" in r.events()[1]["error"]["why"], r.events()[1]
    same(case.on("--json", "status").json()["last_failure"]["code"], "PLAN-4-ENODEV", "status")


def asking(case, receiver, log, more=""):
    """A session on the medium whose answers leave the disk to be asked, when that was told."""
    path = report(case, f"  log: {log}\n  webhooks:\n" + hook(receiver, more),
                  replace=[("{serial: NODE07SYS}", "{serial: ask}")])
    medium(case, path.read_text())
    child = case.start("session", "--medium")
    told(receiver, 1)
    return child, Terminal([SLIPWAY, "--machine", case.machine_dir, "--plain", "attach"],
                           term="dumb")


def told(receiver, count):
    """Waits for so many events."""
    end = time.monotonic() + 120
    while len(receiver.told) < count:
        assert time.monotonic() < end, receiver.told
        time.sleep(0.05)


def logged(log, words):
    """Waits for them in the log, which is another receiver than the webhook."""
    end = time.monotonic() + 120
    while not log.exists() or words not in log.read_text():
        assert time.monotonic() < end, log.exists() and log.read_text()
        time.sleep(0.05)


def stop(child, lines):
    lines.end()
    child.terminate()
    child.communicate(timeout=60)


def waits(receiver):
    return [(e["state"], e["result"], e["asked"]) for e in receiver.events()
            if e["event"] == "WAITING"]


@test("a medium that waits for a person tells so, with the keys it asks for, and when it goes on")
def _(case):
    need("openssl")
    r, log = Receiver(case.dir / "r"), case.dir / "install.log"
    child, lines = asking(case, r, log, "      events: [waiting, succeeded]\n")
    same(waits(r), [("start", "ok", "disk.match.serial")], "what is told while it waits")
    logged(log, "a person is asked for disk.match.serial")
    lines.wait("Disk serial")
    lines.send("NODE07SYS\n")
    lines.wait("The node is installed", 240)
    told(r, 3)
    logged(log, "waiting is over, it was answered: disk.match.serial")
    stop(child, lines)
    r.close()
    same(waits(r), [("start", "ok", "disk.match.serial"), ("finish", "ok", "disk.match.serial")],
         "what is told of the waiting")
    same(sorted(kinds(r)), ["SUCCEEDED", "WAITING", "WAITING"], "events")
    said = log.read_text()
    assert said.count("asked for disk.match.serial") == 1, said
    assert said.count("waiting is over") == 1, said
    assert "ended without a word" not in said, said


@test("when a person stops what waited for him, that is told, and nothing of an install")
def _(case):
    need("openssl")
    r, log = Receiver(case.dir / "r"), case.dir / "install.log"
    child, lines = asking(case, r, log)
    lines.wait("Disk serial")
    lines.send("<\n")
    told(r, 2)
    logged(log, "waiting is over, the install was stopped: disk.match.serial")
    stop(child, lines)
    r.close()
    same(waits(r), [("start", "ok", "disk.match.serial"),
                    ("finish", "stopped", "disk.match.serial")], "what is told")


@test("on the medium: what is no valid whole is told, and a second session does not tell it again")
def _(case):
    need("openssl")
    r = Receiver(case.dir / "r")
    path = report(case, "  webhooks:\n" + hook(r) + "on-error: {action: poweroff, pause: 1}\n",
                  replace=[("  match: {serial: NODE07SYS}\n", "  match: {size: largest}\n")])
    medium(case, path.read_text())          # wipe: any wants a serial
    session_ends(case)
    same([(e["event"], e["code"]) for e in r.events()], [("FAILED", "ANSWERS-3-EINVAL")], "told")
    child = case.start("session", "--medium")
    time.sleep(4)
    same(child.poll(), None, "the session, which leaves the machine on now")
    child.terminate()
    child.communicate(timeout=120)
    r.close()
    same(len(r.told), 1, "told again")


@test("a report that another source vouches for counts; one of a source that is not believed never")
def _(case):
    need("openssl")
    good, evil = Receiver(case.dir / "good"), Receiver(case.dir / "evil")
    stolen = bad_answers(case, "  webhooks:\n" + hook(evil), "stolen.yaml")
    medium(case, "slipway: 1\nreport:\n  webhooks:\n" + hook(good) +
           "on-error: {action: poweroff, pause: 1}\n")
    cmdline(case, f"slipway.answers={stolen}#sha256={'0' * 64}")
    said, _ = session_ends(case)
    assert "SHA-256" in said, said
    same((kinds(good), evil.told), (["FAILED"], []), "who is told")
    same(good.events()[0]["code"].split("-")[:2], ["ANSWERS", "8"], "code")
    # The same file with the right hash is believed, from a server, too; what it says counts more.
    (case.machine_dir / "run/unattended").unlink()
    server = Server(case.dir)
    cmdline(case, f"slipway.answers={server.url}/stolen.yaml#sha256={sha256(stolen)}")
    said, _ = session_ends(case)
    assert "laiout" in said, said
    server.close()
    good.close()
    evil.close()
    same((kinds(good), kinds(evil)), (["FAILED"], ["FAILED"]), "who is told then")


@test("a stick that nobody named tells nobody of its bad answers, and its on-error is not done")
def _(case):
    need("openssl", "mkfs.vfat", "mcopy")
    case.create(NODE, STICK)
    r, image = Receiver(case.dir / "r"), case.disk("STICK1")
    path = bad_answers(case, "  webhooks:\n" + hook(r) +
                       "on-error: {action: poweroff, pause: 1}\n")
    tool("sfdisk", "-q", image, input="label: gpt\nstart=1M, type=linux\n")
    start = partitions(image)[""]["start"]
    tool("mkfs.vfat", "-n", "SLIPWAY", "--offset", start, image, "200000")
    tool("mcopy", "-i", f"{image}@@{start * 512}", path, "::/slipway.yaml")
    child = case.start("session", "--medium")
    end = time.monotonic() + 120
    note = case.machine_dir / "vars" / FAILURE
    while not note.exists() and time.monotonic() < end:
        time.sleep(0.2)
    same(json.loads(note.read_bytes()[4:])["code"], "ANSWERS-3-EINVAL", "the note")
    time.sleep(3)
    same((child.poll(), r.told, (case.machine_dir / "run/power").exists()), (None, [], False),
         "the session, what was told, power")
    child.terminate()
    child.communicate(timeout=120)
    r.close()


main()
