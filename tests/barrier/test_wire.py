"""The host's codec against the vectors that bind both sides, and against chance."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.barrier import messages, wire
from appliance.barrier.messages import Type
from tests.fakes.wire_board import third_implementation

third = third_implementation()
VECTORS = json.loads(third.FILE.read_text(encoding="ascii"))
KEYS = {name: bytes.fromhex(key) for name, key in VECTORS["handshake"]["keys"].items()}
FRAMES = {frame["name"]: frame for frame in VECTORS["frames"]}


def _line(entry: dict[str, str]) -> bytes:
    return bytes.fromhex(entry["line"])


def _one(line: bytes) -> wire.Packet:
    (packet,) = wire.Receiver().feed(line)
    return packet


# The vectors


def test_the_vectors_are_what_the_protocol_makes_of_them():
    assert third.FILE.read_text(encoding="ascii") == third.text()


@pytest.mark.parametrize("entry", VECTORS["cobs"], ids=lambda e: f"{len(e['plain']) // 2} bytes")
def test_cobs_is_as_in_the_vectors(entry):
    plain, coded = bytes.fromhex(entry["plain"]), bytes.fromhex(entry["coded"])
    assert wire.cobs_encode(plain) == coded
    assert wire.cobs_decode(coded) == plain


@pytest.mark.parametrize("coded", VECTORS["not_cobs"])
def test_what_no_encoder_writes_is_not_decoded(coded):
    assert wire.cobs_decode(bytes.fromhex(coded)) is None


@pytest.mark.parametrize("entry", VECTORS["hmac"], ids=lambda e: f"{len(e['text']) // 2} bytes")
def test_the_mac_is_as_in_the_vectors(entry):
    found = wire.mac(bytes.fromhex(entry["key"]), bytes.fromhex(entry["text"]))
    assert found.hex() == entry["hmac"]


@pytest.mark.parametrize("entry", VECTORS["ids"], ids=lambda e: e["order"] or "empty")
def test_order_ids_are_shortened_as_in_the_vectors(entry):
    assert messages.short_id(entry["order"]).hex() == entry["id"]


@pytest.mark.parametrize(
    "entry", [f for f in VECTORS["frames"] if f["key"]], ids=lambda e: e["name"]
)
def test_every_frame_is_made_and_read_as_in_the_vectors(entry):
    key, body = KEYS[entry["key"]], bytes.fromhex(entry["body"])
    assert wire.frame(key, entry["type"], entry["counter"], body) == _line(entry)
    packet = _one(_line(entry))
    assert (packet.type, packet.counter, packet.body) == (entry["type"], entry["counter"], body)
    assert packet.tagged_by(key)
    assert not [k for k in KEYS.values() if k != key and packet.tagged_by(k)]


@pytest.mark.parametrize("entry", VECTORS["receiver"], ids=lambda e: e["name"])
def test_runs_of_bytes_are_cut_as_in_the_vectors(entry):
    assert len(wire.Receiver().feed(_line(entry))) == entry["packets"]


@pytest.mark.parametrize(
    "entry", [r for r in VECTORS["refused"] if r["counts"] == "noise"], ids=lambda e: e["name"]
)
def test_noise_is_no_message(entry):
    receiver = wire.Receiver()
    for packet in receiver.feed(_line(entry)):
        assert messages.parse(packet.type, packet.body) is None
        assert len(packet.body) != 4  # PING's length: what is left was refused by its body


def test_who_says_nothing_and_has_no_tag():
    packet = _one(_line(FRAMES["who"]))
    assert (packet.type, packet.counter, packet.body) == (Type.WHO, 0, b"")
    assert not any(packet.tagged_by(key) for key in KEYS.values())


# Messages


ORDER = messages.short_id("auto-track-7")
PERSON = messages.short_id("person-1")


@pytest.mark.parametrize(("name", "message"), [
    ("hello", messages.Hello(bytes(range(16)))),
    ("ping, 300 kept", messages.Ping(300)),
    ("open by the box", messages.Open(ORDER, 63_234, 500, by_a_person=False)),
    ("open by a person", messages.Open(PERSON, 2, 100, by_a_person=True)),
    ("hold", messages.Hold(PERSON, 70_000, 10_000)),
    ("release", messages.Release(PERSON, 70_001)),
])
def test_what_the_host_says_is_as_in_the_vectors(name, message):
    assert message.body().hex() == FRAMES[name]["body"]
    assert message.type == FRAMES[name]["type"]


def test_no_message_of_the_host_closes():
    words = {name.lower() for name in Type.__members__} | {n.lower() for n in dir(messages)}
    assert not {"close", "toggle", "cycle"} & words


@pytest.mark.parametrize(
    "entry", [f for f in VECTORS["frames"] if f["type"] in (0x90, 0x91, 0x92)],
    ids=lambda e: e["name"],
)
def test_what_the_controller_says_is_read_as_in_the_vectors(entry):
    message = messages.parse(entry["type"], bytes.fromhex(entry["body"]))
    assert message is not None
    for name, value in entry["fields"].items():
        found = getattr(message, {"result": "answer"}.get(name, name))
        assert (found.hex() if isinstance(found, bytes) else found) == value


def test_a_welcome_is_read_as_in_the_vectors():
    entry = FRAMES["welcome"]
    welcome = messages.parse_welcome(bytes.fromhex(entry["body"]))
    assert welcome is not None
    for name, value in entry["fields"].items():
        found = getattr(welcome, name)
        assert (found.hex() if isinstance(found, bytes) else found) == value


@pytest.mark.parametrize("body", [b"", bytes(53), bytes(54 + 33)])
def test_a_welcome_of_another_length_is_none(body):
    assert messages.parse_welcome(body) is None


def test_a_name_that_is_no_text_is_shown_and_not_raised():
    welcome = messages.parse_welcome(bytes(54) + b"\xff\xfe")
    assert welcome is not None
    assert welcome.name == "\ufffd\ufffd"


@pytest.mark.parametrize("kind", [0x90, 0x91, 0x92, 0x10, 0x81, 0x9F, 0x00, 0xFF])
@pytest.mark.parametrize("length", [0, 9, 11, 15, 28, 30, 110])
def test_a_body_of_another_length_is_no_message(kind, length):
    assert messages.parse(kind, bytes(length)) is None


@pytest.mark.parametrize(("kind", "at"), [(0x90, 4), (0x91, 8)])
def test_a_word_of_another_version_is_no_message(kind, at):
    body = bytearray({0x90: 29, 0x91: 14}[kind])
    assert messages.parse(kind, bytes(body)) is not None
    body[at] = 200
    assert messages.parse(kind, bytes(body)) is None


def test_an_input_that_is_not_known_is_none():
    entry = FRAMES["status, idle"]
    status = messages.parse(0x90, bytes.fromhex(entry["body"]))
    assert isinstance(status, messages.Status)
    assert status.reads(messages.Input.ENTRY_LOOP) is True
    assert status.reads(messages.Input.PHOTOCELL) is False
    assert status.reads(messages.Input.TAMPER) is None


# Chance


@given(st.binary(max_size=600))
def test_cobs_has_no_zero_and_comes_back(plain):
    coded = wire.cobs_encode(plain)
    assert 0 not in coded
    assert wire.cobs_decode(coded) == plain
    assert coded == third.cobs(plain)


@given(st.binary(max_size=140))
def test_both_decoders_agree_about_any_bytes(coded):
    try:
        plain = third.uncobs(coded)
    except ValueError:
        plain = None
    assert wire.cobs_decode(coded) == plain


@given(
    key=st.binary(min_size=32, max_size=32), kind=st.integers(0, 255),
    counter=st.integers(0, 0xFFFFFFFF), body=st.binary(max_size=110),
)
def test_any_packet_comes_back_and_only_its_key_made_it(key, kind, counter, body):
    line = wire.frame(key, kind, counter, body)
    assert line == third.line(third.packet(key, kind, counter, body))
    packet = _one(line)
    assert (packet.type, packet.counter, packet.body) == (kind, counter, body)
    assert packet.tagged_by(key)
    assert not packet.tagged_by(bytes([key[0] ^ 1]) + key[1:])


@given(
    bodies=st.lists(st.binary(max_size=110), max_size=6), noise=st.binary(max_size=300),
    seed=st.integers(0, 1 << 32),
)
def test_it_does_not_matter_how_the_line_is_cut_up(bodies, noise, seed):
    key, chance = bytes(32), random.Random(seed)
    stream = noise + b"".join(wire.frame(key, 1, n, body) for n, body in enumerate(bodies))
    whole, pieces, found = wire.Receiver(), wire.Receiver(), []
    at = 0
    while at < len(stream):
        step = chance.randint(1, 40)
        found += pieces.feed(stream[at : at + step])
        at += step
    assert found == whole.feed(stream)
    assert pieces.noise == whole.noise
    assert [p.body for p in found if p.tagged_by(key)] == bodies


@given(flips=st.sets(st.integers(0, 49 * 8 - 1), min_size=1, max_size=8))
def test_a_garbled_status_is_never_taken_for_an_authentic_one(flips):
    line = bytearray(_line(FRAMES["status, idle"]))
    for bit in flips:
        line[bit // 8] ^= 1 << bit % 8
    for packet in wire.Receiver().feed(bytes(line)):
        whole = packet == _one(_line(FRAMES["status, idle"]))
        assert whole or not packet.tagged_by(KEYS["to_host"])


def test_a_body_too_long_for_a_packet_is_a_mistake_of_ours():
    wire.frame(bytes(32), 1, 1, bytes(110))
    with pytest.raises(ValueError, match="128"):
        wire.frame(bytes(32), 1, 1, bytes(111))


def test_a_run_without_end_takes_no_memory():
    receiver = wire.Receiver()
    for _ in range(1000):
        receiver.feed(b"\xaa" * 4096)
    assert len(receiver._run) <= wire.MOST_ON_THE_LINE
    assert receiver.feed(b"\0" + _line(FRAMES["hello"])) == [_one(_line(FRAMES["hello"]))]
    assert receiver.noise == 1


def test_the_page_beside_the_vectors_names_every_frame():
    page = Path(third.FILE).with_name("PROTOCOL.md").read_text(encoding="utf-8")
    for kind in Type:
        assert f"0x{kind:02X}" in page
