"""What the controller told of its own accord, until somebody has kept it.

 1. An event is shown until it is acknowledged; only then the controller is told to forget it.
 2. A controller repeats itself: an event that was heard before is not booked again.
 3. Numbers start anew when the controller restarts, so what is kept is known for one start of one
    board only. Events of an earlier start stay in the book until they are acknowledged.
 4. At most ``MOST_WAITING`` are taken on; the controller keeps and repeats the rest.
"""

from __future__ import annotations

import logging

from appliance.barrier.drivers.seam import BarrierEvent, EventKind
from appliance.barrier.messages import Event, Welcome

logger = logging.getLogger(__name__)

MOST_WAITING = 64
FAULTS = (  # by number, firmware/PROTOCOL.md section 8
    "stuck_entry", "stuck_safety", "stuck_photo", "stuck_exit", "stuck_button", "not_moved",
    "limits", "relay", "cabinet", "settings",
)
CAUSES = ("unknown", "power", "watchdog", "software")
_KINDS = tuple(EventKind)  # numbered from 1 on the wire, in this order


class EventBook:
    """Events heard and not acknowledged yet, oldest first."""

    def __init__(self) -> None:
        self._waiting: list[BarrierEvent] = []
        self._start: tuple[bytes, int] = (b"", -1)
        self._heard = 0
        self._kept = 0

    def waiting(self) -> tuple[BarrierEvent, ...]:
        return tuple(self._waiting)

    def kept(self, board: Welcome) -> int:
        """Number of the last event of this start of the board that need not be told again."""
        self._turn_to(board)
        return self._kept

    def hear(self, board: Welcome, event: Event, now_mono: float) -> None:
        self._turn_to(board)
        if event.number <= self._heard or len(self._waiting) == MOST_WAITING:
            return
        self._heard = event.number
        if not 1 <= event.kind <= len(_KINDS):
            logger.warning("controller told an unknown event kind=%d", event.kind)
            self._kept = event.number  # it would dam up those behind it
            return
        kind = _KINDS[event.kind - 1]
        happened_mono = now_mono - event.age / 1000
        self._waiting.append(
            BarrierEvent(board.boot, event.number, kind, _argument(kind, event), happened_mono)
        )

    def acknowledge(self, event: BarrierEvent) -> None:
        """This event and all before it are kept."""
        if event not in self._waiting:
            return
        del self._waiting[: self._waiting.index(event) + 1]
        if event.boot == self._start[1]:
            self._kept = max(self._kept, event.number)

    def _turn_to(self, board: Welcome) -> None:
        start = (board.uid, board.boot)
        if start != self._start:
            self._start, self._heard, self._kept = start, 0, 0


def _argument(kind: EventKind, event: Event) -> str:
    if kind in (EventKind.FAULT_ON, EventKind.FAULT_OFF):
        return word(FAULTS, event.argument)
    return word(CAUSES, event.argument) if kind is EventKind.STARTED else ""


def word(words: tuple[str, ...], number: int) -> str:
    """The number's word; a number of a later version is shown as it is."""
    return words[number] if number < len(words) else f"number_{number}"
