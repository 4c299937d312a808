# SPDX-License-Identifier: Apache-2.0
"""slipway doctor and a node's servers: asked when somebody wants it, and what was noted of them."""
from lib import Server, expect, main, same, test
from museum import bad, findings, make


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


if __name__ == "__main__":
    main()
