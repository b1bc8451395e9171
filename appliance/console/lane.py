"""The lane as a drawing: a front view of the arm and, below it, the same lane seen from above.

Pure geometry in the units of the drawing's own box (520 wide). The template draws it, the page's
script turns the arm afterwards; both use the numbers given here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

PIVOT_X, PIVOT_Y = 118, 318
ARM = 306
OPEN_DEGREES = 84.0
_BY_POSITION = {"open": 1.0, "moving": 0.5, "closed": 0.0}


@dataclass(frozen=True, slots=True)
class Lane:
    """Where the arm is drawn."""

    raised: float
    """0 closed .. 1 open."""
    degrees: float
    """As an SVG rotation about the pivot: negative is up."""
    reach: float
    """How far the arm reaches over the lane, seen from above."""
    known: bool
    """False: no sensor says where the arm is; it is drawn as a ghost."""
    path: str
    """The way of the arm's tip."""


def draw(position: str, raised: float | None) -> Lane:
    """``raised`` is the true angle where something simulates; else the position stands for it."""
    known = raised is not None or position in _BY_POSITION
    share = _BY_POSITION.get(position, 0.0) if raised is None else min(1.0, max(0.0, raised))
    return Lane(share, round(-share * OPEN_DEGREES, 2), round(reach(share), 1), known, _path())


def reach(share: float) -> float:
    """The arm's shadow on the lane."""
    return ARM * math.cos(math.radians(share * OPEN_DEGREES))


def _path() -> str:
    end = math.radians(OPEN_DEGREES)
    x, y = PIVOT_X + ARM * math.cos(end), PIVOT_Y - ARM * math.sin(end)
    return f"M{PIVOT_X + ARM} {PIVOT_Y}A{ARM} {ARM} 0 0 0 {x:.1f} {y:.1f}"
