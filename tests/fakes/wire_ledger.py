"""Who asked for what, and whether that explains everything the relay did.

    ledger = Ledger(driver, now)
    ledger.open(300, life_s=1.0)              # LinkLost and OrderRefused are noted, not raised
    ledger.hold(2.0, life_s=1.0)
    ledger.complaints(changes, slack_s=0.0)   # sentences; empty where every rule was kept

1. FRESH   A closing of the contact begins while an order to close it lives.
2. ONCE    No order explains two closings.
3. CAPPED  A pulse is no longer than asked, a hold no longer than the last lease asked for.
4. TRUE    An order that was answered with done has closed the contact, or found it held.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from appliance.barrier.drivers.seam import BarrierDriver
from appliance.errors import LinkLost, OrderRefused


@dataclass
class Asked:
    order_id: str
    hold: bool
    asked_mono: float
    life_s: float
    length_s: float
    done: bool = False

    @property
    def dies_mono(self) -> float:
        return self.asked_mono + self.life_s


class Ledger:
    def __init__(self, driver: BarrierDriver, now: Callable[[], float]) -> None:
        self.driver = driver
        self.asked: list[Asked] = []
        self.lost = 0
        self.refused: dict[str, int] = {}
        self._now = now

    def open(self, pulse_ms: int, *, life_s: float) -> None:
        order = self._note(False, life_s, pulse_ms / 1000)
        self._try(lambda: self.driver.open(order.order_id, pulse_ms, life_s=life_s), order)

    def hold(self, lease_s: float, *, life_s: float) -> None:
        order = self._note(True, life_s, lease_s)
        self._try(lambda: self.driver.hold_open(order.order_id, lease_s, life_s=life_s), order)

    def again(self, life_s: float) -> None:
        """The last order once more, with what is left of its life, as the link does."""
        if not self.asked:
            return
        order = self.asked[-1]
        left_s = min(life_s, order.dies_mono - self._now())
        ms, lease_s = round(order.length_s * 1000), order.length_s
        if order.hold:
            self._try(
                lambda: self.driver.hold_open(order.order_id, lease_s, life_s=left_s), order)
        else:
            self._try(lambda: self.driver.open(order.order_id, ms, life_s=left_s), order)

    def release(self) -> None:
        self._try(self.driver.release)

    def look(self) -> None:
        self._try(lambda: self.driver.status() and None)

    def reconnect(self) -> None:
        with contextlib.suppress(LinkLost):
            self.driver.connect()

    def complaints(self, changes: Iterable[tuple[float, int]], slack_s: float) -> list[str]:
        """``changes`` of the outputs in time order; ``slack_s`` is how late they may be noted."""
        closings = _closings(changes)
        found, free = [], list(self.asked)
        for closed, opened in closings:
            cause = self._cause(free, (closed, opened), slack_s)
            if cause is None:
                found.append(f"FRESH or ONCE: closed at {closed:.3f} and nobody asked")
                continue
            free.remove(cause)
            if not self._explains(cause, (closed, opened), slack_s):
                found.append(f"CAPPED: {cause} closed it for {opened - closed:.3f} s")
        for order in free:
            if order.done and not self._was_closed(order, closings, slack_s):
                found.append(f"TRUE: {order} is said to be done")
        return found

    def _note(self, hold: bool, life_s: float, length_s: float) -> Asked:
        order = Asked(f"order-{len(self.asked)}", hold, self._now(), life_s, length_s)
        self.asked.append(order)
        return order

    def _try(self, call: Callable[[], None], order: Asked | None = None) -> None:
        try:
            call()
        except LinkLost:
            self.lost += 1
            self.reconnect()
        except OrderRefused as refused:
            why = str(refused.fields["why"])
            self.refused[why] = self.refused.get(why, 0) + 1
        else:
            if order is not None:
                order.done = True

    def _cause(
        self, free: list[Asked], closing: tuple[float, float], slack_s: float
    ) -> Asked | None:
        """Of the orders that lived: one whose length explains it before one whose does not (of two
        unanswered orders either may have got through), then the one that was answered."""
        living = [o for o in free if o.asked_mono <= closing[0] <= o.dies_mono + slack_s]
        return min(living, default=None, key=lambda o: (
            not self._explains(o, closing, slack_s), not o.done, o.dies_mono,
        ))

    def _explains(self, order: Asked, closing: tuple[float, float], slack_s: float) -> bool:
        closed, opened = closing
        return opened - closed <= self._longest_s(order, closed, opened) + slack_s

    def _longest_s(self, cause: Asked, closed: float, opened: float) -> float:
        """A pulse stands alone; with a hold about, each may lengthen the other up to its end."""
        about = [o for o in self.asked if o.asked_mono <= opened and o.dies_mono >= closed]
        if not any(order.hold for order in about):
            return cause.length_s
        return max(min(o.dies_mono, opened) + o.length_s for o in about) - closed

    def _was_closed(
        self, order: Asked, closings: list[tuple[float, float]], slack_s: float
    ) -> bool:
        return any(
            closed <= order.dies_mono + slack_s and opened + slack_s >= order.asked_mono
            for closed, opened in closings
        )


def _closings(changes: Iterable[tuple[float, int]]) -> list[tuple[float, float]]:
    """When the opening contact closed and opened; one that is closed still has no end yet."""
    found: list[tuple[float, float]] = []
    since: float | None = None
    at = 0.0
    for at, outputs in changes:
        if outputs & 1 and since is None:
            since = at
        elif not outputs & 1 and since is not None:
            found.append((since, at))
            since = None
    if since is not None:
        found.append((since, at))
    return found
