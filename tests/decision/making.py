"""Values for decision tests: everything is right unless a test says otherwise."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from appliance.decision.situation import Situation
from appliance.decision.snapshot import IndexedPolicy, indexed
from appliance.values import (
    ClockQuality,
    Direction,
    Grant,
    GrantKind,
    PolicySnapshot,
    Sighting,
)

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)  # Monday noon in Chicago
MONO = 1000.0


def sighting(plate: str = "PSTN101", **changed: Any) -> Sighting:
    values: dict[str, Any] = {
        "track": "t1", "revision": 3, "lane": "main", "plate": plate, "raw_plate": plate,
        "score": 0.97, "char_scores": (0.97,) * len(plate), "agreeing": 3, "glimpses": 3,
        "first_mono": MONO - 0.6, "last_mono": MONO - 0.1, "direction": Direction.IN,
        "seen_at": NOW, "clock": ClockQuality.SYNCED,
    }
    return Sighting(**{**values, **changed})


def grant(plate: str = "PSTN101", kind: GrantKind = GrantKind.ALLOW, **changed: Any) -> Grant:
    values: dict[str, Any] = {"id": 1, "kind": kind, "plate": plate, "label": "Unit 7"}
    return Grant(**{**values, **changed})


def policy(*grants: Grant, **changed: Any) -> IndexedPolicy:
    values: dict[str, Any] = {
        "version": 4, "site_zone": "America/Chicago", "grants": grants, "loaded_mono": MONO,
    }
    return indexed(PolicySnapshot(**{**values, **changed}))


def situation(**changed: Any) -> Situation:
    values: dict[str, Any] = {
        "now_mono": MONO, "now_at": NOW, "clock": ClockQuality.SYNCED, "lane": "main",
        "direction": "in", "records_ok": True,
    }
    return Situation(**{**values, **changed})


def scores(plate: str, place: int, weak: float, other: float = 0.97) -> tuple[float, ...]:
    """Scores of a read that doubts one place."""
    return tuple(weak if i == place else other for i in range(len(plate)))
