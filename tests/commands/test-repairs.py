# SPDX-License-Identifier: Apache-2.0
"""Each kind of repair in the source is known here, with the test that cuts it off at its writes.

A function that makes a repair and is not in the list fails, so that a new kind gets its cuts.
"""
import re

from lib import SOURCE, main, same, test

DAMAGES, FSCK = "tests/lib/damage.c", "tests/commands/test-fsck.py"
EXTRAS, SEALS = "tests/unit/test-rescue-extras.c", "tests/unit/test-rescue-seals.c"
# Who takes each damage of a table to damage_cut().
CUTS = {DAMAGES: ("tests/unit/test-rescue.c", "damages"), EXTRAS: (EXTRAS, "extras"),
        SEALS: (SEALS, "seals")}

# "file: function": (where its cuts are, a line there that would go with them)
ENUMERATED = {
    "table.c: add_image": (DAMAGES, '.id = "gpt-primary"'),
    "rebuild.c: add_table": (DAMAGES, '.id = "gpt-lost"'),
    "node.c: slot_repair": (DAMAGES, '.id = "slot-b"'),
    "node.c: examine_data": (DAMAGES, '.id = "node-data-copy"'),
    "slot-image.c: sw_rescue_offer_image": (DAMAGES, ".image = true"),
    "overlay.c: add_repair": (DAMAGES, '.id = "overlay-b-copy"'),
    "boot.c: add_keep": (DAMAGES, '.id = "boot-order"'),
    "boot.c: put_next": (DAMAGES, '.id = "boot-next"'),
    "boot.c: dangling": (DAMAGES, '.id = "entry-0055"'),
    "memtest.c: finding": (DAMAGES, '.id = "memtest-entry"'),
    "dumps.c: add_repair": (DAMAGES, '.id = "nvram-dumps"'),
    "fsck.c: sw_repair_fsck": (FSCK, "cut off anywhere the repair is repeated"),
    "extras.c: add_repair": (EXTRAS, '.id = "rescue"'),
    "sealed-repair.c: sw_seal_repair_part": (SEALS, '.id = "seal-state"'),
    "sealed-repair.c: sw_seal_repair_secret": (SEALS, '.id = "secret-"'),
}

# Without a test of its own that cuts it, and why.
NOT_CUT = {
    "admission.c: add_repair": "it writes to no disk of the node",
    "ask-clock.c: add_repair": "it sets the clock, and writes to no disk",
}


def makers():
    """The functions that begin a repair."""
    found = set()
    for path in sorted((SOURCE / "backend/rescue").glob("*.c")):
        function = None
        for line in path.read_text().splitlines():
            begin = re.match(r"[a-z].*?\*?(\w+)\(", line)
            function = begin.group(1) if begin else function
            if "sw_finding_repair(" in line and line[0] == "\t":
                found.add(f"{path.name}: {function}")
    return found


@test("each kind of repair has a test that cuts it off, or says why not")
def _(_case):
    same(sorted(makers()), sorted({**ENUMERATED, **NOT_CUT}), "what makes repairs")
    assert not set(ENUMERATED) & set(NOT_CUT)


@test("what cuts them is still there, and takes each of its list")
def _(_case):
    for kind, (file, words) in ENUMERATED.items():
        assert words in (SOURCE / file).read_text(), f"{kind}: no {words!r} in {file}"
    for table, (file, name) in CUTS.items():
        cuts = (SOURCE / file).read_text()
        assert re.search(rf"i < (n_{name}|ARRAY_SIZE\({name}\)); i \+= step\)", cuts) and \
            f"damage_cut(&healthy, &{name}[i])" in cuts, f"no cuts of {table} in {file}"


if __name__ == "__main__":
    main()
