# SPDX-License-Identifier: Apache-2.0
"""A technician at a vt100 of 80x24 on a serial line of 9600 baud: each byte of the console comes
at that pace, and keys are typed without waiting for more than what has to be seen. Doctor, repair,
undo, tools and status; what the terminal shows at the end is whole and without a trace of what a
vt100 does not understand."""
import re
import time

from console import DOWN, ESC, Console
from lib import main, need, partitions, test
from line import BEGUN
from museum import make

BYTES = 960         # in a second, at 9600 baud and 8N1
PIECE = 48
# CSI with what a vt100 has: cursor, erase, modes, attributes (no colours), reports, margins.
KNOWN = re.compile(rb"\x1b\[(?:\??[0-9;]*[hlJKHfABCDnrcm])|\x1b[78=>DMEHc()#][AB0-9]?|\x1b\[m")
COLOUR = re.compile(rb"\x1b\[(?:[0-9;]*;)?(?:3[0-9]|4[0-9]|9[0-7]|10[0-7])[;m]")


class Slow(Console):
    """The console behind a line that carries 960 bytes in a second."""

    piece = PIECE

    def __init__(self, case):
        self.due = time.monotonic()
        super().__init__(case, term="vt100")

    def keep(self, data):
        self.due = max(self.due, time.monotonic()) + len(data) / BYTES
        time.sleep(max(0, self.due - time.monotonic()))
        super().keep(data)

    def readable(self):
        """Nothing that a vt100 would print in place of doing it, and no line too long for it."""
        seen = BEGUN.sub(b"", bytes(self.line.raw))
        strange = [m.group() for m in re.finditer(rb"\x1b(?:\[[?>=]?[0-9;]*.|.)", seen)
                   if not KNOWN.fullmatch(m.group())]
        assert not strange, f"sequences that a vt100 does not know: {strange[:5]}"
        assert not COLOUR.search(seen), "colours on a vt100"
        rest = re.sub(rb"\x1b(?:\[[?>=]?[0-9;]*.|[()#].|.)", b"", seen)
        odd = {b for b in rest if (b < 0x20 and b not in b"\r\n\b\a\t\x0e\x0f") or b > 0x7e}
        assert not odd, f"bytes that a vt100 does not show: {odd}"
        for line in self.screen.text().split("\n"):
            assert len(line) <= 80, line


def spoilt(case):
    make(case)
    part = partitions(case.disk())["slipway-b"]
    with open(case.disk(), "r+b") as file:
        file.seek(part["start"] * 512)
        file.write(bytes(512))


def repair_and_take_back(c):
    c.press(DOWN, "\r")
    c.see("slot B", "Repair")
    c.readable()
    c.choose("slot B")
    c.see("One finding", "seen", "writes")
    c.readable()
    c.press("\r")
    c.see("can be taken back until this", "No, go back")
    c.press(DOWN, "\r")
    c.see("slot-b is gone.", "Take the last repair back")
    c.choose("Take the last")
    c.see("What was wrong is then wrong again.")
    c.press(DOWN, "\r")
    c.see("Taken back", "slot B")
    c.readable()
    c.back("Install a node")


def look_round(c):
    c.choose("Status")
    c.see("Status", "slipway-a")
    c.readable()
    c.back("Install a node")
    c.choose("Tools")
    c.see("Disks, partitions, files")
    for name, seen in (("Disks", "NODE07SYS"), ("Logs", "kernel"), ("Hardware", "Memory"),
                       ("Bundle", "facts.json")):
        c.choose(name)
        c.see(seen)
        c.readable()
        c.press(ESC)
        c.see("Memory test")
    c.press("?")
    c.see("Keys")
    c.readable()
    c.press("\x02")
    c.back("Install a node")
    c.readable()


@test("a vt100 at 9600 baud: doctor, repair, undo, status and tools by keys, all of it readable")
def _(case):
    need("mdir")
    spoilt(case)
    c = Slow(case)
    try:
        c.see("Install a node on this machine", "wrong:")
        c.readable()
        repair_and_take_back(c)
        look_round(c)
        size = len(c.line.raw)
        print(f"# {size} bytes, {size / BYTES:.0f} s of the line", flush=True)
    finally:
        c.close()
    found = [f["id"] for f in case.on("--json", "doctor").json()["findings"]
             if f["severity"] != "info"]
    assert "slot-b" in found, found


if __name__ == "__main__":
    main()
