"""A float canvas in colour or in one grey tone, and the few things one can paint on it.

Rules
- A canvas is float32 0..255, (H, W, 3) in BGR or (H, W) when a tone is given; the tone says how
  a camera without colour (or with an infrared lamp) turns BGR into one value.
- Colours are BGR triples everywhere; only the canvas knows whether they become one value.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[float, float, float]
Pixels = NDArray[np.float32]
DAYLIGHT: Colour = (0.114, 0.587, 0.299)


class Canvas:
    """Picture under construction, `width` x `height` pixels."""

    def __init__(self, width: int, height: int, ground: Colour, tone: Colour | None = None) -> None:
        self.tone = tone
        self.width, self.height = width, height
        shape = (height, width) if tone else (height, width, 3)
        self.pixels: Pixels = np.empty(shape, np.float32)
        self.pixels[:] = self.value(ground)

    def grey(self, colour: Colour) -> float:
        """The colour in the canvas's tone (daylight's where it has none)."""
        (b, g, r), (kb, kg, kr) = colour, self.tone or DAYLIGHT
        return b * kb + g * kg + r * kr

    def value(self, colour: Colour) -> float | Colour:
        """The colour as this canvas stores it."""
        return colour if self.tone is None else self.grey(colour)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        """Fill a rectangle; coordinates in pixels, cut at the edges."""
        left, top = max(0, round(x0)), max(0, round(y0))
        self.pixels[top : max(top, round(y1)), left : max(left, round(x1))] = self.value(colour)

    def outline(self, inset: float, thickness: int, colour: Colour) -> None:
        """A border line `inset` pixels from the edge."""
        a, b = round(inset), (self.width - 1 - round(inset), self.height - 1 - round(inset))
        cv2.rectangle(self.pixels, (a, a), b, self.value(colour), thickness, cv2.LINE_AA)

    def disc(
        self, x: float, y: float, rx: float, ry: float, colour: Colour, ring: int = -1
    ) -> None:
        """A filled ellipse, or its outline when `ring` is a thickness."""
        axes = (max(1, round(rx)), max(1, round(ry)))
        at = (round(x), round(y))
        cv2.ellipse(self.pixels, at, axes, 0, 0, 360, self.value(colour), ring, cv2.LINE_AA)

    def polygon(self, points: NDArray[np.floating], colour: Colour) -> None:
        """A filled polygon, points (n, 2) in pixels."""
        cv2.fillPoly(self.pixels, [points.astype(np.int32)], self.value(colour), cv2.LINE_AA)

    def line(
        self, a: tuple[float, float], b: tuple[float, float], thick: int, colour: Colour
    ) -> None:
        """A straight line `thick` px wide."""
        self.path(np.array([a, b], np.float32), thick, colour)

    def path(self, points: NDArray[np.floating], thick: int, colour: Colour) -> None:
        """An open line through points (n, 2) in pixels."""
        fixed = [np.round(points * 8).astype(np.int32)]
        cv2.polylines(self.pixels, fixed, False, self.value(colour), thick, cv2.LINE_AA, 3)

    def stamp(
        self, mask: NDArray[np.uint8], x: float, y: float, colour: Colour, strength: float = 1.0
    ) -> None:
        """Paint the colour through a mask whose top left corner is at (x, y)."""
        height, width = mask.shape
        left, top = round(x), round(y)
        x0, y0 = max(0, left), max(0, top)
        x1, y1 = min(self.width, left + width), min(self.height, top + height)
        if x1 <= x0 or y1 <= y0:
            return
        cover = mask[y0 - top : y1 - top, x0 - left : x1 - left].astype(np.float32)
        cover *= strength / 255
        patch = self.pixels[y0:y1, x0:x1]
        if self.tone is None:
            patch += (np.asarray(colour, np.float32) - patch) * cover[..., None]
        else:
            patch += (np.float32(self.grey(colour)) - patch) * cover

    def add(self, field: Pixels) -> None:
        """Add a brightness field (H, W) or anything that broadcasts to it."""
        self.pixels += field if self.tone is not None or field.ndim < 2 else field[..., None]


def clouds(rng: np.random.Generator, height: int, width: int, cells: int) -> Pixels:
    """Smooth noise in about -0.5..0.5, `cells` bumps over the height."""
    across = max(2, round(cells * width / height))
    seed = rng.random((cells, across), dtype=np.float32) - np.float32(0.5)
    half = cv2.resize(seed, (width // 2 + 1, height // 2 + 1), interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.resize(half, (width, height), interpolation=cv2.INTER_LINEAR))


def grain(rng: np.random.Generator, height: int, width: int) -> Pixels:
    """Normal noise (H, W), cut from a bank at a random place: far cheaper than drawing it."""
    bank = _grain_bank()
    start = int(rng.integers(bank.size - height * width))
    return bank[start : start + height * width].reshape(height, width)


@cache
def _grain_bank() -> Pixels:
    return np.random.default_rng(11).standard_normal(1 << 20, dtype=np.float32)


def parse_colour(text: str) -> Colour:
    """'#RRGGBB' to a BGR triple."""
    red, green, blue = (int(text[i : i + 2], 16) for i in (1, 3, 5))
    return (float(blue), float(green), float(red))


def random_colour(rng: np.random.Generator, low: float = 0, high: float = 255) -> Colour:
    """A colour whose channels lie near one random brightness."""
    base = rng.uniform(low, high)
    b, g, r = (min(255.0, max(0.0, base + 30.0 * d)) for d in rng.standard_normal(3).tolist())
    return (b, g, r)
