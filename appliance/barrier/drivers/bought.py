"""What the drivers of bought controllers share: relays that know no order ids and no deadlines.

1. Such a controller cannot tell a repeated order from a new one, so the driver remembers what it
   put on the wire: an id goes out once, whether or not an answer came back. Sent again after its
   answer was lost, it is done if the contact proves it, else refused as ``unproven``: whether the
   pulse was given is not known, and a second one is not tried.
2. An order without life left or with a number out of bounds is refused before the wire.
3. While the contact is closed by an earlier order, another pulse is refused (``busy``): it would
   cut a hold short or run two pulses into one.
4. Where only this box could end a hold, holds are refused (``cannot_hold``).
5. It tells no events; only the operator's cabinet knows who pressed its buttons.

Not shared between threads, but for what a driver guards itself.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Callable

from appliance.barrier.drivers.seam import BarrierDriver, BarrierEvent, Controller
from appliance.errors import OrderRefused

PULSE_MS = range(100, 3001)
UNIT_MS = 100  # the step in which relay boards and OSDP devices count
LONGEST_LEASE_S = 10.0
_REMEMBERED_IDS = 64


class Bought(BarrierDriver):
    """The part of a ``BarrierDriver`` that is the same for all of them."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._sent: OrderedDict[str, bool] = OrderedDict()
        """Order ids that went out, and whether they are known to be obeyed."""
        self._closed_until = self._held_until = float("-inf")
        self._order_ends = float("-inf")
        """Until when the order on its way may be carried out."""

    # Part of the seam

    def open(
        self, order_id: str, pulse_ms: int, *, life_s: float,
        automatic: bool = False,  # noqa: ARG002 - a bought relay treats all alike
    ) -> None:
        if pulse_ms not in PULSE_MS:
            raise OrderRefused("the pulse is shorter or longer than allowed", why="bad_value")
        _refuse_late(life_s)
        if order_id in self._sent:
            self._sent_again(order_id)
            return
        if self._now() < self._closed_until:
            raise OrderRefused("the contact is closed already", why="busy")
        self._closed_until = self._now() + pulse_ms / 1000
        self._order_ends = self._now() + life_s
        self._send(order_id, pulse_ms / 1000)

    def hold_open(self, order_id: str, lease_s: float, *, life_s: float) -> None:
        longest_s = self.capabilities().longest_lease_s
        if not longest_s:
            raise OrderRefused(
                "this kind of controller cannot hold safely", why="cannot_hold",
                next_step="Open by single pulses, or hold at the operator's cabinet",
            )
        if not 0 < lease_s <= longest_s:
            raise OrderRefused("the lease is longer than allowed", why="bad_value")
        _refuse_late(life_s)
        if order_id in self._sent:
            self._sent_again(order_id)
            return
        self._held_until = self._closed_until = self._now() + lease_s
        self._order_ends = self._now() + life_s
        self._send(order_id, lease_s)

    def events(self) -> tuple[BarrierEvent, ...]:
        return ()

    def acknowledge(self, event: BarrierEvent) -> None:
        """There is nothing to forget."""

    def controller(self) -> Controller:
        return Controller()

    # What a driver adds

    @abstractmethod
    def _close_for(self, seconds: float) -> None:
        """Closes the contact for that long. Raises LinkLost and OrderRefused."""

    @abstractmethod
    def _contact_seen(self) -> bool:
        """Whether the contact is seen to be closed. Raises LinkLost where nobody answers."""

    # Orders

    def _send(self, order_id: str, seconds: float) -> None:
        self._sent[order_id] = False
        while len(self._sent) > _REMEMBERED_IDS:
            self._sent.popitem(last=False)
        try:
            self._close_for(seconds)
        except OrderRefused:
            del self._sent[order_id]
            self._nothing_runs()
            raise
        self._sent[order_id] = True

    def _sent_again(self, order_id: str) -> None:
        self._sent[order_id] |= self._contact_seen()
        if not self._sent[order_id]:
            raise OrderRefused(
                "whether the pulse was given is not known, because its answer was lost",
                next_step="Look at the barrier, then ask anew", why="unproven",
            )

    def _nothing_runs(self) -> None:
        self._held_until = self._closed_until = float("-inf")


def units(seconds: float) -> int:
    """The least number of 100 ms steps that is not shorter."""
    return -(-round(seconds * 1000) // UNIT_MS)


def _refuse_late(life_s: float) -> None:
    if life_s <= 0:
        raise OrderRefused("the order is too old", why="expired")
