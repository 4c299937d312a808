# SPDX-License-Identifier: Apache-2.0
"""Where answers come from on a machine that nobody watches, and what several of them come to."""
import base64
import http.server
import json
import re
import socket
import ssl
import struct
import subprocess
import threading
import time

from attest_server import Authority
from lib import Server, expect, main, partitions, same, sha256, test, tool

NODE = "serial=NODE07SYS,size=4G,transport=nvme"
INNER = "serial=INNER1,size=64M,transport=sata"
STICK = "serial=STICK1,size=64M,transport=usb"
MAC = "52:54:00:12:34:56"               # of every stand-in's card


class Tls:
    """https on the loopback; answer(path, body) gives what is sent, or None for 404."""

    def __init__(self, case, answer):
        self.authority, self.asked = Authority(case.dir), []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def serve(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                server.asked.append((self.command, self.path, self.headers["Content-Type"], body))
                text = answer(self.path, body)
                if text is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST = serve

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.authority.cert, self.authority.key)
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.handle_error = lambda *args: None
        self.http.socket = context.wrap_socket(self.http.socket, server_side=True,
                                               do_handshake_on_connect=False)
        self.url = f"https://127.0.0.1:{self.http.server_address[1]}"
        self.pin = "#pin=" + self.authority.pin()
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


class NameServer:
    """Answers every TXT question of the names that it has, on a port of its own: RFC 1035. What
    begins with "ptr:" is a PTR record."""

    def __init__(self, records):
        self.records, self.asked = records, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                data, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            end, labels = 12, []
            while data[end]:
                labels.append(data[end + 1:end + 1 + data[end]].decode())
                end += 1 + data[end]
            question = data[12:end + 5]
            self.asked.append(".".join(labels))
            texts = self.records.get(".".join(labels))
            found = b""
            for text in texts or []:
                # A string has at most 255 bytes; what is longer comes in several.
                raw = text.encode()
                parts = [raw[i:i + 200] for i in range(0, len(raw), 200)]
                kind, rdata = 16, b"".join(bytes([len(part)]) + part for part in parts)
                if text.startswith("ptr:"):
                    kind, rdata = 12, b"".join(bytes([len(part)]) + part for part in
                                               raw[4:].split(b".")) + b"\0"
                found += b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(rdata)) + rdata
            head = data[:2] + struct.pack(">HHHHH", 0x8180 if texts else 0x8183, 1,
                                          len(texts or []), 0, 0)
            self.socket.sendto(head + question + found, peer)

    def close(self):
        self.socket.close()


def network(case, servers="", leases=()):
    """What the stand-in's network is: resolv.conf, and leases as networkd keeps them."""
    kept = case.machine_dir / "run/systemd/netif/leases"
    for folder in (kept, case.machine_dir / "net"):
        folder.mkdir(parents=True, exist_ok=True)
    (case.machine_dir / "net/resolv.conf").write_text(servers)
    for number, text in enumerate(leases):
        (kept / str(number + 2)).write_text(text)


def machine(case, cmdline="", medium=None, disks=(NODE,)):
    case.machine_dir = case.dir / f"m{len(list(case.dir.glob('m[0-9]*')))}"
    case.create(*disks, extra=("--medium", "STICK1") if STICK in disks else ())
    (case.machine_dir / "proc").mkdir(exist_ok=True)
    (case.machine_dir / "proc/cmdline").write_text("quiet " + cmdline + "\n")
    if medium is not None:
        (case.machine_dir / "medium").mkdir(exist_ok=True)
        (case.machine_dir / "medium/slipway.yaml").write_text(medium)


def provenance(case, code=0):
    said = expect(case.on("--json", "answers"), code).json()
    return {v["key"]: v for v in said["values"]}, said


def yaml(case, *more, replace=()):
    return case.answers(replace=replace).read_text() + "".join(line + "\n" for line in more)


@test("the medium, a URL and short keys are merged key by key, and it is told who set what")
def _(case):
    node = case.dir / "www" / "node.yaml"
    node.parent.mkdir()
    node.write_text("slipway: 1\nnode: {hostname: from-url}\nfinish: poweroff\n")
    server = Server(node.parent)
    try:
        machine(case, f"slipway.answers={server.url}/node.yaml slipway.answers.sha256="
                f"{sha256(node)} slipway.set=node.hostname=node-31", yaml(case), (NODE, STICK))
        values, said = provenance(case)
        same(said["valid"], True, "valid")
        host = values["node.hostname"]
        same((host["value"], host["source"]), ("node-31", "kernel command line, slipway.set="),
             "host name")
        same([v["value"] for v in host["over"]], ["from-url", "node-07"], "who lost")
        assert host["over"][0]["where"].endswith("/node.yaml:2:18"), host
        assert host["over"][1]["where"].endswith("/slipway.yaml:3:13"), host
        same(values["disk.match.serial"]["over"], [], "the disk")
        assert "on the medium" in values["disk.match.serial"]["source"], values
        same(values["finish"]["value"], "poweroff", "finish")
        text = expect(case.on("answers", "--provenance"), 0).out
        assert "node.hostname: node-31\n    from kernel command line, slipway.set=\n" in text, text
        assert "    not from-url, from http://" in text, text
        merged = case.dir / "merged.yaml"
        merged.write_text(expect(case.on("answers"), 0).out)
        expect(case.on("check", merged), 0, "it plans on this machine")
    finally:
        server.close()


@test("a value left to ask is open whatever a weaker source said, a stronger one answers it")
def _(case):
    asked = yaml(case, replace=[("serial: NODE07SYS", "serial: ask"),
                                ("hostname: node-07", "hostname: ask")])
    machine(case, "slipway.set=node.hostname=node-31", asked, (NODE, STICK))
    values, _said = provenance(case)
    same(values["disk.match.serial"]["value"], "(asked)", "serial")
    assert "slipway.yaml:" in values["disk.match.serial"]["where"], values
    same(values["node.hostname"]["value"], "node-31", "host name")
    same(values["node.hostname"]["over"][0]["value"], "(asked)", "what it lost")
    out = expect(case.on("answers"), 0).out
    assert "serial: ask\n" in out and "hostname: node-31" in out, out
    merged = case.dir / "merged.yaml"
    merged.write_text(out)
    expect(case.on("check", merged), 0, "it asks for disk.match.serial")
    # Nobody is there to be asked: refused, with what is open, and nothing is begun.
    end = case.on("install", "--answers", merged)
    expect(end, 3)
    assert "disk.match.serial" in end.err, end.err
    same(case.on("--json", "status").json()["journals"], [], "journals")


@test("which disk is one value: half of one rule is never put beside half of another")
def _(case):
    more = yaml(case, replace=[("match: {serial: NODE07SYS}",
                                "match: [{model: Alpha, size: largest}, {model: Beta}]\n"
                                "  preserve: [a, b]")])
    machine(case, "slipway.set=disk.match.serial=NODE07SYS slipway.set=disk.preserve=c", more,
            (NODE, STICK))
    values, _said = provenance(case)
    same(values["disk.match.serial"]["value"], "NODE07SYS", "serial")
    for gone in ("disk.match.model", "disk.match.size", "disk.match[2].model"):
        assert "value" not in values[gone] and len(values[gone]["over"]) == 1, values[gone]
    same(values["disk.preserve"]["value"], "c", "a list is one value")
    out = expect(case.on("answers"), 0).out
    assert "Alpha" not in out and "largest" not in out, out


@test("a list of webhooks is one value and none of it is lost; a single one is merged by its keys")
def _(case):
    hooks = ["report:", "  webhooks:", "    - {url: 'https://a/1', token: medium:/one}",
             "    - {url: 'https://b/2', token: medium:/two}"]
    machine(case, "slipway.set=finish=stay", yaml(case, *hooks), (NODE, STICK))
    values, _said = provenance(case)
    same([values[f"report.webhooks{n}.{k}"]["value"] for n in ("", "[2]")
          for k in ("url", "token")],
         ["https://a/1", "medium:/one", "https://b/2", "medium:/two"], "both")
    out = expect(case.on("answers"), 0).out
    assert "https://a/1" in out and "https://b/2" in out, out
    over = "slipway.set=report.webhooks.url=https://c/3"
    machine(case, over, yaml(case, *hooks), (NODE, STICK))
    out = expect(case.on("answers"), 0).out
    assert "https://c/3" in out and "/one" not in out and "https://b/2" not in out, out
    machine(case, over, yaml(case, *hooks[:3]), (NODE, STICK))
    out = expect(case.on("answers"), 0).out
    assert "https://c/3" in out and "medium:/one" in out and "https://a/1" not in out, out


@test("a list of admissions comes through a merge whole")
def _(case):
    text = yaml(case).split("admission:")[0] + "\n".join((
        "admission:", "  - {kind: attest, url: 'https://a/v1'}",
        "  - {kind: homeworld, url: 'https://b', tokenfile: medium:/t}", ""))
    machine(case, "slipway.set=finish=stay", text, (NODE, STICK))
    said = case.on("answers")
    assert "https://a/v1" in said.out and "kind: homeworld" in said.out, said


@test("a mistake in merged answers is told at its place in the source that made it")
def _(case):
    machine(case, "slipway.set=payload.sha256.kernel=12", yaml(case), (NODE, STICK))
    expect(case.on("answers"), 3, "kernel command line, slipway.set=")
    machine(case, "slipway.set=node.hostnam=x", yaml(case), (NODE, STICK))
    expect(case.on("answers"), 3, "unknown key")
    machine(case, "slipway.set=finish=stay", "slipway: 1\nnode:\n  hostname: n\n", (NODE, STICK))
    result = expect(case.on("answers"), 3)
    assert "slipway.yaml:" in result.err and "payload.kernel is missing" in result.err, result


@test("the medium's file names further sources; each counts more than what is before it")
def _(case):
    www = Tls(case, lambda path, _body: {
        f"/{MAC}.yaml": "slipway: 1\nnode: {hostname: by-mac}\n",
        "/stand-in": "slipway: 1\nfinish: stay\n"}.get(path))
    try:
        machine(case, "slipway.set=boot.mode=local", yaml(
            case, "sources:", f"  - '{www.url}/${{mac}}.yaml{www.pin}'",
            f"  - '{www.url}/${{hostname}}{www.pin}'"), (NODE, STICK))
        values, _said = provenance(case)
        same(values["node.hostname"]["value"], "by-mac", "host name")
        same(values["finish"]["value"], "stay", "finish")
        assert "sources" not in values, values
        same([path for _, path, _, _ in www.asked], [f"/{MAC}.yaml", "/stand-in"], "asked")
    finally:
        www.close()


@test("a source that was named by another names no further ones")
def _(case):
    more = case.dir / "more.yaml"
    more.write_text("slipway: 1\nsources: [smbios]\n")
    machine(case, f"slipway.answers={more}", yaml(case), (NODE, STICK))
    expect(case.on("answers"), 3, "more.yaml:2:10")
    machine(case, "", yaml(case, f"sources: {more}"), (NODE, STICK))
    expect(case.on("answers"), 3, "only the kernel command line and the medium")
    # Nor does a file that a person names: it is told and not passed over.
    expect(case.run("check", more), 3, "sources does not count here")


@test("https is believed by its pin only, or by a CA that is known here; http by a hash only")
def _(case):
    www = Tls(case, lambda path, _body: yaml(case))
    try:
        machine(case, f"slipway.answers={www.url}/a{www.pin}")
        expect(case.on("answers"), 0, "NODE07SYS")
        machine(case, f"slipway.answers={www.url}/a")
        expect(case.on("answers"), 10, "certificate is not trusted")
        machine(case, f"slipway.answers={www.url}/a#pin=sha256:{'0' * 64}")
        expect(case.on("answers"), 10, "another server")
        machine(case, f"slipway.answers={www.url}/a{www.pin}&sha256={'0' * 64}")
        expect(case.on("answers"), 8, "do not match their sha256")
        machine(case, "", yaml(case, "sources: http://127.0.0.1:9/a"), (NODE, STICK))
        expect(case.on("answers"), 3, "add #sha256=HEX")
    finally:
        www.close()


@test("a server that gets this machine's facts chooses its answers")
def _(case):
    def choose(path, body):
        macs = [link["mac"] for link in json.loads(body)["links"]] if body else []
        return yaml(case, replace=[("node-07", "node-42")]) if MAC in macs else None

    www = Tls(case, choose)
    try:
        machine(case, f"slipway.answers=post:{www.url}/answers{www.pin}")
        values, _said = provenance(case)
        same(values["node.hostname"]["value"], "node-42", "host name")
        same([(m, p, t) for m, p, t, _ in www.asked], [("POST", "/answers", "application/json")],
             "request")
        facts = json.loads(www.asked[0][3])
        same([d["serial"] for d in facts["disks"]], ["NODE07SYS"], "the facts have the disks")
        # What ran elsewhere would be refused: the facts go to nobody but the pinned server.
        machine(case, f"slipway.answers=post:{www.url}/answers#pin=sha256:{'1' * 64}")
        before = len(www.asked)
        expect(case.on("answers"), 10, "another server")
        same(len(www.asked), before, "requests that arrived")
    finally:
        www.close()


@test("a server that has no answers for this machine is told with its status")
def _(case):
    www = Tls(case, lambda path, _body: None)
    try:
        machine(case, f"slipway.answers=post:{www.url}/answers{www.pin}")
        expect(case.on("answers"), 5, "HTTP status 404")
    finally:
        www.close()


def oem(case, *strings):
    """SMBIOS structure of type 11 as sysfs has it."""
    entry = case.machine_dir / "sys/firmware/dmi/entries/11-0"
    entry.mkdir(parents=True, exist_ok=True)
    (entry / "raw").write_bytes(bytes((11, 5, 0, 1, len(strings))) +
                                b"".join(s.encode() + b"\0" for s in strings) + b"\0")


def fw_cfg(case, name, text):
    item = case.machine_dir / "sys/firmware/qemu_fw_cfg/by_name" / name
    item.mkdir(parents=True, exist_ok=True)
    (item / "raw").write_text(text)


@test("a TXT record names the URL of the answers, which is believed by what named the record")
def _(case):
    server = Tls(case, lambda path, body: "slipway: 1\nnode: {hostname: by-dns}\n")
    long = "/" + "x" * 300
    dns = NameServer({"_slipway.rack.example": ["v=spf1 -all", server.url + long + "/${mac}"],
                      "two.example": [server.url + "/a", server.url + "/b"],
                      "pinned.example": [server.url + "/a" + server.pin]})
    resolv = f"nameserver 127.0.0.1\nport {dns.port}\nsearch rack.example\n"
    try:
        machine(case, f"slipway.answers=dns{server.pin}")
        network(case, resolv)
        values, _said = provenance(case, 3)
        same(values["node.hostname"]["value"], "by-dns", "host name")
        where = values["node.hostname"]["source"]
        assert "dns" in where and "kernel command line" in where, where
        same(dns.asked, ["_slipway.rack.example"], "asked")
        assert server.asked[0][1].startswith(long + "/"), server.asked
        for word, code, why in (
                ("dns:_slipway.rack.example", 3, "DNS or DHCP as the only word"),
                ("dns:two.example" + server.pin, 3, "several places"),
                ("dns:pinned.example" + server.pin, 4, "also tells a hash or a pin"),
                ("dns:none.example" + server.pin, 5, "none.example has no TXT record"),
                ("dns:_slipway.rack.example#pin=sha256:" + "0" * 64, None, "by-dns")):
            machine(case, "slipway.answers=" + word)
            network(case, resolv)
            end = case.on("answers")
            if code is None:
                assert end.code and why not in end.out, end
            else:
                expect(end, code, why)
    finally:
        dns.close()
        server.close()


@test("an option of the DHCP lease names the URL, with the same trust; unasked it is not read")
def _(case):
    server = Tls(case, lambda path, body: "slipway: 1\nnode: {hostname: by-dhcp}\n")
    lease = ("# This is private data. Do not parse.\nADDRESS=192.0.2.7\nOPTION_{}=" +
             (server.url + "/a").encode().hex() + "00\n")
    try:
        for word, number in (("dhcp", 224), ("dhcp:230", 230)):
            machine(case, f"slipway.answers={word}{server.pin}")
            network(case, leases=["ADDRESS=192.0.2.8\n", lease.format(number)])
            values, _said = provenance(case, 3)
            same(values["node.hostname"]["value"], "by-dhcp", "host name")
        machine(case, "slipway.answers=dhcp")
        expect(case.on("answers"), 3, "DNS or DHCP as the only word")
        machine(case, "slipway.answers=dhcp:12")
        expect(case.on("answers"), 3, "224 to 254")
        # Two cards, two opinions.
        machine(case, f"slipway.answers=dhcp{server.pin}")
        network(case, leases=[lease.format(224),
                              "OPTION_224=" + b"https://other.example/a".hex() + "\n"])
        expect(case.on("answers"), 3, "several places")
        machine(case, "")
        network(case, leases=[lease.format(224)])
        expect(case.on("answers"), 5)
    finally:
        server.close()


@test("a node's name from its serial, card, DHCP lease or name server; what is no name is refused")
def _(case):
    dns = NameServer({"7.2.0.192.in-addr.arpa": ["ptr:Node-31.rack.example"]})
    resolv = f"nameserver 127.0.0.1\nport {dns.port}\n"
    lease = "ADDRESS=192.0.2.7\nHOSTNAME=by-dhcp\n"
    try:
        machine(case)
        network(case, resolv, leases=[lease])
        path = case.dir / "name.yaml"
        for text, name in (("node-${mac}", "node-52-54-00-12-34-56"), ("${dhcp}", "by-dhcp"),
                           ("${dns}", "node-31.rack.example"), ("N7-${hostname}", None),
                           ("${ek}", 3), ("${serial}", 5), ("x${what}", 3), ("-${mac}", 3)):
            path.write_text(yaml(case, replace=[("hostname: node-07", f"hostname: {text}")]))
            end = case.on("install", "--dry-run", "--answers", path)
            if isinstance(name, int):
                expect(end, name)
                continue
            expect(end, 0)
            said = re.search("^Name +(.*)$", end.out, re.M).group(1)
            assert "$" not in said and said == said.lower(), said
            assert name is None or said == name, (said, name)
        # On captured facts only what they hold is known.
        facts = case.dir / "facts.json"
        facts.write_text(case.on("facts", "--json").out)
        path.write_text(yaml(case, replace=[("hostname: node-07", "hostname: ${dns}")]))
        expect(case.run("--facts", facts, "plan", "--answers", path), 5, "only the machine itself")
        network(case, resolv, leases=[lease, "HOSTNAME=another\n"])
        path.write_text(yaml(case, replace=[("hostname: node-07", "hostname: ${dhcp}")]))
        expect(case.on("install", "--dry-run", "--answers", path), 3, "different host names")
        # Once it is installed, the template is the same answers.
        path.write_text(yaml(case, replace=[("hostname: node-07", "hostname: n-${mac}")]))
        expect(case.on("install", "--answers", path), 0)
        expect(case.on("install", "--answers", path), 0, "nothing was done")
    finally:
        dns.close()


@test("SMBIOS OEM strings, credentials and fw_cfg count when they are named, and only then")
def _(case):
    whole = base64.b64encode(yaml(case).encode()).decode()
    machine(case)
    oem(case, "vendor text", "slipway.set=node.hostname=by-oem", "slipway.set=finish=stay",
        "io.systemd.credential:rack=slipway: 1",
        f"io.systemd.credential.binary:slipway.answers={whole}")
    fw_cfg(case, "opt/slipway/answers", "slipway: 1\nnode: {hostname: by-fw-cfg}\n")
    expect(case.on("answers"), 5, "no answers are named")
    line = case.machine_dir / "proc/cmdline"
    line.write_text("slipway.answers=credential:slipway.answers slipway.answers=smbios\n")
    values, _said = provenance(case)
    host = values["node.hostname"]
    same((host["value"], [v["value"] for v in host["over"]]), ("by-oem", ["node-07"]), "host name")
    line.write_text("slipway.answers=smbios slipway.answers=credential:slipway.answers "
                    "slipway.answers=fw_cfg:opt/slipway/answers\n")
    host = provenance(case)[0]["node.hostname"]
    same((host["value"], [v["value"] for v in host["over"]]),
         ("by-fw-cfg", ["node-07", "by-oem"]), "the order of the command line")
    # fw_cfg is also a way for credentials, and systemd's own directory is asked before it.
    fw_cfg(case, "opt/io.systemd.credentials/slipway.answers", "slipway: 1\nfinish: reboot\n")
    line.write_text("slipway.answers=credential:slipway.answers\n")
    same(provenance(case, 3)[0]["finish"]["value"], "reboot", "finish")
    system = case.machine_dir / "run/credentials"
    system.mkdir(parents=True, exist_ok=True)
    (system / "slipway.answers").write_text("slipway: 1\nfinish: poweroff\n")
    same(provenance(case, 3)[0]["finish"]["value"], "poweroff", "finish")


@test("what is named and not there, or no base64, is told")
def _(case):
    machine(case, "slipway.answers=smbios")
    expect(case.on("answers"), 5, "no OEM string")
    oem(case, "slipway.answers=base64:%%%")
    expect(case.on("answers"), 3, "not base64")
    oem(case, "slipway.answers=base64:eA==", "slipway.set=finish=stay")
    expect(case.on("answers"), 3, "both slipway.set= and slipway.answers=")
    machine(case, "slipway.answers=credential:rack")
    expect(case.on("answers"), 5, "this credential")
    machine(case, "slipway.answers=fw_cfg:opt/a")
    expect(case.on("answers"), 5, "fw_cfg")
    machine(case, f"slipway.answers=base64:{base64.b64encode(yaml(case).encode()).decode()}")
    expect(case.on("answers"), 0, "NODE07SYS")
    machine(case, "slipway.answers=https://127.0.0.1:9/${serial}")
    expect(case.on("answers"), 5, "this machine has no serial")


def fat(case, serial, label, text):
    image = case.disk(serial)
    tool("sfdisk", "-q", image, input="label: gpt\nstart=1M, type=linux\n")
    start = partitions(image)[""]["start"]
    tool("mkfs.vfat", "-n", label, "--offset", start, image, "50000")
    source = case.dir / "labelled.yaml"
    source.write_text(text)
    tool("mcopy", "-o", "-i", f"{image}@@{start * 512}", source, "::/slipway.yaml")


@test("a partition with the named label counts on a removable disk; on an inner one it is nothing")
def _(case):
    machine(case, "slipway.answers=label:RACK7", disks=(NODE, INNER))
    fat(case, "INNER1", "RACK7", yaml(case))
    result = expect(case.on("answers", timeout=120), 5, "labelled RACK7")
    assert "inner disks do not count" in result.err, result
    machine(case, "slipway.answers=label:RACK7", disks=(NODE, "serial=USB7,size=64M,transport=usb"))
    fat(case, "USB7", "RACK7", yaml(case))
    expect(case.on("answers"), 0, "NODE07SYS")


@test("an inner disk labelled SLIPWAY is never asked, also when nothing else says anything")
def _(case):
    machine(case, disks=(NODE, INNER))
    fat(case, "INNER1", "SLIPWAY", yaml(case))
    expect(case.on("answers"), 5, "no answers are named")


def signed(case, file):
    key = case.dir / "ops"
    if not key.exists():
        tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ops", "-f", key)
    file.with_name(file.name + ".sig").unlink(missing_ok=True)
    tool("ssh-keygen", "-q", "-Y", "sign", "-n", "slipway-answers", "-f", key, file)
    return key.with_name("ops.pub").read_text().strip()


@test("trust.keys of the medium vouch for an http source without a hash")
def _(case):
    www = case.dir / "www"
    www.mkdir()
    node = www / "node.yaml"
    node.write_text("slipway: 1\nnode: {hostname: signed}\n")
    public = signed(case, node)
    server = Server(www)
    try:
        medium = yaml(case, f"trust: {{keys: '{public}'}}", f"sources: {server.url}/node.yaml")
        machine(case, "", medium, (NODE, STICK))
        same(provenance(case)[0]["node.hostname"]["value"], "signed", "host name")
        node.write_text("slipway: 1\nnode: {hostname: forged}\n")
        expect(case.on("answers"), 8)
    finally:
        server.close()


@test("answers unsigned, signed by another key, with a cut signature or altered bytes are refused")
def _(case):
    www, other = case.dir / "www", case.dir / "other"
    www.mkdir()
    other.mkdir()
    node, sig = www / "node.yaml", www / "node.yaml.sig"
    node.write_text("slipway: 1\nnode: {hostname: signed}\n")
    public = signed(case, node)
    good = sig.read_bytes()
    stranger = other / "key"
    tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ops", "-f", stranger)
    (other / "node.yaml").write_bytes(node.read_bytes())
    tool("ssh-keygen", "-q", "-Y", "sign", "-n", "slipway-answers", "-f", stranger,
         other / "node.yaml")
    server = Server(www)

    try:
        medium = yaml(case, f"trust: {{keys: '{public}'}}", f"sources: {server.url}/node.yaml")
        machine(case, "", medium, (NODE, STICK))
        for signature, code, words in (
                (None, 10, "the signature cannot be fetched"),
                ((other / "node.yaml.sig").read_bytes(), 8, "by none of the trusted keys"),
                (b"not one\n", 8, "it holds no SSH signature"),
                (good[:len(good) // 2], 8, "it holds no SSH signature")):
            sig.unlink(missing_ok=True)
            if signature is not None:
                sig.write_bytes(signature)
            expect(case.on("answers"), code, words)
        sig.write_bytes(good)
        kept = node.read_bytes()
        node.write_bytes(kept.replace(b"signed", b"forged"))
        expect(case.on("answers"), 8, "not for this content")
        node.write_bytes(kept)
        same(provenance(case)[0]["node.hostname"]["value"], "signed", "after all that")
    finally:
        server.close()


@test("an unattended install takes what the medium and the command line say together")
def _(case):
    machine(case, "slipway.set=node.hostname=node-88 slipway.set=finish=stay", yaml(case),
            (NODE, STICK))
    child = case.start("session", "--medium")
    end = time.monotonic() + 240
    while time.monotonic() < end:
        if [j["state"] for j in case.on("--json", "status").json()["journals"]] == ["done"]:
            break
        time.sleep(0.5)
    child.terminate()
    try:
        child.wait(120)
    except subprocess.TimeoutExpired:
        child.kill()
    status = case.on("--json", "status").out
    assert "node-88" in status, status


@test("the network that the medium's file says is set before the server is asked that it names")
def _(case):
    def answer(_path, _body):
        kept = case.machine_dir / "run/systemd/network/10-slipway-01-eth0.network"
        return text if kept.exists() and "192.0.2.7/24" in kept.read_text() else None

    text = case.answers(finish="poweroff").read_text()
    server = Tls(case, answer)
    try:
        machine(case, medium="slipway: 1\nnetwork: {links: {name: eth0, addresses: 192.0.2.7/24}}\n"
                f"sources: '{server.url}/node.yaml{server.pin}'\n", disks=(NODE, STICK))
        # Who only looks changes nothing: then the server has none.
        expect(case.on("answers"), 5)
        assert not (case.machine_dir / "run/systemd/network").exists()
        said = case.start("session", "--medium").communicate(timeout=240)[1]
        assert "installing from" in said, said
        same([j["state"] for j in case.on("--json", "status").json()["journals"]], ["done"],
             "journals")
    finally:
        server.close()


main()
