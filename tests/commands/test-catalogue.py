# SPDX-License-Identifier: Apache-2.0
"""What people read is in one catalogue, and a catalogue takes the place of all of it.

A made-up translation is compiled with gettext's own tools and bound by the program; and the screens
of every key script are drawn in other letters, so that a text that went past the catalogue can be
read.
"""
import os
import re
import subprocess
import sys
from pathlib import Path

from lib import SOURCE, main, need, test

sys.path.insert(0, str(SOURCE / "tests/lint"))
import catalogue  # noqa: E402  (its place is known only now)

UNIT = Path(os.environ.get("SLIPWAY", "build/release/slipway")).parent / "tests/unit/test-catalogue"


def make_pot(case):
    """As `make pot` does, with the rule's own words."""
    need("xgettext", "msgfmt", "make")
    pot = case.dir / "slipway.pot"
    subprocess.run(["make", "-s", "-C", SOURCE, f"POT={pot}", f"{pot}"], check=True,
                   env=dict(os.environ, MAKEFLAGS="", MAKELEVEL="1"))
    return pot


def translate(pot, po):
    """Every text between angle brackets, inside the line ends that a format check compares."""
    out, kind, text = [], None, []

    def bracket(parts):
        whole = "".join(parts)
        inner = re.fullmatch(r"((?:\\n)*)(.*?)((?:\\n)*)", whole, re.S)
        return f'"{inner[1]}<{inner[2]}>{inner[3]}"' if whole else '""'

    entry = {}
    for line in (pot.read_text() + "\n\n").splitlines():
        match = re.match(r'(msgid|msgid_plural|msgstr(?:\[\d\])?) "(.*)"$', line)
        if match:
            kind = match[1]
            entry[kind] = [match[2]]
        elif line.startswith('"') and kind:
            entry[kind].append(line[1:-1])
        elif not line and "msgid" in entry:
            flags, text = entry.get("#", []), "".join(entry["msgid"])
            out += flags + [f'msgid "{text}"']
            if not text:
                out += ['msgstr "Content-Type: text/plain; charset=UTF-8\\n"',
                        '"Plural-Forms: nplurals=2; plural=n != 1;\\n"']
            elif "msgid_plural" in entry:
                many = entry["msgid_plural"]
                out += [f'msgid_plural "{"".join(many)}"',
                        f"msgstr[0] {bracket(entry['msgid'])}", f"msgstr[1] {bracket(many)}"]
            else:
                out.append(f"msgstr {bracket(entry['msgid'])}")
            out.append("")
            entry, kind = {}, None
        elif line.startswith("#,"):
            entry.setdefault("#", []).append(line)
    po.write_text("\n".join(out) + "\n")


@test("the catalogue is made by xgettext, passes msgfmt, and a translation of it is bound")
def _(case):
    pot, po = make_pot(case), case.dir / "xx.po"
    text = pot.read_text()
    count = len(re.findall(r"^msgid ", text, re.M))
    assert count > 2000, count
    for wanted in ('"Sure?"', "To install, type %s and press Enter.", '"Disk serial"',
                   '"out of memory"', '"the TPM has an owner password"',
                   "Write the new partition table%s", "msgid_plural"):
        assert wanted in text, wanted
    translate(pot, po)
    mo = case.dir / "locale/xx/LC_MESSAGES/slipway.mo"
    mo.parent.mkdir(parents=True)
    subprocess.run(["msgfmt", "-c", "-o", mo, po], check=True, stderr=subprocess.DEVNULL)
    done = subprocess.run([UNIT], capture_output=True, text=True, cwd=SOURCE, check=False,
                          env=dict(os.environ, SW_TEST_LOCALE=str(case.dir / "locale"),
                                   LANGUAGE="xx", LC_ALL="C.UTF-8"))
    assert done.returncode == 0, done.stdout + done.stderr


@test("what the console's rooms say is marked")
def _(case):
    done = subprocess.run([sys.executable, SOURCE / "tests/lint/catalogue.py", "check"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@test("an unmarked text is found, whichever way it is shown")
def _(case):
    source = case.dir / "view.c"
    for line in ('sw_frame_put(f, 0, 0, 8, 0, "disk");', '.title = "Wiping",',
                 'snprintf(b, n, "%zu are left", k);', 'x = ok ? "it is done" : _("it is not");'):
        source.write_text(f"void f(void) {{ {line} }}\n")
        assert list(catalogue.unmarked(source)), line
    for line in ('sw_frame_put(f, 0, 0, 8, 0, _("disk"));', 'strcmp(x, "two words");',
                 'sw_state_notice(s, "It is %s.", x);', 'snprintf(b, n, "%s/%s", x, y);'):
        source.write_text(f"void f(void) {{ {line} }}\n")
        assert not list(catalogue.unmarked(source)), line


def english():
    """What by decision is English on the screen (docs/architecture.md): the backend's sentences
    that no function looks up; and names, of libraries and in the firmware.
    """
    for file in sorted(SOURCE.glob("backend/*/*.[ch]")):
        for _, text, function, argument, _ in catalogue.literals(file.read_text()):
            if not (function in catalogue.MARKS or catalogue.SILENT.match(function) or
                    catalogue.LOOK_UP.get(function) == argument):
                yield re.sub(r"\\.", " ", text)
    # Said in plans and logs.
    yield from (body for _, body in catalogue.defined((SOURCE / "backend/tpm/seal.h").read_text()))
    makefile = (SOURCE / "Makefile").read_text()
    yield from re.findall(r"(?m)^(?:\w*PKGS|ARCHIVE) :=((?:.*\\\n)*.*)", makefile)
    yield from (*catalogue.SAME, "gcc", "clang", "ncursesw", "SlipwayNode")


def typed():
    """What comes from machines and answers; words of plain mode and of scripts, to be typed."""
    files = [*SOURCE.glob("tests/screens/*.json"), *SOURCE.glob("tests/screens/*.yaml"),
             *SOURCE.glob("layouts/*/*")]
    yield from (f.read_text() for f in files if f.is_file())
    for script in SOURCE.glob("tests/screens/*.keys"):
        # The rest says what is to be seen, which is no reason to show it.
        text = script.read_text()
        yield from re.findall(r"(?m)^(?!see |asked |hide |dump |#).*", text)
    yield from ("pen", "redraw")


# A word that nothing has cut, outside of ids and paths.
WORD = re.compile(r"(?<![\w~/?\\-])[A-Za-z]{2,}(?![\w~/?-])")


def runs(line):
    """The words of a line, in pieces that are one text: not across columns, sizes or commas."""
    for run in re.split(r"  +|[^ -~]+|[][,;:()<>\"]|\S*[0-9]\S*", line):
        yield WORD.findall(run)


class Known:
    """Words, and which follow each other, in texts that may be shown in English.

    That each word of a text is somewhere in the backend proves nothing. Its words have to be
    neighbours there as well, or one of them beside what is put into a sentence.
    """
    def __init__(self, texts):
        self.words, self.pairs, self.first, self.last = set(), set(), set(), set()
        for text in texts:
            pieces = [re.findall(r"[A-Za-z]{2,}", piece)
                      for piece in catalogue.CONVERSION.split(text.replace("\0", "%s"))]
            for i, words in enumerate(pieces):
                self.words.update(words)
                self.pairs.update(zip(words, words[1:]))
                # "Format" is put before names, too; "name" is a key of JSON.
                whole = text[:1].isupper() and [words] == pieces and len(words) == 1
                self.first.update(words[:1] if i or whole else ())
                self.last.update(words[-1:] if i < len(pieces) - 1 or whole else ())

    def stray(self, line):
        """The first words of the line that are in none of the texts, or None."""
        for words in runs(line):
            for word in words:
                if word not in self.words:
                    return word
            for a, b in zip(words, words[1:]):
                if not ((a, b) in self.pairs or a in self.last or b in self.first):
                    return f"{a} {b}"
        return None


@test("a text that no catalogue gave is found, though the backend has each of its words")
def _(case):
    known = Known([*english(), *typed()])
    for line in ("Host name", "How the disk is divided", "  Everything on this disk will be lost:",
                 "The machine's own network is kept", "Enter go on  Esc back",
                 "whoever reads the plan"):
        assert known.stray(line), line
    for line in ("state is not encrypted: whoever gets hold of the disk can read it",
                 "+ Fetch and check the payload", "3: nvme0n1 64G, sda 200G, sdb 4G"):
        assert not known.stray(line), (line, known.stray(line))


@test("no screen and no page of lines shows a word that went past the catalogue")
def _(case):
    done = subprocess.run([UNIT], capture_output=True, text=True, cwd=SOURCE, check=False,
                          env=dict(os.environ, SW_LOOKS_INTO=str(case.dir)))
    assert done.returncode == 0, done.stdout + done.stderr
    looks = sorted(case.dir.glob("[0-9]*"))
    assert len(looks) > 100, len(looks)
    known = Known([*english(), *typed()])
    bad, plain = {}, 0
    for look in looks:
        name, *lines = look.read_text().splitlines()
        # Hostile names are cut and spoilt before they are shown.
        for line in lines if "hostile" not in name else ():
            if line.startswith("[cursor"):
                continue
            plain += any(runs(line))
            stray = known.stray(line)
            if stray:
                bad.setdefault(stray, f"{stray!r} in {name}: {line}")
    assert not bad, "\n".join(bad.values())
    assert plain > 500, plain


main()
