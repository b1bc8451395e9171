"""The configured controller while this box holds no key to it: silence, and the reason for it.

The gate runs on with it, so that the console can say what is missing; the link shows the
controller as lost, nothing can be ordered and no port is opened.
"""

from __future__ import annotations

from typing import NoReturn

from appliance.barrier.drivers.seam import (
    BarrierEvent,
    BarrierStatus,
    Capabilities,
    Controller,
)
from appliance.errors import LinkLost

_NOTHING = Capabilities(position=False, inputs=False, timed_pulse=False, longest_lease_s=0.0)


class Unkeyed:
    """A ``BarrierDriver`` that answers nothing. ``name`` is that of the driver meant."""

    def __init__(self, name: str) -> None:
        self.name = name

    def connect(self) -> None:
        _no_key()

    def open(
        self, order_id: str, pulse_ms: int, *, life_s: float, automatic: bool = False  # noqa: ARG002
    ) -> None:
        _no_key()

    def hold_open(self, order_id: str, lease_s: float, *, life_s: float) -> None:  # noqa: ARG002
        _no_key()

    def release(self) -> None:
        _no_key()

    def status(self) -> BarrierStatus:
        _no_key()

    def disconnect(self) -> None:
        pass

    def events(self) -> tuple[BarrierEvent, ...]:
        return ()

    def acknowledge(self, event: BarrierEvent) -> None:
        pass

    def capabilities(self) -> Capabilities:
        return _NOTHING

    def controller(self) -> Controller:
        return Controller()


def _no_key() -> NoReturn:
    raise LinkLost(
        "this box holds no key of the barrier controller",
        next_step="Run `postern controller provision PORT`", why="no_key",
    )
