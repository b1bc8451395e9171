"""What a hand may set in a simulated yard, and how long the scenario leaves it alone."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from appliance import ipc
from appliance.barrier.drivers.arm import Arm
from appliance.errors import BarrierError
from appliance.scenario.yard_socket import BY_HAND_S, Faults, Inputs, YardSocket, arm_seen


class Sheet:
    """A Play that only writes down."""

    simulated = "arm"

    def __init__(self) -> None:
        self.arm = Arm()
        self.inputs = Inputs()
        self.faults = Faults()

    def seen(self):
        return {
            "arm": arm_seen(self.arm), "inputs": asdict(self.inputs), "faults": asdict(self.faults)
        }

    def set_inputs(self, **active):
        self.inputs = replace(self.inputs, **active)

    def set_faults(self, **broken):
        self.faults = replace(self.faults, **broken)


class Desk:
    def __init__(self) -> None:
        self.now = 100.0
        self.sheet = Sheet()
        self.socket = YardSocket(self.sheet, now=lambda: self.now)

    def ask(self, verb="status", **fields):
        message = ipc.Message({"verb": verb, **fields})
        return self.socket.handlers[verb](message).header


@pytest.fixture
def desk():
    return Desk()


def test_the_yard_is_told_whole(desk):
    told = desk.ask()
    assert told["simulated"] == "arm"
    assert told["arm"] == {"raised": 0.0, "motion": "resting", "openings": 0, "contact": False}
    assert set(told["inputs"]) == {
        "entry_loop", "safety_loop", "photocell", "exit_request", "hand_button", "fire", "stop",
        "tamper",
    }
    assert set(told["faults"]) == {
        "stuck", "slow", "silent", "mute", "bounce", "power_lost", "obstructed"
    }
    assert told["by_hand_left_s"] == 0


def test_a_hand_has_the_inputs_for_a_minute(desk):
    told = desk.ask("set", inputs={"entry_loop": True})
    assert told["inputs"]["entry_loop"]
    assert told["by_hand_left_s"] == BY_HAND_S
    desk.now += BY_HAND_S - 1
    assert desk.socket.by_hand
    desk.now += 2
    assert not desk.socket.by_hand


def test_a_fault_alone_does_not_pause_the_scenario(desk):
    assert desk.ask("set", faults={"stuck": True})["faults"]["stuck"]
    assert not desk.socket.by_hand


@pytest.mark.parametrize(
    "given",
    [
        {"inputs": {"entry_loop": True, "gate": True}},
        {"inputs": {"entry_loop": True}, "faults": {"broken": True}},
        {"inputs": {"entry_loop": 1}},
        {"inputs": ["entry_loop"]},
        {"faults": {"stuck": "yes"}},
    ],
)
def test_a_wrong_name_or_value_changes_nothing_at_all(desk, given):
    with pytest.raises(BarrierError):
        desk.ask("set", **given)
    assert desk.sheet.inputs == Inputs()
    assert desk.sheet.faults == Faults()
    assert not desk.socket.by_hand
