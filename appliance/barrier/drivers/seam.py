"""What every barrier controller can be told and asked. One thread, the link's, calls a driver.

1. Orders are absolute: open, hold open, release. There is no order to close and none that toggles;
   the operator cabinet closes by its own logic and its own safety devices.
2. An order id is carried out at most once, however often it is sent.
3. A hold is a lease: it ends by itself when it is not renewed, also when this program dies.
4. Connecting, reconnecting and a restart of either side never energise an output.
5. A call answers within ``ANSWER_S`` or raises LinkLost; OrderRefused means that the controller
   understood and answered no.

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


@dataclass(frozen=True, slots=True)
class BarrierStatus:
    """What the controller reads now; None where an input is not wired."""

    position: Position
    entry_loop: bool | None = None
    """True: a car stands on it."""
    safety_loop: bool | None = None
    photocell: bool | None = None
    """True: the beam is broken."""
    held: bool = False
    """A hold-open lease is running."""
    fault: str = ""
    """Code of what the controller or cabinet reports; empty: none."""


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
    """The link renews longer holds piece by piece."""


@runtime_checkable
class BarrierDriver(Protocol):
    """A controller. Every method may raise LinkLost."""

    name: str

    def connect(self) -> None:
        """Begins to talk; may be called again after a loss. Energises nothing."""

    def disconnect(self) -> None:
        """Ends talking and lets go of every output. Never raises."""

    def open(self, order_id: str, pulse_ms: int) -> None:
        """One opening pulse of that length. Raises OrderRefused."""

    def hold_open(self, order_id: str, lease_s: float) -> None:
        """Holds the opening contact for that long; a new id renews. Raises OrderRefused."""

    def release(self) -> None:
        """Lets go of the opening contact: ends a hold."""

    def status(self) -> BarrierStatus:
        """What the inputs say now."""

    def capabilities(self) -> Capabilities:
        """What it can do; the same answer at any time, also without a connection."""
