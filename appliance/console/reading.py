"""Reading another program's answer, field by field: what is missing or odd becomes a calm default.

So a page never fails because another program is older, newer or half started.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from appliance import clock

Header = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Issue:
    """Something a program says is wrong, in plain words."""

    program: str
    key: str
    message: str
    next_step: str


def issues(program: str, header: Header) -> tuple[Issue, ...]:
    return tuple(
        Issue(program, text(i, "key"), text(i, "message"), text(i, "next_step"))
        for i in rows(header, "issues")
    )


def table(header: Header, name: str) -> Header:
    told = header.get(name)
    return told if isinstance(told, Mapping) else {}


def rows(header: Header, name: str) -> list[Header]:
    told = header.get(name)
    return [r for r in told if isinstance(r, Mapping)] if isinstance(told, list) else []


def texts(header: Header, name: str) -> tuple[str, ...]:
    """A list of codes."""
    told = header.get(name)
    return tuple(str(t) for t in told) if isinstance(told, list) else ()


def text(header: Header, name: str) -> str:
    told = header.get(name)
    return "" if told is None else str(told)


def count(header: Header, name: str) -> int:
    told = header.get(name)
    return int(told) if isinstance(told, int | float) else 0


def number(header: Header, name: str) -> float | None:
    told = header.get(name)
    is_number = isinstance(told, int | float) and not isinstance(told, bool)
    return float(told) if is_number else None  # type: ignore[arg-type]


def flag(header: Header, name: str) -> bool | None:
    """True, False, or None where it is not known."""
    told = header.get(name)
    return told if isinstance(told, bool) else None


def moment(told: object) -> datetime | None:
    try:
        return clock.from_iso(str(told)) if told else None
    except ValueError:
        return None
