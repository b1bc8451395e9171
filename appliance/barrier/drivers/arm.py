"""A barrier arm with its operator cabinet, as arithmetic: the simulated part behind the contact.

1. STOP goes before FIRE, FIRE before OPEN, OPEN before CLOSE and before everything automatic.
2. A closed opening contact raises the arm from wherever it is and suspends the closing timer.
3. An active FIRE contact raises the arm and keeps it up.
4. An active STOP (its circuit is open) rests the arm where it is.
5. The cabinet closes by itself ``auto_close_s`` after the arm came to rest anywhere but closed,
   never while the safety loop is occupied or the beam is broken; the wait then begins anew.
6. A broken beam or an occupied loop under the falling arm raises it again.
7. A rigid thing in its way stops the arm there; a falling one rises again, a rising one rests.
8. Without power the arm stays where it is, or falls where ``gravity_drop`` says so.
9. Limit switches that bounce chatter for a while after every change.

Deterministic: time passes only in ``step``. Not shared between threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

GRAVITY_S = 1.2  # an arm without its spring is down after about that long
BOUNCES_S = 0.2
CHATTER_S = 0.02  # faster than a debounce of 30 ms lets through


class Motion(Enum):
    RESTING = "resting"
    RISING = "rising"
    FALLING = "falling"


@dataclass
class Arm:
    """The plant. Inputs are set from outside, ``raised`` and ``openings`` are read."""

    travel_s: float = 1.5
    closes_s: float | None = None
    """Seconds of a full way down; None: as long as up."""
    auto_close_s: float = 5.0
    gravity_drop: bool = False

    contact: bool = False
    close_contact: bool = False
    """Wired only where an installer built the closing option in."""
    fire: bool = False
    stop: bool = False
    safety_loop: bool = False
    photocell: bool = False
    powered: bool = True
    stuck: bool = False
    slowness: float = 1.0
    """How many times longer than ``travel_s`` a full travel takes."""
    obstacle: float | None = None
    """Where something rigid stands in its way, 0 closed .. 1 open."""
    bouncing: bool = False

    raised: float = 0.0
    """0 closed .. 1 open."""
    motion: Motion = Motion.RESTING
    openings: int = 0
    """How often the contact set the arm to rise."""
    reversals: int = 0
    """How often a falling arm rose again because something was in its way."""
    _above: bool = False
    _rested_s: float = 0.0
    _contact_before: bool = False
    _chatter_left_s: float = 0.0
    _limits_before: tuple[bool, bool] = (True, False)

    @property
    def at_closed_limit(self) -> bool:
        return self.raised <= 0.0

    @property
    def at_open_limit(self) -> bool:
        return self.raised >= 1.0

    @property
    def limit_switches(self) -> tuple[bool, bool]:
        """(closed, open) as the switches show it, chatter included."""
        closed, opened = self.at_closed_limit, self.at_open_limit
        flipped = int(self._chatter_left_s / CHATTER_S) % 2 == 1
        return (not closed, not opened) if flipped else (closed, opened)

    def step(self, dt_s: float) -> None:
        """Lets ``dt_s`` seconds pass; keep it well under ``travel_s``."""
        if self.powered:
            self._heed_orders()
            self._heed_obstruction()
            self._travel(dt_s)
            self._close_in_time(dt_s)
        else:
            self._without_power(dt_s)
        self._chatter(dt_s)

    def _heed_orders(self) -> None:
        if self.contact and not self._contact_before:
            self.openings += 1
        self._contact_before = self.contact
        if self.stop:
            self.motion = Motion.RESTING
        elif self.contact or self.fire:
            if not self.at_open_limit:
                self.motion = Motion.RISING
        elif self.close_contact and not self.at_closed_limit and not self._obstructed:
            self.motion = Motion.FALLING

    def _heed_obstruction(self) -> None:
        if self.motion is Motion.FALLING and self._obstructed:
            self._reverse()

    def _travel(self, dt_s: float) -> None:
        if self.motion is Motion.RESTING or self.stuck:
            return
        before = self.raised
        if self.motion is Motion.RISING:
            self.raised = min(1.0, before + dt_s / (self.travel_s * self.slowness))
        else:
            closes_s = self.travel_s if self.closes_s is None else self.closes_s
            self.raised = max(0.0, before - dt_s / (closes_s * self.slowness))
        if self._struck(before):
            return
        if self.at_open_limit or self.at_closed_limit:
            self._rest()

    def _struck(self, before: float) -> bool:
        """True where the obstacle lay on this step's way: the arm stands at it."""
        at = self.obstacle
        if at is None:
            return False
        if before != at:
            self._above = before > at
        if self.motion is Motion.RISING and not self._above and self.raised > at:
            self.raised = at
            self._rest()
            return True
        if self.motion is Motion.FALLING and self._above and self.raised < at:
            self.raised = at
            self._reverse()
            return True
        return False

    def _reverse(self) -> None:
        self.motion = Motion.RISING
        self.reversals += 1

    def _rest(self) -> None:
        self.motion = Motion.RESTING
        self._rested_s = 0.0

    def _close_in_time(self, dt_s: float) -> None:
        if self.motion is not Motion.RESTING or self.at_closed_limit:
            return
        waits = self.contact or self.fire or self.stop or self._obstructed
        self._rested_s = 0.0 if waits else self._rested_s + dt_s
        if self._rested_s >= self.auto_close_s:
            self.motion = Motion.FALLING
            self._rested_s = 0.0

    def _without_power(self, dt_s: float) -> None:
        self.motion = Motion.RESTING
        self._contact_before = False
        if self.gravity_drop and not self.stuck:
            lowest = self.obstacle if self.obstacle is not None else 0.0
            fallen = self.raised - dt_s / GRAVITY_S
            self.raised = max(fallen, lowest) if self.raised >= lowest else max(fallen, 0.0)

    def _chatter(self, dt_s: float) -> None:
        limits = (self.at_closed_limit, self.at_open_limit)
        if limits != self._limits_before:
            self._limits_before = limits
            self._chatter_left_s = BOUNCES_S if self.bouncing else 0.0
        else:
            self._chatter_left_s = max(0.0, self._chatter_left_s - dt_s)

    @property
    def _obstructed(self) -> bool:
        return self.safety_loop or self.photocell
