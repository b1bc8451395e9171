"""The barrier controller of our own (firmware/), over a serial line with proof of who speaks.

 1. Nothing the controller says counts without its tag in this session, and nothing this driver
    sends is good in another session, a second time or after its deadline (``session``).
 2. An order is sent again with the same id and the same deadline until it is answered or its life
    or ``ANSWER_S`` is over. Then it is LinkLost: perhaps obeyed, never obeyed later.
 3. A session of 12 hours is renewed, but never during a hold, which a new session would end.
 4. A controller that answers without our key is LinkLost with ``why`` = "foreign". It cannot be
    given an order: an order needs a session.
 5. Bounds are checked here before they are checked there.

One thread calls it (the link's). Time comes from ``now``, the line from ``open_port``.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
from collections.abc import Callable

from appliance import clock
from appliance.barrier.drivers.conversation import Conversation
from appliance.barrier.drivers.event_book import CAUSES, FAULTS, EventBook, word
from appliance.barrier.drivers.port import Port, SerialPort
from appliance.barrier.drivers.seam import (
    ANSWER_S,
    BarrierEvent,
    BarrierStatus,
    Capabilities,
    Controller,
    Position,
)
from appliance.barrier.messages import (
    OPENING_CONTACT,
    SHORT_ID_BYTES,
    Answer,
    Flags,
    Hold,
    Input,
    Open,
    Order,
    Release,
    State,
    Status,
    Welcome,
    short_id,
)
from appliance.errors import LinkLost, OrderRefused

logger = logging.getLogger(__name__)

PULSE_MS = range(100, 3001)
LONGEST_LEASE_S = 10.0
RELEASE_LIFE_S = 5.0  # letting go is never too late
GOODBYE_S = 0.3  # how long ``disconnect`` waits for the contact to be let go

_GRAVEST_FIRST = (
    "relay", "settings", "limits", "not_moved", "cabinet", "stuck_safety", "stuck_photo",
    "stuck_entry", "stuck_button", "stuck_exit",
)


class Pico:
    """A ``BarrierDriver`` that speaks firmware/PROTOCOL.md."""

    name = "pico"

    def __init__(
        self, port: str, key: bytes, *, now: Callable[[], float] = clock.mono,
        open_port: Callable[[str], Port] = SerialPort,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._now = now
        self._random = random
        self._events = EventBook()
        self._line = Conversation(
            lambda: open_port(port), key, self._events, now=now, random=random
        )
        self._board: Welcome | None = None
        self._held = False
        self._events_lost = 0

    def connect(self) -> None:
        self._board = self._line.begin(self._now() + ANSWER_S)

    def open(
        self, order_id: str, pulse_ms: int, *, life_s: float, automatic: bool = False
    ) -> None:
        if pulse_ms not in PULSE_MS:
            raise OrderRefused("the pulse is shorter or longer than allowed", why="bad_value")
        name = short_id(order_id)
        self._obey(lambda until: Open(name, until, pulse_ms, not automatic), name, life_s)

    def hold_open(self, order_id: str, lease_s: float, *, life_s: float) -> None:
        lease_ms = round(lease_s * 1000)
        if not 0 < lease_ms <= LONGEST_LEASE_S * 1000:
            raise OrderRefused("the lease is shorter or longer than allowed", why="bad_value")
        name = short_id(order_id)
        self._held = True  # also where the answer is lost
        self._obey(lambda until: Hold(name, until, lease_ms), name, life_s)

    def release(self) -> None:
        self._release(RELEASE_LIFE_S)

    def status(self) -> BarrierStatus:
        ends_mono = self._now() + ANSWER_S
        if not self._held and self._line.running.old(self._now()):
            self._board = self._line.greet(ends_mono)
        said = self._line.ask_status(ends_mono)
        self._board = self._line.running.board
        self._held = said.lease > 0
        self._note_lost_events(said.lost)
        return _reading(said)

    def disconnect(self) -> None:
        with contextlib.suppress(LinkLost, OrderRefused):
            self._release(GOODBYE_S)
        self._line.end()

    def events(self) -> tuple[BarrierEvent, ...]:
        return self._events.waiting()

    def acknowledge(self, event: BarrierEvent) -> None:
        self._events.acknowledge(event)

    def capabilities(self) -> Capabilities:
        return Capabilities(
            position=True, inputs=True, timed_pulse=True, longest_lease_s=LONGEST_LEASE_S,
            authenticated=True, tells_events=True,
        )

    def controller(self) -> Controller:
        board = self._board
        if board is None:
            return Controller()
        return Controller(
            name=board.name, serial=board.uid.hex(), firmware=".".join(map(str, board.firmware)),
            boot=board.boot, cause=word(CAUSES, board.cause), settings=board.settings.hex(),
        )

    def _release(self, life_s: float) -> None:
        name = self._random(SHORT_ID_BYTES)
        self._obey(lambda until: Release(name, until), name, life_s)
        self._held = False

    def _obey(self, order: Callable[[int], Order], name: bytes, life_s: float) -> None:
        """Has one order carried out, or raises OrderRefused or LinkLost."""
        if life_s <= 0:
            raise OrderRefused("the order is too old", why="expired")
        dies_mono = self._now() + life_s
        ends_mono = self._now() + min(life_s, ANSWER_S)
        result = self._line.ask_result(order, name, dies_mono, ends_mono)
        if result.answer is Answer.SESSION_OLD:
            self._board = self._line.greet(ends_mono)
            result = self._line.ask_result(order, name, dies_mono, ends_mono)
        if result.answer is not Answer.DONE:
            raise OrderRefused("the controller answered no", why=result.answer.name.lower())
        if Flags.CLAMPED in result.flags:
            logger.warning("controller shortened the pulse")

    def _note_lost_events(self, lost: int) -> None:
        if lost > self._events_lost:
            logger.warning("controller had to forget events count=%d", lost)
        self._events_lost = lost


def _reading(said: Status) -> BarrierStatus:
    """A status in the words of the seam."""
    fire = said.reads(Input.FIRE)
    entry, safety = said.reads(Input.ENTRY_LOOP), said.reads(Input.SAFETY_LOOP)
    return BarrierStatus(
        position=_position(said.reads(Input.LIMIT_OPEN), said.reads(Input.LIMIT_CLOSED)),
        entry_loop=entry,
        safety_loop=safety,
        photocell=said.reads(Input.PHOTOCELL),
        exit_request=said.reads(Input.EXIT_REQUEST),
        fire=True if said.state is State.FIRE else fire,
        stop=said.reads(Input.STOP),
        tamper=said.reads(Input.TAMPER),
        contact=bool(said.outputs & OPENING_CONTACT),
        held=said.lease > 0,
        entry_count=None if entry is None else said.entry_count,
        safety_count=None if safety is None else said.safety_count,
        faults=_faults(said.faults),
        events_lost=said.lost,
    )


def _position(at_open: bool | None, at_closed: bool | None) -> Position:
    """By the limit switches; both at once is a fault, and one alone says where it is or nothing."""
    if at_open and at_closed:
        return Position.UNKNOWN
    if at_open:
        return Position.OPEN
    if at_closed:
        return Position.CLOSED
    return Position.UNKNOWN if at_open is None or at_closed is None else Position.MOVING


def _faults(bits: int) -> tuple[str, ...]:
    codes = [word(FAULTS, number) for number in range(16) if bits & 1 << number]
    return tuple(sorted(codes, key=_gravity))


def _gravity(code: str) -> int:
    return _GRAVEST_FIRST.index(code) if code in _GRAVEST_FIRST else -1
