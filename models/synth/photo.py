"""Light, lens and sensor: what happens to a grey plate between the lamp and the file.

All pictures are float32 (H, W), 0..255, until `sensor` returns uint8. `difficulty` 0..1 scales
how often and how far; 0 is used at the start of training only.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.synth.canvas import Pixels, clouds, grain


def expose(rng: np.random.Generator, picture: Pixels, difficulty: float = 1.0) -> Pixels:
    """Shadow, glare, dirt, exposure and contrast."""
    height, width = picture.shape
    if rng.random() < 0.3 * difficulty:
        picture = picture * _shadow(rng, height, width)
    if rng.random() < 0.3:
        picture = picture + clouds(rng, height, width, 2) * np.float32(rng.uniform(10, 110))
    if rng.random() < 0.07 * difficulty:
        picture = picture + _glare(rng, height, width)
    if rng.random() < 0.1 * difficulty:
        dirt = clouds(rng, height, width, int(rng.integers(4, 12))) * rng.uniform(0.4, 1.6)
        picture = picture * (1 - np.clip(dirt, 0, 0.6)).astype(np.float32)
    if rng.random() < 0.1 * difficulty:
        picture = _bloom(rng, picture)
    np.clip(picture, 0, 255, picture)
    if rng.random() < 0.6:
        gamma = np.float32(rng.uniform(0.55, 1.7))
        picture = cv2.pow(picture * np.float32(1 / 255), float(gamma)) * np.float32(255)
    if rng.random() < 0.6:
        contrast = rng.uniform(0.25, 1.15)
        lift = 255 * max(0.0, 1 - contrast) * rng.random() * rng.random()
        picture = picture * np.float32(contrast) + np.float32(lift)
    if rng.random() < 0.08 * difficulty:
        picture = picture * np.float32(rng.uniform(1.2, 1.7))
    return np.asarray(np.clip(picture, 0, 255), np.float32)


def soften(
    rng: np.random.Generator, picture: Pixels, plate_px: float, difficulty: float = 1.0
) -> Pixels:
    """Focus or motion blur; small plates get little, or nothing would be left to read."""
    share = rng.random()
    reach = max(0.75, plate_px / 120) * (0.4 + 0.6 * difficulty)
    if share < 0.5:
        sigma = rng.uniform(0.3, 1.15) * reach
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)
    if share < 0.66:
        return _motion(rng, picture, max(2.0, plate_px * rng.uniform(0.012, 0.03) * reach))
    if share < 0.78:
        blurred = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.8, 1.5))
        return np.asarray(picture + (picture - blurred) * rng.uniform(0.4, 2.2), np.float32)
    return picture


def sensor(
    rng: np.random.Generator, picture: Pixels, plate_px: float, difficulty: float = 1.0
) -> NDArray[np.uint8]:
    """Noise, an optional second resolution, and compression."""
    if rng.random() < 0.7:
        most = min(4 + 9 * difficulty * min(1.0, plate_px / 100), 1 + 0.25 * float(picture.std()))
        strength = rng.uniform(0.5, most)
        picture = picture + grain(rng, *picture.shape) * np.float32(strength)
    pixels = np.clip(picture, 0, 255).astype(np.uint8)
    if rng.random() < 0.15 * difficulty and plate_px > 75:
        pixels = _rescaled(rng, pixels)
    if rng.random() < 0.65:
        low = 10 if plate_px > 130 else 18 if plate_px > 90 else 32
        quality = int(rng.uniform(low, 94))
        ok, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if ok:
            pixels = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    return pixels


def _shadow(rng: np.random.Generator, height: int, width: int) -> Pixels:
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    distance = (x / width - 0.5) * np.cos(angle) + (y / height - 0.5) * np.sin(angle)
    edge = 1 / (1 + np.exp(-(distance - rng.uniform(-0.3, 0.3)) * rng.uniform(8, 80)))
    return np.asarray(1 - rng.uniform(0.2, 0.65) * edge, np.float32)


def _glare(rng: np.random.Generator, height: int, width: int) -> Pixels:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    centre, spread = rng.random(2) * (width, height), width * rng.uniform(0.04, 0.12)
    square = (x - centre[0]) ** 2 + (y - centre[1]) ** 2
    return np.asarray(rng.uniform(40, 150) * np.exp(-square / (2 * spread**2)), np.float32)


def _bloom(rng: np.random.Generator, picture: Pixels) -> Pixels:
    bright = np.maximum(picture - rng.uniform(120, 180), 0)
    halo = cv2.GaussianBlur(bright, (0, 0), picture.shape[1] * rng.uniform(0.008, 0.03))
    return np.asarray(picture + halo * rng.uniform(0.4, 1.3), np.float32)


def _motion(rng: np.random.Generator, picture: Pixels, length: float) -> Pixels:
    size = int(np.ceil(length)) | 1
    kernel = np.zeros((size, size), np.float32)
    angle = rng.uniform(0, np.pi) if rng.random() < 0.5 else rng.normal(0, 0.2)
    half = np.array([np.cos(angle), np.sin(angle)]) * (length - 1) / 2
    middle = (size - 1) / 2
    ends = np.round((middle + np.array([-half, half])) * 16).astype(int)
    cv2.line(kernel, tuple(map(int, ends[0])), tuple(map(int, ends[1])), 1.0, 1, cv2.LINE_8, 4)
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum()), np.float32)


def _rescaled(rng: np.random.Generator, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape
    share = rng.uniform(0.6, 1.0)
    down = cv2.resize(
        pixels, (round(width * share), round(height * share)), interpolation=cv2.INTER_AREA
    )
    how = cv2.INTER_NEAREST if rng.random() < 0.2 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(down, (width, height), interpolation=how), np.uint8)
