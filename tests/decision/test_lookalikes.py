"""Characters a camera takes for one another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.decision import lookalikes

PLATES = st.text("ABDGHILMOQSVWXYZ0125678", min_size=2, max_size=8)


def test_no_character_stands_in_two_groups():
    everything = "".join(lookalikes.GROUPS)
    assert len(set(everything)) == len(everything)


@pytest.mark.parametrize(("a", "b"), [("O", "0"), ("D", "Q"), ("I", "1"), ("L", "1"), ("Z", "2"),
                                      ("S", "5"), ("G", "6"), ("B", "8"), ("V", "Y"), ("W", "M"),
                                      ("H", "W")])
def test_the_pairs_that_owners_report_look_alike(a, b):
    assert lookalikes.look_alike(f"PSTN1{a}1", f"PSTN1{b}1")


@pytest.mark.parametrize(("a", "b"), [("7", "T"), ("4", "A"), ("C", "G"), ("E", "F"), ("0", "8")])
def test_pairs_left_out_on_purpose_do_not_look_alike(a, b):
    assert not lookalikes.look_alike(f"PSTN1{a}1", f"PSTN1{b}1")


@given(PLATES, PLATES)
def test_looking_alike_is_the_same_from_both_sides(a, b):
    assert lookalikes.look_alike(a, b) == lookalikes.look_alike(b, a)
    assert lookalikes.look_alike(a, a)


@given(PLATES, PLATES)
def test_same_shape_means_alike_at_every_place(a, b):
    group_of = {c: g for g in lookalikes.GROUPS for c in g}
    alike = len(a) == len(b) and all(
        x == y or group_of.get(x, x) == group_of.get(y, y) for x, y in zip(a, b, strict=True)
    )
    assert lookalikes.look_alike(a, b) == alike


@given(PLATES)
def test_every_misread_looks_alike_and_differs_at_one_place(plate):
    for misread in lookalikes.misreads(plate):
        assert lookalikes.look_alike(plate, misread)
        assert len(lookalikes.differing(plate, misread)) == 1


def test_misreads_name_each_accepted_text_once():
    assert lookalikes.misreads("X0") == ("XO", "XD", "XQ")
    assert lookalikes.misreads("XX") == ()


def _distance(a: str, b: str) -> int:
    """The textbook table, as a check of the short cut."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


SHORT = st.text("AB1", min_size=0, max_size=6)


@given(SHORT, SHORT)
def test_one_edit_agrees_with_the_textbook_distance(a, b):
    assert lookalikes.within_one_edit(a, b) == (_distance(a, b) <= 1)


@given(SHORT, SHORT)
def test_texts_within_one_edit_share_a_shortened_form(a, b):
    if _distance(a, b) <= 1:
        assert lookalikes.shortened(a) & lookalikes.shortened(b)


def test_differing_refuses_texts_of_unequal_length():
    with pytest.raises(ValueError):
        lookalikes.differing("PSTN101", "PSTN10")
