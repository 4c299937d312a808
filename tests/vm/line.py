# SPDX-License-Identifier: Apache-2.0
"""A serial line that is read no further than somebody looks.

What is received waits. Who waits for a text is shown one byte or escape sequence after the other,
and what came behind the text stays for who looks next. So a test sees at each of its lines the
least that it can count on, however fast the machine or slow the reader: one that needs what is
drawn a moment later fails every time, and not once in a thousand runs.
"""

import re

import screen

# What plain text is without: ncurses', GRUB's and the firmware's sequences, and carriage returns.
SEQUENCE = re.compile(rb"\x1b(?:\[[0-9;?=>]*[@-~]|[()].|[78=>DEMc])", re.S)
BEGUN = re.compile(rb"\x1b(?:\[[0-9;?=>]*|[()])?\Z")
ESCAPE, RETURN = 0x1B, 0x0D


class Line:
    """receive() is for the thread that listens, all else for the one that looks.

    answer: what takes the terminal's answers. A program asks what its terminal is, and waits for
    the answer also while nobody looks; so a terminal of its own, which has seen everything that
    was received, gives them.
    """

    def __init__(self, rows, columns, answer):
        self.screen = screen.Screen(rows, columns)      # what was looked at
        self.text = bytearray()                         # ... as plain text
        self.raw = bytearray()                          # all that was received
        self._terminal = screen.Screen(rows, columns)
        self._terminal.answer = answer
        self._taken = 0                                 # of raw
        self._unread, self._at = b"", 0

    def receive(self, data):
        self.raw += data
        self._terminal.feed(data)

    def step(self):
        """Looks at the next byte or escape sequence; False: no whole one is there."""
        size = self._next()
        if not size:
            data = bytes(self.raw[self._taken:])
            self._unread, self._at = self._unread[self._at:] + data, 0
            self._taken += len(data)
            size = self._next()
        if not size:
            return False
        first = self._unread[self._at]
        self.screen.feed(self._unread[self._at:self._at + size])
        self._at += size
        if size == 1 and first not in (ESCAPE, RETURN):
            self.text.append(first)
        return True

    def waits(self):
        """Whether something was received that step() has not been offered."""
        return self._taken < len(self.raw)

    def all(self):
        while self.step():
            pass

    def _next(self):
        """The bytes of what comes next; 0: nothing is there, or not all of a sequence."""
        if self._at == len(self._unread):
            return 0
        if self._unread[self._at] != ESCAPE:
            return 1
        match = SEQUENCE.match(self._unread, self._at)
        if match:
            return match.end() - self._at
        return 0 if BEGUN.match(self._unread, self._at) else 1
