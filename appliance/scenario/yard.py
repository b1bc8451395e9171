"""The yard program of a demo (`postern run yard`): the real firmware, an arm, and cars on loops.

    view.sock (where the clip stands) -> course -> ground: board + arm <- yard.sock (a hand)
                                                     board's port = run_dir/controller

1. It runs only where the settings say that the barrier hangs on its own port, never beside wires.
2. The board's settings are made from the site's controller key and stand beside its other secrets.
3. It opens nothing: the gate program orders, over the serial line, as at any barrier.

Threads: `yard` lets time pass, `yard-pins` hears the board, `yard` connections are one a thread,
the main thread follows the scenario.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path

from appliance import clock, ipc, vault
from appliance.barrier.drivers.arm import Arm
from appliance.config import Config
from appliance.errors import ConfigError, IpcError
from appliance.scenario import format as scenario_format
from appliance.scenario.plan import Scenario
from appliance.scenario.yard_board import Board
from appliance.scenario.yard_course import EVERY_S, Course
from appliance.scenario.yard_ground import Ground
from appliance.scenario.yard_socket import YardSocket
from appliance.scenario.yard_wiring import settings_for_a_yard
from appliance.values import CameraState

logger = logging.getLogger(__name__)

ASK_EVERY_S = 0.5


def port(config: Config) -> Path:
    """Where the gate program finds the simulated board."""
    return config.device.run_dir / "controller"


class Yard:
    """All parts of one simulated yard."""

    def __init__(self, config: Config) -> None:
        if config.barrier.driver != "pico" or Path(config.barrier.port) != port(config):
            raise ConfigError(
                "this site's barrier is not a simulated one",
                next_step="Start one with `postern demo --controller firmware`",
            )
        scenario = _scenario(config)
        arm = Arm()
        if scenario is not None:
            arm = Arm(travel_s=scenario.arm.opens_s, closes_s=scenario.arm.closes_s)
        config.device.run_dir.mkdir(parents=True, exist_ok=True)
        self.config = config
        self.board = Board(_settings(config), config.device.run_dir)
        self.ground = Ground(self.board, arm)
        self.socket = YardSocket(self.ground)
        self._course = Course(scenario, self.ground) if scenario is not None else None
        self._server = ipc.Server(config.socket("yard"), self.socket.handlers)
        self._live_since: float | None = None
        self._asked_mono = float("-inf")

    def run(self, told_to_end: Callable[[float], bool]) -> int:
        """Until ``told_to_end``, which waits for that many seconds, says so."""
        self.start()
        logger.info("yard ready")
        while not told_to_end(EVERY_S):
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - a program loop: log once, go on
                logger.error("look failed error=%s", type(error).__name__)
        self.end()
        return 0

    def start(self) -> None:
        self.ground.start()
        _link(port(self.config), Path(self.board.port))
        self._server.start()

    def look(self) -> None:
        """Sets the yard to what the scenario says of this moment."""
        if self._course is None:
            return
        now = clock.mono()
        if now - self._asked_mono >= ASK_EVERY_S:
            self._asked_mono = now
            self._live_since = _live_since(self.config)
        self._course.follow(now, self._live_since, by_hand=self.socket.by_hand)

    def end(self) -> None:
        self._server.stop()
        port(self.config).unlink(missing_ok=True)
        self.ground.stop()
        self.board.close()


def main(config: Config) -> int:
    """Runs the yard until SIGTERM or SIGINT."""
    signals = {signal.SIGTERM, signal.SIGINT}
    # Blocked before any thread starts, so that the signal waits for the line below.
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    return Yard(config).run(lambda rest_s: _told(signals, rest_s))


def _told(signals: set[signal.Signals], rest_s: float) -> bool:
    return signal.sigtimedwait(signals, rest_s) is not None


def _scenario(config: Config) -> Scenario | None:
    if config.demo.scenario == Path():
        return None
    return scenario_format.load(config.demo.scenario)


def _settings(config: Config) -> Path:
    """The board's gate.json, readable by this user alone: it holds the controller's key."""
    folder = config.device.state_dir / "controller"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "gate.json"
    text = json.dumps(
        settings_for_a_yard(config.device.lane, vault.controller_key(config)), indent=1
    )
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def _link(path: Path, target: Path) -> None:
    """Points ``path`` at ``target`` in one step."""
    fresh = path.with_name(f".{path.name}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(path)


def _live_since(config: Config) -> float | None:
    """When the camera turned live; None where it is not, or the camera program is away."""
    with contextlib.suppress(IpcError, KeyError, TypeError, ValueError):
        camera = ipc.call(config.socket("view"), "status", timeout_s=0.5).header["camera"]
        if CameraState(camera["state"]) is CameraState.LIVE:
            return float(camera["since_mono"])
    return None
