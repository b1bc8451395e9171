"""A clock to turn by hand and a barrier driver that remembers what it was told.

    time = Time()
    driver = Recorder()
    driver.silent = True          # LinkLost from now on
    driver.refusing = True        # OrderRefused from now on; driver.why = "stopped" says why
    driver.foreign = True         # a board with another key answers
    driver.position = Position.OPEN
    driver.inputs["fire"] = True  # any input of a BarrierStatus
    driver.happens(EventKind.MANUAL_OPEN)
    driver.told                   # [("open", "auto-t1", 500), ("release",)]
"""

from __future__ import annotations

from typing import Any

from appliance.barrier.drivers.seam import (
    BarrierEvent,
    BarrierStatus,
    Capabilities,
    Controller,
    EventKind,
    Position,
)
from appliance.errors import LinkLost, OrderRefused


class Time:
    """Seconds that pass only when told to."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += seconds


class Recorder:
    """A ``BarrierDriver`` without an arm."""

    name = "recorder"

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []
        self.lives: list[tuple[float, bool]] = []
        self.position = Position.CLOSED
        self.inputs: dict[str, Any] = {}
        self.faults: tuple[str, ...] = ()
        self.waiting: list[BarrierEvent] = []
        self.acknowledged: list[BarrierEvent] = []
        self.board = Controller(name="bench", boot=1)
        self.silent = False
        self.foreign = False
        self.refusing = False
        self.why = ""
        self.connected = 0

    def connect(self) -> None:
        self._hear()
        self.connected += 1

    def disconnect(self) -> None:
        self.told.append(("disconnect",))

    def open(
        self, order_id: str, pulse_ms: int, *, life_s: float, automatic: bool = False
    ) -> None:
        self._hear()
        self.lives.append((life_s, automatic))
        self._obey("open", order_id, pulse_ms)

    def hold_open(self, order_id: str, lease_s: float, *, life_s: float) -> None:
        self._hear()
        self.lives.append((life_s, False))
        self._obey("hold", order_id, lease_s)

    def release(self) -> None:
        self._hear()
        self._obey("release")

    def status(self) -> BarrierStatus:
        self._hear()
        return BarrierStatus(self.position, faults=self.faults, **self.inputs)

    def events(self) -> tuple[BarrierEvent, ...]:
        return tuple(self.waiting)

    def acknowledge(self, event: BarrierEvent) -> None:
        self.acknowledged.append(event)
        kept = (event.boot, event.number)
        self.waiting = [e for e in self.waiting if (e.boot, e.number) > kept]

    def capabilities(self) -> Capabilities:
        return Capabilities(position=True, inputs=False, timed_pulse=True, longest_lease_s=10.0)

    def controller(self) -> Controller:
        return self.board

    def of(self, verb: str) -> list[tuple[object, ...]]:
        """What it was told of that kind."""
        return [entry for entry in self.told if entry[0] == verb]

    def happens(self, kind: EventKind, number: int = 1, at: float = 1000.0) -> BarrierEvent:
        """Something happened at the controller."""
        event = BarrierEvent(self.board.boot, number, kind, "", at)
        self.waiting.append(event)
        return event

    def _hear(self) -> None:
        if self.foreign:
            raise LinkLost("another board answers", why="foreign")
        if self.silent:
            raise LinkLost("the controller does not answer")

    def _obey(self, *entry: object) -> None:
        if self.refusing:
            raise OrderRefused("no", **({"why": self.why} if self.why else {}))
        self.told.append(entry)
