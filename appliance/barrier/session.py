"""A session with the controller: handshake, keys, counters and the controller's clock. Pure.

 1. Both sides prove that they hold the key by answering a fresh random number with it; each
    direction of each session has a key of its own, so nothing recorded is good another time.
 2. A packet counts only with the right tag, a counter higher than any before it and a body that
    version 1 knows. Everything else is dropped and counted.
 3. The controller's clock is known from below: a packet that says ``session_ms`` was made before it
    arrived. The newest anchor counts, not the best one, because two clocks drift. Delay therefore
    makes a deadline stricter, never laxer.
 4. An order keeps its first deadline however often it is sent.
 5. A controller that hears a greeting but does not know the key is not ours: it answers WHO, or a
    WELCOME with a wrong tag. That claim is not authentic; nothing but a sentence follows from it.

Bytes in, messages out; time and randomness are arguments. Section 3 of firmware/PROTOCOL.md.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from appliance.barrier import messages, wire
from appliance.barrier.messages import (
    NONCE_BYTES,
    FromController,
    Hello,
    Result,
    Status,
    ToController,
    Type,
    Welcome,
)

GREET_ANEW_S = 12 * 3600.0  # half of what the controller allows
LONGEST_LIFE_MS = 5_000  # it refuses a deadline further ahead
_LAST_COUNTER = 0xFFFF_FFF0
_LATE_BY_MS = 50  # the two clocks drift; so much older an answer still counts
_REMEMBERED_DEADLINES = 16


class Greeting:
    """One HELLO and what may come back for it."""

    def __init__(self, psk: bytes, nonce: bytes) -> None:
        if len(psk) != wire.KEY_BYTES or len(nonce) != NONCE_BYTES:
            raise ValueError("a key has 32 bytes, a nonce 16")
        self.not_ours = False
        """True where an answer came, but from somebody without our key."""
        self._psk = psk
        self._nonce = nonce
        key = wire.mac(psk, b"postern 1 hello")
        self.hello = wire.frame(key, Type.HELLO, 0, Hello(nonce).body())

    def hear(self, packet: wire.Packet, now_mono: float) -> Session | None:
        """The session that this packet opens; None where it opens none."""
        if packet.type == Type.WHO:
            self.not_ours = True
        if packet.type != Type.WELCOME:
            return None
        welcome = messages.parse_welcome(packet.body)
        if welcome is None or welcome.host_nonce != self._nonce:
            return None
        if not packet.tagged_by(wire.mac(self._psk, b"postern 1 welcome" + self._nonce)):
            self.not_ours = True
            return None
        return Session(Keys.of(self._psk, welcome), welcome, now_mono)


@dataclass(frozen=True, slots=True)
class Keys:
    """The tag keys of one session."""

    to_board: bytes
    to_host: bytes

    def __repr__(self) -> str:
        return "Keys(...)"  # never in a log or a traceback

    @classmethod
    def of(cls, psk: bytes, welcome: Welcome) -> Keys:
        nonces = welcome.host_nonce + welcome.board_nonce
        secret = wire.mac(psk, b"postern 1 session" + nonces + welcome.uid)
        return cls(wire.mac(secret, b"to board"), wire.mac(secret, b"to host"))


class Session:
    """From one WELCOME to the next."""

    def __init__(self, keys: Keys, board: Welcome, now_mono: float) -> None:
        self.board = board
        self.forged = 0
        self.stale = 0
        self.noise = 0
        self._keys = keys
        self._began_mono = now_mono
        self._sent = 0
        self._heard = 0
        self._anchor_ms, self._anchor_mono = 0, now_mono
        self._deadlines: OrderedDict[bytes, int] = OrderedDict()

    def frame(self, message: ToController) -> bytes:
        """The next frame to the controller; each carries a higher counter."""
        self._sent += 1
        return wire.frame(self._keys.to_board, message.type, self._sent, message.body())

    def hear(self, packet: wire.Packet, now_mono: float) -> FromController | None:
        """What an authentic, new packet says; None for every other."""
        if not packet.tagged_by(self._keys.to_host):
            self.forged += 1
            return None
        if packet.counter <= self._heard:
            self.stale += 1
            return None
        self._heard = packet.counter
        message = messages.parse(packet.type, packet.body)
        if message is None:
            self.noise += 1
        elif not isinstance(message, messages.Event):
            self._anchor_ms, self._anchor_mono = message.session_ms, now_mono
        return message

    def clock_ms(self, now_mono: float) -> int:
        """What the controller's clock shows at least."""
        return self._anchor_ms + int(max(0.0, now_mono - self._anchor_mono) * 1000)

    def deadline(self, short_id: bytes, life_s: float, now_mono: float) -> int:
        """``until`` of this order: ``life_s`` from the first time it was asked for."""
        life_ms = min(LONGEST_LIFE_MS, int(life_s * 1000))
        until = self._deadlines.setdefault(short_id, self.clock_ms(now_mono) + life_ms)
        while len(self._deadlines) > _REMEMBERED_DEADLINES:
            self._deadlines.popitem(last=False)
        return until

    def made_after(self, message: Status | Result, asked_ms: int) -> bool:
        """True where this was made after the question that went out at ``asked_ms``."""
        return message.session_ms + _LATE_BY_MS >= asked_ms

    def old(self, now_mono: float) -> bool:
        """True when it is time to greet anew."""
        return now_mono - self._began_mono >= GREET_ANEW_S or self._sent >= _LAST_COUNTER
