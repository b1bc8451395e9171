"""Draw one number plate, flat and clean: the picture a scene, a demo clip or a reader starts from.

Rules
- The same generator state gives the same plate; the module keeps no random state of its own.
- `text` is what the recogniser should say: full-size signs only (see regions.py).
- Nothing here is photographic; light, lens and compression are the business of glimpse.py.

Lengths are pixels of the canvas, which is 240 px wide for a US plate and 372 px for a European.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from models.synth import decor
from models.synth.canvas import Canvas, Colour, parse_colour, random_colour
from models.synth.emblems import paint_graphic
from models.synth.fonts import Faces, load_faces
from models.synth.lettering import Row, place_rows, split_lines, write_row
from models.synth.regions import (
    Inscription,
    Region,
    load_regions,
    sample_inscription,
    sample_region,
)

PX_PER_MM = {"us": 0.79, "br": 0.74, "ar": 0.74}
EUROPEAN_PX_PER_MM = 0.715
TWO_LINE_MM = {"us": (305.0, 152.0)}


@dataclass(frozen=True, slots=True)
class RenderedPlate:
    """A flat plate: `pixels` (H, W, 3) BGR uint8, corners are the picture's own corners."""

    pixels: NDArray[np.uint8]
    text: str
    region: str
    two_line: bool


@dataclass(frozen=True, slots=True)
class DrawnPlate:
    """A plate still on its float canvas, for callers that go on painting."""

    canvas: Canvas
    text: str
    region: Region
    two_line: bool
    ink: Colour


def render_plate(
    rng: np.random.Generator,
    region: str | None = None,
    text: str | None = None,
    fonts: str | Faces = "drawn",
    two_line: bool = False,
) -> RenderedPlate:
    """A colour plate of the region (or of any), with the text given (separators too) or a new one.

    `fonts` is "drawn" (no font file needed), "all", or faces already loaded.
    """
    faces = _default_faces(fonts) if isinstance(fonts, str) else fonts
    chosen = load_regions()[region] if region else sample_region(rng)
    inscription = Inscription(text.upper()) if text else sample_inscription(rng, chosen)
    plate = draw_plate(rng, chosen, inscription, faces, two_line=two_line)
    pixels = np.clip(plate.canvas.pixels, 0, 255).astype(np.uint8)
    return RenderedPlate(pixels, plate.text, chosen.code, plate.two_line)


def draw_plate(
    rng: np.random.Generator,
    region: Region,
    inscription: Inscription,
    faces: Faces,
    tone: Colour | None = None,
    two_line: bool = False,
) -> DrawnPlate:
    """Paint ground, decoration and signs; with a `tone` the canvas is grey (and quicker)."""
    scale = PX_PER_MM.get(region.family, EUROPEAN_PX_PER_MM)
    size = TWO_LINE_MM.get(region.family, (280.0, 200.0)) if two_line else region.size_mm
    ink, ground = _colours(rng, region)
    canvas = Canvas(round(size[0] * scale), round(size[1] * scale), ground, tone)
    background = region.backgrounds[int(rng.integers(len(region.backgrounds)))]
    decor.paint_background(rng, canvas, background, ground)
    _paint_trim(rng, canvas, region, faces, ink)
    x0, x1 = _text_span(rng, canvas, region)
    face = faces.pick(rng, region.fonts[int(rng.integers(len(region.fonts)))])
    rows = place_rows(rng, canvas, region, (x0, x1), two_line)
    lines = split_lines(inscription.marks) if two_line else [inscription.marks]
    for row, marks in zip(rows, lines, strict=True):
        write_row(rng, canvas, face, (row, marks, inscription), (ink, ground))
    _paint_legends(rng, canvas, region, faces, (rows, ink))
    return DrawnPlate(canvas, inscription.text, region, two_line, ink)


@cache
def _default_faces(fonts: str) -> Faces:
    return load_faces(np.random.default_rng(7), fonts, per_kind=24)


def _colours(rng: np.random.Generator, region: Region) -> tuple[Colour, Colour]:
    """Ink and ground: mostly the region's, sometimes another pair with enough contrast."""
    chosen = region.colours[int(rng.integers(len(region.colours)))]
    ink, ground = (parse_colour(text) for text in chosen)
    share = rng.random()
    if region.family == "us" and share < 0.35:
        ink, ground = random_colour(rng, 0, 110), random_colour(rng, 150, 250)
    elif share < 0.45 if region.family == "us" else share < 0.06:
        ink, ground = random_colour(rng, 160, 255), random_colour(rng, 0, 110)
    b, g, r = (
        float(np.clip(c + d, 0, 255)) for c, d in zip(ground, rng.normal(0, 8, 3), strict=True)
    )
    return ink, (b, g, r)


def _paint_trim(
    rng: np.random.Generator, canvas: Canvas, region: Region, faces: Faces, ink: Colour
) -> None:
    width, height = canvas.width, canvas.height
    if region.top_band and rng.random() < 0.95:
        canvas.box(0, 0, width, height * region.top_band, decor.EU_BLUE)
    if region.inset:
        light = random_colour(rng, 170, 255)
        ground = canvas.pixels[height // 2, width // 2].copy()
        canvas.box(0, 0, width, height, light)
        edge = region.inset
        side = edge * rng.uniform(0.2, 0.9) * height
        top, foot = (
            round(height * rng.uniform(1.0, 1.7) * edge),
            round(height * (1 - rng.uniform(0.3, 1.2) * edge)),
        )
        canvas.pixels[top:foot, round(side) : round(width - side)] = ground
    if region.left_band and rng.random() < 0.9:
        decor.paint_band(rng, canvas, faces, 0, width * region.left_band * rng.uniform(0.85, 1.15))
    if region.right_band and rng.random() < 0.9:
        decor.paint_band(rng, canvas, faces, width * (1 - region.right_band), width)
    if rng.random() < 0.6:
        line = ink if rng.random() < 0.6 else random_colour(rng)
        canvas.outline(rng.uniform(0, 0.03) * height, int(rng.integers(1, 4)), line)


def _text_span(rng: np.random.Generator, canvas: Canvas, region: Region) -> tuple[float, float]:
    width = canvas.width
    margin = width * rng.uniform(0.025, 0.07) + region.inset * 0.5 * canvas.height
    x0, x1 = margin, width - margin
    if region.left_band:
        x0 = width * (region.left_band + rng.uniform(0.01, 0.04))
    if region.right_band:
        x1 = width * (1 - region.right_band - rng.uniform(0.005, 0.02))
    if region.family == "us":
        share = rng.random()
        wide = width * rng.uniform(0.12, 0.26)
        if share < 0.16:
            paint_graphic(rng, canvas, width * 0.02, wide)
            x0 = wide + width * rng.uniform(0.01, 0.04)
        elif share < 0.22:
            paint_graphic(rng, canvas, width * 0.98 - wide, width * 0.98)
            x1 = width * rng.uniform(0.95, 0.98) - wide
    return x0, x1


def _paint_legends(
    rng: np.random.Generator,
    canvas: Canvas,
    region: Region,
    faces: Faces,
    content: tuple[list[Row], Colour],
) -> None:
    rows, ink = content
    width, height = canvas.width, canvas.height
    above = rows[0].y - rows[0].height / 2
    below = rows[-1].y + rows[-1].height / 2
    colour = ink if rng.random() < 0.5 else random_colour(rng)
    if region.top_band:
        colour = random_colour(rng, 190, 255)
    american = region.family == "us"
    if (region.legend_top and rng.random() < 0.92) or (american and rng.random() < 0.5):
        word = region.legend_top if rng.random() < 0.7 else ""
        span = (width * 0.15, height * 0.02, width * 0.85, above - height * 0.03)
        decor.paint_legend(rng, canvas, decor.legend(rng, faces, word), span, colour)
    if (region.legend_foot or american) and rng.random() < 0.75:
        word = region.legend_foot if rng.random() < 0.6 else ""
        span = (width * 0.15, below + height * 0.04, width * 0.85, height * 0.98)
        decor.paint_legend(rng, canvas, decor.legend(rng, faces, word), span, colour)
    places = region.stickers or (
        ("top left", "top right", "foot left", "foot right") if american else ()
    )
    for place in places:
        if rng.random() < 0.6:
            decor.paint_sticker(rng, canvas, faces, place)
    if rng.random() < 0.7:
        decor.paint_bolts(rng, canvas, region.family)
