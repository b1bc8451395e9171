"""A sheet to paint a flat picture on, in metres: origin at the middle of its foot, y up.

Shapes are anti-aliased and may be shaded from top to foot; ``mirrored`` paints both sides.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from models.synth.clip_view import Picture

Colour = tuple[float, float, float]
Points = list[tuple[float, float]]
_SHIFT = 4


def mixed(a: Colour, b: Colour, share: float) -> Colour:
    return (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share,
            a[2] + (b[2] - a[2]) * share)


def lit(colour: Colour, factor: float, lift: float = 0.0) -> Colour:
    """Brighter or darker; ``lift`` adds grey."""
    b, g, r = (min(255.0, c * factor + lift) for c in colour)
    return (b, g, r)


def rounded(points: Points, times: int = 3) -> Points:
    """The polygon with its corners cut a little and then rounded (Chaikin)."""
    for n in range(times + 1):
        cut = 0.14 if n == 0 else 0.25
        out: Points = []
        for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1], strict=True):
            out += [(ax + (bx - ax) * cut, ay + (by - ay) * cut),
                    (bx + (ax - bx) * cut, by + (ay - by) * cut)]
        points = out
    return points


class Sheet:
    """Float BGRA, colours 0..255, alpha 0..1."""

    def __init__(self, width_m: float, height_m: float, px_per_m: float = 520.0) -> None:
        self.scale = px_per_m
        self.width, self.height = round(width_m * px_per_m), round(height_m * px_per_m)
        self.pixels = np.zeros((self.height, self.width, 4), np.float32)

    def picture(self) -> Picture:
        return Picture.of(self.pixels)

    def shape(
        self, points: Points, colour: Colour, foot: Colour | None = None, *, alpha: float = 1.0,
        soft_m: float = 0.0, mirrored: bool = False, inside: bool = False,
    ) -> None:
        """Fills a polygon; with ``foot`` the colour runs to that at its lowest point.

        ``soft_m`` blurs its edge; ``inside`` keeps it within what is painted already.
        """
        self._fill(points, colour, foot, alpha, soft_m, inside)
        if mirrored:
            self._fill([(-x, y) for x, y in points], colour, foot, alpha, soft_m, inside)

    def box(
        self, x0: float, y0: float, x1: float, y1: float, colour: Colour,
        foot: Colour | None = None, *, alpha: float = 1.0, round_m: float = 0.0,
        soft_m: float = 0.0, mirrored: bool = False, inside: bool = False,
    ) -> None:
        r = min(round_m, (x1 - x0) / 2, (y1 - y0) / 2)
        points: Points = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
        if r > 0:
            points = []
            for cx, cy, start in ((x1 - r, y1 - r, 0), (x0 + r, y1 - r, 1),
                                  (x0 + r, y0 + r, 2), (x1 - r, y0 + r, 3)):
                angles = np.linspace(start, start + 1, 7) * np.pi / 2
                points += [(cx + r * float(np.cos(a)), cy + r * float(np.sin(a))) for a in angles]
        self.shape(points, colour, foot, alpha=alpha, soft_m=soft_m, mirrored=mirrored,
                   inside=inside)

    def disc(
        self, x: float, y: float, rx: float, ry: float, colour: Colour,
        foot: Colour | None = None, *, alpha: float = 1.0, soft_m: float = 0.0,
        mirrored: bool = False, inside: bool = False,
    ) -> None:
        angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        points = [(x + rx * float(np.cos(a)), y + ry * float(np.sin(a))) for a in angles]
        self.shape(points, colour, foot, alpha=alpha, soft_m=soft_m, mirrored=mirrored,
                   inside=inside)

    def line(
        self, points: Points, width_m: float, colour: Colour, *, alpha: float = 1.0,
        mirrored: bool = False, inside: bool = True,
    ) -> None:
        """An open stroke of that width."""
        thick = max(1, round(width_m * self.scale))
        for sign in (1, -1) if mirrored else (1,):
            path = self._px([(sign * x, y) for x, y in points])
            box = self._within(path, thick)
            if box is None:
                continue
            x0, y0, x1, y1 = box
            mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
            cv2.polylines(mask, [path - (np.array((x0, y0)) << _SHIFT)], False, 255, thick,
                          cv2.LINE_AA, _SHIFT)
            self._blend(mask.astype(np.float32) / 255 * alpha, (x0, y0), colour, None, inside)

    def shade(self, factor: npt.NDArray[np.float32]) -> None:
        """Multiplies what is painted; the factor broadcasts over the sheet."""
        self.pixels[..., :3] *= factor[..., None]

    def across(self) -> npt.NDArray[np.float32]:
        """-1 at the left edge, 1 at the right."""
        return np.linspace(-1, 1, self.width, dtype=np.float32)[None, :]

    def _fill(
        self, points: Points, colour: Colour, foot: Colour | None, alpha: float, soft_m: float,
        inside: bool,
    ) -> None:
        path = self._px(points)
        soft = round(soft_m * self.scale)
        box = self._within(path, 2 * soft)
        if box is None:
            return
        x0, y0, x1, y1 = box
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        cv2.fillPoly(mask, [path - (np.array((x0, y0)) << _SHIFT)], 255, cv2.LINE_AA, _SHIFT)
        if soft:
            mask = cv2.GaussianBlur(mask, (0, 0), soft)
        self._blend(mask.astype(np.float32) / 255 * alpha, (x0, y0), colour, foot, inside)

    def _blend(
        self, mask: npt.NDArray[np.float32], at: tuple[int, int], colour: Colour,
        foot: Colour | None, inside: bool,
    ) -> None:
        x, y = at
        area = self.pixels[y : y + mask.shape[0], x : x + mask.shape[1]]
        if inside:
            mask = mask * area[..., 3]
        paint = np.array(colour, np.float32)[None, None, :]
        if foot is not None:
            down = np.linspace(0, 1, mask.shape[0], dtype=np.float32)[:, None, None]
            paint = paint + (np.array(foot, np.float32) - paint) * down
        old = area[..., 3]
        new = mask + old * (1 - mask)
        share = (mask / np.maximum(new, 1e-6))[..., None]
        area[..., :3] = area[..., :3] * (1 - share) + paint * share
        area[..., 3] = new

    def _within(
        self, path: npt.NDArray[np.int32], more: int
    ) -> tuple[int, int, int, int] | None:
        """The path's box and ``more`` px around it, on the sheet; None where it lies outside."""
        low, high = (path.min(0) >> _SHIFT) - 2 - more, (path.max(0) >> _SHIFT) + 3 + more
        x0, y0 = max(0, int(low[0])), max(0, int(low[1]))
        x1, y1 = min(self.width, int(high[0])), min(self.height, int(high[1]))
        return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None

    def _px(self, points: Points) -> npt.NDArray[np.int32]:
        out = [(self.width / 2 + x * self.scale, self.height - y * self.scale) for x, y in points]
        return np.round(np.array(out) * (1 << _SHIFT)).astype(np.int32)
