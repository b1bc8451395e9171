"""What does the plate say? The recogniser's CTC steps become a text with a score per sign.

Best path: per step the likeliest sign; a run of equal signs is one sign, blanks part them. A sign's
score is its highest probability in its run. Where a sign is doubtful, the reading with the run's
second sign in its place is kept as an alternative.
Source: A. Graves et al., "Connectionist temporal classification" (ICML 2006), best path decoding.
"""

from __future__ import annotations

import numpy as np

from appliance.errors import RecognitionError
from appliance.recognition.alphabet import BLANK, SIGNS
from appliance.recognition.tflite import Floats, Grey, Net
from appliance.values import PlateText

_DOUBTFUL = 0.97
_MOST_ALTERNATIVES = 4


class Reader:
    """One recogniser."""

    def __init__(self, net: Net) -> None:
        self._net = net
        self.card = net.card

    def read(self, cut: Grey) -> PlateText:
        """The text of a cut-out uint8 (card.height_px, card.width_px); empty where it has none."""
        (logits,) = self._net.run(cut)[:1]
        if logits.ndim != 3 or logits.shape[2] != BLANK + 1:
            raise RecognitionError(
                "the recogniser's output is foreign",
                next_step="Use the models that came with this version of the software",
            )
        return decode(logits[0])


def decode(logits: Floats) -> PlateText:
    """Best path of CTC logits (T, 37), blank last."""
    chances = _softmax(logits)
    best = chances.argmax(1)
    signs: list[str] = []
    scores: list[float] = []
    seconds: list[tuple[int, str, float]] = []
    begin = 0
    for step in range(1, len(best) + 1):
        if step < len(best) and best[step] == best[begin]:
            continue
        if best[begin] != BLANK:
            run = chances[begin:step].max(0)
            score = float(run[best[begin]])
            second = _second(run, int(best[begin]))
            if score < _DOUBTFUL and second is not None:
                seconds.append((len(signs), SIGNS[second], float(run[second]) / max(score, 1e-6)))
            signs.append(SIGNS[best[begin]])
            scores.append(score)
        begin = step
    return PlateText("".join(signs), tuple(scores), _alternatives(signs, scores, seconds))


def _softmax(logits: Floats) -> Floats:
    raised = np.exp(logits - logits.max(1, keepdims=True))
    chances: Floats = raised / raised.sum(1, keepdims=True)
    return chances


def _second(run: Floats, first: int) -> int | None:
    """The run's second sign, None where it is the blank or hardly there."""
    others = run[:BLANK].copy()
    others[first] = 0
    second = int(others.argmax())
    return second if others[second] > 0.01 else None


def _alternatives(
    signs: list[str], scores: list[float], seconds: list[tuple[int, str, float]]
) -> tuple[tuple[str, float], ...]:
    whole = float(np.prod(scores)) if scores else 0.0
    found = [
        ("".join([*signs[:place], sign, *signs[place + 1 :]]), min(1.0, whole * ratio))
        for place, sign, ratio in seconds
    ]
    return tuple(sorted(found, key=lambda pair: -pair[1])[:_MOST_ALTERNATIVES])
