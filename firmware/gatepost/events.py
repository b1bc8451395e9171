"""What happened here, told until the host has kept it (PROTOCOL.md, section 6).

1. The oldest waits until the host says that it kept it; it is told at once and every 250 ms.
2. A number is given when an event leaves for the first time, so the numbers have no holes.
3. 16 wait at most. A further one is lost and counted, but an opening without the host (hand button,
   exit, fire) takes the place of the newest other event that never left.
"""

import struct

from gatepost import codes
from gatepost.codes import const
from gatepost.uptime import left

_MOST = const(16)
_AGAIN_MS = const(250)
_PRECIOUS = (codes.MANUAL_OPEN, codes.EXIT_OPEN, codes.FIRE_ON)


class _Event:
    def __init__(self, kind, argument, uptime):
        self.kind = kind
        self.argument = argument
        self.number = 0
        self.s = uptime.s
        self.ms = uptime.ms


class Events:
    """The queue."""

    def __init__(self, uptime):
        self.lost = 0
        self._uptime = uptime
        self._waiting = []
        self._newest = 0
        self._again = 0

    def waiting(self):
        return len(self._waiting)

    def tell(self, kind, argument=0):
        if len(self._waiting) >= _MOST and not self._make_room(kind):
            self.lost = min(self.lost + 1, 255)
            return
        self._waiting.append(_Event(kind, argument, self._uptime))

    def keep(self, number):
        """The host has kept this one and all before it."""
        if not self._waiting or number > self._newest:
            return
        if 0 < self._waiting[0].number <= number:
            self._waiting.pop(0)
            self._again = 0

    def elapse(self, passed):
        self._again = left(self._again, passed)

    def hurry(self):
        """Somebody new listens: the oldest is due now."""
        self._again = 0

    def due(self):
        """The body of the EVENT to send now, or None."""
        if self._again or not self._waiting:
            return None
        self._again = _AGAIN_MS
        event = self._waiting[0]
        if not event.number:
            self._newest += 1
            event.number = self._newest
        age = self._uptime.since(event.s, event.ms)
        return struct.pack("<IBBI", event.number, event.kind, event.argument, age)

    def _make_room(self, kind):
        if kind not in _PRECIOUS:
            return False
        for at in range(len(self._waiting) - 1, -1, -1):
            event = self._waiting[at]
            if event.kind not in _PRECIOUS and not event.number:
                self._waiting.pop(at)
                self.lost = min(self.lost + 1, 255)
                return True
        return False
