# SPDX-License-Identifier: Apache-2.0
"""A program on a pseudo terminal, for tests that cannot look too early and be lucky."""
import codecs
import contextlib
import os
import pty
import select
import signal
import time


class Reader:
    """
    The end of a pseudo terminal at which a test sits. A wait ends right behind its word, whatever
    came with it: that is left to the next wait. So a test that looks for what comes later than
    what it waited for fails each time, and not only when the two came apart.
    """

    piece = 65536       # read at once

    def __init__(self, fd):
        self.fd = fd
        self.decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self.came, self.at = "", 0

    @property
    def shown(self):
        """All up to where the last wait ended."""
        return self.came[:self.at]

    def never(self, *words):
        """None of them has come, not even behind that."""
        for word in words:
            assert word not in self.came, f"{word!r} came:\n{self.came}"

    def wait(self, word, seconds=120):
        """Goes on to the end of the word; what was passed, with it."""
        end = time.monotonic() + seconds
        while (found := self.came.find(word, self.at)) < 0 and time.monotonic() < end:
            if self.listen(0.2) is None:
                break
        assert found >= 0, (f"{word!r} did not come:\n{self.came[self.at:]}\n"
                            f"--- before:\n{self.shown}")
        start, self.at = self.at, found + len(word)
        return self.came[start:self.at]

    def forget(self):
        """What was shown up to here may have been: never() does not look at it."""
        self.came, self.at = self.came[self.at:], 0

    def send(self, text):
        os.write(self.fd, text.encode())

    def rest(self, seconds=120):
        """What else it says until nobody is left to say anything."""
        end = time.monotonic() + seconds
        while self.listen(0.2) is not None:
            assert time.monotonic() < end, f"it does not end:\n{self.came}"
        start, self.at = self.at, len(self.came)
        return self.came[start:]

    def each(self, seconds=120):
        """What was shown so far, with every character that comes, until nobody is left."""
        end = time.monotonic() + seconds
        while True:
            while self.at < len(self.came):
                self.at += 1
                yield self.shown
            assert time.monotonic() < end, f"it does not end:\n{self.came}"
            if self.listen(0.2) is None:
                return

    def listen(self, seconds=0):
        """Keeps what has come for who waits: whether there was something; None: it has ended."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.fd, self.piece)
        except OSError:
            return None
        self.keep(data)
        return True if data else None

    def keep(self, data):
        self.came += self.decoder.decode(data)


class Terminal(Reader):
    """A program at a terminal of its own; `setup` is called in it first."""

    def __init__(self, argv, term="vt220", setup=lambda: None):
        pid, fd = pty.fork()
        if pid == 0:
            try:
                os.environ.update({"TERM": term} if term else {})
                setup()
                os.execvp(argv[0], [str(word) for word in argv])
            finally:
                os._exit(127)       # not another one that runs the tests
        self.pid = pid
        super().__init__(fd)

    def ended(self):
        """It ends by itself, once it is rid of what it has to say: its exit code."""
        self.rest()
        return os.waitstatus_to_exitcode(self._gone())

    def end(self, how=signal.SIGTERM):
        """The status with which it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, how)
        return self._gone()

    def kill(self):
        """It has no chance to wait for somebody who reads."""
        return self.end(signal.SIGKILL)

    def hang_up(self):
        """The line is cut; returns when it is gone."""
        os.close(self.fd)
        os.waitpid(self.pid, 0)

    def _gone(self):
        status = os.waitpid(self.pid, 0)[1]
        os.close(self.fd)
        return status
