"""Filling a site from a scenario."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from appliance import database, site
from appliance.config import Config
from appliance.scenario import format as scenario_format
from appliance.scenario.plan import Scenario
from appliance.scenario.site import Filled, fill_site
from appliance.values import Grant, GrantKind

NOON = datetime(2026, 11, 18, 18, 0, tzinfo=UTC)


@pytest.fixture
def connection(box: Config) -> Iterator[database.Connection]:
    with contextlib.closing(site.open_writer(box)) as opened:
        yield opened


@pytest.fixture(scope="module")
def demo() -> Scenario:
    return scenario_format.load(scenario_format.DEMO)


def _grant(connection: database.Connection, plate: str) -> Grant:
    return next(g for g in site.snapshot(connection).grants if g.plate == plate)


def test_an_empty_site_gets_the_policy_and_every_grant(
    connection: database.Connection, demo: Scenario
) -> None:
    assert fill_site(connection, demo, "demo", NOON) == Filled(True, len(demo.grants), 0)

    policy = site.published(connection)
    assert policy is not None
    assert (policy.version, policy.site_zone, policy.published_by) == (
        1, "America/Chicago", "demo")
    assert policy.purposes == demo.site.purposes
    grants = site.snapshot(connection).grants
    assert [(g.plate, g.kind) for g in grants] == [(g.plate, g.kind) for g in demo.grants]
    assert _grant(connection, "KT47HX3").label == "Unit 12, Moreno"


def test_filling_twice_changes_nothing(connection: database.Connection, demo: Scenario) -> None:
    fill_site(connection, demo, "demo", NOON)
    before = site.snapshot(connection).grants

    again = fill_site(connection, demo, "demo", NOON)

    assert (again.published, again.added) == (False, 0)
    assert site.snapshot(connection).grants == before
    assert site.published(connection).version == 1  # type: ignore[union-attr]


def test_a_visitor_is_expected_again_when_the_demo_starts_days_later(
    connection: database.Connection, demo: Scenario
) -> None:
    fill_site(connection, demo, "demo", NOON)
    later = NOON + timedelta(days=9)

    assert fill_site(connection, demo, "demo", later).renewed == 2

    visitor = _grant(connection, "HL36TY7")
    assert visitor.kind is GrantKind.VISITOR
    assert visitor.until_at == later + timedelta(hours=48)


@pytest.mark.parametrize("hour", range(0, 7 * 24, 5))
def test_the_delivery_span_is_never_within_a_day_of_the_filling(
    connection: database.Connection, demo: Scenario, hour: int
) -> None:
    now = NOON + timedelta(hours=hour)
    fill_site(connection, demo, "demo", now)

    (span,) = _grant(connection, "YC74NH9").hours
    zone = ZoneInfo(demo.site.zone)
    for ahead in range(-24, 25):
        local = (now + timedelta(hours=ahead)).astimezone(zone)
        assert local.weekday() not in span.days
    assert (span.from_minute, span.until_minute) == (360, 390)


def test_what_a_person_changed_is_left_alone(
    connection: database.Connection, demo: Scenario
) -> None:
    fill_site(connection, demo, "demo", NOON)
    connection.execute(
        "UPDATE grants SET until_at = '2026-11-19T00:00:00.000Z', changed_at = ?,"
        " changed_by = 'ana' WHERE plate = 'HL36TY7'", ("2026-11-18T19:00:00.000Z",))

    fill_site(connection, demo, "demo", NOON + timedelta(days=3))

    assert _grant(connection, "HL36TY7").until_at == datetime(2026, 11, 19, tzinfo=UTC)


def test_a_site_with_its_own_grants_gets_none(
    connection: database.Connection, demo: Scenario
) -> None:
    connection.execute(
        "INSERT INTO grants (kind, plate, made_at, made_by) VALUES ('allow', 'PSTN101', ?, 'ana')",
        ("2026-11-18T19:00:00.000Z",))

    assert fill_site(connection, demo, "demo", NOON).added == 0

    assert [g.plate for g in site.snapshot(connection).grants] == ["PSTN101"]


def test_a_published_policy_is_never_published_over(
    connection: database.Connection, demo: Scenario
) -> None:
    body = {"site_name": "Elm Row", "site_zone": "UTC", "purposes": ["audit"],
            "kept_hours_matched": 1, "kept_hours_unmatched": 1}
    site.publish(connection, body, "ana")

    assert fill_site(connection, demo, "demo", NOON).published is False

    assert site.published(connection).site_name == "Elm Row"  # type: ignore[union-attr]
    (row,) = connection.execute("SELECT body FROM policy_versions").fetchall()
    assert json.loads(row["body"])["purposes"] == ["audit"]
