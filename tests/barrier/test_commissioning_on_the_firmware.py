"""The pull-the-plug test walked on the true firmware, driver and link: what the steps assume of
them is so, and a board that misbehaves does not pass."""

from __future__ import annotations

import pytest

from appliance import codec
from appliance.barrier.commissioning import Attempt, How, Progress, Trial, look, silence
from appliance.barrier.commissioning_steps import STEPS, step
from appliance.barrier.drivers.pico import Pico
from appliance.barrier.link import Link, Listeners
from appliance.barrier.orders import Order, OrderKind
from tests.fakes.barrier import Time
from tests.fakes.wire_board import PSK, Cable
from tests.fakes.wire_post import WirePost

KINDS = {Trial.OPEN: OrderKind.OPEN, Trial.HOLD: OrderKind.HOLD, Trial.RELEASE: OrderKind.RELEASE}


class Site:
    """A barrier with its box: time passes for both, and the box can be switched off."""

    def __init__(self):
        self.time = Time()
        self.post = WirePost(self.time)
        self.cable = Cable(self.post)
        self.events = {}
        self.orders = 0
        self.box_on()
        self.passes(4)

    def box_on(self):
        def happened(event):
            self.events[event.boot, event.number] = event
            self.link.kept(event)

        self.outcomes = {}
        self.link = Link(
            Pico("port", PSK, now=self.time, open_port=self.cable.open), pulse_ms=500,
            lockout_s=3.0, claim=lambda _: None, listeners=Listeners(happened=happened),
            report=lambda order, outcome: self.outcomes.__setitem__(order.id, outcome),
            now=self.time)

    def box_off(self):
        self.link = None

    def passes(self, seconds, every=0.05):
        """Time passes; what the person's attempt sees on the way is collected."""
        until = self.time.now + seconds
        while self.time.now < until:
            self.post.until(self.time.now + every)
            if self.link:
                self.link.step()
            if getattr(self, "attempt", None):
                self.attempt = self.attempt.sees(self.look())

    def look(self):
        if self.link is None:
            return silence()
        told = [{"boot": e.boot, "number": e.number, "kind": e.kind.value, "argument": e.argument}
                for e in reversed(self.events.values())]
        return look({"barrier": codec.encode(self.link.view), "events": told})

    def begins(self, name):
        self.attempt = Attempt.begin(name, self.look())

    def orders_(self, trial):
        self.orders += 1
        order = Order(f"man-{self.orders}", KINDS[trial], self.time.now, lease_s=60.0)
        self.link.post(order)
        attempt, self.attempt = self.attempt, None
        self.passes(0.2)
        self.attempt = attempt.orders(trial, refused=self.outcomes[order.id].acked_mono is None)

    def found(self):
        return step(self.attempt.step).check(self.attempt).progress


@pytest.fixture
def site():
    return Site()


def test_every_step_but_the_last_four_is_measured_by_our_controller(site):
    how = {each.id: each.how(site.look()) for each in STEPS}
    assert [name for name, it in how.items() if it is not How.MEASURED] == [
        "hand_release", "fire_contact", "on_foot", "power_failure"]


def test_it_answers_as_ours(site):
    site.begins("answers")
    assert site.found() is Progress.PASSED


def test_stop_refuses_an_order(site):
    site.begins("stop")
    site.post.active.add("stop")
    site.passes(0.5)
    assert site.found() is Progress.WAITING
    site.orders_(Trial.OPEN)
    site.passes(1)
    assert site.found() is Progress.PASSED
    assert site.post.closings == 0


def test_an_order_moves_the_arm_and_a_stuck_one_does_not_pass(site):
    site.begins("opens")
    site.post.arm.stuck = True
    site.orders_(Trial.OPEN)
    site.passes(5)
    assert site.found() is Progress.WAITING
    site.post.arm.stuck = False
    site.orders_(Trial.OPEN)
    site.passes(3)
    assert site.found() is Progress.PASSED


def test_held_and_released(site):
    site.begins("holds")
    site.orders_(Trial.HOLD)
    site.passes(3)
    assert site.found() is Progress.WAITING
    site.orders_(Trial.RELEASE)
    site.passes(1)
    assert site.found() is Progress.PASSED


@pytest.mark.parametrize("name", ["entry_loop", "safety_loop", "photocell", "tamper"])
def test_an_input_comes_on_and_goes_off(site, name):
    site.begins(name)
    site.post.active.add(name)
    site.passes(0.5)
    assert site.found() is Progress.WAITING
    site.post.active.discard(name)
    site.passes(0.5)
    assert site.found() is Progress.PASSED


def test_the_way_out_opens_and_is_told(site):
    site.begins("exit_request")
    site.post.active.add("exit_request")
    site.passes(1)
    site.post.active.discard("exit_request")
    site.passes(1)
    assert site.found() is Progress.PASSED


def test_a_pulled_cable_ends_the_hold(site):
    site.begins("cable")
    site.orders_(Trial.HOLD)
    site.passes(3)
    site.cable.cut = True
    site.passes(15)
    assert site.found() is Progress.WAITING
    assert not site.post.outputs & 1
    site.cable.cut = False
    site.passes(5)
    assert site.found() is Progress.PASSED


def test_with_the_box_off_hand_button_and_exit_open_and_are_told_afterwards(site):
    site.begins("box_off")
    site.box_off()
    site.passes(10)
    for name in ("hand_button", "exit_request"):
        site.post.active.add(name)
        site.passes(0.5)
        site.post.active.discard(name)
        site.passes(12)
    assert site.found() is Progress.WAITING
    site.box_on()
    site.passes(8)
    assert site.found() is Progress.PASSED


def test_a_board_that_dies_with_the_box_fails_that_step(site):
    site.begins("box_off")
    site.box_off()
    site.passes(5)
    site.post.restart()
    site.box_on()
    site.passes(8)
    assert site.found() is Progress.FAILED


def test_fire_opens_and_holds_until_it_is_over(site):
    site.begins("fire")
    site.post.active.add("fire")
    site.passes(3)
    assert site.found() is Progress.WAITING
    site.post.active.discard("fire")
    site.passes(20)
    assert site.found() is Progress.PASSED


def test_a_restart_moves_nothing(site):
    site.begins("restart")
    site.post.restart()
    site.passes(6)
    assert site.found() is Progress.PASSED
    site.begins("restart")
    site.post.restart()
    site.post.active.add("exit_request")  # somebody leaves meanwhile: that is no proof
    site.passes(1)
    site.post.active.discard("exit_request")
    site.passes(1)
    site.post.active.add("exit_request")
    site.passes(6)
    assert site.found() is Progress.FAILED
