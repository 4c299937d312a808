# SPDX-License-Identifier: Apache-2.0
"""The node that the tests install: Debian's kernel and an initrd that says what it sees.

It prints NODE-UP and one `NODE name=value` line per fact (command line, BootCurrent, BootOrder,
LoaderDevicePartUUID, each partition's PARTUUID), then NODE-END, and powers off; with
testpayload.wait on its command line it stays up. testpayload.setvar=TEXT stores TEXT in a boot
variable and later boots print it, so that a test can see NVRAM persist.
"""

import gzip
import hashlib
import io
import os
import re
import stat
import subprocess
import tarfile

import harness

MODULES = ["efivarfs", "virtio_pci", "virtio_blk", "nvme", "ahci", "sd_mod", "usb_storage",
           "xhci_pci"]
STUB = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"
GUID = "5a1b5d2c-5c0f-4c40-9f6e-7d5a3f1c7e11"

INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
dmesg -n 1
exec </dev/ttyS0 >/dev/ttyS0 2>&1
while read -r module; do
	insmod /modules/$module
done </modules/order
vars=/sys/firmware/efi/efivars
mount -t efivarfs efivarfs $vars
boot=8be4df61-93ca-11d2-aa0d-00e098032b8c
loader=4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
mine=$vars/SlipwayTest-@GUID@
for word in $(cat /proc/cmdline); do
	case $word in
	testpayload.setvar=*) printf '\\007\\000\\000\\000%s' "${word#*=}" >$mine ;;
	esac
done
# Disks are found while the lines above run; those that are slow get three seconds.
n=0
while [ $n -lt 30 ]; do
	ls /sys/class/block/*/partition >/dev/null 2>&1 && break
	n=$((n + 1))
	sleep 0.1
done
hex() {
	tail -c +5 "$1" 2>/dev/null | hexdump -v -e '1/2 "%04X "'
}
echo
echo NODE-UP
echo "NODE cmdline=$(cat /proc/cmdline)"
echo "NODE bootcurrent=$(hex $vars/BootCurrent-$boot)"
echo "NODE bootorder=$(hex $vars/BootOrder-$boot)"
echo "NODE loaderpart=$(tail -c +5 $vars/LoaderDevicePartUUID-$loader 2>/dev/null | tr -d '\\000')"
echo "NODE secureboot=$(tail -c 1 $vars/SecureBoot-$boot 2>/dev/null | hexdump -e '1/1 "%d"')"
echo "NODE variable=$(tail -c +5 $mine 2>/dev/null)"
for part in /sys/class/block/*/partition; do
	name=${part%/partition}
	name=${name##*/}
	echo "NODE part=$name $(blkid -o value -s PARTUUID /dev/$name)"
done
for entry in $vars/Boot[0-9A-F][0-9A-F][0-9A-F][0-9A-F]-$boot; do
	entry=${entry##*/Boot}
	echo "NODE entry=${entry%%-*} $(tail -c +5 $vars/Boot$entry | hexdump -v -e '1/1 "%02x"')"
done
echo NODE-END
case $(cat /proc/cmdline) in
*testpayload.wait*) exec sh ;;
esac
sleep 1
poweroff -f
"""


class Payload:
    """kernel and initrd as files, with their sha256."""

    def __init__(self, directory):
        self.directory = directory
        self.kernel = os.path.join(directory, "vmlinuz")
        self.initrd = os.path.join(directory, "initrd")

    def sha256(self, path):
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()

    def uki(self, path, cmdline):
        """A unified kernel image around systemd's stub, for tests that need no installer."""
        new = "%s.%d" % (path, os.getpid())     # other tests may read the one that is there
        text = new + ".cmdline"
        with open(text, "wb") as file:
            file.write(cmdline.encode() + b"\0")
        args = ["objcopy"]
        for name, source, address in ((".osrel", "/etc/os-release", 0x20000),
                                      (".cmdline", text, 0x30000),
                                      (".linux", self.kernel, 0x2000000),
                                      (".initrd", self.initrd, 0x4000000)):
            args += ["--add-section", "%s=%s" % (name, source),
                     "--change-section-vma", "%s=0x%x" % (name, address)]
        subprocess.run(args + [STUB, new], check=True)
        os.unlink(text)
        os.rename(new, path)
        return path


def kernel_package():
    cache = os.path.join(harness.BUILD, "iso-cache")
    if os.path.isdir(cache):
        for name in sorted(os.listdir(cache)):
            if re.match(r"linux-image-\d.*_amd64\.deb$", name):
                return os.path.join(cache, name)
    raise harness.Skip("Debian's kernel package is not in the cache (make iso)")


def unpack(package, net=()):
    """(kernel, {module name: content}) of a linux-image package, read as a stream.

    Of the network drivers, which are many, only those named in net.
    """
    kernel, modules = None, {}
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package],
                          stdout=subprocess.PIPE) as dpkg:
        with tarfile.open(fileobj=dpkg.stdout, mode="r|") as tar:
            for member in tar:
                base = os.path.basename(member.name)
                if base.startswith("vmlinuz-"):
                    kernel = tar.extractfile(member).read()
                elif base.endswith(".ko") and (base[:-3] in net or
                                               "/drivers/" + "net/" not in member.name):
                    modules[base[:-3].replace("-", "_")] = tar.extractfile(member).read()
    return kernel, modules


def load_order(modules, wanted):
    order = []

    def add(name):
        if name in order or name not in modules:
            return
        found = re.search(rb"\0depends=([^\0]*)\0", modules[name])
        for needed in (found.group(1).decode().split(",") if found else []):
            add(needed.replace("-", "_"))
        soft = re.search(rb"\0softdep=pre: ([^\0]*)\0", modules[name])
        for needed in (soft.group(1).decode().split() if soft else []):
            add(needed.replace("-", "_"))
        order.append(name)

    for name in wanted:
        add(name)
    return order


def newc(files):
    """A newc cpio archive of {name: (mode, content)}; parents must come first."""
    out = io.BytesIO()

    def entry(name, mode, content, inode):
        raw = name.encode() + b"\0"
        fields = [inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(raw), 0]
        out.write(b"070701" + b"".join(b"%08X" % field for field in fields) + raw)
        out.write(b"\0" * (-out.tell() % 4))
        out.write(content)
        out.write(b"\0" * (-out.tell() % 4))

    for inode, (name, (mode, content)) in enumerate(files.items(), 1):
        entry(name, mode, content, inode)
    entry("TRAILER!!!", 0, b"", 0)
    return out.getvalue()


def opened_at_use(path):
    """Libraries that a program opens by itself and names in its ELF notes, as paths."""
    notes = subprocess.run(["readelf", "-p", ".note.dlopen", path], capture_output=True, text=True)
    known = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True).stdout
    return [re.search(rf"^\s*{re.escape(name)} .*=> (\S+)$", known, re.M).group(1)
            for name in re.findall(r'"soname":\["([^"]+)"\]', notes.stdout)]


def programs(files, *paths):
    """Programs of this system with the libraries that ldd names, and those that they open."""
    for path in [*paths, *(name for path in paths for name in opened_at_use(path))]:
        names = subprocess.run(["ldd", path], capture_output=True, text=True).stdout
        for name in [path] + re.findall(r"(/\S+) \(0x", names):
            folder = ""
            for step in name.strip("/").split("/")[:-1]:
                folder = (folder + "/" + step).lstrip("/")
                files.setdefault(folder, (stat.S_IFDIR | 0o755, b""))
            with open(name, "rb") as file:
                files[name.lstrip("/")] = (stat.S_IFREG | 0o755, file.read())


def build(directory):
    """Makes (or finds, if it is newer than its sources) the payload in directory."""
    with harness.alone(directory):
        return _build(directory)


def _build(directory):
    payload = Payload(directory)
    package = kernel_package()
    sources = [package, os.path.abspath(__file__)]
    if os.path.exists(payload.initrd) and \
       all(os.path.getmtime(payload.initrd) > os.path.getmtime(path) for path in sources):
        return payload
    kernel, modules = unpack(package)
    order = load_order(modules, MODULES)
    files = {"bin": (stat.S_IFDIR | 0o755, b""), "modules": (stat.S_IFDIR | 0o755, b"")}
    with open("/bin/busybox", "rb") as file:
        files["bin/busybox"] = (stat.S_IFREG | 0o755, file.read())
    programs(files, "/sbin/blkid")
    # busybox installs its links into /bin, which is first in PATH and has no blkid.
    files["bin/blkid"] = (stat.S_IFLNK | 0o777, b"/sbin/blkid")
    for name in order:
        files["modules/%s.ko" % name] = (stat.S_IFREG | 0o644, modules[name])
    listing = "".join(name + ".ko\n" for name in order)
    files["modules/order"] = (stat.S_IFREG | 0o644, listing.encode())
    files["init"] = (stat.S_IFREG | 0o755, INIT.replace("@GUID@", GUID).encode())
    with open(payload.kernel, "wb") as file:
        file.write(kernel)
    with open(payload.initrd + ".new", "wb") as file:
        file.write(gzip.compress(newc(files), 6, mtime=0))
    os.rename(payload.initrd + ".new", payload.initrd)
    return payload


def _label(option):
    """The description of an EFI_LOAD_OPTION: UTF-16 behind attributes and path length."""
    raw = bytes.fromhex(option)[6:]
    return raw[:len(raw) & ~1].decode("utf-16-le", "replace").split("\0")[0]


def facts(text):
    """The NODE lines of the last boot in text: {name: value or [values]}."""
    if "NODE-UP" not in text or "NODE-END" not in text:
        raise harness.Failure("the node did not print its facts")
    result = {"part": {}, "entry": {}}
    last = text.rindex("NODE-UP")
    for name, value in re.findall(r"^NODE (\w+)=(.*)$", text[last:], re.M):
        value = value.strip()
        if name in ("part", "entry"):
            key, _, rest = value.partition(" ")
            result[name][key] = rest.lower() if name == "part" else _label(rest)
        else:
            result[name] = value
    return result
