"""The relay on a pin, on a chip that keeps libgpiod's rules. Only a board can prove the rest."""

from __future__ import annotations

import gpiod
import pytest
from gpiod.line import Bias, Direction, Value

from appliance.barrier.drivers.gpio import DEBOUNCE, Gpio
from appliance.barrier.drivers.seam import Warns
from appliance.barrier.drivers.wiring import Wiring
from appliance.errors import LinkLost, OrderRefused
from tests.fakes.gpio import CHIP, OPEN_LINE, Chip
from tests.fakes.plant import WIRING, Plant


@pytest.fixture
def plant() -> Plant:
    return Plant()


@pytest.fixture
def chip(plant) -> Chip:
    return Chip(plant)


def _driver(chip: Chip, plant: Plant, wiring: Wiring = WIRING) -> Gpio:
    return Gpio(
        CHIP, OPEN_LINE, wiring=wiring, now=plant.time, after=plant.after,
        request_lines=chip.request_lines,
    )


@pytest.fixture
def driver(chip, plant) -> Gpio:
    made = _driver(chip, plant)
    made.connect()
    return made


def test_the_relay_is_asked_for_as_an_inactive_output(driver, chip):
    path, config, consumer = chip.asked[0]
    assert (path, consumer) == (str(CHIP), "postern")
    relay = config[OPEN_LINE]
    assert (relay.direction, relay.output_value) == (Direction.OUTPUT, Value.INACTIVE)
    assert not relay.active_low


def test_switches_are_pulled_up_close_to_ground_and_are_debounced(driver, chip):
    config = chip.asked[0][1]
    assert set(config) == {OPEN_LINE, 0, 1, 2, 3, 4}
    for line in WIRING.lines:
        switch = config[line]
        assert (switch.direction, switch.bias) == (Direction.INPUT, Bias.PULL_UP)
        assert switch.active_low
        assert switch.debounce_period == DEBOUNCE


def test_the_settings_are_such_that_libgpiod_takes_them(driver, chip):
    for settings in chip.asked[0][1].values():
        gpiod.line_settings._line_settings_to_ext(settings)


def test_a_relay_left_closed_is_let_go_at_connect(chip, plant):
    chip.values[OPEN_LINE] = Value.ACTIVE
    _driver(chip, plant).connect()
    assert not plant.contact()


def test_lines_that_another_program_holds_are_a_lost_link(driver, chip, plant):
    with pytest.raises(LinkLost) as lost:
        _driver(chip, plant).connect()
    assert lost.value.fields["why"] == "port"


def test_a_chip_that_is_not_there_is_a_lost_link(plant):
    driver = Gpio(CHIP, OPEN_LINE, now=plant.time, after=plant.after)
    with pytest.raises(LinkLost):
        driver.connect()  # the real gpiod, no such device
    with pytest.raises(LinkLost):
        driver.status()


def test_connecting_again_gives_the_lines_back_first(driver, chip):
    driver.connect()
    assert len(chip.asked) == 2


def test_an_order_sent_again_while_its_line_is_high_is_done(driver, chip, plant):
    chip.mute = True
    with pytest.raises(LinkLost):
        driver.open("a", 500, life_s=2.0)
    chip.mute = False
    driver.open("a", 500, life_s=2.0)
    plant.pass_(1.0)
    assert plant.arm.openings == 1


def test_a_chip_that_leaves_in_mid_pulse_is_logged(driver, chip, plant, caplog):
    driver.open("a", 500, life_s=2.0)
    chip.gone = True
    plant.pass_(1.0)
    assert "may have stuck" in caplog.text


def test_a_look_at_a_chip_that_left_in_mid_pulse_is_a_lost_link(driver, chip):
    driver.open("a", 500, life_s=2.0)
    chip.gone = True
    with pytest.raises(LinkLost):
        driver.status()


def test_a_request_that_cannot_be_released_is_given_up(driver, chip, monkeypatch):
    def refuse() -> None:
        raise OSError("the chip is gone")

    monkeypatch.setattr(driver._lines, "release", refuse)
    driver.disconnect()
    with pytest.raises(LinkLost):
        driver.status()


def test_a_hold_is_refused_with_what_to_do_instead(driver, plant):
    with pytest.raises(OrderRefused) as refused:
        driver.hold_open("h", 5.0, life_s=2.0)
    assert refused.value.fields["why"] == "cannot_hold"
    assert "cabinet" in refused.value.next_step
    assert not plant.contact()


def test_without_a_limit_switch_it_warns_that_nothing_is_proven(chip, plant):
    blind = _driver(chip, plant, Wiring(entry_loop=2)).capabilities()
    assert Warns.NO_FEEDBACK in blind.warns
    assert not blind.position
    assert blind.inputs
    assert Warns.NO_FEEDBACK not in _driver(chip, plant).capabilities().warns


def test_the_fake_keeps_an_input_from_being_driven(driver, chip):
    with pytest.raises(PermissionError):
        driver._lines.set_value(0, Value.ACTIVE)


def test_the_fake_refuses_a_released_request_as_gpiod_does(driver):
    lines = driver._lines
    lines.release()
    with pytest.raises(gpiod.RequestReleasedError):
        lines.get_values([0])
