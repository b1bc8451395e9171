"""Many glimpses of one car become one text: a weighted vote, sign by sign.

Rules
- Each glimpse weighs by how sure it is and how large its plate stood in the picture.
- The backbone is the glimpse that is nearest to all others (weighted edit distance), so that one
  sharp wrong reading cannot set the length for all.
- Every glimpse is aligned to the backbone; each place is voted on with the signs' own scores, a
  gap votes for "no sign here"; a sign between two places needs more weight than its absence.
- A sign's score after the vote is its share of the weight there times the mean score behind it.
- ``agreeing`` counts the glimpses whose whole text equals the result; a vote invents no witness.
Source: J. Fiscus, "ROVER" (IEEE ASRU 1997), for voting over aligned transcripts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    weight: float


def vote(glimpses: Sequence[Glimpse]) -> Verdict:
    """One text of at least one glimpse; the order of the glimpses does not matter."""
    if not glimpses:
        raise ValueError("a vote needs a glimpse")
    ballots = [_Ballot(g.text.text, g.text.char_scores, weight(g)) for g in glimpses]
    text, scores = _result(_backbone(ballots), ballots)
    agreeing = [g for g in glimpses if g.text.text == text]
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


def _result(backbone: str, ballots: list[_Ballot]) -> tuple[str, tuple[float, ...]]:
    """Votes on the places of the backbone and between them."""
    places: list[dict[str, float]] = [{} for _ in range(2 * len(backbone) + 1)]
    heads: list[dict[str, float]] = [{} for _ in places]  # weight without the scores
    total = sum(b.weight for b in ballots)
    for ballot in ballots:
        for place, sign, score in _aligned(backbone, ballot):
            places[place][sign] = places[place].get(sign, 0.0) + ballot.weight * score
            heads[place][sign] = heads[place].get(sign, 0.0) + ballot.weight
    signs, scores = [], []
    for at, votes in enumerate(places):
        if not votes:
            continue
        sign = max(sorted(votes), key=votes.__getitem__)
        present = sum(heads[at].values())
        if at % 2 == 0 and heads[at][sign] <= total / 2:  # between two places of the backbone
            continue
        if at % 2 == 1 and present < total / 2:  # a place most glimpses leave out
            continue
        signs.append(sign)
        scores.append(min(1.0, votes[sign] / total))
    return "".join(signs), tuple(scores)


def _aligned(backbone: str, ballot: _Ballot) -> list[tuple[int, str, float]]:
    """Each sign of the ballot with its place: odd on the backbone, even between its signs."""
    rows = _table(backbone, ballot.text)
    i, j = len(backbone), len(ballot.text)
    found: list[tuple[int, str, float]] = []
    while i or j:
        same = i and j and backbone[i - 1] == ballot.text[j - 1]
        if i and j and rows[i][j] == rows[i - 1][j - 1] + (0 if same else 1):
            i, j = i - 1, j - 1
            found.append((2 * i + 1, ballot.text[j], ballot.scores[j]))
        elif j and rows[i][j] == rows[i][j - 1] + 1:
            j -= 1
            found.append((2 * i, ballot.text[j], ballot.scores[j]))
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
