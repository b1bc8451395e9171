"""The calibrated score: a chance, and monotone where it must be."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from appliance.recognition import refit
from appliance.recognition.score import FACTS, FITTED, Evidence, chance, of_glimpse
from tests.fakes.cars import glimpse

scores = st.lists(st.floats(0, 1), min_size=1, max_size=9).map(tuple)
evidence = st.builds(
    Evidence, st.just("PSTN123"), scores, st.floats(0, 1), st.floats(1, 2000),
    st.integers(1, 60), st.integers(1, 60),
)  # fmt: skip


@given(evidence)
def test_it_is_a_chance(given_evidence):
    assert 0 <= chance(given_evidence) < 1


@given(scores, st.integers(1, 30))
def test_more_agreeing_frames_never_make_it_less_likely(char_scores, agreeing):
    fewer = Evidence("PSTN123", char_scores, 0.8, 100, agreeing, 30)
    more = Evidence("PSTN123", char_scores, 0.8, 100, agreeing + 1, 30)
    assert chance(more) >= chance(fewer)


@given(scores, st.integers(0, 8), st.floats(0, 1))
def test_a_surer_sign_never_makes_it_less_likely(char_scores, place, better):
    place %= len(char_scores)
    raised = list(char_scores)
    raised[place] = max(raised[place], better)
    before = chance(Evidence("PSTN123", char_scores, 0.8, 100))
    assert chance(Evidence("PSTN123", tuple(raised), 0.8, 100)) >= before


def test_nothing_read_has_no_chance():
    assert chance(Evidence("", (), 0.9, 100)) == 0.0


def test_a_sharp_plate_is_likely_and_a_vague_one_is_not():
    assert of_glimpse(glimpse("PSTN123", score=0.999, width=130)) > 0.6
    assert of_glimpse(glimpse("PSTN123", score=0.5, width=50)) < 0.3


def test_frames_that_disagree_take_certainty_away():
    agreed = Evidence("PSTN123", (0.99,) * 7, 0.9, 110, 4, 4)
    disputed = Evidence("PSTN123", (0.99,) * 7, 0.9, 110, 4, 12)
    assert chance(disputed) < chance(agreed)


def test_no_fact_about_sureness_counts_against_a_reading():
    assert len(FITTED) == len(FACTS)
    assert all(weight >= 0 for weight in FITTED[1:])


def test_the_fit_finds_weights_that_tell_right_from_wrong():
    rng = np.random.default_rng(0)
    sure = rng.uniform(-3, 6, 400)
    x = np.column_stack([np.ones(400), sure, rng.uniform(0, 1, 400)])
    y = (rng.uniform(0, 1, 400) < 1 / (1 + np.exp(-(sure - 2)))).astype(float)
    weights = refit.fit(x, y)
    assert weights[1] > 0.6 and weights[2] < 0.7
    chances = 1 / (1 + np.exp(-x @ weights))
    assert abs(chances.mean() - y.mean()) < 0.02
