# SPDX-License-Identifier: Apache-2.0
"""The layout encrypted on a machine with a TPM: dm-crypt and systemd's plugin open it."""

import base64
import gzip
import json
import os
import re
import stat
import subprocess

import harness
import payload
import test_install
from test_install import PAYLOAD, answer_iso, check, machine_with, need_slipway

MODULES = ["virtio_pci", "virtio_blk", "nvme", "dm_mod", "dm_crypt", "xts", "aes_generic",
           "aesni_intel", "crc32c_generic", "ext4", "tpm_crb", "tpm_tis"]
PLUGIN = "/usr/lib/x86_64-linux-gnu/cryptsetup/libcryptsetup-token-systemd-tpm2.so"
# Loaded by name, so ldd does not know them.
LOADED = ["/usr/lib/x86_64-linux-gnu/libgcc_s.so.1"] + [
    "/usr/lib/x86_64-linux-gnu/libtss2-%s.so.0" % name
    for name in ("esys", "rc", "mu", "tcti-device")]

# TPM2_PCR_Extend of PCR 7 in the sha256 bank, with an empty password; as printf wants it.
EXTEND = "".join("\\%03o" % byte for byte in bytes.fromhex(
    "8002" "00000041" "00000182" "00000007" "00000009" "40000009" "0000" "00" "0000"
    "00000001" "000b") + bytes(range(32)))

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
	mount -t ext4 /dev/mapper/state /mnt && ls -d /mnt/lost+found && umount /mnt &&
		echo "CRYPT $1=mounted"
	cryptsetup close state
}
echo
cryptsetup open --token-only $state state && look tpm
printf '@EXTEND@' >/dev/tpm0
cryptsetup open --token-only $state state && echo "CRYPT extended=opened" ||
	echo "CRYPT extended=refused"
echo CRYPT-KEY
read -r key
printf %s "$key" >/run/key
cryptsetup open --key-file /run/key $state state && look recovery
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
    files["init"] = (stat.S_IFREG | 0o755, INIT.replace("@EXTEND@", EXTEND).encode())
    out = os.path.join(directory, "initrd")
    with open(out, "wb") as file:
        file.write(gzip.compress(payload.newc(files), 1, mtime=0))
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


def test_state_opens_by_the_tpm_or_the_recovery_key_and_not_with_another_pcr_7(directory):
    """Installed from the medium; then the firmware starts slot A, in which systemd's plugin opens
    state without a question. After a change of PCR 7 only the recovery key does."""
    iso = need_slipway()
    node = payload.build(PAYLOAD)
    node.initrd = opener(directory)
    pem, private = certificate(directory)
    text = test_install.answers(node).replace(
        "  layout: node\n", "  layout: encrypted\n  recovery: escrow\n  escrow: %s\n"
        % json.dumps(pem)).replace("finish: reboot", "finish: poweroff")
    medium = answer_iso(directory, iso, text, node.kernel, node.initrd)
    machine = machine_with(directory, size=1400 << 20)
    machine.tpm = True
    with harness.Vm(machine, iso=medium, reboot=False, network=False) as vm:
        vm.wait_off(600)
    key = recovery_key(directory, machine, private)
    with harness.Vm(machine, network=False) as vm:
        vm.expect_raw("CRYPT-KEY", timeout=250)
        vm.send(key, "ENTER")
        vm.expect_raw("CRYPT-END", timeout=200)
        seen = dict(re.findall(r"CRYPT (\w+)=(\w+)", vm.plain()))
    check(seen == {"tpm": "mounted", "extended": "refused", "recovery": "mounted"}, repr(seen))


test_state_opens_by_the_tpm_or_the_recovery_key_and_not_with_another_pcr_7.long = True
