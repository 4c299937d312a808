# SPDX-License-Identifier: Apache-2.0
"""What a terminal shows, as a picture, and what zbarimg (a reader of QR codes) reads in it.

A terminal here has colours or has none, and its own are light on dark or dark on light. It knows of
SGR what a QR code on it needs: 0, 7, 30 to 37 and 40 to 47.
"""
import re
from pathlib import Path

from lib import need, tool

LIGHT, DARK = 255, 0
GREY = {0: 0, 7: 229}       # black, and the white that is a light grey
WIDE, HIGH = 6, 12          # pixels of a cell


class Terminal:
    def __init__(self, colours=True, dark_on_light=False):
        self.colours = colours
        self.own = (DARK, LIGHT) if dark_on_light else (LIGHT, DARK)

    def cells(self, text):
        """Rows of (character, ink, ground) of what was printed."""
        ink, ground, reverse, rows = *self.own, False, []
        for line in text.splitlines():
            row = []
            for escape, plain in re.findall(r"\x1b\[([0-9;]*)m|([^\x1b])", line):
                if plain:
                    pair = (ground, ink) if reverse else (ink, ground)
                    row.append((plain, *pair))
                    continue
                for word in map(int, escape.split(";")):
                    if word == 0:
                        ink, ground, reverse = *self.own, False
                    elif word == 7:
                        reverse = True
                    elif self.colours and 30 <= word <= 37:
                        ink = GREY[word - 30]
                    elif self.colours and 40 <= word <= 47:
                        ground = GREY[word - 40]
            rows.append(row)
        return rows

    def picture(self, text, path):
        """A PGM of these lines, on a screen a little larger than they are."""
        rows = self.cells(text)
        wide = max(map(len, rows)) + 4
        blank = (" ", *self.own)
        pixels = bytearray()
        for row in [[]] * 2 + rows + [[]] * 2:
            row = [blank] * 2 + row + [blank] * (wide - 2 - len(row))
            for y in range(HIGH):
                for char, ink, ground in row:
                    inked = char == "█" or char == ("▀" if y < HIGH // 2 else "▄")
                    pixels += bytes([ink if inked else ground]) * WIDE
        height = len(pixels) // (wide * WIDE)
        path.write_bytes(b"P5 %d %d 255\n" % (wide * WIDE, height) + pixels)


def codes_of(text):
    """What was printed, cut into one text for each code."""
    return [piece for piece in re.split(r"(?m)^Report [^\n]*\n", text) if "\x1b[" in piece]


def read(terminal, text, folder):
    """The text of the one QR code on that screen; None when there is none that can be read."""
    need("zbarimg")
    picture = Path(folder) / "screen.pgm"
    terminal.picture(text, picture)
    done = tool("zbarimg", "-q", "--raw", "--nodbus", "-Sdisable", "-Sqrcode.enable", picture,
                check=False)
    picture.unlink()
    lines = done.stdout.splitlines()
    assert len(lines) <= 1, lines
    return lines[0] if lines else None
