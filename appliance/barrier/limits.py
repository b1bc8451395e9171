"""How often the barrier may be opened: the lock-out and the limit on automatic openings. Pure."""

from __future__ import annotations

from collections import deque

from appliance.barrier.orders import Fault, Order, OrderKind

MOST_PER_MINUTE = 12  # a car every five seconds; more is a fault, not traffic


class Limits:
    """Remembers the pulses given. Holding open and letting go are not limited."""

    def __init__(self, lockout_s: float) -> None:
        self._lockout_s = lockout_s
        self._last_mono = float("-inf")
        self._last_id = ""
        self._automatic: deque[float] = deque(maxlen=MOST_PER_MINUTE)

    def objection(self, order: Order, now_mono: float) -> Fault | None:
        """Why the order may not go out now; None: it may."""
        if too_late(order, now_mono):
            return Fault.TOO_LATE
        if order.kind is not OrderKind.OPEN:
            return None
        if now_mono - self._last_mono < self._lockout_s:
            return Fault.LOCKED_OUT
        full = len(self._automatic) == MOST_PER_MINUTE
        if order.automatic and full and now_mono - self._automatic[0] < 60.0:
            return Fault.TOO_MANY
        return None

    def pulse_given(self, order: Order, now_mono: float) -> None:
        """Counts a pulse, acknowledged or not: it may have been given. An order that is sent
        again counts once."""
        if order.kind is not OrderKind.OPEN:
            return
        self._last_mono = now_mono
        if order.automatic and order.id != self._last_id:
            self._automatic.append(now_mono)
        self._last_id = order.id


def too_late(order: Order, now_mono: float) -> bool:
    return order.left_s(now_mono) < 0
