"""The gate program: builds the parts, keeps the slow ones up to date, ends cleanly.

    ear (sightings.sock) -> loop -> link -> driver
                              \\-> sender -> records.sock
    door.sock -> loop, link, standing

Threads: `ear` one a connection, runs the loop; `barrier-link` owns the driver and writes the
ledger; `records-sender` owns the queue to records; `door` one a connection; `rehearsal` drives
simulated inputs where a scenario is set; the main thread looks at policy, clock and issues once a
second. Needs no other program to start, and survives the absence of each.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import secrets
import signal
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from appliance import clock, ipc, vault
from appliance.barrier.drivers.arm import Arm
from appliance.barrier.drivers.seam import BarrierDriver
from appliance.barrier.drivers.simulator import Simulator
from appliance.barrier.link import Link
from appliance.barrier.orders import Fault, LinkState, Order
from appliance.config import Config
from appliance.errors import ApplianceError, VaultError
from appliance.gate import rehearsal
from appliance.gate.door import Door, Parts
from appliance.gate.ear import Ear
from appliance.gate.figures import Figures
from appliance.gate.issues import Issues
from appliance.gate.ledger import Ledger, path_of
from appliance.gate.loop import Loop
from appliance.gate.sender import Sender
from appliance.gate.standing import Standing
from appliance.scenario import format as scenario_format
from appliance.scenario.plan import Scenario

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0


class Gate:
    """All parts of one gate. ``driver`` stands in for the configured one in tests."""

    def __init__(self, config: Config, driver: BarrierDriver | None = None) -> None:
        self.config = config
        self.issues = Issues()
        self.figures = Figures()
        self.scenario = _scenario(config, self.issues)
        self.driver = driver or _driver(config, self.scenario)
        config.device.run_dir.mkdir(parents=True, exist_ok=True)
        self.ledger = Ledger(path_of(config), _ledger_key(config))
        self.standing = Standing(config, self.issues)
        self.sender = Sender(self._to_records, self.issues)
        self.link = Link(
            self.driver, pulse_ms=config.barrier.pulse_ms, lockout_s=config.barrier.lockout_s,
            claim=self._claim, report=lambda order, outcome: self.loop.settle(order, outcome),
        )
        self.loop = Loop(
            lane=config.device.lane, direction=config.barrier.direction,
            surroundings=self.standing, link=self.link, ledger=self.ledger, sender=self.sender,
            figures=self.figures,
        )
        self.ear = Ear(config.socket("sightings"), self.loop.take, self._dropped)
        self.door = Door(Parts(
            lane=config.device.lane, loop=self.loop, link=self.link, sender=self.sender,
            standing=self.standing, ear=self.ear, figures=self.figures, issues=self.issues,
            ask_records=self._ask_records,
        ))
        self._door_server = ipc.Server(config.socket("door"), self.door.handlers)
        self._stopping = threading.Event()

    def run(self, told_to_end: Callable[[float], bool]) -> int:
        """Until ``told_to_end``, which waits for that many seconds, says so."""
        self.start()
        logger.info("gate ready driver=%s", self.driver.name)
        while not told_to_end(LOOK_EVERY_S):
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - a program loop: log once, go on
                logger.error("look failed error=%s", type(error).__name__)
        self.end()
        return 0

    def look(self) -> None:
        """What is done once a second, off the path of any car."""
        now = clock.mono()
        self.standing.look()
        self.loop.tidy(now)
        self.issues.set("vision_down", self.ear.camera.silent(now), now)
        view = self.link.view
        self.issues.set("barrier_link", view.state in (LinkState.LOST, LinkState.STARTING), now)
        stuck = view.fault == Fault.DID_NOT_MOVE
        self.issues.set("did_not_move", stuck, now)
        self.issues.set("barrier_fault", bool(view.fault) and not stuck, now)

    def start(self) -> None:
        self.standing.look()
        self.sender.start()
        self.link.start()
        self.ear.start()
        self._door_server.start()
        if self.scenario is not None and isinstance(self.driver, Simulator):
            threading.Thread(
                target=self._rehearse, args=(self.scenario, self.driver), name="rehearsal",
                daemon=True,
            ).start()

    def end(self) -> None:
        """Nothing new is heard; outputs are let go; what waits is sent if records is there."""
        self._stopping.set()
        self.ear.stop()
        self._door_server.stop()
        self.link.stop()
        self.sender.stop()
        self.standing.close()

    def _claim(self, order: Order) -> Fault | None:
        fault = self.ledger.claim(order, clock.mono())
        self.issues.set("no_ledger", fault is Fault.NO_LEDGER)
        return fault

    def _dropped(self) -> None:
        self.figures.counts["dropped"] += 1

    def _to_records(
        self, verb: str, fields: Mapping[str, Any], *, blob: bytes = b""
    ) -> ipc.Message:
        return ipc.call(self.config.socket("records"), verb, fields, blob=blob)

    def _ask_records(self, message: ipc.Message, timeout_s: float) -> ipc.Message:
        return ipc.call(
            self.config.socket("records"), message.verb, message.header, timeout_s=timeout_s
        )

    def _rehearse(self, scenario: Scenario, barrier: Simulator) -> None:
        while not self._stopping.wait(rehearsal.EVERY_S):
            rehearsal.play(scenario, barrier, self.ear.camera, clock.mono())


def main(config: Config) -> int:
    """Runs the gate until SIGTERM or SIGINT."""
    signals = {signal.SIGTERM, signal.SIGINT}
    # Blocked before any thread starts, so that the signal waits for the line below: a handler
    # could strike while the main thread holds a lock.
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    return Gate(config).run(lambda rest_s: signal.sigtimedwait(signals, rest_s) is not None)


def _driver(config: Config, scenario: Scenario | None) -> BarrierDriver:
    """The configured driver. ``config`` allows no other name than those built here."""
    arm = Arm(travel_s=scenario.arm.opens_s) if scenario is not None else Arm()
    return {"simulator": Simulator}[config.barrier.driver](arm=arm)


def _scenario(config: Config, issues: Issues) -> Scenario | None:
    if config.demo.scenario == Path():
        return None
    try:
        return scenario_format.load(config.demo.scenario)
    except ApplianceError as error:
        logger.warning("scenario not loaded error=%s", type(error).__name__)
        issues.set("rehearsal", True)
        return None


def _ledger_key(config: Config) -> bytes:
    """Keys the plate fingerprints. Before the set-up there are no grants, so any key will do."""
    with contextlib.suppress(VaultError):
        site_key = vault.key(config, "site")
        return hashlib.blake2b(b"order ledger", key=site_key, digest_size=32).digest()
    return secrets.token_bytes(32)
