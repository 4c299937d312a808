# SPDX-License-Identifier: Apache-2.0
"""Boot entries, modes and slots on real firmware: OVMF, efivarfs, and HTTP boot from a server on
the loopback."""

import contextlib
import os
import re

import bootnode
import harness
import server
from bootnode import restart, run, slipway, status, up


GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
OVERLAY = "what no cold start can fetch"
FAILED = "the last start from the network did not work out"


def check(condition, text):
    if not condition:
        raise harness.Failure(text)


def entries(vm):
    return slipway(vm, "boot list")


def machine_with_node(directory, **more):
    node = bootnode.build()
    return node, bootnode.installed(directory, node, **more)


def numbers(listing):
    return [e["number"] for e in sorted((e for e in listing["entries"] if e["position"]),
                                        key=lambda e: e["position"])]


def entry(vm, label):
    found = [e for e in entries(vm)["entries"] if e["label"] == label]
    check(len(found) == 1, "%d entries are called %r" % (len(found), label))
    return found[0]


def by_efibootmgr(vm):
    """({number: text after the label}, order, next) as another program reads them."""
    text = run(vm, "efibootmgr -v")
    found = {m.group(1): (m.group(2), m.group(3).strip()) for m in
             re.finditer(r"^Boot([0-9A-F]{4})[* ] (.*?)\t(.*)$", text, re.M)}
    order = re.search(r"^BootOrder: (.*)$", text, re.M)
    following = re.search(r"^BootNext: (\w+)", text, re.M)
    return found, order.group(1).strip().split(","), following and following.group(1)


@contextlib.contextmanager
def serving(**files):
    """A server that has /NAME.efi for each name; `boot` is its address for the guest."""
    http = server.Server()
    try:
        for name, path in files.items():
            http.add("/%s.efi" % name, path)
        yield http
    finally:
        http.close()


def kept(vm):
    """What a node does after each good boot; returns what was written and the notes."""
    done = slipway(vm, "mode keep")
    return [w["name"] for w in done["writes"]], done["notes"]


def same_entries(vm):
    """Every entry in the order: number, label and path as efibootmgr reads them."""
    found, order, following = by_efibootmgr(vm)
    listing = entries(vm)
    check(order == ["%04X" % n for n in numbers(listing)], "order %r" % order)
    check(following == ("next" in listing and "%04X" % listing["next"] or None),
          "BootNext %r, slipway says %r" % (following, listing.get("next")))
    for e in listing["entries"]:
        label, path = found["%04X" % e["number"]]
        check(label == e["label"], "label %r, slipway says %r" % (label, e["label"]))
        # Both print these nodes alike; IPv4() and IPv6() everybody prints in his own way.
        for node in re.findall(r"(?:PciRoot|Pci|HD|File|MAC|Uri|FvFile|NVMe)\\(.*?\\)", e["path"]):
            check(node in path, "%s of %r is not in %r" % (node, label, path))
    return listing


def test_conformance_codec_and_boot_commands(directory):
    """A disk that was installed on another machine starts by the fallback path; on it the variable
    store keeps every rule of the suite, every entry of the firmware is reproduced, and efibootmgr
    reads every entry that we write as we do."""
    _, machine = machine_with_node(directory)
    with harness.Vm(machine, cpus=1) as vm:
        seen = up(vm, "lkg", "slot")
        check(seen.attest == bootnode.ATTEST, "attestation URL %r" % seen.attest)
        text = run(vm, "real-firmware", timeout=120)
        print(re.sub("(?m)^", "# ", text.strip()))
        check("not ok" not in text and "\n1.." in text, "the suite failed:\n" + text)
        before = same_entries(vm)
        part = machine.disks[0].partitions()[1]["uuid"]
        run(vm, "slipway boot add --label 'Web: caf\u00e9' --uri http://10.0.2.2:1/x.efi --first")
        run(vm, "slipway boot add --label Other --partition %s --file '\\EFI\\X\\Y.EFI'" % part)
        web, other = entry(vm, "Web: caf\u00e9"), entry(vm, "Other")
        check(web["position"] == 1 and web["path"].endswith("/Uri(http://10.0.2.2:1/x.efi)") and
              web["path"].startswith("PciRoot(0x0)/Pci("), "added %r" % web)
        check(r"File(\EFI\X\Y.EFI)" in other["path"], "added %r" % other)
        run(vm, "slipway boot next %04X" % other["number"])
        run(vm, "slipway boot rename -f -y %04X 'Another'" % other["number"])
        check(same_entries(vm)["next"] == other["number"], "BootNext")
        run(vm, "slipway boot order -f -y %04X" % other["number"])
        check(numbers(same_entries(vm))[:2] == [other["number"], web["number"]], "order")
        shown = slipway(vm, "boot show %04X" % other["number"])
        raw = run(vm, "tail -c +5 /sys/firmware/efi/efivars/Boot%04X-%s | "
                      "hexdump -v -e '1/1 \"%%02x\"'; echo" % (other["number"], GLOBAL))
        check(shown["hex"] == raw.strip(), "bytes %s, shown %s" % (raw, shown["hex"]))
        run(vm, "slipway boot next none")
        run(vm, "slipway boot delete -f -y %04X %04X" % (web["number"], other["number"]))
        check(same_entries(vm) == before, "after deleting both, not all is as before")


def promoted(vm, http, sha256):
    """The image that came over the network is kept, with what a cold start cannot fetch."""
    run(vm, "echo %s >/tmp/overlay" % OVERLAY)
    run(vm, "slipway promote --uki %s --sha256 %s --trust none --overlay /tmp/overlay" %
        (http.url("/boot.efi"), sha256), timeout=600)
    status(vm, "started over the network", "is in slot B", "from " + http.url("/boot.efi"))


def in_lkg(vm, seen, name):
    """The last known good image, configured as ever, and status says how it came to this."""
    check((seen.attest, seen.overlay) == (bootnode.ATTEST, OVERLAY),
          "%s: attestation URL %r, overlay %r" % (name, seen.attest, seen.overlay))
    check(FAILED in seen.mode["notes"], "notes %r" % seen.mode["notes"])
    status(vm, "started from slot B", "Evidence: the boot stub was", "Before this: %s." % FAILED,
           "is in slot B", " old, sequence 2, from http://10.0.2.2:", 'Next: "Slipway B"')


# Of each line one is drawn in the short test: a server that gives nothing, one that stops in the
# middle, an image that is bad.
FAULTS = (("refused", "404", "silent"), ("reset", "truncated"), ("panic", "hang"))


class Faulty:
    """A server whose /boot.efi is the good image until it is told to fail in one of the ways."""

    def __init__(self, http, node):
        self.http, self.node, self.good = http, node, http.files["/boot.efi"]

    def fail(self, name):
        http = self.http
        if name == "refused":
            self.port = http.port
            http.close()
        elif name in ("panic", "hang"):
            http.files["/boot.efi"] = self.node.image("bad" + name, name)
        elif name == "truncated":
            with open(self.good, "rb") as file:
                whole = file.read()
            http.files["/boot.efi"] = whole[:len(whole) // 2]
        else:
            how = {"404": {"status": 404}, "silent": {"delay": 120}, "reset": {"reset_at": 0.4}}
            http.faults["/boot.efi"] = server.Fault(**how[name])

    def put_right(self, name):
        self.http.files["/boot.efi"], self.http.faults = self.good, {}
        if name == "refused":
            self.http.open(self.port)


def the_network_fails(directory, names):
    """Mode network, armed: whatever the server does, the node starts from its slot by itself, with
    the same node data and overlay, says why, and is back on the network when the server is."""
    node, machine = machine_with_node(directory)
    good = node.image("net1")
    with serving(boot=good) as http, harness.Vm(machine, cpus=1, devices=bootnode.WATCHDOG) as vm:
        up(vm, "lkg", "slot")
        slipway(vm, "mode network --uri " + http.url("/boot.efi"))
        same_entries(vm)
        seen = timed(vm, "network", "net1", "network")
        check(seen.attest == bootnode.ATTEST, "attestation URL %r" % seen.attest)
        promoted(vm, http, node.sha256(good))
        faulty = Faulty(http, node)
        for name in names:
            armed(vm)
            asked = len(http.requests)
            faulty.fail(name)
            in_lkg(vm, timed(vm, name, "net1", "slot"), name)
            check(name == "refused" or len(http.requests) > asked, name + ": nobody asked")
            faulty.put_right(name)
        armed(vm)
        status(vm, "Before this: %s." % FAILED, "once; when that fails, \"Slipway B\"")
        timed(vm, "network", "net1", "network")
        said = status(vm, "started over the network", "is in slot B")
        check(FAILED not in said, "told after a start that went well:\n" + said)


def armed(vm):
    check(kept(vm)[0] == ["BootNext"], "re-arming is not one write of BootNext")


def timed(vm, name, want, running):
    began = vm.seconds()
    seen = restart(vm, want, running)
    print("# %s: %.0f s from reboot to the node" % (name, vm.seconds() - began), flush=True)
    return seen


def test_the_network_fails_in_ways_drawn_by_a_seed_and_the_node_starts_all_the_same(directory):
    """One failure of each kind."""
    rng = harness.drawn()
    the_network_fails(directory, [rng.choice(names) for names in FAULTS])


def test_the_network_fails_in_every_way_and_the_node_starts_all_the_same(directory):
    """Every one of them."""
    the_network_fails(directory, [name for names in FAULTS for name in names])


test_the_network_fails_in_ways_drawn_by_a_seed_and_the_node_starts_all_the_same.drawn = True
test_the_network_fails_in_every_way_and_the_node_starts_all_the_same.long = True
