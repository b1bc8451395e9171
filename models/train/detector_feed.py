"""The render process: scenes and their target maps, made ahead of the training loop."""

from __future__ import annotations

import multiprocessing as mp
import os
from dataclasses import dataclass

import cv2
import numpy as np

from models.synth.plate import render_plate
from models.synth.scene import SceneMaker
from models.synth.scene_photos import load_photo_sets

from .detector_targets import CHANNELS, target_maps

SMALL, FULL = (192, 320), (384, 640)  # H, W px: most training runs on small pictures
SMALL_BATCH, FULL_BATCH = 16, 4
POOL = {SMALL: 6400, FULL: 600}  # pictures kept to be seen again while the renderer is behind


@dataclass(frozen=True, slots=True)
class Batch:
    """Pictures uint8 (N, H, W) and maps float16 (N, CHANNELS, H/8, W/8)."""

    pictures: np.ndarray
    maps: np.ndarray


class Feed:
    """Batches for the loop: fresh ones when there are any, else remembered ones mixed anew."""

    def __init__(self, seed: int, full_share: float, ahead: int = 12) -> None:
        self._rng = np.random.default_rng(seed)
        self._pools: dict[tuple[int, int], list[tuple[np.ndarray, np.ndarray]]] = {
            SMALL: [],
            FULL: [],
        }
        self._full_share = full_share
        context = mp.get_context("spawn")
        self._queue = context.Queue(ahead)
        self._process = context.Process(
            target=_render, args=(self._queue, seed, full_share), daemon=True
        )
        self._process.start()
        self.fresh = self.again = 0

    def next(self) -> Batch:
        """Return the next batch; waits only until the pool has something to offer."""
        while self._queue.empty() and len(self._pools[SMALL]) >= 24 * SMALL_BATCH:
            self.again += 1
            full = (
                self._rng.random() < self._full_share and len(self._pools[FULL]) >= 8 * FULL_BATCH
            )
            return self._remembered(FULL if full else SMALL)
        batch: Batch = self._queue.get(timeout=300)
        self.fresh += 1
        shape = batch.pictures.shape[1:]
        pool = self._pools[shape]
        for item in zip(batch.pictures, batch.maps, strict=True):
            if len(pool) < POOL[shape]:
                pool.append(item)
            else:
                pool[int(self._rng.integers(len(pool)))] = item
        return batch

    def close(self) -> None:
        """Stop the render process."""
        self._process.terminate()
        self._process.join(5)

    def _remembered(self, shape: tuple[int, int]) -> Batch:
        pool = self._pools[shape]
        count = SMALL_BATCH if shape == SMALL else FULL_BATCH
        picked = [pool[int(index)] for index in self._rng.integers(len(pool), size=count)]
        return Batch(np.stack([p for p, _ in picked]), np.stack([m for _, m in picked]))


def draw_plate(rng: np.random.Generator) -> np.ndarray:
    """A plate of any region, BGR uint8 (h, w, 3); the picture's edge is the plate's."""
    return render_plate(rng).pixels


def _render(queue: mp.Queue, seed: int, full_share: float) -> None:
    os.nice(5)
    cv2.setNumThreads(1)
    rng = np.random.default_rng([seed, 1])
    maker = SceneMaker(rng, load_photo_sets(), draw_plate)
    while True:
        full = rng.random() < full_share
        shape, count = (FULL, FULL_BATCH) if full else (SMALL, SMALL_BATCH)
        pictures = np.empty((count, *shape), np.uint8)
        maps = np.empty((count, CHANNELS, shape[0] // 8, shape[1] // 8), np.float16)
        for index in range(count):
            scene = maker.make(*shape)
            pictures[index] = scene.pixels
            maps[index] = target_maps(scene.plates, *shape)
        queue.put(Batch(pictures, maps))
