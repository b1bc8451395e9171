"""A barrier arm with its operator cabinet, as arithmetic: the simulated part behind the contact.

1. A closed opening contact raises the arm from wherever it is and suspends the closing timer.
2. The cabinet closes by itself ``auto_close_s`` after the arm came to rest anywhere but closed,
   never while the safety loop is occupied or the beam is broken; the wait then begins anew.
3. An obstruction while closing raises the arm again.
4. Without power the arm stays where it is.

Deterministic: time passes only in ``step``. Not shared between threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Motion(Enum):
    RESTING = "resting"
    RISING = "rising"
    FALLING = "falling"


@dataclass
class Arm:
    """The plant. Inputs are set from outside, ``raised`` and ``openings`` are read."""

    travel_s: float = 1.5
    auto_close_s: float = 5.0

    contact: bool = False
    safety_loop: bool = False
    photocell: bool = False
    powered: bool = True
    stuck: bool = False
    slowness: float = 1.0
    """How many times longer than ``travel_s`` a full travel takes."""

    raised: float = 0.0
    """0 closed .. 1 open."""
    motion: Motion = Motion.RESTING
    openings: int = 0
    """How often the contact set the arm to rise."""
    _rested_s: float = 0.0
    _contact_before: bool = False

    @property
    def at_closed_limit(self) -> bool:
        return self.raised <= 0.0

    @property
    def at_open_limit(self) -> bool:
        return self.raised >= 1.0

    def step(self, dt_s: float) -> None:
        """Lets ``dt_s`` seconds pass; keep it well under ``travel_s``."""
        if not self.powered:
            self.motion = Motion.RESTING
            self._contact_before = False
            return
        self._heed_contact()
        self._heed_obstruction()
        self._travel(dt_s)
        self._close_in_time(dt_s)

    def _heed_contact(self) -> None:
        if self.contact and not self._contact_before:
            self.openings += 1
        self._contact_before = self.contact
        if self.contact and not self.at_open_limit:
            self.motion = Motion.RISING

    def _heed_obstruction(self) -> None:
        if self.motion is Motion.FALLING and self._obstructed:
            self.motion = Motion.RISING

    def _travel(self, dt_s: float) -> None:
        if self.motion is Motion.RESTING or self.stuck:
            return
        share = dt_s / (self.travel_s * self.slowness)
        if self.motion is Motion.RISING:
            self.raised = min(1.0, self.raised + share)
        else:
            self.raised = max(0.0, self.raised - share)
        if self.at_open_limit or self.at_closed_limit:
            self.motion = Motion.RESTING
            self._rested_s = 0.0

    def _close_in_time(self, dt_s: float) -> None:
        if self.motion is not Motion.RESTING or self.at_closed_limit:
            return
        waits = self.contact or self._obstructed
        self._rested_s = 0.0 if waits else self._rested_s + dt_s
        if self._rested_s >= self.auto_close_s:
            self.motion = Motion.FALLING
            self._rested_s = 0.0

    @property
    def _obstructed(self) -> bool:
        return self.safety_loop or self.photocell
