# SPDX-License-Identifier: Apache-2.0
"""Encrypted installs on a stand-in with a software TPM, opened by cryptsetup and openssl."""
import hashlib
import json
import os
import re
from pathlib import Path

from escrow import block, certificate, decrypt
from lib import MiB, allocated, cut, expect, main, need, partitions, same, test, tool

ENCRYPTED = [("layout: node", "layout: encrypted")]


def create(case, *extra):
    """As small as the layout allows: partitions are cut out and hashed as a whole."""
    case.create("serial=NODE07SYS,size=1400M,model=Alpha,transport=nvme", extra=extra)


def state(case):
    return cut(case.disk(), partitions(case.disk())["state"], case.dir / "state.img")


def opens(case, image, key):
    path = case.dir / "passphrase"
    path.write_bytes(key)
    return tool("cryptsetup", "open", "--test-passphrase", "--key-file", path, image,
                check=False).returncode == 0


def header(image):
    return json.loads(tool("cryptsetup", "luksDump", "--dump-json-metadata", image).stdout)


def digest(path):
    """Of what is written in a sparse file, and where."""
    found = hashlib.sha256()
    for at, data in allocated(path):
        found.update(b"%d" % at + data)
    return found.hexdigest()


def holds(folder, needle):
    """A file below the folder that holds these bytes, or None."""
    for path in Path(folder).rglob("*"):
        if path.is_file() and not path.is_symlink() and \
           any(needle in data for _, data in allocated(path)):
            return path
    return None


class Operator:
    """Confirms, reads the recovery key off the screen, and types the group that is asked for."""

    def __init__(self, right=True):
        self.right, self.step, self.groups = right, 0, {}

    def __call__(self, shown):
        if self.step == 0 and "to start:" in shown:
            self.step = 1
            return re.search(r"Type (\S+) to start:", shown).group(1)
        if self.step == 1 and "written it down" in shown:
            self.step = 2
            self.groups = {int(n): g for n, g in
                           re.findall(r"\b([1-8]): ([cbdefghijklnrtuv]{8})\b", shown)}
            return ""
        asked = re.findall(r"Type group (\d) of it", shown)
        if self.step >= 2 and len(asked) == self.step - 1:
            self.step += 1
            return self.groups[int(asked[-1])] if self.right else "cccccccc"
        return None

    def key(self):
        return "-".join(self.groups[n] for n in range(1, 9)).encode()


@test("an unattended install escrows the recovery key: the last event and the node data have it")
def _(case):
    need("cryptsetup", "openssl", "swtpm")
    create(case)
    pem = certificate(case)
    indented = block(pem)
    answers = case.answers(replace=[
        ("  layout: node", "  layout: encrypted\n  recovery: escrow\n  escrow: |\n" + indented)])
    done = expect(case.on("install", "--answers", answers, "--json"), 0)
    events = [json.loads(line) for line in done.out.splitlines()]
    cms = events[-1]["recovery_escrow"]
    key = decrypt(case, cms)
    same(len(key), 71, "length of the key")
    image = state(case)
    assert opens(case, image, key), "the escrowed key does not open it"
    tokens = [t["type"] for t in header(image)["tokens"].values()]
    same(sorted(tokens), ["systemd-recovery", "systemd-tpm2"], "tokens")
    data = cut(case.disk(), partitions(case.disk())["slipway-node"], case.dir / "data.img")
    assert cms.encode() in data.read_bytes().replace(b"\\/", b"/"), "no escrow in the node data"
    same(holds(case.machine_dir, key), None, "the key in clear")
    same(holds(case.machine_dir, key.replace(b"-", b"")), None, "the key in clear")
    assert key.decode() not in done.out + done.err


@test("without libcrypto a certificate meets one clear error, and a plain install goes on")
def _(case):
    need("openssl")
    create(case)
    pem = certificate(case)
    indented = block(pem)
    (case.dir / "lib").mkdir()
    (case.dir / "lib/libcrypto.so.3").write_text("no library\n")
    without = {"LD_LIBRARY_PATH": str(case.dir / "lib")}
    answers = case.answers(replace=[
        ("  layout: node", "  layout: encrypted\n  recovery: escrow\n  escrow: |\n" + indented)])
    before = digest(case.disk())
    done = expect(case.on("install", "--answers", answers, env=without), 5)
    for part in ("libcrypto.so.3 cannot be used", "install the package libssl3"):
        assert part in done.err, done.err
    same(digest(case.disk()), before, "the disk")
    expect(case.on("install", "--answers", case.answers(), env=without), 0)
    # What was hashed without it is found whole with it, and the other way round.
    expect(case.on("slots", "verify"), 0)
    expect(case.on("slots", "verify", env=without), 0)


def node_data(case):
    """The newest document in the node data partition."""
    part = cut(case.disk(), partitions(case.disk())["slipway-node"], case.dir / "data.img")
    found = []
    for at in (0, part.stat().st_size // 2):
        data = part.read_bytes()[at:]
        start = data.find(b'{"')
        if 0 <= start < 8192:
            found.append(json.JSONDecoder().raw_decode(data[start:].decode("latin-1"))[0])
    same(len(found), 2, "copies of the node data")
    same(found[0], found[1], "copies of the node data")
    return found[0]


@test("a reinstall that keeps an encrypted state leaves it alone, and its recovery key in escrow")
def _(case):
    need("cryptsetup", "openssl", "swtpm")
    create(case)
    pem = certificate(case)
    indented = block(pem)
    escrow = "  layout: encrypted\n  recovery: escrow\n  escrow: |\n" + indented
    expect(case.on("install", "--answers", case.answers(replace=[("  layout: node", escrow)])), 0)
    first = node_data(case)["recovery_escrow"]
    same(first["opens"], ["state"], "what it opens")
    before, entry = digest(state(case)), partitions(case.disk())["state"]
    keep = case.answers(replace=[("  layout: node",
                                  "  layout: encrypted\n  preserve: [state]")])
    plan = expect(case.on("plan", "--answers", keep), 0)
    words = " ".join(plan.out.split())
    assert "state is kept, encrypted as it is" in words, plan.out
    assert "not encrypted" not in words, plan.out
    for _ in range(2):      # what was taken over once is taken over again
        # Nobody has to be there: no key is made.
        expect(case.on("install", "--answers", keep), 0)
        same(node_data(case)["recovery_escrow"], first, "the older escrow")
        same(digest(state(case)), before, "state")
        same(partitions(case.disk())["state"], entry, "state's entry")
    assert opens(case, state(case), decrypt(case, first["cms"]))
    # One more encrypted partition gets a key of its own; both keys are there.
    layout = case.own_layout("encrypted")
    (layout / "40-state.conf").write_text(
        (layout / "40-state.conf").read_text() + "SizeMaxBytes=256M\n")
    (layout / "50-more.conf").write_text(
        "[Partition]\nType=srv\nLabel=more\nSizeMinBytes=32M\nSizeMaxBytes=32M\n"
        "Format=ext4\nEncrypt=tpm2\nPaddingMinBytes=6M\n")
    make_room(case)
    both = case.answers(replace=[("  layout: node", escrow.replace("encrypted", str(layout))
                                  + "  preserve: [state]")])
    expect(case.on("install", "--answers", both), 0)
    data = node_data(case)
    same(data["recovery_escrow"]["opens"], ["more"], "the new key")
    same(data["recovery_escrow_kept"], [first], "the older key")
    same(digest(state(case)), before, "state")


def make_room(case):
    """A larger disk, with its table moved to the new end."""
    os.truncate(case.disk(), 1500 * MiB)
    tool("sgdisk", "-e", case.disk())


@test("an encrypted state is kept only as one: another content is refused, and nothing written")
def _(case):
    need("swtpm")
    create(case)
    layout = [("  layout: node", "  layout: encrypted\n  recovery: none")]
    expect(case.on("install", "--answers", case.answers(replace=layout)), 0)
    part = partitions(case.disk())["state"]
    with open(case.disk(), "r+b") as file:
        for at in (0, 16384):       # both copies of the header
            file.seek(part["start"] * 512 + at)
            file.write(bytes(4096))
    before = digest(case.disk())
    keep = case.answers(replace=[("  layout: node",
                                  "  layout: encrypted\n  preserve: [state]")])
    expect(case.on("install", "--answers", keep), 4, "state cannot be kept",
           "40-state.conf says crypto_LUKS")
    same(digest(case.disk()), before, "the disk")


@test("the token and the header are what systemd-cryptenroll and cryptsetup make of them")
def _(case):
    need("cryptsetup", "swtpm")
    create(case)
    answers = case.answers(replace=[("  layout: node", "  layout: encrypted\n  recovery: none")])
    plan = expect(case.on("plan", "--answers", answers), 0, "no recovery key", "lost for good")
    assert "can read everything: Secure Boot is off" in " ".join(plan.out.split()), plan
    facts = expect(case.on("--json", "facts"), 0).json()
    facts["secure_boot"] = True
    path, signed = case.dir / "secure.json", case.dir / "signed.yaml"
    path.write_text(json.dumps(facts))
    signed.write_text(re.sub(r"(?s)payload:.*?(?=boot:)",
                             "payload: {uki: medium:/node.efi}\n", answers.read_text()))
    plan = expect(case.run("--facts", path, "plan", "--answers", signed), 0).out
    assert "signed the node's system: Secure Boot is on" in " ".join(plan.split()), plan
    assert "Secure Boot is off" not in plan, plan
    expect(case.on("install", "--answers", answers), 0)
    image = state(case)
    meta = header(image)
    same([t["type"] for t in meta["tokens"].values()], ["systemd-tpm2"], "tokens")
    same(meta["tokens"]["0"]["tpm2-pcrs"], [7], "PCRs")
    same(len(meta["keyslots"]), 1, "key slots")
    same(meta["segments"]["0"]["encryption"], "aes-xts-plain64", "cipher")
    same(meta["segments"]["0"]["sector_size"], 4096, "sector size")
    same(meta["keyslots"]["0"]["key_size"], 64, "key size")
    # Not a byte of the file system inside is in clear, neither magic nor label.
    with open(image, "rb") as file:
        file.seek(16 * MiB)
        data = file.read(4 * MiB)
    assert data[0x438:0x43a] != b"\x53\xef" and b"state" not in data


@test("nobody at a terminal and no choice: refused with exit 3 before anything is written")
def _(case):
    create(case)
    before = digest(case.disk())
    answers = case.answers(replace=ENCRYPTED)
    expect(case.on("install", "--answers", answers), 3, "nobody is there to keep the recovery key",
           "disk.recovery: escrow")
    plan = case.dir / "plan.json"
    expect(case.on("plan", "--answers", answers, "-o", plan), 0)
    expect(case.on("apply", plan, "--yes"), 3, "nobody is there to keep the recovery key")
    same(digest(case.disk()), before, "the disk")


@test("at a terminal the key is shown in groups and typed back before the install starts")
def _(case):
    need("cryptsetup", "swtpm")
    create(case)
    answers = case.answers(replace=ENCRYPTED)
    operator = Operator()
    code, shown = case.at_terminal(operator, "install", "--answers", answers)
    same(code, 0, shown)
    assert opens(case, state(case), operator.key()), "the shown key does not open it"
    # The first step's number; "1/" alone may stand in a path as well.
    start = re.search(r"^ +1/\d+ ", shown, re.M)
    assert start and shown.index("Type group") < start.start(), "asked after the start"
    same(holds(case.machine_dir, operator.key()), None, "the key in clear")


def seals(image):
    """The TPM tokens of a header, and how many key slots it has."""
    meta = header(image)
    return [t for t in meta["tokens"].values() if t["type"] == "systemd-tpm2"], \
        len(meta["keyslots"])


class KeyTyper:
    """Types the key once, when it is asked for."""

    def __init__(self, key):
        self.key, self.typed = key, False

    def __call__(self, shown):
        if self.typed or "(it is not shown): " not in shown:
            return None
        self.typed = True
        return self.key


@test("state reseal: the recovery key, typed or from a file or descriptor, brings a new seal")
def _(case):
    need("cryptsetup", "swtpm")
    create(case)
    operator = Operator()
    same(case.at_terminal(operator, "install", "--answers",
                          case.answers(replace=ENCRYPTED))[0], 0, "install")
    key, image = operator.key(), state(case)
    first, slots = seals(image)
    same((len(first), slots), (1, 2), "seals and key slots")
    path = case.dir / "recovery"
    path.write_bytes(key.replace(b"-", b" ").upper() + b"\n")    # as people write it down
    done = expect(case.on("--json", "state", "reseal", "--key-file", path), 0)
    got = done.json()
    same({k: got[k] for k in ("label", "pcr7", "measured", "tried", "removed", "kept")},
         {"label": "state", "pcr7": "00" * 32, "measured": False, "tried": True, "removed": 1,
          "kept": 0}, "what it says")
    second, slots = seals(state(case))
    same((len(second), slots), (1, 2), "seals and key slots")
    assert second[0]["tpm2-blob"] != first[0]["tpm2-blob"], "the same seal"
    expect(case.on("state", "reseal", "state", "--key-fd", "0", stdin=key.decode()), 0,
           "The TPM opens it: tried. Older seals removed: 1")
    code, shown = case.at_terminal(KeyTyper(key.decode()), "state", "reseal")
    same(code, 0, shown)
    assert key.decode() not in shown, "the key was shown"
    assert opens(case, state(case), key), "the recovery key does not open it"
    same(len(seals(state(case))[0]), 1, "seals")
    path.unlink()
    same(holds(case.machine_dir, key), None, "the key in clear")


@test("state reseal refuses a wrong key, no key, and what is not encrypted, and writes nothing")
def _(case):
    need("swtpm")
    create(case)
    case.own_layout("encrypted")
    expect(case.on("install", "--answers", case.answers(replace=[
        ("  layout: node", "  layout: encrypted\n  recovery: none")])), 0)
    before = digest(case.disk())
    wrong = case.dir / "wrong"
    wrong.write_bytes(b"not the key")
    for arguments, code, words in (
            (["--key-file", wrong], 4, "this key does not open it"),
            (["--key-file", case.dir / "missing"], 5, "missing"),
            ([], 2, "where is the recovery key of state?"),
            (["--key-fd", "x"], 2, "number of a file descriptor"),
            (["slipway-node", "--key-file", wrong], 4, '"slipway-node" is not encrypted'),
            (["stats", "--key-file", wrong], 5, 'there is no partition "stats"')):
        expect(case.on("state", "reseal", *arguments), code, words)
    mark = case.machine_dir / "run" / "shell-opened"
    mark.write_text("done\n")
    expect(case.on("state", "reseal", "--key-file", wrong), 4, "a rescue shell was opened")
    same(digest(case.disk()), before, "the disk")


@test("a key that is not typed back cancels with exit 130, and the disk is as it was")
def _(case):
    create(case)
    before = digest(case.disk())
    code, shown = case.at_terminal(Operator(right=False), "install", "--answers",
                                   case.answers(replace=ENCRYPTED))
    same(code, 130, shown)
    assert "not typed back" in shown, shown
    same(digest(case.disk()), before, "the disk")


@test("without a TPM the layout is refused with exit 5 and says why")
def _(case):
    create(case, "--no-tpm")
    answers = case.answers(replace=[("  layout: node", "  layout: encrypted\n  recovery: none")])
    expect(case.on("plan", "--answers", answers), 5, "needs a TPM", "shows no TPM",
           "such as node")


@test("after a shell was opened nothing is sealed any more: refused with exit 4, nothing written")
def _(case):
    need("swtpm")
    create(case)
    answers = case.answers(replace=[("  layout: node", "  layout: encrypted\n  recovery: none")])
    mark = case.machine_dir / "run" / "shell-opened"
    mark.parent.mkdir(exist_ok=True)
    mark.write_text("done\n")
    before = digest(case.disk())
    expect(case.on("install", "--answers", answers), 4, "a rescue shell was opened", "restart")
    same(digest(case.disk()), before, "the disk")
    mark.unlink()
    expect(case.on("install", "--answers", answers), 0)


@test("a plain state on a machine with a TPM is named as a risk in the review")
def _(case):
    create(case)
    plan = expect(case.on("plan", "--answers", case.answers()), 0)
    assert "state is not encrypted" in " ".join(plan.out.split()), plan


@test("an install with a key file: opened by the file's bytes and by the TPM, with no other slot")
def _(case):
    need("cryptsetup", "swtpm")
    create(case)
    layout = case.own_layout("encrypted")
    conf = layout / "40-state.conf"
    conf.write_text(conf.read_text().replace("Encrypt=tpm2", "Encrypt=key-file+tpm2"))
    key = os.urandom(48)
    (case.dir / "state.key").write_bytes(key)
    without = case.answers(replace=[("layout: node", f"layout: {layout}")])
    expect(case.on("install", "--answers", without), 3, "key file", "disk.keyfile")
    answers = case.answers(replace=[
        ("  layout: node", f"  layout: {layout}\n  keyfile: {case.dir}/state.key")])
    expect(case.on("install", "--answers", answers), 0)
    image = state(case)
    assert opens(case, image, key), "the key file does not open it"
    assert not opens(case, image, key + b"\n")
    same(len(header(image)["keyslots"]), 2, "key slots")
    same(holds(case.machine_dir, key), None, "the key in clear")


@test("the certificate may stand on one line; what is no certificate, or unused, is exit 3")
def _(case):
    need("openssl")
    create(case)
    pem = certificate(case)
    line = " ".join(pem.split("\n"))
    good = case.answers(replace=[
        ("  layout: node", f'  layout: encrypted\n  recovery: escrow\n  escrow: "{line}"')])
    expect(case.on("plan", "--answers", good), 0, "keeper of keys")
    for words, said in ((f'recovery: escrow\n  escrow: "{line[:400]}"', "not a certificate"),
                        ("recovery: escrow", "disk.escrow is missing"),
                        (f'escrow: "{line}"', "nothing would use it"),
                        ("recovery: maybe", "it is one of show, escrow, none"),
                        ("keyfile: http://host/key", "not fetched over a network")):
        bad = case.answers(replace=[("  layout: node", f"  layout: encrypted\n  {words}")])
        expect(case.on("check", bad), 3, said)


@test("layout apply with a key file and a TPM: cryptsetup opens it, and the key is needed")
def _(case):
    need("cryptsetup", "swtpm")
    create(case)
    folder, image = case.dir / "defs", case.dir / "disk.img"
    folder.mkdir()
    (folder / "10-a.conf").write_text("[Partition]\nType=linux-generic\nLabel=data\n"
                                      "Encrypt=key-file+tpm2\nMakeDirectories=/etc/here\n")
    key = case.dir / "k"
    key.write_bytes(os.urandom(32))
    words = ("layout", "apply", "--definitions", folder, "--empty", "create", "--size", "64M",
             "--yes", image)
    expect(case.on(*words), 2, "needs a key file")
    assert not image.exists() or image.stat().st_size == 0, "it was written"
    image.unlink(missing_ok=True)
    expect(case.on(*words, "--key-file", key, "--tpm2-pcrs", "4"), 2, "these PCRs")
    image.unlink(missing_ok=True)
    expect(case.on(*words, "--key-file", key, "--tpm2-pcrs", "7+14"), 0)
    part = partitions(image)["data"]
    out = cut(image, part, case.dir / "p.img")
    assert opens(case, out, key.read_bytes())
    same(header(out)["tokens"]["0"]["tpm2-pcrs"], [7, 14], "PCRs")


main()
