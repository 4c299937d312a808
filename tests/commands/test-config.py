# SPDX-License-Identifier: Apache-2.0
"""slipway config: a node's own configuration from a stick and back to one, file by file."""
import base64
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


FILES = [("/etc/motd", "0644", b"first line\\nno end"), ("/opt/run.sh", "0750", bytes(range(256))),
         ("/etc/MOTD", "0600", b"other case\n"), ("/srv/a:b@c.", "0444", b"x"),
         ("/etc/" + "long" * 45, "0644", b"a long name\n")]


def with_files(case, *more):
    """A node that its answers gave these files, from paths of this machine."""
    need("swtpm", "mcopy")
    case.create("serial=NODE07SYS,size=4G,model=Alpha,transport=nvme", *more)
    lines = ""
    for i, (path, mode, content) in enumerate(FILES):
        (case.dir / f"given-{i}").write_bytes(content)
        lines += f"\n    - {{path: \"{path}\", source: {case.dir}/given-{i}, mode: \"{mode}\"}}"
    host = "  hostname: node-07"
    expect(case.on("install", "--answers",
                   case.answers(replace=[(host, f"{host}\n  files:{lines}")])), 0)
    return Tpm(case)


def held(case):
    """What the node data hold, and what the node gets of it."""
    out = case.dir / "node-config"
    now = data(case).get("files", [])
    for f in now:
        path = out / f"files{f['path']}"
        same(path.read_bytes(), base64.b64decode(f["data"]), path)
        same(path.stat().st_mode & 0o7777, int(f["mode"], 8), path)
    return [(f["path"], f["mode"], base64.b64decode(f["data"])) for f in now]


@test("the files of the node go to a stick, a directory and a tar and come back byte for byte")
def _(case):
    _tpm = with_files(case, "serial=STICK77,size=64M,transport=usb")
    stick(case)
    same(held(case), FILES, "what the install gave")
    for place in ("stick", case.dir / "d", case.dir / "t.tar"):
        expect(case.on("config", "save", place), 0, "files/list", "files/01-motd")
        seen = verdicts(case, place)
        same({i["verdict"] for i in seen.values()}, {"same"}, place)
        same([n for n in seen if n.startswith("files: ")], [f"files: {f[0]}" for f in FILES], place)
    mode = (case.dir / "d/files/02-run.sh").stat().st_mode & 0o7777
    same(mode, 0o600, "a copy is for root alone, its mode is in the list")
    # A node that was installed without them gets all of them, and undo takes them away.
    expect(case.on("install", "--answers", case.answers()), 0)
    same(held(case), [], "a node without files")
    for place in ("stick", case.dir / "t.tar"):
        seen = verdicts(case, place)
        same({seen[f"files: {f[0]}"]["verdict"] for f in FILES}, {"new"}, place)
        same(seen["files: /opt/run.sh"]["then"], "mode 0750, 256 bytes", "what it would be")
        expect(case.on("--yes", "config", "import", place), 0)
        same(held(case), FILES, place)
        same({i["verdict"] for i in verdicts(case, place).values()}, {"same"}, place)
        expect(case.on("config", "undo"), 0)
        same(held(case), [], "after undo")


@test("a file of the list that differs says how, replaces the one of its path and leaves others")
def _(case):
    _tpm = with_files(case)
    source = folder(case, {"files/list": "# mode path name\n\n0600 /etc/motd new\r\n"
                                         "0640 /etc/fresh -\n",
                           "files/new": "now longer than that"})
    seen = verdicts(case, source)
    same({n: i["verdict"] for n, i in seen.items()},
         {"files: /etc/motd": "differs", "files: /etc/fresh": "new"}, "verdicts")
    same((seen["files: /etc/motd"]["now"], seen["files: /etc/motd"]["then"]),
         ("mode 0644, 18 bytes", "mode 0600, 20 bytes"), "what changes")
    expect(case.on("config", "show", source), 0, "files: /etc/motd", "mode 0600, 20 bytes")
    before = data(case)
    expect(case.on("--yes", "config", "import", source), 0)
    same(held(case), [("/etc/motd", "0600", b"now longer than that"), *FILES[1:],
                      ("/etc/fresh", "0640", b"")], "files")
    expect(case.on("config", "save", case.dir / "again"), 0)
    assert "0640 /etc/fresh -\n" in (case.dir / "again/files/list").read_text()
    same({i["verdict"] for i in verdicts(case, case.dir / "again").values()}, {"same"}, "again")
    expect(case.on("config", "undo"), 0)
    same(data(case), before, "node data")


@test("a hostile list of files is refused line by line, and what is sound in it is taken")
def _(case):
    _tpm = with_files(case)
    bad = {"/etc/shadow/../passwd": "letters", "/bin/sh": "below /etc", "relative": "letters",
           "/etc/hostname": "another key", "/etc/motd/below": "directory", "/etc/setuid": "mode",
           "/etc/unread": "mode", "/etc/away": "is not there", "/etc/link": "symbolic link",
           "/etc/huge": "64 KiB", "/etc/out": "is not there", "/etc/" + "x" * 230: "too long"}
    modes = {"/etc/setuid": "4755", "/etc/unread": "0044"}
    names = {"/etc/away": "away", "/etc/link": "link", "/etc/huge": "huge",
             "/etc/out": "../../../etc/passwd"}
    lines = [f"{modes.get(p, '0644')} {p} {names.get(p, 'x')}" for p in bad]
    source = folder(case, {"files/x": "x", "files/huge": b"y" * 70000, "files/stray": "z",
                           "files/list": "\n".join([*lines, "0644 /etc/fine x", "0644 /etc/fine x",
                                                    "0644 /etc/short", "0644 /etc/many x y",
                                                    "\x1b[31m \xff x"]) + "\n"})
    (source / "files/link").symlink_to("/etc/shadow")
    seen = verdicts(case, source)
    for path, why in bad.items():
        got = seen[f"files: {path}"]
        assert got["verdict"] == "refused" and why in got["why"], (path, got)
    n = len(bad)
    for line in (n + 3, n + 4, n + 5):
        assert "a line has" in seen[f"files/list: line {line}"]["why"], seen
    assert "does not name it" in seen["files/stray"]["why"], seen
    shown = expect(case.on("config", "show", source), 0, "twice").out
    assert "\x1b" not in shown, shown
    expect(case.on("--yes", "config", "import", source), 0)
    same(held(case), [*FILES, ("/etc/fine", "0644", b"x")], "files")


@test("files that a node has no room for are refused, the others are taken")
def _(case):
    _tpm = node(case)
    large = folder(case, {f"files/{i}": bytes([i]) * 60000 for i in range(3)} |
                   {"files/list": "".join(f"0644 /srv/{i} {i}\n" for i in range(3))}, "large")
    many = folder(case, {"files/list": "".join(f"0644 /srv/m{i} -\n" for i in range(200))}, "many")
    seen = verdicts(case, large)
    same([i["verdict"] for i in seen.values()], ["new", "new", "refused"], "large ones")
    assert "128 KiB" in seen["files: /srv/2"]["why"], seen
    seen = verdicts(case, many)
    same([i["verdict"] for i in seen.values()].count("new"), 16, "many")
    assert "16 files" in seen["files: /srv/m16"]["why"] and "(more files)" in seen, seen
    alone = verdicts(case, folder(case, {"files/a": "a"}, "alone"))["files/a"]
    assert alone["verdict"] == "refused" and "does not name it" in alone["why"], alone


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
