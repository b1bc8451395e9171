"""New views of real photographs: scaled, shifted, stretched, mirrored, laid over one another.

Also the truth about plates in such views.  Boxes stay boxes: a photograph whose real plates are
kept is never turned.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .scene_photos import Photo

PLATE_PX = (15.0, 260.0)  # plate widths in the picture
USUAL_PX, SPREAD = 55.0, 0.6  # their median and log-normal spread: a gate camera shrunk to 640 px
LEAST_PX = 9.0  # narrower plates are neither wanted nor punished
STREET_SHARE = 0.6  # of the photographs; the dash camera's are many and alike


@dataclass(frozen=True, slots=True)
class PlateTruth:
    """A plate in a picture: corners float32 (4, 2) px TL, TR, BR, BL; how far they are true."""

    corners: np.ndarray
    exact: bool = True  # False: only their bounding box is known
    ignored: bool = False
    weight: float = 1.0


class PhotoViews:
    """Draws views of photographs with one random generator."""

    def __init__(self, rng: np.random.Generator, photos: tuple[Photo, ...]) -> None:
        self._rng = rng
        self._photos = photos
        self._pyramids: dict[str, tuple[np.ndarray, ...]] = {}
        street = np.array([photo.squeezed for photo in photos])
        self._odds = np.where(
            street,
            STREET_SHARE / max(1, street.sum()),
            (1 - STREET_SHARE) / max(1, (~street).sum()),
        )
        self._odds /= self._odds.sum()

    def collage(
        self, shape: tuple[int, int], turn: float = 0.0, depth: int = 0
    ) -> tuple[np.ndarray, list[PlateTruth]]:
        """A view of a photograph turned by `turn` degrees, and its plates.

        Where it leaves the picture empty there is mostly another photograph behind it.
        """
        rng = self._rng
        photo = self._photos[int(rng.choice(len(self._odds), p=self._odds))]
        focus = int(rng.integers(len(photo.boxes))) if len(photo.boxes) else None
        view = self._view(photo, focus, shape, turn)
        plates = [_seen(photo, box, view, shape) for box in photo.boxes]
        plates += [
            PlateTruth(_mapped(box, view).astype(np.float32), ignored=True) for box in photo.unsure
        ]
        plates = [plate for plate in plates if _reaches(plate.corners, shape)]
        frame = _mapped(_frame_of(photo), view)
        inside = np.clip(frame, 0, (shape[1], shape[0]))
        bare = 1 - np.prod(np.ptp(inside, 0)) / (shape[0] * shape[1])
        if bare < 0.25 or depth > 2 or rng.random() < 0.2:
            edge = float(rng.choice((0.0, 0.0, 114.0, rng.uniform(0, 255))))
            return self._warp(photo, view, np.full(shape, edge, np.uint8)), plates
        behind, others = self.collage(shape, depth=depth + 1)
        others = [
            PlateTruth(p.corners, ignored=True) if overlap(frame, p.corners) else p for p in others
        ]
        return self._warp(photo, view, behind), plates + others

    def alone(self, photo: Photo, shape: tuple[int, int], turn: float) -> np.ndarray:
        """A view of one photograph anywhere, on black; no plates are looked for."""
        return self._warp(photo, self._view(photo, None, shape, turn), np.zeros(shape, np.uint8))

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
            scale = log_uniform(rng, 0.8, 2.0) * max(width / wide, height / tall)
            anchor = np.array([rng.uniform(0.3, 0.7) * wide, rng.uniform(0.3, 0.7) * tall])
        else:
            box = photo.boxes[focus]
            own = max(float(box[2] - box[0]) * stretch, 4.0)
            scale = plate_width(rng, width * 0.62) / own
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


def plate_width(rng: np.random.Generator, most: float) -> float:
    """A plate's width in the new picture, px, at most `most`."""
    wide = USUAL_PX * np.exp(rng.normal(0, SPREAD))
    return float(np.clip(wide, PLATE_PX[0], min(PLATE_PX[1], most)))


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(max(high, low * 1.01)))))


def overlap(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether the bounding boxes of two sets of corners meet."""
    return bool((np.minimum(one.max(0), other.max(0)) > np.maximum(one.min(0), other.min(0))).all())


def _seen(photo: Photo, box: np.ndarray, view: np.ndarray, shape: tuple[int, int]) -> PlateTruth:
    corners = _mapped(box, view)
    if view[0, 0] < 0:  # mirrored: keep TL, TR, BR, BL
        corners = corners[[1, 0, 3, 2]]
    truth = judged(corners.astype(np.float32), shape)
    return PlateTruth(truth.corners, False, truth.ignored, photo.box_weight)


def _reaches(corners: np.ndarray, shape: tuple[int, int]) -> bool:
    return bool((corners.max(0) > 0).all() and (corners.min(0) < shape[::-1]).all())


def _frame_of(photo: Photo) -> np.ndarray:
    return np.array([0, 0, photo.pixels.shape[1], photo.pixels.shape[0]], np.float32)


def _mapped(box: np.ndarray, view: np.ndarray) -> np.ndarray:
    """Corners (4, 2) of box x0 y0 x1 y1 after the map 2x3."""
    corners = np.array([(box[0], box[1]), (box[2], box[1]), (box[2], box[3]), (box[0], box[3])])
    return corners @ view[:, :2].T + view[:, 2]


def judged(corners: np.ndarray, shape: tuple[int, ...]) -> PlateTruth:
    """Plates cut by the picture's edge or too small to matter are ignored, not taught."""
    height, width = shape[:2]
    inside = np.clip(corners, 0, (width, height))
    share = float(np.prod(np.ptp(inside, 0)) / max(np.prod(np.ptp(corners, 0)), 1e-3))
    centre = corners.mean(0)
    out = share < 0.7 or (centre < 0).any() or (centre >= (width, height)).any()
    return PlateTruth(corners, ignored=bool(out or np.ptp(corners[:, 0]) < LEAST_PX))
