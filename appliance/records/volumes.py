"""The reads: one encrypted file a UTC day, each with a key of its own (ADR 0005).

- ``reads/2026-11-21.db`` is a SQLCipher database, its key lies wrapped in ``keys/2026-11-21.key``.
  The key is on disk before the database, so a crash leaves no file that nobody can open.
- One writer: whoever writes holds ``Volumes.lock``. Readers use read-only connections from a small
  pool, so a long look-up never keeps a car's record waiting.
- A volume that cannot be opened is set aside as ``*.damaged`` and reported; a fresh one takes its
  place and the gate goes on. What was set aside is destroyed at its limit like any other.
- A failed statement costs its connection: the next one starts clean.

Any thread.
"""

from __future__ import annotations

import contextlib
import logging
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import sqlcipher3

from appliance import database, vault
from appliance.config import Config
from appliance.errors import RecordError, VaultError
from appliance.records import files
from appliance.records.issues import Issues
from appliance.records.keys import VolumeKeys, fingerprint

logger = logging.getLogger(__name__)

T = TypeVar("T")

STEPS = (
    """
    CREATE TABLE reads (
        id INTEGER PRIMARY KEY AUTOINCREMENT, cursor INTEGER NOT NULL UNIQUE,
        key TEXT NOT NULL UNIQUE, at_ms INTEGER NOT NULL, counts_from_ms INTEGER NOT NULL,
        settled INTEGER NOT NULL, boot TEXT NOT NULL, seen_mono REAL NOT NULL,
        matched INTEGER NOT NULL, plate TEXT NOT NULL, lane TEXT NOT NULL,
        verdict TEXT NOT NULL, reason TEXT NOT NULL, direction TEXT NOT NULL,
        label TEXT NOT NULL, actor TEXT NOT NULL, agreeing INTEGER NOT NULL, score REAL NOT NULL,
        revision INTEGER NOT NULL, passage TEXT NOT NULL, crop BLOB NOT NULL
    ) STRICT;
    CREATE INDEX reads_by_plate ON reads(plate, at_ms);
    CREATE INDEX reads_by_time ON reads(at_ms, verdict);
    CREATE INDEX reads_by_limit ON reads(matched, counts_from_ms);
    CREATE INDEX reads_unsettled ON reads(boot) WHERE settled = 0;
    CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
    INSERT INTO facts VALUES ('reads_ever', 0), ('last_cursor', 0);
    """,
)

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_IDLE_READERS = 2
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")


class Volume:
    """One day's file. ``rows``, ``oldest_ms`` and the rest are kept in step by the writer."""

    def __init__(self, name: str, path: Path, key: bytes) -> None:
        self.name = name
        self.path = path
        self.fingerprint = fingerprint(key)
        self.rows = 0
        self.reads_ever = 0
        self.last_cursor = 0
        self.oldest_ms: int | None = None
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
        """Empties the write-ahead log, so that no page of a deleted row stays in it."""
        self._open_writer().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def rest(self) -> None:
        """Closes the writing connection; the next write opens it again."""
        if self._writer is not None:
            with contextlib.suppress(sqlcipher3.Error):
                self._writer.close()
            self._writer = None

    def close(self, *, gone: bool = False) -> None:
        """Closes every connection. ``gone``: for good, the file is about to go."""
        with self._lock:
            self._gone = gone
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
        self.rest()

    def _open_writer(self) -> database.Connection:
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
        connection = database.open_encrypted(
            self.path, self._key, read_only=True, any_thread=True
        )
        connection.execute("PRAGMA cache_size = -256")
        return connection


class Volumes:
    """All volumes of this unit."""

    def __init__(self, folder: Path, keys: VolumeKeys, issues: Issues) -> None:
        self.folder = files.make_folder(folder)
        self.keys = keys
        self.lock = threading.Lock()
        """Held by whoever writes to any volume."""
        self._issues = issues
        self._open: dict[str, Volume] = {}

    def load(self) -> None:
        """Opens every volume once. A damaged one is set aside, the others go on."""
        with self.lock:
            for path in sorted(self.folder.glob("*.db")):
                if _DAY.fullmatch(path.stem):
                    self._load(path.stem)

    def newest_first(self, first: str = "", last: str = "9") -> list[Volume]:
        """The volumes of the days from first to last, both included."""
        found = [v for v in list(self._open.values()) if first <= v.name <= last]
        return sorted(found, key=lambda v: v.name, reverse=True)

    def named(self, name: str) -> Volume | None:
        return self._open.get(name)

    def for_keeping(self, name: str) -> Volume:
        """The volume of that day, made where there is none. The caller holds ``lock``.

        Raises RecordError where it can be neither opened nor made.
        """
        volume = self._open.get(name)
        if volume is None and self._path(name).exists():
            volume = self._load(name)
            if volume is None and self._path(name).exists():
                raise RecordError("a volume cannot be opened now",
                                  next_step="See the health page")
        return volume or self._make(name)

    def ask(self, volumes: list[Volume], question: Callable[[database.Connection], T]
            ) -> Iterator[tuple[Volume, T]]:
        """The answer of each volume; one that is gone or turns out damaged has none."""
        for volume in volumes:
            try:
                with volume.reading() as connection:
                    answer = question(connection)
            except LookupError:
                continue
            except (sqlcipher3.Error, VaultError) as cause:
                if not is_damage(cause):
                    raise RecordError("the reads cannot be searched now",
                                      next_step="Try again; see the health page") from cause
                with self.lock:
                    self.set_aside(volume)
                continue
            yield volume, answer

    def set_aside(self, volume: Volume) -> None:
        """Puts a damaged volume out of the way. The caller holds ``lock``."""
        volume.close(gone=True)
        if self._open.get(volume.name) is volume:  # else another thread was first
            del self._open[volume.name]
            self._put_away(volume.name)

    def remove(self, volume: Volume) -> None:
        """Takes a volume out of use, for its destruction. The caller holds ``lock``."""
        self._open.pop(volume.name, None)
        volume.close(gone=True)

    def damaged(self) -> dict[str, tuple[Path, ...]]:
        """What was set aside: day -> key files first, then data files."""
        found: dict[str, tuple[Path, ...]] = {}
        for folder in (self.keys.folder, self.folder):
            for path in sorted(folder.glob("*.damaged")):
                found[path.name[:10]] = (*found.get(path.name[:10], ()), path)
        return found

    def close(self) -> None:
        with self.lock:
            for volume in self._open.values():
                volume.close()

    def _load(self, name: str) -> Volume | None:
        """The volume, or None where it was damaged and set aside. Raises RecordError."""
        try:
            volume = Volume(name, self._path(name), self.keys.load(name))
            volume.open()
        except (sqlcipher3.Error, VaultError) as cause:
            if not is_damage(cause):
                self._issues.report(
                    "volume_unreadable", "A day's reads cannot be opened now",
                    "See OPERATIONS, 'A damaged file'",
                )
                logger.error("volume unreadable error=%s", type(cause).__name__)
            else:
                self._put_away(name)
            return None
        volume.rest()
        self._open[name] = volume
        return volume

    def _make(self, name: str) -> Volume:
        try:
            volume = Volume(name, self._path(name), self._key_for(name))
            volume.open()
            files.sync_folder(self.folder)
        except (sqlcipher3.Error, VaultError, OSError) as cause:
            raise RecordError("a volume cannot be made", next_step="See the health page") from cause
        self._open[name] = volume
        return volume

    def _key_for(self, name: str) -> bytes:
        """A new volume's key; one left by a crash before its database was made is used."""
        if self.keys.path(name).exists():
            with contextlib.suppress(VaultError):
                return self.keys.load(name)
            self._put_away(name)
        return self.keys.make(name)

    def _put_away(self, name: str) -> None:
        tails = ("", "-wal", "-shm")
        moves = [(self.folder / f"{name}.db{tail}") for tail in tails] + [self.keys.path(name)]
        number = 1 + max(
            (int(p.name.split(".")[-2]) for p in self.damaged().get(name, ())), default=0
        )
        for path in moves:
            if path.exists():
                path.rename(path.with_name(f"{path.name}.{number}.damaged"))
        files.sync_folder(self.folder)
        files.sync_folder(self.keys.folder)
        logger.error("volume set aside volume=%s", name)
        self._issues.report(
            "volume_damaged", "A day's reads are damaged and were set aside",
            "See OPERATIONS, 'A damaged file'; the gate goes on",
        )

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.db"


def is_damage(error: Exception) -> bool:
    """Whether the file or its key is broken, rather than the moment unlucky (disk, memory, lock)."""
    cause = error.__cause__ if isinstance(error, VaultError) and error.__cause__ else error
    if isinstance(cause, sqlcipher3.Error):
        return str(getattr(cause, "sqlite_errorname", "")).startswith(_DAMAGED)
    return isinstance(cause, FileNotFoundError) or not isinstance(cause, OSError)


def all_keys(config: Config) -> set[str]:
    """The key of every passage held, read from the files themselves; for tests of durability."""
    root = config.device.state_dir / "records"
    keys = VolumeKeys(root / "keys", vault.key(config, "reads"))
    found: set[str] = set()
    for path in sorted((root / "reads").glob("*.db")):
        volume = Volume(path.stem, path, keys.load(path.stem))
        with volume.reading() as connection:
            found.update(row["key"] for row in connection.execute("SELECT key FROM reads"))
        volume.close()
    return found
