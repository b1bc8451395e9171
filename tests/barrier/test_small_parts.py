"""Limits, holds and the watch over the arm: pure values, both sides of each border."""

from __future__ import annotations

import pytest

from appliance.barrier.drivers.seam import Position
from appliance.barrier.hold import Hold
from appliance.barrier.limits import MOST_PER_MINUTE, Limits
from appliance.barrier.orders import Fault, Order, OrderKind
from appliance.barrier.watch import DISPUTED_AFTER_S, LEAVES_WITHIN_S, Verdict, Watch
from appliance.values import Moved


def _order(asked: float, kind: OrderKind = OrderKind.OPEN, automatic: bool = True) -> Order:
    return Order(f"o{asked}", kind, asked, automatic=automatic)


def test_an_order_lives_two_seconds():
    limits = Limits(3.0)
    assert limits.objection(_order(10.0), 12.0) is None
    assert limits.objection(_order(10.0), 12.001) is Fault.TOO_LATE


@pytest.mark.parametrize("automatic", [True, False])
def test_two_pulses_keep_their_distance(automatic):
    limits = Limits(3.0)
    limits.pulse_given(_order(10.0), 10.0)
    assert limits.objection(_order(12.9, automatic=automatic), 12.9) is Fault.LOCKED_OUT
    assert limits.objection(_order(13.0, automatic=automatic), 13.0) is None


def test_automatic_openings_are_limited_a_minute_but_people_are_not():
    limits = Limits(1.0)
    for number in range(MOST_PER_MINUTE):
        assert limits.objection(_order(number * 3.0), number * 3.0) is None
        limits.pulse_given(_order(number * 3.0), number * 3.0)
    now = MOST_PER_MINUTE * 3.0
    assert limits.objection(_order(now), now) is Fault.TOO_MANY
    assert limits.objection(_order(now, automatic=False), now) is None
    assert limits.objection(_order(60.0), 60.0) is None


def test_manual_openings_do_not_use_up_the_automatic_ones():
    limits = Limits(1.0)
    for number in range(3 * MOST_PER_MINUTE):
        limits.pulse_given(_order(number, automatic=False), number)
    assert limits.objection(_order(40.0), 40.0) is None


def test_an_order_that_is_sent_again_counts_once():
    limits, order = Limits(1.0), _order(10.0)
    for number in range(2 * MOST_PER_MINUTE):
        limits.pulse_given(order, 10.0 + number / 100)
    assert limits.objection(_order(20.0), 20.0) is None


def test_holding_open_counts_for_nothing():
    limits = Limits(3.0)
    limits.pulse_given(_order(10.0, OrderKind.HOLD), 10.0)
    assert limits.objection(_order(10.1), 10.1) is None


@pytest.mark.parametrize(("asked_ago", "life_s", "left_s"), [
    (0.0, 2.0, 2.0), (0.5, 1.0, 0.5), (0.5, 60.0, 1.5), (3.0, 2.0, -1.0),
])
def test_an_order_knows_what_is_left_of_its_life(asked_ago, life_s, left_s):
    order = Order("o", OrderKind.OPEN, 100.0 - asked_ago, life_s=life_s)
    assert order.left_s(100.0) == left_s


@pytest.mark.parametrize("kind", [OrderKind.HOLD, OrderKind.RELEASE])
def test_holding_and_releasing_are_not_locked_out(kind):
    limits = Limits(3.0)
    limits.pulse_given(_order(10.0), 10.0)
    assert limits.objection(_order(10.1, kind), 10.1) is None


def test_a_hold_is_told_piece_by_piece_until_its_end():
    hold, now = Hold("h", 125.0, 10.0), 100.0
    pieces = []
    while not hold.lapsed(now):
        if hold.due(now):
            pieces.append((now, *hold.next_piece(now)))
            hold.piece_sent(now)
        now += 0.5
    assert [p[1] for p in pieces] == ["h.0", "h.1", "h.2", "h.3"]
    assert pieces[0] == (100.0, "h.0", 10.0)
    assert all(at + length <= 125.0 for at, _, length in pieces)
    assert pieces[-1][0] + pieces[-1][2] == 125.0


def test_a_short_hold_is_one_piece():
    hold = Hold("h", 104.0, 10.0)
    assert hold.due(100.0)
    hold.piece_sent(100.0)
    assert not hold.due(103.9)


@pytest.mark.parametrize(("position", "after_s", "moved"), [
    (Position.MOVING, 0.1, Moved.YES), (Position.OPEN, 0.0, Moved.YES),
    (Position.CLOSED, 0.1, None), (Position.UNKNOWN, 0.1, None),
    (Position.CLOSED, LEAVES_WITHIN_S - 0.01, None), (Position.CLOSED, LEAVES_WITHIN_S, Moved.NO),
    (Position.UNKNOWN, LEAVES_WITHIN_S, Moved.UNKNOWN), (Position.MOVING, 9.0, Moved.YES),
])
def test_the_arm_must_leave_its_closed_limit_in_time(position, after_s, moved):
    assert Watch(100.0).verdict(position, 100.0 + after_s) is moved


@pytest.mark.parametrize(("moved", "faults", "disputed"), [
    (Moved.YES, (), False), (Moved.YES, ("not_moved",), True), (Moved.YES, ("cabinet",), False),
    (Moved.NO, ("not_moved",), False), (Moved.NO, (), True),
    (Moved.UNKNOWN, (), False), (Moved.UNKNOWN, ("not_moved",), False),
])
def test_controller_and_box_may_not_agree_whether_the_arm_moved(moved, faults, disputed):
    settled = 100.0 + LEAVES_WITHIN_S + DISPUTED_AFTER_S
    assert Verdict(moved, 100.0).disputed(faults, settled) is disputed
    assert not Verdict(moved, 100.0).disputed(faults, settled - 0.01)
