"""Training pictures for the detector: real photographs seen anew, with real and rendered plates.

Four kinds are mixed.  `kept`: a real photograph, its real plates, boxes only, never turned.
`replaced`: its plates are erased and rendered ones of any country and shape put in their place,
with four true corners.  `strewn`: rendered plates anywhere, or none, among plate-like clutter.
`drawn`: nothing real at all.  Every picture then goes through one camera's look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from .scene_clutter import add_clutter, add_stamp
from .scene_drawn import draw_car, drawn_ground
from .scene_look import infrared_night, spoil
from .scene_paste import PlateDrawer, PlatePool, erase_box, paste_plate, tilted_corners
from .scene_photos import PhotoSets
from .scene_view import PhotoViews, PlateTruth, judged, overlap, plate_width

KINDS = {"kept": 0.34, "replaced": 0.42, "strewn": 0.13, "drawn": 0.11}


@dataclass(frozen=True, slots=True)
class Scene:
    """A grey picture uint8 (H, W) and its plates."""

    pixels: np.ndarray
    plates: tuple[PlateTruth, ...]
    kind: str


class SceneMaker:
    """Makes scenes from one random generator; not shared between processes."""

    def __init__(self, rng: np.random.Generator, photos: PhotoSets, draw: PlateDrawer) -> None:
        self._rng = rng
        self._photos = photos
        self._views = PhotoViews(rng, photos.plates)
        self._pool = PlatePool(rng, draw)

    def make(self, height: int, width: int) -> Scene:
        """Return one scene of height x width px."""
        kind = str(self._rng.choice(list(KINDS), p=list(KINDS.values())))
        if kind == "drawn":
            pixels, plates = self._drawn(height, width)
        elif kind == "strewn":
            pixels, plates = self._strewn(height, width)
        else:
            pixels, plates = self._photographed(height, width, replaced=kind == "replaced")
        if self._rng.random() < 0.10:
            add_stamp(self._rng, pixels)
        night = self._rng.random() < 0.08 and any(plate.exact for plate in plates)
        if night and not any(not plate.exact for plate in plates):
            pixels = infrared_night(self._rng, pixels, _mask(pixels.shape, plates))
        return Scene(spoil(self._rng, pixels), tuple(plates), kind)

    def _photographed(
        self, height: int, width: int, *, replaced: bool
    ) -> tuple[np.ndarray, list[PlateTruth]]:
        turn = float(self._rng.normal(0, 3)) if replaced and self._rng.random() < 0.6 else 0.0
        pixels, plates = self._views.collage((height, width), turn)
        if replaced:
            if self._rng.random() < 0.35:
                add_clutter(self._rng, pixels, int(self._rng.integers(1, 3)))
            plates = self._swap(pixels, plates)
        return pixels, plates

    def _swap(self, pixels: np.ndarray, real: Sequence[PlateTruth]) -> list[PlateTruth]:
        """Erase the real plates, put rendered ones in their place."""
        rng, swapped = self._rng, []
        for truth in real:
            low, high = truth.corners.min(0), truth.corners.max(0)
            if truth.ignored:
                swapped.append(truth)
                continue
            area = pixels[
                max(0, int(low[1])) : int(high[1]) + 1, max(0, int(low[0])) : int(high[0]) + 1
            ]
            bright = float(np.percentile(area, 88)) if area.size else None
            erase_box(rng, pixels, np.concatenate([low, high]))
            plate = self._pool.take()
            shape = plate.shape[1] / plate.shape[0]
            room = float(np.prod(high - low)) * np.exp(rng.normal(0.1, 0.25))
            wide = float(np.sqrt(room * shape))
            size = (max(wide, 10.0), max(wide / shape, 5.0))
            centre = truth.corners.mean(0) + rng.normal(0, 0.06, 2) * size
            corners = tilted_corners(rng, tuple(centre), size)
            paste_plate(rng, pixels, plate, corners, bright if rng.random() < 0.8 else None)
            swapped.append(judged(corners, pixels.shape))
        return swapped

    def _strewn(self, height: int, width: int) -> tuple[np.ndarray, list[PlateTruth]]:
        """Plates anywhere on a photograph or none; the photograph's own are erased."""
        rng = self._rng
        if rng.random() < 0.6:
            pixels, own = self._photographed(height, width, replaced=False)
            for truth in own:
                if not truth.ignored:
                    erase_box(
                        rng, pixels, np.concatenate([truth.corners.min(0), truth.corners.max(0)])
                    )
            keep = [truth for truth in own if truth.ignored]
        else:
            photo = self._photos.empty[int(rng.integers(len(self._photos.empty)))]
            pixels = self._views.alone(photo, (height, width), float(rng.normal(0, 5)))
            keep = []
        add_clutter(rng, pixels, int(rng.integers(0, 7)))
        return pixels, keep + self._strew(pixels, int(rng.choice(4, p=(0.35, 0.3, 0.2, 0.15))))

    def _strew(self, pixels: np.ndarray, count: int) -> list[PlateTruth]:
        rng, plates = self._rng, []
        height, width = pixels.shape
        for _ in range(count):
            plate = self._pool.take()
            wide = plate_width(rng, width * 0.6)
            tall = wide * plate.shape[0] / plate.shape[1]
            centre = (rng.uniform(0.05, 0.95) * width, rng.uniform(0.05, 0.95) * height)
            corners = tilted_corners(rng, centre, (wide, max(tall, 5.0)), tilt=1.3)
            if any(overlap(corners, other.corners) for other in plates):
                continue
            paste_plate(rng, pixels, plate, corners)
            plates.append(judged(corners, pixels.shape))
        return plates

    def _drawn(self, height: int, width: int) -> tuple[np.ndarray, list[PlateTruth]]:
        rng = self._rng
        pixels = drawn_ground(rng, height, width)
        add_clutter(rng, pixels, int(rng.integers(0, 5)))
        plates: list[PlateTruth] = []
        for _ in range(int(rng.choice((0, 1, 2, 3), p=(0.12, 0.5, 0.25, 0.13)))):
            plate = self._pool.take()
            wide = plate_width(rng, width * 0.6)
            centre = (rng.uniform(0.1, 0.9) * width, rng.uniform(0.15, 0.9) * height)
            draw_car(rng, pixels, centre, wide)
            tall = wide * plate.shape[0] / plate.shape[1]
            corners = tilted_corners(rng, centre, (wide, max(tall, 5.0)))
            car = _grown_box(corners, 5.5)
            plates = [
                PlateTruth(p.corners, ignored=True) if overlap(car, p.corners) else p
                for p in plates
            ]
            paste_plate(rng, pixels, plate, corners)
            plates.append(judged(corners, pixels.shape))
        if rng.random() < 0.5:
            pixels = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.4, 1.2))
        return pixels, plates


def _grown_box(corners: np.ndarray, factor: float) -> np.ndarray:
    centre = corners.mean(0)
    return centre + (corners - centre) * factor


def _mask(shape: tuple[int, ...], plates: Sequence[PlateTruth]) -> np.ndarray:
    mask = np.zeros(shape, np.float32)
    for plate in plates:
        if not plate.ignored:
            cv2.fillPoly(mask, [np.round(plate.corners).astype(np.int32)], 1.0, cv2.LINE_AA)
    return mask
