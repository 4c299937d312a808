# SPDX-License-Identifier: Apache-2.0
"""The measured-boot log: PCR values against real machines and against an independent replay."""
import json

import eventlog
from lib import SOURCE, Skip, expect, main, same, test

DATA = SOURCE.parent / "shared" / "data" / "eventlogs"


def recorded():
    if not DATA.is_dir():
        raise Skip("no recorded event logs beside the project (../shared/data/eventlogs)")
    return json.loads((DATA / "expected-pcrs.json").read_text())


def write(case, name, data):
    path = case.dir / name
    path.write_bytes(data)
    return path


@test("the logs of real machines replay to the values that their TPMs reported")
def _(case):
    for name, banks in recorded().items():
        got = expect(case.run("--json", "tpm", "replay", "--log", DATA / name), 0).json()
        for bank, pcrs in banks.items():
            for pcr, value in pcrs.items():
                same(got[bank].get(pcr), value, f"{name} {bank} PCR {pcr}")


@test("every recorded log can be shown and explained, also those with faults")
def _(case):
    recorded()
    for path in sorted(DATA.glob("*.bin")):
        expect(case.run("tpm", "log", "--log", path), 0)
        expect(case.run("tpm", "explain", "--log", path), 0)


@test("a log of three banks replays as an independent program replays it")
def _(case):
    banks = ["sha1", "sha256", "sha384"]
    path = write(case, "log", eventlog.agile(banks, eventlog.EVENTS))
    got = expect(case.run("--json", "tpm", "replay", "--log", path), 0).json()
    same(got, {b: eventlog.replay(b, eventlog.EVENTS) for b in banks}, "PCRs")
    one = expect(case.run("--json", "tpm", "replay", "--bank", "sha384", "--log", path), 0).json()
    same(list(one), ["sha384"], "banks")


@test("a SHA-1 log and the padding behind it are read")
def _(case):
    for padding in (b"", bytes(100), b"\xff" * 100):
        path = write(case, "log", eventlog.sha1_form(eventlog.EVENTS) + padding)
        got = expect(case.run("--json", "tpm", "replay", "--log", path), 0).json()
        same(got, {"sha1": eventlog.replay("sha1", eventlog.EVENTS)}, "PCRs")


@test("the locality at which the TPM was started begins PCR 0")
def _(case):
    events = [eventlog.locality(3)] + eventlog.EVENTS
    path = write(case, "log", eventlog.agile(["sha256"], events))
    got = expect(case.run("--json", "tpm", "replay", "--log", path), 0).json()
    same(got["sha256"], eventlog.replay("sha256", events, start=3), "PCRs")
    expect(case.run("tpm", "log", "0", "--log", path), 0, "started at locality 3")


@test("events are shown in words, and only those of the PCRs asked for")
def _(case):
    path = write(case, "log", eventlog.agile(["sha256"], eventlog.EVENTS))
    expect(case.run("tpm", "log", "--log", path), 0, "version 1", "SecureBoot = 1", "BootOrder, 4",
           "Calling EFI Application", "end of the firmware's part", "1 partitions", ".linux",
           "console=ttyS0", "tag 8f3b22ec: abcd")
    only = expect(case.run("--json", "tpm", "log", "7", "12", "--log", path), 0).json()
    same(sorted({e["pcr"] for e in only}), [7, 12], "PCRs")
    expect(case.run("tpm", "log", "24", "--log", path), 2, "no PCR")
    expect(case.run("tpm", "log", "--bank", "sha1", "--log", path), 2, "it has sha256")


@test("each step of a PCR is shown with the value that it left")
def _(case):
    path = write(case, "log", eventlog.agile(["sha256"], eventlog.EVENTS))
    steps = expect(case.run("--json", "tpm", "explain", "4", "--log", path), 0).json()["4"]
    same([s["type"] for s in steps],
         ["EV_ACTION", "EV_SEPARATOR", "EV_EFI_BOOT_SERVICES_APPLICATION"], "types")
    same(steps[-1]["value"], eventlog.replay("sha256", eventlog.EVENTS)["4"], "last value")


@test("two logs: only the PCRs that differ, and the events that make the difference")
def _(case):
    other = list(eventlog.EVENTS)
    other[1] = (7, eventlog.VARIABLE, eventlog.variable("SecureBoot", b"\0"))
    other.insert(4, (4, eventlog.ACTION, b"Returning from EFI Application from Boot Option"))
    one = write(case, "one", eventlog.agile(["sha256"], eventlog.EVENTS))
    two = write(case, "two", eventlog.agile(["sha256"], other))
    said = expect(case.run("--json", "tpm", "explain", "--log", one, "--against", two), 0).json()
    same(sorted(said), ["4", "7"], "PCRs that differ")
    same([e["text"] for e in said["7"]["log"]], ["SecureBoot = 1"], "this log")
    same([e["text"] for e in said["7"]["against"]], ["SecureBoot = 0"], "the other log")
    four = said["4"]
    same((four["same_before"], four["log"], len(four["against"])), (1, [], 1), "PCR 4")
    expect(case.run("tpm", "explain", "--log", one, "--against", one), 0, "No PCR differs")


@test("a damaged log is refused with the place of the damage")
def _(case):
    good = eventlog.agile(["sha256"], eventlog.EVENTS)
    # The cut falls into the third record (the first is the list of banks).
    path = write(case, "log", good[:len(eventlog.agile(["sha256"], eventlog.EVENTS[:2])) - 5])
    expect(case.run("tpm", "replay", "--log", path), 8, "damaged", "record 3, at byte")
    path = write(case, "log", b"")
    expect(case.run("tpm", "replay", "--log", path), 8, "kept no log")
    banks = bytearray(good)
    banks[len(eventlog.spec_id(["sha256"])) + 12] = 4       # a digest of a bank not declared
    path = write(case, "log", bytes(banks))
    expect(case.run("tpm", "replay", "--log", path), 8, "banks that the log declares")
    expect(case.run("tpm", "replay", "--log", case.dir / "missing"), 5, "missing")


@test("a machine without a log says so and names the way out")
def _(case):
    case.create()
    expect(case.on("tpm", "log"), 5, "keeps no event log", "--log FILE")


if __name__ == "__main__":
    main()
