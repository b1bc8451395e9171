"""The driver and the true firmware core over a line that somebody tampers with, in virtual time.

Every second of it is decided by a seed, printed with a failure; ``POSTERN_CAMPAIGN_SEED`` replays
one. The rules it is judged by are in tests/fakes/wire_ledger.py.
"""

from __future__ import annotations

import os
import random

import pytest

from appliance.barrier.drivers.pico import Pico
from tests.fakes.barrier import Time
from tests.fakes.wire_board import PSK, Cable, WireBoard
from tests.fakes.wire_ledger import Asked, Ledger
from tests.fakes.wire_post import WirePost

SHORT, LONG = 2, 120
ACTS = 60
WRAP_S = (1 << 30) / 1000
SLACK_S = 0.011  # two passes of the superloop and the rounding of its clock


class TamperedCable(Cable):
    """Turns bits over, cuts off, doubles, swaps, delays and repeats frames, either way."""

    def __init__(self, board: WirePost, chance: random.Random) -> None:
        super().__init__(board)
        self._chance = chance
        self.trouble = 0.0
        self.delay_most_s = 0.0

    def write(self, frame: bytes) -> None:
        self._check()
        self.sent.append(frame)
        if not self.cut:
            for one in self._tampered(frame):
                self._there.append((self._due_at(), one))
            self.pump()

    def pump(self) -> None:
        for _, frame in self._due(self._there):
            self.board.hear(frame)
        self.board.tick()
        out, self.board.out = self.board.out, b""
        if self.cut or self.mute:
            return
        for run in out.split(b"\0"):
            if run:
                frame = b"\0" + run + b"\0"
                self.heard.append(frame)
                self._back += [(self._due_at(), one) for one in self._tampered(frame)]

    def replay(self) -> None:
        """Old frames of any session, to either side."""
        for _ in range(self._chance.randint(1, 5)):
            if self.sent and self._chance.random() < 0.7:
                self.board.hear(self._chance.choice(self.sent))
            elif self.heard:
                self._back.append((self._due_at(), self._chance.choice(self.heard)))

    def _due_at(self) -> float:
        return self.board.time.now + self._chance.uniform(0, self.delay_most_s)

    def _tampered(self, frame: bytes) -> list[bytes]:
        if self._chance.random() >= self.trouble:
            return [frame]
        way = self._chance.randrange(5)
        if way == 0:
            changed = bytearray(frame)
            changed[self._chance.randrange(len(frame))] ^= 1 << self._chance.randrange(8)
            return [bytes(changed)]
        if way == 1:
            return [frame[: self._chance.randrange(len(frame))]]
        if way == 2:
            return [frame, frame]
        if way == 3:
            return [frame, self._chance.choice(self.sent or [frame])]
        return []


def _episode(seed: int) -> tuple[Ledger, WirePost]:
    """One gate's bad afternoon."""
    chance = random.Random(seed)
    time = Time(WRAP_S - chance.uniform(0, 60))
    post = WirePost(time, lockout_ms=1000, per_minute=30)
    cable = TamperedCable(post, chance)
    driver = Pico("port", PSK, now=time, open_port=cable.open, random=chance.randbytes)
    ledger = Ledger(driver, time)
    post.until(time.now + 2.6)
    ledger.reconnect()
    for _ in range(ACTS):
        _act(chance, ledger, cable, post)
        post.until(time.now + chance.choice([0.05, 0.05, 0.3, 1.2, 3.5]))
    cable.cut = True
    post.until(time.now + 12)
    post.changes.append((time.now, post.outputs))
    return ledger, post


def _act(chance: random.Random, ledger: Ledger, cable: TamperedCable, post: WirePost) -> None:
    act = chance.randrange(12)
    if act <= 2:
        ledger.open(chance.choice([100, 300, 1500]), life_s=chance.choice([0.3, 1.0, 2.0]))
    elif act <= 4:
        ledger.hold(chance.choice([0.5, 2.0, 10.0]), life_s=chance.choice([0.3, 2.0]))
    elif act == 5:
        ledger.again(1.0)
    elif act == 6:
        ledger.release()
    elif act == 7:
        cable.replay()
    elif act == 8:
        cable.trouble = chance.choice([0.0, 0.0, 0.2, 0.5])
        cable.delay_most_s = chance.choice([0.0, 0.0, 0.2, 1.5])
    elif act == 9:
        cable.cut = chance.random() < 0.3
        cable.mute = chance.random() < 0.3
    elif act == 10 and chance.random() < 0.4:
        post.restart()
    else:
        ledger.look()


def _campaign(episodes: int) -> str:
    first = int(os.environ.get("POSTERN_CAMPAIGN_SEED", "0"))
    seeds = [first] if first else [
        random.SystemRandom().getrandbits(40) + 1 for _ in range(episodes)]
    asked = done = lost = closings = 0
    for seed in seeds:
        ledger, post = _episode(seed)
        complaints = ledger.complaints(post.changes, SLACK_S)
        assert not complaints, f"POSTERN_CAMPAIGN_SEED={seed}: {complaints}"
        asked += len(ledger.asked)
        done += sum(order.done for order in ledger.asked)
        lost += ledger.lost
        closings += post.closings
    assert first or min(done, lost, closings) > 0
    return f"{asked} orders, {done} done, {closings} closings, {lost} calls without an answer"


def test_tampering_never_closes_the_relay_without_a_fresh_order():
    _campaign(SHORT)


@pytest.mark.firmware
def test_hours_of_tampering_never_close_the_relay_without_a_fresh_order():
    print(f"\n{LONG} episodes: {_campaign(LONG)}")


# The judge itself can say no


def _judged(changes: list[tuple[float, int]]) -> list[str]:
    time = Time(100.0)
    ledger = Ledger(Pico("port", PSK, now=time, open_port=Cable(WireBoard(time)).open), time)
    ledger.reconnect()
    ledger.open(300, life_s=1.0)
    assert [order.done for order in ledger.asked] == [True]
    return [complaint.split(":")[0] for complaint in ledger.complaints(changes, 0.01)]


@pytest.mark.parametrize(("changes", "complaints"), [
    ([(100.0, 1), (100.3, 0)], []),
    ([(100.9, 1), (101.2, 0)], []),
    ([(99.9, 1), (100.2, 0)], ["FRESH or ONCE"]),
    ([(101.1, 1), (101.4, 0)], ["FRESH or ONCE", "TRUE"]),
    ([(100.0, 1), (100.1, 0), (100.5, 1), (100.6, 0)], ["FRESH or ONCE"]),
    ([(100.0, 1), (100.4, 0)], ["CAPPED"]),
    ([], ["TRUE"]),
])
def test_the_judge_complains_about_what_no_order_explains(changes, complaints):
    assert _judged(changes) == complaints


@pytest.mark.parametrize(("changes", "complaints"), [
    ([(100.5, 1), (100.8, 0)], []),
    ([(100.5, 1), (100.6, 0)], []),
    ([(100.5, 1), (101.0, 0)], ["CAPPED"]),
    ([(100.3, 1), (100.6, 0), (100.7, 1), (101.0, 0)], ["CAPPED"]),
    ([(100.2, 1), (100.3, 0), (100.5, 1), (100.8, 0)], []),
])
def test_of_two_unanswered_orders_either_may_have_closed_it_but_none_twice(changes, complaints):
    time = Time(100.0)
    ledger = Ledger(Pico("port", PSK, now=time, open_port=Cable(WireBoard(time)).open), time)
    ledger.asked = [
        Asked("short", hold=False, asked_mono=100.0, life_s=2.0, length_s=0.1),
        Asked("long", hold=False, asked_mono=100.2, life_s=2.0, length_s=0.3),
    ]
    found = ledger.complaints(changes, 0.01)
    assert [complaint.split(":")[0] for complaint in found] == complaints
