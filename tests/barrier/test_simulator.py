"""The simulated cabinet, arm and controller, and what can break in them."""

from __future__ import annotations

import pytest

from appliance.barrier.drivers.arm import Arm, Motion
from appliance.barrier.drivers.seam import Position
from appliance.barrier.drivers.simulator import Simulator
from appliance.errors import LinkLost
from tests.fakes.barrier import Time


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def barrier(time) -> Simulator:
    made = Simulator(now=time)
    made.connect()
    time.pass_(0.2)
    return made


def _course(barrier: Simulator, time: Time, seconds: float) -> list[Position]:
    """The positions seen, every 10 ms, without repeats."""
    seen: list[Position] = []
    for _ in range(round(seconds * 100)):
        time.pass_(0.01)
        position = barrier.status().position
        if not seen or seen[-1] is not position:
            seen.append(position)
    return seen


def test_the_position_is_unknown_until_the_inputs_were_read(time):
    barrier = Simulator(now=time)
    assert barrier.status().position is Position.UNKNOWN
    time.pass_(0.1)
    assert barrier.status().position is Position.CLOSED


def test_the_cabinet_closes_by_itself(barrier, time):
    barrier.open("a", 500)
    assert _course(barrier, time, 12) == [
        Position.CLOSED, Position.MOVING, Position.OPEN, Position.MOVING, Position.CLOSED]


@pytest.mark.parametrize("obstruction", [{"safety_loop": True}, {"photocell": True}])
def test_the_cabinet_does_not_close_on_a_car(barrier, time, obstruction):
    barrier.open("a", 500)
    barrier.set_inputs(**obstruction)
    time.pass_(60)
    assert barrier.status().position is Position.OPEN
    barrier.set_inputs(**dict.fromkeys(obstruction, False))
    time.pass_(4.5)
    assert barrier.status().position is Position.OPEN
    time.pass_(3)
    assert barrier.status().position is Position.CLOSED


def test_a_car_under_the_closing_arm_raises_it_again(barrier, time):
    barrier.open("a", 500)
    time.pass_(7.0)
    assert barrier.arm.motion is Motion.RESTING or barrier.status().position is Position.MOVING
    barrier.set_inputs(photocell=True)
    time.pass_(2.0)
    assert barrier.status().position is Position.OPEN
    assert barrier.arm.openings == 1


def test_an_order_while_the_arm_falls_raises_it(barrier, time):
    barrier.open("a", 500)
    while barrier.arm.motion is not Motion.FALLING:
        time.pass_(0.05)
        barrier.status()
    barrier.open("b", 500)
    time.pass_(2.0)
    assert barrier.status().position is Position.OPEN


def test_a_held_contact_suspends_the_closing_timer(barrier, time):
    for piece in range(5):
        barrier.hold_open(f"h{piece}", 10.0)
        time.pass_(9.0)
    assert barrier.status().position is Position.OPEN


def test_inputs_are_shown(barrier, time):
    barrier.set_inputs(entry_loop=True, safety_loop=True, photocell=True)
    time.pass_(0.1)
    status = barrier.status()
    assert (status.entry_loop, status.safety_loop, status.photocell) == (True, True, True)


def test_an_input_shorter_than_the_debounce_is_not_seen(barrier, time):
    time.pass_(0.1)
    barrier.status()
    barrier.set_inputs(entry_loop=True)
    time.pass_(0.02)
    barrier.set_inputs(entry_loop=False)
    time.pass_(0.01)
    assert barrier.status().entry_loop is False


def test_a_stuck_arm_takes_the_order_but_does_not_move(barrier, time):
    barrier.set_faults(stuck=True)
    barrier.open("a", 500)
    time.pass_(10)
    assert barrier.status().position is Position.CLOSED
    assert barrier.arm.openings == 1


def test_a_slow_arm_needs_five_times_as_long(barrier, time):
    barrier.set_faults(slow=True)
    barrier.open("a", 500)
    time.pass_(7.0)
    assert barrier.status().position is Position.MOVING
    time.pass_(1.0)
    assert barrier.status().position is Position.OPEN


def test_bouncing_switches_do_not_reach_the_status(barrier, time):
    barrier.set_faults(bounce=True)
    barrier.open("a", 500)
    assert _course(barrier, time, 12) == [
        Position.CLOSED, Position.MOVING, Position.OPEN, Position.MOVING, Position.CLOSED]


def test_power_loss_stops_the_arm_and_drops_the_lease(barrier, time):
    barrier.hold_open("h", 10.0)
    time.pass_(0.8)
    barrier.set_faults(power_lost=True)
    with pytest.raises(LinkLost):
        barrier.status()
    raised = barrier.arm.raised
    time.pass_(30)
    barrier.set_faults()
    assert barrier.arm.raised == raised


def test_returning_power_energises_nothing_and_reads_the_inputs_first(barrier, time):
    barrier.set_faults(power_lost=True)
    time.pass_(1)
    barrier.set_faults(power_lost=False)
    assert barrier.status().position is Position.UNKNOWN
    time.pass_(5)
    assert barrier.status().position is Position.CLOSED
    assert barrier.arm.openings == 0


def test_an_arm_stopped_half_way_by_a_power_loss_closes_in_time(barrier, time):
    barrier.open("a", 500)
    time.pass_(0.8)
    barrier.set_faults(power_lost=True)
    time.pass_(1)
    barrier.set_faults(power_lost=False)
    time.pass_(10)
    assert barrier.status().position is Position.CLOSED


def test_an_unknown_fault_is_refused(barrier):
    with pytest.raises(TypeError):
        barrier.set_faults(haunted=True)


def test_the_same_calls_give_the_same_course():
    courses = []
    for _ in range(2):
        time = Time()
        barrier = Simulator(now=time, arm=Arm(travel_s=2.3, auto_close_s=1.1))
        barrier.set_faults(bounce=True)
        barrier.open("a", 400)
        courses.append(_course(barrier, time, 8))
    assert courses[0] == courses[1]


def test_only_the_latest_order_ids_are_remembered(barrier, time):
    for number in range(65):
        barrier.open(f"n{number}", 100)
        time.pass_(0.3)
    barrier.open("n1", 100)
    time.pass_(0.3)
    barrier.status()
    assert barrier.arm.openings == 65
    barrier.open("n0", 100)
    time.pass_(0.3)
    barrier.status()
    assert barrier.arm.openings == 66
