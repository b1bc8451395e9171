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
from .scene_photos import Photo, PhotoSets

KINDS = {"kept": 0.42, "replaced": 0.32, "strewn": 0.14, "drawn": 0.12}
PLATE_PX = (15.0, 260.0)  # plate widths in the picture, log-uniform between
LEAST_PX = 9.0  # narrower plates are neither wanted nor punished


@dataclass(frozen=True, slots=True)
class PlateTruth:
    """A plate in a picture: corners float32 (4, 2) px TL, TR, BR, BL; how far they are true."""

    corners: np.ndarray
    exact: bool = True  # False: only their bounding box is known
    ignored: bool = False
    weight: float = 1.0


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
        self._pyramids: dict[str, tuple[np.ndarray, ...]] = {}
        self._pool = PlatePool(rng, draw)
        street = np.array([photo.squeezed for photo in photos.plates])
        self._odds = np.where(street, 0.6 / max(1, street.sum()), 0.4 / max(1, (~street).sum()))
        self._odds /= self._odds.sum()

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
        pixels, plates = self._collage((height, width), turn)
        if replaced:
            if self._rng.random() < 0.35:
                add_clutter(self._rng, pixels, int(self._rng.integers(1, 3)))
            plates = self._swap(pixels, plates)
        return pixels, plates

    def _collage(
        self, shape: tuple[int, int], turn: float, depth: int = 0
    ) -> tuple[np.ndarray, list[PlateTruth]]:
        """A view of a photograph; where it leaves the picture empty, mostly another one behind it."""
        rng = self._rng
        photo = self._photos.plates[int(rng.choice(len(self._odds), p=self._odds))]
        focus = int(rng.integers(len(photo.boxes))) if len(photo.boxes) else None
        view = self._view(photo, focus, shape, turn)
        plates = [_seen(photo, box, view, shape) for box in photo.boxes]
        plates = [plate for plate in plates if plate is not None]
        frame = _mapped(_frame_of(photo), view)
        inside = np.clip(frame, 0, (shape[1], shape[0]))
        bare = 1 - np.prod(np.ptp(inside, 0)) / (shape[0] * shape[1])
        if bare < 0.25 or depth > 2 or rng.random() < 0.2:
            edge = float(rng.choice((0.0, 0.0, 114.0, rng.uniform(0, 255))))
            return self._warp(photo, view, np.full(shape, edge, np.uint8)), plates
        behind, others = self._collage(shape, 0.0, depth + 1)
        others = [
            PlateTruth(p.corners, ignored=True) if _overlap(frame, p.corners) else p for p in others
        ]
        return self._warp(photo, view, behind), plates + others

    def _swap(self, pixels: np.ndarray, real: Sequence[PlateTruth]) -> list[PlateTruth]:
        """Erase the real plates, put rendered ones in their place."""
        rng, swapped = self._rng, []
        for truth in real:
            low, high = truth.corners.min(0), truth.corners.max(0)
            if truth.ignored:
                swapped.append(truth)
                continue
            area = pixels[max(0, int(low[1])) : int(high[1]) + 1, max(0, int(low[0])) : int(high[0]) + 1]
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
            swapped.append(_judged(corners, pixels.shape))
        return swapped

    def _strewn(self, height: int, width: int) -> tuple[np.ndarray, list[PlateTruth]]:
        """Plates anywhere on a photograph or none; the photograph's own are erased."""
        rng = self._rng
        if rng.random() < 0.6:
            pixels, own = self._photographed(height, width, replaced=False)
            for truth in own:
                if not truth.ignored:
                    erase_box(rng, pixels, np.concatenate([truth.corners.min(0), truth.corners.max(0)]))
            keep = [truth for truth in own if truth.ignored]
        else:
            photo = self._photos.empty[int(rng.integers(len(self._photos.empty)))]
            view = self._view(photo, None, (height, width), float(rng.normal(0, 5)))
            pixels = self._warp(photo, view, np.zeros((height, width), np.uint8))
            keep = []
        add_clutter(rng, pixels, int(rng.integers(0, 7)))
        return pixels, keep + self._strew(pixels, int(rng.choice(4, p=(0.35, 0.3, 0.2, 0.15))))

    def _strew(self, pixels: np.ndarray, count: int) -> list[PlateTruth]:
        rng, plates = self._rng, []
        height, width = pixels.shape
        for _ in range(count):
            plate = self._pool.take()
            wide = _log_uniform(rng, PLATE_PX[0], min(PLATE_PX[1], width * 0.6))
            tall = wide * plate.shape[0] / plate.shape[1]
            centre = (rng.uniform(0.05, 0.95) * width, rng.uniform(0.05, 0.95) * height)
            corners = tilted_corners(rng, centre, (wide, max(tall, 5.0)), tilt=1.3)
            if any(_overlap(corners, other.corners) for other in plates):
                continue
            paste_plate(rng, pixels, plate, corners)
            plates.append(_judged(corners, pixels.shape))
        return plates

    def _drawn(self, height: int, width: int) -> tuple[np.ndarray, list[PlateTruth]]:
        rng = self._rng
        pixels = drawn_ground(rng, height, width)
        add_clutter(rng, pixels, int(rng.integers(0, 5)))
        plates: list[PlateTruth] = []
        for _ in range(int(rng.choice((0, 1, 2, 3), p=(0.12, 0.5, 0.25, 0.13)))):
            plate = self._pool.take()
            wide = _log_uniform(rng, PLATE_PX[0], min(PLATE_PX[1], width * 0.6))
            centre = (rng.uniform(0.1, 0.9) * width, rng.uniform(0.15, 0.9) * height)
            draw_car(rng, pixels, centre, wide)
            tall = wide * plate.shape[0] / plate.shape[1]
            corners = tilted_corners(rng, centre, (wide, max(tall, 5.0)))
            car = _grown_box(corners, 5.5)
            plates = [
                PlateTruth(p.corners, ignored=True) if _overlap(car, p.corners) else p for p in plates
            ]
            paste_plate(rng, pixels, plate, corners)
            plates.append(_judged(corners, pixels.shape))
        if rng.random() < 0.5:
            pixels = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.4, 1.2))
        return pixels, plates

    def _view(
        self, photo: Photo, focus: int | None, shape: tuple[int, int], turn: float
    ) -> np.ndarray:
        """The map 2x3 of a new view of a photograph round one of its plates."""
        rng = self._rng
        height, width = shape
        tall, wide = photo.pixels.shape
        stretch = np.exp(rng.uniform(-0.1, 0.65)) if photo.squeezed else np.exp(rng.normal(0, 0.08))
        least = 0.45 * width / (wide * stretch)
        if focus is None:
            scale = _log_uniform(rng, 0.8, 2.0) * max(width / wide, height / tall)
            anchor = np.array([rng.uniform(0.3, 0.7) * wide, rng.uniform(0.3, 0.7) * tall])
        else:
            box = photo.boxes[focus]
            own = max(float(box[2] - box[0]) * stretch, 4.0)
            scale = _log_uniform(rng, PLATE_PX[0], min(PLATE_PX[1], width * 0.62)) / own
            scale = float(np.clip(scale, least, max(3.2, least)))
            anchor = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
        flip = -1.0 if rng.random() < 0.3 else 1.0
        cosine, sine = np.cos(np.radians(turn)) * scale, np.sin(np.radians(turn)) * scale
        linear = np.array([[cosine * stretch * flip, -sine], [sine * stretch * flip, cosine]])
        target = np.array([rng.uniform(0.06, 0.94) * width, rng.uniform(0.08, 0.94) * height])
        view = np.column_stack([linear, target - linear @ anchor])
        frame = _mapped(_frame_of(photo), view)
        low, high, room = frame.min(0), frame.max(0), np.array([width, height])
        shift = np.where(high - low >= room, np.clip(0, room - high, -low), 0)
        inward = np.clip(0, -low, room - high) if rng.random() < 0.8 else np.zeros(2)
        view[:, 2] += np.where(high - low >= room, shift, inward)
        return view

    def _warp(self, photo: Photo, view: np.ndarray, behind: np.ndarray) -> np.ndarray:
        """Lay the photograph over `behind` as `view` says, without aliasing."""
        levels = self._pyramid(photo)
        shrink = 1 / max(float(np.hypot(view[0, 1], view[1, 1])), 1e-3)
        finest = np.floor(np.log2(shrink) + self._rng.uniform(0, 0.7))
        level = int(np.clip(finest, 0, len(levels) - 1))
        step = view.copy()
        step[:, :2] *= 2.0**level
        step[:, 2] += view[:, :2] @ np.array([0.5 * 2.0**level - 0.5] * 2)
        return cv2.warpAffine(
            levels[level],
            step,
            behind.shape[::-1],
            dst=behind,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_TRANSPARENT,
        )

    def _pyramid(self, photo: Photo) -> tuple[np.ndarray, ...]:
        if photo.name not in self._pyramids:
            levels = [photo.pixels]
            while min(levels[-1].shape) > 120 and len(levels) < 4:
                tall, wide = levels[-1].shape
                levels.append(
                    cv2.resize(levels[-1], (wide // 2, tall // 2), interpolation=cv2.INTER_AREA)
                )
            self._pyramids[photo.name] = tuple(levels)
        return self._pyramids[photo.name]


def _seen(
    photo: Photo, box: np.ndarray, view: np.ndarray, shape: tuple[int, int]
) -> PlateTruth | None:
    corners = _mapped(box, view)
    if view[0, 0] < 0:  # mirrored: keep TL, TR, BR, BL
        corners = corners[[1, 0, 3, 2]]
    truth = _judged(corners.astype(np.float32), shape)
    if truth.ignored and (truth.corners.max(0) < 0).any():
        return None
    return PlateTruth(truth.corners, False, truth.ignored, photo.box_weight)


def _frame_of(photo: Photo) -> np.ndarray:
    return np.array([0, 0, photo.pixels.shape[1], photo.pixels.shape[0]], np.float32)


def _mapped(box: np.ndarray, view: np.ndarray) -> np.ndarray:
    """Corners (4, 2) of box x0 y0 x1 y1 after the map 2x3."""
    corners = np.array([(box[0], box[1]), (box[2], box[1]), (box[2], box[3]), (box[0], box[3])])
    return corners @ view[:, :2].T + view[:, 2]


def _judged(corners: np.ndarray, shape: tuple[int, ...]) -> PlateTruth:
    """Plates cut by the picture's edge or too small to matter are ignored, not taught."""
    height, width = shape[:2]
    inside = np.clip(corners, 0, (width, height))
    share = float(np.prod(np.ptp(inside, 0)) / max(np.prod(np.ptp(corners, 0)), 1e-3))
    centre = corners.mean(0)
    out = share < 0.7 or (centre < 0).any() or (centre >= (width, height)).any()
    return PlateTruth(corners, ignored=bool(out or np.ptp(corners[:, 0]) < LEAST_PX))


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(max(high, low * 1.01)))))


def _grown_box(corners: np.ndarray, factor: float) -> np.ndarray:
    centre = corners.mean(0)
    return centre + (corners - centre) * factor


def _overlap(one: np.ndarray, other: np.ndarray) -> bool:
    return bool((np.minimum(one.max(0), other.max(0)) > np.maximum(one.min(0), other.min(0))).all())


def _mask(shape: tuple[int, ...], plates: Sequence[PlateTruth]) -> np.ndarray:
    mask = np.zeros(shape, np.float32)
    for plate in plates:
        if not plate.ignored:
            cv2.fillPoly(mask, [np.round(plate.corners).astype(np.int32)], 1.0, cv2.LINE_AA)
    return mask
