"""Today in one small chart: how many opened, asked and stayed closed, hour by hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from appliance import clock
from appliance.console.answers import Counts
from appliance.values import Verdict

HEIGHT = 100


@dataclass(frozen=True, slots=True)
class Bar:
    """A stacked piece of one hour; x, y, width and height in the chart's units."""

    verdict: str
    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Hour:
    hour: int
    total: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    hours: tuple[Hour, ...]
    totals: dict[str, int]
    most: int
    now_hour: int

    @property
    def total(self) -> int:
        return sum(self.totals.values())


def midnight(site: ZoneInfo, now: datetime) -> datetime:
    """The start of the site's day, in UTC."""
    local = now.astimezone(site).replace(hour=0, minute=0, second=0, microsecond=0)
    return local.astimezone(UTC)


def chart(counts: Counts | None, site: ZoneInfo, now: datetime) -> Chart | None:
    """24 hours of the site's day; None where records did not answer."""
    if counts is None:
        return None
    by_hour: dict[int, dict[str, int]] = {}
    for hour_at, verdicts in counts.by_hour.items():
        local = clock.from_iso(hour_at).astimezone(site)
        held = by_hour.setdefault(local.hour, {})
        for verdict, n in verdicts.items():
            held[verdict] = held.get(verdict, 0) + n
    most = max((sum(v.values()) for v in by_hour.values()), default=0)
    totals = {v.value: sum(h.get(v.value, 0) for h in by_hour.values()) for v in Verdict}
    hours = tuple(_hour(h, by_hour.get(h, {}), most) for h in range(24))
    return Chart(hours, totals, most, now.astimezone(site).hour)


def _hour(hour: int, verdicts: dict[str, int], most: int) -> Hour:
    bars, base = [], float(HEIGHT)
    for verdict in Verdict:
        n = verdicts.get(verdict.value, 0)
        if n:
            height = round(n / most * (HEIGHT - 4), 1)
            base -= height
            bars.append(Bar(verdict.value, hour * 10, round(base, 1), height))
    return Hour(hour, sum(verdicts.values()), tuple(bars))
