"""How a board's inputs are wired: logical names on one side, closed circuits on the other.

A board reads whether a circuit is closed; whether that means "a car" or "no car" stands in its
settings (``normally``), because commands are normally open and safeties normally closed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

INPUTS = (
    "entry_loop", "safety_loop", "photocell", "exit_request", "limit_open", "limit_closed", "fire",
    "stop", "hand_button", "tamper", "cabinet_fault", "relay_sense",
)
"""By bit, firmware/PROTOCOL.md, section 7."""
_CLOSED = frozenset({"entry_loop", "safety_loop", "photocell", "stop", "tamper"})


@dataclass(frozen=True, slots=True)
class Wiring:
    """``normally_closed`` by name, for the inputs that are wired."""

    normally_closed: Mapping[str, bool]

    @classmethod
    def of(cls, settings: Path) -> Wiring:
        """As the board's own gate.json says."""
        inputs = json.loads(settings.read_text(encoding="utf-8")).get("inputs", {})
        return cls({
            name: inputs[name].get("normally", _usual(name)) == "closed"
            for name in INPUTS if name in inputs
        })

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.normally_closed)

    def circuits(self, active: Mapping[str, bool]) -> int:
        """Bit i is set where the circuit of input i is closed."""
        return sum(
            1 << INPUTS.index(name)
            for name, closed in self.normally_closed.items()
            if active.get(name, False) != closed
        )


def settings_for_a_yard(name: str, key: bytes, **changed: Any) -> dict[str, Any]:
    """A gate.json with every input but the relay's second contact's wired as usual."""
    inputs = {
        input_name: {"pin": pin, "normally": _usual(input_name)}
        for pin, input_name in enumerate(INPUTS, start=2)
    }
    return {
        "name": name, "key": key.hex(), "board": "rp2", "inputs": inputs, **changed,
    }


def _usual(name: str) -> str:
    return "closed" if name in _CLOSED else "open"
