"""Weekly hours on the site's own wall clock.

1. A span names the days on which it begins; it holds from its first minute up to, not including,
   its last.
2. A span that ends at or before its beginning reaches into the next day; equal minutes are a whole
   day.
3. The wall clock at the site rules. Where daylight saving skips an hour, a span of that hour does
   not occur; where an hour is repeated, both count. A night span is an hour longer or shorter.

The zone is given as a value, loaded beforehand: nothing here opens a file.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, tzinfo

from appliance.values import WeeklyHours

DAY_MINUTES = 1440


def within(hours: Iterable[WeeklyHours], now_at: datetime, zone: tzinfo) -> bool:
    """True where one of the spans holds at that moment. ``now_at`` must carry its zone."""
    if now_at.tzinfo is None:
        raise ValueError("a time needs its zone")
    local = now_at.astimezone(zone)
    minute = local.hour * 60 + local.minute
    return any(_holds(span, local.weekday(), minute) for span in hours)


def refusal(span: WeeklyHours) -> str:
    """Why a span cannot be understood; empty where it can."""
    if not span.days or any(day not in range(7) for day in span.days):
        return "days run from 0, Monday, to 6"
    if not 0 <= span.from_minute < DAY_MINUTES:
        return "a span begins between minute 0 and 1439"
    if not 0 <= span.until_minute <= DAY_MINUTES:
        return "a span ends between minute 0 and 1440"
    return ""


def _holds(span: WeeklyHours, day: int, minute: int) -> bool:
    if span.from_minute < span.until_minute:
        return day in span.days and span.from_minute <= minute < span.until_minute
    began_today = day in span.days and minute >= span.from_minute
    began_yesterday = (day - 1) % 7 in span.days and minute < span.until_minute
    return began_today or began_yesterday
