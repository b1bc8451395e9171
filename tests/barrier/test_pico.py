"""The driver of our own controller, against a board of the third implementation."""

from __future__ import annotations

import pytest

from appliance.barrier.drivers.pico import Pico
from appliance.barrier.drivers.seam import (
    ANSWER_S,
    BarrierDriver,
    Controller,
    EventKind,
    Position,
)
from appliance.barrier.messages import Input, Open
from appliance.errors import LinkLost, OrderRefused
from tests.fakes.barrier import Time
from tests.fakes.wire_board import OTHER_PSK, PSK, Cable, WireBoard, kinds, m


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def board(time) -> WireBoard:
    return WireBoard(time)


@pytest.fixture
def cable(board) -> Cable:
    return Cable(board)


@pytest.fixture
def driver(time, cable) -> Pico:
    made = Pico("port", PSK, now=time, open_port=cable.open)
    made.connect()
    made.status()
    return made


def _heard(board: WireBoard, kind: int) -> list[dict[str, object]]:
    return [said for heard, said in board.heard if heard == kind]


# Orders


def test_it_is_a_driver(driver):
    assert isinstance(driver, BarrierDriver)


def test_an_opening_is_a_pulse_of_that_length_within_its_life(driver, board, time):
    driver.open("auto-1", 500, life_s=2.0, automatic=True)
    (said,) = _heard(board, m.OPEN)
    assert said == {"id": m.short_id("auto-1"), "until": 2000, "pulse": 500, "origin": 0}
    time.pass_(1.0)
    assert not board.contact
    assert board.pulses == [(1_000_000, 1_000_500)]


def test_a_person_is_named_as_the_origin(driver, board):
    driver.open("hand", 500, life_s=2.0)
    assert _heard(board, m.OPEN)[0]["origin"] == 1


def test_an_unanswered_order_is_sent_again_with_the_same_id_and_deadline(
    driver, board, cable, time
):
    cable.mute = True
    with pytest.raises(LinkLost) as lost:
        driver.open("a", 500, life_s=2.0)
    assert lost.value.fields["why"] == "silent"
    said = _heard(board, m.OPEN)
    assert len(said) == 7
    assert all(one == said[0] for one in said)
    assert len(board.pulses) == 1
    assert time.now == pytest.approx(1000.0 + ANSWER_S, abs=0.01)


def test_an_order_sent_again_after_a_new_session_is_obeyed_once(driver, board, cable, time):
    cable.mute = True
    with pytest.raises(LinkLost):
        driver.open("a", 500, life_s=2.0)
    cable.mute = False
    driver.connect()
    driver.open("a", 500, life_s=1.0)
    assert len(board.pulses) == 1
    assert _heard(board, m.OPEN)[-1]["until"] == 1000


def test_an_order_is_not_asked_for_longer_than_it_lives(driver, board, cable, time):
    cable.cut = True
    with pytest.raises(LinkLost):
        driver.open("a", 500, life_s=0.3)
    assert time.now == pytest.approx(1000.3, abs=0.01)
    cable.cut = False
    time.pass_(1.0)
    driver.status()
    assert board.pulses == []


@pytest.mark.parametrize("life_s", [0.0, -1.0])
def test_an_order_without_life_is_refused_and_never_sent(driver, board, life_s):
    with pytest.raises(OrderRefused) as refused:
        driver.open("a", 500, life_s=life_s)
    assert refused.value.fields["why"] == "expired"
    assert _heard(board, m.OPEN) == []


def test_an_order_delayed_beyond_its_life_is_refused_by_the_controller(driver, board, cable, time):
    cable.delay_s = 0.4
    with pytest.raises(LinkLost):
        driver.open("a", 500, life_s=0.3)
    time.pass_(1.0)
    cable.pump()
    assert len(_heard(board, m.OPEN)) == 2
    assert board.pulses == []


@pytest.mark.parametrize(("answer", "why"), [
    (1, "waking"), (2, "stopped"), (3, "fire"), (4, "locked_out"), (5, "too_many"), (6, "expired"),
    (7, "bad_value"), (8, "no_presence"), (9, "busy"), (11, "unknown_order"), (12, "obstructed"),
    (13, "unproven"),
])
def test_a_refusal_says_why(driver, board, answer, why):
    board.answers = answer
    with pytest.raises(OrderRefused) as refused:
        driver.open("a", 500, life_s=2.0)
    assert refused.value.fields["why"] == why
    assert len(_heard(board, m.OPEN)) == 1


@pytest.mark.parametrize("pulse_ms", [0, 99, 3001])
def test_a_pulse_out_of_bounds_never_leaves_the_box(driver, board, pulse_ms):
    with pytest.raises(OrderRefused) as refused:
        driver.open("a", pulse_ms, life_s=2.0)
    assert refused.value.fields["why"] == "bad_value"
    assert _heard(board, m.OPEN) == []


@pytest.mark.parametrize("lease_s", [0.0, 10.001])
def test_a_lease_out_of_bounds_never_leaves_the_box(driver, board, lease_s):
    with pytest.raises(OrderRefused):
        driver.hold_open("h", lease_s, life_s=2.0)
    assert _heard(board, m.HOLD) == []


def test_a_hold_runs_until_it_is_released(driver, board, time):
    driver.hold_open("h", 9.5, life_s=2.0)
    assert _heard(board, m.HOLD)[0]["lease"] == 9500
    assert driver.status().held
    assert driver.status().contact
    driver.release()
    assert not driver.status().held
    assert not board.contact


def test_two_releases_are_two_orders(driver, board):
    driver.release()
    driver.release()
    first, second = _heard(board, m.RELEASE)
    assert first["id"] != second["id"]


def test_a_shortened_pulse_is_told_in_the_log(driver, board, caplog):
    board._judge = lambda *_: 0  # type: ignore[method-assign]
    original = board.say
    board.say = lambda kind, body, counter=None: original(  # type: ignore[method-assign]
        kind, body[:9] + b"\2" + body[10:] if kind == m.RESULT else body, counter)
    driver.open("a", 3000, life_s=2.0)
    assert "shortened" in caplog.text


# The session


def test_connecting_greets_and_orders_nothing(driver, cable, board):
    assert kinds(cable.sent) == [m.HELLO, m.PING]
    assert board.pulses == []


def test_connecting_again_uses_the_open_port(driver, cable):
    driver.connect()
    assert (cable.opened, cable.closed) == (1, 0)


def test_without_a_session_no_order_goes_out(time, cable, board):
    driver = Pico("port", PSK, now=time, open_port=cable.open)
    for call in (driver.release, driver.status, lambda: driver.open("a", 500, life_s=2.0)):
        with pytest.raises(LinkLost):
            call()
    board.psk = OTHER_PSK
    with pytest.raises(LinkLost):
        driver.connect()
    with pytest.raises(LinkLost):
        driver.open("a", 500, life_s=2.0)
    assert set(kinds(cable.sent)) == {m.HELLO}


def test_a_board_that_this_box_did_not_key_is_foreign(time, cable, board):
    board.psk = OTHER_PSK
    driver = Pico("port", PSK, now=time, open_port=cable.open)
    with pytest.raises(LinkLost) as lost:
        driver.connect()
    assert lost.value.fields["why"] == "foreign"
    assert "provision" in lost.value.next_step
    assert driver.controller() == Controller()


def test_a_strangers_board_is_greeted_no_more_than_it_bears(time, cable, board):
    board.psk = OTHER_PSK
    driver = Pico("port", PSK, now=time, open_port=cable.open)
    for _ in range(3):
        with pytest.raises(LinkLost):
            driver.connect()
    assert len(cable.sent) <= 3 * 3


def test_silence_at_the_greeting_is_a_lost_link_in_time(time, cable):
    cable.cut = True
    driver = Pico("port", PSK, now=time, open_port=cable.open)
    with pytest.raises(LinkLost) as lost:
        driver.connect()
    assert lost.value.fields["why"] == "silent"
    assert time.now == pytest.approx(1000.0 + ANSWER_S, abs=0.01)


def test_a_welcome_that_comes_too_late_opens_no_session(time, cable):
    cable.delay_s = 0.6
    driver = Pico("port", PSK, now=time, open_port=cable.open)
    with pytest.raises(LinkLost):
        driver.connect()
    for _ in range(3):
        time.pass_(0.6)
        cable.pump()
    with pytest.raises(LinkLost):
        driver.open("a", 500, life_s=2.0)
    assert set(kinds(cable.sent)) == {m.HELLO}


def test_a_greeting_that_was_lost_is_repeated(time, cable):
    cable.cut = True
    driver = Pico("port", PSK, now=time, open_port=cable.open)
    cable.write = _mend_at_second(cable)  # type: ignore[method-assign]
    driver.connect()
    assert driver.status().position is Position.CLOSED


def _mend_at_second(cable: Cable):
    original = cable.write

    def write(frame: bytes) -> None:
        cable.cut = not cable.sent
        original(frame)

    return write


def test_a_restarted_board_is_greeted_anew_within_one_call(driver, board, time):
    board.restart()
    time.pass_(3.0)
    began = time.now
    driver.open("a", 500, life_s=2.0)
    assert time.now - began < 0.5
    assert len(board.pulses) == 1
    driver.status()
    assert driver.controller().boot == board.boot


def test_a_restarted_board_that_wakes_refuses(driver, board):
    board.restart()
    with pytest.raises(OrderRefused) as refused:
        driver.open("a", 500, life_s=2.0)
    assert refused.value.fields["why"] == "waking"


def test_a_forged_who_ends_no_hold(driver, board, cable):
    driver.hold_open("h", 5.0, life_s=2.0)
    who = m.line(m.packet(None, m.WHO, 0))
    for _ in range(5):
        cable.inject = who
        assert driver.status().held
    board.tick()
    before = len(cable.sent)
    original = cable.write
    cable.write = lambda frame: (original(frame), setattr(cable, "inject", who))[0]  # type: ignore
    assert driver.status().held
    assert kinds(cable.sent[before:]) == [m.PING]


def test_after_a_new_session_old_frames_are_worth_nothing(driver, board, cable):
    driver.open("a", 500, life_s=2.0)
    recorded = list(cable.sent)
    driver.connect()
    driver.status()
    heard = len(board.heard)
    for frame in recorded:
        board.hear(frame)
    assert len(board.heard) == heard
    assert len(board.pulses) == 1


def test_an_idle_session_is_renewed_after_twelve_hours(driver, cable, time):
    time.pass_(12 * 3600 - 1)
    driver.status()
    assert kinds(cable.sent).count(m.HELLO) == 1
    time.pass_(1)
    driver.status()
    assert kinds(cable.sent).count(m.HELLO) == 2


def test_a_hold_is_not_ended_by_a_renewal(driver, cable, time):
    time.pass_(12 * 3600 - 1)
    driver.hold_open("h", 10.0, life_s=2.0)
    time.pass_(2)
    assert driver.status().held
    assert kinds(cable.sent).count(m.HELLO) == 1
    time.pass_(9)
    driver.status()
    driver.status()
    assert kinds(cable.sent).count(m.HELLO) == 2


def test_a_session_too_old_for_orders_is_renewed_and_the_order_obeyed(driver, board, cable, time):
    time.pass_(24 * 3600)
    driver.open("a", 500, life_s=2.0)
    assert len(board.pulses) == 1
    assert kinds(cable.sent)[-3:] == [m.OPEN, m.HELLO, m.OPEN]


def test_a_slow_line_still_answers(driver, cable, time):
    cable.delay_s = 0.2
    driver.connect()
    time.pass_(1)
    driver.open("a", 500, life_s=2.0)
    assert driver.status().position is Position.MOVING


def _arrives_behind_the_next_question(cable: Cable, frame: bytes) -> None:
    original = cable.write

    def write(question: bytes) -> None:
        cable.inject, cable.write = frame, original  # type: ignore[method-assign]
        original(question)

    cable.write = write  # type: ignore[method-assign]


def test_a_status_of_before_the_question_is_not_taken(driver, board, cable, time):
    board._sent += 1
    late = m.line(m.packet(board._keys["to_host"], m.STATUS, board._sent, board.status_body()))
    time.pass_(5)
    board.inputs |= Input.ENTRY_LOOP
    _arrives_behind_the_next_question(cable, late)
    assert driver.status().entry_loop is True


def test_a_refusal_of_before_is_not_taken_for_the_answer_now(driver, board, cable, time):
    board.answers = 4
    with pytest.raises(OrderRefused):
        driver.open("a", 500, life_s=2.0)
    board.hear(driver._line.running.frame(_again(board)))
    late, board.out = board.out, b""
    board.answers = None
    time.pass_(0.5)
    _arrives_behind_the_next_question(cable, late)
    driver.open("a", 500, life_s=1.5)
    assert len(board.pulses) == 1


def _again(board: WireBoard) -> Open:
    said = _heard(board, m.OPEN)[-1]
    return Open(m.short_id("a"), int(str(said["until"])), 500, by_a_person=True)


# The port


def test_a_port_that_cannot_be_opened_is_a_lost_link(time, cable):
    cable.gone = True
    driver = Pico("port", PSK, now=time, open_port=cable.open)
    with pytest.raises(LinkLost) as lost:
        driver.connect()
    assert lost.value.fields["why"] == "port"


@pytest.mark.parametrize("fails", ["read", "write"])
def test_a_port_that_fails_is_closed_and_opened_again(driver, cable, fails):
    def broken(*_: object) -> bytes:
        raise LinkLost("gone", why="port")

    setattr(cable, fails, broken)
    with pytest.raises(LinkLost):
        driver.status()
    assert cable.closed == 1
    delattr(cable, fails)
    with pytest.raises(LinkLost):
        driver.status()
    driver.connect()
    assert cable.opened == 2
    assert driver.status().position is Position.CLOSED


def test_disconnecting_lets_go_and_closes_the_port(driver, board, cable):
    driver.hold_open("h", 9.0, life_s=2.0)
    driver.disconnect()
    assert not board.contact
    assert cable.closed == 1
    driver.disconnect()
    assert cable.closed == 1


def test_disconnecting_from_a_silent_board_is_short_and_raises_nothing(driver, cable, time):
    cable.cut = True
    driver.disconnect()
    assert time.now <= 1000.31
    assert cable.closed == 1


def test_disconnecting_from_a_board_that_refuses_raises_nothing(driver, board, cable):
    board.answers = 9
    driver.disconnect()
    assert cable.closed == 1


# What it reads


def test_every_input_is_shown_in_the_words_of_the_seam(driver, board):
    board.inputs = 0x0FFF & ~Input.LIMIT_OPEN & ~Input.STOP
    status = driver.status()
    assert status.position is Position.CLOSED
    assert (status.entry_loop, status.safety_loop, status.photocell) == (True, True, True)
    assert (status.exit_request, status.fire, status.stop, status.tamper) == (
        True, True, False, True)
    assert (status.entry_count, status.safety_count) == (3, 4)
    assert (status.held, status.contact) == (False, False)


def test_an_input_that_is_not_wired_is_none(driver, board):
    board.known = 0
    status = driver.status()
    assert status.position is Position.UNKNOWN
    for name in ("entry_loop", "safety_loop", "photocell", "exit_request", "fire", "stop",
                 "tamper", "entry_count", "safety_count"):
        assert getattr(status, name) is None


@pytest.mark.parametrize(("known", "active", "position"), [
    (Input.LIMIT_OPEN | Input.LIMIT_CLOSED, Input.LIMIT_OPEN, Position.OPEN),
    (Input.LIMIT_OPEN | Input.LIMIT_CLOSED, Input.LIMIT_CLOSED, Position.CLOSED),
    (Input.LIMIT_OPEN | Input.LIMIT_CLOSED, 0, Position.MOVING),
    (Input.LIMIT_OPEN | Input.LIMIT_CLOSED, Input.LIMIT_OPEN | Input.LIMIT_CLOSED,
     Position.UNKNOWN),
    (Input.LIMIT_OPEN, Input.LIMIT_OPEN, Position.OPEN),
    (Input.LIMIT_OPEN, 0, Position.UNKNOWN),
    (Input.LIMIT_CLOSED, Input.LIMIT_CLOSED, Position.CLOSED),
    (Input.LIMIT_CLOSED, 0, Position.UNKNOWN),
])
def test_the_position_follows_the_limit_switches(driver, board, known, active, position):
    board.known, board.inputs = int(known), int(active)
    assert driver.status().position is position


def test_a_fire_that_is_still_latched_is_shown_as_fire(driver, board):
    assert driver.status().fire is False
    board.state = 4
    assert driver.status().fire is True


def test_faults_have_names_and_the_gravest_comes_first(driver, board):
    board.faults = 0x0FFF
    faults = driver.status().faults
    assert faults[:2] == ("number_10", "number_11")
    assert faults[2:] == (
        "relay", "settings", "limits", "not_moved", "cabinet", "stuck_safety", "stuck_photo",
        "stuck_entry", "stuck_button", "stuck_exit")
    board.faults = 0
    assert driver.status().faults == ()


def test_it_says_who_answers(driver):
    assert driver.controller() == Controller(
        name="Test post", serial="e66058388333a200", firmware="1.0.2", boot=7, cause="power",
        settings="cafe0001")


def test_it_promises_the_same_with_and_without_a_link(driver, cable):
    before = driver.capabilities()
    cable.cut = True
    assert driver.capabilities() == before
    assert before.authenticated
    assert before.tells_events
    assert before.warns == ()


def test_events_the_controller_had_to_forget_are_logged_once(driver, board, caplog):
    board.lost = 2
    driver.status()
    driver.status()
    assert caplog.text.count("had to forget") == 1


# Events


def test_an_event_is_shown_until_it_is_acknowledged(driver, board, time):
    board.happens(2)
    board.out = b""  # the first telling is lost
    time.pass_(0.5)
    driver.status()
    (event,) = driver.events()
    assert (event.boot, event.number, event.kind, event.argument) == (
        7, 1, EventKind.MANUAL_OPEN, "")
    assert event.happened_mono == pytest.approx(1000.0, abs=0.01)
    time.pass_(1.0)
    driver.status()
    assert driver.events() == (event,)
    driver.acknowledge(event)
    assert driver.events() == ()
    driver.status()
    assert _heard(board, m.PING)[-1]["kept"] == 1
    time.pass_(1.0)
    driver.status()
    assert driver.events() == ()


def test_events_follow_each_other_as_they_are_kept(driver, board, time):
    for kind in (1, 3, 10, 11, 14):
        board.happens(kind, 2 if kind in (1, 10) else 200)
    seen = []
    for _ in range(40):
        time.pass_(0.05)
        driver.status()
        for event in driver.events():
            seen.append((event.number, event.kind, event.argument))
            driver.acknowledge(event)
    assert seen == [
        (1, EventKind.STARTED, "watchdog"), (2, EventKind.EXIT_OPEN, ""),
        (3, EventKind.FAULT_ON, "stuck_photo"), (4, EventKind.FAULT_OFF, "number_200"),
        (5, EventKind.TAMPER_ON, "")]


def test_every_kind_of_the_protocol_has_its_word(driver, board, time):
    for kind in range(1, 17):
        board.happens(kind)
    seen = []
    for _ in range(40):
        time.pass_(0.05)
        driver.status()
        for event in driver.events():
            seen.append(event.kind)
            driver.acknowledge(event)
    assert seen == list(EventKind)


def test_an_unknown_kind_of_event_does_not_dam_up_the_rest(driver, board, time, caplog):
    board.happens(99)
    board.happens(2)
    for _ in range(10):
        time.pass_(0.1)
        driver.status()
    assert [event.number for event in driver.events()] == [2]
    assert "kind=99" in caplog.text


def test_what_was_not_kept_before_a_restart_of_the_board_stays_in_the_book(driver, board, time):
    board.happens(2)
    driver.status()
    board.restart()
    time.pass_(3)
    driver.status()
    board.happens(1, 3)
    time.pass_(0.3)
    driver.status()
    first, second = driver.events()
    assert ((first.boot, first.number), (second.boot, second.number)) == ((7, 1), (8, 1))
    driver.acknowledge(first)
    driver.status()
    assert _heard(board, m.PING)[-1]["kept"] == 0
    assert driver.events() == (second,)
    driver.acknowledge(second)
    driver.status()
    assert _heard(board, m.PING)[-1]["kept"] == 1


def test_what_was_kept_is_not_forgotten_by_a_new_session(driver, board, time):
    board.happens(2)
    driver.status()
    driver.acknowledge(driver.events()[0])
    driver.connect()
    driver.status()
    assert _heard(board, m.PING)[-1]["kept"] == 1
    assert driver.events() == ()


def test_an_event_of_before_is_acknowledged_in_vain(driver, board):
    board.happens(2)
    driver.status()
    (event,) = driver.events()
    driver.acknowledge(event)
    driver.acknowledge(event)
    assert driver.events() == ()


def test_nobody_listening_does_not_fill_the_memory(driver, board, time):
    for number in range(70):
        board.happens(2)
        time.pass_(0.01)
        driver.status()
        board.restart()
        time.pass_(3)
        driver.status()
        assert len(driver.events()) == min(number + 1, 64)
