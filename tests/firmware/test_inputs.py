"""Wires and what they are believed to say; the clock below it all."""

from __future__ import annotations

import pytest
from gatepost import codes, config
from gatepost.inputs import Inputs
from gatepost.uptime import Uptime, elapsed

ALL = 0xFFF
CLOSED = config.mask(config.NORMALLY_CLOSED)


def _rested(wired: int = ALL, maybe: int = 0) -> Inputs:
    inputs = Inputs(wired, CLOSED & (wired | maybe), maybe)
    for _ in range(10):
        inputs.read(CLOSED, 5)
    return inputs


def _read(inputs: Inputs, active: int, times: int, passed: int = 5) -> None:
    for _ in range(times):
        inputs.read(CLOSED ^ active, passed)


def test_nothing_is_known_before_30_ms_and_three_readings():
    inputs = Inputs(ALL, CLOSED)
    inputs.read(CLOSED, 1000)
    inputs.read(CLOSED, 1000)
    assert inputs.known == 0
    inputs.read(CLOSED, 0)
    assert inputs.known == ALL
    assert inputs.active == 0


@pytest.mark.parametrize("name", codes.INPUTS)
def test_a_change_is_believed_after_30_ms_and_not_before(name):
    inputs, bit = _rested(), config.mask([name])
    _read(inputs, bit, 6)
    assert not inputs.active
    _read(inputs, bit, 1)
    assert inputs.active == inputs.rose == bit
    _read(inputs, bit, 1)
    assert inputs.rose == 0
    _read(inputs, 0, 6)
    assert inputs.active == bit
    _read(inputs, 0, 1)
    assert inputs.active == 0


@pytest.mark.parametrize("name", codes.INPUTS)
def test_an_open_circuit_is_active_where_it_is_normally_closed(name):
    inputs = Inputs(ALL, CLOSED)
    for _ in range(10):
        inputs.read(0, 5)
    assert inputs.is_on(config.mask([name])) == (name in config.NORMALLY_CLOSED)


def test_one_spike_is_nothing():
    inputs = _rested()
    _read(inputs, ALL, 1)
    _read(inputs, 0, 20)
    assert inputs.active == 0
    assert inputs.entry_count == 0


@pytest.mark.parametrize("name", codes.INPUTS)
def test_a_flickering_wire_is_active_where_that_is_the_worse_side(name):
    inputs, bit = _rested(), config.mask([name])
    for _ in range(20):
        _read(inputs, bit, 1)
        _read(inputs, 0, 1)
    assert inputs.is_on(bit) == (name in ("stop", "safety_loop", "photocell"))
    _read(inputs, 0, 7)
    assert not inputs.is_on(bit)


def test_a_flicker_without_measurable_time_is_a_flicker_too():
    inputs = _rested()
    for _ in range(60):
        _read(inputs, codes.STOP_INPUT, 1, passed=0)
        _read(inputs, 0, 1, passed=0)
    assert inputs.is_on(codes.STOP_INPUT)


def test_what_was_active_from_the_start_did_not_become_active():
    inputs = Inputs(ALL, CLOSED)
    for _ in range(20):
        inputs.read(CLOSED ^ codes.HAND_BUTTON ^ codes.ENTRY_LOOP, 5)
        assert inputs.rose == 0
    assert inputs.is_on(codes.HAND_BUTTON)
    assert inputs.entry_count == 0


def test_what_is_not_wired_is_never_known_or_active():
    inputs = _rested(wired=codes.FIRE_INPUT)
    _read(inputs, ALL, 50, passed=60_000)
    assert (inputs.known, inputs.active) == (codes.FIRE_INPUT, codes.FIRE_INPUT)
    assert inputs.stuck == 0


def test_the_counts_begin_anew_after_255():
    inputs = _rested()
    three = codes.ENTRY_LOOP | codes.SAFETY_LOOP | codes.PHOTOCELL
    for _ in range(257):
        _read(inputs, three, 8)
        _read(inputs, 0, 8)
    assert (inputs.entry_count, inputs.safety_count, inputs.photo_count) == (1, 1, 1)


@pytest.mark.parametrize(("name", "minutes"), [
    ("entry_loop", 30), ("safety_loop", 10), ("photocell", 10), ("exit_request", 1),
    ("hand_button", 1),
])
def test_an_input_is_stuck_after_its_time_until_it_rests(name, minutes):
    inputs, bit = _rested(), config.mask([name])
    _read(inputs, bit, 8)
    _read(inputs, bit, minutes * 60 - 1, passed=1000)
    assert inputs.stuck == 0
    _read(inputs, bit, 1, passed=1000)
    assert inputs.stuck == bit
    _read(inputs, 0, 8)
    assert inputs.stuck == 0


def test_an_input_has_cycled_once_it_was_seen_to_go_on_and_off():
    inputs, bit = _rested(), codes.PHOTOCELL
    _read(inputs, bit, 8)
    assert inputs.cycled == 0
    _read(inputs, 0, 8)
    assert inputs.cycled == bit


def test_a_wire_nobody_knows_of_counts_once_its_circuit_was_closed():
    inputs = _rested(wired=codes.FIRE_INPUT, maybe=codes.STOP_INPUT)
    assert inputs.known == codes.FIRE_INPUT | codes.STOP_INPUT
    _read(inputs, codes.STOP_INPUT, 8)
    assert inputs.is_on(codes.STOP_INPUT)
    never = Inputs(codes.FIRE_INPUT, codes.STOP_INPUT, codes.STOP_INPUT)
    for _ in range(20):
        never.read(0, 5)
    assert never.all_known()
    assert (never.wired, never.active) == (codes.FIRE_INPUT, 0)


@pytest.mark.parametrize(("now", "before", "passed"), [
    (5, 0, 5), (3, 2**30 - 2, 5), (0, 2**30 - 1, 1), (7, 7, 0), (4, 5, 0),
    (2**29 - 1, 0, 2**29 - 1),
])
def test_time_passes_over_the_wrap_and_never_backwards(now, before, passed):
    assert elapsed(now, before) == passed


def test_the_uptime_is_right_over_months_and_ends_at_2_to_32():
    uptime = Uptime()
    for _ in range(100):
        uptime.elapse(43_199_999)
    assert uptime.total() == 4_319_999_900 - 2**32
    assert uptime.since(0, 0) == 2**32 - 1
    assert uptime.since(uptime.s, uptime.ms) == 0
