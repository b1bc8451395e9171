"""Did the arm do what it was told? An order sent is not a barrier opened.

1. An arm that was closed must leave its closed limit within ``LEAVES_WITHIN_S`` of the order.
2. An arm that was already away from it counts as moved: the way was open.
3. Where the position cannot be read, nothing is claimed either way.
4. A controller that watches too is not taken at its word: where it says otherwise
   ``DISPUTED_AFTER_S`` after this verdict, both answers are shown.

Pure; the link thread feeds it. The answer goes to the record and, where it is no, to the guard.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.barrier.drivers.seam import Position
from appliance.values import Moved

LEAVES_WITHIN_S = 3.0  # the slowest listed arms leave the switch within a second of the contact
DISPUTED_AFTER_S = 1.0  # the two watches do not begin at the same moment
NOT_MOVED = "not_moved"
"""The controller's own code for an arm that stayed (firmware/PROTOCOL.md, section 8)."""


@dataclass(frozen=True, slots=True)
class Watch:
    """One acknowledged opening, from ``since_mono`` on."""

    since_mono: float

    def verdict(self, position: Position, now_mono: float) -> Moved | None:
        """What is known by now; None: too early to say."""
        if position in (Position.OPEN, Position.MOVING):
            return Moved.YES
        if now_mono - self.since_mono < LEAVES_WITHIN_S:
            return None
        return Moved.NO if position is Position.CLOSED else Moved.UNKNOWN


@dataclass(frozen=True, slots=True)
class Verdict:
    """What this box concluded about an opening, to be held against the controller's own word."""

    moved: Moved
    watched_since_mono: float

    def disputed(self, faults: tuple[str, ...], now_mono: float) -> bool:
        """Whether the controller says otherwise; ``faults`` are those it reports itself."""
        settled = now_mono - self.watched_since_mono >= LEAVES_WITHIN_S + DISPUTED_AFTER_S
        if not settled or self.moved is Moved.UNKNOWN:
            return False
        return (NOT_MOVED in faults) != (self.moved is Moved.NO)
