"""Paste rendered plates into grey pictures with true corners, and find room for them.

A pool of rendered plates is kept and slowly renewed: rendering one costs more than pasting it.
Corners are always TL, TR, BR, BL of the plate itself, float32 (4, 2) px of the canvas.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

PlateDrawer = Callable[[np.random.Generator], np.ndarray]
"""Draws a plate, BGR or grey uint8; the picture's edge is the plate's."""


class PlatePool:
    """Rendered plates in grey, drawn again one by one while they are used."""

    def __init__(self, rng: np.random.Generator, draw: PlateDrawer, size: int = 1500) -> None:
        self._rng, self._draw, self._size = rng, draw, size
        self._plates: list[np.ndarray] = []

    def take(self) -> np.ndarray:
        """Return one plate, uint8 (h, w) grey; a third of the calls render a new one."""
        if len(self._plates) < 64 or self._rng.random() < 0.33:
            plate = self._draw(self._rng)
            if plate.ndim == 3:
                plate = cv2.cvtColor(plate, cv2.COLOR_BGR2GRAY)
            if len(self._plates) < self._size:
                self._plates.append(plate)
            else:
                self._plates[int(self._rng.integers(self._size))] = plate
            return plate
        return self._plates[int(self._rng.integers(len(self._plates)))]


def tilted_corners(
    rng: np.random.Generator,
    centre: tuple[float, float],
    size: tuple[float, float],
    tilt: float = 1.0,
) -> np.ndarray:
    """Corners of a plate of size (w, h) px seen from a random side; `tilt` scales the angles."""
    width, height = size
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], np.float32) * (width / 2, height / 2)
    turn = rng.normal(0, 0.045) * tilt if rng.random() < 0.8 else rng.normal(0, 0.16) * tilt
    shear = rng.normal(0, 0.07) * tilt
    taper = rng.normal(0, 0.05) * tilt
    corners[:, 0] *= 1 - abs(rng.normal(0, 0.16)) * tilt
    corners[:, 1] *= 1 + taper * np.sign(corners[:, 0])
    corners[:, 1] += shear * corners[:, 0]
    cosine, sine = np.cos(turn), np.sin(turn)
    turned = corners @ np.array([[cosine, sine], [-sine, cosine]], np.float32)
    return (turned + centre).astype(np.float32)


def paste_plate(
    rng: np.random.Generator,
    canvas: np.ndarray,
    plate: np.ndarray,
    corners: np.ndarray,
    bright: float | None = None,
) -> np.ndarray:
    """Paste `plate` at `corners` into canvas uint8 (H, W) in place; return its mask 0..1 float32.

    `bright` is the grey level (0..255) the plate's light parts should about take.
    """
    height, width = canvas.shape
    reach = np.concatenate([corners, _grown(corners, 1.25)])
    x0, y0 = np.maximum(np.floor(reach.min(0)).astype(int) - 2, 0)
    x1, y1 = np.minimum(np.ceil(reach.max(0)).astype(int) + 3, (width, height))
    mask = np.zeros((height, width), np.float32)
    if x1 - x0 < 3 or y1 - y0 < 3:
        return mask
    shape = (int(x1 - x0), int(y1 - y0))
    local = corners - (x0, y0)
    plate, margin = _dressed(rng, _shrunk(plate, corners))
    tall, wide = plate.shape
    inner = np.float32(
        [
            (margin, margin),
            (wide - margin, margin),
            (wide - margin, tall - margin),
            (margin, tall - margin),
        ]
    )
    warp = cv2.getPerspectiveTransform(inner, local.astype(np.float32))
    pixels = cv2.warpPerspective(_toned(rng, plate, bright), warp, shape, flags=cv2.INTER_LINEAR)
    cover = cv2.warpPerspective(np.ones((tall, wide), np.float32), warp, shape)
    if rng.random() < 0.6:
        sigma = rng.uniform(0.3, 0.3 + 0.03 * float(np.ptp(corners[:, 1])))
        pixels, cover = (cv2.GaussianBlur(part, (0, 0), sigma) for part in (pixels, cover))
        pixels = pixels / np.maximum(cover, 0.05) * (cover > 0.05)
    area = canvas[y0:y1, x0:x1]
    mixed = area * (1 - cover) + pixels * cover
    np.copyto(area, np.clip(mixed, 0, 255).astype(np.uint8))
    mask[y0:y1, x0:x1] = cover
    return mask


def erase_box(rng: np.random.Generator, canvas: np.ndarray, box: np.ndarray) -> None:
    """Hide what stands in box (x0 y0 x1 y1 px): fill it from the rows above and below, in place."""
    height, width = canvas.shape
    grow_x, grow_y = (box[2] - box[0]) * 0.06, (box[3] - box[1]) * 0.12
    x0, y0 = int(max(1, box[0] - grow_x)), int(max(1, box[1] - grow_y))
    x1, y1 = int(min(width - 1, box[2] + grow_x)), int(min(height - 1, box[3] + grow_y))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    top = cv2.blur(canvas[y0 - 1 : y0, x0:x1], (5, 1)).astype(np.float32)
    bottom = cv2.blur(canvas[y1 : y1 + 1, x0:x1], (5, 1)).astype(np.float32)
    down = np.linspace(0, 1, y1 - y0, dtype=np.float32)[:, None]
    fill = top * (1 - down) + bottom * down
    if rng.random() < 0.3:
        fill = fill * 0 + rng.uniform(5, 200)
    fill += rng.normal(0, 3, fill.shape)
    canvas[y0:y1, x0:x1] = np.clip(fill, 0, 255).astype(np.uint8)


def _grown(corners: np.ndarray, factor: float) -> np.ndarray:
    centre = corners.mean(0)
    return (corners - centre) * factor + centre


def _shrunk(plate: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Shrink the plate towards its size on the canvas, so that the warp does not alias."""
    wide = float(np.linalg.norm(corners[1] - corners[0]))
    tall = float(np.linalg.norm(corners[3] - corners[0]))
    size = (
        max(6, min(plate.shape[1], int(wide * 1.4))),
        max(4, min(plate.shape[0], int(tall * 1.4))),
    )
    return cv2.resize(plate, size, interpolation=cv2.INTER_AREA)


def _dressed(rng: np.random.Generator, plate: np.ndarray) -> tuple[np.ndarray, int]:
    """Put a holder or a shadow round the plate; return it and the margin px it added."""
    if rng.random() < 0.62:
        return plate, 0
    margin = max(1, round(plate.shape[0] * rng.uniform(0.03, 0.12)))
    level = rng.uniform(0, 60) if rng.random() < 0.75 else rng.uniform(60, 250)
    return cv2.copyMakeBorder(plate, *[margin] * 4, cv2.BORDER_CONSTANT, value=level), margin


def _toned(rng: np.random.Generator, plate: np.ndarray, bright: float | None) -> np.ndarray:
    toned = plate.astype(np.float32)
    if bright is not None:
        top = max(float(np.percentile(toned, 90)), 30.0)
        gain = np.clip(bright / top * np.exp(rng.normal(0, 0.2)), 0.15, 1.8)
        lift = rng.uniform(0, 0.25) * bright * (rng.random() < 0.5)  # veiling light
        toned = toned * (1 - lift / 255) * gain + lift
    return toned
