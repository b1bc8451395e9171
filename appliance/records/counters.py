"""What is left of a resident who was let in, where the policy says residents are only counted.

The rules, each a sentence
1. A counted passage leaves one number: how many that UTC day, in that lane, in that direction.
2. However often a passage is told, and whatever is learned of it later, it counts once.
3. To know it again the passage's key is kept as a keyed hash under a random key of the day; an
   hour after the day is over that key is destroyed, the hashes with it, and nobody can ask again.
4. Only where the policy wants anti-passback the plate is kept too, as such a hash: it tells a
   second entry without an exit (or the reverse) on the same day, and dies with the same key.
5. The read that an undecided passage left in a volume is noted here before it is removed there, so
   that a crash between the two is made good at the next start.
6. The numbers are kept as long as the journal, two years.

A damaged file is destroyed at once and begun anew: it holds numbers and hashes; the gate goes on.

Any thread; the lock of `Volumes` may be held outside, never the other way round.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlcipher3

from appliance import database
from appliance.errors import RecordError, VaultError
from appliance.records import files, spans
from appliance.records.issues import Issues
from appliance.records.keys import VolumeKeys
from appliance.records.times import Moment
from appliance.records.volume import is_damage
from appliance.values import Direction, Passage

logger = logging.getLogger(__name__)

GRACE = timedelta(hours=1)
"""A car may stand over midnight: its day's key outlives the day by this."""
KEPT = timedelta(days=731)

STEPS = (
    """
    CREATE TABLE counts (
        day TEXT NOT NULL, lane TEXT NOT NULL, direction TEXT NOT NULL,
        passages INTEGER NOT NULL, repeated INTEGER NOT NULL,
        PRIMARY KEY (day, lane, direction)
    ) STRICT;
    CREATE TABLE told (
        mac BLOB PRIMARY KEY, key_day TEXT NOT NULL, day TEXT NOT NULL, lane TEXT NOT NULL,
        direction TEXT NOT NULL, acted INTEGER NOT NULL, volume TEXT, row INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE plates (
        mac BLOB PRIMARY KEY, key_day TEXT NOT NULL, direction TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    """,
)
"""Without row numbers: nothing tells in which order residents came."""

_NAME = "counts"


@dataclass(frozen=True, slots=True)
class Told:
    """A passage that was counted."""

    mac: bytes
    day: str
    lane: str
    direction: str
    acted: bool
    """The arm was ordered: no later message can make another passage of it."""


@dataclass(frozen=True, slots=True)
class Owed:
    """A read that was counted and must still leave its volume."""

    mac: bytes
    volume: str
    row: int


class Counters:
    def __init__(self, folder: Path, keys: VolumeKeys, issues: Issues) -> None:
        self.total = 0
        """Passages counted, of all days still known."""
        self._path = files.make_folder(folder) / f"{_NAME}.db"
        self._keys = keys
        self._issues = issues
        self._lock = threading.RLock()
        self._connection: database.Connection | None = None
        self._day_keys: dict[str, bytes] = {}

    def load(self) -> None:
        """Opens what there is; makes nothing. A damaged file is destroyed and reported."""
        with self._lock:
            for path in sorted(self._keys.folder.glob(f"{_NAME}-*.key")):
                with contextlib.suppress(VaultError):
                    self._day_keys[path.stem.removeprefix(f"{_NAME}-")] = self._keys.load(path.stem)
            if not self._path.exists():
                return
            try:
                with self._writing():
                    pass
            except RecordError:
                logger.error("counters cannot be opened now")

    def known(self, key: str) -> Told | None:
        """The passage as counted, or None. Raises RecordError."""
        with self._lock:
            if not self._day_keys:
                return None
            with self._writing() as connection:
                return self._known(connection, key)

    def count(
        self, passage: Passage, now: Moment, owed: tuple[str, int] | None, *, plate: str = ""
    ) -> None:
        """Counts the passage unless it is counted; what is known better since then is corrected.

        ``owed`` names volume and row of a read that must leave; ``plate`` is given where
        anti-passback wants its hash. Raises RecordError.
        """
        with self._lock, self._writing() as connection:
            day_key = self._key_of(spans.day_of(now.at))
            told = self._known(connection, passage.key)
            direction = _direction(passage)
            if told is None:
                mac = _mac(day_key, "passage", passage.key)
                connection.execute(
                    "INSERT INTO told VALUES (?, ?, ?, ?, ?, ?, NULL, NULL)",
                    (mac, spans.day_of(now.at), spans.day_of(passage.at), passage.lane,
                     direction, int(_acted(passage))),
                )  # fmt: skip
                self._add(connection, spans.day_of(passage.at), passage.lane, direction, 1)
            else:
                mac = told.mac
                self._corrected(connection, told, passage)
            if owed is not None:
                connection.execute(
                    "UPDATE told SET volume = ?, row = ? WHERE mac = ?", (*owed, mac)
                )
            learned = told is None or told.direction == Direction.UNKNOWN.value
            if plate and learned and direction != Direction.UNKNOWN.value:
                self._passed(connection, passage, _mac(day_key, "plate", plate), now)

    def uncount(self, told: Told) -> None:
        """The passage turned out to be another's: it is kept as a read instead."""
        with self._lock, self._writing() as connection:
            connection.execute("DELETE FROM told WHERE mac = ?", (told.mac,))
            self._add(connection, told.day, told.lane, told.direction, -1)

    def owed(self) -> list[Owed]:
        """Raises RecordError."""
        with self._lock:
            if not self._day_keys:
                return []
            with self._writing() as connection:
                rows = connection.execute(
                    "SELECT mac, volume, row FROM told WHERE volume IS NOT NULL"
                ).fetchall()
        return [Owed(bytes(r["mac"]), r["volume"], r["row"]) for r in rows]

    def names(self, owed: Owed, key: str) -> bool:
        """Whether that passage is the one that was counted: a fresh volume has other rows."""
        return any(hmac.compare_digest(_mac(k, "passage", key), owed.mac)
                   for k in self._day_keys.values())  # fmt: skip

    def left(self, mac: bytes) -> None:
        """The read has left its volume."""
        with self._lock, self._writing() as connection:
            connection.execute(
                "UPDATE told SET volume = NULL, row = NULL WHERE mac = ?", (mac,)
            )

    def end_days(self, now: Moment) -> int:
        """Destroys what a day's key still opens once the day is over; returns how many days.

        The caller has made sure that the clock can be believed.
        """
        living = {spans.day_of(now.at), spans.day_of(now.at - GRACE)}
        ended = 0
        with self._lock:
            for day in sorted(set(self._day_keys) - living):
                self._keys.destroy(f"{_NAME}-{day}")
                del self._day_keys[day]
                ended += 1
            if ended:
                with self._writing() as connection:
                    marks = ", ".join("?" * len(self._day_keys))
                    for table in ("told", "plates"):
                        connection.execute(
                            f"DELETE FROM {table} WHERE key_day NOT IN ({marks})",  # noqa: S608
                            tuple(self._day_keys),
                        )
                    connection.execute(
                        "DELETE FROM counts WHERE day < ?", (spans.day_of(now.at - KEPT),)
                    )
                self._opened().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return ended

    def by_day(self) -> list[dict[str, Any]]:
        """Day, lane, direction and the numbers, newest day first. No plate. Raises RecordError."""
        with self._lock:
            if not self._path.exists():
                return []
            with self._writing() as connection:
                rows = connection.execute(
                    "SELECT * FROM counts WHERE passages > 0 ORDER BY day DESC, lane, direction"
                ).fetchall()
        return [{k: r[k] for k in r.keys()} for r in rows]  # noqa: SIM118 - a Row is no mapping

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _known(self, connection: database.Connection, key: str) -> Told | None:
        for day_key in self._day_keys.values():
            row = connection.execute(
                "SELECT mac, day, lane, direction, acted FROM told WHERE mac = ?",
                (_mac(day_key, "passage", key),),
            ).fetchone()
            if row is not None:
                return Told(bytes(row["mac"]), row["day"], row["lane"], row["direction"],
                            bool(row["acted"]))  # fmt: skip
        return None

    def _corrected(
        self, connection: database.Connection, told: Told, passage: Passage
    ) -> None:
        direction = _direction(passage)
        if direction in (told.direction, Direction.UNKNOWN.value):
            direction = told.direction
        else:
            self._add(connection, told.day, told.lane, told.direction, -1)
            self._add(connection, told.day, told.lane, direction, 1)
        connection.execute(
            "UPDATE told SET direction = ?, acted = ? WHERE mac = ?",
            (direction, int(told.acted or _acted(passage)), told.mac),
        )

    def _passed(
        self, connection: database.Connection, passage: Passage, mac: bytes, now: Moment
    ) -> None:
        """Rule 4."""
        direction = _direction(passage)
        before = connection.execute(
            "SELECT direction FROM plates WHERE mac = ?", (mac,)
        ).fetchone()
        connection.execute(
            "INSERT INTO plates VALUES (?, ?, ?)"
            " ON CONFLICT(mac) DO UPDATE SET direction = excluded.direction",
            (mac, spans.day_of(now.at), direction),
        )
        if before is not None and before["direction"] == direction:
            connection.execute(
                "UPDATE counts SET repeated = repeated + 1"
                " WHERE day = ? AND lane = ? AND direction = ?",
                (spans.day_of(passage.at), passage.lane, direction),
            )

    def _add(
        self, connection: database.Connection, day: str, lane: str, direction: str, number: int
    ) -> None:
        connection.execute(
            "INSERT INTO counts VALUES (?, ?, ?, max(?, 0), 0) ON CONFLICT(day, lane, direction)"
            " DO UPDATE SET passages = max(passages + ?, 0)",
            (day, lane, direction, number, number),
        )

    def _key_of(self, day: str) -> bytes:
        if day not in self._day_keys:
            name = f"{_NAME}-{day}"
            if self._keys.path(name).exists():  # damaged: what it opened is lost
                self._keys.destroy(name)
            self._day_keys[day] = self._keys.make(name)
        return self._day_keys[day]

    @contextlib.contextmanager
    def _writing(self) -> Iterator[database.Connection]:
        """One transaction. Raises RecordError where it failed; the caller holds the lock."""
        try:
            with database.atomic(self._opened()) as connection:
                yield connection
            (self.total,) = connection.execute(
                "SELECT coalesce(sum(passages), 0) FROM counts"
            ).fetchone()
        except (sqlcipher3.Error, VaultError, OSError) as cause:
            self._drop()
            raise RecordError(
                "a passage could not be counted", next_step="See the health page"
            ) from cause

    def _opened(self) -> database.Connection:
        if self._connection is None:
            try:
                self._connection = self._open()
            except (sqlcipher3.Error, VaultError) as cause:
                if not self._path.exists() or not is_damage(cause):
                    raise
                self._begin_anew()
                self._connection = self._open()
        return self._connection

    def _open(self) -> database.Connection:
        fresh = not self._keys.path(_NAME).exists() and not self._path.exists()
        key = self._keys.make(_NAME) if fresh else self._keys.load(_NAME)
        connection = database.open_encrypted(self._path, key, any_thread=True)
        try:
            connection.execute("PRAGMA cache_size = -256")
            database.migrate(connection, STEPS)
        except BaseException:
            connection.close()
            raise
        return connection

    def _begin_anew(self) -> None:
        logger.error("counters damaged, begun anew")
        self._keys.destroy(_NAME)
        files.unlink_all(
            tuple(self._path.with_name(self._path.name + tail) for tail in ("", "-wal", "-shm"))
        )
        self._issues.report(
            "counters_damaged",
            "The counters of residents were damaged and begun anew",
            "Nothing to do; the numbers of earlier days are lost",
        )

    def _drop(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlcipher3.Error):
                self._connection.close()
            self._connection = None


def _mac(key: bytes, what: str, text: str) -> bytes:
    return hmac.new(key, f"{what} {text}".encode(), hashlib.sha256).digest()


def _direction(passage: Passage) -> str:
    return (passage.sighting.direction if passage.sighting else Direction.UNKNOWN).value


def _acted(passage: Passage) -> bool:
    return passage.outcome is not None
