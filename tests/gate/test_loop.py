"""The heart: at most one order a car, and a record of every car."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from appliance.barrier.orders import Fault, LinkView, Order, OrderKind, unsent
from appliance.barrier.traffic import Traffic
from appliance.gate.cars import ASKED_S, AT_GATE_S, MOST
from appliance.gate.figures import Figures
from appliance.gate.issues import Issues
from appliance.gate.ledger import Ledger
from appliance.gate.loop import REPEAT, RESTARTED, Loop
from appliance.gate.sender import Sender
from appliance.values import (
    ClockQuality,
    Direction,
    Moved,
    Outcome,
    Passage,
    Reason,
    SecondFactor,
    Sighting,
    Verdict,
)
from tests.decision.making import NOW, grant, policy, sighting
from tests.fakes.barrier import Recorder
from tests.gate.making import FakeRecords, Turned


class Line:
    """A link that only remembers; ``full`` refuses."""

    def __init__(self) -> None:
        self.posted: list[Order] = []
        self.full = False
        self.view = LinkView("line", Recorder().capabilities())
        self.traffic = Traffic(0.0)

    def loop(self, occupied: bool | None) -> None:
        self.view = replace(self.view, entry_loop=occupied)

    def post(self, order: Order) -> bool:
        if not self.full:
            self.posted.append(order)
        return not self.full


class Bench:
    def __init__(self, path: Any, *grants: Any) -> None:
        self.path = path
        self.now = Turned()
        self.records, self.figures, self.line = FakeRecords(), Figures(), Line()
        self.surroundings = SimpleNamespace(
            policy=policy(*(grants or (grant(),))), clock_quality=ClockQuality.SYNCED)
        self.presence_needed = False
        self.restart()

    def need_presence(self) -> None:
        self.presence_needed = True
        self.restart()

    def restart(self) -> None:
        """A new process: only the ledger's file remains."""
        self.ledger = Ledger(self.path, b"key")
        self.sender = Sender(self.records, Issues(), self.now.time)
        self.sender.step()
        self.loop = Loop(
            lane="main", direction="in", surroundings=self.surroundings, link=self.line,
            ledger=self.ledger, sender=self.sender, figures=self.figures, now=self.now,
            presence_needed=self.presence_needed,
        )

    def pass_(self, seconds: float) -> None:
        """Time passes while records answers."""
        self.now.time.pass_(seconds)
        self.sender.step()

    def see(self, track: str = "t1", revision: int = 1, **changed: Any) -> Sighting:
        now = self.now.time.now
        seen = sighting(**{"track": track, "revision": revision, "last_mono": now,
                           "first_mono": now - 0.5, **changed})
        self.loop.take(seen)
        return seen

    def carry_out(self, number: int = -1, moved: Moved = Moved.UNKNOWN) -> Outcome:
        """The link writes the order down, gives it and reports."""
        order = self.line.posted[number]
        now = self.now.time.now
        fault = self.ledger.claim(order, now)
        outcome = unsent(order, fault) if fault else Outcome(
            order.id, order.asked_mono, now + 0.03, moved)
        self.loop.settle(order, outcome)
        return outcome

    def kept(self) -> Any:
        """The passage records holds in the end."""
        while self.sender.queued:
            self.sender.step()
        return self.records.passages()[-1]


@pytest.fixture
def bench(tmp_path) -> Bench:
    return Bench(tmp_path / "ledger")


def test_a_granted_car_is_ordered_in(bench):
    bench.see()
    (order,) = bench.line.posted
    assert (order.kind, order.automatic, order.track) == (OrderKind.OPEN, True, "t1")
    assert order.asked_mono == bench.now.time.now
    assert "PSTN" not in order.id


def test_second_revision_does_not_open_again(bench):
    for revision in range(1, 6):
        bench.see(revision=revision)
    assert len(bench.line.posted) == 1


def test_an_old_or_repeated_revision_is_no_news(bench):
    bench.see(revision=3)
    bench.see(revision=3)
    bench.see(revision=2)
    assert bench.figures.counts["sightings"] == 1


def test_a_car_is_ordered_as_soon_as_enough_glimpses_agree(bench):
    bench.see(revision=1, agreeing=1)
    assert bench.line.posted == []
    bench.see(revision=2, agreeing=2)
    assert len(bench.line.posted) == 1


def test_the_decision_stands_while_the_read_improves(bench):
    bench.see(revision=1)
    bench.carry_out()
    bench.see(revision=2, plate="PSTN999", raw_plate="PSTN999")
    kept = bench.kept()
    assert kept["decision"]["reason"] == "granted"
    assert kept["decision"]["revision"] == 1
    assert kept["sighting"]["plate"] == "PSTN999"
    assert kept["outcome"]["order_id"] == "auto-t1"


def test_a_car_that_was_told_no_and_backs_away_keeps_its_reason(bench):
    bench.see(plate="PSTN999", raw_plate="PSTN999", revision=1)
    bench.see(plate="PSTN999", raw_plate="PSTN999", revision=2, direction=Direction.OUT)
    assert bench.kept()["decision"]["reason"] == Reason.NOT_LISTED


def test_a_car_that_was_not_yet_told_anything_and_leaves_is_going_the_wrong_way(bench):
    bench.see(agreeing=1, glimpses=1, score=0.7, char_scores=(0.7,) * 7, revision=1)
    bench.see(revision=2, direction=Direction.OUT)
    assert bench.kept()["decision"]["reason"] == Reason.WRONG_DIRECTION
    assert bench.line.posted == []


def test_what_the_arm_did_is_added_to_the_record(bench):
    bench.see()
    bench.carry_out(moved=Moved.YES)
    kept = bench.kept()
    assert kept["outcome"]["moved"] == "yes"
    assert kept["actor"] == "system"
    assert bench.figures.counts["opened"] == 1
    assert bench.figures.latency_ms()["order_p50"] == 30.0


def test_an_opening_is_counted_once_though_it_is_reported_twice(bench):
    bench.see()
    outcome = bench.carry_out()
    bench.loop.settle(bench.line.posted[0], replace(outcome, moved=Moved.YES))
    assert bench.figures.counts["opened"] == 1


def test_the_last_revision_of_a_car_that_left_is_not_decided_anew(bench):
    bench.see("t1", 1, plate="PSTN999")
    bench.now.time.pass_(4.0)
    bench.see("t1", 2, plate="PSTN101", final=True)
    assert bench.line.posted == []
    assert bench.kept()["decision"]["reason"] == "not_listed"


def test_a_car_first_heard_of_after_it_left_has_a_decision_in_its_record(bench):
    bench.see(final=True, last_mono=bench.now.time.now - 3.0)
    assert bench.kept()["decision"]["reason"] == "too_old"


# Once only, over restarts


def test_a_restarted_gate_does_not_order_a_track_again(bench):
    bench.see(revision=1)
    bench.carry_out()
    bench.restart()
    bench.now.time.pass_(1.0)
    bench.see(revision=2)
    assert len(bench.line.posted) == 1
    kept = bench.kept()
    assert kept["note"] == RESTARTED
    assert kept["decision"]["verdict"] == "open"
    assert kept["outcome"]["acked_mono"] is not None


def test_a_claim_that_was_never_acknowledged_is_not_ordered_again_either(bench):
    bench.see(revision=1)
    bench.ledger.claim(bench.line.posted[0], bench.now.time.now)
    bench.restart()
    bench.see(revision=2)
    assert len(bench.line.posted) == 1
    assert bench.kept()["outcome"]["fault"] == RESTARTED


def test_an_order_that_was_not_written_down_before_the_kill_is_given_after_it(bench):
    bench.see(revision=1)
    bench.restart()
    bench.see(revision=2)
    assert [order.track for order in bench.line.posted] == ["t1", "t1"]
    assert bench.carry_out(0).fault == ""
    assert bench.carry_out(1).fault == Fault.ALREADY_ORDERED


def test_the_same_car_under_a_new_track_is_not_ordered_within_ten_seconds(bench):
    bench.see("t1")
    bench.carry_out()
    bench.now.time.pass_(9.9)
    bench.kept()
    bench.see("t2", 1)
    assert len(bench.line.posted) == 1
    assert bench.kept()["note"] == REPEAT
    bench.now.time.pass_(0.2)
    bench.see("t2", 2)
    assert len(bench.line.posted) == 2
    bench.carry_out()
    assert bench.kept()["note"] == ""


def test_a_lookalike_read_of_the_same_entry_is_the_same_car(bench):
    bench.see("t1")
    bench.carry_out()
    bench.see("t2", plate="PSTN1O1", char_scores=(0.97,) * 5 + (0.7, 0.97))
    assert len(bench.line.posted) == 1


@pytest.mark.parametrize("fault", [Fault.LOCKED_OUT, Fault.TOO_MANY, Fault.TOO_LATE])
def test_an_order_that_never_went_out_is_given_again_on_the_next_revision(bench, fault):
    bench.see(revision=1)
    bench.loop.settle(bench.line.posted[0], unsent(bench.line.posted[0], fault))
    assert bench.kept()["outcome"]["fault"] == fault
    bench.see(revision=2)
    assert len(bench.line.posted) == 2
    bench.carry_out()
    assert bench.kept()["outcome"]["fault"] == ""
    assert bench.figures.counts["opened"] == 1


@pytest.mark.parametrize("fault", [Fault.LINK_LOST, Fault.REFUSED, Fault.ALREADY_ORDERED,
                                   Fault.NO_LEDGER])
def test_an_order_that_may_have_gone_out_is_not_given_again(bench, fault):
    bench.see(revision=1)
    bench.loop.settle(bench.line.posted[0], unsent(bench.line.posted[0], fault))
    bench.see(revision=2)
    assert len(bench.line.posted) == 1


def test_a_full_line_is_told_in_the_record_and_tried_again(bench):
    bench.line.full = True
    bench.see(revision=1)
    assert bench.kept()["outcome"]["fault"] == Fault.QUEUE_FULL
    bench.line.full = False
    bench.see(revision=2)
    assert len(bench.line.posted) == 1


def test_a_report_of_a_car_long_forgotten_is_no_error(bench):
    order = Order("auto-x", OrderKind.OPEN, 1.0, automatic=True, track="x", plate="PSTN101")
    bench.loop.settle(order, Outcome("auto-x", 1.0, 1.1, Moved.YES))
    assert bench.figures.counts["opened"] == 0


# A car that stays


def test_that_a_car_is_still_there_is_not_recorded_each_time(bench):
    bench.see(revision=1, plate="PSTN999")
    bench.see(revision=2, plate="PSTN999")
    bench.kept()
    for revision in range(3, 9):
        bench.pass_(1.0)
        bench.see(revision=revision, plate="PSTN999")
    assert bench.sender.queued == 0
    assert bench.loop.at_gate(bench.now.time.now).sighting.revision == 8
    bench.see(revision=9, plate="PSTN999", final=True)
    assert bench.kept()["sighting"]["revision"] == 9


@pytest.mark.parametrize("news", [
    {"plate": "PSTN998"}, {"direction": Direction.UNKNOWN}, {"crop_jpeg": b"sharper"},
    {"score": 0.90}, {"final": True},
])
def test_whatever_is_new_about_a_car_is_recorded(bench, news):
    bench.see(revision=1, plate="PSTN999")
    bench.see(revision=2, plate="PSTN999")
    bench.kept()
    bench.see(revision=3, **{"plate": "PSTN999", **news})
    assert bench.sender.queued == 1


def test_a_car_that_only_stays_does_not_push_another_from_the_gate(bench):
    bench.see("t1", 1, plate="PSTN999")
    bench.see("t1", 2, plate="PSTN999")
    bench.see("t2", 1, plate="PSTN998")
    bench.see("t1", 3, plate="PSTN999")
    assert bench.loop.at_gate(bench.now.time.now).sighting.track == "t2"


def test_each_car_is_told_to_the_meter_once(bench):
    for revision in (1, 2, 3):
        bench.see("t1", revision)
    bench.see("t2")
    assert list(bench.line.traffic._cars) == [bench.now.time.now] * 2


# Presence


def test_a_car_that_waits_for_the_loop_alone_is_let_in_when_it_stands_there(bench):
    bench.need_presence()
    bench.line.loop(False)
    bench.see()
    assert bench.kept()["decision"]["reason"] == "no_presence"
    bench.loop.look_again()
    assert bench.line.posted == []
    bench.line.loop(True)
    bench.pass_(0.5)
    bench.loop.look_again()
    bench.loop.look_again()
    (order,) = bench.line.posted
    assert order.asked_mono == bench.now.time.now
    assert bench.kept()["decision"]["reason"] == "granted"


def test_a_loop_that_is_not_read_is_an_empty_one(bench):
    bench.need_presence()
    bench.line.loop(None)
    bench.see()
    bench.loop.look_again()
    assert bench.line.posted == []


def test_a_car_seen_too_long_ago_is_not_let_in_by_the_loop(bench):
    bench.need_presence()
    bench.line.loop(False)
    bench.see()
    bench.pass_(2.1)
    bench.line.loop(True)
    bench.loop.look_again()
    assert bench.line.posted == []
    assert bench.kept()["decision"]["reason"] == "no_presence", "what was said stands"
    bench.see(revision=2)
    assert len(bench.line.posted) == 1


def test_the_loop_lets_nobody_in_who_was_told_no_for_another_reason(bench):
    bench.need_presence()
    bench.line.loop(True)
    bench.see(plate="PSTN999")
    bench.loop.look_again()
    assert bench.line.posted == []
    assert bench.kept()["decision"]["reason"] == "not_listed"


def test_a_car_that_was_let_in_is_not_decided_anew(bench):
    bench.need_presence()
    bench.line.loop(True)
    bench.see()
    bench.carry_out()
    bench.line.loop(False)
    bench.loop.look_again()
    assert bench.kept()["decision"]["reason"] == "granted"


# Second factor


@pytest.fixture
def asking(tmp_path) -> Bench:
    return Bench(tmp_path / "ledger", grant(second_factor=SecondFactor.CODE))


def _waiting(bench: Bench, factor: SecondFactor = SecondFactor.CODE, grant_id: int | None = None):
    return bench.loop.waiting(bench.now.time.now, factor, grant_id)


def test_a_car_waits_for_its_second_factor_and_is_then_let_in(asking):
    asking.see()
    car = _waiting(asking)
    assert car.waits_for(asking.now.time.now) is SecondFactor.CODE
    assert car.waits_s(asking.now.time.now) == ASKED_S
    assert asking.line.posted == []
    asking.pass_(1.0)
    decision = asking.loop.confirm("t1", 1)
    assert decision.reason is Reason.GRANTED
    assert [order.track for order in asking.line.posted] == ["t1"]
    assert _waiting(asking) is None
    outcome = asking.carry_out()
    assert asking.loop.outcome_of("t1", 0.0) == outcome
    assert asking.kept()["decision"]["reason"] == "granted"


@pytest.mark.parametrize(("track", "grant_id"), [("t1", 2), ("t2", 1)])
def test_a_yes_counts_for_its_own_car_and_grant(asking, track, grant_id):
    asking.see()
    assert asking.loop.confirm(track, grant_id) is None
    assert asking.line.posted == []


def test_a_car_waits_a_minute_from_its_first_asking(asking):
    asking.see(revision=1)
    for revision in range(2, 61):
        asking.pass_(1.0)
        asking.see(revision=revision)
    assert _waiting(asking) is not None
    asking.pass_(1.0)
    asking.see(revision=61)
    assert _waiting(asking) is None
    assert asking.loop.confirm("t1", 1) is None
    assert asking.loop.at_gate(asking.now.time.now).decision.reason is Reason.NEEDS_CODE


def test_a_car_that_left_does_not_wait(asking):
    asking.see()
    asking.pass_(AT_GATE_S + 0.1)
    assert _waiting(asking) is None
    assert asking.loop.confirm("t1", 1) is None


def test_a_yes_for_a_car_not_seen_just_now_counts_when_it_is_seen_again(asking):
    asking.see(revision=1)
    asking.pass_(3.0)
    decision = asking.loop.confirm("t1", 1)
    assert decision.reason is Reason.TOO_OLD
    assert asking.line.posted == []
    asking.see(revision=2)
    assert len(asking.line.posted) == 1


def test_a_yes_is_forgotten_after_the_minute(asking):
    asking.see(revision=1)
    asking.pass_(3.0)
    asking.loop.confirm("t1", 1)
    asking.pass_(ASKED_S)
    asking.see(revision=2)
    assert asking.line.posted == []


def test_a_yes_still_needs_the_car_on_the_loop(asking):
    asking.need_presence()
    asking.line.loop(True)
    asking.see()
    asking.line.loop(False)
    assert asking.loop.confirm("t1", 1).reason is Reason.NO_PRESENCE
    assert asking.line.posted == []
    asking.line.loop(True)
    asking.loop.look_again()
    assert len(asking.line.posted) == 1


def test_of_two_cars_the_one_that_waits_for_that_grant_is_found(tmp_path):
    bench = Bench(
        tmp_path / "ledger", grant(second_factor=SecondFactor.RESIDENT),
        grant("PSTN555", id=2, second_factor=SecondFactor.RESIDENT))
    bench.see("t1")
    bench.see("t2", plate="PSTN555")
    assert _waiting(bench, SecondFactor.RESIDENT, 1).sighting.track == "t1"
    assert _waiting(bench, SecondFactor.RESIDENT).sighting.track == "t2"
    assert _waiting(bench, SecondFactor.CODE) is None


def test_nothing_is_known_yet_of_an_order_under_way(bench):
    bench.see()
    assert bench.loop.outcome_of("t1", 0.0) is None
    assert bench.loop.outcome_of("nobody", 0.0) is None


# Guard only


def test_without_records_nothing_is_ordered_and_the_guard_is_asked(bench):
    bench.now.time.pass_(5.1)
    bench.records.down = True
    bench.see()
    assert bench.line.posted == []
    car = bench.loop.at_gate(bench.now.time.now)
    assert car.decision.reason is Reason.NO_RECORDS
    assert car.decision.verdict is Verdict.ASK_GUARD


def test_a_car_that_waits_is_let_in_when_records_comes_back(bench):
    bench.now.time.pass_(5.1)
    bench.see(revision=1)
    bench.sender.step()
    bench.see(revision=2)
    assert len(bench.line.posted) == 1


# At the gate, counting


def test_the_latest_car_that_has_not_left_is_at_the_gate(bench):
    bench.see("t1", plate="PSTN999")
    bench.now.time.pass_(1.0)
    bench.see("t2", plate="PSTN998")
    assert bench.loop.at_gate(bench.now.time.now).sighting.track == "t2"
    bench.see("t2", 2, plate="PSTN998", final=True)
    assert bench.loop.at_gate(bench.now.time.now).sighting.track == "t1"
    bench.now.time.pass_(AT_GATE_S)
    assert bench.loop.at_gate(bench.now.time.now) is None


def test_cars_that_left_are_counted_once_by_their_last_verdict(tmp_path):
    bench = Bench(tmp_path / "l", grant(), grant("PSTN555", grant().kind.BLOCK, id=2))
    bench.see("in")
    bench.carry_out()
    bench.see("asked", plate="PSTN999")
    bench.see("blocked", plate="PSTN555")
    bench.loop.tidy(bench.now.time.now)
    assert bench.figures.counts["asked"] == 0
    bench.now.time.pass_(AT_GATE_S + 0.1)
    bench.loop.tidy(bench.now.time.now)
    bench.loop.tidy(bench.now.time.now)
    counts = bench.figures.counts
    assert (counts["opened"], counts["asked"], counts["refused"]) == (1, 1, 1)


def test_only_so_many_cars_are_kept_in_mind(bench):
    for number in range(MOST + 5):
        bench.see(f"n{number}", plate="PSTN999")
    bench.see("n0", 1, plate="PSTN999")
    assert bench.figures.counts["sightings"] == MOST + 6


# A person's order


def test_a_manual_opening_is_kept_and_completed_when_the_arm_moved(bench):
    order = Order("man-1", OrderKind.OPEN, bench.now.time.now)
    outcome = Outcome("man-1", order.asked_mono, order.asked_mono + 0.02, Moved.UNKNOWN)
    bench.loop.settle(order, outcome)
    bench.loop.keep_manual(order, Passage(
        "man-1", "main", NOW, None, None, outcome, actor="guard1", note="parcel van"))
    bench.loop.settle(order, replace(outcome, moved=Moved.NO, fault="did_not_move"))
    kept = bench.kept()
    assert (kept["actor"], kept["note"], kept["outcome"]["moved"]) == ("guard1", "parcel van", "no")
    assert bench.figures.counts["manual"] == 1


def test_only_the_latest_manual_openings_wait_for_the_arm(bench):
    for number in range(70):
        order = Order(f"man-{number}", OrderKind.OPEN, 1.0)
        bench.loop.keep_manual(order, Passage(order.id, "main", NOW, None, None, None))
    bench.kept()
    bench.loop.settle(Order("man-0", OrderKind.OPEN, 1.0), Outcome("man-0", 1.0, 1.1, Moved.YES))
    assert bench.sender.queued == 0


def test_latencies_are_none_before_the_first_car(bench):
    assert set(bench.figures.latency_ms().values()) == {None}
