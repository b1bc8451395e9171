"""The decision card, laid out without a page."""

from __future__ import annotations

from dataclasses import replace

from appliance.console import card
from appliance.values import Reason, Verdict
from tests.fakes.programs import by_hand, passage


def test_plates_of_one_length_are_compared_place_by_place():
    read, entry = card.compare("PSTN808", (0.9,) * 7, "PSTNB08")
    assert [c.differs for c in read] == [False] * 4 + [True] + [False] * 2
    assert "".join(c.text for c in entry) == "PSTNB08"


def test_a_missing_character_leaves_a_gap_and_the_rest_aligned():
    read, entry = card.compare("PSTN08", (0.9,) * 6, "PSTNB08")
    assert "".join(c.text for c in read) == "PSTN·08"
    assert "".join(c.text for c in entry) == "PSTNB08"
    assert [c.differs for c in entry] == [False] * 4 + [True] + [False] * 2


def test_certainty_is_height_and_doubt_is_marked():
    read, _ = card.compare("AB", (1.0, 0.5), "")
    assert [(c.height_px, c.weak) for c in read] == [(card.BAR_PX, False), (28, True)]


def test_moments_are_counted_from_the_first_glimpse():
    steps = card.lay_out(passage()).steps
    assert [s.code for s in steps] == ["seen", "decided", "ordered", "acknowledged"]
    assert [round(s.ms) for s in steps if s.ms is not None] == [0, 620, 621, 644]


def test_an_order_never_acknowledged_shows_as_never():
    kept = passage()
    lost = replace(kept, outcome=replace(kept.outcome, acked_mono=None))
    assert card.lay_out(lost).steps[-1].ms is None


def test_a_record_with_too_few_scores_still_has_a_card():
    kept = passage()
    odd = replace(kept, sighting=replace(kept.sighting, char_scores=(0.5,)))
    assert len(card.lay_out(odd).read) == 7


def test_an_opening_by_hand_has_no_read_and_no_rules():
    laid_out = card.lay_out(by_hand())
    assert (laid_out.read, laid_out.entry, laid_out.dots) == ((), (), ())


def test_the_same_to_the_letter_is_said_only_where_it_is():
    assert card.lay_out(passage()).same
    near = passage("PSTN808", verdict=Verdict.ASK_GUARD, reason=Reason.NEAR_MISS,
                   listed="PSTNB08", broke="lookalike")
    assert not card.lay_out(near).same
