"""Runs inside MicroPython: BYTES bytes of hostile line into a board that has a living session.

A quarter each of: noise; frames of the running session with one bit flipped behind their crc; the
same with the crc mended, so that only the tag is wrong; and frames at the edges of COBS and of the
lengths, replays and greetings among them. The host pings between, so the session lives.
"""

import binascii
import gc
import hashlib
import struct

from bench_board import PSK, BenchBoard, settings_text
from fuzz_size import BYTES
from gatepost import config
from gatepost.digest import Key
from gatepost.frame import Receiver, cobs, seal
from gatepost.link import Session
from gatepost.post import Post

SLICE = 60000
EDGES = (0, 1, 5, 6, 17, 18, 19, 109, 110, 111, 126, 127, 128, 129, 130, 131, 253, 254, 255, 256)


class Dice:
    """Bytes from SHA-256 of a counter: the same on every machine."""

    def __init__(self):
        self.n = 0

    def bytes(self, length):
        out = b""
        while len(out) < length:
            self.n += 1
            out += hashlib.sha256(struct.pack("<I", self.n)).digest()
        return out[:length]

    def below(self, limit):
        return struct.unpack("<H", self.bytes(2))[0] % limit


class Fuzz:
    def __init__(self):
        self.dice = Dice()
        self.board = BenchBoard(now=2**30 - 4000)
        self.post = Post(config.load(settings_text()), self.board)
        self.session_ms = 0
        for _ in range(400):
            self.step(b"", 10)
        nonce = bytes(16)
        self.step(seal(Key(Key(PSK).mac(b"postern 1 hello")), 0x01, 0, nonce), 5)
        found = []
        Receiver().feed(self.board.said, found.append)
        welcome = [p for p in found if p is not None and p.kind == 0x81][0]
        self.session = Session(Key(PSK), nonce, welcome.body[16:32], self.board.uid)
        self.session_ms = 0
        self.counter = 0
        self.answers = 0

    def order(self):
        """The text of an order to open that only its tag keeps from being obeyed."""
        body = self.dice.bytes(8) + struct.pack("<IHB", self.session_ms + 3000, 500, 1)
        return struct.pack("<BBI", 1, 0x11, self.counter + 1 + self.dice.below(1000)) + body

    def step(self, line, ms):
        board = self.board
        board.heard = line
        board.said = b""
        board.now = (board.now + ms) % 2**30
        self.session_ms += ms
        self.post.tick()

    def ping(self):
        self.counter += 1
        self.step(seal(self.session.to_board, 0x10, self.counter, bytes(4)), 2)
        if self.board.said:
            self.answers += 1

    def noise(self):
        return self.dice.bytes(200)

    def flipped(self):
        """An authentic order with one bit changed on its way."""
        text = self.order()
        text += self.session.to_board.mac(text)[:8]
        line = bytearray(cobs(text + struct.pack("<I", binascii.crc32(text))))
        bit = self.dice.below(len(line) * 8)
        line[bit // 8] ^= 1 << bit % 8
        return b"\0" + bytes(line) + b"\0"

    def mended(self):
        """An authentic order but for one bit of text or tag, with a crc that fits."""
        text = self.order()
        text = bytearray(text + self.session.to_board.mac(text)[:8])
        bit = self.dice.below(len(text) * 8)
        text[bit // 8] ^= 1 << bit % 8
        return b"\0" + cobs(bytes(text) + struct.pack("<I", binascii.crc32(text))) + b"\0"

    def edge(self):
        length = EDGES[self.dice.below(len(EDGES))]
        kind = self.dice.below(6)
        if kind == 0:
            return b"\0" + bytes([length & 255]) * length + b"\0"
        if kind == 1:
            return b"\0" + cobs(bytes(length)) + b"\0"
        if kind == 2:
            return b"\0" + b"\x01" * length
        if kind == 3:
            text = (struct.pack("<BBI", 1, self.dice.below(256), 9) + bytes(length))[:length]
            return b"\0" + cobs(text + struct.pack("<I", binascii.crc32(text))) + b"\0"
        if kind == 4:
            return b"\0" * (1 + length % 7)
        return seal(Key(Key(PSK).mac(b"postern 1 hello")), 0x01, 0, self.dice.bytes(16))

    def piece(self, turn):
        """About 400 bytes; one forged frame in four turns, so that the board stays open to all, and
        now and then a burst of them, so that it goes deaf."""
        if turn % 64 == 63:
            return b"".join([self.mended() for _ in range(10)])
        source = (self.noise, self.flipped, self.mended, self.edge)[turn % 4]
        piece = source()
        if source == self.mended:
            source = self.flipped
        while len(piece) < 400:
            piece += source()
        return piece

    def run(self, size):
        """About that many bytes; says how many, and in how many turns."""
        given = 0
        turn = 0
        while given < size:
            piece = self.piece(turn)
            given += len(piece)
            for start in range(0, len(piece), 150):  # frames are cut anywhere between two passes
                self.step(piece[start : start + 150], 100)
                if self.board.outputs & 3 or self.board.closings:
                    raise RuntimeError(f"a contact closed after {given} bytes")
            turn += 1
            if turn % 64 == 0:
                for _ in range(11):
                    self.step(b"", 100)
            if turn % 4 == 0:
                self.ping()
        return given, turn


fuzz = Fuzz()
fuzz_given = 0
fuzz_turns = 0
memory = []


def more():
    """One slice; the first ones warm up what is allocated once."""
    global fuzz_given, fuzz_turns
    memory.append(gc.mem_alloc())
    if fuzz_given < BYTES:
        given, turns = fuzz.run(SLICE)
        fuzz_given += given
        fuzz_turns += turns
        gc.collect()  # takes effect when this call returns
        return True
    print(
        "bytes", fuzz_given, "turns", fuzz_turns, "noise", fuzz.post.link.noise, "forged",
        fuzz.post.link.forged, "answers", fuzz.answers, "closings", fuzz.board.closings, "memory",
        max(memory[: len(memory) // 20 + 1]), max(memory),
    )
    return False
