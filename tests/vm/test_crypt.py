# SPDX-License-Identifier: Apache-2.0
"""The layout encrypted, with Secure Boot: dm-crypt and systemd's plugin open it by the TPM."""

import base64
import gzip
import json
import os
import re
import stat
import subprocess
import time

import bootnode
import disk
import harness
import nvram
import payload
import test_install
import test_iso
from test_install import PAYLOAD, answer_iso, check, machine_with, need_slipway

MODULES = ["efivarfs", "virtio_pci", "virtio_blk", "nvme", "dm_mod", "dm_crypt", "xts",
           "aes_generic", "aesni_intel", "crc32c_generic", "ext4", "tpm_crb", "tpm_tis"]
PLUGIN = "/usr/lib/x86_64-linux-gnu/cryptsetup/libcryptsetup-token-systemd-tpm2.so"
# Loaded by name, so ldd does not know them.
LOADED = ["/usr/lib/x86_64-linux-gnu/libgcc_s.so.1"] + [
    "/usr/lib/x86_64-linux-gnu/libtss2-%s.so.0" % name
    for name in ("esys", "rc", "mu", "tcti-device")]

INIT = r"""#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /run /mnt
/bin/busybox --install -s /bin
export PATH=/bin:/sbin:/usr/sbin DM_DISABLE_UDEV=1
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
dmesg -n 1
exec </dev/ttyS0 >/dev/ttyS0 2>&1
while read -r module; do
	insmod /modules/$module
done </modules/order
n=0
while [ $n -lt 50 ] && ! grep -q PARTNAME=state /sys/class/block/*/uevent; do
	n=$((n + 1))
	sleep 0.1
done
state=$(grep -l PARTNAME=state /sys/class/block/*/uevent)
state=${state%/uevent}
state=/dev/${state##*/}
look() {
	mount -t ext4 /dev/mapper/state /mnt && ls -d /mnt/lost+found &&
		echo "CRYPT left=$(cat /mnt/left)" && umount /mnt && echo "CRYPT $1=mounted"
	cryptsetup close state
}
echo
vars=/sys/firmware/efi/efivars
mount -t efivarfs efivarfs $vars
mount -t securityfs securityfs /sys/kernel/security
echo "CRYPT secureboot=$(tail -c 1 $vars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c |
	hexdump -e '1/1 "%d"')"
for pcr in 4 7 11 12; do
	echo "CRYPT pcr$pcr=$(tr A-F a-f </sys/class/tpm/tpm0/pcr-sha256/$pcr)"
done
echo "CRYPT log=$(hexdump -v -e '1/1 "%02x"' /sys/kernel/security/tpm0/binary_bios_measurements)"
by_tpm() {
	if cryptsetup open --token-only $state state; then
		look $1
	else
		echo "CRYPT $1=refused"
	fi
}
by_tpm tpm
if slipway secret open --out /run/host ssh_host_ed25519_key; then
	echo "CRYPT host=$(grep -c "OPENSSH PRIVATE KEY" /run/host)"
fi
echo CRYPT-KEY
read -r key
if [ -n "$key" ]; then
	printf %s "$key" >/run/key
	cryptsetup open --key-file /run/key $state state && look recovery
	slipway --json state reseal --key-fd 0 </run/key && by_tpm resealed
fi
echo CRYPT-END
sleep 1
poweroff -f
"""


def opener(directory):
    """An initrd with cryptsetup and systemd's plugin, for the kernel of the payload."""
    _, modules = payload.unpack(payload.kernel_package())
    order = payload.load_order(modules, MODULES)
    files = {"bin": (stat.S_IFDIR | 0o755, b""), "modules": (stat.S_IFDIR | 0o755, b"")}
    with open("/bin/busybox", "rb") as file:
        files["bin/busybox"] = (stat.S_IFREG | 0o755, file.read())
    payload.programs(files, "/usr/sbin/cryptsetup", PLUGIN, *LOADED)
    program = os.path.join(harness.BUILD, "release", "slipway")
    payload.programs(files, program)
    files["bin/slipway"] = (stat.S_IFLNK | 0o777, program.encode())
    # Where the libraries are looked for by name.
    for name in list(files):
        if name.startswith("usr/lib/x86_64-linux-gnu/") and "/cryptsetup/" not in name:
            files.setdefault("lib", (stat.S_IFDIR | 0o755, b""))
            files.setdefault("lib/x86_64-linux-gnu", (stat.S_IFDIR | 0o755, b""))
            files.setdefault("lib/x86_64-linux-gnu/" + os.path.basename(name), files[name])
    files["lib/x86_64-linux-gnu/cryptsetup"] = (stat.S_IFDIR | 0o755, b"")
    files["lib/x86_64-linux-gnu/cryptsetup/" + os.path.basename(PLUGIN)] = files[PLUGIN[1:]]
    for name in order:
        files["modules/%s.ko" % name] = (stat.S_IFREG | 0o644, modules[name])
    files["modules/order"] = (stat.S_IFREG | 0o644,
                              "".join(name + ".ko\n" for name in order).encode())
    files["init"] = (stat.S_IFREG | 0o755, INIT.encode())
    out = os.path.join(directory, "initrd")
    with open(out, "wb") as file:
        file.write(gzip.compress(payload.newc(files), 1, mtime=0))
    return out


def signer(directory, name):
    """A key with its certificate; the certificate as DER."""
    key, out = (os.path.join(directory, name + end) for end in (".key", ".pem"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                    "-out", out, "-subj", "/CN=" + name, "-days", "2"], check=True,
                   capture_output=True)
    return subprocess.run(["openssl", "x509", "-in", out, "-outform", "DER"], check=True,
                          capture_output=True).stdout


def signed(directory, node):
    """The node as an image that "db" has signed."""
    image = node.uki(os.path.join(directory, "unsigned.efi"), test_install.CMDLINE)
    out = os.path.join(directory, "node.efi")
    done = subprocess.run(["sbsign", "--key", os.path.join(directory, "db.key"), "--cert",
                           os.path.join(directory, "db.pem"), "--output", out, image],
                          capture_output=True, text=True)
    check(done.returncode == 0, done.stderr)
    return out


def certificate(directory):
    key, out = os.path.join(directory, "escrow.key"), os.path.join(directory, "escrow.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                    "-out", out, "-subj", "/CN=escrow", "-days", "2"], check=True,
                   capture_output=True)
    with open(out, encoding="ascii") as file:
        return " ".join(file.read().split("\n")).strip(), key


def recovery_key(directory, machine, private):
    """Out of the node data, by whoever has the private key."""
    system = machine.disks[0]
    part = system.partitions()[2]
    with open(system.path, "rb") as file:
        file.seek(part["start"])
        data = file.read(1 << 20).replace(b"\\/", b"/")
    found = re.search(rb'"cms"\s*:\s*"([A-Za-z0-9+/=]+)"', data)
    check(found, "no escrow in the node data")
    cms = os.path.join(directory, "cms")
    with open(cms, "wb") as file:
        file.write(base64.b64decode(found.group(1)))
    done = subprocess.run(["openssl", "cms", "-decrypt", "-inform", "DER", "-in", cms, "-inkey",
                           private], capture_output=True, text=True)
    check(done.returncode == 0, done.stderr)
    return done.stdout


def document(text):
    """The JSON document in what a machine printed."""
    return json.loads(text[text.index("{\n"):text.rindex("}") + 1])


def event_log(machine):
    """Where the firmware's log of the last start is."""
    return os.path.join(machine.directory, "eventlog")


def foretell(machine, image):
    """What `slipway tpm predict` makes of the image, with that log."""
    done = subprocess.run([os.path.join(harness.BUILD, "release", "slipway"), "--json", "tpm",
                           "predict", "--log", event_log(machine), image], check=True,
                          capture_output=True, text=True)
    return json.loads(done.stdout)["sha256"]


def start(machine, key=""):
    """Slot A, to its end: the values that it printed, and all since the key was typed."""
    with harness.Vm(machine, network=False) as vm:
        vm.expect_raw("CRYPT-KEY", timeout=400)
        begin = vm.here()
        vm.send(key, "ENTER")
        vm.expect_raw("CRYPT-END", timeout=400)
        seen = dict(re.findall(r"CRYPT (\w+)=(\w+)", vm.plain()))
        with open(event_log(machine), "wb") as file:
            file.write(bytes.fromhex(seen.pop("log")))
        return seen, vm.plain(begin)


def reseal_from_the_medium(machine, iso, key):
    """The recovery key typed at the medium's shell: what was foretold, and what was done."""
    with harness.Vm(machine, iso=iso, iso_bus="usb-first", network=False) as vm:
        test_iso.shell(vm)
        vm.run("n=0; until [ -e /run/slipway/settled ] || [ $n -ge 300 ]; do sleep 1; "
               "n=$((n+1)); done; mcopy -i /dev/nvme0n1p1 ::/EFI/BOOT/BOOTX64.EFI /tmp/image",
               timeout=400)
        foretold = document(vm.run("slipway --json tpm predict /tmp/image", timeout=200))
        vm.run("rm /tmp/image")
        now = document(vm.run("slipway --json tpm pcrs --bank sha256 7", timeout=200))
        now = now["sha256"]["7"]
        # The shell's opening is in no log, and a seal for a restart does not count on it.
        check(not now["explained"] and now["value"] != now["log"] == foretold["log"]["7"] and
              "EV_SEPARATOR" in [e["type"] for e in now["events"]], repr(now))
        begin = vm.here()
        vm.send("slipway --json state reseal; echo end=$?=\r", pause=0.004)
        vm.expect_raw("(it is not shown): ", timeout=200)
        vm.send(key, "ENTER")
        end = vm.expect_raw(*("end=%d=" % n for n in range(9)), timeout=400)
        text = vm.plain(begin)
        check(end == "end=0=", text)
        check(key not in text, "the key was shown:\n" + text)
        return foretold, document(text)


def signed_node(directory):
    """A node whose image is signed by a key of the operator's own: answers, image, certificate
    for db, and the private key that opens the escrow."""
    node = payload.build(PAYLOAD)
    node.initrd = opener(directory)
    pem, private = certificate(directory)
    trusted = signer(directory, "db")
    image = signed(directory, node)
    text = re.sub(r"(?ms)^payload:.*?(?=^\w)", "payload:\n  uki: %%s\n"
                  "  sha256: {uki: %s}\n" % node.sha256(image), test_install.answers(node))
    text = text.replace("  hostname: node-07\n",
                        "  hostname: node-07\n  ssh: {host-key: make}\n")
    text = text.replace("  layout: node\n", "  layout: encrypted\n  recovery: escrow\n"
                        "  escrow: %s\n" % json.dumps(pem).replace("%", "%%"))
    return text.replace("finish: reboot", "finish: poweroff"), image, trusted, private


def with_keys(machine, trusted):
    """Secure Boot with the operator's key in db beside Microsoft's."""
    machine.tpm = machine.secure_boot = True
    machine.wipe_nvram()
    nvram.trust(machine.vars, trusted)
    return machine


def test_state_under_secure_boot_and_sealed_again_when_its_keys_change(directory):
    """Installed from the medium under Secure Boot: the firmware starts slot A, and the TPM opens
    state and the SSH host key without a question. With another key in db it refuses both, the
    recovery key opens state, and `slipway state reseal` on the node has the TPM open it again."""
    began = time.monotonic()
    iso = need_slipway()
    text, image, trusted, private = signed_node(directory)
    medium = answer_iso(directory, iso, text % "medium:/node.efi", image)
    machine = with_keys(machine_with(directory, size=1400 << 20), trusted)
    with harness.Vm(machine, iso=medium, reboot=False, network=False) as vm:
        vm.wait_off(1200)
    key = recovery_key(directory, machine, private)

    def step(what):
        print("# %.0f s: %s" % (time.monotonic() - began, what), flush=True)

    step("installed")
    seen, _ = start(machine)
    check(seen["secureboot"] == "1" and seen["tpm"] == "mounted", repr(seen))
    check(seen.get("host") == "2", "the SSH host key does not open: %r" % seen)
    check(foretell(machine, image) == {n: seen["pcr" + n] for n in ("4", "7", "11", "12")},
          "foretold %r, found %r" % (foretell(machine, image), seen))
    first = seen["pcr7"]
    step("opened under Secure Boot, PCR 7 " + first)
    nvram.trust(machine.vars, signer(directory, "another"))
    seen, said = start(machine, key)
    done = document(said)
    check(seen["pcr7"] != first and seen["secureboot"] == "1", repr(seen))
    check("host" not in seen, "the SSH host key opens under other keys: %r" % seen)
    check((seen["tpm"], seen["recovery"], seen["resealed"]) == ("refused", "mounted", "mounted"),
          repr(seen))
    check(done["pcr7"] == seen["pcr7"] and done["tried"] and
          (done["removed"], done["kept"]) == (1, 0), repr(done))
    step("another key in db: refused, then sealed again on the node")


def installed_elsewhere(directory, text, image):
    """The disk of a node that was installed in another machine, with another TPM."""
    where, path = os.path.join(directory, "elsewhere"), os.path.join(directory, "answers.yaml")
    bootnode.on_standin(where, "machine", "create", where, "--disk",
                        "serial=NODE07SYS,size=1400M,transport=nvme")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text % image)
    bootnode.on_standin(where, "install", "--answers", path, "--yes")
    facts = json.loads(bootnode.on_standin(where, "facts", "--json"))
    machine = harness.Machine(os.path.join(directory, "machine"))
    machine.disks.append(disk.Disk(facts["disks"][0]["node"], "NODE07SYS", 0, "nvme"))
    return machine


def test_a_disk_from_another_machine_is_sealed_from_the_medium(directory):
    """Under Secure Boot the medium foretells the PCR 7 of slot A's image and seals to it, which
    only the node can try; the node starts with that PCR 7 and the TPM opens its state, though
    the seal to the other machine's TPM comes first. PCR 4 is another one than foretold: without
    an entry of ours OVMF tries its shell first."""
    iso = need_slipway()
    text, image, trusted, private = signed_node(directory)
    machine = with_keys(installed_elsewhere(directory, text, image), trusted)
    key = recovery_key(directory, machine, private)
    foretold, done = reseal_from_the_medium(machine, iso, key)
    check(done["pcr7"] == foretold["sha256"]["7"] != foretold["log"]["7"] and
          done["slot"] == "a" and not done["tried"] and
          (done["removed"], done["kept"]) == (0, 1), repr((foretold, done)))
    seen, _ = start(machine)
    check((seen["secureboot"], seen["pcr7"], seen["tpm"]) == ("1", done["pcr7"], "mounted"),
          repr((done, seen)))
    check(all(seen["pcr" + n] == foretold["sha256"][n] for n in ("7", "11", "12")),
          repr((foretold, seen)))
    print("# foretold and found: " + repr(foretold["sha256"]), flush=True)


# A start of the medium and two of the node; one and one.
test_state_under_secure_boot_and_sealed_again_when_its_keys_change.long = True
test_a_disk_from_another_machine_is_sealed_from_the_medium.long = True
