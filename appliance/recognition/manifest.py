"""``models/manifest.json``: which model files there are, and proof that a file is the one named.

A model is refused where it is missing, damaged (sha256) or foreign (another shape or alphabet):
a reader that runs on the wrong file reads wrong plates, which is worse than none.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.errors import RecognitionError
from appliance.recognition.alphabet import BLANK, SIGNS

_MEND = "Install the software again, or run `make models` on a desk"


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One model file and how it is fed."""

    name: str
    precision: str
    path: Path
    sha256: str
    height_px: int
    width_px: int
    margin: tuple[float, float]
    """Shares of a plate's width and height left around it in a cut-out; 0, 0 for a detector."""


def find(models_dir: Path, name: str, precision: str) -> ModelCard:
    """The card of one model. Raises RecognitionError."""
    path = models_dir / "manifest.json"
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["models"]
        entry = next(e for e in entries if (e["name"], e["precision"]) == (name, precision))
        return _card(models_dir, entry)
    except (OSError, StopIteration) as cause:
        raise RecognitionError(
            f"there is no {precision} {name} model", next_step=_MEND
        ) from cause
    except (ValueError, KeyError, TypeError) as cause:
        raise RecognitionError("the models' manifest is damaged", next_step=_MEND) from cause


def load(card: ModelCard) -> bytes:
    """The model's bytes, checked. Raises RecognitionError."""
    try:
        content = card.path.read_bytes()
    except OSError as cause:
        raise RecognitionError(
            f"the {card.name} model {card.path.name} is missing", next_step=_MEND
        ) from cause
    if hashlib.sha256(content).hexdigest() != card.sha256:
        raise RecognitionError(
            f"the {card.name} model {card.path.name} is damaged or was exchanged",
            next_step=_MEND,
        )
    return content


def _card(models_dir: Path, entry: dict[str, Any]) -> ModelCard:
    batch, height, width, channels = (int(n) for n in entry["input"]["shape"])
    foreign = (batch, channels) != (1, 1) or Path(entry["file"]).name != entry["file"]
    if "alphabet" in entry:
        foreign = foreign or (entry["alphabet"], int(entry["blank"])) != (SIGNS, BLANK)
    if foreign:
        raise RecognitionError(
            f"the {entry['name']} model is of another shape or alphabet",
            next_step="Use the models that came with this version of the software",
        )
    margin_x, margin_y = entry.get("margin", (0.0, 0.0))
    return ModelCard(
        name=str(entry["name"]),
        precision=str(entry["precision"]),
        path=models_dir / entry["file"],
        sha256=str(entry["sha256"]),
        height_px=height,
        width_px=width,
        margin=(float(margin_x), float(margin_y)),
    )
