"""Put the signs of a plate on their row: spacing, emboss, separators, small stacked signs.

Signs keep the face's proportions where the row has room and are squeezed where it has not.
Lengths are pixels of the canvas.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from models.synth.canvas import Canvas, Colour
from models.synth.emblems import paint_emblem
from models.synth.fonts import MASK_HEIGHT_PX, Face, Mask
from models.synth.regions import SEPARATORS, Inscription, Region


@dataclass(frozen=True, slots=True)
class Row:
    """Where one line of signs goes: left, right, centre line and sign height."""

    x0: float
    x1: float
    y: float
    height: float


def place_rows(
    rng: np.random.Generator,
    canvas: Canvas,
    region: Region,
    span: tuple[float, float],
    two_line: bool,
) -> list[Row]:
    height = canvas.height
    if two_line:
        sign = height * rng.uniform(0.33, 0.39)
        return [Row(*span, height * 0.29, sign), Row(*span, height * 0.73, sign)]
    middle = {"us": 0.52, "br": 0.6, "ar": 0.6}.get(region.family, 0.5) + rng.normal(0, 0.015)
    sign = height * rng.uniform(*region.sign_height) * rng.uniform(0.94, 1.1)
    if region.family == "us" and rng.random() < 0.12:
        sign *= rng.uniform(1.05, 1.3)
    return [Row(*span, height * middle, sign)]


def split_lines(marks: str) -> list[str]:
    cuts = [i for i, mark in enumerate(marks) if mark in SEPARATORS] or [len(marks) // 2]
    cut = min(cuts, key=lambda i: abs(i - len(marks) / 2))
    return [marks[:cut].strip(SEPARATORS), marks[cut:].strip(SEPARATORS)]


def write_row(
    rng: np.random.Generator,
    canvas: Canvas,
    face: Face,
    content: tuple[Row, str, Inscription],
    paint: tuple[Colour, Colour],
) -> None:
    row, marks, inscription = content
    x0, x1 = row.x0, row.x1
    if inscription.stacked:
        x0, x1 = _write_stacked(rng, canvas, face, inscription, row, paint[0])
    stretch = row.height / MASK_HEIGHT_PX * rng.uniform(0.92, 1.12)
    pitch = face.pitch_px * stretch
    fixed_pitch = rng.random() < 0.6
    equal_cells = rng.random() < 0.5
    gap = pitch * rng.uniform(0.14, 0.42)
    wide = {
        " ": rng.uniform(0.25, 0.9),
        "-": rng.uniform(0.35, 0.7),
        ".": 0.3,
        "*": rng.uniform(0.4, 1.25),
    }
    # Dies and small-sign spaces are equally wide: then M and W are pressed together.
    widest = pitch * (rng.uniform(1.0, 1.15) if equal_cells else 9.0)
    widths = []
    for mark in marks:
        if mark in SEPARATORS:
            widths.append(wide[mark] * pitch)
            continue
        own = min(widest, face.masks[mark].shape[1] * stretch)
        widths.append(max(own, pitch) if fixed_pitch else own)
    total = sum(widths) + gap * (len(marks) - 1)
    room = x1 - x0
    squeeze = min(1.0, room / total)
    if total < room * 0.85 and rng.random() < 0.5:
        gap += min((room * 0.9 - total) / max(1, len(marks) - 1), pitch * 0.4)
        total = sum(widths) + gap * (len(marks) - 1)
    x = x0 + (room - total * squeeze) * rng.uniform(0.3, 0.7)
    height = round(row.height)
    mask = np.zeros((height, canvas.width), np.uint8)
    for mark, width in zip(marks, widths, strict=True):
        if mark in SEPARATORS:
            _paint_separator(rng, canvas, mark, (x, width * squeeze), row, paint[0])
        else:
            _place_sign(mask, face.masks[mark], x, width * squeeze, stretch * squeeze)
        x += (width + gap) * squeeze
    _emboss(rng, canvas, mask, row.y - row.height / 2, paint)


def _place_sign(row_mask: Mask, glyph: Mask, x: float, cell: float, stretch: float) -> None:
    """Scale a glyph and put it in the middle of its cell on the row's mask."""
    width = max(2, round(min(glyph.shape[1] * stretch, cell)))
    left = max(0, round(x + (cell - width) / 2))
    width = min(width, row_mask.shape[1] - left)
    if width >= 2:
        scaled = cv2.resize(glyph, (width, row_mask.shape[0]), interpolation=cv2.INTER_LINEAR)
        np.maximum(row_mask[:, left : left + width], scaled, out=row_mask[:, left : left + width])


def _emboss(
    rng: np.random.Generator, canvas: Canvas, mask: Mask, top: float, paint: tuple[Colour, Colour]
) -> None:
    ink, ground = paint
    bold = rng.random()
    if bold < 0.2:
        mask = np.asarray(cv2.dilate(mask, np.ones((2, 2), np.uint8)), np.uint8)
    elif bold < 0.35:
        mask = np.asarray(cv2.erode(mask, np.ones((2, 2), np.uint8)), np.uint8)
    if rng.random() < 0.5:
        b, g, r = ground
        relief = rng.uniform(12, 70)
        canvas.stamp(mask, -1, top - 1, (b + relief, g + relief, r + relief), 0.7)
        canvas.stamp(mask, 1, top + 1, (b - relief, g - relief, r - relief), 0.7)
    canvas.stamp(mask, 0, top, ink)


def _paint_separator(
    rng: np.random.Generator,
    canvas: Canvas,
    mark: str,
    box: tuple[float, float],
    row: Row,
    ink: Colour,
) -> None:
    x, width = box
    middle = x + width / 2
    if mark == "-":
        thick = row.height * rng.uniform(0.045, 0.08)
        canvas.box(x + width * 0.15, row.y - thick, x + width * 0.85, row.y + thick, ink)
    elif mark == ".":
        canvas.disc(middle, row.y, row.height * 0.06, row.height * 0.06, ink)
    elif mark == "*" or rng.random() < 0.35:
        half = min(width * rng.uniform(0.45, 0.75), row.height * 0.35)
        size = (max(1.5, half), row.height * rng.uniform(0.2, 0.55))
        paint_emblem(rng, canvas, (middle, row.y + row.height * rng.normal(0, 0.06)), size, ink)


def _write_stacked(
    rng: np.random.Generator,
    canvas: Canvas,
    face: Face,
    inscription: Inscription,
    row: Row,
    ink: Colour,
) -> tuple[float, float]:
    """Small signs one above the other at one end; returns the span left for the large ones."""
    small = inscription.stacked[:3]
    sign = row.height * min(0.48, 0.96 / max(2, len(small)))
    stretch = sign / MASK_HEIGHT_PX * rng.uniform(1.0, 1.4)
    width = max(face.masks[c].shape[1] for c in small) * stretch
    left = row.x0 if inscription.stacked_first else row.x1 - width
    step = row.height / max(2, len(small))
    for place, sign_name in enumerate(small):
        glyph = face.masks[sign_name]
        size = (max(2, round(glyph.shape[1] * stretch)), round(sign))
        mask = np.asarray(cv2.resize(glyph, size, interpolation=cv2.INTER_AREA), np.uint8)
        canvas.stamp(mask, left, row.y - row.height / 2 + place * step, ink)
    space = width + row.height * rng.uniform(0.12, 0.3)
    return (row.x0 + space, row.x1) if inscription.stacked_first else (row.x0, row.x1 - space)
