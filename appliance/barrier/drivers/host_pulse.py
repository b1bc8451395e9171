"""A pulse that only this box ends: for relays that stay as they are told.

1. The end is arranged before the beginning: a timer first, then the contact.
2. Two watch over the end, the timer's thread and every look of the link (``look``); either opens
   the contact once the pulse is over, and opens it again and again, in case a frame was lost.
3. If this program is killed in between, the contact stays closed: such a driver warns
   ``RELAY_MAY_STICK`` and refuses holds.

Any thread; ``lock`` guards the switch.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial

from appliance.errors import LinkLost

logger = logging.getLogger(__name__)

Switch = Callable[[bool], None]
"""True closes the contact, False opens it. Raises LinkLost."""
After = Callable[[float, Callable[[], None]], None]
"""Calls that function once, so many seconds later, on any thread."""


def after(seconds: float, call: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, call)
    timer.name = "pulse-end"
    timer.daemon = True
    timer.start()


class HostPulse:
    """The opening contact. All times in seconds of ``now``."""

    def __init__(self, switch: Switch, now: Callable[[], float], after: After) -> None:
        self._switch = switch
        self._now = now
        self._after = after
        self._until = float("-inf")
        self._begun = 0
        self.lock = threading.RLock()

    @property
    def running(self) -> bool:
        return self._now() < self._until

    def begin(self, pulse_s: float) -> None:
        """Closes the contact for that long. Raises LinkLost; the end is then tried nevertheless."""
        with self.lock:
            self._until = self._now() + pulse_s
            self._begun += 1
            self._after(pulse_s, partial(self._end, self._begun))
            self._switch(True)

    def look(self) -> None:
        """Opens the contact unless a pulse runs. Raises LinkLost."""
        with self.lock:
            if not self.running:
                self._switch(False)

    def let_go(self) -> None:
        """Opens the contact, pulse or not. Raises LinkLost."""
        with self.lock:
            self._until = float("-inf")
            self._switch(False)

    def _end(self, number: int) -> None:
        with self.lock:
            if number != self._begun:
                return  # a later pulse has its own end
            try:
                self.let_go()
            except LinkLost:
                logger.error("pulse not ended: the relay may have stuck")
