"""docs/SOCKETS.md names everything the gate says and every act that can be journaled."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from appliance.barrier.drivers.seam import Capabilities, Controller
from appliance.barrier.orders import Fault, LinkState, LinkView
from appliance.barrier.traffic import Counted
from appliance.gate.program import Gate
from appliance.records.acts import ACTIONS
from appliance.scenario.yard_socket import FAULTS, INPUTS
from tests.fakes.barrier import Recorder

PAGE = (Path(__file__).resolve().parents[2] / "appliance" / "docs" / "SOCKETS.md").read_text(
    encoding="utf-8")


@pytest.mark.parametrize("names", [
    ACTIONS, list(LinkState), list(Fault), INPUTS, FAULTS,
    *([field.name for field in fields(kind)]
      for kind in (LinkView, Capabilities, Controller, Counted)),
], ids=["actions", "link states", "faults of orders", "yard inputs", "yard faults", "barrier",
        "capabilities", "controller", "traffic"])
def test_the_page_names(names):
    assert not [name for name in names if f"`{name}`" not in PAGE]


def test_every_verb_of_the_door_is_on_the_page(box):
    gate = Gate(box, Recorder())
    try:
        assert not [verb for verb in gate.door.handlers if f"| `{verb}` |" not in PAGE]
    finally:
        gate.ledger.close()
