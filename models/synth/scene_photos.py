"""Real training photographs: which ones, in grey, with their boxes, held apart from the dev split.

Only sets whose licence allows training are read (see plates/README.md): robertlucian (MIT),
detect_oi (Open Images, CC BY) and the MIT pictures of `negatives`.  The pictures stay outside the
repository; the folder is $POSTERN_SHARED/plates, by default beside the checkout.
"""

from __future__ import annotations

import json
import os
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

PLATES = Path(os.environ.get("POSTERN_SHARED", Path(__file__).parents[3] / "shared")) / "plates"
HELD_OUT_OI = 8  # one in eight of detect_oi chooses checkpoints
HELD_OUT_RL_BLOCK_S = 60  # robertlucian frames are held out by minutes of film, not singly
HELD_OUT_RL = 12
UNSURE = Path(__file__).resolve().parents[1] / ".work" / "detector" / "unsure.json"


def _no_boxes() -> np.ndarray:
    return np.zeros((0, 4), np.float32)


@dataclass(frozen=True, slots=True)
class Photo:
    """A grey picture, pixels uint8 (H, W), and its plate boxes float32 (N, 4) x0 y0 x1 y1 px."""

    name: str
    pixels: np.ndarray
    boxes: np.ndarray
    squeezed: bool = False  # squeezed to a square: the true aspect is unknown
    box_weight: float = 1.0  # how far the boxes are trusted as plate edges
    # likely plates nobody labelled: not taught, not punished
    unsure: np.ndarray = field(default_factory=_no_boxes)


@dataclass(frozen=True, slots=True)
class PhotoSets:
    """Training photographs with plates, those without, and the held-out ones."""

    plates: tuple[Photo, ...]
    empty: tuple[Photo, ...]
    held_out: tuple[Photo, ...]


def load_photo_sets() -> PhotoSets:
    """Read every picture that may be trained on; about 3 s and 400 MB."""
    unsure = json.loads(UNSURE.read_text()) if UNSURE.exists() else {}
    dash = [_photo(row, "train", box_weight=0.35) for row in _rows("train/robertlucian")]
    street = [_photo(row, "dev", squeezed=True, box_weight=0.6) for row in _rows("dev/detect_oi")]
    empty = [
        _photo(row, "dev") for row in _rows("dev/negatives") if row["licence"].startswith("MIT")
    ]
    both = [
        replace(photo, unsure=np.float32(unsure.get(photo.name, [])).reshape(-1, 4))
        for photo in (*dash, *street)
    ]
    return PhotoSets(
        tuple(photo for photo in both if not is_held_out(photo.name)),
        tuple(empty),
        tuple(photo for photo in both if is_held_out(photo.name)),
    )


def is_held_out(name: str) -> bool:
    """Tell whether a training photograph is kept for choosing checkpoints."""
    if name.startswith("detect_oi/"):
        return zlib.crc32(name.encode()) % HELD_OUT_OI == 0
    clip, _, second = name.rpartition("_t")
    block = int(second.split(".")[0]) // HELD_OUT_RL_BLOCK_S
    return zlib.crc32(f"{clip}:{block}".encode()) % HELD_OUT_RL == 0


def _rows(which: str) -> list[dict]:
    return [json.loads(line) for line in (PLATES / f"{which}.jsonl").read_text().splitlines()]


def _photo(row: dict, folder: str, *, squeezed: bool = False, box_weight: float = 1.0) -> Photo:
    pixels = cv2.imread(str(PLATES / folder / row["image"]), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise FileNotFoundError(PLATES / folder / row["image"])
    boxes = np.array([plate["box"] for plate in row["plates"]], np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return Photo(row["image"], pixels, boxes, squeezed, box_weight)
