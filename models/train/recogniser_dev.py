"""Scores of a recogniser on real photographs it never trained on.

Rules
- Only the dev half of $POSTERN_SHARED/plates (by default beside the checkout) is read, never
  written, and no picture leaves the machine's memory.
- Texts are compared with O read as 0 and I as 1, because the US truth writes every O as 0.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.synth.glimpse import CutOut, stretch_contrast
from models.train.recogniser_net import ALPHABET, BLANK

PLATES = Path(os.environ.get("POSTERN_SHARED", Path(__file__).parents[3] / "shared")) / "plates"
# Weights of the sets in the one figure a checkpoint is chosen by; us is the set nearest the job.
WEIGHTS = {
    "us_endtoend": 0.35, "eu_endtoend": 0.2, "crops_us": 0.2, "crops_ar_ir": 0.1,
    "crops_eu": 0.08, "br_endtoend": 0.07,
}  # fmt: skip
BOXED = ("us_endtoend", "eu_endtoend", "br_endtoend")
FOLD = str.maketrans("OI", "01")


@dataclass(frozen=True, slots=True)
class DevSet:
    """Cut-outs (N, H, W) uint8 of one set and their texts, folded."""

    name: str
    pixels: NDArray[np.uint8]
    texts: list[str]


@dataclass(frozen=True, slots=True)
class Score:
    """Shares of the pictures read exactly and with at most one sign wrong."""

    exact: float
    within_one: float


def load_dev_sets(cut: CutOut) -> list[DevSet]:
    """Every weighted set that is on this machine."""
    return [_load(name, cut) for name in WEIGHTS if (PLATES / "dev" / f"{name}.jsonl").exists()]


def evaluate(net: nn.Module, sets: list[DevSet]) -> dict[str, Score]:
    """Scores by set."""
    return {s.name: score(read(net, s.pixels), s.texts) for s in sets}


def dev_score(scores: dict[str, Score]) -> float:
    """The weighted exact share, over the sets at hand."""
    total = sum(WEIGHTS[name] for name in scores)
    return sum(WEIGHTS[name] * score.exact for name, score in scores.items()) / max(total, 1e-9)


def read(net: nn.Module, pixels: NDArray[np.uint8]) -> list[str]:
    """Greedy CTC texts of cut-outs (N, H, W)."""
    net.eval()
    texts: list[str] = []
    with torch.no_grad():
        for start in range(0, len(pixels), 64):
            logits = net(to_input(pixels[start : start + 64]))
            texts += [greedy(row) for row in logits.argmax(-1).tolist()]
    return texts


def to_input(pixels: NDArray[np.uint8]) -> Tensor:
    """Pixels (N, H, W) uint8 as the network wants them: (N, 1, H, W), pixel / 64 - 2."""
    return torch.from_numpy(pixels).float().div_(64).sub_(2).unsqueeze(1)


def greedy(classes: list[int]) -> str:
    """Collapse repeats and blanks of one best path."""
    text, previous = "", BLANK
    for index in classes:
        if index not in (previous, BLANK):
            text += ALPHABET[index]
        previous = index
    return text


def score(reads: list[str], texts: list[str]) -> Score:
    """Compare folded."""
    gaps = [
        distance(r.translate(FOLD), t.translate(FOLD)) for r, t in zip(reads, texts, strict=True)
    ]
    count = max(1, len(gaps))
    return Score(sum(g == 0 for g in gaps) / count, sum(g <= 1 for g in gaps) / count)


def distance(one: str, other: str) -> int:
    """Edit distance."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        corner, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + (a != b))
    return row[-1]


def cut_box(
    picture: NDArray[np.uint8], box: tuple[float, float, float, float], cut: CutOut
) -> NDArray[np.uint8]:
    """The cut-out (H, W) of an upright box (x, y, w, h) px with the margins added."""
    x, y, width, height = box
    dx, dy = cut.margin_x * width, cut.margin_y * height
    source = np.array(
        [(x - dx, y - dy), (x + width + dx, y - dy), (x - dx, y + height + dy)], np.float32
    )
    target = np.array([(0, 0), (cut.width, 0), (0, cut.height)], np.float32)
    matrix = cv2.getAffineTransform(source, target)
    size = (cut.width, cut.height)
    warped = cv2.warpAffine(
        picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return stretch_contrast(np.asarray(warped, np.uint8))


def _load(name: str, cut: CutOut) -> DevSet:
    pixels, texts = [], []
    for line in (PLATES / "dev" / f"{name}.jsonl").read_text().splitlines():
        row = json.loads(line)
        picture = cv2.imread(str(PLATES / "dev" / row["image"]), cv2.IMREAD_GRAYSCALE)
        for plate in row["plates"]:
            if picture is None or not plate["text"]:
                continue
            grey = np.asarray(picture, np.uint8)
            if name in BOXED:
                pixels.append(cut_box(grey, tuple(plate["box"]), cut))
            else:
                how = cv2.INTER_AREA if grey.shape[1] > 2 * cut.width else cv2.INTER_LINEAR
                small = cv2.resize(grey, (cut.width, cut.height), interpolation=how)
                pixels.append(stretch_contrast(np.asarray(small, np.uint8)))
            texts.append(plate["text"])
    return DevSet(name, np.stack(pixels), texts)
