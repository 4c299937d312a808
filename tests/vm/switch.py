# SPDX-License-Identifier: Apache-2.0
"""A managed switch between a machine's cards and QEMU's user network, made of frames.

The machine's ports may be a trunk with one tagged VLAN, and a link aggregation by LACP: what is not
tagged as it must be, or comes by a port that is not aggregated, goes nowhere. Behind it is what the
user network has (10.0.2.2 and its IPv6 sibling are this host's loopback), and the switch adds what
that has not: a DHCP option, and TXT records.

Sources: IEEE 802.1Q 9.6 (tag), IEEE 802.1AX 6.4.2 (LACPDU); RFC 2131, 2132 (DHCP); RFC 1035 4
(DNS).
"""

import os
import selectors
import socket
import struct
import threading
import time

SLOW = b"\x01\x80\xc2\x00\x00\x02"              # where LACPDUs go
SYSTEM = b"\x02\x51\x00\x00\x00\x01"            # this switch
KEY = 7                                         # of its aggregation
ACTIVE, SHORT, AGGREGATION, SYNC, COLLECTING, DISTRIBUTING = (1 << n for n in range(6))
WORKS = SYNC | COLLECTING | DISTRIBUTING
EXPIRES = 3 * 30                                # seconds without a LACPDU, with the long timeout


class Card:
    """A port to the machine, and what its partner said last."""

    def __init__(self, name, mac, driver):
        self.name, self.mac, self.driver = name, mac, driver
        self.partner, self.state, self.knows_us, self.heard = None, 0, False, 0
        self.frames, self.plugged = 0, True

    def aggregated(self):
        return self.plugged and self.knows_us and self.state & WORKS == WORKS and \
            time.monotonic() - self.heard < EXPIRES


def tlv_of_port(kind, system, key, port, state):
    return struct.pack(">BBH6sHHHB3x", kind, 20, 0x8000, system, key, 0x8000, port, state)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Udp:
    """An IPv4 UDP frame in its parts, or nothing."""

    def __init__(self, frame):
        self.head = self.data = b""
        self.ports = (0, 0)
        size = 14 + (frame[14] & 15) * 4 if len(frame) > 34 else 0
        if size and frame[12:14] == b"\x08\x00" and frame[23] == 17 and len(frame) >= size + 8:
            self.head = frame[:size]
            self.ports = struct.unpack(">HH", frame[size:size + 4])
            self.data = frame[size + 8:size + struct.unpack(">H", frame[size + 4:size + 6])[0]]

    def frame(self, data, back=False):
        """The same with other data; back: to whom it came from. UDP's sum is left out (RFC 768)."""
        head, ports = bytearray(self.head), self.ports
        if back:
            head[0:6], head[6:12] = self.head[6:12], self.head[0:6]
            head[26:30], head[30:34] = self.head[30:34], self.head[26:30]
            ports = ports[::-1]
        head[16:18] = struct.pack(">H", len(head) - 14 + 8 + len(data))
        head[24:26] = b"\0\0"
        head[24:26] = struct.pack(">H", checksum(bytes(head[14:])))
        return bytes(head) + struct.pack(">HHHH", *ports, 8 + len(data), 0) + data


def dhcp_options(data):
    """{number: value} of a DHCP message."""
    found, at = {}, 240
    while at + 1 < len(data) and data[at] != 255:
        if data[at] == 0:
            at += 1
            continue
        found[data[at]] = data[at + 2:at + 2 + data[at + 1]]
        at += 2 + data[at + 1]
    return found


def with_option(data, number, value):
    """... with one option more, before its end."""
    end = 240
    while data[end] != 255:
        end += 2 + data[end + 1] if data[end] else 1
    return data[:end] + struct.pack("BB", number, len(value)) + value + data[end:]


def question(query):
    """(name, type, the question's bytes)"""
    at, labels = 12, []
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("ascii", "replace"))
        at += 1 + query[at]
    return ".".join(labels).lower(), struct.unpack(">H", query[at + 1:at + 3])[0], query[12:at + 5]


def txt_answer(query, text):
    """A record of 255-byte strings."""
    data = b"".join(struct.pack("B", len(text[n:n + 255])) + text[n:n + 255]
                    for n in range(0, len(text), 255))
    return (query[:2] + struct.pack(">HHHHH", 0x8580, 1, 1, 0, 0) + question(query)[2] +
            struct.pack(">HHHIH", 0xc00c, 16, 1, 60, len(data)) + data)


class Switch:
    """macs: of the machine's cards. vlan: the tag on their ports. options: {number: text} that
    DHCP gives to who asks for them. txt: {name: text}. user: options of QEMU's user network."""

    def __init__(self, directory, macs, driver="virtio-net-pci", vlan=None, lacp=False,
                 options=None, txt=None, user=""):
        self.vlan, self.lacp, self.user = vlan, lacp, user
        self.options, self.txt = options or {}, txt or {}
        self.directory = os.path.join(directory, "switch")
        os.makedirs(self.directory)
        self.cards = [Card("card%d" % n, mac, driver) for n, mac in enumerate(macs)]
        self.dropped = 0
        self._wanted = {}               # a DHCP client's transaction: the options that it asks for
        self._sockets = {}
        self._selector = selectors.DefaultSelector()
        for name in ["site"] + [card.name for card in self.cards]:
            end = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            end.bind(self._path(name, "switch"))
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            self._sockets[name] = end
            self._selector.register(end, selectors.EVENT_READ, name)
        self._stop, self._stopped = os.pipe()
        self._selector.register(self._stop, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self):
        os.close(self._stopped)
        self._thread.join()
        os.close(self._stop)
        self._selector.close()
        for end in self._sockets.values():
            end.close()

    def _path(self, name, side):
        return os.path.join(self.directory, "%s-%s" % (name, side))

    def devices(self):
        """QEMU's arguments for a machine that starts now, with all of its cables in."""
        def wire(name):
            return ["-netdev", "dgram,id=%s,local.type=unix,local.path=%s,remote.type=unix,"
                    "remote.path=%s" % (name, self._path(name, "qemu"), self._path(name, "switch"))]

        args = ["-netdev", "user,id=user%s" % self.user] + wire("site")
        for number, end in enumerate(("user", "site")):
            args += ["-netdev", "hubport,id=hub%d,hubid=0,netdev=%s" % (number, end)]
        for card in self.cards:
            card.plugged, card.knows_us, card.partner = True, False, None
            args += wire(card.name)
            args += ["-device", "%s,id=dev-%s,netdev=%s,mac=%s,romfile=" %
                     (card.driver, card.name, card.name, card.mac)]
        return args

    def pull(self, vm, card):
        """The cable of a card: both of its ends see that."""
        card.plugged, card.knows_us = False, False
        vm.qmp("set_link", name="dev-" + card.name, up=False)

    # -- frames -----------------------------------------------------------------------------

    def _run(self):
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    return
                frame = self._sockets[key.data].recv(65536)
                if key.data == "site":
                    self._to_machine(frame)
                else:
                    card = next(card for card in self.cards if card.name == key.data)
                    self._from_machine(card, frame)

    def _send(self, name, frame):
        try:
            self._sockets[name].sendto(frame, self._path(name, "qemu"))
        except OSError:
            self.dropped += 1           # no machine there, or it is off

    def _from_machine(self, card, frame):
        if not card.plugged:
            return
        card.frames += 1
        if frame[:6] == SLOW and frame[12:15] == b"\x88\x09\x01":
            if self.lacp:
                self._lacp(card, frame)
            return
        if self.lacp and not card.aggregated():
            self.dropped += 1
            return
        if self.vlan is not None:
            kind, tag = struct.unpack(">HH", frame[12:16])
            if kind != 0x8100 or tag & 0xfff != self.vlan:
                self.dropped += 1
                return
            frame = frame[:12] + frame[16:]
        udp = Udp(frame)
        if udp.ports[1] == 67:
            self._wanted[udp.data[4:8]] = set(dhcp_options(udp.data).get(55, b""))
        if udp.ports[1] == 53 and self._dns(udp):
            return
        self._send("site", frame)

    def _to_machine(self, frame):
        udp = Udp(frame)
        if udp.ports[0] == 67:
            data = udp.data
            for number, text in self.options.items():
                if number in self._wanted.get(data[4:8], ()):
                    data = with_option(data, number, text.encode())
            frame = udp.frame(data)
        self._deliver(frame)

    def _deliver(self, frame):
        """To one port of the aggregation: the one that these two addresses always have."""
        ready = [card for card in self.cards if not self.lacp or card.aggregated()]
        if not ready:
            self.dropped += 1
            return
        if self.vlan is not None:
            frame = frame[:12] + struct.pack(">HH", 0x8100, self.vlan) + frame[12:]
        self._send(ready[sum(frame[:12]) % len(ready)].name, frame)

    def _dns(self, udp):
        name, kind, _ = question(udp.data)
        if kind != 16 or name not in self.txt:
            return False
        self._deliver(udp.frame(txt_answer(udp.data, self.txt[name].encode()), back=True))
        return True

    def _lacp(self, card, frame):
        """The partner's view, and ours behind it; both ports must have one partner."""
        system, key = frame[20:26], frame[26:28]
        card.partner, card.state, card.heard = (system, key), frame[32], time.monotonic()
        card.knows_us = frame[40:46] == SYSTEM and frame[46:48] == struct.pack(">H", KEY)
        same = {c.partner for c in self.cards if c.partner}
        state = ACTIVE | SHORT | AGGREGATION | (WORKS if len(same) == 1 else 0)
        port = self.cards.index(card) + 1
        theirs = b"\x02\x14" + frame[18:36]
        pdu = (b"\x01\x01" + tlv_of_port(1, SYSTEM, KEY, port, state) + theirs +
               struct.pack(">BBH12x", 3, 16, 0) + b"\0" * 52)
        mac = SYSTEM[:5] + bytes([port])
        self._send(card.name, SLOW + mac + b"\x88\x09" + pdu)
