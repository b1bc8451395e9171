"""Fills a site from a scenario: its policy published, its grants listed. Repeatable.

Rules:
1. A policy is published only where the site never had one.
2. Grants are added only where nobody has added any.
3. Times stand relative to the filling, so a demo started again on another day would hold stale
   ones: grants of an earlier filling that nobody has changed since get their times anew.
4. What a person wrote or changed is never touched.

Runs in whichever program holds the writing connection of ``site.db``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from appliance import clock, database, site
from appliance.scenario.plan import PlannedGrant, PlannedHours, PlannedSite, Scenario

_SETTING = "scenario"


@dataclass(frozen=True, slots=True)
class Filled:
    """What a filling did."""

    published: bool
    added: int
    renewed: int


def fill_site(
    connection: database.Connection, scenario: Scenario, by: str, now: datetime | None = None
) -> Filled:
    """Writes the scenario's policy and grants by the rules above; ``now`` UTC, the clock's if
    none is given."""
    at = now or clock.utc_now()
    published = _publish(connection, scenario.site, by)
    with database.atomic(connection):
        (listed,) = connection.execute("SELECT count(*) FROM grants").fetchone()
        earlier = _earlier(connection)
        if not listed:
            added = {grant.plate: _add(connection, grant, scenario, by, at)
                     for grant in scenario.grants}
            connection.execute(
                "INSERT OR REPLACE INTO settings VALUES (?, ?)", (_SETTING, json.dumps(added))
            )
            return Filled(published, added=len(added), renewed=0)
        renewed = sum(
            _renew(connection, grant, scenario, earlier[grant.plate], at)
            for grant in scenario.grants
            if grant.plate in earlier
        )
    return Filled(published, added=0, renewed=renewed)


def policy_body(planned: PlannedSite) -> dict[str, Any]:
    """The policy as ``site.publish`` takes it.

    It says openly that residents are recorded and not merely counted: a demo shows its decisions.
    """
    return {
        "site_name": planned.name,
        "site_zone": planned.zone,
        "jurisdiction": planned.jurisdiction,
        "purposes": [purpose.value for purpose in planned.purposes],
        "kept_hours_matched": planned.kept_hours_matched,
        "kept_hours_unmatched": planned.kept_hours_unmatched,
        "kept_hours_resident": planned.kept_hours_matched,
        "residents_counted": False,
        "anti_passback": False,
    }


def _publish(connection: database.Connection, planned: PlannedSite, by: str) -> bool:
    (versions,) = connection.execute("SELECT count(*) FROM policy_versions").fetchone()
    if versions:
        return False
    site.publish(connection, policy_body(planned), by)
    return True


def _earlier(connection: database.Connection) -> dict[str, int]:
    """Plate -> row of an earlier filling."""
    row = connection.execute("SELECT value FROM settings WHERE key = ?", (_SETTING,)).fetchone()
    return dict(json.loads(row["value"])) if row else {}


def _add(
    connection: database.Connection, grant: PlannedGrant, scenario: Scenario, by: str, at: datetime
) -> int:
    cursor = connection.execute(
        "INSERT INTO grants (kind, plate, label, unit, note, until_at, hours, made_at, made_by)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (grant.kind.value, grant.plate, grant.label, grant.unit, grant.note, _until(grant, at),
         _hours(grant.hours, scenario.site.zone, at), clock.iso(at), by),
    )
    return int(cursor.lastrowid)


def _renew(
    connection: database.Connection, grant: PlannedGrant, scenario: Scenario, row: int, at: datetime
) -> int:
    if grant.until_hours is None and grant.hours is None:
        return 0
    cursor = connection.execute(
        "UPDATE grants SET until_at = ?, hours = ?"
        " WHERE id = ? AND plate = ? AND changed_at IS NULL AND ended_at IS NULL",
        (_until(grant, at), _hours(grant.hours, scenario.site.zone, at), row, grant.plate),
    )
    return int(cursor.rowcount)


def _until(grant: PlannedGrant, at: datetime) -> str | None:
    return clock.iso(at + timedelta(hours=grant.until_hours)) if grant.until_hours else None


def _hours(planned: PlannedHours | None, zone: str, at: datetime) -> str:
    """The grant's weekly hours as ``site.db`` keeps them.

    Counted in local days: three days ahead is never within 48 hours of now, whatever the hour.
    """
    if planned is None:
        return "[]"
    day = (at.astimezone(ZoneInfo(zone)).weekday() + planned.in_days) % 7
    return json.dumps([{
        "days": [day],
        "from_minute": planned.from_minute,
        "until_minute": planned.until_minute,
    }])
