"""Where are plates? The detector's heat map and corners become a few candidates.

The picture (or a region of it) is letterboxed top left into the net's input, as in training. Of the
heat map the local maxima are kept, strongest first; several are returned on purpose, because the
recogniser is the better judge of what is a plate (measured: 64 to 79 % end to end). Corners are
averaged over the cells of a peak, which all point to the same four places.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from appliance.errors import RecognitionError
from appliance.recognition.tflite import Floats, Grey, Net
from appliance.values import PlateBox, Point, Quad

MOST = 4
LEAST_HEAT = 0.08
_PADDING = 0
_CORNER_UNIT_PX = 16.0
_NEAR_PEAK = 0.6  # neighbours with this share of the peak's heat help with the corners
_OVERLAP = 0.3
_NARROWEST_PX = 16.0
_ASPECTS = (0.7, 10.0)  # width / height of a plate seen by a camera, two-line plates included


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the full frame, px."""

    x: int
    y: int
    width: int
    height: int


class Locator:
    """One detector."""

    def __init__(self, net: Net) -> None:
        self._net = net
        self.card = net.card
        self.width_px = net.card.width_px
        self.height_px = net.card.height_px

    def locate(self, grey: Grey, region: Region | None = None,
               smaller: float = 1.0) -> list[PlateBox]:
        """At most ``MOST`` candidates in ``grey`` uint8 (H, W), best first, corners in its px.

        ``smaller`` shrinks the picture further than the net's input asks for: for close-ups.
        """
        x, y = (region.x, region.y) if region else (0, 0)
        part = grey[y : y + region.height, x : x + region.width] if region else grey
        board, factor = self._letterbox(part, smaller)
        heat, corners = _by_depth(self._net.run(board))
        stride = self.height_px / heat.shape[0]
        rows = int(np.ceil(part.shape[0] * factor / stride))
        columns = int(np.ceil(part.shape[1] * factor / stride))
        found: list[PlateBox] = []
        for row, column in _peaks(heat[:rows, :columns]):
            quad = _quad(heat, corners, row, column, stride)
            box = PlateBox(_shift(quad / factor, x, y), min(1.0, float(heat[row, column])))
            if _could_be(box) and all(overlap(box, other) < _OVERLAP for other in found):
                found.append(box)
                if len(found) == MOST:
                    break
        return found

    def _letterbox(self, part: Grey, smaller: float) -> tuple[Grey, float]:
        factor = min(self.width_px / part.shape[1], self.height_px / part.shape[0]) / smaller
        size = (max(1, round(part.shape[1] * factor)), max(1, round(part.shape[0] * factor)))
        how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
        board = np.full((self.height_px, self.width_px), _PADDING, np.uint8)
        board[: size[1], : size[0]] = cv2.resize(part, size, interpolation=how)
        return board, factor


def overlap(one: PlateBox, other: PlateBox) -> float:
    """Intersection of the upright boxes over the smaller of them, 0..1."""
    ax, ay, aw, ah = one.upright
    bx, by, bw, bh = other.upright
    across = max(0.0, min(ax + aw, bx + bw) - max(ax, bx))
    down = max(0.0, min(ay + ah, by + bh) - max(ay, by))
    return across * down / max(1e-6, min(aw * ah, bw * bh))


def _by_depth(outputs: list[Floats]) -> tuple[Floats, Floats]:
    """heat (h, w) and corners (h, w, 8), told apart by their last dimension."""
    by_depth = {o.shape[-1]: o[0] for o in outputs if o.ndim == 4}
    if 1 not in by_depth or 8 not in by_depth:
        raise RecognitionError(
            "the detector's outputs are foreign",
            next_step="Use the models that came with this version of the software",
        )
    return by_depth[1][:, :, 0], by_depth[8]


def _peaks(heat: Floats) -> list[tuple[int, int]]:
    """Local maxima (row, column), hottest first."""
    highest = cv2.dilate(heat, np.ones((3, 3), np.uint8))
    places = np.argwhere((heat >= highest) & (heat >= LEAST_HEAT))
    order = np.argsort(-heat[places[:, 0], places[:, 1]], kind="stable")[: 4 * MOST]
    return [(int(row), int(column)) for row, column in places[order]]


def _quad(heat: Floats, corners: Floats, row: int, column: int,
          stride: float) -> npt.NDArray[np.float64]:
    """Corners float (4, 2), px of the net's input: the mean of the peak's cells, by heat."""
    total, weight_sum = np.zeros((4, 2)), 0.0
    for r in range(max(0, row - 1), min(heat.shape[0], row + 2)):
        for c in range(max(0, column - 1), min(heat.shape[1], column + 2)):
            weight = float(heat[r, c])
            if weight < _NEAR_PEAK * float(heat[row, column]):
                continue
            centre = ((c + 0.5) * stride, (r + 0.5) * stride)
            total += weight * (corners[r, c].reshape(4, 2) * _CORNER_UNIT_PX + centre)
            weight_sum += weight
    quad: npt.NDArray[np.float64] = total / max(weight_sum, 1e-6)
    return quad


def _shift(quad: npt.NDArray[np.float64], x: int, y: int) -> Quad:
    a, b, c, d = (_point(p, x, y) for p in quad)
    return (a, b, c, d)


def _point(p: npt.NDArray[np.float64], x: int, y: int) -> Point:
    return (float(p[0]) + x, float(p[1]) + y)


def _could_be(box: PlateBox) -> bool:
    """Convex, the right way round, wide enough and of a plate's shape."""
    quad = np.array(box.corners, np.float32)
    sides = np.roll(quad, -1, 0) - quad
    after = np.roll(sides, -1, 0)
    turns = sides[:, 0] * after[:, 1] - sides[:, 1] * after[:, 0]
    if not (turns > 0).all():
        return False
    width = float(np.linalg.norm(sides[0]) + np.linalg.norm(sides[2])) / 2
    height = float(np.linalg.norm(sides[1]) + np.linalg.norm(sides[3])) / 2
    return width >= _NARROWEST_PX and _ASPECTS[0] <= width / max(height, 1e-6) <= _ASPECTS[1]
