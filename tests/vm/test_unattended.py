# SPDX-License-Identifier: Apache-2.0
"""Unattended installs in a site that has its own ways, and has them break."""

import hashlib
import http.server
import json
import os
import ssl
import subprocess
import threading
import time

import disk
import harness
import payload
import server
from test_install import (PAYLOAD, answers, check, check_node, check_node_after_install,
                          machine_with, need_slipway)

MAC = "52:54:00:12:34:56"               # of the harness' card


class Chooser:
    """https on the loopback; takes a machine's facts and gives the answers of its card's MAC."""

    def __init__(self, directory, by_mac):
        key, cert = os.path.join(directory, "srv.key"), os.path.join(directory, "srv.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert,
                        "-subj", "/CN=boot", "-days", "30"], check=True, capture_output=True)
        public = subprocess.run(["openssl", "x509", "-in", cert, "-pubkey", "-noout"], check=True,
                                capture_output=True).stdout
        der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=public,
                             check=True, capture_output=True).stdout
        self.pin = "sha256:" + hashlib.sha256(der).hexdigest()
        self.facts = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                facts = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.facts.append(facts)
                macs = [link.get("mac") for link in facts["links"]]
                text = next((by_mac[mac] for mac in macs if mac in by_mac), None)
                self.send_response(200 if text else 404)
                body = (text or "").encode()
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.handle_error = lambda *_: None
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True,
                                                do_handshake_on_connect=False)
        self.url = "https://10.0.2.2:%d/answers" % self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def close(self):
        self._http.shutdown()
        self._http.server_close()


def from_the_network(machine, append, **more):
    return harness.Vm(machine, kernel=harness.build_file("slipway-vmlinuz"),
                      initrd=harness.build_file("slipway-initrd"),
                      append="console=tty0 console=ttyS0,115200 " + append, **more)


def dies_and_comes_back(vm, http, path):
    """The server goes away while it sends the file, for longer than one try takes."""
    asked = lambda: [r for r in http.requests if r[1] == path]      # noqa: E731
    vm._wait_for(asked, 300, "request for " + path)
    port = http.port
    http.close()
    seen = len(asked())
    time.sleep(15)
    http.open(port)
    vm._wait_for(lambda: len(asked()) > seen, 120, "second request for " + path)


def test_a_server_chooses_by_the_card_and_the_other_one_dies_in_the_middle(directory):
    """The machine's facts go to a server that has another node's answers for another card. What
    has the payload breaks off after 40 % and is away for longer than one try takes: it is asked
    again."""
    need_slipway()
    node = payload.build(PAYLOAD)
    files = server.Server()
    text = answers(node, files).replace("finish: reboot", "finish: poweroff")
    files.faults["/initrd"] = server.Fault(reset_at=0.4, rate=4 << 20, times=1)
    chooser = Chooser(directory, {"52:54:00:00:00:01": text.replace("node-07", "another"),
                                  MAC: text})
    try:
        machine = machine_with(directory, bus="virtio")
        append = "slipway.answers=post:%s#pin=%s" % (chooser.url, chooser.pin)
        with from_the_network(machine, append, reboot=False) as vm:
            dies_and_comes_back(vm, files, "/initrd")
            vm.wait_off(400)
        check([d.get("serial") for d in chooser.facts[0]["disks"]] == ["NODE07SYS"],
              "facts %r" % chooser.facts[0]["disks"])
        with harness.Vm(machine, network=False) as vm:
            check_node(vm, machine)
    finally:
        chooser.close()
        files.close()


def labelled(directory, text):
    """A stick with a FAT partition CONFIG, which nobody looks at unless it is named."""
    path = os.path.join(directory, "slipway.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    stick = disk.make_esp_disk(os.path.join(directory, "CONF01"), "CONF01",
                               {"/slipway.yaml": path}, bus="usb", name="CONFIG")
    stick.removable = True
    return stick


def test_from_a_labelled_partition_and_through_a_power_cut(directory):
    """The kernel command line names a stick's partition. The plug is pulled while the slot is
    written; the next start, of the same medium, goes on by itself with nobody there, and the node
    comes up."""
    need_slipway()
    node = payload.build(PAYLOAD)
    files = server.Server()
    try:
        machine = machine_with(directory, bus="virtio")
        text = answers(node, files).replace("finish: reboot", "finish: poweroff")
        machine.disks.append(labelled(directory, text))
        before = machine.disks[1].hash()
        append = "slipway.answers=label:CONFIG"
        with from_the_network(machine, append, reboot=False) as vm:
            vm.wait_written(machine.disks[0], 6 << 20, timeout=400)
            vm.cut_power()
        check(not machine.disks[0].partitions(), "the table was there already: cut too late")
        with from_the_network(machine, append, reboot=False) as vm:
            vm.expect("The interrupted install is complete.", timeout=400)
            vm.wait_off(200)
        check(machine.disks[1].hash() == before, "the stick has changed")
        with harness.Vm(machine, network=False) as vm:
            check_node(vm, machine)
    finally:
        files.close()


def test_a_failure_is_told_by_the_next_boot(directory):
    """The payload is not what the answers promise. Nobody is told and the machine is switched off;
    the next start of the medium, without any answers, still knows the code."""
    iso = need_slipway()
    node = payload.build(PAYLOAD)
    files = server.Server()
    try:
        text = answers(node, files).replace(node.sha256(node.initrd), "0" * 64)
        machine = machine_with(directory, bus="virtio")
        machine.disks.append(labelled(directory, text))
        with from_the_network(machine, "slipway.answers=label:CONFIG") as vm:
            vm.expect("Code: FETCH-8-", timeout=400)
        with harness.Vm(machine, iso=iso) as vm:
            vm.expect_screen("Install a node on this machine", timeout=200)
            for _ in range(12):
                if any(line.startswith(">") and "Status" in line
                       for line in vm.screen.text().split("\n")):
                    break
                vm.send("DOWN", pause=0.5)
            vm.send("ENTER")
            vm.expect_screen("FETCH-8-", timeout=120)
    finally:
        files.close()


test_a_server_chooses_by_the_card_and_the_other_one_dies_in_the_middle.long = True
test_from_a_labelled_partition_and_through_a_power_cut.long = True
test_a_failure_is_told_by_the_next_boot.long = True
