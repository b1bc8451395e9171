"""Each rule of safety.py by its number, on the whole controller."""

from __future__ import annotations

import pytest
from gatepost import codes, config

from tests.firmware.rig import EVERY_INPUT, Bench, Host, settings, wire


def _kinds(host: Host) -> list[int]:
    return [kind for kind, _ in host.keep_all()]


# 1 START, 2 UNKNOWN


def test_the_start_closes_no_contact():
    bench = Bench()
    bench.turn("hand_button", True)
    bench.turn("exit_request", True)
    bench.run(20_000)
    assert bench.pulses() == []


def test_no_order_is_obeyed_for_2500_ms_after_the_start():
    bench = Bench()
    bench.run(100)
    host = Host(bench)
    host.greet()
    while host.session_ms < 2350:
        assert host.open("early") == ("WAKING", 0)
        assert host.hold("early") == ("WAKING", 0)
        assert host.release("early") == ("WAKING", 0)
        assert host.ping()["state"] == codes.STATE_WAKING
    bench.run(100)
    assert host.open("early") == ("DONE", 0)


def test_no_order_is_obeyed_while_one_wire_is_unknown():
    bench = Bench()
    host = Host(bench)
    for step in range(900):
        bench.turn("photocell", step % 2 == 0)
        bench.run(5)
    host.greet()
    bench.turn("photocell", True)
    assert host.open("one") == ("WAKING", 0)


def test_a_wire_that_never_rests_does_not_lock_people_in():
    bench = Bench()
    for step in range(900):
        bench.turn("photocell", step % 2 == 0)
        bench.turn("hand_button", step > 700)
        bench.run(5)
    assert bench.pulses() == [500]


# 3 STOP


def test_stop_ends_a_pulse_and_a_hold_at_once_and_for_good(bench, host):
    for give in (lambda: host.open("a", 1500), lambda: host.hold("b", 9000)):
        assert give() == ("DONE", 0)
        bench.run(200)
        assert bench.open
        bench.turn("stop", True)
        bench.run(40)
        assert not bench.open
        bench.turn("stop", False)
        bench.run(3000)
        assert not bench.open


def test_nothing_opens_while_stop_is_pressed(bench, host):
    bench.turn("stop", True)
    bench.run(50)
    assert host.open("a")[0] == host.hold("b")[0] == "STOPPED"
    bench.press("hand_button")
    bench.turn("exit_request", True)
    bench.turn("fire", True)
    bench.run(8000)
    assert bench.pulses() == []
    assert host.ping()["state"] == codes.STATE_STOPPED


def test_a_press_during_stop_is_forgotten_not_put_off(bench):
    bench.turn("stop", True)
    bench.run(50)
    bench.turn("hand_button", True)
    bench.run(100)
    bench.turn("stop", False)
    bench.run(3000)
    assert bench.pulses() == []


def test_a_broken_stop_wire_is_stop(bench, host):
    bench.board.circuits &= ~codes.STOP_INPUT
    bench.run(50)
    assert host.open("a")[0] == "STOPPED"


def test_a_board_without_a_stop_wire_opens():
    bench = Bench(inputs={"hand_button": EVERY_INPUT["hand_button"]})
    bench.wake()
    bench.press("hand_button")
    host = Host(bench)
    bench.run(3000)
    host.greet()
    assert host.open("a")[0] == "DONE"


def test_stop_and_its_end_are_told(bench, host):
    bench.press("stop")
    assert _kinds(host) == [codes.STOP_ON, codes.STOP_OFF]


def test_stop_that_was_not_read_yet_stops_and_is_not_called_pressed():
    bench = Bench()
    host = Host(bench)
    for step in range(700):
        bench.turn("stop", step % 2 == 0)
        bench.turn("fire", True)
        bench.run(5)
    assert bench.pulses() == []
    host.greet()
    assert host.ping()["state"] == codes.STATE_WAKING


# 4 FIRE


def test_fire_holds_it_open_without_a_host_until_the_dwell_is_over(bench):
    bench.turn("fire", True)
    bench.run(60_000)
    assert bench.open
    bench.turn("fire", False)
    bench.run(9_900)
    assert bench.open
    bench.run(200)
    assert not bench.open


def test_fire_that_burns_at_the_start_opens():
    bench = Bench()
    bench.turn("fire", True)
    bench.run(100)
    assert bench.open


def test_fire_opens_again_when_stop_is_let_go(bench):
    bench.turn("fire", True)
    bench.run(100)
    bench.turn("stop", True)
    bench.run(100)
    assert not bench.open
    bench.turn("stop", False)
    bench.run(100)
    assert bench.open


def test_fire_comes_before_orders_and_is_told(bench, host):
    assert host.hold("h", 9000) == ("DONE", 0)
    bench.turn("fire", True)
    bench.run(50)
    assert host.open("a")[0] == host.hold("b")[0] == "FIRE"
    assert host.release("c")[0] == "DONE"
    assert bench.open
    assert host.ping()["state"] == codes.STATE_FIRE
    bench.turn("fire", False)
    bench.run(200)
    assert host.open("a")[0] == "FIRE", "the dwell counts as fire"
    for _ in range(11):
        bench.run(1000)
        host.ping()
    assert not bench.open, "the hold from before the fire is not taken up again"
    assert _kinds(host) == [codes.FIRE_ON, codes.FIRE_OFF]


def test_a_person_at_the_button_during_a_fire_is_told_too(bench, host):
    bench.turn("fire", True)
    bench.run(50)
    bench.press("hand_button")
    assert _kinds(host) == [codes.FIRE_ON, codes.MANUAL_OPEN]


# 5 HAND, 6 EXIT


def test_the_hand_button_opens_without_a_host_and_is_told_when_one_comes(bench):
    bench.press("hand_button", 3000)
    assert bench.pulses() == [500]
    host = Host(bench)
    host.greet()
    assert _kinds(host) == [codes.STARTED, codes.MANUAL_OPEN]


def test_the_hand_button_needs_no_budget_and_no_lock_out(bench):
    for _ in range(40):
        bench.press("hand_button")
        bench.run(800)
    assert len(bench.pulses()) == 40


def test_people_use_up_nothing_of_the_orders_budget(bench, host):
    for _ in range(13):
        bench.press("hand_button")
        bench.run(2400)
        host.ping()
    assert host.open("a")[0] == "DONE"


def test_a_press_while_the_contact_is_closed_is_told_and_not_repeated(bench, host):
    host.open("a", 1500)
    bench.run(100)
    bench.press("hand_button")
    bench.run(5000)
    assert bench.pulses() == [1500]
    assert _kinds(host)[:1] == [codes.MANUAL_OPEN]


def test_the_exit_request_opens_without_a_host(bench):
    bench.press("exit_request")
    bench.run(8000)
    assert bench.pulses() == [500]
    host = Host(bench)
    host.greet()
    assert _kinds(host) == [codes.STARTED, codes.EXIT_OPEN]


def test_an_exit_request_that_lasts_asks_again_every_5_s_until_it_is_stuck(bench):
    bench.turn("exit_request", True)
    bench.run(90_000)
    times = [at for at, mask in bench.board.history if mask & codes.OPENING]
    assert len(times) == 12
    assert {b - a for a, b in zip(times, times[1:], strict=False)} == {5000}
    bench.turn("exit_request", False)
    bench.run(100)
    bench.turn("exit_request", True)
    bench.run(100)
    assert len(bench.pulses()) == 13


def test_an_exit_request_does_not_ask_again_while_the_arm_is_up(bench):
    bench.turn("exit_request", True)
    bench.run(300)
    bench.turn("limit_open", True)
    bench.run(20_000)
    assert len(bench.pulses()) == 1
    bench.turn("limit_open", False)
    bench.run(100)
    assert len(bench.pulses()) == 2


def test_an_exit_request_that_met_an_open_contact_asks_again(bench, host):
    host.hold("h", 2000)
    bench.turn("exit_request", True)
    bench.run(7000)
    assert len(bench.pulses()) == 2
    assert codes.EXIT_OPEN in _kinds(host)


def test_an_exit_that_the_site_switched_off_opens_nothing():
    bench = Bench(exit_opens=False)
    bench.wake()
    bench.press("exit_request", 8000)
    assert bench.pulses() == []


def test_hand_and_exit_in_one_moment_are_one_pulse_and_two_events(bench, host):
    bench.turn("hand_button", True)
    bench.turn("exit_request", True)
    bench.run(200)
    bench.turn("exit_request", False)
    bench.run(1000)
    assert bench.pulses() == [500]
    assert _kinds(host) == [codes.EXIT_OPEN, codes.MANUAL_OPEN]


# 7 CLAMP, 8 CAP


def test_a_pulse_is_as_long_as_asked_but_never_longer_than_the_settings(bench, host):
    assert host.open("short", 100) == ("DONE", 0)
    bench.run(4000)
    assert host.open("exact", 1500) == ("DONE", 0)
    bench.run(4000)
    assert host.open("long", 1501) == ("DONE", codes.CLAMPED)
    bench.run(4000)
    assert host.open("longest", 65535) == ("DONE", codes.CLAMPED)
    bench.run(4000)
    assert bench.pulses() == [100, 1500, 1500, 1500]


def test_a_pulse_too_short_to_work_is_refused(bench, host):
    assert host.open("a", 99) == ("BAD_VALUE", 0)
    assert bench.pulses() == []


def test_no_settings_make_a_pulse_longer_than_5000_ms():
    bench = Bench(settings() | {"pulse_max_ms": 60_000, "pulse_ms": 60_000})
    bench.wake()
    host = Host(bench)
    host.greet()
    assert host.open("a", 60_000) == ("DONE", 0)
    bench.run(20_000)
    bench.press("hand_button")
    bench.run(20_000)
    assert bench.pulses() == [5000, 5000]


# 9 LEASE, 10 SESSION, 11 LOST


def test_a_hold_ends_by_itself_and_that_is_told(bench, host):
    assert host.hold("a", 2000) == ("DONE", 0)
    assert host.ping()["state"] == codes.STATE_HOLD
    bench.run(2500)
    assert bench.pulses() == [2000]
    assert _kinds(host) == [codes.LEASE_LAPSED]


def test_a_hold_lasts_as_long_as_it_is_renewed(bench, host):
    for number in range(20):
        assert host.hold(f"h{number}", 3000) == ("DONE", 0)
        bench.run(1990)
    assert len(bench.pulses()) == 1
    assert bench.open
    assert host.release("r") == ("DONE", 0)
    assert not bench.open
    bench.run(1000)
    assert _kinds(host) == []


@pytest.mark.parametrize(("lease", "result"), [(0, "BAD_VALUE"), (1, "DONE"), (10_000, "DONE"),
                                               (10_001, "BAD_VALUE")])
def test_a_lease_is_1_to_10000_ms(host, lease, result):
    assert host.hold("a", lease)[0] == result


def test_a_release_lets_a_pulse_end_by_itself(bench, host):
    host.open("a", 500)
    assert host.release("r") == ("DONE", 0)
    bench.run(1000)
    assert bench.pulses() == [500]


def test_a_new_session_ends_a_hold_but_no_pulse(bench, host):
    host.hold("a", 9000)
    Host(bench).greet()
    assert not bench.open
    bench.run(3000)
    again = Host(bench)
    again.greet()
    again.open("b", 1500)
    Host(bench).greet()
    bench.run(4000)
    assert bench.pulses()[1:] == [1500]


def test_a_lost_host_ends_a_hold_and_closes_nothing(bench, host):
    host.hold("a", 9000)
    bench.run(2900)
    assert bench.open
    bench.run(200)
    assert not bench.open
    bench.run(60_000)
    assert len(bench.pulses()) == 1
    assert _kinds(host) == [codes.HOST_LOST, codes.LEASE_LAPSED, codes.HOST_BACK]


def test_a_lost_host_opens_nothing_while_a_wire_is_unknown():
    bench = Bench(host_lost="open")
    host = Host(bench)
    for step in range(1500):
        bench.turn("photocell", step % 2 == 0)
        bench.run(5)
        if step == 400:
            host.greet()
    assert bench.post.link.lost
    assert bench.pulses() == []


def test_where_the_site_chose_so_a_lost_host_holds_it_open_until_it_is_back():
    bench = Bench(host_lost="open")
    bench.run(60_000)
    assert bench.pulses() == [], "a host that never was there is not lost"
    host = Host(bench)
    host.greet()
    bench.run(3100)
    assert bench.open
    assert bench.post.safety.state() == codes.STATE_HOLD
    bench.turn("stop", True)
    bench.run(50)
    assert not bench.open
    bench.turn("stop", False)
    bench.run(50)
    assert bench.open
    host.ping()
    assert not bench.open


# 12 GAP, 13 LOCKOUT, 14 BUDGET


def _edges(bench: Bench) -> list[tuple[int, bool]]:
    return [(at, bool(mask & codes.OPENING)) for at, mask in bench.board.history]


def test_between_two_presses_the_contact_is_open_for_500_ms(bench):
    bench.press("hand_button", 400)
    bench.run(60)
    bench.press("hand_button", 60)
    bench.run(3000)
    (_, first), (let_go, up), (again, down), _ = _edges(bench)
    assert (first, up, down) == (True, False, True)
    assert again - let_go == 500


def test_a_press_in_the_moment_in_which_a_pulse_ends_waits_for_the_gap(bench, host):
    host.open("a", 500)
    ends = bench.board.history[-1][0] + 500
    bench.run(ends - bench.board.passed - 35)
    bench.press("hand_button", 100)
    bench.run(3000)
    assert bench.pulses() == [500, 500]
    (_, _), (let_go, _), (again, _), _ = _edges(bench)
    assert (let_go, again) == (ends, ends + 500)


def test_an_order_waits_for_the_lock_out(bench, host):
    host.open("a", 500)
    assert host.ping()["lockout"] > 2300
    bench.run(300)
    assert host.open("b")[0] == "LOCKED_OUT", "while the pulse lasts"
    bench.run(300)
    while host.open("b")[0] == "LOCKED_OUT":
        if host.ping()["lockout"] > 20:
            assert host.hold("c")[0] == "LOCKED_OUT"
    _, (let_go, _), (again, _) = _edges(bench)
    assert 2000 <= again - let_go < 2050


def test_the_lock_out_counts_from_the_end_of_a_hold_too(bench, host):
    host.hold("a", 5000)
    host.release("b")
    assert host.open("c")[0] == "LOCKED_OUT"


def test_an_open_during_a_hold_joins_it(bench, host):
    host.hold("a", 5000)
    assert host.ping()["lockout"] == 0
    assert host.open("b", 500)[0] == "DONE"
    host.release("c")
    assert bench.open, "the pulse ends by itself"
    bench.run(600)
    assert not bench.open
    assert len(bench.pulses()) == 1


def test_two_orders_in_one_breath_close_it_no_longer_than_one(bench, host):
    host.open("a", 500)
    bench.run(490)
    until = host.ping()["session_ms"] + 2000
    more = {"until": until, "pulse": 1500, "origin": 1}
    bodies = [wire.body(wire.OPEN, id=wire.short_id(name), **more) for name in "bc"]
    host.send(b"".join(host.frame(wire.OPEN, body) for body in bodies))
    bench.run(3000)
    assert bench.pulses() == [500]


def test_orders_close_the_contact_twelve_times_a_minute(bench, host):
    for number in range(20):
        result = host.open(f"o{number}", 100)[0]
        assert result == ("DONE" if number < 12 else "TOO_MANY"), number
        bench.run(2195)
        host.ping()
    assert host.hold("h")[0] == "TOO_MANY"
    assert len(bench.pulses()) == 12


def test_the_budget_is_given_back_after_a_minute(bench, host):
    for number in range(12):
        assert host.open(f"o{number}", 100)[0] == "DONE"
        for _ in range(2):
            bench.run(1100)
            host.ping()
    first = bench.board.history[0][0]
    while bench.board.passed - first < 59_980:
        assert host.open("late", 100)[0] == "TOO_MANY"
        bench.run(1000 if bench.board.passed - first < 58_900 else 5)
    bench.run(60)
    assert host.open("late", 100)[0] == "DONE"


# 15 PRESENCE, 16 RELAY, 17 SETTINGS, 18 CLOSE


def test_where_the_site_chose_so_no_car_means_no_automatic_opening():
    bench = Bench(needs_presence=True)
    bench.wake()
    host = Host(bench)
    host.greet()
    assert host.open("a", origin=0)[0] == "NO_PRESENCE"
    bench.turn("entry_loop", True)
    bench.run(50)
    assert host.open("a", origin=0)[0] == "DONE"
    bench.turn("entry_loop", False)
    bench.run(4000)
    host.ping()
    assert host.open("b", origin=1)[0] == "DONE", "a person may"


def test_a_stuck_entry_loop_proves_no_car():
    bench = Bench(needs_presence=True)
    bench.wake()
    bench.turn("entry_loop", True)
    bench.run(30 * 60_000 + 100, every=50)
    host = Host(bench)
    host.greet()
    assert host.open("a", origin=0)[0] == "NO_PRESENCE"


def test_without_that_choice_an_automatic_order_needs_no_car(host):
    assert host.open("a", origin=0)[0] == "DONE"


def test_no_order_is_obeyed_while_the_relay_does_not_follow(bench, host):
    bench.relay_follows = False
    bench.turn("relay_sense", True)
    bench.run(300)
    assert host.open("a")[0] == host.hold("b")[0] == "BUSY"
    bench.press("hand_button")
    assert len(bench.pulses()) == 1, "people still may try"


def test_damaged_settings_obey_no_order_but_serve_people():
    bench = Bench(config.fallback('{"key": "' + wire.PSK.hex() + '", "name": "N"'))
    bench.wake()
    bench.press("hand_button")
    bench.run(1000)
    bench.press("exit_request")
    bench.run(1000)
    bench.turn("fire", True)
    bench.run(100)
    assert len(bench.pulses()) == 3


def test_damaged_settings_with_a_key_answer_but_refuse():
    bench = Bench(config.fallback('{"key": "' + wire.PSK.hex() + '", "per_minute": 99}'))
    bench.wake()
    host = Host(bench)
    host.greet()
    assert host.open("a")[0] == host.hold("b")[0] == host.release("c")[0] == "WAKING"
    status = host.ping()
    assert status["faults"] == 1 << codes.SETTINGS
    assert status["state"] == codes.STATE_WAKING


def test_the_default_build_knows_no_order_to_close(bench, host):
    assert host.close("a") == ("UNKNOWN_ORDER", 0)
    bench.run(1000)
    assert bench.board.history == []


def test_the_lamp_is_lit_while_a_contact_is_closed(bench, host):
    host.open("a", 500)
    assert bench.board.outputs == codes.OPENING | codes.LAMP
    assert host.ping()["outputs"] == codes.OPENING | codes.LAMP
    bench.run(600)
    assert bench.board.outputs == 0
    assert host.ping()["state"] == codes.STATE_IDLE
