"""What the barrier can be told, and what became of it. There is no order to close.

An order is one-shot and short-lived: it names the moment it was asked for and is refused when it
reaches the controller later than ``DEADLINE_S`` after that. Its id makes it count once.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from appliance.barrier.drivers.seam import Capabilities, Controller, Position
from appliance.values import Moved, Outcome

DEADLINE_S = 2.0  # a late opening surprises whoever stands under the arm by then
LONGEST_HOLD_S = 60.0


class OrderKind(StrEnum):
    OPEN = "open"
    HOLD = "hold"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Order:
    """One order. ``track`` and ``plate`` are set for automatic openings only."""

    id: str
    kind: OrderKind
    asked_mono: float
    automatic: bool = False
    track: str = ""
    plate: str = ""
    """The plate as listed: the same car under a new track counts as the same car."""
    lease_s: float = 0.0
    life_s: float = DEADLINE_S
    """Shorter where somebody waits for the answer."""

    def left_s(self, now_mono: float) -> float:
        """How much of its life is left; negative once it is over."""
        return min(self.life_s, DEADLINE_S) - (now_mono - self.asked_mono)


class Fault(StrEnum):
    """Why an order had no effect (``Outcome.fault``)."""

    TOO_LATE = "too_late"  # it outlived its deadline before it could be sent
    LOCKED_OUT = "locked_out"  # another pulse was given a moment ago
    TOO_MANY = "too_many"  # too many automatic openings within a minute
    ALREADY_ORDERED = "already_ordered"  # this car was let in already
    NO_LEDGER = "no_ledger"  # the order could not be written down first
    QUEUE_FULL = "queue_full"  # the link is far behind
    LINK_LOST = "link_lost"  # the controller did not answer; the pulse may have been given
    REFUSED = "refused"  # the controller answered no
    STOP_PRESSED = "stop_pressed"  # the controller answered no: its stop input is active
    FIRE_OPEN = "fire_open"  # the controller answered no: the fire input holds it open already
    NO_PRESENCE = "no_presence"  # the controller answered no: no car stands on its entry loop
    STOPPED = "stopped"  # the program ends
    DID_NOT_MOVE = "did_not_move"  # the pulse was given, the arm stayed at its closed limit


NEVER_SENT = frozenset({
    Fault.TOO_LATE, Fault.LOCKED_OUT, Fault.TOO_MANY, Fault.QUEUE_FULL, Fault.STOPPED,
})
"""The order left no trace: the same car may be ordered for anew."""


class LinkState(StrEnum):
    """What the link is doing; each state is left by the event its sentence names.

    The first that holds is shown, from the last of this list to the first, but for the states
    without a link (starting, foreign, lost, stopped), which exclude all others.
    """

    STARTING = "starting"  # the controller has not answered yet: no order goes out
    READY = "ready"  # it answers; nothing is under way
    FAULTY = "faulty"  # it answers, but reports a fault or the arm did not move
    ORDERED = "ordered"  # a pulse was acknowledged; the arm has not proven its movement yet
    HELD = "held"  # a hold-open lease runs, until released or lapsed
    FIRE = "fire"  # the fire input holds it open until the input rests; orders are refused
    STOPPED_BY_HAND = "stopped_by_hand"  # the stop input is active: nothing moves until it rests
    FOREIGN = "foreign"  # a board answers that this box did not key: nothing is sent to it
    LOST = "lost"  # it stopped answering: leases lapse by themselves, nothing is sent
    STOPPED = "stopped"  # the program ends: outputs are let go, nothing is sent any more


@dataclass(frozen=True, slots=True)
class LinkView:
    """What the link shows to the rest of the gate; replaced as a whole. Inputs are None where they
    are not wired, not read yet, or the controller does not answer."""

    driver: str
    capabilities: Capabilities
    state: LinkState = LinkState.STARTING
    position: Position = Position.UNKNOWN
    fault: str = ""
    """The gravest of ``faults``."""
    faults: tuple[str, ...] = ()
    held_until_mono: float | None = None
    entry_loop: bool | None = None
    safety_loop: bool | None = None
    photocell: bool | None = None
    exit_request: bool | None = None
    fire: bool | None = None
    stop: bool | None = None
    tamper: bool | None = None
    contact: bool | None = None
    controller: Controller = Controller()
    events_lost: int = 0
    movement_disputed: bool = False
    """Controller and this box disagree whether the arm moved after the latest opening."""


def unsent(order: Order, fault: Fault) -> Outcome:
    """The outcome of an order the controller never acknowledged."""
    return Outcome(order.id, order.asked_mono, None, Moved.UNKNOWN, fault.value)
