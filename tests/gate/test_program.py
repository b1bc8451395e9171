"""The gate as a program: alone, killed, ended, and without what it may not load."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from appliance import clock, codec, ipc, vault
from appliance.barrier.drivers.simulator import Simulator
from appliance.barrier.drivers.unkeyed import Unkeyed
from appliance.config import Barrier, Demo
from appliance.errors import IpcError, LinkLost
from appliance.gate.ear import Camera
from appliance.gate.ledger import read_all
from appliance.gate.program import Gate
from appliance.gate.rehearsal import Rehearsal
from appliance.scenario import format as scenario_format
from appliance.values import CameraState
from tests.decision.making import sighting
from tests.fakes.barrier import Recorder, Time
from tests.gate.making import publish

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("POSTERN_GATE_KILLS", "6"))
CANARY = "PSTN101"


def _until(condition, limit_s: float = 20.0) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, f"not within {limit_s} s"
        time.sleep(0.01)


def _answers(config) -> bool:
    try:
        return bool(ipc.call(config.socket("door"), "status").header["ok"])
    except IpcError:
        return False


def _start(config, log) -> subprocess.Popen[bytes]:
    settings = config.device.state_dir / "postern.toml"
    settings.write_text(
        f'[device]\nstate_dir = "{config.device.state_dir}"\nrun_dir = "{config.device.run_dir}"\n')
    return subprocess.Popen(
        [sys.executable, "-m", "appliance", "--config", str(settings), "run", "gate"],
        cwd=ROOT, stderr=log)


def test_the_program_starts_alone_tells_no_plate_and_ends_when_told(box, tmp_path):
    publish(box, CANARY)
    with (tmp_path / "log").open("wb") as log:
        program = _start(box, log)
        try:
            _until(lambda: _answers(box))
            with ipc.connect(box.socket("sightings")) as vision:
                for revision in range(1, 4):
                    now = clock.mono()
                    seen = sighting(CANARY, revision=revision, last_mono=now)
                    ipc.send(vision, {"verb": "sighting", "sighting": codec.encode(seen)})
                ipc.send(vision, {"verb": "sighting", "sighting": {"plate": CANARY}})
            _until(lambda: ipc.call(box.socket("door"), "status").header["counts"]["dropped"] == 1)
            status = ipc.call(box.socket("door"), "status").header
            assert status["policy_version"] == 1
            assert status["at_gate"]["reason"] == "no_records"
            began = time.monotonic()
            program.send_signal(signal.SIGTERM)
            assert program.wait(10) == 0
            assert time.monotonic() - began < 5
        finally:
            program.kill()
    written = (tmp_path / "log").read_text()
    assert "gate ready" in written
    assert CANARY not in written


def test_the_program_starts_before_the_set_up_and_serves_the_door(box, tmp_path):
    with (tmp_path / "log").open("wb") as log:
        program = _start(box, log)
        try:
            _until(lambda: _answers(box))
            issues = ipc.call(box.socket("door"), "status").header["issues"]
            assert "no_policy" in {issue["key"] for issue in issues}
        finally:
            program.kill()
            program.wait(10)


def test_killed_at_any_time_the_gate_never_orders_a_track_twice(box, tmp_path):
    """Real SIGKILLs while cars come; `POSTERN_GATE_KILLS` sets how many."""
    plates = [f"PSTN{number:03d}" for number in range(111, 999, 111)]
    publish(box, *plates)
    records = ipc.Server(box.socket("records"), {
        verb: lambda _: ipc.ok() for verb in ("keep", "status", "journal")})
    records.start()
    openings, dice = tmp_path / "openings", random.Random(7)
    command = [sys.executable, "-m", "tests.gate.victim", str(box.device.state_dir),
               str(box.device.run_dir), str(openings)]
    seen: Counter[str] = Counter()
    try:
        with (tmp_path / "log").open("wb") as log:
            for kill in range(KILLS):
                victim = subprocess.Popen(command, cwd=ROOT, stderr=log)
                try:
                    _until(lambda: _answers(box))
                    # The same car before and after each kill, and a new one.
                    strike = time.monotonic() + dice.uniform(0.0, 0.6)
                    while time.monotonic() < strike or kill == KILLS - 1:
                        for track in (f"k{kill - 1}", f"k{kill}"):
                            _drive_up(box, track, plates[int(track[1:]) % len(plates)], seen)
                        time.sleep(0.02)
                        if kill == KILLS - 1 and f"k{kill}" in read_all(box):
                            break
                        assert time.monotonic() < strike + 20
                finally:
                    victim.kill()
                    victim.wait(10)
    finally:
        records.stop()
    ordered = Counter(openings.read_text().split())
    assert ordered, "the gate must have opened in the meantime"
    assert max(ordered.values()) == 1, "one track, one order"
    written = Counter(read_all(box))
    assert max(written.values()) == 1
    assert {f"auto-{track}" for track in written} >= set(ordered), "written down before it went out"


def _drive_up(box, track: str, plate: str, seen: Counter[str]) -> None:
    if track == "k-1":
        return
    seen[track] += 1
    now = clock.mono()
    sent = sighting(plate, track=track, revision=seen[track], last_mono=now, first_mono=now - 0.5)
    try:
        with ipc.connect(box.socket("sightings")) as vision:
            ipc.send(vision, {"verb": "sighting", "sighting": codec.encode(sent)})
    except IpcError:
        pass


SCENARIO = ROOT / "appliance" / "scenario" / "demo.toml"


class Played:
    """A rehearsal of the demo scenario on a simulated barrier, with the time turned by hand."""

    def __init__(self) -> None:
        self.time = Time()
        self.scenario = scenario_format.load(SCENARIO)
        self.barrier = Simulator(now=self.time)
        self.barrier.connect()
        self.camera = Camera(CameraState.LIVE, since_mono=self.time.now, heard_mono=1e9)
        self.rehearsal = Rehearsal(
            self.barrier, self.scenario, lambda: self.camera, now=self.time)

    def loops(self, seconds: float) -> set[bool | None]:
        """What the entry loop showed, looked at five times a second."""
        shown = set()
        for _ in range(round(seconds * 5)):
            self.time.pass_(0.2)
            self.rehearsal.play()
            shown.add(_entry_loop(self.barrier))
        return shown


@pytest.fixture
def played() -> Played:
    return Played()


def test_the_scenario_moves_the_simulated_inputs_while_the_camera_is_live(played):
    assert played.loops(played.scenario.length_s) >= {True, False}
    played.camera = Camera()
    played.rehearsal.play()
    played.time.pass_(0.2)
    assert _entry_loop(played.barrier) is False


def test_a_hand_goes_before_the_scenario_for_a_minute(played):
    asked = ipc.Message({"verb": "set", "inputs": {"exit_request": True}})
    answer = played.rehearsal.yard.handlers["set"](asked).header
    assert (answer["simulated"], answer["by_hand_left_s"]) == ("arm", 60.0)
    played.time.pass_(0.2)
    assert played.barrier.status().exit_request is True
    assert played.loops(59.0) == {False}
    assert True in played.loops(played.scenario.length_s)


def test_without_a_scenario_only_hands_play():
    barrier = Simulator(now=Time())
    rehearsal = Rehearsal(barrier, None, Camera)
    barrier.set_inputs(entry_loop=True)
    rehearsal.play()
    assert barrier.seen()["inputs"]["entry_loop"] is True


def _entry_loop(barrier: Simulator) -> bool | None:
    try:
        return barrier.status().entry_loop
    except LinkLost:
        return None


def test_a_scenario_that_cannot_be_read_is_an_issue_not_an_end(box):
    gate = Gate(replace(box, demo=Demo(scenario=Path("/nowhere/x.toml"))))
    assert gate.scenario is None
    assert gate.issues.stands("rehearsal")


def test_a_gate_with_a_scenario_plays_it(box):
    gate = Gate(replace(box, demo=Demo(scenario=SCENARIO)))
    gate.start()
    gate.ear.hear(ipc.Message({"verb": "camera", "state": "live",
                               "since_mono": clock.mono() - _first_loop_s()}))
    _until(lambda: gate.link.view.entry_loop is True)
    gate.end()


def _first_loop_s() -> float:
    from appliance.scenario import inputs

    scenario = scenario_format.load(SCENARIO)
    return next(t / 10 for t in range(round(scenario.length_s * 10))
                if inputs.inputs_at(scenario, t / 10).loop
                and inputs.inputs_at(scenario, t / 10 + 1).loop)


@pytest.fixture
def kept(box):
    """What a records program on its socket was given."""
    got: list[ipc.Message] = []

    def take(message: ipc.Message) -> ipc.Message:
        got.append(message)
        return ipc.ok()

    records = ipc.Server(box.socket("records"), dict.fromkeys(("keep", "journal", "status"), take))
    records.start()
    yield got
    records.stop()


def _of(kept: list[ipc.Message], verb: str) -> list[dict]:
    return [message.header for message in kept if message.verb == verb]


def test_a_hand_on_the_simulated_button_reaches_journal_passages_and_status(box, kept):
    publish(box, CANARY)
    gate = Gate(box)
    gate.start()
    try:
        yard = box.socket("yard")
        _until(lambda: ipc.call(box.socket("door"), "status").header["barrier"]["position"]
               == "closed")
        answer = ipc.call(yard, "set", {"inputs": {"hand_button": True}}).header
        assert answer["simulated"] == "arm"
        assert answer["by_hand_left_s"] > 50
        _until(lambda: _of(kept, "keep") and not gate.driver.events())
        assert _of(kept, "keep")[0]["passage"]["actor"] == "hand button"
        assert _of(kept, "journal")[0]["action"] == "controller_event"
        status = ipc.call(box.socket("door"), "status").header
        assert status["events"][0]["kind"] == "manual_open"
        assert status["traffic"]["openings"] == 1
        assert ipc.call(yard, "status").header["arm"]["openings"] == 1
        with pytest.raises(ipc.Refused):
            ipc.call(yard, "set", {"inputs": {"haunted": True}})
    finally:
        gate.end()


def test_a_wired_barrier_has_no_yard(box):
    gate = Gate(box, Recorder())
    gate.start()
    try:
        assert not box.socket("yard").exists()
    finally:
        gate.end()


def test_a_car_that_drives_onto_the_loop_is_let_in_without_another_sighting(box, kept):
    publish(box, CANARY)
    gate = Gate(replace(box, barrier=Barrier(presence_needed=True)))
    gate.start()
    try:
        _until(lambda: gate.sender.ok(clock.mono()) and gate.link.view.entry_loop is False)
        now = clock.mono()
        gate.loop.take(sighting(CANARY, last_mono=now + 0.4, first_mono=now))
        assert gate.loop.at_gate(now).decision.reason == "no_presence"
        ipc.call(box.socket("yard"), "set", {"inputs": {"entry_loop": True}})
        _until(lambda: gate.driver.seen()["arm"]["openings"] == 1)
        assert gate.loop.at_gate(now).decision.reason == "granted"
    finally:
        gate.end()


def test_a_look_that_fails_does_not_end_the_program(box, caplog):
    gate = Gate(box)
    rests = iter([False, True])

    def breaks():
        raise ZeroDivisionError("PSTN101")

    gate.look = breaks
    assert gate.run(lambda _: next(rests)) == 0
    assert "ZeroDivisionError" in caplog.text
    assert "PSTN101" not in caplog.text


def test_a_gate_without_the_controllers_key_says_so_and_ends_once_it_is_there(box):
    box = replace(box, barrier=Barrier(driver="pico", port="/dev/none"))
    gate = Gate(box)
    rests: list[bool] = []

    def rest(_: float) -> bool:
        rests.append(gate.issues.stands("no_controller_key"))
        if len(rests) == 3:
            vault.keep_controller_key(box, b"k" * 32)
        return len(rests) > 5

    assert gate.run(rest) == 0
    assert rests == [False, True, True]
    assert not isinstance(Gate(box).driver, Unkeyed)


def test_a_claim_that_cannot_be_written_is_an_issue(box):
    from appliance.barrier.orders import Fault, Order, OrderKind

    gate = Gate(box)
    gate.ledger.close()
    order = Order("auto-x", OrderKind.OPEN, clock.mono(), automatic=True, track="x", plate="P1")
    assert gate._claim(order) is Fault.NO_LEDGER
    assert gate.issues.stands("no_ledger")


@pytest.mark.parametrize("key", ["", "made up"])
def test_an_issue_must_be_a_known_one(key):
    from appliance.gate.issues import Issues

    with pytest.raises(KeyError):
        Issues().set(key, True)
