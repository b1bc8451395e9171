"""The simulated arm and its cabinet: one rule of arm.py a test."""

from __future__ import annotations

from itertools import pairwise

import pytest

from appliance.barrier.drivers.arm import Arm, Motion

STEP_S = 0.01


def pass_time(arm: Arm, seconds: float) -> list[float]:
    """Where the arm stood after each step."""
    way = []
    for _ in range(round(seconds / STEP_S)):
        arm.step(STEP_S)
        way.append(arm.raised)
    return way


def press(arm: Arm, seconds: float = 0.5) -> None:
    arm.contact = True
    pass_time(arm, seconds)
    arm.contact = False


def opened(**given) -> Arm:
    arm = Arm(raised=1.0, **given)
    arm.step(STEP_S)
    return arm


def test_a_pulse_raises_the_arm_to_its_open_limit_in_its_travel_time():
    arm = Arm(travel_s=1.5)
    press(arm)
    pass_time(arm, 0.9)
    assert not arm.at_open_limit
    pass_time(arm, 0.2)
    assert arm.at_open_limit
    assert arm.motion is Motion.RESTING
    assert arm.openings == 1


def test_the_way_down_has_its_own_speed():
    arm = opened(travel_s=1.0, closes_s=3.0, auto_close_s=0.1)
    way = pass_time(arm, 2.0)
    assert 0.3 < way[-1] < 0.45


def test_one_long_contact_is_one_opening():
    arm = Arm()
    press(arm, 5.0)
    assert arm.openings == 1


def test_stop_rests_the_arm_where_it_is_and_beats_fire_and_open():
    arm = Arm()
    press(arm, 0.5)
    arm.stop = arm.fire = arm.contact = True
    before = arm.raised
    assert set(pass_time(arm, 3.0)) == {before}
    assert arm.motion is Motion.RESTING


def test_a_released_stop_lets_the_arm_close_in_its_time():
    arm = Arm(auto_close_s=1.0)
    press(arm, 0.5)
    arm.stop = True
    pass_time(arm, 5.0)
    arm.stop = False
    pass_time(arm, 0.9)
    assert arm.raised > 0
    pass_time(arm, 3.0)
    assert arm.at_closed_limit


def test_fire_raises_the_arm_and_keeps_it_up():
    arm = Arm(auto_close_s=0.5)
    arm.fire = True
    pass_time(arm, 2.0)
    for _ in range(500):
        arm.step(STEP_S)
        assert (arm.raised, arm.motion) == (1.0, Motion.RESTING)
    arm.fire = False
    pass_time(arm, 3.0)
    assert arm.at_closed_limit


def test_open_beats_close():
    arm = opened(auto_close_s=100)
    arm.close_contact = arm.contact = True
    pass_time(arm, 1.0)
    assert arm.at_open_limit


def test_the_closing_contact_closes_early():
    arm = opened(travel_s=1.0, auto_close_s=100)
    arm.close_contact = True
    pass_time(arm, 1.2)
    assert arm.at_closed_limit


@pytest.mark.parametrize("beam", ["safety_loop", "photocell"])
def test_the_closing_contact_does_nothing_over_a_car(beam):
    arm = opened(auto_close_s=100)
    setattr(arm, beam, True)
    arm.close_contact = True
    assert set(pass_time(arm, 1.0)) == {1.0}
    assert arm.reversals == 0


def test_a_falling_arm_rises_from_a_rigid_thing():
    arm = opened(travel_s=1.0, auto_close_s=0.1)
    arm.obstacle = 0.5
    way = pass_time(arm, 1.0)
    assert min(way) == 0.5
    assert arm.reversals == 1
    assert way[-1] > 0.7


def test_a_rising_arm_rests_at_a_rigid_thing():
    arm = Arm(travel_s=1.0)
    arm.obstacle = 0.5
    press(arm, 2.0)
    assert arm.raised == 0.5
    assert arm.motion is Motion.RESTING


def test_a_second_push_does_not_pass_the_thing_either():
    arm = Arm(travel_s=1.0, auto_close_s=100)
    arm.obstacle = 0.5
    press(arm, 2.0)
    press(arm, 2.0)
    assert arm.raised == 0.5


def test_an_arm_above_the_thing_opens_freely():
    arm = Arm(travel_s=1.0, raised=0.6)
    arm.obstacle = 0.5
    press(arm, 1.0)
    assert arm.at_open_limit


def test_power_loss_leaves_a_balanced_arm_where_it_is():
    arm = opened()
    arm.powered = False
    pass_time(arm, 5.0)
    assert arm.at_open_limit


def test_power_loss_drops_an_unbalanced_arm():
    arm = opened(gravity_drop=True)
    arm.powered = False
    way = pass_time(arm, 2.0)
    assert way[-1] == 0
    assert all(after <= before for before, after in pairwise(way))


def test_a_dropping_arm_lies_on_what_stands_in_its_way():
    arm = opened(gravity_drop=True)
    arm.powered, arm.obstacle = False, 0.3
    assert pass_time(arm, 2.0)[-1] == 0.3


def test_an_arm_below_the_thing_drops_to_the_ground():
    arm = Arm(raised=0.2, gravity_drop=True)
    arm.powered, arm.obstacle = False, 0.3
    assert pass_time(arm, 2.0)[-1] == 0


def test_a_stuck_arm_drops_nowhere():
    arm = opened(gravity_drop=True, stuck=True)
    arm.powered = False
    assert pass_time(arm, 2.0)[-1] == 1


def test_steady_switches_show_the_limits():
    arm = Arm()
    assert arm.limit_switches == (True, False)
    press(arm)
    assert arm.limit_switches == (False, False)


def test_bouncing_switches_chatter_after_a_change_and_settle():
    arm = Arm(bouncing=True)
    arm.contact = True
    shown = []
    for _ in range(40):
        arm.step(STEP_S)
        shown.append(arm.limit_switches)
    changes = sum(a != b for a, b in pairwise(shown))
    assert changes > 4
    assert shown[-1] == (False, False)


def test_the_same_calls_give_the_same_way():
    def way() -> list[float]:
        arm = Arm(travel_s=1.3, closes_s=2.1, auto_close_s=0.4)
        press(arm, 0.3)
        first = pass_time(arm, 2.4)
        arm.obstacle = 0.4
        return first + pass_time(arm, 3.0)

    assert way() == way()
