# SPDX-License-Identifier: Apache-2.0
"""slipway bundle: reads only, has what one needs, and nothing that must not leave the machine."""
import contextlib
import io
import json
import signal
import socket
import tarfile

from console import DOWN, Console
from lib import (MiB, expect, fingerprint, main, need, put_server, same, sha256, stick, test, tool)

HASH = "0123456789abcdef" * 4
# What stands in a log, and the part of it that is secret.
SECRETS = (
    ("get https://ann:canary01@boot.example/x", "canary01"),
    ("get https://boot.example/x?key=canary02", "canary02"),
    (f"K10{HASH}::server:canary03", "canary03"),
    ("kubeadm join 07401b.f395accdcanary04", "f395accdcanary04"),
    ("Authorization: Bearer canary05", "canary05"),
    ("ip=dhcp password=canary06 quiet", "canary06"),
    ("AGE-SECRET-KEY-1CANARY07", "CANARY07"),
    ("root:$6$canary08$0123abcd/.:19000::", "canary08"),
    ("cbdefghi-jklnrtuv-cbdefghi-jklnrtuv-cbdefghi-jklnrtuv-cbdefghi-jklnrtuv", "cbdefghi"),
    ("-----BEGIN PRIVATE KEY-----\ncanary09\n-----END PRIVATE KEY-----", "canary09"),
    ("admit AAECAwQFBgcICQoLDA0OHa now", "AAECAwQFBgcICQoLDA0OHa"),
)


def machine(case, *more):
    case.create("serial=NODE07SYS,size=4G,model=Foo Disk,transport=nvme", *more)
    return case.disk()


def damaged_node(case):
    """A node whose primary GPT header is zeroes; its disk."""
    disk = machine(case)
    expect(case.on("install", "--answers", case.answers()), 0)
    with disk.open("r+b") as f:
        f.seek(512)
        f.write(bytes(512))
    return disk


def everything(case):
    found = {d["name"]: fingerprint(d["node"]) for d in case.on("--json", "facts").json()["disks"]}
    for path in (case.machine_dir / "vars").iterdir():
        found[path.name] = path.read_bytes()
    return found


def files_of(data):
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        return {m.name.removeprefix("slipway-bundle/"): tar.extractfile(m).read() for m in tar}


def bundle(case, *more):
    out = case.dir / "bundle.tar.gz"
    done = expect(case.on("--json", "bundle", "--output", out, *more), 0).json()
    return done, files_of(out.read_bytes())


@test("a damaged node's bundle: facts that plan, the finding, the table's bytes; only read")
def _(case):
    disk = damaged_node(case)
    before = everything(case)
    told, files = bundle(case)
    same(everything(case), before, "disks and variables")
    same({f["name"]: f["sha256"] for f in told["files"]},
         {n: sha256(d) for n, d in files.items() if n != "manifest.json"}, "hashes of the manifest")
    name = disk_name(case)
    finding = f"{name}/gpt-primary"
    assert finding in [f["id"] for f in json.loads(files["doctor.json"])["findings"]]
    assert finding.split("/")[0] in files["doctor.txt"].decode()
    same(files[f"tables/{name}-first.bin"], disk.read_bytes()[:1024 + 16384], "first sectors")
    size = disk.stat().st_size
    with disk.open("rb") as f:
        f.seek(size - 512 - 16384)
        same(files[f"tables/{name}-last.bin"], f.read(), "last sectors")
    variables = json.loads(files["variables.json"])["variables"]
    order = [v for v in variables if v["name"] == "BootOrder"]
    assert order and order[0]["hex"], variables
    facts = case.dir / "facts.json"
    facts.write_bytes(files["facts.json"])
    expect(case.run("--facts", facts, "disks"), 0, "NODE07SYS")
    same(told["sha256"], sha256(case.dir / "bundle.tar.gz"), "the bundle's hash")


def disk_name(case):
    return case.on("--json", "facts").json()["disks"][0]["name"]


@test("canaries of every shape in a log and in a boot entry are in no file; the log alone has them")
def _(case):
    machine(case)
    log = case.dir / "node.log"
    log.write_text("before\n" + "\n".join(text for text, _ in SECRETS) + "\nafter\n")
    plant_entry(case, "password=canary10")
    told, files = bundle(case, "--file", log)
    whole = b"\n".join(files.values())
    for text, secret in SECRETS:
        assert secret in log.read_text(), "the test's own log lacks what it looks for"
        assert secret.encode() not in whole, f"{secret} of {text!r} is in the bundle"
    wide = "canary10".encode("utf-16-le").hex().encode()
    assert wide not in whole and b"canary10" not in whole
    kept = files["files/node.log"].decode()
    assert kept.startswith("before\n") and kept.endswith("\nafter\n"), kept
    entry = next(f for f in told["files"] if f["name"] == "files/node.log")
    assert sum(entry["removed"].values()) >= len(SECRETS), entry
    same([a["name"] for a in told["absent"] if a["name"].startswith("Boot")], ["Boot0009"],
         "variables that stayed")


def plant_entry(case, optional):
    """A load option with a command line in it, as a boot manager's own tool would write one."""
    label = "Planted\0".encode("utf-16-le")
    path = bytes((0x7f, 0xff, 4, 0))
    data = (1).to_bytes(4, "little") + len(path).to_bytes(2, "little") + label + path
    data += optional.encode("utf-16-le")
    name = "Boot0009-8be4df61-93ca-11d2-aa0d-00e098032b8c"
    (case.machine_dir / "vars" / name).write_bytes((7).to_bytes(4, "little") + data)
    listed = case.on("--json", "facts").json()["boot_variables"]
    assert "Boot0009" in listed, "the planted entry is not one"


@test("--anonymous leaves no serial, address or host name, in text or in bytes")
def _(case):
    machine(case)
    facts = case.on("--json", "facts").json()
    names = [facts["machine_name"], facts["disks"][0]["serial"], facts["links"][0]["mac"],
             facts["links"][0]["mac"].replace(":", "")]
    told, files = bundle(case, "--anonymous")
    whole = b"\n".join(files.values())
    _, plain = bundle(case)
    for name in names:
        assert name.encode() not in whole, f"{name} is in it"
        assert bytes.fromhex(names[3]).hex().encode() not in whole
        if name != names[3]:
            assert name.encode() in b"\n".join(plain.values()), f"{name} is never in it"
    assert told["anonymous"] and "boot_variables" not in json.loads(files["facts.json"])
    assert facts["machine_name"] not in told["file"]


@test("a list first: without --output nothing is written and it says what would be")
def _(case):
    machine(case)
    log = case.dir / "node.log"
    log.write_text("password=abcdef\n")
    inside = {p.name for p in case.dir.iterdir()}
    expect(case.on("bundle", "--file", log), 0, "Nothing was written", "facts.json",
           "removed: value of a secret", "kernel.log")
    same({p.name for p in case.dir.iterdir()}, inside, "files")


@test("encrypted to an age key, and by it only; a wrong recipient is one error and no file")
def _(case):
    need("age", "age-keygen")
    machine(case)
    key = case.dir / "key"
    tool("age-keygen", "-o", key)
    public = tool("age-keygen", "-y", key).stdout.strip()
    into = case.dir / "into"
    into.mkdir()
    told = expect(case.on("--json", "bundle", "-o", into, "-r", public), 0).json()
    made = into / told["file"]
    assert made.name.endswith(".tar.gz.age") and told["code"].replace("-", "") in made.name
    assert b"facts.json" not in made.read_bytes() and made.stat().st_mode & 0o777 == 0o600
    tool("age", "-d", "-i", key, "-o", case.dir / "plain", made)
    assert "facts.json" in files_of((case.dir / "plain").read_bytes())
    made.unlink()
    expect(case.on("bundle", "-o", into, "-r", "age1bogus"), 2, "age did not encrypt")
    assert not list(into.iterdir())
    expect(case.on("bundle", "-r", public), 2, "--recipient without --output")


@test("onto the stick, and to a web server by PUT; a server that refuses is exit 10")
def _(case):
    machine(case, "serial=STICK77,size=64M,transport=usb")
    image = stick(case)
    told = expect(case.on("--json", "bundle", "-o", "stick"), 0).json()
    tool("mcopy", "-i", f"{image}@@{MiB}", f"::/{told['file']}", case.dir / "back")
    same(told["sha256"], sha256(case.dir / "back"), "what is on the stick")
    with put_server() as (url, kept):
        told = expect(case.on("--json", "bundle", "-o", url), 0).json()
        same(sha256(kept["/undo/" + told["file"]]), told["sha256"], "what the server got")
    with put_server(status=403) as (url, kept):
        expect(case.on("bundle", "-o", url), 10)
    expect(case.on("bundle", "-o", "gopher://x"), 3, "no place")


@test("a block in a console's log, between other lines, is read back")
def _(case):
    damaged_node(case)
    block = expect(case.on("bundle", "--block"), 0).out
    assert len(block) < 2000 and max(map(len, block.splitlines())) <= 76, block
    log = case.dir / "console.log"
    lines = [f"{line}\r\n[ 12.{i}] usb 1-1: new device\r\n" for i, line in
             enumerate(block.splitlines())]
    log.write_text("login: \r\n" + "".join(lines), newline="")
    finding = f"{disk_name(case)}/gpt-primary"
    expect(case.run("bundle", "read", log), 0, finding, "error")
    whole = case.run("--json", "bundle", "read", log).json()
    assert finding in [f["id"] for f in whole["findings"]], whole
    log.write_text("".join(lines[:3]))
    expect(case.run("bundle", "read", log), 3, "no whole report")


@contextlib.contextmanager
def silent_server():
    """Takes connections and never says a word. (URL, the socket that listens)"""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        yield f"http://127.0.0.1:{server.getsockname()[1]}/", server


def has_it_all(connection):
    """Reads what a server gets until the length that was announced is there."""
    connection.settimeout(60)
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    size = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < size:
        body += connection.recv(65536)


@test("at a terminal each step and file is told on the way; in a file or with --json nothing is")
def _(case):
    machine(case)
    log = case.dir / "node.log"
    log.write_text("a line\n")
    into = case.dir / "into"
    into.mkdir()
    words = ("bundle", "--output", into, "--file", log)
    code, text = case.at_terminal(lambda text: None, *words)
    same(code, 0, text)
    steps = [line.split()[0] for line in text.splitlines() if "/14  " in line]
    same(steps, [f"{i}/14" for i in range(1, 15)], text)
    for shown in ("       facts.json, ", "       files/node.log, 7", "1/2  Pack", "2/2  Write to"):
        assert shown in text, text
    same(expect(case.on(*words), 0).err, "", "stderr that is no terminal")
    same(case.on("--json", *words).err, "", "stderr with --json")


@test("^C ends an upload that a silent server holds up, with one message and exit 130")
def _(case):
    machine(case)
    with silent_server() as (url, server):
        running = case.start("bundle", "--output", url)
        connection = server.accept()[0]
        with connection:
            has_it_all(connection)
            running.send_signal(signal.SIGINT)
            out, err = running.communicate(timeout=60)
    same(running.returncode, 130, out + err)
    assert "no whole bundle was written" in err, err


@test("on the console: what is gathered and sent is shown, a key stops it, and its end is clear")
def _(case):
    machine(case)
    with silent_server() as (url, server):
        console = Console(case)
        with contextlib.closing(console):
            console.see("Install a node on this machine", "no node is on its disks")
            console.choose("Tools")
            console.see("Bundle for somebody far away")
            console.choose("Bundle")
            console.see("facts.json", "Write it")
            console.press("\r")
            console.see("Where to:")
            console.press("\x15", *url, "\r")
            connection = server.accept()[0]
            with connection:
                has_it_all(connection)
                console.see("13/13 Report", "2/2 Write to", "100 %")
                console.press("c")
                console.see("no whole bundle was written")
            console.press("\r")
            console.see("Write it")
            console.press(DOWN, DOWN, DOWN, "\r")
            console.see("begin-base64", "====")


main()
