"""Lets the simulated barrier be played with: by the scenario of the camera's clip, and by hand.

The clip begins when the camera turns live; the heartbeat tells when that was. `yard.sock` shows the
barrier and takes inputs and faults by hand, before which the scenario steps back. Only for the
simulator: a wired barrier has inputs of its own, and no such socket.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from appliance import clock, ipc
from appliance.barrier.drivers.simulator import Simulator
from appliance.gate.ear import Camera
from appliance.scenario.plan import Scenario
from appliance.scenario.yard_course import EVERY_S, Course
from appliance.scenario.yard_socket import YardSocket
from appliance.values import CameraState

logger = logging.getLogger(__name__)


class Rehearsal:
    """One simulated barrier in play; ``scenario`` is None where only hands play."""

    def __init__(
        self, barrier: Simulator, scenario: Scenario | None, camera: Callable[[], Camera],
        now: Callable[[], float] = clock.mono,
    ) -> None:
        self._course = Course(scenario, barrier) if scenario is not None else None
        self._camera = camera
        self._now = now
        self.yard = YardSocket(barrier, now)
        self._server: ipc.Server | None = None
        self._stopping = threading.Event()

    def start(self, socket: Path) -> None:
        self._server = ipc.Server(socket, self.yard.handlers)
        self._server.start()
        if self._course is not None:
            threading.Thread(target=self._run, name="rehearsal", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        if self._server is not None:
            self._server.stop()

    def play(self) -> None:
        """Sets inputs and faults to what the scenario says of this moment."""
        if self._course is None:
            return
        now, camera = self._now(), self._camera()
        live = camera.state is CameraState.LIVE and not camera.silent(now)
        self._course.follow(now, camera.since_mono if live else None, by_hand=self.yard.by_hand)

    def _run(self) -> None:
        while not self._stopping.wait(EVERY_S):
            try:
                self.play()
            except Exception as error:  # noqa: BLE001 - a demo goes on
                logger.error("rehearsal failed error=%s", type(error).__name__)
