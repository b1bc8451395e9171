"""From a flat plate to the grey cut-out a camera and a detector would hand to the recogniser.

Rules
- Order of events as in life: frame and bodywork, perspective, cut-out with the detector's error,
  light, lens, sensor, compression, and the resize to the network's input.
- Two ways of cutting: by four noisy corners, as production does, and by the upright box of a
  tilted plate, as the evaluation sets do; both with the same margin.
- A sample stays legible: plate width, blur and contrast are drawn together, never all bad.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.synth import decor
from models.synth.canvas import Canvas, Colour, Pixels, clouds, random_colour
from models.synth.fonts import Faces
from models.synth.photo import expose, sensor, soften
from models.synth.plate import DrawnPlate

Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class CutOut:
    """How a plate is handed to the recogniser: size in px, margins as shares of its box."""

    width: int = 144
    height: int = 48
    margin_x: float = 0.04
    margin_y: float = 0.07


def glimpse(
    rng: np.random.Generator, plate: DrawnPlate, faces: Faces, cut: CutOut, difficulty: float = 1.0
) -> Grey:
    """One cut-out (cut.height, cut.width) uint8, contrast stretched, of a grey-canvas plate."""
    scene, corners = _surroundings(rng, plate, faces)
    quad = _cut_corners(rng, corners, cut, difficulty)
    plate_px = float(np.exp(rng.uniform(np.log(48 if difficulty > 0.5 else 90), np.log(210))))
    aspect = plate.canvas.height / plate.canvas.width
    size = (
        max(24, round(plate_px * (1 + 2 * cut.margin_x))),
        max(10, round(plate_px * aspect * rng.uniform(0.85, 1.15) * (1 + 2 * cut.margin_y))),
    )
    picture = _warp(scene, quad, size)
    picture = expose(rng, picture, difficulty)
    picture = soften(rng, picture, plate_px, difficulty)
    pixels = sensor(rng, picture, plate_px, difficulty)
    how = cv2.INTER_LINEAR if rng.random() < 0.75 else cv2.INTER_CUBIC
    if plate_px > cut.width * 1.3:
        how = cv2.INTER_AREA if rng.random() < 0.5 else how
    return stretch_contrast(
        np.asarray(cv2.resize(pixels, (cut.width, cut.height), interpolation=how))
    )


def stretch_contrast(pixels: NDArray[np.uint8]) -> Grey:
    """Map the 1st and 99th percentile of a grey picture to 0 and 255 (of every second pixel)."""
    few = pixels[::2, ::2].ravel()
    ends = (round((few.size - 1) * 0.01), round((few.size - 1) * 0.99))
    ordered = np.partition(few, ends)
    low, high = float(ordered[ends[0]]), float(ordered[ends[1]])
    scale = 255.0 / max(8.0, high - low)
    stretched = (pixels.astype(np.float32) - low) * scale
    return np.asarray(np.clip(stretched, 0, 255), np.uint8)


def _surroundings(
    rng: np.random.Generator, plate: DrawnPlate, faces: Faces
) -> tuple[Pixels, Pixels]:
    """The plate in its frame on some bodywork; returns pixels and the plate's corners (4, 2)."""
    width, height = plate.canvas.width, plate.canvas.height
    pad_x, pad_top, pad_foot = round(width * 0.14), round(height * 0.3), round(height * 0.34)
    body = Canvas(
        width + 2 * pad_x, height + pad_top + pad_foot, random_colour(rng), plate.canvas.tone
    )
    if rng.random() < 0.5:
        body.add(clouds(rng, body.height, body.width, 3) * np.float32(rng.uniform(0, 80)))
    has_frame = rng.random() < (0.6 if plate.region.family == "us" else 0.45)
    frame = random_colour(rng, 0, 90) if rng.random() < 0.7 else random_colour(rng, 100, 245)
    top, foot, side = (height * rng.uniform(0.03, 0.2) for _ in range(3))
    if has_frame:
        body.box(pad_x - side, pad_top - top, pad_x + width + side, pad_top + height + foot, frame)
    np.clip(plate.canvas.pixels, 0, 255, plate.canvas.pixels)
    body.pixels[pad_top : pad_top + height, pad_x : pad_x + width] = plate.canvas.pixels
    if has_frame:
        foot_room = 0.27 if plate.region.family == "us" else 0.1
        box = (pad_x, pad_top, width, height)
        _frame_over_plate(rng, body, faces, box, (frame, top, foot, foot_room))
    right, below = pad_x + width, pad_top + height
    corners = np.array(
        [(pad_x, pad_top), (right, pad_top), (right, below), (pad_x, below)], np.float32
    )
    return body.pixels, corners


def _frame_over_plate(
    rng: np.random.Generator,
    body: Canvas,
    faces: Faces,
    box: tuple[int, int, int, int],
    frame: tuple[Colour, float, float, float],
) -> None:
    x, y, width, height = box
    colour, top, foot, foot_room = frame
    lettering = random_colour(rng, 150, 255) if sum(colour) < 380 else random_colour(rng, 0, 90)
    over = height * rng.uniform(0.02, 0.1) if rng.random() < 0.45 else 0.0
    if over and rng.random() < 0.2:
        over = height * rng.uniform(0.5, 1.0) * foot_room
    if over:
        body.box(x, y + height - over, x + width, y + height, colour)
        if rng.random() < 0.6:
            body.box(x, y, x + width, y + min(over, height * 0.14) * rng.uniform(0.7, 1.2), colour)
        if rng.random() < 0.4:
            body.box(x, y, x + width * 0.015, y + height, colour)
            body.box(x + width * 0.985, y, x + width, y + height, colour)
    if rng.random() < 0.6:
        span = (x + width * 0.1, y + height - over, x + width * 0.9, y + height + foot)
        decor.paint_legend(rng, body, decor.legend(rng, faces), span, lettering)
    if rng.random() < 0.35:
        span = (x + width * 0.1, y - top, x + width * 0.9, y + over)
        decor.paint_legend(rng, body, decor.legend(rng, faces), span, lettering)


def _cut_corners(
    rng: np.random.Generator, corners: Pixels, cut: CutOut, difficulty: float
) -> Pixels:
    """Source corners (4, 2) of the cut-out, in canvas pixels."""
    width, height = corners[2] - corners[0]
    centre = corners.mean(axis=0)
    unit = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)], np.float32)
    noise = 0.6 + 0.4 * difficulty
    if rng.random() < 0.5:
        spread = np.array([0.016, 0.032]) * noise
        error = rng.normal(0, 1, (4, 2)) * spread + rng.normal(0, 1, 2) * spread
        grow = 1 + 2 * np.array([cut.margin_x, cut.margin_y])
        grow = grow + rng.normal(0, 1, 2) * (0.025, 0.045)
        if rng.random() < 0.12:
            grow = grow + rng.uniform(0, 1, 2) * (0.2, 0.3)
        turn = np.radians(rng.normal(0, 1.2))
        shifted = (unit * grow + error) * (width, height)
        rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        return np.asarray(shifted @ rotation + centre, np.float32)
    return _upright_box(rng, unit, (centre, width, height), cut, noise)


def _upright_box(
    rng: np.random.Generator,
    unit: Pixels,
    plate: tuple[Pixels, float, float],
    cut: CutOut,
    noise: float,
) -> Pixels:
    """Tilt the plate, take its upright bounding box with margins, map that box back."""
    centre, width, height = plate
    angle = np.radians(rng.normal(0, 4.5 if width > 3 * height else 5.5) * noise)
    shear, taper, squeeze = rng.normal(0, 0.09), rng.normal(0, 0.05), rng.uniform(0.75, 1.05)
    flat = unit * (width, height)
    seen = flat * (squeeze, 1) * np.column_stack([np.ones(4), 1 + taper * 2 * unit[:, 0]])
    seen[:, 1] += shear * seen[:, 0]
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    seen = (seen @ turn).astype(np.float32)
    low, high = seen.min(axis=0), seen.max(axis=0)
    extent = high - low
    spread = np.array([0.02, 0.04]) * noise
    margin = np.array([cut.margin_x, cut.margin_y])
    low = low - extent * (margin + rng.normal(0, 1, 2) * spread)
    high = high + extent * (margin + rng.normal(0, 1, 2) * spread)
    box = np.array([(low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1])])
    back = cv2.getPerspectiveTransform(seen, (flat + centre).astype(np.float32))
    mapped = cv2.perspectiveTransform(box[None].astype(np.float32), back)
    return np.asarray(mapped[0], np.float32)


def _warp(scene: Pixels, quad: Pixels, size: tuple[int, int]) -> Pixels:
    """Cut the quadrangle out at the camera's resolution, averaging where it shrinks."""
    shrink = float(np.linalg.norm(quad[1] - quad[0])) / size[0]
    if shrink > 1.6:
        kernel = int(shrink) | 1
        scene = np.asarray(cv2.blur(scene, (kernel, kernel)))
    target = np.array([(0, 0), (size[0], 0), (size[0], size[1]), (0, size[1])], np.float32)
    matrix = cv2.getPerspectiveTransform(quad.astype(np.float32), target)
    warped = cv2.warpPerspective(
        scene, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(warped, np.float32)
