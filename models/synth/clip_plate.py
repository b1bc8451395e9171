"""The number plates of rendered scenarios: an invented state, 2:1, dark on pale, crisp.

No real state's name, colours or pattern; the signs are the engineering letters of ``glyphs``.
"""

from __future__ import annotations

import numpy as np

from models.synth.clip_sheet import Colour, Points, Sheet
from models.synth.clip_view import Picture
from models.synth.glyphs import SKELETONS, WIDTHS, strokes

WIDTH_M, HEIGHT_M = 0.335, 0.1675
_INK: Colour = (74, 46, 26)
_GROUND: Colour = (236, 242, 240)
_HILL: Colour = (196, 214, 196)
_STATE = "JUNIPER"
_PX_PER_M = 1600.0


def plate_picture(text: str) -> Picture:
    """A plate that says ``text``; a space is a gap of half a sign."""
    sheet = Sheet(WIDTH_M, HEIGHT_M, _PX_PER_M)
    half = WIDTH_M / 2
    sheet.box(-half, 0, half, HEIGHT_M, (206, 210, 210), round_m=0.012)
    sheet.box(-half + 0.003, 0.003, half - 0.003, HEIGHT_M - 0.003, _GROUND, round_m=0.010)
    hill: Points = [(-half, 0.004), (half, 0.004), (half, 0.030), (0.09, 0.018), (0.02, 0.030),
                    (-0.06, 0.016), (-0.12, 0.028), (-half, 0.014)]
    sheet.shape(hill, _HILL, alpha=0.8, inside=True)
    _write(sheet, _STATE, 0.136, 0.016, 0.0022, (120, 92, 60))
    _write(sheet, text, 0.042, 0.076, 0.0092, _INK)
    for x in (-0.09, 0.09):
        for y in (0.150, 0.014):
            sheet.disc(x, y, 0.0035, 0.0035, (150, 152, 152), (110, 112, 112))
    return sheet.picture()


def _write(
    sheet: Sheet, text: str, foot_m: float, height_m: float, stroke_m: float, ink: Colour
) -> None:
    """Writes the line centred, its feet at ``foot_m``, squeezed where it would not fit."""
    sign, gap = height_m * 0.45, height_m * 0.125
    widths = [sign * (0.5 if c == " " else WIDTHS.get(c, 1.0)) for c in text]
    total = sum(widths) + gap * (len(text) - 1)
    squeeze = min(1.0, (WIDTH_M - 0.030) / total)
    x = -total * squeeze / 2
    for mark, width in zip(text, widths, strict=True):
        if mark != " ":
            for is_round, points in strokes(SKELETONS[mark][0]):
                pen = stroke_m / 2
                box_w, box_h = width * squeeze - 2 * pen, height_m - 2 * pen
                placed = [(x + pen + px * box_w, foot_m + pen + (1 - py) * box_h)
                          for px, py in points]
                sheet.line(_eased(placed) if is_round else placed, stroke_m, ink)
        x += (width + gap) * squeeze


def _eased(points: Points) -> Points:
    """An open path with its inner corners rounded by a quarter of a sign's width."""
    limit = 0.42 * (max(x for x, _ in points) - min(x for x, _ in points))
    out = [points[0]]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        into = np.subtract(corner, before)
        onto = np.subtract(after, corner)
        long_in, long_on = float(np.hypot(*into)), float(np.hypot(*onto))
        cut = min(limit, long_in / 2 if before != points[0] else long_in,
                  long_on / 2 if after != points[-1] else long_on)
        start = np.array(corner) - into / max(long_in, 1e-9) * cut
        end = np.array(corner) + onto / max(long_on, 1e-9) * cut
        for t in np.linspace(0, 1, 9):
            p = (1 - t) ** 2 * start + 2 * t * (1 - t) * np.array(corner) + t**2 * end
            out.append((float(p[0]), float(p[1])))
    return [*out, points[-1]]
