"""A file under a passphrase: each thing that can be wrong has its own error."""

from __future__ import annotations

import hashlib
import json
import struct

import pytest

from appliance import container
from appliance.container import (
    CHUNK,
    MAGIC,
    Cost,
    CutOff,
    Damaged,
    NotOurs,
    OtherVersion,
    WrongPassphrase,
)

CHEAP = Cost(1, 8, 1)
WORDS = "correct horse battery staple"


def packed(content=b"content", **changes):
    data = container.pack(content, WORDS, "thing", CHEAP)
    return with_header(data, **changes) if changes else data


def with_header(data, raw=None, **changes):
    (length,) = struct.unpack_from(">I", data, len(MAGIC))
    at = len(MAGIC) + 4
    header = json.loads(data[at:at + length])
    text = raw if raw is not None else json.dumps({**header, **changes}).encode()
    return (MAGIC + struct.pack(">I", len(text)) + text + hashlib.sha256(text).digest()
            + data[at + length + 32:])


def opened(data, words=WORDS, kind="thing"):
    return container.unpack(data, words, kind)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_what_went_in_comes_out(size):
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    data = packed(content)
    assert opened(data) == content
    assert size < 64 or content[:64] not in data


def test_the_real_cost_of_a_guess_is_the_recommended_one():
    assert Cost() == Cost(3, 65536, 4)
    (length,) = struct.unpack_from(">I", data := container.pack(b"", WORDS, "thing"), len(MAGIC))
    assert json.loads(data[12:12 + length])["memory_kib"] == 65536


def test_two_files_of_the_same_content_share_nothing_but_their_shape():
    one, two = packed(b"x" * 1000), packed(b"x" * 1000)
    assert one[-900:] != two[-900:]


def test_a_wrong_passphrase_is_told_from_a_damaged_file():
    with pytest.raises(WrongPassphrase):
        opened(packed(), WORDS.upper())


def test_every_single_changed_byte_is_refused():
    data = packed(b"abc" * 20)
    for at in range(len(data)):
        spoilt = bytearray(data)
        spoilt[at] ^= 0x41
        with pytest.raises((NotOurs, Damaged, CutOff)):
            opened(bytes(spoilt))


@pytest.mark.parametrize("size", [60, CHUNK + 60])
def test_every_cut_is_called_a_cut(size):
    data = packed(b"a" * size)
    for end in {*range(1, min(400, len(data))), *range(400, len(data), 997), len(data) - 1}:
        with pytest.raises(CutOff):
            opened(data[:end])


def test_parts_cannot_be_dropped_swapped_doubled_or_followed():
    data = packed(b"a" * CHUNK + b"b" * CHUNK + b"c")
    head = data[:-(2 * (CHUNK + 20) + 21)]
    one, two, three = (data[len(head):][: CHUNK + 20], data[len(head):][CHUNK + 20:][: CHUNK + 20],
                       data[-21:])
    assert head + one + two + three == data
    for parts in ((one, three), (two, one, three), (one, one, two, three), (three,),
                  (one, two, three, three), (one, two, three, b"\0")):
        with pytest.raises(Damaged):
            opened(head + b"".join(parts))
    with pytest.raises(CutOff):
        opened(head + one + two)


@pytest.mark.parametrize("data", [b"", b"PK\3\4 something else", b"\0" * 100, b"POSTERN2" * 9])
def test_something_else_is_called_so(data):
    with pytest.raises(NotOurs):
        opened(data)


def test_another_version_is_called_so():
    with pytest.raises(OtherVersion, match="version 2"):
        opened(packed(version=2))


def test_a_file_of_another_kind_is_called_so():
    with pytest.raises(NotOurs, match="no backup"):
        opened(packed(), kind="backup")


@pytest.mark.parametrize("changes", [
    {"kdf": "none"}, {"salt": "00"}, {"salt": "zz"}, {"check": 1}, {"passes": "3"},
    {"passes": 0}, {"passes": 10_000}, {"memory_kib": 2**31}, {"memory_kib": 1}, {"lanes": 0},
    {"lanes": True}, {"version": "two"}, {"raw": b"[]"}, {"raw": b"{"}, {"raw": b"{}"},
])
def test_a_header_written_to_harm_is_refused_before_it_costs_anything(changes):
    with pytest.raises(NotOurs):
        opened(packed(**changes))


def test_a_header_of_unlikely_length_is_damage():
    with pytest.raises(Damaged, match="header"):
        opened(MAGIC + b"\xff\xff\xff\xff" + b"x" * 100)


def test_a_header_with_another_salt_does_not_open():
    with pytest.raises(WrongPassphrase):
        opened(packed(salt="00" * 16))
