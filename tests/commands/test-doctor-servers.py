# SPDX-License-Identifier: Apache-2.0
"""slipway doctor and a node's servers: asked when somebody wants it, and what was noted of them."""
import contextlib

from attest_server import AttestServer
from console import DOWN, Console
from lib import Server, expect, main, need, same, test
from museum import bad, findings, make
from ntp_server import Ntp

YEAR = 366 * 86400      # s


def asked(case):
    return {f["id"]: f for f in bad(case.on("--json", "doctor", "--servers").json()["findings"])}


@test("a boot server that is down, or has not got the file, is a warning; one that has it is none")
def _(case):
    case.copy_of(make)
    folder = case.dir / "www"
    folder.mkdir()
    server = Server(folder)
    try:
        expect(case.on("mode", "network", "--uri", server.url + "/node.efi"), 0)
        found = asked(case)["boot-server"]
        same((found["severity"], found["sure"]), ("warning", "certain"), "boot-server")
        assert "404" in found["evidence"] and "node.efi" in found["evidence"], found
        (folder / "node.efi").write_bytes(b"MZ")
        assert "boot-server" not in asked(case), "a server that answers"
    finally:
        server.close()
    found = asked(case)["boot-server"]
    assert "falls back to the image on its disk" in found["effect"] and found["advice"], found
    same([f["id"] for f in bad(findings(case))], [], "what nobody asked for")


@test("a server of the admission that cannot be reached is named, with what the preflight says")
def _(case):
    case.copy_of(make)
    found = asked(case)["server-attest"]
    assert "attest.example" in found["evidence"] and found["advice"], found


@test("an admission that failed is a finding until one works, and the status says it once")
def _(case):
    case.copy_of(make)
    done = case.on("admit", "--url", "https://127.0.0.1:1/v1", case.dir / "tree")
    assert done.code not in (0, 2), done
    found = {f["id"]: f for f in bad(findings(case))}
    assert "admission-refused" in found, found
    assert "https://127.0.0.1:1/v1" in found["admission-refused"]["evidence"], found
    assert "slipway admit --kind attest" in found["admission-refused"]["advice"], found
    ahead = case.on("--json", "status").json()["soon"]
    said = [p["id"] for p in ahead if p["id"] in ("admission", "admission-refused")]
    same(said, ["admission-refused"], "status")


def wrong_by(case, seconds):
    (case.machine_dir / "clock").write_text(f"{seconds}\n")


def is_wrong_by(case):
    return int((case.machine_dir / "clock").read_text())


def clock_of(case, code=8):
    found = expect(case.on("--json", "doctor", "--servers"), code).json()["findings"]
    return next((f for f in found if f["id"] == "clock"), None)


def make_with_ntp(case):
    """A node whose answers name a time server, and nobody that admits it."""
    case.create()
    expect(case.on("install", "--answers", case.answers(replace=[
        ("admission:\n  kind: attest\n  url: https://attest.example/v1\n",
         "network: {ntp: 127.0.0.1}\n")])), 0)


@test("a clock three years ahead is told by a server that the node believes, and set by the repair")
def _(case):
    need("openssl")
    case.copy_of(make)
    server = AttestServer(case.dir, b"")
    server.off_s = 2                # its certificate is brand-new
    expect(case.on("node", "set", f"attest_url={server.url}",
                   f"attest_ca=@{server.authority.ca}"), 0)
    with contextlib.closing(server):
        for off, word in ((3 * YEAR, "ahead"), (-3 * 3600, "behind")):
            wrong_by(case, off)
            if off > 0:             # what is before slipway was made is seen without a server
                same([f["id"] for f in bad(findings(case))], [], "what nobody asked for")
                expect(case.on("--yes", "doctor", "--repair", "clock"), 2, "no finding")
            found = clock_of(case)
            same((found["severity"], found["sure"], found["asked"]), ("warning", "certain", True),
                 "clock")
            assert word in found["what"] and server.url in found["evidence"], found
            expect(case.on("doctor", "--servers", "--repair", "clock", "--dry-run"), 0, server.url)
            same(is_wrong_by(case), off, "the clock, so far")
            expect(case.on("--yes", "doctor", "--servers", "--repair", "clock"), 0,
                   "The clock is set to", "clock is gone")
            assert abs(is_wrong_by(case)) < 10, is_wrong_by(case)
        same(clock_of(case, 0), None, "a clock that is right")
        same(server.requests, [], "what was sent to the server")


@test("what NTP alone says of the clock is likely, of minutes no fault, of seconds nothing")
def _(case):
    case.copy_of(make_with_ntp)
    with contextlib.closing(Ntp(case)):
        for off, said in ((YEAR, ("warning", "likely")), (400, ("warning", "likely")),
                          (200, ("info", "likely")), (30, None)):
            wrong_by(case, off)
            found = clock_of(case, 8 if said and said[0] == "warning" else 0)
            same(found and (found["severity"], found["sure"]), said, f"{off} s")
    wrong_by(case, YEAR)
    same(clock_of(case, 0), None, "when nobody answers")


@test("by keys: r asks what time it is, and the repair of the clock sets it")
def _(case):
    case.copy_of(make_with_ntp)
    wrong_by(case, YEAR)
    with contextlib.closing(Ntp(case)), contextlib.closing(Console(case)) as c:
        c.see("Find out why it does not boot", "nothing is wrong")
        c.press(DOWN, "\r")
        c.see("Nothing is wrong.")
        c.press("r")
        c.see("the clock is ahead", "set this machine's clock")
        c.choose("clock")
        c.see("One finding", "366 days ahead of 127.0.0.1")
        c.press("\r")
        c.see("No, go back")
        c.press(DOWN, "\r")
        c.see("clock is gone")
    assert abs(is_wrong_by(case)) < 10, is_wrong_by(case)


if __name__ == "__main__":
    main()
