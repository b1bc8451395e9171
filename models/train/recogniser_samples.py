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
from models.synth.plate import draw_plate
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


def sample(
    rng: np.random.Generator, faces: Faces, cut: CutOut, difficulty: float = 1.0
) -> tuple[NDArray[np.uint8], str]:
    """One cut-out and its text: half follow their region's grammar, half are free."""
    region = sample_region(rng)
    inscription = sample_inscription(rng, region)
    if rng.random() < 0.5:
        inscription = free_inscription(rng, region, inscription)
    if len(inscription.text) > MOST_SIGNS or not inscription.text:
        return sample(rng, faces, cut, difficulty)
    plate = draw_plate(rng, region, inscription, faces, tone=sample_tone(rng))
    return glimpse(rng, plate, faces, cut, difficulty), plate.text


def free_inscription(rng: np.random.Generator, region: Region, like: Inscription) -> Inscription:
    """Same separators where possible, but signs that obey no grammar, often look-alikes."""
    share = rng.random()
    pool = CONFUSABLE if share < 0.6 else ALL_SIGNS
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
    return Inscription(text, like.stacked, like.stacked_first)


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
    faces = load_faces(rng, "all")
    while True:
        pixels = np.empty((batch, cut.height, cut.width), np.uint8)
        texts = []
        for place in range(batch):
            pixels[place], text = sample(rng, faces, cut, difficulty.value)
            texts.append(text)
        batches.put(Batch(pixels, texts))
