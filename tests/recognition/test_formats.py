"""One stamp for O and 0, and for I and 1: the series tells them apart."""

from hypothesis import given
from hypothesis import strategies as st

from appliance.recognition.alphabet import SIGNS
from appliance.recognition.formats import SERIES, fold, series, settle

plates = st.text(SIGNS, min_size=1, max_size=9)


def _seen(text, score=0.9, **twins):
    """Scores by place; `twins`: p2="1" gives the other writing a part of the score."""
    places = [{c: score} for c in text]
    for place, sign in twins.items():
        places[int(place[1:])][sign] = round(1 - score, 6)
    return places


def test_a_one_among_letters_is_an_i_only_where_a_series_has_a_letter_there():
    text, scores = settle("PSI2TNX", _seen("PSI2TNX", 0.6, p2="1"))
    assert text == "PS12TNX"
    assert scores[2] > 0.95, "the stamp is sure, and the series says how it is written"


def test_a_zero_in_a_group_of_letters_is_an_o():
    assert settle("P0N1234", _seen("P0N1234"))[0] == "PON1234"


def test_a_text_of_no_known_series_keeps_its_doubt():
    text, scores = settle("X1Y0Z", _seen("X1Y0Z", 0.6, p1="I", p3="O"))
    assert text == "X1Y0Z"
    assert scores[1] < 0.7


def test_a_sure_reading_of_a_known_series_stays():
    text, scores = settle("PST1001", _seen("PST1001", 0.98))
    assert text == "PST1001"
    assert min(scores) > 0.9


@given(plates, st.floats(0.05, 1.0))
def test_only_the_twins_ever_change(text, score):
    settled, scores = settle(text, _seen(text, score))
    assert fold(settled) == fold(text)
    assert len(scores) == len(text)
    assert all(0 <= s <= 1 for s in scores)
    assert [s for s, c in zip(scores, text, strict=True) if c not in "O0I1"] == [
        score for c in text if c not in "O0I1"
    ]


@given(plates)
def test_settling_twice_changes_nothing_more(text):
    once, _ = settle(text, _seen(text))
    assert settle(once, _seen(once))[0] == once or series(once) not in SERIES
