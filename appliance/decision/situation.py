"""What a decision needs to know besides the car and the policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from appliance.values import ClockQuality


@dataclass(frozen=True, slots=True)
class Situation:
    """The moment and the gate, taken once before a decision and used for every comparison."""

    now_mono: float
    now_at: datetime
    """UTC, with its zone."""
    clock: ClockQuality
    lane: str
    direction: str
    """Which way the barrier lets cars through by itself: in, out or both."""
    records_ok: bool
    """True while records are kept, or can be queued for the moment."""
    presence_needed: bool = False
    """This gate opens by itself only to a car on its entry loop."""
    entry_loop: bool | None = None
    """True: a car stands on it. None: not read, which counts as nobody."""
    confirmed_grant: int | None = None
    """The grant whose second factor was given for this car, while that counts."""

    @property
    def clock_trusted(self) -> bool:
        """A free-running clock was right once and counts; one never known to be right does not."""
        return self.clock is not ClockQuality.UNKNOWN
