"""Cars counted by the loops: who was not read, and who drove in behind somebody else. Pure.

1. A cycle is a loop that becomes occupied: as the controller counts them (modulo 256), or, where it
   does not count, as the looks at it show them. What happened before the first look, or while the
   controller was away, is not counted.
2. A cycle of the entry loop is a read car where a car was read at most ``READ_BEFORE_S`` before it
   or ``READ_AFTER_S`` after it; each car stands for one cycle. Any other cycle is a missed read.
3. An opening lets one car through. A cycle of the safety loop without an opening left to use is a
   tailgate. Openings not used are forgotten when the arm is down again, or, where its position is
   not read, after ``UNUSED_S``.
4. While the arm is held open (a hold, fire), and until it is down again where its position is read,
   cars may follow each other. A loop that is struck while the arm is down counts for nothing.

Figures only: no plate, no track. The link thread looks, another thread tells of cars read; a lock
keeps the two apart.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from appliance.barrier.drivers.seam import BarrierStatus, Position

READ_BEFORE_S = 20.0
READ_AFTER_S = 8.0
UNUSED_S = 60.0
RISES_WITHIN_S = 4.0  # an arm that is still down this long after an opening will not rise for it
JUDGED_CYCLES = 50
FEWEST_JUDGED = 20
"""Below this many cycles a share of missed reads says nothing."""


@dataclass(frozen=True, slots=True)
class Counted:
    """The figures since ``since_mono``. A cycle that may still be matched is in neither ``read``
    nor ``missed``."""

    since_mono: float
    entry_cycles: int = 0
    passed_under: int = 0
    read: int = 0
    missed: int = 0
    openings: int = 0
    tailgates: int = 0
    missed_share: float | None = None
    """Of the latest ``JUDGED_CYCLES``; None while there are too few."""
    last_tailgate_mono: float | None = None


class _Loop:
    """Counts the cycles of one loop from looks, or from the controller's own count."""

    def __init__(self) -> None:
        self._occupied: bool | None = None
        self._count: int | None = None

    def cycles(self, occupied: bool | None, count: int | None) -> int:
        before, self._occupied = self._occupied, occupied
        counted, self._count = self._count, count
        if count is not None:
            return 0 if counted is None else (count - counted) % 256
        return int(before is False and occupied is True)

    def forget(self) -> None:
        self._occupied = self._count = None


class Traffic:
    """One lane's figures. ``now_mono`` of one caller never runs backwards."""

    def __init__(self, since_mono: float) -> None:
        self._lock = threading.Lock()
        self._since_mono = since_mono
        self._entry, self._safety = _Loop(), _Loop()
        self._unmatched: deque[float] = deque()
        """Entry cycles that may still turn out to be a car that was read."""
        self._cars: deque[float] = deque(maxlen=JUDGED_CYCLES)
        """Cars read that no cycle was counted for yet."""
        self._judged: deque[bool] = deque(maxlen=JUDGED_CYCLES)
        self._entry_cycles = self._passed = self._read = self._missed = 0
        self._openings = self._tailgates = 0
        self._last_tailgate_mono: float | None = None
        self._unused: deque[float] = deque(maxlen=JUDGED_CYCLES)
        self._free = False

    def look(self, status: BarrierStatus, now_mono: float) -> None:
        """One look at the barrier."""
        with self._lock:
            for _ in range(self._entry.cycles(status.entry_loop, status.entry_count)):
                self._entered(now_mono)
            passed = self._safety.cycles(status.safety_loop, status.safety_count)
            self._way(status, now_mono)
            if status.position is not Position.CLOSED:
                for _ in range(passed):
                    self._passed_under(now_mono)
            self._miss(now_mono)

    def opened(self, now_mono: float) -> None:
        """The barrier was opened for one car: by an order, the hand button or the exit request."""
        with self._lock:
            self._openings += 1
            self._unused.append(now_mono)

    def car_read(self, now_mono: float) -> None:
        """The plate of a car was read; told once a car."""
        with self._lock:
            if self._unmatched and now_mono - self._unmatched[0] <= READ_AFTER_S:
                self._unmatched.popleft()
                self._judge(read=True)
            else:
                self._cars.append(now_mono)

    def away(self) -> None:
        """The controller was away, or began anew: what it counted meanwhile is not known."""
        with self._lock:
            self._entry.forget()
            self._safety.forget()

    def counted(self) -> Counted:
        with self._lock:
            judged = self._judged
            share = judged.count(False) / len(judged) if len(judged) >= FEWEST_JUDGED else None
            return Counted(
                self._since_mono, self._entry_cycles, self._passed, self._read, self._missed,
                self._openings, self._tailgates, None if share is None else round(share, 3),
                self._last_tailgate_mono,
            )

    def _entered(self, now_mono: float) -> None:
        self._entry_cycles += 1
        while self._cars and now_mono - self._cars[0] > READ_BEFORE_S:
            self._cars.popleft()
        if self._cars:
            self._cars.popleft()
            self._judge(read=True)
        else:
            self._unmatched.append(now_mono)

    def _miss(self, now_mono: float) -> None:
        while self._unmatched and now_mono - self._unmatched[0] > READ_AFTER_S:
            self._unmatched.popleft()
            self._judge(read=False)

    def _judge(self, *, read: bool) -> None:
        self._read += read
        self._missed += not read
        self._judged.append(read)

    def _way(self, status: BarrierStatus, now_mono: float) -> None:
        """Which openings are still good for a car, and whether everybody may pass."""
        if status.held or status.fire is True:
            self._free = True
        elif status.position in (Position.CLOSED, Position.UNKNOWN):
            self._free = False
        while self._unused and self._spent(self._unused[0], status.position, now_mono):
            self._unused.popleft()

    def _spent(self, opened_mono: float, position: Position, now_mono: float) -> bool:
        """An arm that has not left its closed limit yet was still opened for somebody."""
        age_s = now_mono - opened_mono
        return age_s > UNUSED_S or (position is Position.CLOSED and age_s > RISES_WITHIN_S)

    def _passed_under(self, now_mono: float) -> None:
        self._passed += 1
        if self._free:
            return
        if self._unused:
            self._unused.popleft()
        else:
            self._tailgates += 1
            self._last_tailgate_mono = now_mono
