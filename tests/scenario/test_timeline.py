"""Where the cars are, and what the simulated inputs say of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.scenario import format as scenario_format
from appliance.scenario import inputs, timeline
from appliance.scenario.inputs import Inputs
from appliance.scenario.plan import FaultKind, Light, Scenario, Then, Way
from tests.scenario.test_format import SMALL

STEP_S = 0.05


@pytest.fixture(scope="module")
def demo() -> Scenario:
    return scenario_format.load(scenario_format.DEMO)


def _moments(scenario: Scenario) -> list[float]:
    return [n * STEP_S for n in range(int(scenario.length_s / STEP_S))]


def test_a_car_never_jumps(demo: Scenario) -> None:
    for car in demo.cars:
        before = None
        for t_s in _moments(demo):
            now = timeline.distance_m(car, demo.lane, t_s)
            if before is not None and now is not None:
                assert abs(now - before) <= car.speed_kmh / 3.6 * STEP_S * 1.01
            before = now


def test_a_car_that_enters_stands_at_the_line_for_as_long_as_it_should(demo: Scenario) -> None:
    for car in demo.cars:
        stood = sum(timeline.standing(car, demo.lane, t_s) for t_s in _moments(demo)) * STEP_S
        if car.way is Way.OUT:
            assert stood == 0
        else:
            assert stood == pytest.approx(car.stops_s, abs=2 * STEP_S)
            assert 1.5 <= stood <= 3.2


def test_a_refused_car_backs_away_and_one_let_in_passes_the_camera(demo: Scenario) -> None:
    for car in demo.cars:
        last = car.at_s + timeline.length_s(car, demo.lane) - 0.01
        end = timeline.distance_m(car, demo.lane, last)
        assert end is not None
        assert (end < 0) == (car.way is Way.IN and car.then is Then.THROUGH)
        assert timeline.distance_m(car, demo.lane, last + 0.02) is None


def test_few_seconds_are_empty(demo: Scenario) -> None:
    moments = _moments(demo)
    empty = sum(
        all(timeline.distance_m(car, demo.lane, t_s) is None for car in demo.cars)
        for t_s in moments
    )

    assert empty / len(moments) < 0.12


def test_the_light_changes_smoothly_and_is_right_when_a_car_comes(demo: Scenario) -> None:
    for car in demo.cars:
        before, after, share = timeline.light(demo, car.at_s)
        assert (before if share == 0 else after) is car.light
    assert timeline.light(demo, demo.length_s - 0.01)[1] is demo.cars[0].light
    shares = [timeline.light(demo, t_s)[2] for t_s in _moments(demo)]
    assert all(0 <= share <= 1 for share in shares)
    assert 0.4 < max(shares[n] for n in range(len(shares)) if 0.4 < shares[n] < 0.6) < 0.6


def test_a_scenario_without_cars_is_an_empty_day() -> None:
    scenario = scenario_format.parse(SMALL[: SMALL.index("[[car]]")])

    assert timeline.light(scenario, 3) == (Light.DAY, Light.DAY, 0.0)
    assert inputs.inputs_at(scenario, 3) == Inputs(loop=False, photocell=False)


def test_the_loop_holds_a_car_at_the_line_and_the_beam_breaks_when_it_drives_through(
    demo: Scenario,
) -> None:
    for car in demo.cars:
        if car.way is Way.OUT:
            continue
        at_line = [t for t in _moments(demo) if timeline.standing(car, demo.lane, t)]
        assert all(inputs.inputs_at(demo, t) == Inputs(True, False) for t in at_line)
        assert inputs.at_the_line(demo, at_line[0]) is car
        after = [t for t in _moments(demo)
                 if at_line[-1] < t < car.at_s + timeline.length_s(car, demo.lane)]
        broken = [inputs.inputs_at(demo, t).photocell for t in after]
        assert any(broken) == (car.then is Then.THROUGH)
        assert not broken[0]


def test_the_inputs_follow_the_clip_round_and_round(demo: Scenario) -> None:
    for t_s in (0.0, 4.9, 40.0, 82.9):
        assert inputs.inputs_at(demo, t_s) == inputs.inputs_at(demo, t_s + 3 * demo.length_s)
    began = 1234.5
    assert inputs.position_s(demo, began + 2 * demo.length_s + 7, began) == pytest.approx(7)


def test_faults_show_in_the_inputs_only_while_they_last() -> None:
    text = SMALL + "".join(
        f'\n[[fault]]\nkind = "{kind}"\nat_s = {at_s}\nfor_s = 1\n'
        for kind, at_s in (("loop_dead", 5), ("loop_stuck", 15), ("photocell_blocked", 17),
                           ("arm_stuck", 18))
    )
    scenario = scenario_format.parse(text)
    (car,) = scenario.cars

    assert timeline.standing(car, scenario.lane, 5.5)
    assert inputs.inputs_at(scenario, 5.5) == Inputs(False, False)
    assert inputs.inputs_at(scenario, 6.05).loop is True
    assert inputs.inputs_at(scenario, 15.5) == Inputs(True, False)
    assert inputs.inputs_at(scenario, 16.5) == Inputs(False, False)
    assert inputs.inputs_at(scenario, 17.5) == Inputs(False, True)
    assert inputs.faults_at(scenario, 18.5) == {FaultKind.ARM_STUCK}


def test_a_car_that_leaves_asks_at_the_exit_loop_before_it_reaches_the_arm(demo: Scenario) -> None:
    leaving = [car for car in demo.cars if car.way is Way.OUT]
    asked = [t_s for t_s in _moments(demo) if inputs.inputs_at(demo, t_s).exit_loop]
    assert len(leaving) == 1
    under = [t_s for t_s in _moments(demo)
             if t_s > leaving[0].at_s - 1 and inputs.inputs_at(demo, t_s).photocell]
    assert max(asked) < leaving[0].at_s <= under[0]
    assert under[0] - min(asked) >= demo.arm.opens_s
    entering = replace(demo, cars=tuple(c for c in demo.cars if c.way is not Way.OUT))
    assert not any(inputs.inputs_at(entering, t_s).exit_loop for t_s in _moments(demo))
