"""Nothing is kept longer than the published policy says, and nothing is deleted early.

The rules, each a sentence
1. A resident's read, a matched one and an unmatched one (``classes``) are kept as long as the
   policy in force says for each, and never thirty days, whatever it says.
2. A due read is deleted inside its volume, and the write-ahead log is emptied after it.
3. A volume whose day or hour is over, all of whose reads are due, is destroyed whole, key first; a
   signed receipt goes into the journal (``destruction``). So is one that was set aside damaged,
   as soon as its youngest read must be due.
4. What a hold names was copied out of its volume when the hold was placed; it keeps no volume.
5. A log that a reader kept from being emptied is emptied by the next sweep.
6. A read's age is counted from its own time. A time told by a clock that was not disciplined is
   only a claim: as soon as the clock is, a read of this boot is dated by the monotonic clock, and
   one of an earlier boot that claims the future, or came from an unknown clock, counts from then.
7. A read of this boot is never deleted before its limit has passed on the monotonic clock too.
8. While the wall clock cannot be believed (``clockguard``: its worth is unknown, or it moved by
   more than a day and nobody disciplines it) nothing is deleted, and an issue says so.

Late by at most: one sweep (`sweep_every_s`: a minute, and a quarter of one where any limit is under
a day, so that a three-minute limit is kept to within thirty seconds); ten minutes more after a box
was off for a day with no time server; and for rule 6's second half, the time since the read.
Called by one thread, the times passed in.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlcipher3

from appliance import database
from appliance.errors import RecordError, VaultError
from appliance.records import spans
from appliance.records.access import SYSTEM
from appliance.records.acts import Act
from appliance.records.classes import Limits, ReadClass, limits
from appliance.records.clockguard import ClockGuard
from appliance.records.destruction import Destroyer, of_damaged, of_volume
from appliance.records.issues import Issues
from appliance.records.journal import Journal
from appliance.records.times import Moment, to_ms
from appliance.records.volume import Volume
from appliance.records.volumes import Volumes
from appliance.values import ClockQuality, PublishedPolicy

logger = logging.getLogger(__name__)

SWEEP_EVERY_S = 60.0
SWEEP_OFTEN_S = 15.0
_BATCH = 200
"""Rows deleted in one transaction, so that a car's record never waits long."""
_TELL_EVERY_S = 3600.0

DUE = " OR ".join(
    f"(class = '{c.value}' AND counts_from_ms <= :{c.value}_ms"
    f" AND NOT (boot = :boot AND seen_mono > :{c.value}_mono))"
    for c in ReadClass
)


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did."""

    allowed: bool
    deleted: int = 0
    destroyed: int = 0


def sweep_every_s(policy: PublishedPolicy | None) -> float:
    """How long to rest between two sweeps."""
    return SWEEP_OFTEN_S if limits(policy).hourly else SWEEP_EVERY_S


def due(keep: Limits, now: Moment, boot: str) -> dict[str, Any]:
    """What `DUE` compares with."""
    values: dict[str, Any] = {"boot": boot}
    for read_class in ReadClass:
        values[f"{read_class.value}_ms"] = to_ms(now.at - keep.of(read_class))
        values[f"{read_class.value}_mono"] = now.mono - keep.of(read_class).total_seconds()
    return values


class Retention:
    def __init__(
        self, volumes: Volumes, journal: Journal, destroyer: Destroyer, issues: Issues, boot: str
    ) -> None:
        self._volumes = volumes
        self._journal = journal
        self._destroyer = destroyer
        self._issues = issues
        self._boot = boot
        self._clock = ClockGuard()
        self._untold = 0
        self._told_mono: float | None = None

    def sweep(self, policy: PublishedPolicy | None, now: Moment) -> Swept:
        """Deletes and destroys what is due. Never raises for one volume's trouble."""
        if not self._clock_allows(now):
            self._settle(now)
            return Swept(allowed=False)
        self._issues.clear("retention_failed")
        keep = limits(policy)
        deleted = destroyed = 0
        for volume in self._volumes.newest_first():
            try:
                if now.clock is ClockQuality.SYNCED:
                    self._date(volume, now)
                if not self._any_due(volume, keep, now):
                    self._empty_log(volume)
                elif self._is_over(volume, keep, now):
                    destroyed += self._destroy(volume, keep, now)
                else:
                    deleted += self._delete_due(volume, keep, now)
            except (sqlcipher3.Error, VaultError, RecordError, OSError) as cause:
                self._failed(cause)
        destroyed += self._destroy_damaged(keep, now)
        self._settle(now)
        self._tell(deleted, now)
        return Swept(True, deleted, destroyed)

    def _clock_allows(self, now: Moment) -> bool:
        if self._clock.last_at is None:
            nothing_held = not any(v.rows for v in self._volumes.newest_first())
            self._clock.last_at = now.at if nothing_held else self._last_sweep()
        allowed = self._clock.allows(now)
        if allowed:
            self._issues.clear("clock_doubted")
        else:
            self._issues.report(
                "clock_doubted",
                "The clock cannot be believed now, so no read is deleted",
                "Connect a time server or set the clock",
            )
        return allowed

    def _last_sweep(self) -> datetime | None:
        try:
            ms = self._journal.remembered("swept_ms")
        except RecordError:
            return None
        return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC)

    def _date(self, volume: Volume, now: Moment) -> None:
        """Rule 6: the clock is disciplined, so claims made without it are settled."""

        def unsettled(connection: database.Connection) -> Any:
            return connection.execute(
                "SELECT 1 FROM reads INDEXED BY reads_unsettled WHERE settled = 0 LIMIT 1"
            ).fetchone()

        if not any(found for _, found in self._volumes.ask([volume], unsettled)):
            return
        values = {"now_ms": to_ms(now.at), "mono": now.mono, "boot": self._boot}
        with self._volumes.lock, volume.writing() as connection:
            connection.execute(
                "UPDATE reads SET settled = 1,"
                " counts_from_ms = :now_ms - CAST((:mono - seen_mono) * 1000 AS INTEGER)"
                " WHERE settled = 0 AND boot = :boot",
                values,
            )
            connection.execute(
                "UPDATE reads SET settled = 1, counts_from_ms = :now_ms"
                " WHERE settled = 0 AND (counts_from_ms > :now_ms OR clock = 'unknown')",
                values,
            )
            connection.execute("UPDATE reads SET settled = 1 WHERE settled = 0")

    def _is_over(self, volume: Volume, keep: Limits, now: Moment) -> bool:
        """Rule 3: another day's or hour's volume with no read that may still be kept."""
        return not spans.holds(volume.name, now.at) and self._nothing_to_keep(volume, keep, now)

    def _nothing_to_keep(self, volume: Volume, keep: Limits, now: Moment) -> bool:
        def held(connection: database.Connection) -> Any:
            return connection.execute(
                f"SELECT 1 FROM reads WHERE NOT ({DUE}) LIMIT 1",  # noqa: S608 - our own text
                due(keep, now, self._boot),
            ).fetchone()

        return [row is None for _, row in self._volumes.ask([volume], held)] == [True]

    def _any_due(self, volume: Volume, keep: Limits, now: Moment) -> bool:
        """An empty volume whose span is over is due too."""
        values = due(keep, now, self._boot)

        def any_due(connection: database.Connection) -> Any:
            return connection.execute(
                f"SELECT 1 FROM reads WHERE {DUE} LIMIT 1",  # noqa: S608 - our own text
                values,
            ).fetchone()

        found = [row is not None for _, row in self._volumes.ask([volume], any_due)]
        return found == [True] or (found == [False] and self._is_over(volume, keep, now))

    def _empty_log(self, volume: Volume) -> None:
        """Rule 5."""
        if volume.log_owed:
            with self._volumes.lock:
                volume.forget_deleted()

    def _delete_due(self, volume: Volume, keep: Limits, now: Moment) -> int:
        """Rule 2."""
        values = due(keep, now, self._boot)
        deleted, batch = 0, _BATCH
        while batch == _BATCH:
            with self._volumes.lock, volume.writing() as connection:
                batch = connection.execute(
                    f"DELETE FROM reads WHERE id IN"  # noqa: S608 - our own text
                    f" (SELECT id FROM reads WHERE {DUE} LIMIT {_BATCH})",
                    values,
                ).rowcount
            deleted += batch
        with self._volumes.lock:
            volume.forget_deleted()
        return deleted

    def _destroy(self, volume: Volume, keep: Limits, now: Moment) -> int:
        with self._volumes.lock:
            # Looked at again under the lock: a late message may have come in between.
            if not self._nothing_to_keep(volume, keep, now):
                return 0
            self._volumes.remove(volume)
            self._destroyer.destroy(of_volume(volume, self._volumes.keys))
        return 1

    def _destroy_damaged(self, keep: Limits, now: Moment) -> int:
        destroyed = 0
        for name, found in self._volumes.damaged().items():
            if spans.ends_at(name) + keep.longest <= now.at:
                try:
                    with self._volumes.lock:
                        self._destroyer.destroy(of_damaged(name, found))
                    destroyed += 1
                except OSError as cause:
                    self._failed(cause)
        return destroyed

    def _settle(self, now: Moment) -> None:
        """Receipts and the time of this sweep go to the journal; while it is down they wait."""
        try:
            self._destroyer.settle(now)
            if self._clock.last_at is not None:
                self._journal.remember(swept_ms=to_ms(self._clock.last_at))
        except RecordError as cause:
            logger.error("retention not journaled error=%s", type(cause).__name__)

    def _tell(self, deleted: int, now: Moment) -> None:
        """Journals deletions inside volumes, summed up once an hour."""
        self._untold += deleted
        due = self._told_mono is None or now.mono - self._told_mono >= _TELL_EVERY_S
        if not self._untold or not due:
            return
        try:
            self._journal.append(Act(SYSTEM, "retention", {"deleted": self._untold}), now)
        except RecordError:
            return
        self._untold, self._told_mono = 0, now.mono

    def _failed(self, cause: Exception) -> None:
        logger.error("retention failed error=%s", type(cause).__name__)
        self._issues.report(
            "retention_failed",
            "Some reads that are due could not be deleted",
            "See OPERATIONS, 'A damaged file'",
        )
