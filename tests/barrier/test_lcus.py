"""The listening relay: its frames, and a pulse that this box has to end."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.barrier.drivers import host_pulse, lcus
from appliance.barrier.drivers.lcus import Lcus
from appliance.errors import LinkLost, OrderRefused
from tests.fakes.barrier import Time
from tests.fakes.lcus import ListeningRelay
from tests.fakes.plant import Plant
from tests.pace import slowness

ON, OFF = bytes.fromhex("A00101A2"), bytes.fromhex("A00100A1")


@pytest.fixture
def plant() -> Plant:
    return Plant()


@pytest.fixture
def relay(plant) -> Iterator[ListeningRelay]:
    with tempfile.TemporaryDirectory(prefix="pstn-") as folder:
        made = ListeningRelay(plant, Path(folder))
        yield made
        made.cable.pull()


@pytest.fixture
def driver(relay, plant) -> Iterator[Lcus]:
    made = Lcus(relay.path, now=plant.time, after=plant.after, open_port=relay.open_port)
    made.connect()
    yield made
    made.disconnect()


def _frames(relay: ListeningRelay) -> list[bytes]:
    relay.closed()
    return relay.frames


@pytest.mark.parametrize(("number", "on", "hex_"), [
    (1, True, "A00101A2"), (1, False, "A00100A1"), (4, True, "A00401A5"), (16, False, "A01000B0"),
])
def test_a_frame_is_number_state_and_sum(number, on, hex_):
    assert lcus.frame(number, on) == bytes.fromhex(hex_)


def test_connecting_says_off(driver, relay):
    assert _frames(relay) == [OFF]


def test_a_pulse_is_on_and_after_its_time_off(driver, relay, plant):
    driver.open("a", 500, life_s=2.0)
    plant.pass_(0.6)
    assert _frames(relay) == [OFF, ON, OFF]


def test_every_look_without_a_pulse_says_off_again(driver, relay, plant):
    driver.status()
    driver.open("a", 500, life_s=2.0)
    driver.status()
    assert _frames(relay) == [OFF, OFF, ON]


def test_a_look_after_the_time_ends_a_pulse_whose_timer_died(relay, plant):
    driver = Lcus(relay.path, now=plant.time, after=lambda s, call: None, open_port=relay.open_port)
    driver.connect()
    driver.open("a", 500, life_s=2.0)
    plant.pass_(0.6)
    assert relay.closed()
    driver.status()
    assert not relay.closed()
    driver.disconnect()


def test_an_old_timer_does_not_end_a_later_pulse(driver, relay, plant):
    driver.open("a", 500, life_s=2.0)
    plant.pass_(0.2)
    driver.release()
    driver.open("b", 500, life_s=2.0)
    plant.pass_(0.4)
    assert relay.closed(), "the first pulse's timer has fired by now"
    plant.pass_(0.2)
    assert not relay.closed()


def test_a_second_pulse_while_one_runs_is_refused(driver, relay, plant):
    driver.open("a", 500, life_s=2.0)
    with pytest.raises(OrderRefused) as refused:
        driver.open("b", 500, life_s=2.0)
    assert refused.value.fields["why"] == "busy"


def test_an_order_that_could_not_be_written_is_unproven_for_ever(driver, relay, plant):
    relay.cable.pull()
    with pytest.raises(LinkLost):
        driver.open("a", 500, life_s=2.0)
    relay.cable.plug()
    driver.connect()
    plant.pass_(1.0)
    with pytest.raises(OrderRefused) as refused:
        driver.open("a", 500, life_s=2.0)
    assert refused.value.fields["why"] == "unproven"
    assert not relay.closed()


def test_a_port_pulled_in_mid_pulse_is_logged_and_let_go_at_connect(driver, relay, plant, caplog):
    driver.open("a", 500, life_s=2.0)
    assert relay.closed()
    relay.cable.pull()
    plant.pass_(1.0)
    assert "may have stuck" in caplog.text
    relay.cable.plug()
    driver.connect()
    assert not relay.closed()


def test_without_a_port_everything_is_a_lost_link(relay, plant):
    driver = Lcus(relay.path, now=plant.time, after=plant.after)
    with pytest.raises(LinkLost):
        driver.status()
    driver.disconnect()


class _Stuck:
    """A converter that holds on to its bytes, or lets them go after some looks."""

    def __init__(self, looks: int) -> None:
        self.looks = looks
        self.done: list[str] = []

    @property
    def out_waiting(self) -> int:
        self.looks -= 1
        return 4 if self.looks >= 0 else 0

    def reset_output_buffer(self) -> None:
        self.done.append("discard")

    def close(self) -> None:
        self.done.append("close")


@pytest.mark.parametrize(("looks", "done"), [
    (0, ["close"]), (3, ["close"]), (10_000, ["discard", "close"]),
])
def test_closing_waits_for_the_last_word_but_not_for_a_dead_device(
    relay, monkeypatch, looks, done
):
    waits: list[float] = []
    monkeypatch.setattr(lcus.time, "sleep", waits.append)
    line = lcus.open_port(relay.path)
    line._serial.close()
    line._serial = _Stuck(looks)
    line.close()
    assert line._serial.done == done
    assert sum(waits) <= 0.3


def test_the_timer_of_the_running_program_ends_the_pulse():
    ended = threading.Event()
    host_pulse.after(0.01, ended.set)
    assert ended.wait(10 * slowness())


def test_the_end_is_arranged_before_the_contact_closes():
    course: list[str] = []
    pulse = host_pulse.HostPulse(
        lambda on: course.append("on" if on else "off"), Time(),
        lambda seconds, call: course.append(f"timer {seconds}"),
    )
    pulse.begin(0.5)
    assert course == ["timer 0.5", "on"]
