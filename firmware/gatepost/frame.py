"""Bytes on the line and packets (PROTOCOL.md, section 2).

1. A run of bytes between two 00 is a frame; a run longer than a frame can be is noise up to the
   next 00, and costs no more memory than a frame.
2. A frame that is no COBS, too short, or whose crc is wrong is noise.
3. Nothing here believes a packet: that is the tag's part, in ``link``.
"""

import binascii
import struct

from gatepost.codes import const

_VERSION = const(1)
_HEAD = const(6)  # version, type, counter
_TAG = const(8)
_CRC = const(4)
_SHORTEST = const(18)
_LONGEST = const(128)
_LONGEST_CODED = const(130)


def cobs(plain):
    """The same bytes without a 00 among them."""
    coded = bytearray(1)
    code_at = 0
    full = False
    for byte in plain:
        if full:  # a block of 254 says by its code that no 00 follows it
            code_at = len(coded)
            coded.append(0)
        if byte:
            coded.append(byte)
        else:
            coded[code_at] = len(coded) - code_at
            code_at = len(coded)
            coded.append(0)
        full = len(coded) - code_at == 255
        if full:
            coded[code_at] = 255
    coded[code_at] = len(coded) - code_at
    return bytes(coded)


def uncobs(coded):
    """The other way round; None for what no coder writes."""
    plain = bytearray()
    at = 0
    while at < len(coded):
        code = coded[at]
        end = at + code
        if not code or end > len(coded):
            return None
        for i in range(at + 1, end):
            if not coded[i]:
                return None
            plain.append(coded[i])
        if code < 255 and end < len(coded):
            plain.append(0)
        at = end
    return bytes(plain)


def seal(key, kind, counter, body):
    """A whole frame for the line; without a key its tag is 00."""
    text = struct.pack("<BBI", _VERSION, kind, counter) + body
    text += key.mac(text)[:_TAG] if key else bytes(_TAG)
    text += struct.pack("<I", binascii.crc32(text))
    return b"\0" + cobs(text) + b"\0"


class Packet:
    """What a frame with a good crc says; its tag is not proven yet."""

    def __init__(self, packet):
        self.version, self.kind, self.counter = struct.unpack_from("<BBI", packet)
        tag_at = len(packet) - _TAG - _CRC
        self.body = packet[_HEAD:tag_at]
        self._text = packet[:tag_at]
        self._tag = packet[tag_at : tag_at + _TAG]

    def proven_by(self, key):
        """Whether whoever made it holds that key."""
        return key.fits(self._text, self._tag)


def parse(coded):
    """The Packet in a run between two 00, or None for noise."""
    packet = uncobs(coded)
    if packet is None or not _SHORTEST <= len(packet) <= _LONGEST:
        return None
    crc_at = len(packet) - _CRC
    if struct.unpack_from("<I", packet, crc_at)[0] != binascii.crc32(packet[:crc_at]):
        return None
    found = Packet(packet)
    return found if found.version == _VERSION else None


class Receiver:
    """Cuts what arrives into frames."""

    def __init__(self):
        self._run = b""
        self._too_long = False

    def feed(self, data, found):
        """Calls ``found`` with each Packet, or with None for each run that was noise."""
        start = 0
        while True:
            end = data.find(b"\0", start)
            self._keep(data[start:] if end < 0 else data[start:end])
            if end < 0:
                return
            start = end + 1
            self._boundary(found)

    def forget(self):
        """Drops what came of a frame so far."""
        self._run = b""
        self._too_long = False

    def _keep(self, piece):
        if len(self._run) + len(piece) > _LONGEST_CODED:
            self._too_long = True
            self._run = b""
        elif not self._too_long:
            self._run += piece

    def _boundary(self, found):
        run, too_long = self._run, self._too_long
        self.forget()
        if too_long:
            found(None)
        elif run:
            found(parse(run))
