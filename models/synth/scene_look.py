"""What cameras do to a picture: light, infrared, blur, noise, compression.  Grey uint8."""

from __future__ import annotations

import cv2
import numpy as np


def spoil(rng: np.random.Generator, grey: np.ndarray) -> np.ndarray:
    """Give a clean grey picture uint8 (H, W) one random camera's look."""
    picture = grey.astype(np.float32)
    picture = _light(rng, picture)
    if rng.random() < 0.30:
        picture = _shade(rng, picture)
    if rng.random() < 0.06:
        picture = _haze(rng, picture)
    picture = _blur(rng, picture)
    if rng.random() < 0.55:
        sigma = rng.uniform(1, 9)
        picture += _noise(rng, picture.shape) * sigma
    spoilt = np.clip(picture, 0, 255).astype(np.uint8)
    if rng.random() < 0.55:
        spoilt = _compress(rng, spoilt)
    return spoilt


def infrared_night(
    rng: np.random.Generator, grey: np.ndarray, plate_mask: np.ndarray
) -> np.ndarray:
    """Darken the scene and let the retro-reflecting plates (mask 0..1) shine, as IR lamps do."""
    picture = grey.astype(np.float32)
    dark = picture * rng.uniform(0.12, 0.5) + rng.uniform(0, 18)
    bright = np.clip(picture * rng.uniform(0.8, 1.6) + rng.uniform(-30, 60), 0, 255)
    lit = dark + (bright - dark) * plate_mask
    if rng.random() < 0.4:  # blooming
        lit += cv2.GaussianBlur(bright * plate_mask, (0, 0), rng.uniform(2, 8)) * rng.uniform(
            0.1, 0.5
        )
    return np.clip(lit, 0, 255).astype(np.uint8)


def add_lamp(rng: np.random.Generator, grey: np.ndarray, radius: float) -> None:
    """Draw a burnt-out lamp with its halo into grey uint8 (H, W), in place."""
    height, width = grey.shape
    x, y = rng.uniform(0, width), rng.uniform(0, height)
    span = int(radius * 5) + 3
    x0, y0 = max(0, int(x) - span), max(0, int(y) - span)
    x1, y1 = min(width, int(x) + span), min(height, int(y) + span)
    if x1 <= x0 or y1 <= y0:
        return
    gy, gx = np.mgrid[y0:y1, x0:x1].astype(np.float32)
    distance = np.hypot((gx - x) / rng.uniform(1, 1.8), gy - y) / radius
    glow = 255 * np.clip(1.6 - distance, 0, 1) + rng.uniform(40, 160) * np.exp(-distance / 1.8)
    area = grey[y0:y1, x0:x1]
    np.copyto(area, np.clip(area + glow, 0, 255).astype(np.uint8))


def _light(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    if rng.random() < 0.5:
        picture = 255 * (np.clip(picture, 0, 255) / 255) ** np.exp(rng.normal(0, 0.4))
    if rng.random() < 0.7:
        mean = float(picture.mean())
        picture = (picture - mean) * np.exp(rng.normal(0, 0.3)) + mean + rng.normal(0, 25)
    if rng.random() < 0.02:
        picture = 255 - picture
    return picture


def _shade(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    cells = rng.uniform(0.45, 1.35, (rng.integers(2, 5), rng.integers(2, 6))).astype(np.float32)
    how = cv2.INTER_CUBIC if rng.random() < 0.7 else cv2.INTER_LINEAR
    return picture * cv2.resize(cells, picture.shape[::-1], interpolation=how)


def _haze(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    share = rng.uniform(0.15, 0.5)
    return picture * (1 - share) + rng.uniform(120, 240) * share


def _blur(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    kind = rng.random()
    if kind < 0.35:
        return cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.1))
    if kind < 0.45:  # motion
        length = int(rng.integers(2, 7))
        kernel = np.zeros((7, 7), np.float32)
        angle = rng.normal(0, 0.5)
        reach = np.array([np.cos(angle), np.sin(angle)]) * length / 2
        start, end = np.round(3 - reach).astype(int), np.round(3 + reach).astype(int)
        cv2.line(kernel, start.tolist(), end.tolist(), 1.0)
        return cv2.filter2D(picture, -1, kernel / kernel.sum())
    if kind < 0.55:  # sharpened by the camera
        soft = cv2.GaussianBlur(picture, (0, 0), 1.0)
        return picture + (picture - soft) * rng.uniform(0.3, 1.5)
    if kind < 0.65:  # small stream, enlarged
        factor = rng.uniform(0.45, 0.9)
        small = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        return cv2.resize(small, picture.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return picture


_NOISE = np.random.default_rng(0).standard_normal((1024, 1536), dtype=np.float32)


def _noise(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    y, x = rng.integers(0, 1024 - shape[0]), rng.integers(0, 1536 - shape[1])
    return _NOISE[y : y + shape[0], x : x + shape[1]]


def _compress(rng: np.random.Generator, grey: np.ndarray) -> np.ndarray:
    quality = int(rng.integers(22, 95))
    return cv2.imdecode(
        cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_GRAYSCALE
    )
