# SPDX-License-Identifier: Apache-2.0
"""Programs of the answers that run around an install."""
import json
import shutil
import time

from lib import expect, fingerprint, main, same, test


def hook(case, name, text, mode=0o700):
    path = case.dir / name
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(mode)
    return path


def with_hooks(case, text, **more):
    path = case.answers(**more)
    path.write_text(path.read_text() + "hooks:\n" + text)
    return path


def log_of(result):
    return [e["text"] for e in map(json.loads, result.out.splitlines()) if e["event"] == "log"]


@test("hooks before and after run in order, with facts and answers in files, and are in the log")
def _(case):
    case.create()
    seen = case.dir / "seen"
    one = hook(case, "one.sh", f'echo "$SLIPWAY_HOOK one" | tee -a {seen}\n'
                               f'cp "$SLIPWAY_FACTS" {seen}.facts\n'
                               f'cp "$SLIPWAY_ANSWERS" {seen}.yaml\n'
                               f'env > {seen}.env\n')
    two = hook(case, "two.sh", f'echo "$SLIPWAY_HOOK two" >>{seen}\n', 0o600)
    bad = hook(case, "bad.sh", f'echo "$SLIPWAY_HOOK bad" >>{seen}\n')
    result = expect(case.on("install", "--json", "--answers",
                            with_hooks(case, f"  before: [{one}, {two}]\n  after: {two}\n"
                                             f"  on-error: {bad}\n")), 0)
    same(seen.read_text().splitlines(), ["before one", "before two", "after two"], "order")
    same([d["serial"] for d in json.loads((case.dir / "seen.facts").read_text())["disks"]],
         ["NODE07SYS", "DATA4711"], "facts")
    assert "hostname: " in (case.dir / "seen.yaml").read_text()
    names = {line.partition("=")[0] for line in (case.dir / "seen.env").read_text().splitlines()}
    assert {"SLIPWAY_HOOK", "SLIPWAY_FACTS", "SLIPWAY_ANSWERS"} <= names, names
    assert not names & {"SLIPWAY_ERROR", "SLIPWAY_MACHINE", "TERM"}, names
    assert "one.sh: before one" in log_of(result), log_of(result)


@test("the review names every hook and when it runs")
def _(case):
    case.create()
    one, two = hook(case, "one.sh", "true\n"), hook(case, "two.sh", "true\n")
    said = expect(case.on("plan", "--answers",
                          with_hooks(case, f"  before: [{one}, {two}]\n  on-error: {two}\n")),
                  0).out
    # Long paths go over several lines.
    said = "".join(said.split())
    assert f"Hooksbefore:{one}before:{two}onanerror:{two}Note" in said, said


@test("a hook that fails before the install ends it, and nothing was written")
def _(case):
    case.create()
    before = fingerprint(case.disk())
    seen = case.dir / "seen"
    bad = hook(case, "bad.sh", "echo no network yet >&2; exit 3\n")
    late = hook(case, "late.sh", f"touch {seen}\n")
    told = hook(case, "told.sh", f'cp "$SLIPWAY_ERROR" {seen}.error\n')
    result = expect(case.on("install", "--json", "--answers",
                            with_hooks(case, f"  before: [{bad}, {late}]\n"
                                             f"  on-error: {told}\n")), 6)
    same(json.loads((case.dir / "seen.error").read_text())["exit"], 6, "the error in a file")
    same(result.error()["what"], "the hook has failed with status 3", "error")
    same(json.loads(result.out.splitlines()[-1])["code"], "HOOK-6-ECHILD", "code")
    assert "bad.sh: no network yet" in log_of(result), log_of(result)
    assert not seen.exists(), "the next one ran"
    same(fingerprint(case.disk()), before, "the disk")


@test("after a failure all hooks for it run, with the error in a file, and the exit code stays")
def _(case):
    case.create()
    seen = case.dir / "seen"
    bad = hook(case, "bad.sh", "exit 1\n")
    good = hook(case, "good.sh", f'cp "$SLIPWAY_ERROR" {seen}\n')
    expect(case.on("install", "--answers",
                   with_hooks(case, f"  on-error: [{bad}, {good}]\n",
                              kernel_sha256="0" * 64)), 8)
    same(json.loads(seen.read_text())["exit"], 8, "the error")


@test("one that hangs, forks, or prints megabytes is ended or cut, and the install stays done")
def _(case):
    mark = case.dir / "mark"
    loud = hook(case, "loud.sh", "yes 'a line of many' | head -c 5000000\n")
    forks = hook(case, "forks.sh", f"(sleep 5; touch {mark}) &\nexit 0\n")
    log = []
    # What is only loud has its time, also on a machine that is busy.
    for words in (f"{loud}\n", f"{forks}\n  timeout: 1\n"):
        case.create()
        result = expect(case.on("install", "--json", "--answers",
                                with_hooks(case, f"  after: {words}")), 0)
        shutil.rmtree(case.machine_dir)
        log += log_of(result)
    assert 90 < len([t for t in log if t.startswith("loud.sh: a line")]) <= 100, len(log)
    assert any(t.startswith("loud.sh: ") and t.endswith("more lines") for t in log), log[-5:]
    assert any("took longer than 1 s" in t for t in log), log[-5:]
    last = json.loads(result.out.splitlines()[-1])
    same((last["event"], last["result"]), ("done", 0), "the end")
    assert last["text"].startswith("Installed; but the hook took longer"), last
    time.sleep(5)
    assert not mark.exists(), "what it had forked was left running"


@test("a hook that others may change is not run, and one from a network is refused")
def _(case):
    case.create()
    open_one = hook(case, "open.sh", "exit 0\n", 0o777)
    result = expect(case.on("install", "--answers",
                            with_hooks(case, f"  before: {open_one}\n")), 4)
    assert "not root's alone" in result.err, result
    for text, words in (("  before: https://a.example/x\n", "not fetched over a network"),
                        ("  timeout: 0\n", "not a number of seconds"),
                        ("  before: x.sh\n", "hooks.before")):
        result = expect(case.on("check", with_hooks(case, text)), 3)
        assert words in result.err + result.out, (words, result)


main()
