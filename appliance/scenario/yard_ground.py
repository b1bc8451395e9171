"""A yard with the real firmware in it: the board, round it the arm, its cabinet and the inputs.

The cabinet has its own STOP, FIRE, loop and beam; the board only gets copies of them. So what is
set here reaches both. The arm follows the board's contacts in steps of 10 ms.
Any thread may call it; a thread of its own lets time pass.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from appliance import clock
from appliance.barrier.drivers.arm import Arm
from appliance.errors import BarrierError
from appliance.scenario.yard_board import Board
from appliance.scenario.yard_socket import Faults, Inputs, arm_seen

logger = logging.getLogger(__name__)

STEP_S = 0.01
OBSTACLE_AT = 0.4
SLOWER = 5.0
_LONGEST_CATCH_UP_S = 2.0  # a suspended machine need not replay a night


class Ground:
    """A ``Play`` with the real firmware."""

    simulated = "firmware"

    def __init__(
        self, board: Board, arm: Arm | None = None, *, now: Callable[[], float] = clock.mono
    ) -> None:
        self.board = board
        self.arm = arm or Arm()
        self._now = now
        self._at = now()
        self._inputs = Inputs()
        self._faults = Faults()
        self._lock = threading.Lock()
        self._board_on = True
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Power on. Raises BarrierError where Node or its packages miss."""
        self._pass_on()
        self.board.start()
        self._at = self._now()
        self._thread = threading.Thread(target=self._live, name="yard", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
        self.board.stop()

    def seen(self) -> Mapping[str, Any]:
        with self._lock:
            return {
                "arm": arm_seen(self.arm), "inputs": asdict(self._inputs),
                "faults": asdict(self._faults),
            }

    def set_inputs(self, **active: bool) -> None:
        with self._lock:
            self._inputs = replace(self._inputs, **active)
            arm, now = self.arm, self._inputs
            arm.safety_loop, arm.photocell = now.safety_loop, now.photocell
            arm.fire, arm.stop = now.fire, now.stop

    def set_faults(self, **broken: bool) -> None:
        """Power goes and comes with the next step; a board needs half a second to start."""
        with self._lock:
            self._faults = faults = replace(self._faults, **broken)
            self.arm.stuck = faults.stuck
            self.arm.slowness = SLOWER if faults.slow else 1.0
            self.arm.bouncing = faults.bounce
            self.arm.obstacle = OBSTACLE_AT if faults.obstructed else None
            self.arm.powered = not faults.power_lost
        self.board.set_line(hears=not faults.silent, says=not faults.silent and not faults.mute)

    def step(self) -> None:
        """Catches up with the clock."""
        self._switch(on=not self._faults.power_lost)
        now = self._now()
        self._at = max(self._at, now - _LONGEST_CATCH_UP_S)
        with self._lock:
            while now - self._at >= STEP_S - 1e-9:
                self._at += STEP_S
                outputs = self.board.outputs
                self.arm.contact = bool(outputs & 1)
                self.arm.close_contact = bool(outputs & 2)
                self.arm.step(STEP_S)
        self._pass_on()

    def _pass_on(self) -> None:
        """The board reads what the yard shows now."""
        with self._lock:
            closed, opened = self.arm.limit_switches
            wanted = {**asdict(self._inputs), "limit_closed": closed, "limit_open": opened}
        self.board.set_inputs(**wanted)

    def _switch(self, *, on: bool) -> None:
        if on == self._board_on:
            return
        self._board_on = on
        if not on:
            self.board.kill()
            return
        try:
            self.board.start()
        except BarrierError as error:
            logger.error("board did not start error=%s", error.key)

    def _live(self) -> None:
        while not self._stopping.wait(STEP_S):
            try:
                self.step()
            except Exception as error:  # noqa: BLE001 - a program loop: log once, go on
                logger.error("step failed error=%s", type(error).__name__)
