"""The Modbus relay driver against pymodbus' server: golden frames, rounding, trouble on the bus."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.barrier.drivers.modbus import Modbus
from appliance.barrier.drivers.seam import Position
from appliance.barrier.drivers.wiring import Wiring
from appliance.barrier.link import Link
from appliance.barrier.orders import Fault, Order, OrderKind
from appliance.errors import LinkLost, OrderRefused
from appliance.values import Outcome
from tests.fakes.modbus import ON, TOGGLE, RelayBoard
from tests.fakes.plant import WIRING, Plant


@pytest.fixture
def plant() -> Plant:
    return Plant()


@pytest.fixture
def board(plant) -> Iterator[RelayBoard]:
    with tempfile.TemporaryDirectory(prefix="pstn-") as folder:
        made = RelayBoard(plant, Path(folder))
        yield made
        made.stop()


@pytest.fixture
def driver(board, plant) -> Iterator[Modbus]:
    made = Modbus(board.path, wiring=WIRING, now=plant.time)
    made.connect()
    board.line.told.clear()
    board.orders.clear()
    yield made
    made.disconnect()


# Frames, as the board's published table and the project's own sums have them


def test_a_pulse_is_the_flash_order_in_steps_of_100_ms(board, plant):
    driver = Modbus(board.path, relay=8, now=plant.time)
    driver.connect()
    board.line.told.clear()
    with pytest.raises(OrderRefused):
        driver.open("a", 800, life_s=2.0)  # this board has one relay; the frame counts
    assert board.line.told == [bytes.fromhex("0105020700087C75")]
    driver.disconnect()


def test_letting_go_is_coil_off(driver, board):
    driver.release()
    assert board.line.told == [bytes.fromhex("010500000000CDCA")]


def test_looking_reads_the_coil_and_the_inputs(driver, board):
    driver.status()
    assert board.line.told == [bytes.fromhex("010100000001FDCA"), bytes.fromhex("010200000005B809")]


def test_without_switches_no_input_is_asked_for(board, plant):
    driver = Modbus(board.path, now=plant.time)
    driver.connect()
    board.line.told.clear()
    assert driver.status().position is Position.UNKNOWN
    assert [frame[1] for frame in board.line.told] == [1]
    driver.disconnect()


def test_inputs_are_asked_for_from_the_first_wired_to_the_last(board, plant):
    driver = Modbus(board.path, wiring=Wiring(limit_closed=1, entry_loop=2), now=plant.time)
    driver.connect()
    board.line.told.clear()
    assert driver.status().position is Position.CLOSED
    assert board.line.told[1][2:6] == bytes.fromhex("00010002")
    driver.disconnect()


@pytest.mark.parametrize(("pulse_ms", "steps"), [
    (100, 1), (101, 2), (450, 5), (500, 5), (501, 6), (3000, 30),
])
def test_a_pulse_is_rounded_up_to_a_whole_step(driver, board, pulse_ms, steps):
    driver.open("a", pulse_ms, life_s=2.0)
    assert board.flashes == [steps]


def test_a_hold_is_a_flash_and_never_a_coil_left_on(driver, board, plant):
    driver.hold_open("h", 9.95, life_s=2.0)
    plant.pass_(1.0)
    driver.hold_open("h2", 0.05, life_s=2.0)
    assert board.flashes == [100, 1]


def test_no_order_toggles_or_leaves_a_coil_on(driver, board, plant):
    driver.open("a", 500, life_s=2.0)
    plant.pass_(1.0)
    driver.hold_open("h", 5.0, life_s=2.0)
    driver.status()
    driver.release()
    driver.disconnect()
    assert board.orders
    assert not [data for _, data in board.orders if data in (ON, TOGGLE)]


# Holds and pulses


def test_a_pulse_during_a_hold_is_refused_so_that_it_does_not_end_it(driver, plant):
    driver.hold_open("h", 5.0, life_s=2.0)
    with pytest.raises(OrderRefused) as refused:
        driver.open("a", 300, life_s=2.0)
    assert refused.value.fields["why"] == "busy"
    driver.release()
    driver.open("a", 300, life_s=2.0)


def test_a_hold_that_the_board_dropped_is_not_called_held(driver, board, plant):
    driver.hold_open("h", 5.0, life_s=2.0)
    assert driver.status().held
    board.relay.let_go()  # its supply failed for a moment
    assert not driver.status().held


# Lost answers


def test_an_order_sent_again_while_its_contact_is_closed_is_done(driver, board, plant):
    board.line.answers_lost = True
    with pytest.raises(LinkLost):
        driver.open("a", 500, life_s=2.0)
    board.line.answers_lost = False
    driver.connect()
    driver.open("a", 500, life_s=2.0)
    assert board.flashes == [5]
    plant.pass_(1.0)
    driver.open("a", 500, life_s=2.0)
    assert board.flashes == [5]


def test_an_order_whose_effect_is_not_known_is_refused_as_unproven(driver, board, plant):
    board.line.cut = True
    with pytest.raises(LinkLost):
        driver.open("a", 500, life_s=2.0)
    board.line.cut = False
    plant.pass_(1.0)
    with pytest.raises(OrderRefused) as refused:
        driver.open("a", 500, life_s=2.0)
    assert refused.value.fields["why"] == "unproven"
    assert board.flashes == []


def test_the_link_records_such_an_order_as_perhaps_given(driver, board, plant):
    reports: list[Outcome] = []
    link = Link(
        driver, pulse_ms=500, lockout_s=3.0, claim=lambda order: None,
        report=lambda order, outcome: reports.append(outcome), now=plant.time,
    )
    link.step()
    link.post(Order("a", OrderKind.OPEN, plant.time()))
    board.line.cut = True
    link.step()
    board.line.cut = False
    for _ in range(20):
        plant.pass_(0.05)
        link.step()
    assert [outcome.fault for outcome in reports] == [Fault.LINK_LOST]
    assert board.flashes == []


def test_the_driver_remembers_the_latest_64_orders(driver, board, plant):
    for number in range(66):
        driver.open(f"o{number}", 100, life_s=2.0)
        plant.pass_(0.2)
    driver.open("o2", 100, life_s=2.0)
    assert len(board.flashes) == 66
    driver.open("o1", 100, life_s=2.0)
    assert len(board.flashes) == 67


# Trouble


def test_a_board_without_the_flash_order_refuses_and_the_order_may_be_tried_again(driver, board):
    board.knows_flash = False
    with pytest.raises(OrderRefused) as refused:
        driver.open("a", 500, life_s=2.0)
    assert refused.value.fields["why"] == "refused"
    board.knows_flash = True
    driver.open("a", 500, life_s=2.0)
    assert board.flashes == [5]


def test_an_echo_that_differs_is_a_lost_link(driver, board):
    board.wrong_echo = True
    with pytest.raises(LinkLost) as lost:
        driver.open("a", 500, life_s=2.0)
    assert lost.value.fields["why"] == "garbled"


def test_connecting_lets_go_of_a_contact_nobody_here_closed(driver, board, plant):
    driver.disconnect()
    board.relay.close_for(1e9)
    again = Modbus(board.path, now=plant.time)
    again.connect()
    assert not board.relay.closed()
    again.disconnect()


def test_connecting_again_leaves_a_running_pulse_alone(driver, board):
    driver.open("a", 500, life_s=2.0)
    driver.connect()
    assert board.relay.closed()


def test_a_port_that_is_not_there_is_a_lost_link():
    driver = Modbus("/dev/no-such-port")
    with pytest.raises(LinkLost) as lost:
        driver.connect()
    assert lost.value.fields["why"] == "port"
    with pytest.raises(LinkLost):
        driver.status()


def test_both_limits_at_once_are_a_fault_and_no_position():
    status = WIRING.status({0: True, 1: True}, contact=None, held=False)
    assert (status.position, status.faults) == (Position.UNKNOWN, ("limits",))


@pytest.mark.parametrize(("wiring", "closed", "position"), [
    (Wiring(limit_closed=1), {1: False}, Position.MOVING),
    (Wiring(limit_closed=1), {1: True}, Position.CLOSED),
    (Wiring(limit_open=0), {0: True}, Position.OPEN),
    (Wiring(limit_open=0), {0: False}, Position.UNKNOWN),
    (WIRING, {}, Position.UNKNOWN),
])
def test_a_position_claims_no_more_than_its_switches_say(wiring, closed, position):
    assert wiring.status(closed, contact=None, held=False).position is position


def test_a_broken_loop_wire_reads_as_occupied():
    status = WIRING.status({2: False, 3: True}, contact=None, held=False)
    assert (status.entry_loop, status.safety_loop, status.photocell) == (True, False, None)
