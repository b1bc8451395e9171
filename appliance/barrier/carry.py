"""Carries orders to the controller: within their life, within the limits, once each.

1. An order is refused once it is older than ``DEADLINE_S``; the controller is told how much of its
   life is left and refuses it after that.
2. An order id is carried out once; asked again, its first outcome is the answer.
3. An automatic opening is written down (``claim``) before it goes out; what cannot be written down
   does not go out.
4. An order that was not answered, or that the controller cannot obey at this moment (``PASSING``),
   is sent again with the same id until its deadline; the controller obeys an id once.
5. A hold is renewed piece by piece and never resumed by itself after the link was lost.

The link thread's alone, but for ``Waiting.answer``, on which others wait.
"""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from appliance.barrier.drivers.seam import BarrierDriver
from appliance.barrier.hold import Hold
from appliance.barrier.limits import Limits, too_late
from appliance.barrier.orders import Fault, Order, OrderKind, unsent
from appliance.errors import LinkLost, OrderRefused
from appliance.values import Moved, Outcome

logger = logging.getLogger(__name__)

PASSING = frozenset({"waking", "locked_out", "busy", "no_presence"})
"""A controller's reasons that may be gone a moment later, within the order's life."""
_BY_REASON = {
    "stopped": Fault.STOP_PRESSED, "fire": Fault.FIRE_OPEN, "no_presence": Fault.NO_PRESENCE,
    "unproven": Fault.LINK_LOST,  # sent again after its answer was lost: it may have been obeyed
}
_REMEMBERED = 64
_RENEWAL_LIFE_S = 1.0

Claim = Callable[[Order], Fault | None]
Report = Callable[[Order, Outcome], None]


@dataclass
class Waiting:
    """An order on its way, and whoever waits for its outcome."""

    order: Order
    answer: Future[Outcome] = field(default_factory=Future)
    sent_once: bool = False
    refused: Fault | None = None
    """The controller's latest passing reason, while it is tried again."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What every opening is bound by, and who hears of it; all on the link thread."""

    pulse_ms: int
    lockout_s: float
    claim: Claim
    report: Report
    opened: Callable[[Order, Outcome], None]
    """Called at each acknowledged opening, before its outcome is reported."""


class Carrier:
    """The orders that wait. Calls the driver; raises LinkLost where it does not answer."""

    def __init__(self, driver: BarrierDriver, terms: Terms, now: Callable[[], float]) -> None:
        self.hold: Hold | None = None
        self._driver = driver
        self._terms = terms
        self._now = now
        self._longest_lease_s = driver.capabilities().longest_lease_s
        self._limits = Limits(terms.lockout_s)
        self._taken: deque[Waiting] = deque()
        self._done: OrderedDict[str, Outcome] = OrderedDict()

    def take(self, waiting: Waiting) -> None:
        self._taken.append(waiting)

    def carry_out(self) -> None:
        """One try at every order. Raises LinkLost; the order it struck waits for another try."""
        later: list[Waiting] = []
        try:
            while self._taken:
                waiting = self._taken.popleft()
                if not waiting.sent_once and not waiting.answer.set_running_or_notify_cancel():
                    continue  # nobody waits for it any more
                try:
                    outcome = self._carry_out(waiting)
                except LinkLost:
                    waiting.refused = None
                    later.append(waiting)
                    raise
                if outcome is None:
                    later.append(waiting)
                else:
                    self._settle(waiting, outcome)
        finally:
            self._taken.extendleft(reversed(later))

    def renew_hold(self) -> None:
        """Raises LinkLost."""
        hold, now = self.hold, self._now()
        if hold is None:
            return
        if hold.lapsed(now):
            self.hold = None
        elif hold.due(now):
            try:
                self._driver.hold_open(*hold.next_piece(now), life_s=_RENEWAL_LIFE_S)
                hold.piece_sent(now)
            except OrderRefused:
                self.hold = None

    def refuse_late(self) -> None:
        """While the controller is silent, an order waits no longer than its deadline."""
        for waiting in [w for w in self._taken if too_late(w.order, self._now())]:
            self._taken.remove(waiting)
            self._settle(waiting, _outlived(waiting))

    def refuse_all(self, fault: Fault) -> None:
        while self._taken:
            waiting = self._taken.popleft()
            self._settle(waiting, unsent(waiting.order, fault))

    def settle(self, order: Order, outcome: Outcome) -> None:
        """A later word on an order that was answered already: what the arm did."""
        self._terms.report(order, self._remember(outcome))

    def _carry_out(self, waiting: Waiting) -> Outcome | None:
        """None: to be tried again. Raises LinkLost."""
        order = waiting.order
        if order.id in self._done:
            return self._done[order.id]
        if not waiting.sent_once:
            fault = self._limits.objection(order, self._now())
            if fault is None and order.automatic:
                fault = self._terms.claim(order)
            if fault is not None:
                return unsent(order, fault)
            waiting.sent_once = True
        elif too_late(order, self._now()):
            return _outlived(waiting)
        now = self._now()
        try:
            self._send(order, now)
        except OrderRefused as refusal:
            return self._refused(waiting, str(refusal.fields.get("why", "")))
        except LinkLost:
            self._limits.pulse_given(order, now)  # it may have been
            raise
        self._limits.pulse_given(order, now)
        outcome = Outcome(order.id, order.asked_mono, self._now(), Moved.UNKNOWN)
        if order.kind is OrderKind.OPEN:
            self._terms.opened(order, outcome)
        return self._remember(outcome)

    def _refused(self, waiting: Waiting, why: str) -> Outcome | None:
        fault = _BY_REASON.get(why, Fault.REFUSED)
        if waiting.refused is not fault:
            logger.info("order refused by the controller why=%s", why or "unsaid")
        waiting.refused = fault
        return None if why in PASSING else self._remember(unsent(waiting.order, fault))

    def _send(self, order: Order, now: float) -> None:
        life_s = order.left_s(now)
        if order.kind is OrderKind.OPEN:
            self._driver.open(
                order.id, self._terms.pulse_ms, life_s=life_s, automatic=order.automatic
            )
        elif order.kind is OrderKind.HOLD:
            hold = Hold(order.id, now + order.lease_s, self._longest_lease_s)
            self._driver.hold_open(*hold.next_piece(now), life_s=life_s)
            hold.piece_sent(now)
            self.hold = hold
        else:
            self._driver.release()
            self.hold = None

    def _settle(self, waiting: Waiting, outcome: Outcome) -> None:
        if waiting.answer.running() or waiting.answer.set_running_or_notify_cancel():
            waiting.answer.set_result(outcome)
        self._terms.report(waiting.order, outcome)

    def _remember(self, outcome: Outcome) -> Outcome:
        self._done[outcome.order_id] = outcome
        while len(self._done) > _REMEMBERED:
            self._done.popitem(last=False)
        return outcome


def _outlived(waiting: Waiting) -> Outcome:
    """An order that was sent and never answered may have opened; one that was refused has not."""
    sent = Fault.LINK_LOST if waiting.sent_once else Fault.TOO_LATE
    return unsent(waiting.order, waiting.refused or sent)
