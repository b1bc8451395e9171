"""Frames on the controller's line: boundaries, COBS, check sum and tag. Pure.

 1. A frame is 00, the COBS form of a packet, 00. A packet has at most ``MOST_BYTES``; a longer run
    is skipped up to the next 00, so the receiver's memory is bounded whatever arrives.
 2. The check sum tells noise from attack, nothing more. The tag alone says who sent a packet, and
    only ``Packet.tagged_by`` compares it, in constant time.
 3. What is not a whole packet of this version is noise: dropped, counted and never answered.

The host's own implementation of sections 2 and 3 of firmware/PROTOCOL.md, bound to the controller's
by firmware/vectors.json. COBS: Cheshire and Baker, IEEE/ACM Transactions on Networking 7(2), 1999.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from binascii import crc32
from dataclasses import dataclass

VERSION = 1
MOST_BYTES = 128
MOST_ON_THE_LINE = 130  # the COBS form of the longest packet
KEY_BYTES = 32
TAG_BYTES = 8

_HEAD = struct.Struct("<BBI")  # version, type, counter
_CRC = struct.Struct("<I")
_FEWEST_BYTES = _HEAD.size + TAG_BYTES + _CRC.size
_FULL_BLOCK = 254
_LINE_END = 0


@dataclass(frozen=True, slots=True)
class Packet:
    """A whole packet whose check sum is right. Whose it is, only ``tagged_by`` says."""

    type: int
    counter: int
    body: bytes
    tag: bytes

    def tagged_by(self, key: bytes) -> bool:
        """True where a holder of this key made the packet."""
        return hmac.compare_digest(self.tag, tag(key, _text(self.type, self.counter, self.body)))


class Receiver:
    """Cuts what the line brings into packets, however it is cut up on the way."""

    def __init__(self) -> None:
        self.noise = 0
        """Runs that were no packet of this version."""
        self._run = bytearray()
        self._too_long = False

    def feed(self, arrived: bytes) -> list[Packet]:
        """The packets that these bytes complete, oldest first."""
        packets = []
        *ended, rest = arrived.split(b"\0")
        for part in ended:
            self._extend(part)
            packet = self._end_run()
            if packet is not None:
                packets.append(packet)
        self._extend(rest)
        return packets

    def _extend(self, part: bytes) -> None:
        if len(self._run) + len(part) > MOST_ON_THE_LINE:
            self._too_long = True
            self._run.clear()
        if not self._too_long:
            self._run += part

    def _end_run(self) -> Packet | None:
        run, too_long = bytes(self._run), self._too_long
        self._run.clear()
        self._too_long = False
        if not run and not too_long:
            return None  # boundaries in a row are one
        packet = None if too_long else parse(run)
        self.noise += packet is None
        return packet


def frame(key: bytes, kind: int, counter: int, body: bytes) -> bytes:
    """What goes out on the line, boundaries included."""
    text = _text(kind, counter, body)
    tagged = text + tag(key, text)
    packet = tagged + _CRC.pack(crc32(tagged))
    if len(packet) > MOST_BYTES:
        raise ValueError("a packet has at most 128 bytes")
    return b"\0" + cobs_encode(packet) + b"\0"


def parse(run: bytes) -> Packet | None:
    """The packet between two boundaries; None for noise."""
    packet = cobs_decode(run)
    if packet is None or not _FEWEST_BYTES <= len(packet) <= MOST_BYTES:
        return None
    tagged, (check,) = packet[: -_CRC.size], _CRC.unpack(packet[-_CRC.size :])
    version, kind, counter = _HEAD.unpack_from(packet)
    if check != crc32(tagged) or version != VERSION:
        return None
    return Packet(kind, counter, tagged[_HEAD.size : -TAG_BYTES], tagged[-TAG_BYTES:])


def mac(key: bytes, text: bytes) -> bytes:
    """HMAC-SHA256, all 32 bytes."""
    return hmac.digest(key, text, hashlib.sha256)


def tag(key: bytes, text: bytes) -> bytes:
    return mac(key, text)[:TAG_BYTES]


def cobs_encode(plain: bytes) -> bytes:
    """The same bytes without any 00."""
    coded = bytearray()
    blocks = plain.split(b"\0")
    for number, block in enumerate(blocks, 1):
        for start in range(0, len(block), _FULL_BLOCK):
            part = block[start : start + _FULL_BLOCK]
            coded.append(len(part) + 1)
            coded += part
        ends_full = bool(block) and number == len(blocks)
        if len(block) % _FULL_BLOCK == 0 and not ends_full:
            coded.append(1)
    return bytes(coded)


def cobs_decode(coded: bytes) -> bytes | None:
    """The plain bytes; None where no encoder writes such a thing."""
    plain = bytearray()
    at = 0
    while at < len(coded):
        block_end = at + coded[at]
        if coded[at] == _LINE_END or block_end > len(coded):
            return None
        block = coded[at + 1 : block_end]
        if _LINE_END in block:
            return None
        plain += block
        if coded[at] != _FULL_BLOCK + 1 and block_end < len(coded):
            plain.append(0)
        at = block_end
    return bytes(plain)


def _text(kind: int, counter: int, body: bytes) -> bytes:
    return _HEAD.pack(VERSION, kind, counter) + body
