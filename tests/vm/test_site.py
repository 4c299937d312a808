# SPDX-License-Identifier: Apache-2.0
"""Sites whose network is not one wire with DHCP: what the answers say of it is what the medium has
while it installs, and the node afterwards."""

import threading

import harness
import netnode
import server
import switch
from test_install import answer_iso, answers, check, machine_with, need_slipway
from test_node import shell
from test_unattended import by_https

MACS = ("52:54:00:12:34:01", "52:54:00:12:34:02")
VLAN = 42

# The members carry more than the VLAN does, which a card of this kind restarts for.
TAGGED = """network:
  links:
    - {name: lan0, match: {mac: "%s"}, mtu: 9000}
    - {name: lan1, match: {mac: "%s"}, mtu: 9000}
    - name: bond0
      bond: {members: [lan0, lan1], mode: 802.3ad}
      mtu: 9000
      dhcp: no
      ra: no
    - name: site
      vlan: {id: %d, link: bond0}
      mtu: 1500
      addresses: [10.0.2.77/24]
      gateway: 10.0.2.2
      dns: 10.0.2.3
      search: rack.example
      ra: no
""" % (*MACS, VLAN)


def pulls_a_cable(vm, http, wires, gate):
    """Of the two ports one goes while the payload comes; the other has what is left of it, which
    begins when the cable is out."""
    vm._wait_for(lambda: any(path == "/initrd" for _, path, _ in http.requests), 400, "the initrd")
    check(all(card.aggregated() for card in wires.cards), "not both ports are aggregated")
    check(len({card.partner for card in wires.cards}) == 1, "not one aggregation")
    busy, other = sorted(wires.cards, key=lambda card: -card.frames)
    wires.pull(vm, busy)
    seen = other.frames
    gate.set()
    vm._wait_for(lambda: other.frames > seen + 100, 60, "traffic by the other port")


def node_has_it(vm, http):
    """The node's links are those of the answers, and its server is reached by them."""
    vm.expect_raw("NODE-END", timeout=300)
    vm.expect_raw("node# ", timeout=60)
    shell(vm, "n=0; until wget -q -O /dev/null %s || [ $n -ge 150 ]; do n=$((n+1)); sleep 1; done"
          % http.add("/reached", b"yes"), timeout=300)
    said = shell(vm, "cat /proc/net/bonding/bond0 /proc/net/vlan/site; ip addr; ip route; "
                 "cat /run/systemd/netif/state; tail -n 20 /run/networkd.log")
    for text in ("IEEE 802.3ad Dynamic link aggregation", "Number of ports: 2",
                 "Partner Mac Address: 02:51:00:00:00:01", "VID: %d" % VLAN, "Device: bond0",
                 "inet 10.0.2.77/24", "default via 10.0.2.2 dev site", "DNS=10.0.2.3",
                 "DOMAINS=rack.example"):
        check(text in said, "%r is not in\n%s" % (text, said))
    mtus = shell(vm, "cat /sys/class/net/bond0/mtu /sys/class/net/site/mtu").split()
    check(mtus == ["9000", "1500"], "MTUs %r" % mtus)
    check(("GET", "/reached", None) in http.requests, "the node did not reach the server")


def test_a_tagged_network_on_an_aggregation_ten_years_ahead_for_medium_and_node(directory):
    """Two cards, one aggregation by LACP, and a VLAN on it as the only network, with an address of
    its own; a clock at 2036, where the site's certificate has expired. One of the cables is pulled
    while the payload comes. The node then has the same network, from the files of its node data."""
    iso = need_slipway()
    node = netnode.build()
    ca = server.authority(directory, server.LOOPBACK[1])
    https, http = server.Server(authority=ca), server.Server()
    wires = switch.Switch(directory, MACS, driver="e1000", vlan=VLAN, lacp=True)
    try:
        gate = threading.Event()
        https.faults["/initrd"] = server.Fault(rate=4 << 20, gate=gate)
        text = by_https(answers(node, https), ca) + TAGGED
        text = text.replace("finish: reboot", "finish: poweroff")
        machine = machine_with(directory)
        with harness.Vm(machine, iso=answer_iso(directory, iso, text), network=False, reboot=False,
                        devices=("-rtc", "base=2036-02-29T12:00:00", *wires.devices())) as vm:
            pulls_a_cable(vm, https, wires, gate)
            vm.wait_off(400)
        with harness.Vm(machine, network=False, devices=wires.devices()) as vm:
            node_has_it(vm, http)
    finally:
        wires.close()
        https.close()
        http.close()
