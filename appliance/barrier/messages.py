"""What the frames between host and controller say, as frozen values. Pure.

 1. A message is parsed here once and trusted inside; a body of the wrong length or with a word that
    version 1 does not know is no message (``parse`` gives None) and counts as noise.
 2. There is no order to close among them: the appliance never sends one.

Sections 3 to 8 of firmware/PROTOCOL.md. All times are milliseconds.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import ClassVar

NONCE_BYTES = 16
SHORT_ID_BYTES = 8
MOST_NAME_BYTES = 32


class Type(IntEnum):
    """The second byte of a packet; bit 7 is set on the way to the host."""

    HELLO = 0x01
    PING = 0x10
    OPEN = 0x11
    HOLD = 0x12
    RELEASE = 0x13
    WELCOME = 0x81
    STATUS = 0x90
    RESULT = 0x91
    EVENT = 0x92
    WHO = 0x9F


class State(IntEnum):
    WAKING = 0
    IDLE = 1
    PULSE = 2
    HOLD = 3
    FIRE = 4
    STOPPED = 5
    CLOSING = 6


class Answer(IntEnum):
    """The controller's word on an order."""

    DONE = 0
    WAKING = 1
    STOPPED = 2
    FIRE = 3
    LOCKED_OUT = 4
    TOO_MANY = 5
    EXPIRED = 6
    BAD_VALUE = 7
    NO_PRESENCE = 8
    BUSY = 9
    SESSION_OLD = 10
    UNKNOWN_ORDER = 11
    OBSTRUCTED = 12
    UNPROVEN = 13


class Flags(IntFlag):
    AGAIN = 1  # the order was obeyed before; nothing moved this time
    CLAMPED = 2  # the pulse was shortened to the controller's limit


class Input(IntFlag):
    """Bits of ``Status.inputs`` and ``Status.known``; 1 means active."""

    ENTRY_LOOP = 1 << 0
    SAFETY_LOOP = 1 << 1
    PHOTOCELL = 1 << 2
    EXIT_REQUEST = 1 << 3
    LIMIT_OPEN = 1 << 4
    LIMIT_CLOSED = 1 << 5
    FIRE = 1 << 6
    STOP = 1 << 7
    HAND_BUTTON = 1 << 8
    TAMPER = 1 << 9
    CABINET_FAULT = 1 << 10
    RELAY_SENSE = 1 << 11


OPENING_CONTACT = 1 << 0  # in Status.outputs


# To the controller


@dataclass(frozen=True, slots=True)
class Hello:
    type: ClassVar[Type] = Type.HELLO
    host_nonce: bytes

    def body(self) -> bytes:
        return self.host_nonce


@dataclass(frozen=True, slots=True)
class Ping:
    type: ClassVar[Type] = Type.PING
    kept: int
    """Number of the last event the host has kept; 0 for none."""

    def body(self) -> bytes:
        return struct.pack("<I", self.kept)


@dataclass(frozen=True, slots=True)
class Open:
    type: ClassVar[Type] = Type.OPEN
    id: bytes
    until: int
    pulse: int
    by_a_person: bool

    def body(self) -> bytes:
        return struct.pack("<8sIHB", self.id, self.until, self.pulse, self.by_a_person)


@dataclass(frozen=True, slots=True)
class Hold:
    type: ClassVar[Type] = Type.HOLD
    id: bytes
    until: int
    lease: int

    def body(self) -> bytes:
        return struct.pack("<8sIH", self.id, self.until, self.lease)


@dataclass(frozen=True, slots=True)
class Release:
    type: ClassVar[Type] = Type.RELEASE
    id: bytes
    until: int

    def body(self) -> bytes:
        return struct.pack("<8sI", self.id, self.until)


Order = Open | Hold | Release
ToController = Ping | Order


# From the controller


@dataclass(frozen=True, slots=True)
class Welcome:
    host_nonce: bytes
    board_nonce: bytes
    uid: bytes
    firmware: bytes
    """Major, minor, patch: a byte each."""
    options: int
    settings: bytes
    boot: int
    cause: int
    name: str


@dataclass(frozen=True, slots=True)
class Status:
    session_ms: int
    state: State
    outputs: int
    inputs: int
    known: int
    faults: int
    lockout: int
    lease: int
    entry_count: int
    safety_count: int
    photo_count: int
    waiting: int
    lost: int
    noise: int
    forged: int
    boot_ms: int

    def reads(self, which: Input) -> bool | None:
        """True where that input is active; None where it is not wired or not read yet."""
        return bool(self.inputs & which) if self.known & which else None


@dataclass(frozen=True, slots=True)
class Result:
    id: bytes
    answer: Answer
    flags: Flags
    session_ms: int


@dataclass(frozen=True, slots=True)
class Event:
    number: int
    kind: int
    """A number this host does not know is kept as well, so that it cannot dam up those behind."""
    argument: int
    age: int


FromController = Status | Result | Event

_WELCOME = struct.Struct("<16s16s8s3sH4sIB")
_STATUS = struct.Struct("<IBBHHHHHBBBBBHHI")
_RESULT = struct.Struct("<8sBBI")
_EVENT = struct.Struct("<IBBI")


def parse_welcome(body: bytes) -> Welcome | None:
    name = body[_WELCOME.size :]
    if len(body) < _WELCOME.size or len(name) > MOST_NAME_BYTES:
        return None
    return Welcome(*[*_WELCOME.unpack_from(body), name.decode("utf-8", "replace")])


def parse(kind: int, body: bytes) -> FromController | None:
    """What an authentic packet of the session says; None where it is not one of these."""
    try:
        if kind == Type.STATUS:
            session_ms, state, *rest = _STATUS.unpack(body)
            return Status(session_ms, State(state), *rest)
        if kind == Type.RESULT:
            order_id, answer, flags, session_ms = _RESULT.unpack(body)
            return Result(order_id, Answer(answer), Flags(flags), session_ms)
        if kind == Type.EVENT:
            return Event(*_EVENT.unpack(body))
    except (struct.error, ValueError):
        pass
    return None


def short_id(order_id: str) -> bytes:
    """What an order's id becomes on the wire."""
    return hashlib.sha256(order_id.encode()).digest()[:SHORT_ID_BYTES]
