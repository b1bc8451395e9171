"""What happens when the disk fills.

The rules, each a sentence
1. Above 80 % used an issue says so, and the journal is told once.
2. From 92 % on, the oldest reads go before their limit, volume by volume, until less than 90 % is
   used: a limit is the longest a read may be kept, never a promise to keep it.
3. The volume that is being written goes last and never whole: of it the oldest reads go until it
   has room for new ones inside itself.
4. The journal is never touched, nor what a hold named: that was copied when the hold was placed.
5. Each volume that goes leaves its signed receipt, which names the disk as the cause, and every
   relief is an entry in the journal.
6. Where a passage meets a full disk, the oldest volume goes at once and the passage is tried again.
   Is there none that could go, the passage is refused, `status` says ``ok: false``, and the gate
   opens nothing by itself (ADR 0004); the guard's button works.

`look` may run on any thread; `relieve` on the sweeper's; `make_room` with ``Volumes.lock`` held.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlcipher3

from appliance import database
from appliance.errors import RecordError, VaultError
from appliance.records.access import SYSTEM
from appliance.records.acts import Act
from appliance.records.destruction import Destroyer, of_volume
from appliance.records.issues import Issues
from appliance.records.journal import Journal
from appliance.records.times import Moment
from appliance.records.volume import Volume
from appliance.records.volumes import Volumes

logger = logging.getLogger(__name__)

WARN_USED = 0.80
PURGE_USED = 0.92
ENOUGH_USED = 0.90
_ROOM_INSIDE = 1_000_000
"""Bytes of free pages that the volume being written should hold: a hundred reads or so."""
_BATCH = 50

Usage = Callable[[Path], Any]
"""As ``shutil.disk_usage``: an answer with ``total`` and ``free``."""


@dataclass(frozen=True, slots=True)
class Relieved:
    """What one relief did."""

    destroyed: tuple[str, ...] = ()
    deleted: int = 0


class Disk:
    """``usage`` answers as ``shutil.disk_usage``; tests give their own."""

    def __init__(
        self,
        volumes: Volumes,
        destroyer: Destroyer,
        journal: Journal,
        issues: Issues,
        usage: Usage = shutil.disk_usage,
    ) -> None:
        self._volumes = volumes
        self._destroyer = destroyer
        self._journal = journal
        self._issues = issues
        self._usage = usage
        self._warned = False

    def look(self) -> float:
        """The share of the disk in use, 0..1; rule 1's issue is reported or cleared."""
        disk = self._usage(self._volumes.folder)
        used = float(1 - disk.free / disk.total) if disk.total else 1.0
        if used > WARN_USED:
            self._issues.report(
                "disk_low",
                "Less than a fifth of the disk is free",
                "Shorten the limits in the policy or fit a larger card",
            )
        else:
            self._issues.clear("disk_low")
        return used

    def relieve(self, now: Moment) -> Relieved:
        """Rules 1 to 5. Never raises for one volume's trouble."""
        used = self.look()
        self._tell_of_warning(used, now)
        if used < PURGE_USED:
            return Relieved()
        destroyed: list[str] = []
        volumes = self._volumes.newest_first()
        for volume in volumes[:0:-1]:  # oldest first, without the newest
            if self.look() >= ENOUGH_USED and self._destroy(volume):
                destroyed.append(volume.name)
        deleted = self._trim(volumes[0]) if volumes and self.look() >= ENOUGH_USED else 0
        relieved = Relieved(tuple(destroyed), deleted)
        self._tell_of_relief(relieved, used, now)
        return relieved

    def make_room(self, now: Moment) -> bool:
        """Rule 6; the caller holds ``Volumes.lock``."""
        for volume in self._volumes.newest_first()[:0:-1]:  # oldest first, without the newest
            if self._destroy(volume):
                self._tell_of_relief(Relieved((volume.name,)), 1.0, now)
                return True
        return False

    def _destroy(self, volume: Volume) -> bool:
        try:
            with self._volumes.lock:
                self._volumes.remove(volume)
                self._destroyer.destroy(of_volume(volume, self._volumes.keys, cause="disk"))
        except (sqlcipher3.Error, VaultError, RecordError, OSError) as cause:
            logger.error("no room made volume=%s error=%s", volume.name, type(cause).__name__)
            return False
        return True

    def _trim(self, volume: Volume) -> int:
        """Rule 3's second half."""
        deleted = 0
        try:
            with self._volumes.lock:
                while (batch := self._trim_once(volume)) == _BATCH:
                    deleted += batch
                deleted += batch
                if deleted:
                    volume.forget_deleted()
        except (sqlcipher3.Error, VaultError, RecordError, OSError) as cause:
            logger.error("no room made volume=%s error=%s", volume.name, type(cause).__name__)
        return deleted

    def _trim_once(self, volume: Volume) -> int:
        with volume.writing() as connection:
            if _room_inside(connection) >= _ROOM_INSIDE:
                return 0
            gone: int = connection.execute(
                "DELETE FROM reads WHERE id IN (SELECT id FROM reads ORDER BY at_ms, id LIMIT ?)",
                (_BATCH,),
            ).rowcount
            return gone

    def _tell_of_warning(self, used: float, now: Moment) -> None:
        if used <= WARN_USED:
            self._warned = False
        elif not self._warned:
            with contextlib.suppress(RecordError):
                self._journal.append(Act(SYSTEM, "disk_low", {"used": round(used, 3)}), now)
                self._warned = True

    def _tell_of_relief(self, relieved: Relieved, used: float, now: Moment) -> None:
        if relieved == Relieved():
            return
        logger.warning(
            "reads deleted for room volumes=%d reads=%d", len(relieved.destroyed), relieved.deleted
        )
        told = {
            "used": round(used, 3),
            "destroyed": list(relieved.destroyed),
            "deleted": relieved.deleted,
        }
        with contextlib.suppress(RecordError):
            self._journal.append(Act(SYSTEM, "disk_low", told, relieved.deleted), now)
            self._destroyer.settle(now)


def _room_inside(connection: database.Connection) -> int:
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int(free) * int(size)
