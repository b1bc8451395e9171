"""The wiring diagrams are what their code draws, stay inside their frame and say what they show."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from appliance.barrier.provision_files import PINS
from appliance.config import Barrier
from appliance.docs.wiring import draw

SVG = "{http://www.w3.org/2000/svg}"
NAMES = [diagram.name for diagram in draw.DIAGRAMS]
LETTER_PX = 6.2  # of the text's 12 px on the average; the title was looked at


def _drawn(name):
    return ElementTree.fromstring((draw.FOLDER / f"{name}.svg").read_text(encoding="utf-8"))


def test_every_way_to_wire_a_barrier_has_its_picture_in_the_installers_chapter():
    install = (draw.FOLDER.parent / "INSTALL.md").read_text(encoding="utf-8")
    choices = Barrier.__dataclass_fields__["driver"].metadata["choices"]
    assert set(NAMES) == set(choices) - {"simulator"}
    assert not [name for name in NAMES if f"](wiring/{name}.svg)" not in install]


@pytest.mark.parametrize("diagram", draw.DIAGRAMS, ids=NAMES)
def test_the_picture_is_what_the_code_draws(diagram):
    kept = Path(draw.FOLDER, f"{diagram.name}.svg").read_text(encoding="utf-8")
    assert kept == draw.picture(diagram)


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_has_a_title_a_description_and_both_schemes(name):
    root = _drawn(name)
    assert root.get("width") == "800"
    assert root.find(f"{SVG}title").text and root.find(f"{SVG}desc").text
    assert "prefers-color-scheme:dark" in root.find(f"{SVG}style").text


@pytest.mark.parametrize("name", NAMES)
def test_no_word_leaves_the_picture_or_lies_on_another(name):
    placed = []
    for text in _drawn(name).iter(f"{SVG}text"):
        if text.get("class") == "title":
            continue
        x, y, width = float(text.get("x")), float(text.get("y")), LETTER_PX * len(text.text)
        left = x - width if text.get("text-anchor") == "end" else x
        assert left >= 0 and left + width <= 800, text.text
        right = left + width
        covered = [words for start, end, line, words in placed
                   if abs(line - y) < 9 and left < end and start < right]
        assert not covered, text.text
        placed.append((left, right, y, text.text))


def test_the_pins_of_the_picture_are_the_ones_that_are_written_to_a_board():
    words = " ".join(text.text for text in _drawn("pico").iter(f"{SVG}text"))
    for number in PINS["rp2"].values():
        assert re.search(rf"\bGP{number}\b", words)
    for number in PINS["esp32"].values():
        assert re.search(rf"\bIO{number}\b", words)


@pytest.mark.parametrize("name", NAMES)
def test_stop_and_fire_reach_the_operator_past_us_in_every_picture(name):
    own = [t.text for t in _drawn(name).iter(f"{SVG}text") if t.get("class") == "past-text"]
    assert {"STOP", "FIRE", "PHOTO", "LOOP"} <= set(own)
