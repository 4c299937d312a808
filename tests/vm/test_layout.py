# SPDX-License-Identifier: Apache-2.0
"""`slipway layout` on real disks: the kernel's partitions are the plan's, at both sector sizes."""

import json
import os

import bootnode
import disk
import harness

SEED = "00112233-4455-6677-8899-aabbccddeeff"
FIRST = {"10-esp": "Type=esp\\nSizeMinBytes=64M\\nSizeMaxBytes=64M",
         "20-home": "Type=home\\nSizeMaxBytes=200M\\nPaddingMinBytes=8M"}
MORE = {"20-home": "Type=home\\nSizeMaxBytes=300M\\nPaddingMinBytes=8M",
        "30-swap": "Type=swap\\nSizeMinBytes=32M\\nSizeMaxBytes=32M\\nPaddingMinBytes=8M"}


def check(condition, text):
    if not condition:
        raise harness.Failure(text)


def define(vm, folder, files):
    lines = "; ".join("printf '[Partition]\\n%s\\n' >/%s/%s.conf" % (text, folder, name)
                      for name, text in files.items())
    bootnode.run(vm, "mkdir -p /%s; %s" % (folder, lines))


def kernel_view(vm, node):
    """{number: (start, size)} in bytes, of sysfs, which counts in 512 bytes."""
    out = bootnode.run(vm, "for p in /sys/class/block/%s/%s[0-9]*; do [ -e $p/partition ] && "
                       "echo PART $(cat $p/partition $p/start $p/size); done; true" % (node, node))
    rows = [line.split()[1:] for line in out.splitlines() if line.startswith("PART ")]
    return {int(n): (int(start) * 512, int(size) * 512) for n, start, size in rows}


def layout(vm, verb, node, *folders):
    words = " ".join("--definitions /" + f for f in folders)
    return bootnode.run(vm, "slipway --json layout %s %s --seed %s --empty=allow /dev/%s"
                        % ("apply --yes" if verb == "apply" else "plan", words, SEED, node))


def parse(text):
    return json.loads(text[text.index("{"):])


def apply_and_compare(vm, node, *folders):
    plan = parse(layout(vm, "plan", node, *folders))
    made = parse(layout(vm, "apply", node, *folders))
    want = {p["number"]: (p["start"], p["size"]) for p in plan["partitions"]}
    seen = kernel_view(vm, node)
    check(seen == want, "%s: the kernel sees %s, the plan says %s" % (node, seen, want))
    return plan, made, seen


def test_layout_plan_is_what_the_kernel_sees(directory):
    """Added, grown and undone on a disk with 512-byte and one with 4096-byte sectors."""
    node = bootnode.build()
    machine = harness.Machine(directory)
    for serial, sector in (("SMALL", 512), ("BIG", 4096)):
        machine.disks.append(disk.Disk(os.path.join(directory, serial), serial, 1 << 30,
                                       "virtio", sector))
    with harness.Vm(machine, kernel=node.kernel, initrd=node.initrd,
                    append=bootnode.CMDLINE + "layout") as vm:
        bootnode.up(vm)
        define(vm, "d", FIRST)
        define(vm, "more", dict(FIRST, **MORE))
        for name, sector in (("vda", 512), ("vdb", 4096)):
            plan, _, first = apply_and_compare(vm, name, "d")
            check(plan["sector"] == sector, "%s: sector size %d" % (name, plan["sector"]))
            before = bootnode.run(vm, "head -c 1048576 /dev/%s | sha256sum" % name)
            _, made, grown = apply_and_compare(vm, name, "more")
            check(made["undo"]["place"] == "disk", "undo data: %s" % made["undo"])
            check(len(grown) == 3 and grown[2][1] > first[2][1], "nothing grew: %s" % grown)
            bootnode.run(vm, "slipway layout undo --yes /dev/%s" % name)
            check(kernel_view(vm, name) == first, "the kernel sees %s after undo" %
                  kernel_view(vm, name))
            check(bootnode.run(vm, "head -c 1048576 /dev/%s | sha256sum" % name) == before,
                  "undo left other bytes at the start of " + name)
