"""Figures of the exported detector itself on the real dev sets, for the manifest and the card."""

from __future__ import annotations

import numpy as np

from models.synth.scene_photos import PLATES, PhotoSets, load_photo_sets
from models.train.detector_score import Detect, load_dev_sets, measure

from .check import Runner

NAMES = {
    "i50_1": "iou50_top1",
    "i50_4": "iou50_top4",
    "i70_4": "iou70_top4",
    "false": "false_peaks",
}


def measured_detector(model: bytes, shape: tuple[int, int]) -> dict[str, dict[str, float]]:
    """Shares of plates found by the best peak and the best four, and false peaks a picture.

    Empty where the evaluation pictures are absent.
    """
    if not PLATES.exists():
        return {}
    photos: PhotoSets = load_photo_sets()
    sets = load_dev_sets(photos, shape)
    detect = _detect_with(Runner(model))
    figures = {name: measure(detect, pictures) for name, pictures in sets.items()}
    return {
        name: {NAMES[key]: value for key, value in found.items() if key in NAMES}
        for name, found in figures.items()
    }


def _detect_with(runner: Runner) -> Detect:
    def detect(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        outputs = [{out.shape[-1]: out[0] for out in runner.run(grey)} for grey in pictures]
        heat = np.stack([by_depth[1][..., 0] for by_depth in outputs])
        corners = np.stack([by_depth[8].transpose(2, 0, 1) for by_depth in outputs])
        return heat, corners

    return detect
