"""The decision card: one passage laid out so that anyone sees why the gate did what it did.

Pure: a passage in, pieces of a page out. Words come from ``words``; drawing is the template's.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.values import GlimpseNote, Passage, Sighting

BAR_PX = 56
"""Height of a certain character's bar."""
WEAK = 0.8
"""A character below this is doubtful (features E: look-alike only below 0.8)."""


@dataclass(frozen=True, slots=True)
class Character:
    text: str
    score: float
    height_px: int
    weak: bool
    differs: bool


@dataclass(frozen=True, slots=True)
class EntryCharacter:
    """A character of the matched entry; ``text`` is ``·`` where the read has one more."""

    text: str
    differs: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A moment of the timeline; ``ms`` after the first glimpse, None where it never came."""

    code: str
    ms: float | None


@dataclass(frozen=True, slots=True)
class Dot:
    """A glimpse in the small chart; x and y in 0..100."""

    x: float
    y: float
    agrees: bool
    note: GlimpseNote


@dataclass(frozen=True, slots=True)
class Card:
    read: tuple[Character, ...]
    entry: tuple[EntryCharacter, ...]
    same: bool
    steps: tuple[Step, ...]
    dots: tuple[Dot, ...]


def lay_out(passage: Passage) -> Card:
    sighting, decision = passage.sighting, passage.decision
    listed = (decision.grant_plate or "") if decision else ""
    read, entry = compare(sighting.plate if sighting else "", _scores(sighting), listed)
    return Card(read, entry, bool(listed) and not any(c.differs for c in read), _steps(passage),
                _dots(sighting))


def compare(plate: str, scores: tuple[float, ...],
            listed: str) -> tuple[tuple[Character, ...], tuple[EntryCharacter, ...]]:
    """The read with its bars and the entry beside it, aligned, differing characters marked."""
    if not listed:
        return tuple(_character(c, s, False) for c, s in zip(plate, scores, strict=True)), ()
    read: list[Character] = []
    entry: list[EntryCharacter] = []
    for tag, a0, a1, b0, b1 in _blocks(plate, listed):
        differs = tag != "equal"
        for offset in range(max(a1 - a0, b1 - b0)):
            a, b = a0 + offset, b0 + offset
            read.append(_character(plate[a], scores[a], differs) if a < a1
                        else Character("·", 0.0, 0, False, True))
            entry.append(EntryCharacter(listed[b] if b < b1 else "·", differs))
    return tuple(read), tuple(entry)


def _blocks(plate: str, listed: str) -> Sequence[tuple[str, int, int, int, int]]:
    """Equal lengths are compared place by place, as the rules do; others are aligned."""
    if len(plate) == len(listed):
        return [("equal" if a == b else "replace", i, i + 1, i, i + 1)
                for i, (a, b) in enumerate(zip(plate, listed, strict=True))]
    return difflib.SequenceMatcher(None, plate, listed, autojunk=False).get_opcodes()


def _scores(sighting: Sighting | None) -> tuple[float, ...]:
    """One score a character, even where an older record holds another number of them."""
    if sighting is None:
        return ()
    given = sighting.char_scores
    return given if len(given) == len(sighting.plate) else (sighting.score,) * len(sighting.plate)


def _character(text: str, score: float, differs: bool) -> Character:
    bounded = min(max(score, 0.0), 1.0)
    return Character(text, bounded, max(2, round(bounded * BAR_PX)), bounded < WEAK, differs)


def _steps(passage: Passage) -> tuple[Step, ...]:
    sighting, decision, outcome = passage.sighting, passage.decision, passage.outcome
    moments: list[tuple[str, float | None]] = []
    if sighting:
        moments.append(("seen", sighting.first_mono))
    if decision:
        moments.append(("decided", decision.decided_mono))
    if outcome:
        moments += [("ordered", outcome.asked_mono), ("acknowledged", outcome.acked_mono)]
    if not moments:
        return ()
    start = next((at for _, at in moments if at is not None), 0.0)
    return tuple(
        Step(code, None if at is None else max(0.0, (at - start) * 1000)) for code, at in moments
    )


def _dots(sighting: Sighting | None) -> tuple[Dot, ...]:
    notes = sighting.notes if sighting else ()
    if not notes or sighting is None:
        return ()
    first, last = min(n.at_s for n in notes), max(n.at_s for n in notes)
    width = (last - first) or 1.0
    return tuple(
        Dot(round((n.at_s - first) / width * 100, 1), round((1 - min(max(n.score, 0), 1)) * 100, 1),
            n.text == sighting.plate, n)
        for n in notes
    )
