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
7. A car that lacks nothing but the loop under it, or its second factor, is decided anew when that
   comes (``look_again``, ``confirm``), by the same sighting and only while that is fresh.
8. A second factor counts for one car and its own grant, within ``ASKED_S`` of that car's asking.
9. That a standing car is still there is decided upon but not recorded each time.

While ``take`` runs, nothing is opened, resolved or logged. It is called by the thread that hears
sightings; ``settle`` and ``look_again`` by the link thread; the questions by any thread.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from appliance import clock
from appliance.barrier.orders import NEVER_SENT, Fault, LinkView, Order, OrderKind, unsent
from appliance.barrier.traffic import Traffic
from appliance.decision.policy import LIFE_S, NEEDS, decide
from appliance.decision.situation import Situation
from appliance.decision.snapshot import IndexedPolicy
from appliance.gate.cars import Car, Cars
from appliance.gate.figures import Figures
from appliance.gate.last_word import differ, settled
from appliance.gate.ledger import Ledger
from appliance.gate.sender import Sender
from appliance.values import (
    ClockQuality,
    Decision,
    Outcome,
    Passage,
    Reason,
    SecondFactor,
    Sighting,
    Verdict,
)

REPEAT = "repeat"  # Passage.note: the same car was let in seconds ago under another track
RESTARTED = "restarted"  # Passage.note: the gate restarted; the order was given before that

_MOST_MANUAL = 64
_ASKING = frozenset(NEEDS.values())
_MAY_COME = _ASKING | {Reason.NO_PRESENCE}
"""What can change without another sighting."""


class Surroundings(Protocol):
    """What the loop looks at and others keep up to date. Reading it never waits."""

    @property
    def policy(self) -> IndexedPolicy: ...
    @property
    def clock_quality(self) -> ClockQuality: ...


class Barrier(Protocol):
    """The link, as the loop sees it. Nothing here waits."""

    def post(self, order: Order) -> bool: ...
    @property
    def view(self) -> LinkView: ...
    @property
    def traffic(self) -> Traffic: ...


@dataclass(frozen=True, slots=True)
class Now:
    mono: float
    at: datetime


def now() -> Now:
    return Now(clock.mono(), clock.utc_now())


class Loop:
    def __init__(
        self, *, lane: str, direction: str, presence_needed: bool = False,
        surroundings: Surroundings, link: Barrier, ledger: Ledger, sender: Sender,
        figures: Figures, now: Callable[[], Now] = now,
    ) -> None:
        self._lane = lane
        self._direction = direction
        self._presence_needed = presence_needed
        self._surroundings = surroundings
        self._link = link
        self._ledger = ledger
        self._sender = sender
        self._figures = figures
        self._now = now
        self._cars = Cars()
        self._manual: OrderedDict[str, Passage] = OrderedDict()
        self._lock = threading.RLock()
        self._settled = threading.Condition(self._lock)

    def take(self, sighting: Sighting) -> None:
        """Everything that happens to a sighting."""
        with self._lock:
            moment = self._now()
            car = self._cars.meet(sighting)
            if car is None:
                return
            if car.decision is None:
                self._link.traffic.car_read(moment.mono)
            self._recall(car)
            before = car.decision, car.order_id, car.outcome
            if car.decision is None or not (car.let_in or sighting.final):
                self._adopt(car, settled(car.decision, self._decide(car, moment)), moment)
            after = car.decision, car.order_id, car.outcome
            if car.news or differ(before[0], car.decision) or before[1:] != after[1:]:
                self._sender.put(car.passage)
            self._count(moment)

    def look_again(self) -> None:
        """The entry loop changed, or may have: whoever waits for that alone is decided anew."""
        with self._lock:
            moment = self._now()
            for car in list(self._cars.here(moment.mono)):
                waits = car.decision is not None and car.decision.reason in _MAY_COME
                if waits and not car.let_in:
                    self._decide_again(car, moment)

    def waiting(self, now_mono: float, factor: SecondFactor, grant_id: int | None = None
                ) -> Car | None:
        """The car that waits for this second factor: at the gate, or else the latest."""
        with self._lock:
            for car in self._cars.here(now_mono):
                asked = car.decision.grant_id if car.decision else None
                if car.waits_for(now_mono) is factor and grant_id in (None, asked):
                    return car
        return None

    def confirm(self, track: str, grant_id: int) -> Decision | None:
        """The second factor was given: what is decided about that car now; None where it does not
        wait for it any more."""
        with self._lock:
            moment = self._now()
            car = self._cars.of_track(track)
            if car is None or car.decision is None or not car.here(moment.mono):
                return None
            waits = car.waits_for(moment.mono) is not SecondFactor.NONE
            if not waits or car.decision.grant_id != grant_id:
                return None
            car.confirmed_grant = grant_id
            return self._decide_again(car, moment)

    def outcome_of(self, track: str, wait_s: float) -> Outcome | None:
        """What became of the order for that car, waited for that long; None: nothing yet."""
        with self._settled:
            self._settled.wait_for(lambda: self._outcome(track) is not None, wait_s)
            return self._outcome(track)

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
            self._settled.notify_all()

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

    def _outcome(self, track: str) -> Outcome | None:
        car = self._cars.of_track(track)
        return car.outcome if car is not None else None

    def _adopt(self, car: Car, decision: Decision, moment: Now) -> None:
        """The decision counts: whoever is to be let in is ordered in."""
        car.decision = decision
        if decision.reason in _ASKING and car.asked_mono is None:
            car.asked_mono = moment.mono
        if decision.verdict is Verdict.OPEN and not car.let_in:
            self._order(car, decision, moment)

    def _decide_again(self, car: Car, moment: Now) -> Decision:
        """By the sighting there is. Where that is too old what was said stands, and the next
        sighting decides."""
        decision = self._decide(car, moment)
        fresh = moment.mono - car.sighting.last_mono <= LIFE_S
        if fresh and differ(car.decision, decision):
            self._adopt(car, decision, moment)
            self._sender.put(car.passage)
        return decision

    def _decide(self, car: Car, moment: Now) -> Decision:
        confirmed = car.confirmed_grant if car.waits_s(moment.mono) > 0 else None
        situation = Situation(
            now_mono=moment.mono,
            now_at=moment.at,
            clock=self._surroundings.clock_quality,
            lane=self._lane,
            direction=self._direction,
            records_ok=self._sender.ok(moment.mono),
            presence_needed=self._presence_needed,
            entry_loop=self._link.view.entry_loop,
            confirmed_grant=confirmed,
        )
        return decide(car.sighting, self._surroundings.policy, situation)

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
