"""The site's lists: allow entries, visitor passes, blocked plates.

An entry is ended, never deleted, while a record may still name it. Each change takes the person who
makes it; the page journals it before it is made and tells the gate after.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from appliance import clock, site
from appliance.console.store import Store
from appliance.decision import lookalikes
from appliance.values import Grant, GrantKind, SecondFactor, WeeklyHours


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry as a form describes it. Times are UTC; hours are the site's local week."""

    kind: GrantKind
    plate: str
    label: str
    unit: str
    note: str
    from_at: datetime | None
    until_at: datetime | None
    hours: tuple[WeeklyHours, ...]
    lanes: tuple[str, ...]
    second_factor: SecondFactor = SecondFactor.NONE
    code_mac: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the lists with who made it."""

    grant: Grant
    draft: Draft
    made_at: datetime
    made_by: str
    ended_at: datetime | None
    changed_at: datetime | None = None

    @property
    def id(self) -> int:
        return self.grant.id

    def state(self, now: datetime) -> str:
        """running, later or ended."""
        until, begins = self.grant.until_at, self.grant.from_at
        if self.ended_at or (until is not None and until <= now):
            return "ended"
        return "later" if begins is not None and begins > now else "running"


@dataclass(frozen=True, slots=True)
class Twin:
    """Another entry whose plate a camera could take for this one, or that is the same plate."""

    entry: Entry
    same_plate: bool


class Lists:
    def __init__(self, store: Store) -> None:
        self._store = store

    def all(self, kind: GrantKind | None = None, *, ended: bool = False) -> list[Entry]:
        """The entries not ended (or only those), newest first."""
        wanted = "ended_at IS NOT NULL" if ended else "ended_at IS NULL"
        rows = self._store.rows(
            f"SELECT * FROM grants WHERE {wanted} AND (? = '' OR kind = ?)"  # noqa: S608 - constant
            " ORDER BY id DESC LIMIT 1000",
            kind.value if kind else "", kind.value if kind else "",
        )
        return [_entry(r) for r in rows]

    def by_id(self, grant_id: int) -> Entry | None:
        row = self._store.row("SELECT * FROM grants WHERE id = ?", grant_id)
        return _entry(row) if row else None

    def counts(self) -> dict[str, int]:
        rows = self._store.rows(
            "SELECT kind, count(*) AS n FROM grants WHERE ended_at IS NULL GROUP BY kind"
        )
        return {r["kind"]: r["n"] for r in rows}

    def ending_within(self, now: datetime, until: datetime) -> int:
        row = self._store.row(
            "SELECT count(*) AS n FROM grants WHERE ended_at IS NULL AND until_at > ?"
            " AND until_at <= ?", clock.iso(now), clock.iso(until),
        )
        return int(row["n"])

    def twins(self, draft: Draft, but_id: int | None = None) -> list[Twin]:
        """Running entries of another list or unit that look like this plate, same plates first."""
        found = []
        for entry in self.all():
            if entry.id == but_id:
                continue
            same = entry.grant.plate == draft.plate
            alike = lookalikes.look_alike(entry.grant.plate, draft.plate)
            elsewhere = entry.grant.kind is not draft.kind or entry.draft.unit != draft.unit
            if same or (alike and elsewhere):
                found.append(Twin(entry, same))
        return sorted(found, key=lambda t: not t.same_plate)

    def next_id(self) -> int:
        """The number the next entry will have; the caller keeps others from adding meanwhile."""
        return int(self._store.row("SELECT coalesce(max(id), 0) + 1 AS n FROM grants")["n"])

    def add(self, grant_id: int, draft: Draft, by: str, now: datetime) -> None:
        with self._store.writing() as connection:
            connection.execute(
                "INSERT INTO grants (id, kind, plate, label, unit, note, from_at, until_at, hours,"
                " lanes, second_factor, code_mac, made_at, made_by)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (grant_id, *_columns(draft), clock.iso(now), by),
            )

    def change(self, grant_id: int, draft: Draft, by: str, now: datetime) -> bool:
        """False where the entry was ended meanwhile."""
        with self._store.writing() as connection:
            changed = connection.execute(
                "UPDATE grants SET kind = ?, plate = ?, label = ?, unit = ?, note = ?, from_at = ?,"
                " until_at = ?, hours = ?, lanes = ?, second_factor = ?, code_mac = ?,"
                " changed_at = ?, changed_by = ?"
                " WHERE id = ? AND ended_at IS NULL",
                (*_columns(draft), clock.iso(now), by, grant_id),
            )
        return bool(changed.rowcount == 1)

    def end(self, grant_id: int, by: str, now: datetime) -> bool:
        with self._store.writing() as connection:
            ended = connection.execute(
                "UPDATE grants SET ended_at = ?, ended_by = ? WHERE id = ? AND ended_at IS NULL",
                (clock.iso(now), by, grant_id),
            )
        return bool(ended.rowcount == 1)


def _columns(draft: Draft) -> Sequence[Any]:
    hours = [
        {"days": list(h.days), "from_minute": h.from_minute, "until_minute": h.until_minute}
        for h in draft.hours
    ]
    return (
        draft.kind.value, draft.plate, draft.label, draft.unit, draft.note,
        clock.iso(draft.from_at) if draft.from_at else None,
        clock.iso(draft.until_at) if draft.until_at else None,
        json.dumps(hours), json.dumps(list(draft.lanes)), draft.second_factor.value, draft.code_mac,
    )


def _entry(row: Any) -> Entry:
    grant = site.grant(row)
    draft = Draft(grant.kind, grant.plate, row["label"], row["unit"], row["note"], grant.from_at,
                  grant.until_at, grant.hours, grant.lanes, grant.second_factor, grant.code_mac)
    ended, changed = row["ended_at"], row["changed_at"]
    return Entry(grant, draft, clock.from_iso(row["made_at"]), row["made_by"],
                 clock.from_iso(ended) if ended else None,
                 clock.from_iso(changed) if changed else None)
