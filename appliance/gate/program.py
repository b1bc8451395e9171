"""The gate program: builds the parts, keeps the slow ones up to date, ends cleanly.

    ear (sightings.sock) -> loop -> link -> driver
                              \\-> sender -> records.sock
    driver -> link -> controller events -> sender
    door.sock -> loop, link, standing, second factors

Threads: `ear` one a connection, runs the loop; `barrier-link` owns the driver and writes the
ledger; `records-sender` owns the queue to records; `door` one a connection; `rehearsal` drives
simulated inputs where a scenario is set and `yard` shows them; the main thread looks at policy,
clock and issues once a second. Needs no other program to start, and survives the absence of each.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import secrets
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from appliance import clock, ipc, vault
from appliance.barrier.drivers import choose
from appliance.barrier.drivers.arm import Arm
from appliance.barrier.drivers.seam import BarrierDriver
from appliance.barrier.drivers.simulator import Simulator
from appliance.barrier.drivers.unkeyed import Unkeyed
from appliance.barrier.link import Link, Listeners
from appliance.barrier.orders import Fault, LinkView, Order
from appliance.config import Config
from appliance.errors import ApplianceError, VaultError
from appliance.gate import barrier_issues, second_factor
from appliance.gate.controller_events import ControllerEvents, Place
from appliance.gate.door import Door, Parts
from appliance.gate.ear import Ear
from appliance.gate.figures import Figures
from appliance.gate.issues import Issues
from appliance.gate.ledger import Ledger, path_of
from appliance.gate.loop import Loop
from appliance.gate.rehearsal import Rehearsal
from appliance.gate.second_factor import SecondFactors
from appliance.gate.sender import Sender
from appliance.gate.standing import Standing
from appliance.scenario import format as scenario_format
from appliance.scenario.plan import Scenario

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
LOOK_AGAIN_S = 0.25


class Gate:
    """All parts of one gate. ``driver`` stands in for the configured one in tests."""

    def __init__(self, config: Config, driver: BarrierDriver | None = None) -> None:
        self.config = config
        self.issues = Issues()
        self.figures = Figures()
        self.scenario = _scenario(config, self.issues)
        self._key_print = _key_print(config)
        self.driver = driver or _driver(config, self.scenario)
        config.device.run_dir.mkdir(parents=True, exist_ok=True)
        self.ledger = Ledger(path_of(config), _ledger_key(config))
        self.standing = Standing(config, self.issues)
        self.sender = Sender(self._to_records, self.issues)
        self.link = Link(
            self.driver, pulse_ms=config.barrier.pulse_ms, lockout_s=config.barrier.lockout_s,
            claim=self._claim, report=lambda order, outcome: self.loop.settle(order, outcome),
            listeners=Listeners(
                happened=lambda event: self.events.happened(event), looked=self._looked
            ),
        )
        self.loop = Loop(
            lane=config.device.lane, direction=config.barrier.direction,
            presence_needed=config.barrier.presence_needed, surroundings=self.standing,
            link=self.link, ledger=self.ledger, sender=self.sender, figures=self.figures,
        )
        self.events = ControllerEvents(
            Place(
                config.device.lane, lambda: self.link.view.controller,
                lambda: self.standing.policy.snapshot.version,
                lambda: self.standing.clock_quality,
            ),
            self.sender, self.link.kept,
        )
        self.ear = Ear(config.socket("sightings"), self.loop.take, self._dropped)
        self.door = self._make_door()
        self._door_server = ipc.Server(config.socket("door"), self.door.handlers)
        self._settings_seen = barrier_issues.SettingsSeen()
        self._entry_loop: bool | None = None
        self._looked_again_mono = float("-inf")
        self.rehearsal = (
            Rehearsal(self.driver, self.scenario, lambda: self.ear.camera)
            if isinstance(self.driver, Simulator) else None
        )

    def run(self, told_to_end: Callable[[float], bool]) -> int:
        """Until ``told_to_end``, which waits for that many seconds, says so; or until there is
        another controller key: whoever supervises the gate starts it anew with that one."""
        self.start()
        logger.info("gate ready driver=%s", self.driver.name)
        while not told_to_end(LOOK_EVERY_S):
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - a program loop: log once, go on
                logger.error("look failed error=%s", type(error).__name__)
            if _key_print(self.config) != self._key_print:
                logger.info("controller key changed, starting anew")
                break
        self.end()
        return 0

    def look(self) -> None:
        """What is done once a second, off the path of any car."""
        now = clock.mono()
        self.standing.look()
        self.loop.tidy(now)
        self.issues.set("vision_down", self.ear.camera.silent(now), now)
        view = self.link.view
        standing = {
            **barrier_issues.of_view(view, presence_needed=self.config.barrier.presence_needed),
            **barrier_issues.of_traffic(self.link.traffic.counted(), now),
            "settings_changed": self._settings_seen.changed(
                view.controller, self.standing.commissioned
            ),
            "no_controller_key": isinstance(self.driver, Unkeyed),
        }
        for key, stands in standing.items():
            self.issues.set(key, stands, now)

    def start(self) -> None:
        self.standing.look()
        self.sender.start()
        self.link.start()
        self.ear.start()
        self._door_server.start()
        if self.rehearsal is not None:
            self.rehearsal.start(self.config.socket("yard"))

    def end(self) -> None:
        """Nothing new is heard; outputs are let go; what waits is sent if records is there."""
        if self.rehearsal is not None:
            self.rehearsal.stop()
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

    def _looked(self, view: LinkView) -> None:
        """On the link thread: cars that wait for the loop are decided anew when it changes, and
        now and then, since a second factor or the clock may have changed meanwhile."""
        now = clock.mono()
        if view.entry_loop is not self._entry_loop or (
            now - self._looked_again_mono >= LOOK_AGAIN_S
        ):
            self._entry_loop, self._looked_again_mono = view.entry_loop, now
            self.loop.look_again()

    def _make_door(self) -> Door:
        second_factors = SecondFactors(second_factor.Gate(
            lane=self.config.device.lane, loop=self.loop,
            grants=lambda: self.standing.policy.snapshot.grants,
            site_key=lambda: vault.key(self.config, "site"), ask_records=self._ask_records,
        ))
        return Door(Parts(
            lane=self.config.device.lane, loop=self.loop, link=self.link, sender=self.sender,
            standing=self.standing, ear=self.ear, figures=self.figures, issues=self.issues,
            events=self.events, second_factors=second_factors, ask_records=self._ask_records,
        ))


def main(config: Config) -> int:
    """Runs the gate until SIGTERM or SIGINT."""
    signals = {signal.SIGTERM, signal.SIGINT}
    # Blocked before any thread starts, so that the signal waits for the line below: a handler
    # could strike while the main thread holds a lock.
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    return Gate(config).run(lambda rest_s: signal.sigtimedwait(signals, rest_s) is not None)


def _driver(config: Config, scenario: Scenario | None) -> BarrierDriver:
    """The configured one; a simulated arm moves as the scenario says."""
    arm = Arm(travel_s=scenario.arm.opens_s) if scenario is not None else Arm()
    try:
        return choose.driver(config, arm)
    except VaultError:
        logger.error("no key of the barrier controller driver=%s", config.barrier.driver)
        return Unkeyed(config.barrier.driver)


def _key_print(config: Config) -> str:
    """Tells one controller key from another, without being one; empty where there is none, and
    for a driver that needs none."""
    if config.barrier.driver not in choose.KEYED:
        return ""
    try:
        return hashlib.sha256(b"controller" + vault.controller_key(config)).hexdigest()
    except VaultError:
        return ""


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
