# SPDX-License-Identifier: Apache-2.0
"""The network of the answers on the real systemd-networkd, in network namespaces of their own: what
a plan says is what the links get."""
import json
import os
import subprocess
import sys
from pathlib import Path

from attest_server import Authority
from lib import SLIPWAY, Skip, expect, main, need, same, sha256, test

HERE = Path(__file__).resolve().parent
SERVER, PORT = "2001:db8:9::1", 8443
CONNECT = (sys.executable, "-c",
           f"import socket; socket.create_connection(('{SERVER}', {PORT}), 60)")


def one_line(pem):
    return " ".join(pem.read_text().split("\n")).strip()


def answers_with(case, network, ca=None):
    """An answer file whose payload is on the site's server, or local without ca."""
    kernel, initrd = case.payload()
    if not ca:
        return case.answers(replace=[("finish:", network + "finish:")])
    site = case.dir / "site"
    site.mkdir(exist_ok=True)
    for path in (kernel, initrd):
        (site / path.name).write_bytes(path.read_bytes())
    base = f"https://[{SERVER}]:{PORT}"
    return case.answers(kernel=f"{base}/vmlinuz", initrd=f"{base}/initrd",
                        kernel_sha256=sha256(kernel), initrd_sha256=sha256(initrd),
                        replace=[("  cmdline:", f"  ca: \"{one_line(ca)}\"\n  cmdline:"),
                                 ("finish:", network + "finish:")])


def needs_kind(kind, *more, lies_on=()):
    """Not every kernel that tests run on has every kind of link."""
    done = subprocess.run(["unshare", "--net", "ip", "link", "add", *lies_on, "name", "x0", "type",
                           kind, *more], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Skip(f"this kernel makes no {kind}: {done.stderr.strip()}")


def from_plan(case, answers):
    """networkd's files, as the medium gets them."""
    plan = case.on("--json", "plan", "--answers", answers).json()
    return plan["network_config"]["files"]


def from_node(case, answers):
    """The same as slipway-node hands them to the system that it starts."""
    expect(case.on("--yes", "install", "--answers", answers), 0)
    expect(case.on("node", "config", case.dir / "config"), 0)
    return {path.name: path.read_text() for path in (case.dir / "config/network").iterdir()
            if path.name.startswith("10-slipway-")}


def on_networkd(case, texts, *command):
    need("unshare", "ip", "mount", "openssl")
    if os.geteuid() != 0 or not os.path.exists("/lib/systemd/systemd-networkd"):
        raise Skip("needs root and systemd-networkd")
    if subprocess.run(["unshare", "--net", "--mount", "true"], check=False,
                      capture_output=True).returncode:
        raise Skip("no namespaces of our own here")
    files = case.dir / "files"
    files.mkdir(exist_ok=True)
    for name, text in texts.items():
        (files / name).write_text(text)
    done = subprocess.run(["unshare", "--net", "--mount", sys.executable,
                           str(HERE / "netns_world.py"), str(case.dir), *map(str, command)],
                          capture_output=True, text=True, check=False, timeout=400)
    if done.returncode:
        raise AssertionError(f"no world: {done.stdout}\n{done.stderr}")
    return json.loads(done.stdout)


def all_configured(got):
    same(set(got["states"].values()), {"configured"}, f"states, with {got['log'][-3000:]}")


def world(case):
    case.create()
    return Authority(case.dir, name=SERVER)


@test("a machine that has IPv6 alone, by a router's adverts, installs from an https server")
def _(case):
    authority = world(case)
    answers = answers_with(case, "network: {links: {name: eth0, dhcp: no}}\n", authority.ca)
    got = on_networkd(case, from_plan(case, answers), SLIPWAY, "--machine", case.machine_dir,
                      "--yes", "install", "--answers", answers)
    all_configured(got)
    same(got["code"], 0, f"the install: {got['out']}{got['err']}")
    addresses = got["links"]["eth0"]["addresses"]
    assert any(a.startswith("2001:db8:9:") for a in addresses), addresses
    assert not any("." in a for a in addresses), addresses


@test("a machine with a fixed address alone asks the server that its medium names: network first")
def _(case):
    case.create("serial=NODE07SYS,size=4G,transport=nvme", "serial=STICK1,size=64M,transport=usb",
                extra=("--medium", "STICK1"))
    authority = Authority(case.dir, name=SERVER)
    (case.dir / "site").mkdir()
    (case.dir / "site/node.yaml").write_bytes(case.answers(finish="poweroff").read_bytes())
    medium = case.machine_dir / "medium"
    medium.mkdir(exist_ok=True)
    (medium / "slipway.yaml").write_text(
        "slipway: 1\nnetwork:\n  links: {name: eth0, dhcp: no, ra: no, "
        "addresses: ['2001:db8:9::7/64']}\n"
        f"sources: ['https://[{SERVER}]:{PORT}/node.yaml#pin={authority.pin()}']\n")
    got = on_networkd(case, {}, "--medium", case.machine_dir, "timeout", "200", SLIPWAY,
                      "--machine", case.machine_dir, "session", "--medium")
    same(got["states"], {"10-slipway-01-eth0.network": "configured"}, f"with {got['log'][-3000:]}")
    assert "installing from" in got["err"], got["err"]
    same([j["state"] for j in case.on("--json", "status").json()["journals"]], ["done"],
         f"journals: {got['out']}{got['err']}")


@test("fixed addresses, and an MTU that is not the usual one")
def _(case):
    world(case)
    answers = answers_with(case, "network:\n  links:\n    name: eth0\n    ra: no\n    mtu: 9000\n"
                                 "    addresses: [192.0.2.7/24, '2001:db8:9::7/64']\n"
                                 "    gateway: 192.0.2.1\n")
    got = on_networkd(case, from_plan(case, answers), "true")
    all_configured(got)
    link = got["links"]["eth0"]
    same(link["mtu"], 9000, "MTU")
    assert {"192.0.2.7/24", "2001:db8:9::7/64"} <= set(link["addresses"]), link


@test("a card whose answers name no MTU has its own again, whatever those before gave it")
def _(case):
    world(case)
    link = "slipway: 1\nnetwork:\n  links: {name: eth0, ra: no, addresses: 192.0.2.7/24%s}\n"
    small, usual = case.dir / "small.yaml", case.dir / "usual.yaml"
    small.write_text(link % ", mtu: 1400")
    usual.write_text(link % "")
    answers = answers_with(case, "network: {links: {name: eth0, dhcp: no}}\n")
    got = on_networkd(case, from_plan(case, answers), "sh", "-ec",
                      f"{SLIPWAY} network apply {small}; cat /sys/class/net/eth0/mtu; "
                      f"{SLIPWAY} network apply {usual}; cat /sys/class/net/eth0/mtu")
    same(got["code"], 0, f"both: {got['out']}{got['err']}{got['log'][-2000:]}")
    same([word for word in got["out"].split() if word.isdigit()], ["1400", "1500"], "MTUs")


@test("a bridge has its member's wire and its own address")
def _(case):
    needs_kind("bridge")
    world(case)
    answers = answers_with(case, "network:\n  links:\n    - {name: eth0, mtu: 1400}\n"
                                 "    - {name: br0, bridge: {members: eth0}, ra: no, mtu: 1400, "
                                 "addresses: ['2001:db8:9::8/64']}\n")
    got = on_networkd(case, from_plan(case, answers), *CONNECT)
    all_configured(got)
    same((got["links"]["eth0"]["master"], got["links"]["br0"]["mtu"]), ("br0", 1400), "links")
    same(got["code"], 0, f"connecting: {got['out']}{got['err']}")


@test("a VLAN lies on its link")
def _(case):
    needs_kind("vlan", "id", "5", lies_on=("link", "lo"))
    world(case)
    answers = answers_with(case, "network:\n  links:\n    - {name: eth0, dhcp: no, ra: no}\n"
                                 "    - {name: vlan5, vlan: {id: 5, link: eth0}, ra: no, "
                                 "addresses: [198.51.100.7/24]}\n")
    got = on_networkd(case, from_plan(case, answers), "true")
    all_configured(got)
    assert "198.51.100.7/24" in got["links"]["vlan5"]["addresses"], got["links"]


@test("a bond has its member's wire and its own address")
def _(case):
    needs_kind("bond")
    world(case)
    answers = answers_with(case, "network:\n  links:\n    - {name: eth0}\n"
                                 "    - {name: bond7, bond: {members: eth0}, ra: no, "
                                 "addresses: ['2001:db8:9::8/64']}\n")
    got = on_networkd(case, from_plan(case, answers), *CONNECT)
    all_configured(got)
    same((got["links"]["eth0"]["master"], got["code"]), ("bond7", 0), "the bond")


@test("a node that starts with the files of slipway-node has the address that was asked for")
def _(case):
    world(case)
    answers = answers_with(case, "network:\n  links:\n    name: eth0\n    ra: no\n    mtu: 1400\n"
                                 "    addresses: ['2001:db8:9::7/64']\n  ntp: 192.0.2.1\n")
    texts = from_node(case, answers)
    same(texts, from_plan(case, answers), "the node's files and the medium's")
    got = on_networkd(case, texts, *CONNECT)
    all_configured(got)
    link = got["links"]["eth0"]
    assert "2001:db8:9::7/64" in link["addresses"], link
    same((link["mtu"], got["code"]), (1400, 0), "MTU and connection")


main()
