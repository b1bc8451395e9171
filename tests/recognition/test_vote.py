"""Many glimpses, one text."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.recognition.alphabet import SIGNS
from appliance.recognition.formats import fold
from appliance.recognition.vote import best_text, similarity, vote, weight
from appliance.values import PlateText
from tests.fakes.cars import glimpse

plates = st.text(SIGNS.replace("O", "").replace("I", ""), min_size=4, max_size=9)
many = st.lists(st.tuples(plates, st.floats(0.05, 1.0)), min_size=1, max_size=12)


def _glimpses(*texts, score=0.95):
    return [glimpse(t, at=0.1 * i, score=score) for i, t in enumerate(texts)]


def test_the_majority_wins_over_a_single_wrong_sign():
    verdict = vote(_glimpses("PSTN101", "P5TN101", "PSTN101"))
    assert (verdict.text, verdict.agreeing, verdict.glimpses) == ("PSTN101", 2, 3)


def test_different_wrong_signs_in_each_frame_still_give_the_right_text():
    verdict = vote(_glimpses("P5TN123", "PSTN128", "PSTM123", "PSTN123"))
    assert verdict.text == "PSTN123"
    assert verdict.agreeing == 1, "a vote invents no witness"


def test_a_lost_and_an_added_sign_are_voted_away():
    verdict = vote(_glimpses("PSTN123", "PSTN12", "PSTN1233", "PSTN123"))
    assert verdict.text == "PSTN123"


def test_a_sign_that_most_glimpses_see_comes_in_though_the_backbone_lacks_it():
    verdict = vote(_glimpses("STN123", "PSTN123", "PSTN128", "PSTM123"))
    assert verdict.text == "PSTN123"


def test_one_sharp_frame_outweighs_two_blurred_ones():
    sharp = glimpse("PSTN123", 0.0, width=130, score=0.99)
    blurred = [glimpse("P5TN123", 0.1 * i, width=50, score=0.5) for i in (1, 2)]
    assert vote([sharp, *blurred]).text == "PSTN123"


def test_the_second_choice_of_each_frame_counts():
    doubtful = PlateText("PSTN8", (1, 1, 1, 1, 0.51), (("PSTNB", 0.49),))
    sure = PlateText("PSTNB", (1, 1, 1, 1, 0.60), (("PSTN8", 0.40),))
    glimpses = _glimpses("PSTN8", "PSTNB")
    glimpses = [
        type(g)(g.frame_seq, g.taken_mono, g.where, t, g.sharpness)
        for g, t in zip(glimpses, (doubtful, sure), strict=True)
    ]
    assert vote(glimpses).text == "PSTNB"


def test_a_sign_that_frames_dispute_has_a_lower_score_than_one_they_share():
    scores = vote(_glimpses("PSTN123", "PSTN128", "PSTN123")).char_scores
    assert min(scores) == scores[-1] < 0.75 < scores[0]


def test_two_writings_of_one_stamp_agree():
    verdict = vote(_glimpses("PSI2TNX", "PS12TNX", "PSI2TNX"))
    assert (verdict.text, verdict.agreeing) == ("PS12TNX", 3)


def test_a_vote_needs_a_glimpse():
    with pytest.raises(ValueError, match="needs a glimpse"):
        vote([])


@given(plates, st.integers(1, 8))
def test_equal_glimpses_give_their_text_and_all_agree(text, count):
    verdict = vote(_glimpses(*[text] * count))
    assert (fold(verdict.text), verdict.agreeing) == (fold(text), count)


@given(many, st.randoms(use_true_random=False))
def test_the_order_of_the_glimpses_does_not_matter(readings, rng: random.Random):
    glimpses = [glimpse(t, at=0.1 * i, score=s) for i, (t, s) in enumerate(readings)]
    shuffled = glimpses[:]
    rng.shuffle(shuffled)
    one, other = vote(glimpses), vote(shuffled)
    assert (one.text, one.agreeing) == (other.text, other.agreeing)
    assert one.char_scores == pytest.approx(other.char_scores)


@given(many)
def test_any_vote_is_well_formed(readings):
    glimpses = [glimpse(t, at=0.1 * i, score=s) for i, (t, s) in enumerate(readings)]
    verdict = vote(glimpses)
    assert len(verdict.text) == len(verdict.char_scores)
    assert all(0 <= s <= 1 for s in verdict.char_scores)
    assert verdict.agreeing == sum(fold(t) == fold(verdict.text) for t, _ in readings)
    assert verdict.best in glimpses


@given(plates, plates)
def test_similarity_is_symmetric_and_one_only_for_equals(one, other):
    assert similarity(one, other) == similarity(other, one)
    assert 0 <= similarity(one, other) <= 1
    assert (similarity(one, other) == 1) == (one == other)


def test_a_larger_plate_weighs_more_up_to_its_limit():
    small, large, huge = (glimpse("PSTN1", width=w) for w in (40, 130, 400))
    assert weight(small) < weight(large) == weight(huge)


def test_the_raw_text_is_the_surest_frame_s():
    glimpses = [glimpse("P5TN123", score=0.5), glimpse("PSTN123", 0.1, score=0.9)]
    assert best_text(glimpses).text == "PSTN123"
