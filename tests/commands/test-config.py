# SPDX-License-Identifier: Apache-2.0
"""slipway config: a node's own configuration from a stick and back to one, file by file."""
import io
import json
import os
import tarfile

from lib import expect, fingerprint, main, need, same, stick, test, tool
from swtpm import Tpm

ID = "0123456789abcdef0123456789abcdef"
WORDS = "correct horse battery staple"
NETWORK = "[Match]\nName=eth0\n\n[Network]\nDHCP=yes\n"
FSTAB = "# data\nUUID=0c6a7f5e-4d0a-4f7e-9c58-0f8d0a3b9d11 /var/data ext4 defaults 0 2\n"


def node(case, *disks):
    need("swtpm", "ssh-keygen")
    case.create("serial=NODE07SYS,size=4G,model=Alpha,transport=nvme", *disks)
    expect(case.on("install", "--answers", case.answers()), 0)
    return Tpm(case)


def key_of(case, name="id"):
    path = case.dir / name
    tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path)
    return path, path.with_suffix(".pub").read_text()


def folder(case, files, name="config"):
    top = case.dir / name
    for file, text in files.items():
        path = top / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return top


def verdicts(case, source, *more, **stdin):
    said = expect(case.on("--json", "config", "show", source, *more, **stdin), 0).json()
    return {i["name"]: i for i in said["items"]}


def data(case):
    out = case.dir / "node-config"
    tool("rm", "-rf", out)
    expect(case.on("node", "config", out), 0)
    return json.loads((out / "node.json").read_text())


def state(case):
    disks = {d["name"]: fingerprint(d["node"]) for d in case.on("--json", "facts").json()["disks"]}
    return disks, {p.name: p.read_bytes() for p in (case.machine_dir / "vars").iterdir()}


@test("each file has a verdict, the import writes what it said, undo brings the old data back")
def _(case):
    _tpm = node(case)
    _, public = key_of(case)
    host, host_public = key_of(case, "host")
    source = folder(case, {
        "hostname": "node-08\n", "machine-id": ID + "\n", "ssh/authorized_keys": public,
        "ssh/ssh_host_ed25519_key": host.read_bytes(), "network/10-lan.network": NETWORK,
        "ssh/ssh_host_ed25519_key.pub": host_public, "fstab": FSTAB, "ntp": "192.0.2.1\n",
        "tokens/rke2": "07401b.f395accd246ae52d\n", "config/image_url": "https://b.example/i"})
    before, disks = data(case), state(case)
    want = {"hostname": "differs", "machine-id": "new", "ssh/authorized_keys": "new",
            "ssh/ssh_host_ed25519_key": "new", "network/10-lan.network": "new", "fstab": "new",
            "ssh/ssh_host_ed25519_key.pub": "same", "ntp": "new", "tokens/rke2": "new",
            "config/image_url": "new"}
    seen = verdicts(case, source)
    same({n: i["verdict"] for n, i in seen.items()}, want, "verdicts")
    same((seen["hostname"]["now"], seen["hostname"]["then"]), ("node-07", "node-08"), "name")
    same(state(case), disks, "disks after a preview")
    expect(case.on("config", "import", source), 4, "--yes")
    same(state(case), disks, "disks after a refusal")
    done = expect(case.on("--json", "--yes", "config", "import", source), 0).json()
    assert done["written"] and os.stat(done["undo"]).st_mode & 0o777 == 0o600, done
    now = data(case)
    same((now["hostname"], now["machine_id"]), ("node-08", ID), "identity")
    same(now["ssh_authorized_keys"], [public.strip()], "keys")
    same(now["network_config"]["files"]["10-lan.network"], NETWORK, "network")
    same((now["config"]["fstab"], now["config"]["image_url"]), (FSTAB, "https://b.example/i"),
         "values")
    same(expect(case.on("secret", "open", "ssh_host_ed25519_key"), 0).out, host.read_text(),
         "host key")
    assert "f395accd246ae52d" in expect(case.on("secret", "open", "token-rke2"), 0).out
    same({i["verdict"] for i in verdicts(case, source).values()}, {"same"}, "verdicts afterwards")
    expect(case.on("config", "undo"), 0, "as before")
    same(data(case), before, "node data")
    expect(case.on("config", "undo"), 5, "no import")


@test("secrets leave encrypted only, and come back by key or passphrase; none is in the clear")
def _(case):
    need("age")
    tpm = node(case)
    host, _public = key_of(case, "host")
    expect(case.on("--yes", "config", "import",
                   folder(case, {"ssh/ssh_host_ed25519_key": host.read_bytes()})), 0)
    expect(case.on("secret", "seal", "join", stdin="canary-of-the-cluster"), 0)
    out = case.dir / "saved"
    expect(case.on("config", "save", out, "--secrets"), 2, "encrypted only")
    expect(case.on("config", "save", out, "--passphrase"), 2, "nothing to encrypt")
    expect(case.on("config", "save", out, "--secrets", "--passphrase", stdin="short\n"), 3,
           "passphrase")
    assert not out.exists()
    done = expect(case.on("--json", "config", "save", out, "--secrets", "--passphrase",
                          stdin=WORDS + "\n"), 0).json()
    same(sorted(done["secrets"]), ["join", "ssh_host_ed25519_key"], "secrets")
    for path in out.rglob("*"):
        if path.is_file():
            assert b"canary" not in path.read_bytes() and b"PRIVATE" not in path.read_bytes(), path
    public = host.with_suffix(".pub").read_text().strip()
    expect(case.on("--json", "config", "save", case.dir / "keyed", "--secrets", "-r", public), 0)
    # Another machine of the same kind: the node's secrets are gone, those of the stick come.
    tpm.tool("tpm2_clear", "-c", "p")
    seen = verdicts(case, out)
    same(seen["secrets.age"]["verdict"], "refused", "without a key")
    seen = verdicts(case, out, "--passphrase", stdin="wrong words entirely\n")
    same(seen["secrets.age"]["verdict"], "refused", "with another passphrase")
    for words, more in ((("--passphrase",), {"stdin": WORDS + "\n"}), (("-i", host), {})):
        source = out if more else case.dir / "keyed"
        seen = verdicts(case, source, *words, **more)
        same(seen["secrets.age: join"]["verdict"], "differs", "verdict")
    expect(case.on("--yes", "config", "import", out, "--passphrase", stdin=WORDS + "\n"), 0)
    same(expect(case.on("secret", "open", "join"), 0).out, "canary-of-the-cluster", "opened")
    same(expect(case.on("secret", "open", "ssh_host_ed25519_key"), 0).out, host.read_text(), "key")


@test("a hostile directory is refused item by item, and what is sound beside it is taken")
def _(case):
    _tpm = node(case)
    source = folder(case, {
        "hostname": "node-08\n", "machine-id": "0" * 32, "ntp": "a;rm -rf /\n",
        "network/..sh.network": NETWORK, "network/x.network": "no section\n",
        "network/y.network": b"[Match]\nName=\xff\n", "network/z.txt": NETWORK,
        "fstab": "/dev/sdb1 /data ext4\n", "ssh/authorized_keys": "ssh-ed25519 AAAA\n",
        "ssh/sshd_config": "PermitRootLogin yes\n", "keystore/id_rsa": "x\n", "nics": "auto eth0\n",
        "tokens/rke2": "no token at all !\n", "tls/a.pem": "-----BEGIN PRIVATE KEY-----\n",
        "ssh/ssh_host_ed25519_key": "not a key\n", "huge": b"x" * 70000, "empty": "",
        "secrets.age": "not age\n", "unheard-of": "x\n"})
    os.symlink("/etc/shadow", source / "attest_ca")
    os.symlink("/etc", source / "dhcp")
    os.mkfifo(source / "proxy")
    os.mkdir(os.fsencode(source) + b"/a\xffb")
    (source / "deep/er").mkdir(parents=True)
    for name in ("\x1b[31mred", "line\nbreak"):
        (source / name).write_text("x")
    seen = verdicts(case, source)
    same({n for n, i in seen.items() if i["verdict"] != "refused"}, {"hostname"}, "taken")
    assert all(i["why"] for i in seen.values() if i["verdict"] == "refused"), seen
    for name, why in (("attest_ca", "symbolic link"), ("dhcp", "symbolic link"),
                      ("proxy", "no plain file"), ("huge", "64 KiB"), ("deep/er", "no plain file"),
                      ("network/y.network", "UTF-8"), ("fstab", "UUID="),
                      ("ssh/sshd_config", "no place"), ("nics", "networkd"),
                      ("unheard-of", "no file of this name")):
        assert why in seen[name]["why"], (name, seen[name])
    assert "?[31mred" in seen and "line?break" in seen, seen.keys()
    expect(case.on("--yes", "config", "import", source), 0)
    same(data(case)["hostname"], "node-08", "name")


@test("a mount that would hide the node's own system, or leads out, is refused with its line")
def _(case):
    _tpm = node(case)
    for text, why in (("UUID=a / ext4\n", "line 1"), ("UUID=a /usr ext4\n", "hide"),
                      ("#\nUUID=a /data/../etc ext4\n", "line 2"), ("UUID=a\n", "1 words"),
                      ("# nothing\n", "no mount"), ("LABEL=b /dev/shm tmpfs\n", "hide")):
        seen = verdicts(case, folder(case, {"fstab": text}))["fstab"]
        assert seen["verdict"] == "refused" and why in seen["why"], (text, seen)


@test("a tar: links, ways out, devices and a sparse giant are refused one by one")
def _(case):
    _tpm = node(case)
    path = case.dir / "c.tar"
    with tarfile.open(path, "w") as tar:
        for name, kind, link in (("./config/hostname", tarfile.REGTYPE, ""),
                                 ("../../etc/passwd", tarfile.REGTYPE, ""),
                                 ("/etc/passwd", tarfile.REGTYPE, ""),
                                 ("machine-id", tarfile.SYMTYPE, "/etc/machine-id"),
                                 ("ntp", tarfile.LNKTYPE, "./config/hostname"),
                                 ("proxy", tarfile.CHRTYPE, "")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, link
            text = b"node-08\n" if kind == tarfile.REGTYPE else b""
            info.size = len(text)

            tar.addfile(info, io.BytesIO(text))
    seen = verdicts(case, path)
    same({n: i["verdict"] for n, i in seen.items()},
         {"hostname": "differs", "../../etc/passwd": "refused", "/etc/passwd": "refused",
          "machine-id": "refused", "ntp": "refused", "proxy": "refused"}, "verdicts")
    (case.dir / "no.tar").write_bytes(b"x" * 5000)
    expect(case.on("config", "show", case.dir / "no.tar"), 3, "no configuration")
    expect(case.on("config", "show", case.dir / "away"), 5, "no configuration")


@test("saved to a stick, a directory and a tar it is the same, and imports as nothing new")
def _(case):
    need("mcopy", "mdir")
    _tpm = node(case, "serial=STICK77,size=64M,transport=usb")
    image = stick(case)
    source = folder(case, {"machine-id": ID, "network/10-lan.network": NETWORK, "fstab": FSTAB})
    expect(case.on("--yes", "config", "import", source), 0)
    expect(case.on("config", "show"), 5, "stick:/config")
    for place in ("stick", "stick", case.dir / "d", case.dir / "t.tar"):
        expect(case.on("config", "save", place), 0, "hostname", "network/10-lan.network")
        same({i["verdict"] for i in verdicts(case, place).values()}, {"same"}, place)
    before = fingerprint(image)
    expect(case.on("config", "show"), 0, "the stick", "same")
    same(fingerprint(image), before, "the stick, after it was read")
    listed = tool("mdir", "-b", "-i", f"{image}@@1M", "::/config").stdout.split()
    assert "::/config/hostname" in listed, listed
    expect(case.on("config", "save", "https://x.example/"), 3, "no place")


@test("an import that something was changed after is not taken back")
def _(case):
    _tpm = node(case)
    expect(case.on("--yes", "config", "import", folder(case, {"machine-id": ID})), 0)
    expect(case.on("node", "set", "image_url=x"), 0)
    expect(case.on("config", "undo"), 4, "not as the import left them")
    same(data(case)["machine_id"], ID, "machine ID")


@test("a node without a disk takes its name, and says of all else why not")
def _(case):
    need("swtpm")
    case.create(extra=())
    answers = case.answers(replace=[("disk:\n  match: {serial: NODE07SYS}\n  layout: node\n"
                                     "  wipe: any\n", "disk: none\n")])
    text = answers.read_text()
    answers.write_text(text[:text.index("payload:")] + text[text.index("boot:"):].replace(
        "mode: local", "mode: network"))
    expect(case.on("--yes", "install", "--answers", answers), 0)
    seen = verdicts(case, folder(case, {"hostname": "node-09\n", "fstab": FSTAB,
                                        "machine-id": ID}))
    same({n: i["verdict"] for n, i in seen.items()},
         {"hostname": "differs", "fstab": "refused", "machine-id": "refused"}, "verdicts")
    assert "without a disk" in seen["fstab"]["why"], seen


@test("without a TPM secrets are refused and nothing of them is written")
def _(case):
    case.create("serial=NODE07SYS,size=4G,model=Alpha,transport=nvme", extra=("--no-tpm",))
    need("ssh-keygen")
    expect(case.on("install", "--answers", case.answers()), 0)
    host, _public = key_of(case, "host")
    seen = verdicts(case, folder(case, {"ssh/ssh_host_ed25519_key": host.read_bytes(),
                                        "tokens/k": "07401b.f395accd246ae52d\n"}))
    same({i["verdict"] for i in seen.values()}, {"refused"}, "verdicts")
    assert "no TPM" in seen["tokens/k"]["why"], seen


main()
