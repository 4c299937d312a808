# SPDX-License-Identifier: Apache-2.0
"""Both slots of a node are damaged: doctor fills one from a URL or a stick, and takes it back.

The damage is the museum's; what comes of it is judged by mtools and by the variables alone.
"""
import contextlib
import os
import shutil
import signal
import socket
import struct
import threading

from attest_server import Authority
from console import DOWN, Console
from lib import Server, expect, fingerprint, main, need, same, sha256, stick, test, tool
from museum import (BOOT_FILE, EXHIBITS, Broken, bad, findings, healthy, kept, make, repair_all,
                    starts)


def make_beside_stick(case):
    """The same node, and a stick in the machine."""
    create = case.create
    case.create = lambda *_disks: create(
        "serial=NODE07SYS,size=4G,model=Alpha,transport=nvme",
        "serial=STICK77,size=64M,transport=usb")
    make(case)


def broken(case, name, owner=None, how=make):
    """The node of this exhibit and the image of its newer slot, as a file that somebody kept."""
    need("mcopy", "sgdisk")
    known = healthy(case, how)
    b = Broken(case)
    image = case.dir / "kept.efi"
    image.write_bytes(b.get("slipway-b", BOOT_FILE))
    if owner:
        expect(case.on("node", "set", f"trust=@{owner}"), 0)
    next(e for e in EXHIBITS if e.name == name).damage(b)
    return b, image, known


def thorough(name):
    """Not in a quick run."""
    return (lambda function: function) if os.environ.get("SLIPWAY_TEST_QUICK") else test(name)


def disk(b):
    return fingerprint(b.image)


def fill(case, source, *more, slot="slot-b"):
    return case.on("--yes", "doctor", "--repair", slot, "--image", source, *more)


def whole(case, b, known, image):
    """It starts from what was given, and its state is as it was."""
    same(sha256(b.get("slipway-b", BOOT_FILE)), sha256(image), "the image in slot B")
    repair_all(case)
    same([f["id"] for f in bad(findings(case))], [], "what is left")
    assert starts(case, known[0]), "it does not start"
    same(kept(b), known[1], "the state")


@test("both slots bad: one is filled from a URL with its hash, the other from that; and back")
def _(case):
    b, image, known = broken(case, "both-slots")
    before, undo, server = disk(b), case.dir / "undo.json", Server(case.dir)
    url, pin = f"{server.url}/kept.efi", ("--sha256", sha256(image), "--trust", "none")
    try:
        advice = {f["id"]: f for f in findings(case)}["slot-b"]["advice"]
        assert "--repair slot-b --image" in advice, advice
        expect(fill(case, url, "--dry-run", *pin), 0, "kept.efi", "slipway-b")
        same(len(server.hits), 0, "what a dry run fetches")
        expect(fill(case, url), 4, "who vouches")
        expect(fill(case, url, "--trust", "none"), 4)
        expect(fill(case, url, "--sha256", "0" * 64, "--trust", "none"), 8)
        expect(fill(case, f"{server.url}/none.efi", *pin), 10)
        expect(case.on("--yes", "doctor", "--repair", "boot-order", "--image", url), 2, "no image")
        same(disk(b), before, "after what was refused")
        expect(fill(case, url, "--save", undo, *pin), 0, "fetching", "slot-b is gone")
        expect(case.on("--yes", "doctor", "--undo", undo), 0)
        same(disk(b), before, "after the undo")
        expect(fill(case, url, "--no-undo", *pin), 0, "slot-b is gone")
    finally:
        server.close()
    whole(case, b, known, image)


@thorough("over https only the CA that is named is believed; a wrong hash and a cut write nothing")
def _(case):
    need("openssl")
    b, image, known = broken(case, "both-slots")
    before, tls = disk(b), Authority(case.dir)
    other = case.dir / "other"
    other.mkdir()
    stranger, hashed = Authority(other).ca, ("--sha256", sha256(image), "--trust", "none")
    server = Server(case.dir, tls=tls)
    cut = Server(case.dir, cut_at=70001, tls=tls)       # after a piece, each time
    once = Server(case.dir, cut_at=(1 << 20) + 7, cuts=1, tls=tls)
    url = f"{server.url}/kept.efi"
    try:
        expect(fill(case, url, *hashed), 10, "certificate")
        expect(fill(case, url, "--ca", stranger, *hashed), 10, "certificate")
        expect(fill(case, url, "--ca", image, *hashed), 3, "kept.efi", "CA")
        same(len(server.hits), 0, "what whoever is not believed was asked for")
        expect(fill(case, url, "--ca", tls.ca, "--sha256", "0" * 64, "--trust", "none"), 8, "hash")
        expect(fill(case, f"{cut.url}/kept.efi", "--ca", tls.ca, *hashed), 10)
        assert len(cut.hits) > 1, cut.hits
        same(disk(b), before, "after what was refused")
        same([p.name for p in case.machine_dir.rglob("doctor-undo*")], [], "undo of nothing")
        expect(fill(case, f"{once.url}/kept.efi", "--ca", tls.ca, *hashed), 0, "slot-b is gone")
        assert once.hits[1][1], f"it did not go on where it was cut: {once.hits}"
    finally:
        for one in (server, cut, once):
            one.close()
    whole(case, b, known, image)


class HalfServer:
    """Gives half of a file over HTTP, and then nothing, however long one waits."""

    def __init__(self, data):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/node.efi"
        self.data, self.open, self.given = data, [], threading.Event()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            self.open.append(connection)
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(self.data)}\r\n\r\n"
            connection.sendall(head.encode() + self.data[:len(self.data) // 2])
            self.given.set()

    def close(self):
        for connection in self.open:
            connection.close()
        self.listener.close()


def nothing_of_it(case, b, before):
    """Neither the disk nor what an undo would need has anything of a repair that was stopped."""
    same(disk(b), before, "the disk")
    same(list(case.machine_dir.rglob("doctor-undo-*")), [], "files for undo")


@test("^C stops a repair whose image does not come, and nothing was written; later it is done")
def _(case):
    b, image, known = broken(case, "both-slots")
    before, pin = disk(b), ("--sha256", sha256(image), "--trust", "none")
    with contextlib.closing(HalfServer(image.read_bytes())) as server:
        running = case.start("--yes", "doctor", "--repair", "slot-b", "--image", server.url, *pin)
        assert server.given.wait(60), "nobody asked for the image"
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    same(running.returncode, 130, out + err)
    assert "the repair was stopped: nothing was written" in err, err
    same(err.count("slipway:"), 1, f"messages in {err}")
    nothing_of_it(case, b, before)
    out = expect(fill(case, image, *pin), 0, "from here on it goes on to its end").out
    assert " %  " in out, f"it does not say how far it is: {out}"
    whole(case, b, known, image)


def offer_image(case):
    """The console as far as the list of images."""
    c = Console(case)
    c.see("Find out why it does not boot", "wrong")
    c.press(DOWN, "\r")
    c.see("ERROR  slot B")
    c.choose("slot B")
    c.see("One finding", "Enter an image")
    c.press("\r")
    c.see("An image for the slot", "Another place")
    return c


@test("by keys: a repair whose image does not come is stopped, and the disk is as it was")
def _(case):
    b, image, _ = broken(case, "both-slots")
    before = disk(b)
    with contextlib.closing(HalfServer(image.read_bytes())) as server, \
            contextlib.closing(offer_image(case)) as c:
        c.choose("Another")
        c.see("Where is the image?")
        c.press(server.url, "\r")
        c.see("Who says that it is the right image?")
        c.press("\r")
        c.see("64 digits")
        c.press(sha256(image), "\r")
        c.see("One finding", "see that it is the one of", "fill slot B")
        c.press("\r")
        c.see("No, go back")
        c.press(DOWN, "\r")
        c.see("repairing; c stops that", "fetching http://", "% of ")
        c.press("c")
        c.see("What is wrong with this machine", "the repair was stopped: nothing was written")
    nothing_of_it(case, b, before)


@test("by keys: a slot that nothing else repairs is filled from the stick, by hash; and taken back")
def _(case):
    b, image, known = broken(case, "both-slots", how=make_beside_stick)
    before, digest = disk(b), sha256(image)
    tool("mcopy", "-i", f"{stick(case)}@@1M", image, "::/node.efi")
    medium = case.machine_dir / "medium" / "images"
    medium.mkdir(parents=True)
    (medium / "other.efi").write_bytes(image.read_bytes()[:-1])
    c = offer_image(case)
    try:
        c.see("medium:/images/other.efi", "stick:/node.efi")
        for name, refused in (("images/other", True), ("node", False)):
            c.choose(name)
            c.see("Who says that it is the right image?")
            c.press("\r")
            c.see("64 digits")
            c.press(*digest[:8], "\r")
            c.see("this has 8")
            c.press(*digest[8:], "\r")
            c.see("One finding", f"{name}.efi", "see that it is the one of that hash")
            c.press("\r")
            c.see("No, go back")
            c.press(DOWN, "\r")
            if refused:
                c.see("What is wrong with this machine", "hash")
                same(disk(b), before, "after another image")
                c.press("u")
                c.redraw()
                c.see("ERROR  slot B")
                c.choose("slot B")
                c.see("Enter an image")
                c.press("\r")
                c.see("stick:/node.efi")
        c.see("slot-b is gone")
        c.choose("Take the last")
        c.see("What was wrong is then wrong again")
        c.press(DOWN, "\r")
        c.see("Taken back")
        same(disk(b), before, "after the undo")
    finally:
        c.close()
    expect(fill(case, "stick:/none.efi", "--trust", "none"), 6, "stick:/none.efi")
    expect(fill(case, "stick:/../node.efi", "--trust", "none"), 3)
    expect(fill(case, "stick:/node.efi", "--sha256", digest, "--trust", "none", "--no-undo"), 0)
    whole(case, b, known, image)


@thorough("both slots bad in other ways: one is filled from the stick, signed by a key of the node")
def _(case):
    need("ssh-keygen")
    key = case.dir / "key"
    tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
    b, image, known = broken(case, "both-slots-differently", owner=key.with_suffix(".pub"))
    medium = case.machine_dir / "medium"
    medium.mkdir(exist_ok=True)
    shutil.copy(image, medium / "kept.efi")
    before = disk(b)
    expect(fill(case, "medium:/kept.efi"), 5, "signature")
    same(disk(b), before, "without a signature")
    tool("ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", "slipway-image", medium / "kept.efi")
    with open(medium / "kept.efi", "ab") as file:
        file.write(b"more")
    expect(fill(case, "medium:/kept.efi"), 8)
    same(disk(b), before, "with another's signature")
    shutil.copy(image, medium / "kept.efi")
    expect(fill(case, "medium:/kept.efi"), 0, "slot-b is gone")
    whole(case, b, known, image)


@thorough("an undo whose kept image was changed is refused, and so is one of a slot used since")
def _(case):
    b, image, _ = broken(case, "both-slots")
    undo = case.dir / "undo.json"
    expect(fill(case, image, "--trust", "none", "--save", undo), 0)
    filled, spoilt = disk(b), case.dir / "undo.json.image"
    good = spoilt.read_bytes()
    spoilt.write_bytes(good[:70000] + b"x" + good[70001:])
    expect(case.on("--yes", "doctor", "--undo", undo), 8, "kept whole")
    spoilt.write_bytes(good)
    same(disk(b), filled, "after what was refused")
    b.write(b.at("slipway-b") + 4096 + 512, struct.pack("<Q", 1))
    changed = disk(b)
    expect(case.on("--yes", "doctor", "--undo", undo), 4, "changed since")
    same(disk(b), changed, "after another's write")


if __name__ == "__main__":
    main()
