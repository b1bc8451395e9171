"""Wholly drawn surroundings: ground, walls, gates and car-like shapes with room for a plate."""

from __future__ import annotations

import cv2
import numpy as np


def drawn_ground(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """An empty place, uint8 (height, width): sky or wall above, ground below, some texture."""
    horizon = int(height * rng.uniform(-0.1, 0.7))
    levels = rng.uniform(20, 235, 2)
    picture = np.full((height, width), levels[0], np.float32)
    picture[max(0, horizon) :] = levels[1]
    for cells, strength in ((3, 70), (9, 40), (40, 25), (120, 20)):
        patch = rng.standard_normal((cells, cells * 2)).astype(np.float32)
        picture += cv2.resize(patch, (width, height)) * rng.uniform(0, strength) * 0.5
    for _ in range(int(rng.integers(0, 4))):  # road marks, kerbs, shadows
        x, y = rng.uniform(0, width), rng.uniform(max(0, horizon), height)
        reach = np.exp(rng.uniform(2, 5.5, 2)) * (1, 0.15)
        box = cv2.boxPoints(((x, y), tuple(reach), rng.normal(0, 25))).astype(np.int32)
        cv2.fillPoly(picture, [box], float(rng.uniform(0, 255)), cv2.LINE_AA)
    return np.clip(picture, 0, 255).astype(np.uint8)


def draw_car(
    rng: np.random.Generator, grey: np.ndarray, centre: tuple[float, float], plate_px: float
) -> None:
    """Draw a car's front or rear round a plate at `centre` that is `plate_px` wide, in place."""
    x, y = centre
    wide = plate_px * rng.uniform(2.6, 5.5)
    tall = wide * rng.uniform(0.5, 0.85)
    top = y - tall * rng.uniform(0.45, 0.85)
    paint = float(rng.uniform(5, 245))
    left, right, bottom = x - wide * rng.uniform(0.35, 0.65), 0.0, top + tall
    right = left + wide
    _box(
        grey,
        (left + wide * 0.04, bottom - tall * 0.15),
        (right - wide * 0.04, bottom + tall * 0.12),
        10,
    )
    waist = top + tall * rng.uniform(0.3, 0.45)
    inset = wide * rng.uniform(0.05, 0.18)
    roof = [(left + inset, top), (right - inset, top), (right, waist), (left, waist)]
    cv2.fillPoly(grey, [np.int32(roof)], paint, cv2.LINE_AA)
    glass = np.float32(roof)
    glass = glass.mean(0) + (glass - glass.mean(0)) * (0.85, 0.75)
    cv2.fillPoly(grey, [glass.astype(np.int32)], float(rng.uniform(5, 130)), cv2.LINE_AA)
    _box(grey, (left, waist), (right, bottom), paint, rounded=wide * 0.05)
    shade = paint * rng.uniform(0.6, 1.2)
    _box(grey, (left, waist + tall * rng.uniform(0.3, 0.5)), (right, bottom), min(255.0, shade))
    if rng.random() < 0.6:  # recess or boot lid round the plate
        half = plate_px * rng.uniform(0.58, 0.9)
        _box(
            grey,
            (x - half, y - half * 0.5),
            (x + half, y + half * 0.5),
            paint * rng.uniform(0.4, 1.0),
        )
    lamp_y, lamp_wide = waist + tall * rng.uniform(0.05, 0.2), wide * rng.uniform(0.07, 0.16)
    light = float(rng.uniform(60, 255))
    for at in (left + lamp_wide, right - lamp_wide):
        _lamp(rng, grey, (at, lamp_y), lamp_wide, light)
    if rng.random() < 0.6:
        _strip(
            rng, grey, (x, waist + tall * rng.uniform(0.05, 0.25)), wide * rng.uniform(0.15, 0.35)
        )
    if rng.random() < 0.4:
        line_y = int(waist + tall * rng.uniform(0.1, 0.6))
        cv2.line(
            grey,
            (int(left), line_y),
            (int(right), line_y),
            float(rng.uniform(0, 255)),
            2,
            cv2.LINE_AA,
        )


def _box(
    grey: np.ndarray,
    low: tuple[float, float],
    high: tuple[float, float],
    level: float,
    rounded: float = 0.0,
) -> None:
    (x0, y0), (x1, y1) = low, high
    cut = rounded
    outline = [(x0 + cut, y0), (x1 - cut, y0), (x1, y0 + cut), (x1, y1 - cut)]
    outline += [(x1 - cut, y1), (x0 + cut, y1), (x0, y1 - cut), (x0, y0 + cut)]
    cv2.fillPoly(grey, [np.int32(outline)], level, cv2.LINE_AA)


def _lamp(
    rng: np.random.Generator,
    grey: np.ndarray,
    centre: tuple[float, float],
    wide: float,
    light: float,
) -> None:
    tall = wide * rng.uniform(0.5, 1.4)
    middle = (int(centre[0]), int(centre[1]))
    axes = (max(1, int(wide)), max(1, int(tall)))
    cv2.ellipse(grey, middle, axes, 0, 0, 360, light, -1, cv2.LINE_AA)
    if rng.random() < 0.6:
        inner = (max(1, axes[0] // 2), max(1, axes[1] // 2))
        cv2.ellipse(grey, middle, inner, 0, 0, 360, float(rng.uniform(0, 255)), -1, cv2.LINE_AA)
    if rng.random() < 0.5:
        cv2.ellipse(grey, middle, axes, 0, 0, 360, light * 0.4, 1, cv2.LINE_AA)


def _strip(
    rng: np.random.Generator, grey: np.ndarray, centre: tuple[float, float], half: float
) -> None:
    """A grille, a chrome strip or an emblem above the plate."""
    x, y = centre
    tall = half * rng.uniform(0.15, 0.5)
    _box(grey, (x - half, y - tall / 2), (x + half, y + tall / 2), float(rng.uniform(0, 200)))
    step = int(rng.integers(3, 8))
    if rng.random() < 0.7:
        for row in range(int(y - tall / 2), int(y + tall / 2), step):
            cv2.line(
                grey, (int(x - half), row), (int(x + half), row), float(rng.uniform(100, 255)), 1
            )
    if rng.random() < 0.6:
        radius = max(2, int(tall * 0.4))
        cv2.circle(grey, (int(x), int(y)), radius, float(rng.uniform(100, 255)), 2, cv2.LINE_AA)
