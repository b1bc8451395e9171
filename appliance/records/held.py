"""A hold as a value, and as a file of its own with a key of its own.

``evidence/<hold>.db`` is a SQLCipher file of the copied reads, its key lies wrapped in
``evidence/keys/<hold>.key`` like a volume's. When and why one is made or ends is ``holds``.

Any thread; who writes holds ``folder.lock``.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import sqlcipher3

from appliance import codec, database
from appliance.errors import IpcError, RecordError, VaultError
from appliance.records import files
from appliance.records.holdrules import HoldRefused, HoldRequest, rule_for
from appliance.records.issues import Issues
from appliance.records.keys import VolumeKeys, fingerprint
from appliance.records.times import from_ms, to_ms
from appliance.records.volumes import Volumes

APPROVAL = timedelta(hours=72)
"""How long a copy waits for the second person."""
MOST_READS = 1000

_STEPS = (
    """
    CREATE TABLE held (
        passage_id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, counts_from_ms INTEGER NOT NULL,
        passage TEXT NOT NULL, crop BLOB NOT NULL
    ) STRICT;
    CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    """,
)


@dataclass(frozen=True, slots=True)
class HeldRead:
    """One read as it was when it was copied."""

    passage_id: str
    at_ms: int
    counts_from_ms: int
    passage: str
    """JSON, as the volume kept it."""
    crop: bytes


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold and the people behind it."""

    id: str
    request: HoldRequest
    named_by: str
    """JSON of what was searched by: plate, gate, period, or the passages' own numbers."""
    placed_by: str
    placed_at: datetime
    expires_at: datetime
    fingerprint: str = ""
    reads: int = 0
    approved_by: str = ""
    approved_at: datetime | None = None

    @property
    def ends_at(self) -> datetime:
        """Rule 2."""
        if self.approved_by:
            return self.expires_at
        return min(self.expires_at, self.placed_at + APPROVAL)


class HoldGone(RecordError):
    key = "hold_gone"


class HoldFiles:
    """The folder of holds; its lock and its keys are those `Volumes` has for its own."""

    def __init__(self, root: Path, wrapping_key: bytes, issues: Issues) -> None:
        wrapped = VolumeKeys(files.make_folder(root) / "keys", wrapping_key)
        self.folder = Volumes(root, wrapped, issues)
        self._issues = issues

    def names(self) -> list[str]:
        keyed = {path.stem for path in self.folder.keys.folder.glob("hold-*.key")}
        return sorted(keyed | {path.stem for path in self.folder.folder.glob("hold-*.db")})

    def one(self, name: str) -> Hold:
        """Raises HoldGone, or RecordError where it cannot be opened."""
        if name not in self.names():
            raise HoldGone("there is no such hold", next_step="It may have ended")
        with self.reading(name) as connection:
            (told,) = connection.execute("SELECT value FROM facts WHERE name = 'hold'").fetchone()
            (reads,) = connection.execute("SELECT count(*) FROM held").fetchone()
        return replace(codec.decode(Hold, json.loads(told)), reads=reads)

    def reads(self, name: str) -> Iterator[HeldRead]:
        """The held reads, oldest first. Raises RecordError."""
        if name not in self.names():
            raise HoldGone("there is no such hold", next_step="It may have ended")
        with self.reading(name) as connection:
            for row in connection.execute("SELECT * FROM held ORDER BY at_ms, passage_id"):
                yield HeldRead(*row)

    def copy(self, hold: Hold, reads: Iterable[HeldRead]) -> Hold:
        """Raises HoldRefused where there is nothing to copy, else what a disk raises."""
        key = self.folder.keys.make(hold.id)
        hold = replace(hold, fingerprint=fingerprint(key))
        rule = rule_for(hold.request.kind, hold.request.jurisdiction)
        placed_ms, newest_ms, copied = to_ms(hold.placed_at), 0, 0
        with contextlib.closing(database.open_encrypted(self.path(hold.id), key)) as connection:
            database.migrate(connection, _STEPS)
            with database.atomic(connection):
                for read in reads:
                    counts_from_ms = min(read.counts_from_ms, placed_ms)  # rule 5
                    row = (read.passage_id, read.at_ms, counts_from_ms, read.passage, read.crop)
                    connection.execute("INSERT INTO held VALUES (?, ?, ?, ?, ?)", row)
                    newest_ms, copied = max(newest_ms, counts_from_ms), copied + 1
                if not copied:
                    raise HoldRefused(
                        "nothing is held that fits", next_step="It may be deleted already"
                    )
                if rule.gone_by is not None:
                    last_day = from_ms(newest_ms) + rule.gone_by
                    hold = replace(hold, expires_at=min(hold.expires_at, last_day))
                hold = replace(hold, reads=copied)
                write_facts(connection, hold)
        files.sync_folder(self.folder.folder)
        return hold

    def mark(self, name: str, seq: int) -> None:
        """The hold stands in the journal under that number."""
        with self.writing(name) as connection:
            connection.execute("INSERT INTO facts VALUES ('journaled', ?)", (str(seq),))

    def marked(self, name: str) -> bool:
        """Whether it was; False also where it cannot be opened."""
        try:
            with self.reading(name) as connection:
                found = connection.execute("SELECT 1 FROM facts WHERE name = 'journaled'")
                return found.fetchone() is not None
        except RecordError:
            return False

    @contextlib.contextmanager
    def reading(self, name: str) -> Iterator[database.Connection]:
        try:
            key = self.folder.keys.load(name)
            opened = database.open_encrypted(self.path(name), key, read_only=True, any_thread=True)
            with contextlib.closing(opened) as connection:
                yield connection
        except (sqlcipher3.Error, VaultError, TypeError, ValueError, IpcError) as cause:
            self.unreadable()
            raise RecordError("a hold cannot be opened", next_step="See the health page") from cause

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[database.Connection]:
        """One transaction; the write-ahead log is empty after it. The caller holds ``lock``."""
        opened = database.open_encrypted(self.path(name), self.folder.keys.load(name))
        with contextlib.closing(opened) as connection:
            with database.atomic(connection):
                yield connection
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def path(self, name: str) -> Path:
        return self.folder.folder / f"{name}.db"

    def unreadable(self) -> None:
        self._issues.report(
            "hold_unreadable",
            "A hold cannot be opened",
            "See OPERATIONS, 'A damaged file'; it still ends at its time",
        )


def write_facts(connection: database.Connection, hold: Hold) -> None:
    told = json.dumps(codec.encode(hold), separators=(",", ":"), ensure_ascii=False)
    connection.execute("INSERT OR REPLACE INTO facts VALUES ('hold', ?)", (told,))
