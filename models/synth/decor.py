"""What is on a plate besides its text: pictures, bands, emblems, legends, stickers, bolts."""

from __future__ import annotations

import cv2
import numpy as np

from models.synth.canvas import Canvas, Colour, clouds, random_colour
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
            centre = rng.uniform(0, 1, 2) * (width, height)
            _blob(rng, canvas, centre, height * rng.uniform(0.1, 0.5), 0.5)
    if kind != "plain" or rng.random() < 0.2:
        field = clouds(rng, height, width, int(rng.integers(2, 9)))
        canvas.add(field * np.float32(rng.uniform(5, 70)))


def paint_emblem(rng: np.random.Generator, canvas: Canvas, x: float, y: float, size: tuple[float, float], ink: Colour) -> None:
    """An emblem between groups, centred at (x, y) within half sizes `size` (px)."""
    half_x, half_y = size
    kind = rng.random()
    colour = ink if rng.random() < 0.45 else random_colour(rng, 20, 225)
    if kind < 0.25:
        canvas.disc(x, y, half_x, min(half_y, half_x * rng.uniform(0.8, 1.6)), colour)
        if rng.random() < 0.6:
            canvas.disc(x, y, half_x * 0.5, half_x * 0.5, random_colour(rng, 20, 245))
    elif kind < 0.45:
        canvas.disc(x, y - half_y * 0.45, half_x, half_x, colour, 1 if rng.random() < 0.4 else -1)
        canvas.disc(x, y + half_y * 0.45, half_x, half_x, random_colour(rng, 20, 225))
    elif kind < 0.65:
        angles = np.linspace(0, 2 * np.pi, 11)[:-1] + rng.uniform(0, 0.3)
        reach = np.where(np.arange(10) % 2, rng.uniform(0.35, 0.6), 1.0)
        star = np.column_stack([np.cos(angles) * half_x, np.sin(angles) * half_x]) * reach[:, None]
        canvas.polygon(star + (x, y), colour)
    elif kind < 0.85:
        _blob(rng, canvas, np.array([x, y]), max(half_x, half_y * 0.5), 1.0, colour, half_x)
    else:
        shield = np.array([[-1, -1], [1, -1], [1, 0.2], [0, 1.2], [-1, 0.2]]) * (half_x, half_y * 0.7)
        canvas.polygon(shield + (x, y), colour)
        if rng.random() < 0.6:
            canvas.polygon(shield * 0.55 + (x, y), random_colour(rng, 20, 245))


def paint_graphic(rng: np.random.Generator, canvas: Canvas, x0: float, x1: float) -> None:
    """A large picture beside the text: animal, lighthouse, badge, wheelchair sign."""
    centre = np.array([(x0 + x1) / 2, canvas.height * rng.uniform(0.42, 0.6)])
    half = (x1 - x0) / 2
    if rng.random() < 0.4:
        canvas.disc(centre[0], centre[1], half, half, random_colour(rng))
        half *= rng.uniform(0.5, 0.9)
    for _ in range(int(rng.integers(1, 4))):
        shift = rng.normal(0, half * 0.25, 2)
        _blob(rng, canvas, centre + shift, canvas.height * rng.uniform(0.1, 0.3), 1.0, None, half)


def legend(rng: np.random.Generator, faces: Faces, word: str = "") -> Mask:
    """The mask of a word, or of any word when it is not at hand."""
    masks = faces.legends.get(word.lower())
    if masks is None:
        words = list(faces.legends)
        masks = faces.legends[words[int(rng.integers(len(words)))]]
    return masks[int(rng.integers(len(masks)))]


def paint_legend(rng: np.random.Generator, canvas: Canvas, mask: Mask, span: tuple[float, float, float, float], ink: Colour) -> None:
    """Write a legend centred in the span (x0, y0, x1, y1) px, as large as fits."""
    x0, y0, x1, y1 = span
    height = (y1 - y0) * rng.uniform(0.7, 1.0)
    if height < 4 or x1 - x0 < 6:
        return
    width = min(x1 - x0, mask.shape[1] * height / mask.shape[0] * rng.uniform(0.8, 1.3))
    scaled = cv2.resize(mask, (max(4, round(width)), max(4, round(height))), interpolation=cv2.INTER_AREA)
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
        spots = [(rng.uniform(0.1, 0.3), rng.uniform(0.1, 0.9)), (rng.uniform(0.7, 0.9), rng.uniform(0.1, 0.9))]
    head = random_colour(rng)
    for x, y in spots:
        if rng.random() < 0.7:
            radius = canvas.height * rng.uniform(0.018, 0.04)
            at = (x * canvas.width, y * canvas.height)
            canvas.disc(*at, radius * rng.uniform(1, 1.8), radius, head)
            canvas.disc(at[0] + 1, at[1] + 1, radius, radius, random_colour(rng), 1)


def paint_band(rng: np.random.Generator, canvas: Canvas, faces: Faces, x0: float, x1: float) -> None:
    """A coloured side band with stars or arms above and a country letter below."""
    colour = EU_BLUE if rng.random() < 0.75 else random_colour(rng, 20, 235)
    canvas.box(x0, 0, x1, canvas.height, colour)
    light: Colour = (200.0, 230.0, 240.0)
    middle, half = (x0 + x1) / 2, (x1 - x0) * rng.uniform(0.25, 0.38)
    y = canvas.height * rng.uniform(0.28, 0.36)
    if rng.random() < 0.7:
        canvas.disc(middle, y, half, half, (80.0, 200.0, 220.0), 1 if rng.random() < 0.7 else 2)
    else:
        canvas.polygon(np.array([[-1, -1], [1, -1], [1, 0.3], [0, 1], [-1, 0.3]]) * half + (middle, y), random_colour(rng, 120, 240))
    short = [word for word in faces.legends if len(word) <= 2]
    mask = legend(rng, faces, short[int(rng.integers(len(short)))])
    span = (x0 + 1, canvas.height * 0.6, x1 - 1, canvas.height * rng.uniform(0.8, 0.92))
    paint_legend(rng, canvas, mask, span, light)


def _tinted_polygon(rng: np.random.Generator, canvas: Canvas, points: np.ndarray, ground: Colour) -> None:
    shade = rng.uniform(-75, 25)
    tint = rng.normal(0, 18, 3)
    mask = np.zeros((canvas.height, canvas.width), np.uint8)
    cv2.fillPoly(mask, [points.astype(np.int32)], 255, cv2.LINE_AA)
    b, g, r = (float(np.clip(c + shade + t, 0, 255)) for c, t in zip(ground, tint, strict=True))
    canvas.stamp(mask, 0, 0, (b, g, r), rng.uniform(0.5, 1.0))


def _blob(
    rng: np.random.Generator, canvas: Canvas, centre: np.ndarray, half_y: float, strength: float,
    colour: Colour | None = None, half_x: float | None = None,
) -> None:  # fmt: skip
    half_x = half_y * rng.uniform(0.6, 1.8) if half_x is None else half_x
    count = int(rng.integers(5, 12))
    angles = np.sort(rng.uniform(0, 2 * np.pi, count))
    reach = rng.uniform(0.45, 1.0, count)
    points = np.column_stack([np.cos(angles) * reach * half_x, np.sin(angles) * reach * half_y]) + centre
    fill = random_colour(rng, 20, 235) if colour is None else colour
    if strength >= 1:
        canvas.polygon(points, fill)
        return
    mask = np.zeros((canvas.height, canvas.width), np.uint8)
    cv2.fillPoly(mask, [points.astype(np.int32)], 255, cv2.LINE_AA)
    canvas.stamp(mask, 0, 0, fill, strength * rng.uniform(0.2, 0.8))
