# SPDX-License-Identifier: Apache-2.0
"""What asks the wire, and changes nothing: a ping, and what DHCP servers offer. Network namespaces
of their own with two DHCP servers (busybox udhcpd) on one wire."""
import contextlib
import json
import os
import random
import subprocess
import time
from pathlib import Path

from console import DOWN, Console
from lib import SLIPWAY, Skip, main, need, same, test

WORLD = r"""
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/d
ip link set lo up
ip link add bridge0 type bridge
ip link set bridge0 up
for n in one two node; do
    ip netns add $n
    ip link add to-$n type veth peer name eth0 netns $n
    ip link set to-$n master bridge0 up
    ip -n $n link set lo up
    ip -n $n link set eth0 up
done
serve() {
    ip -n $1 addr add 10.$2.0.1/24 dev eth0
    : >/run/d/$1.leases
    printf '%s\n' "start 10.$2.0.50" "end 10.$2.0.60" "interface eth0" \
        "lease_file /run/d/$1.leases" "pidfile /run/d/$1.pid" "option subnet 255.255.255.0" \
        "option router 10.$2.0.1" "option domain $1.example" "option lease 600" \
        "boot_file $1.efi" >/run/d/$1.conf
    ip netns exec $1 busybox udhcpd -f /run/d/$1.conf >/dev/null 2>&1 &
    until ip netns exec $1 grep -q ':0043 ' /proc/net/udp; do sleep 0.05; done
}
serve one 1
serve two 2
# What the kernel says of a link may change a second after it was set up.
until ip -n node -br link show eth0 | grep -q ' UP '; do sleep 0.05; done
before=$(ip -n node -4 addr; ip -n node route; ip -n node -br link)
ip netns exec node "$@"
echo "$?"
[ "$before" = "$(ip -n node -4 addr; ip -n node route; ip -n node -br link)" ] && echo unchanged
ps -e -o args | grep '^[d]hcpcd' || echo nobody
"""


def world(*argv):
    """What a program on the wire of two DHCP servers printed, then what the world says of it."""
    need("ip", "busybox", "dhcpcd", "ping", "unshare")
    if os.geteuid() != 0:
        raise Skip("network namespaces want root")
    if subprocess.run(["unshare", "--net", "ip", "link", "add", "x0", "type", "veth"],
                      capture_output=True, check=False).returncode:
        raise Skip("this kernel has no veth")
    done = subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child",
                           "--mount-proc", "sh", "-c", WORLD, "world", *argv],
                          capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout


@test("every DHCP server on the wire is heard once, and nothing of the machine changes")
def _(_case):
    out = world(SLIPWAY, "--json", "network", "--offers").rsplit("]\n", 1)
    same(out[1].split(), ["0", "unchanged", "nobody"], "the machine afterwards")
    [eth0] = json.loads(out[0] + "]")
    same(eth0["link"], "eth0", "the link")
    offers = sorted(eth0["offers"], key=lambda o: o["server"])
    same([(o["server"], o["address"].rsplit(".", 1)[0], o["bits"], o["routers"], o["domain"],
           o["boot_file"], o["lease_s"]) for o in offers],
         [(f"10.{i}.0.1", f"10.{i}.0", 24, f"10.{i}.0.1", f"{n}.example", f"{n}.efi", 600)
          for i, n in ((1, "one"), (2, "two"))], "the offers")


@test("a link that is not there is named; a stand-in machine has no wire")
def _(case):
    out = world("sh", "-c", f"{SLIPWAY} network --offers --link eth9 2>&1 || true")
    assert "there is no link eth9 here" in out, out
    case.create("serial=A,size=64M")
    done = case.on("network", "--offers")
    same(done.code, 4, done)
    assert "wires" in done.err, done


def pings(host):
    """The processes that ask this host."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = line.read_bytes().split(b"\0")
            if words[0].endswith(b"ping") and host.encode() in words:
                found.append(line.parent.name)
    return found


@test("a ping that is stopped from the console leaves no program behind")
def _(case):
    need("ping")
    case.create("serial=A,size=64M")
    host = f"127.0.{random.randrange(2, 250)}.{random.randrange(2, 250)}"
    console = Console(case)
    try:
        console.see("Install a node")
        console.press(*[DOWN] * 4, "\r")
        console.see("ping")
        console.press("p", *f"\x15{host}", "\r")
        end = time.monotonic() + 60
        while not pings(host):
            assert time.monotonic() < end, f"nobody asks:\n{console.screen.text()}"
            console.listen(0.05)
        console.press("\x03")
        console.see("Stopped")
        end = time.monotonic() + 60
        while pings(host):
            assert time.monotonic() < end, f"runs on: {pings(host)}"
            time.sleep(0.05)
    finally:
        console.close()


if __name__ == "__main__":
    main()
