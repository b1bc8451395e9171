"""Sessions, counters, forged frames, the lost host, orders in time and once, events until kept."""

from __future__ import annotations

from gatepost import codes, config
from gatepost.digest import Key
from gatepost.link import Session

from tests.firmware.rig import Bench, Host, wire

DAY_MS = 86_400_000


def _kinds(answers: list[tuple[int, dict[str, object]]]) -> list[int]:
    return [kind for kind, _ in answers]


# The session


def test_the_welcome_says_who_answers(bench):
    host = Host(bench)
    host.greet()
    told = host.welcome
    assert (told["name"], told["uid"]) == ("North gate", wire.UID)
    assert (told["boot"], told["cause"]) == (41, 1)
    assert told["firmware"] == b"\1\0\0"
    assert told["options"] == 0b0011_1111_1110
    assert told["settings"] == bench.settings["digest"]


def test_the_options_name_what_is_wired_and_chosen():
    bench = Bench(inputs={"limit_open": {"pin": 2}, "entry_loop": {"pin": 3}}, needs_presence=True,
                  host_lost="open")
    bench.wake()
    host = Host(bench)
    host.greet()
    assert host.welcome["options"] == 1 << 4 | 1 << 10 | 1 << 11


def test_a_board_with_another_key_greets_nobody(bench):
    stranger = Host(bench, wire.OTHER_PSK)
    assert _kinds(stranger.send(stranger.hello())) == [codes.WHO]
    assert bench.post.link.forged == 1


def test_who_is_said_at_most_once_a_second(bench):
    stranger = Host(bench, wire.OTHER_PSK)
    stranger.keys = wire.keys(wire.OTHER_PSK, wire.HOST_NONCE, bytes(16), wire.UID)
    said = []
    for _ in range(500):
        said += _kinds(stranger.send(stranger.frame(wire.PING, bytes(4))))
    assert said == [codes.WHO] * 3
    assert bench.post.link.forged == 0, "without a session there is no key to judge by"


def test_with_a_session_nobody_is_asked_who_they_are(bench, host):
    stranger = Host(bench, wire.OTHER_PSK)
    assert codes.WHO not in _kinds(stranger.send(stranger.hello()))


def test_a_replayed_greeting_disturbs_nothing(bench, host):
    greeting = host.hello()
    host.hold("h", 9000)
    for _ in range(5):
        host.send(greeting)
    assert bench.open
    assert host.ping()["state"] == codes.STATE_HOLD


def test_a_greeting_keeps_no_lost_host_alive(bench, host):
    host.hold("h", 10_000)
    for _ in range(31):
        host.send(host.hello())
        bench.run(95)
    assert not bench.open
    assert bench.post.link.lost


def test_only_the_first_frame_of_the_new_session_ends_the_old_one(bench, host):
    new = Host(bench)
    welcome = [f for kind, f in new.send(new.hello()) if kind == wire.WELCOME][0]
    assert host.ping()["state"] == codes.STATE_IDLE
    new.take_up(welcome)
    new.ping()
    old = host.frame(wire.PING, bytes(4))
    assert codes.STATUS not in _kinds(host.send(old))


def test_a_further_greeting_replaces_the_pending_session(bench, host):
    first, second = Host(bench), Host(bench)
    welcome = [f for kind, f in first.send(first.hello()) if kind == wire.WELCOME][0]
    second.greet()
    first.take_up(welcome)
    assert codes.STATUS not in _kinds(first.send(first.frame(wire.PING, bytes(4))))


def test_a_stale_first_frame_begins_no_session(bench):
    host = Host(bench)
    host.take_up([f for kind, f in host.send(host.hello()) if kind == wire.WELCOME][0])
    host.counter = -1
    assert host.send(host.frame(wire.PING, bytes(4))) == []
    assert host.ping()["state"] == codes.STATE_IDLE


def test_a_greeting_with_a_counter_is_noise(bench):
    key = wire.keys(wire.PSK, wire.HOST_NONCE, bytes(16), wire.UID)["hello"]
    packet = wire.packet(key, wire.HELLO, 1, wire.body(wire.HELLO, host_nonce=wire.HOST_NONCE))
    assert Host(bench).send(wire.line(packet)) == []
    assert bench.post.link.noise == 1


def test_a_day_old_session_orders_nothing_and_still_answers(bench, host):
    for _ in range(9):
        bench.run(DAY_MS // 8, every=DAY_MS // 8)
        host.ping()
    assert host.open("a") == ("SESSION_OLD", 0)
    assert host.ping()["session_ms"] == DAY_MS
    host.greet()
    assert host.open("a") == ("DONE", 0)


def test_a_session_sends_nothing_once_its_counter_is_used_up():
    session = Session(Key(b"k"), bytes(16), bytes(16), bytes(8))
    session._sent = 0xFFFFFFFD
    assert session.seal(codes.STATUS, b"") != b""
    assert session.seal(codes.STATUS, b"") == b""


def test_without_a_key_nobody_is_believed():
    bench = Bench(config.fallback())
    bench.wake()
    host = Host(bench)
    assert _kinds(host.send(host.hello())) == [codes.WHO]
    assert _kinds(host.send(host.hello())) == []


# What is dropped


def _forge(host: Host) -> bytes:
    packet = wire.packet(wire.OTHER_PSK, wire.OPEN, host.counter + 9, bytes(15))
    line: bytes = wire.line(packet)
    return line


def test_three_forged_frames_in_a_second_make_it_deaf_for_a_second(bench, host):
    for _ in range(3):
        host.send(_forge(host))
    assert host.send(host.frame(wire.PING, bytes(4))) == []
    bench.run(900)
    assert codes.STATUS not in _kinds(host.send(host.frame(wire.PING, bytes(4)) + b"\0\1"))
    bench.run(200)
    status = host.ping()
    assert status["forged"] == 3
    assert (codes.FORGED, 0) in host.keep_all()


def test_what_follows_the_third_forged_frame_in_the_same_breath_is_not_heard(bench, host):
    good = host.frame(wire.PING, bytes(4))
    assert _kinds(host.send(_forge(host) * 3 + good)) in ([], [codes.EVENT])


def test_two_forged_frames_a_second_are_only_counted(bench, host):
    for _ in range(6):
        host.send(_forge(host))
        bench.run(600)
        assert host.ping()["forged"]


def test_an_authentic_frame_of_an_unknown_type_is_answered(bench, host):
    (kind, fields), = host.send(host.frame(0x42, b"anything"))
    assert kind == wire.RESULT
    assert (fields["id"], fields["result"]) == (bytes(8), codes.UNKNOWN_ORDER)


def test_a_forged_frame_of_an_unknown_type_is_forged(bench, host):
    assert host.send(wire.line(wire.packet(wire.OTHER_PSK, 0x42, 99, b""))) == []
    assert (bench.post.link.noise, bench.post.link.forged) == (0, 1)


def test_the_counts_of_dropped_frames_stop_at_their_end(bench, host):
    bench.post.link.noise = bench.post.link.forged = 65_534
    for _ in range(3):
        host.send(b"\0garbage\0")
        bench.run(1200)
        host.send(_forge(host))
        status = host.ping()
    assert (status["noise"], status["forged"]) == (65_535, 65_535)


# The host


def test_a_host_is_lost_after_3_s_and_back_with_its_next_frame(bench, host):
    bench.run(2990)
    assert not bench.post.link.lost
    bench.run(20)
    assert bench.post.link.lost
    assert bench.board.sent == b"", "to a lost host nothing is told"
    host.ping()
    assert host.keep_all() == [(codes.HOST_LOST, 0), (codes.HOST_BACK, 0)]


def test_a_board_that_never_had_a_host_has_lost_none(bench):
    bench.run(20_000)
    assert not bench.post.link.lost


# Orders


def test_an_order_past_its_deadline_is_refused(bench, host):
    now = host.ping()["session_ms"]
    assert host.open("a", until=now + 4)[0] == "EXPIRED"
    assert host.open("a", until=now + 15)[0] == "DONE"


def test_an_order_that_would_live_longer_than_5_s_is_refused(bench, host):
    now = host.ping()["session_ms"]
    assert host.open("a", until=now + 5006)[0] == "BAD_VALUE"
    assert host.open("a", until=now + 5010)[0] == "DONE"


def test_an_order_without_an_id_is_refused(bench, host):
    until = host.ping()["session_ms"] + 1000
    body = wire.body(wire.OPEN, id=bytes(8), until=until, pulse=500, origin=1)
    (_, fields), = host.send(host.frame(wire.OPEN, body))
    assert fields["result"] == codes.BAD_VALUE


def test_an_order_of_an_unknown_origin_is_refused(bench, host):
    assert host.open("a", origin=2)[0] == "BAD_VALUE"


def test_an_order_is_obeyed_once_however_often_it_comes(bench, host):
    assert host.open("a", 2000) == ("DONE", codes.CLAMPED)
    bench.run(2990)
    for _ in range(20):
        assert host.open("a", 2000) == ("DONE", codes.CLAMPED | codes.AGAIN)
        bench.run(500)
    assert bench.pulses() == [1500]


def test_it_is_obeyed_once_over_sessions_too(bench, host):
    host.open("a")
    bench.run(2600)
    host.greet()
    assert host.open("a") == ("DONE", codes.AGAIN)


def test_a_refused_order_may_be_tried_again(bench, host):
    bench.turn("stop", True)
    bench.run(50)
    assert host.open("a") == ("STOPPED", 0)
    bench.turn("stop", False)
    bench.run(50)
    assert host.open("a") == ("DONE", 0)


def test_sixteen_orders_are_remembered(bench, host):
    host.open("first")
    for number in range(15):
        host.release(f"r{number}")
    assert host.open("first") == ("DONE", codes.AGAIN)
    host.release("one more")
    bench.run(2900)
    assert host.open("first") == ("DONE", 0)


# Events


def test_an_event_is_told_every_250_ms_until_it_is_kept(bench, host):
    bench.press("hand_button", 50)
    told = []
    for _ in range(10):
        bench.run(100)
        told += [f["age"] for kind, f in host.listen() if kind == wire.EVENT]
    assert len(told) >= 4
    assert {b - a for a, b in zip(told, told[1:], strict=False)} == {250}
    assert host.ping(kept=host.kept)["waiting"] == 1
    assert host.ping(kept=host.kept + 1)["waiting"] == 0


def test_numbers_are_given_in_the_order_of_leaving(bench):
    bench.press("hand_button")
    host = Host(bench)
    host.greet()
    host.keep_all()
    numbers = [f["number"] for kind, f in host.heard if kind == wire.EVENT]
    assert sorted(set(numbers)) == [1, 2]


def test_a_number_that_was_never_given_keeps_nothing(bench, host):
    bench.press("hand_button")
    for kept in (host.kept + 2, 0xFFFFFFFF, 0):
        assert host.ping(kept=kept)["waiting"] == 1


def test_a_new_session_hears_the_oldest_event_at_once(bench, host):
    bench.press("hand_button")
    host.listen()
    new = Host(bench)
    new.greet()
    assert _kinds(new.heard) == [codes.WELCOME, codes.STATUS, codes.EVENT]


def test_a_full_queue_loses_the_newest_and_counts_it(bench):
    for _ in range(10):
        bench.press("tamper")
    host = Host(bench)
    host.greet()
    status = host.ping()
    assert (status["waiting"], status["lost"]) == (16, 5)


def test_an_opening_by_hand_takes_the_place_of_a_lesser_event(bench):
    for _ in range(10):
        bench.press("tamper")
    bench.press("hand_button")
    host = Host(bench)
    host.greet()
    assert host.ping()["lost"] == 6
    kinds = [kind for kind, _ in host.keep_all()]
    assert kinds.count(codes.MANUAL_OPEN) == 1
    assert len(kinds) == 16


def test_a_queue_full_of_openings_loses_the_next_and_counts_it(bench):
    for _ in range(20):
        bench.press("hand_button", 100)
        bench.run(1000)
    host = Host(bench)
    host.greet()
    assert host.ping()["lost"] == 5, "STARTED gave way, four presses found no room"
    assert [k for k, _ in host.keep_all()] == [codes.MANUAL_OPEN] * 16


def test_the_count_of_lost_events_stops_at_255(bench):
    for _ in range(300):
        bench.post.events.tell(codes.TAMPER_ON)
    assert bench.post.events.lost == 255
