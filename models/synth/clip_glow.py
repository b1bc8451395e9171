"""Soft round light added to a frame: lamps along the drive, headlamps, tail lamps."""

from __future__ import annotations

import cv2
import numpy as np

from models.synth.clip_view import HEIGHT_PX, WIDTH_PX, Pixels


def halo(
    picture: Pixels, at: tuple[float, float], radius: float, colour: tuple[float, float, float]
) -> None:
    """Adds a soft round glow, brightest in its middle."""
    size = round(radius * 2)
    left, top = round(at[0] - radius), round(at[1] - radius)
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(WIDTH_PX, left + size), min(HEIGHT_PX, top + size)
    if size < 2 or x1 <= x0 or y1 <= y0:
        return
    whole = cv2.resize(_HALO, (size, size), interpolation=cv2.INTER_LINEAR)
    part = whole[y0 - top : y1 - top, x0 - left : x1 - left]
    glow = cv2.merge([cv2.multiply(part, tone / 255) for tone in colour])
    area = picture[y0:y1, x0:x1]
    area[:] = cv2.add(area, glow)


def _halo_mask() -> Pixels:
    away = np.linspace(-1, 1, 256, dtype=np.float32) ** 2
    away = np.minimum(1.0, away[None, :] + away[:, None])
    strength = (1 - away) ** 2 * (0.35 + 0.65 * np.exp(-away * 9))
    return (strength * 255).round().astype(np.uint8)


_HALO = _halo_mask()
