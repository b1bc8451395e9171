"""The simulated barrier's inputs, in step with the looping clip of the same scenario.

A deterministic function of time, so picture and inputs agree without talking: the clip starts when
the camera turns live, and the gate hears that moment (``since_mono``) with every camera heartbeat.
Imports no picture library; any thread.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.scenario import timeline
from appliance.scenario.plan import Car, FaultKind, Scenario, Way

EXIT_LOOP_S = 2.5  # a car needs that long from the loop to the arm, and an arm that long to rise


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the controller reads from its terminals."""

    loop: bool
    """A car stands on the entry loop."""
    photocell: bool
    """The beam under the arm is broken."""
    exit_loop: bool = False
    """A car stands on the loop on the inside and asks to be let out."""


def position_s(scenario: Scenario, now_mono: float, live_since_mono: float) -> float:
    """Where the looping clip stands now, seconds after its start."""
    return (now_mono - live_since_mono) % scenario.length_s


def inputs_at(scenario: Scenario, t_s: float) -> Inputs:
    """The inputs at clip time ``t_s``; times beyond the clip's length wrap around."""
    at_s = t_s % scenario.length_s
    lane = scenario.lane
    faults = faults_at(scenario, at_s)
    loop = any(
        timeline.covers(car, lane, at_s, lane.loop_from_m, lane.loop_until_m)
        for car in scenario.cars
    )
    beam = any(
        timeline.covers(car, lane, at_s, lane.photocell_m, lane.photocell_m)
        for car in scenario.cars
    )
    leaves = any(_asks_to_leave(car, at_s) for car in scenario.cars)
    return Inputs(
        exit_loop=leaves,
        loop=FaultKind.LOOP_STUCK in faults or (loop and FaultKind.LOOP_DEAD not in faults),
        photocell=beam or FaultKind.PHOTOCELL_BLOCKED in faults,
    )


def _asks_to_leave(car: Car, at_s: float) -> bool:
    """The exit loop lies under a car just before it comes into the camera's view."""
    return car.way is Way.OUT and car.at_s - EXIT_LOOP_S <= at_s < car.at_s


def faults_at(scenario: Scenario, t_s: float) -> frozenset[FaultKind]:
    """The faults the scenario plays at that moment; the arm's and the link's are the simulator's
    to show."""
    at_s = t_s % scenario.length_s
    return frozenset(
        fault.kind for fault in scenario.faults if fault.at_s <= at_s < fault.at_s + fault.for_s
    )


def at_the_line(scenario: Scenario, t_s: float) -> Car | None:
    """The car that waits at the line at that moment."""
    at_s = t_s % scenario.length_s
    for car in scenario.cars:
        if timeline.standing(car, scenario.lane, at_s):
            return car
    return None
