"""What a backup of the site holds, and how a site is made of it again. Never a read, never a key.

- In it: every table of ``site.db`` but sessions and one-time codes, so people, lists, policy
  versions, trainings, commissionings and settings; and what bears witness of the journal: this
  unit's public key, its signed heads and the last of them.
- Not in it: reads, volumes, their keys, the unit's keys. They are not reached for here at all.
- A site made from it is built beside the old one, checked, and takes its place in one rename.
- A backup of an older site is brought up to date; one of a newer site is refused.

The content is JSON inside a ``container``. Passwords travel as argon2id hashes, second secrets of
people as they are: hence the container.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlcipher3

from appliance import clock, container, database, site, vault
from appliance.config import Config
from appliance.errors import ApplianceError

KIND = "backup of a site"
FORMAT = 1
LEFT_OUT = frozenset({"sessions", "codes", "sqlite_sequence"})
"""Tables that stay behind: who is signed in, and codes that are to be used once."""


class BackupError(ApplianceError):
    """The backup cannot be used here; nothing was changed."""

    key = "backup"


@dataclass(frozen=True, slots=True)
class Backup:
    """What is in the file."""

    made_at: datetime
    site_name: str
    schema: int
    """Version of ``site.db``'s schema."""
    tables: dict[str, list[dict[str, Any]]] = field(repr=False)
    journal: dict[str, Any]
    """``public_key``, ``heads`` and ``last`` of the unit that made it."""

    @property
    def counts(self) -> dict[str, int]:
        return {name: len(rows) for name, rows in sorted(self.tables.items())}

    @property
    def void_codes(self) -> int:
        """Codes at the gate: digests under the old unit's key, to be given out anew."""
        return sum(bool(r.get("code_mac")) and not r["ended_at"] for r in self.tables["grants"])


def take(config: Config, now: datetime, journal: dict[str, Any]) -> Backup:
    """Reads the site in one transaction, beside whoever writes it. Raises VaultError."""
    with contextlib.closing(site.open_reader(config)) as connection:
        connection.execute("BEGIN")
        policy = site.published(connection)
        (schema,) = connection.execute("PRAGMA user_version").fetchone()
        return Backup(
            made_at=now,
            site_name=policy.site_name if policy else "",
            schema=int(schema),
            tables={
                name: [dict(zip(row.keys(), row, strict=True)) for row in rows]
                for name in _tables(connection)
                for rows in [connection.execute(f'SELECT * FROM "{name}"').fetchall()]  # noqa: S608
            },
            journal=journal,
        )


def write(backup: Backup, passphrase: str, cost: container.Cost | None = None) -> bytes:
    told = {
        "postern": KIND,
        "format": FORMAT,
        "made_at": clock.iso(backup.made_at),
        "site_name": backup.site_name,
        "schema": backup.schema,
        "tables": backup.tables,
        "journal": backup.journal,
    }
    return container.pack(json.dumps(told).encode(), passphrase, KIND, cost)


def read(data: bytes, passphrase: str) -> Backup:
    """Raises ContainerError, or BackupError where the content is not one this software knows."""
    told = json.loads(container.unpack(data, passphrase, KIND))
    if told["format"] != FORMAT or told["schema"] > len(site.STEPS):
        raise BackupError(
            "the backup was made by a newer version", next_step="Update this machine first"
        )
    return Backup(
        made_at=clock.from_iso(told["made_at"]),
        site_name=told["site_name"],
        schema=told["schema"],
        tables=told["tables"],
        journal=told["journal"],
    )


def build(config: Config, backup: Backup) -> Path:
    """The site of that backup under this machine's key, checked, beside the one in force.

    Raises BackupError where the content does not fit its schema.
    """
    path = config.site_db.with_name("site.db.restored")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    for tail in ("", "-wal", "-shm"):
        path.with_name(path.name + tail).unlink(missing_ok=True)
    try:
        with contextlib.closing(
            database.open_encrypted(path, vault.key(config, "site"))
        ) as connection:
            database.migrate(connection, site.STEPS[: backup.schema])
            _fill(connection, backup)
            database.migrate(connection, site.STEPS)
            site.snapshot(connection)
    except (sqlcipher3.Error, ValueError, KeyError) as cause:
        path.unlink(missing_ok=True)
        raise BackupError(
            "the backup's content does not fit together", next_step="Take an earlier backup"
        ) from cause
    return path


def put_in_place(config: Config, built: Path) -> None:
    """The built site takes the place of the one there was, which stays as ``site.db.before``."""
    there, before = config.site_db, config.site_db.with_name("site.db.before")
    if there.exists():
        # Folds the write-ahead log in, so that no old log meets the new file.
        with contextlib.closing(site.open_writer(config)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        before.unlink(missing_ok=True)
        before.hardlink_to(there)
    for tail in ("-wal", "-shm"):
        there.with_name(there.name + tail).unlink(missing_ok=True)
    if os.geteuid() == 0:  # the programs' own user must be able to open it
        owner = config.device.state_dir.stat()
        for path in (there.parent, built):
            os.chown(path, owner.st_uid, owner.st_gid)
    built.replace(there)


def inhabited(config: Config) -> bool:
    """This machine has a site with people or a policy already. Raises VaultError."""
    if not config.site_db.exists():
        return False
    with contextlib.closing(site.open_reader(config)) as connection:
        there = set(_tables(connection))
        return any(
            connection.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone()  # noqa: S608
            for name in ("people", "policy_versions", "grants")
            if name in there
        )


def _fill(connection: database.Connection, backup: Backup) -> None:
    there = set(_tables(connection))
    names = {name for rows in backup.tables.values() for row in rows for name in row}
    if set(backup.tables) - there or not all(name.isidentifier() for name in names):
        raise ValueError("a table or column that its schema does not know")
    connection.execute("PRAGMA foreign_keys = OFF")
    with database.atomic(connection):
        for name, rows in backup.tables.items():
            for row in rows:
                columns = ", ".join(f'"{column}"' for column in row)
                marks = ", ".join("?" for _ in row)
                connection.execute(
                    f'INSERT OR REPLACE INTO "{name}" ({columns}) VALUES ({marks})',  # noqa: S608
                    tuple(row.values()),
                )
        if connection.execute("PRAGMA foreign_key_check").fetchall():
            raise ValueError("a row that names a missing one")
    connection.execute("PRAGMA foreign_keys = ON")


def _tables(connection: database.Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return sorted(row["name"] for row in rows if row["name"] not in LEFT_OUT)
