"""A cheap gate before the models: did anything change in the lane?

The frame is shrunk to a small grey picture and compared with a running background. A change of
light moves every pixel alike and is taken out by the median; noise is taken out by a threshold
that follows the scene's own noise. What holds still fades into the background within seconds, so
the caller keeps looking while a car is tracked and at least once a second.
Thread: the program's loop. Not reentrant.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from appliance.values import Motion

Polygon = tuple[tuple[float, float], ...]

_WIDTH = 160
_FADE_S = 3.0  # time constant of the background
_LEAST_LEVELS = 9.0  # grey levels a pixel must change, at least
_NOISES = 4.0  # and how many times the scene's own noise
_SMALLEST_BLOB = 6  # px of the small picture
_MOST_BOXES = 8


class MotionGate:
    """Give it every frame in order."""

    def __init__(self, mask: Polygon = ()) -> None:
        self._polygon = mask
        self._shape = (0, 0)
        self._mask = np.zeros((1, 1), np.uint8)
        self._background: npt.NDArray[np.float32] | None = None
        self._last_mono = 0.0

    def see(self, pixels: npt.NDArray[np.uint8], now: float) -> Motion:
        """What changed in ``pixels`` uint8 (H, W, 3) since the last seconds; ``now`` in s."""
        height, width = pixels.shape[:2]
        small = _small_grey(pixels)
        if self._background is None or self._shape != (height, width):
            self._begin(small, height, width, now)
            return Motion((), 0.0)
        change = small - self._background
        change -= np.median(change)
        size = np.abs(change)
        noise = float(np.median(size))
        moved = (size > max(_LEAST_LEVELS, _NOISES * noise)).astype(np.uint8) & self._mask
        elapsed = min(max(now - self._last_mono, 0.0), _FADE_S)
        self._background += (1 - np.exp(-elapsed / _FADE_S)) * (small - self._background)
        self._last_mono = now
        share = float(moved.sum()) / max(1, int(self._mask.sum()))
        return Motion(self._boxes(moved), min(1.0, share))

    def inside(self, x: float, y: float) -> bool:
        """Whether a point (px of the full frame) lies in the lane."""
        if not self._polygon or self._shape == (0, 0):
            return True
        height, width = self._shape
        contour = np.array([(a * width, b * height) for a, b in self._polygon], np.float32)
        return bool(cv2.pointPolygonTest(contour, (float(x), float(y)), False) >= 0)

    def _begin(self, small: npt.NDArray[np.float32], height: int, width: int, now: float) -> None:
        self._background, self._shape, self._last_mono = small, (height, width), now
        rows, columns = small.shape
        self._mask = np.ones((rows, columns), np.uint8)
        if self._polygon:
            self._mask[:] = 0
            corners = [(round(x * (columns - 1)), round(y * (rows - 1))) for x, y in self._polygon]
            cv2.fillPoly(self._mask, [np.array(corners, np.int32)], 1)

    def _boxes(self, moved: npt.NDArray[np.uint8]) -> tuple[tuple[int, int, int, int], ...]:
        """Changed places, largest first, in px of the full frame."""
        if not moved.any():
            return ()
        joined = cv2.dilate(moved, np.ones((5, 5), np.uint8))
        _, _, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
        scale_x = self._shape[1] / moved.shape[1]
        scale_y = self._shape[0] / moved.shape[0]
        blobs = sorted(stats[1:], key=lambda s: -int(s[cv2.CC_STAT_AREA]))
        return tuple(
            (int(x * scale_x), int(y * scale_y), int(w * scale_x), int(h * scale_y))
            for x, y, w, h, area in blobs[:_MOST_BOXES]
            if area >= _SMALLEST_BLOB
        )


def _small_grey(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """float32 (h, 160) of the green channel; every few pixels are enough to average from."""
    height, width = pixels.shape[:2]
    rows = max(2, round(height * _WIDTH / width))
    step = max(1, width // (2 * _WIDTH))
    thinned = np.ascontiguousarray(pixels[::step, ::step, 1])
    return np.asarray(cv2.resize(thinned, (_WIDTH, rows), interpolation=cv2.INTER_AREA), np.float32)
