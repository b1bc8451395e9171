"""What happened at the controller is told until it is kept: at least once, in order.

1. An event is passed on when it is first seen. It is acknowledged at the controller only after
   somebody said that it is kept, and only when all before it are.
2. An event that could not be kept is passed on again. So is every event the controller still tells
   of after this program restarted: whoever keeps it has to know it by (``boot``, ``number``).

``tell`` runs on the link thread; ``kept`` may be called from any.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from appliance.barrier.drivers.seam import BarrierDriver, BarrierEvent

_REMEMBERED = 64  # four times what a controller lets wait
_Name = tuple[int, int]


class Teller:
    def __init__(self, driver: BarrierDriver, happened: Callable[[BarrierEvent], None]) -> None:
        self._driver = driver
        self._happened = happened
        self._lock = threading.Lock()
        self._passed_on: OrderedDict[_Name, bool] = OrderedDict()
        """The latest events that were passed on; True: kept."""

    def tell(self) -> None:
        """Passes on what is new and acknowledges what is kept."""
        waiting = self._driver.events()
        with self._lock:
            new = [event for event in waiting if _name(event) not in self._passed_on]
            self._passed_on.update((_name(event), False) for event in new)
            while len(self._passed_on) > _REMEMBERED:
                self._passed_on.popitem(last=False)
        for event in new:
            self._happened(event)
        last = None
        for event in waiting:
            if not self._passed_on.get(_name(event)):
                break
            last = event
        if last is not None:
            self._driver.acknowledge(last)

    def kept(self, event: BarrierEvent, *, kept: bool) -> None:
        with self._lock:
            if kept and _name(event) in self._passed_on:
                self._passed_on[_name(event)] = True
            elif not kept:
                self._passed_on.pop(_name(event), None)


def _name(event: BarrierEvent) -> _Name:
    return event.boot, event.number
