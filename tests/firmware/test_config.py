"""gate.json: bounds, pins, and what is left without it."""

from __future__ import annotations

import hashlib
import json

import pytest
from gatepost import codes, config

from tests.firmware.rig import EVERY_INPUT, gate_json, settings, wire


def test_what_is_not_said_has_its_usual_value():
    loaded = settings()
    assert (loaded["pulse_ms"], loaded["pulse_max_ms"], loaded["lockout_ms"]) == (500, 1500, 2000)
    assert (loaded["per_minute"], loaded["exit_opens"], loaded["closing"]) == (12, True, False)
    assert (loaded["host_lost"], loaded["link"]) == ("secure", "uart")


@pytest.mark.parametrize(("key", "lowest", "highest"), [
    ("pulse_max_ms", 500, 3000), ("lockout_ms", 1000, 10_000), ("per_minute", 1, 30),
    ("fire_dwell_ms", 0, 60_000), ("pulse_ms", 100, 1500),
])
def test_every_number_has_its_bounds(key, lowest, highest):
    for value in (lowest, highest):
        assert settings(**{key: value})[key] == value
    for value in (lowest - 1, highest + 1, "1", 1.5, True, None, []):
        if key == "pulse_max_ms" and value == lowest - 1:
            continue
        text = json.loads(gate_json()) | {key: value}
        with pytest.raises(ValueError, match=key):
            config.load(json.dumps(text))


@pytest.mark.parametrize(("changed", "words"), [
    ({"pulse_max": 3}, "key pulse_max is not known"),
    ({"key": "ab"}, "64 hexadecimal"),
    ({"key": None}, "64 hexadecimal"),
    ({"key": "G" * 64}, "64 hexadecimal"),
    ({"name": "x" * 33}, "name is a text"),
    ({"name": 7}, "name is a text"),
    ({"board": "avr"}, "board is one of"),
    ({"closing": 1}, "closing is true or false"),
    ({"host_lost": "close"}, "host_lost is one of"),
    ({"link": "radio"}, "link is one of"),
    ({"inputs": []}, "inputs is an object"),
    ({"inputs": {"horn": {"pin": 2}}}, "input horn is not known"),
    ({"inputs": {"fire": {}}}, "input fire has no pin"),
    ({"inputs": {"fire": 3}}, "input fire has no pin"),
    ({"inputs": {"fire": {"pin": 3, "active": 1}}}, "key active of fire"),
    ({"inputs": {"fire": {"pin": 3, "normally": "shut"}}}, "normally is one of"),
    ({"inputs": {"fire": {"pin": -1}}}, "pin of fire"),
    ({"inputs": {"fire": {"pin": True}}}, "pin of fire"),
    ({"inputs": {"fire": {"pin": 3}, "stop": {"pin": 3}}}, "pin 3 is used twice"),
    ({"inputs": {"fire": {"pin": 16}}}, "pin 16 is used twice"),
    ({"pins": 3}, "pins is an object"),
    ({"pins": {"horn": 3}}, "pin horn is not known"),
    ({"pins": {"lamp": 49}}, "pin of lamp"),
    ({"pulse_ms": 1600}, "longer than pulse_max_ms"),
    ({"needs_presence": True, "inputs": {"fire": {"pin": 3}}}, "wants an entry_loop"),
])
def test_each_mistake_is_refused_with_a_sentence(changed, words):
    with pytest.raises(ValueError, match=words):
        config.load(gate_json(**changed))


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "nul", "[" * 100_000])
def test_a_damaged_file_is_refused_and_fallen_back_from(text):
    with pytest.raises(ValueError, match=r".*"):
        config.load(text)
    left = config.fallback(text)
    assert left["damaged"]
    assert left["key"] == ""


def test_no_error_holds_the_key():
    for key in (wire.PSK.hex()[:-1], wire.PSK.hex().upper()):
        with pytest.raises(ValueError, match="key is") as told:
            config.load(gate_json(key=key))
        assert key not in str(told.value)


def test_the_fallback_keeps_key_and_name_where_it_can():
    left = config.fallback(gate_json(per_minute=99))
    assert (left["key"], left["name"]) == (wire.PSK.hex(), "North gate")
    assert left["digest"] == bytes(4)


@pytest.mark.parametrize("board", ["rp2", "esp32"])
def test_the_fallback_serves_people_on_the_usual_pins(board):
    left = config.fallback(board=board)
    assert set(left["inputs"]) == {"exit_request", "fire", "stop", "hand_button"}
    pins = [*left["pins"].values(), *(wired["pin"] for wired in left["inputs"].values())]
    assert len(pins) == len(set(pins))
    assert (left["closing"], left["host_lost"]) == (False, "secure")


def test_an_input_is_closed_or_open_as_usual_unless_it_is_said():
    said = EVERY_INPUT | {"fire": {"pin": 8, "normally": "closed"}}
    closed = config.normally_closed(settings(inputs=said))
    assert closed == config.mask(config.NORMALLY_CLOSED) | codes.FIRE_INPUT


def test_the_digest_is_that_of_the_file_without_its_key():
    text = gate_json()
    bare = text.replace(wire.PSK.hex(), "")
    assert settings()["digest"] == hashlib.sha256(bare.encode()).digest()[:4]
    assert settings()["digest"] == settings(key=wire.OTHER_PSK.hex())["digest"]
    assert settings()["digest"] != settings(per_minute=5)["digest"]
