"""A line on which nobody authentic speaks: whatever arrives, nothing is believed and nothing grows.

The seed is printed with a failure; ``POSTERN_FUZZ_SEED`` replays it.
"""

from __future__ import annotations

import os
import random
import struct
import tracemalloc
from binascii import crc32

import pytest

from appliance.barrier.drivers.pico import Pico
from appliance.errors import LinkLost
from tests.fakes.barrier import Time
from tests.fakes.wire_board import OTHER_PSK, PSK, Cable, WireBoard, m

SHORT, LONG = 200_000, 10_000_000
PIECE = 2048


class Babble:
    """A port that has recorded a whole honest session and plays everything but honesty."""

    def __init__(self, cable: Cable, seed: int) -> None:
        self.bytes = 0
        self.pieces = 0
        self._time = cable.board.time
        self._chance = random.Random(seed)
        self._sent = cable.sent
        self._recorded = [*cable.sent, *cable.heard]

    def read(self, wait_s: float) -> bytes:
        self._time.pass_(max(1e-3, min(wait_s, 0.02)))
        if wait_s == 0.0:
            return b""
        piece = b""
        while len(piece) < PIECE:
            piece += self._chance.choice(self._ways)(self)
        self.bytes += len(piece)
        self.pieces += 1
        return piece

    def write(self, frame: bytes) -> None:
        self._sent.append(frame)
        del self._sent[:-8]

    def close(self) -> None: ...

    def _noise(self) -> bytes:
        return self._chance.randbytes(self._chance.randint(1, 400))

    def _few_zeros(self) -> bytes:
        return self._noise().replace(b"\0", b"\x01")

    def _zeros(self) -> bytes:
        return bytes(self._chance.randint(1, 200))

    def _replay(self) -> bytes:
        return self._chance.choice(self._recorded)

    def _echo(self) -> bytes:
        return self._sent[-1] if self._sent else b"\0"

    def _bit_flips(self) -> bytes:
        changed = bytearray(self._replay())
        for _ in range(self._chance.randint(1, 4)):
            changed[self._chance.randrange(len(changed))] ^= 1 << self._chance.randrange(8)
        return bytes(changed)

    def _cut_off(self) -> bytes:
        return self._replay()[: self._chance.randint(0, 40)]

    def _forged(self) -> bytes:
        """Well formed, with a good check sum, from somebody without the key."""
        kind = self._chance.choice([0x90, 0x91, 0x92, 0x81, 0x9F, self._chance.randrange(256)])
        counter = self._chance.choice([0, 1, 50, 0xFFFFFFFF, self._chance.randrange(1 << 32)])
        body = self._chance.randbytes(self._chance.choice([0, 10, 14, 29, 54, 60, 110]))
        return bytes(m.line(m.packet(OTHER_PSK, kind, counter, body)))

    def _mutated(self) -> bytes:
        """An honest packet of before with another counter or byte and a good check sum."""
        packet = bytearray(m.uncobs(self._replay().strip(b"\0"))[:-4])
        struct.pack_into("<I", packet, 2, self._chance.randrange(1 << 32))
        packet[self._chance.randrange(len(packet))] = self._chance.randrange(256)
        return bytes(m.line(bytes(packet) + struct.pack("<I", crc32(packet))))

    _ways = (
        _noise, _few_zeros, _zeros, _replay, _echo, _bit_flips, _cut_off, _forged, _mutated,
    )


def _babble(least_bytes: int, seed: int) -> tuple[int, int, int]:
    """Bytes heard, orders asked, and by how many bytes the memory grew after the first tenth."""
    time = Time()
    board = WireBoard(time)
    cable = Cable(board)
    line: list[object] = [cable]
    driver = Pico("port", PSK, now=time, open_port=lambda path: line[-1])  # type: ignore
    driver.connect()
    driver.open("order", 500, life_s=2.0)
    board.happens(2)
    time.pass_(0.3)
    driver.status()
    (event,) = driver.events()
    driver.acknowledge(event)
    babble = Babble(cable, seed)
    driver._line._port = babble
    line.append(babble)
    asked, warm = 0, 0
    tracemalloc.start()
    try:
        while babble.bytes < least_bytes:
            _ask_everything(driver)
            asked += 1
            if not warm and babble.bytes >= least_bytes / 10:
                warm = tracemalloc.get_traced_memory()[0]
        grown = tracemalloc.get_traced_memory()[0] - warm
    finally:
        tracemalloc.stop()
    assert driver.events() == ()
    assert driver.controller().serial == m.UID.hex()
    return babble.bytes, asked, grown


def _ask_everything(driver: Pico) -> None:
    """In the session and while greeting anew: every call has to end as a lost link."""
    for call in (
        driver.status, lambda: driver.open("order", 500, life_s=2.0),
        lambda: driver.hold_open("hold", 5.0, life_s=2.0), driver.release,
    ):
        with pytest.raises(LinkLost):
            call()
    session, greeting = driver._line._session, driver._line._greeting
    with pytest.raises(LinkLost):
        driver.connect()
    driver._line._session, driver._line._greeting = session, greeting


def _seed() -> int:
    seed = int(os.environ.get("POSTERN_FUZZ_SEED", "0")) or random.SystemRandom().getrandbits(32)
    print(f"POSTERN_FUZZ_SEED={seed}")
    return seed


def test_two_hundred_thousand_bytes_of_babble_are_not_believed():
    heard, asked, grown = _babble(SHORT, _seed())
    assert heard >= SHORT
    assert asked >= 1
    assert grown < 64_000


@pytest.mark.firmware
def test_ten_million_bytes_of_babble_are_not_believed():
    heard, asked, grown = _babble(LONG, _seed())
    print(f"{heard} bytes, {5 * asked} calls, memory {grown:+d} bytes")
    assert heard >= LONG
    assert grown < 64_000
