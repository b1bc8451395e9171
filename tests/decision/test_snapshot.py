"""A policy is checked as a whole before a single grant of it is used."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

import pytest

from appliance.decision.snapshot import SnapshotRefused, nothing_published
from appliance.values import GrantKind, WeeklyHours
from tests.decision.making import NOW, grant, policy


@pytest.mark.parametrize("wrong", [
    grant(plate="pstn101"), grant(plate="PSTN 101"), grant(plate="P"), grant(plate="P" * 13),
    grant(from_at=datetime(2026, 1, 1)), grant(until_at=datetime(2026, 1, 1)),
    grant(from_at=NOW, until_at=NOW), grant(hours=(WeeklyHours((9,), 0, 60),)),
])
def test_a_grant_that_cannot_be_understood_refuses_the_policy(wrong):
    with pytest.raises(SnapshotRefused) as refusal:
        policy(wrong)
    assert "grant 1" in str(refusal.value)
    assert wrong.plate not in str(refusal.value) or len(wrong.plate) == 1


def test_two_grants_with_one_id_refuse_the_policy():
    with pytest.raises(SnapshotRefused):
        policy(grant(), grant(plate="PSTN102"))


@pytest.mark.parametrize("changed", [
    {"version": -1}, {"site_zone": "America/Nowhere"}, {"site_zone": "../etc/passwd"},
    {"agreeing_needed_when_sure": 1}, {"agreeing_needed": 2, "agreeing_needed_when_sure": 3},
])
def test_a_policy_with_impossible_terms_is_refused(changed):
    with pytest.raises(SnapshotRefused):
        policy(**changed)


def test_nothing_published_is_a_policy_without_grants():
    assert nothing_published(1.0).snapshot.version == 0
    assert nothing_published(1.0).exactly("PSTN101") == ()


def test_grants_are_found_by_plate_and_by_shape():
    found = policy(grant(id=2), grant(id=1, kind=GrantKind.VISITOR), grant("PSTN1O1", id=3))
    assert [g.id for g in found.exactly("PSTN101")] == [1, 2]
    assert [g.id for g in found.looking_like("PSTNLQL")] == [1, 2, 3]


def test_near_block_grants_look_alike_or_are_one_edit_away_but_are_not_the_plate_itself():
    block = [
        grant(plate, GrantKind.BLOCK, id=number)
        for number, plate in enumerate(
            ["PSTN101", "PSTNIOI", "PSTN102", "PSTN10", "PSTN1015", "PSTN202", "PSTN110"], start=1
        )
    ]
    near = policy(*block).nearly_blocked("PSTN101")
    assert [g.plate for g in near] == ["PSTNIOI", "PSTN102", "PSTN10", "PSTN1015"]


def test_allow_grants_are_never_near_blocks():
    assert policy(grant("PSTN102")).nearly_blocked("PSTN101") == ()


def test_a_policy_cannot_be_changed_after_it_was_indexed():
    found = policy(grant())
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.snapshot = found.snapshot
    with pytest.raises(TypeError):
        found.by_plate["PSTN101"] = ()


def test_a_grant_may_begin_and_end():
    assert policy(grant(from_at=NOW, until_at=NOW + timedelta(days=1))).exactly("PSTN101")
