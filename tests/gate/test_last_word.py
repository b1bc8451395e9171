"""Which of two decisions about one car stands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.decision.policy import decide
from appliance.gate.last_word import differ, settled
from appliance.values import Decision, Direction, Reason, Verdict
from tests.decision.making import grant, policy, sighting, situation

GRANTED = decide(sighting(), policy(grant()), situation())
NOT_LISTED = decide(sighting("PSTN999"), policy(grant()), situation())
AWAY = decide(sighting(direction=Direction.OUT), policy(grant()), situation())
ABSENT = decide(sighting(), policy(grant()), situation(presence_needed=True))


@pytest.mark.parametrize(("before", "after", "stands"), [
    (None, AWAY, AWAY), (NOT_LISTED, GRANTED, GRANTED), (NOT_LISTED, AWAY, NOT_LISTED),
    (GRANTED, AWAY, AWAY), (ABSENT, AWAY, AWAY),
])
def test_a_car_that_turns_round_keeps_what_it_was_told(before, after, stands):
    assert settled(before, after) is stands


@pytest.mark.parametrize(("before", "after", "another"), [
    (None, None, False), (None, GRANTED, True), (GRANTED, None, True),
    (GRANTED, replace(GRANTED, decided_mono=7.0, rules=()), False),
    (GRANTED, NOT_LISTED, True), (GRANTED, replace(GRANTED, grant_id=2), True),
])
def test_another_moment_is_no_other_answer(
    before: Decision | None, after: Decision | None, another: bool
) -> None:
    assert differ(before, after) is another


def test_the_values_of_this_test_are_what_they_are_called():
    assert [d.reason for d in (GRANTED, NOT_LISTED, AWAY, ABSENT)] == [
        Reason.GRANTED, Reason.NOT_LISTED, Reason.WRONG_DIRECTION, Reason.NO_PRESENCE]
    assert GRANTED.verdict is Verdict.OPEN
