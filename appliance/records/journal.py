"""The journal: who did what, when, for which purpose and why. On disk before anybody is answered.

- One writer, one lock. An entry is committed (fsync), then the anchor is replaced (fsync), then
  the caller is answered; where either fails the caller is refused and whatever it wanted to show
  or do must not happen. An entry whose anchor failed stays: the request was made.
- The database is locked with a key derived from the ``device`` secret (``keys`` says why).
- Once a day, before the first entry of a new UTC day, the head is signed and kept.
- A journal whose end is not what the anchor names goes on taking entries (a record with a wound is
  better than none) but the anchor is left as it is, so that every later proof finds the wound.
- A journal that vanished is not made anew by itself: that would hide the loss. Records then
  answers nothing that names a plate until a person puts it back.

Any thread.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import sqlcipher3

from appliance import clock, database
from appliance.errors import RecordError, VaultError
from appliance.records import files
from appliance.records.acts import Act, PageAsked
from appliance.records.chain import (
    GENESIS,
    Anchor,
    canonical,
    entry_from,
    hashed,
    read_anchor,
    signed_head,
    write_anchor,
)
from appliance.records.issues import Issues
from appliance.records.keys import DeviceKeys
from appliance.records.proof import ANCHOR, DATABASE
from appliance.records.times import Moment
from appliance.values import JournalEntry

logger = logging.getLogger(__name__)

STEPS = (
    """
    CREATE TABLE entries (
        seq INTEGER PRIMARY KEY, at TEXT NOT NULL, clock TEXT NOT NULL, actor TEXT NOT NULL,
        role TEXT NOT NULL, organisation TEXT NOT NULL, action TEXT NOT NULL,
        purpose TEXT NOT NULL, reason TEXT NOT NULL, query TEXT NOT NULL, rows INTEGER NOT NULL,
        prev_hash TEXT NOT NULL, hash TEXT NOT NULL, seal TEXT NOT NULL
    ) STRICT;
    CREATE INDEX entries_by_action ON entries(action, seq);
    CREATE INDEX entries_by_actor ON entries(actor, seq);
    CREATE TABLE heads (
        number INTEGER PRIMARY KEY, seq INTEGER NOT NULL, hash TEXT NOT NULL, at TEXT NOT NULL,
        signature TEXT NOT NULL
    ) STRICT;
    CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
    """,
)
"""``state`` holds what retention must remember (numbers only); it is not part of the chain."""

_COLUMNS = (
    "seq, at, clock, actor, role, organisation, action, purpose, reason, query, rows,"
    " prev_hash, hash, seal"
)


@dataclass
class _Tail:
    """The end of the chain as this writer knows it."""

    seq: int
    hash: str
    heads: int
    day: str
    """UTC day of the last entry."""
    wounded: bool


class Journal:
    """The one writer of one journal."""

    def __init__(self, folder: Path, keys: DeviceKeys, issues: Issues) -> None:
        self.folder = files.make_folder(folder)
        self._keys = keys
        self._issues = issues
        self._lock = threading.Lock()
        self._connection: database.Connection | None = None
        self._tail: _Tail | None = None

    @property
    def seq(self) -> int:
        """Number of the last entry; 0 while the journal is empty or cannot be opened."""
        return self._tail.seq if self._tail else 0

    def append(self, act: Act, now: Moment) -> JournalEntry:
        """The entry, on disk and anchored. Raises RecordError: then nothing may be answered."""
        with self._writing() as (connection, tail):
            day = now.at.astimezone(UTC).date().isoformat()
            heads = tail.heads
            with database.atomic(connection):
                if tail.hash != GENESIS and day != tail.day:
                    heads += self._sign_head(connection, heads + 1, now)
                entry = self._insert(connection, tail, act, now)
            tail.seq, tail.hash, tail.heads, tail.day = entry.seq, entry.hash, heads, day
            if not tail.wounded:
                write_anchor(self.folder / ANCHOR, self._keys, tail.seq, tail.hash, tail.heads)
        self._issues.clear("journal_down")
        return entry

    def page(self, asked: PageAsked) -> list[JournalEntry]:
        """Entries newest first. The caller journals the view before it shows them."""
        wanted = {
            "seq < ?": asked.before_seq,
            "action = ?": asked.action or None,
            "actor = ?": asked.actor or None,
        }
        where = " AND ".join(k for k, v in wanted.items() if v is not None) or "1"
        values = [v for v in wanted.values() if v is not None]
        with self._reading() as connection:
            rows = connection.execute(
                f"SELECT * FROM entries WHERE {where} ORDER BY seq DESC LIMIT ?",  # noqa: S608
                (*values, asked.limit),
            ).fetchall()
            return [entry_from(row) for row in rows]

    def all_of(self, action: str) -> list[JournalEntry]:
        """Every entry of that action, newest first."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT * FROM entries WHERE action = ? ORDER BY seq DESC", (action,)
            ).fetchall()
            return [entry_from(row) for row in rows]

    def remember(self, **numbers: int) -> None:
        """Keeps numbers beside the chain; raises RecordError where even that fails."""
        with self._writing() as (connection, _), database.atomic(connection):
            connection.executemany(
                "INSERT INTO state VALUES (?, ?)"
                " ON CONFLICT(name) DO UPDATE SET value = excluded.value",
                list(numbers.items()),
            )

    def remembered(self, name: str) -> int | None:
        """Raises RecordError."""
        with self._writing() as (connection, _):
            row = connection.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
            return int(row["value"]) if row else None

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _insert(
        self, connection: database.Connection, tail: _Tail, act: Act, now: Moment
    ) -> JournalEntry:
        entry = hashed(
            JournalEntry(
                seq=tail.seq + 1,
                # Milliseconds, as stored: the hash must cover what a reader will find.
                at=clock.from_iso(clock.iso(now.at)),
                clock=now.clock,
                actor=act.who.actor,
                role=act.who.role,
                organisation=act.who.organisation,
                action=act.action,
                purpose=act.who.purpose,
                reason=act.who.reason,
                query=canonical(act.query).decode(),
                rows=act.rows,
                prev_hash=tail.hash,
                hash="",
            )
        )
        connection.execute(
            f"INSERT INTO entries ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",  # noqa: S608
            (
                entry.seq,
                clock.iso(entry.at),
                entry.clock.value,
                entry.actor,
                entry.role,
                entry.organisation,
                entry.action,
                entry.purpose,
                entry.reason,
                entry.query,
                entry.rows,
                entry.prev_hash,
                entry.hash,
                self._keys.mac(entry.hash.encode()),
            ),
        )
        return entry

    def _sign_head(self, connection: database.Connection, number: int, now: Moment) -> int:
        """Signs the last entry there is; returns how many heads that adds."""
        row = connection.execute("SELECT * FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
        head = signed_head(self._keys, number, entry_from(row), now.at)
        connection.execute(
            "INSERT INTO heads VALUES (?, ?, ?, ?, ?)",
            (head.number, head.seq, head.hash, head.at, head.signature),
        )
        return 1

    @contextlib.contextmanager
    def _writing(self) -> Iterator[tuple[database.Connection, _Tail]]:
        """The connection under the lock; after any failure it is opened anew and read afresh."""
        with self._lock:
            try:
                yield self._opened()
            except (sqlcipher3.Error, OSError, VaultError) as cause:
                self._drop()
                logger.error("journal failed error=%s", type(cause).__name__)
                self._issues.report(
                    "journal_down",
                    "The journal cannot be written, so no read can be shown",
                    "See OPERATIONS, 'The journal cannot be written'",
                )
                raise RecordError(
                    "the journal cannot be written", next_step="Nothing is shown until it can"
                ) from cause

    @contextlib.contextmanager
    def _reading(self) -> Iterator[database.Connection]:
        """A read-only connection of its own, so that a long page never blocks an entry."""
        try:
            connection = database.open_encrypted(
                self.folder / DATABASE, self._keys.journal, read_only=True
            )
            with contextlib.closing(connection):
                yield connection
        except (sqlcipher3.Error, VaultError, ValueError) as cause:
            raise RecordError("the journal cannot be read", next_step="Verify it") from cause

    def _opened(self) -> tuple[database.Connection, _Tail]:
        if self._connection is None or self._tail is None:
            anchor = self._anchor()
            self._connection = database.open_encrypted(
                self.folder / DATABASE, self._keys.journal, any_thread=True
            )
            database.migrate(self._connection, STEPS)
            files.sync_folder(self.folder)
            self._tail = self._read_tail(self._connection, anchor)
        return self._connection, self._tail

    def _anchor(self) -> Anchor | None:
        """The anchor to start from; a first journal gets its anchor before its database."""
        path, exists = self.folder / ANCHOR, (self.folder / DATABASE).exists()
        if not exists and not path.exists():
            write_anchor(path, self._keys, 0, GENESIS, 0)
        anchor = read_anchor(path, self._keys.public)
        if not exists and (anchor is None or anchor.seq):
            raise VaultError("the journal has vanished", next_step="Put it back from where it went")
        return anchor

    def _read_tail(self, connection: database.Connection, anchor: Anchor | None) -> _Tail:
        last = connection.execute("SELECT * FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
        (heads,) = connection.execute("SELECT count(*) FROM heads").fetchone()
        seq, entry_hash, day = (
            (last["seq"], last["hash"], last["at"][:10]) if last else (0, GENESIS, "")
        )
        wounded = anchor is None or anchor.heads > heads
        if anchor is not None and anchor.seq:
            named = connection.execute(
                "SELECT hash FROM entries WHERE seq = ?", (anchor.seq,)
            ).fetchone()
            wounded = wounded or named is None or named["hash"] != anchor.hash
        if wounded:
            self._issues.report(
                "journal_broken",
                "The journal's end is not the one that was anchored",
                "Run `postern journal verify` and keep the files as they are",
            )
            # Numbers of lost entries are not given out again: the gap stays visible.
            seq = max(seq, anchor.seq if anchor else 0)
        return _Tail(seq, entry_hash, heads, day, wounded)

    def _drop(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlcipher3.Error):
                self._connection.close()
        self._connection, self._tail = None, None
