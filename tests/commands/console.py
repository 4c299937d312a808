# SPDX-License-Identifier: Apache-2.0
"""The console by keys on a real session: what an operator types, and the screen that answers."""
import os
import pty
import select
import signal
import sys
import time

from lib import SLIPWAY, SOURCE

sys.path.insert(0, str(SOURCE / "tests/vm"))
from screen import Screen       # pylint: disable=wrong-import-position

DOWN, ESC = "\x1b[B", "\x18"


class Console:
    """`slipway console` on a pseudo terminal of 80x24, as an operator sees it."""

    def __init__(self, case, term="vt220"):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = term
            os.execv(SLIPWAY, [SLIPWAY, "--machine", str(case.machine_dir), "console"])
        self.screen = Screen()
        self.screen.answer = lambda data: os.write(self.fd, data)

    def read(self, seconds):
        while select.select([self.fd], [], [], seconds)[0]:
            self.screen.feed(os.read(self.fd, 65536))
            seconds = 0.05

    def see(self, *words, seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end and not all(w in self.screen.text() for w in words):
            self.read(0.2)
        for word in words:
            assert word in self.screen, f"{word!r} did not come:\n{self.screen.text()}"

    def press(self, *keys):
        """What is typed comes one by one, and the screen has answered when this returns."""
        for key in keys:
            os.write(self.fd, key.encode())
            self.read(1)

    def choose(self, text):
        """The first row with it, by a search, and what Enter does with that."""
        self.press("/", *text, "\r", "\r")

    def back(self, title):
        self.press(ESC)
        self.see(title)

    def close(self):
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)
        os.close(self.fd)
