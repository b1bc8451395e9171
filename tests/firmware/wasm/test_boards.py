"""boot.py, main.py and both kinds of board in MicroPython, on a `machine` that writes a diary."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from appliance.scenario.yard_wiring import settings_for_a_yard
from tests.firmware.wasm.node import FIRMWARE, HERE, run

pytestmark = pytest.mark.firmware

RP2_INPUTS = {
    "entry_loop": 2, "safety_loop": 3, "photocell": 4, "exit_request": 5, "fire": 8, "stop": 9,
    "hand_button": 10,
}
ESP32_INPUTS = {"safety_loop": 4, "fire": 23, "stop": 13, "hand_button": 22}
NORMALLY_CLOSED = {"entry_loop", "safety_loop", "photocell", "stop"}
OUTPUTS = {"rp2": (16, 17, 18), "esp32": (25, 26, 27)}
Entry = tuple[Any, ...]


@dataclass
class Case:
    """One start of one board."""

    platform: str = "rp2"
    last_feed: int = 60
    files: list[str] = field(default_factory=lambda: ["gate.json", "boots"])
    pressed: int | None = None
    settings: str | None = None
    broken_module: str = ""

    @property
    def inputs(self) -> dict[str, int]:
        return RP2_INPUTS if self.platform == "rp2" else ESP32_INPUTS

    def text(self) -> str:
        wired = {name: {"pin": pin} for name, pin in self.inputs.items()}
        settings = settings_for_a_yard("bench", b"k" * 32, board=self.platform, inputs=wired)
        closed = [pin for name, pin in self.inputs.items() if name in NORMALLY_CLOSED]
        return (
            f"PLATFORM = {self.platform!r}\nLAST_FEED = {self.last_feed}\nFILES = {self.files!r}\n"
            f"SETTINGS = {self.settings or json.dumps(settings)!r}\nCLOSED_CIRCUITS = {closed!r}\n"
            f"PRESSED = {self.pressed!r}\nPRESSED_AFTER = 900\n"
        )


@pytest.fixture
def start(tmp_path):
    """Runs one case and gives back the diary."""

    def run_case(case: Case) -> list[Entry]:
        (tmp_path / "case.py").write_text(case.text())
        boot = (FIRMWARE / "boot.py").read_text()
        outputs = f"OUTPUTS = {OUTPUTS[case.platform]}"
        (tmp_path / "boot.py").write_text(boot.replace("OUTPUTS = (16, 17, 18)", outputs))
        assert outputs in (tmp_path / "boot.py").read_text()
        copies = [
            (tmp_path / "case.py", "/lib/case.py"), (tmp_path / "boot.py", "/lib/boot.py"),
            (FIRMWARE / "main.py", "/lib/main.py"), (FIRMWARE / "boards", "/lib/boards"),
            (FIRMWARE / "sim" / "machine.py", "/lib/machine.py"),
        ]
        if case.broken_module:
            (tmp_path / "broken.py").write_text("raise ValueError\n")
            copies.append((tmp_path / "broken.py", f"/lib/gatepost/{case.broken_module}"))
        printed = run(HERE / "inside_boot.py", *copies)
        return [tuple(entry) for entry in json.loads(printed.split("DIARY")[1])]

    return run_case


def levels_at_the_end(diary: list[Entry], platform: str) -> set[int]:
    last = {entry[1]: entry[2] for entry in diary if entry[0] == "pin"}
    return {last[pin] for pin in OUTPUTS[platform]}


@pytest.mark.parametrize("platform", ["rp2", "esp32"])
def test_outputs_are_off_before_anything_else_is_imported(start, platform):
    diary = start(Case(platform))
    assert diary[0] == ("import", "machine")
    assert diary[1:4] == [("pin", pin, 0) for pin in OUTPUTS[platform]]
    assert diary[4] == ("import", "boot")


@pytest.mark.parametrize("platform", ["rp2", "esp32"])
def test_no_output_rises_while_nobody_asks(start, platform):
    diary = start(Case(platform, last_feed=2000))
    writes = [entry for entry in diary if entry[0] == "pin" and entry[1] in OUTPUTS[platform]]
    assert len(writes) > 1000
    assert {entry[2] for entry in writes} == {0}


@pytest.mark.parametrize("platform", ["rp2", "esp32"])
def test_the_watchdog_is_fed_only_after_a_whole_pass(start, platform):
    case = Case(platform)
    diary = start(case)
    begins = next(i for i, entry in enumerate(diary) if entry[0] == "watchdog")
    assert diary[begins][1] <= 2000
    assert not [entry for entry in diary[:begins] if entry[0] == "feed"]
    passes, now = [], []
    for entry in diary[begins + 1 :]:
        now.append(entry)
        if entry[0] == "feed":
            passes.append(now)
            now = []
    assert len(passes) == case.last_feed
    for one in passes:
        read = {entry[1] for entry in one if entry[0] == "read"}
        written = {entry[1] for entry in one if entry[0] == "pin"}
        assert read >= set(case.inputs.values())
        assert written >= set(OUTPUTS[platform])
        assert ("hear",) in one
        assert one[-1] == ("feed",)


@pytest.mark.parametrize("platform", ["rp2", "esp32"])
def test_a_fault_in_the_loop_opens_the_contacts_and_restarts_the_board(start, platform):
    diary = start(Case(platform))
    end = diary.index(("failure", "Broken"))
    assert diary[end - 3 : end] == [("pin", pin, 0) for pin in OUTPUTS[platform]]
    assert diary[-1] == ("reset",)


@pytest.mark.parametrize("platform", ["rp2", "esp32"])
def test_a_fault_in_the_middle_of_a_pulse_ends_the_pulse(start, platform):
    case = Case(platform, last_feed=160)
    case.pressed = case.inputs["hand_button"]
    diary = start(case)
    opening = OUTPUTS[platform][0]
    assert ("pin", opening, 1) in diary, "the hand button opened"
    feeds = [i for i, entry in enumerate(diary) if entry == ("feed",)]
    before = [entry for entry in diary[: feeds[-1]] if entry[:2] == ("pin", opening)][-1]
    assert before == ("pin", opening, 1), "the fault came while the contact was closed"
    assert levels_at_the_end(diary, platform) == {0}
    assert diary[-1] == ("reset",)


def test_a_module_that_cannot_be_loaded_leaves_the_contacts_open(start):
    diary = start(Case(broken_module="safety.py"))
    assert levels_at_the_end(diary, "rp2") == {0}
    assert ("failure", "ValueError") in diary
    assert diary[-1] == ("reset",)
    assert not [entry for entry in diary if entry[0] == "watchdog"]


@pytest.mark.parametrize("settings", ["", "{", '{"name": "bench"}'])
def test_damaged_settings_stop_neither_the_loop_nor_the_watchdog(start, settings):
    case = Case(settings=settings or " ")
    case.pressed = case.inputs["hand_button"]
    case.last_feed = 200
    diary = start(case)
    assert diary.count(("feed",)) == case.last_feed
    assert ("pin", OUTPUTS["rp2"][0], 1) in diary, "the hand button still opens"


def test_a_board_in_service_runs_nothing(start):
    diary = start(Case(files=["gate.json", "service"]))
    assert diary[-1] == ("prompt",)
    assert not [entry for entry in diary if entry[0] in ("watchdog", "feed")]
    assert levels_at_the_end(diary, "rp2") == {0}
