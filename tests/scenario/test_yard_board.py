"""The board of the yard: the real firmware keeps its pins, its port and its watchdog's promises."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import pytest

from appliance.barrier.drivers.pico import Pico
from appliance.errors import BarrierError
from appliance.scenario.yard_board import WATCHDOG, Board
from appliance.scenario.yard_wiring import settings_for_a_yard
from tests.pace import slowness

pytestmark = pytest.mark.firmware

OPENING = 1


@pytest.fixture(scope="module")
def patience():
    return 5.0 * slowness()


@pytest.fixture
def board(patience):
    """At rest, its arm down, powered."""
    with tempfile.TemporaryDirectory(prefix="pstn-") as folder:
        settings = Path(folder, "gate.json")
        settings.write_text(json.dumps(settings_for_a_yard("bench", b"k" * 32)))
        board = Board(settings, Path(folder), watchdog_s=1.0 * patience / 5)
        board.set_inputs(limit_closed=True)
        board.start()
        yield board
        board.close()


def wait_for(claim, seconds):
    until = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)


def test_a_start_energises_nothing(board):
    time.sleep(0.5)
    assert board.history == []
    assert board.crashes == 0


def test_the_fire_input_closes_the_contact_without_a_host(board, patience):
    board.set_inputs(fire=True)
    wait_for(lambda: board.outputs & OPENING, patience)


def test_a_board_without_power_energises_nothing_and_keeps_its_port(board, patience):
    board.set_inputs(fire=True)
    wait_for(lambda: board.outputs & OPENING, patience)
    port = board.port
    board.kill()
    assert board.outputs == 0
    assert not board.powered
    board.start()
    assert board.port == port
    wait_for(lambda: board.outputs & OPENING, patience)
    assert board.crashes == 0, "a cut of power is no crash"


def test_a_hung_chip_is_reset_by_its_watchdog(board, patience):
    board.set_inputs(fire=True)
    wait_for(lambda: board.outputs & OPENING, patience)
    board.pause()
    wait_for(lambda: board.watchdog_bites == 1, patience)
    wait_for(lambda: board.outputs & OPENING, 2 * patience)
    assert [bool(change.outputs & OPENING) for change in board.history] == [True, False, True]


def test_stop_drops_what_fire_holds(board, patience):
    board.set_inputs(fire=True)
    wait_for(lambda: board.outputs & OPENING, patience)
    board.set_inputs(stop=True)
    wait_for(lambda: board.outputs == 0, patience)


def test_an_ordered_end_drops_the_contact(board, patience):
    board.set_inputs(fire=True)
    wait_for(lambda: board.outputs & OPENING, patience)
    board.stop()
    assert board.outputs == 0
    assert not board.powered


def test_starts_are_counted_and_their_cause_is_told(board):
    driver = Pico(board.port, b"k" * 32)
    driver.connect()
    assert (driver.controller().boot, driver.controller().cause) == (1, "power")
    driver.disconnect()
    board.kill()
    board.start(cause=WATCHDOG)
    driver.connect()
    assert (driver.controller().boot, driver.controller().cause) == (2, "watchdog")
    driver.disconnect()


def test_power_that_is_cut_while_the_watchdog_resets_the_chip_stays_off(board, patience):
    board.pause()
    wait_for(lambda: board.watchdog_bites == 1, patience)
    board.kill()
    time.sleep(1)
    assert not board.powered


def test_a_board_that_cannot_start_says_so_at_once(board):
    board.kill()
    broken = Board(board._settings, board._folder, options=("--no-such-option",))
    began = time.monotonic()
    with pytest.raises(BarrierError):
        broken.start()
    assert time.monotonic() - began < 15
    broken.close()
