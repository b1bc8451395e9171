"""The renderer draws what its region files say; the shipped models are what the manifest says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.plates import LONGEST
from models.synth.plate import render_plate
from models.synth.regions import load_regions, parse_pattern, sample_inscription

MODELS = Path(__file__).resolve().parents[2] / "models"
MANIFEST = json.loads((MODELS / "manifest.json").read_text("utf-8"))["models"]
REGIONS = load_regions()


def test_the_states_and_the_main_european_families_are_there():
    assert len(REGIONS) >= 80
    assert {"US-CA", "US-NY", "US-TX", "GB", "DE", "SK", "BR"} <= set(REGIONS)


@pytest.mark.parametrize("code", sorted(REGIONS))
def test_each_region_writes_texts_a_reader_can_spell(code):
    rng = np.random.default_rng(1)
    for _ in range(20):
        text = sample_inscription(rng, REGIONS[code]).text
        assert 1 <= len(text) <= LONGEST, "Delaware numbers its oldest plates from 1"
        assert text.isascii() and text.isalnum() and text == text.upper()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_one_seed_is_one_plate_and_two_lines_say_so(seed):
    first = render_plate(np.random.default_rng(seed), fonts="drawn")
    again = render_plate(np.random.default_rng(seed), fonts="drawn")
    assert first.text == again.text
    assert np.array_equal(first.pixels, again.pixels)
    assert first.pixels.dtype == np.uint8
    assert first.pixels.ndim == 3


def test_a_given_text_is_the_one_that_is_drawn():
    plate = render_plate(np.random.default_rng(3), region="US-CA", text="PSTN101", fonts="drawn")
    other = render_plate(np.random.default_rng(3), region="US-CA", text="PSTN102", fonts="drawn")
    assert (plate.text, plate.region) == ("PSTN101", "US-CA")
    assert not np.array_equal(plate.pixels, other.pixels)


def test_a_pattern_that_cannot_be_understood_is_refused():
    with pytest.raises(ValueError, match=r"."):
        parse_pattern("LL{")


@pytest.mark.parametrize("model", MANIFEST, ids=lambda m: m["file"])
def test_each_shipped_model_is_the_file_the_manifest_names(model):
    data = (MODELS / model["file"]).read_bytes()
    assert hashlib.sha256(data).hexdigest() == model["sha256"]
    assert model["measured"], "a model without measured accuracy is not shipped"


def test_both_networks_come_in_both_precisions_with_a_card():
    shipped = {(m["name"], m["precision"]) for m in MANIFEST}
    assert shipped == {(n, p) for n in ("detector", "recogniser") for p in ("int8", "fp32")}
    for name in ("detector", "recogniser"):
        assert (MODELS / "cards" / f"{name}.md").read_text("utf-8").count("\n") > 30
