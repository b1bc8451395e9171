"""The OSDP driver against libosdp's peripheral side: keys, timers, and nothing carried out late."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.barrier.drivers import osdp as osdp_driver
from appliance.barrier.drivers import osdp_panel
from appliance.barrier.drivers.osdp import Osdp
from appliance.barrier.drivers.osdp_panel import DEFAULT_KEY, Panel
from appliance.barrier.drivers.seam import Controller, Position, Warns
from appliance.barrier.drivers.wiring import Wiring
from appliance.errors import LinkLost, OrderRefused, VaultError
from tests.fakes.osdp import ADDRESS, KEY, Device
from tests.fakes.plant import WIRING, Plant

BUS_S = 10.0


@pytest.fixture
def plant() -> Plant:
    return Plant()


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pstn-") as made:
        yield Path(made)


@pytest.fixture
def device(plant, folder) -> Iterator[Device]:
    made = Device(plant, folder)
    yield made
    made.stop()


@pytest.fixture
def driver(device, plant) -> Iterator[Osdp]:
    made = Osdp(device.path, KEY, address=ADDRESS, now=plant.time)
    made.connect()
    yield made
    made.disconnect()


def _until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + BUS_S
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.005)


# Orders


@pytest.mark.parametrize(("pulse_ms", "steps"), [(100, 1), (450, 5), (500, 5), (3000, 30)])
def test_a_pulse_is_temporarily_on_with_the_devices_own_timer(driver, device, pulse_ms, steps):
    driver.open("a", pulse_ms, life_s=2.0)
    assert device.outputs == [(0, 5, steps)]


def test_letting_go_is_off_at_once_and_ends_the_timer(driver, device):
    driver.hold_open("h", 9.0, life_s=2.0)
    driver.release()
    assert device.outputs == [(0, 5, 90), (0, 1, 0)]


def test_relay_3_is_output_2(device, plant):
    driver = Osdp(device.path, KEY, address=ADDRESS, relay=3, now=plant.time)
    driver.connect()
    driver.open("a", 500, life_s=2.0)
    assert device.outputs == [(2, 5, 5)]
    driver.disconnect()


def test_a_relay_the_device_does_not_have_is_refused_before_the_wire(device, plant):
    driver = Osdp(device.path, KEY, address=ADDRESS, relay=9, now=plant.time)
    driver.connect()
    with pytest.raises(OrderRefused) as refused:
        driver.open("a", 500, life_s=2.0)
    assert "relay" in refused.value.next_step
    assert driver.status() is not None, "the conversation goes on"
    with pytest.raises(LinkLost):
        driver.release()
    assert device.outputs == []
    driver.disconnect()


def test_a_refusal_by_the_device_is_a_refusal_and_the_next_connect_is_at_once(driver, device):
    device.refuses = True
    with pytest.raises(OrderRefused) as refused:
        driver.open("a", 500, life_s=2.0)
    assert refused.value.fields["why"] == "refused"
    device.refuses = False
    driver.connect()
    driver.open("a", 500, life_s=2.0)
    assert len(device.outputs) == 2


def test_an_order_that_was_not_answered_is_not_carried_out_when_the_device_is_back(
    driver, device, plant
):
    """libosdp by itself repeats the command for as long as it takes."""
    device.cut = True
    with pytest.raises(LinkLost):
        driver.open("a", 500, life_s=0.1)  # before the silence is noticed
    device.cut = False
    driver.connect()
    plant.pass_(1.0)
    driver.open("b", 700, life_s=2.0)
    assert device.outputs == [(0, 5, 7)]
    with pytest.raises(OrderRefused) as refused:
        driver.open("a", 500, life_s=2.0)
    assert refused.value.fields["why"] == "unproven"


def test_libosdp_alone_would_carry_it_out_late(device, plant):
    """Why the conversation is ended: shown once, so that a later libosdp may prove us wrong."""
    panel = _panel(device)
    assert panel.wait_secure(BUS_S)
    device.cut = True
    assert panel._panel.submit_command(0, _pulse())
    _until(lambda: not panel.secure)  # silent for some time
    device.cut = False
    _until(lambda: bool(device.outputs))
    panel.close()


def test_a_conversation_without_an_answer_is_over_at_once(device):
    panel = _panel(device)
    assert panel.wait_secure(BUS_S)
    device.cut = True
    with pytest.raises(LinkLost):
        panel.tell(_pulse(), 0.05)
    device.cut = False
    assert not panel.secure
    panel._thread.join(BUS_S)
    assert not panel._thread.is_alive()
    panel.close()


def test_an_order_is_waited_for_no_longer_than_it_lives(driver, monkeypatch):
    waits: list[float] = []

    def tell(command, wait_s):
        waits.append(wait_s)
        return True

    monkeypatch.setattr(driver._panel, "tell", tell)
    driver.open("a", 500, life_s=0.25)
    driver.hold_open("h", 5.0, life_s=9.0)
    assert waits == [pytest.approx(0.25), 1.0]


# Keys


def test_a_device_with_another_key_is_foreign_and_is_told_nothing(plant, folder):
    device = Device(plant, folder, key=bytes(reversed(range(16))))
    driver = Osdp(device.path, KEY, address=ADDRESS, now=plant.time)
    with pytest.raises(LinkLost) as lost:
        driver.connect()
    assert lost.value.fields["why"] == "foreign"
    with pytest.raises(LinkLost):
        driver.open("a", 500, life_s=2.0)
    assert device.outputs == []
    device.stop()


@pytest.mark.parametrize("key", [DEFAULT_KEY, b"", bytes(15), bytes(32)])
def test_a_key_everybody_knows_or_of_another_length_is_refused_at_start(key):
    with pytest.raises(VaultError) as error:
        Osdp("port", key)
    assert key.hex() not in str(error.value) or not key


def test_a_device_in_install_mode_is_not_taken_over(plant, folder):
    device = Device(plant, folder, key=DEFAULT_KEY)
    driver = Osdp(device.path, KEY, address=ADDRESS, now=plant.time)
    with pytest.raises(LinkLost):
        driver.connect()
    assert device.outputs == []
    device.stop()


# The link


def test_an_absent_device_is_silent_and_not_foreign(device, plant):
    device.cut = True
    driver = Osdp(device.path, KEY, address=ADDRESS, now=plant.time)
    with pytest.raises(LinkLost) as lost:
        driver.connect()
    assert lost.value.fields["why"] == "silent"
    assert driver.controller() == Controller()


def test_connecting_twice_keeps_the_conversation(driver):
    before = driver._panel
    driver.connect()
    assert driver._panel is before


def test_a_port_that_is_pulled_is_a_lost_link(driver, device):
    device.cable.pull()
    _until(lambda: driver._panel is None or not driver._panel.secure)
    with pytest.raises(LinkLost):
        driver.release()
    with pytest.raises(LinkLost):
        driver.connect()


def test_a_port_pulled_under_an_order_ends_the_waiting_at_once(driver, device):
    os.set_blocking(device.cable.device, True)
    device.cable.pull()
    with pytest.raises(LinkLost):
        driver.open("a", 500, life_s=2.0)


def test_who_answers_is_told(driver):
    told = driver.controller()
    assert told.serial == "89abcdef"
    assert told.firmware.count(".") == 2


# Inputs


def test_inputs_are_unknown_until_the_device_tells_them(device, plant):
    driver = Osdp(device.path, KEY, address=ADDRESS, wiring=WIRING, now=plant.time)
    driver.connect()
    with pytest.raises(LinkLost) as lost:
        driver.status()
    assert lost.value.fields["why"] == "inputs"  # asked for, refused, not asked again
    driver.connect()
    _until(lambda: driver.status().position is Position.CLOSED)
    plant.entry_loop = True
    _until(lambda: driver.status().entry_loop is True)
    driver.disconnect()


def test_a_key_pressed_at_the_device_is_not_kept(device, plant):
    driver = Osdp(device.path, KEY, address=ADDRESS, now=plant.time)
    driver.connect()
    _until(lambda: bool(driver._panel.inputs))
    device.press_key()
    _until(lambda: not device.key_waits)
    plant.entry_loop = True
    _until(lambda: driver._panel.inputs[2] is False)
    assert driver.events() == ()
    driver.disconnect()


def test_a_device_that_answers_the_question_is_asked_once(device, plant, monkeypatch):
    asked: list[int] = []

    class Answering(Panel):
        def tell(self, command, wait_s):
            if command["command"] == osdp_driver.osdp.Command.Status:
                asked.append(command["type"])
                self.inputs = {1: True}
                return True
            return super().tell(command, wait_s)

    monkeypatch.setattr(osdp_driver, "Panel", Answering)
    driver = Osdp(
        device.path, KEY, address=ADDRESS, wiring=Wiring(limit_closed=1), now=plant.time
    )
    driver.connect()
    assert driver.status().position is Position.CLOSED
    driver.status()
    assert len(asked) == 1
    driver.disconnect()


def test_silence_at_that_question_is_a_lost_link_and_it_is_asked_again(device, plant):
    driver = Osdp(device.path, KEY, address=ADDRESS, wiring=WIRING, now=plant.time)
    driver.connect()
    device.cut = True
    with pytest.raises(LinkLost):
        driver.status()
    device.cut = False
    driver.connect()
    with pytest.raises(LinkLost) as lost:
        driver.status()
    assert lost.value.fields["why"] == "inputs"


def test_without_a_limit_switch_it_warns_that_nothing_is_proven():
    can = Osdp("port", KEY).capabilities()
    assert can.warns == (Warns.NO_FEEDBACK,)
    assert can.authenticated
    assert not can.position


def _panel(device: Device) -> Panel:
    return Panel(osdp_driver.open_port(device.path), ADDRESS, KEY, time.monotonic)


def _pulse() -> dict[str, int]:
    command = osdp_driver.osdp.Command.Output
    return {"command": command, "output_no": 0, "control_code": 5, "timer_count": 5}


def test_a_closed_conversation_leaves_no_thread_and_no_port(device):
    for _ in range(3):
        panel = _panel(device)
        assert panel.wait_secure(BUS_S)
        assert panel.tell(_pulse(), BUS_S)
        panel.close()
        assert not panel._thread.is_alive()
    assert len(device.outputs) == 3


def test_an_order_in_a_conversation_that_is_not_secure_is_a_lost_link(device):
    device.cut = True
    panel = _panel(device)
    with pytest.raises(LinkLost):
        panel.tell(_pulse(), BUS_S)
    panel.close()


class _GonePort:
    """A port whose device has left."""

    def read(self, wait_s: float) -> bytes:
        raise LinkLost("gone")

    def write(self, frame: bytes) -> None:
        raise LinkLost("gone")

    def close(self) -> None:
        pass


def test_a_port_that_is_gone_raises_nothing_into_libosdp():
    panel = Panel(_GonePort(), ADDRESS, KEY, time.monotonic)
    assert not panel.wait_secure(0.1)
    assert panel._line.gone
    assert panel._thread.is_alive()
    panel.close()
    panel.close()


def test_a_conversation_whose_port_is_gone_is_not_secure_though_it_was_just_heard(device):
    panel = _panel(device)
    assert panel.wait_secure(BUS_S)
    panel._line.gone = True
    assert not panel.secure
    panel.close()


def test_bytes_that_libosdp_did_not_ask_for_wait_for_the_next_reading():
    class Full(_GonePort):
        def read(self, wait_s: float) -> bytes:
            return b"abc"

    line = osdp_panel._Line(Full(), time.monotonic)
    assert line.read(2) == b"ab"
    assert line.read(9) == b"cabc"
