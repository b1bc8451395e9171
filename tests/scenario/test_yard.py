"""The yard program: a scenario's car drives over the loops of a board with the real firmware."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from appliance import clock, ipc, vault
from appliance.barrier.drivers.pico import Pico
from appliance.config import Barrier, Demo
from appliance.errors import ConfigError
from appliance.scenario import yard
from tests.pace import slowness

SCENARIO = """
[scenario]
name = "One car"
length_s = 20
[site]
name = "Bench"
[arm]
opens_s = 0.6
closes_s = 0.8
[[car]]
plate = "PSTN 101"
at_s = 0
speed_kmh = 40
stops_s = 1.5
"""


@pytest.fixture
def config(box, tmp_path):
    """A box whose barrier is the simulated one."""
    path = tmp_path / "one_car.toml"
    path.write_text(SCENARIO)
    vault.keep_controller_key(box, b"k" * 32)
    port = str(box.device.run_dir / "controller")
    return replace(box, barrier=Barrier(driver="pico", port=port), demo=Demo(scenario=path))


def test_a_wired_barrier_gets_no_yard(config):
    wired = replace(config, barrier=Barrier(driver="pico", port="/dev/serial0"))
    with pytest.raises(ConfigError):
        yard.Yard(wired)
    assert not wired.socket("yard").exists()


def wait_for(claim):
    until = time.monotonic() + 15 * slowness()
    while not claim():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)


class Camera:
    """view.sock of a camera program whose clip begins at ``since_mono``."""

    def __init__(self, config, since_mono):
        told = {"camera": {"state": "live", "since_mono": since_mono}}
        self.server = ipc.Server(config.socket("view"), {"status": lambda _: ipc.ok(told)})
        self.server.start()


@pytest.mark.firmware
def test_a_car_of_the_scenario_is_let_in_once_by_the_real_firmware(config):
    program = yard.Yard(config)
    ending = threading.Event()
    thread = threading.Thread(target=program.run, args=(ending.wait,))
    thread.start()
    while not config.socket("yard").exists():
        assert thread.is_alive()
        time.sleep(0.05)
    driver = Pico(config.barrier.port, vault.controller_key(config))
    driver.connect()
    time.sleep(3)  # the board wakes
    camera = Camera(config, clock.mono())
    ordered, shown, until = False, [], time.monotonic() + 17
    while time.monotonic() < until:
        status = driver.status()
        shown.append(status)
        if status.entry_loop and not ordered:
            ordered = True
            driver.open("bench-order-1", 500, life_s=2.0, automatic=True)
        for event in driver.events():
            driver.acknowledge(event)
        time.sleep(0.1)
    told = ipc.call(config.socket("yard"), "status").header
    driver.disconnect()
    camera.server.stop()
    ending.set()
    thread.join(timeout=20)

    assert told["simulated"] == "firmware"
    assert told["arm"]["openings"] == 1
    assert program.ground.arm.reversals == 0
    assert {str(s.position) for s in shown} == {"closed", "moving", "open"}
    assert any(s.photocell for s in shown)
    assert (shown[-1].entry_count, shown[-1].safety_count) == (1, 1)
    assert str(shown[-1].position) == "closed"
    assert shown[-1].faults == ()
    assert program.board.crashes == 0
    assert not program.board.powered
    assert not config.socket("controller").with_suffix("").exists()
    assert (config.device.state_dir / "controller" / "gate.json").stat().st_mode & 0o077 == 0


@pytest.mark.firmware
def test_a_hand_in_the_yard_breaks_and_mends(config):
    program = yard.Yard(config)
    program.start()
    try:
        call = ipc.call
        path = config.socket("yard")
        told = call(path, "set", {"inputs": {"fire": True}}).header
        assert told["inputs"]["fire"]
        assert told["by_hand_left_s"] > 50
        wait_for(lambda: call(path, "status").header["arm"]["raised"] == 1)
        told = call(path, "set", {"faults": {"power_lost": True}}).header
        assert told["faults"]["power_lost"]
        wait_for(lambda: not program.board.powered)
        call(path, "set", {"faults": {"power_lost": False}})
        wait_for(lambda: program.board.powered)
        with pytest.raises(ipc.Refused):
            call(path, "set", {"inputs": {"drawbridge": True}})
    finally:
        program.end()
