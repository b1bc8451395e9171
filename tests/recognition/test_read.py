"""CTC steps become a text; nothing else does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import RecognitionError
from appliance.recognition.alphabet import BLANK, SIGNS, plausible
from appliance.recognition.read import Reader, decode
from tests.fakes.cars import PaintedText, logits

plates = st.text(SIGNS, min_size=1, max_size=10)


@given(plates)
def test_every_text_is_read_back_as_it_was_written(written):
    text = decode(logits(written))
    assert text.text == written
    assert len(text.char_scores) == len(written)
    assert all(0.9 < s <= 1 for s in text.char_scores)


@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_any_logits_give_a_well_formed_text(steps, seed):
    text = decode(np.random.default_rng(seed).normal(0, 4, (steps, BLANK + 1)).astype(np.float32))
    assert len(text.text) == len(text.char_scores) <= steps
    assert set(text.text) <= set(SIGNS)
    assert all(0 <= s <= 1 for s in text.char_scores)
    assert all(len(other) == len(text.text) for other, _ in text.alternatives)
    chances = [chance for _, chance in text.alternatives]
    assert chances == sorted(chances, reverse=True)


def test_equal_signs_are_two_only_where_a_blank_parts_them():
    assert decode(logits("AA11")).text == "AA11"
    joined = logits("A")
    joined[0:6] = joined[0]
    assert decode(joined).text == "A"


def test_blanks_alone_are_nothing_read():
    text = decode(logits(""))
    assert (text.text, text.score, text.weakest) == ("", 0.0, 0.0)


def test_a_doubtful_sign_keeps_its_second_reading():
    steps = logits("PSTN8")
    for step in (12, 13):
        steps[step, SIGNS.index("B")] = steps[step, SIGNS.index("8")] - 0.5
    text = decode(steps)
    assert text.text == "PSTN8"
    assert text.alternatives[0][0] == "PSTNB"
    assert text.weakest == text.char_scores[4] < 0.7


def test_a_foreign_output_is_refused():
    net = PaintedText("PSTN101")
    net.run = lambda _grey: [np.zeros((1, 36, 40), np.float32)]
    with pytest.raises(RecognitionError, match="foreign"):
        Reader(net).read(np.zeros((48, 144), np.uint8))


@pytest.mark.parametrize("text", ["PSTN101", "7ABC", "P57N01X", "AB12CDE34"])
def test_plates_are_plausible(text):
    assert plausible(text)


@pytest.mark.parametrize("text", ["", "ABC", "1111111", "VOLKSWAGEN", "SUPERCAR", "A234567890"])
def test_rails_badges_and_scraps_are_not(text):
    assert not plausible(text)
