"""What the name of a volume means: a UTC day, ``2026-11-21``, or an hour of it, ``2026-11-21T14``.

Both kinds may lie side by side after the policy changed. A day that began in hours ends in hours.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)

_NAME = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2})?")
_HOURS_AROUND = 2
"""A car's messages come within minutes; its hour and two on either side are looked through."""


def is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


def day_of(at: datetime) -> str:
    return at.astimezone(UTC).date().isoformat()


def hour_of(at: datetime) -> str:
    return f"{day_of(at)}T{at.astimezone(UTC).hour:02d}"


def begins_at(name: str) -> datetime:
    """Raises ValueError for a name that is no time."""
    day, _, hour = name.partition("T")
    return datetime.fromisoformat(day).replace(hour=int(hour or 0), tzinfo=UTC)


def ends_at(name: str) -> datetime:
    return begins_at(name) + (HOUR if "T" in name else DAY)


def holds(name: str, at: datetime) -> bool:
    """Whether that moment lies in the volume's span."""
    return name in (day_of(at), hour_of(at))


def around(at: datetime) -> tuple[str, ...]:
    """Where the read of a car may lie whose message names that time: its own span first, then the
    neighbours, for a later message may carry another time."""
    hours = (at + n * HOUR for n in sorted(range(-_HOURS_AROUND, _HOURS_AROUND + 1), key=abs))
    return (day_of(at), *(hour_of(h) for h in hours), day_of(at - DAY), day_of(at + DAY))
