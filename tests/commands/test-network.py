# SPDX-License-Identifier: Apache-2.0
"""`slipway network` and its test: a line for each link, router, name server, time server and server
of the answers, and what to do about one that fails."""
import contextlib

from lib import Server, expect, main, same, sha256, test

DIRECT = {"https_proxy": "", "HTTPS_PROXY": "", "all_proxy": "", "ALL_PROXY": "", "http_proxy": ""}
ROUTE = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
"""


@contextlib.contextmanager
def world(case, routed=True):
    case.create()
    if routed:
        folder = case.machine_dir / "net"
        folder.mkdir(exist_ok=True)
        (folder / "route").write_text(ROUTE)
        (folder / "resolv.conf").write_text("nameserver 192.0.2.53\nsearch rack.example\n")
    kernel, initrd = case.payload()
    server = Server(case.dir)
    answers = case.answers(kernel=f"{server.url}/vmlinuz", initrd=f"{server.url}/initrd",
                           kernel_sha256=sha256(kernel), initrd_sha256=sha256(initrd),
                           replace=[("  kind: attest\n  url: https://attest.example/v1\n",
                                     "  kind: none\n")])
    try:
        yield server, answers
    finally:
        server.close()


def rows(done):
    said = done.json()
    for check in said["checks"]:
        assert check["verdict"] == "ok" or check.get("fix") or check["verdict"] == "not checked", \
            f"no fix for {check}"
    return {c["name"]: c for c in said["checks"]}


@test("what there is: links, routes, name servers")
def _(case):
    with world(case):
        said = expect(case.on("--json", "network"), 0).json()
        same((said["links"][0]["name"], said["routes"][0]["via"], said["dns"], said["search"]),
             ("eth0", "192.0.2.1", ["192.0.2.53"], ["rack.example"]), "said")
        text = expect(case.on("network"), 0).out
        assert "link     eth0, carrier, 192.0.2.7/24" in text and "via 192.0.2.1" in text, text


@test("where all is well each row says so, and each server was asked once")
def _(case):
    with world(case) as (server, answers):
        done = expect(case.on("--json", "network", "--test", "--answers", answers, env=DIRECT), 0)
        got = rows(done)
        same({n: got[n]["verdict"] for n in ("link eth0", "DNS", "kernel", "initrd")},
             dict.fromkeys(("link eth0", "DNS", "kernel", "initrd"), "ok"), "verdicts")
        assert done.json()["passed"], done
        same(sorted(path for path, _ in server.hits), ["/initrd", "/vmlinuz"], "asked for")
        text = expect(case.on("network", "--test", "--answers", answers, env=DIRECT), 0).out
        assert text.startswith("link eth0    ok "), text


@test("a file that is not there, a server that is away and a bare network are told, with exit 10")
def _(case):
    with world(case, routed=False) as (server, answers):
        (case.dir / "initrd").unlink()
        done = case.on("--json", "network", "--test", "--answers", answers, env=DIRECT)
        got = rows(done)
        same((done.code, got["kernel"]["verdict"], got["initrd"]["verdict"]),
             (10, "ok", "failed"), "a file that is gone")
        same((got["DNS"]["verdict"], got["router"]["verdict"]), ("warning", "warning"), "bare")
        assert "404" in got["initrd"]["what"] + done.err or "no such file" in \
            got["initrd"]["what"], got["initrd"]
        server.close()
        got = rows(case.on("--json", "network", "--test", "--answers", answers, env=DIRECT))
        same(got["kernel"]["verdict"], "failed", "a server that is away")


@test("time servers are asked, and one that is silent is a warning")
def _(case):
    with world(case) as (_server, answers):
        text = answers.read_text().replace("finish:", "network: {ntp: [127.0.0.1]}\nfinish:")
        answers.write_text(text)
        (case.machine_dir / "net/ntp-port").write_text("9\n")
        got = rows(case.on("--json", "network", "--test", "--answers", answers, env=DIRECT))
        same(got["NTP"]["verdict"], "warning", "a silent time server")
        same(got["clock"]["verdict"], "not checked", "the clock")


main()
