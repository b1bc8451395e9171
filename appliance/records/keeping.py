"""Keeps passages: one commit a message, on disk before the answer.

- The same key is the same passage; a newer message adds to what is known (`passages.merged`).
- A car that stands over midnight, or over the hour, stays in the volume in which it was first kept.
- Where the policy counts residents, a passage that an allow entry lets in leaves a counter and no
  read (``counters``); what was kept of it while it was undecided leaves its volume again.
- Where the disk has no room, the oldest volume goes and the passage is tried once more (``disk``).
- ``cursor`` rises with every new passage and every change the uplink would want to tell, over
  restarts and destroyed volumes: a block of numbers is reserved in journal.db ahead of use.

Any thread; one writes at a time.
"""

from __future__ import annotations

import contextlib
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlcipher3

from appliance import database
from appliance.errors import RecordError, VaultError
from appliance.records import spans
from appliance.records.classes import ReadClass, class_of, is_counted, limits
from appliance.records.counters import Counters, Owed
from appliance.records.issues import Issues
from appliance.records.journal import Journal
from appliance.records.passages import BODY, CHANGING, COLUMNS, Kept, from_row, merged, row
from appliance.records.times import Moment
from appliance.records.volume import Volume, is_damage, is_no_room
from appliance.records.volumes import Volumes
from appliance.values import Passage, PublishedPolicy

logger = logging.getLogger(__name__)

COUNTED = "counted"
"""The answer for a passage of which only a number is kept."""
_BLOCK = 1000
_RECENT = 512
_TOLD = ("verdict", "reason", "direction", "lane")
"""What `feed` tells of a passage besides its time: a change in these is told again."""


@dataclass(frozen=True, slots=True)
class _Place:
    volume: Volume
    id: int


@dataclass(frozen=True, slots=True)
class _Found:
    """What was kept of a car by an earlier message."""

    volume: Volume
    stored: Any


class Keeper:
    """``make_room`` is asked once where the disk is full; true where it freed something."""

    def __init__(
        self, volumes: Volumes, counters: Counters, journal: Journal, issues: Issues, boot: str
    ) -> None:
        self.kept_ever = 0
        """Passages ever kept, destroyed ones too; those that only count are in ``counters``."""
        self.make_room: Callable[[Moment], bool] = lambda _: False
        self._volumes = volumes
        self._counters = counters
        self._recent: OrderedDict[str, str] = OrderedDict()  # key -> volume
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
        with contextlib.suppress(RecordError, sqlcipher3.Error, VaultError):
            self.settle()

    def keep(self, kept: Kept, now: Moment, policy: PublishedPolicy | None = None) -> str:
        """The passage's id once it is on disk, or `COUNTED`. Raises RecordError where it failed."""
        try:
            with self._volumes.lock:
                kept_id = self._keep_somehow(kept, now, policy)
        except RecordError:
            self._issues.report(
                "keep_failed",
                "Passages cannot be kept",
                "Look at the disk; see OPERATIONS, 'Records cannot be kept'",
            )
            raise
        self._issues.clear("keep_failed")
        return kept_id

    def settle(self) -> int:
        """Removes the reads of counted passages that could not leave at once; returns how many."""
        with self._volumes.lock:
            owed = self._counters.owed()
            for each in owed:
                volume = self._volumes.named(each.volume)
                if volume is not None:
                    self._forget(volume, each)
                self._counters.left(each.mac)
        return len(owed)

    def _keep_somehow(self, kept: Kept, now: Moment, policy: PublishedPolicy | None) -> str:
        """Tried again once where a volume was damaged, or where room could be made."""
        try:
            return self._keep(kept, now, policy)
        except (sqlcipher3.Error, VaultError, RecordError) as cause:
            failed = RecordError("a passage could not be kept", next_step="See the health page")
            if is_no_room(cause):
                if not self.make_room(now):
                    raise failed from cause
            elif isinstance(cause, RecordError):
                raise
            elif is_damage(cause):
                self._set_aside_around(kept.passage.at)
            else:
                raise failed from cause
        try:
            return self._keep(kept, now, policy)
        except (sqlcipher3.Error, VaultError) as again:
            raise failed from again

    def _keep(self, kept: Kept, now: Moment, policy: PublishedPolicy | None) -> str:
        found = self._find(kept.passage)
        whole = merged(from_row(found.stored), kept) if found else kept
        if self._is_counted(whole.passage, now, policy, found):
            return COUNTED
        if found is None:
            hourly = limits(policy).hourly
            name = self._volumes.name_for(kept.passage.at, hourly=hourly)
            place = self._insert(self._volumes.for_keeping(name), kept, now)
        else:
            place = self._update(found, whole, now)
        self._remember(kept.passage.key, place.volume.name)
        return f"{place.volume.name}.{place.id}"

    def _is_counted(
        self, passage: Passage, now: Moment, policy: PublishedPolicy | None, found: _Found | None
    ) -> bool:
        """Whether the passage is one that only counts; if so it is counted, and its read gone."""
        told = self._counters.known(passage.key)
        resident = is_counted(passage, policy)
        if told is not None and not resident:
            if told.acted or passage.decision is None:
                return True
            if class_of(passage) is not ReadClass.RESIDENT:
                self._counters.uncount(told)
                return False
        elif told is None and not resident:
            return False
        owed = (found.volume.name, int(found.stored["id"])) if found else None
        plate = _plate(passage) if policy is not None and policy.anti_passback else ""
        self._counters.count(passage, now, owed, plate=plate)
        if owed is not None:
            self.settle()
        return True

    def _forget(self, volume: Volume, owed: Owed) -> None:
        def row(connection: database.Connection) -> Any:
            return connection.execute("SELECT key FROM reads WHERE id = ?", (owed.row,)).fetchone()

        for _, found in self._volumes.ask([volume], row):
            if found is not None and self._counters.names(owed, found["key"]):
                volume.forget(owed.row)
                self.kept_ever -= 1

    def _find(self, passage: Passage) -> _Found | None:
        """Where an earlier message about that car was kept."""
        recent = self._recent.get(passage.key)
        names = dict.fromkeys((*([recent] if recent else []), *spans.around(passage.at)))
        volumes = [v for v in map(self._volumes.named, names) if v is not None]

        def one(connection: database.Connection) -> Any:
            return connection.execute(
                "SELECT * FROM whole WHERE key = ?", (passage.key,)
            ).fetchone()

        for volume, stored in self._volumes.ask(volumes, one):
            if stored is not None:
                return _Found(volume, stored)
        return None

    def _remember(self, key: str, name: str) -> None:
        self._recent[key] = name
        self._recent.move_to_end(key)
        if len(self._recent) > _RECENT:
            self._recent.popitem(last=False)

    def _set_aside_around(self, at: datetime) -> None:
        for name in spans.around(at):
            volume = self._volumes.named(name)
            if volume is not None and not _sound(volume):
                self._volumes.set_aside(volume)

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

    def _update(self, found: _Found, whole: Kept, now: Moment) -> _Place:
        volume, stored = found.volume, found.stored
        values = row(whole, self._boot, now)
        changed = [c for c in CHANGING if values[c] != stored[c]]
        place = _Place(volume, int(stored["id"]))
        if all(values[c] == stored[c] for c in (*CHANGING, *BODY)):
            return place
        told = any(c in _TOLD for c in changed)
        if told:
            values["cursor"] = self._next_cursor()
            changed.append("cursor")
        with volume.writing() as connection:
            if told:
                connection.execute(
                    "UPDATE facts SET value = ? WHERE name = 'last_cursor'", (values["cursor"],)
                )
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
        volume.last_cursor = values.get("cursor", volume.last_cursor)
        return place

    def _next_cursor(self) -> int:
        self._cursor += 1
        if self._cursor > self._reserved:
            # Without the journal the volumes' own last cursors have to do.
            with contextlib.suppress(RecordError):
                self._journal.remember(cursor=self._cursor + _BLOCK)
            self._reserved = self._cursor + _BLOCK
        return self._cursor


def _plate(passage: Passage) -> str:
    """The plate as listed, so that a doubtful read and a good one are one car."""
    listed = passage.decision.grant_plate if passage.decision else None
    return listed or (passage.sighting.plate if passage.sighting else "")


def _sound(volume: Volume) -> bool:
    try:
        with volume.reading() as connection:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()
            return bool(found and found[0] == "ok")
    except (sqlcipher3.Error, VaultError):
        return False
