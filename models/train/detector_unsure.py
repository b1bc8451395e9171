"""Find likely plates that nobody labelled: `python -m models.train.detector_unsure`.

A half-trained detector looks at the training photographs.  Where it is fairly sure and no label
is near, the place is written to models/.work/detector/unsure.json and is from then on neither
taught nor punished.  Run once early in a training; resume afterwards.
"""

from __future__ import annotations

import json

import numpy as np
import torch

from models.synth.scene_photos import UNSURE, Photo, load_photo_sets

from .detector import WORK, detect_with
from .detector_decode import overlap, peaks
from .detector_net import INPUT, DetectorNet
from .detector_score import Detect, letterbox

SURE_DASH = 0.35  # the dash camera's far plates are mostly unlabelled
SURE_STREET = 0.85  # in Open Images most such places are lettering and lamps: good negatives
GROWN = 1.2


def main() -> None:
    """Write the unsure places of all training photographs."""
    torch.set_num_threads(1)
    checkpoint = torch.load(WORK / "best.pt", weights_only=True)
    net = DetectorNet(tuple(checkpoint["arch"])).eval()
    net.load_state_dict(checkpoint["state"])
    detect = detect_with(net)
    found = {photo.name: unsure_boxes(photo, detect) for photo in load_photo_sets().plates}
    found = {name: boxes for name, boxes in found.items() if boxes}
    UNSURE.write_text(json.dumps(found))
    print(f"{sum(map(len, found.values()))} places in {len(found)} photographs")


def unsure_boxes(photo: Photo, detect: Detect) -> list[list[float]]:
    """Boxes x0 y0 x1 y1 px of the photograph where a plate may stand unlabelled."""
    board, factor = letterbox(photo.pixels, *INPUT)
    heat, corners = detect(board[None])
    boxes = []
    sure = SURE_STREET if photo.squeezed else SURE_DASH
    for candidate in peaks(heat[0], corners[0], most=8, least=sure):
        middle = candidate.corners.mean(0)
        reach = np.maximum(np.abs(candidate.corners - middle).max(0) * GROWN, 4)
        box = np.concatenate([middle - reach, middle + reach]) / factor
        quad = candidate.corners / factor
        near = any(overlap(quad, known) > 0.1 or _holds(known, middle / factor)
                   for known in photo.boxes)  # fmt: skip
        if not near:
            boxes.append(np.round(box, 1).tolist())
    return boxes


def _holds(box: np.ndarray, point: np.ndarray) -> bool:
    return bool((point > box[:2]).all() and (point < box[2:]).all())


if __name__ == "__main__":
    main()
