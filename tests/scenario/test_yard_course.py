"""A yard follows its scenario, and gives way to a hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.scenario import format as scenario_format
from appliance.scenario.plan import Fault, FaultKind
from appliance.scenario.yard_course import Course
from tests.scenario.test_yard_socket import Sheet


@pytest.fixture
def scenario():
    return replace(
        scenario_format.load(scenario_format.DEMO),
        faults=(Fault(FaultKind.ARM_STUCK, 10, 5), Fault(FaultKind.POWER_LOST, 12, 1)),
    )


@pytest.fixture
def sheet():
    return Sheet()


@pytest.fixture
def course(scenario, sheet):
    return Course(scenario, sheet)


def drive(course, sheet, until_s, *, by_hand=False):
    """Which inputs were ever active on the way."""
    seen = set()
    for n in range(int(until_s / 0.05)):
        course.follow(1000 + n * 0.05, 1000.0, by_hand=by_hand)
        seen |= {n for n in ("entry_loop", "safety_loop", "photocell") if getattr(sheet.inputs, n)}
    return seen


def test_a_car_drives_over_loop_and_beam(course, sheet):
    assert drive(course, sheet, 9) == {"entry_loop", "safety_loop", "photocell"}


def test_a_hand_keeps_the_scenario_from_the_inputs(course, sheet):
    sheet.set_inputs(fire=True)
    assert drive(course, sheet, 9, by_hand=True) == set()
    assert sheet.inputs.fire


def test_without_a_live_camera_nothing_drives(course, sheet):
    sheet.set_inputs(entry_loop=True)
    course.follow(1004.0, None, by_hand=False)
    assert not sheet.inputs.entry_loop


def test_without_a_live_camera_a_hand_still_has_the_inputs(course, sheet):
    sheet.set_inputs(entry_loop=True)
    course.follow(1004.0, None, by_hand=True)
    assert sheet.inputs.entry_loop


def test_faults_come_and_go_with_the_scenario(course, sheet):
    course.follow(1012.5, 1000.0, by_hand=False)
    assert sheet.faults.stuck
    assert sheet.faults.power_lost
    course.follow(1013.5, 1000.0, by_hand=False)
    assert sheet.faults.stuck
    assert not sheet.faults.power_lost
    course.follow(1016.0, 1000.0, by_hand=False)
    assert not sheet.faults.stuck


def test_a_fault_set_by_hand_outlives_the_scenarios_steps(course, sheet):
    sheet.set_faults(slow=True)
    drive(course, sheet, 20)
    assert sheet.faults.slow


def test_every_fault_of_the_arm_and_the_line_reaches_the_yard(scenario, sheet):
    inputs_own = {FaultKind.LOOP_STUCK, FaultKind.LOOP_DEAD, FaultKind.PHOTOCELL_BLOCKED}
    for kind in set(FaultKind) - inputs_own:
        fresh = Sheet()
        Course(replace(scenario, faults=(Fault(kind, 0, 5),)), fresh).follow(
            1001.0, 1000.0, by_hand=False
        )
        assert fresh.faults != sheet.faults, kind
