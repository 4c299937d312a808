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


def check(condition, text):
    if not condition:
        raise harness.Failure(text)


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
    vm.run("n=0; until grep -q 'search node.example' /etc/resolv.conf || [ $n -ge 150 ]; do "
           "sleep 1; n=$((n+1)); done; grep 'nameserver 10.0.2.3' /etc/resolv.conf", timeout=240)
    vm.run("ping -c 1 -W 10 10.0.2.2", timeout=60)
    said = vm.run("slipway network apply /tmp/none.yaml; echo code=$?", timeout=120)
    check("code=10" in said and "no link of this machine fits it" in said, said)
    vm.run("n=0; until ping -c 1 -W 2 10.0.2.2 || [ $n -ge 150 ]; do sleep 1; n=$((n+1)); done; "
           "ip -4 addr | grep 10.0.2.77/24", timeout=400)


def test_a_fixed_address_on_the_medium_and_the_way_back_from_one_that_fails(directory):
    machine = harness.Machine(directory)
    with harness.Vm(machine, iso=harness.build_file("slipway.iso")) as vm:
        test_iso.shell(vm)
        vm.run("n=0; until ip -4 addr | grep -q 10.0.2.15 || [ $n -ge 200 ]; do sleep 1; "
               "n=$((n+1)); done; [ -s /run/slipway/networkd.pid ]", timeout=300)
        network_is_set_and_taken_back(vm)
