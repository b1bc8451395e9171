"""One frame in, the plates seen in it out: locate, rectify, read, and judge.

Rules
- Several candidates are read; of overlapping ones the likeliest reading stays.
- A reading is refused where its text has not a plate's shape, where it is too doubtful to help a
  vote, or where its middle lies outside the lane. Refusals are counted by kind, never silent.
- In single pictures a plate may fill the frame: where the detector itself is not sure, one more
  look is taken at the picture made three times smaller. A lane camera never needs it.
- Where the frame is finer than the detector's input and nothing sure was found yet, one more look
  is taken at the camera's own resolution around the best weak place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

from appliance.config import Config
from appliance.recognition import rectify, score, tflite
from appliance.recognition.alphabet import plausible
from appliance.recognition.locate import Locator, Region, overlap
from appliance.recognition.read import Reader
from appliance.recognition.tflite import Grey
from appliance.values import Frame, Glimpse, Motion, PlateBox

LEAST_SCORE = 0.02
_SURE = 0.60
_SMALLER = 3.0
_HOT = 0.75  # plates of a usual size are hotter than this; seen on photographs
_FINER = 1.25  # a second look pays where the frame is this much wider than the net's input
_OVERLAP = 0.4

Inside = Callable[[float, float], bool]


@dataclass
class Looker:
    """``inside`` says whether a point of the frame lies in the lane. Thread: its owner's."""

    locator: Locator
    reader: Reader
    inside: Inside = lambda _x, _y: True
    close_ups: bool = False
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def digests(self) -> dict[str, str]:
        """Which model files these are: the beginning of each one's sha256."""
        return {c.name: c.sha256[:12] for c in (self.locator.card, self.reader.card)}

    def look(self, frame: Frame, motion: Motion | None = None) -> list[Glimpse]:
        """The plates of a frame, likeliest first."""
        grey = cv2.cvtColor(frame.pixels, cv2.COLOR_BGR2GRAY)
        return self.look_grey(grey, frame.seq, frame.taken_mono, motion)

    def look_grey(self, grey: Grey, seq: int = 0, taken_mono: float = 0.0,
                  motion: Motion | None = None) -> list[Glimpse]:
        """As ``look``, for uint8 (H, W)."""
        boxes = self.locator.locate(grey)
        seen = self._read_all(grey, boxes, seq, taken_mono)
        hottest = boxes[0].score if boxes else 0.0
        if self.close_ups and hottest < _HOT and not _sure(seen):
            large = self.locator.locate(grey, smaller=_SMALLER)
            seen = _likeliest([*seen, *self._read_all(grey, large, seq, taken_mono)])
        region = self._second_region(grey, boxes, seen, motion)
        if region is not None:
            near = self.locator.locate(grey, region)
            seen = _likeliest([*seen, *self._read_all(grey, near, seq, taken_mono)])
        return seen

    def read_whole(self, grey: Grey) -> Glimpse:
        """A picture that is itself a cut-out plate, uint8 (H, W)."""
        cut = rectify.whole(grey, self.reader.card)
        height, width = grey.shape
        corners = ((0.0, 0.0), (float(width), 0.0), (float(width), float(height)),
                   (0.0, float(height)))
        text = self.reader.read(cut)
        return Glimpse(0, 0.0, PlateBox(corners, 1.0), text, rectify.sharpness(cut))

    def _read_all(self, grey: Grey, boxes: list[PlateBox], seq: int,
                  taken_mono: float) -> list[Glimpse]:
        found = []
        for box in boxes:
            cut = rectify.cut_out(grey, box, self.reader.card)
            text = self.reader.read(cut)
            glimpse = Glimpse(seq, taken_mono, box, text, rectify.sharpness(cut))
            why = self._why_refused(glimpse)
            if why:
                self.refused[why] += 1
            else:
                found.append(glimpse)
        return _likeliest(found)

    def _why_refused(self, glimpse: Glimpse) -> str:
        """Empty where the glimpse may stay."""
        if not glimpse.text.text:
            return "no_text"
        if not plausible(glimpse.text.text):
            return "shape"
        x, y, width, height = glimpse.where.upright
        if not self.inside(x + width / 2, y + height / 2):
            return "outside_lane"
        return "doubtful" if score.of_glimpse(glimpse) < LEAST_SCORE else ""

    def _second_region(self, grey: Grey, boxes: list[PlateBox], seen: list[Glimpse],
                       motion: Motion | None) -> Region | None:
        """Where to look once more at full resolution; None where that would not help."""
        height, width = grey.shape
        if width < _FINER * self.locator.width_px or _sure(seen):
            return None
        if seen:
            x, y, w, h = seen[0].where.upright
        elif boxes:
            x, y, w, h = boxes[0].upright
        elif motion is not None and motion.boxes:
            x, y, w, h = motion.boxes[0]
        else:
            return None
        wide = min(width, self.locator.width_px)
        tall = min(height, self.locator.height_px)
        left = int(np.clip(x + w / 2 - wide / 2, 0, width - wide))
        top = int(np.clip(y + h / 2 - tall / 2, 0, height - tall))
        return Region(left, top, wide, tall)


def build(config: Config, inside: Inside = lambda _x, _y: True) -> Looker:
    """The looker the settings name. Raises RecognitionError for a missing or damaged model."""
    nets = [
        tflite.load(config.models_dir, name, config.recognition.precision,
                    config.recognition.runtime, config.recognition.threads)
        for name in ("detector", "recogniser")
    ]
    return Looker(Locator(nets[0]), Reader(nets[1]), inside)



def _sure(glimpses: list[Glimpse]) -> bool:
    return bool(glimpses) and score.of_glimpse(glimpses[0]) >= _SURE


def _likeliest(glimpses: list[Glimpse]) -> list[Glimpse]:
    """Likeliest first; of those on one another only the likeliest."""
    kept: list[Glimpse] = []
    for glimpse in sorted(glimpses, key=lambda g: -score.of_glimpse(g)):
        if all(overlap(glimpse.where, other.where) < _OVERLAP for other in kept):
            kept.append(glimpse)
    return kept
