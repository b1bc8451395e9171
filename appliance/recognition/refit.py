"""Fits the weights of ``recognition.score`` anew, on a desk, after a change of the models.

    postern read PICTURES... > reads.jsonl
    python -m appliance.recognition.refit reads.jsonl=truth.jsonl [more=more ...]

Reads are `postern read`'s lines, truths lines of {"image", "plates": [{"text"}]}; a picture without
plates teaches that its reads are wrong. O and 0, I and 1 are taken as equal. Prints the weights
for ``score.FITTED`` and how well they are calibrated. Logistic regression by gradient descent, held
towards zero, no weight but the first below zero. Never runs on a device.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from appliance.recognition.formats import fold
from appliance.recognition.score import FACTS, Evidence, facts

_STEPS = 20_000
_RATE = 0.05
_HOLD = 0.01
_MOST_READS = 2  # the best two reads of a picture teach; the rest repeats them
_BINS = ((0.0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 0.95), (0.95, 1.0))

Numbers = npt.NDArray[np.float64]


def main(pairs: list[str]) -> int:
    """Prints the fit of the given reads=truth files."""
    known: list[tuple[tuple[float, ...], bool]] = []
    for pair in pairs:
        reads, truth = pair.split("=", 1)
        known += samples(Path(reads), Path(truth))
    x = np.array([facts_ for facts_, _ in known])
    y = np.array([right for _, right in known], float)
    weights = fit(x, y)
    print(f"reads {len(y)}, right {y.mean():.3f}")
    print("FITTED =", tuple(round(float(w), 3) for w in weights), "#", ", ".join(FACTS))
    chance = 1 / (1 + np.exp(-x @ weights))
    for low, high in _BINS:
        here = (chance >= low) & (chance < high)
        if here.any():
            print(f"  told {low:.2f}-{high:.2f}: {here.sum():4d} reads, "
                  f"told {chance[here].mean():.3f}, right {y[here].mean():.3f}")
    return 0


def samples(reads: Path, truth: Path) -> list[tuple[tuple[float, ...], bool]]:
    """(facts, whether the text is one of the picture's plates) of each read."""
    texts = {
        Path(row["image"]).name: {fold(p["text"]) for p in row["plates"] if p.get("text")}
        for row in _lines(truth)
        if all(p.get("text") for p in row["plates"])
    }
    found = []
    for line in _lines(reads):
        name = Path(line["image"]).name
        if name not in texts:
            continue
        for read in line["reads"][:_MOST_READS]:
            (ax, ay), (bx, by) = read["corners"][:2]
            width = float(np.hypot(ax - bx, ay - by))
            evidence = Evidence(
                read["text"], tuple(read["char_scores"]), read["detector"], width
            )
            found.append((facts(evidence), fold(read["text"]) in texts[name]))
    return found


def fit(x: Numbers, y: Numbers) -> Numbers:
    """Weights of the facts ``x`` (N, F) for the outcomes ``y`` (N) of 0 and 1."""
    weights = np.zeros(x.shape[1])
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-x @ weights))
        weights -= _RATE * (x.T @ (chance - y) / len(y) + _HOLD * np.r_[0, weights[1:]])
        weights[1:] = np.maximum(weights[1:], 0)
    return weights


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
