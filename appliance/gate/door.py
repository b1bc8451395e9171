"""`door.sock`: what a person may ask of the gate. The table is in docs/SOCKETS.md.

1. Every order names who, for what purpose and, where the barrier moves, why (``persons``).
2. An order is journaled before it takes effect. Where records is silent or cannot write, a person
   is let through all the same and the entry waits in the queue: the guard's button never depends
   on a disk. A second factor is no button of the guard's: it needs its journal (``second_factor``).
3. Showing the car at the gate is a look at a plate: no journal entry, no picture.
4. An order that did not reach the barrier is a refusal, said in plain words.

Threads: one a connection (``ipc.Server``). Needs neither camera nor records to open.
"""

from __future__ import annotations

import hmac
import os
import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from appliance import clock, codec, ipc
from appliance.barrier.link import Link
from appliance.barrier.orders import Fault, Order, OrderKind, unsent
from appliance.errors import IpcError, LinkLost, OrderRefused, OrderTimeout
from appliance.gate.cars import Car
from appliance.gate.controller_events import ControllerEvents
from appliance.gate.ear import Ear
from appliance.gate.figures import Figures
from appliance.gate.issues import Issues
from appliance.gate.loop import Loop
from appliance.gate.persons import Who, entry, late, may_order, who
from appliance.gate.second_factor import SecondFactors
from appliance.gate.sender import Sender
from appliance.gate.standing import Standing
from appliance.values import Decision, Outcome, Passage, Reason, Verdict

JOURNAL_WAIT_S = 0.6  # with the order's wait this stays under the 2 s a caller waits
ORDER_WAIT_S = 1.0
_LOOK_WAIT_S = 1.5
_MENDABLE = {"purpose_refused", "role_refused", "reason_refused"}
"""Refusals of a journal entry that the person can mend; a sick journal keeps nobody out."""
_WORDS = {
    Fault.LOCKED_OUT: ("the barrier was opened a moment ago", "Wait three seconds and try again"),
    Fault.TOO_LATE: ("the barrier did not answer in time", "Use the hand release if it is urgent"),
    Fault.QUEUE_FULL: ("the barrier is busy", "Try again in a moment"),
    Fault.STOPPED: ("the gate program is ending", "Try again in a few seconds"),
    Fault.STOP_PRESSED: (
        "STOP is pressed; nothing moves", "See whether somebody is in danger, then release it"
    ),
    Fault.FIRE_OPEN: ("the fire contact holds the barrier open already", "Nothing is to be done"),
    Fault.REFUSED: ("the barrier controller refused the order", "Look at the operator cabinet"),
}


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of the gate the door shows or tells."""

    lane: str
    loop: Loop
    link: Link
    sender: Sender
    standing: Standing
    ear: Ear
    figures: Figures
    issues: Issues
    events: ControllerEvents
    second_factors: SecondFactors
    ask_records: Callable[[ipc.Message, float], ipc.Message]
    """One question to records and how long to wait, in s; raises IpcError."""


class Door:
    """The verbs; ``handlers`` go into an ``ipc.Server``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._started_mono = clock.mono()
        self._mark_key = secrets.token_bytes(16)
        self.handlers: Mapping[str, ipc.Handler] = {
            "status": self.status,
            "at_gate": self.at_gate,
            "open_once": self.open_once,
            "hold_open": self.hold_open,
            "release": self.release,
            "policy_changed": self.policy_changed,
            **parts.second_factors.handlers,
        }

    def status(self, _: ipc.Message) -> ipc.Message:
        parts, now = self._parts, clock.mono()
        car = parts.loop.at_gate(now)
        view, camera = parts.link.view, parts.ear.camera
        return ipc.ok({
            "verdict_now": car.decision.verdict if car and car.decision else None,
            "at_gate": self._told_unasked(car),
            "barrier": codec.encode(view),
            "events": parts.events.latest(now),
            "traffic": codec.encode(parts.link.traffic.counted()),
            "policy_version": parts.standing.policy.snapshot.version,
            "camera": {
                "state": "lost" if camera.silent(now) else camera.state.value,
                "since_mono": camera.since_mono,
                "heard": not camera.silent(now),
            },
            "records": {
                "ok": parts.sender.ok(now), "queued": parts.sender.queued, **parts.sender.counts,
            },
            "counts": dict(parts.figures.counts),
            "latency_ms": parts.figures.latency_ms(),
            "started_mono": self._started_mono,
            "pid": os.getpid(),
            "issues": parts.issues.listed(),
        })

    def _told_unasked(self, car: Car | None) -> dict[str, Any] | None:
        """What anybody may know of the car at the gate: never its plate, which needs a purpose.

        ``mark`` changes when there is something new to look at; its key dies with this process,
        so that no plate can be found by trying.
        """
        if car is None or car.decision is None:
            return None
        seen, decided = car.sighting, car.decision
        news = (seen.track, seen.plate, seen.direction, decided.reason, decided.grant_id)
        mark = hmac.digest(self._mark_key, repr(news).encode(), "sha256").hex()[:16]
        return {"mark": mark, "verdict": decided.verdict, "reason": decided.reason,
                "direction": seen.direction, **self._parts.second_factors.waits(car)}

    def at_gate(self, message: ipc.Message) -> ipc.Message:
        """Raises IpcError where the look could not be journaled: then nothing is shown."""
        person = who(message, reason_needed=False)
        car = self._parts.loop.at_gate(clock.mono())
        crop = car.sighting.crop_jpeg if car else b""
        shown = _shown(car)
        if shown is not None:
            look = entry(person, "view_at_gate", {"lane": self._parts.lane}, rows=1)
            self._parts.ask_records(look, _LOOK_WAIT_S)
        return ipc.ok({"at_gate": shown}, crop if shown else b"")

    def open_once(self, message: ipc.Message) -> ipc.Message:
        person = may_order(message)
        order = Order(f"man-{uuid.uuid4().hex}", OrderKind.OPEN, clock.mono(), life_s=ORDER_WAIT_S)
        self._journal_or_queue(person, "open_once", order)
        outcome = self._ask(order)
        self._keep(person, order, outcome)
        _raise_unless_sent(outcome)
        return ipc.ok({"order_id": order.id, "outcome": codec.encode(outcome)})

    def hold_open(self, message: ipc.Message) -> ipc.Message:
        person = may_order(message)
        lease_s = message.header.get("lease_s")
        if not isinstance(lease_s, int | float) or isinstance(lease_s, bool):
            raise OrderRefused("a hold needs its length in seconds")
        order = Order(
            f"man-{uuid.uuid4().hex}", OrderKind.HOLD, clock.mono(), lease_s=float(lease_s),
            life_s=ORDER_WAIT_S,
        )
        self._journal_or_queue(person, "hold_open", order)
        outcome = self._ask(order)
        _raise_unless_sent(outcome)
        return ipc.ok({
            "order_id": order.id, "held_until_mono": outcome.asked_mono + order.lease_s,
        })

    def release(self, message: ipc.Message) -> ipc.Message:
        person = may_order(message, reason_needed=False)
        order = Order(
            f"man-{uuid.uuid4().hex}", OrderKind.RELEASE, clock.mono(), life_s=ORDER_WAIT_S
        )
        self._journal_or_queue(person, "release", order)
        outcome = self._ask(order)
        _raise_unless_sent(outcome)
        return ipc.ok({"order_id": order.id, "outcome": codec.encode(outcome)})

    def policy_changed(self, _: ipc.Message) -> ipc.Message:
        return ipc.ok({"policy_version": self._parts.standing.reload()})

    def _ask(self, order: Order) -> Outcome:
        """The order's life begins here, after the journal answered."""
        order = replace(order, asked_mono=clock.mono())
        try:
            return self._parts.link.ask(order, ORDER_WAIT_S)
        except OrderTimeout:
            return unsent(order, Fault.TOO_LATE)

    def _journal_or_queue(self, person: Who, action: str, order: Order) -> None:
        """Raises Refused where records is there and says no for a reason a person can mend."""
        journaled = entry(person, action, {"order_id": order.id, "lane": self._parts.lane})
        try:
            self._parts.ask_records(journaled, JOURNAL_WAIT_S)
        except ipc.Refused as refusal:
            if refusal.fields.get("refused_key") in _MENDABLE:
                raise
            self._parts.sender.put_journal(order.id, late(journaled))
        except IpcError:
            self._parts.sender.put_journal(order.id, late(journaled))

    def _keep(self, person: Who, order: Order, outcome: Outcome) -> None:
        """The record of a manual opening; it names the car that stood there by its track."""
        car = self._parts.loop.at_gate(order.asked_mono)
        now_at = clock.utc_now()
        decision = Decision(
            track=car.sighting.track if car else order.id,
            revision=car.sighting.revision if car else 0,
            verdict=Verdict.OPEN,
            reason=Reason.MANUAL,
            grant_id=None,
            grant_plate=None,
            grant_label="",
            policy_version=self._parts.standing.policy.snapshot.version,
            decided_mono=order.asked_mono,
            decided_at=now_at,
            clock=self._parts.standing.clock_quality,
        )
        self._parts.loop.keep_manual(order, Passage(
            key=order.id, lane=self._parts.lane, at=now_at, sighting=None, decision=decision,
            outcome=outcome, actor=person.actor, purpose=person.purpose, note=person.reason,
        ))


def _shown(car: Car | None) -> dict[str, Any] | None:
    """What is known of the car at the gate, without its picture."""
    if car is None or car.decision is None:
        return None
    return {
        "sighting": codec.encode(car.sighting),
        "decision": codec.encode(car.decision),
        "outcome": codec.encode(car.outcome),
    }


def _raise_unless_sent(outcome: Outcome) -> None:
    """Raises OrderRefused or LinkLost with words for the person who pressed the button."""
    if outcome.acked_mono is not None:
        return
    if outcome.fault == Fault.LINK_LOST:
        raise LinkLost(
            "the barrier controller does not answer",
            next_step="It may have opened; look, or use the hand release",
        )
    words, next_step = _WORDS.get(Fault(outcome.fault), _WORDS[Fault.REFUSED])
    raise OrderRefused(words, next_step=next_step)

