# SPDX-License-Identifier: Apache-2.0
"""What a node does for itself: trusted keys, overlays, and images looked into; by command."""
import base64
import hashlib
import re
import struct

from lib import (GLOBAL, SOURCE, Server, expect, fake_initrd, fingerprint, main, need, same,
                 section, sha256, test, tool)

LOADER = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
STUB = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"


def install(case, *replace):
    case.create()
    expect(case.on("install", "--answers", case.answers(replace=replace)), 0)
    return case


def key(case, name, kind="ed25519"):
    path = case.dir / name
    tool("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", name, "-f", path)
    return path


def sign(private, path, name_space="slipway-image", out=None):
    """What the manual page tells an operator to do."""
    made = path.parent / (path.name + ".sig")
    kept = made.read_bytes() if out and made.exists() else None
    made.unlink(missing_ok=True)
    tool("ssh-keygen", "-q", "-Y", "sign", "-n", name_space, "-f", private, path)
    if out:
        made.rename(out)
        if kept is not None:
            made.write_bytes(kept)
    return out or made


def uki(case, name="node.efi", release="ID=test\n", cmdline="panic=10"):
    """A UKI around systemd's stub, made by objcopy: not by slipway."""
    need("objcopy")
    initrd = case.dir / f"{name}.initrd"
    initrd.write_bytes(fake_initrd(65536) + name.encode())
    (case.dir / "osrel").write_text(release)
    (case.dir / "line").write_text(cmdline)
    words = ["objcopy"]
    for sect, source, at in ((".osrel", "osrel", 0x20000), (".cmdline", "line", 0x30000),
                             (".linux", "vmlinuz", 0x2000000), (".initrd", initrd, 0x4000000)):
        words += ["--add-section", f"{sect}={case.dir / source}",
                  "--change-section-vma", f"{sect}={at:#x}"]
    tool(*words, STUB, case.dir / name)
    return case.dir / name


def slots(case):
    return {s["slot"]: s for s in case.on("--json", "slots").json()["slots"]}


def run_from(case, label):
    """As if the node had been started from this slot."""
    number, entry = next((n, e) for n, e in case.entries()[0].items() if e[0] == label)
    for name, guid, data in (("BootCurrent", GLOBAL, struct.pack("<H", number)),
                             ("LoaderDevicePartUUID", LOADER,
                              (entry[1] + "\0").encode("utf-16-le"))):
        (case.machine_dir / "vars" / f"{name}-{guid}").write_bytes(struct.pack("<I", 6) + data)


def trust(case, *keys):
    listing = case.dir / "keys"
    listing.write_text("# who may\n" + "".join((k.parent / (k.name + ".pub")).read_text()
                                                 for k in keys))
    expect(case.on("node", "set", f"trust=@{listing}"), 0)


@test("with trusted keys promote takes what one of them signed and nothing else")
def _(case):
    need("ssh-keygen")
    install(case)
    ours, stranger = key(case, "ours"), key(case, "stranger")
    trust(case, ours)
    image = uki(case)
    expect(case.on("promote", "--uki", image), 5, "signature cannot be fetched")
    sign(stranger, image)
    before = slots(case)
    expect(case.on("promote", "--uki", image), 8, "none of the trusted keys")
    sign(ours, image, "slipway-answers")
    expect(case.on("promote", "--uki", image), 8, "not for this content")
    sign(ours, image)
    image.write_bytes(image.read_bytes() + b"x")
    expect(case.on("promote", "--uki", image), 8, "not for this content")
    same(slots(case), before, "slots")
    sign(ours, image)
    done = case.on("--json", "promote", "--uki", image)
    expect(done, 0)
    same((done.json()["trust"], done.json()["signed_by"]), ("signed", "ours"), "trust")
    same(slots(case)["b"]["sha256"], sha256(image), "slot B")
    other = uki(case, "other.efi")
    expect(case.on("promote", "--uki", other, "--trust", "none"), 0, "nobody has signed")


@test("a threshold of two wants two keys, each file named once or all in one")
def _(case):
    need("ssh-keygen")
    install(case)
    one, two, three = key(case, "one"), key(case, "two", "ecdsa"), key(case, "three")
    trust(case, one, two, three)
    expect(case.on("node", "set", "trust_threshold=4"), 3)
    expect(case.on("node", "set", "trust_threshold=2"), 0)
    image = uki(case)
    first = sign(one, image, out=case.dir / "first.sig")
    second = sign(two, image, out=case.dir / "second.sig")
    expect(case.on("promote", "--uki", image, "--signature", first), 8, "1 of 2")
    expect(case.on("promote", "--uki", image, "--signature", first, "--signature", first), 8,
           "1 of 2")
    both = case.dir / "node.efi.sig"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    expect(case.on("promote", "--uki", image, "--dry-run"), 0, "signed by one, two")
    expect(case.on("promote", "--uki", image, "--signature", second, "--signature", first), 0)


def text(data):
    """A string of the SSH protocol."""
    return struct.pack(">I", len(data)) + data


class HardwareKey:
    """What a FIDO key signs, worked out as openssh's PROTOCOL.u2f and PROTOCOL.sshsig have it: the
    device's own key is made and used by openssl."""

    KIND = b"sk-ssh-ed25519@openssh.com"

    def __init__(self, case, name):
        self.pem, self.application = case.dir / f"{name}.pem", b"ssh:"
        tool("openssl", "genpkey", "-algorithm", "ed25519", "-out", self.pem)
        der = case.dir / f"{name}.der"
        tool("openssl", "pkey", "-in", self.pem, "-pubout", "-outform", "DER", "-out", der)
        self.blob = text(self.KIND) + text(der.read_bytes()[-32:]) + text(self.application)
        self.path = case.dir / name
        (case.dir / f"{name}.pub").write_bytes(
            self.KIND + b" " + base64.b64encode(self.blob) + b" " + name.encode() + b"\n")

    def raw(self, data):
        given, made = self.pem.with_suffix(".in"), self.pem.with_suffix(".out")
        given.write_bytes(data)
        tool("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.pem, "-in", given, "-out",
             made)
        return made.read_bytes()

    def sign(self, path, out, counter=7, flags=1):
        """flags 1: somebody has touched it."""
        about = text(b"slipway-image") + text(b"") + text(b"sha512")
        message = b"SSHSIG" + about + text(hashlib.sha512(path.read_bytes()).digest())
        told = bytes([flags]) + struct.pack(">I", counter)
        signed = self.raw(hashlib.sha256(self.application).digest() + told +
                          hashlib.sha256(message).digest())
        whole = (b"SSHSIG" + struct.pack(">I", 1) + text(self.blob) + about +
                 text(text(self.KIND) + text(signed) + told))
        lines = base64.encodebytes(whole).decode()
        out.write_text(f"-----BEGIN SSH SIGNATURE-----\n{lines}-----END SSH SIGNATURE-----\n")
        return out


@test("a key in hardware (sk-ssh-ed25519) signs like any other, alone and towards a threshold")
def _(case):
    need("ssh-keygen", "openssl")
    install(case)
    token, plain = HardwareKey(case, "token"), key(case, "plain")
    image, found = uki(case), case.dir / "node.efi.sig"
    trust(case, plain)
    token.sign(image, found)
    expect(case.on("promote", "--uki", image), 8, "none of the trusted keys")
    trust(case, token.path)
    broken = case.dir / "broken.sig"
    lines = found.read_text().splitlines()
    data = bytearray(base64.b64decode("".join(lines[1:-1])))
    data[-1] ^= 1    # another counter than the one that was signed
    broken.write_text("\n".join([lines[0], base64.b64encode(data).decode(), lines[-1], ""]))
    expect(case.on("promote", "--uki", image, "--signature", broken), 8)
    expect(case.on("promote", "--uki", image, "--dry-run"), 0, "signed by token")
    trust(case, token.path, plain)
    expect(case.on("node", "set", "trust_threshold=2"), 0)
    expect(case.on("promote", "--uki", image), 8, "1 of 2")
    second = sign(plain, image, out=case.dir / "plain.sig")
    expect(case.on("promote", "--uki", image, "--signature", found, "--signature", second), 0,
           "signed by")
    same(slots(case)["b"]["sha256"], sha256(image), "slot B")


@test("a signed image needs no hash over http; the kernel's and the initrd's signatures both count")
def _(case):
    need("ssh-keygen")
    install(case)
    ours = key(case, "ours")
    trust(case, ours)
    server = Server(case.dir)
    try:
        image = uki(case)
        sign(ours, image)
        expect(case.on("promote", "--uki", f"{server.url}/node.efi?token=1"), 4, "query")
        expect(case.on("promote", "--uki", f"{server.url}/node.efi"), 0)
        words = ["promote", "--kernel", f"{server.url}/vmlinuz", "--initrd",
                 f"{server.url}/initrd", "--cmdline", "quiet", "--reason", "apart"]
        sign(ours, case.dir / "vmlinuz")
        expect(case.on(*words), 10, "signature cannot be fetched")
        sign(ours, case.dir / "initrd")
        expect(case.on(*words), 0)
    finally:
        server.close()
    same(slots(case)["a"]["reason"], "apart", "slot A")


@test("node set trust takes keys or none, refuses anything else, and says which line is wrong")
def _(case):
    install(case)
    bad = case.dir / "bad"
    bad.write_text("\nssh-ed25519 AAAA\n")
    expect(case.on("node", "set", f"trust=@{bad}"), 3, "trust:2:1", "cut short")
    expect(case.on("node", "set", "trust_threshold=1"), 2)
    image = uki(case)
    expect(case.on("promote", "--uki", image), 4, "no trusted keys")
    expect(case.on("node", "set", "trust=none"), 0)
    expect(case.on("promote", "--uki", image), 0, "nobody has signed")


@test("an older version is refused unless asked for, and one without a version after one with")
def _(case):
    install(case)
    versions = [("one", "IMAGE_VERSION=1.9\n", 0), ("two", "IMAGE_VERSION=1.10\n", 0),
                ("old", "IMAGE_VERSION=1.9.9\n", 4), ("none", "ID=x\n", 4)]
    for name, release, code in versions:
        expect(case.on("promote", "--uki", uki(case, name, release), "--trust", "none"), code)
    expect(case.on("promote", "--uki", case.dir / "old", "--trust", "none"), 4, "1.10",
           "--allow-older")
    expect(case.on("promote", "--uki", case.dir / "old", "--trust", "none", "--allow-older"), 0)


@test("an overlay is given out to the image that it was promoted with, and to no other")
def _(case):
    install(case)
    content, config = case.dir / "overlay.tar", case.dir / "config"
    content.write_bytes(bytes(range(256)) * 1000)
    image = uki(case)
    promote = ["promote", "--uki", image, "--trust", "none", "--overlay", content]
    done = case.on("--json", *promote)
    expect(done, 0)
    same(done.json()["overlay_sha256"], sha256(content), "overlay")
    same(case.on("--json", *promote).json()["result"], "unchanged", "the second time")
    listing = case.on("--json", "node", "config", config).json()["files"]
    assert "overlay" not in listing, listing        # from the network: it is fetched there
    run_from(case, "Slipway B")
    expect(case.on("node", "config", config), 0, "/overlay")
    same((config / "overlay").read_bytes(), content.read_bytes(), "overlay")
    same((config / "overlay").stat().st_mode & 0o777, 0o600, "mode")
    run_from(case, "Slipway A")
    expect(case.on("node", "config", config), 0)
    assert not (config / "overlay").exists()
    content.write_bytes(b"another")
    run_from(case, "Slipway B")
    same(case.on("--json", *promote).json()["slot"], "a", "where a new overlay goes")
    expect(case.on("node", "config", config), 0)
    same(sha256(config / "overlay"), done.json()["overlay_sha256"], "overlay of slot B")
    run_from(case, "Slipway A")
    expect(case.on("node", "config", config), 0)
    same((config / "overlay").read_bytes(), b"another", "overlay of slot A")


def spoil_overlay(case, content):
    """A bit in each copy of the overlay in turn; returns what puts all of them right."""
    disk, back = case.disk(), []
    data = disk.read_bytes()
    at = data.find(content)
    while at >= 0:
        back.append((at, data[at:at + 1]))
        at = data.find(content, at + 1)
    same(len(back), 2, "copies of the overlay")

    def write(which):
        with open(disk, "r+b") as file:
            for place, byte in which:
                file.seek(place)
                file.write(byte)
    return [lambda k=k: write([(back[k][0], bytes([back[k][1][0] ^ 1]))]) for k in (0, 1)], \
        lambda: write(back)


def wrong(case, code):
    found = expect(case.on("--json", "doctor"), code).json()["findings"]
    return {f["id"]: f for f in found if f["severity"] != "info"}


@test("the kept overlay is looked at by slots verify and doctor; a copy is put right by the other")
def _(case):
    install(case)
    content = case.dir / "overlay.tar"
    content.write_bytes(bytes(range(256)) * 1000)
    again = ("promote", "--uki", uki(case), "--trust", "none", "--overlay", content)
    expect(case.on(*again), 0)
    expect(case.on("slots", "verify"), 0, "overlay good\n")
    same((slots(case)["b"]["overlay_sha256"], slots(case)["b"]["overlay_copies"]),
         (sha256(content), 2), "overlay")
    spoil, back = spoil_overlay(case, content.read_bytes())
    for one in spoil:
        whole = fingerprint(case.disk())
        one()
        damaged = fingerprint(case.disk())
        expect(case.on("slots", "verify"), 0, "good, in one copy of two")
        found = wrong(case, 8)
        same(list(found), ["overlay-b-copy"], "findings")
        assert found["overlay-b-copy"]["repair"]["writes"], found
        undo = case.dir / "undo.json"
        expect(case.on("--yes", "doctor", "--repair", "overlay-b-copy", "--save", undo), 0)
        same((wrong(case, 0), fingerprint(case.disk())), ({}, whole), "after the repair")
        expect(case.on("--yes", "doctor", "--undo", undo), 0)
        same(fingerprint(case.disk()), damaged, "after its undo")
        for file in case.dir.glob("undo.json*"):
            file.unlink()
        back()
    for one in spoil:
        one()
    expect(case.on("slots", "verify"), 8, "overlay DAMAGED", "promote")
    found = wrong(case, 8)
    same(list(found), ["overlay-b"], "findings")
    assert "promote" in found["overlay-b"]["advice"], found
    # Advice that works: the very image with its overlay is not taken for being there already.
    expect(case.on(*again), 0, "Slot     A", "Written, read back and verified")
    same((slots(case)["a"]["overlay_copies"], slots(case)["a"]["first"]), (2, True), "slot A")
    # Now there is another place that has it: slot B takes it from there, one copy by the other.
    for identity in ("overlay-b", "overlay-b-copy"):
        assert identity in wrong(case, 8), identity
        expect(case.on("--yes", "doctor", "--repair", identity, "--no-undo"), 0)
    same(wrong(case, 0), {}, "findings in the end")
    same(slots(case)["b"]["overlay_copies"], 2, "copies for slot B")
    expect(case.on(*again), 0, "Nothing to do")


def tree_of(top):
    return {str(p.relative_to(top)): (p.read_bytes() if p.is_file() else None,
                                      p.stat().st_mode & 0o777) for p in top.rglob("*")}


@test("with the servers away the node unpacks the very configuration that it had from them")
def _(case):
    install(case)
    source, tar = case.dir / "conf", case.dir / "overlay.tar.gz"
    (source / "etc/rancher/rke2").mkdir(parents=True)
    (source / "etc/rancher/rke2/config.yaml").write_text("server: https://cp.example:9345\n")
    (source / "etc/rancher/rke2/config.yaml").chmod(0o600)
    (source / "etc/hostname").write_text("node-07\n")
    (source / "etc/localtime").symlink_to("hostname")
    tool("tar", "-C", source, "-czf", tar, ".")
    first, again = case.dir / "first", case.dir / "again"
    expect(case.on("node", "overlay", first), 5, "no overlay is kept", "--overlay FILE")
    expect(case.on("node", "overlay", "--file", tar, first), 0, "bytes in")
    same(tree_of(first), tree_of(source), "what the server gave")
    expect(case.on("promote", "--uki", uki(case), "--trust", "none", "--overlay", tar), 0)
    run_from(case, "Slipway B")
    done = expect(case.on("--json", "node", "overlay", again), 0).json()
    same((done["from"], done["sha256"]), ("slot B", sha256(tar)), "where it is from")
    same(tree_of(again), tree_of(source), "what was kept")
    expect(case.on("node", "overlay", again), 6)        # never over something that is there
    run_from(case, "Slipway A")
    expect(case.on("node", "overlay", case.dir / "other"), 5, "no overlay is kept")
    assert not (case.dir / "other").exists()


@test("a hostile overlay is refused whole, from the server and from what was kept")
def _(case):
    install(case)
    bad = case.dir / "bad.tar"
    (case.dir / "evil").write_text("x")
    tool("tar", "-C", case.dir, "-cf", bad, "--transform", "s,^evil,../../evil,", "-P", "evil")
    out = case.dir / "out"
    expect(case.on("node", "overlay", "--file", bad, out), 8, "the overlay is refused")
    assert not out.exists()
    expect(case.on("promote", "--uki", uki(case), "--trust", "none", "--overlay", bad), 0)
    run_from(case, "Slipway B")
    expect(case.on("node", "overlay", out), 8, "the overlay is refused")
    assert not out.exists()


@test("an overlay that is too large, empty or not there is refused before anything is written")
def _(case):
    install(case)
    image, big = uki(case), case.dir / "big"
    before = slots(case)
    big.write_bytes(bytes(4 << 20))
    words = ["promote", "--uki", image, "--trust", "none", "--overlay"]
    expect(case.on(*words, big), 4, "there is room for", "slipway-node")
    big.write_bytes(b"")
    expect(case.on(*words, big), 5)
    expect(case.on(*words, case.dir / "nothing"), 5)
    same(slots(case), before, "slots")


@test("uki show tells sections, command line, release and signature, as objcopy and sbverify do")
def _(case):
    need("sbverify", "sbsign", "openssl")
    case.payload()
    image = uki(case, release='ID=node\nIMAGE_VERSION=7\nPRETTY_NAME="A node"\n')
    signed = case.dir / "signed.efi"
    tool("openssl", "req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9",
         "-subj", "/CN=test/", "-keyout", case.dir / "k", "-out", case.dir / "c")
    tool("sbsign", "--key", case.dir / "k", "--cert", case.dir / "c", "--output", signed, image)
    for path, wanted in ((image, False), (signed, True)):
        seen = case.run("--json", "uki", "show", path).json()
        theirs = tool("sbverify", "--cert", case.dir / "c", path, check=False).returncode == 0
        same((seen["signed"], theirs), (wanted, wanted), path.name)
        same((seen["uki"], seen["sha256"], seen["cmdline"]), (True, sha256(path), "panic=10"),
             "image")
        same((seen["os_release"]["IMAGE_VERSION"], seen["os_release"]["PRETTY_NAME"]),
             ("7", "A node"), "release")
        sizes = {s["name"]: s["size"] for s in seen["sections"]}
        same(sizes[".initrd"], len(section(path, ".initrd")), "initrd")
    expect(case.run("uki", "show", image), 0, "Release    A node", "none: firmware with Secure")
    expect(case.run("uki", "show", STUB), 0, "no UKI")
    expect(case.run("uki", "show", case.dir / "initrd"), 3, "does not begin like a PE image")


@test("uki show looks at what a server has, whoever vouches for it")
def _(case):
    case.payload()
    image = uki(case)
    server = Server(case.dir)
    try:
        url = f"{server.url}/{image.name}"
        seen = case.run("--json", "uki", "show", url).json()
        same((seen["file"], seen["uki"], seen["sha256"]), (url, True, sha256(image)), "image")
        expect(case.run("uki", "show", url.replace("http://", "http://me:word@")), 3)
        expect(case.run("uki", "show", f"{server.url}/nothing"), 10, "404")
        expect(case.run("uki", "show", f"{server.url}/initrd"), 3)
    finally:
        server.close()
    expect(case.run("uki", "show", url), 10)


@test("a signed UKI is stored byte for byte, and with Secure Boot on the unsigned one is refused")
def _(case):
    need("sbverify", "sbsign", "openssl", "mcopy")
    install(case)
    image, signed = uki(case), case.dir / "signed.efi"
    tool("openssl", "req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9",
         "-subj", "/CN=test/", "-keyout", case.dir / "k", "-out", case.dir / "c")
    tool("sbsign", "--key", case.dir / "k", "--cert", case.dir / "c", "--output", signed, image)
    (case.machine_dir / "vars" / f"SecureBoot-{GLOBAL}").write_bytes(struct.pack("<IB", 7, 1))
    expect(case.on("promote", "--uki", image, "--trust", "none"), 4, "Secure Boot is on")
    expect(case.on("promote", "--uki", signed, "--trust", "none"), 0)
    same(slots(case)["b"]["sha256"], sha256(signed), "slot B")


@test("with Secure Boot on an install of what the firmware would refuse writes nothing; "
      "a signed UKI is installed byte for byte")
def _(case):
    need("sbsign", "openssl")
    case.create()
    case.payload()
    image, signed = uki(case), case.dir / "signed.efi"
    tool("openssl", "req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9",
         "-subj", "/CN=test/", "-keyout", case.dir / "k", "-out", case.dir / "c")
    tool("sbsign", "--key", case.dir / "k", "--cert", case.dir / "c", "--output", signed, image)
    (case.machine_dir / "vars" / f"SecureBoot-{GLOBAL}").write_bytes(struct.pack("<IB", 7, 1))

    def answers(path):
        lines = [line for line in case.answers().read_text().splitlines()
                 if not re.match(r"  (kernel|initrd|sha256|cmdline):", line)]
        at = lines.index("payload:") + 1
        lines[at:at] = [f"  uki: {path}", f'  sha256: {{uki: "{sha256(path)}"}}']
        out = case.dir / "uki.yaml"
        out.write_text("\n".join(lines) + "\n")
        return out

    disk = case.machine_dir / "disk-1.img"
    def there():
        """The note of a failure is for the next boot to report."""
        names = (p.name for p in (case.machine_dir / "vars").iterdir())
        return fingerprint(disk), sorted(n for n in names if "SlipwayLastFailure" not in n)

    before = there()
    expect(case.on("plan", "--answers", case.answers()), 4, "Secure Boot is on")
    expect(case.on("install", "--answers", case.answers(), "--yes"), 4, "Secure Boot is on")
    expect(case.on("install", "--answers", answers(image), "--yes"), 4, "Secure Boot is on")
    same(there(), before, "the disk and the variables")
    expect(case.on("install", "--answers", answers(signed), "--yes"), 0)
    same(slots(case)["a"]["sha256"], sha256(signed), "slot A")


@test("an install takes only what trust.keys signed, and the node goes on to trust these keys")
def _(case):
    need("ssh-keygen")
    ours, two = key(case, "ours"), key(case, "two")
    keys = ", ".join('"' + (case.dir / f"{n}.pub").read_text().strip() + '"'
                     for n in ("ours", "two"))
    case.create()
    server = Server(case.dir)
    try:
        answers = case.answers(kernel=f"{server.url}/vmlinuz", initrd=f"{server.url}/initrd",
                               replace=[("boot:", f"trust: {{keys: [{keys}]}}\nboot:")])
        text = [line for line in answers.read_text().splitlines() if "sha256" not in line]
        answers.write_text("\n".join(text) + "\n")
        words = ["install", "--answers", answers]
        expect(case.on(*words), 10, "signature cannot be fetched")
        sign(ours, case.dir / "vmlinuz")
        sign(key(case, "stranger"), case.dir / "initrd")
        expect(case.on(*words), 8, "none of the trusted keys")
        sign(two, case.dir / "initrd")
        expect(case.on("plan", "--answers", answers), 0, "1 of 2 keys signed")
        expect(case.on(*words), 0, "signed by ours", "signed by two")
    finally:
        server.close()
    image = uki(case)
    expect(case.on("promote", "--uki", image), 5, "signature cannot be fetched")
    sign(two, image)
    expect(case.on("promote", "--uki", image), 0, "signed by two")


@test("trust: none is said in the review and kept on the node; with keys it is refused")
def _(case):
    case.create()
    answers = case.answers(replace=[("boot:", "trust: none\nboot:")])
    expect(case.on("plan", "--answers", answers), 0, "NONE: whoever can change an image")
    expect(case.on("install", "--answers", answers), 0)
    expect(case.on("promote", "--uki", uki(case)), 0, "nobody has signed")
    public = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBlAYunT+OL353ffrga6NFifox3kUbvD5EbGavJ/EDZP"
    expect(case.on("plan", "--answers", case.answers(
        replace=[("boot:", f"trust: {{keys: {public}, policy: none}}\nboot:")])), 3,
           "yet there are keys")
    expect(case.on("plan", "--answers", case.answers(
        replace=[("boot:", f"trust: {{keys: {public}, threshold: 2}}\nboot:")])), 3,
           "more signatures are asked for")


@test("status says by which road this system came, what is kept and what comes next; "
      "unknown where the evidence disagrees")
def _(case):
    install(case)
    status = case.on("--json", "status").json()["here"]
    same((status["road"], status["mode"], status["last_known_good"]["slot"]),
         ("network", "local", "a"), "from the firmware's network entry")
    run_from(case, "Slipway A")
    here = case.on("--json", "status").json()["here"]
    number = next(n for n, e in case.entries()[0].items() if e[0] == "Slipway A")
    same((here["road"], here["slot"], here["next"]["first"]), ("slot", "a", number), "slot A")
    expect(case.on("status"), 0, "started from slot A", "The last known good image is in slot A",
           'Next: "Slipway A"')
    expect(case.on("boot", "next", "1"), 0)
    expect(case.on("status"), 0, "once; when that fails,")
    (case.machine_dir / "proc").mkdir(exist_ok=True)
    line = case.machine_dir / "proc" / "cmdline"
    line.write_text("quiet node.src=a\n")
    assert "agrees" in case.on("--json", "status").json()["here"]["evidence"]
    line.write_text("quiet node.src=network\n")
    expect(case.on("status"), 0, "It is unknown how this system was started", "node.src=network")
    line.write_text("quiet\n")
    (case.machine_dir / "vars" / f"BootCurrent-{GLOBAL}").write_bytes(struct.pack("<IH", 6, 1))
    here = case.on("--json", "status").json()["here"]
    same(here["road"], "unknown", "stub and firmware disagree")


@test("what was tried before this start is still told after keep has armed the network again")
def _(case):
    install(case)
    expect(case.on("mode", "network"), 0)
    run_from(case, "Slipway A")
    (case.machine_dir / "run" / "boot-id").unlink()
    (case.machine_dir / "vars" / f"BootNext-{GLOBAL}").unlink()
    words = "Before this: the last start from the network did not work out."
    expect(case.on("status"), 0, words)
    expect(case.on("mode", "keep"), 0)
    expect(case.on("status"), 0, words, "once; when that fails,")
    expect(case.on("mode", "local"), 0)
    text = expect(case.on("status"), 0, words, "The mode is local.").out
    same(text.count("Before this"), 1, "told once")
    (case.machine_dir / "run" / "boot-id").unlink()
    assert "Before this" not in expect(case.on("status"), 0).out, "told after another start"


@test("the shipped units are what systemd takes, and the shell fragment is what sh takes")
def _(case):
    need("systemd-analyze", "sh")
    examples = SOURCE / "docs/examples/node"
    for name in ("slipway-node.sh", "init"):
        tool("sh", "-n", examples / name)
    root = case.dir / "root"
    units = root / "etc/systemd/system"
    units.mkdir(parents=True)
    shipped = sorted([*examples.glob("*.service"), *examples.glob("*.timer")])
    for unit in shipped:
        (units / unit.name).write_bytes(unit.read_bytes())
    (units / "node-join.service").write_text("[Service]\nType=oneshot\nExecStart=/bin/true\n")
    for target in ("sysinit", "basic", "shutdown", "network-pre", "network-online", "multi-user"):
        (units / f"{target}.target").write_text("[Unit]\nDescription=stands in for systemd's\n")
    for path in ("slipway-node/slipway", "bin/sh", "bin/true"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("#!/bin/sh\n")
        (root / path).chmod(0o755)
    for unit in shipped:
        done = tool("systemd-analyze", "verify", "--man=no", f"--root={root}",
                    f"/etc/systemd/system/{unit.name}", check=False)
        ours = [line for line in done.stderr.splitlines() if "slipway-node" in line]
        same(ours, [], f"what systemd says about {unit.name}")


@test("the network of the answers reaches the node in the bytes that were planned")
def _(case):
    network = """network:
  links:
    - {name: lan0, match: {mac: 52:54:00:12:34:56}}
    - {name: bond0, bond: {members: [lan0]}, dhcp: no}
    - name: vlan42
      vlan: {id: 42, link: bond0}
      addresses: [192.0.2.7/24, "2001:db8::7/64"]
      gateway: 192.0.2.1
  proxy: http://proxy.example:3128
  ntp: [ntp.example, "2001:db8::123"]
finish: stay
"""
    case.create()
    answers = case.answers(replace=(("finish: stay\n", network),))
    plan = case.on("--json", "plan", "--answers", answers).json()
    said = " ".join(case.on("plan", "--answers", answers).out.split())
    words = "vlan42: VLAN 42 on bond0, 192.0.2.7/24, 2001:db8::7/64, gateway 192.0.2.1"
    assert words in said, said
    expect(case.on("install", "--answers", answers), 0)
    out = case.dir / "config"
    expect(case.on("node", "config", out), 0)
    planned = plan["network_config"]["files"]
    same(sorted(p.name for p in (out / "network").iterdir()), sorted(planned), "files")
    for name, text in planned.items():
        same((out / "network" / name).read_text(), text, name)
        same((out / "network" / name).stat().st_mode & 0o777, 0o644, name)
    same((out / "proxy").read_text(), "http://proxy.example:3128\n", "proxy")
    same((out / "ntp").read_text(), "ntp.example\n2001:db8::123\n", "time servers")
    expect(case.on("node", "set", "network_config=x"), 4)


if __name__ == "__main__":
    main()
