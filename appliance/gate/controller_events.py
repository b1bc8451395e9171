"""What happened at the controller reaches the journal: a hand button never opens unseen.

1. Every event becomes a journal entry `controller_event`. One that opened (hand button, exit
   request) becomes a passage as well, by an unknown person at the box.
2. The controller may forget an event once records has all of it on disk, not before. So an event
   comes again after a kill, after a lost link and while records is away: the passage's key names
   it, so it is one passage; the journal may hold the entry twice and shows so by the same
   (boot, number).

``happened`` runs on the link thread and only queues; ``latest`` may be asked by any.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from appliance import clock
from appliance.barrier.drivers.seam import BarrierEvent, Controller, EventKind
from appliance.gate.sender import Sender
from appliance.values import (
    ClockQuality,
    Decision,
    Moved,
    Outcome,
    Passage,
    Purpose,
    Reason,
    Verdict,
)

SHOWN = 32
ACTOR = "controller"
OPENED_BY = {EventKind.MANUAL_OPEN: "hand button", EventKind.EXIT_OPEN: "exit request"}
"""Who let a car through, as far as the controller can tell."""


class Kept(Protocol):
    def __call__(self, event: BarrierEvent, *, kept: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where the events happen, asked anew for each."""

    lane: str
    controller: Callable[[], Controller]
    policy_version: Callable[[], int]
    clock_quality: Callable[[], ClockQuality]


@dataclass
class _Told:
    event: BarrierEvent
    missing: int
    """How many letters about it records has not taken yet."""
    failed: bool = False


class ControllerEvents:
    """``kept`` is told once an event is wholly on disk, or that it has to be told again."""

    def __init__(self, place: Place, sender: Sender, kept: Kept) -> None:
        self._place = place
        self._sender = sender
        self._kept = kept
        self._lock = threading.Lock()
        self._latest: OrderedDict[tuple[int, int], BarrierEvent] = OrderedDict()

    def happened(self, event: BarrierEvent) -> None:
        with self._lock:
            self._latest[event.boot, event.number] = event
            while len(self._latest) > SHOWN:
                self._latest.popitem(last=False)
        passage = self._passage(event) if event.kind in OPENED_BY else None
        told = _Told(event, missing=1 if passage is None else 2)
        name, entry = self._name(event), self._entry(event)
        self._sender.put_journal(name, entry, lambda kept: self._done(told, kept))
        if passage is not None:
            self._sender.put(passage, lambda kept: self._done(told, kept))

    def latest(self, now_mono: float) -> list[dict[str, Any]]:
        """The latest events, newest first, in the form of the door's status."""
        with self._lock:
            events = list(reversed(self._latest.values()))
        return [
            {
                "boot": e.boot, "number": e.number, "kind": e.kind.value, "argument": e.argument,
                "age_s": round(max(0.0, now_mono - e.happened_mono), 1),
            }
            for e in events
        ]

    def _done(self, told: _Told, kept: bool) -> None:
        with self._lock:
            told.missing -= 1
            told.failed |= not kept
            over = told.missing == 0
        if over:
            self._kept(told.event, kept=not told.failed)

    def _name(self, event: BarrierEvent) -> str:
        """For ever, over restarts of both sides and an exchange of the board."""
        serial = self._place.controller().serial or "box"
        return f"board-{serial}-{event.boot}-{event.number}"

    def _entry(self, event: BarrierEvent) -> Mapping[str, Any]:
        return {
            "actor": ACTOR, "role": "system", "organisation": "",
            "purpose": Purpose.ACCESS_CONTROL.value, "reason": "", "action": "controller_event",
            "query": {
                "lane": self._place.lane, "boot": event.boot, "number": event.number,
                "kind": event.kind.value, "argument": event.argument,
                "controller": self._place.controller().name,
                "happened_at": clock.iso(clock.utc_now() - _age(event)),
            },
            "rows": 0,
        }

    def _passage(self, event: BarrierEvent) -> Passage:
        key = self._name(event)
        at = clock.utc_now() - _age(event)
        decision = Decision(
            track=key, revision=0, verdict=Verdict.OPEN, reason=Reason.MANUAL, grant_id=None,
            grant_plate=None, grant_label="", policy_version=self._place.policy_version(),
            decided_mono=event.happened_mono, decided_at=at, clock=self._place.clock_quality(),
        )
        outcome = Outcome(key, event.happened_mono, event.happened_mono, Moved.UNKNOWN)
        return Passage(
            key=key, lane=self._place.lane, at=at, sighting=None, decision=decision,
            outcome=outcome, actor=OPENED_BY[event.kind],
        )


def _age(event: BarrierEvent) -> timedelta:
    return timedelta(seconds=max(0.0, clock.mono() - event.happened_mono))
