"""Values travel as JSON and come back equal."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance import codec
from appliance.errors import IpcError
from appliance.values import (
    ClockQuality,
    Decision,
    Direction,
    GlimpseNote,
    Moved,
    Outcome,
    Passage,
    PlateBox,
    PlateText,
    Reason,
    RuleTried,
    Sighting,
    Verdict,
)

texts = st.text("ABCPSTN0123456789", min_size=1, max_size=9)
shares = st.floats(0, 1)
seconds = st.floats(0, 1e6)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2040, 1, 1)).map(
    lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000, tzinfo=UTC)
)
notes = st.builds(GlimpseNote, st.integers(0, 99), seconds, texts, shares, shares, seconds)
sightings = st.builds(
    Sighting,
    texts,
    st.integers(1, 99),
    texts,
    texts,
    texts,
    shares,
    st.lists(shares, max_size=9).map(tuple),
    st.integers(0, 9),
    st.integers(0, 9),
    seconds,
    seconds,
    st.sampled_from(Direction),
    moments,
    st.sampled_from(ClockQuality),
    st.lists(notes, max_size=3).map(tuple),
)
decisions = st.builds(
    Decision,
    texts,
    st.integers(1, 9),
    st.sampled_from(Verdict),
    st.sampled_from(Reason),
    st.none() | st.integers(1, 99),
    st.none() | texts,
    texts,
    st.integers(0, 9),
    seconds,
    moments,
    st.sampled_from(ClockQuality),
    st.lists(st.builds(RuleTried, texts, st.booleans(), texts), max_size=3).map(tuple),
)
outcomes = st.builds(Outcome, texts, seconds, st.none() | seconds, st.sampled_from(Moved), texts)
passages = st.builds(
    Passage,
    texts,
    texts,
    moments,
    st.none() | sightings,
    st.none() | decisions,
    st.none() | outcomes,
    texts,
)


@given(passages)
def test_a_passage_comes_back_equal(passage):
    assert codec.decode(Passage, codec.encode(passage)) == passage


def test_a_crop_never_travels_inside_the_json():
    value = _sighting(crop_jpeg=b"\xff\xd8")
    assert "crop_jpeg" not in codec.encode(value)


@pytest.mark.parametrize(
    "spoil",
    [
        {"plate": 7},
        {"direction": "up"},
        {"seen_at": "yesterday"},
        {"seen_at": "2026-01-01T00:00"},
        {"char_scores": ["a"]},
        {"notes": [{"frame_seq": 1}]},
        {"unknown_field": 1},
        {"final": 1},
    ],
)
def test_an_ill_formed_value_is_refused_without_telling_its_content(spoil):
    with pytest.raises(IpcError) as caught:
        codec.decode(Sighting, {**codec.encode(_sighting()), **spoil})
    assert "PSTN101" not in str(caught.value)


def test_values_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        _sighting().plate = "X"  # type: ignore[misc]


def test_a_box_knows_its_width_and_upright_frame():
    box = PlateBox(((10, 20), (13, 24), (12, 30), (9, 26)), 0.9)
    assert box.width_px == 5
    assert box.upright == (9, 20, 4, 10)


def test_a_text_is_worth_its_characters():
    assert PlateText("AB", (0.5, 1.0)).score == 0.75
    assert PlateText("AB", (0.5, 1.0)).weakest == 0.5
    assert (PlateText("", ()).score, PlateText("", ()).weakest) == (0.0, 0.0)


def _sighting(**changes):
    base = Sighting(
        "t1",
        1,
        "main",
        "PSTN101",
        "PSTN101",
        0.9,
        (0.9,) * 7,
        3,
        4,
        1.0,
        2.0,
        Direction.IN,
        datetime(2026, 3, 1, 12, tzinfo=UTC),
        ClockQuality.SYNCED,
    )
    return dataclasses.replace(base, **changes)
