"""From the detector's two maps to candidate plates.  NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .detector_net import CORNER_UNIT, STRIDE


@dataclass(frozen=True, slots=True)
class Candidate:
    """One peak: its score 0..1 and its corners float32 (4, 2) px of the net's input."""

    score: float
    corners: np.ndarray


def peaks(
    heat: np.ndarray, corners: np.ndarray, most: int = 4, least: float = 0.0
) -> list[Candidate]:
    """Best peaks of heat (h, w) 0..1 with corners (8, h, w), strongest first.

    A peak silences what lies within half of its own plate.
    """
    left = heat.astype(np.float32).copy()
    rows, columns = left.shape
    found: list[Candidate] = []
    for _ in range(most):
        row, column = divmod(int(left.argmax()), columns)
        score = float(left[row, column])
        if score < least or score < 0:
            break
        centre = ((column + 0.5) * STRIDE, (row + 0.5) * STRIDE)
        quad = corners[:, row, column].astype(np.float32).reshape(4, 2) * CORNER_UNIT + centre
        found.append(Candidate(score, quad))
        reach = np.maximum(np.ptp(quad, 0) / 2 / STRIDE, 1.0)
        y0, y1 = int(max(0, row - reach[1])), int(row + reach[1] + 1)
        x0, x1 = int(max(0, column - reach[0])), int(column + reach[0] + 1)
        left[y0:y1, x0:x1] = -1
    return found


def overlap(corners: np.ndarray, box: np.ndarray) -> float:
    """Intersection over union of the corners' bounding box and box (x0, y0, x1, y1)."""
    low, high = corners.min(0), corners.max(0)
    inner = np.clip(np.minimum(high, box[2:]) - np.maximum(low, box[:2]), 0, None)
    shared = float(np.prod(inner))
    both = float(np.prod(high - low)) + float(np.prod(box[2:] - box[:2])) - shared
    return shared / max(both, 1e-6)


def centre_hit(corners: np.ndarray, box: np.ndarray) -> bool:
    """Whether the middle of the corners lies in box (x0, y0, x1, y1)."""
    middle = corners.mean(0)
    return bool((middle > box[:2]).all() and (middle < box[2:]).all())
