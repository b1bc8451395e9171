"""Which way does a car travel through the lane, from the way of its plate through the picture?

A car that comes towards the camera grows, one that leaves shrinks; a camera across the lane sees it
go left or right. What counts as ``in`` is the setting ``[camera] direction_in``. Little movement is
no direction: a standing car's plate jitters by a few per cent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from appliance.recognition.track import Step
from appliance.values import Direction

_GROWTH = 0.08  # natural logarithm of the width: 8 %
_SHIFT = 0.6  # plate widths
_STEPS = 4
_OPPOSITE = {"towards": "away", "away": "towards", "left": "right", "right": "left"}


def direction(path: Sequence[Step], direction_in: str) -> Direction:
    """From the means of the path's first and last third; unknown under four steps."""
    if len(path) < _STEPS:
        return Direction.UNKNOWN
    third = max(2, len(path) // 3)
    moved = _movement(path[:third], path[-third:], sideways=direction_in in ("left", "right"))
    if moved == direction_in:
        return Direction.IN
    return Direction.OUT if moved == _OPPOSITE[direction_in] else Direction.UNKNOWN


def _movement(first: Sequence[Step], last: Sequence[Step], *, sideways: bool) -> str:
    width = fmean(s.width_px for s in (*first, *last))
    if sideways:
        shift = (fmean(s.x for s in last) - fmean(s.x for s in first)) / max(1.0, width)
        return "" if abs(shift) < _SHIFT else "right" if shift > 0 else "left"
    growth = fmean(math.log(max(1.0, s.width_px)) for s in last) - fmean(
        math.log(max(1.0, s.width_px)) for s in first
    )
    return "" if abs(growth) < _GROWTH else "towards" if growth > 0 else "away"
