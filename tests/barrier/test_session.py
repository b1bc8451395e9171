"""Handshake, counters and the controller's clock, told from below."""

from __future__ import annotations

import json

import pytest

from appliance.barrier import messages, wire
from appliance.barrier.messages import Ping, Release, Type
from appliance.barrier.session import GREET_ANEW_S, Greeting, Keys, Session
from tests.fakes.wire_board import third_implementation

third = third_implementation()
VECTORS = json.loads(third.FILE.read_text(encoding="ascii"))
SHAKE = {k: v for k, v in VECTORS["handshake"].items() if k != "keys"}
KEYS = {name: bytes.fromhex(key) for name, key in VECTORS["handshake"]["keys"].items()}
FRAMES = {frame["name"]: bytes.fromhex(frame["line"]) for frame in VECTORS["frames"]}
PSK, NONCE = bytes.fromhex(SHAKE["psk"]), bytes.fromhex(SHAKE["host_nonce"])


def _packet(line: bytes) -> wire.Packet:
    (packet,) = wire.Receiver().feed(line)
    return packet


def _session(now: float = 100.0) -> Session:
    session = Greeting(PSK, NONCE).hear(_packet(FRAMES["welcome"]), now)
    assert session is not None
    return session


def _said(kind: int, counter: int, **fields: object) -> wire.Packet:
    return _packet(third.line(
        third.packet(KEYS["to_host"], kind, counter, third.body(kind, **fields))))


def _result(counter: int, session_ms: int) -> wire.Packet:
    return _said(0x91, counter, id=bytes(8), result=0, flags=0, session_ms=session_ms)


# The handshake


def test_the_greeting_is_as_in_the_vectors():
    assert Greeting(PSK, NONCE).hello == FRAMES["hello"]


def test_a_welcome_opens_a_session_with_the_keys_of_the_vectors():
    session = _session()
    assert session.board.name == "North gate"
    assert session.frame(Ping(0)) == FRAMES["ping, nothing kept"]
    assert session.hear(_packet(FRAMES["status, idle"]), 100.1) is not None


def test_the_keys_are_never_shown():
    keys = Keys.of(PSK, _session().board)
    assert keys.to_board == KEYS["to_board"]
    assert keys.to_board.hex() not in repr(keys)
    assert repr(keys.to_board) not in repr(keys)


@pytest.mark.parametrize(("key", "nonce"), [(b"", NONCE), (PSK[1:], NONCE), (PSK, NONCE[1:])])
def test_a_key_or_nonce_of_another_length_is_refused(key, nonce):
    with pytest.raises(ValueError, match="32 bytes"):
        Greeting(key, nonce)


def test_a_board_with_another_key_is_not_ours():
    greeting = Greeting(bytes.fromhex(SHAKE["other_psk"]), NONCE)
    assert greeting.hear(_packet(FRAMES["welcome"]), 100.0) is None
    assert greeting.not_ours


def test_a_board_that_only_asks_who_is_not_ours():
    greeting = Greeting(PSK, NONCE)
    assert greeting.hear(_packet(FRAMES["who"]), 100.0) is None
    assert greeting.not_ours


def test_a_welcome_for_another_greeting_opens_nothing_and_says_nothing():
    greeting = Greeting(PSK, bytes(16))
    assert greeting.hear(_packet(FRAMES["welcome"]), 100.0) is None
    assert not greeting.not_ours


def test_a_welcome_of_another_length_opens_nothing():
    short = _packet(wire.frame(KEYS["welcome"], Type.WELCOME, 0, bytes(20)))
    assert Greeting(PSK, NONCE).hear(short, 100.0) is None


def test_nothing_but_a_welcome_opens_a_session():
    greeting = Greeting(PSK, NONCE)
    for name, line in FRAMES.items():
        if not name.startswith("welcome"):
            assert greeting.hear(_packet(line), 100.0) is None


# Counters


def test_every_frame_has_a_higher_counter():
    session = _session()
    lines = [session.frame(Ping(0)) for _ in range(5)]
    assert [_packet(line).counter for line in lines] == [1, 2, 3, 4, 5]


def test_a_frame_heard_before_is_dropped_and_counted():
    session, packet = _session(), _packet(FRAMES["status, idle"])
    assert session.hear(packet, 100.1) is not None
    assert session.hear(packet, 100.2) is None
    assert session.stale == 1


def test_a_frame_older_than_the_newest_is_dropped():
    session = _session()
    assert session.hear(_result(5, 1), 100.0)
    assert session.hear(_result(4, 1), 100.0) is None
    assert session.hear(_result(6, 1), 100.0)


@pytest.mark.parametrize(
    "entry", [r for r in VECTORS["refused"] if r["to"] == "to_host"], ids=lambda e: e["name"]
)
def test_what_the_vectors_refuse_is_refused_and_counted(entry):
    session = _session()
    for packet in wire.Receiver().feed(bytes.fromhex(entry["line"])):
        assert session.hear(packet, 100.0) is None
    assert getattr(session, entry["counts"]) == 1


def test_the_hosts_own_frames_sent_back_to_it_are_forged():
    session = _session()
    assert session.hear(_packet(session.frame(Ping(0))), 100.0) is None
    assert session.forged == 1


def test_a_forged_frame_with_a_high_counter_blocks_nothing():
    session = _session()
    session.hear(_packet(wire.frame(bytes(32), 0x90, 0xFFFFFFFF, bytes(29))), 100.0)
    assert session.hear(_result(1, 1), 100.0)


# The clock


def test_the_clock_starts_at_zero_with_the_welcome_and_counts_on():
    session = _session(now=100.0)
    assert session.clock_ms(100.0) == 0
    assert session.clock_ms(101.5) == 1500


def test_a_status_or_result_anchors_the_clock_anew():
    session = _session(now=100.0)
    session.hear(_result(1, 61_250), 110.0)
    assert session.clock_ms(111.0) == 62_250
    session.hear(_packet(FRAMES["status, held with faults"]), 120.0)
    assert session.clock_ms(120.0) == 61_234


def test_a_delayed_status_makes_the_clock_slower_never_faster():
    session = _session(now=100.0)
    session.hear(_result(1, 1_000), 105.0)
    assert session.clock_ms(105.0) == 1_000


def test_an_event_does_not_touch_the_clock():
    session = _session(now=100.0)
    assert session.hear(_packet(FRAMES["event, fault on"]), 105.0)
    assert session.clock_ms(105.0) == 5_000


def test_a_clock_turned_back_does_not_turn_the_deadline_back():
    session = _session(now=100.0)
    session.hear(_result(1, 1_000), 100.0)
    assert session.clock_ms(99.0) == 1_000


def test_an_order_keeps_its_first_deadline():
    session = _session(now=100.0)
    assert session.deadline(b"one", 2.0, 100.5) == 2_500
    session.hear(_result(1, 60_000), 101.0)
    assert session.deadline(b"one", 1.5, 101.0) == 2_500
    assert session.deadline(b"two", 1.5, 101.0) == 61_500


def test_no_deadline_lies_further_ahead_than_the_controller_allows():
    assert _session(now=100.0).deadline(b"one", 60.0, 100.0) == 5_000


def test_only_the_latest_deadlines_are_remembered():
    session = _session(now=100.0)
    for number in range(17):
        session.deadline(bytes([number]), 2.0, 100.0)
    assert session.deadline(bytes([1]), 2.0, 101.0) == 2_000
    assert session.deadline(bytes([0]), 2.0, 101.0) == 3_000


def test_what_was_made_before_the_question_is_no_answer_to_it():
    session = _session()
    status = session.hear(_packet(FRAMES["status, idle"]), 100.0)
    assert isinstance(status, messages.Status)
    assert session.made_after(status, 61_234 + 50)
    assert not session.made_after(status, 61_234 + 51)


def test_a_session_is_old_after_twelve_hours_or_when_its_counter_is_spent():
    session = _session(now=100.0)
    assert not session.old(100.0 + GREET_ANEW_S - 1)
    assert session.old(100.0 + GREET_ANEW_S)
    session._sent = 0xFFFF_FFEF
    assert not session.old(100.0)
    assert _packet(session.frame(Release(bytes(8), 1))).counter == 0xFFFF_FFF0
    assert session.old(100.0)
