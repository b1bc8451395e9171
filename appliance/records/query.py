"""Questions about the reads. Nothing here journals: `service` does, before it answers.

A plate pattern holds ``?`` for one character and ``*`` for any number, as people write it and as
SQLite's GLOB reads it; every other sign is dropped before it reaches the database, so no pattern
can mean more than it shows. A plain plate and a pattern's beginning are found by index.

A read past its limit that no sweep has removed yet is still shown: what is held is told.

Any thread.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from appliance import clock, codec, database, plates
from appliance.errors import RecordError
from appliance.records.passages import Kept, from_row
from appliance.records.times import from_ms, to_ms
from appliance.records.volume import Volume
from appliance.records.volumes import Volumes
from appliance.values import Reason, Verdict

MOST_PER_PAGE = 100
MOST_EVENTS = 500
_LONGEST_PATTERN = 16
_LONGEST_TEXT = 120
_EARLIEST_YEAR = 1970
_SHOWN = "id, at_ms, lane, plate, verdict, reason, actor, label, direction, agreeing, score"
_HOUR_MS = 3_600_000
_ID = re.compile(r"(\d{4}-\d{2}-\d{2}(?:T\d{2})?)\.(\d{1,15})")


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for; an empty field means any."""

    plate: str = ""
    """A plate or a pattern, upper case: A-Z 0-9 ? *"""
    from_at: datetime | None = None
    to_at: datetime | None = None
    """The period is half open: from <= at < to."""
    lane: str = ""
    verdict: str = ""
    reason_code: str = ""

    def elements(self) -> dict[str, Any]:
        """What the journal must say was searched by."""
        return {k: v for k, v in codec.encode(self).items() if v}


@dataclass(frozen=True, slots=True)
class Found:
    total: int
    rows: list[dict[str, Any]]


def query_from(told: Any) -> Query:
    """Reads a question from its message. Raises RecordError for what cannot be understood."""
    if not isinstance(told, Mapping):
        raise RecordError("a look-up needs its query")
    fields = {k: v for k, v in told.items() if v not in (None, "")}
    if any(not isinstance(v, str) for v in fields.values()):
        raise RecordError("the fields of a query must be text")
    unknown = set(fields) - {"plate", "from_at", "to_at", "lane", "verdict", "reason_code"}
    if unknown:
        raise RecordError("the query has a field that is not known")
    try:
        return Query(
            plate=pattern(fields["plate"]) if "plate" in fields else "",
            from_at=_time(fields["from_at"]) if "from_at" in fields else None,
            to_at=_time(fields["to_at"]) if "to_at" in fields else None,
            lane=fields.get("lane", "")[:_LONGEST_TEXT],
            verdict=Verdict(fields["verdict"]).value if "verdict" in fields else "",
            reason_code=Reason(fields["reason_code"]).value if "reason_code" in fields else "",
        )
    except ValueError as cause:
        raise RecordError(
            "the query cannot be understood",
            next_step="Check the times, the verdict and the reason",
        ) from cause


def pattern(written: str) -> str:
    """A plate or pattern in the form that is searched. Raises PlateRefused, RecordError."""
    if "?" not in written and "*" not in written:
        return plates.normalise(written)
    text = re.sub(r"\*+", "*", re.sub(r"[^A-Z0-9?*]", "", written.upper()))
    if len(text) > _LONGEST_PATTERN:
        raise RecordError("a plate pattern is too long", next_step="Use fewer characters")
    return text


def find(volumes: Volumes, query: Query, page: int, per_page: int) -> Found:
    """One page, newest first, and how many there are in all."""
    where, values = _where(query)
    skip, total = (page - 1) * per_page, 0
    rows: list[dict[str, Any]] = []

    def part(connection: database.Connection) -> tuple[int, list[Any]]:
        (count,) = connection.execute(
            f"SELECT count(*) FROM reads WHERE {where}",  # noqa: S608 - our own clauses
            values,
        ).fetchone()
        wanted = per_page - len(rows)
        if not wanted or skip >= count:
            return count, []
        return count, connection.execute(
            f"SELECT {_SHOWN} FROM reads WHERE {where}"  # noqa: S608 - our own clauses
            " ORDER BY at_ms DESC, id DESC LIMIT ? OFFSET ?",
            (*values, wanted, skip),
        ).fetchall()

    for volume, (count, found) in volumes.ask(_within(volumes, query), part):
        total += count
        skip = max(0, skip - count)
        rows += [_found_row(volume, r) for r in found]
    return Found(total, rows)


def open_passage(volumes: Volumes, passage_id: str) -> Kept | None:
    """The whole record, or None where it is not (or no longer) held."""
    match = _ID.fullmatch(passage_id)
    volume = volumes.named(match[1]) if match else None
    if match is None or volume is None:
        return None

    def one(connection: database.Connection) -> Any:
        return connection.execute("SELECT * FROM whole WHERE id = ?", (int(match[2]),)).fetchone()

    for _, stored in volumes.ask([volume], one):
        if stored is not None:
            return from_row(stored)
    return None


def by_hour(volumes: Volumes, query: Query) -> dict[str, dict[str, int]]:
    """ISO hour (UTC) -> verdict -> how many. No plate."""
    where, values = _where(query)
    counted: dict[str, dict[str, int]] = {}

    def part(connection: database.Connection) -> list[Any]:
        return list(
            connection.execute(
                f"SELECT at_ms / {_HOUR_MS} AS hour, verdict, count(*) AS n"  # noqa: S608
                f" FROM reads WHERE {where} GROUP BY 1, 2 ORDER BY 1",
                values,
            )
        )

    for _, found in volumes.ask(_within(volumes, query), part):
        for row in found:
            hour = clock.iso(from_ms(row["hour"] * _HOUR_MS))
            verdicts = counted.setdefault(hour, {})
            verdicts[row["verdict"]] = verdicts.get(row["verdict"], 0) + row["n"]
    return dict(sorted(counted.items()))


def events_after(volumes: Volumes, cursor: int, limit: int) -> list[dict[str, Any]]:
    """Passages new or changed since that cursor, oldest change first. No plate, no label."""

    def part(connection: database.Connection) -> list[Any]:
        return list(
            connection.execute(
                "SELECT cursor, id, at_ms, lane, verdict, reason, direction FROM reads"
                " WHERE cursor > ? ORDER BY cursor LIMIT ?",
                (cursor, limit),
            )
        )

    newer = [v for v in volumes.newest_first() if v.last_cursor > cursor]
    found = [
        {
            "cursor": r["cursor"],
            "passage_id": f"{volume.name}.{r['id']}",
            "at": clock.iso(from_ms(r["at_ms"])),
            "lane": r["lane"],
            "verdict": r["verdict"],
            "reason": r["reason"],
            "direction": r["direction"],
        }
        for volume, rows in volumes.ask(newer, part)
        for r in rows
    ]
    return heapq.nsmallest(limit, found, key=lambda event: int(event["cursor"]))


def _time(text: str) -> datetime:
    at = clock.from_iso(text)
    if at.year < _EARLIEST_YEAR:
        raise ValueError("a time before there were plates to read")
    return at


def _within(volumes: Volumes, query: Query) -> list[Volume]:
    """The volumes whose day touches the period; a read's own day is its volume's."""
    first = query.from_at.astimezone(UTC).date().isoformat() if query.from_at else ""
    until = query.to_at - timedelta(milliseconds=1) if query.to_at else None
    last = until.astimezone(UTC).date().isoformat() if until else "9999-12-31"
    return volumes.newest_first(first, last)


def _where(query: Query) -> tuple[str, list[Any]]:
    clauses: dict[str, Any] = {
        "at_ms >= ?": to_ms(query.from_at) if query.from_at else None,
        "at_ms < ?": to_ms(query.to_at) if query.to_at else None,
        "lane = ?": query.lane or None,
        "verdict = ?": query.verdict or None,
        "reason = ?": query.reason_code or None,
    }
    if "?" in query.plate or "*" in query.plate:
        start = re.split(r"[?*]", query.plate, maxsplit=1)[0]
        clauses["plate GLOB ?"] = query.plate
        # Plates hold A-Z 0-9 only: these bounds let the index find a pattern's beginning, and a
        # passage without a read, whose plate is empty, is no plate.
        clauses["plate >= ?"], clauses["plate < ?"] = start or "0", f"{start}~"
    else:
        clauses["plate = ?"] = query.plate or None
    used = {k: v for k, v in clauses.items() if v is not None}
    return " AND ".join(used) or "1", list(used.values())


def _found_row(volume: Volume, row: Any) -> dict[str, Any]:
    return {
        "passage_id": f"{volume.name}.{row['id']}",
        "at": clock.iso(from_ms(row["at_ms"])),
        "lane": row["lane"],
        "plate": row["plate"],
        "verdict": row["verdict"],
        "reason": row["reason"],
        "actor": row["actor"][:_LONGEST_TEXT],
        "label": row["label"][:_LONGEST_TEXT],
        "direction": row["direction"],
        "agreeing": row["agreeing"],
        "score": row["score"],
    }
