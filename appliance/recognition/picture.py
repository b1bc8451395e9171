"""Pictures for people: the crop a record keeps, and the frame with its plates outlined.

Nothing here changes the pixels it is given.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from appliance.values import PlateBox

Pixels = npt.NDArray[np.uint8]

CROP_BYTES = 60_000
_AROUND_X, _AROUND_Y = 0.3, 0.6  # shares of the plate's size left around it in a crop
_QUALITIES = (90, 75, 55)
_LINE_COLOUR = (0, 200, 255)  # BGR


def crop(pixels: Pixels, box: PlateBox) -> bytes:
    """JPEG, at most ``CROP_BYTES``, of the plate and a little around it at full resolution."""
    x, y, w, h = box.upright
    height, width = pixels.shape[:2]
    x0, x1 = int(max(0, x - _AROUND_X * w)), int(min(width, x + (1 + _AROUND_X) * w))
    y0, y1 = int(max(0, y - _AROUND_Y * h)), int(min(height, y + (1 + _AROUND_Y) * h))
    part = pixels[y0:y1, x0:x1]
    return jpeg(part, CROP_BYTES) if part.size else b""


def jpeg(pixels: Pixels, most_bytes: int) -> bytes:
    """The best JPEG within ``most_bytes``: first the quality falls, then the size."""
    for quality in _QUALITIES:
        good, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if good and len(data) <= most_bytes:
            return bytes(data)
    height, width = pixels.shape[:2]
    if min(height, width) < 16:
        return b""
    half = cv2.resize(pixels, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return jpeg(half, most_bytes)


def shrunk(pixels: Pixels, width: int) -> Pixels:
    """At most ``width`` px wide, of the same shape."""
    if pixels.shape[1] <= width:
        return pixels
    height = max(1, round(pixels.shape[0] * width / pixels.shape[1]))
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))


def outlined(pixels: Pixels, plates: Iterable[tuple[PlateBox, str]]) -> Pixels:
    """A copy with each plate's four sides drawn, and its caption (may be empty) above it."""
    drawn = pixels.copy()
    thick = max(1, round(pixels.shape[1] / 640))
    for box, caption in plates:
        quad = np.array(box.corners, np.float32).round().astype(np.int32)
        cv2.polylines(drawn, [quad], True, _LINE_COLOUR, thick, cv2.LINE_AA)
        if caption:
            x, y = int(quad[:, 0].min()), int(quad[:, 1].min()) - 4 * thick
            cv2.putText(drawn, caption, (x, max(12, y)), cv2.FONT_HERSHEY_SIMPLEX, 0.55 * thick,
                        _LINE_COLOUR, thick, cv2.LINE_AA)
    return drawn
