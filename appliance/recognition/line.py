"""The straight line through this program: frame, motion, look, visits, sightings.

It takes its parts as arguments, reads no clock and knows no camera: a clip replays offline at full
speed with the clip's own times, and gives the same sightings as the gate would have got.

When the (dear) look is taken:
- the lane moved, or
- a car is tracked, so a slow or standing car is not lost (twice a second once it is certain), or
- a second has passed, so a car that crept in below the motion gate is found.
Thread: one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from appliance.capture.motion import MotionGate
from appliance.recognition.visits import Visits
from appliance.values import Frame, Glimpse, Motion, Sighting

_LOOK_AT_LEAST_EVERY_S = 1.0
_LOOK_AT_SETTLED_EVERY_S = 0.5


class Eyes(Protocol):
    """What looks at a frame: ``look.Looker``, or a fake."""

    def look(self, frame: Frame, motion: Motion | None = None) -> list[Glimpse]: ...


class Line:
    """``motion_share``: changed share of the lane that wakes the eyes."""

    def __init__(self, gate: MotionGate, eyes: Eyes, visits: Visits, motion_share: float) -> None:
        self._gate = gate
        self._eyes = eyes
        self.visits = visits
        self._motion_share = motion_share
        self._looked_mono: float | None = None
        self.looks = 0
        self.glimpses: list[Glimpse] = []
        """The plates of the last look."""

    def step(self, frame: Frame) -> list[Sighting]:
        """One frame through the line; returns what is new."""
        motion = self._gate.see(frame.pixels, frame.taken_mono)
        if not self._wants_look(motion, frame.taken_mono):
            return self.visits.idle(frame.taken_mono)
        self._looked_mono = frame.taken_mono
        self.looks += 1
        self.glimpses = self._eyes.look(frame, motion)
        return self.visits.see(frame, self.glimpses)

    def _wants_look(self, motion: Motion, now: float) -> bool:
        since_s = now - self._looked_mono if self._looked_mono is not None else float("inf")
        if motion.share >= self._motion_share or since_s >= _LOOK_AT_LEAST_EVERY_S - 1e-6:
            return True
        if self.visits.alive:
            return not self.visits.settled or since_s >= _LOOK_AT_SETTLED_EVERY_S
        return False


def run(line: Line, frames: Iterable[Frame]) -> Iterator[Sighting]:
    """All sightings of a source that ends."""
    for frame in frames:
        yield from line.step(frame)
    yield from line.visits.finish()
