"""How every database of this product is opened: encrypted, strict, forgetting what it deletes.

SQLCipher with a raw 32-byte key; the write-ahead log is encrypted too. ``secure_delete=ON``,
``busy_timeout`` 5 s, foreign keys on. One process writes each database (ADR 0002). Use under
sqlite-utils 4.2 or later: earlier ones could bring deleted rows back (issue 815 of that project).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlcipher3

from appliance.errors import VaultError

if TYPE_CHECKING:
    import sqlite_utils

Connection = Any
"""A ``sqlcipher3.dbapi2.Connection``; the package carries no types."""


def open_encrypted(
    path: Path, key: bytes, *, read_only: bool = False, any_thread: bool = False
) -> Connection:
    """Opens or creates the file; rows come as ``sqlcipher3.Row``, transactions are explicit.

    Raises VaultError where the key does not fit or the file is damaged.
    """
    target = f"file:{path}?mode={'ro' if read_only else 'rwc'}"
    try:
        connection = sqlcipher3.connect(
            target,
            uri=True,
            isolation_level=None,
            check_same_thread=not any_thread,
            timeout=5.0,
        )
        connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlcipher3.DatabaseError as cause:
        raise VaultError(
            f"{path.name} could not be opened",
            next_step="Its key does not fit or it is damaged; see OPERATIONS, 'A damaged file'",
        ) from cause
    connection.row_factory = sqlcipher3.Row
    connection.execute("PRAGMA busy_timeout = 5000")
    connection.execute("PRAGMA foreign_keys = ON")
    if not read_only:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        path.chmod(0o600)
    return connection


@contextlib.contextmanager
def atomic(connection: Connection) -> Iterator[Connection]:
    """One transaction: all of the block or nothing of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        if connection.in_transaction:  # a full disk has rolled back by itself already
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def migrate(connection: Connection, steps: Sequence[str]) -> int:
    """Applies the steps (SQL scripts, in order, never edited once released) not yet applied.

    Each step and its record (``user_version``) are one transaction. Returns the version reached.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for number, step in enumerate(steps[version:], start=version + 1):
        with atomic(connection):
            for statement in filter(None, (s.strip() for s in step.split(";\n"))):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
    return len(steps)


def tables(connection: Connection) -> sqlite_utils.Database:
    """The same connection under sqlite-utils, for schema questions and bulk work.

    Imported here: it costs 28 MB (measured 2026-11-22) that most programs need not pay.
    """
    import sqlite_utils

    return sqlite_utils.Database(connection)
