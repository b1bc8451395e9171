"""Accuracy by set of evaluation pictures, through the very command people use (`postern read`).

The pictures and the scorer stay outside the repository; without their folder this part is left
out and the report says so.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SETS = (
    # name, fold look-alike pairs, cut-out plates
    ("us_endtoend", "O0,I1", False),
    ("eu_endtoend", "O0,I1", False),
    ("br_endtoend", "O0,I1", False),
    ("uk_small", "O0,I1", False),
    ("us_states", "O0,I1", False),
    ("night_ro", "O0,I1", False),
    ("negatives", "", False),
    ("crops_us", "O0,I1", True),
    ("crops_eu", "O0,I1", True),
    ("crops_ar_ir", "O0,I1", True),
)


@dataclass(frozen=True, slots=True)
class SetFigures:
    """One set's figures; shares 0..1, times in ms of one picture, memory in MB."""

    name: str
    pictures: int
    plates: int
    exact: float
    false: float
    near: float
    right_at_1_percent_wrong: float
    cpu_ms_median: float
    cpu_ms_mean: float
    rss_mb: float
    surest_wrong: float


def measure(shared: Path, precision: str = "int8") -> list[SetFigures]:
    """Reads and scores every set that is there."""
    dev = shared / "plates" / "dev"
    return [
        _one(shared, name, fold, plate, precision)
        for name, fold, plate in SETS
        if (dev / f"{name}.jsonl").exists()
    ]


def _one(shared: Path, name: str, fold: str, plate: bool, precision: str) -> SetFigures:
    truth = shared / "plates" / "dev" / f"{name}.jsonl"
    rows = [json.loads(line) for line in truth.read_text("utf-8").splitlines() if line.strip()]
    pictures = [str(truth.parent / row["image"]) for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder, "p.toml")
        settings.write_text(f'[recognition]\nprecision = "{precision}"\n', encoding="utf-8")
        reads = Path(folder, "reads.jsonl")
        with reads.open("w", encoding="utf-8") as out:
            subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "appliance",
                    "--config",
                    str(settings),
                    "read",
                    *(["--plate"] if plate else []),
                    *pictures,
                ],
                stdout=out,
                check=False,
            )
        command = [
            sys.executable,
            str(shared / "plates" / "score.py"),
            str(reads),
            str(truth),
            "--json",
            *(["--fold", fold] if fold else []),
        ]
        scored: dict[str, Any] = json.loads(
            subprocess.run(command, capture_output=True, text=True, check=True).stdout
        )
        lines = [json.loads(line) for line in reads.read_text("utf-8").splitlines()]
    surest = max((r.get("confidence") or 0 for r in lines if r.get("text")), default=0.0)
    return SetFigures(
        name,
        scored["pictures"],
        scored["plates"],
        scored["exact"],
        scored["false"],
        scored["near"],
        scored["cover"]["0.01"]["right"],
        scored["cpu_ms_median"] or 0.0,
        scored["cpu_ms_mean"] or 0.0,
        scored["rss_mb"] or 0.0,
        surest if not scored["plates"] else 0.0,
    )
