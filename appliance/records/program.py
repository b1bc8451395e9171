"""The program `records`: keeps reads and the journal, alone (DESIGN, section 4).

Threads: one a connection (`ipc.Server`), one that sweeps at start and every minute or more often
(`retention.sweep_every_s`), one that checks the volumes once and the journal daily. Writers take
the locks of `Volumes`, `Counters` and `Journal`; the latter two may be taken inside the volumes',
never the other way round.

Start: finish interrupted destructions, open the volumes, write `started` to the journal, listen.
A site that is not set up yet is no obstacle: nothing is kept until a policy is published.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
from types import FrameType

import sqlcipher3

from appliance import vault
from appliance.config import Config
from appliance.errors import ApplianceError, RecordError
from appliance.ipc import Server
from appliance.records import files, proof
from appliance.records import times as times_
from appliance.records.access import SYSTEM
from appliance.records.acts import Act
from appliance.records.counters import Counters
from appliance.records.destruction import Destroyer
from appliance.records.disk import Disk
from appliance.records.evidence import Evidence
from appliance.records.holding import Holding, Rooms
from appliance.records.holds import Holds
from appliance.records.issues import Issues
from appliance.records.journal import Journal
from appliance.records.keeping import Keeper
from appliance.records.keys import VolumeKeys, device_keys
from appliance.records.permission import Permission
from appliance.records.policy import PolicyWatch
from appliance.records.retention import Retention, Swept, sweep_every_s
from appliance.records.service import Parts, Service
from appliance.records.times import TakeMoment
from appliance.records.volumes import Volumes

logger = logging.getLogger(__name__)

_PROVE_EVERY_S = 86_400.0
_LOOK_EVERY_S = 600.0
_PATIENCE_S = 10.0
"""How long a stop waits for a check of a large volume; its thread ends with the program."""


class Records:
    """The room's parts, put together over one state folder. Raises VaultError without its keys."""

    def __init__(self, config: Config, now: TakeMoment = times_.moment, boot: str = "") -> None:
        boot = boot or times_.boot()
        root = files.make_folder(config.device.state_dir / "records")
        keys, issues = device_keys(config), Issues()
        wrapped = VolumeKeys(root / "keys", vault.key(config, "reads"))
        journal = Journal(root / "journal", keys, issues)
        volumes = Volumes(root / "reads", wrapped, issues)
        destroyer = Destroyer(root / "destroyed", volumes, journal, keys)
        counters = Counters(root / "counts", wrapped, issues)
        self.parts = Parts(
            keys=keys,
            issues=issues,
            policy=PolicyWatch(config, issues),
            journal=journal,
            volumes=volumes,
            keeper=Keeper(volumes, counters, journal, issues, boot),
            destroyer=destroyer,
            counters=counters,
            disk=Disk(volumes, destroyer, journal, issues),
        )
        self.parts.keeper.make_room = self.parts.disk.make_room
        self._now = now
        self._retention = Retention(volumes, journal, destroyer, issues, boot)
        self.holds = Holds(root / "evidence", vault.key(config, "reads"), journal, keys, issues)
        permission = Permission(journal, self.parts.policy.current)
        rooms = Rooms(self.holds, volumes, journal, keys, permission)
        self.evidence = Evidence(root / "evidence" / "exports", rooms, now)
        verbs = {**Holding(rooms, now).handlers(), **self.evidence.handlers()}
        handlers = {**Service(self.parts, now).handlers(), **verbs}
        self._server = Server(config.socket("records"), handlers)
        self._proved_mono: float | None = None

    def start(self) -> None:
        """Listens when it returns."""
        self.parts.destroyer.carry_through()
        self.parts.volumes.load()
        self.parts.counters.load()
        with contextlib.suppress(RecordError):
            self.parts.destroyer.settle(self._now())
        self.holds.start(self._now())
        self.parts.keeper.start()
        with contextlib.suppress(RecordError):
            self.parts.journal.append(Act(SYSTEM, "started", {"program": "records"}), self._now())
        self._server.start()
        logger.info("started volumes=%d", len(self.parts.volumes.newest_first()))

    def sweep(self) -> Swept:
        """What the clockwork thread does, as often as the policy's limits ask for."""
        now = self._now()
        swept = self._retention.sweep(self.parts.policy.current(), now)
        with contextlib.suppress(RecordError):
            self.parts.keeper.settle()
            if swept.allowed:
                self.parts.counters.end_days(now)
        if swept.allowed:
            self.holds.sweep(now)
        self.evidence.sweep(now)
        self.parts.disk.relieve(now)
        self.parts.volumes.rest_ended(now.at)
        return swept

    def prove(self) -> None:
        """What the prover does: every volume's pages once, the journal's chain once a day."""
        now = self._now()
        if self._proved_mono is None:
            whole = self.parts.volumes.check()
            logger.info("volumes checked whole=%d", whole)
        if self._proved_mono is None or now.mono - self._proved_mono >= _PROVE_EVERY_S:
            self._proved_mono = now.mono
            self._prove()

    def stop(self) -> None:
        self._server.stop()
        self.parts.volumes.close()
        self.parts.counters.close()
        self.parts.journal.close()
        self.parts.policy.close()

    def _prove(self) -> None:
        found = proof.prove(self.parts.journal.folder, self.parts.keys)
        if found.whole:
            self.parts.issues.clear("journal_broken")
            return
        logger.error("journal broken entry=%d", found.first_bad or 0)
        self.parts.issues.report(
            "journal_broken",
            f"The journal is not whole: {found.why}",
            "Run `postern journal verify` and keep the files as they are",
        )


def main(config: Config) -> int:
    """Runs until SIGTERM or SIGINT. 1 where a key is missing: the supervisor tries again."""
    quiet_cipher()
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        records = Records(config)
        records.start()
    except ApplianceError as error:
        logger.error("not started error=%s", error)
        return 1
    threads = [
        threading.Thread(target=_sweep, args=(records, stopping), name="clockwork"),
        threading.Thread(target=_prove, args=(records, stopping), name="prover", daemon=True),
    ]
    for thread in threads:
        thread.start()
    stopping.wait()
    for thread in threads:
        thread.join(_PATIENCE_S)
    records.stop()
    logger.info("stopped")
    return 0


def _prove(records: Records, stopping: threading.Event) -> None:
    """A thread of its own: a long check must not keep a sweep waiting."""
    while not stopping.is_set():
        try:
            records.prove()
        except Exception as error:  # noqa: BLE001 - a program loop: log once, go on
            logger.error("proof failed error=%s", type(error).__name__)
        stopping.wait(_LOOK_EVERY_S)


def _sweep(records: Records, stopping: threading.Event) -> None:
    while not stopping.is_set():
        try:
            records.sweep()
        except Exception as error:  # noqa: BLE001 - a program loop: log once, go on
            logger.error("sweep failed error=%s", type(error).__name__)
        stopping.wait(sweep_every_s(records.parts.policy.current()))


def quiet_cipher() -> None:
    """SQLCipher writes a page of lines to stderr for each damaged page; we report it ourselves."""
    with contextlib.closing(sqlcipher3.connect(":memory:")) as connection:
        connection.execute("PRAGMA cipher_log_level = NONE")
