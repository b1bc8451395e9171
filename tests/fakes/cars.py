"""Frames, glimpses and nets made up for tests: no camera, no trained model.

    glimpse("PSTN101", at=0.1, x=300)      one plate in one frame
    frame(1, at=0.1)                       a grey frame with noise
    painted_car("PSTN 123")                a frame the trained models can read
    PaintedPlates() + PaintedText("...")   nets that find white boxes and read one text
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np

from appliance.recognition.alphabet import BLANK, SIGNS
from appliance.recognition.manifest import ModelCard
from appliance.values import Frame, Glimpse, PlateBox, PlateText

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def box(x: float = 300, y: float = 200, width: float = 120, height: float = 40,
        score: float = 0.9) -> PlateBox:
    right, bottom = x + width, y + height
    return PlateBox(((x, y), (right, y), (right, bottom), (x, bottom)), score)


def text(written: str, score: float = 0.97, **weak: float) -> PlateText:
    """`weak`: scores of single places, as p3=0.5."""
    scores = [weak.get(f"p{i}", score) for i in range(len(written))]
    return PlateText(written, tuple(scores))


def glimpse(written: str, at: float = 0.0, x: float = 300, y: float = 200, width: float = 120,
            score: float = 0.97, seq: int | None = None) -> Glimpse:
    where = box(x, y, width, width / 3)
    return Glimpse(round(at * 10) if seq is None else seq, at, where, text(written, score), 500.0)


def frame(seq: int = 1, at: float = 0.0, size: tuple[int, int] = (640, 360),
          plates: tuple[PlateBox, ...] = (), level: int = 90) -> Frame:
    """Grey with a little noise and, where asked, white plates."""
    noise = np.random.default_rng(seq).integers(0, 5, (size[1], size[0], 3), dtype=np.uint8)
    pixels = noise + np.uint8(level - 2)
    for plate in plates:
        x, y, w, h = (int(n) for n in plate.upright)
        cv2.rectangle(pixels, (x, y), (x + w, y + h), (255, 255, 255), -1)
    return Frame(seq, at, NOON + timedelta(seconds=at), pixels)


def painted_car(written: str = "PSTN 123", seq: int = 1) -> Frame:
    """A 1280x720 frame with a car's dark back and a plate that trained models can read."""
    pixels = frame(seq, size=(1280, 720), level=70).pixels
    cv2.rectangle(pixels, (420, 180), (900, 560), (50, 45, 40), -1)
    pixels = cv2.GaussianBlur(pixels, (0, 0), 3)
    cv2.rectangle(pixels, (580, 420), (760, 464), (235, 235, 235), -1)
    cv2.putText(pixels, written, (588, 454), cv2.FONT_HERSHEY_DUPLEX, 1.1, (20, 20, 20), 2,
                cv2.LINE_AA)
    return Frame(seq, 0.1 * seq, NOON, np.asarray(cv2.GaussianBlur(pixels, (0, 0), 0.8)))


def card(name: str, height: int, width: int) -> ModelCard:
    return ModelCard(name, "fp32", Path(f"{name}.tflite"), "0" * 64, height, width, (0.04, 0.07))


class PaintedPlates:
    """A detector: each white box of the picture is a plate, hottest in its middle."""

    def __init__(self, height: int = 384, width: int = 640, stride: int = 8,
                 heat: float = 0.9) -> None:
        self.card = card("detector", height, width)
        self._stride = stride
        self._heat = heat
        self.runs = 0

    def run(self, grey):
        self.runs += 1
        rows, columns = grey.shape[0] // self._stride, grey.shape[1] // self._stride
        heat = np.zeros((1, rows, columns, 1), np.float32)
        corners = np.zeros((1, rows, columns, 8), np.float32)
        _, _, stats, _ = cv2.connectedComponentsWithStats((grey > 230).astype(np.uint8))
        for x, y, w, h, area in stats[1:]:
            if area < 40:
                continue
            row, column = int((y + h / 2) / self._stride), int((x + w / 2) / self._stride)
            cx, cy = (column + 0.5) * self._stride, (row + 0.5) * self._stride
            quad = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]
            heat[0, row, column, 0] = self._heat
            offsets = [((px - cx) / 16, (py - cy) / 16) for px, py in quad]
            corners[0, row, column] = np.ravel(offsets)
        return [corners, heat]


class PaintedText:
    """A recogniser that reads the given text from every cut-out."""

    def __init__(self, written: str, steps: int = 36, sure: float = 8.0) -> None:
        self.card = card("recogniser", 48, 144)
        self.written = written
        self._steps = steps
        self._sure = sure
        self.cuts: list[np.ndarray] = []

    def run(self, grey):
        self.cuts.append(grey)
        return [logits(self.written, self._steps, self._sure)[None]]


def logits(written: str, steps: int = 36, sure: float = 8.0) -> np.ndarray:
    """CTC logits (steps, 37): each sign for two steps, a blank after it."""
    out = np.zeros((steps, BLANK + 1), np.float32)
    out[:, BLANK] = sure
    for place, sign in enumerate(written):
        for step in (3 * place, 3 * place + 1):
            out[step, BLANK] = 0
            out[step, SIGNS.index(sign)] = sure
    return out
