# SPDX-License-Identifier: Apache-2.0
"""slipway bundle --qr: zbarimg reads each code as it was meant, and the parts are the report."""
import base64
import json
import os
import random
import zlib

from lib import expect, main, same, test
from qr_screen import Terminal, codes_of, read

TERMINALS = {"dark": Terminal(), "light": Terminal(dark_on_light=True),
             "without colours": Terminal(colours=False)}


def make_damaged(case):
    case.create("serial=NODE07SYS,size=4G,model=Foo Disk,transport=nvme")
    disk = case.disk()
    expect(case.on("install", "--answers", case.answers()), 0)
    with disk.open("r+b") as f:
        f.seek(512)
        f.write(bytes(512))


def damaged_node(case):
    """A node whose primary GPT header is zeroes; the finding."""
    case.copy_of(make_damaged)
    return case.on("--json", "doctor").json()["findings"][0]["id"]


def report_of(parts):
    """By base32, gzip and JSON of others, in the order of the numbers."""
    words = sorted((line.split(" ") for line in parts), key=lambda w: int(w[2].split("/")[0]))
    assert {w[0] for w in words} == {"SLIPWAY"} and len({w[1] for w in words}) == 1, words
    same([w[2] for w in words], [f"{i + 1}/{len(words)}" for i in range(len(words))], "numbers")
    data = "".join(w[3] for w in words)
    return json.loads(zlib.decompress(base64.b32decode(data + "=" * (-len(data) % 8)), 31))


def shown(case, *more):
    """What is printed, and the parts that it should show: the report has the time of the minute."""
    for _ in range(3):
        before = case.on("--json", "bundle", "--qr").json()
        printed = expect(case.on("bundle", "--qr", *more), 0).out
        if before == case.on("--json", "bundle", "--qr").json():
            return printed, before
    raise AssertionError("three reports in a row differ")


def joined(case, lines):
    log = case.dir / "telephone.txt"
    log.write_text("".join(f"From: +49 30 1234\n{line}\n" for line in lines))
    return case.run("--json", "bundle", "read", log)


@test("half blocks: each code is read on every terminal, and the parts are the report")
def _(case):
    finding = damaged_node(case)
    printed, told = shown(case)
    codes = codes_of(printed)
    assert f"code 1 of {len(codes)}" in printed and told["code"] in printed
    assert max(len(line) for line in Terminal().cells(codes[0])) <= 80
    assert max(len(code.splitlines()) for code in codes) <= 22, "it does not fit on 24 rows"
    for name, terminal in TERMINALS.items():
        same([read(terminal, code, case.dir) for code in codes], told["parts"], name)
    report = report_of(told["parts"])
    assert report["findings"][0]["id"] == finding and report["findings"][0]["evidence"], report
    assert len(report["node_id"]) == 64, report
    lines = list(told["parts"])
    random.Random(8).shuffle(lines)
    same(expect(joined(case, lines + lines[:2]), 0).json(), report, "what was read back")


@test("whole cells: the same on a terminal without UTF-8, in smaller codes")
def _(case):
    damaged_node(case)
    printed, _ = shown(case, "--cells", "full")
    assert printed.isascii(), "more than ASCII"
    codes = codes_of(printed)
    assert max(len(line) for line in Terminal().cells(codes[0])) <= 80
    for name, terminal in TERMINALS.items():
        parts = [read(terminal, code, case.dir) for code in codes]
        same(expect(joined(case, parts), 0).json(), report_of(parts), name)


@test("a terminal without colours that is dark on light needs --invert, and has it")
def _(case):
    damaged_node(case)
    white = Terminal(colours=False, dark_on_light=True)
    for cells in ("half", "full"):
        printed, _ = shown(case, "--cells", cells, "--invert")
        parts = [read(white, code, case.dir) for code in codes_of(printed)]
        assert None not in parts, parts
        expect(joined(case, parts), 0)


@test("a part that is missing is named; one that was changed is found; an earlier whole one counts")
def _(case):
    damaged_node(case)
    _, told = shown(case)
    parts = told["parts"]
    assert len(parts) > 2
    missing = expect(joined(case, [parts[0], parts[2]]), 3, "some are missing", "no code 2")
    assert told["code"] in missing.err
    swap = {"A": "B"}
    bad = [*parts[:-1], parts[-1][:40] + swap.get(parts[-1][40], "A") + parts[-1][41:]]
    expect(joined(case, bad), 3, "give another one")
    expect(joined(case, parts[:2] + ["SLIPWAY", "SLIPWAY ABC", "SLIPWAY ABCDEF 3/2 AAAA"]), 3)
    other = "SLIPWAY ABCDEF 1/2 AAAA"
    same(expect(joined(case, [*parts, other]), 0).json(), report_of(parts), "the whole one")


@test("--anonymous: no name of this machine in the codes")
def _(case):
    damaged_node(case)
    plain = report_of(case.on("--json", "bundle", "--qr").json()["parts"])
    report = report_of(case.on("--json", "bundle", "--qr", "--anonymous").json()["parts"])
    assert "node_id" in plain and "node_id" not in report, report
    assert plain["machine"] not in json.dumps(report), report


@test("at a terminal one by one; without UTF-8 or a cursor it says what helps instead")
def _(case):
    damaged_node(case)
    codes = len(case.on("--json", "bundle", "--qr").json()["parts"])
    answers = iter([""] * (codes - 1) + ["b", "q"])
    asked = [0]

    def answer(text):
        if text.count("q end: ") == asked[0]:
            return None
        asked[0] += 1
        return next(answers)

    os.environ["TERM"] = "xterm"
    code, text = case.at_terminal(answer, "bundle", "--qr", "--cells", "half")
    same((code, asked[0]), (0, codes + 1), "how often it asked")
    same(text.count(f"code {codes - 1} of {codes}"), 2, "the last but one, again")
    code, text = case.at_terminal(lambda text: None, "bundle", "--qr")
    same(code, 5, text)
    assert "24 rows" in text and "--block" in text, text
    os.environ["TERM"] = "dumb"
    code, text = case.at_terminal(lambda text: None, "bundle", "--qr")
    assert code == 5 and "cannot show" in text and "--block" in text, text
    expect(case.on("bundle", "--qr", "--block"), 2, "exclude each other")
    expect(case.on("bundle", "--invert"), 2, "go with --qr")
    expect(case.on("bundle", "--qr", "--cells", "big"), 2, "half or full")


main()
