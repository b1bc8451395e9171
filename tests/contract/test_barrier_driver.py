"""What every barrier driver promises. A new driver adds a rig in ``rigs`` and passes unchanged.

A driver that lacks a capability must say so and refuse what it cannot do: that, too, is asserted.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator

import pytest

from appliance.barrier.drivers.seam import BarrierDriver, Position, Warns
from appliance.errors import LinkLost, OrderRefused
from tests.contract.rigs import RIGS, Rig

LIFE_S = 2.0


@pytest.fixture(params=RIGS.values(), ids=RIGS.keys())
def rig(request) -> Iterator[Rig]:
    made: Rig = request.param()
    _connect(made)
    made.pass_time(0.2)
    yield made
    made.mend_link()
    made.stop()


def _connect(rig: Rig) -> None:
    """As the link does: again, when the first try or the first look did not come through."""
    with contextlib.suppress(LinkLost):
        rig.driver.connect()
        rig.driver.status()
        return
    rig.driver.connect()
    rig.driver.status()


def _held(rig: Rig, order_id: str, lease_s: float) -> bool:
    """Asks for a hold; False where the driver cannot hold, said so and refused."""
    if rig.driver.capabilities().longest_lease_s:
        rig.driver.hold_open(order_id, lease_s, life_s=LIFE_S)
        return True
    with pytest.raises(OrderRefused) as refused:
        rig.driver.hold_open(order_id, lease_s, life_s=LIFE_S)
    assert refused.value.fields["why"] == "cannot_hold"
    rig.pass_time(0.1)
    assert not rig.contact_closed()
    return False


def test_it_is_a_driver_with_a_name(rig):
    assert isinstance(rig.driver, BarrierDriver)
    assert rig.driver.name


def test_nothing_in_it_closes_or_toggles():
    for name, _ in inspect.getmembers(BarrierDriver):
        assert not {"close", "toggle", "shut", "lower", "cycle", "step"} & set(name.split("_"))


@pytest.mark.parametrize("word", ["close", "toggle", "shut", "cycle"])
def test_no_driver_has_such_a_verb_either(rig, word):
    public = [n for n in dir(rig.driver) if not n.startswith("_")]
    assert not [n for n in public if word in n.split("_")]


# What it says of itself


def test_capabilities_are_the_same_with_and_without_a_link(rig):
    before = rig.driver.capabilities()
    rig.cut_link()
    assert rig.driver.capabilities() == before


def test_its_warnings_agree_with_what_it_can_do(rig):
    can = rig.driver.capabilities()
    assert (Warns.RELAY_MAY_STICK in can.warns) == (not can.timed_pulse)
    assert (Warns.UNAUTHENTICATED in can.warns) == (not can.authenticated)
    seen = can.position or rig.driver.status().contact is not None
    assert (Warns.NO_FEEDBACK in can.warns) == (not seen)
    if not can.timed_pulse:
        assert can.longest_lease_s == 0


def test_it_reads_what_it_says_it_reads(rig):
    can = rig.driver.capabilities()
    assert (rig.driver.status().position is Position.UNKNOWN) == (not can.position)
    for there in (True, False):
        rig.car_on_entry_loop(there)
        rig.pass_time(0.2)
        assert rig.driver.status().entry_loop is (there if can.inputs else None)


def test_one_that_tells_events_numbers_them_and_forgets_what_is_kept(rig):
    told = rig.driver.events()
    if not rig.driver.capabilities().tells_events:
        assert told == ()
    for event in told:
        rig.driver.acknowledge(event)
    rig.pass_time(0.5)
    assert not set(told) & set(rig.driver.events())


def test_asking_who_answers_needs_no_link(rig):
    before = rig.driver.controller()
    rig.cut_link()
    assert rig.driver.controller() == before


# Orders


def test_connecting_energises_nothing(rig):
    rig.driver.connect()
    rig.pass_time(1.0)
    assert rig.openings() == 0


def test_an_order_to_open_raises_the_arm(rig):
    sees = rig.driver.capabilities().position
    assert rig.driver.status().position is (Position.CLOSED if sees else Position.UNKNOWN)
    rig.driver.open("a", 500, life_s=LIFE_S)
    rig.pass_time(0.3)
    assert rig.openings() == 1
    assert rig.driver.status().position is (Position.MOVING if sees else Position.UNKNOWN)
    rig.pass_time(2.0)
    assert rig.openings() == 1
    assert rig.driver.status().position is (Position.OPEN if sees else Position.UNKNOWN)


def test_the_pulse_ends(rig):
    rig.driver.open("a", 300, life_s=LIFE_S)
    rig.pass_time(0.2)
    assert rig.contact_closed()
    rig.pass_time(0.2)
    assert not rig.contact_closed()


def test_a_pulse_ends_without_us_or_the_driver_warns_that_it_may_not(rig):
    rig.driver.open("a", 300, life_s=LIFE_S)
    rig.pass_time(0.1)
    rig.cut_link()
    rig.pass_time(1.0)
    if rig.driver.capabilities().timed_pulse:
        assert not rig.contact_closed()
        return
    assert rig.contact_closed()
    assert Warns.RELAY_MAY_STICK in rig.driver.capabilities().warns
    rig.mend_link()
    rig.driver.connect()
    rig.pass_time(0.1)
    assert not rig.contact_closed(), "connecting lets go of what was left"


def test_an_order_id_counts_once(rig):
    rig.driver.open("a", 300, life_s=LIFE_S)
    rig.pass_time(2.0)
    rig.driver.open("a", 300, life_s=LIFE_S)
    rig.pass_time(2.0)
    assert rig.openings() == 1
    rig.driver.open("b", 300, life_s=LIFE_S)
    rig.pass_time(2.0)
    assert rig.openings() == 2


def test_an_order_whose_answer_was_lost_counts_once(rig):
    lost = pytest.raises(LinkLost) if rig.lose_answers() else contextlib.nullcontext()
    with lost:
        rig.driver.open("a", 300, life_s=LIFE_S)
    rig.mend_link()
    rig.pass_time(1.0)
    _connect(rig)
    try:
        rig.driver.open("a", 300, life_s=LIFE_S)
    except OrderRefused as refused:
        assert refused.fields["why"] == "unproven"
    rig.pass_time(1.0)
    assert rig.openings() == 1


@pytest.mark.parametrize("pulse_ms", [0, -1, 99, 3001, 60_000])
def test_a_pulse_out_of_bounds_is_refused(rig, pulse_ms):
    with pytest.raises(OrderRefused) as refused:
        rig.driver.open("a", pulse_ms, life_s=LIFE_S)
    assert refused.value.fields["why"] == "bad_value"
    rig.pass_time(1.0)
    assert rig.openings() == 0


@pytest.mark.parametrize("order", [
    lambda d: d.open("a", 500, life_s=-0.1), lambda d: d.hold_open("a", 5.0, life_s=-0.1),
])
def test_an_order_past_its_life_is_refused_and_moves_nothing(rig, order):
    with pytest.raises(OrderRefused) as refused:
        order(rig.driver)
    assert refused.value.fields["why"] in ("expired", "cannot_hold")
    rig.pass_time(1.0)
    assert rig.openings() == 0


def test_a_refused_order_may_be_asked_again(rig):
    with pytest.raises(OrderRefused):
        rig.driver.open("a", 500, life_s=-0.1)
    rig.driver.open("a", 500, life_s=LIFE_S)
    rig.pass_time(1.0)
    assert rig.openings() == 1


# Holds


def test_a_hold_ends_by_itself_when_it_is_not_renewed(rig):
    if not _held(rig, "h", 5.0):
        return
    rig.pass_time(4.5)
    assert rig.contact_closed()
    assert rig.driver.status().held
    rig.pass_time(1.0)
    assert not rig.contact_closed()
    assert not rig.driver.status().held


def test_a_hold_is_renewed_by_a_new_id(rig):
    if not _held(rig, "h", 5.0):
        return
    rig.pass_time(4.0)
    rig.driver.hold_open("h2", 5.0, life_s=LIFE_S)
    rig.pass_time(4.0)
    assert rig.contact_closed()
    assert rig.openings() == 1


def test_a_hold_sent_twice_with_one_id_is_not_longer(rig):
    if not _held(rig, "h", 5.0):
        return
    rig.pass_time(4.0)
    rig.driver.hold_open("h", 5.0, life_s=LIFE_S)
    rig.pass_time(1.5)
    assert not rig.contact_closed()


def test_a_pulse_does_not_cut_a_hold_short(rig):
    if not _held(rig, "h", 5.0):
        return
    rig.pass_time(1.0)
    with contextlib.suppress(OrderRefused):
        rig.driver.open("a", 300, life_s=LIFE_S)
    rig.pass_time(2.0)
    assert rig.contact_closed()


@pytest.mark.parametrize("over", [0.1, 1000.0])
def test_a_hold_longer_than_it_promised_is_refused(rig, over):
    with pytest.raises(OrderRefused):
        rig.driver.hold_open(
            "h", rig.driver.capabilities().longest_lease_s + over, life_s=LIFE_S
        )
    rig.pass_time(0.1)
    assert not rig.contact_closed()


@pytest.mark.parametrize("lease_s", [0.0, -1.0])
def test_a_hold_of_no_length_is_refused(rig, lease_s):
    with pytest.raises(OrderRefused):
        rig.driver.hold_open("h", lease_s, life_s=LIFE_S)
    rig.pass_time(0.1)
    assert not rig.contact_closed()


def test_release_lets_go_at_once(rig):
    if not _held(rig, "h", 9.0):
        rig.driver.open("a", 3000, life_s=LIFE_S)
    rig.pass_time(1.0)
    assert rig.contact_closed()
    rig.driver.release()
    rig.pass_time(0.1)
    assert not rig.contact_closed()


def test_disconnecting_lets_go(rig):
    if not _held(rig, "h", 9.0):
        rig.driver.open("a", 3000, life_s=LIFE_S)
    rig.pass_time(0.1)
    assert rig.contact_closed()
    rig.driver.disconnect()
    rig.pass_time(0.1)
    assert not rig.contact_closed()


def test_disconnecting_without_a_link_raises_nothing(rig):
    rig.cut_link()
    rig.driver.disconnect()
    rig.driver.disconnect()


# Silence


@pytest.mark.parametrize("call", [
    lambda d: d.connect(), lambda d: d.open("a", 500, life_s=LIFE_S), lambda d: d.release(),
    lambda d: d.status(),
], ids=["connect", "open", "release", "status"])
def test_silence_is_a_lost_link_never_consent(rig, call):
    rig.cut_link()
    with pytest.raises(LinkLost):
        call(rig.driver)


def test_a_hold_in_silence_is_a_lost_link(rig):
    rig.cut_link()
    refused = LinkLost if rig.driver.capabilities().longest_lease_s else OrderRefused
    with pytest.raises(refused):
        rig.driver.hold_open("h", 5.0, life_s=LIFE_S)


def test_a_hold_lapses_while_the_link_is_lost(rig):
    if not _held(rig, "h", 5.0):
        return
    rig.pass_time(1.0)
    rig.cut_link()
    rig.pass_time(6.0)
    assert not rig.contact_closed()


def test_a_mended_link_gives_no_pulse(rig):
    rig.cut_link()
    with pytest.raises(LinkLost):
        rig.driver.open("a", 500, life_s=LIFE_S)
    rig.mend_link()
    _connect(rig)
    rig.pass_time(1.0)
    assert rig.openings() == 0
