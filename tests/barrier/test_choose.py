"""Which driver the settings build, and which settings are refused."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from appliance import vault
from appliance.barrier.drivers import choose
from appliance.barrier.drivers.arm import Arm
from appliance.barrier.drivers.seam import BarrierDriver
from appliance.config import Barrier
from appliance.errors import ConfigError, VaultError

ROOT = Path(__file__).resolve().parents[2]


def _set(box, **changed):
    return replace(box, barrier=replace(Barrier(), **changed))


@pytest.mark.parametrize("name", ["simulator", "pico", "modbus", "gpio", "lcus", "osdp"])
def test_every_driver_of_the_settings_can_be_built(box, name):
    vault.keep_controller_key(box, bytes(range(32)))
    driver = choose.driver(_set(box, driver=name))
    assert isinstance(driver, BarrierDriver)
    assert driver.name == name


def test_the_simulator_is_given_its_arm(box):
    arm = Arm()
    assert choose.driver(_set(box), arm).arm is arm


@pytest.mark.parametrize(("name", "command"), [
    ("pico", "postern controller provision"), ("osdp", "postern controller osdp-key"),
])
def test_without_the_controllers_key_it_says_what_to_run(box, name, command):
    with pytest.raises(VaultError) as error:
        choose.driver(_set(box, driver=name))
    assert command in error.value.next_step


@pytest.mark.parametrize(("changed", "words"), [
    ({"driver": "lcus", "limit_open": 1}, "mean nothing"),
    ({"driver": "pico", "entry_loop": 2}, "mean nothing"),
    ({"driver": "gpio", "limit_open": 5, "limit_closed": 5}, "one input"),
    ({"driver": "gpio", "open_line": 5, "limit_closed": 5}, "open_line"),
    ({"driver": "modbus", "address": 0}, "every board"),
    ({"driver": "osdp", "address": 127}, "126"),
    ({"driver": "lcus", "presence_needed": True}, "never open"),
    ({"driver": "modbus", "presence_needed": True}, "never open"),
])
def test_settings_that_contradict_each_other_are_refused(box, changed, words):
    with pytest.raises(ConfigError) as error:
        choose.driver(_set(box, **changed))
    assert words in error.value.message


@pytest.mark.parametrize("changed", [
    {"driver": "pico", "presence_needed": True},
    {"driver": "modbus", "presence_needed": True, "entry_loop": 0, "address": 247},
    {"driver": "gpio", "limit_open": 5, "limit_closed": 6},
    {"driver": "osdp", "address": 0},
    {"driver": "simulator", "presence_needed": True},
])
def test_settings_that_make_sense_are_not(changed):
    choose.check(replace(Barrier(), **changed))


def test_a_drivers_library_is_loaded_only_where_it_is_chosen():
    code = (
        "import sys; from appliance.barrier.drivers import choose\n"
        "from appliance.config import Config\n"
        "choose.driver(Config())\n"
        "print(sorted({'osdp_sys', 'gpiod', 'minimalmodbus', 'serial'} & set(sys.modules)))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True, text=True
    )
    assert told.stdout.strip() == "[]"
