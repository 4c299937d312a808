# SPDX-License-Identifier: Apache-2.0
"""An encrypted state on a mirror whose TPM is another one: sealed again from the medium, and on the
node itself; then the kernel's md and dm-crypt have it, and both members are the same."""

import gzip
import json
import os
import shutil
import stat
import time

import bootnode
import disk
import harness
import payload
import test_crypt
from test_disks import MDADM, SERIALS
from test_doctor import say_yes
from test_install import CMDLINE, PAYLOAD, check, need_slipway
from test_rescue import choose

# Behind the opener's way to a state: both members become the array that is opened. md reads all of
# both and counts what differs.
ASSEMBLE = r"""
export MDADM_NO_UDEV=1
state=/dev/md0
members() {
	grep -l PARTNAME=state /sys/class/block/*/uevent | sed 's,.*/\(.*\)/uevent,/dev/\1,'
}
assemble() {
	mdadm --assemble --run $state $(members)
	echo check >/sys/block/md0/md/sync_action
	mdadm --wait $state
	echo "CRYPT $1insync=$(cat /sys/block/md0/md/dev-*/state | grep -c in_sync)"
	echo "CRYPT $1mismatch=$(cat /sys/block/md0/md/mismatch_cnt)"
}
assemble
"""
# While the array runs it is refused; what doctor says then is done, and it goes on.
REPAIR = r"""
	finding=$(slipway doctor | grep -o 'vd./seal-state')
	slipway --yes doctor --repair $finding --given /run/key
	mdadm --stop $state
	slipway --yes doctor --repair $finding --given /run/key
	assemble again
	by_tpm resealed
"""
ANSWERS = """slipway: 1
node: {{hostname: node-07}}
disk:
  match: {{serial: {serials[0]}}}
  layout: {layout}
  recovery: escrow
  escrow: {escrow}
  wipe: any
  more: [{{match: {{serial: {serials[1]}}}, wipe: any}}]
payload: {{kernel: {node.kernel}, initrd: {node.initrd}, cmdline: "{cmdline}"}}
boot: {{mode: local}}
admission: {{kind: none}}
finish: stay
"""


def opener(directory):
    """The payload's kernel, and the opener with md and mdadm behind it."""
    node = payload.build(PAYLOAD)
    _, modules = payload.unpack(payload.kernel_package())
    order = payload.load_order(modules, test_crypt.MODULES + ["md_mod", "raid1"])
    files = {"modules": (stat.S_IFDIR | 0o755, b"")}
    payload.programs(files, MDADM)
    for name in order:
        files["modules/%s.ko" % name] = (stat.S_IFREG | 0o644, modules[name])
    files["modules/order"] = (stat.S_IFREG | 0o644,
                              "".join(name + ".ko\n" for name in order).encode())
    init = test_crypt.INIT.replace("state=/dev/${state##*/}\n", ASSEMBLE)
    init = init.replace("	slipway --json state reseal --key-fd 0 </run/key && "
                        "by_tpm resealed\n", REPAIR)
    check(ASSEMBLE in init and REPAIR in init, "the opener's init is another")
    files["init"] = (stat.S_IFREG | 0o755, init.encode())
    with open(test_crypt.opener(directory), "ab") as file:
        file.write(gzip.compress(payload.newc(files), 1, mtime=0))
    node.initrd = file.name
    return node


def installed_elsewhere(directory):
    """(machine with both disks of a node that was installed with another TPM, its recovery key)"""
    where, layout = os.path.join(directory, "elsewhere"), os.path.join(directory, "mirrored")
    shutil.copytree(os.path.join(harness.ROOT, "layouts", "mirror"), layout)
    with open(os.path.join(layout, "40-state.conf"), "a", encoding="utf-8") as file:
        file.write("Encrypt=tpm2\n")
    pem, private = test_crypt.certificate(directory)
    path = os.path.join(directory, "answers.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(ANSWERS.format(serials=SERIALS, layout=layout, escrow=json.dumps(pem),
                                  node=opener(directory), cmdline=CMDLINE))
    words = [word for serial in SERIALS for word in ("--disk", "serial=%s,size=1400M" % serial)]
    bootnode.on_standin(where, "machine", "create", where, *words)
    bootnode.on_standin(where, "install", "--answers", path, "--yes")
    images = {d["serial"]: d["node"]
              for d in json.loads(bootnode.on_standin(where, "facts", "--json"))["disks"]}
    machine = harness.Machine(os.path.join(directory, "machine"))
    machine.tpm = True
    machine.disks = [disk.Disk(images[serial], serial, 0, "virtio") for serial in SERIALS]
    return machine, test_crypt.recovery_key(directory, machine, private)


def headers(machine):
    """What is encrypted begins 1 MiB behind the beginning of each member: its LUKS2 header."""
    found = []
    for one in machine.disks:
        part = [p for p in one.partitions() if p["name"] == "state"][0]
        with open(one.path, "rb") as file:
            file.seek(part["start"] + (1 << 20))
            found.append(file.read(16 << 20))
    check(found[0][:4] == b"LUKS" and found[0] == found[1], "the members are not the same")
    return found[0]


def seal_by_keys(vm, key):
    """The first finding of the console's doctor, with the recovery key typed."""
    vm.expect_screen("Find out why it does not boot", timeout=400)
    vm.expect_screen(" wrong: ", timeout=150)
    choose(vm, "Find out", "ERROR    the TPM does not open state")
    choose(vm, "does not open state", "One finding")
    vm._wait_for(lambda: "on each member of its mirror" in " ".join(vm.screen.text().split()), 60,
                 "both members in the plan")
    vm.send("ENTER")
    vm.expect_screen("recovery key of state, or its key file")
    vm.send(key, "ENTER")
    vm.expect_screen("> No, go back")
    vm.send("DOWN")
    vm.expect_screen("> Repair")
    vm.send("ENTER")
    vm.expect_screen("seal-state is gone.", timeout=200)
    # The firmware would try its shell first.
    choose(vm, "firmware does not know", "One finding")
    say_yes(vm)
    vm.expect_screen("firmware-new is gone.", timeout=200)


def whole(seen, when=""):
    check((seen[when + "insync"], seen[when + "mismatch"]) == ("2", "0"), repr(seen))


def test_an_encrypted_mirror_is_sealed_again_from_the_medium_and_on_the_node(directory):
    """Both disks of a node from a machine with another TPM: by keys from the stick, with the
    recovery key; the node starts, its md finds no difference, and its TPM opens the state. With a
    third TPM it does not, and doctor on the node refuses while the array runs, and repairs it when
    it does not."""
    iso = need_slipway()
    began = time.monotonic()

    def step(what):
        print("# %.0f s: %s" % (time.monotonic() - began, what), flush=True)

    machine, key = installed_elsewhere(directory)
    before = headers(machine)
    step("installed elsewhere")
    with harness.Vm(machine, iso=iso, iso_bus="usb-first", network=False) as vm:
        seal_by_keys(vm, key)
    sealed = headers(machine)
    check(sealed != before, "nothing was written")
    step("sealed by keys from the stick")
    seen, _ = test_crypt.start(machine)
    whole(seen)
    check(seen["tpm"] == "mounted", repr(seen))
    step("the node's TPM opens it")
    shutil.rmtree(os.path.join(machine.directory, "tpm"))
    seen, said = test_crypt.start(machine, key)
    print("# " + said.replace("\n", "\n# "), flush=True)
    whole(seen)
    check((seen["tpm"], seen["recovery"]) == ("refused", "mounted"), repr(seen))
    check("nothing uses it: `mdadm --stop /dev/md0`" in " ".join(said.split()), said)
    check("seal-state is gone" in said, said)
    whole(seen, "again")
    check(seen["resealed"] == "mounted", repr(seen))
    check(headers(machine) != sealed, "nothing was written on the node")
    step("another TPM: refused, and repaired on the node")


# A start of the medium and two of the node.
test_an_encrypted_mirror_is_sealed_again_from_the_medium_and_on_the_node.long = True
