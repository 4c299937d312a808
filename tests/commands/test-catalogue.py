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
                   '"out of memory"', "Write the new partition table%s", "msgid_plural"):
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


def spoken():
    """What the console's rooms hold as text, without conversions and line ends."""
    for room in catalogue.CONSOLE:
        for file in sorted((SOURCE / room).glob("*.c")):
            for _, text, function, _, _ in catalogue.literals(file.read_text()):
                if "\0" in text or catalogue.SILENT.match(function):
                    continue
                yield from re.split(r"%[-\d.*]*[a-z]+|\\n", text)


def bare(text):
    return re.sub(" +", " ", text).strip(" .,:;?()[]'-")


def given():
    """What comes from outside the console's rooms: machines, answers, scripts, the backend."""
    files = [*SOURCE.glob("tests/screens/*.json"), *SOURCE.glob("tests/screens/*.yaml"),
             *SOURCE.glob("tests/screens/*.keys"), *SOURCE.glob("layouts/*/*"),
             *SOURCE.glob("backend/*/*.[ch]")]
    # Words to type; of what it is made.
    same = [*catalogue.SAME, "pen redraw", "gcc clang ncursesw"]
    return "\n".join([f.read_text() for f in files if f.is_file()] + same)


# Words that nothing has cut, outside of ids, paths and what hostile names become.
WORD = re.compile(r"(?<![\w~/?-])[A-Za-z]{3,}(?![\w~/?-])")


@test("no screen and no page of lines shows a word that went past the catalogue")
def _(case):
    done = subprocess.run([UNIT], capture_output=True, text=True, cwd=SOURCE, check=False,
                          env=dict(os.environ, SW_LOOKS_INTO=str(case.dir)))
    assert done.returncode == 0, done.stdout + done.stderr
    looks = sorted(case.dir.glob("[0-9]*"))
    assert len(looks) > 100, len(looks)
    outside = given()
    known = set(re.findall(r"[A-Za-z]+", outside))
    own = {t for t in (bare(text) for text in spoken()) if len(t) > 2}
    shown = {}
    for look in looks:
        name, *lines = look.read_text().splitlines()
        for line in lines:
            if line.startswith("[cursor"):
                continue
            for run in re.findall(r"[A-Za-z][A-Za-z ,.'/()-]*[A-Za-z]", line):
                shown.setdefault(bare(run), f"{name}: {line}")
    bad = [f"{run!r} in {where}" for run, where in shown.items()
           if (run in own and run not in outside)
           or [w for w in WORD.findall(where) if w in run and w not in known
               and "hostile" not in where]]
    assert not bad, "\n".join(bad)
    assert len(shown) > 50


main()
