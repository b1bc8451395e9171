"""How long one decision takes, and how that grows with the list."""

from __future__ import annotations

from dataclasses import replace

from appliance import clock
from appliance.bench.rooms import Timing, plate, sighting, timed
from appliance.decision import policy, snapshot
from appliance.decision.situation import Situation
from appliance.values import ClockQuality, Grant, GrantKind, PolicySnapshot


def decisions(grants: int) -> Timing:
    """One decision against a list of `grants` entries, half of the cars listed."""
    rules = snapshot.indexed(
        PolicySnapshot(
            1,
            "America/Chicago",
            tuple(Grant(n, GrantKind.ALLOW, plate(n), f"Unit {n}") for n in range(grants)),
            clock.mono(),
        )
    )
    cars = [sighting(f"t{n}", plate(n)) for n in range(0, 2 * grants, max(1, grants // 100))]

    def decide(index: int) -> None:
        now = clock.mono()
        car = replace(cars[index % len(cars)], last_mono=now)
        policy.decide(
            car,
            rules,
            Situation(now, clock.utc_now(), ClockQuality.SYNCED, "main", "in", records_ok=True),
        )

    return timed(f"decide ({grants:,} grants)", decide, 2000)
