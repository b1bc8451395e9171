"""Measure a detector on real pictures: whole pictures, letterboxed as on the device.

`us`, `eu` and `br` are split by turns: the even pictures help to choose checkpoints (`*_choose`),
the odd ones are only reported (`*_report`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from models.synth.scene_photos import PLATES, Photo, PhotoSets

from .detector_decode import Candidate, centre_hit, overlap, peaks
from .detector_net import INPUT

CHOICE = ("us_choose", "eu_choose", "br_choose", "street_held_out", "dash_held_out", "night")
Detect = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""uint8 (N, H, W) -> heat (N, h, w) 0..1 and corners (N, 8, h, w)."""


@dataclass(frozen=True, slots=True)
class DevSet:
    """Letterboxed pictures uint8 (N, H, W) and the boxes (M, 4) of each, px of the input."""

    pictures: np.ndarray
    boxes: tuple[np.ndarray, ...]


def letterbox(grey: np.ndarray, height: int, width: int) -> tuple[np.ndarray, float]:
    """Shrink or enlarge to fit, top-left, padded with 0; return it and the factor."""
    factor = min(width / grey.shape[1], height / grey.shape[0])
    size = (max(1, round(grey.shape[1] * factor)), max(1, round(grey.shape[0] * factor)))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    board = np.zeros((height, width), np.uint8)
    board[: size[1], : size[0]] = cv2.resize(grey, size, interpolation=how)
    return board, factor


def load_dev_sets(photos: PhotoSets, shape: tuple[int, int] = INPUT) -> dict[str, DevSet]:
    """Every set the loop measures on, by name."""
    sets = {}
    for name in ("us", "eu", "br"):
        pictures = _pictures(f"{name}_endtoend")
        sets[f"{name}_choose"] = _dev_set(pictures[0::2], shape)
        sets[f"{name}_report"] = _dev_set(pictures[1::2], shape)
    street = [photo for photo in photos.held_out if photo.squeezed]
    sets["street_held_out"] = _dev_set([_unsqueezed(photo) for photo in street], shape)
    sets["dash_held_out"] = _dev_set([p for p in photos.held_out if not p.squeezed], shape)
    sets["night"] = _dev_set(_pictures("night_ro"), shape)
    sets["negatives"] = _dev_set(_pictures("negatives", "AGPL"), shape)
    return sets


def measure(detect: Detect, dev: DevSet, least: float = 0.5) -> dict[str, float]:
    """Shares of plates found by the top 1 and top 4 peaks; peaks beside plates a picture."""
    tallies: list[tuple[float, ...]] = []
    false_peaks = 0
    for start in range(0, len(dev.pictures), 8):
        heat, corners = detect(dev.pictures[start : start + 8])
        for index in range(len(heat)):
            found = peaks(heat[index], corners[index], most=8)
            boxes = dev.boxes[start + index]
            boxes = boxes[boxes[:, 2] - boxes[:, 0] >= 12] if len(boxes) else boxes
            false_peaks += sum(
                c.score > least and not any(overlap(c.corners, b) > 0.2 for b in boxes)
                for c in found
            )
            tallies += [_tally(found, box, len(boxes)) for box in boxes]
    figures = {"false": round(false_peaks / max(1, len(dev.pictures)), 3)}
    if tallies:
        means = np.array(tallies).mean(0).round(3).tolist()
        names = ("c1", "i50_1", "i70_1", "c4", "i50_4", "i70_4", "iou")
        figures |= dict(zip(names, means, strict=True)) | {"n": len(tallies)}
    return figures


def choice_score(figures: dict[str, dict[str, float]]) -> float:
    """One number to choose checkpoints by, higher is better."""
    weights = {
        "us_choose": 3,
        "eu_choose": 3,
        "br_choose": 1,
        "street_held_out": 2,
        "dash_held_out": 0.5,
    }
    total = sum(
        weight
        * (figures[name]["i50_4"] + 0.5 * figures[name]["i70_4"] + 0.5 * figures[name]["i50_1"])
        for name, weight in weights.items()
    )
    return float(total) / sum(weights.values()) / 2 - 0.01 * figures["negatives"]["false"]


def _tally(found: Sequence[Candidate], box: np.ndarray, plates: int) -> tuple[float, ...]:
    """With several plates in the picture, the top 1 means one peak for each of them."""
    row: list[float] = []
    for most in (plates, plates + 3):
        best = max((overlap(c.corners, box) for c in found[:most]), default=0.0)
        hit = any(centre_hit(c.corners, box) for c in found[:most])
        row += [float(hit), float(best > 0.5), float(best > 0.7)]
    return (*row, best)


def _pictures(name: str, licence: str = "") -> list[Photo]:
    photos = []
    for line in (PLATES / "dev" / f"{name}.jsonl").read_text().splitlines():
        row = json.loads(line)
        if not row["licence"].startswith(licence):
            continue
        pixels = cv2.imread(str(PLATES / "dev" / row["image"]), cv2.IMREAD_GRAYSCALE)
        boxes = np.array([plate["box"] for plate in row["plates"]], np.float32).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        photos.append(Photo(row["image"], pixels, boxes))
    return photos


def _unsqueezed(photo: Photo) -> Photo:
    """Give a squeezed square the commonest aspect, 4:3."""
    pixels = cv2.resize(photo.pixels, None, fx=4 / 3, fy=1)
    return Photo(photo.name, pixels, photo.boxes * np.float32([4 / 3, 1, 4 / 3, 1]))


def _dev_set(photos: Sequence[Photo], shape: tuple[int, int]) -> DevSet:
    boards = [letterbox(photo.pixels, *shape) for photo in photos]
    boxes = tuple(photo.boxes * factor for photo, (_, factor) in zip(photos, boards, strict=True))
    return DevSet(np.stack([board for board, _ in boards]), boxes)
