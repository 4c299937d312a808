# SPDX-License-Identifier: Apache-2.0
"""The TPM counts the node's images: a disk that was put back is told, with what was done to it."""
import shutil
import struct

from lib import GLOBAL, copy_tree, expect, main, need, partitions, same, test
from swtpm import Tpm

LOADER = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
COUNTER, NOTE = "0x1815357", "0x1815358"


def node(case, *extra):
    need("swtpm", "tpm2_nvread")
    case.create(extra=extra)
    expect(case.on("install", "--answers", case.answers()), 0)
    return None if extra else Tpm(case)


def image(case, word):
    """(kernel, initrd) of an image of its own."""
    path = case.dir / f"{word}.initrd"
    path.write_bytes((case.dir / "initrd").read_bytes() + word.encode())
    return ["--kernel", case.dir / "vmlinuz", "--initrd", path, "--cmdline", "panic=1 " + word]


def run_from(case, number):
    """As if the node had been started by this entry."""
    uuid = case.entries()[0][number][1]
    for name, guid, data in (("BootCurrent", GLOBAL, struct.pack("<H", number)),
                             ("LoaderDevicePartUUID", LOADER, (uuid + "\0").encode("utf-16-le"))):
        (case.machine_dir / "vars" / f"{name}-{guid}").write_bytes(struct.pack("<I", 6) + data)


def promote(case, word, *more, code=0, words=(), label=None):
    """As the node does it, that runs from what is first or from this entry."""
    found, order = case.entries()
    run_from(case, next(n for n, e in found.items() if e[0] == label) if label else order[0])
    return expect(case.on("--json", "promote", *image(case, word), "--trust", "none", *more), code,
                  *words)


def value(tpm, index):
    return tpm.tool("tpm2_nvread", index).stdout


def counted(tpm):
    """By tpm2-tools and the format's description."""
    note = value(tpm, NOTE)
    same((note[:8], len(note)), (b"SLIPWAY1", 48), "the note")
    start = int.from_bytes(note[8:16], "little")
    return (int.from_bytes(value(tpm, COUNTER), "big") - start) % (1 << 64)


def finding(case, code=None, name="tpm-count"):
    done = case.on("--json", "doctor")
    found = (done if code is None else expect(done, code)).json()["findings"]
    return {f["id"]: f for f in found}.get(name)


@test("every promote is counted, and an older state of the disk is told and refused")
def _(case):
    tpm = node(case)
    same(promote(case, "two").json()["tpm_count"], "new", "before the first")
    same(counted(tpm), 2, "counted")
    assert b"writelocked" in tpm.tool("tpm2_nvreadpublic", NOTE).stdout, "the note can be changed"
    same(tpm.tool("tpm2_nvwrite", "-C", "o", "-i", case.dir / "initrd", NOTE,
                  check=False).returncode != 0, True, "the note was written again")
    old = case.dir / "old"
    copy_tree(case.disk(), old)
    variables = case.dir / "vars"
    shutil.copytree(case.machine_dir / "vars", variables)
    same(promote(case, "three").json()["tpm_count"], "good", "then")
    same(promote(case, "three").json()["result"], "unchanged", "the same again")
    same(counted(tpm), 3, "counted")
    same(finding(case, 0), None, "found")
    copy_tree(old, case.disk())
    shutil.rmtree(case.machine_dir / "vars")
    shutil.copytree(variables, case.machine_dir / "vars")
    found = finding(case, 8)
    same(found["severity"], "error", "severity")
    assert "older state of the disk was put back" in found["evidence"], found
    promote(case, "four", code=4, words=("older state of the disk", "--count-anew"))
    promote(case, "four", "--dry-run", code=4)
    same(promote(case, "four", "--count-anew").json()["result"], "promoted", "told to")
    same(counted(tpm), 3, "counted anew")
    same((finding(case, 0), promote(case, "five").json()["tpm_count"]), (None, "good"), "then")
    same(tpm.left(), "", "left in the TPM")


@test("another firmware on the same TPM is told apart, seals to PCR 7 stay, a promote remembers it")
def _(case):
    tpm = node(case)
    promote(case, "two")
    expect(case.on("secret", "seal", "join", stdin="text"), 0)
    same(finding(case, 0, "tpm-firmware"), None, "the same firmware")
    tpm.tool("tpm2_pcrextend", "4:sha256=" + "11" * 32)
    same(finding(case, 0, "tpm-firmware"), None, "another road")
    tpm.tool("tpm2_pcrextend", "0:sha256=" + "11" * 32)
    found = finding(case, 0, "tpm-firmware")
    assert "the TPM is the same" in found["evidence"] and "updated" in found["advice"], found
    expect(case.on("status"), 0, "TPM             the same TPM, but the firmware is another")
    same(expect(case.on("--json", "status"), 0).json()["tpm"]["other_firmware"], True, "status")
    same(finding(case), None, "the count stands")
    same(expect(case.on("secret", "open", "join"), 0).out, "text", "sealed to PCR 7")
    promote(case, "three")
    same(finding(case, 0, "tpm-firmware"), None, "remembered")
    expect(case.on("status"), 0, "TPM             the TPM counted to 3")
    # What is told of a cleared TPM is not said of its firmware.
    tpm.tool("tpm2_pcrextend", "0:sha256=" + "11" * 32)
    tpm.tool("tpm2_clear", "-c", "p")
    same((finding(case, 8, "tpm-firmware"), "was cleared" in finding(case)["evidence"]),
         (None, True), "cleared")
    same(tpm.left(), "", "left in the TPM")


@test("a TPM that was cleared, one of another board, and none any more are told apart")
def _(case):
    tpm = node(case)
    promote(case, "two")
    tpm.tool("tpm2_clear", "-c", "p")
    assert "was cleared" in finding(case, 8)["evidence"], finding(case, 8)
    expect(case.on("status"), 0, "TPM             the TPM was cleared")
    promote(case, "three", code=4, words=("was cleared", "--count-anew"))
    promote(case, "three", "--count-anew")
    same((counted(tpm), finding(case, 0)), (3, None), "counted anew")
    case.children.pop().kill()
    for name in ("tpm.sock", "tpm.sock.ctrl"):
        (case.machine_dir / "run" / name).unlink(missing_ok=True)
    shutil.rmtree(case.machine_dir / "tpm")
    (case.machine_dir / "tpm").mkdir()
    tpm = Tpm(case)
    assert "another TPM" in finding(case, 8)["evidence"], finding(case, 8)
    expect(case.on("status"), 0, "TPM             this is another TPM")
    promote(case, "four", code=4, words=("board or the TPM was replaced", "--count-anew"))
    promote(case, "four", "--count-anew")
    same((counted(tpm), finding(case, 0)), (4, None), "counted anew")
    description = case.machine_dir / "machine.yaml"
    description.write_text(description.read_text().replace("tpm: true", "tpm: false"))
    assert "cannot be asked" in finding(case, 8)["evidence"], finding(case, 8)
    promote(case, "five", code=4, words=("cannot be asked", "firmware setup", "--count-anew"))
    promote(case, "five", "--count-anew")
    same(finding(case), None, "then")
    same(promote(case, "six").json()["tpm_count"], "none", "without a TPM")


@test("without a TPM a promote works as before")
def _(case):
    node(case, "--no-tpm")
    same(promote(case, "two").json()["tpm_count"], "none", "count")
    same(finding(case), None, "found")


@test("what is not slipway's is left alone, an owned TPM is noted, and the promote stays")
def _(case):
    tpm = node(case)
    tpm.tool("tpm2_nvdefine", "-s", 8, "-a", "ownerread|ownerwrite|authread", COUNTER)
    said = promote(case, "two").json()
    assert "something else at index" in said["uncounted"], said
    same(said["result"], "promoted", "result")
    same(tpm.tool("tpm2_nvreadpublic", COUNTER).returncode, 0, "still there")
    tpm.tool("tpm2_changeauth", "-c", "o", "theirs")
    said = promote(case, "three").json()
    same((said["result"], "owner password" in said["uncounted"]), ("promoted", True), "owned")
    same(tpm.left(), "", "left in the TPM")


@test("a TPM without room for the counter is noted with a way out, and the promote stays")
def _(case):
    tpm = node(case)
    for size in (2048, 512, 64, 8):
        for n in range(400):
            index = hex(0x1600000 + (size << 12) + n)
            if tpm.tool("tpm2_nvdefine", "-s", size, "-a", "ownerread|ownerwrite|authread", index,
                        check=False).returncode:
                break
        else:
            raise AssertionError(f"no end of room for {size} bytes")
    said = promote(case, "two").json()
    assert "no room for another index" in said["uncounted"], said
    same(said["result"], "promoted", "result")
    same(tpm.left(), "", "left in the TPM")


@test("a lost slot does not count as one that was put back, and the next image gets a new number")
def _(case):
    tpm = node(case)
    promote(case, "two")
    part = partitions(case.disk())["slipway-b"]
    with open(case.disk(), "r+b") as file:
        file.seek(part["start"] * 512)
        file.write(b"\xaa" * 65536)
    same(finding(case, 8), None, "found beside the damage")
    expect(case.on("--yes", "doctor", "--no-undo", "--repair", "slot-b"), 0)
    same(finding(case), None, "found after doctor filled it from slot A")
    said = promote(case, "three", label="Slipway A").json()
    same((said["result"], said["sequence"], said["tpm_count"]), ("promoted", 3, "unsure"), "said")
    same((counted(tpm), finding(case)), (3, None), "counted")


if __name__ == "__main__":
    main()
