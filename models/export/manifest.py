"""models/manifest.json: what each .tflite file is, what goes in, what comes out, how good it is."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from models.train.detector_net import STRIDE
from models.train.recogniser_net import ALPHABET, BLANK

from .wrap import Trained

TRAINED_ON = {
    "detector": [
        "rendered plates and scenes (models/synth)",
        "robertlucian/license-plate-dataset (MIT)",
        "Open Images V4 vehicle registration plates, 416 px extract (CC BY)",
        "photographs without plates from MIT-licensed repositories",
    ],
    "recogniser": ["rendered plates (models/synth)"],
}


def manifest_entry(
    models: Path, trained: Trained, precision: str, measured: dict[str, Any]
) -> dict[str, Any]:
    """The entry of a file that lies in `models` already."""
    entry = _entry(models, trained, precision)
    return entry | {"measured": measured}


def write_manifest(models: Path, name: str, entries: list[dict[str, Any]]) -> None:
    """Replace model `name`'s entries in models/manifest.json, leaving the others."""
    path = models / "manifest.json"
    known = json.loads(path.read_text())["models"] if path.exists() else []
    kept = [entry for entry in known if entry["name"] != name]
    part = path.with_suffix(".part")
    merged = sorted([*kept, *entries], key=lambda entry: (entry["name"], entry["precision"]))
    part.write_text(json.dumps({"models": merged}, indent=2) + "\n")
    os.replace(part, path)


def _entry(models: Path, trained: Trained, precision: str) -> dict[str, Any]:
    file = f"{trained.name}-{precision}.tflite"
    content = (models / file).read_bytes()
    entry: dict[str, Any] = {
        "name": trained.name,
        "precision": precision,
        "file": file,
        "sha256": hashlib.sha256(content).hexdigest(),
        "input": {
            "shape": list(trained.shape),
            "dtype": "int8" if precision == "int8" else "float32",
            "colour": "grey",
            "encoding": "uint8 xor 0x80" if precision == "int8" else "uint8",
        },
        "outputs": _detector_outputs(trained) if trained.name == "detector" else _readings(trained),
        "trained_on": TRAINED_ON[trained.name],
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    if trained.name == "detector":
        entry |= {"stride": STRIDE, "padding": "letterbox, top left, padded with 0"}
    else:
        entry |= {"alphabet": ALPHABET, "blank": BLANK, "margin": list(trained.meta["margin"])}
    return entry


def _detector_outputs(trained: Trained) -> list[dict[str, Any]]:
    rows, columns = trained.shape[1] // STRIDE, trained.shape[2] // STRIDE
    corners = f"TL,TR,BR,BL as (x - cx)/16, (y - cy)/16; cx = (ix + 0.5) * {STRIDE} px"
    return [
        {"name": "heat", "shape": [1, rows, columns, 1], "meaning": "plate centre, 0..1"},
        {"name": "corners", "shape": [1, rows, columns, 8], "meaning": corners},
    ]


def _readings(trained: Trained) -> list[dict[str, Any]]:
    steps = trained.shape[2] // 4
    return [
        {"name": "logits", "shape": [1, steps, BLANK + 1], "meaning": "CTC logits, left to right"}
    ]
