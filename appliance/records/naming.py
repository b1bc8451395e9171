"""Which reads somebody names, for a hold or a release: by number, by plate and period, by a hold.

- Passages by their own numbers, at most a thousand.
- A whole plate, or a period with both its ends, or both; a gate may narrow it. A pattern is no
  name: who holds or releases knows what for.
- An earlier hold, whose reads are taken over: an order follows a preservation.

Reads are handed over one by one, so that a thousand pictures are never in memory at once. One that
was deleted since it was named is left out. Any thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from appliance import database
from appliance.errors import RecordError
from appliance.records import query
from appliance.records.held import MOST_READS, HeldRead
from appliance.records.holds import Holds
from appliance.records.volumes import Volumes

_BY_SEARCH = ("plate", "from_at", "to_at", "lane")
_LONGEST_ID = 40


@dataclass(frozen=True, slots=True)
class Named:
    """What was named. One of the three is not empty."""

    passages: tuple[str, ...] = ()
    hold: str = ""
    search: query.Query | None = None

    def told(self) -> dict[str, Any]:
        """For the journal and the hold itself."""
        if self.search is not None:
            return {**self.search.elements(), "passages": len(self.passages)}
        return {"hold": self.hold} if self.hold else {"passages": list(self.passages)}


def named_from(told: Mapping[str, Any], volumes: Volumes) -> Named:
    """Reads it from a message and finds what a search names. Raises RecordError."""
    passages, hold = told.get("passages") or [], told.get("hold") or ""
    searched = {k: told[k] for k in _BY_SEARCH if told.get(k)}
    if sum(map(bool, (passages, hold, searched))) != 1:
        raise NamedWrong(
            "name the reads one way: by number, by plate and period, or by a hold",
            next_step="Leave the other fields empty",
        )
    if searched:
        return _searched(searched, volumes)
    if not isinstance(hold, str) or not isinstance(passages, list):
        raise NamedWrong("the reads are named by text")
    if any(not isinstance(p, str) or len(p) > _LONGEST_ID for p in passages):
        raise NamedWrong("a read is named by its number")
    return Named(tuple(_few(list(dict.fromkeys(passages)))), hold[:_LONGEST_ID])


def reads(named: Named, volumes: Volumes, holds: Holds) -> Iterator[HeldRead]:
    """Raises RecordError."""
    if named.hold:
        yield from holds.files.reads(named.hold)
        return
    for passage_id in named.passages:
        read = _read(volumes, passage_id)
        if read is not None:
            yield read


def _searched(searched: dict[str, Any], volumes: Volumes) -> Named:
    wanted = query.query_from(searched)
    if "?" in wanted.plate or "*" in wanted.plate:
        raise NamedWrong("a pattern names no vehicle", next_step="Write the whole plate")
    if not wanted.plate and not (wanted.from_at and wanted.to_at):
        raise NamedWrong("name a plate, or a period with both its ends")
    found = query.find(volumes, wanted, 1, MOST_READS + 1)
    return Named(tuple(_few([row["passage_id"] for row in found.rows])), search=wanted)


def _few(passages: list[str]) -> list[str]:
    if len(passages) > MOST_READS:
        raise NamedWrong(
            f"this names more than {MOST_READS} reads", next_step="Name a shorter period"
        )
    return passages


def _read(volumes: Volumes, passage_id: str) -> HeldRead | None:
    name, _, number = passage_id.rpartition(".")
    volume = volumes.named(name)
    if volume is None or not number.isascii() or not number.isdigit() or len(number) > 15:
        return None

    def one(connection: database.Connection) -> Any:
        return connection.execute(
            "SELECT at_ms, counts_from_ms, passage, crop FROM whole WHERE id = ?", (int(number),)
        ).fetchone()

    for _, row in volumes.ask([volume], one):
        if row is not None:
            return HeldRead(passage_id, *row)
    return None


class NamedWrong(RecordError):
    key = "named_wrong"
