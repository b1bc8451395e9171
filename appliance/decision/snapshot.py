"""The published policy as a decision needs it: checked once, then found by plate in microseconds.

``indexed`` checks every grant before a single one is used, so that a half-understood policy never
takes the place of a good one; whoever loads it keeps the last good index when this raises.
Built off the hot path (it reads the zone file); the result is immutable and may be shared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from types import MappingProxyType
from zoneinfo import ZoneInfo

from appliance import plates
from appliance.decision import lookalikes, schedule
from appliance.values import Grant, GrantKind, PolicySnapshot

_FEWEST_AGREEING = 2  # one picture alone never opens


class SnapshotRefused(ValueError):
    """The policy cannot be applied. The text names a grant by its id, never by its plate."""


@dataclass(frozen=True, slots=True)
class IndexedPolicy:
    """A checked snapshot with its look-up tables."""

    snapshot: PolicySnapshot
    zone: tzinfo
    by_plate: Mapping[str, tuple[Grant, ...]]
    by_shape: Mapping[str, tuple[Grant, ...]]
    """Grants by the look-alike shape of their plate."""
    blocked_by_part: Mapping[str, tuple[Grant, ...]]
    """Block grants by each text of ``lookalikes.shortened``."""

    def exactly(self, plate: str) -> tuple[Grant, ...]:
        """Grants of that very plate, in the order of their ids."""
        return self.by_plate.get(plate, ())

    def looking_like(self, plate: str) -> tuple[Grant, ...]:
        """Grants whose plate has the same shape, the plate itself included."""
        return self.by_shape.get(lookalikes.shape(plate), ())

    def nearly_blocked(self, plate: str) -> tuple[Grant, ...]:
        """Block grants of another plate that looks alike or is one edit away."""
        near = {g.id: g for g in self.looking_like(plate) if g.kind is GrantKind.BLOCK}
        for part in lookalikes.shortened(plate):
            for grant in self.blocked_by_part.get(part, ()):
                if lookalikes.within_one_edit(plate, grant.plate):
                    near[grant.id] = grant
        return tuple(grant for _, grant in sorted(near.items()) if grant.plate != plate)


def indexed(snapshot: PolicySnapshot) -> IndexedPolicy:
    """The snapshot, checked and ready to use. Raises SnapshotRefused."""
    _check_counts(snapshot)
    zone = _zone(snapshot.site_zone)
    seen: set[int] = set()
    for grant in snapshot.grants:
        if grant.id in seen:
            raise SnapshotRefused(f"grant {grant.id} stands twice")
        seen.add(grant.id)
        why = _refusal(grant)
        if why:
            raise SnapshotRefused(f"grant {grant.id}: {why}")
    blocked = [g for g in snapshot.grants if g.kind is GrantKind.BLOCK]
    return IndexedPolicy(
        snapshot=snapshot,
        zone=zone,
        by_plate=_table((g.plate, g) for g in snapshot.grants),
        by_shape=_table((lookalikes.shape(g.plate), g) for g in snapshot.grants),
        blocked_by_part=_table((p, g) for g in blocked for p in lookalikes.shortened(g.plate)),
    )


def nothing_published(loaded_mono: float) -> IndexedPolicy:
    """What the gate knows before a policy was ever loaded: nothing opens by itself."""
    return indexed(PolicySnapshot(version=0, site_zone="UTC", grants=(), loaded_mono=loaded_mono))


def _check_counts(snapshot: PolicySnapshot) -> None:
    if snapshot.version < 0:
        raise SnapshotRefused("a policy version is 0 or more")
    if not _FEWEST_AGREEING <= snapshot.agreeing_needed_when_sure <= snapshot.agreeing_needed:
        raise SnapshotRefused("two agreeing glimpses are the least, and fewer only when sure")


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as cause:
        raise SnapshotRefused("the site's time zone is unknown") from cause


def _refusal(grant: Grant) -> str:
    try:
        plain = plates.normalise(grant.plate)
    except plates.PlateRefused:
        return "its plate cannot be compared"
    if plain != grant.plate:
        return "its plate is not normalised"
    for limit in (grant.from_at, grant.until_at):
        if limit is not None and limit.tzinfo is None:
            return "a time needs its zone"
    if grant.from_at and grant.until_at and grant.until_at <= grant.from_at:
        return "it ends before it begins"
    return next(filter(None, map(schedule.refusal, grant.hours)), "")


def _table(rows: Iterable[tuple[str, Grant]]) -> Mapping[str, tuple[Grant, ...]]:
    gathered: dict[str, list[Grant]] = {}
    for text, grant in rows:
        gathered.setdefault(text, []).append(grant)
    return MappingProxyType(
        {text: tuple(sorted(found, key=_id)) for text, found in gathered.items()}
    )


def _id(grant: Grant) -> int:
    return grant.id
