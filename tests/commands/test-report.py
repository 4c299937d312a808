# SPDX-License-Identifier: Apache-2.0
"""Who is told how an install goes: a log file, syslog, webhooks; by receivers of our own making
on the loopback, well-behaved and not."""
import contextlib
import json
import os
import re
import signal
import socket
import struct
import time
from pathlib import Path

from lib import Server, expect, main, need, same, test
from receiver import FAILURE, Receiver, Syslog, hook, report

CANARY = "canary-7f3a9d-token"


def lines_of(result):
    return [json.loads(line) for line in result.out.splitlines()]


def fail_early(case):
    """Answers whose payload is not what its hash says: nothing on the disk is changed."""
    return {"kernel_sha256": "0" * 64}


def child_of(pid, name):
    """The process of this name that pid has started, which may be about to take its name."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                stat = (entry / "stat").read_text()
                if f"({name})" in stat and int(stat.rpartition(")")[2].split()[1]) == pid:
                    return int(entry.name)
    raise AssertionError(f"no {name} below {pid}")


def nobody():
    """A port that refuses, and that no other program gets meanwhile."""
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    return s, s.getsockname()[1]


@test("a webhook hears of the start, of each step and of the success, with fingerprints")
def _(case):
    need("openssl")
    case.create()
    r = Receiver(case.dir / "r")
    result = expect(case.on("install", "--answers", report(case, "  webhooks:\n" + hook(r)),
                            "--json"), 0)
    r.close()
    events = r.events()
    kinds = [e["event"] for e in events]
    same((kinds[0], kinds[-1], set(kinds[1:-1])), ("STARTED", "SUCCEEDED", {"PROGRESS"}), "kinds")
    last = events[-1]
    same((last["hostname"], last["percent"], last["step"]), ("node-07", 100, last["steps"]),
         "last event")
    assert re.fullmatch("[0-9a-f]{64}", last["image_sha256"]), last
    assert last["image_sha256"] in result.out, "another image than the log says"
    assert re.fullmatch("[0-9a-f]{64}", last["answers_sha256"]), last
    same(last["disks"][0]["serial"], "NODE07SYS", "disk")
    assert all(h["Content-Type"] == "application/json" for h in r.headers), r.headers
    assert not any("Authorization" in h for h in r.headers), r.headers
    shares = [e["percent"] for e in events]
    same(shares, sorted(shares), "percentages")
    assert "not told" not in result.out, result


@test("which disk, by which rule, and why no other: in the log, the stream and what STARTED says")
def _(case):
    need("openssl")
    case.create("serial=NODE07SYS,size=4G", "serial=DATA4711,size=6G", "serial=STICK1,size=1G",
                extra=("--medium", "STICK1"))
    r, log = Receiver(case.dir / "r"), case.dir / "install.log"
    path = report(case, f"  log: {log}\n  webhooks:\n" + hook(r))
    path.write_text(path.read_text().replace("{serial: NODE07SYS}",
                                             "[{serial: NONE}, {serial: NODE*}]"))
    expect(case.on("plan", "--answers", path), 0,
           'Chosen   by disk.match[2], serial: "NODE*"',
           "Left     sdb (6G, serial DATA4711): another serial",
           "sdc (1G, serial STICK1): slipway was started from it")
    planned = expect(case.on("--json", "plan", "--answers", path), 0).json()["disks"][0]
    events = lines_of(expect(case.on("install", "--answers", path, "--json"), 0))
    r.close()
    for what in (planned, next(e for e in events if e["event"] == "plan")["disks"][0],
                 json.loads(next(line for line in
                                 (case.machine_dir / "run/events.jsonl").read_text().splitlines()
                                 if '"event":"plan"' in line))["disks"][0],
                 r.events()[0]["disks"][0]):
        same((what["serial"], what["chosen_by"], what["rule"]),
             ("NODE07SYS", "disk.match[2]", 'serial: "NODE*"'), "chosen")
        same([(d["name"], d["serial"], d["size"] >> 30, d["why"]) for d in what["others"]],
             [("sdb", "DATA4711", 6, "another serial"),
              ("sdc", "STICK1", 1, "slipway was started from it")], "left")
        same(what["before"], "empty", "before")
    same(r.events()[0]["event"], "STARTED", "the one that says so")
    text = log.read_text()
    for line in ("serial NODE07SYS), chosen by disk.match[2], serial: \"NODE*\"",
                 "disk system: not sdb (6G, serial DATA4711): another serial",
                 "disk system: not sdc (1G, serial STICK1): slipway was started from it",
                 "on it now: empty; it gets slipway-a, slipway-b, slipway-node, state"):
        assert 0 < text.find(line) < text.find("started: "), (line, text)


@test("every started step is finished in the stream, with its weight and result, also on failure")
def _(case):
    case.create()
    for more, code in (({}, 0), (fail_early(case), 8)):
        events = lines_of(expect(case.on("install", "--json", "--answers",
                                         case.answers(**more)), code))
        started = [e for e in events if e["event"] == "start"]
        done = [e for e in events if e["event"] == "finish"]
        same([(e["step"], e["id"], e.get("weight")) for e in started],
             [(e["step"], e["id"], e.get("weight")) for e in done], "pairs")
        assert all("result" in e for e in done), done
        same(events[-1]["event"], "done", "last event")
        same(events[-1]["result"] < 0, code != 0, "result")


@test("a failure takes its code, its error and the log along; a receiver may want only those")
def _(case):
    need("openssl")
    case.create()
    every, some = Receiver(case.dir / "a"), Receiver(case.dir / "b")
    text = "  webhooks:\n" + hook(every) + hook(some, "      events: [failed]\n")
    result = expect(case.on("install", "--json", "--answers",
                            report(case, text, **fail_early(case))), 8)
    every.close()
    some.close()
    same([e["event"] for e in some.events()], ["FAILED"], "what one wants")
    same((every.events()[0]["event"], every.events()[-1]["event"]), ("STARTED", "FAILED"), "all")
    last = some.events()[0]
    same(last["code"], "FETCH-8-EBADMSG", "code")
    same(lines_of(result)[-1]["code"], last["code"], "code in the stream")
    same(last["error"]["exit"], 8, "error")
    assert any("vmlinuz" in line for line in last["log"]), last["log"]
    assert last["log"][-1].count("failed, code FETCH-8-EBADMSG"), last["log"][-1]


@test("the token goes to the receiver alone: no log, event, argument or file has it")
def _(case):
    need("openssl")
    case.create()
    r, log = Receiver(case.dir / "r"), case.dir / "install.log"
    token = case.dir / "token"
    token.write_text(CANARY + "\n")
    text = f"  log: {log}\n  webhooks:\n" + hook(r, f"      token: {token}\n")
    result = expect(case.on("install", "--json", "--answers",
                            report(case, text, **fail_early(case))), 8)
    r.close()
    assert r.headers and all(h["Authorization"] == f"Bearer {CANARY}" for h in r.headers)
    for what in (result.out, result.err, log.read_text(), *r.told):
        assert CANARY not in what, what
    for path in case.machine_dir.rglob("*"):
        if path.is_file() and path.stat().st_size < 1 << 24:
            assert CANARY.encode() not in path.read_bytes(), path


@test("receivers that are down, slow, refuse or never read, syslog and log alike, stop no install")
def _(case):
    need("openssl")
    case.create()
    good = [Receiver(case.dir / "slow", "slow"), Receiver(case.dir / "twice", 500, 2)]
    bad = [Receiver(case.dir / n, f) for n, f in (("redirect", "redirect"), ("503", 503),
                                                  ("403", 403), ("hang", "never reads"))]
    down = Receiver(case.dir / "down")
    down.close()
    away, port = nobody()
    down.url = f"https://127.0.0.1:{port}/events"
    lying = Receiver(case.dir / "lying")
    gone, port = nobody()
    syslog = f"tcp://127.0.0.1:{port}"
    silent = Syslog(tcp=True, silent=True)
    text = "  webhooks:\n" + "".join(hook(r) for r in good + bad + [down]) + \
        f"    - url: {lying.url}\n      pin: \"sha256:{'0' * 64}\"\n" \
        f"  log: {case.dir}/no/such/folder.log\n  syslog: [\"{syslog}\", {silent.address}]\n"
    result = expect(case.on("install", "--json", "--answers", report(case, text)), 0)
    for r in good + bad + [lying, away, gone]:
        r.close()
    same(lines_of(result)[-1]["result"], 0, "the install")
    log = [e["text"] for e in lines_of(result) if e["event"] == "log"]
    for r in bad + [down, lying]:
        same(len([t for t in log if t.startswith(f"not told to {r.url}: ")]), 1, r.url)
        same(r.told, [], "what it was told")
    for name in ("folder.log", syslog.removeprefix("tcp://")):
        assert any(re.match(f"not told to .*{name}: ", t) for t in log), log
    for r in good:
        same([e["event"] for e in r.events() if e["event"] != "PROGRESS"],
             ["STARTED", "SUCCEEDED"], "a good one")
        assert not any(r.url in t for t in log), log
    assert any("sends us elsewhere" in t for t in log), log
    assert any("status 403" in t for t in log) and any("status 503" in t for t in log), log


@test("syslog over UDP and counted TCP gets RFC 5424 messages, the failure as an error")
def _(case):
    case.create()
    udp, tcp = Syslog(), Syslog(tcp=True)
    text = f"  syslog: [{udp.address}, {tcp.address}]\n"
    expect(case.on("install", "--answers", report(case, text, **fail_early(case))), 8)
    shape = re.compile(r"<(3[0-7]|2[4-9])>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z node-07 slipway "
                       r"- install - \S.*")
    end = time.monotonic() + 60
    while not all(any("FETCH-8-EBADMSG" in m for m in got) for got in (udp.got, tcp.frames())):
        assert time.monotonic() < end, (udp.got, tcp.data)
        time.sleep(0.05)
    for got in (udp.got, tcp.frames()):
        assert len(got) > 3, got
        for message in got:
            assert shape.fullmatch(message), message
        assert got[0].startswith("<30>1 ") and "serial NODE07SYS" in got[0], got[0]
        assert any(m.startswith("<30>1 ") and " started: " in m for m in got), got
        assert got[-1].startswith("<27>1 ") and "FETCH-8-EBADMSG" in got[-1], got[-1]


@test("the log file is appended to, line by line, and only its owner reads it")
def _(case):
    case.create()
    log = case.dir / "install.log"
    log.write_text("what was there\n")
    log.chmod(0o600)
    expect(case.on("install", "--answers", report(case, f"  log: {log}\n")), 0)
    lines = log.read_text().splitlines()
    same(lines[0], "what was there", "first line")
    assert all(re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z \S", line) for line in lines[1:]), lines
    assert any("started: " in line for line in lines) and "succeeded: " in lines[-1], lines


@test("a template takes the place of the JSON object, and no value breaks out of its string")
def _(case):
    need("openssl")
    case.create()
    r = Receiver(case.dir / "r")
    more = "      events: [succeeded]\n" \
           "      body: '{\"text\": \"${hostname}: ${event}, ${percent} % ${title}\", \"x\": 1}'\n"
    expect(case.on("install", "--answers", report(case, "  webhooks:\n" + hook(r, more))), 0)
    r.close()
    told = r.events()
    same(len(told), 1, "events")
    assert told[0]["text"].startswith("node-07: succeeded, 100 %"), told


@test("a CA that was given is believed, another is not")
def _(case):
    need("openssl")
    case.create()
    r, other = Receiver(case.dir / "r"), Receiver(case.dir / "o")
    text = "  webhooks:\n"
    for ca in (r.authority.ca, other.authority.ca):
        pem = "".join(f"        {line}\n" for line in ca.read_text().splitlines())
        text += f"    - url: {r.url}\n      events: [started]\n      ca: |\n{pem}"
    result = expect(case.on("install", "--answers", report(case, text)), 0)
    r.close()
    other.close()
    same(len(r.told), 1, "events of the one that is believed")
    same(result.out.count("not told to"), 1, "told of")


@test("an install whose process is killed is reported as failed by the one that reports")
def _(case):
    need("openssl")
    case.create()
    r = Receiver(case.dir / "r")
    server = Server(case.dir, cut_at=1000)    # every try is cut: it retries for long
    kernel, _ = case.payload()
    more = {"kernel": f"{server.url}/{kernel.name}"}
    child = case.start("install", "--json", "--answers",
                       report(case, "  webhooks:\n" + hook(r), **more))
    end = time.monotonic() + 240
    while not r.told and time.monotonic() < end:
        time.sleep(0.05)
    assert r.told, "it never started"
    os.kill(child_of(child.pid, "slipway-apply"), signal.SIGKILL)
    child.wait(120)
    while r.events()[-1]["event"] != "FAILED" and time.monotonic() < end:
        time.sleep(0.05)
    r.close()
    server.close()
    last = r.events()[-1]
    same((last["event"], last["code"]), ("FAILED", "PROCESS-7-EPIPE"), "the last word")


@test("a failure is kept in a small variable, told by the next install, and then gone")
def _(case):
    need("openssl")
    case.create()
    r, note = Receiver(case.dir / "r"), case.machine_dir / "vars" / FAILURE
    result = case.on("install", "--answers", case.answers(**fail_early(case)))
    expect(result, 8)
    kept = note.read_bytes()
    same(struct.unpack("<I", kept[:4])[0], 7, "attributes")
    assert len(kept) <= 4 + 768, len(kept)
    same(json.loads(kept[4:])["code"], "FETCH-8-EBADMSG", "code")
    assert "FETCH-8-EBADMSG" in result.out, result
    for command in ("status", "doctor"):
        shown = case.on(command)
        assert "FETCH-8-EBADMSG" in shown.out, shown
    result = expect(case.on("install", "--answers",
                            report(case, "  webhooks:\n" + hook(r))), 0)
    r.close()
    same(r.events()[0]["previous_failure"]["code"], "FETCH-8-EBADMSG", "told")
    assert "an earlier attempt failed, code FETCH-8-EBADMSG" in result.out, result
    assert not note.exists(), "it is still there"
    assert "FETCH-8-EBADMSG" not in case.on("status").out


@test("a paused install does nothing more until it is let go on, and then comes to its end")
def _(case):
    case.create()
    server = Server(case.dir, cut_at=1000)      # until it is told otherwise
    kernel, _ = case.payload()
    child = case.start("install", "--json", "--answers",
                       case.answers(kernel=f"{server.url}/{kernel.name}"))
    for line in child.stdout:
        if "next try in" in line:
            break
    pid = child_of(child.pid, "slipway-apply")
    os.kill(pid, signal.SIGUSR1)
    for line in child.stdout:
        if '"paused' in line:
            break
    before = len(server.hits)
    time.sleep(3)           # longer than the pause between its first tries
    same(len(server.hits), before, "requests while it is paused")
    assert child.poll() is None
    server.cuts = 0
    os.kill(pid, signal.SIGUSR2)
    rest, _ = child.communicate(timeout=120)
    server.close()
    same(json.loads(rest.splitlines()[-1])["result"], 0, "the end")
    assert len(server.hits) > before, server.hits


@test("what fails before there is a plan is reported; a refused command leaves no note of it")
def _(case):
    need("openssl")
    case.create()
    r, note = Receiver(case.dir / "r"), case.machine_dir / "vars" / FAILURE
    path = report(case, "  webhooks:\n" + hook(r))
    path.write_text(path.read_text().replace("NODE07SYS", "NOSUCHDISK"))
    expect(case.on("install", "--dry-run", "--answers", path), 4)
    assert not note.exists(), "a dry run has left a note"
    expect(case.on("install", "--answers", path), 4)
    r.close()
    same([e["event"] for e in r.events()], ["FAILED"], "events")
    assert re.fullmatch("PLAN-4-E[A-Z]+", r.events()[0]["code"]), r.events()[0]
    assert not note.exists(), "a command that was refused has left a note"


@test("an unattended start that fails before there is a plan is reported and kept as well")
def _(case):
    need("openssl")
    case.create("serial=NODE07SYS,size=500M,transport=nvme",
                "serial=STICK1,size=256M,transport=usb", extra=("--medium", "STICK1"))
    r, note = Receiver(case.dir / "r"), case.machine_dir / "vars" / FAILURE
    path = report(case, "  webhooks:\n" + hook(r),
                  replace=[("  wipe: any\n", "  wipe: any\n  wait: 0\n")])
    medium = case.machine_dir / "medium"
    medium.mkdir(exist_ok=True)
    (medium / "slipway.yaml").write_text(path.read_text())
    child = case.start("session", "--medium")
    end = time.monotonic() + 240
    while time.monotonic() < end and not (note.exists() and r.events()):
        time.sleep(0.2)
    child.terminate()
    child.communicate(timeout=120)
    r.close()
    code = r.events()[0]["code"]
    assert re.fullmatch("PLAN-4-E[A-Z]+", code), code
    same(json.loads(note.read_bytes()[4:])["code"], code, "kept")


@test("answers about a report that cannot work are refused, each with its reason")
def _(case):
    case.create()
    for text, words in (("  webhooks: {url: \"http://a.example/\"}\n", "only over https"),
                        ("  webhooks: [{events: [failed]}]\n", "url is missing"),
                        ("  webhooks: {url: \"https://a/\", events: [Failed]}\n",
                         "the events are started"),
                        ("  webhooks: {url: \"https://a/\", body: \"${hostnam}\"}\n", "hostnam"),
                        ("  webhooks: {url: \"https://a/\", token: \"https://b/t\"}\n",
                         "not fetched over a network"),
                        ("  syslog: log.example\n", "no address of a syslog server"),
                        ("  syslog: udp://log.example:0\n", "no address of a syslog server"),
                        ("  log: install.log\n", "whole path")):
        result = expect(case.on("check", report(case, text)), 3)
        assert words in result.err + result.out, (words, result)


main()
