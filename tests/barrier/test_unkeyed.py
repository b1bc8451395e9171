"""A controller without a key: silence with its reason, and the gate that waits for the key."""

from __future__ import annotations

import pytest

from appliance.barrier.drivers.seam import BarrierDriver, BarrierEvent, Controller, EventKind
from appliance.barrier.drivers.unkeyed import Unkeyed
from appliance.errors import LinkLost


@pytest.mark.parametrize("call", [
    lambda d: d.connect(), lambda d: d.open("a", 500, life_s=1.0),
    lambda d: d.hold_open("h", 5.0, life_s=1.0), lambda d: d.release(), lambda d: d.status(),
])
def test_every_order_is_a_lost_link_that_says_why(call):
    driver = Unkeyed("pico")
    with pytest.raises(LinkLost) as lost:
        call(driver)
    assert lost.value.fields["why"] == "no_key"
    assert "provision" in lost.value.next_step


def test_it_is_a_driver_that_promises_nothing():
    driver = Unkeyed("osdp")
    can = driver.capabilities()
    driver.disconnect()
    driver.acknowledge(BarrierEvent(1, 1, EventKind.STARTED, "", 0.0))
    assert isinstance(driver, BarrierDriver)
    assert driver.name == "osdp"
    assert not (can.position or can.inputs or can.timed_pulse or can.longest_lease_s)
    assert driver.events() == ()
    assert driver.controller() == Controller()
