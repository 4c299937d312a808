# SPDX-License-Identifier: Apache-2.0
"""What a TPM can refuse, each with a sentence and a next step and never a bare code: by commands on
swtpm where it can be brought to it, else by somebody on the bus who answers for it. What no command
meets (0x126, slipway uses no PolicyNV; 0x14c, the place is looked at before; devices) is in
tests/unit/test-tpm-reasons.c."""
import socket
import subprocess

from attest_server import AttestServer
from lib import expect, main, need, same, test
from swtpm import Bus, Tpm

CREATE_PRIMARY, CREATE, LOAD, UNSEAL = 0x131, 0x153, 0x157, 0x15e
GET_CAPABILITY, START_SESSION, QUOTE = 0x17a, 0x176, 0x158
SEAL, EK = ["secret", "seal", "x"], ["tpm", "ek"]
OPEN, SHUT = ["secret", "open", "x"], ["secret", "open", "x", "--out", "opened"]


def install(case):
    case.create()
    expect(case.on("install", "--answers", case.answers()), 0)


def node(case):
    """An installed node with a secret, and its TPM."""
    need("swtpm", "tpm2_getcap")
    case.copy_of(install)
    tpm = Tpm(case)
    expect(case.on(*SEAL, stdin="hello"), 0)
    return tpm


def refused(case, words, *texts, code=5):
    said = expect(case.on("--json", *words, stdin="hello"), code)
    error = said.error()
    assert error["why"] and error["hint"], f"no sentence or no next step: {error}"
    for text in texts:
        assert text in f"{error['why']}\n{error['hint']}", f"{text!r} is not in {error}"
    assert "0x" not in said.err and "tpm:" not in said.err, f"a bare code: {said.err}"


@test("passwords and hierarchies: who set them, what is turned off, and where it is turned on")
def _(case):
    tpm = node(case)
    for key, words in (("o", SEAL), ("o", SHUT), ("e", EK)):
        tpm.tool("tpm2_changeauth", "-c", key, "theirs")
        refused(case, words, "owner password", "clear the TPM")
        tpm.tool("tpm2_changeauth", "-c", key, "-p", "theirs")
    for key, words in (("shEnable", SEAL), ("shEnable", SHUT), ("ehEnable", EK)):
        tpm.tool("tpm2_hierarchycontrol", "-C", "p", key, "clear")
        refused(case, words, "hierarchy is turned off", "firmware setup")
        tpm.tool("tpm2_hierarchycontrol", "-C", "p", key, "set")
    same(expect(case.on(*OPEN), 0).out, "hello", "the secret when all is well again")
    same(tpm.left(), "", "left in the TPM")


@test("PCRs that changed, a TPM that was cleared: the way is the recovery key, then a new seal")
def _(case):
    tpm = node(case)
    tpm.tool("tpm2_pcrextend", f"7:sha256={'5a' * 32}")
    refused(case, SHUT, "PCRs do not hold what they held", "reseal")
    tpm.tool("tpm2_clear", "-c", "p")
    refused(case, SHUT, "another TPM, or the TPM was cleared", "reseal")
    same(tpm.left(), "", "left in the TPM")


@test("wrong tries of others: locked, for how long, and what of slipway's works all the same")
def _(case):
    tpm = node(case)
    tpm.tool("tpm2_nvdefine", "-Q", "-s", "8", "-a", "authread|authwrite", "-p", "right",
             "0x1500001")
    for _ in range(40):
        tpm.tool("tpm2_nvread", "-Q", "-P", "wrong", "0x1500001", check=False)
    server = AttestServer(case.dir, b"", enrols=True)
    try:
        refused(case, ["admit", "--url", server.url, "--ca", server.authority.ca, "--wait", "0",
                       case.dir / "out"], "too many wrong attempts", "tells how long")
    finally:
        server.close()
    expect(case.on("tpm", "facts"), 0, "unlocks itself in")
    same(tpm.left(), "", "left in the TPM")


@test("a TPM without the sha256 bank, with others' keys or sessions in it, or not started")
def _(case):
    tpm = node(case)
    for _ in range(3):
        tpm.tool("tpm2_createprimary", "-Q", "-c", case.dir / "context")
    refused(case, EK, "full of other programs' keys", "restart")
    refused(case, SEAL, "full of other programs' keys", "restart")
    tpm.tool("tpm2_flushcontext", "-t")
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(tpm.path))
        for _ in range(3):      # TPM2_StartAuthSession: policy, unsalted, unbound, sha256
            raw.sendall(bytes.fromhex("80010000002b0000017640000007400000070010" + "11" * 16 +
                                      "0000" + "01" + "0010" + "000b"))
            answer = raw.recv(4096)
            same(answer[6:10], bytes(4), "a session of somebody's")
    refused(case, SEAL, "full of other programs' sessions", "restart")
    tpm.tool("tpm2_flushcontext", "-l")
    tpm.tool("tpm2_pcrallocate", "-Q", "sha1:all+sha256:none")
    tpm.tool("tpm2_shutdown", "-c")
    tpm.lose_power()
    said = expect(case.on("--json", *SEAL, stdin="hello"), 5).error()
    same((said["what"], "SHA-256 bank" in said["hint"]), ("the TPM keeps no sha256 PCRs", True),
         "without the bank")
    facts = expect(case.on("--json", "tpm", "facts"), 0).json()
    same((facts["attests"], facts["seals"]), (False, False), "use")
    subprocess.run(["swtpm_ioctl", "--unix", tpm.path.with_suffix(".sock.ctrl"), "-i"], check=True)
    refused(case, EK, "has not started it", "firmware setup")


# What is answered, to which command, what is said; of a TPM that goes on saying so.
BUS = [
    (0x904, CREATE_PRIMARY, EK, ("memory is full", "restart")),
    (0x905, START_SESSION, SEAL, ("no room for a session", "restart")),
    (0x98e, CREATE_PRIMARY, EK, ("owner password", "clear the TPM")),
    (0x101, GET_CAPABILITY, ["tpm", "facts"], ("failure mode", "off and on")),
    (0x101, CREATE_PRIMARY, SEAL, ("failure mode", "off and on")),
    (0x120, CREATE_PRIMARY, EK, ("turned off", "firmware setup")),
    (0x128, UNSEAL, SHUT, ("a PCR changed while", "try again")),
    (0x124, UNSEAL, SHUT, ("password where it wants a policy", "report it")),
    (0x1d5, CREATE, SEAL, ("of a size that it does not take", "report it")),
    (0x2c4, CREATE_PRIMARY, EK, ("does not support this algorithm", "newer firmware")),
    ("hang up", CREATE_PRIMARY, EK, ("does not answer", "firmware setup")),
    ("garbled", CREATE, SEAL, ("changed on the way", "off and on")),
]


@test("a TPM that fails, that somebody changes the answers of, or that goes away, is told in words")
def _(case):
    tpm = node(case)
    bus = Bus(tpm)
    for rule, command, words, texts in BUS:
        bus.rules, bus.for_ever = {command: [rule]}, {command}
        refused(case, words, *texts)
        bus.rules = {}
        if rule == "garbled":
            # The stack takes no further command after that; /dev/tpmrm0 cleans up behind it.
            for kind in ("-t", "-l"):
                tpm.tool("tpm2_flushcontext", kind)
        same(tpm.left(), "", f"left in the TPM after {rule} to {words}")
    same(expect(case.on(*OPEN), 0).out, "hello", "the secret when all is well again")
    same(tpm.left(), "", "left in the TPM")


@test("a busy TPM is asked again, with pauses, in every step; one that stays busy is told")
def _(case):
    tpm = node(case)
    bus = Bus(tpm)
    bus.rules = {CREATE_PRIMARY: [0x922] * 6, START_SESSION: [0x90a, 0x908], CREATE: [0x920, 0x923],
                 LOAD: [0x920], UNSEAL: [0x923, 0x128, 0x920]}
    expect(case.on(*SEAL, stdin="once more"), 0)
    same({code: left for code, left in bus.rules.items() if left}, {}, "rules that were not met")
    bus.rules = {CREATE_PRIMARY: [0x922] * 6, LOAD: [0x920], UNSEAL: [0x128, 0x923]}
    same(expect(case.on(*OPEN), 0).out, "once more", "what is opened")
    bus.rules, bus.for_ever, bus.asked = {CREATE_PRIMARY: [0x922]}, {CREATE_PRIMARY}, []
    refused(case, EK, "stays busy", "wait a minute")
    assert bus.asked.count(CREATE_PRIMARY) >= 11, "it was not asked ten times more"
    same(tpm.left(), "", "left in the TPM")


if __name__ == "__main__":
    main()
