"""What every barrier driver promises. A new driver adds a rig below and passes unchanged."""

from __future__ import annotations

import inspect
from typing import Protocol

import pytest

from appliance.barrier.drivers.seam import BarrierDriver, Position
from appliance.barrier.drivers.simulator import Simulator
from appliance.errors import LinkLost, OrderRefused
from tests.fakes.barrier import Time


class Rig(Protocol):
    """A driver on a bench: its time can pass, its cable can be cut, its contact is watched."""

    driver: BarrierDriver

    def pass_time(self, seconds: float) -> None: ...
    def contact_closed(self) -> bool: ...
    def openings(self) -> int: ...
    def cut_link(self) -> None: ...
    def mend_link(self) -> None: ...
    def lose_answers(self) -> None: ...


class SimulatorRig:
    def __init__(self) -> None:
        self._time = Time()
        self.driver = Simulator(now=self._time)

    def pass_time(self, seconds: float) -> None:
        self._time.pass_(seconds)
        self.driver.set_inputs()  # catches up without asking anything of the controller

    def contact_closed(self) -> bool:
        return self.driver.arm.contact

    def openings(self) -> int:
        return self.driver.arm.openings

    def cut_link(self) -> None:
        self.driver.set_faults(silent=True)

    def mend_link(self) -> None:
        self.driver.set_faults(silent=False, mute=False)

    def lose_answers(self) -> None:
        self.driver.set_faults(mute=True)


RIGS = {"simulator": SimulatorRig}


@pytest.fixture(params=RIGS.values(), ids=RIGS.keys())
def rig(request) -> Rig:
    made: Rig = request.param()
    made.driver.connect()
    made.pass_time(0.2)
    return made


def test_it_is_a_driver_with_a_name(rig):
    assert isinstance(rig.driver, BarrierDriver)
    assert rig.driver.name


def test_nothing_in_it_closes_or_toggles():
    for name, _ in inspect.getmembers(BarrierDriver):
        assert not {"close", "toggle", "shut", "lower", "cycle", "step"} & set(name.split("_"))


@pytest.mark.parametrize("word", ["close", "toggle", "shut", "cycle"])
def test_no_driver_has_such_a_verb_either(rig, word):
    public = [n for n in dir(rig.driver) if not n.startswith("_")]
    assert not [n for n in public if word in n.split("_")]


def test_connecting_energises_nothing(rig):
    rig.driver.connect()
    rig.pass_time(1.0)
    assert rig.openings() == 0


def test_an_order_to_open_raises_the_arm(rig):
    assert rig.driver.status().position is Position.CLOSED
    rig.driver.open("a", 500)
    rig.pass_time(0.3)
    assert rig.openings() == 1
    assert rig.driver.status().position is Position.MOVING
    rig.pass_time(2.0)
    assert rig.driver.status().position is Position.OPEN


def test_the_pulse_ends_by_itself(rig):
    if not rig.driver.capabilities().timed_pulse:
        pytest.skip("this driver says that it cannot end a pulse by itself")
    rig.driver.open("a", 300)
    rig.pass_time(0.2)
    assert rig.contact_closed()
    rig.pass_time(0.2)
    assert not rig.contact_closed()


def test_an_order_id_counts_once(rig):
    rig.driver.open("a", 300)
    rig.pass_time(1.0)
    rig.driver.open("a", 300)
    rig.pass_time(1.0)
    assert rig.openings() == 1
    rig.driver.open("b", 300)
    rig.pass_time(1.0)
    assert rig.openings() == 2


def test_an_order_whose_answer_was_lost_counts_once(rig):
    rig.lose_answers()
    with pytest.raises(LinkLost):
        rig.driver.open("a", 300)
    rig.mend_link()
    rig.pass_time(1.0)
    rig.driver.open("a", 300)
    rig.pass_time(1.0)
    assert rig.openings() == 1


@pytest.mark.parametrize("pulse_ms", [0, -1, 99, 3001, 60_000])
def test_a_pulse_out_of_bounds_is_refused(rig, pulse_ms):
    with pytest.raises(OrderRefused):
        rig.driver.open("a", pulse_ms)
    rig.pass_time(1.0)
    assert rig.openings() == 0


def test_a_hold_ends_by_itself_when_it_is_not_renewed(rig):
    rig.driver.hold_open("h", 5.0)
    rig.pass_time(4.5)
    assert rig.contact_closed()
    assert rig.driver.status().held
    rig.pass_time(1.0)
    assert not rig.contact_closed()
    assert not rig.driver.status().held


def test_a_hold_is_renewed_by_a_new_id(rig):
    rig.driver.hold_open("h", 5.0)
    rig.pass_time(4.0)
    rig.driver.hold_open("h2", 5.0)
    rig.pass_time(4.0)
    assert rig.contact_closed()
    assert rig.openings() == 1


def test_a_hold_sent_twice_with_one_id_is_not_longer(rig):
    rig.driver.hold_open("h", 5.0)
    rig.pass_time(4.0)
    rig.driver.hold_open("h", 5.0)
    rig.pass_time(1.5)
    assert not rig.contact_closed()


@pytest.mark.parametrize("over", [0.1, 1000.0])
def test_a_hold_longer_than_it_promised_is_refused(rig, over):
    with pytest.raises(OrderRefused):
        rig.driver.hold_open("h", rig.driver.capabilities().longest_lease_s + over)


@pytest.mark.parametrize("lease_s", [0.0, -1.0])
def test_a_hold_of_no_length_is_refused(rig, lease_s):
    with pytest.raises(OrderRefused):
        rig.driver.hold_open("h", lease_s)


def test_release_lets_go_at_once(rig):
    rig.driver.hold_open("h", 9.0)
    rig.pass_time(1.0)
    rig.driver.release()
    rig.pass_time(0.1)
    assert not rig.contact_closed()


def test_disconnecting_lets_go(rig):
    rig.driver.hold_open("h", 9.0)
    rig.pass_time(0.1)
    rig.driver.disconnect()
    rig.pass_time(0.1)
    assert not rig.contact_closed()


@pytest.mark.parametrize("call", [
    lambda d: d.connect(), lambda d: d.open("a", 500), lambda d: d.hold_open("h", 5),
    lambda d: d.release(), lambda d: d.status(),
])
def test_silence_is_a_lost_link_never_consent(rig, call):
    rig.cut_link()
    with pytest.raises(LinkLost):
        call(rig.driver)


def test_a_hold_lapses_while_the_link_is_lost(rig):
    rig.driver.hold_open("h", 5.0)
    rig.pass_time(1.0)
    rig.cut_link()
    rig.pass_time(6.0)
    assert not rig.contact_closed()


def test_a_mended_link_gives_no_pulse(rig):
    rig.cut_link()
    with pytest.raises(LinkLost):
        rig.driver.open("a", 500)
    rig.mend_link()
    rig.driver.connect()
    rig.pass_time(1.0)
    assert rig.openings() == 0


def test_capabilities_are_the_same_with_and_without_a_link(rig):
    before = rig.driver.capabilities()
    rig.cut_link()
    assert rig.driver.capabilities() == before
