"""The ground round the board: what is set reaches cabinet and board, contacts reach the arm."""

from __future__ import annotations

import json

import pytest

from appliance.barrier.drivers.arm import Arm, Motion
from appliance.scenario.yard_ground import Ground
from appliance.scenario.yard_wiring import INPUTS, Wiring, settings_for_a_yard


class Pins:
    """A board without a program: outputs are set by the test."""

    def __init__(self) -> None:
        self.outputs = 0
        self.inputs: dict[str, bool] = {}
        self.line = (True, True)
        self.power: list[str] = []

    def set_inputs(self, **active):
        self.inputs.update(active)

    def set_line(self, *, hears, says):
        self.line = (hears, says)

    def kill(self):
        self.outputs = 0
        self.power.append("off")

    def start(self):
        self.power.append("on")


class Field:
    def __init__(self) -> None:
        self.now = 50.0
        self.pins = Pins()
        self.ground = Ground(self.pins, Arm(travel_s=1.0), now=lambda: self.now)

    def pass_time(self, seconds):
        for _ in range(round(seconds / 0.05)):
            self.now += 0.05
            self.ground.step()


@pytest.fixture
def field():
    return Field()


def test_the_boards_contact_raises_the_arm_and_its_limits_come_back(field):
    field.pass_time(0.1)
    assert field.pins.inputs["limit_closed"]
    field.pins.outputs = 1
    field.pass_time(0.5)
    field.pins.outputs = 0
    assert field.ground.seen()["arm"]["motion"] == "rising"
    assert not field.pins.inputs["limit_closed"]
    field.pass_time(1.0)
    assert field.pins.inputs["limit_open"]
    assert field.ground.arm.openings == 1


def test_the_lamp_moves_nothing(field):
    field.pins.outputs = 4
    field.pass_time(1.0)
    assert field.ground.arm.raised == 0


@pytest.mark.parametrize(("name", "seen_by_arm"), [
    ("fire", "fire"), ("stop", "stop"), ("safety_loop", "safety_loop"), ("photocell", "photocell"),
])
def test_cabinet_and_board_both_get_a_safety_input(field, name, seen_by_arm):
    field.ground.set_inputs(**{name: True})
    field.pass_time(0.1)
    assert field.pins.inputs[name]
    assert getattr(field.ground.arm, seen_by_arm)


def test_what_hangs_on_the_board_alone_moves_no_arm(field):
    field.ground.set_inputs(hand_button=True, exit_request=True, tamper=True, entry_loop=True)
    field.pass_time(1.0)
    assert field.pins.inputs["hand_button"]
    assert field.pins.inputs["exit_request"]
    assert field.ground.arm.raised == 0


def test_faults_of_the_arm_reach_it(field):
    field.ground.set_faults(stuck=True, slow=True, bounce=True, obstructed=True)
    arm = field.ground.arm
    assert (arm.stuck, arm.slowness, arm.bouncing, arm.obstacle) == (True, 5.0, True, 0.4)
    field.ground.set_faults(stuck=False, slow=False, bounce=False, obstructed=False)
    assert (arm.stuck, arm.slowness, arm.bouncing, arm.obstacle) == (False, 1.0, False, None)


def test_a_cut_cable_is_deaf_and_dumb_and_a_mute_board_hears(field):
    field.ground.set_faults(silent=True)
    assert field.pins.line == (False, False)
    field.ground.set_faults(silent=False, mute=True)
    assert field.pins.line == (True, False)
    field.ground.set_faults(mute=False)
    assert field.pins.line == (True, True)


def test_power_goes_and_comes_once_for_board_and_cabinet(field):
    field.pins.outputs = 1
    field.pass_time(0.3)
    field.ground.set_faults(power_lost=True)
    field.ground.set_faults(power_lost=True, slow=True)
    before = field.ground.arm.raised
    field.pass_time(1.0)
    assert field.ground.arm.raised == before
    assert field.ground.arm.motion is Motion.RESTING
    assert field.pins.power == ["off"]
    field.ground.set_faults(power_lost=False)
    field.pass_time(0.1)
    assert field.pins.power == ["off", "on"]


def test_a_broken_wire_of_a_safety_reads_as_active():
    wiring = Wiring({name: name in ("stop", "photocell") for name in INPUTS})
    at_rest = wiring.circuits({})
    assert at_rest == 1 << INPUTS.index("stop") | 1 << INPUTS.index("photocell")
    assert wiring.circuits({"stop": True}) == 1 << INPUTS.index("photocell")
    assert wiring.circuits({"fire": True}) == at_rest | 1 << INPUTS.index("fire")


def test_a_yards_board_has_every_input_wired_the_usual_way(tmp_path):
    path = tmp_path / "gate.json"
    path.write_text(json.dumps(settings_for_a_yard("main", b"k" * 32)))
    wiring = Wiring.of(path)
    assert wiring.names == INPUTS
    closed = {name for name, is_closed in wiring.normally_closed.items() if is_closed}
    assert closed == {"entry_loop", "safety_loop", "photocell", "stop", "tamper"}
