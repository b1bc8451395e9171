"""The cars the gate has in mind: one a track, from first sighting to its record. Never a file.

Held by the loop under its lock; bounded, the oldest is forgotten first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from appliance.decision.policy import NEEDS
from appliance.values import Decision, Outcome, Passage, SecondFactor, Sighting, Verdict

MOST = 256
AT_GATE_S = 5.0
ASKED_S = 60.0  # how long a car may wait for its second factor
_NEWS = 0.05  # a change of the score worth keeping

_FACTORS = {reason: factor for factor, reason in NEEDS.items()}


@dataclass
class Car:
    """What is known of one track. ``order_id`` is set from the moment an order was posted."""

    sighting: Sighting
    decision: Decision | None = None
    order_id: str = ""
    outcome: Outcome | None = None
    note: str = ""
    counted: bool = False
    news: bool = True
    """Its latest sighting says more than that it is still there."""
    asked_mono: float | None = None
    """When it was first found to lack nothing but its second factor."""
    confirmed_grant: int | None = None
    _kept_score: float = field(default=0.0, repr=False)

    @property
    def let_in(self) -> bool:
        """An order was given for it: its decision stands."""
        return bool(self.order_id)

    @property
    def passage(self) -> Passage:
        return Passage(
            key=self.sighting.track,
            lane=self.sighting.lane,
            at=self.sighting.seen_at,
            sighting=self.sighting,
            decision=self.decision,
            outcome=self.outcome,
            actor="system",
            note=self.note,
        )

    def here(self, now_mono: float) -> bool:
        """Seen within ``AT_GATE_S`` and not gone."""
        return not self.sighting.final and now_mono - self.sighting.last_mono <= AT_GATE_S

    def waits_s(self, now_mono: float) -> float:
        """How long its second factor would still be taken; 0 where none is asked for."""
        if self.asked_mono is None:
            return 0.0
        return max(0.0, self.asked_mono + ASKED_S - now_mono)

    def waits_for(self, now_mono: float) -> SecondFactor:
        """What would let it in now; NONE where nothing would, or where its time is over."""
        if self.decision is None or self.let_in or self.waits_s(now_mono) == 0.0:
            return SecondFactor.NONE
        return _FACTORS.get(self.decision.reason, SecondFactor.NONE)

    def see(self, sighting: Sighting) -> None:
        before, self.sighting = self.sighting, sighting
        self.news = (
            sighting.final
            or (sighting.plate, sighting.direction) != (before.plate, before.direction)
            or sighting.crop_jpeg != before.crop_jpeg
            or abs(sighting.score - self._kept_score) >= _NEWS
        )
        if self.news:
            self._kept_score = sighting.score


class Cars:
    """By track, the one with the latest news last."""

    def __init__(self) -> None:
        self._by_track: OrderedDict[str, Car] = OrderedDict()

    def meet(self, sighting: Sighting) -> Car | None:
        """The car of this sighting, brought up to date; None where it is an old one."""
        car = self._by_track.get(sighting.track)
        if car is None:
            car = self._by_track[sighting.track] = Car(sighting)
            while len(self._by_track) > MOST:
                self._by_track.popitem(last=False)
            return car
        if sighting.revision <= car.sighting.revision:
            return None
        car.see(sighting)
        if car.news:
            self._by_track.move_to_end(sighting.track)
        return car

    def of_track(self, track: str) -> Car | None:
        return self._by_track.get(track)

    def here(self, now_mono: float) -> Iterator[Car]:
        """The cars that stand there now, the one with the latest news first."""
        return (car for car in reversed(self._by_track.values()) if car.here(now_mono))

    def at_gate(self, now_mono: float) -> Car | None:
        """The car that stands there now."""
        return next(self.here(now_mono), None)

    def left(self, now_mono: float) -> list[tuple[Car, Verdict]]:
        """Cars that left without being let in and were not counted yet, with the last verdict."""
        gone = []
        for car in self._by_track.values():
            if car.here(now_mono) or car.counted or car.decision is None:
                continue
            car.counted = True
            if not car.let_in:
                gone.append((car, car.decision.verdict))
        return gone
