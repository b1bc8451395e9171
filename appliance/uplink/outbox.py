"""What still has to be told to the broker: survives power cuts, loses nothing, stays small.

Rules
1. The events and the cursor they came with are stored in one transaction: after a kill the feed is
   read on from exactly there.
2. An event leaves when the broker has acknowledged it, not before; so it may be told twice, always
   with the same id.
3. A passage told anew while its event still waits replaces that event: only the latest counts.
4. At most ``MOST`` events wait. When full no more are fetched: records keeps them meanwhile.
5. What happened before this outbox was made is not told: a broker set today hears of today's cars.

Plain SQLite: no plate, name or label ever comes here. One thread, one process.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from appliance import clock

logger = logging.getLogger(__name__)

MOST = 10_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS events (
    cursor INTEGER PRIMARY KEY, passage TEXT NOT NULL UNIQUE, body TEXT NOT NULL
) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Event:
    """One passage to tell. ``id`` is the passage's, the same however often it is told."""

    cursor: int
    id: str
    at: str
    """ISO-8601 UTC."""
    lane: str
    verdict: str
    reason: str
    direction: str

    @property
    def body(self) -> dict[str, str | int]:
        """What is published; ``seq`` rises when the same passage is told anew."""
        return {
            "id": self.id, "seq": self.cursor, "at": self.at, "lane": self.lane,
            "verdict": self.verdict, "reason": self.reason, "direction": self.direction,
        }


class Outbox:
    def __init__(self, path: Path, now: datetime) -> None:
        """Opens or makes the file; a damaged one is put aside and begun anew."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._connection = _open(path)
        except sqlite3.DatabaseError:
            logger.error("outbox damaged, put aside file=%s", path.name)
            _put_aside(path)
            self._connection = _open(path)
        with self._atomic():
            self._connection.execute(
                "INSERT OR IGNORE INTO facts VALUES ('cursor', '0'), ('sent', '0'), ('since', ?)",
                (clock.iso(now),),
            )

    def close(self) -> None:
        self._connection.close()

    @property
    def cursor(self) -> int:
        """The last event of the feed that was taken in."""
        return int(self._fact("cursor"))

    @property
    def sent(self) -> int:
        """Events acknowledged by the broker, ever."""
        return int(self._fact("sent"))

    @property
    def waiting(self) -> int:
        (count,) = self._connection.execute("SELECT count(*) FROM events").fetchone()
        return int(count)

    @property
    def room(self) -> int:
        return max(0, MOST - self.waiting)

    def take_in(self, events: Sequence[Event]) -> None:
        """Stores a page of the feed, oldest first, and moves the cursor past it."""
        if not events:
            return
        since = clock.from_iso(self._fact("since"))
        with self._atomic():
            for event in events:
                if clock.from_iso(event.at) < since:
                    continue
                self._connection.execute("DELETE FROM events WHERE passage = ?", (event.id,))
                self._connection.execute(
                    "INSERT INTO events VALUES (?, ?, ?)",
                    (event.cursor, event.id, json.dumps(event.body)),
                )
            self._set_fact("cursor", str(events[-1].cursor))

    def next_after(self, cursor: int, limit: int) -> list[Event]:
        """Waiting events beyond that cursor, oldest first."""
        rows = self._connection.execute(
            "SELECT cursor, body FROM events WHERE cursor > ? ORDER BY cursor LIMIT ?",
            (cursor, limit),
        ).fetchall()
        return [_event(int(row[0]), json.loads(row[1])) for row in rows]

    def acknowledged(self, cursors: Sequence[int]) -> None:
        """Forgets events the broker has."""
        if not cursors:
            return
        with self._atomic():
            gone = sum(
                self._connection.execute("DELETE FROM events WHERE cursor = ?", (c,)).rowcount
                for c in cursors
            )
            self._set_fact("sent", str(self.sent + gone))

    def _fact(self, name: str) -> str:
        (value,) = self._connection.execute(
            "SELECT value FROM facts WHERE name = ?", (name,)
        ).fetchone()
        return str(value)

    def _set_fact(self, name: str, value: str) -> None:
        self._connection.execute("UPDATE facts SET value = ? WHERE name = ?", (value, name))

    @contextlib.contextmanager
    def _atomic(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def _event(cursor: int, body: dict[str, str]) -> Event:
    return Event(
        cursor, body["id"], body["at"], body["lane"], body["verdict"], body["reason"],
        body["direction"],
    )


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=5.0)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(_SCHEMA)
        connection.execute("SELECT count(*) FROM events").fetchone()
    except sqlite3.DatabaseError:
        connection.close()
        raise
    path.chmod(0o600)
    return connection


def _put_aside(path: Path) -> None:
    path.replace(path.with_name(f"{path.name}.damaged"))
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
