"""A site in a file: who drives up when, and the grants and policy that answer them.

One scenario (TOML) drives the rendered camera, the simulated inputs and the arm, and fills the
site it plays in. The demo, replay tests and an installer's rehearsal are scenarios.

    [scenario]   name, length_s, fps, seed     the clip loops after length_s
    [site]       name, zone, jurisdiction, purposes, kept_hours_matched, kept_hours_unmatched
    [lane]       name, stop_m, loop_from_m, loop_until_m, photocell_m
    [arm]        opens_s, closes_s             how long the simulated arm travels
    [[car]]      plate, who, at_s, way, light, speed_kmh, stops_s, then, body, colour, expect
    [[grant]]    plate, kind, label, unit, note, until_hours, hours_from, hours_until, hours_in_days
    [[fault]]    kind, at_s, for_s

Distances are metres along the drive from the camera to the nearest end of the car.
``hours_in_days`` puts a grant's weekly hours on the local weekday that many days after the filling.
``expect`` is the reason the gate should reach: what a rehearsal compares with.
Every value is frozen; a file that is wrong in any way is refused with a sentence, never mended.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from appliance import plates
from appliance.errors import ConfigError
from appliance.scenario import timeline
from appliance.scenario.plan import (
    Arm,
    Body,
    Car,
    Fault,
    FaultKind,
    LanePlan,
    Light,
    PlannedGrant,
    PlannedHours,
    PlannedSite,
    Scenario,
    Then,
    Way,
)
from appliance.scenario.table import Table
from appliance.values import GrantKind, Purpose, Reason

DEMO = Path(__file__).with_name("demo.toml")
_PLATE_LETTERS_MAX = 8  # what a US plate of 2:1 holds legibly
_MINUTES_A_DAY = 24 * 60


def load(path: Path) -> Scenario:
    """Raises ConfigError naming the table, the key and what it must be."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        raise ConfigError(
            f"the scenario {path.name} could not be read", next_step="Check the path and its rights"
        ) from cause
    return parse(text)


def parse(text: str) -> Scenario:
    """The scenario a TOML text describes. Raises ConfigError as ``load`` does."""
    try:
        root = Table("the scenario", tomllib.loads(text))
    except tomllib.TOMLDecodeError as cause:
        raise ConfigError(
            f"the scenario is not TOML: {cause}", next_step="Mend the line it names"
        ) from cause
    head = root.table("scenario", needed=True)
    result = Scenario(
        name=head.text("name"),
        length_s=head.number("length_s", 5, 600),
        fps=head.number("fps", 1, 30, 10.0),
        seed=head.whole("seed", 0, 2**31 - 1, 1),
        site=_site(root.table("site", needed=True)),
        lane=_lane(root.table("lane")),
        arm=_arm(root.table("arm")),
        cars=tuple(_car(table) for table in root.tables("car")),
        grants=tuple(_grant(table) for table in root.tables("grant")),
        faults=tuple(_fault(table) for table in root.tables("fault")),
    )
    head.end()
    root.end()
    _check_grants(result)
    timeline.check(result)
    return result


def _site(table: Table) -> PlannedSite:
    zone = table.text("zone", "UTC")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as cause:
        raise ConfigError(
            f"[site] zone {zone!r} is not known", next_step="Write a name such as America/Chicago"
        ) from cause
    written = table.texts("purposes", tuple(p.value for p in Purpose))
    try:
        purposes = tuple(Purpose(code) for code in written)
    except ValueError as cause:
        raise ConfigError(
            "[site] purposes names an unknown purpose",
            next_step=f"Known: {', '.join(p.value for p in Purpose)}",
        ) from cause
    site = PlannedSite(
        name=table.text("name"),
        zone=zone,
        jurisdiction=table.text("jurisdiction", ""),
        purposes=purposes,
        kept_hours_matched=table.number("kept_hours_matched", 1, 30 * 24, 24),
        kept_hours_unmatched=table.number("kept_hours_unmatched", 1, 30 * 24, 24),
    )
    table.end()
    return site


def _lane(table: Table) -> LanePlan:
    lane = LanePlan(
        name=table.text("name", "main"),
        stop_m=table.number("stop_m", 4, 12, 6.0),
        loop_from_m=table.number("loop_from_m", 0, 20, 4.0),
        loop_until_m=table.number("loop_until_m", 0, 20, 7.0),
        photocell_m=table.number("photocell_m", -5, 10, 0.5),
    )
    table.end()
    if lane.loop_from_m >= lane.loop_until_m:
        raise ConfigError("[lane] loop_from_m must be less than loop_until_m")
    return lane


def _arm(table: Table) -> Arm:
    arm = Arm(table.number("opens_s", 0.3, 10, 1.5), table.number("closes_s", 0.3, 10, 2.0))
    table.end()
    return arm


def _car(table: Table) -> Car:
    car = Car(
        plate=_plate(table),
        who=table.text("who", ""),
        at_s=table.number("at_s", 0, 600),
        way=table.choice("way", Way, Way.IN),
        light=table.choice("light", Light, Light.DAY),
        speed_kmh=table.number("speed_kmh", 5, 40, 20),
        stops_s=table.number("stops_s", 0, 30, 2.0),
        then=table.choice("then", Then, Then.THROUGH),
        body=table.choice("body", Body, Body.SALOON),
        colour=_colour(table),
        expect=table.choice("expect", Reason, Reason.NOT_LISTED),
    )
    table.end()
    return car


def _plate(table: Table) -> str:
    written = table.text("plate")
    try:
        text = plates.normalise(written)
    except plates.PlateRefused as cause:
        raise ConfigError(f"{table.where} plate has 2 to 8 letters and digits") from cause
    if len(text) > _PLATE_LETTERS_MAX:
        raise ConfigError(f"{table.where} plate has 2 to 8 letters and digits")
    return written


def _colour(table: Table) -> str:
    colour = table.text("colour", "#8d9399")
    try:
        good = len(colour) == 7 and colour[0] == "#" and int(colour[1:], 16) >= 0
    except ValueError:
        good = False
    if not good:
        raise ConfigError(f"{table.where} colour must be written #rrggbb")
    return colour.lower()


def _grant(table: Table) -> PlannedGrant:
    grant = PlannedGrant(
        plate=plates.normalise(_plate(table)),
        kind=table.choice("kind", GrantKind, GrantKind.ALLOW),
        label=table.text("label"),
        unit=table.text("unit", ""),
        note=table.text("note", ""),
        until_hours=table.number("until_hours", 1, 24 * 365) if table.has("until_hours") else None,
        hours=_hours(table) if table.has("hours_from") else None,
    )
    table.end()
    return grant


def _hours(table: Table) -> PlannedHours:
    return PlannedHours(
        in_days=table.whole("hours_in_days", 0, 6, 0),
        from_minute=_minute(table, "hours_from"),
        until_minute=_minute(table, "hours_until"),
    )


def _minute(table: Table, name: str) -> int:
    """Minutes after midnight from "06:30"."""
    written = table.text(name)
    hours, colon, minutes = written.partition(":")
    good = bool(colon) and hours.isdigit() and minutes.isdigit() and len(minutes) == 2
    result = int(hours) * 60 + int(minutes) if good else _MINUTES_A_DAY
    if result >= _MINUTES_A_DAY or (good and int(minutes) >= 60):
        raise ConfigError(f"{table.where} {name} must be a time of day such as 06:30")
    return result


def _fault(table: Table) -> Fault:
    fault = Fault(
        table.choice("kind", FaultKind), table.number("at_s", 0, 600), table.number("for_s", 0, 600)
    )
    table.end()
    return fault


def _check_grants(scenario: Scenario) -> None:
    seen: set[str] = set()
    for number, grant in enumerate(scenario.grants, start=1):
        if grant.plate in seen:
            raise ConfigError(f"[[grant]] {number} repeats a plate of an earlier grant")
        seen.add(grant.plate)
