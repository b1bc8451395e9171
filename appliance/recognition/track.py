"""Which glimpses are of the same car?

Rules
- A glimpse joins the track it fits best, by place and by text; one glimpse per track and frame.
- Within ``GAP_S`` place decides: near where the plate should be by now, of about its size. A gap of
  1.5 s (a pillar, a lamp's glare, a slow reader) does not make a second car.
- Two sure readings that differ in most signs are two cars, wherever they stand.
- Until the visit is over, nearly the same text is the same car even where the place has changed.
- A track ends ``visit_end_s`` after its last glimpse.
Times are the frames' own; nothing here reads a clock.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from appliance.recognition.vote import similarity, weight
from appliance.values import Glimpse

GAP_S = 1.6
_MOST_GLIMPSES = 40
_MOST_PATH = 64
_SURE_WEIGHT = 0.45
_OTHER_CAR = 0.5  # similarity under which two sure readings are two cars
_SAME_TEXT = 0.8
_REACH = 1.3  # plate widths a plate may lie from where it should be
_REACH_PER_S = 2.5  # and how many more for each second not seen
_SIZES = 1.8  # how many times larger or smaller, per gap


@dataclass(frozen=True, slots=True)
class Step:
    """Where the plate was: for speed and direction of travel."""

    at_mono: float
    x: float
    y: float
    width_px: float


@dataclass
class Track:
    """One car on its way through the picture."""

    name: str
    first: Glimpse
    glimpses: list[Glimpse] = field(default_factory=list)
    path: list[Step] = field(default_factory=list)
    seen: int = 0

    @property
    def first_mono(self) -> float:
        return self.first.taken_mono

    @property
    def last_mono(self) -> float:
        return self.path[-1].at_mono

    def add(self, glimpse: Glimpse) -> None:
        """Keeps the newest and heaviest glimpses, at most 40."""
        self.seen += 1
        self.glimpses.append(glimpse)
        if len(self.glimpses) > _MOST_GLIMPSES:
            older = self.glimpses[: _MOST_GLIMPSES // 2]
            self.glimpses.remove(min(older, key=weight))
        x, y = _centre(glimpse)
        self.path.append(Step(glimpse.taken_mono, x, y, glimpse.where.width_px))
        if len(self.path) > _MOST_PATH:
            del self.path[1 : _MOST_PATH // 2 : 2]  # thinned, the beginning kept

    def expected(self, now: float) -> tuple[float, float]:
        """Where the middle should be at ``now``, from the last steps' speed."""
        last = self.path[-1]
        back = next((s for s in reversed(self.path) if last.at_mono - s.at_mono >= 0.25), None)
        if back is None:
            return last.x, last.y
        ahead = min(now - last.at_mono, GAP_S) / (last.at_mono - back.at_mono)
        return last.x + (last.x - back.x) * ahead, last.y + (last.y - back.y) * ahead


class Tracker:
    """``prefix`` makes names unique over restarts of the program."""

    def __init__(self, prefix: str, visit_end_s: float) -> None:
        self._prefix = prefix
        self._visit_end_s = visit_end_s
        self._count = 0
        self.tracks: list[Track] = []

    def see(self, glimpses: Sequence[Glimpse], now: float) -> list[Track]:
        """Sorts a frame's glimpses into tracks; returns the tracks that gained one."""
        fits = sorted(
            ((self._fit(track, g, now), i, j)
             for i, track in enumerate(self.tracks) for j, g in enumerate(glimpses)),
            reverse=True,
        )
        gained: dict[int, int] = {}
        for fit, i, j in fits:
            if fit > 0 and i not in gained and j not in gained.values():
                gained[i] = j
        changed = []
        for i, j in gained.items():
            self.tracks[i].add(glimpses[j])
            changed.append(self.tracks[i])
        for j, glimpse in enumerate(glimpses):
            if j not in gained.values():
                changed.append(self._begin(glimpse))
        return changed

    def end_old(self, now: float) -> list[Track]:
        """Takes out the tracks whose visit is over at ``now``."""
        over = [t for t in self.tracks if now - t.last_mono >= self._visit_end_s]
        self.tracks = [t for t in self.tracks if t not in over]
        return over

    def end_all(self) -> list[Track]:
        over, self.tracks = self.tracks, []
        return over

    def _begin(self, glimpse: Glimpse) -> Track:
        self._count += 1
        track = Track(f"{self._prefix}-{self._count}", glimpse)
        track.add(glimpse)
        self.tracks.append(track)
        return track

    def _fit(self, track: Track, glimpse: Glimpse, now: float) -> float:
        """0 where they cannot be one car; higher fits better."""
        gap_s = max(0.0, now - track.last_mono)
        if gap_s >= self._visit_end_s:
            return 0.0
        alike = max(similarity(g.text.text, glimpse.text.text) for g in track.glimpses[-6:])
        near = _nearness(track, glimpse, gap_s)
        both_sure = weight(glimpse) > _SURE_WEIGHT and any(
            weight(g) > _SURE_WEIGHT for g in track.glimpses[-6:]
        )
        if both_sure and alike < _OTHER_CAR:
            return 0.0
        if gap_s <= GAP_S and near > 0:
            return 1 + near + alike
        if alike >= _SAME_TEXT:
            return alike
        return 0.0


def _nearness(track: Track, glimpse: Glimpse, gap_s: float) -> float:
    """1 exactly where the plate should be, 0 out of reach or of another size."""
    last = track.path[-1]
    width = max(1.0, math.sqrt(last.width_px * max(1.0, glimpse.where.width_px)))
    grown = max(last.width_px, glimpse.where.width_px) / max(
        1.0, min(last.width_px, glimpse.where.width_px)
    )
    if grown > _SIZES * (1 + gap_s):
        return 0.0
    x, y = _centre(glimpse)
    ahead_x, ahead_y = track.expected(last.at_mono + gap_s)
    apart = min(math.hypot(x - ahead_x, y - ahead_y), math.hypot(x - last.x, y - last.y)) / width
    return max(0.0, 1 - apart / (_REACH + _REACH_PER_S * gap_s))


def _centre(glimpse: Glimpse) -> tuple[float, float]:
    x, y, w, h = glimpse.where.upright
    return x + w / 2, y + h / 2
