"""Where a read stands in the lists, and whether a grant holds here and now.

1. An entry that names the read to the letter leaves no room for look-alikes.
2. Otherwise the entries that look like it are candidates, unless they have ended; the one that
   differs at the fewest places is judged.
3. Of several entries of one plate the one that comes furthest through lane, clock, dates, hours and
   second factor is judged, the oldest of equals.
4. A read stands alone where all unended entries of its shape carry one label.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from appliance import plates
from appliance.decision import lookalikes, schedule
from appliance.decision.situation import Situation
from appliance.decision.snapshot import IndexedPolicy
from appliance.values import Grant, GrantKind, SecondFactor, Sighting


@dataclass(frozen=True, slots=True)
class Match:
    """What the lists say of a read; block entries are the block rules' business."""

    plate: str
    """Normalised; empty where the read cannot be a plate."""
    grant: Grant | None = None
    """The allow or visitor grant that is judged, where there is one."""
    doubtful: tuple[int, ...] = ()
    """Places at which the read differs from the grant's plate."""
    alone: bool = True
    """No other label has a plate of that shape."""


def find(sighting: Sighting, policy: IndexedPolicy, situation: Situation) -> Match:
    """Raises ValueError for a sighting whose scores do not fit its characters."""
    if len(sighting.char_scores) != len(sighting.plate):
        raise ValueError("a score for every character")
    try:
        plate = plates.normalise(sighting.plate)
    except plates.PlateRefused:
        return Match("")
    if len(plate) != len(sighting.plate):
        raise ValueError("a score for every compared character")
    exact = [g for g in policy.exactly(plate) if g.kind is not GrantKind.BLOCK]
    if exact:
        return Match(plate, _furthest(exact, policy, situation))
    return _lookalike(plate, policy, situation)


def timed(grant: Grant) -> bool:
    """True where the grant depends on the wall clock."""
    return bool(grant.hours or grant.from_at or grant.until_at)


def for_lane(grant: Grant, situation: Situation) -> bool:
    return not grant.lanes or situation.lane in grant.lanes


def has_begun(grant: Grant, situation: Situation) -> bool:
    return grant.from_at is None or grant.from_at <= situation.now_at


def not_ended(grant: Grant, situation: Situation) -> bool:
    """Its last moment is no longer part of a grant."""
    return grant.until_at is None or situation.now_at < grant.until_at


def in_hours(grant: Grant, policy: IndexedPolicy, situation: Situation) -> bool:
    return not grant.hours or schedule.within(grant.hours, situation.now_at, policy.zone)


def second_factor_given(grant: Grant, situation: Situation) -> bool:
    """True also where the grant asks for none."""
    asked = grant.second_factor is not SecondFactor.NONE
    return not asked or situation.confirmed_grant == grant.id


def block_in_force(grant: Grant, policy: IndexedPolicy, situation: Situation) -> bool:
    """A block entry holds in its own lane, dates and hours; at any time while the clock is not
    trusted."""
    if not for_lane(grant, situation):
        return False
    return not situation.clock_trusted or (
        has_begun(grant, situation)
        and not_ended(grant, situation)
        and in_hours(grant, policy, situation)
    )


def _lookalike(plate: str, policy: IndexedPolicy, situation: Situation) -> Match:
    # An untrusted clock may not declare an entry ended: it still counts against standing alone.
    standing = [
        g for g in policy.looking_like(plate)
        if not situation.clock_trusted or not_ended(g, situation)
    ]
    candidates = [g for g in standing if g.kind is not GrantKind.BLOCK]
    if not candidates:
        return Match(plate)
    fewest = min(len(lookalikes.differing(plate, g.plate)) for g in candidates)
    nearest = [g for g in candidates if len(lookalikes.differing(plate, g.plate)) == fewest]
    grant = _furthest(nearest, policy, situation)
    return Match(
        plate,
        grant,
        lookalikes.differing(plate, grant.plate),
        alone=len({g.label or g.plate for g in standing}) == 1,
    )


def _furthest(grants: Iterable[Grant], policy: IndexedPolicy, situation: Situation) -> Grant:
    def steps(grant: Grant) -> int:
        answers = (
            for_lane(grant, situation),
            situation.clock_trusted or not timed(grant),
            has_begun(grant, situation),
            not_ended(grant, situation),
            in_hours(grant, policy, situation),
            second_factor_given(grant, situation),
        )
        return answers.index(False) if False in answers else len(answers)

    return max(grants, key=lambda grant: (steps(grant), -grant.id))
