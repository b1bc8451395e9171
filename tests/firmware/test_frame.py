"""Bytes, frames and the keyed digest, by the shared examples and by RFC 4231."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from gatepost import codes, frame
from gatepost.digest import Key
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.firmware.conftest import FIRMWARE
from tests.firmware.rig import Bench, Host, wire

VECTORS = json.loads((FIRMWARE / "vectors.json").read_text(encoding="ascii"))

# RFC 4231, section 4: cases 1, 2, 3, 4, 6 and 7 (5 is about shortening, which is ours to test)
RFC_4231 = [
    ("0b" * 20, b"Hi There".hex(),
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (b"Jefe".hex(), b"what do ya want for nothing?".hex(),
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    ("aa" * 20, "dd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    ("".join(f"{i:02x}" for i in range(1, 26)), "cd" * 50,
     "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
    ("aa" * 131, b"Test Using Larger Than Block-Size Key - Hash Key First".hex(),
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
    ("aa" * 131, (b"This is a test using a larger than block-size key and a larger than "
                  b"block-size data. The key needs to be hashed before being used by the "
                  b"HMAC algorithm.").hex(),
     "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
]


def _by_name(cases: list[dict[str, object]]) -> list[object]:
    return [pytest.param(case, id=str(case["name"])) for case in cases]


@pytest.mark.parametrize(("key", "text", "mac"), RFC_4231)
def test_the_digest_is_that_of_rfc_4231(key, text, mac):
    assert Key(bytes.fromhex(key)).mac(bytes.fromhex(text)).hex() == mac


@given(st.binary(max_size=200), st.binary(max_size=200))
@settings(max_examples=50)
def test_the_digest_is_that_of_the_standard_library(key, text):
    assert Key(key).mac(text) == hmac.new(key, text, hashlib.sha256).digest()


def test_a_tag_fits_only_whole():
    key, text = Key(b"key"), b"text"
    tag = key.mac(text)[:8]
    assert key.fits(text, tag)
    for i in range(8):
        wrong = bytes(b ^ (1 if j == i else 0) for j, b in enumerate(tag))
        assert not key.fits(text, wrong)


def test_the_shared_examples_of_cobs():
    for case in VECTORS["cobs"]:
        plain, coded = bytes.fromhex(case["plain"]), bytes.fromhex(case["coded"])
        assert frame.cobs(plain) == coded
        assert frame.uncobs(coded) == plain


@pytest.mark.parametrize("coded", VECTORS["not_cobs"])
def test_what_no_coder_writes_is_refused(coded):
    assert frame.uncobs(bytes.fromhex(coded)) is None


@given(st.binary(max_size=600))
@settings(max_examples=100)
def test_coding_and_back_is_the_same_without_a_zero(plain):
    coded = frame.cobs(plain)
    assert 0 not in coded
    assert frame.uncobs(coded) == plain


def test_the_shared_examples_of_the_digest():
    for case in VECTORS["hmac"]:
        key, text = bytes.fromhex(case["key"]), bytes.fromhex(case["text"])
        assert Key(key).mac(text).hex() == case["hmac"]


@pytest.mark.parametrize("case", _by_name(VECTORS["frames"]))
def test_each_example_frame_is_made_and_read_to_the_letter(case):
    key = Key(bytes.fromhex(VECTORS["handshake"]["keys"][case["key"]])) if case["key"] else None
    body = bytes.fromhex(case["body"])
    assert frame.seal(key, case["type"], case["counter"], body).hex() == case["line"]
    found = frame.parse(bytes.fromhex(case["line"])[1:-1])
    assert found is not None
    assert (found.kind, found.counter, found.body) == (case["type"], case["counter"], body)
    assert key is None or found.proven_by(key)


@pytest.mark.parametrize("case", _by_name(VECTORS["receiver"]))
def test_the_receiver_finds_each_example_whole_or_in_pieces(case):
    line = bytes.fromhex(case["line"])
    for size in (1, 7, len(line)):
        receiver, found = frame.Receiver(), []
        for at in range(0, len(line), size):
            receiver.feed(line[at : at + size], found.append)
        assert sum(packet is not None for packet in found) == case["packets"]


def test_the_receiver_keeps_no_more_than_a_frame():
    receiver = frame.Receiver()
    for _ in range(1000):
        receiver.feed(b"\x11" * 100, lambda packet: None)
        assert len(receiver._run) <= 130


def _in_session() -> tuple[Bench, Host]:
    """A session with exactly the nonces and so the keys of the examples."""
    bench = Bench()
    bench.board.nonce = wire.BOARD_NONCE
    bench.wake()
    host = Host(bench)
    welcome = [f for kind, f in host.send(host.hello()) if kind == wire.WELCOME][0]
    host.take_up(welcome)
    return bench, host


def test_the_handshake_gives_the_keys_of_the_examples():
    _, host = _in_session()
    keys = {name: key.hex() for name, key in host.keys.items()}
    assert keys == VECTORS["handshake"]["keys"]


@pytest.mark.parametrize(
    "case", _by_name([c for c in VECTORS["refused"] if c["to"] == "to_board"])
)
def test_each_refused_example_is_dropped_and_counted(case):
    bench, host = _in_session()
    host.ping()
    before = bench.post.link.noise, bench.post.link.forged
    answers = host.send(bytes.fromhex(case["line"]))
    assert [kind for kind, _ in answers if kind != wire.EVENT] == []
    link = bench.post.link
    told = {"noise": (1, 0), "forged": (0, 1), "stale": (0, 0)}[case["counts"]]
    assert (link.noise - before[0], link.forged - before[1]) == told


def test_the_examples_of_the_counter():
    _, host = _in_session()
    for case in VECTORS["counters"]:
        answers = host.send(bytes.fromhex(case["line"]))
        taken = any(kind == codes.STATUS for kind, _ in answers)
        assert taken == case["taken"], case["counter"]
