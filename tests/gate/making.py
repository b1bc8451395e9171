"""A gate's parts around a fake records program and a turned clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from appliance import clock, ipc, site
from appliance.config import Config
from appliance.errors import IpcError
from appliance.gate.loop import Now
from appliance.values import Purpose
from tests.decision import making
from tests.fakes.barrier import Time


class Turned:
    """Both clocks of the loop, turned by hand."""

    def __init__(self) -> None:
        self.time = Time(making.MONO)

    def __call__(self) -> Now:
        passed = self.time.now - making.MONO
        return Now(self.time.now, making.NOW + timedelta(seconds=passed))


class FakeRecords:
    """Stands for the records program behind the sender's ``call``.

    ``down`` raises, ``refusing`` answers no with that key; ``got`` is what it acknowledged.
    """

    def __init__(self) -> None:
        self.down = False
        self.refusing = ""
        self.got: list[tuple[str, Mapping[str, Any], bytes]] = []
        self.asked = 0

    def __call__(self, verb: str, fields: Mapping[str, Any], *, blob: bytes = b"") -> ipc.Message:
        self.asked += 1
        if self.down:
            raise IpcError("records is away")
        if self.refusing and verb != "status":
            raise ipc.Refused("no", refused_key=self.refusing)
        if verb != "status":
            self.got.append((verb, fields, blob))
        return ipc.ok()

    def passages(self) -> list[Mapping[str, Any]]:
        return [fields["passage"] for verb, fields, _ in self.got if verb == "keep"]


def publish(config: Config, *plates: str, zone: str = "America/Chicago") -> None:
    """A published policy that allows these plates, as the console would write it."""
    connection = site.open_writer(config)
    try:
        site.publish(connection, {
            "site_name": "Test", "site_zone": zone, "purposes": [Purpose.ACCESS_CONTROL.value],
            "kept_hours_matched": 24, "kept_hours_unmatched": 24,
        }, "tester")
        for plate in plates:
            allow(connection, plate)
    finally:
        connection.close()


def allow(connection: Any, plate: str, kind: str = "allow") -> None:
    connection.execute(
        "INSERT INTO grants (kind, plate, label, made_at, made_by) VALUES (?, ?, ?, ?, 'tester')",
        (kind, plate, f"Unit {plate[-2:]}", clock.iso(clock.utc_now())),
    )
