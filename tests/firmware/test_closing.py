"""The installer's option: closing.py by its rules, on the whole controller."""

from __future__ import annotations

from typing import Any

import pytest
from gatepost import codes

from tests.firmware.rig import EVERY_INPUT, Bench, Host


def _bench(cause: int = 1, jumper: bool = True, **changed: Any) -> tuple[Bench, Host]:
    bench = Bench(cause=cause, jumper=jumper, **({"closing": True} | changed))
    bench.wake()
    host = Host(bench)
    host.greet()
    return bench, host


def _prove(bench: Bench, *names: str) -> None:
    for name in names or ("safety_loop", "photocell"):
        bench.press(name)


@pytest.fixture
def proven() -> tuple[Bench, Host]:
    bench, host = _bench()
    _prove(bench)
    return bench, host


def _down(bench: Bench) -> bool:
    return bool(bench.board.outputs & codes.CLOSING)


def test_it_closes_with_a_pulse_of_its_own_contact(proven):
    bench, host = proven
    assert host.close("a", 500) == ("DONE", 0)
    assert bench.board.outputs == codes.CLOSING | codes.LAMP
    assert host.ping()["state"] == codes.STATE_CLOSING
    assert host.welcome["options"] & 1
    bench.run(600)
    assert bench.board.outputs == 0


@pytest.mark.parametrize(("jumper", "enabled"), [(False, True), (True, False)])
def test_without_jumper_and_setting_the_order_is_not_known(jumper, enabled):
    bench, host = _bench(jumper=jumper, closing=enabled)
    _prove(bench)
    assert host.close("a") == ("UNKNOWN_ORDER", 0)
    assert not host.welcome["options"] & 1


@pytest.mark.parametrize("name", ["safety_loop", "photocell"])
def test_nothing_closes_over_a_car(proven, name):
    bench, host = proven
    bench.turn(name, True)
    bench.run(50)
    assert host.close("a")[0] == "OBSTRUCTED"


def test_nothing_closes_while_a_detector_was_never_seen_to_change():
    bench, host = _bench()
    assert host.close("a")[0] == "UNPROVEN"
    _prove(bench, "photocell")
    assert host.close("a")[0] == "UNPROVEN"
    bench.turn("safety_loop", True)
    bench.run(50)
    bench.turn("safety_loop", False)
    bench.run(50)
    assert host.close("a")[0] == "DONE"


def test_nothing_closes_where_no_detector_is_wired():
    wired = {n: w for n, w in EVERY_INPUT.items() if n not in ("safety_loop", "photocell")}
    _, host = _bench(inputs=wired)
    assert host.close("a")[0] == "UNPROVEN"


def test_nothing_closes_while_a_detector_is_stuck(proven):
    bench, host = proven
    bench.turn("photocell", True)
    bench.run(10 * 60_000 + 200, every=50)
    assert host.close("a")[0] == "UNPROVEN"


def test_nothing_closes_after_a_watchdog_before_the_arm_was_up():
    bench, host = _bench(cause=2)
    _prove(bench)
    assert host.close("a")[0] == "UNPROVEN"
    bench.press("limit_open")
    assert host.close("a")[0] == "DONE"


@pytest.mark.parametrize("name", ["safety_loop", "photocell"])
def test_it_opens_again_when_something_comes_under_the_arm(proven, name):
    bench, host = proven
    host.keep_all()
    host.close("a", 500)
    bench.run(100)
    bench.turn(name, True)
    bench.run(40)
    assert not _down(bench)
    bench.run(120)
    assert bench.open
    bench.run(3000)
    assert bench.pulses() == [500]
    host.ping()
    assert (codes.REOPENED, 0) in host.keep_all()


def test_it_watches_the_way_down_after_its_pulse_until_the_arm_is_down(proven):
    bench, host = proven
    host.close("a", 500)
    bench.run(5000)
    bench.press("safety_loop")
    assert len(bench.pulses()) == 1
    bench.run(2500)
    host.ping()
    assert host.close("b", 500)[0] == "DONE"
    bench.run(1000)
    bench.turn("limit_closed", True)
    bench.run(100)
    bench.press("safety_loop")
    bench.run(16_000)
    assert len(bench.pulses()) == 1


def test_after_15_s_nothing_is_on_its_way_down_any_more(proven):
    bench, host = proven
    host.close("a", 500)
    bench.run(15_100)
    bench.press("photocell")
    assert bench.pulses() == []


def test_an_opening_waits_100_ms_for_the_closing_contact(proven):
    bench, host = proven
    host.close("a", 1500)
    bench.run(50)
    assert host.open("b", 500)[0] == "DONE"
    bench.run(1000)
    (_, closing), (dropped, none), (raised, opening), (ended, _) = bench.board.history
    assert (closing & 3, none & 3, opening & 3) == (codes.CLOSING, 0, codes.OPENING)
    assert (raised - dropped, ended - raised) == (100, 500)


@pytest.mark.parametrize("what", ["stop", "fire", "hand_button", "exit_request"])
def test_stop_fire_and_people_end_a_closing(proven, what):
    bench, host = proven
    host.close("a", 1500)
    bench.turn(what, True)
    bench.run(200)
    assert not _down(bench)
    assert bench.open == (what != "stop")


def test_a_press_is_served_when_the_contact_can_close_not_before():
    bench, host = _bench(fire_dwell_ms=0)
    _prove(bench)
    host.close("a", 1500)
    bench.turn("hand_button", True)
    bench.run(10)
    bench.turn("fire", True)  # a flash of fire while the closing contact lets go
    bench.run(40)
    bench.turn("fire", False)
    bench.run(3000)
    assert bench.pulses() == [500]


def test_a_hold_that_lapses_before_the_contact_closed_has_served_nobody(proven):
    bench, host = proven
    until = host.ping()["session_ms"] + 2000
    host.close("a", 1500, until=until)
    bench.turn("hand_button", True)
    bench.run(30)
    assert host.hold("h", 20, until=until)[0] == "DONE", "in the pass that believes the press"
    bench.run(3000)
    assert bench.pulses() == [500]


def test_a_closing_keeps_every_other_rule(proven):
    bench, host = proven
    assert host.close("short", 99)[0] == "BAD_VALUE"
    host.hold("h", 2000)
    assert host.close("a")[0] == "BUSY"
    host.release("r")
    assert host.close("a")[0] == "LOCKED_OUT"
    bench.run(2100)
    assert host.close("a", 1500)[0] == "DONE"
    assert host.close("b", 500)[0] == "BUSY"
    bench.run(3000)
    host.ping()
    assert host.close("long", 9999) == ("DONE", codes.CLAMPED)
    bench.turn("stop", True)
    bench.run(50)
    assert host.close("c")[0] == "STOPPED"
    lengths = [b - a for (a, m), (b, _) in zip(bench.board.history, bench.board.history[1:],
                                               strict=False) if m & codes.CLOSING]
    assert lengths[0] == 1500


def test_the_module_may_be_missing_on_the_board(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "gatepost.closing", None)
    bench, host = _bench()
    _prove(bench)
    assert host.close("a") == ("UNKNOWN_ORDER", 0)
