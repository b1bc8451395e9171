"""Tracks become sightings: what is told to the gate, when, and with which picture.

Rules
- A car is told of as soon as two glimpses agree, and again with a higher revision when its text,
  its way of travel or its certainty changes; not for every frame.
- A car that stays is told of once a second while it is still seen: what is decided about it may
  hang on a code or a loop, and nothing opens for a car that was not seen just now.
- A car seen sharply but once is told of at the end, where its one reading is likely right.
- The last revision is marked final. What never became likely is counted as dropped, not told.
- The crop is cut from the best frame and encoded at once: no frame is kept.
Times are the frames' own; nothing here reads a clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from appliance.recognition import picture, score
from appliance.recognition.track import Track, Tracker
from appliance.recognition.travel import direction
from appliance.recognition.vote import Verdict, best_text, vote, weight
from appliance.values import ClockQuality, Direction, Frame, Glimpse, GlimpseNote, Sighting

_AGREEING_TOLD = 2
_ALONE_SCORE = 0.5  # a single glimpse needs this chance to be told of at all
_TOLD_EACH_UNTIL = 5  # agreeing glimpses: until here each one is news to the gate
_NEWS = 0.05  # a change of the score worth telling
_STILL_HERE_S = 1.0
_MOST_NOTES = 12
_BETTER_CROP = 1.15


@dataclass
class _Told:
    """What was last said of a track, and how many glimpses agree by now."""

    revision: int = 0
    plate: str = ""
    agreeing: int = 0
    agreeing_now: int = 0
    score: float = 0.0
    direction: Direction = Direction.UNKNOWN
    crop: bytes = b""
    crop_weight: float = 0.0
    seen_at: datetime | None = None
    last_mono: float = 0.0


class Visits:
    """Owns the tracks. ``quality`` is asked what the wall clock is worth."""

    def __init__(self, tracker: Tracker, lane: str, direction_in: str,
                 quality: Callable[[], ClockQuality]) -> None:
        self._tracker = tracker
        self._lane = lane
        self._direction_in = direction_in
        self._quality = quality
        self._told: dict[str, _Told] = {}
        self.dropped = 0

    @property
    def alive(self) -> int:
        """Cars in the picture now, or until their visit is over."""
        return len(self._tracker.tracks)

    @property
    def settled(self) -> bool:
        """Whether every car's text is certain enough that a slower look will do."""
        certain = 2 * _TOLD_EACH_UNTIL
        return all(self._told_of(t).agreeing_now >= certain for t in self._tracker.tracks)

    def see(self, frame: Frame, glimpses: Sequence[Glimpse]) -> list[Sighting]:
        """News of the cars in a frame, and the ends of visits due by then."""
        news = self.idle(frame.taken_mono)
        for track in self._tracker.see(glimpses, frame.taken_mono):
            told = self._told_of(track)
            told.seen_at = frame.taken_at
            verdict = vote(track.glimpses)
            self._keep_crop(told, track, frame)
            sighting = self._sighting(track, told, verdict)
            told.agreeing_now = sighting.agreeing
            if _is_news(told, sighting):
                news.append(_tell(told, sighting))
        return news

    def idle(self, now: float) -> list[Sighting]:
        """The ends of visits due at ``now``; called also while no frame comes."""
        return self._finals(self._tracker.end_old(now))

    def finish(self) -> list[Sighting]:
        """Ends every visit: the source is at its end."""
        return self._finals(self._tracker.end_all())

    def _finals(self, tracks: Sequence[Track]) -> list[Sighting]:
        finals = []
        for track in tracks:
            told = self._told_of(track)
            del self._told[track.name]
            sighting = self._sighting(track, told, vote(track.glimpses), final=True)
            if told.revision or sighting.score >= _ALONE_SCORE:
                finals.append(_tell(told, sighting))
            else:
                self.dropped += 1
        return finals

    def _told_of(self, track: Track) -> _Told:
        return self._told.setdefault(track.name, _Told())

    def _keep_crop(self, told: _Told, track: Track, frame: Frame) -> None:
        newest = track.glimpses[-1]
        if newest.frame_seq == frame.seq and weight(newest) > _BETTER_CROP * told.crop_weight:
            told.crop = picture.crop(frame.pixels, newest.where)
            told.crop_weight = weight(newest)

    def _sighting(self, track: Track, told: _Told, verdict: Verdict, *,
                  final: bool = False) -> Sighting:
        assert told.seen_at is not None  # noqa: S101 - set with the track's first glimpse
        # the vote looks at the kept glimpses; a long visit has seen more of the same
        agreeing = round(verdict.agreeing * track.seen / len(track.glimpses))
        best = verdict.best
        evidence = score.Evidence(
            text=verdict.text,
            char_scores=verdict.char_scores,
            detector=best.where.score,
            width_px=best.where.width_px,
            agreeing=agreeing,
            glimpses=track.seen,
        )
        return Sighting(
            track=track.name,
            revision=told.revision + 1,
            lane=self._lane,
            plate=verdict.text,
            raw_plate=best_text(track.glimpses).text,
            score=round(score.chance(evidence), 4),
            char_scores=tuple(round(s, 3) for s in verdict.char_scores),
            agreeing=agreeing,
            glimpses=track.seen,
            first_mono=track.first_mono,
            last_mono=track.last_mono,
            direction=direction(track.path, self._direction_in),
            seen_at=told.seen_at,
            clock=self._quality(),
            notes=tuple(_note(g, track.first_mono) for g in track.glimpses[-_MOST_NOTES:]),
            final=final,
            crop_jpeg=told.crop,
        )


def _tell(told: _Told, sighting: Sighting) -> Sighting:
    told.revision, told.plate = sighting.revision, sighting.plate
    told.agreeing, told.score = sighting.agreeing, sighting.score
    told.direction, told.last_mono = sighting.direction, sighting.last_mono
    return sighting


def _is_news(told: _Told, sighting: Sighting) -> bool:
    if sighting.agreeing < _AGREEING_TOLD:
        return False
    return (
        sighting.plate != told.plate
        or sighting.direction is not told.direction
        or told.agreeing < sighting.agreeing <= _TOLD_EACH_UNTIL
        or abs(sighting.score - told.score) >= _NEWS
        or sighting.last_mono - told.last_mono >= _STILL_HERE_S - 1e-6
    )


def _note(glimpse: Glimpse, first_mono: float) -> GlimpseNote:
    return GlimpseNote(
        frame_seq=glimpse.frame_seq,
        at_s=round(glimpse.taken_mono - first_mono, 3),
        text=glimpse.text.text,
        score=round(glimpse.text.score, 3),
        weakest=round(glimpse.text.weakest, 3),
        width_px=round(glimpse.where.width_px, 1),
    )
