"""Where every car of a scenario is at a moment: pure arithmetic, shared by picture and inputs.

A car that enters brakes from its speed to the stop line, waits, then drives through or backs away.
A car that leaves appears from under the camera and gathers speed. One distance describes a car:
metres from the camera to its nearest end (its front when it enters, its back when it leaves);
negative means that this end has passed the camera.
"""

from __future__ import annotations

from appliance.errors import ConfigError
from appliance.scenario.plan import Car, LanePlan, Light, Scenario, Then, Way

FAR_M = 21.0  # where a car comes into view and goes out of it
_PASSED_M = -5.5  # the longest body has left the picture and the photocell
_APPEARS_M = -3.0
_BRAKES = 2.2  # m/s2, comfortable
_GATHERS = 2.4
_BACKS_SPEED = 4.0  # m/s
_LIGHT_CHANGES_S = 2.5
_SPACE_M = 1.0


def length_s(car: Car, lane: LanePlan) -> float:
    """Seconds from a car's appearance until it is gone."""
    speed = car.speed_kmh / 3.6
    if car.way is Way.OUT:
        return _run_s(FAR_M - _APPEARS_M, speed, speed / 2)
    return _arrives_s(car, lane) + car.stops_s + (
        _run_s(lane.stop_m - _PASSED_M, speed)
        if car.then is Then.THROUGH
        else _run_s(FAR_M - lane.stop_m, _BACKS_SPEED)
    )


def distance_m(car: Car, lane: LanePlan, t_s: float) -> float | None:
    """Where the car is at scenario time ``t_s``, or None where it is not in the scene."""
    since = t_s - car.at_s
    if not 0 <= since < length_s(car, lane):
        return None
    speed = car.speed_kmh / 3.6
    if car.way is Way.OUT:
        return _APPEARS_M + _run_m(since, speed, speed / 2)
    arrives = _arrives_s(car, lane)
    if since < arrives:
        left = arrives - since
        rolling = speed / _BRAKES
        if left <= rolling:
            return lane.stop_m + 0.5 * _BRAKES * left**2
        return lane.stop_m + 0.5 * speed * rolling + speed * (left - rolling)
    going = since - arrives - car.stops_s
    if going <= 0:
        return lane.stop_m
    if car.then is Then.THROUGH:
        return lane.stop_m - _run_m(going, speed)
    return lane.stop_m + _run_m(going, _BACKS_SPEED)


def standing(car: Car, lane: LanePlan, t_s: float) -> bool:
    """True while the car waits at the line."""
    if car.way is Way.OUT:
        return False
    waited = t_s - car.at_s - _arrives_s(car, lane)
    return 0 <= waited <= car.stops_s


def covers(car: Car, lane: LanePlan, t_s: float, from_m: float, until_m: float) -> bool:
    """True where some part of the car stands over that stretch of the drive."""
    near = distance_m(car, lane, t_s)
    return near is not None and near <= until_m and near + car.body.length_m >= from_m


def light(scenario: Scenario, t_s: float) -> tuple[Light, Light, float]:
    """The light at that moment as (from, to, share of ``to`` 0..1).

    It changes in the seconds before a car of another light comes, and back before the loop ends.
    """
    if not scenario.cars:
        return (Light.DAY, Light.DAY, 0.0)
    first = scenario.cars[0]
    before = first.light
    for car in (*scenario.cars[1:], None):
        at_s = scenario.length_s if car is None else car.at_s
        after = first.light if car is None else car.light
        if t_s < at_s:
            share = 1 - (at_s - t_s) / _LIGHT_CHANGES_S
            return (before, after, 0.0 if before is after else max(0.0, share))
        before = after
    return (first.light, first.light, 0.0)


def check(scenario: Scenario) -> None:
    """Raises ConfigError where cars are out of order, run into each other or outlast the loop."""
    previous: Car | None = None
    for number, car in enumerate(scenario.cars, start=1):
        ends_s = car.at_s + length_s(car, scenario.lane)
        if ends_s > scenario.length_s:
            raise ConfigError(
                f"[[car]] {number} is in the scene until {ends_s:.1f} s",
                next_step=f"Raise length_s, now {scenario.length_s:g}, or let it come earlier",
            )
        if previous is not None:
            if car.at_s < previous.at_s:
                raise ConfigError(f"[[car]] {number} comes before the car above it")
            _check_space(previous, car, scenario.lane, number)
        previous = car


def _check_space(ahead: Car, behind: Car, lane: LanePlan, number: int) -> None:
    step_s = 0.1
    for n in range(int(length_s(behind, lane) / step_s)):
        t_s = behind.at_s + n * step_s
        one, two = distance_m(ahead, lane, t_s), distance_m(behind, lane, t_s)
        if one is None or two is None:
            continue
        gap = max(one, two) - (
            one + ahead.body.length_m if one < two else two + behind.body.length_m
        )
        if gap < _SPACE_M:
            raise ConfigError(
                f"[[car]] {number} would touch the car before it at {t_s:.1f} s",
                next_step="Let it come later",
            )


def _arrives_s(car: Car, lane: LanePlan) -> float:
    """Seconds from appearing to standing at the line: a steady stretch, then braking."""
    speed = car.speed_kmh / 3.6
    way = FAR_M - lane.stop_m
    braking = speed**2 / (2 * _BRAKES)
    if braking >= way:
        return float((2 * way / _BRAKES) ** 0.5)
    return (way - braking) / speed + speed / _BRAKES


def _run_m(t_s: float, top: float, start: float = 0.0) -> float:
    """Metres covered gathering speed from ``start`` to ``top`` m/s, then keeping it."""
    gathering = max(0.0, (top - start) / _GATHERS)
    if t_s <= gathering:
        return start * t_s + 0.5 * _GATHERS * t_s**2
    return start * gathering + 0.5 * _GATHERS * gathering**2 + top * (t_s - gathering)


def _run_s(way_m: float, top: float, start: float = 0.0) -> float:
    """Seconds ``_run_m`` needs for that way."""
    gathering = max(0.0, (top - start) / _GATHERS)
    gathered = start * gathering + 0.5 * _GATHERS * gathering**2
    if way_m >= gathered:
        return gathering + (way_m - gathered) / top
    return float((-start + (start**2 + 2 * _GATHERS * way_m) ** 0.5) / _GATHERS)
