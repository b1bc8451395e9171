"""A plate in the frame becomes the flat cut-out the recogniser was trained on.

Always from the full-resolution frame, never from the detector's shrunken one. The four corners are
mapped with a margin around them (shares of the plate's width and height, from the manifest). A
plate much wider than the cut-out is averaged down first, so that thin strokes do not break up.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from appliance.recognition.manifest import ModelCard
from appliance.recognition.tflite import Grey
from appliance.values import PlateBox

_SHRINK_FROM = 1.6


def cut_out(grey: Grey, box: PlateBox, card: ModelCard) -> Grey:
    """uint8 (card.height_px, card.width_px), contrast stretched, of a plate in ``grey`` (H, W)."""
    quad = np.array(box.corners, np.float32)
    part, origin = _around(grey, quad)
    quad = quad - origin
    shrink = box.width_px * (1 + 2 * card.margin[0]) / card.width_px
    if shrink > _SHRINK_FROM:
        size = (max(1, round(part.shape[1] / shrink)), max(1, round(part.shape[0] / shrink)))
        scale = np.array([size[0] / part.shape[1], size[1] / part.shape[0]])
        part, quad = cv2.resize(part, size, interpolation=cv2.INTER_AREA), quad * scale
    matrix = cv2.getPerspectiveTransform(quad.astype(np.float32), _target(card))
    warped = cv2.warpPerspective(
        part, matrix, (card.width_px, card.height_px),
        flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
    )
    return stretch(warped)


def whole(grey: Grey, card: ModelCard) -> Grey:
    """A picture that is itself a cut-out plate, as the recogniser's input."""
    factor = card.width_px / grey.shape[1]
    how = cv2.INTER_AREA if factor < 1 / _SHRINK_FROM else cv2.INTER_LINEAR
    return stretch(cv2.resize(grey, (card.width_px, card.height_px), interpolation=how))


def stretch(pixels: Grey) -> Grey:
    """Maps the 1st and 99th percentile to 0 and 255, as in training."""
    low, high = np.percentile(pixels[::2, ::2], (1, 99))
    scale = 255.0 / max(8.0, float(high - low))
    stretched = (pixels.astype(np.float32) - np.float32(low)) * np.float32(scale)
    return np.asarray(np.clip(stretched, 0, 255).astype(np.uint8))


def sharpness(cut: Grey) -> float:
    """Variance of the Laplacian of a cut-out; higher is sharper."""
    return float(cv2.Laplacian(cut, cv2.CV_32F).var())


def _target(card: ModelCard) -> npt.NDArray[np.float32]:
    """Where the plate's corners come to lie in the cut-out."""
    left = card.width_px * card.margin[0] / (1 + 2 * card.margin[0])
    top = card.height_px * card.margin[1] / (1 + 2 * card.margin[1])
    right, bottom = card.width_px - left, card.height_px - top
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)


def _around(
    grey: Grey, quad: npt.NDArray[np.float32]
) -> tuple[Grey, npt.NDArray[np.float32]]:
    """The part of the frame that holds the plate and its margin, and the part's origin."""
    low, high = quad.min(0), quad.max(0)
    room = (high - low) * 0.25 + 4
    height, width = grey.shape
    x0, y0 = np.clip(low - room, 0, (width - 2, height - 2)).astype(int)
    x1, y1 = np.clip(high + room, (x0 + 2, y0 + 2), (width, height)).astype(int)
    return grey[y0:y1, x0:x1], np.array([x0, y0], np.float32)
