# SPDX-License-Identifier: Apache-2.0
"""What an operator would see: a vt220 screen fed with the bytes of a serial line.

It knows what ncurses sends for TERM=vt220, what GRUB and OVMF send, and answers the questions that
a program asks a terminal (device attributes, cursor position), because a terminal that stays silent
is taken for a dumb one.
"""

ACS = dict(zip("`afgijklmnopqrstuvwxyz{|}~", "+#o+##++++|---|-|+++++<>*!f."))


class Screen:
    def __init__(self, rows=24, columns=80):
        self.rows, self.columns = rows, columns
        self.answer = lambda data: None
        self.cleared = 0                # how often
        self.reset()

    def reset(self):
        self.cells = [[" "] * self.columns for _ in range(self.rows)]
        self.lines = [""] * self.rows   # ... as text, but for those that have changed since
        self.changed = set()
        self.cleared += 1
        self.row = self.column = 0
        self.saved = (0, 0)
        self.top, self.bottom = 0, self.rows - 1
        self.wrap_pending = False
        self.insert = False
        self.cursor_visible = True
        self.charset = {"(": "B", ")": "B"}
        self.shifted = False
        self.state = self._ground
        self.params = ""
        self.utf8 = bytearray()

    # -- what tests ask ---------------------------------------------------------------------

    def line(self, row):
        return "".join(self.cells[row]).rstrip()

    def text(self):
        while self.changed:
            row = self.changed.pop()
            self.lines[row] = self.line(row)
        return "\n".join(self.lines)

    def __contains__(self, text):
        return text in self.text()

    # -- what the line brings ---------------------------------------------------------------

    def feed(self, data):
        for byte in data:
            self.state(byte)

    def _ground(self, byte):
        if byte == 0x1B:
            self.utf8.clear()
            self.state = self._escape
        elif byte < 0x20 or byte == 0x7F:
            self.utf8.clear()
            self._control(byte)
        elif byte < 0x80:
            self._put(chr(byte))
        else:
            self.utf8.append(byte)
            try:
                char = self.utf8.decode("utf-8")
            except UnicodeDecodeError:
                if len(self.utf8) < 4:
                    return
                char = "?"
            self.utf8.clear()
            self._put(char)

    def _control(self, byte):
        if byte == 0x08:
            self.column = max(0, self.column - 1)
            self.wrap_pending = False
        elif byte == 0x09:
            self.column = min(self.columns - 1, (self.column // 8 + 1) * 8)
        elif byte in (0x0A, 0x0B, 0x0C):
            self._line_feed()
        elif byte == 0x0D:
            self.column = 0
            self.wrap_pending = False
        elif byte in (0x0E, 0x0F):
            self.shifted = byte == 0x0E

    def _put(self, char):
        if self.charset[")" if self.shifted else "("] == "0":
            char = ACS.get(char, char)
        if self.wrap_pending:
            self.column = 0
            self._line_feed()
        line = self.cells[self.row]
        self.changed.add(self.row)
        if self.insert:
            line.insert(self.column, " ")
            line.pop()
        line[self.column] = char
        if self.column == self.columns - 1:
            self.wrap_pending = True
        else:
            self.column += 1

    def _line_feed(self):
        self.wrap_pending = False
        if self.row == self.bottom:
            self._scroll(self.top, 1)
        elif self.row < self.rows - 1:
            self.row += 1

    def _scroll(self, top, count):
        """Positive: text moves up. The region ends at the bottom margin."""
        self.changed.update(range(top, self.bottom + 1))
        for _ in range(min(abs(count), self.rows)):
            if count > 0:
                del self.cells[top]
                self.cells.insert(self.bottom, [" "] * self.columns)
            else:
                del self.cells[self.bottom]
                self.cells.insert(top, [" "] * self.columns)

    # -- escape sequences -------------------------------------------------------------------

    def _escape(self, byte):
        char = chr(byte)
        self.state = self._ground
        if char == "[":
            self.params = ""
            self.state = self._csi
        elif char in "()":
            self.params = char
            self.state = self._designate
        elif char in "]P^_":
            self.state = self._string
        elif char == "7":
            self.saved = (self.row, self.column)
        elif char == "8":
            self.row, self.column = self.saved
            self.wrap_pending = False
        elif char == "D":
            self._line_feed()
        elif char == "E":
            self.column = 0
            self._line_feed()
        elif char == "M":
            if self.row == self.top:
                self._scroll(self.top, -1)
            else:
                self.row = max(0, self.row - 1)
        elif char == "c":
            self.reset()
        elif char == "Z":
            self.answer(b"\x1b[?62;1;2c")
        elif char in " #%*+":
            self.state = self._swallow

    def _swallow(self, _):
        self.state = self._ground

    def _designate(self, byte):
        self.charset[self.params] = chr(byte)
        self.state = self._ground

    def _string(self, byte):
        """Titles and the like end with BEL or ESC backslash."""
        if byte == 0x07:
            self.state = self._ground
        elif byte == 0x1B:
            self.state = self._swallow

    def _csi(self, byte):
        if 0x40 <= byte <= 0x7E:
            self.state = self._ground
            self._sequence(chr(byte))
        elif byte == 0x1B:
            self.state = self._escape
        elif byte < 0x20:
            self._control(byte)
        else:
            self.params += chr(byte)

    def _numbers(self, default=1, count=1):
        numbers = []
        for part in self.params.lstrip("?=>").split(";"):
            number = int(part) if part.isdigit() else 0
            numbers.append(number or default)
        return (numbers + [default] * count)[:max(count, len(numbers))]

    def _sequence(self, final):
        n = self._numbers()[0]
        if final in "ABCDEFGdHf`":
            self._move(final, n)
        elif final in "JKX":
            self._erase(final)
        elif final in "LMP@ST":
            self._shift(final, n)
        elif final == "r" and not self.params.startswith("?"):
            top, bottom = self._numbers(0, 2)[:2]
            self.top = max(top, 1) - 1
            self.bottom = min(bottom or self.rows, self.rows) - 1
            self.row = self.column = 0
        elif final in "hl":
            self._mode(final == "h")
        elif final == "c" and not self.params.startswith(">"):
            self.answer(b"\x1b[?62;1;2c")
        elif final == "n" and n == 5:
            self.answer(b"\x1b[0n")
        elif final == "n" and n == 6:
            self.answer(b"\x1b[%d;%dR" % (self.row + 1, self.column + 1))

    def _mode(self, on):
        for number in self.params.lstrip("?").split(";"):
            if self.params.startswith("?") and number == "25":
                self.cursor_visible = on
            elif self.params == "4":
                self.insert = on

    def _move(self, final, n):
        self.wrap_pending = False
        if final in "Hf":
            row, column = self._numbers(1, 2)[:2]
            self.row, self.column = row - 1, column - 1
        elif final == "A":
            self.row -= n
        elif final == "B":
            self.row += n
        elif final == "C":
            self.column += n
        elif final == "D":
            self.column -= n
        elif final == "E":
            self.row, self.column = self.row + n, 0
        elif final == "F":
            self.row, self.column = self.row - n, 0
        elif final in "G`":
            self.column = n - 1
        elif final == "d":
            self.row = n - 1
        self.row = min(max(self.row, 0), self.rows - 1)
        self.column = min(max(self.column, 0), self.columns - 1)

    def _erase(self, final):
        mode = self._numbers(0)[0]
        line = self.cells[self.row]
        self.changed.update(range(self.rows) if final == "J" else [self.row])
        if final == "X":
            last = min(self.columns, self.column + max(mode, 1))
            line[self.column:last] = [" "] * (last - self.column)
            return
        first = self.column if mode == 0 else 0
        last = self.column + 1 if mode == 1 else self.columns
        line[first:last] = [" "] * (last - first)
        if final == "J":
            self.cleared += mode == 2 or (mode, self.row, self.column) == (0, 0, 0)
            whole = range(self.row + 1, self.rows) if mode == 0 else range(self.row)
            for row in range(self.rows) if mode >= 2 else whole:
                self.cells[row] = [" "] * self.columns

    def _shift(self, final, n):
        line = self.cells[self.row]
        self.changed.add(self.row)
        if final == "P":
            del line[self.column:self.column + n]
            line.extend([" "] * (self.columns - len(line)))
        elif final == "@":
            line[self.column:self.column] = [" "] * n
            del line[self.columns:]
        elif final in "LM" and self.top <= self.row <= self.bottom:
            self._scroll(self.row, n if final == "M" else -n)
        elif final in "ST":
            self._scroll(self.top, n if final == "S" else -n)
