# SPDX-License-Identifier: Apache-2.0
"""The network of the answers on the medium: set, tested, taken back when it does not come up."""

import harness
import test_iso

STATIC = """slipway: 1
network:
  links:
    match: {mac: "52:54:00:12:34:56"}
    addresses: [10.0.2.77/24]
    gateway: 10.0.2.2
    dns: 10.0.2.3
    search: node.example
    ra: no
"""
NO_CARD = STATIC.replace("34:56", "34:99").replace("10.0.2.77", "10.0.2.78")
MADE = """slipway: 1
network:
  links:
    - {name: lan0, match: {mac: "52:54:00:12:34:57"}, mtu: 1400}
    - {name: lan1, match: {mac: "52:54:00:12:34:58"}, mtu: 1400}
    - {name: bond0, bond: {members: [lan0, lan1], mode: 802.3ad}, dhcp: 4}
    - {name: vlan42, vlan: {id: 42, link: bond0}, addresses: ["192.0.2.7/24", "2001:db8::7/64"]}
    - {name: lan2, match: {mac: "52:54:00:12:34:56"}}
    - {name: br0, bridge: {members: [lan2]}, dhcp: 4, mtu: 1500}
"""


def check(condition, text):
    if not condition:
        raise harness.Failure(text)


def card(number):
    """One more card, on a network of its own."""
    return ("-netdev", "user,id=n%d,net=10.0.%d.0/24" % (number, number),
            "-device", "virtio-net-pci,netdev=n%d,romfile=,mac=52:54:00:12:34:%d" %
            (number, number))


def put(vm, name, text):
    """A file in the machine, line by line: what is typed must fit a terminal's line."""
    vm.run(": >%s" % name)
    for line in text.splitlines():
        vm.run("echo '%s' >>%s" % (line, name))


def network_is_set_and_taken_back(vm):
    put(vm, "/tmp/static.yaml", STATIC)
    put(vm, "/tmp/none.yaml", NO_CARD)
    vm.run("slipway network apply /tmp/static.yaml", timeout=90)
    said = vm.run("ip -4 addr; ip route; cat /etc/resolv.conf")
    check("10.0.2.77/24" in said and "10.0.2.15" not in said, "not the address alone:\n" + said)
    check("default via 10.0.2.2" in said, "no gateway:\n" + said)
    vm.run("n=0; until grep -q 'search node.example' /etc/resolv.conf || [ $n -ge 30 ]; do "
           "sleep 1; n=$((n+1)); done; grep 'nameserver 10.0.2.3' /etc/resolv.conf", timeout=60)
    vm.run("ping -c 1 -W 10 10.0.2.2", timeout=60)
    said = vm.run("slipway network apply /tmp/none.yaml; echo code=$?", timeout=120)
    check("code=10" in said and "no link of this machine fits it" in said, said)
    vm.run("n=0; until ping -c 1 -W 2 10.0.2.2 || [ $n -ge 30 ]; do sleep 1; n=$((n+1)); done; "
           "ip -4 addr | grep 10.0.2.77/24", timeout=90)


def network_has_what_is_made_of_links(vm):
    put(vm, "/tmp/made.yaml", MADE)
    vm.run("slipway network apply /tmp/made.yaml", timeout=90)
    said = vm.run("cat /proc/net/bonding/bond0 /proc/net/vlan/vlan42")
    check("IEEE 802.3ad" in said and said.count("Slave Interface") == 2, said)
    check("VID: 42" in said and "Device: bond0" in said, said)
    said = vm.run("ip addr show bond0; ip addr show vlan42; ip addr show br0")
    for text in ("10.0.57.15", "192.0.2.7/24", "2001:db8::7/64", "10.0.2.15", "mtu 1400"):
        check(text in said or (text == "10.0.57.15" and "10.0.58.15" in said), text + ":\n" + said)
    check("10.0.2.77" not in said, "the old address is there:\n" + said)
    vm.run("slipway network apply /tmp/static.yaml", timeout=90)
    said = vm.run("ls /sys/class/net; ip -4 addr")
    check("bond0" not in said.replace("bonding", "") and "br0" not in said, said)
    check("10.0.2.77/24" in said, said)


def test_the_network_of_the_answers_on_the_medium(directory):
    machine = harness.Machine(directory)
    with harness.Vm(machine, iso=harness.build_file("slipway.iso"),
                    devices=card(57) + card(58)) as vm:
        test_iso.shell(vm)
        vm.run("n=0; until ip -4 addr | grep -q 10.0.2.15 || [ $n -ge 200 ]; do sleep 1; "
               "n=$((n+1)); done; [ -s /run/slipway/networkd.pid ]", timeout=300)
        network_is_set_and_taken_back(vm)
        network_has_what_is_made_of_links(vm)
