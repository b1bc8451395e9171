"""One volume's file: its schema, its one writer, its few readers.

A failed statement costs its connection: the next one starts clean. Read-only connections wait in a
small pool; their caches are small too, for there are as many volumes as days or hours.

Any thread may read; who writes holds ``Volumes.lock``.
"""

from __future__ import annotations

import contextlib
import errno
import threading
from collections.abc import Iterator
from pathlib import Path

import sqlcipher3

from appliance import database
from appliance.errors import VaultError
from appliance.records.keys import fingerprint

STEPS = (
    """
    CREATE TABLE reads (
        id INTEGER PRIMARY KEY AUTOINCREMENT, cursor INTEGER NOT NULL UNIQUE,
        key TEXT NOT NULL UNIQUE, at_ms INTEGER NOT NULL, counts_from_ms INTEGER NOT NULL,
        clock TEXT NOT NULL, settled INTEGER NOT NULL, boot TEXT NOT NULL,
        seen_mono REAL NOT NULL,
        matched INTEGER NOT NULL, plate TEXT NOT NULL, lane TEXT NOT NULL,
        verdict TEXT NOT NULL, reason TEXT NOT NULL, direction TEXT NOT NULL,
        label TEXT NOT NULL, actor TEXT NOT NULL, agreeing INTEGER NOT NULL, score REAL NOT NULL,
        revision INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE bodies (
        id INTEGER PRIMARY KEY REFERENCES reads(id) ON DELETE CASCADE,
        passage TEXT NOT NULL, crop BLOB NOT NULL
    ) STRICT;
    CREATE VIEW whole AS SELECT reads.*, passage, crop FROM reads JOIN bodies USING (id);
    CREATE INDEX reads_by_plate ON reads(plate, at_ms);
    CREATE INDEX reads_by_time ON reads(at_ms, verdict);
    CREATE INDEX reads_by_limit ON reads(matched, counts_from_ms);
    CREATE INDEX reads_unsettled ON reads(boot) WHERE settled = 0;
    CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
    INSERT INTO facts VALUES ('reads_ever', 0), ('last_cursor', 0);
    """,
    # The first releases knew two limits. What they kept as a block entry's stays unmatched.
    """
    ALTER TABLE reads ADD COLUMN class TEXT NOT NULL DEFAULT 'unmatched';
    UPDATE reads SET class = CASE reason WHEN 'granted' THEN 'resident' ELSE 'matched' END
        WHERE matched = 1;
    DROP INDEX reads_by_limit;
    ALTER TABLE reads DROP COLUMN matched;
    CREATE INDEX reads_by_limit ON reads(class, counts_from_ms);
    """,
)
"""``bodies`` holds what only an opened passage needs: a search never reads past pictures."""

_IDLE_READERS = 2
_NO_ROOM = ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE")
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")


class Volume:
    """One file. ``rows``, ``oldest_ms`` and the rest are kept in step by the writer."""

    def __init__(self, name: str, path: Path, key: bytes) -> None:
        self.name = name
        self.path = path
        self.fingerprint = fingerprint(key)
        self.rows = 0
        self.reads_ever = 0
        self.last_cursor = 0
        self.oldest_ms: int | None = None
        self.log_owed = False
        """Deleted pages may still lie, encrypted, in the write-ahead log: a reader was in it."""
        self._key = key
        self._writer: database.Connection | None = None
        self._idle: list[database.Connection] = []
        self._gone = False
        self._lock = threading.Lock()

    @property
    def files(self) -> tuple[Path, ...]:
        """The database first, then what SQLite may have laid beside it."""
        return tuple(self.path.with_name(self.path.name + tail) for tail in ("", "-wal", "-shm"))

    def open(self) -> None:
        """Brings the schema up to date and counts. Raises VaultError or sqlcipher3.Error."""
        connection = self._open_writer()
        database.migrate(connection, STEPS)
        self.count(connection)

    def count(self, connection: database.Connection) -> None:
        self.rows, self.oldest_ms = connection.execute(
            "SELECT count(*), min(at_ms) FROM reads"
        ).fetchone()
        facts = {row["name"]: row["value"] for row in connection.execute("SELECT * FROM facts")}
        self.reads_ever, self.last_cursor = facts["reads_ever"], facts["last_cursor"]

    @contextlib.contextmanager
    def writing(self) -> Iterator[database.Connection]:
        """One transaction; the caller holds ``Volumes.lock``."""
        try:
            with database.atomic(self._open_writer()) as connection:
                yield connection
        except (sqlcipher3.Error, VaultError):
            self.rest()
            raise

    @contextlib.contextmanager
    def reading(self) -> Iterator[database.Connection]:
        """A read-only connection of this thread alone. Raises LookupError for a gone volume."""
        connection = self._borrow()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        with self._lock:
            if not self._gone and len(self._idle) < _IDLE_READERS:
                self._idle.append(connection)
                return
        connection.close()

    def forget_deleted(self) -> None:
        """Empties the write-ahead log, so that no page of a deleted row stays in it; recounts.

        The caller holds ``Volumes.lock``. A reader in the middle of an older page may keep the
        log from being emptied; ``log_owed`` says so then and the next sweep tries again.
        """
        connection = self._open_writer()
        self.count(connection)
        self._empty_log(connection)
        self.rest()

    def forget(self, row: int) -> None:
        """One read leaves as if it had never been kept, its picture and its log pages too.

        The caller holds ``Volumes.lock``. Never waits for a reader: ``log_owed`` as above.
        """
        with self.writing() as connection:
            gone = connection.execute("DELETE FROM reads WHERE id = ?", (row,)).rowcount
            connection.execute(
                "UPDATE facts SET value = value - ? WHERE name = 'reads_ever'", (gone,)
            )
            (oldest_ms,) = connection.execute("SELECT min(at_ms) FROM reads").fetchone()
        self.rows, self.reads_ever = self.rows - gone, self.reads_ever - gone
        self.oldest_ms = oldest_ms
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            self._empty_log(connection)
        finally:
            connection.execute("PRAGMA busy_timeout = 5000")

    def rest(self) -> None:
        """Closes the writing connection; the next write opens it again."""
        if self._writer is not None:
            with contextlib.suppress(sqlcipher3.Error):
                self._writer.close()
            self._writer = None

    def rest_readers(self) -> None:
        """Closes the readers nobody uses; the next question opens its own."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def close(self, *, gone: bool = False) -> None:
        """Closes every connection. ``gone``: for good, the file is about to go."""
        with self._lock:
            self._gone = gone
        self.rest_readers()
        self.rest()

    def _empty_log(self, connection: database.Connection) -> None:
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        self.log_owed = bool(busy)

    def _open_writer(self) -> database.Connection:
        if self._gone:
            raise VaultError("a volume is gone")
        if self._writer is None:
            self._writer = database.open_encrypted(self.path, self._key, any_thread=True)
            self._writer.execute("PRAGMA cache_size = -1000")
        return self._writer

    def _borrow(self) -> database.Connection:
        with self._lock:
            if self._gone:
                raise LookupError(self.name)
            if self._idle:
                return self._idle.pop()
        connection = database.open_encrypted(self.path, self._key, read_only=True, any_thread=True)
        connection.execute("PRAGMA cache_size = -256")
        return connection


def is_no_room(error: BaseException) -> bool:
    """Whether the disk is full, also where an error of ours stands around the disk's own."""
    cause: BaseException | None = error
    while cause is not None:
        full = str(getattr(cause, "sqlite_errorname", "")) in _NO_ROOM
        if full or (isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT)):
            return True
        cause = cause.__cause__
    return False


def is_damage(error: Exception) -> bool:
    """Whether the file or its key is broken, not just the moment unlucky (disk, memory, lock)."""
    cause = error.__cause__ if isinstance(error, VaultError) and error.__cause__ else error
    if isinstance(cause, sqlcipher3.Error):
        return str(getattr(cause, "sqlite_errorname", "")).startswith(_DAMAGED)
    return isinstance(cause, FileNotFoundError) or not isinstance(cause, OSError)
