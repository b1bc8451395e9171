"""A clock to turn by hand and a barrier driver that remembers what it was told.

    time = Time()
    driver = Recorder()
    driver.silent = True          # LinkLost from now on
    driver.refusing = True        # OrderRefused from now on
    driver.position = Position.OPEN
    driver.told                   # [("open", "auto-t1", 500), ("release",)]
"""

from __future__ import annotations

from appliance.barrier.drivers.seam import BarrierStatus, Capabilities, Position
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
        self.position = Position.CLOSED
        self.fault = ""
        self.silent = False
        self.refusing = False
        self.connected = 0

    def connect(self) -> None:
        self._hear()
        self.connected += 1

    def disconnect(self) -> None:
        self.told.append(("disconnect",))

    def open(self, order_id: str, pulse_ms: int) -> None:
        self._hear()
        self._obey("open", order_id, pulse_ms)

    def hold_open(self, order_id: str, lease_s: float) -> None:
        self._hear()
        self._obey("hold", order_id, lease_s)

    def release(self) -> None:
        self._hear()
        self._obey("release")

    def status(self) -> BarrierStatus:
        self._hear()
        return BarrierStatus(self.position, fault=self.fault)

    def capabilities(self) -> Capabilities:
        return Capabilities(position=True, inputs=False, timed_pulse=True, longest_lease_s=10.0)

    def of(self, verb: str) -> list[tuple[object, ...]]:
        """What it was told of that kind."""
        return [entry for entry in self.told if entry[0] == verb]

    def _hear(self) -> None:
        if self.silent:
            raise LinkLost("the controller does not answer")

    def _obey(self, *entry: object) -> None:
        if self.refusing:
            raise OrderRefused("no")
        self.told.append(entry)
