"""The terminal strip of the simulated controller: raw contacts in, debounced inputs out.

An input counts once it stood for ``DEBOUNCE_S``; before that it is unknown. A loop is counted each
time it becomes occupied, modulo 256, as the firmware counts. Deterministic; not shared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.scenario.yard_socket import INPUTS, Inputs

DEBOUNCE_S = 0.03


@dataclass
class _Input:
    value: bool | None = None
    _candidate: bool = False
    _stood_s: float = 0.0

    def read(self, raw: bool, dt_s: float) -> None:
        self._stood_s = self._stood_s + dt_s if raw == self._candidate else 0.0
        self._candidate = raw
        if self._stood_s >= DEBOUNCE_S:
            self.value = raw


@dataclass(frozen=True, slots=True)
class Change:
    """An input that was read anew. ``before`` is None for the first reading since the start."""

    name: str
    before: bool | None
    active: bool


class Terminals:
    """Reads with every ``step``; ``[name]`` is an input's value, None while it is unknown."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """The controller restarted: nothing is known, every count begins at 0."""
        self._inputs = {name: _Input() for name in (*INPUTS, "closed", "open")}
        self.counts = {"entry_loop": 0, "safety_loop": 0}

    def __getitem__(self, name: str) -> bool | None:
        return self._inputs[name].value

    def step(self, inputs: Inputs, limits: tuple[bool, bool], dt_s: float) -> list[Change]:
        """One reading; ``limits`` are the switches for closed and open, as they chatter."""
        closed, opened = limits
        raw: Mapping[str, bool] = {
            **{name: getattr(inputs, name) for name in INPUTS},
            "closed": closed, "open": opened,
        }
        changes = []
        for name, value in raw.items():
            before = self._inputs[name].value
            self._inputs[name].read(value, dt_s)
            after = self._inputs[name].value
            if after is not None and after is not before:
                changes.append(Change(name, before, after))
                if after and name in self.counts:
                    self.counts[name] = (self.counts[name] + 1) % 256
        return changes
