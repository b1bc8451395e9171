"""The painted panels of a car: front or back, deck, glass, flank, cabin side, mirror, shadow.

No make is meant: plain bodies with lamps, a grille, a windscreen and a light from above.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models.synth.clip_sheet import Colour, Points, Sheet, lit, mixed, rounded
from models.synth.clip_view import Picture

if TYPE_CHECKING:
    from models.synth.clip_car import Shape

PLATE_IN_FRONT, PLATE_AT_BACK = 0.50, 0.63
"""Height of the plate's middle as a share of the panel's height."""
_GLASS: Colour = (44, 38, 34)
_RUBBER: Colour = (24, 24, 24)
_CHROME: Colour = (206, 204, 200)
_SKY: Colour = (226, 208, 190)


def paint_of(colour: str) -> Colour:
    """BGR of #rrggbb."""
    return (float(int(colour[5:7], 16)), float(int(colour[3:5], 16)), float(int(colour[1:3], 16)))


def front(s: Shape, paint: Colour) -> Picture:
    """The front: bumper, grille, lamps. Drawn for a height of 0.80 and stretched."""
    sheet, k, w = Sheet(2 * s.half, s.nose), s.nose / 0.80, s.half / 0.90
    _tyres(sheet, w)
    _hull(sheet, s, paint)

    def sc(points: Points) -> Points:
        return [(x * w, y * k) for x, y in points]

    sheet.shape(sc([(-0.80, 0.76), (0.80, 0.76), (0.66, 0.715), (-0.66, 0.715)]),
                lit(paint, 1.25, 26), lit(paint, 1.05), alpha=0.7, soft_m=0.012, inside=True)
    grille = rounded(sc([(-0.43, 0.70), (0.43, 0.70), (0.40, 0.535), (-0.40, 0.535)]), 2)
    sheet.shape([(x * 1.035, y + (y - 0.617 * k) * 0.14) for x, y in grille], _CHROME,
                lit(_CHROME, 0.55))
    sheet.shape(grille, (30, 30, 30), (18, 18, 18))
    for n in range(4):
        y = (0.565 + n * 0.036) * k
        sheet.line([(-0.40 * w, y), (0.40 * w, y)], 0.011, (64, 64, 64), alpha=0.9)
    sheet.disc(0, 0.725 * k, 0.034, 0.022, _CHROME, lit(_CHROME, 0.7))
    lamp = rounded(sc([(0.47, 0.675), (0.83, 0.735), (0.885, 0.66), (0.83, 0.575), (0.50, 0.575)]))
    sheet.shape(lamp, (78, 76, 72), (46, 44, 42), mirrored=True)
    for x, r in ((0.585, 0.040), (0.715, 0.046)):
        sheet.disc(x * w, 0.628 * k, r, r, (168, 166, 160), (120, 118, 114), mirrored=True)
        sheet.disc(x * w, 0.628 * k, r * 0.62, r * 0.62, (240, 240, 236), (196, 196, 192),
                   mirrored=True)
    sheet.line(sc([(0.50, 0.664), (0.66, 0.694), (0.82, 0.716), (0.862, 0.655)]), 0.014,
               (246, 246, 244), mirrored=True)
    sheet.line(sc([(-0.88, 0.485), (-0.5, 0.50), (0.5, 0.50), (0.88, 0.485)]), 0.008,
               lit(paint, 0.55), alpha=0.8)
    bed = rounded(sc([(-0.215, 0.505), (0.215, 0.505), (0.205, 0.295), (-0.205, 0.295)]), 2)
    sheet.shape(bed, lit(paint, 0.70), lit(paint, 0.82), alpha=0.8, soft_m=0.004)
    intake = rounded(sc([(-0.57, 0.285), (0.57, 0.285), (0.50, 0.185), (-0.50, 0.185)]), 2)
    sheet.shape(intake, (26, 26, 26), (16, 16, 16))
    for n in range(3):
        y = (0.208 + n * 0.026) * k
        sheet.line([(-0.52 * w, y), (0.52 * w, y)], 0.006, (60, 60, 60))
    corner = rounded(sc([(0.63, 0.36), (0.83, 0.40), (0.85, 0.27), (0.64, 0.24)]), 2)
    sheet.shape(corner, (34, 34, 34), (20, 20, 20), mirrored=True)
    sheet.disc(0.72 * w, 0.31 * k, 0.036, 0.036, (190, 188, 182), (110, 108, 106), mirrored=True)
    sheet.shape(sc([(-0.80, 0.155), (0.80, 0.155), (0.76, 0.125), (-0.76, 0.125)]), _RUBBER)
    return _curved(sheet)


def back(s: Shape, paint: Colour) -> Picture:
    """The back: lamps at the corners, the plate in a recess, the bumper below."""
    sheet, k, w = Sheet(2 * s.half, s.nose), s.nose / 0.80, s.half / 0.90
    _tyres(sheet, w)
    _hull(sheet, s, paint)

    def sc(points: Points) -> Points:
        return [(x * w, y * k) for x, y in points]

    sheet.shape(sc([(-0.82, 0.775), (0.82, 0.775), (0.78, 0.72), (-0.78, 0.72)]),
                lit(paint, 1.2, 18), lit(paint, 1.0), alpha=0.6, soft_m=0.01, inside=True)
    lamp = rounded(sc([(0.56, 0.68), (0.88, 0.70), (0.885, 0.50), (0.74, 0.50), (0.58, 0.58)]))
    sheet.shape(lamp, (46, 40, 190), (30, 24, 120), mirrored=True)
    sheet.shape(rounded(sc([(0.60, 0.655), (0.82, 0.67), (0.82, 0.625), (0.62, 0.61)]), 2),
                (110, 104, 232), (70, 62, 214), mirrored=True)
    sheet.disc(0.79 * w, 0.55 * k, 0.034, 0.030, (206, 210, 214), (150, 154, 158), mirrored=True)
    bed = rounded(sc([(-0.27, 0.64), (0.27, 0.64), (0.25, 0.385), (-0.25, 0.385)]), 2)
    sheet.shape(bed, lit(paint, 0.52), lit(paint, 0.74))
    sheet.line(sc([(-0.26, 0.652), (0.26, 0.652)]), 0.018, _CHROME, alpha=0.9)
    sheet.line(sc([(-0.86, 0.36), (0.86, 0.36)]), 0.008, lit(paint, 0.5), alpha=0.8)
    sheet.shape(rounded(sc([(-0.76, 0.25), (0.76, 0.25), (0.68, 0.13), (-0.68, 0.13)]), 2),
                (36, 36, 36), (20, 20, 20))
    sheet.box(0.66 * w, 0.27 * k, 0.82 * w, 0.295 * k, (40, 34, 150), round_m=0.01, mirrored=True)
    return _curved(sheet)


def deck(paint: Colour) -> Picture:
    """Bonnet or boot lid, lit by the sky: brightest away from its edges."""
    sheet = Sheet(1.8, 0.9, 360)
    edge: Points = [(-0.9, 0), (0.9, 0), (0.9, 0.9), (-0.9, 0.9)]
    sheet.shape(edge, mixed(lit(paint, 1.05), _SKY, 0.34), lit(paint, 1.05, 8))
    middle: Points = [(-0.44, 0), (0.44, 0), (0.54, 0.9), (-0.54, 0.9)]
    sheet.shape(middle, mixed(lit(paint, 1.1), _SKY, 0.42), lit(paint, 1.12, 12), alpha=0.8,
                soft_m=0.03, inside=True)
    for sign in (-1, 1):
        sheet.line([(sign * 0.50, 0), (sign * 0.58, 0.9)], 0.012, lit(paint, 0.72), alpha=0.45)
    across = sheet.across()
    sheet.shade((1.0 - 0.30 * np.abs(across) ** 5).astype(np.float32))
    sheet.box(-0.9, 0.86, 0.9, 0.9, (26, 26, 26), alpha=0.9, inside=True)
    sheet.box(-0.9, 0, 0.9, 0.012, lit(paint, 0.45), alpha=0.8, inside=True)
    return sheet.picture()


def glass(paint: Colour, *, back: bool) -> Picture:
    """Windscreen or rear window between its pillars, with the roof's edge above."""
    sheet = Sheet(1.6, 0.8, 420)
    sheet.box(-0.8, 0, 0.8, 0.8, lit(paint, 1.05, 12), lit(paint, 0.85), round_m=0.02)
    sheet.box(-0.735, 0.01, 0.735, 0.72, (18, 18, 18), round_m=0.07)
    sheet.box(-0.72, 0.025, 0.72, 0.705, mixed(_GLASS, _SKY, 0.30), lit(_GLASS, 0.9), round_m=0.06)
    for x in (-0.36, 0.36):
        sheet.box(x - 0.17, 0.02, x + 0.17, 0.40, (26, 24, 22), round_m=0.07, alpha=0.85,
                  soft_m=0.008)
        sheet.box(x - 0.08, 0.40, x + 0.08, 0.54, (26, 24, 22), round_m=0.04, alpha=0.85,
                  soft_m=0.008)
    if back:
        sheet.box(-0.16, 0.66, 0.16, 0.69, (50, 46, 170), round_m=0.01)
    else:
        sheet.box(-0.09, 0.60, 0.09, 0.665, (22, 22, 22), round_m=0.02)
        sheet.box(-0.71, 0.025, 0.71, 0.085, (30, 30, 30), (20, 20, 20), alpha=0.8, soft_m=0.01)
        sheet.line([(-0.62, 0.035), (-0.05, 0.075)], 0.014, (14, 14, 14))
        sheet.line([(0.02, 0.035), (0.58, 0.075)], 0.014, (14, 14, 14))
    streak: Points = [(-0.72, 0.72), (-0.10, 0.72), (-0.52, 0.02), (-0.72, 0.02)]
    sheet.shape(streak, _SKY, lit(_SKY, 0.8), alpha=0.20, soft_m=0.03, inside=True)
    sheet.shape([(0.05, 0.72), (0.22, 0.72), (-0.20, 0.02), (-0.36, 0.02)], _SKY, alpha=0.10,
                soft_m=0.02, inside=True)
    sheet.box(-0.8, 0.735, 0.8, 0.8, lit(paint, 1.25, 30), lit(paint, 1.0), alpha=0.8,
              soft_m=0.004, inside=True)
    return sheet.picture()


def side(length_m: float, s: Shape, paint: Colour) -> Picture:
    """The flank below the windows, with wheels; its near end is at the left."""
    high_m = s.deck_high
    sheet, half = Sheet(length_m, high_m, 260), length_m / 2
    body: Points = [(-half, 0.22), (-half, s.nose - 0.03), (-half + s.deck, high_m),
                    (half - 0.2, high_m), (half, high_m * 0.85), (half, 0.24)]
    sheet.shape(body, lit(paint, 1.08, 10), lit(paint, 0.62))
    sheet.line([(-half, high_m * 0.72), (half, high_m * 0.76)], 0.02, lit(paint, 1.2, 16),
               alpha=0.5)
    for x in (-half + 1.55, -half + 2.65):
        sheet.line([(x, 0.26), (x, high_m)], 0.010, lit(paint, 0.45), alpha=0.8)
    for x in (-half + 1.9, -half + 3.0):
        if x < half - 0.6:
            sheet.box(x, high_m * 0.80, x + 0.2, high_m * 0.835, lit(paint, 0.6), round_m=0.01)
    sheet.box(-half, 0.20, half, 0.27, (34, 34, 34), alpha=0.9)
    for x in (-half + 0.85, half - 0.95):
        sheet.disc(x, 0.36, 0.40, 0.40, (16, 16, 16))
        sheet.disc(x, 0.33, 0.33, 0.33, _RUBBER)
        sheet.disc(x, 0.33, 0.225, 0.225, (150, 150, 148), (100, 100, 98))
        for n in range(5):
            angle = n * 2 * np.pi / 5 + 0.3
            sheet.disc(x + 0.13 * float(np.cos(angle)), 0.33 + 0.13 * float(np.sin(angle)),
                       0.05, 0.05, (52, 52, 52))
    return sheet.picture()


def cabin(length_m: float, paint: Colour) -> Picture:
    """The side windows under the roof's edge."""
    sheet, half = Sheet(length_m, 0.6, 260), length_m / 2
    sheet.box(-half, 0, half, 0.6, lit(paint, 1.0, 8), lit(paint, 0.9))
    for start, stop in ((-half + 0.14, -half + length_m * 0.36),
                        (-half + length_m * 0.40, -half + length_m * 0.68),
                        (-half + length_m * 0.72, half - 0.14)):
        sheet.box(start, 0.04, stop, 0.50, mixed(_GLASS, _SKY, 0.25), _GLASS, round_m=0.05)
    return sheet.picture()


def mirror(paint: Colour) -> Picture:
    sheet = Sheet(0.21, 0.16, 600)
    sheet.box(-0.10, 0.015, 0.10, 0.155, lit(paint, 1.08, 8), lit(paint, 0.6), round_m=0.05)
    return sheet.picture()


def ledge(paint: Colour) -> Picture:
    """The strip of body beside the windows, seen from above."""
    sheet = Sheet(0.4, 0.4, 120)
    sheet.box(-0.2, 0, 0.2, 0.4, mixed(lit(paint, 1.05), _SKY, 0.22), lit(paint, 1.05))
    return sheet.picture()


def wings(paint: Colour) -> Picture:
    """What stands behind the rounded corners of the front or back."""
    sheet = Sheet(1.8, 0.5, 200)
    sheet.box(-0.9, 0, 0.9, 0.5, lit(paint, 0.98), lit(paint, 0.75))
    return sheet.picture()


def shadow() -> Picture:
    """A soft dark patch, the car's whole footprint and a little more."""
    sheet = Sheet(2.4, 5.0, 60)
    sheet.box(-0.98, 0.34, 0.98, 4.7, (8, 8, 8), alpha=0.78, round_m=0.2, soft_m=0.12)
    return sheet.picture()


def _tyres(sheet: Sheet, w: float) -> None:
    sheet.box(0.62 * w, 0.0, 0.845 * w, 0.36, _RUBBER, (12, 12, 12), round_m=0.05, mirrored=True)


def _hull(sheet: Sheet, s: Shape, paint: Colour) -> None:
    half, high = s.half, s.nose
    outline = rounded([
        (-half, 0.20), (-half * 1.01, high * 0.52), (-half * 0.99, high * 0.86),
        (-half * 0.88, high * 1.005), (half * 0.88, high * 1.005), (half * 0.99, high * 0.86),
        (half * 1.01, high * 0.52), (half, 0.20), (half * 0.90, 0.145), (-half * 0.90, 0.145),
    ], 3)
    sheet.shape(outline, lit(paint, 1.10, 10), lit(paint, 0.62))


def _curved(sheet: Sheet) -> Picture:
    """Darkens towards both sides, as a rounded body turns away from the light."""
    across = np.abs(sheet.across())
    sheet.shade((1.02 - 0.34 * across**6).astype(np.float32))
    return sheet.picture()
