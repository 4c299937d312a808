# SPDX-License-Identifier: Apache-2.0
"""The console by keys on a real session: what an operator types, and the screen that answers."""
import os
import sys
import time

from lib import SLIPWAY, SOURCE
from terminal import Terminal

sys.path.insert(0, str(SOURCE / "tests/vm"))
from line import Line           # pylint: disable=wrong-import-position

DOWN, ESC = "\x1b[B", "\x18"


class Console(Terminal):
    """
    `slipway console` on a terminal of 80x24. Its screen is what see() has looked at, and that
    stops with the byte that brings the last of its words; press() does not look at all. So a test
    sees the least that it can count on, and one that looks too early fails each time.
    """

    def __init__(self, case, term="vt220"):
        super().__init__([SLIPWAY, "--machine", case.machine_dir, "console"], term=term)
        self.line = Line(24, 80, lambda data: os.write(self.fd, data))
        self.screen = self.line.screen

    def keep(self, data):
        self.line.receive(data)

    def see(self, *words, seconds=120):
        self._look(lambda: not all(word in self.screen for word in words),
                   f"{words} did not come", seconds)

    def _look(self, go_on, complaint, seconds):
        end = time.monotonic() + seconds
        while go_on():
            while not self.line.step():
                assert time.monotonic() < end and self.listen(0.2) is not None, \
                    f"{complaint}:\n{self.screen.text()}"

    def press(self, *keys):
        """Where a key typed too early would be lost, who presses it has to see() first."""
        for key in keys:
            self.send(key)

    def redraw(self):
        """By ^L: one whole frame stands on the screen, in which all that was typed is answered."""
        before = self.screen.cleared
        self.press("\f")
        self._look(lambda: self.screen.cleared == before or not self.screen.line(23),
                   "the console was not drawn anew", 120)

    def choose(self, text):
        """The first row with it, by a search, and what Enter does with that."""
        self.press("/", *text, "\r", "\r")
        self.redraw()

    def back(self, title):
        """A page back, which has this title."""
        self.press(ESC)
        self.see(title)
        self.redraw()

    def close(self):
        self.end()
