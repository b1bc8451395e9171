"""The rendered clip's camera: a pin-hole at the kerb, and flat pictures placed in its world.

World: metres, x to the right in the picture, y up from the drive, z along the drive away from the
camera. Everything that moves is a flat picture (BGRA, premultiplied) on four corners in the world,
drawn far to near. Pixels are uint8 BGR.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Point3 = tuple[float, float, float]

WIDTH_PX, HEIGHT_PX = 1280, 720
FOCAL_PX = 2400.0
EYE_M = 1.3
_YAW = math.radians(-9.5)
_PITCH = math.radians(4.0)
NEAREST_M = 0.55

LANE_M = -1.2
"""x of the lane's centre where the drive is straight."""
_BEND_M, _BEND = 12.0, 0.07


def lane_x(z: npt.NDArray[np.float32] | float) -> npt.NDArray[np.float32] | float:
    """Centre of the drive: straight to the gate, bending out of sight behind it."""
    return LANE_M + _BEND * np.maximum(0.0, z - _BEND_M) ** 2


def heading(z: float) -> float:
    """Angle of the drive there, radians, 0 where it runs straight at the camera."""
    return math.atan(2 * _BEND * max(0.0, z - _BEND_M))


def project(point: Point3) -> tuple[float, float]:
    """Pixel of a world point in front of the camera."""
    x, y, z = point
    y -= EYE_M
    ahead = z * math.cos(_YAW) + x * math.sin(_YAW)
    aside = x * math.cos(_YAW) - z * math.sin(_YAW)
    depth = ahead * math.cos(_PITCH) - y * math.sin(_PITCH)
    above = y * math.cos(_PITCH) + ahead * math.sin(_PITCH)
    return (WIDTH_PX / 2 + FOCAL_PX * aside / depth, HEIGHT_PX / 2 - FOCAL_PX * above / depth)


def rays(scale: int) -> tuple[npt.NDArray[np.float32], ...]:
    """World direction (x, y, z) of every pixel of a picture ``scale`` times as large."""
    columns = (np.arange(WIDTH_PX * scale, dtype=np.float32) + 0.5) / scale - WIDTH_PX / 2
    rows = (np.arange(HEIGHT_PX * scale, dtype=np.float32) + 0.5) / scale - HEIGHT_PX / 2
    aside, below = np.meshgrid(columns / FOCAL_PX, rows / FOCAL_PX)
    ahead = math.cos(_PITCH) + below * math.sin(_PITCH)
    up = -math.sin(_PITCH) - below * math.cos(_PITCH)
    # The pitch turns the axis down: a ray on the axis meets the drive.
    x = aside * math.cos(_YAW) + ahead * math.sin(_YAW)
    z = ahead * math.cos(_YAW) - aside * math.sin(_YAW)
    return x.astype(np.float32), up.astype(np.float32), z.astype(np.float32)


@dataclass(slots=True)
class Picture:
    """A flat picture with half-size copies, so that a far one does not glitter."""

    levels: list[Pixels]

    @classmethod
    def of(cls, pixels: npt.NDArray[np.float32]) -> Picture:
        """From float BGRA with colours 0..255 and alpha 0..1, not premultiplied."""
        alpha = np.clip(pixels[..., 3:], 0, 1)
        whole = np.concatenate([np.clip(pixels[..., :3], 0, 255) * alpha, alpha * 255], axis=2)
        levels = [whole.round().astype(np.uint8)]
        while min(levels[-1].shape[:2]) > 16:
            levels.append(np.asarray(cv2.pyrDown(levels[-1]), np.uint8))
        return cls(levels)

    def fitting(self, width_px: float) -> Pixels:
        """The smallest copy that is still at least as wide as it will appear."""
        for level in reversed(self.levels):
            if level.shape[1] >= width_px:
                return level
        return self.levels[0]


def place(
    frame: Pixels, picture: Picture, corners: tuple[Point3, Point3, Point3, Point3],
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> None:
    """Draws the picture on its corners (top left, top right, bottom right, bottom left).

    ``tint`` multiplies B, G, R. What lies behind the camera is cut off along the picture's sides.
    """
    cut = _before_camera(corners)
    if cut is None:
        return
    trimmed, share = cut
    points = np.array([project(c) for c in trimmed], np.float32)
    x0, y0 = np.floor(points.min(0)).astype(int) - 1
    x1, y1 = np.ceil(points.max(0)).astype(int) + 2
    x0, y0, x1, y1 = max(0, x0), max(0, y0), min(WIDTH_PX, x1), min(HEIGHT_PX, y1)
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    wide = max(math.dist(points[0], points[1]), math.dist(points[3], points[2]))
    level = picture.fitting(min(wide / max(0.05, share[2] - share[0]), 4000.0))
    height, width = level.shape[:2]
    u0, v0, u1, v1 = share[0] * width, share[1] * height, share[2] * width, share[3] * height
    source = np.array([(u0, v0), (u1, v0), (u1, v1), (u0, v1)], np.float32) - 0.5
    matrix = cv2.getPerspectiveTransform(source, points - np.array((x0, y0), np.float32))
    warped = cv2.warpPerspective(level, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
    colour, alpha = warped[..., :3], warped[..., 3]
    if tint != (1.0, 1.0, 1.0):
        colour = cv2.multiply(colour, (*tint, 1.0))
    veil = cv2.cvtColor(255 - alpha, cv2.COLOR_GRAY2BGR)
    area = frame[y0:y1, x0:x1]
    area[:] = cv2.add(colour, cv2.multiply(area, veil, scale=1 / 255))


def _before_camera(
    corners: tuple[Point3, Point3, Point3, Point3],
) -> tuple[tuple[Point3, ...], tuple[float, float, float, float]] | None:
    """Corners moved to the near limit, with the part of the picture left: u0, v0, u1, v1."""
    tl, tr, br, bl = corners
    deep = [c[2] for c in corners]
    if max(deep) <= NEAREST_M:
        return None
    if min(deep) > NEAREST_M:
        return corners, (0.0, 0.0, 1.0, 1.0)
    across = abs(tl[2] - tr[2]) > abs(tl[2] - bl[2])
    if across:
        left, right = _part(tl[2], tr[2]), _part(bl[2], br[2])
        low, high = max(left[0], right[0]), min(left[1], right[1])
        if high - low < 1e-3:
            return None
        made = (_mix(tl, tr, low), _mix(tl, tr, high), _mix(bl, br, high), _mix(bl, br, low))
        return made, (low, 0.0, high, 1.0)
    left, right = _part(tl[2], bl[2]), _part(tr[2], br[2])
    low, high = max(left[0], right[0]), min(left[1], right[1])
    if high - low < 1e-3:
        return None
    made = (_mix(tl, bl, low), _mix(tr, br, low), _mix(tr, br, high), _mix(tl, bl, high))
    return made, (0.0, low, 1.0, high)


def _part(z0: float, z1: float) -> tuple[float, float]:
    """The stretch 0..1 from z0 to z1 that lies before the camera."""
    if z0 > NEAREST_M and z1 > NEAREST_M:
        return (0.0, 1.0)
    if z0 <= NEAREST_M and z1 <= NEAREST_M:
        return (1.0, 0.0)
    at = (NEAREST_M - z0) / (z1 - z0)
    return (at, 1.0) if z1 > z0 else (0.0, at)


def _mix(a: Point3, b: Point3, share: float) -> Point3:
    return (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share,
            a[2] + (b[2] - a[2]) * share)
