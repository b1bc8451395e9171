"""How likely is it that the whole plate is right? One small fitted map, all constants here.

A network's own probabilities are too sure of themselves. The chance is a logistic function of a few
facts about the evidence, fitted on photographs nobody trained on (``FITTED_ON``); with several
agreeing frames it rises by ``_PER_DOUBLING`` for each doubling, and falls with the share of frames
that disagree. The two last weights are judgement, kept low on purpose: neighbouring frames share
their mistakes, so ten frames are not ten independent witnesses.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from appliance.recognition.vote import vote
from appliance.values import Glimpse

FITTED_ON = "not fitted yet: cautious first values"
_BIAS = -3.2
_PER_WEAKEST = 0.75  # logit of the weakest sign's score
_PER_MEAN = 0.35  # logit of the mean score
_PER_DETECTOR = 1.6  # the detector's score, 0..1
_PER_WIDTH = 0.8  # natural logarithm of the plate's width over 100 px, -1..0.5
_PER_DOUBLING = 0.55
_PER_DISAGREEING = 2.5
_MOST_DOUBLINGS = 3.0
_SUREST = 0.998
_LOGIT_CAP = 6.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about one reading."""

    char_scores: tuple[float, ...]
    detector: float
    width_px: float
    agreeing: int = 1
    glimpses: int = 1


def of_glimpse(glimpse: Glimpse) -> float:
    """Calibrated chance that one glimpse reads the whole plate right."""
    scores = vote([glimpse]).char_scores
    return chance(Evidence(scores, glimpse.where.score, glimpse.where.width_px))


def chance(evidence: Evidence) -> float:
    """0..1; 0 where nothing was read. Never falls when a sign's score or ``agreeing`` rises."""
    if not evidence.char_scores:
        return 0.0
    weakest = min(evidence.char_scores)
    mean = sum(evidence.char_scores) / len(evidence.char_scores)
    doublings = min(_MOST_DOUBLINGS, math.log2(max(1, evidence.agreeing)))
    disagreeing = 1 - evidence.agreeing / max(evidence.glimpses, evidence.agreeing, 1)
    sum_ = (
        _BIAS
        + _PER_WEAKEST * _logit(weakest)
        + _PER_MEAN * _logit(mean)
        + _PER_DETECTOR * evidence.detector
        + _PER_WIDTH * min(0.5, max(-1.0, math.log(max(evidence.width_px, 1.0) / 100)))
        + _PER_DOUBLING * doublings
        - _PER_DISAGREEING * disagreeing
    )
    return min(_SUREST, 1 / (1 + math.exp(-sum_)))


def _logit(p: float) -> float:
    bounded = min(1 - 1e-6, max(1e-6, p))
    return max(-_LOGIT_CAP, min(_LOGIT_CAP, math.log(bounded / (1 - bounded))))
