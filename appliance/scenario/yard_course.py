"""Brings a simulated yard to where the looping clip of its scenario stands.

While the camera is not live nothing drives. A fault of the scenario is set when it begins and
mended when it ends, so that a fault set by hand meanwhile stays; inputs are left alone while a hand
has them.
"""

from __future__ import annotations

from appliance.scenario import inputs
from appliance.scenario.plan import FaultKind, Scenario
from appliance.scenario.yard_socket import Play

EVERY_S = 0.05
_BREAKS = {
    FaultKind.ARM_STUCK: "stuck",
    FaultKind.ARM_SLOW: "slow",
    FaultKind.ARM_OBSTRUCTED: "obstructed",
    FaultKind.LIMITS_BOUNCE: "bounce",
    FaultKind.LINK_LOST: "silent",
    FaultKind.ANSWERS_LOST: "mute",
    FaultKind.POWER_LOST: "power_lost",
}


class Course:
    """One scenario played on one yard."""

    def __init__(self, scenario: Scenario, play: Play) -> None:
        self._scenario = scenario
        self._play = play
        self._broken: frozenset[str] = frozenset()

    def follow(self, now_mono: float, live_since_mono: float | None, *, by_hand: bool) -> None:
        """``live_since_mono`` is None while the camera is not live."""
        if live_since_mono is None:
            if not by_hand:
                self._play.set_inputs(
                    entry_loop=False, safety_loop=False, photocell=False, exit_request=False
                )
            return
        t_s = inputs.position_s(self._scenario, now_mono, live_since_mono)
        if not by_hand:
            read = inputs.inputs_at(self._scenario, t_s)
            self._play.set_inputs(
                entry_loop=read.loop, safety_loop=read.photocell, photocell=read.photocell,
                exit_request=read.exit_loop,
            )
        kinds = inputs.faults_at(self._scenario, t_s)
        broken = frozenset(name for kind, name in _BREAKS.items() if kind in kinds)
        changed = {name: name in broken for name in broken ^ self._broken}
        self._broken = broken
        if changed:
            self._play.set_faults(**changed)
