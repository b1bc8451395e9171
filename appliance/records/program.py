"""The program `records`: keeps reads and the journal, alone (DESIGN, section 4).

Threads: one a connection (`ipc.Server`), and one that sweeps at start and every minute. Writers
take the locks of `Volumes` and `Journal`; the journal's may be taken inside the volumes', never
the other way round.

Start: finish interrupted destructions, open the volumes, write `started` to the journal, listen.
A site that is not set up yet is no obstacle: nothing is kept until a policy is published.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
from datetime import timedelta
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
from appliance.records.destruction import Destroyer
from appliance.records.issues import Issues
from appliance.records.journal import Journal
from appliance.records.keeping import Keeper
from appliance.records.keys import VolumeKeys, device_keys
from appliance.records.policy import PolicyWatch
from appliance.records.retention import Retention, Swept
from appliance.records.service import Parts, Service
from appliance.records.times import TakeMoment
from appliance.records.volumes import Volumes

logger = logging.getLogger(__name__)

SWEEP_EVERY_S = 60.0
_PROVE_EVERY_S = 86_400.0


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
        self.parts = Parts(
            keys=keys,
            issues=issues,
            policy=PolicyWatch(config, issues),
            journal=journal,
            volumes=volumes,
            keeper=Keeper(volumes, journal, issues, boot),
            destroyer=destroyer,
        )
        self._now = now
        self._retention = Retention(volumes, journal, destroyer, issues, boot)
        self._server = Server(config.socket("records"), Service(self.parts, now).handlers())
        self._proved_mono: float | None = None

    def start(self) -> None:
        """Listens when it returns."""
        self.parts.destroyer.carry_through()
        self.parts.volumes.load()
        with contextlib.suppress(RecordError):
            self.parts.destroyer.settle(self._now())
        self.parts.keeper.start()
        with contextlib.suppress(RecordError):
            self.parts.journal.append(Act(SYSTEM, "started", {"program": "records"}), self._now())
        self._server.start()
        logger.info("started volumes=%d", len(self.parts.volumes.newest_first()))

    def sweep(self) -> Swept:
        """What the clockwork thread does once a minute."""
        now = self._now()
        swept = self._retention.sweep(self.parts.policy.current(), now)
        # Yesterday's may still be written to: a car stands over midnight.
        self.parts.volumes.rest_before((now.at - timedelta(days=1)).date().isoformat())
        if self._proved_mono is None or now.mono - self._proved_mono >= _PROVE_EVERY_S:
            self._proved_mono = now.mono
            self._prove()
        return swept

    def stop(self) -> None:
        self._server.stop()
        self.parts.volumes.close()
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
    clockwork = threading.Thread(target=_run, args=(records, stopping), name="clockwork")
    clockwork.start()
    stopping.wait()
    clockwork.join()
    records.stop()
    logger.info("stopped")
    return 0


def _run(records: Records, stopping: threading.Event) -> None:
    while not stopping.is_set():
        try:
            records.sweep()
        except Exception as error:  # noqa: BLE001 - a program loop: log once, go on
            logger.error("sweep failed error=%s", type(error).__name__)
        stopping.wait(SWEEP_EVERY_S)


def quiet_cipher() -> None:
    """SQLCipher writes a page of lines to stderr for each damaged page; we report it ourselves."""
    with contextlib.closing(sqlcipher3.connect(":memory:")) as connection:
        connection.execute("PRAGMA cipher_log_level = NONE")
