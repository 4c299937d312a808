# SPDX-License-Identifier: Apache-2.0
"""A time server on the loopback, for a stand-in machine: right, wrong, silent or rude."""
import contextlib
import socket
import struct
import threading
import time

EPOCH = 2208988800                      # from 1900 to 1970


class Ntp:
    """RFC 5905 on the loopback, `off` seconds away from the truth; fault: what it does instead."""

    def __init__(self, case, off=0, fault=None):
        self.off, self.fault, self.asked = off, fault, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        folder = case.machine_dir / "net"
        folder.mkdir(exist_ok=True)
        (folder / "ntp-port").write_text(f"{self.socket.getsockname()[1]}\n")
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):      # it was closed, perhaps before an answer
            while True:
                self.answer(*self.socket.recvfrom(1024))

    def answer(self, data, peer):
        self.asked.append(data)
        if self.fault == "silent":
            return
        stratum = {"kiss": 0, "lost": 16}.get(self.fault, 2)
        origin = b"\x55" * 8 if self.fault == "forged" else data[40:48]
        now = time.time() + self.off + EPOCH
        at = struct.pack(">II", int(now) & 0xffffffff, int(now % 1 * 2**32))
        self.socket.sendto(bytes([0x24, stratum, 6, 0xec]) + bytes(12) + at + origin + at + at,
                           peer)

    def close(self):
        self.socket.close()
