#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a terminal of 80x24 shows after the bytes on stdin, by pyte: run by Debian's own python3."""
import sys

import pyte

screen = pyte.Screen(80, 24)
pyte.ByteStream(screen).feed(sys.stdin.buffer.read())
print("\n".join(line.rstrip() for line in screen.display))
print(f"[cursor {screen.cursor.y} {screen.cursor.x}]")
for y in range(24):
    reverse = "".join(screen.buffer[y][x].data for x in range(80) if screen.buffer[y][x].reverse)
    if reverse:
        print(f"[reverse {y} {reverse.strip()}]")
