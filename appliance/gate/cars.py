"""The cars the gate has in mind: one a track, from first sighting to its record. Never a file.

Held by the loop under its lock; bounded, the oldest is forgotten first.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from appliance.values import Decision, Outcome, Passage, Sighting, Verdict

MOST = 256
AT_GATE_S = 5.0


@dataclass
class Car:
    """What is known of one track. ``order_id`` is set from the moment an order was posted."""

    sighting: Sighting
    decision: Decision | None = None
    order_id: str = ""
    outcome: Outcome | None = None
    note: str = ""
    counted: bool = False

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


class Cars:
    """By track, the latest met last."""

    def __init__(self) -> None:
        self._by_track: OrderedDict[str, Car] = OrderedDict()

    def meet(self, sighting: Sighting) -> Car | None:
        """The car of this sighting, brought up to date; None where it is no news."""
        car = self._by_track.get(sighting.track)
        if car is None:
            car = self._by_track[sighting.track] = Car(sighting)
            while len(self._by_track) > MOST:
                self._by_track.popitem(last=False)
            return car
        if sighting.revision <= car.sighting.revision:
            return None
        car.sighting = sighting
        self._by_track.move_to_end(sighting.track)
        return car

    def of_track(self, track: str) -> Car | None:
        return self._by_track.get(track)

    def at_gate(self, now_mono: float) -> Car | None:
        """The car that stands there now: seen within ``AT_GATE_S`` and not gone."""
        for car in reversed(self._by_track.values()):
            if not car.sighting.final and now_mono - car.sighting.last_mono <= AT_GATE_S:
                return car
        return None

    def left(self, now_mono: float) -> list[tuple[Car, Verdict]]:
        """Cars that left without being let in and were not counted yet, with the last verdict."""
        gone = []
        for car in self._by_track.values():
            here = not car.sighting.final and now_mono - car.sighting.last_mono <= AT_GATE_S
            if here or car.counted or car.decision is None:
                continue
            car.counted = True
            if not car.let_in:
                gone.append((car, car.decision.verdict))
        return gone
