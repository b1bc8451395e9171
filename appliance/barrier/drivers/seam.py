"""What every barrier controller can be told and asked. One thread, the link's, calls a driver.

1. Orders are absolute: open, hold open, release. There is no order to close and none that toggles;
   the operator cabinet closes by its own logic and its own safety devices.
2. An order id is carried out at most once, however often it is sent, and never after its life.
3. A hold is a lease: it ends by itself when it is not renewed, also when this program dies.
   A controller that cannot promise that says so (``longest_lease_s`` is 0) and refuses holds.
4. Connecting, reconnecting and a restart of either side never energise an output.
5. A call answers within ``ANSWER_S`` or raises LinkLost; OrderRefused means that the controller
   understood and answered no.
6. What happened at the controller (somebody pressed the hand button) is told again at every look
   until ``acknowledge``.

``tests/contract/test_barrier_driver.py`` holds every driver to these sentences.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

ANSWER_S = 1.0


class Position(StrEnum):
    """Where the arm is, by its limit switches."""

    OPEN = "open"  # the open limit is reached
    CLOSED = "closed"  # the closed limit is reached
    MOVING = "moving"  # at neither limit
    UNKNOWN = "unknown"  # not read yet, or there are no switches


class EventKind(StrEnum):
    """What a controller tells of its own accord (firmware/PROTOCOL.md, section 6)."""

    STARTED = "started"
    MANUAL_OPEN = "manual_open"  # the hand button at the controller opened
    EXIT_OPEN = "exit_open"  # the exit request opened
    FIRE_ON = "fire_on"
    FIRE_OFF = "fire_off"
    STOP_ON = "stop_on"
    STOP_OFF = "stop_off"
    HOST_LOST = "host_lost"
    HOST_BACK = "host_back"
    FAULT_ON = "fault_on"
    FAULT_OFF = "fault_off"
    LEASE_LAPSED = "lease_lapsed"
    FORGED = "forged"  # frames with a wrong tag arrived
    TAMPER_ON = "tamper_on"
    TAMPER_OFF = "tamper_off"
    REOPENED = "reopened"


class Warns(StrEnum):
    """What an owner must know of a kind of controller; each has its sentence in the console."""

    RELAY_MAY_STICK = "relay_may_stick"  # the pulse is ended by this box: it may stay on if we die
    NO_FEEDBACK = "no_feedback"  # nothing says whether the relay or the arm moved
    UNAUTHENTICATED = "unauthenticated"  # whoever reaches the wire can open


@dataclass(frozen=True, slots=True)
class BarrierEvent:
    """One event. (``boot``, ``number``) names it for ever."""

    boot: int
    number: int
    kind: EventKind
    argument: str
    """The fault's code for FAULT_ON and FAULT_OFF, the cause for STARTED, else empty."""
    happened_mono: float
    """By this machine's clock, as well as the event's age tells."""


@dataclass(frozen=True, slots=True)
class Controller:
    """Who answers at the other end."""

    name: str = ""
    """As the installer named it."""
    serial: str = ""
    firmware: str = ""
    boot: int = 0
    cause: str = ""
    """Why it last started: power, watchdog, software, unknown."""
    settings: str = ""
    """Digest of its settings: another one means that somebody changed them."""


@dataclass(frozen=True, slots=True)
class BarrierStatus:
    """What the controller reads now; None where an input is not wired or not read yet."""

    position: Position
    entry_loop: bool | None = None
    """True: a car stands on it."""
    safety_loop: bool | None = None
    photocell: bool | None = None
    """True: the beam is broken."""
    exit_request: bool | None = None
    fire: bool | None = None
    stop: bool | None = None
    """True: STOP is pressed or its wire is broken; nothing moves."""
    tamper: bool | None = None
    contact: bool | None = None
    """True: the opening contact is closed now."""
    held: bool = False
    """A hold-open lease is running."""
    entry_count: int | None = None
    """How often the entry loop became occupied, as the controller counts (mod 256); None: the
    reader has to count the looks."""
    safety_count: int | None = None
    events_lost: int = 0
    """How many events the controller had to forget since its start."""
    faults: tuple[str, ...] = ()
    """Codes of what the controller or cabinet reports, the gravest first."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this kind of controller can do; the console says plainly what is missing."""

    position: bool
    """It reads the limit switches, so a movement can be proven."""
    inputs: bool
    """It reads loops and photocell."""
    timed_pulse: bool
    """It ends a pulse by itself, also when this program is gone."""
    longest_lease_s: float
    """The link renews longer holds piece by piece; 0: it cannot hold safely and refuses."""
    authenticated: bool = False
    """It obeys this box alone."""
    tells_events: bool = False
    """It remembers openings by hand button, exit and fire until they are kept."""
    warns: tuple[Warns, ...] = ()


@runtime_checkable
class BarrierDriver(Protocol):
    """A controller. Every method but the last four may raise LinkLost."""

    name: str

    def connect(self) -> None:
        """Begins to talk; may be called again after a loss. Energises nothing."""

    def open(
        self, order_id: str, pulse_ms: int, *, life_s: float, automatic: bool = False
    ) -> None:
        """One opening pulse of that length, not later than ``life_s`` from now.

        Raises OrderRefused; its field ``why`` names the reason.
        """

    def hold_open(self, order_id: str, lease_s: float, *, life_s: float) -> None:
        """Holds the opening contact for that long; a new id renews. Raises OrderRefused."""

    def release(self) -> None:
        """Lets go of the opening contact: ends a hold."""

    def status(self) -> BarrierStatus:
        """What the inputs say now."""

    def disconnect(self) -> None:
        """Ends talking and lets go of every output. Never raises."""

    def events(self) -> tuple[BarrierEvent, ...]:
        """What was told and is not acknowledged yet, oldest first; asks nothing of the wire."""

    def acknowledge(self, event: BarrierEvent) -> None:
        """This event and all before it are kept: tell them no more."""

    def capabilities(self) -> Capabilities:
        """What it can do; the same answer at any time, also without a connection."""

    def controller(self) -> Controller:
        """Who answered last; empty fields where it does not say."""
