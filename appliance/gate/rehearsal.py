"""Drives the simulated barrier's inputs from the scenario whose clip the camera program plays.

The clip begins when the camera turns live; the heartbeat tells when that was. While the camera is
not live nothing moves. Only for the simulator: a wired barrier has inputs of its own.
"""

from __future__ import annotations

from appliance.barrier.drivers.simulator import Simulator
from appliance.gate.ear import Camera
from appliance.scenario import inputs
from appliance.scenario.plan import FaultKind, Scenario
from appliance.values import CameraState

EVERY_S = 0.05


def play(scenario: Scenario, barrier: Simulator, camera: Camera, now_mono: float) -> None:
    """Sets inputs and faults to what the scenario says of this moment."""
    live = camera.state is CameraState.LIVE and not camera.silent(now_mono)
    if not live:
        barrier.set_inputs(entry_loop=False, safety_loop=False, photocell=False)
        return
    t_s = inputs.position_s(scenario, now_mono, camera.since_mono)
    read = inputs.inputs_at(scenario, t_s)
    faults = inputs.faults_at(scenario, t_s)
    barrier.set_inputs(entry_loop=read.loop, safety_loop=read.photocell, photocell=read.photocell)
    barrier.set_faults(
        stuck=FaultKind.ARM_STUCK in faults, silent=FaultKind.LINK_LOST in faults
    )
