"""Many glimpses of one car become one text: a weighted vote, sign by sign.

Rules
- Each glimpse weighs by how sure it is and how large its plate stood in the picture.
- The backbone is the glimpse that is nearest to all others (weighted edit distance), so that one
  sharp wrong reading cannot set the length for all.
- Every glimpse is aligned to the backbone; each place is voted on with the signs' own scores, a
  gap votes for "no sign here"; a sign between two places needs more weight than its absence.
- A glimpse's second choice for a doubtful sign votes too, with its own smaller score.
- A sign's score after the vote is its share of the weight there times the mean score behind it.
- Last, stamps that write both O and 0 or I and 1 are settled by the plate's series (``formats``).
- ``agreeing`` counts the glimpses whose whole text equals the result, those stamps taken as equal;
  a vote invents no witness.
Source: J. Fiscus, "ROVER" (IEEE ASRU 1997), for voting over aligned transcripts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.recognition import formats
from appliance.values import Glimpse, PlateText

_FULL_WIDTH_PX = 130.0
_LEAST_WEIGHT = 0.02


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the glimpses say together."""

    text: str
    char_scores: tuple[float, ...]
    agreeing: int
    glimpses: int
    best: Glimpse
    """The surest agreeing glimpse, or the surest of all where none agrees."""


@dataclass(frozen=True, slots=True)
class _Ballot:
    text: str
    scores: tuple[float, ...]
    seconds: dict[int, tuple[str, float]]
    """By place, the sign that would stand there otherwise, and its score."""
    weight: float


def vote(glimpses: Sequence[Glimpse]) -> Verdict:
    """One text of at least one glimpse; the order of the glimpses does not matter."""
    if not glimpses:
        raise ValueError("a vote needs a glimpse")
    ballots = [
        _Ballot(g.text.text, g.text.char_scores, _seconds(g.text), weight(g)) for g in glimpses
    ]
    text, scores = formats.settle(*_result(_backbone(ballots), ballots))
    agreeing = [g for g in glimpses if formats.fold(g.text.text) == formats.fold(text)]
    best = max(agreeing or glimpses, key=lambda g: (weight(g), g.frame_seq))
    return Verdict(text, scores, len(agreeing), len(glimpses), best)


def weight(glimpse: Glimpse) -> float:
    """How much a glimpse counts: its scores squared, times its plate's width up to 130 px."""
    sure = glimpse.text.score * glimpse.text.weakest
    large = min(1.0, glimpse.where.width_px / _FULL_WIDTH_PX)
    return max(_LEAST_WEIGHT, sure * large)


def similarity(one: str, other: str) -> float:
    """1 for equal texts, 0 for texts that share nothing: 1 - edit distance / longer length."""
    longer = max(len(one), len(other))
    return 1.0 - _distance(one, other) / longer if longer else 0.0


def _backbone(ballots: list[_Ballot]) -> str:
    by_text: dict[str, float] = {}
    for ballot in ballots:
        by_text[ballot.text] = by_text.get(ballot.text, 0.0) + ballot.weight
    return min(
        by_text,
        key=lambda text: (
            sum(w * _distance(text, other) for other, w in by_text.items()),
            -by_text[text],
            text,
        ),
    )


def _result(backbone: str, ballots: list[_Ballot]) -> tuple[str, list[dict[str, float]]]:
    """Votes on the places of the backbone and between them: the text, and each place's scores."""
    places: list[dict[str, float]] = [{} for _ in range(2 * len(backbone) + 1)]
    heads: list[dict[str, float]] = [{} for _ in places]  # weight without the scores
    total = sum(b.weight for b in ballots)
    alignments = {text: _aligned(backbone, text) for text in {b.text for b in ballots}}
    for ballot in ballots:
        for place, j in alignments[ballot.text]:
            heads[place][ballot.text[j]] = heads[place].get(ballot.text[j], 0.0) + ballot.weight
            for sign, score in ((ballot.text[j], ballot.scores[j]), ballot.seconds.get(j, ("", 0))):
                if sign:
                    places[place][sign] = places[place].get(sign, 0.0) + ballot.weight * score
    signs, shares = [], []
    for at, votes in enumerate(places):
        if not votes:
            continue
        sign = max(sorted(votes), key=votes.__getitem__)
        present = sum(heads[at].values())
        if at % 2 == 0 and heads[at].get(sign, 0.0) <= total / 2:  # between two of the backbone
            continue
        if at % 2 == 1 and present < total / 2:  # a place most glimpses leave out
            continue
        signs.append(sign)
        shares.append({s: min(1.0, v / total) for s, v in votes.items()})
    return "".join(signs), shares


def _seconds(text: PlateText) -> dict[int, tuple[str, float]]:
    """Read back from the alternatives, each of which differs from the text in one place."""
    whole = math.prod(text.char_scores)
    found: dict[int, tuple[str, float]] = {}
    for other, chance in text.alternatives:
        places = [i for i, (a, b) in enumerate(zip(text.text, other, strict=False)) if a != b]
        if len(other) == len(text.text) and len(places) == 1 and whole > 0:
            first = text.char_scores[places[0]]
            found[places[0]] = (other[places[0]], min(1 - first, first * chance / whole))
    return found


def _aligned(backbone: str, text: str) -> list[tuple[int, int]]:
    """(place, sign's index) of each sign: odd places on the backbone, even between its signs."""
    rows = _table(backbone, text)
    i, j = len(backbone), len(text)
    found: list[tuple[int, int]] = []
    while i or j:
        same = i and j and backbone[i - 1] == text[j - 1]
        if i and j and rows[i][j] == rows[i - 1][j - 1] + (0 if same else 1):
            i, j = i - 1, j - 1
            found.append((2 * i + 1, j))
        elif j and rows[i][j] == rows[i][j - 1] + 1:
            j -= 1
            found.append((2 * i, j))
        else:
            i -= 1
    return found


def _distance(one: str, other: str) -> int:
    return 0 if one == other else _table(one, other)[-1][-1]


def _table(one: str, other: str) -> list[list[int]]:
    """Edit distances of all beginnings."""
    rows = [list(range(len(other) + 1))]
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            row.append(min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (a != b)))
        rows.append(row)
    return rows


def best_text(glimpses: Sequence[Glimpse]) -> PlateText:
    """The surest single reading, before voting."""
    return max(glimpses, key=weight).text
