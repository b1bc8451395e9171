"""One-time codes: the first makes the first manager, the others invite one person each.

A code looks like ``XXXX-XXXX-XXXX`` (60 random bits), works once, ends by itself and stands in the
database only as a hash. Letters that look alike (I, L, O, U) are not used.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance import clock, database
from appliance.console.settings import Settings
from appliance.values import Role

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SET_UP = "setup"
"""Who made the code of the first manager; no account may carry this name."""


@dataclass(frozen=True, slots=True)
class Code:
    """A code that may still be used."""

    code_hash: str
    role: Role
    made_by: str

    @property
    def first(self) -> bool:
        return self.made_by == SET_UP


def make_setup_code(connection: database.Connection, now: datetime | None = None) -> str:
    """A new code for the first manager; earlier unused set-up codes end. Returns it once.

    Raises ValueError where a person exists already: then a manager invites.
    """
    (people,) = connection.execute("SELECT count(*) FROM people").fetchone()
    if people:
        raise ValueError("a person exists: managers invite the others")
    at = now or clock.utc_now()
    with database.atomic(connection):
        connection.execute(
            "DELETE FROM codes WHERE made_by = ? AND used_at IS NULL", (SET_UP,)
        )
        return _insert(connection, Role.MANAGER, SET_UP, at, Settings().setup_code_s)


def make_invite(connection: database.Connection, role: Role, by: str, now: datetime,
                life_s: float) -> str:
    """A code for one more person, inside the caller's transaction."""
    return _insert(connection, role, by, now, life_s)


def find(connection: database.Connection, written: str, now: datetime) -> Code | None:
    """The code as typed (case, spaces, dashes do not matter), or None where it cannot be used."""
    row = connection.execute(
        "SELECT * FROM codes WHERE code_hash = ? AND used_at IS NULL AND expires_at > ?",
        (hashed(written), clock.iso(now)),
    ).fetchone()
    return Code(row["code_hash"], Role(row["role"]), row["made_by"]) if row else None


def use(connection: database.Connection, code: Code, by: str, now: datetime) -> bool:
    """Spends the code inside the caller's transaction; False where somebody was faster."""
    changed = connection.execute(
        "UPDATE codes SET used_at = ?, used_by = ? WHERE code_hash = ? AND used_at IS NULL",
        (clock.iso(now), by, code.code_hash),
    )
    return bool(changed.rowcount == 1)


def hashed(written: str) -> str:
    """60 random bits need no slow hash."""
    plain = "".join(c for c in written.upper() if c.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()


def _insert(connection: database.Connection, role: Role, by: str, now: datetime,
            life_s: float) -> str:
    plain = "".join(secrets.choice(_LETTERS) for _ in range(12))
    connection.execute(
        "INSERT INTO codes (code_hash, role, made_at, made_by, expires_at) VALUES (?, ?, ?, ?, ?)",
        (hashed(plain), role.value, clock.iso(now), by,
         clock.iso(now + timedelta(seconds=life_s))),
    )
    return "-".join((plain[:4], plain[4:8], plain[8:]))
