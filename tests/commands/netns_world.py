# SPDX-License-Identifier: Apache-2.0
"""A machine with a network of its own: two network namespaces with a wire between them, the real
systemd-networkd with the files of a plan on one side, a router and an https server on the other.

Run by test-networkd.py as root in namespaces of its own (unshare --net --mount):
    netns_world.py DIR [--medium MACHINE] COMMAND [ARGUMENT]...
DIR/files has networkd's files, DIR/site what is served. Waits until networkd calls each file's
link configured, runs COMMAND beside it, and prints a JSON object: links, addresses, exit code,
output. With --medium the stand-in MACHINE has this network and may set it."""
import http.server
import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

NETWORKD = "/lib/systemd/systemd-networkd"
SERVER, PREFIX = "2001:db8:9::1", "2001:db8:9::"
PORT = 8443
WAIT_S = 60


def run(*argv):
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


def private_system():
    """Nothing of the host's networkd is seen, and no udev: a read-only /sys says there is none."""
    run("mount", "--make-rprivate", "/")
    run("mount", "-t", "tmpfs", "tmpfs", "/run")
    run("mount", "-t", "sysfs", "-o", "ro", "sysfs", "/sys")
    for name in ("network", "netif/links", "netif/leases", "netif/lldp"):
        Path("/run/systemd", name).mkdir(parents=True)
    run("chown", "-R", "systemd-network:systemd-network", "/run/systemd/netif")


def wire():
    run("ip", "netns", "add", "site")
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "router", "netns", "site")
    for words in (("link", "set", "lo", "up"), ("link", "set", "router", "up", "mtu", "9000"),
                  ("addr", "add", SERVER + "/64", "dev", "router", "nodad")):
        run("ip", "-n", "site", *words)


def advertise():
    """Router advertisements (RFC 4861, 4.2) with one prefix, every half second."""
    wire_out = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    wire_out.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    index = socket.if_nametoindex("router")
    packet = struct.pack(">BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)
    packet += struct.pack(">BBBBIII", 3, 4, 64, 0xc0, 86400, 14400, 0)
    packet += socket.inet_pton(socket.AF_INET6, PREFIX)
    while True:
        try:
            wire_out.sendto(packet, ("ff02::1", 0, 0, index))
        except OSError:
            pass
        time.sleep(0.5)


class Site(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6


def serve(folder):
    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=folder / "site")

        def log_message(self, *args):
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "srv.pem", folder / "srv.key")
    site = Site((SERVER, PORT), Handler)
    site.socket = context.wrap_socket(site.socket, server_side=True,
                                      do_handshake_on_connect=False)
    print("listens", flush=True)
    site.serve_forever()


def router(folder):
    threading.Thread(target=advertise, daemon=True).start()
    serve(folder)


def states():
    """Of each of our files that a link uses, what networkd says of that link."""
    found = {}
    for path in Path("/run/systemd/netif/links").iterdir():
        values = dict(line.partition("=")[::2] for line in path.read_text().splitlines())
        name = os.path.basename(values.get("NETWORK_FILE", ""))
        if name.startswith("10-slipway-"):
            found[name] = values["ADMIN_STATE"]
    return found


# As the medium keeps it; slipway ends it to have it read new files.
KEEP = f"""mkdir -p /run/slipway
while :; do
	{NETWORKD} &
	echo $! >/run/slipway/networkd.pid
	wait $!
	sleep 0.2
done
"""


def networkd(folder):
    wanted = 0
    for path in (folder / "files").iterdir():
        Path("/run/systemd/network", path.name).write_bytes(path.read_bytes())
        wanted += path.suffix == ".network"
    with open(folder / "networkd.log", "wb") as log:
        process = subprocess.Popen(["sh", "-c", KEEP], stdout=log, stderr=log,
                                   start_new_session=True,
                                   env={**os.environ, "SYSTEMD_LOG_TARGET": "console"})
    end = time.monotonic() + WAIT_S
    while wanted and time.monotonic() < end:
        now = states()
        if len(now) == wanted and set(now.values()) == {"configured"}:
            break
        time.sleep(0.2)
    return process


def be_medium(machine):
    """networkd, and the files that it reads, are where the stand-in looks for its own."""
    (machine / "run").mkdir(exist_ok=True)
    (machine / "run/systemd").symlink_to("/run/systemd")
    (machine / "run/networkd.pid").symlink_to("/run/slipway/networkd.pid")


def main():
    folder, command = Path(sys.argv[1]), sys.argv[2:]
    if command[0] == "--router":
        router(folder)
    private_system()
    wire()
    site = subprocess.Popen(["ip", "netns", "exec", "site", sys.executable, __file__, str(folder),
                             "--router"], stdout=subprocess.PIPE)
    site.stdout.readline()
    if command[0] == "--medium":
        be_medium(Path(command[1]))
        command = command[2:]
    daemon = networkd(folder)
    try:
        addresses = json.loads(subprocess.run(["ip", "-j", "addr"], check=True,
                                              capture_output=True).stdout)
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              timeout=240)
        print(json.dumps({
            "states": states(), "code": done.returncode, "out": done.stdout, "err": done.stderr,
            "links": {link["ifname"]: {
                "mtu": link["mtu"], "master": link.get("master"),
                "addresses": [f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"]],
            } for link in addresses},
            "log": (folder / "networkd.log").read_text(errors="replace"),
        }))
    finally:
        os.killpg(daemon.pid, signal.SIGKILL)
        site.kill()
        for process in (daemon, site):
            process.wait()


main()
