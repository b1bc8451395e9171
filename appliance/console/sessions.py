"""Who is signed in, and for what purpose. The cookie holds a random token, the database its hash.

Rules
- A session ends after 30 minutes without a request of the person's own (pictures and event streams
  that refresh by themselves do not count), and 12 hours after sign-in in any case.
- A purpose is chosen from the published list with a reason and is good for 30 minutes.
- Ending is final: an ended session is never taken up again.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from appliance import clock
from appliance.console.people import Person
from appliance.console.settings import Settings
from appliance.console.store import Store
from appliance.values import Purpose

_SEEN_STEP_S = 60.0
"""The last request is written at most this often: reading a page should not write the disk."""


@dataclass(frozen=True, slots=True)
class ChosenPurpose:
    purpose: Purpose
    reason: str
    until_at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    token_hash: str
    person_id: int
    made_at: datetime
    seen_at: datetime
    purpose: ChosenPurpose | None


class Sessions:
    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def begin(self, person: Person, now: datetime) -> str:
        """A new session; returns the token, which is never seen again on this side."""
        token = secrets.token_urlsafe(32)
        at = clock.iso(now)
        with self._store.writing() as connection:
            connection.execute(
                "INSERT INTO sessions (token_hash, person_id, made_at, seen_at)"
                " VALUES (?, ?, ?, ?)",
                (_hashed(token), person.id, at, at),
            )
            connection.execute(
                "DELETE FROM sessions WHERE made_at < ?", (clock.iso(now - timedelta(days=7)),)
            )
        return token

    def find(self, token: str, now: datetime, *, counts: bool) -> Session | None:
        """The living session of that token; a request that ``counts`` keeps it alive."""
        row = self._store.row(
            "SELECT * FROM sessions WHERE token_hash = ? AND ended_at IS NULL", _hashed(token)
        )
        if row is None:
            return None
        made_at, seen_at = clock.from_iso(row["made_at"]), clock.from_iso(row["seen_at"])
        idle = (now - seen_at).total_seconds() > self._settings.idle_s
        old = (now - made_at).total_seconds() > self._settings.absolute_s
        if idle or old:
            self.end(row["token_hash"], now)
            return None
        if counts and (now - seen_at).total_seconds() >= _SEEN_STEP_S:
            with self._store.writing() as connection:
                connection.execute(
                    "UPDATE sessions SET seen_at = ? WHERE token_hash = ?",
                    (clock.iso(now), row["token_hash"]),
                )
        return Session(row["token_hash"], row["person_id"], made_at, seen_at,
                       self._purpose(row, now))

    def choose_purpose(self, token_hash: str, purpose: Purpose, reason: str, now: datetime) -> None:
        with self._store.writing() as connection:
            connection.execute(
                "UPDATE sessions SET purpose = ?, purpose_reason = ?, purpose_at = ?"
                " WHERE token_hash = ?",
                (purpose.value, reason, clock.iso(now), token_hash),
            )

    def end(self, token_hash: str, now: datetime) -> None:
        with self._store.writing() as connection:
            connection.execute(
                "UPDATE sessions SET ended_at = ? WHERE token_hash = ? AND ended_at IS NULL",
                (clock.iso(now), token_hash),
            )

    def end_all(self, person: Person, now: datetime, *, but: str = "") -> int:
        """Ends the person's sessions (all, or all but one); returns how many."""
        with self._store.writing() as connection:
            ended = connection.execute(
                "UPDATE sessions SET ended_at = ?"
                " WHERE person_id = ? AND ended_at IS NULL AND token_hash <> ?",
                (clock.iso(now), person.id, but),
            )
        return int(ended.rowcount)

    def living(self, person: Person, now: datetime) -> list[Session]:
        """The person's sessions that still work, newest first."""
        oldest = clock.iso(now - timedelta(seconds=self._settings.absolute_s))
        idle = clock.iso(now - timedelta(seconds=self._settings.idle_s))
        found = self._store.rows(
            "SELECT * FROM sessions WHERE person_id = ? AND ended_at IS NULL AND made_at > ?"
            " AND seen_at > ? ORDER BY made_at DESC", person.id, oldest, idle,
        )
        return [
            Session(r["token_hash"], r["person_id"], clock.from_iso(r["made_at"]),
                    clock.from_iso(r["seen_at"]), self._purpose(r, now))
            for r in found
        ]

    def _purpose(self, row: Any, now: datetime) -> ChosenPurpose | None:
        if not row["purpose"] or not row["purpose_at"]:
            return None
        until = clock.from_iso(row["purpose_at"]) + timedelta(seconds=self._settings.purpose_s)
        if until <= now:
            return None
        return ChosenPurpose(Purpose(row["purpose"]), row["purpose_reason"], until)


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
