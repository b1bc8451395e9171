"""How likely is it that the whole plate is right? One small fitted map, all constants here.

A network's own probabilities are too sure of themselves. The chance is a logistic function of a few
facts about one reading (``FACTS``), with the weights of ``FITTED``, fitted by ``recognition.refit``
on photographs nobody trained on. With several agreeing frames it rises by ``_PER_DOUBLING`` for
each doubling and falls with the share of frames that disagree. These two are judgement, kept low on
purpose: neighbouring frames share their mistakes, so ten frames are not ten independent witnesses.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from appliance.recognition.formats import SERIES, series
from appliance.recognition.vote import vote
from appliance.values import Glimpse

FITTED_ON = "280 reads of 279 photographs, 2026-11-22, int8 models"
FACTS = ("one", "weakest", "mean", "detector", "width", "series")
FITTED = (-4.02, 0.0, 0.73, 1.6, 0.78, 1.27)
"""One weight a fact; none but the first may be negative, or surer signs would score lower."""

_PER_DOUBLING = 0.55
_PER_DISAGREEING = 2.5
_MOST_DOUBLINGS = 3.0
_SUREST = 0.998
_LOGIT_CAP = 6.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about one reading."""

    text: str
    char_scores: tuple[float, ...]
    detector: float
    width_px: float
    agreeing: int = 1
    glimpses: int = 1


def of_glimpse(glimpse: Glimpse) -> float:
    """Calibrated chance that one glimpse reads the whole plate right."""
    alone = vote([glimpse])
    return chance(
        Evidence(alone.text, alone.char_scores, glimpse.where.score, glimpse.where.width_px)
    )


def chance(evidence: Evidence) -> float:
    """0..1; 0 where nothing was read. Never falls when a sign's score or ``agreeing`` rises."""
    if not evidence.char_scores:
        return 0.0
    total = sum(w * f for w, f in zip(FITTED, facts(evidence), strict=True))
    doublings = min(_MOST_DOUBLINGS, math.log2(max(1, evidence.agreeing)))
    disagreeing = 1 - evidence.agreeing / max(evidence.glimpses, evidence.agreeing, 1)
    total += _PER_DOUBLING * doublings - _PER_DISAGREEING * disagreeing
    return min(_SUREST, 1 / (1 + math.exp(-total)))


def facts(evidence: Evidence) -> tuple[float, ...]:
    """The numbers behind ``FACTS``, in that order."""
    scores = evidence.char_scores
    return (
        1.0,
        _logit(min(scores)),
        _logit(sum(scores) / len(scores)),
        evidence.detector,
        min(0.5, max(-1.0, math.log(max(evidence.width_px, 1.0) / 100))),
        1.0 if series(evidence.text) in SERIES else 0.0,
    )


def _logit(p: float) -> float:
    bounded = min(1 - 1e-6, max(1e-6, p))
    return max(-_LOGIT_CAP, min(_LOGIT_CAP, math.log(bounded / (1 - bounded))))
