"""What is on a plate besides its text: backgrounds, bands, legends, stickers, bolts."""

from __future__ import annotations

import cv2
import numpy as np

from models.synth.canvas import Canvas, Colour, clouds, random_colour
from models.synth.emblems import blob_points
from models.synth.fonts import Faces, Mask

EU_BLUE: Colour = (140.0, 60.0, 15.0)


def paint_background(rng: np.random.Generator, canvas: Canvas, kind: str, ground: Colour) -> None:
    """Fill the plate's field with one of the region's backgrounds."""
    width, height = canvas.width, canvas.height
    if kind == "gradient":
        top, foot = rng.uniform(-70, 25), rng.uniform(-70, 25)
        middle = rng.uniform(-10, 15)
        ramp = np.interp(np.linspace(0, 1, height), (0, 0.5, 1), (top, middle, foot))
        canvas.add(np.broadcast_to(ramp.astype(np.float32)[:, None], (height, width)))
    elif kind == "bands":
        dark = random_colour(rng, 20, 140)
        if rng.random() < 0.8:
            canvas.box(0, 0, width, height * rng.uniform(0.12, 0.26), dark)
        if rng.random() < 0.6:
            again = dark if rng.random() < 0.5 else random_colour(rng, 40, 230)
            canvas.box(0, height * rng.uniform(0.76, 0.9), width, height, again)
    elif kind == "hills":
        for _ in range(int(rng.integers(1, 3))):
            count = int(rng.integers(5, 12))
            crest = height * (rng.uniform(0.25, 0.8) + rng.normal(0, 0.08, count))
            ridge = np.column_stack([np.linspace(0, width, count), crest])
            points = np.vstack([[0, height], ridge, [width, height]])
            _tinted_polygon(rng, canvas, points, ground)
    elif kind == "picture":
        for _ in range(int(rng.integers(1, 5))):
            _faint_blob(rng, canvas)
    if kind != "plain" or rng.random() < 0.2:
        field = clouds(rng, height, width, int(rng.integers(2, 9)))
        canvas.add(field * np.float32(rng.uniform(5, 70)))


def legend(rng: np.random.Generator, faces: Faces, word: str = "") -> Mask:
    """The mask of a word, or of any word when it is not at hand."""
    masks = faces.legends.get(word.lower())
    if masks is None:
        words = list(faces.legends)
        masks = faces.legends[words[int(rng.integers(len(words)))]]
    return masks[int(rng.integers(len(masks)))]


def paint_legend(
    rng: np.random.Generator,
    canvas: Canvas,
    mask: Mask,
    span: tuple[float, float, float, float],
    ink: Colour,
) -> None:
    """Write a legend centred in the span (x0, y0, x1, y1) px, as large as fits."""
    x0, y0, x1, y1 = span
    height = (y1 - y0) * rng.uniform(0.7, 1.0)
    if height < 4 or x1 - x0 < 6:
        return
    width = min(x1 - x0, mask.shape[1] * height / mask.shape[0] * rng.uniform(0.8, 1.3))
    scaled = cv2.resize(
        mask, (max(4, round(width)), max(4, round(height))), interpolation=cv2.INTER_AREA
    )
    x = x0 + (x1 - x0 - width) * (0.5 + rng.normal(0, 0.08))
    canvas.stamp(np.asarray(scaled, np.uint8), x, y0 + (y1 - y0 - height) / 2, ink)


def paint_sticker(rng: np.random.Generator, canvas: Canvas, faces: Faces, place: str) -> None:
    """A registration sticker in the corner named `place`, e.g. "top right"."""
    width, height = canvas.width * rng.uniform(0.08, 0.15), canvas.height * rng.uniform(0.11, 0.22)
    x = canvas.width * rng.uniform(0.02, 0.1)
    x = canvas.width - x - width if "right" in place else x
    y = canvas.height * rng.uniform(0.02, 0.06)
    y = canvas.height - y - height if "foot" in place else y
    canvas.box(x, y, x + width, y + height, random_colour(rng, 40, 250))
    for _ in range(int(rng.integers(1, 3))):
        span = (x + 1, y + height * 0.15, x + width - 1, y + height * 0.85)
        paint_legend(rng, canvas, legend(rng, faces), span, random_colour(rng))


def paint_bolts(rng: np.random.Generator, canvas: Canvas, family: str) -> None:
    """Bolt heads or holes where the family has them."""
    if family == "us":
        spots = [(x, y) for x in (0.16, 0.84) for y in (0.07, 0.93)]
    else:
        spots = [
            (rng.uniform(0.1, 0.3), rng.uniform(0.1, 0.9)),
            (rng.uniform(0.7, 0.9), rng.uniform(0.1, 0.9)),
        ]
    head = random_colour(rng)
    for x, y in spots:
        if rng.random() < 0.7:
            radius = canvas.height * rng.uniform(0.018, 0.04)
            at = (x * canvas.width, y * canvas.height)
            canvas.disc(*at, radius * rng.uniform(1, 1.8), radius, head)
            canvas.disc(at[0] + 1, at[1] + 1, radius, radius, random_colour(rng), 1)


def paint_band(
    rng: np.random.Generator, canvas: Canvas, faces: Faces, x0: float, x1: float
) -> None:
    """A coloured side band with stars or arms above and a country letter below."""
    colour = EU_BLUE if rng.random() < 0.75 else random_colour(rng, 20, 235)
    canvas.box(x0, 0, x1, canvas.height, colour)
    light: Colour = (200.0, 230.0, 240.0)
    middle, half = (x0 + x1) / 2, (x1 - x0) * rng.uniform(0.25, 0.38)
    y = canvas.height * rng.uniform(0.28, 0.36)
    if rng.random() < 0.7:
        canvas.disc(middle, y, half, half, (80.0, 200.0, 220.0), 1 if rng.random() < 0.7 else 2)
    else:
        canvas.polygon(
            np.array([[-1, -1], [1, -1], [1, 0.3], [0, 1], [-1, 0.3]]) * half + (middle, y),
            random_colour(rng, 120, 240),
        )
    short = [word for word in faces.legends if len(word) <= 2]
    mask = legend(rng, faces, short[int(rng.integers(len(short)))])
    span = (x0 + 1, canvas.height * 0.6, x1 - 1, canvas.height * rng.uniform(0.8, 0.92))
    paint_legend(rng, canvas, mask, span, light)


def _tinted_polygon(
    rng: np.random.Generator, canvas: Canvas, points: np.ndarray, ground: Colour
) -> None:
    shade = rng.uniform(-75, 25)
    tint = rng.normal(0, 18, 3)
    mask = np.zeros((canvas.height, canvas.width), np.uint8)
    cv2.fillPoly(mask, [points.astype(np.int32)], 255, cv2.LINE_AA)
    b, g, r = (float(np.clip(c + shade + t, 0, 255)) for c, t in zip(ground, tint, strict=True))
    canvas.stamp(mask, 0, 0, (b, g, r), rng.uniform(0.5, 1.0))


def _faint_blob(rng: np.random.Generator, canvas: Canvas) -> None:
    at = (rng.uniform(0, canvas.width), rng.uniform(0, canvas.height))
    tall = canvas.height * rng.uniform(0.1, 0.5)
    mask = np.zeros((canvas.height, canvas.width), np.uint8)
    points = blob_points(rng, at, (tall * rng.uniform(0.6, 1.8), tall))
    cv2.fillPoly(mask, [points.astype(np.int32)], 255, cv2.LINE_AA)
    canvas.stamp(mask, 0, 0, random_colour(rng, 20, 235), rng.uniform(0.1, 0.4))
