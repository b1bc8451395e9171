"""O or 0, I or 1? On many plates one stamp makes both, so the picture cannot tell; the series can.

Rules
- Only these two pairs are settled here. Every other doubt stays a doubt.
- It is applied after the vote, never to single glimpses.
- Each way to write the doubtful places is weighed by what the camera saw and by how common its
  series is (letters L and digits D in order); a series that is not in the table is rare, not wrong.
- A place's score is the score of its stamp times the share of the ways that write it so.
``SERIES`` is per mille of cars for the commonest series, counted from the region files of the
renderer (``models/synth/regions``): mostly North America, then Europe and South America.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

TWINS = {"O": "0", "0": "O", "I": "1", "1": "I"}
_FOLD = str.maketrans("OI", "01")
_MOST_PLACES = 6
_UNKNOWN = 0.3  # per mille of a series that is not in the table
_UNSEEN = 0.15  # what a twin weighs at least, of its stamp's score, though no glimpse named it:
# the recogniser was taught to write 0 for the shared stamp of US and GB plates

SERIES = {
    "LLLDDDD": 235.2, "LLLDDD": 112.5, "LLDDDLL": 102.6, "LLDDLLL": 54.3, "DLLLDDD": 49.4,
    "DDDLLL": 47.2, "LLDDDDD": 36.4, "LLLDLDD": 28.1, "LLLLDD": 23.1, "LDDLLL": 18.6,
    "DDDDLLL": 18.5, "DLLDDDD": 16.1, "LLDDDD": 15.4, "LLLLDDD": 14.2, "LDDDLL": 13.1,
    "DLDDDDD": 12.6, "LLDLDL": 12.1, "DLLDDD": 11.3, "DDDDLL": 8.2, "LLLDDL": 7.6,
    "DLLLDD": 7.3, "DDDDDLD": 7.2, "LLDDLL": 7.0, "LLDDDDLL": 6.3, "LLDDDL": 5.9,
    "LDDDDDD": 5.4, "DDLLDD": 5.3, "DDLDDD": 4.8, "LDDDLLL": 4.7, "LLLDDDL": 4.3,
    "DDDDDDD": 4.3, "LDDDDDDL": 3.8, "LLDDDDL": 3.8, "LDDDDLL": 3.6, "DDDDD": 3.4,
    "DDLLDDD": 3.4, "DDDDDD": 3.4, "DDDDDDL": 3.2, "LLLDD": 2.9, "LLLLLDD": 2.9,
    "LLLLLDDD": 2.6, "LDDDDDL": 2.5, "LLDLDDD": 2.5, "LLLLDDDD": 2.4, "LLLDDDDD": 2.3,
}  # fmt: skip


def fold(text: str) -> str:
    """The text with O as 0 and I as 1: equal for two writings of the same stamps."""
    return text.translate(_FOLD)


def series(text: str) -> str:
    """Letters as L, digits as D."""
    return "".join("D" if c.isdigit() else "L" for c in text)


def settle(text: str, places: Sequence[Mapping[str, float]]) -> tuple[str, tuple[float, ...]]:
    """The likeliest writing and its scores; ``places`` holds each sign's score, 0..1, by place."""
    scores = [places[i].get(c, 0.0) for i, c in enumerate(text)]
    doubtful = [i for i, c in enumerate(text) if c in TWINS][:_MOST_PLACES]
    if not doubtful:
        return text, tuple(scores)
    stamps = {i: _stamp(text[i], places[i]) for i in doubtful}
    ways: list[tuple[str, float]] = []
    for signs in product(*((text[i], TWINS[text[i]]) for i in doubtful)):
        way, weight = list(text), 1.0
        for i, sign in zip(doubtful, signs, strict=True):
            way[i] = sign
            weight *= stamps[i][sign]
        written = "".join(way)
        ways.append((written, weight * SERIES.get(series(written), _UNKNOWN)))
    total = sum(weight for _, weight in ways) or 1.0
    best = max(ways, key=lambda pair: pair[1])[0]
    for i in doubtful:
        share = sum(weight for way, weight in ways if way[i] == best[i]) / total
        scores[i] = min(1.0, sum(places[i].get(s, 0.0) for s in (text[i], TWINS[text[i]]))) * share
    return best, tuple(scores)


def _stamp(sign: str, seen: Mapping[str, float]) -> dict[str, float]:
    """What the camera says of a sign and its twin, neither of them impossible."""
    twin = TWINS[sign]
    whole = seen.get(sign, 0.0) + seen.get(twin, 0.0)
    least = max(_UNSEEN * whole, 1e-9)
    return {s: max(seen.get(s, 0.0), least) for s in (sign, twin)}
