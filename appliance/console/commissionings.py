"""Pull-the-plug tests as they are kept: one runs at a time, the ended ones are never changed.

A running test outlives a restart of this box, because one of its steps switches the box off.
What the steps are and what proves them stands in ``barrier.commissioning_steps``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from appliance import clock, codec, database
from appliance.barrier.commissioning import (
    Attempt,
    How,
    Look,
    Result,
    Step,
    Trial,
    silence,
)
from appliance.barrier.commissioning_steps import STEPS
from appliance.console.store import Store


@dataclass(frozen=True, slots=True)
class Judged:
    """A step's result as it stands in the record."""

    step: str
    result: Result
    how: How
    sentence: str
    """What was found, in English; translated where it is shown."""
    values: tuple[tuple[str, str], ...]
    note: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Test:
    """One run of the steps."""

    number: int
    begun_at: datetime
    begun_by: str
    ended_at: datetime | None
    ended_by: str
    passed: bool
    basis: Look
    """The barrier as the first step left it: it says what is wired."""
    attempt: Attempt
    results: tuple[Judged, ...]

    __test__ = False

    @property
    def step(self) -> Step | None:
        """The first step without a result; None where all have one."""
        done = {judged.step for judged in self.results}
        return next((step for step in STEPS if step.id not in done), None)

    @property
    def sound(self) -> bool:
        """Every step was judged and none failed."""
        return self.step is None and all(j.result is not Result.FAILED for j in self.results)

    def result(self, step: str) -> Judged | None:
        return next((judged for judged in self.results if judged.step == step), None)


class Commissionings:
    def __init__(self, store: Store) -> None:
        self._store = store

    def running(self) -> Test | None:
        row = self._store.row("SELECT * FROM commissionings WHERE ended_at IS NULL")
        return _test(row) if row else None

    def last(self) -> Test | None:
        """The latest that ended."""
        row = self._store.row("SELECT * FROM commissionings WHERE ended_at IS NOT NULL"
                              " ORDER BY number DESC LIMIT 1")
        return _test(row) if row else None

    def by_number(self, number: int) -> Test | None:
        row = self._store.row("SELECT * FROM commissionings WHERE number = ?", number)
        return _test(row) if row else None

    def begin(self, at: Look, by: str, now: datetime) -> None:
        """Does nothing where one runs already."""
        first = Attempt.begin(STEPS[0].id, at)
        with self._store.writing() as connection:
            connection.execute(
                "INSERT INTO commissionings (begun_at, begun_by, basis, attempt)"
                " SELECT ?, ?, ?, ? WHERE NOT EXISTS"
                " (SELECT 1 FROM commissionings WHERE ended_at IS NULL)",
                (clock.iso(now), by, _kept(at), _kept(first)),
            )

    def see(self, at: Look, gate_life: str = "") -> Test | None:
        """What the barrier looks like now; the running test with it.

        Another ``gate_life`` than before means that the gate program was away in between, also
        where nobody was there to see its silence.
        """
        with self._store.writing() as connection:
            test = self.running()
            if test is None:
                return None
            (before,) = connection.execute("SELECT gate_life FROM commissionings WHERE number = ?",
                                           (test.number,)).fetchone()
            attempt = test.attempt
            if gate_life and gate_life != before:
                if before:
                    attempt = attempt.sees(silence())
                connection.execute("UPDATE commissionings SET gate_life = ? WHERE number = ?",
                                   (gate_life, test.number))
            return _keep(connection, test, attempt.sees(at))

    def again(self, at: Look) -> None:
        """The step begins anew."""
        with self._store.writing() as connection:
            test = self.running()
            if test is not None and test.step is not None:
                _keep(connection, test, Attempt.begin(test.step.id, at))

    def order(self, trial: Trial) -> None:
        """Just before the order goes out: only what is seen from here on counts."""
        with self._store.writing() as connection:
            test = self.running()
            if test is not None:
                _keep(connection, test, test.attempt.orders(trial, refused=False))

    def refused(self) -> None:
        """The order just given was refused."""
        with self._store.writing() as connection:
            test = self.running()
            if test is not None:
                _keep(connection, test, replace(test.attempt, refused=True))

    def judge(self, judged: Judged, at: Look) -> bool:
        """Writes the result and begins the next step; False where the step is not the one."""
        with self._store.writing() as connection:
            test = self.running()
            if test is None or test.step is None or test.step.id != judged.step:
                return False
            results = (*test.results, judged)
            coming = replace(test, results=results).step
            connection.execute(
                "UPDATE commissionings SET results = ?, attempt = ?, basis = ? WHERE number = ?",
                (json.dumps(codec.encode(results)),
                 _kept(Attempt.begin(coming.id, at) if coming else test.attempt),
                 _kept(at if judged.step == STEPS[0].id else test.basis), test.number),
            )
        return True

    def end(self, number: int, by: str, now: datetime) -> None:
        with self._store.writing() as connection:
            test = self.by_number(number)
            connection.execute(
                "UPDATE commissionings SET ended_at = ?, ended_by = ?, passed = ?"
                " WHERE number = ? AND ended_at IS NULL",
                (clock.iso(now), by, int(test is not None and test.sound), number),
            )


def _keep(connection: database.Connection, test: Test, attempt: Attempt) -> Test:
    if attempt != test.attempt:
        connection.execute("UPDATE commissionings SET attempt = ? WHERE number = ?",
                           (_kept(attempt), test.number))
    return replace(test, attempt=attempt)


def _kept(value: Look | Attempt) -> str:
    return json.dumps(codec.encode(value))


def _test(row: Any) -> Test:
    ended = row["ended_at"]
    return Test(
        number=row["number"], begun_at=clock.from_iso(row["begun_at"]), begun_by=row["begun_by"],
        ended_at=clock.from_iso(ended) if ended else None, ended_by=row["ended_by"] or "",
        passed=bool(row["passed"]), basis=codec.decode(Look, json.loads(row["basis"])),
        attempt=codec.decode(Attempt, json.loads(row["attempt"])),
        results=tuple(codec.decode(Judged, j) for j in json.loads(row["results"])),
    )
