"""Endless rendered training batches, made in a process of their own.

The renderer runs at nice 19 with one thread and blocks when the trainer is behind, so it never
takes more of the machine than training can use.
"""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import dataclass
from multiprocessing.queues import Queue
from multiprocessing.sharedctypes import Synchronized

import cv2
import numpy as np
from numpy.typing import NDArray

from models.synth.canvas import DAYLIGHT, Colour
from models.synth.fonts import Faces, load_faces
from models.synth.glimpse import CutOut, glimpse
from models.synth.plate import DrawnPlate, draw_plate
from models.synth.regions import Inscription, Region, sample_inscription, sample_region

CONFUSABLE = "0DQ8B8BS5Z2I1T7J4L6GCEFMHWNVYUKX39PR"
ALL_SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MOST_SIGNS = 10


@dataclass(frozen=True, slots=True)
class Batch:
    """`pixels` (N, H, W) uint8 and one text a picture."""

    pixels: NDArray[np.uint8]
    texts: list[str]


class Renderer:
    """A daemon process that keeps a short queue of batches filled."""

    def __init__(self, seed: int, cut: CutOut, batch: int) -> None:
        context = multiprocessing.get_context("fork")
        self._batches: Queue[Batch] = context.Queue(24)
        self._difficulty = context.Value("d", 1.0)
        arguments = (self._batches, self._difficulty, seed, cut, batch)
        self._worker = context.Process(target=_render, args=arguments, daemon=True)
        self._worker.start()

    def ease(self, difficulty: float) -> None:
        """Set how hard the samples rendered from now on are, 0..1."""
        self._difficulty.value = difficulty

    def next(self) -> Batch:
        """The next batch; waits for the renderer, raises Empty when it has died."""
        return self._batches.get(timeout=120)


class Replay:
    """Rendered cut-outs shown once more, nudged a little: on two cores rendering is dear."""

    def __init__(self, seed: int, size: int = 24_000) -> None:
        self._rng = np.random.default_rng(seed)
        self._size = size
        self._pixels: list[NDArray[np.uint8]] = []
        self._texts: list[str] = []

    def keep(self, batch: Batch) -> None:
        """Add a fresh batch, dropping the oldest samples."""
        self._pixels.extend(batch.pixels)
        self._texts.extend(batch.texts)
        surplus = len(self._texts) - self._size
        if surplus > 0:
            del self._pixels[:surplus], self._texts[:surplus]

    def ready(self) -> bool:
        """True once there is enough to choose from."""
        return len(self._texts) >= self._size // 6

    def batch(self, count: int) -> Batch:
        """`count` old samples, each shifted, scaled and sheared by a pixel or two."""
        chosen = self._rng.integers(len(self._texts), size=count)
        pixels = np.stack([self._nudged(self._pixels[i]) for i in chosen])
        return Batch(pixels, [self._texts[i] for i in chosen])

    def _nudged(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = pixels.shape
        matrix = np.eye(2, 3) + self._rng.normal(0, 1, (2, 3)) * [[0.02, 0.04, 2], [0.008, 0.03, 1]]
        size = (width, height)
        warped = cv2.warpAffine(pixels, matrix, size, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(warped, np.uint8)


class PlateStock:
    """Plates drawn and glimpsed twice, the second time much later: drawing is half the cost."""

    def __init__(self, rng: np.random.Generator, faces: Faces, size: int = 400) -> None:
        self._rng, self._faces, self._size = rng, faces, size
        self._kept: list[DrawnPlate] = []

    def sample(self, cut: CutOut, difficulty: float = 1.0) -> tuple[NDArray[np.uint8], str]:
        """One cut-out (cut.height, cut.width) and its text."""
        if len(self._kept) >= self._size and self._rng.random() < 0.5:
            plate = self._kept.pop(int(self._rng.integers(len(self._kept))))
        else:
            plate = new_plate(self._rng, self._faces)
            self._kept.append(plate)
            if len(self._kept) > self._size:
                self._kept.pop(0)
        return glimpse(self._rng, plate, self._faces, cut, difficulty), plate.text


def new_plate(rng: np.random.Generator, faces: Faces) -> DrawnPlate:
    """A plate on a grey canvas: half follow their region's grammar, half are free."""
    while True:
        region = sample_region(rng)
        inscription = sample_inscription(rng, region)
        if rng.random() < 0.5:
            inscription = free_inscription(rng, region, inscription)
        if 0 < len(inscription.text) <= MOST_SIGNS:
            return draw_plate(rng, region, inscription, faces, tone=sample_tone(rng))


def free_inscription(rng: np.random.Generator, region: Region, like: Inscription) -> Inscription:
    """Same separators where possible, but signs that obey no grammar, often look-alikes."""
    kind, share = rng.random(), rng.random()
    pool = CONFUSABLE if kind < 0.55 else ALL_SIGNS if kind < 0.85 else ALL_SIGNS[10:]
    pool = pool if kind < 0.97 else ALL_SIGNS[:10]
    marks = like.marks
    if share > 0.45:
        count = int(rng.choice((4, 5, 5, 6, 6, 7, 7, 7, 8, 8, 9)))
        marks = "X" * count
        if rng.random() < 0.6:
            at = int(rng.integers(1, count))
            marks = marks[:at] + str(rng.choice(list(" -*"))) + marks[at:]
    pick = rng.integers(len(pool), size=len(marks))
    text = "".join(m if m in " -.*" else pool[i] for m, i in zip(marks, pick, strict=True))
    if region.family in ("us", "gb") and rng.random() < 0.85:  # there O looks exactly like 0
        text = text.replace("O", "0")
    stacked = like.stacked
    if region.family == "us" and not stacked and rng.random() < 0.28:
        picks = rng.integers(10, 36, size=int(rng.integers(2, 4)))
        stacked = "".join(ALL_SIGNS[i] for i in picks)
        return Inscription(text, stacked, bool(rng.random() < 0.65))
    return Inscription(text, stacked, like.stacked_first)


def sample_tone(rng: np.random.Generator) -> Colour:
    """How a camera turns BGR into grey: daylight mostly, else red and infrared leaning mixes."""
    if rng.random() < 0.6:
        return DAYLIGHT
    b, g, r = rng.dirichlet((0.7, 1.0, 1.5))
    return (float(b), float(g), float(r))


def _render(
    batches: Queue[Batch], difficulty: Synchronized[float], seed: int, cut: CutOut, batch: int
) -> None:
    os.nice(max(0, 19 - os.nice(0)))
    cv2.setNumThreads(1)
    rng = np.random.default_rng(seed)
    stock = PlateStock(rng, load_faces(rng, "all"))
    while True:
        pixels = np.empty((batch, cut.height, cut.width), np.uint8)
        texts = []
        for place in range(batch):
            pixels[place], text = stock.sample(cut, difficulty.value)
            texts.append(text)
        batches.put(Batch(pixels, texts))
