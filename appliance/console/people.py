"""Personal accounts: one person, one account; argon2id; lock-out that backs off.

Rules
- A wrong name and a wrong password look the same and cost the same time.
- After ``failures_before_lock`` failures the account waits, twice as long after each further one,
  at most ``longest_lock_s``; the right password does not shorten the wait.
- A disabled account cannot sign in and its sessions are ended in the same transaction.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import argon2

from appliance import clock
from appliance.console import codes
from appliance.console.settings import Settings
from appliance.console.store import Store
from appliance.values import Role

_USERNAME = re.compile(r"[a-z][a-z0-9._-]{1,31}")
_RESERVED = frozenset({codes.SET_UP, "system", "nobody", "unknown", "root", "admin"})
_HASHING = threading.Lock()
"""One hash at a time: a burst of sign-ins must not take a small box's memory."""


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    username: str
    name: str
    role: Role
    organisation: str
    language: str
    disabled: bool
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Locked:
    """The account waits until then."""

    until_at: datetime


class Accounts:
    """Every question and change about people."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._hasher = argon2.PasswordHasher(
            time_cost=settings.hash_time_cost, memory_cost=settings.hash_memory_kib, parallelism=1
        )
        self._nobody = self._hash("a password nobody has")

    def any(self) -> bool:
        return self._store.row("SELECT 1 FROM people LIMIT 1") is not None

    def all(self) -> list[Person]:
        return [_person(r) for r in self._store.rows("SELECT * FROM people ORDER BY username")]

    def by_id(self, person_id: int) -> Person | None:
        row = self._store.row("SELECT * FROM people WHERE id = ?", person_id)
        return _person(row) if row else None

    def taken(self, username: str) -> bool:
        return self._store.row("SELECT 1 FROM people WHERE username = ?", username) is not None

    def join(self, code: codes.Code, username: str, name: str, organisation: str, password: str,
             now: datetime) -> Person | None:
        """Makes the account and spends the code together; None where the code was just used."""
        password_hash = self._hash(password)
        with self._store.writing() as connection:
            if not codes.use(connection, code, username, now):
                return None
            made = connection.execute(
                "INSERT INTO people (username, name, role, organisation, password_hash, made_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (username, name, code.role.value, organisation, password_hash, clock.iso(now)),
            )
            person_id = made.lastrowid
        return self.by_id(person_id)

    def check(self, username: str, password: str, now: datetime) -> Person | Locked | None:
        """The person whose password this is, the wait, or None. Counts the failure."""
        row = self._store.row(
            "SELECT * FROM people WHERE username = ? AND disabled_at IS NULL", username
        )
        right = self._verify(row["password_hash"] if row else self._nobody, password)
        if row is None:
            return None
        until = row["locked_until_at"]
        if until and clock.from_iso(until) > now:
            return Locked(clock.from_iso(until))
        if not right:
            return self._count_failure(row["id"], row["failed_sign_ins"] + 1, now)
        with self._store.writing() as connection:
            connection.execute(
                "UPDATE people SET failed_sign_ins = 0, locked_until_at = NULL WHERE id = ?",
                (row["id"],),
            )
        return _person(row)

    def confirm(self, person: Person, password: str) -> bool:
        """Whether this is the person's password (asked again before it is changed)."""
        row = self._store.row("SELECT password_hash FROM people WHERE id = ?", person.id)
        return row is not None and self._verify(row["password_hash"], password)

    def change_password(self, person: Person, password: str) -> None:
        password_hash = self._hash(password)
        with self._store.writing() as connection:
            connection.execute(
                "UPDATE people SET password_hash = ? WHERE id = ?", (password_hash, person.id)
            )

    def set_language(self, person: Person, language: str) -> None:
        with self._store.writing() as connection:
            connection.execute("UPDATE people SET language = ? WHERE id = ?",
                               (language, person.id))

    def disable(self, person_id: int, now: datetime) -> None:
        with self._store.writing() as connection:
            connection.execute(
                "UPDATE people SET disabled_at = ? WHERE id = ? AND disabled_at IS NULL",
                (clock.iso(now), person_id),
            )
            connection.execute(
                "UPDATE sessions SET ended_at = ? WHERE person_id = ? AND ended_at IS NULL",
                (clock.iso(now), person_id),
            )

    def enable(self, person_id: int) -> None:
        with self._store.writing() as connection:
            connection.execute("UPDATE people SET disabled_at = NULL WHERE id = ?", (person_id,))

    def managers(self) -> int:
        """Managers who can sign in: the last one may not be disabled."""
        row = self._store.row(
            "SELECT count(*) AS n FROM people WHERE role = ? AND disabled_at IS NULL",
            Role.MANAGER.value,
        )
        return int(row["n"])

    def _count_failure(self, person_id: int, failures: int, now: datetime) -> Locked | None:
        beyond = failures - self._settings.failures_before_lock
        until = None
        if beyond >= 0:
            wait_s = min(self._settings.first_lock_s * 2**beyond, self._settings.longest_lock_s)
            until = now + timedelta(seconds=wait_s)
        with self._store.writing() as connection:
            connection.execute(
                "UPDATE people SET failed_sign_ins = ?, locked_until_at = ? WHERE id = ?",
                (min(failures, 64), clock.iso(until) if until else None, person_id),
            )
        return Locked(until) if until else None

    def _hash(self, password: str) -> str:
        with _HASHING:
            return self._hasher.hash(password)

    def _verify(self, password_hash: str, password: str) -> bool:
        with _HASHING:
            try:
                return self._hasher.verify(password_hash, password)
            except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
                return False


def username_fits(username: str) -> bool:
    return bool(_USERNAME.fullmatch(username)) and username not in _RESERVED


def _person(row: Any) -> Person:
    return Person(
        id=row["id"], username=row["username"], name=row["name"], role=Role(row["role"]),
        organisation=row["organisation"], language=row["language"],
        disabled=row["disabled_at"] is not None, made_at=clock.from_iso(row["made_at"]),
    )
