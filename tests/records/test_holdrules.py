"""What the law of each state says of a hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from appliance.records.holdrules import (
    HoldKind,
    HoldRefused,
    HoldRequest,
    check,
    rule_for,
    ruled_by,
)
from tests.records.room import NOON

PAPER = HoldRequest(
    kind=HoldKind.PRESERVATION,
    requester="R. Example",
    office="Example County Attorney",
    contact="desk 4",
    instrument="written request",
    legal_basis="pending order",
    days=14,
    received_at=NOON,
    copy_sha256="ab" * 32,
)


@pytest.mark.parametrize("state", ["us-ut", "us-ne", "us-mt", "us-ca", ""])
def test_a_preservation_lasts_fourteen_days_and_no_more(state):
    paper = replace(PAPER, jurisdiction=state, sworn=True)
    assert check(paper, NOON).longest == timedelta(days=14)
    with pytest.raises(HoldRefused, match="1 to 14 days"):
        check(replace(paper, days=15), NOON)
    with pytest.raises(HoldRefused):
        check(replace(paper, days=0), NOON)


@pytest.mark.parametrize("state", ["us-ne", "us-mt"])
def test_nebraska_and_montana_want_it_sworn(state):
    paper = replace(PAPER, jurisdiction=state)
    with pytest.raises(HoldRefused, match="sworn"):
        check(paper, NOON)
    assert check(replace(paper, sworn=True), NOON).cite


def test_utah_wants_it_written_not_sworn():
    assert "41-6a-2005" in check(replace(PAPER, jurisdiction="us-ut"), NOON).cite


@pytest.mark.parametrize("kind", list(HoldKind))
def test_in_iowa_no_hold_outlives_the_thirtieth_day(kind):
    gone_by = rule_for(kind, "us-ia").gone_by
    assert gone_by is not None
    assert gone_by < timedelta(days=30)


def test_in_arkansas_the_sites_own_incident_ends_before_sixty_days():
    gone_by = rule_for(HoldKind.INCIDENT, "us-ar").gone_by
    assert gone_by is not None
    assert gone_by < timedelta(days=60)
    assert rule_for(HoldKind.ORDER, "us-ar").gone_by is None


def test_an_order_may_hold_a_year_and_an_incident_ninety_days():
    assert check(replace(PAPER, kind=HoldKind.ORDER, days=365), NOON)
    assert check(replace(PAPER, kind=HoldKind.INCIDENT, days=90, copy_sha256=""), NOON)
    with pytest.raises(HoldRefused):
        check(replace(PAPER, kind=HoldKind.INCIDENT, days=91), NOON)


def test_the_sites_own_state_rules():
    assert ruled_by("", "us-ia") == "us-ia"
    assert ruled_by("US-IA", "us-ia") == "us-ia"
    assert ruled_by("us-ut", "") == "us-ut"
    assert ruled_by("", "") == ""
    with pytest.raises(HoldRefused, match="own state"):
        ruled_by("us-ut", "us-ia")
    with pytest.raises(HoldRefused, match="code"):
        ruled_by("Utah!", "")


@pytest.mark.parametrize(
    "wrong",
    [
        {"requester": " "},
        {"office": ""},
        {"contact": "x"},
        {"instrument": ""},
        {"legal_basis": "x" * 501},
        {"instrument_no": "x" * 501},
        {"copy_sha256": ""},
        {"copy_sha256": "AB" * 32},
        {"copy_sha256": "ab"},
        {"received_at": NOON + timedelta(days=2)},
        {"received_at": NOON - timedelta(days=4000)},
    ],
)
def test_a_paper_that_says_too_little_is_refused(wrong):
    with pytest.raises(HoldRefused):
        check(replace(PAPER, **wrong), NOON)
