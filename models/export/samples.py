"""Pictures to calibrate the int8 models on: training pictures as rendered, nothing measured on."""

from __future__ import annotations

import cv2
import numpy as np

from models.synth.plate import render_plate
from models.synth.scene import SceneMaker
from models.synth.scene_paste import tilted_corners
from models.synth.scene_photos import load_photo_sets
from models.train.detector_feed import draw_plate


def detector_samples(count: int, shape: tuple[int, int]) -> list[np.ndarray]:
    """Whole scenes, grey uint8 of shape (H, W)."""
    rng = np.random.default_rng(20)
    maker = SceneMaker(rng, load_photo_sets(), draw_plate)
    return [maker.make(*shape).pixels for _ in range(count)]


def recogniser_samples(count: int, shape: tuple[int, int]) -> list[np.ndarray]:
    """Rectified and stretched plates, grey uint8 of shape (H, W)."""
    rng = np.random.default_rng(21)
    return [_cut_out(rng, shape) for _ in range(count)]


def _cut_out(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    height, width = shape
    plate = cv2.cvtColor(render_plate(rng).pixels, cv2.COLOR_BGR2GRAY)
    tall, wide = plate.shape
    inner = np.float32([(0, 0), (wide, 0), (wide, tall), (0, tall)])
    margin = (width * 0.92, height * 0.86)
    place = tilted_corners(rng, (width / 2, height / 2), margin, tilt=0.4)
    ground = float(rng.uniform(0, 255))
    warp = cv2.getPerspectiveTransform(inner, place)
    cut = cv2.warpPerspective(
        plate, warp, (width, height), borderMode=cv2.BORDER_CONSTANT, borderValue=ground
    ).astype(np.float32)
    cut = cv2.GaussianBlur(cut, (0, 0), rng.uniform(0.3, 1.5)) + rng.normal(
        0, rng.uniform(1, 12), shape
    )
    low, high = np.percentile(cut, (1, 99))
    return np.clip((cut - low) * 255 / max(high - low, 1), 0, 255).astype(np.uint8)
