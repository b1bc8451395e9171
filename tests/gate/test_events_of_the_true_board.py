"""The gate's link, the real driver and the true firmware core: no press of the hand button is lost.

Everything runs in this process in virtual time; cable, records and gate break in any order.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from appliance import clock
from appliance.barrier.drivers.pico import Pico
from appliance.barrier.link import Link, Listeners
from appliance.barrier.orders import LinkState, Order, OrderKind
from appliance.gate.controller_events import ControllerEvents, Place
from appliance.gate.issues import Issues
from appliance.gate.sender import Sender
from appliance.values import ClockQuality, Moved
from tests.fakes.barrier import Time
from tests.fakes.wire_board import PSK, Cable
from tests.fakes.wire_post import WirePost
from tests.gate.making import FakeRecords

APART_S = 4.0  # the board's own lock-out between two pulses, and some


class Site:
    """One board and one records program, over any number of gates."""

    def __init__(self) -> None:
        self.time, self.records = Time(clock.mono()), FakeRecords()
        self.post = WirePost(self.time)
        self.cable = Cable(self.post)
        self.reports: list[Any] = []
        self.start_gate()
        self.pass_(4.0)

    def start_gate(self) -> None:
        """A new process: whatever the gate before had in mind is gone."""
        self.sender = Sender(self.records, Issues(), self.time)
        self.link = Link(
            Pico("port", PSK, now=self.time, open_port=self.cable.open), pulse_ms=500,
            lockout_s=3.0, claim=lambda _: None,
            report=lambda order, outcome: self.reports.append(outcome), now=self.time,
            listeners=Listeners(happened=lambda event: self.events.happened(event)))
        self.events = ControllerEvents(
            Place("main", lambda: self.link.view.controller, lambda: 1,
                  lambda: ClockQuality.SYNCED), self.sender, self.link.kept)

    def pass_(self, seconds: float) -> None:
        ends = self.time.now + seconds
        while self.time.now < ends:
            self.post.until(self.time.now + 0.1)
            self.link.step()
            for _ in range(self.sender.queued):
                self.sender.step()

    def press(self) -> None:
        self.post.active.add("hand_button")
        self.pass_(0.3)
        self.post.active.discard("hand_button")
        self.pass_(APART_S)

    def kept(self) -> set[str]:
        return {passage["key"] for passage in self.records.passages()}


@pytest.fixture
def site() -> Site:
    return Site()


def test_an_order_of_the_gate_moves_the_arm_and_says_so(site):
    assert site.link.view.state is LinkState.READY
    assert site.link.post(Order("a", OrderKind.OPEN, site.time.now, automatic=True, track="t"))
    site.pass_(2.0)
    assert site.post.closings == 1
    assert site.reports[-1].moved is Moved.YES
    assert site.link.view.controller.name == "Test post"


def test_a_press_reaches_records_and_is_then_told_no_more(site):
    site.press()
    assert site.post.closings == 1
    assert len(site.kept()) == 1
    assert site.link.view.state is LinkState.READY
    got = len(site.records.got)
    site.pass_(5.0)
    assert len(site.records.got) == got


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.firmware) for seed in range(1, 9))])
def test_whatever_breaks_every_press_is_kept_as_one_passage(site, seed):
    dice = random.Random(seed)
    presses = 8
    for _ in range(presses):
        for _ in range(dice.randrange(4)):
            what = dice.choice(["cut", "mend", "records away", "records back", "kill"])
            if what in ("cut", "mend"):
                site.cable.cut = what == "cut"
            elif what == "kill":
                site.start_gate()
            else:
                site.records.down = what == "records away"
            site.pass_(dice.uniform(0.1, 3.0))
        site.press()
        if dice.random() < 0.3:  # the board lets sixteen events wait; nobody is away for a week
            site.cable.cut = site.records.down = False
            site.pass_(10.0)
    site.cable.cut = site.records.down = False
    site.pass_(30.0)
    assert site.post.closings == presses
    assert len(site.kept()) == presses
    assert {key.split("-")[2] for key in site.kept()} == {str(site.post.boot)}


def test_stop_at_the_board_is_shown_and_refuses_the_gate(site):
    site.post.active.add("stop")
    site.pass_(0.5)
    assert site.link.view.state is LinkState.STOPPED_BY_HAND
    site.link.post(Order("a", OrderKind.OPEN, site.time.now, automatic=True, track="t"))
    site.pass_(1.0)
    assert site.reports[-1].fault == "stop_pressed"
    assert site.post.closings == 0
    site.post.active.discard("stop")
    site.pass_(0.5)
    assert site.link.view.state is LinkState.READY
