"""The link: one-shot orders, leases, silence and proof of movement; no thread, no sleep."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from appliance.barrier.drivers.seam import BarrierEvent, Controller, EventKind, Position
from appliance.barrier.drivers.simulator import Simulator
from appliance.barrier.link import Link, Listeners
from appliance.barrier.orders import Fault, LinkState, LinkView, Order, OrderKind
from appliance.errors import OrderRefused, OrderTimeout
from appliance.values import Moved, Outcome
from tests.fakes.barrier import Recorder, Time


class Bench:
    """A link on a recording driver; ``reports`` and ``claims`` are what it told."""

    def __init__(self, driver: Any = None, claim_fault: Fault | None = None) -> None:
        self.time = Time()
        self.driver = driver(self.time) if driver else Recorder()
        self.reports: list[tuple[Order, Outcome]] = []
        self.claims: list[tuple[str, int]] = []
        self.claim_fault = claim_fault
        self.happened: list[BarrierEvent] = []
        self.looks: list[LinkView] = []
        self.link = Link(
            self.driver, pulse_ms=500, lockout_s=3.0, claim=self._claim,
            report=lambda order, outcome: self.reports.append((order, outcome)), now=self.time,
            listeners=Listeners(self.happened.append, self.looks.append),
        )

    def _claim(self, order: Order) -> Fault | None:
        sent = len(self.driver.of("open")) if isinstance(self.driver, Recorder) else 0
        self.claims.append((order.track, sent))
        return self.claim_fault

    def order(self, number: int = 1, automatic: bool = True, **changed: Any) -> Order:
        values: dict[str, Any] = {
            "id": f"o{number}", "kind": OrderKind.OPEN, "asked_mono": self.time.now,
            "automatic": automatic, "track": f"t{number}", "plate": "PSTN101",
        }
        return Order(**{**values, **changed})

    def pass_(self, seconds: float) -> None:
        """Time passes, with a look at the barrier every 50 ms."""
        for _ in range(round(seconds / 0.05)):
            self.time.pass_(0.05)
            self.link.step()

    @property
    def last(self) -> Outcome:
        return self.reports[-1][1]


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.link.step()
    return made


def test_an_order_goes_out_once_and_is_reported(bench):
    assert bench.link.post(bench.order())
    bench.link.step()
    bench.pass_(1.0)
    assert bench.driver.of("open") == [("open", "o1", 500)]
    assert bench.reports[0][1].acked_mono == 1000.0
    assert bench.reports[0][1].moved is Moved.UNKNOWN


def test_an_automatic_order_is_written_down_before_it_goes_out(bench):
    bench.link.post(bench.order())
    bench.link.step()
    assert bench.claims == [("t1", 0)]


@pytest.mark.parametrize("fault", [Fault.ALREADY_ORDERED, Fault.NO_LEDGER])
def test_what_cannot_be_written_down_does_not_go_out(fault):
    bench = Bench(claim_fault=fault)
    bench.link.post(bench.order())
    bench.link.step()
    assert bench.driver.of("open") == []
    assert bench.last.fault == fault


def test_a_persons_order_needs_no_ledger():
    bench = Bench(claim_fault=Fault.NO_LEDGER)
    bench.link.post(bench.order(automatic=False))
    bench.link.step()
    assert len(bench.driver.of("open")) == 1


def test_an_order_id_is_carried_out_once_and_answered_alike(bench):
    bench.link.post(bench.order())
    bench.link.step()
    first = bench.last
    bench.time.pass_(1.0)
    bench.link.post(bench.order())
    bench.link.step()
    assert len(bench.driver.of("open")) == 1
    assert bench.last == first


def test_only_the_latest_outcomes_are_remembered(bench):
    for number in range(70):
        bench.link.post(bench.order(number, kind=OrderKind.RELEASE, automatic=False))
        bench.link.step()
    bench.link.post(bench.order(69, kind=OrderKind.RELEASE, automatic=False))
    bench.link.post(bench.order(0, kind=OrderKind.RELEASE, automatic=False))
    bench.link.step()
    assert len(bench.driver.of("release")) == 71


def test_an_old_order_is_refused(bench):
    late = bench.order(asked_mono=bench.time.now - 2.01)
    bench.link.post(late)
    bench.link.step()
    assert bench.driver.of("open") == []
    assert bench.last.fault == Fault.TOO_LATE
    assert bench.claims == []


def test_a_second_pulse_within_the_lock_out_is_refused_and_may_be_asked_again(bench):
    bench.link.post(bench.order(1))
    bench.link.post(bench.order(2))
    bench.link.step()
    assert bench.last.fault == Fault.LOCKED_OUT
    assert bench.claims == [("t1", 0)]
    bench.pass_(3.05)
    bench.link.post(bench.order(2))
    bench.link.step()
    assert [entry[1] for entry in bench.driver.of("open")] == ["o1", "o2"]


def test_a_refusal_of_the_controller_is_final(bench):
    bench.driver.refusing = True
    bench.link.post(bench.order())
    bench.link.step()
    assert bench.last.fault == Fault.REFUSED
    bench.driver.refusing = False
    bench.link.post(bench.order())
    bench.link.step()
    assert bench.driver.of("open") == []


def test_a_full_queue_says_so(bench):
    results = [bench.link.post(bench.order(number)) for number in range(17)]
    assert results == [True] * 16 + [False]
    assert bench.link.ask(bench.order(99)).fault == Fault.QUEUE_FULL


def test_the_controller_is_told_how_long_an_order_may_still_live_and_who_gave_it(bench):
    bench.link.post(bench.order(1, asked_mono=bench.time.now - 0.5))
    bench.link.step()
    bench.link.post(bench.order(
        2, automatic=False, kind=OrderKind.HOLD, lease_s=30.0, life_s=1.0,
        asked_mono=bench.time.now - 0.25))
    bench.link.step()
    assert bench.driver.lives == [(1.5, True), (0.75, False)]


@pytest.mark.parametrize("why", ["waking", "locked_out", "busy", "no_presence"])
def test_what_the_controller_cannot_do_yet_is_sent_again_with_the_same_id(bench, why):
    bench.driver.refusing, bench.driver.why = True, why
    bench.link.post(bench.order())
    bench.pass_(1.0)
    assert bench.reports == []
    bench.driver.refusing = False
    bench.pass_(0.1)
    assert bench.driver.of("open") == [("open", "o1", 500)]
    assert bench.claims == [("t1", 0)], "written down once"
    assert bench.reports[0][1].fault == ""


@pytest.mark.parametrize(("why", "fault"), [
    ("waking", Fault.REFUSED), ("busy", Fault.REFUSED), ("no_presence", Fault.NO_PRESENCE),
])
def test_what_the_controller_could_not_do_in_time_was_refused_not_lost(bench, why, fault, caplog):
    caplog.set_level("INFO")
    bench.driver.refusing, bench.driver.why = True, why
    bench.link.post(bench.order())
    bench.pass_(2.2)
    assert [outcome.fault for _, outcome in bench.reports] == [fault]
    assert caplog.text.count("order refused by the controller") == 1


def test_a_refusal_followed_by_silence_may_have_opened(bench):
    bench.driver.refusing, bench.driver.why = True, "busy"
    bench.link.post(bench.order())
    bench.link.step()
    bench.driver.silent = True
    bench.pass_(2.5)
    assert bench.last.fault == Fault.LINK_LOST


@pytest.mark.parametrize(("why", "fault"), [
    ("stopped", Fault.STOP_PRESSED), ("fire", Fault.FIRE_OPEN), ("expired", Fault.REFUSED),
    ("too_many", Fault.REFUSED),
])
def test_why_the_controller_refused_is_told(bench, why, fault):
    bench.driver.refusing, bench.driver.why = True, why
    bench.link.post(bench.order())
    bench.link.step()
    assert bench.last.fault == fault


def test_a_refused_pulse_locks_nobody_out(bench):
    bench.driver.refusing, bench.driver.why = True, "stopped"
    bench.link.post(bench.order(1))
    bench.link.step()
    bench.driver.refusing = False
    bench.link.post(bench.order(2))
    bench.link.step()
    assert bench.last.fault == ""


def test_orders_that_wait_keep_their_order(bench):
    bench.driver.refusing, bench.driver.why = True, "busy"
    for number in (1, 2):
        bench.link.post(bench.order(number, kind=OrderKind.RELEASE, automatic=False))
    bench.link.step()
    bench.driver.refusing = False
    bench.link.step()
    assert [order.id for order, _ in bench.reports] == ["o1", "o2"]


# Silence


def test_no_order_goes_out_before_the_controller_answered():
    bench = Bench()
    bench.driver.silent = True
    bench.link.post(bench.order())
    bench.link.step()
    assert bench.link.view.state is LinkState.STARTING
    assert bench.claims == []
    bench.pass_(2.1)
    assert bench.last.fault == Fault.TOO_LATE


def test_an_order_waits_for_the_controller_within_its_deadline():
    bench = Bench()
    bench.driver.silent = True
    bench.link.post(bench.order())
    bench.pass_(0.5)
    bench.driver.silent = False
    bench.pass_(1.0)
    assert len(bench.driver.of("open")) == 1


def test_an_unanswered_order_is_sent_again_with_the_same_id_until_its_deadline(bench):
    bench.driver.silent = True
    bench.link.post(bench.order())
    bench.link.step()
    bench.driver.silent = False
    bench.pass_(0.5)
    assert bench.driver.of("open") == [("open", "o1", 500)]
    assert bench.claims == [("t1", 0)], "written down once"
    assert bench.last.fault == ""


def test_an_order_never_answered_ends_as_link_lost_and_says_it_may_have_opened(bench):
    bench.driver.silent = True
    bench.link.post(bench.order())
    bench.pass_(2.5)
    assert bench.last.fault == Fault.LINK_LOST
    bench.driver.silent = False
    bench.pass_(3.0)
    assert bench.driver.of("open") == []


def test_an_order_answered_too_late_is_not_sent_again():
    class Stumbling(Recorder):
        """Answers looks, never an order; time passes while it tries."""

        def __init__(self, time: Time) -> None:
            super().__init__()
            self.time = time

        def open(self, order_id: str, pulse_ms: int, **life: Any) -> None:
            self.time.pass_(1.0)
            self.silent = True
            super().open(order_id, pulse_ms, **life)

        def connect(self) -> None:
            self.time.pass_(1.5)
            self.silent = False
            super().connect()

    bench = Bench(Stumbling)
    bench.link.step()
    bench.link.post(bench.order())
    bench.link.step()
    bench.time.pass_(0.2)
    bench.link.step()
    assert bench.last.fault == Fault.LINK_LOST


def test_a_lost_link_is_shown_and_tried_again_less_and_less_often(bench):
    bench.driver.silent = True
    bench.pass_(10.0)
    assert bench.link.view.state is LinkState.LOST
    assert bench.link.view.position is Position.UNKNOWN
    bench.driver.silent = False
    bench.pass_(1.05)
    assert bench.link.view.state is LinkState.READY
    assert bench.driver.connected == 2


def test_of_a_silent_controller_nothing_is_claimed(bench):
    bench.driver.inputs = {"entry_loop": True, "fire": True, "contact": True}
    bench.driver.faults = ("cabinet",)
    bench.link.step()
    assert bench.link.view.entry_loop is True
    assert bench.link.view.contact is True
    bench.driver.silent = True
    bench.link.step()
    view = bench.link.view
    assert (view.state, view.entry_loop, view.fire, view.contact) == (
        LinkState.LOST, None, None, None)
    assert (view.position, view.faults, view.fault) == (Position.UNKNOWN, (), "")
    assert view.controller.name == "bench", "who answered last"


def test_a_board_of_another_key_is_told_nothing_and_shown_as_such():
    bench = Bench()
    bench.driver.foreign = True
    bench.link.post(bench.order())
    bench.pass_(2.5)
    assert bench.link.view.state is LinkState.FOREIGN
    assert bench.driver.told == []
    assert bench.last.fault == Fault.TOO_LATE
    bench.driver.foreign, bench.driver.silent = False, True
    bench.pass_(1.1)
    assert bench.link.view.state is LinkState.LOST


def test_a_reported_movement_waits_for_no_lost_link(bench):
    bench.link.post(bench.order())
    bench.link.step()
    bench.driver.silent = True
    bench.link.step()
    assert bench.last.moved is Moved.UNKNOWN
    assert bench.last.acked_mono is not None
    assert bench.last.fault == ""


# Holding


def test_a_hold_is_renewed_piece_by_piece_and_ends(bench):
    hold = bench.order(automatic=False, kind=OrderKind.HOLD, lease_s=30.0)
    bench.link.post(hold)
    bench.link.step()
    assert bench.link.view.state is LinkState.HELD
    assert bench.link.view.held_until_mono == 1030.0
    bench.pass_(30.1)
    assert bench.link.view.held_until_mono is None
    pieces = bench.driver.of("hold")
    assert len({entry[1] for entry in pieces}) == len(pieces) == 5
    assert all(entry[2] <= 10.0 for entry in pieces)


def test_a_hold_longer_than_a_minute_is_refused(bench):
    for lease_s in (0.0, 60.1, -5.0):
        with pytest.raises(OrderRefused):
            bench.link.ask(bench.order(kind=OrderKind.HOLD, automatic=False, lease_s=lease_s))


def test_release_ends_a_hold(bench):
    bench.link.post(bench.order(1, kind=OrderKind.HOLD, automatic=False, lease_s=30.0))
    bench.link.post(bench.order(2, kind=OrderKind.RELEASE, automatic=False))
    bench.link.step()
    assert bench.driver.of("release") == [("release",)]
    assert bench.link.view.held_until_mono is None


def test_a_hold_is_not_resumed_after_the_link_was_lost(bench):
    bench.link.post(bench.order(kind=OrderKind.HOLD, automatic=False, lease_s=60.0))
    bench.link.step()
    bench.driver.silent = True
    bench.pass_(5.5)
    bench.driver.silent = False
    told = len(bench.driver.of("hold"))
    bench.pass_(20.0)
    assert len(bench.driver.of("hold")) == told
    assert bench.link.view.state is LinkState.READY


def test_a_link_lost_while_renewing_ends_the_hold(bench):
    bench.link.post(bench.order(kind=OrderKind.HOLD, automatic=False, lease_s=60.0))
    bench.link.step()
    bench.time.pass_(6.0)
    bench.driver.silent = True
    bench.link.step()
    assert bench.link.view.state is LinkState.LOST
    assert bench.link.view.held_until_mono is None


def test_a_hold_the_controller_will_not_renew_ends(bench):
    bench.link.post(bench.order(kind=OrderKind.HOLD, automatic=False, lease_s=60.0))
    bench.link.step()
    bench.driver.refusing = True
    bench.pass_(6.0)
    assert bench.link.view.held_until_mono is None


# Movement


def test_an_arm_that_moves_is_reported_as_moved():
    bench = Bench(lambda time: Simulator(now=time))
    bench.pass_(0.2)
    bench.link.post(bench.order())
    bench.pass_(0.05)
    assert bench.link.view.state is LinkState.ORDERED
    bench.pass_(1.0)
    assert bench.last.moved is Moved.YES
    assert bench.link.view.state is LinkState.READY


def test_an_arm_that_does_not_move_is_a_fault_until_it_moves():
    bench = Bench(lambda time: Simulator(now=time))
    bench.pass_(0.2)
    bench.driver.set_faults(stuck=True)
    bench.link.post(bench.order(1))
    bench.pass_(3.3)
    assert (bench.last.moved, bench.last.fault) == (Moved.NO, Fault.DID_NOT_MOVE)
    assert bench.link.view.fault == Fault.DID_NOT_MOVE
    assert bench.link.view.state is LinkState.FAULTY
    bench.driver.set_faults(stuck=False)
    bench.link.post(bench.order(2))
    bench.pass_(1.0)
    assert bench.last.moved is Moved.YES
    assert bench.link.view.fault == ""


def test_a_fault_of_the_controller_is_shown(bench):
    bench.driver.faults = ("entrapment", "cabinet")
    bench.link.step()
    assert bench.link.view.fault == "entrapment"
    assert bench.link.view.faults == ("entrapment", "cabinet")
    assert bench.link.view.state is LinkState.FAULTY


def test_stop_is_shown_before_fire_and_fire_before_a_hold(bench):
    bench.link.post(bench.order(kind=OrderKind.HOLD, automatic=False, lease_s=30.0))
    bench.link.step()
    bench.driver.inputs = {"fire": True}
    bench.link.step()
    assert bench.link.view.state is LinkState.FIRE
    bench.driver.inputs = {"fire": True, "stop": True}
    bench.link.step()
    assert bench.link.view.state is LinkState.STOPPED_BY_HAND
    bench.driver.inputs = {"fire": False, "stop": False}
    bench.link.step()
    assert bench.link.view.state is LinkState.HELD


def test_the_controllers_word_on_the_movement_is_held_against_what_was_seen(bench):
    bench.driver.faults = ("not_moved",)
    bench.link.post(bench.order(1))
    bench.link.step()
    bench.driver.position = Position.MOVING
    bench.pass_(3.9)
    assert not bench.link.view.movement_disputed, "too early to say"
    bench.pass_(0.2)
    assert bench.link.view.movement_disputed
    bench.link.post(bench.order(2))
    bench.link.step()
    assert not bench.link.view.movement_disputed, "a new opening, a new answer"


def test_every_look_is_passed_on(bench):
    bench.driver.inputs = {"entry_loop": True}
    bench.link.step()
    assert bench.looks[-1].entry_loop is True
    told = len(bench.looks)
    bench.driver.silent = True
    bench.link.step()
    assert len(bench.looks) == told


# Events of the controller


def test_an_event_is_passed_on_once_and_acknowledged_once_it_is_kept(bench):
    event = bench.driver.happens(EventKind.MANUAL_OPEN)
    bench.pass_(0.5)
    assert bench.happened == [event]
    assert bench.driver.acknowledged == []
    bench.link.kept(event)
    bench.link.step()
    assert bench.driver.acknowledged == [event]
    assert bench.link.traffic.counted().openings == 1


def test_an_event_is_not_acknowledged_before_those_before_it(bench):
    first = bench.driver.happens(EventKind.MANUAL_OPEN, 1)
    second = bench.driver.happens(EventKind.STOP_ON, 2)
    bench.link.step()
    bench.link.kept(second)
    bench.link.step()
    assert bench.driver.acknowledged == []
    bench.link.kept(first)
    bench.link.step()
    assert bench.driver.acknowledged == [second]


def test_an_event_that_could_not_be_kept_is_passed_on_again(bench):
    event = bench.driver.happens(EventKind.MANUAL_OPEN)
    bench.link.step()
    bench.link.kept(event, kept=False)
    bench.link.step()
    assert bench.happened == [event, event]
    assert bench.driver.acknowledged == []
    assert bench.link.traffic.counted().openings == 1, "it let one car through"


def test_an_event_kept_while_the_link_was_lost_is_acknowledged_afterwards(bench):
    event = bench.driver.happens(EventKind.FIRE_ON)
    bench.link.step()
    bench.driver.silent = True
    bench.link.step()
    bench.link.kept(event)
    bench.driver.silent = False
    bench.pass_(1.0)
    assert bench.happened == [event]
    assert bench.driver.acknowledged == [event]


def test_word_of_an_event_nobody_told_of_changes_nothing(bench):
    bench.link.kept(BarrierEvent(9, 9, EventKind.STARTED, "", 0.0))
    bench.link.step()
    assert bench.driver.acknowledged == []


def test_only_so_many_events_are_remembered(bench):
    for number in range(1, 71):
        bench.driver.happens(EventKind.STOP_ON, number)
        bench.link.step()
        bench.link.kept(bench.driver.waiting[0])
        bench.link.step()
    assert len(bench.happened) == 70
    assert len(bench.link._teller._passed_on) == 64


def test_an_opening_of_long_ago_lets_no_car_through_now(bench):
    bench.driver.happens(EventKind.EXIT_OPEN, at=bench.time.now - 61.0)
    bench.link.step()
    assert bench.link.traffic.counted().openings == 0


def test_a_restarted_controller_counts_anew(bench):
    bench.driver.inputs = {"entry_count": 250}
    bench.link.step()
    bench.driver.inputs = {"entry_count": 3}
    bench.driver.board = Controller(name="bench", boot=2)
    bench.link.step()
    assert bench.link.traffic.counted().entry_cycles == 0
    bench.driver.inputs = {"entry_count": 4}
    bench.link.step()
    assert bench.link.traffic.counted().entry_cycles == 1


# Asking and threads


def test_asking_waits_for_the_acknowledgement(bench):
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(bench.link.ask, bench.order(automatic=False))
        while not asked.done():
            bench.link.step()
    assert asked.result().acked_mono is not None


def test_an_order_nobody_waits_for_any_more_never_goes_out(bench):
    with pytest.raises(OrderTimeout):
        bench.link.ask(bench.order(automatic=False), timeout_s=0.01)
    bench.link.step()
    assert bench.driver.of("open") == []


def test_an_order_abandoned_before_the_link_was_up_is_dropped_quietly():
    bench = Bench()
    bench.driver.silent = True
    with pytest.raises(OrderTimeout):
        bench.link.ask(bench.order(automatic=False), timeout_s=0.01)
    bench.pass_(2.5)
    assert bench.last.fault == Fault.TOO_LATE


class Slow(Recorder):
    """Holds the link thread inside an order until told to go on."""

    def __init__(self, _: Time) -> None:
        super().__init__()
        self.inside, self.go_on = threading.Event(), threading.Event()

    def open(self, order_id: str, pulse_ms: int, **life: Any) -> None:
        self.inside.set()
        self.go_on.wait(10)
        super().open(order_id, pulse_ms, **life)


def test_an_order_being_carried_out_is_waited_for(monkeypatch):
    bench = Bench(Slow)
    with ThreadPoolExecutor(2) as pool:
        asked = pool.submit(bench.link.ask, bench.order(automatic=False), 0.01)
        stepping = pool.submit(bench.link.step)
        bench.driver.inside.wait(10)
        assert not asked.done()
        bench.driver.go_on.set()
        assert asked.result(10).acked_mono is not None
        stepping.result(10)


def test_an_order_that_hangs_in_the_driver_ends_in_a_timeout(monkeypatch):
    monkeypatch.setattr("appliance.barrier.link.DEADLINE_S", -2.0)
    monkeypatch.setattr("appliance.barrier.link.ANSWER_S", 1.005)
    bench = Bench(Slow)
    with ThreadPoolExecutor(2) as pool:
        asked = pool.submit(bench.link.ask, bench.order(automatic=False), 0.05)
        stepping = pool.submit(bench.link.step)
        bench.driver.inside.wait(10)
        with pytest.raises(OrderTimeout):
            asked.result(10)
        bench.driver.go_on.set()
        stepping.result(10)


def test_stopping_lets_go_and_answers_what_waits(bench):
    bench.link.post(bench.order())
    bench.link.let_go()
    assert bench.driver.told == [("disconnect",)]
    assert bench.last.fault == Fault.STOPPED
    assert bench.link.view.state is LinkState.STOPPED


def test_the_thread_carries_out_orders_and_ends():
    driver = Recorder()
    done = threading.Event()
    link = Link(driver, pulse_ms=500, lockout_s=3.0, claim=lambda _: None,
                report=lambda *_: done.set())
    link.start()
    from appliance import clock
    assert link.post(Order("a", OrderKind.OPEN, clock.mono(), automatic=True))
    assert done.wait(10)
    link.stop()
    assert driver.told == [("open", "a", 500), ("disconnect",)]


def test_the_thread_outlives_a_driver_that_breaks(caplog):
    class Broken(Recorder):
        def status(self):
            if not self.told:
                self.told.append(("broke",))
                raise ZeroDivisionError("PSTN101")
            return super().status()

    driver, done = Broken(), threading.Event()
    link = Link(driver, pulse_ms=500, lockout_s=3.0, claim=lambda _: None,
                report=lambda *_: done.set())
    link.start()
    from appliance import clock
    link.post(Order("a", OrderKind.OPEN, clock.mono(), automatic=True))
    assert done.wait(10)
    link.stop()
    assert len(driver.of("open")) == 1
    assert "ZeroDivisionError" in caplog.text
    assert "PSTN101" not in caplog.text


def test_a_link_that_never_started_stops_quietly():
    Bench().link.stop()
