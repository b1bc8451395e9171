"""The values of a scenario: frozen, relative to its own start, knowing nothing of files.

Distances are metres along the drive from the camera to the nearest end of a car; times are seconds
after the scenario's start unless a name says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from appliance import plates
from appliance.values import GrantKind, Purpose, Reason


class Way(StrEnum):
    IN = "in"  # towards the camera
    OUT = "out"  # away from it, seen from behind


class Light(StrEnum):
    DAY = "day"
    DUSK = "dusk"
    NIGHT = "night"


class Then(StrEnum):
    """What a car that drove in does after its stop."""

    THROUGH = "through"
    BACK = "back"


class Body(StrEnum):
    SALOON = "saloon"
    HATCH = "hatch"
    SUV = "suv"
    VAN = "van"

    @property
    def length_m(self) -> float:
        return {"saloon": 4.7, "hatch": 4.1, "suv": 4.7, "van": 5.3}[self.value]


class FaultKind(StrEnum):
    LOOP_STUCK = "loop_stuck"  # the loop says car, whatever stands there
    LOOP_DEAD = "loop_dead"  # the loop never says car
    PHOTOCELL_BLOCKED = "photocell_blocked"  # a leaf on the lens
    ARM_STUCK = "arm_stuck"  # the motor turns, the arm does not
    ARM_SLOW = "arm_slow"  # it needs five times as long
    ARM_OBSTRUCTED = "arm_obstructed"  # something rigid stands in its way
    LIMITS_BOUNCE = "limits_bounce"  # the limit switches chatter after every change
    LINK_LOST = "link_lost"  # the cable is cut: the controller does not answer
    ANSWERS_LOST = "answers_lost"  # it hears and obeys, but nobody hears it
    POWER_LOST = "power_lost"  # neither controller nor cabinet has power


@dataclass(frozen=True, slots=True)
class Car:
    """One visit. ``plate`` is written as on the car, e.g. ``PSTN 101``."""

    plate: str
    who: str
    at_s: float
    way: Way
    light: Light
    speed_kmh: float
    stops_s: float
    then: Then
    body: Body
    colour: str
    """#rrggbb"""
    expect: Reason

    @property
    def plate_text(self) -> str:
        """As it is compared: A-Z and 0-9."""
        return plates.normalise(self.plate)


@dataclass(frozen=True, slots=True)
class PlannedHours:
    """Weekly hours on the weekday ``in_days`` local days after the site is filled."""

    in_days: int
    from_minute: int
    until_minute: int


@dataclass(frozen=True, slots=True)
class PlannedGrant:
    """A grant whose times are relative to the moment the site is filled."""

    plate: str
    kind: GrantKind
    label: str
    unit: str
    note: str
    until_hours: float | None
    hours: PlannedHours | None


@dataclass(frozen=True, slots=True)
class PlannedSite:
    name: str
    zone: str
    jurisdiction: str
    purposes: tuple[Purpose, ...]
    kept_hours_matched: float
    kept_hours_unmatched: float


@dataclass(frozen=True, slots=True)
class LanePlan:
    """Where things are along the drive, metres from the camera."""

    name: str
    stop_m: float
    loop_from_m: float
    loop_until_m: float
    photocell_m: float


@dataclass(frozen=True, slots=True)
class Arm:
    opens_s: float
    closes_s: float


@dataclass(frozen=True, slots=True)
class Fault:
    kind: FaultKind
    at_s: float
    for_s: float


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    length_s: float
    fps: float
    seed: int
    site: PlannedSite
    lane: LanePlan
    arm: Arm
    cars: tuple[Car, ...]
    grants: tuple[PlannedGrant, ...]
    faults: tuple[Fault, ...]
