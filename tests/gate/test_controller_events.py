"""A hand button never opens unseen: events reach the journal over kills, outages and lost links."""

from __future__ import annotations

from typing import Any

import pytest

from appliance import clock
from appliance.barrier.drivers.seam import BarrierEvent, EventKind
from appliance.barrier.drivers.simulator import Simulator
from appliance.barrier.link import Link, Listeners
from appliance.gate.controller_events import SHOWN, ControllerEvents, Place
from appliance.gate.issues import Issues
from appliance.gate.sender import MOST, Sender
from appliance.values import ClockQuality, Passage
from tests.decision.making import NOW, sighting
from tests.fakes.barrier import Time
from tests.gate.making import FakeRecords


class Bench:
    """A simulated barrier that outlives the gate round it; records outlives both."""

    def __init__(self) -> None:
        self.time, self.records = Time(clock.mono()), FakeRecords()
        self.barrier = Simulator(now=self.time, boot=3)
        self.restart()

    def restart(self) -> None:
        """The gate was killed: what waited in it is gone."""
        self.issues = Issues()
        self.sender = Sender(self.records, self.issues, self.time)
        self.link = Link(
            self.barrier, pulse_ms=500, lockout_s=3.0, claim=lambda _: None,
            report=lambda *_: None, now=self.time,
            listeners=Listeners(happened=lambda event: self.events.happened(event)))
        self.events = ControllerEvents(
            Place("main", lambda: self.link.view.controller, lambda: 4,
                  lambda: ClockQuality.SYNCED), self.sender, self.link.kept)
        self.pass_(0.2)

    def pass_(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.05)):
            self.time.pass_(0.05)
            self.link.step()

    def press(self, button: str = "hand_button") -> None:
        self.barrier.set_inputs(**{button: True})
        self.pass_(0.2)
        self.barrier.set_inputs(**{button: False})
        self.pass_(0.2)

    def send(self) -> None:
        """Everything that waits is sent, as far as records takes it."""
        for _ in range(self.sender.queued):
            self.sender.step()
        self.pass_(0.1)

    def waiting(self) -> list[EventKind]:
        return [event.kind for event in self.barrier.events()]

    def entries(self) -> list[Any]:
        return [fields for verb, fields, _ in self.records.got if verb == "journal"]

    def journaled(self) -> list[tuple[int, int]]:
        return [(e["query"]["boot"], e["query"]["number"]) for e in self.entries()]


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize(("button", "kind", "actor"), [
    ("hand_button", "manual_open", "hand button"), ("exit_request", "exit_open", "exit request"),
])
def test_an_opening_at_the_controller_is_journaled_and_kept_as_a_passage(
        bench, button, kind, actor):
    bench.press(button)
    bench.send()
    (entry,) = bench.entries()
    assert (entry["actor"], entry["role"], entry["action"]) == (
        "controller", "system", "controller_event")
    assert {name: entry["query"][name] for name in ("boot", "number", "kind", "controller")} == {
        "boot": 3, "number": 1, "kind": kind, "controller": "simulated"}
    assert clock.from_iso(entry["query"]["happened_at"]) <= clock.utc_now()
    (passage,) = bench.records.passages()
    assert (passage["key"], passage["actor"]) == ("board-box-3-1", actor)
    assert (passage["decision"]["verdict"], passage["decision"]["reason"]) == ("open", "manual")
    assert passage["decision"]["policy_version"] == 4
    assert passage["outcome"]["acked_mono"] is not None
    assert passage["sighting"] is None
    assert bench.waiting() == [], "the controller may forget it now"


def test_another_event_is_journaled_and_makes_no_passage(bench):
    bench.press("tamper")
    bench.send()
    assert [e["query"]["kind"] for e in bench.entries()] == ["tamper_on", "tamper_off"]
    assert bench.records.passages() == []
    assert bench.waiting() == []


def test_while_records_is_away_the_controller_keeps_the_event(bench):
    bench.records.down = True
    bench.press()
    bench.send()
    bench.pass_(30.0)
    assert bench.waiting() == [EventKind.MANUAL_OPEN]
    bench.records.down = False
    bench.send()
    assert bench.journaled() == [(3, 1)]
    assert bench.waiting() == []


def test_a_gate_killed_before_records_had_it_hears_of_it_again(bench):
    bench.records.down = True
    bench.press()
    bench.restart()
    bench.records.down = False
    bench.send()
    assert bench.journaled() == [(3, 1)]
    assert [p["key"] for p in bench.records.passages()] == ["board-box-3-1"]
    assert bench.waiting() == []


def test_a_gate_killed_between_the_journal_and_the_passage_loses_neither(bench):
    bench.press()
    bench.sender.step()
    assert bench.journaled() == [(3, 1)]
    assert bench.records.passages() == []
    bench.pass_(0.2)
    assert bench.waiting() == [EventKind.MANUAL_OPEN], "half of it is not enough"
    bench.restart()
    bench.send()
    assert bench.journaled() == [(3, 1), (3, 1)], "at least once, by the same name"
    assert [p["key"] for p in bench.records.passages()] == ["board-box-3-1"]
    assert bench.waiting() == []


def test_a_gate_killed_before_the_controller_heard_that_it_is_kept_keeps_it_as_the_same(bench):
    bench.press()
    for _ in range(bench.sender.queued):
        bench.sender.step()
    bench.restart()
    bench.send()
    assert {p["key"] for p in bench.records.passages()} == {"board-box-3-1"}
    assert bench.waiting() == []


def test_an_entry_that_records_keeps_refusing_is_handed_in_again(bench):
    bench.records.refusing = "record"
    bench.press()
    for _ in range(60):
        bench.sender.step()
    bench.pass_(0.1)
    assert bench.waiting() == [EventKind.MANUAL_OPEN]
    bench.records.refusing = ""
    bench.send()
    assert (3, 1) in bench.journaled()
    assert bench.waiting() == []


def test_without_a_policy_the_passage_may_not_be_kept_but_the_entry_is(bench):
    kept = FakeRecords.__call__

    class NoPolicy(FakeRecords):
        def __call__(self, verb, fields, *, blob=b""):
            self.refusing = "no_policy" if verb == "keep" else ""
            return kept(self, verb, fields, blob=blob)

    bench.records = NoPolicy()
    bench.restart()
    bench.press()
    bench.send()
    assert bench.journaled() == [(3, 1)]
    assert bench.waiting() == []


def test_a_full_queue_takes_no_event_and_none_is_lost(bench):
    bench.records.down = True
    for number in range(MOST):
        bench.sender.put(Passage(f"t{number}", "main", NOW, sighting(), None, None))
    bench.press()
    assert bench.sender.queued == MOST
    assert bench.sender.counts["lost"] == 0
    bench.records.down = False
    for _ in range(MOST):
        bench.sender.step()
    bench.pass_(0.1)
    bench.send()
    assert (3, 1) in bench.journaled()
    assert "board-box-3-1" in {p["key"] for p in bench.records.passages()}
    assert bench.waiting() == []


def test_a_passage_that_finds_no_room_beside_its_entry_is_handed_in_again(bench):
    bench.records.down = True
    for number in range(MOST - 1):
        bench.sender.put(Passage(f"t{number}", "main", NOW, sighting(), None, None))
    bench.press()
    bench.records.down = False
    for _ in range(MOST):
        bench.sender.step()
    bench.pass_(0.1)
    bench.send()
    assert "board-box-3-1" in {p["key"] for p in bench.records.passages()}
    assert bench.waiting() == []


def test_the_latest_events_are_shown_newest_first_and_only_so_many(bench):
    started = bench.time.now
    for number in range(SHOWN + 3):
        bench.events.happened(BarrierEvent(3, number, EventKind.STOP_ON, "", started))
    bench.events.happened(BarrierEvent(3, 9, EventKind.STOP_ON, "", started))
    shown = bench.events.latest(started + 2.04)
    assert len(shown) == SHOWN
    assert shown[0] == {
        "boot": 3, "number": SHOWN + 2, "kind": "stop_on", "argument": "", "age_s": 2.0}


def test_an_event_from_a_clock_ahead_of_ours_has_no_negative_age(bench):
    bench.events.happened(BarrierEvent(3, 1, EventKind.STARTED, "power", bench.time.now + 5))
    assert bench.events.latest(bench.time.now)[0]["age_s"] == 0.0
