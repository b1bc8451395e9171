"""Whether the wall clock may be believed for a deletion.

The rules, each a sentence
1. A clock of unknown worth is not believed.
2. A disciplined clock is believed at once.
3. A free-running clock is believed while it stays within a day of the last sweep that was allowed.
4. After a larger step, either way, it is believed again once it has run evenly with the monotonic
   clock for ten minutes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from appliance.records.times import Moment
from appliance.values import ClockQuality

LARGEST_STEP = timedelta(days=1)
STEADY_S = 600.0
_STEADY_WITHIN_S = 60.0


@dataclass
class ClockGuard:
    """Remembers the last sweep and the last step."""

    last_at: datetime | None = None
    """Wall time of the last sweep that was allowed, also of an earlier run."""
    _jumped: Moment | None = field(default=None, repr=False)

    def allows(self, now: Moment) -> bool:
        if now.clock is ClockQuality.UNKNOWN:
            self._jumped = None
            return False
        near = self.last_at is not None and abs(now.at - self.last_at) <= LARGEST_STEP
        if near or now.clock is ClockQuality.SYNCED or self._ran_evenly(now):
            self.last_at, self._jumped = now.at, None
            return True
        return False

    def _ran_evenly(self, now: Moment) -> bool:
        """Whether both clocks have gone the same way since the jump was seen."""
        if self._jumped is None:
            self._jumped = now
            return False
        wall_s = (now.at - self._jumped.at).total_seconds()
        mono_s = now.mono - self._jumped.mono
        if abs(wall_s - mono_s) > _STEADY_WITHIN_S:
            self._jumped = now
            return False
        return mono_s >= STEADY_S
