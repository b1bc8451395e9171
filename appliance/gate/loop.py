"""The heart of the gate: one sighting in, at most one order out, one passage to the records.

1. One ``now`` a sighting; every comparison uses it.
2. A car is ordered in at most once: never again for a track in the ledger, nor for a plate that was
   ordered in seconds ago under another track.
3. Once an order is given the decision stands; later revisions only better the record.
4. The last revision of a car is not decided anew: the car is gone. Only where no decision was made
   in time is it decided, so that the record says why.
5. An order that was refused before it reached the controller may be given again on the next
   revision.
6. A car that was told no and backs away keeps the answer it was given: its record says why it was
   not let in, not that it then drove off.

While ``take`` runs, nothing is opened, resolved or logged. It is called by the thread that hears
sightings; ``settle`` by the link thread; the questions by any thread.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from appliance import clock
from appliance.barrier.orders import NEVER_SENT, Fault, Order, OrderKind, unsent
from appliance.decision.policy import decide
from appliance.decision.situation import Situation
from appliance.decision.snapshot import IndexedPolicy
from appliance.gate.cars import Car, Cars
from appliance.gate.figures import Figures
from appliance.gate.ledger import Ledger
from appliance.gate.sender import Sender
from appliance.values import ClockQuality, Decision, Outcome, Passage, Reason, Sighting, Verdict

REPEAT = "repeat"  # Passage.note: the same car was let in seconds ago under another track
RESTARTED = "restarted"  # Passage.note: the gate restarted; the order was given before that

_MOST_MANUAL = 64
_UNSETTLED = frozenset({Reason.TOO_FEW_GLIMPSES, Reason.TOO_OLD, Reason.LOW_SCORE})


class Surroundings(Protocol):
    """What the loop looks at and others keep up to date. Reading it never waits."""

    @property
    def policy(self) -> IndexedPolicy: ...
    @property
    def clock_quality(self) -> ClockQuality: ...


class Poster(Protocol):
    """The link, as the loop sees it."""

    def post(self, order: Order) -> bool: ...


@dataclass(frozen=True, slots=True)
class Now:
    mono: float
    at: datetime


def now() -> Now:
    return Now(clock.mono(), clock.utc_now())


class Loop:
    def __init__(
        self, *, lane: str, direction: str, surroundings: Surroundings, link: Poster,
        ledger: Ledger, sender: Sender, figures: Figures, now: Callable[[], Now] = now,
    ) -> None:
        self._lane = lane
        self._direction = direction
        self._surroundings = surroundings
        self._link = link
        self._ledger = ledger
        self._sender = sender
        self._figures = figures
        self._now = now
        self._cars = Cars()
        self._manual: OrderedDict[str, Passage] = OrderedDict()
        self._lock = threading.RLock()

    def take(self, sighting: Sighting) -> None:
        """Everything that happens to a sighting."""
        with self._lock:
            moment = self._now()
            car = self._cars.meet(sighting)
            if car is None:
                return
            self._recall(car)
            if car.decision is None or not (car.let_in or sighting.final):
                car.decision = _settled(car.decision, self._decide(sighting, moment))
                if car.decision.verdict is Verdict.OPEN and not car.let_in:
                    self._order(car, car.decision, moment)
            self._sender.put(car.passage)
            self._count(moment)

    def settle(self, order: Order, outcome: Outcome) -> None:
        """What the link reports of an order."""
        with self._lock:
            if not order.automatic:
                self._settle_manual(order, outcome)
                return
            if outcome.acked_mono is not None:
                self._ledger.settle(order.track, outcome)
            car = self._cars.of_track(order.track)
            if car is None:
                return
            first_word = car.outcome is None
            if outcome.acked_mono is not None and first_word:
                self._figures.counts["opened"] += 1
                self._figures.ordered.add(outcome.acked_mono - outcome.asked_mono)
            car.outcome = outcome
            if outcome.fault in NEVER_SENT:
                car.order_id = ""
            self._sender.put(car.passage)

    def keep_manual(self, order: Order, passage: Passage) -> None:
        """The record of an opening by a person; what the arm did is added when it is known."""
        with self._lock:
            self._manual[order.id] = passage
            while len(self._manual) > _MOST_MANUAL:
                self._manual.popitem(last=False)
            self._figures.counts["manual"] += 1
            self._sender.put(passage)

    def at_gate(self, now_mono: float) -> Car | None:
        """The car that stands at the gate now; a copy is not needed, its values are frozen."""
        with self._lock:
            return self._cars.at_gate(now_mono)

    def tidy(self, now_mono: float) -> None:
        """Counts the cars that left; called about once a second."""
        with self._lock:
            for _, verdict in self._cars.left(now_mono):
                asked = verdict is Verdict.ASK_GUARD
                self._figures.counts["asked" if asked else "refused"] += 1

    def _settle_manual(self, order: Order, outcome: Outcome) -> None:
        passage = self._manual.get(order.id)
        if passage is not None:
            self._manual[order.id] = settled = replace(passage, outcome=outcome)
            self._sender.put(settled)

    def _decide(self, sighting: Sighting, moment: Now) -> Decision:
        situation = Situation(
            now_mono=moment.mono,
            now_at=moment.at,
            clock=self._surroundings.clock_quality,
            lane=self._lane,
            direction=self._direction,
            records_ok=self._sender.ok(moment.mono),
        )
        return decide(sighting, self._surroundings.policy, situation)

    def _order(self, car: Car, decision: Decision, moment: Now) -> None:
        plate = decision.grant_plate or car.sighting.plate
        if self._ledger.ordered_plate(plate, moment.mono):
            car.note = REPEAT
            return
        order = Order(
            f"auto-{decision.track}", OrderKind.OPEN, moment.mono, automatic=True,
            track=decision.track, plate=plate,
        )
        car.note = ""
        if self._link.post(order):
            car.order_id, car.outcome = order.id, None
        else:
            car.outcome = unsent(order, Fault.QUEUE_FULL)

    def _recall(self, car: Car) -> None:
        """A track of the ledger that this process did not order was ordered before a restart."""
        entry = None if car.let_in else self._ledger.entry(car.sighting.track)
        if entry is not None:
            car.order_id = f"auto-{car.sighting.track}"
            car.outcome = Outcome(
                car.order_id, entry.claimed_mono, entry.acked_mono, entry.moved,
                "" if entry.acked_mono is not None else RESTARTED,
            )
            car.note = RESTARTED

    def _count(self, moment: Now) -> None:
        self._figures.counts["sightings"] += 1
        self._figures.decided.add(self._now().mono - moment.mono)


def _settled(before: Decision | None, decision: Decision) -> Decision:
    """The decision that stands: a car that turned round keeps what it was told on its way in.

    An opening that was decided but could not be ordered is not kept: the car has left.
    """
    if before is None or decision.reason is not Reason.WRONG_DIRECTION:
        return decision
    told_no = before.verdict is not Verdict.OPEN and before.reason not in _UNSETTLED
    return before if told_no else decision
