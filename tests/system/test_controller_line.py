"""The real driver, over a pseudo terminal, against the firmware in real MicroPython under Node.

What the relay did is judged by the pins' own history: a closing needs a living, authentic, new
order (tests/fakes/wire_ledger.py), whatever is done to the line, to the board or to this program.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance import clock
from appliance.barrier.drivers.pico import Pico
from appliance.barrier.drivers.seam import EventKind
from appliance.errors import BarrierError, LinkLost, OrderRefused
from appliance.scenario.yard_board import Board
from appliance.scenario.yard_process import SIM, node
from appliance.scenario.yard_wiring import settings_for_a_yard
from tests.fakes.wire_ledger import Ledger
from tests.fakes.wire_proxy import WireProxy
from tests.pace import slowness

pytestmark = [pytest.mark.firmware]

KEY = bytes(range(32))
WAKING_S = 2.6
HOST_LOST_S = 3.0
DEAF_S = 1.3  # three forged frames make the board deaf for a second
ORDERS, BOARDS = 304, 4
ORDER_EVERY_S = 2.05  # the board gives 30 openings a minute
BAR_MS = 25.0
SEEN_LATE_S = 0.1  # from the pin in Node to the note in the history, on a quiet machine
CAMPAIGN_S = 75.0


@pytest.fixture(scope="module", autouse=True)
def _node_is_there() -> None:
    try:
        node()
    except BarrierError as missing:
        pytest.skip(str(missing))
    assert SIM.is_dir()


@pytest.fixture(scope="module")
def pace() -> float:
    """How starved this machine is now."""
    return slowness()


@pytest.fixture
def boards(tmp_path_factory) -> Iterator[Callable[..., Board]]:
    """Makes boards that run and are awake; their power is cut at the end."""
    made: list[Board] = []

    def make(**options: float | None) -> Board:
        folder = tmp_path_factory.mktemp("b")
        settings = settings_for_a_yard("Bench", KEY, lockout_ms=1000, per_minute=30)
        (folder / "gate.json").write_text(json.dumps(settings), encoding="utf-8")
        board = Board(folder / "gate.json", folder, **options)  # type: ignore[arg-type]
        made.append(board)
        _start(board)
        return board

    yield make
    for board in made:
        board.close()


@pytest.fixture
def line(boards) -> Iterator[tuple[Board, WireProxy, Pico]]:
    board = boards(watchdog_s=None)
    proxy = WireProxy(board.port, seed=1)
    driver = Pico(proxy.port, KEY)
    driver.connect()
    driver.status()
    yield board, proxy, driver
    driver.disconnect()
    proxy.close()


def _start(board: Board) -> None:
    board.start()
    board.set_inputs(limit_closed=True)
    time.sleep(WAKING_S)


def _closings(board: Board) -> int:
    closed = [bool(change.outputs & 1) for change in list(board.history)]
    return sum(now and not before for before, now in zip([False, *closed], closed, strict=False))


def _wait(until: Callable[[], bool], at_most_s: float) -> bool:
    ends = clock.mono() + at_most_s
    while clock.mono() < ends:
        if until():
            return True
        time.sleep(0.005)
    return until()


def _look(driver: Pico, seconds: float) -> None:
    ends = clock.mono() + seconds
    while clock.mono() < ends:
        driver.status()
        time.sleep(0.05)


# In time


def _show(what: str, seconds: list[float]) -> float:
    ordered = sorted(1000 * s for s in seconds)
    p50, p95 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
    print(f"{what}: n={len(ordered)} p50={p50:.2f} p95={p95:.2f} max={ordered[-1]:.2f} ms")
    return p95


def test_an_order_closes_the_relay_in_time(boards, pace):
    """From the call of ``open`` to the closing of the pin, as its notice arrives here: the way
    through Node's socket and a thread of this program counts as the board's."""
    made = [boards() for _ in range(BOARDS)]
    drivers = [Pico(board.port, KEY) for board in made]
    for driver in drivers:
        driver.connect()
    answered, closed, next_at = [], [], clock.mono()
    for number in range(ORDERS):
        board, driver = made[number % BOARDS], drivers[number % BOARDS]
        driver.status()
        known, began = len(board.history), clock.mono()
        driver.open(f"order-{number}", 100, life_s=2.0)
        answered.append(clock.mono() - began)
        assert _wait(lambda b=board, k=known: len(b.history) > k, 1.0 * pace)  # type: ignore[misc]
        closed.append(board.history[known].at_mono - began)
        next_at += ORDER_EVERY_S / BOARDS
        time.sleep(max(0.0, next_at - clock.mono()))
    assert sum(_closings(board) for board in made) == ORDERS
    print()
    _show("order to answer", answered)
    assert _show("order to relay", closed) <= BAR_MS * pace
    pulses = [
        off.ticks - on.ticks for board in made for on, off in _pulses(board)
        if on.ticks is not None and off.ticks is not None
    ]
    print(f"pulses of 100 ms by the board's clock: {min(pulses)} to {max(pulses)} ms")
    assert min(pulses) >= 90


def _pulses(board: Board):
    history = list(board.history)
    return [(a, b) for a, b in zip(history, history[1:], strict=False) if a.outputs & 1]


# When something dies


def test_power_lost_in_a_hold_opens_the_relay_and_power_back_closes_nothing(boards, pace):
    board = boards()
    driver = Pico(board.port, KEY)
    driver.connect()
    driver.hold_open("held", 10.0, life_s=2.0)
    assert _wait(lambda: board.outputs & 1 == 1, 1.0 * pace)
    board.kill()
    assert board.outputs == 0
    with pytest.raises(LinkLost):
        driver.status()
    _start(board)
    driver.connect()
    _look(driver, 1.0)
    assert _closings(board) == 1
    assert driver.controller().boot == 2
    driver.open("after", 100, life_s=2.0)
    assert _wait(lambda: _closings(board) == 2, 1.0 * pace)


def test_a_board_that_hung_longer_than_an_order_lives_does_not_obey_it(boards, pace):
    board = boards(watchdog_s=None)
    driver = Pico(board.port, KEY)
    driver.connect()
    driver.status()
    board.pause()
    with pytest.raises(LinkLost):
        driver.open("hung", 300, life_s=1.0)
    time.sleep(0.5)
    board.resume()
    time.sleep(1.0)
    assert _closings(board) == 0
    driver.connect()
    with pytest.raises(OrderRefused):
        driver.open("hung", 300, life_s=0.0)
    _look(driver, 0.5)
    assert _closings(board) == 0
    driver.open("fresh", 100, life_s=2.0)
    assert _wait(lambda: _closings(board) == 1, 1.0 * pace)


def test_the_watchdog_lets_go_of_a_hold_of_a_board_that_hangs(boards, pace):
    board = boards(watchdog_s=2.0)
    driver = Pico(board.port, KEY)
    driver.connect()
    driver.hold_open("held", 10.0, life_s=2.0)
    assert _wait(lambda: board.outputs & 1 == 1, 1.0 * pace)
    board.pause()
    assert _wait(lambda: board.outputs == 0, 2.5 + 2.0 * pace)
    assert _wait(lambda: board.powered, 10.0 * pace)
    time.sleep(WAKING_S)
    assert board.watchdog_bites == 1
    assert _wait(lambda: _connects(driver), 10.0 * pace)
    driver.status()
    assert driver.controller().cause == "watchdog"
    assert _closings(board) == 1


def _connects(driver: Pico) -> bool:
    try:
        driver.connect()
    except LinkLost:
        return False
    return True


_HOLDER = """
import sys, time
from appliance.barrier.drivers.pico import Pico
driver = Pico(sys.argv[1], bytes.fromhex(sys.argv[2]))
driver.connect()
for number in range(1000):
    driver.hold_open(f"hold-{number}", 10.0, life_s=2.0)
    print("held", flush=True)
    for _ in range(10):
        driver.status()
        time.sleep(0.1)
"""


def test_a_host_that_is_killed_in_a_hold_holds_no_longer_than_its_silence(boards, pace):
    board = boards()
    host = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, board.port, KEY.hex()], stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert host.stdout is not None
    for _ in range(3):
        assert host.stdout.readline() == b"held\n"
    assert board.outputs & 1
    host.send_signal(signal.SIGKILL)
    host.wait()
    killed = clock.mono()
    assert _wait(lambda: board.outputs == 0, HOST_LOST_S + 1.0 * pace)
    print(f"\nrelay open {board.history[-1].at_mono - killed:.2f} s after the host was killed")
    driver = Pico(board.port, KEY)
    driver.connect()
    _look(driver, 1.0)
    assert _closings(board) == 1
    assert {EventKind.STARTED} <= {event.kind for event in driver.events()}


def test_a_line_cut_in_a_hold_opens_the_relay_and_mending_it_closes_nothing(line, pace):
    board, proxy, driver = line
    driver.hold_open("held", 10.0, life_s=2.0)
    assert _wait(lambda: board.outputs & 1 == 1, 1.0 * pace)
    proxy.cut = True
    cut = clock.mono()
    assert _wait(lambda: board.outputs == 0, HOST_LOST_S + 1.0 * pace)
    print(f"\nrelay open {board.history[-1].at_mono - cut:.2f} s after the line was cut")
    with pytest.raises(LinkLost):
        driver.status()
    proxy.honest()
    driver.connect()
    _look(driver, 1.0)
    assert _closings(board) == 1
    assert not driver.status().held


# What is on the line twice, late or wrong


def test_a_recorded_order_opens_nothing_ever_again(line, pace):
    board, proxy, driver = line
    driver.open("recorded", 100, life_s=2.0)
    assert _wait(lambda: _closings(board) == 1, 1.0 * pace)
    recorded = list(proxy.captured)
    assert len(recorded) >= 3
    time.sleep(1.5)
    proxy.replay(recorded)  # in the same session
    time.sleep(DEAF_S)
    driver.connect()
    driver.status()
    proxy.replay(recorded)  # in the next session
    time.sleep(DEAF_S)
    board.kill()
    _start(board)
    proxy.replay(recorded)  # to a board that knows nobody yet
    time.sleep(DEAF_S)
    driver.connect()
    driver.status()
    proxy.replay(recorded)  # and to one that forgot everything
    time.sleep(DEAF_S)
    driver.status()
    assert _closings(board) == 1


def test_an_order_that_comes_late_opens_nothing(line):
    board, proxy, driver = line
    proxy.delay_s = (1.2, 1.3)
    with pytest.raises(LinkLost):
        driver.open("late", 100, life_s=1.0)
    time.sleep(2.0)
    proxy.honest()
    driver.connect()
    _look(driver, 0.5)
    assert _closings(board) == 0


def test_doubled_frames_give_one_pulse_an_order(line, pace):
    board, proxy, driver = line
    proxy.duplicate = 1.0
    for number in range(3):
        driver.open(f"double-{number}", 100, life_s=2.0)
        _look(driver, 1.5)
    assert _closings(board) == 3


def test_a_garbled_line_closes_nothing_by_itself(line):
    board, proxy, driver = line
    proxy.garble = 1.0
    ledger = Ledger(driver, clock.mono)
    for _ in range(5):
        ledger.open(300, life_s=1.0)
    assert ledger.lost == 5
    proxy.honest()
    ledger.reconnect()
    ledger.look()
    complaints = ledger.complaints(_changes(board), SEEN_LATE_S)
    assert _closings(board) == 0, complaints


def _changes(board: Board) -> list[tuple[float, int]]:
    """Closings as they were noted, openings by the board's own clock where it had its say."""
    found, closed = [], None
    for change in list(board.history):
        at_mono = change.at_mono
        if change.outputs & 1:
            closed = change
        elif closed is not None and closed.ticks is not None and change.ticks is not None:
            at_mono = closed.at_mono + (change.ticks - closed.ticks) % (1 << 30) / 1000
        found.append((at_mono, change.outputs))
    return found


class Starvation:
    """How long this machine let a thread wait that wanted to run, at worst."""

    def __init__(self) -> None:
        self.worst_s = 0.0
        self._ended = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def end(self) -> float:
        self._ended.set()
        return self.worst_s

    def _watch(self) -> None:
        before = clock.mono()
        while not self._ended.wait(0.005):
            now = clock.mono()
            self.worst_s = max(self.worst_s, now - before - 0.005)
            before = now


def test_a_campaign_of_tampering_never_closes_the_relay_without_a_fresh_order(boards):
    replayed = int(os.environ.get("POSTERN_CAMPAIGN_SEED", "0"))
    seed = replayed or random.SystemRandom().getrandbits(32)
    print(f"\nPOSTERN_CAMPAIGN_SEED={seed}")
    chance = random.Random(seed)
    board = boards(watchdog_s=None)
    proxy = WireProxy(board.port, seed)
    ledger = Ledger(Pico(proxy.port, KEY), clock.mono)
    ledger.reconnect()
    starvation, ends = Starvation(), clock.mono() + CAMPAIGN_S
    while clock.mono() < ends:
        _act(chance, ledger, proxy, board)
        time.sleep(chance.choice([0.01, 0.05, 0.3]))
    proxy.cut = True
    time.sleep(11.0)
    board.kill()
    ledger.driver.disconnect()
    proxy.close()
    starved_s = starvation.end()
    complaints = ledger.complaints(_changes(board), SEEN_LATE_S + 2 * starved_s)
    assert not complaints, f"starved for {starved_s:.3f} s"
    done = sum(order.done for order in ledger.asked)
    print(
        f"{len(ledger.asked)} orders, {done} done, {_closings(board)} closings, "
        f"{ledger.lost} calls without an answer, refused {ledger.refused}, "
        f"{board.crashes} crashes, starved for {starved_s:.3f} s at worst"
    )
    assert done > 0
    assert ledger.lost > 0
    assert board.crashes == 0


def _act(chance: random.Random, ledger: Ledger, proxy: WireProxy, board: Board) -> None:
    """One act of the tamperer or the gate."""
    act = chance.randrange(14)
    if act <= 3:
        ledger.open(chance.choice([100, 300]), life_s=chance.choice([0.5, 1.0, 2.0]))
    elif act <= 5:
        ledger.hold(chance.choice([0.5, 2.0]), life_s=2.0)
    elif act == 6:
        ledger.again(1.0)
    elif act == 7:
        ledger.release()
    elif act == 8:
        proxy.replay(chance.sample(proxy.captured, min(len(proxy.captured), 5)))
    elif act <= 10:
        proxy.honest()
    elif act == 11:
        name = chance.choice(["garble", "truncate", "duplicate", "reorder"])
        setattr(proxy, name, chance.choice([0.1, 0.5]))
    elif act == 12:
        proxy.delay_s = (0.0, chance.choice([0.05, 0.3, 1.5]))
        proxy.cut = chance.random() < 0.2
    elif chance.random() < 0.3:
        board.kill()
        board.start()
    else:
        ledger.look()
