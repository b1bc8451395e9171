"""``site.db``: who may do what here. The console writes it; gate, records and uplink only read.

Times are ISO-8601 UTC text (``clock.iso``). A grant is ended, never deleted, while a record may
still refer to it; a published policy version is never changed.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from appliance import clock, database, vault
from appliance.config import Config
from appliance.values import (
    Grant,
    GrantKind,
    PolicySnapshot,
    PublishedPolicy,
    Purpose,
    SecondFactor,
    WeeklyHours,
)

STEPS = (
    """
    CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE people (
        id INTEGER PRIMARY KEY, username TEXT NOT NULL UNIQUE COLLATE NOCASE,
        name TEXT NOT NULL, role TEXT NOT NULL, organisation TEXT NOT NULL DEFAULT '',
        password_hash TEXT NOT NULL, totp_secret TEXT, language TEXT NOT NULL DEFAULT '',
        made_at TEXT NOT NULL, disabled_at TEXT,
        failed_sign_ins INTEGER NOT NULL DEFAULT 0, locked_until_at TEXT
    ) STRICT;
    CREATE TABLE sessions (
        token_hash TEXT PRIMARY KEY, person_id INTEGER NOT NULL REFERENCES people(id),
        made_at TEXT NOT NULL, seen_at TEXT NOT NULL, ended_at TEXT,
        purpose TEXT NOT NULL DEFAULT '', purpose_reason TEXT NOT NULL DEFAULT '',
        purpose_at TEXT
    ) STRICT;
    CREATE TABLE codes (
        code_hash TEXT PRIMARY KEY, role TEXT NOT NULL, made_at TEXT NOT NULL,
        made_by TEXT NOT NULL, expires_at TEXT NOT NULL, used_at TEXT, used_by TEXT
    ) STRICT;
    CREATE TABLE trainings (
        id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL REFERENCES people(id),
        module TEXT NOT NULL, policy_version INTEGER NOT NULL, passed_at TEXT NOT NULL
    ) STRICT;
    CREATE TABLE grants (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, plate TEXT NOT NULL,
        label TEXT NOT NULL DEFAULT '', unit TEXT NOT NULL DEFAULT '',
        note TEXT NOT NULL DEFAULT '', from_at TEXT, until_at TEXT,
        hours TEXT NOT NULL DEFAULT '[]', lanes TEXT NOT NULL DEFAULT '[]',
        made_at TEXT NOT NULL, made_by TEXT NOT NULL,
        changed_at TEXT, changed_by TEXT, ended_at TEXT, ended_by TEXT
    ) STRICT;
    CREATE INDEX grants_by_plate ON grants(plate) WHERE ended_at IS NULL;
    CREATE TABLE policy_versions (
        version INTEGER PRIMARY KEY, body TEXT NOT NULL, drafted_at TEXT NOT NULL,
        drafted_by TEXT NOT NULL, published_at TEXT, published_by TEXT
    ) STRICT;
    """,
    """
    ALTER TABLE grants ADD COLUMN second_factor TEXT NOT NULL DEFAULT '';
    ALTER TABLE grants ADD COLUMN code_mac TEXT NOT NULL DEFAULT '';
    """,
    """
    CREATE TABLE commissionings (
        number INTEGER PRIMARY KEY, begun_at TEXT NOT NULL, begun_by TEXT NOT NULL,
        ended_at TEXT, ended_by TEXT, passed INTEGER NOT NULL DEFAULT 0,
        basis TEXT NOT NULL, attempt TEXT NOT NULL, gate_life TEXT NOT NULL DEFAULT '',
        results TEXT NOT NULL DEFAULT '[]'
    ) STRICT;
    """,
)


KEPT_HOURS = ("kept_hours_resident", "kept_hours_matched", "kept_hours_unmatched")
"""The three limits of a policy's body; the first is as the second where it is absent."""
KEPT_HOURS_LEAST = 0.05
"""Three minutes: RSA 261:75-b of New Hampshire, the shortest limit any statute names."""
KEPT_HOURS_MOST = 30 * 24.0
"""Thirty days, Iowa Code 321P.4; ``records.retention`` deletes an hour before."""


def open_writer(config: Config) -> database.Connection:
    """The console's one connection; brings the schema up to date. Usable from any thread (the
    caller holds a lock)."""
    config.site_db.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    connection = database.open_encrypted(config.site_db, vault.key(config, "site"), any_thread=True)
    database.migrate(connection, STEPS)
    return connection


def open_reader(config: Config) -> database.Connection:
    """A read-only connection for the other programs. Raises VaultError where there is no site."""
    return database.open_encrypted(
        config.site_db, vault.key(config, "site"), read_only=True, any_thread=True
    )


def published(connection: database.Connection) -> PublishedPolicy | None:
    """The policy in force: the highest published version."""
    row = connection.execute(
        "SELECT * FROM policy_versions WHERE published_at IS NOT NULL ORDER BY version DESC LIMIT 1"
    ).fetchone()
    if row is None:
        return None
    body = json.loads(row["body"])
    return PublishedPolicy(
        version=row["version"],
        site_name=body["site_name"],
        site_zone=body["site_zone"],
        jurisdiction=body.get("jurisdiction", ""),
        purposes=tuple(Purpose(code) for code in body["purposes"]),
        kept_hours_matched=float(body["kept_hours_matched"]),
        kept_hours_unmatched=float(body["kept_hours_unmatched"]),
        published_at=clock.from_iso(row["published_at"]),
        published_by=row["published_by"],
        # Absent in a policy published before residents were a class of their own.
        kept_hours_resident=float(body.get("kept_hours_resident", body["kept_hours_matched"])),
        residents_counted=_claim(body, "residents_counted"),
        anti_passback=_claim(body, "anti_passback"),
    )


def commissioned_settings(connection: database.Connection) -> dict[str, str]:
    """By serial number, the digest of the settings with which a controller last passed the
    pull-the-plug test. Raises ValueError, TypeError or KeyError for a damaged row."""
    rows = connection.execute(
        "SELECT basis FROM commissionings WHERE passed = 1 AND ended_at IS NOT NULL ORDER BY number"
    ).fetchall()
    looks = [json.loads(row["basis"]) for row in rows]
    return {look["serial"]: look["settings"] for look in looks if look["serial"]}


def snapshot(connection: database.Connection) -> PolicySnapshot:
    """Everything a decision may look at. Raises ValueError where a row cannot be understood:
    the caller keeps its last good snapshot."""
    policy = published(connection)
    rows = connection.execute("SELECT * FROM grants WHERE ended_at IS NULL ORDER BY id").fetchall()
    return PolicySnapshot(
        version=policy.version if policy else 0,
        site_zone=policy.site_zone if policy else "UTC",
        grants=tuple(grant(row) for row in rows),
        loaded_mono=clock.mono(),
    )


def grant(row: Any) -> Grant:
    """A row of ``grants`` as its value."""
    # A reader may start before the writer brought an older file up to date.
    second_factor, code_mac = (
        (row["second_factor"], row["code_mac"]) if "second_factor" in row.keys() else ("", "")  # noqa: SIM118
    )
    return Grant(
        id=row["id"],
        kind=GrantKind(row["kind"]),
        plate=row["plate"],
        label=row["label"] or row["unit"],
        from_at=_time(row["from_at"]),
        until_at=_time(row["until_at"]),
        hours=tuple(
            WeeklyHours(tuple(h["days"]), h["from_minute"], h["until_minute"])
            for h in json.loads(row["hours"])
        ),
        lanes=tuple(json.loads(row["lanes"])),
        second_factor=SecondFactor(second_factor),
        code_mac=code_mac,
    )


def publish(connection: database.Connection, body: dict[str, Any], by: str) -> int:
    """Writes and publishes a new policy version; returns its number. The caller journals first.

    Raises ValueError for a limit that is no limit: it is refused before it is in force.
    """
    for name in KEPT_HOURS:
        hours = body.get(name, KEPT_HOURS_MOST)
        if not KEPT_HOURS_LEAST <= hours <= KEPT_HOURS_MOST:
            raise ValueError(f"{name} must lie between three minutes and thirty days")
    now = clock.iso(clock.utc_now())
    with database.atomic(connection):
        (last,) = connection.execute(
            "SELECT coalesce(max(version), 0) FROM policy_versions"
        ).fetchone()
        connection.execute(
            "INSERT INTO policy_versions VALUES (?, ?, ?, ?, ?, ?)",
            (last + 1, json.dumps(body), now, by, now, by),
        )
    return int(last) + 1


def _claim(body: dict[str, Any], name: str) -> bool:
    """True only where the policy says true itself. Raises ValueError for anything but a claim."""
    claim = body.get(name, False)
    if not isinstance(claim, bool):
        raise ValueError(f"{name} must be true or false")
    return claim


def _time(text: str | None) -> datetime | None:
    return clock.from_iso(text).astimezone(UTC) if text else None
