"""Repeatable noise for surfaces: tiles that close on themselves, looked up at places in metres."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]
_ROW = 4096


class Noise:
    """Fine and smooth noise, 0..1; places may be planes or single rows."""

    def __init__(self, rng: np.random.Generator) -> None:
        size = 512
        base = rng.random((size, size), np.float32)
        self._fine = self._even(_wrapped_blur(base, 0.9))
        soft = sum(
            _wrapped_blur(rng.random((size, size), np.float32), sigma) * gain
            for sigma, gain in ((4.0, 4.0), (10.0, 16.0), (22.0, 40.0))
        )
        self._smooth = self._even(np.asarray(soft, np.float32))

    def fine(self, u: Plane, v: Plane) -> Plane:
        return self._look(self._fine, u * 8, v * 8)

    def smooth(self, u: Plane, v: Plane) -> Plane:
        return self._look(self._smooth, u * 24, v * 24)

    @staticmethod
    def _even(tile: Plane) -> Plane:
        """Spread over 0..1; one more row and column, so that the tile closes on itself."""
        low, high = np.percentile(tile, (1, 99))
        even = np.clip((tile - low) / (high - low), 0, 1).astype(np.float32)
        return np.pad(even, (0, 1), mode="wrap")

    @staticmethod
    def _look(tile: Plane, u: Plane, v: Plane) -> Plane:
        size = tile.shape[0] - 1
        places = [np.mod(p, size).astype(np.float32) for p in (u, v)]
        if u.ndim == 1:  # remap wants rows, and none over 32767
            places = [np.resize(p, (-(-p.size // _ROW), _ROW)) for p in places]
        found = cv2.remap(tile, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        return np.asarray(found, np.float32).ravel()[: u.size].reshape(u.shape)


def _wrapped_blur(tile: Plane, sigma: float) -> Plane:
    pad = int(4 * sigma) + 1
    wide = np.pad(tile, pad, mode="wrap")
    return np.asarray(cv2.GaussianBlur(wide, (0, 0), sigma), np.float32)[pad:-pad, pad:-pad]
