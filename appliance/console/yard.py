"""The simulated yard of a demo: the arm's true angle, and inputs and faults set by hand.

Exists only while something simulates: a wired barrier has no such socket, and then no page offers
to set anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.console.context import Console
from appliance.console.programs import YARD
from appliance.console.reading import number, table, text


@dataclass(frozen=True, slots=True)
class Yard:
    simulated: str
    """``arm``: the arm alone; ``firmware``: the controller's own program runs as well."""
    raised: float
    """0 closed .. 1 open."""
    motion: str
    openings: int
    inputs: Mapping[str, bool]
    faults: Mapping[str, bool]
    by_hand_left_s: float
    """How long the scenario leaves the inputs to the hand."""


def look(console: Console) -> Yard | None:
    """None where nothing is simulated."""
    answer = console.programs.quiet(YARD, "status")
    if answer is None:
        return None
    told = answer.header
    arm = table(told, "arm")
    return Yard(
        simulated=text(told, "simulated"),
        raised=min(1.0, max(0.0, number(arm, "raised") or 0.0)),
        motion=text(arm, "motion"),
        openings=int(number(arm, "openings") or 0),
        inputs={str(k): v is True for k, v in table(told, "inputs").items()},
        faults={str(k): v is True for k, v in table(told, "faults").items()},
        by_hand_left_s=number(told, "by_hand_left_s") or 0.0,
    )
