"""The only place that asks the machine what time it is.

Durations come from ``mono()``; wall time is UTC from ``utc_now()`` and travels with its quality.
Every other module takes its time as an argument or calls these (a lint rule forbids the rest).
"""

from __future__ import annotations

import ctypes
import os
import time
from datetime import UTC, datetime

from appliance.values import ClockQuality

_STA_UNSYNC = 0x0040  # linux/timex.h
_EARLIEST_BELIEVABLE = datetime(2026, 1, 1, tzinfo=UTC)  # before this product existed


def mono() -> float:
    """Seconds since boot, the same for every program on the machine."""
    return time.monotonic()


def utc_now() -> datetime:
    return datetime.now(UTC)


def iso(at: datetime) -> str:
    """UTC with milliseconds and a Z, the form every store and message uses."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def from_iso(text: str) -> datetime:
    """Reads ``iso``'s form. Raises ValueError for a time without a zone."""
    at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if at.tzinfo is None:
        raise ValueError("a time needs its zone")
    return at.astimezone(UTC)


def quality() -> ClockQuality:
    """Asks the kernel whether a time source disciplines the clock (adjtimex(2)).

    ``POSTERN_CLOCK`` (synced, free or unknown) states it for a desk or a test, where a container
    hides the kernel's answer.
    """
    stated = os.environ.get("POSTERN_CLOCK", "")
    if stated:
        return ClockQuality(stated)
    if utc_now() < _EARLIEST_BELIEVABLE:
        return ClockQuality.UNKNOWN
    status = _timex_status()
    if status is None:
        return ClockQuality.FREE
    return ClockQuality.FREE if status & _STA_UNSYNC else ClockQuality.SYNCED


def _timex_status() -> int | None:
    """The status word of adjtimex with no mode bits set (a pure read), or None where refused."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        # struct timex: modes:u32 pad offset:long freq:long maxerror:long esterror:long status:int
        buffer = (ctypes.c_long * 64)()
        if libc.adjtimex(ctypes.byref(buffer)) < 0:
            return None
        return int(ctypes.cast(ctypes.byref(buffer, 5 * 8), ctypes.POINTER(ctypes.c_int))[0])
    except (OSError, AttributeError):
        return None
