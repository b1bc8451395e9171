"""A long random course of the controller, the same on every interpreter.

    python firmware/trace.py 100000        # prints the digest of all outputs and all bytes sent

Wires change, time jumps, frames come whole, changed, replayed, late, forged and in pieces; the tick
counter starts just below its wrap. Runs on CPython and on MicroPython, imports no ``machine``, and
draws everything from one small generator: two interpreters that agree on the digest agree on every
output and every byte in between.
"""

import hashlib
import struct
import sys

from gatepost import codes, config, frame
from gatepost.digest import Key
from gatepost.link import Session
from gatepost.post import Post

START = 2**30 - 1500
_SECRET = bytes(range(32))
_UID = b"TRACE\0\0\0"
_SETTINGS = """{
 "name": "trace", "board": "rp2", "pulse_max_ms": 1500, "lockout_ms": 1000, "per_minute": 30,
 "fire_dwell_ms": 2000, "host_lost": "secure", "key": "%s",
 "inputs": {
  "entry_loop": {"pin": 2}, "safety_loop": {"pin": 3}, "photocell": {"pin": 4},
  "exit_request": {"pin": 5}, "limit_open": {"pin": 6}, "limit_closed": {"pin": 7},
  "fire": {"pin": 8}, "stop": {"pin": 9}, "hand_button": {"pin": 10}, "tamper": {"pin": 11},
  "cabinet_fault": {"pin": 12}, "relay_sense": {"pin": 13}
 }
}"""


class Chance:
    """Numbers that only look random."""

    def __init__(self, seed):
        self._x = seed

    def below(self, n):
        self._x = (self._x * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._x >> 8) % n

    def some(self, n):
        return bytes([self.below(256) for _ in range(n)])


class TraceBoard:
    """Pins and port of the course; the relay's second contact follows most of the time."""

    def __init__(self, chance):
        self.uid = _UID
        self.cause = 1
        self.boot = 7
        self.nonce = b""
        self.now = START
        self.circuits = config.mask(config.NORMALLY_CLOSED)
        self.outputs = 0
        self.arriving = b""
        self.sent = b""
        self._chance = chance

    def ticks(self):
        return self.now

    def read_inputs(self):
        return self.circuits

    def write_outputs(self, mask):
        self.outputs = mask

    def read(self):
        data, self.arriving = self.arriving, b""
        return data

    def write(self, data):
        self.sent += data

    def feed(self):
        pass

    def random(self, n):
        self.nonce = self._chance.some(n)
        return self.nonce

    def jumper(self):
        return False


class Trace:
    """The course. ``closings`` and ``answers`` show that something happened on it."""

    def __init__(self, seed=1):
        self.chance = Chance(seed)
        self.board = TraceBoard(self.chance)
        text = _SETTINGS % "".join(["%02x" % byte for byte in _SECRET])
        self.post = Post(config.load(text), self.board)
        self.closings = 0
        self.answers = 0
        self._psk = Key(_SECRET)
        self._session = None
        self._counter = 0
        self._session_at = 0
        self._clock = 0
        self._recorded = []
        self._digest = hashlib.sha256()

    def run(self, steps):
        """The digest, in hexadecimal."""
        for _ in range(steps):
            self.step()
        return "".join(["%02x" % byte for byte in self._digest.digest()])

    def step(self):
        board = self.board
        before = board.outputs
        self._pass_time()
        self._turn_wires()
        if self.chance.below(10) < 3:
            board.arriving += self._something_arrives()
        board.sent = b""
        self.post.tick()
        if board.outputs & ~before & codes.OPENING:
            self.closings += 1
        if board.sent:
            self.answers += 1
        self._digest.update(bytes((board.outputs,)) + board.sent)

    def _pass_time(self):
        """Mostly a pass of 5 ms; now and then a long one, seldom a very long one."""
        kind = self.chance.below(1000)
        if kind < 900:
            passed = 5
        elif kind < 990:
            passed = self.chance.below(60)
        elif kind < 999:
            passed = self.chance.below(4000)
        else:
            passed = self.chance.below(700000)
        self._clock += passed
        self.board.now = (self.board.now + passed) & 0x3FFFFFFF

    def _turn_wires(self):
        board = self.board
        if self.chance.below(12) == 0:
            board.circuits ^= 1 << self.chance.below(12)
        if self.chance.below(12) == 0:
            board.circuits |= codes.STOP_INPUT  # mostly nobody presses STOP, and no fire burns
            board.circuits &= ~codes.FIRE_INPUT
        if self.chance.below(200):
            board.circuits &= ~codes.RELAY_SENSE
            if board.outputs & codes.OPENING:
                board.circuits |= codes.RELAY_SENSE

    def _something_arrives(self):
        kind = self.chance.below(20)
        if self._session is None or kind == 0 and self.chance.below(8) == 0:
            return self._greeting()
        if kind < 12:
            return self._recording(self._order(self._session))
        if kind < 14:
            return self._changed(self._order(self._session))
        if kind == 14:
            return self._order(self._session, late=True)
        if kind == 15 and self._recorded:
            return self._recorded[self.chance.below(len(self._recorded))]
        if kind == 16:
            return frame.seal(Key(b"forged"), codes.OPEN, self._counter + 1, bytes(15))
        if kind == 17:
            return self._order(self._session)[: self.chance.below(30)]
        if kind == 18:
            return self.chance.some(self.chance.below(200))
        return frame.seal(None, self.chance.below(256), 0, self.chance.some(self.chance.below(20)))

    def _greeting(self):
        """A greeting and, in the same breath of the board, the session that follows from it."""
        host_nonce = self.chance.some(16)
        hello = frame.seal(Key(self._psk.mac(b"postern 1 hello")), codes.HELLO, 0, host_nonce)
        self.board.nonce = b""
        self.board.arriving = b"\0" + hello
        self.post.link.receive(self.board.read())
        if self.board.nonce:  # else the board is deaf at the moment
            self._session = Session(self._psk, host_nonce, self.board.nonce, _UID)
            self._session_at = self._clock
            self._counter = 0
        return b""

    def _order(self, session, late=False):
        chance = self.chance
        self._counter += 1
        kind = (codes.PING, codes.OPEN, codes.HOLD, codes.RELEASE, codes.CLOSE)[chance.below(5)]
        until = self._clock - self._session_at + chance.below(5200)
        if late:
            until = max(0, self._clock - self._session_at - 1 - chance.below(5000))
        order = bytes((chance.below(40),)) + bytes(7)
        body = order + struct.pack("<I", until & 0xFFFFFFFF)
        if kind == codes.PING:
            body = struct.pack("<I", chance.below(400))
        elif kind == codes.OPEN:
            body += struct.pack("<HB", chance.below(1800), chance.below(20) // 8)
        elif kind == codes.HOLD:
            body += struct.pack("<H", chance.below(10500))
        elif kind == codes.CLOSE:
            body += struct.pack("<H", 500)
        return frame.seal(session.to_board, kind, self._counter, body)

    def _recording(self, line):
        if self.chance.below(4) == 0:
            self._recorded.append(line)
            if len(self._recorded) > 8:
                self._recorded.pop(0)
        return line

    def _changed(self, line):
        at = self.chance.below(len(line))
        changed = line[at] ^ (1 << self.chance.below(8))
        return line[:at] + bytes((changed,)) + line[at + 1 :]


def main(arguments):
    steps = int(arguments[0]) if arguments else 100000
    trace = Trace()
    digest = trace.run(steps)
    print("%d steps, %d closings, %d answers" % (steps, trace.closings, trace.answers))
    print(digest)


if __name__ == "__main__":
    main(sys.argv[1:])
