"""One moment, taken once and used for every comparison of one step; and times as stored numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance import clock
from appliance.values import ClockQuality

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Moment:
    """What both clocks say, and what the wall clock is worth."""

    at: datetime
    mono: float
    clock: ClockQuality


TakeMoment = Callable[[], Moment]


def moment() -> Moment:
    return Moment(clock.utc_now(), clock.mono(), clock.quality())


def to_ms(at: datetime) -> int:
    """Whole milliseconds since 1970, UTC: the form stores compare by."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def from_ms(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)


def boot() -> str:
    """Names this run of the machine: monotonic times of another boot mean nothing here."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
