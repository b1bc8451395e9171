"""The simulated cabinet, arm and controller, and what can break in them."""

from __future__ import annotations

import pytest

from appliance.barrier.drivers.arm import Arm, Motion
from appliance.barrier.drivers.seam import EventKind, Position
from appliance.barrier.drivers.simulator import MOST_EVENTS, MOVES_WITHIN_S, Simulator
from appliance.errors import LinkLost, OrderRefused
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
    barrier.open("a", 500, life_s=2.0)
    assert _course(barrier, time, 12) == [
        Position.CLOSED, Position.MOVING, Position.OPEN, Position.MOVING, Position.CLOSED]


@pytest.mark.parametrize("obstruction", [{"safety_loop": True}, {"photocell": True}])
def test_the_cabinet_does_not_close_on_a_car(barrier, time, obstruction):
    barrier.open("a", 500, life_s=2.0)
    barrier.set_inputs(**obstruction)
    time.pass_(60)
    assert barrier.status().position is Position.OPEN
    barrier.set_inputs(**dict.fromkeys(obstruction, False))
    time.pass_(4.5)
    assert barrier.status().position is Position.OPEN
    time.pass_(3)
    assert barrier.status().position is Position.CLOSED


def test_a_car_under_the_closing_arm_raises_it_again(barrier, time):
    barrier.open("a", 500, life_s=2.0)
    time.pass_(7.0)
    assert barrier.arm.motion is Motion.RESTING or barrier.status().position is Position.MOVING
    barrier.set_inputs(photocell=True)
    time.pass_(2.0)
    assert barrier.status().position is Position.OPEN
    assert barrier.arm.openings == 1


def test_an_order_while_the_arm_falls_raises_it(barrier, time):
    barrier.open("a", 500, life_s=2.0)
    while barrier.arm.motion is not Motion.FALLING:
        time.pass_(0.05)
        barrier.status()
    barrier.open("b", 500, life_s=2.0)
    time.pass_(2.0)
    assert barrier.status().position is Position.OPEN


def test_a_held_contact_suspends_the_closing_timer(barrier, time):
    for piece in range(5):
        barrier.hold_open(f"h{piece}", 10.0, life_s=2.0)
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
    barrier.open("a", 500, life_s=2.0)
    time.pass_(10)
    assert barrier.status().position is Position.CLOSED
    assert barrier.arm.openings == 1


def test_a_slow_arm_needs_five_times_as_long(barrier, time):
    barrier.set_faults(slow=True)
    barrier.open("a", 500, life_s=2.0)
    time.pass_(7.0)
    assert barrier.status().position is Position.MOVING
    time.pass_(1.0)
    assert barrier.status().position is Position.OPEN


def test_bouncing_switches_do_not_reach_the_status(barrier, time):
    barrier.set_faults(bounce=True)
    barrier.open("a", 500, life_s=2.0)
    assert _course(barrier, time, 12) == [
        Position.CLOSED, Position.MOVING, Position.OPEN, Position.MOVING, Position.CLOSED]


def test_power_loss_stops_the_arm_and_drops_the_lease(barrier, time):
    barrier.hold_open("h", 10.0, life_s=2.0)
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
    barrier.open("a", 500, life_s=2.0)
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
        barrier.open("a", 400, life_s=2.0)
        courses.append(_course(barrier, time, 8))
    assert courses[0] == courses[1]


def test_only_the_latest_order_ids_are_remembered(barrier, time):
    for number in range(65):
        barrier.open(f"n{number}", 100, life_s=2.0)
        time.pass_(0.3)
    barrier.open("n1", 100, life_s=2.0)
    time.pass_(0.3)
    barrier.status()
    assert barrier.arm.openings == 65
    barrier.open("n0", 100, life_s=2.0)
    time.pass_(0.3)
    barrier.status()
    assert barrier.arm.openings == 66


# Precedence: STOP, fire, people, orders


def _settle(barrier: Simulator, time: Time, **inputs: bool) -> None:
    barrier.set_inputs(**inputs)
    time.pass_(0.1)
    barrier.status()


def _told(barrier: Simulator) -> list[tuple[EventKind, str]]:
    return [(event.kind, event.argument) for event in barrier.events()]


@pytest.mark.parametrize("order", [
    lambda b: b.open("a", 500, life_s=2.0), lambda b: b.hold_open("h", 5.0, life_s=2.0),
])
@pytest.mark.parametrize(("pressed", "why"), [("stop", "stopped"), ("fire", "fire")])
def test_stop_and_fire_refuse_orders(barrier, time, order, pressed, why):
    _settle(barrier, time, **{pressed: True})
    with pytest.raises(OrderRefused) as refusal:
        order(barrier)
    assert refusal.value.fields["why"] == why


@pytest.mark.parametrize(("life_s", "why"), [(-0.01, "expired"), (5.01, "bad_value")])
def test_an_order_past_its_life_or_with_too_long_a_one_is_refused(barrier, time, life_s, why):
    with pytest.raises(OrderRefused) as refusal:
        barrier.open("a", 500, life_s=life_s)
    assert refusal.value.fields["why"] == why
    time.pass_(1.0)
    barrier.status()
    assert barrier.arm.openings == 0


def test_fire_holds_it_open_until_it_rests(barrier, time):
    _settle(barrier, time, fire=True)
    assert barrier.status().contact is True
    time.pass_(60)
    assert barrier.status().position is Position.OPEN
    _settle(barrier, time, fire=False)
    assert barrier.status().contact is False
    time.pass_(7)
    assert barrier.status().position is Position.CLOSED
    assert _told(barrier) == [(EventKind.FIRE_ON, ""), (EventKind.FIRE_OFF, "")]


def test_stop_ends_a_hold_for_good_and_beats_fire(barrier, time):
    barrier.hold_open("h", 9.0, life_s=2.0)
    _settle(barrier, time, stop=True, fire=True)
    assert barrier.status().contact is False
    assert not barrier.status().held
    _settle(barrier, time, stop=False, fire=False)
    assert barrier.status().contact is False


@pytest.mark.parametrize(("input_", "kind"), [
    ("hand_button", EventKind.MANUAL_OPEN), ("exit_request", EventKind.EXIT_OPEN),
])
def test_a_press_opens_once_and_is_told_also_while_nobody_listens(barrier, time, input_, kind):
    barrier.set_faults(silent=True)
    barrier.set_inputs(**{input_: True})
    time.pass_(10.0)
    barrier.set_inputs(**{input_: False})
    barrier.set_faults(silent=False)
    assert barrier.arm.openings == 1
    assert _told(barrier) == [(kind, "")]


def test_a_press_while_stop_is_active_does_nothing(barrier, time):
    _settle(barrier, time, stop=True)
    _settle(barrier, time, hand_button=True)
    assert barrier.arm.openings == 0
    assert _told(barrier) == [(EventKind.STOP_ON, "")]


def test_an_input_that_is_active_from_the_start_is_told_but_opens_nothing(time):
    barrier = Simulator(now=time, boot=7)
    barrier.set_inputs(hand_button=True, tamper=True)
    time.pass_(1.0)
    barrier.status()
    assert [(e.boot, e.number, e.kind) for e in barrier.events()] == [
        (7, 1, EventKind.TAMPER_ON)]
    assert barrier.arm.openings == 0


def test_events_are_told_until_they_are_acknowledged(barrier, time):
    for pressed in (True, False, True, False):
        _settle(barrier, time, tamper=pressed)
    events = barrier.events()
    assert [event.number for event in events] == [1, 2, 3, 4]
    barrier.acknowledge(events[1])
    assert barrier.events() == events[2:]


def test_only_so_many_events_wait(barrier, time):
    for number in range(MOST_EVENTS + 4):
        _settle(barrier, time, tamper=number % 2 == 0)
    assert len(barrier.events()) == MOST_EVENTS


def test_power_that_returns_begins_another_life(barrier, time):
    boot = barrier.controller().boot
    _settle(barrier, time, tamper=True)
    barrier.set_faults(power_lost=True)
    assert barrier.events() == ()
    barrier.set_faults(power_lost=False)
    assert barrier.controller().boot == boot + 1
    (event,) = barrier.events()
    assert (event.boot, event.number, event.kind, event.argument) == (
        boot + 1, 1, EventKind.STARTED, "power")


def test_loops_are_counted(barrier, time):
    for occupied in (True, False, True):
        _settle(barrier, time, entry_loop=occupied)
    assert (barrier.status().entry_count, barrier.status().safety_count) == (2, 0)


def test_an_arm_that_does_not_leave_its_place_is_a_fault_until_it_does(barrier, time):
    barrier.set_faults(stuck=True)
    barrier.open("a", 500, life_s=2.0)
    time.pass_(MOVES_WITHIN_S - 0.1)
    assert barrier.status().faults == ()
    time.pass_(0.2)
    assert barrier.status().faults == ("not_moved",)
    barrier.set_faults(stuck=False)
    barrier.open("b", 500, life_s=2.0)
    time.pass_(1.0)
    assert barrier.status().faults == ()
    assert _told(barrier) == [
        (EventKind.FAULT_ON, "not_moved"), (EventKind.FAULT_OFF, "not_moved")]


def test_something_in_its_way_stops_the_arm(barrier, time):
    barrier.set_faults(obstructed=True)
    barrier.open("a", 500, life_s=2.0)
    time.pass_(4.0)
    assert barrier.status().position is Position.MOVING


def test_whoever_stands_beside_it_sees_everything(barrier, time):
    _settle(barrier, time, exit_request=True)
    barrier.set_faults(slow=True)
    seen = barrier.seen()
    assert seen["arm"]["motion"] == "rising"
    assert seen["inputs"]["exit_request"] is True
    assert seen["faults"]["slow"] is True


def test_an_unknown_input_is_refused(barrier):
    with pytest.raises(TypeError):
        barrier.set_inputs(haunted=True)
