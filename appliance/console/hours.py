"""Weekly hours in a form: up to three spans, each some days and two times of day."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.console import words
from appliance.console.forms import Form
from appliance.console.tongue import _
from appliance.values import WeeklyHours

SPANS = 3
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Span:
    """One row of the editor as it is shown."""

    number: int
    days: frozenset[int]
    from_time: str
    until_time: str


def read(form: Form) -> tuple[WeeklyHours, ...]:
    """The spans with at least one day. Refuses a span whose times are missing or equal."""
    found = []
    for number in range(SPANS):
        days = tuple(int(d) for d in form.choices(f"days{number}", list("0123456")))
        if not days:
            continue
        begins = _minute(form.sent.get(f"from{number}", ""))
        ends = _minute(form.sent.get(f"until{number}", ""))
        if begins is None or ends is None:
            form.refuse(f"days{number}", _("Give both times, such as 08:00 and 17:00."))
        elif begins == ends and begins != 0:
            form.refuse(f"days{number}", _("The two times are the same."))
        else:
            found.append(WeeklyHours(tuple(sorted(set(days))), begins, ends))
    return tuple(found)


def spans_of(form: Form) -> list[Span]:
    return [
        Span(n, frozenset(int(d) for d in form.values(f"days{n}") if d.isdigit()),
             form.value(f"from{n}"), form.value(f"until{n}"))
        for n in range(SPANS)
    ]


def defaults(hours: Sequence[WeeklyHours]) -> dict[str, str | list[str]]:
    filled: dict[str, str | list[str]] = {}
    for number, span in enumerate(hours[:SPANS]):
        filled[f"days{number}"] = [str(d) for d in span.days]
        filled[f"from{number}"] = _written(span.from_minute)
        filled[f"until{number}"] = _written(span.until_minute)
    return filled


def in_words(hours: Sequence[WeeklyHours]) -> str:
    """"Mon–Fri 08:00–17:00"; empty hours mean any hour."""
    if not hours:
        return _("any hour")
    return "; ".join(
        f"{_days(span.days)} {_written(span.from_minute)}–{_written(span.until_minute)}"
        for span in hours
    )


def _days(days: Sequence[int]) -> str:
    names = [str(d) for d in words.SHORT_DAYS]
    ordered = sorted(set(days))
    if len(ordered) == 7:
        return _("every day")
    if len(ordered) > 2 and ordered == list(range(ordered[0], ordered[-1] + 1)):
        return f"{names[ordered[0]]}–{names[ordered[-1]]}"
    return ", ".join(names[d] for d in ordered)


def _minute(text: str) -> int | None:
    found = _TIME.fullmatch(text.strip())
    return int(found[1]) * 60 + int(found[2]) if found else None


def _written(minute: int) -> str:
    return f"{minute // 60 % 24:02d}:{minute % 60:02d}"
