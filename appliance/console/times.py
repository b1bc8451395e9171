"""Times as people write them: the site's local day and hour, in the reader's language; UTC stands
in the ``datetime`` and ``title`` of each ``<time>``."""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from babel import dates
from flask_babel import get_locale

from appliance.console.tongue import _, _n
from appliance.errors import ApplianceError


class TimeRefused(ApplianceError):
    key = "time_refused"


def zone(name: str) -> ZoneInfo:
    """The site's zone; UTC where the name is not known on this machine."""
    return ZoneInfo(name) if known_zone(name) else ZoneInfo("UTC")


@functools.lru_cache(maxsize=64)
def known_zone(name: str) -> bool:
    """Listing all zones reads hundreds of files: each name is looked up once."""
    return name in available_timezones()


def day_and_time(at: datetime, site: ZoneInfo, now: datetime) -> str:
    """"today 14:32", "yesterday 14:32" or "Mon 16 Nov 14:32"."""
    local, today = at.astimezone(site), now.astimezone(site).date()
    hour = local.strftime("%H:%M")
    if local.date() == today:
        return _("today %(hour)s", hour=hour)
    if local.date() == today - timedelta(days=1):
        return _("yesterday %(hour)s", hour=hour)
    pattern = "EEE d MMM" if local.year == today.year else "d MMM yyyy"
    return f"{dates.format_date(local, pattern, locale=get_locale())} {hour}"


def long_day(at: datetime, site: ZoneInfo) -> str:
    return str(dates.format_date(at.astimezone(site), "full", locale=get_locale()))


def hour_of(at: datetime, site: ZoneInfo, *, seconds: bool = False) -> str:
    return at.astimezone(site).strftime("%H:%M:%S" if seconds else "%H:%M")


def utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def span(seconds: float) -> str:
    """"45 s", "12 min", "3 h", "2 days": one unit is enough for a glance."""
    if seconds < 90:
        return _("%(n)s s", n=max(0, int(seconds)))
    if seconds < 90 * 60:
        return _("%(n)s min", n=round(seconds / 60))
    if seconds < 36 * 3600:
        return _("%(n)s h", n=round(seconds / 3600))
    return _n("%(num)s day", "%(num)s days", round(seconds / 86400))


def kept(hours: float) -> str:
    """A retention as a person says it: whole days where it is whole days."""
    if hours >= 48 and hours % 24 == 0:
        return _n("%(num)s day", "%(num)s days", int(hours // 24))
    return _n("%(num)s hour", "%(num)s hours", int(hours))


def from_local(text: str, site: ZoneInfo) -> datetime | None:
    """What a date-and-time field sends (``2026-11-21T14:30``, or a bare day) as UTC; None if empty.

    Raises TimeRefused.
    """
    if not text.strip():
        return None
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=site).astimezone(UTC)
    except ValueError as cause:
        raise TimeRefused(_("this is not a day and time")) from cause


def to_local(at: datetime | None, site: ZoneInfo) -> str:
    """The form a date-and-time field takes."""
    return at.astimezone(site).strftime("%Y-%m-%dT%H:%M") if at else ""
