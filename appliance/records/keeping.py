"""Keeps passages: one commit a message, on disk before the answer.

- The same key is the same passage; a newer message adds to what is known (`passages.merged`).
- A car that stands over midnight stays in the volume in which it was first kept.
- ``cursor`` rises with every new passage and every change the uplink would want to tell, over
  restarts and destroyed volumes: a block of numbers is reserved in journal.db ahead of use.

Any thread; one writes at a time.
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlcipher3

from appliance import database
from appliance.errors import RecordError, VaultError
from appliance.records.issues import Issues
from appliance.records.journal import Journal
from appliance.records.passages import BODY, CHANGING, COLUMNS, Kept, from_row, merged, row
from appliance.records.times import Moment
from appliance.records.volume import Volume, is_damage
from appliance.records.volumes import Volumes

logger = logging.getLogger(__name__)

_BLOCK = 1000
_TOLD = ("verdict", "reason", "direction", "lane")
"""What `feed` tells of a passage besides its time: a change in these is told again."""


@dataclass(frozen=True, slots=True)
class _Place:
    volume: Volume
    id: int


class Keeper:
    def __init__(self, volumes: Volumes, journal: Journal, issues: Issues, boot: str) -> None:
        self.kept_ever = 0
        """Passages ever kept, destroyed ones included."""
        self._volumes = volumes
        self._journal = journal
        self._issues = issues
        self._boot = boot
        self._cursor = 0
        self._reserved = 0

    def start(self) -> None:
        """Finds where cursor and count stand; after the volumes are loaded."""
        volumes = self._volumes.newest_first()
        known = max((v.last_cursor for v in volumes), default=0)
        self.kept_ever = sum(v.reads_ever for v in volumes)
        with contextlib.suppress(RecordError):
            known = max(known, self._journal.remembered("cursor") or 0)
            destroyed = self._journal.all_of("volume_destroyed")
            self.kept_ever += sum(entry.rows for entry in destroyed)
        self._cursor = self._reserved = known

    def keep(self, kept: Kept, now: Moment) -> str:
        """The passage's id, once it is on disk. Raises RecordError where it could not be kept."""
        try:
            with self._volumes.lock:
                try:
                    place = self._keep(kept, now)
                except (sqlcipher3.Error, VaultError) as cause:
                    place = self._keep_elsewhere(kept, now, cause)
        except RecordError:
            self._issues.report(
                "keep_failed",
                "Passages cannot be kept",
                "Look at the disk; see OPERATIONS, 'Records cannot be kept'",
            )
            raise
        self._issues.clear("keep_failed")
        return f"{place.volume.name}.{place.id}"

    def _keep(self, kept: Kept, now: Moment) -> _Place:
        for name in _days_around(kept.passage.at):
            volume = self._volumes.named(name)
            if volume is not None:
                with volume.writing() as connection:
                    stored = connection.execute(
                        "SELECT * FROM whole WHERE key = ?", (kept.passage.key,)
                    ).fetchone()
                    if stored is not None:
                        return self._update(volume, connection, stored, kept, now)
        volume = self._volumes.for_keeping(_day(kept.passage.at))
        return self._insert(volume, kept, now)

    def _keep_elsewhere(self, kept: Kept, now: Moment, cause: Exception) -> _Place:
        """A damaged volume is set aside and its successor tried, once."""
        failed = RecordError("a passage could not be kept", next_step="See the health page")
        if not is_damage(cause):
            raise failed from cause
        for name in _days_around(kept.passage.at):
            volume = self._volumes.named(name)
            if volume is not None and not _sound(volume):
                self._volumes.set_aside(volume)
        try:
            return self._keep(kept, now)
        except (sqlcipher3.Error, VaultError) as again:
            raise failed from again

    def _insert(self, volume: Volume, kept: Kept, now: Moment) -> _Place:
        values = row(kept, self._boot, now)
        cursor = self._next_cursor()
        with volume.writing() as connection:
            added = connection.execute(
                f"INSERT INTO reads (cursor, {', '.join(COLUMNS)})"  # noqa: S608 - our own names
                f" VALUES (?{', ?' * len(COLUMNS)})",
                (cursor, *(values[c] for c in COLUMNS)),
            )
            connection.execute(
                "INSERT INTO bodies VALUES (?, ?, ?)",
                (added.lastrowid, *(values[c] for c in BODY)),
            )
            connection.execute("UPDATE facts SET value = value + 1 WHERE name = 'reads_ever'")
            connection.execute("UPDATE facts SET value = ? WHERE name = 'last_cursor'", (cursor,))
        self.kept_ever += 1
        volume.rows += 1
        volume.reads_ever += 1
        volume.last_cursor = cursor
        at_ms = values["at_ms"]
        volume.oldest_ms = at_ms if volume.oldest_ms is None else min(volume.oldest_ms, at_ms)
        return _Place(volume, int(added.lastrowid))

    def _update(
        self, volume: Volume, connection: database.Connection, stored: Any, kept: Kept, now: Moment
    ) -> _Place:
        values = row(merged(from_row(stored), kept), self._boot, now)
        changed = [c for c in CHANGING if values[c] != stored[c]]
        place = _Place(volume, int(stored["id"]))
        if all(values[c] == stored[c] for c in (*CHANGING, *BODY)):
            return place
        if any(c in _TOLD for c in changed):
            values["cursor"] = self._next_cursor()
            changed.append("cursor")
            connection.execute(
                "UPDATE facts SET value = ? WHERE name = 'last_cursor'", (values["cursor"],)
            )
            volume.last_cursor = values["cursor"]
        connection.execute(
            "UPDATE bodies SET passage = ?, crop = ? WHERE id = ?",
            (*(values[c] for c in BODY), place.id),
        )
        if changed:
            sets = ", ".join(f"{c} = ?" for c in changed)
            connection.execute(
                f"UPDATE reads SET {sets} WHERE id = ?",  # noqa: S608 - our own column names
                (*(values[c] for c in changed), place.id),
            )
        return place

    def _next_cursor(self) -> int:
        self._cursor += 1
        if self._cursor > self._reserved:
            # Without the journal the volumes' own last cursors have to do.
            with contextlib.suppress(RecordError):
                self._journal.remember(cursor=self._cursor + _BLOCK)
            self._reserved = self._cursor + _BLOCK
        return self._cursor


def _day(at: datetime) -> str:
    return at.astimezone(UTC).date().isoformat()


def _days_around(at: datetime) -> tuple[str, ...]:
    """The day of the passage first, then its neighbours: a later message may carry another time."""
    day = timedelta(days=1)
    return (_day(at), _day(at - day), _day(at + day))


def _sound(volume: Volume) -> bool:
    try:
        with volume.reading() as connection:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()
            return bool(found and found[0] == "ok")
    except (sqlcipher3.Error, VaultError):
        return False
