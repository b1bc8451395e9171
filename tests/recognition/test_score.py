"""The calibrated score: a chance, and monotone where it must be."""

from hypothesis import given
from hypothesis import strategies as st

from appliance.recognition.score import Evidence, chance, of_glimpse
from tests.fakes.cars import glimpse

scores = st.lists(st.floats(0, 1), min_size=1, max_size=9).map(tuple)
evidence = st.builds(
    Evidence, scores, st.floats(0, 1), st.floats(1, 2000), st.integers(1, 60), st.integers(1, 60)
)


@given(evidence)
def test_it_is_a_chance(given_evidence):
    assert 0 <= chance(given_evidence) < 1


@given(scores, st.integers(1, 30))
def test_more_agreeing_frames_never_make_it_less_likely(char_scores, agreeing):
    fewer = Evidence(char_scores, 0.8, 100, agreeing, 30)
    more = Evidence(char_scores, 0.8, 100, agreeing + 1, 30)
    assert chance(more) >= chance(fewer)


@given(scores, st.integers(0, 8), st.floats(0, 1))
def test_a_surer_sign_never_makes_it_less_likely(char_scores, place, better):
    place %= len(char_scores)
    raised = list(char_scores)
    raised[place] = max(raised[place], better)
    assert chance(Evidence(tuple(raised), 0.8, 100)) >= chance(Evidence(char_scores, 0.8, 100))


def test_nothing_read_has_no_chance():
    assert chance(Evidence((), 0.9, 100)) == 0.0


def test_a_sharp_plate_is_likely_and_a_vague_one_is_not():
    assert of_glimpse(glimpse("PSTN123", score=0.999, width=130)) > 0.6
    assert of_glimpse(glimpse("PSTN123", score=0.5, width=50)) < 0.3


def test_frames_that_disagree_take_certainty_away():
    agreed = Evidence((0.99,) * 7, 0.9, 110, 4, 4)
    disputed = Evidence((0.99,) * 7, 0.9, 110, 4, 12)
    assert chance(disputed) < chance(agreed)
