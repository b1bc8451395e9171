"""Pictures on plates that are not text: emblems between groups and graphics beside the text.

Rules
- None copies a real emblem; they are random shapes of the same size, weight and busyness, so
  that the recogniser learns to say nothing about them.
- Sizes are half extents in pixels of the canvas.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from models.synth.canvas import Canvas, Colour, random_colour

Points = NDArray[np.float64]
Size = tuple[float, float]


def paint_emblem(
    rng: np.random.Generator, canvas: Canvas, at: tuple[float, float], size: Size, ink: Colour
) -> None:
    """An emblem between two groups of signs, centred at `at`."""
    colour = ink if rng.random() < 0.45 else random_colour(rng, 20, 225)
    paint = EMBLEMS[int(rng.integers(len(EMBLEMS)))]
    paint(rng, canvas, at, size, colour)


def paint_graphic(rng: np.random.Generator, canvas: Canvas, x0: float, x1: float) -> None:
    """A large picture between x0 and x1: animal, lighthouse, badge, wheelchair sign."""
    centre = ((x0 + x1) / 2, canvas.height * rng.uniform(0.4, 0.62))
    half = ((x1 - x0) / 2, canvas.height * rng.uniform(0.18, 0.36))
    if rng.random() < 0.35:
        canvas.disc(*centre, half[0], half[0], random_colour(rng), -1 if rng.random() < 0.6 else 2)
        half = (half[0] * rng.uniform(0.5, 0.9), half[0] * rng.uniform(0.5, 0.9))
    for _ in range(int(rng.integers(1, 4))):
        shift = rng.normal(0, 0.25, 2) * half
        at = (centre[0] + shift[0], centre[1] + shift[1])
        part = (half[0] * rng.uniform(0.4, 1.0), half[1] * rng.uniform(0.4, 1.0))
        paint = GRAPHICS[int(rng.integers(len(GRAPHICS)))]
        paint(rng, canvas, at, part, random_colour(rng, 0, 235))


def blob_points(rng: np.random.Generator, at: tuple[float, float], size: Size) -> Points:
    """A ragged outline (n, 2)."""
    count = int(rng.integers(5, 14))
    angles = np.sort(rng.uniform(0, 2 * np.pi, count))
    reach = rng.uniform(0.4, 1.0, count)
    return np.column_stack([np.cos(angles), np.sin(angles)]) * reach[:, None] * size + at


def _blob(
    rng: np.random.Generator, canvas: Canvas, at: tuple[float, float], size: Size, colour: Colour
) -> None:
    canvas.polygon(blob_points(rng, at, size), colour)


def _disc(
    rng: np.random.Generator, canvas: Canvas, at: tuple[float, float], size: Size, colour: Colour
) -> None:
    half = min(size[0], size[1])
    canvas.disc(*at, half, half * rng.uniform(0.8, 1.2), colour, 2 if rng.random() < 0.3 else -1)
    if rng.random() < 0.6:
        canvas.disc(*at, half * 0.5, half * 0.5, random_colour(rng, 20, 245))


def _two_seals(
    rng: np.random.Generator, canvas: Canvas, at: tuple[float, float], size: Size, colour: Colour
) -> None:
    half, step = min(size[0], size[1] * 0.45), size[1] * 0.45
    canvas.disc(at[0], at[1] - step, half, half, colour, 1 if rng.random() < 0.4 else -1)
    canvas.disc(at[0], at[1] + step, half, half, random_colour(rng, 20, 225))


def _star(
    rng: np.random.Generator, canvas: Canvas, at: tuple[float, float], size: Size, colour: Colour
) -> None:
    angles = np.linspace(0, 2 * np.pi, 11)[:-1] + rng.uniform(0, 0.6)
    reach = np.where(np.arange(10) % 2, rng.uniform(0.35, 0.6), 1.0) * min(size)
    canvas.polygon(np.column_stack([np.cos(angles), np.sin(angles)]) * reach[:, None] + at, colour)


def _shield(
    rng: np.random.Generator, canvas: Canvas, at: tuple[float, float], size: Size, colour: Colour
) -> None:
    shape = np.array([[-1, -1], [1, -1], [1, 0.2], [0, 1.2], [-1, 0.2]]) * (size[0], size[1] * 0.7)
    canvas.polygon(shape + at, colour)
    if rng.random() < 0.6:
        canvas.polygon(shape * 0.55 + at, random_colour(rng, 20, 245))


def _sun(
    rng: np.random.Generator, canvas: Canvas, at: tuple[float, float], size: Size, colour: Colour
) -> None:
    half = size[0] * rng.uniform(0.35, 0.6)
    for offset in np.linspace(-0.6, 0.6, int(rng.integers(2, 5))) * half:
        reach_x, reach_y = size[0] * rng.uniform(0.8, 1.2), size[1] * rng.uniform(0.7, 1.1)
        canvas.line((at[0] + offset, at[1] - reach_y), (at[0] + offset, at[1] + reach_y), 1, colour)
        canvas.line((at[0] - reach_x, at[1] + offset), (at[0] + reach_x, at[1] + offset), 1, colour)
    canvas.disc(*at, half, half, colour, 2)
    if rng.random() < 0.5:
        canvas.disc(*at, half * 0.8, half * 0.8, random_colour(rng, 20, 245))


def _tree(
    rng: np.random.Generator, canvas: Canvas, at: tuple[float, float], size: Size, colour: Colour
) -> None:
    tall = size[1] * rng.uniform(0.9, 1.5)
    for step in np.linspace(-0.7, 0.4, int(rng.integers(2, 5))):
        y, wide = at[1] + step * tall, size[0] * (0.5 + 0.4 * step) * rng.uniform(0.8, 1.4)
        crown = [
            (at[0], y - tall * 0.35),
            (at[0] + wide, y + tall * 0.3),
            (at[0] - wide, y + tall * 0.3),
        ]
        canvas.polygon(np.array(crown), colour)
    canvas.line((at[0], at[1]), (at[0], at[1] + tall), max(1, round(size[0] * 0.15)), colour)


def _box(
    rng: np.random.Generator, canvas: Canvas, at: tuple[float, float], size: Size, colour: Colour
) -> None:
    """A sticker between the groups, with unreadable strokes on it."""
    x, y = at
    half_x, half_y = size[0], min(size[1], size[0] * rng.uniform(0.8, 1.6))
    canvas.box(x - half_x, y - half_y, x + half_x, y + half_y, colour)
    light = random_colour(rng)
    for _ in range(int(rng.integers(0, 4))):
        a, b = rng.uniform(-0.7, 0.7, (2, 2)) * (half_x, half_y)
        canvas.line((x + a[0], y + a[1]), (x + b[0], y + b[1]), 1, light)


def _scribble(
    rng: np.random.Generator, canvas: Canvas, at: tuple[float, float], size: Size, colour: Colour
) -> None:
    """Line art: a smooth random path in several strokes."""
    thick = max(1, round(min(size) * rng.uniform(0.05, 0.3)))
    for _ in range(int(rng.integers(1, 4))):
        count = int(rng.integers(3, 7))
        path = rng.uniform(-1, 1, (count, 2)) * size + at
        smooth = cv2.resize(path.astype(np.float32), (2, count * 4), interpolation=cv2.INTER_CUBIC)
        canvas.path(smooth, thick, colour)


def _scatter(
    rng: np.random.Generator, canvas: Canvas, at: tuple[float, float], size: Size, colour: Colour
) -> None:
    """A ring or a cloud of small dots."""
    count = int(rng.integers(6, 16))
    angles = np.linspace(0, 2 * np.pi, count)
    reach = 1.0 if rng.random() < 0.5 else rng.uniform(0.2, 1, count)
    spots = (
        np.column_stack([np.cos(angles) * reach * size[0], np.sin(angles) * reach * size[1]]) + at
    )
    dot = max(1.0, min(size) * rng.uniform(0.06, 0.16))
    for x, y in spots:
        canvas.disc(x, y, dot, dot, colour)


def _person(
    rng: np.random.Generator, canvas: Canvas, at: tuple[float, float], size: Size, colour: Colour
) -> None:
    """A head, a body of lines, perhaps a wheel."""
    half, (x, y) = min(size), at
    canvas.disc(x, y - half * 0.8, half * 0.2, half * 0.2, colour)
    thick = max(1, round(half * 0.2))
    joints = np.array([(0, -0.6), (0, 0.1), (0.6, 0.1), (0.8, 0.8)]) + rng.normal(0, 0.12, (4, 2))
    canvas.path((joints * half + at).astype(np.float32), thick, colour)
    if rng.random() < 0.7:
        canvas.disc(x, y + half * 0.3, half * 0.6, half * 0.6, colour, thick)


Painter = Callable[[np.random.Generator, Canvas, tuple[float, float], Size, Colour], None]
EMBLEMS: tuple[Painter, ...] = (
    _blob, _blob, _disc, _disc, _two_seals, _star, _shield, _sun, _tree, _box, _box, _scribble,
)  # fmt: skip
GRAPHICS: tuple[Painter, ...] = (
    _blob, _blob, _scribble, _scribble, _tree, _star, _person, _scatter, _box, _sun, _disc,
)  # fmt: skip
