# SPDX-License-Identifier: Apache-2.0
"""A UEFI machine in QEMU, and an operator at its serial port.

Everything that a test starts dies with it: QEMU and swtpm run in sessions of their own, are killed
when the test ends, when Python exits, and (PDEATHSIG) when Python is killed.

Facts that cost time to find: never give bootindex= (OVMF then rewrites BootOrder), always give
romfile= (QEMU's iPXE ROM runs first otherwise), and KVM does not run OVMF when nested, so tcg.
"""

import atexit
import contextlib
import ctypes
import fcntl
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import line

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("SLIPWAY_BUILD", os.path.join(ROOT, "build"))
# Limits are written for a machine that has the processors for itself.
PATIENCE = float(os.environ.get("SLIPWAY_VM_PATIENCE", "1"))
# ... and never shorter than this: who passes does not wait for them to end.
AT_LEAST = 120
OVMF = "/usr/share/OVMF"

KEYS = {
    "ENTER": "\r", "ESC": "\x1b", "TAB": "\t", "BACKSPACE": "\x7f", "SPACE": " ",
    "UP": "\x1b[A", "DOWN": "\x1b[B", "RIGHT": "\x1b[C", "LEFT": "\x1b[D",
    "HOME": "\x1b[1~", "INSERT": "\x1b[2~", "DELETE": "\x1b[3~", "END": "\x1b[4~",
    "PGUP": "\x1b[5~", "PGDN": "\x1b[6~",
    # An ESC counts alone only when nothing follows it for a while.
    "BACK": "\x18", "REDRAW": "\x0c",
    "F1": "\x1bOP", "F2": "\x1bOQ", "F3": "\x1bOR", "F4": "\x1bOS",
}

# Until it starts the first program process 1 goes by the name of the idle task.
STALLED = b"INFO: task swapper/0:1 blocked for more than"

_alive = []
_libc = ctypes.CDLL(None, use_errno=True)


class Failure(Exception):
    """A test expectation that was not met, with what the operator saw."""


class Stalled(Failure):
    """The kernel hung before its first program: the emulator lost an interrupt."""


class Skip(Exception):
    """The test cannot run here; the text is the real reason."""


def limit(timeout):
    """The seconds after which something that has to come is given up."""
    return max(timeout, AT_LEAST) * PATIENCE


def _die_with_parent():
    _libc.prctl(1, signal.SIGKILL, 0, 0, 0)     # PR_SET_PDEATHSIG


def spawn(args, **options):
    """Starts a process that cannot outlive this one."""
    process = subprocess.Popen(args, start_new_session=True, preexec_fn=_die_with_parent,
                               stdin=subprocess.DEVNULL, **options)
    _alive.append(process)
    return process


def reap(process):
    if process in _alive:
        _alive.remove(process)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _reap_all():
    for process in list(_alive):
        reap(process)


atexit.register(_reap_all)


def drawn():
    """A generator whose seed changes each run, is printed, and is repeated by SLIPWAY_SEED."""
    seed = int(os.environ.get("SLIPWAY_SEED") or random.SystemRandom().randrange(1 << 32))
    print("# seed %d (SLIPWAY_SEED=%d repeats it)" % (seed, seed), flush=True)
    return random.Random(seed)


def build_file(name):
    """A file of the build directory, or a skip that says which command makes it."""
    path = os.path.join(BUILD, name)
    if not os.path.exists(path):
        raise Skip("%s is not built (make iso)" % name)
    return path


@contextlib.contextmanager
def alone(directory):
    """One of the tests that run at the same time makes what all of them use."""
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, ".lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# Of QEMU's processors the one that costs the least where all of it is played by a program: SHA-256
# by vector instructions takes three times as long as without them.
PLAIN_CPU = "qemu64,+rdrand"


class Machine:
    """What stays when the power goes: disks, boot variables, TPM state; and its processor."""

    def __init__(self, directory, secure_boot=False, tpm=False):
        self.directory, self.secure_boot, self.tpm = directory, secure_boot, tpm
        self.cpu = "max"
        os.makedirs(directory, exist_ok=True)
        self.disks = []
        self.vars = os.path.join(directory, "vars.fd")
        self.wipe_nvram()

    def wipe_nvram(self):
        """The boot variables of a new board (with Microsoft's keys when Secure Boot is on)."""
        name = "OVMF_VARS_4M.ms.fd" if self.secure_boot else "OVMF_VARS_4M.fd"
        shutil.copyfile(os.path.join(OVMF, name), self.vars)

    def firmware(self):
        code = "OVMF_CODE_4M.secboot.fd" if self.secure_boot else "OVMF_CODE_4M.fd"
        return [
            "-machine", "q35,accel=tcg,smm=%s" % ("on" if self.secure_boot else "off"),
            "-global", "driver=cfi.pflash01,property=secure,value=%s"
            % ("on" if self.secure_boot else "off"),
            "-drive", "if=pflash,format=raw,unit=0,readonly=on,file=" + os.path.join(OVMF, code),
            "-drive", "if=pflash,format=raw,unit=1,file=" + self.vars,
        ]

    @staticmethod
    def _backend(name, disk):
        if not disk.log:
            rate = ",throttling.bps-write=%d" % disk.rate if disk.rate else ""
            return ["-drive", "if=none,id=%s,format=raw,file=%s%s" % (name, disk.path, rate)]
        with open(disk.log, "wb"):
            pass
        return ["-blockdev", "driver=file,node-name=%s-file,filename=%s" % (name, disk.path),
                "-blockdev", "driver=file,node-name=%s-log,filename=%s" % (name, disk.log),
                "-blockdev", "driver=blklogwrites,node-name=%s,file=%s-file,log=%s-log,"
                "log-sector-size=512" % (name, name, name)]

    def storage(self, iso, iso_bus):
        args = ["-device", "qemu-xhci,id=xhci"]
        port = 0
        if iso:
            args += ["-drive", "if=none,id=iso,format=raw,readonly=on,file=" + iso]
            if iso_bus in ("usb", "usb-first"):    # first: before a disk that starts as well
                args += ["-device", "usb-storage,bus=xhci.0,drive=iso,serial=STICK01,removable=on"
                         + (",bootindex=0" if iso_bus == "usb-first" else "")]
            else:
                args += ["-device", "ide-cd,bus=ide.0,drive=iso"]
                port = 1
        for number, disk in enumerate(self.disks):
            name = "disk%d" % number
            args += self._backend(name, disk)
            size = "logical_block_size=%d,physical_block_size=%d" % (disk.sector, disk.sector)
            common = "id=dev-%s,drive=%s,serial=%s" % (name, name, disk.serial)
            if disk.bus == "nvme":
                args += ["-device", "nvme,%s,%s" % (common, size)]
            elif disk.bus == "virtio":
                args += ["-device", "virtio-blk-pci,%s,%s" % (common, size)]
            elif disk.bus == "scsi":
                args += ["-device", "virtio-scsi-pci,id=scsi%d" % number,
                         "-device", "scsi-hd,bus=scsi%d.0,%s,%s" % (number, common, size)]
            elif disk.bus == "usb":
                args += ["-device", "usb-storage,bus=xhci.0,%s,removable=%s"
                         % (common, "on" if disk.removable else "off")]
            else:
                args += ["-device", "ide-hd,bus=ide.%d,%s" % (port, common)]
                port += 1
        return args


class Vm:
    """One power-on of a machine. Use as a context manager; the power is cut at its end."""

    def __init__(self, machine, iso=None, iso_bus="cdrom", kernel=None, initrd=None, append="",
                 memory=768, cpus=2, reboot=True, network=True, screen_size=(24, 80), devices=()):
        self.machine, self.memory, self.cpus = machine, memory, cpus
        self.iso, self.iso_bus = iso, iso_bus
        self.kernel, self.initrd, self.append = kernel, initrd, append
        self.reboot, self.network, self.devices = reboot, network, devices
        self.line = line.Line(*screen_size, self._write)
        self.screen = self.line.screen
        self.position = self._searched = 0
        self.resets = 0
        self.started = self._fresh = None
        self._changed = threading.Condition()
        self._ended = self._cut = False

    # -- power ------------------------------------------------------------------------------

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="vm-", dir=self.machine.directory)
        serial, qmp = self._path("serial"), self._path("qmp")
        args = ["qemu-system-x86_64", "-nodefaults", "-cpu", self.machine.cpu,
                "-m", str(self.memory), "-smp", str(self.cpus), "-display", "none", "-vga", "std",
                "-device", "virtio-rng-pci"]
        args += self.machine.firmware() + self.machine.storage(self.iso, self.iso_bus)
        args += self._tpm() + list(self.devices)
        args += ["-chardev", "socket,id=serial,path=%s,server=on,wait=on" % serial,
                 "-serial", "chardev:serial", "-qmp", "unix:%s,server=on,wait=off" % qmp]
        if self.network:
            args += ["-netdev", "user,id=net",
                     "-device", "virtio-net-pci,netdev=net,romfile=,mac=52:54:00:12:34:56"]
        if self.kernel:
            args += ["-kernel", self.kernel, "-initrd", self.initrd, "-append", self.append]
        if not self.reboot:
            args.append("-no-reboot")
        self.started = self._fresh = time.monotonic()
        self._log = open(self._path("qemu.log"), "wb")
        self.process = spawn(args, stdout=self._log, stderr=self._log)
        self._serial = self._connect(serial)
        self._start_qmp(self._connect(qmp))
        self._log_of_line = open(self._path("serial.log"), "wb", buffering=0)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_):
        self.cut_power()
        self._log.close()
        self._log_of_line.close()

    def cut_power(self):
        """As if the plug were pulled: nothing gets a chance to finish."""
        reap(self.process)
        with contextlib.suppress(OSError):
            self._serial.shutdown(socket.SHUT_RDWR)
        self._reader.join(60)
        self.line.all()
        self._serial.close()
        self._qmp.close()
        if self._swtpm:
            reap(self._swtpm)

    def _path(self, name):
        return os.path.join(self.directory, name)

    def _tpm(self):
        self._swtpm = None
        if not self.machine.tpm:
            return []
        state = os.path.join(self.machine.directory, "tpm")
        os.makedirs(state, exist_ok=True)
        path = self._path("tpm")
        self._swtpm = spawn(["swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + state,
                             "--ctrl", "type=unixio,path=" + path, "--terminate"])
        self._wait_for(lambda: os.path.exists(path), 10, "swtpm's socket")
        return ["-chardev", "socket,id=tpm,path=" + path, "-tpmdev", "emulator,id=tpm0,chardev=tpm",
                "-device", "tpm-crb,tpmdev=tpm0"]

    def _connect(self, path):
        deadline = time.monotonic() + limit(20)
        while True:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(path)
                return connection
            except OSError:
                connection.close()
                if self.process.poll() is not None or time.monotonic() > deadline:
                    with open(self._path("qemu.log"), errors="replace") as log:
                        raise Failure("QEMU did not start: " + log.read()) from None
                time.sleep(0.02)

    # -- QEMU's own events ------------------------------------------------------------------

    def _start_qmp(self, connection):
        self._qmp = connection
        self._replies = []
        threading.Thread(target=self._read_qmp, args=(connection.makefile("rb"),),
                         daemon=True).start()
        self.qmp("qmp_capabilities")

    def _read_qmp(self, stream):
        with contextlib.suppress(OSError, ValueError):
            for line in stream:
                message = json.loads(line)
                with self._changed:
                    if message.get("event") == "RESET":
                        self.resets += 1
                        self._fresh = time.monotonic()
                    elif "return" in message or "error" in message:
                        self._replies.append(message)
                    self._changed.notify_all()

    def qmp(self, command, **arguments):
        request = {"execute": command}
        if arguments:
            request["arguments"] = arguments
        self._replies.clear()
        self._qmp.sendall(json.dumps(request).encode() + b"\n")
        with self._changed:
            if not self._changed.wait_for(lambda: self._replies, limit(20)):
                raise Failure("QEMU does not answer to " + command)
            reply = self._replies[0]
        if "error" in reply:
            raise Failure("QEMU: %s: %s" % (command, reply["error"].get("desc")))
        return reply["return"]

    def press_power(self):
        self.qmp("system_powerdown")

    def ctrl_alt_del(self):
        self.qmp("send-key", keys=[{"type": "qcode", "data": key}
                                   for key in ("ctrl", "alt", "delete")])

    # -- the screen and the keyboard --------------------------------------------------------

    def press(self, *codes):
        """Keys of the machine's own keyboard, by QEMU's names: "a", "down", "ret"."""
        for code in codes:
            self.qmp("send-key", keys=[{"type": "qcode", "data": code}])
            time.sleep(0.15)

    def picture(self):
        """What a monitor shows: (width, height, RGB bytes); kept in $SLIPWAY_VM_PICTURES."""
        path = self._path("screen.ppm")
        self.qmp("screendump", filename=path)
        if os.environ.get("SLIPWAY_VM_PICTURES"):
            shutil.copy(path, os.environ["SLIPWAY_VM_PICTURES"])
        with open(path, "rb") as file:
            kind, size, _, pixels = file.read().split(b"\n", 3)
        if kind != b"P6":
            raise Failure("QEMU's picture is a %r" % kind)
        width, height = (int(n) for n in size.split())
        return width, height, pixels

    # -- the serial line --------------------------------------------------------------------

    def _read(self):
        while True:
            try:
                data = self._serial.recv(65536)
            except OSError:
                data = b""
            with self._changed:
                if not data:
                    self._ended = self._ended or not self._cut
                else:
                    self._log_of_line.write(data)
                    self.line.receive(data)
                self._changed.notify_all()
            if not data:
                return
            # The emulator sends most bytes alone: what comes meanwhile is read at once.
            time.sleep(0.002)

    def cut_serial(self):
        """The cable is pulled: what the machine sends is lost, and it hears nothing."""
        reader, self._cut = self._reader, True
        with contextlib.suppress(OSError):
            self._serial.shutdown(socket.SHUT_RDWR)
        reader.join(60)
        self._serial.close()

    def mend_serial(self):
        self._serial = self._connect(self._path("serial"))
        self._cut = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _write(self, data):
        with contextlib.suppress(OSError):
            self._serial.sendall(data)

    def send(self, *keys, pause=0.03):
        """Each argument is a key name of KEYS or text to type; text goes a character at a time."""
        for item in keys:
            for key in [KEYS[item]] if item in KEYS else item:
                self._write(key.encode())
                time.sleep(pause)

    def press_until(self, key, *texts, timeout=60):
        """A key that is heard only for a moment, again and again until one of texts has come."""
        deadline, pause = time.monotonic() + limit(timeout), 0
        while not self._look(lambda: any(self._after(text) for text in texts), pause):
            if self._ended or time.monotonic() > deadline:
                raise self.failure("%r led to none of %r" % (key, list(texts)))
            self.send(key, pause=0)
            pause = 0.3

    def mark(self):
        """Later raw expectations look only at what comes after this point."""
        self.position = self.here()

    def here(self):
        """How much of the plain text was looked at."""
        return len(self.line.text)

    def plain(self, start=0, end=None):
        """What was looked at, without escape sequences and carriage returns."""
        return bytes(self.line.text[start:end]).decode("utf-8", "replace")

    def expect(self, *texts, timeout=60):
        """Waits until one of texts is on the screen or came over the line; returns which one.

        This and all that wait return at the first byte with which it holds: what comes behind that
        byte is seen by who waits for it, and by nobody else (see line.py).
        """
        return self._await(texts, timeout, lambda text: text in self.screen or
                           self._after(text))

    def expect_raw(self, *texts, timeout=60):
        """Only what came over the line since the mark; moves the mark right behind it."""
        found = self._await(texts, timeout, self._after)
        self.position = self.line.text.find(found.encode(), self.position) + len(found.encode())
        return found

    def expect_screen(self, *texts, timeout=60):
        return self._await(texts, timeout, lambda text: text in self.screen)

    def appears(self, text, timeout):
        """Whether it comes onto the screen in time, for who tries something else otherwise."""
        return self._look(lambda: text in self.screen, timeout * PATIENCE)

    def expect_gone(self, text, timeout=60):
        self._await([text], timeout, lambda wanted: wanted not in self.screen)

    def _after(self, text):
        return self.line.text.find(text.encode(), self.position) >= 0

    def _look(self, check, timeout):
        """Reads on until check() holds; False: the time is over, or nothing more can come."""
        deadline = time.monotonic() + timeout
        while not check():
            if self.line.step():
                continue
            left = deadline - time.monotonic()
            with self._changed:
                if left <= 0 or not self._changed.wait_for(
                        lambda: self.line.waits() or self._ended or self._has_stalled(), left) or \
                   not self.line.waits():
                    return False
        return True

    def _await(self, texts, timeout, test):
        timeout = limit(timeout)
        found = []

        def check():
            found.extend(text for text in texts if test(text))
            return bool(found)

        if self._look(check, timeout):
            return found[0]
        what = "the machine went off" if self._ended else "%g s passed" % timeout
        raise self.failure("%s before any of %r was seen" % (what, list(texts)))

    def wait_quiet(self, seconds):
        """Until nothing has come over the line for so long. A machine under load is quiet in the
        middle of a drawing, too: what must be seen has to be waited for afterwards."""
        with self._changed:
            while self._changed.wait_for(lambda seen=len(self.line.raw): self._ended or
                                         len(self.line.raw) != seen, seconds) and not self._ended:
                pass
        self.line.all()

    def redraw(self):
        """Of the console, by ^L: afterwards one whole frame stands on the screen, in which all that
        was typed has been answered. Its last line is drawn last."""
        before = self.screen.cleared
        self.send("REDRAW", pause=0)
        if not self._look(lambda: self.screen.cleared > before and
                          self.screen.line(self.screen.rows - 1), limit(60)):
            raise self.failure("the console was not drawn anew")

    def wait_reset(self, count=1, timeout=120):
        timeout = limit(timeout)
        with self._changed:
            if not self._changed.wait_for(lambda: self.resets >= count or self._ended, timeout) \
               or self.resets < count:
                raise self.failure("no reset within %g s" % timeout)
        self.line.all()

    def wait_off(self, timeout=120):
        timeout = limit(timeout)
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise self.failure("still running after %g s" % timeout) from None
        self._reader.join(60)
        self.line.all()

    def wait_written(self, disk, size, timeout=120):
        """Until the disk's image has grown by size bytes: a moment inside an install."""
        before = disk.written()
        self._wait_for(lambda: disk.written() - before >= size, timeout,
                       "%d bytes on %s" % (size, disk.serial))

    def _wait_for(self, test, timeout, what):
        timeout = limit(timeout)
        deadline = time.monotonic() + timeout
        while not test():
            if time.monotonic() > deadline:
                raise self.failure("no %s within %g s" % (what, timeout))
            if not self.line.step():
                time.sleep(0.005)

    def run(self, command, timeout=30):
        """A command in a shell that is at its prompt: its output, and Failure on a bad status. The
        shell is at its prompt again afterwards, so that it echoes nothing twice."""
        self.mark()
        self.send(command + "; echo end=$?=\r", pause=0.004)
        if not self._look(lambda: self.line.text.endswith(b"# ") and
                          self._end_of_command(rb"\n.*\Z"), limit(timeout)):
            raise Failure("no end of %r\n%s" % (command, self.report()))
        match = self._end_of_command()
        text = self.plain(self.position, match.start())
        if match.group(1) != b"0":
            raise Failure("%r: status %s\n%s" % (command, match.group(1).decode(), text))
        return text.split("\n", 1)[-1]

    def _end_of_command(self, behind=rb""):
        return re.compile(rb"^end=(\d+)=" + behind, re.M | re.S).search(self.line.text,
                                                                       self.position)

    def _has_stalled(self):
        found = self.line.raw.find(STALLED, self._searched)
        if found < 0:
            self._searched = max(0, len(self.line.raw) - len(STALLED))
        return found >= 0

    def failure(self, what):
        """What to raise for an expectation that was not met.

        A kernel tells of a hang at its second look, 240 s after it started: that is waited for.
        """
        with self._changed:
            left = self._fresh + 260 - time.monotonic() if self._fresh else 0
            self._changed.wait_for(lambda: self._ended or self._has_stalled(), max(left, 0))
            kind = Stalled if self._has_stalled() else Failure
        return kind("%s\n%s" % (what, self.report()))

    def seconds(self):
        return time.monotonic() - self.started

    def report(self):
        self.line.all()
        lines = self.plain()[-1500:].split("\n")[-20:]
        return "--- screen ---\n%s\n--- line ---\n%s" % (self.screen.text().rstrip(),
                                                         "\n".join(lines))
