"""Make the four .tflite files and their manifest: `python -m models.export.to_tflite`.

Each file is written beside its place and moved there, so that a reader never meets half a file.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .check import Verdict, compare
from .convert import check_input, to_fp32, to_int8
from .manifest import manifest_entry, write_manifest
from .measure import measured_detector
from .samples import detector_samples, recogniser_samples
from .wrap import Trained, trained_detector, trained_recogniser

MODELS = Path(__file__).resolve().parents[1]


def main() -> None:
    """Export what was asked for, both models by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("detector", "recogniser"))
    parser.add_argument("--samples", type=int, default=160, help="calibration pictures")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.only != "recogniser":
        detector = trained_detector()
        export(detector, detector_samples(args.samples, detector.shape[1:3]))
    if args.only != "detector":
        recogniser = trained_recogniser()
        export(recogniser, recogniser_samples(args.samples, recogniser.shape[1:3]))


def export(trained: Trained, pictures: list[np.ndarray]) -> list[Verdict]:
    """Write the fp32 and the int8 file of one model and renew its manifest entries."""
    fp32 = to_fp32(trained)
    int8 = to_int8(fp32, pictures)
    check_input(int8)
    models = {"fp32": fp32, "int8": int8}
    verdicts = [compare(trained, each, model, pictures[:24]) for each, model in models.items()]
    for verdict in verdicts:
        print(verdict, flush=True)
    measured = {precision: _measured(trained, model) for precision, model in models.items()}
    for precision, model in models.items():  # quickly, one after the other: the manifest follows
        replace(MODELS / f"{trained.name}-{precision}.tflite", model)
    entries = [manifest_entry(MODELS, trained, each, measured[each]) for each in models]
    write_manifest(MODELS, trained.name, entries)
    return verdicts


def _measured(trained: Trained, model: bytes) -> dict[str, Any]:
    if trained.name == "detector":
        return measured_detector(model, trained.shape[1:3])
    return trained.meta.get("metrics", {})


def replace(path: Path, content: bytes) -> None:
    """Put `content` at `path` in one step."""
    part = path.with_suffix(".part")
    part.write_bytes(content)
    os.replace(part, path)


if __name__ == "__main__":
    main()
