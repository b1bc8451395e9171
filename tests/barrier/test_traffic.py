"""Missed reads and tailgates, counted from the loops: figures only."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.barrier.drivers.seam import BarrierStatus, Position
from appliance.barrier.traffic import (
    FEWEST_JUDGED,
    READ_AFTER_S,
    READ_BEFORE_S,
    RISES_WITHIN_S,
    UNUSED_S,
    Traffic,
)


class Lane:
    """A lane whose loops are struck by hand; the controller counts them itself or does not."""

    def __init__(self, counts: bool = False) -> None:
        self.now = 1000.0
        self.traffic = Traffic(self.now)
        self.counts = counts
        self.status: dict[str, Any] = {
            "position": Position.CLOSED, "entry_loop": False, "safety_loop": False}
        if counts:
            self.status |= {"entry_count": 254, "safety_count": 254}
        self.look()

    def look(self, **changed: Any) -> None:
        self.status |= changed
        self.traffic.look(BarrierStatus(**self.status), self.now)

    def pass_(self, seconds: float) -> None:
        self.now += seconds
        self.look()

    def strike(self, loop: str) -> None:
        """A car drives over that loop."""
        if self.counts:
            count = f"{loop}_count"
            self.look(**{count: (self.status[count] + 1) % 256})
            return
        self.look(**{f"{loop}_loop": True})
        self.now += 1.0
        self.look(**{f"{loop}_loop": False})

    def open(self) -> None:
        self.traffic.opened(self.now)
        self.look(position=Position.MOVING)

    def __getattr__(self, figure: str) -> Any:
        return getattr(self.traffic.counted(), figure)


@pytest.fixture(params=[False, True], ids=["by looks", "by the controller's count"])
def lane(request) -> Lane:
    return Lane(request.param)


def test_a_car_read_on_its_way_to_the_loop_is_a_read_car(lane):
    lane.traffic.car_read(lane.now)
    lane.pass_(READ_BEFORE_S)
    lane.strike("entry")
    lane.pass_(READ_AFTER_S + 1)
    assert (lane.entry_cycles, lane.read, lane.missed) == (1, 1, 0)


def test_a_car_read_while_it_stands_on_the_loop_is_a_read_car(lane):
    lane.strike("entry")
    assert (lane.entry_cycles, lane.read, lane.missed) == (1, 0, 0), "not judged yet"
    lane.traffic.car_read(lane.now)
    lane.pass_(60)
    assert (lane.read, lane.missed) == (1, 0)


def test_a_car_that_was_not_read_in_time_was_missed(lane):
    lane.traffic.car_read(lane.now)
    lane.pass_(READ_BEFORE_S + 1)
    lane.strike("entry")
    lane.pass_(READ_AFTER_S + 1)
    lane.traffic.car_read(lane.now)
    assert (lane.read, lane.missed) == (0, 1)


def test_a_read_that_comes_too_late_belongs_to_the_next_car(lane):
    lane.strike("entry")
    lane.now += READ_AFTER_S + 1.5
    lane.traffic.car_read(lane.now)
    lane.look()
    assert lane.missed == 1
    lane.strike("entry")
    assert lane.read == 1


def test_each_car_that_was_read_stands_for_one_cycle(lane):
    lane.traffic.car_read(lane.now)
    lane.strike("entry")
    lane.strike("entry")
    lane.pass_(READ_AFTER_S + 1)
    assert (lane.entry_cycles, lane.read, lane.missed) == (2, 1, 1)


def test_the_share_of_missed_reads_is_of_the_latest_fifty_and_not_of_a_handful(lane):
    for _ in range(FEWEST_JUDGED - 1):
        lane.traffic.car_read(lane.now)
        lane.strike("entry")
    assert lane.missed_share is None
    lane.strike("entry")
    lane.pass_(READ_AFTER_S + 1)
    assert lane.missed_share == 0.05
    for _ in range(49):
        lane.traffic.car_read(lane.now)
        lane.strike("entry")
    assert lane.missed_share == 0.02
    lane.traffic.car_read(lane.now)
    lane.strike("entry")
    assert lane.missed_share == 0.0
    assert lane.missed == 1


def test_one_opening_lets_one_car_through(lane):
    lane.open()
    lane.strike("safety")
    assert (lane.openings, lane.passed_under, lane.tailgates) == (1, 1, 0)
    assert lane.last_tailgate_mono is None
    lane.strike("safety")
    assert (lane.passed_under, lane.tailgates) == (2, 1)
    assert lane.last_tailgate_mono is not None


def test_two_openings_let_two_cars_through(lane):
    lane.open()
    lane.open()
    lane.strike("safety")
    lane.strike("safety")
    assert (lane.passed_under, lane.tailgates) == (2, 0)


def test_an_opening_nobody_used_lets_nobody_through_after_the_arm_was_down(lane):
    lane.open()
    lane.pass_(RISES_WITHIN_S + 1)
    lane.look(position=Position.CLOSED)
    lane.open()
    lane.strike("safety")
    lane.strike("safety")
    assert lane.tailgates == 1


def test_an_opening_counts_while_the_arm_has_not_left_its_place_yet(lane):
    lane.traffic.opened(lane.now)
    lane.pass_(RISES_WITHIN_S - 0.1)
    lane.look(position=Position.MOVING)
    lane.strike("safety")
    assert lane.tailgates == 0


def test_where_no_position_is_read_an_unused_opening_is_forgotten_in_time(lane):
    lane.traffic.opened(lane.now)
    lane.look(position=Position.UNKNOWN)
    lane.pass_(UNUSED_S - 1)
    lane.traffic.opened(lane.now)
    lane.pass_(2)
    lane.strike("safety")
    lane.strike("safety")
    assert (lane.passed_under, lane.tailgates) == (2, 1)


@pytest.mark.parametrize("held", [{"held": True}, {"fire": True}])
def test_while_it_is_held_open_and_until_it_is_down_cars_may_follow_each_other(lane, held):
    lane.look(position=Position.OPEN, **held)
    lane.strike("safety")
    lane.look(held=False, fire=False)
    lane.strike("safety")
    assert (lane.passed_under, lane.tailgates) == (2, 0)
    lane.look(position=Position.CLOSED)
    lane.look(position=Position.OPEN)
    lane.strike("safety")
    assert lane.tailgates == 1


def test_a_loop_struck_while_the_arm_is_down_counts_for_nothing(lane):
    lane.strike("safety")
    assert (lane.passed_under, lane.tailgates) == (0, 0)


def test_what_the_controller_counted_between_two_looks_is_not_lost():
    lane = Lane(counts=True)
    lane.look(entry_count=3)
    assert lane.entry_cycles == 5, "254 to 3, modulo 256"


@pytest.mark.parametrize("occupied", [True, None])
def test_the_first_look_counts_nothing(occupied):
    traffic = Traffic(0.0)
    traffic.look(BarrierStatus(Position.OPEN, entry_loop=occupied, entry_count=200), 1.0)
    traffic.look(BarrierStatus(Position.OPEN, entry_loop=True, entry_count=200), 1.1)
    assert traffic.counted().entry_cycles == 0


def test_what_happened_while_the_controller_was_away_is_not_counted(lane):
    lane.traffic.away()
    lane.look(entry_loop=True, **({"entry_count": 99} if lane.counts else {}))
    assert lane.entry_cycles == 0


def test_only_figures_leave(lane):
    assert set(lane.traffic.counted().__slots__) == {
        "since_mono", "entry_cycles", "passed_under", "read", "missed", "openings", "tailgates",
        "missed_share", "last_tailgate_mono"}
