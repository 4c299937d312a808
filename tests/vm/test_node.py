# SPDX-License-Identifier: Apache-2.0
"""An initrd-only node: busybox, the shipped /init and shell functions, slipway-node.cpio, and
nothing else.

The initrd has no libc, no /etc and no tools of slipway's: everything that promotes, arms and
configures comes out of the archive that was put behind it, and docs/examples/node is used as it
is. The disk is made by an install onto a stand-in machine, so that the only machines started here
are the node's own.
"""

import base64
import gzip
import hashlib
import io
import json
import os
import pathlib
import re
import stat
import subprocess
import sys
import tarfile

import bootnode
import disk
import harness
import payload
import server
import test_install
from test_install import check

EXAMPLES = os.path.join(harness.ROOT, "docs", "examples", "node")
MODULES = ["efivarfs", "virtio_pci", "virtio_blk", "nvme", "virtio_net", "i6300esb"]
NET_MODULES = ("virtio_net", "net_failover", "failover")
CMDLINE = "console=ttyS0,115200 panic=1 quiet node.id="
ATTEST = test_install.ATTEST
WATCHDOG = ("-device", "i6300esb", "-action", "watchdog=reset")
OVERLAY = "from the cluster"
SECRET = "a token for the node alone"
CAME_BACK = "Before this: the last start from the network did not work out"

# What is a node's own. An image may say for itself how long it has until it must be accepted.
OWN = {
    "watchdog.sh": """dmesg -n 1
insmod /modules/watchdog.ko 2>/dev/null
insmod /modules/i6300esb.ko heartbeat=20
given=$(sed -n 's/.*node.deadline=\\([0-9]*\\).*/\\1/p' /proc/cmdline)
NODE_DEADLINE=${given:-900}
""",
    "network.sh": """NODE_PAUSE=2 NODE_PAUSE_MAX=4
while read -r module; do
	insmod /modules/$module 2>/dev/null
done </modules/order
ip link set lo up
""" + bootnode.ADDRESS + bootnode.WAIT_FOR_DISK,
    "join": """#!/bin/sh
# The cluster: node data names the images that it accepts. Before that nothing is to be joined.
accepted=$(cat /run/node/config/accepted 2>/dev/null) || exit 0
echo "JOIN $1"
word=$(sed 's/.*node.id=//; s/ .*//' /proc/cmdline)
if [ "$word" = bad ] && [ -e /run/node/config/hang ]; then
	while :; do sleep 100; done
fi
case $accepted in *,$word,*) exit 0 ;; esac
exit 1
""",
    "etc/sealed": SECRET,
    "sbin/init": """#!/bin/sh
export HOME=/
exec </dev/ttyS0 >/dev/ttyS0 2>&1
stty -echo
echo
echo "NODE-UP $(sed 's/.*node.id=//; s/ .*//' /proc/cmdline)"
echo "NODE uptime=$(cut -d. -f1 /proc/uptime)"
echo "NODE id=$(hostname) $(cat /etc/machine-id) $(cut -d' ' -f1 /root/.ssh/authorized_keys)"
echo "NODE attest=$(cat /run/node/attest_url)"
echo "NODE overlay=$(cat /run/overlay/etc/join /run/node/overlay 2>/dev/null | head -n 1)"
/slipway-node/slipway status
echo NODE-END
# Not exec: a busybox shell without job control that gets a line while a child ends takes that for
# the end of its input; as process 1 it would take the kernel along.
export PS1='node# '
while :; do sh; done
""",
}


def _read(path):
    with open(path, "rb") as file:
        return file.read()


def base(modules, wanted=MODULES):
    """busybox with its links, and the modules: an initrd that has no node in it yet."""
    order = payload.load_order(modules, wanted)
    folders = ("bin", "sbin", "modules", "proc", "sys", "dev", "etc")
    files = {name: (stat.S_IFDIR | 0o755, b"") for name in folders}
    files["bin/busybox"] = (stat.S_IFREG | 0o755, _read("/bin/busybox"))
    applets = subprocess.run(["/bin/busybox", "--list"], capture_output=True, text=True)
    for name in applets.stdout.split():
        files["bin/" + name] = files.get("bin/" + name, (stat.S_IFLNK | 0o777, b"busybox"))
    for name in order:
        files["modules/%s.ko" % name] = (stat.S_IFREG | 0o644, modules[name])
    listing = "".join(name + ".ko\n" for name in order)
    files["modules/order"] = (stat.S_IFREG | 0o644, listing.encode())
    return files


def build(folder, files):
    """A node of these files with slipway-node.cpio behind them, as `cat` does it."""
    archive = harness.build_file("slipway-node.cpio")
    os.makedirs(folder, exist_ok=True)
    node = payload.Payload(folder)
    with open(node.initrd, "wb") as file:
        file.write(gzip.compress(payload.newc(files), 6, mtime=0))
        file.write(b"\0" * (-file.tell() % 4))
        file.write(gzip.compress(_read(archive), 6, mtime=0))
    return node


def busybox_node(folder, **own):
    kernel, modules = payload.unpack(payload.kernel_package(), NET_MODULES)
    files = base(modules)
    for name, text in {**OWN, **own}.items():
        files[name] = (stat.S_IFREG | 0o755, text.encode())
    for name in ("init", "slipway-node.sh"):
        files[name] = (stat.S_IFREG | 0o755, _read(os.path.join(EXAMPLES, name)))
    node = build(folder, files)
    with open(node.kernel, "wb") as file:
        file.write(kernel)
    return node


def image(node, word):
    """word may have more of the command line behind it."""
    name = word.split(" ", maxsplit=1)[0] + ".efi"
    return node.uki(os.path.join(node.directory, name), CMDLINE + word)


def _run(*argv, **more):
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, **more)
    check(done.returncode == 0, "%s: %s%s" % (argv[0], done.stdout, done.stderr))
    return done.stdout


def _answers(node, key, attest):
    text = test_install.ANSWERS.format(
        kernel=node.kernel, initrd=node.initrd, cmdline=CMDLINE + "first", attest=attest,
        kernel_sum=node.sha256(node.kernel), initrd_sum=node.sha256(node.initrd))
    text = text.replace("  hostname: node-07\n", "  hostname: node-07\n  machine-id: derive\n"
                        "  ssh: {authorized-keys: \"%s\"}\n" % key)
    return text.replace("finish: reboot", "finish: stay") + "trust: {keys: \"%s\"}\n" % key


def installed(directory, node, key, attest=ATTEST):
    """A machine whose disk holds the node, and whose firmware knows nothing of it. attest: of its
    server the URL, and lines of answers about it."""
    program = os.path.join(harness.BUILD, "release", "slipway")
    standin = os.path.join(directory, "standin")
    name = os.path.join(directory, "answers.yaml")
    for part in (node.kernel, node.initrd):
        sign(os.path.join(directory, "key"), part)
    with open(name, "w", encoding="utf-8") as file:
        file.write(_answers(node, key, attest))
    _run(program, "machine", "create", standin, "--disk", "serial=NODE07SYS,size=4G")
    _run(program, "--machine", standin, "install", "--answers", name)
    facts = json.loads(_run(program, "--machine", standin, "--json", "facts"))
    image = next(d["node"] for d in facts["disks"] if d.get("serial") == "NODE07SYS")
    machine = harness.Machine(os.path.join(directory, "machine"))
    machine.cpu = harness.PLAIN_CPU
    machine.disks.append(disk.Disk(image, "NODE07SYS", 4 << 30, "nvme"))
    return machine


def sign(key, path):
    if os.path.exists(path + ".sig"):
        os.unlink(path + ".sig")
    _run("ssh-keygen", "-q", "-Y", "sign", "-n", "slipway-image", "-f", key, path)


def shell(vm, command, timeout=60):
    """Behind the mark, so that a prompt that comes late is no part of the output."""
    return vm.run("echo begin=; " + command, timeout=timeout).rpartition("begin=\n")[2]


def up(vm, word, timeout=600):
    """Waits for this image; what it said from its start on."""
    vm.expect_raw("NODE-UP " + word, timeout=timeout)
    vm.expect_raw("NODE-END", timeout=300)
    vm.expect_raw("node# ", timeout=300)
    text = vm.plain()
    return text[text.rindex("NODE-UP " + word):]


def slipway(vm, words, timeout=120):
    return shell(vm, "/slipway-node/slipway " + words, timeout)


def promote_second(vm, http, key, attest=ATTEST):
    """From slot A by the fallback path. What nobody signed is refused; the second image is kept,
    with what its cold start cannot fetch. Returns what the first start said."""
    seen = up(vm, "first")
    check("NODE attest=" + attest in seen and "started from slot A" in seen, seen)
    url = http.url("/second.efi")
    refused = slipway(vm, "promote --uki %s 2>&1; echo exit=$?" % url)
    check("exit=10" in refused, refused)
    sign(key, http.files["/second.efi"])
    http.add("/second.efi.sig", http.files["/second.efi"] + ".sig")
    shell(vm, "[ -e /run/overlay.tar ] || echo %s >/run/overlay.tar" % OVERLAY)
    done = slipway(vm, "promote --uki %s --overlay /run/overlay.tar" % url)
    check("signed by ops" in done and "Written, read back" in done, done)
    return seen


def cluster(directory):
    """A server that gives an overlay to any TPM that proves itself, and judges with tpm2-tools and
    openssl; and what a node's answers say of it: the pinned key is all that the node knows."""
    sys.path.insert(0, os.path.join(harness.ROOT, "tests", "commands"))
    import attest_server

    word = OVERLAY.encode() + b"\n"
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        item = tarfile.TarInfo("etc/join")
        item.size = len(word)
        tar.addfile(item, io.BytesIO(word))
    folder = pathlib.Path(directory, "attest")
    folder.mkdir()
    made = attest_server.AttestServer(folder, out.getvalue(), enrols=True)
    made.seen_as = made.url.replace("127.0.0.1", "10.0.2.2")
    made.strict = True
    return made, "%s\n  protocol: strict\n  pin: %s" % (made.seen_as, made.authority.pin())


def admitted(vm, attest, seen):
    """The node attested by itself before it joined; and a server that does not know it says so."""
    check(re.search(r"^NODE id=node-07 [0-9a-f]{32} ssh-ed25519$", seen, re.M), seen)
    for text in ("NODE overlay=" + OVERLAY, "Admission       admitted by %s, " % attest.seen_as):
        check(text in seen, "%r is not in\n%s" % (text, seen))
    check(", strict exchange, overlay " in seen, seen)
    check("eventlog" in attest.requests[-1], "the firmware's event log was not sent")
    check(attest.complaints == [], attest.complaints)
    attest.known, attest.enrols = set(), False
    refused = slipway(vm, "admit --wait 0 /tmp/tree 2>&1; echo exit=$?")
    check("does not know this machine" in refused and "exit=9" in refused, refused)
    told = slipway(vm, "status")
    check("Admission       NOT admitted by " + attest.seen_as in told, told)


def predicted(image, *more):
    """The PCRs that the image will give."""
    program = os.path.join(harness.BUILD, "release", "slipway")
    told = json.loads(_run(program, "--json", "tpm", "predict", *more, image))
    return told["sha256"]


def predicted_from(log, image):
    """... told from the event log that the node has just sent."""
    path = os.path.join(os.path.dirname(image), "eventlog")
    with open(path, "wb") as file:
        file.write(log)
    told = predicted(image, "--log", path)
    check(sorted(told) == ["11", "12", "4", "7"], told)
    return told


def check_pcrs(vm, want):
    """The TPM has in its PCRs what was told."""
    said = shell(vm, "for p in 4 7 11 12; do "
                 "echo $p=$(cat /sys/class/tpm/tpm0/pcr-sha256/$p); done")
    found = {pcr: value.lower() for pcr, value in re.findall(r"^(\d+)=([0-9A-F]{64})", said, re.M)}
    check(found == want, (found, want))


def sign_pcr11(image, value, key):
    """Puts the operator's signature over this PCR 11 into the image, by openssl and binutils: what
    PolicyPCR makes of it is signed (TPM 2.0 library, part 3, 23.7)."""
    policy = hashlib.sha256(bytes(32) + bytes.fromhex("0000017f" "00000001000b03000800") +
                            hashlib.sha256(bytes.fromhex(value)).digest()).digest()
    signed = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=policy,
                            capture_output=True, check=True).stdout
    public = subprocess.run(["openssl", "rsa", "-in", key, "-RSAPublicKey_out", "-outform", "DER"],
                            capture_output=True, check=True).stdout
    entry = {"pcrs": [11], "pkfp": hashlib.sha256(public).hexdigest(), "pol": policy.hex(),
             "sig": base64.b64encode(signed).decode()}
    with open(image + ".pcrsig", "w", encoding="ascii") as file:
        json.dump({"sha256": [entry]}, file)
    ends = [int(size, 16) + int(at, 16) for size, at in
            re.findall(r"^ +\d+ \S+ +(\w+)  (\w+)", _run("objdump", "-h", image), re.M)]
    _run("objcopy", "--add-section", ".pcrsig=" + image + ".pcrsig", "--change-section-vma",
         ".pcrsig=%#x" % (max(ends) + 0xfff & ~0xfff), image)


def keep_secret(vm):
    """Sealed on the road on which the node is now."""
    done = slipway(vm, "secret seal join </etc/sealed")
    check("the TPM opens it, tried" in done and "measured nothing" not in done, done)
    check("can read everything: Secure Boot is off" in " ".join(done.split()), done)


def opens_secret(vm, road, name="join"):
    """... and opened on another, without systemd."""
    said = slipway(vm, "secret open %s | cat; echo" % name)
    check(SECRET in said, "the TPM does not open it %s: %s" % (road, said))


def to_the_network(vm, http):
    """The node is told of its cluster, and armed."""
    slipway(vm, "node set image_url=%s accepted=,second,good," % http.url("/boot.efi"))
    slipway(vm, "mode network --uri " + http.url("/boot.efi"))


def check_second(vm, *more, attest=ATTEST):
    """The promoted image runs from slot B with what was kept for it."""
    seen = up(vm, "second")
    for text in ("NODE attest=" + attest, "NODE overlay=" + OVERLAY, "started from slot B", *more):
        check(text in seen, "%r is not in\n%s" % (text, seen))


def node_with_key(directory, attest=ATTEST, **own):
    """(node, machine, file of the key that its images are signed with)"""
    node = busybox_node(os.path.join(directory, "node"), **own)
    key = os.path.join(directory, "key")
    _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ops", "-f", key)
    with open(key + ".pub", encoding="utf-8") as file:
        return node, installed(directory, node, file.read().strip(), attest), key


def test_a_busybox_node_promotes_a_signed_image_and_restarts_into_it(directory):
    """The shipped /init and slipway-node.cpio with nothing but busybox, installed to attest: its
    TPM proves it to the server, by the strict exchange, before it joins with the overlay that it
    gets; what nobody signed is refused, what is signed is kept with that overlay, and starts with
    it from slot B when the server is away, where the TPM opens what was sealed before and its PCRs
    are those that `tpm predict` told of the image beforehand. What was sealed to the operator's
    signature of PCR 11 opens by the one in the image."""
    attest, answer = cluster(directory)
    operator = os.path.join(directory, "pcr.key")
    _run("openssl", "genrsa", "-out", operator, "2048")
    node, machine, key = node_with_key(
        directory, answer, admit="yes\n",
        **{"watchdog.sh": OWN["watchdog.sh"] + "NODE_WAIT=5\n",
           "etc/pcr.pub": _run("openssl", "rsa", "-in", operator, "-pubout")})
    machine.tpm = True
    second = image(node, "second")
    sign_pcr11(second, predicted(second)["11"], operator)
    http = server.Server()
    try:
        http.add("/second.efi", second)
        with harness.Vm(machine, devices=WATCHDOG) as vm:
            seen = promote_second(vm, http, key, attest.seen_as)
            want = predicted_from(attest.requests[-1]["eventlog"], second)
            admitted(vm, attest, seen)
            attest.close()
            keep_secret(vm)
            said = slipway(vm, "secret seal signed --pcr-key /etc/pcr.pub </etc/sealed")
            check("only the node can open it" in said, said)
            vm.mark()
            vm.send("reboot -f\r")
            check_second(vm, "Admission       NOT admitted by %s, " % attest.seen_as,
                         attest=attest.seen_as)
            check("the attestation server is away: taking what was kept" in vm.plain(), vm.plain())
            check_pcrs(vm, want)
            opens_secret(vm, "from the fallback path to our entry")
            opens_secret(vm, "by the signature in the image", "signed")
    finally:
        attest.close()
        http.close()


def test_a_busybox_node_comes_back_from_a_bad_image_waits_for_a_better_one_and_keeps_it(directory):
    """The shipped /init with nothing but busybox. An image that the cluster does not accept
    restarts; one that hangs is restarted by the watchdog; after two failures of one image the last
    known good one waits, also while the server is away; the next image is tried, accepted, kept.
    What was sealed to the TPM on the fallback path opens by our entry, after a failed attempt, and
    over the network."""
    node, machine, key = node_with_key(directory)
    machine.tpm = True
    http = server.Server()
    try:
        http.add("/second.efi", image(node, "second"))
        with harness.Vm(machine, devices=WATCHDOG) as vm:
            seen = promote_second(vm, http, key)
            deadline = max(20, 3 * int(re.search(r"^NODE uptime=(\d+)", seen, re.M).group(1)))
            keep_secret(vm)
            to_the_network(vm, http)
            http.add("/boot.efi", image(node, "bad node.deadline=%d" % deadline))
            vm.mark()
            vm.send("reboot -f\r")
            vm.expect_raw("the cluster did not accept this image: restarting", timeout=600)
            vm.expect_raw("JOIN " + ATTEST, timeout=600)
            check_second(vm, CAME_BACK)
            opens_secret(vm, "by our entry, after the network failed")
            vm.expect_raw("the next start is from the network", timeout=600)
            check("once; when that fails" in slipway(vm, "status"), "the network is not armed")
            slipway(vm, "node set hang=yes")
            vm.mark()
            vm.send("reboot -f\r")
            vm.expect_raw("not good after %d s: the watchdog restarts" % deadline,
                          timeout=300 + 2 * deadline)
            check_second(vm, CAME_BACK)
            another_image(vm, http, node, key)
    finally:
        http.close()


def another_image(vm, http, node, key):
    vm.expect_raw("the image on the server failed twice: waiting for another", timeout=600)
    check("once; when" not in slipway(vm, "status"), "the network is armed for a third time")
    port = http.port
    http.close()
    vm.expect_raw("the boot server has nothing to start: asking again in 4 s", timeout=600)
    good = image(node, "good")
    sign(key, good)
    http.add("/boot.efi", good)
    http.add("/boot.efi.sig", good + ".sig")
    http.open(port)
    vm.expect_raw("the next start is from the network", timeout=600)
    vm.mark()
    vm.send("reboot -f\r")
    seen = up(vm, "good")
    check("started over the network" in seen, seen)
    opens_secret(vm, "over the network")
    said = slipway(vm, "status")
    for text in ("is in slot A", "sequence 3, from " + http.url("/boot.efi"), "once; when that"):
        check(text in said, "%r is not in\n%s" % (text, said))
    found = json.loads(slipway(vm, "--json slots"))["slots"]
    check([s["reason"] for s in found if s["slot"] == "a"] == ["accepted by the cluster"], found)


# Seven starts and a watchdog that takes its time.
test_a_busybox_node_comes_back_from_a_bad_image_waits_for_a_better_one_and_keeps_it.long = True
