"""Which numbered input of a bought controller is wired to what, and how its circuit is read.

1. Limit switches close their circuit when the arm is there ("normally open").
2. Loops and photocell open it when something is there ("normally closed"), so that a broken wire
   reads as occupied: the same rule as at our own controller (firmware/PROTOCOL.md, section 7).
3. Both limits at once are a fault and no position.
4. With one limit switch alone, away from it is MOVING for the closed limit (the arm has left) and
   UNKNOWN for the open one.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from appliance.barrier.drivers.seam import BarrierStatus, Position

NOT_WIRED = -1
LIMITS = "limits"
"""The code of rule 3, as in firmware/PROTOCOL.md, section 8."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """Numbers of the inputs; ``NOT_WIRED`` where there is none."""

    limit_open: int = NOT_WIRED
    limit_closed: int = NOT_WIRED
    entry_loop: int = NOT_WIRED
    safety_loop: int = NOT_WIRED
    photocell: int = NOT_WIRED

    @property
    def lines(self) -> tuple[int, ...]:
        """The numbers in use, ascending."""
        numbers = (getattr(self, field.name) for field in fields(self))
        return tuple(sorted(n for n in numbers if n != NOT_WIRED))

    @property
    def proves_movement(self) -> bool:
        """Whether leaving the closed limit can be seen."""
        return self.limit_closed != NOT_WIRED

    @property
    def sees_cars(self) -> bool:
        return {self.entry_loop, self.safety_loop, self.photocell} != {NOT_WIRED}

    def status(
        self, closed: Mapping[int, bool], *, contact: bool | None, held: bool
    ) -> BarrierStatus:
        """``closed``: which circuits are closed; a number that is missing was not read yet."""
        at_open, at_closed = closed.get(self.limit_open), closed.get(self.limit_closed)
        both = bool(at_open and at_closed)
        return BarrierStatus(
            position=Position.UNKNOWN if both else _position(at_open, at_closed),
            entry_loop=_occupied(closed.get(self.entry_loop)),
            safety_loop=_occupied(closed.get(self.safety_loop)),
            photocell=_occupied(closed.get(self.photocell)),
            contact=contact, held=held, faults=(LIMITS,) if both else (),
        )


NOTHING_WIRED = Wiring()


def _position(at_open: bool | None, at_closed: bool | None) -> Position:
    if at_open:
        return Position.OPEN
    if at_closed is None:
        return Position.UNKNOWN
    return Position.CLOSED if at_closed else Position.MOVING


def _occupied(circuit_closed: bool | None) -> bool | None:
    return None if circuit_closed is None else not circuit_closed
