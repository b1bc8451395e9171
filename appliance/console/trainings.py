"""Who passed which training module, for which policy version."""

from __future__ import annotations

from datetime import datetime

from appliance import clock
from appliance.compliance import training
from appliance.console.people import Person
from appliance.console.store import Store


class Trainings:
    def __init__(self, store: Store) -> None:
        self._store = store

    def passed(self, person: Person, policy_version: int) -> frozenset[str]:
        rows = self._store.rows(
            "SELECT DISTINCT module FROM trainings WHERE person_id = ? AND policy_version = ?",
            person.id, policy_version,
        )
        return frozenset(r["module"] for r in rows)

    def complete(self, person: Person, policy_version: int) -> bool:
        return self.passed(person, policy_version) >= set(training.CODES)

    def record(self, person: Person, module: str, policy_version: int, now: datetime) -> None:
        with self._store.writing() as connection:
            connection.execute(
                "INSERT INTO trainings (person_id, module, policy_version, passed_at)"
                " VALUES (?, ?, ?, ?)",
                (person.id, module, policy_version, clock.iso(now)),
            )
