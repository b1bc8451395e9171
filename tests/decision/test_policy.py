"""Every rule for opening, from both sides of its border."""

from __future__ import annotations

import dataclasses
import math
import random
import sys
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.decision import policy as rules
from appliance.decision.policy import decide
from appliance.decision.snapshot import nothing_published
from appliance.values import (
    ClockQuality,
    Direction,
    GrantKind,
    Reason,
    SecondFactor,
    Sighting,
    Verdict,
    WeeklyHours,
)
from tests.decision.making import MONO, NOW, grant, policy, scores, sighting, situation

NAMES = [name for name, _ in rules.RULES]
UNTRUSTED = situation(clock=ClockQuality.UNKNOWN)
NOON = WeeklyHours((0,), 12 * 60, 13 * 60)
NIGHT = WeeklyHours((0,), 22 * 60, 6 * 60)
BLOCK = GrantKind.BLOCK


def _reason(seen: Sighting, *grants, at=None) -> Reason:
    return decide(seen, policy(*grants), at or situation()).reason


# Opening


def test_a_listed_plate_read_well_by_three_opens():
    decision = decide(sighting(), policy(grant()), situation())
    assert (decision.verdict, decision.reason) == (Verdict.OPEN, Reason.GRANTED)
    assert (decision.grant_id, decision.grant_plate, decision.grant_label) == (
        1, "PSTN101", "Unit 7")
    assert (decision.track, decision.revision, decision.policy_version) == ("t1", 3, 4)
    assert (decision.decided_mono, decision.decided_at) == (MONO, NOW)


def test_an_opening_tells_every_rule_in_order():
    decision = decide(sighting(), policy(grant()), situation())
    assert [tried.rule for tried in decision.rules] == NAMES
    assert all(tried.held for tried in decision.rules)


def test_a_refusal_ends_at_the_first_rule_that_does_not_hold():
    decision = decide(sighting("PSTN999"), policy(grant()), situation())
    assert [tried.rule for tried in decision.rules] == NAMES[: NAMES.index("listed") + 1]
    assert [tried.held for tried in decision.rules].count(False) == 1
    assert not decision.rules[-1].held


def test_no_note_holds_a_plate():
    for seen in (sighting(), sighting("PSTN1O1"), sighting("PSTN999")):
        decision = decide(seen, policy(grant(), grant("PSTN555", BLOCK, id=2)), situation())
        assert "PSTN" not in "".join(tried.note for tried in decision.rules)


def test_a_visitor_opens_with_a_reason_of_its_own():
    assert _reason(sighting(), grant(kind=GrantKind.VISITOR)) is Reason.VISITOR_GRANTED


def test_every_reason_has_exactly_one_kind_of_answer():
    opening = {r for r in Reason if rules.VERDICTS.get(r) is Verdict.OPEN}
    assert opening == {Reason.GRANTED, Reason.VISITOR_GRANTED, Reason.LOOKALIKE_GRANTED}


# 1 policy


def test_without_a_published_policy_the_guard_is_asked():
    decision = decide(sighting(), nothing_published(0.0), situation())
    assert (decision.verdict, decision.reason) == (Verdict.ASK_GUARD, Reason.NO_POLICY)


def test_an_unpublished_policy_opens_for_no_grant():
    decision = decide(sighting(), policy(grant(), version=0), situation())
    assert decision.reason is Reason.NO_POLICY


# 2 and 3 block


def test_a_block_wins_over_an_allow_entry_of_the_same_plate():
    decision = decide(sighting(), policy(grant(), grant(kind=BLOCK, id=2)), situation())
    assert (decision.verdict, decision.reason) == (Verdict.STAY_CLOSED, Reason.BLOCKED)
    assert decision.grant_id == 2


def test_a_block_is_told_before_age_direction_and_score():
    doubtful = sighting(agreeing=1, last_mono=MONO - 60, direction=Direction.OUT,
                        char_scores=(0.3,) * 7)
    assert _reason(doubtful, grant(kind=BLOCK)) is Reason.BLOCKED


@pytest.mark.parametrize("read", ["PSTNIOI", "PSTNLQL", "PSTN102", "PSTN10", "PSTN1O1",
                                  "PSTNX101"])
def test_a_read_near_a_blocked_plate_asks_the_guard_even_when_listed(read):
    decision = decide(sighting(read), policy(grant(read), grant(kind=BLOCK, id=2)), situation())
    assert (decision.verdict, decision.reason) == (Verdict.ASK_GUARD, Reason.LOOKS_BLOCKED)
    assert decision.grant_id == 2


def test_a_read_two_edits_from_a_blocked_plate_is_none_of_its_business():
    assert _reason(sighting("PSTN122"), grant("PSTN122"), grant(kind=BLOCK, id=2)) is Reason.GRANTED


@pytest.mark.parametrize("out_of_force", [
    {"lanes": ("yard",)}, {"until_at": NOW}, {"from_at": NOW + timedelta(seconds=1)},
    {"hours": (NIGHT,)},
])
def test_a_block_holds_only_in_its_lane_dates_and_hours(out_of_force):
    block = grant(kind=BLOCK, id=2, **out_of_force)
    assert _reason(sighting(), grant(), block) is Reason.GRANTED


@pytest.mark.parametrize("timed", [
    {"until_at": NOW}, {"from_at": NOW + timedelta(days=1)}, {"hours": (NIGHT,)},
])
def test_with_an_untrusted_clock_a_timed_block_holds_at_any_time(timed):
    block = grant(kind=BLOCK, id=2, **timed)
    assert _reason(sighting(), grant(), block, at=UNTRUSTED) is Reason.BLOCKED


# 4 fresh


@pytest.mark.parametrize(("age_s", "reason"), [
    (0.0, Reason.GRANTED), (2.0, Reason.GRANTED), (2.001, Reason.TOO_OLD), (3600, Reason.TOO_OLD),
    (-0.5, Reason.GRANTED), (-0.501, Reason.TOO_OLD), (math.nan, Reason.TOO_OLD),
])
def test_a_sighting_lives_two_seconds(age_s, reason):
    assert _reason(sighting(last_mono=MONO - age_s), grant()) is reason


# 5 direction


@pytest.mark.parametrize(("seen", "way", "reason"), [
    (Direction.IN, "in", Reason.GRANTED), (Direction.OUT, "in", Reason.WRONG_DIRECTION),
    (Direction.UNKNOWN, "in", Reason.GRANTED), (Direction.IN, "out", Reason.WRONG_DIRECTION),
    (Direction.OUT, "out", Reason.GRANTED), (Direction.OUT, "both", Reason.GRANTED),
])
def test_a_car_against_the_barriers_way_is_not_let_through(seen, way, reason):
    at = situation(direction=way)
    assert _reason(sighting(direction=seen), grant(), at=at) is reason


def test_a_car_of_another_lane_never_opens_this_one():
    assert _reason(sighting(lane="yard"), grant()) is Reason.WRONG_LANE


# 6 glimpses


@pytest.mark.parametrize(("agreeing", "score", "weakest", "reason"), [
    (2, 0.90, 0.90, Reason.GRANTED), (2, 0.899, 0.90, Reason.TOO_FEW_GLIMPSES),
    (2, 0.90, 0.899, Reason.TOO_FEW_GLIMPSES), (1, 1.0, 1.0, Reason.TOO_FEW_GLIMPSES),
    (3, 0.5, 0.80, Reason.GRANTED), (0, 1.0, 1.0, Reason.TOO_FEW_GLIMPSES),
])
def test_three_must_agree_or_two_when_sure(agreeing, score, weakest, reason):
    seen = sighting(agreeing=agreeing, score=score, char_scores=(weakest,) * 7)
    assert _reason(seen, grant()) is reason


def test_a_car_just_come_waits_for_more_glimpses_without_troubling_the_guard():
    decision = decide(sighting(agreeing=1), policy(grant()), situation())
    assert decision.verdict is Verdict.STAY_CLOSED


@pytest.mark.parametrize("stood", [{"first_mono": MONO - 3.2}, {"final": True}])
def test_a_car_that_was_never_read_well_asks_the_guard(stood):
    decision = decide(sighting(agreeing=1, **stood), policy(grant()), situation())
    assert (decision.verdict, decision.reason) == (Verdict.ASK_GUARD, Reason.TOO_FEW_GLIMPSES)


def test_the_policy_may_ask_for_more_glimpses():
    strict = policy(grant(), agreeing_needed=5, agreeing_needed_when_sure=4)
    assert decide(sighting(), strict, situation()).reason is Reason.TOO_FEW_GLIMPSES


# 7 and 8 scores


@pytest.mark.parametrize(("mean", "reason"), [
    (0.801, Reason.GRANTED), (0.799, Reason.LOW_SCORE), (math.nan, Reason.LOW_SCORE),
])
def test_the_mean_character_must_be_good(mean, reason):
    assert _reason(sighting(char_scores=(mean,) * 7), grant()) is reason


@pytest.mark.parametrize(("weak", "reason"), [(0.60, Reason.GRANTED), (0.599, Reason.LOW_SCORE)])
def test_the_weakest_character_must_not_be_too_weak(weak, reason):
    assert _reason(sighting(char_scores=scores("PSTN101", 3, weak)), grant()) is reason


def test_an_empty_read_is_too_doubtful_not_an_error():
    assert _reason(sighting("", char_scores=()), grant()) is Reason.LOW_SCORE


def test_a_text_too_long_for_a_plate_is_not_listed():
    assert _reason(sighting("P" * 13), grant()) is Reason.NOT_LISTED


# 9 and 10 listed, look-alike


def test_an_unlisted_plate_asks_the_guard():
    decision = decide(sighting("PSTN999"), policy(grant()), situation())
    assert (decision.verdict, decision.reason) == (Verdict.ASK_GUARD, Reason.NOT_LISTED)
    assert decision.grant_id is None


def test_a_read_is_compared_after_normalising():
    assert _reason(sighting("pstn101"), grant()) is Reason.GRANTED


def test_one_edit_is_never_enough_for_the_allow_list():
    assert _reason(sighting("PSTN102"), grant()) is Reason.NOT_LISTED


@pytest.mark.parametrize(("weak", "reason"), [
    (0.799, Reason.LOOKALIKE_GRANTED), (0.55, Reason.LOOKALIKE_GRANTED),
    (0.80, Reason.NEAR_MISS), (0.97, Reason.NEAR_MISS),
])
def test_a_lookalike_opens_only_where_the_reader_doubts_that_character(weak, reason):
    seen = sighting("PSTN1O1", char_scores=scores("PSTN1O1", 5, weak))
    decision = decide(seen, policy(grant()), situation())
    assert decision.reason is reason
    assert decision.grant_plate == "PSTN101"


def test_doubt_about_another_character_does_not_excuse_a_lookalike():
    seen = sighting("PSTN1O1", char_scores=scores("PSTN1O1", 0, 0.7))
    assert _reason(seen, grant()) is Reason.NEAR_MISS


def test_the_other_characters_of_a_lookalike_must_be_good():
    weak = tuple(0.55 if place in (0, 5) else 1.0 for place in range(7))
    assert _reason(sighting("PSTN1O1", char_scores=weak), grant()) is Reason.LOW_SCORE


def test_two_doubtful_characters_are_a_near_miss():
    seen = sighting("PSTNIO1", char_scores=tuple(0.7 if p in (4, 5) else 0.99 for p in range(7)))
    assert _reason(seen, grant()) is Reason.NEAR_MISS


WEAK_O = sighting("PSTN1O1", char_scores=scores("PSTN1O1", 5, 0.7))


def test_a_lookalike_does_not_open_while_another_label_has_that_shape():
    other = grant("PSTNID1", id=2, label="Unit 8")
    assert _reason(WEAK_O, grant(), other) is Reason.NEAR_MISS


def test_two_entries_of_one_label_do_not_collide():
    twin = grant("PSTN1D1", id=2)
    decision = decide(WEAK_O, policy(grant(), twin), situation())
    assert (decision.reason, decision.grant_id) == (Reason.LOOKALIKE_GRANTED, 1)


def test_entries_without_a_label_collide_by_their_plate():
    pair = (grant(label=""), grant("PSTN1D1", id=2, label=""))
    assert _reason(WEAK_O, *pair) is Reason.NEAR_MISS


def test_an_ended_entry_neither_collides_nor_is_looked_alike():
    ended = grant("PSTN1D1", id=2, label="Unit 8", until_at=NOW)
    assert _reason(WEAK_O, grant(), ended) is Reason.LOOKALIKE_GRANTED
    assert _reason(WEAK_O, grant(until_at=NOW)) is Reason.NOT_LISTED


def test_with_an_untrusted_clock_no_entry_counts_as_ended():
    ended = grant("PSTN1D1", id=2, label="Unit 8", until_at=NOW)
    assert _reason(WEAK_O, grant(), ended, at=UNTRUSTED) is Reason.NEAR_MISS


def test_a_block_out_of_force_still_collides_with_a_lookalike():
    asleep = grant("PSTN1D1", BLOCK, id=2, label="Unit 8", hours=(NIGHT,))
    assert _reason(WEAK_O, grant(), asleep) is Reason.NEAR_MISS


def test_an_entry_to_the_letter_leaves_no_room_for_lookalikes():
    exact = grant("PSTN1O1", id=2, label="Unit 8", until_at=NOW)
    assert _reason(WEAK_O, grant(), exact) is Reason.EXPIRED


# 11 to 15 lane, clock, dates, hours


@pytest.mark.parametrize(("limits", "reason"), [
    ({"lanes": ("main", "yard")}, Reason.GRANTED), ({"lanes": ("yard",)}, Reason.WRONG_LANE),
    ({"from_at": NOW}, Reason.GRANTED),
    ({"from_at": NOW + timedelta(microseconds=1)}, Reason.NOT_YET_VALID),
    ({"until_at": NOW + timedelta(microseconds=1)}, Reason.GRANTED),
    ({"until_at": NOW}, Reason.EXPIRED),
    ({"hours": (NOON,)}, Reason.GRANTED), ({"hours": (NIGHT,)}, Reason.OUTSIDE_HOURS),
    ({"hours": (NIGHT, NOON)}, Reason.GRANTED),
])
def test_a_grant_holds_in_its_lane_dates_and_hours(limits, reason):
    decision = decide(sighting(), policy(grant(**limits)), situation())
    assert decision.reason is reason
    assert decision.verdict is (Verdict.OPEN if reason is Reason.GRANTED else Verdict.ASK_GUARD)
    assert decision.grant_id == 1


@pytest.mark.parametrize("limits", [
    {"hours": (NOON,)}, {"from_at": NOW - timedelta(days=1)}, {"until_at": NOW + timedelta(days=1)},
])
def test_with_an_untrusted_clock_a_timed_grant_asks_the_guard(limits):
    decision = decide(sighting(), policy(grant(**limits)), UNTRUSTED)
    assert (decision.verdict, decision.reason) == (Verdict.ASK_GUARD, Reason.CLOCK_UNTRUSTED)


def test_with_an_untrusted_clock_a_grant_without_limits_still_opens():
    assert _reason(sighting(), grant(), at=UNTRUSTED) is Reason.GRANTED


def test_a_clock_that_runs_on_its_own_is_good_enough_for_a_schedule():
    at = situation(clock=ClockQuality.FREE)
    assert _reason(sighting(), grant(hours=(NOON,)), at=at) is Reason.GRANTED


def test_of_several_entries_the_one_that_opens_is_used():
    entries = (grant(until_at=NOW), grant(id=2, lanes=("yard",)),
               grant(id=3, kind=GrantKind.VISITOR), grant(id=4))
    decision = decide(sighting(), policy(*entries), situation())
    assert (decision.reason, decision.grant_id) == (Reason.VISITOR_GRANTED, 3)


def test_of_several_entries_that_fail_the_one_that_comes_furthest_is_told():
    entries = (grant(lanes=("yard",)), grant(id=2, hours=(NIGHT,)), grant(id=3, until_at=NOW))
    decision = decide(sighting(), policy(*entries), situation())
    assert (decision.reason, decision.grant_id) == (Reason.OUTSIDE_HOURS, 2)


# 16 records


def test_without_records_a_granted_car_asks_the_guard():
    decision = decide(sighting(), policy(grant()), situation(records_ok=False))
    assert (decision.verdict, decision.reason) == (Verdict.ASK_GUARD, Reason.NO_RECORDS)
    assert decision.grant_id == 1


def test_without_records_an_unlisted_car_is_told_as_unlisted():
    seen = sighting("PSTN999")
    assert _reason(seen, grant(), at=situation(records_ok=False)) is Reason.NOT_LISTED


# 17 presence


@pytest.mark.parametrize(("wanted", "loop", "reason"), [
    (True, True, Reason.GRANTED), (True, False, Reason.NO_PRESENCE),
    (True, None, Reason.NO_PRESENCE), (False, False, Reason.GRANTED), (False, None, Reason.GRANTED),
])
def test_where_presence_is_wanted_only_an_occupied_loop_opens(wanted, loop, reason):
    at = situation(presence_needed=wanted, entry_loop=loop)
    assert _reason(sighting(), grant(), at=at) is reason


@pytest.mark.parametrize(("stood", "verdict"), [
    ({}, Verdict.STAY_CLOSED), ({"first_mono": MONO - 3.2}, Verdict.ASK_GUARD),
    ({"final": True}, Verdict.ASK_GUARD),
])
def test_a_car_on_its_way_to_the_loop_troubles_nobody_at_first(stood, verdict):
    at = situation(presence_needed=True, entry_loop=False)
    decision = decide(sighting(**stood), policy(grant()), at)
    assert (decision.verdict, decision.reason) == (verdict, Reason.NO_PRESENCE)
    assert decision.grant_id == 1


def test_presence_alone_opens_for_nobody():
    at = situation(presence_needed=True, entry_loop=True)
    assert _reason(sighting("PSTN999"), grant(), at=at) is Reason.NOT_LISTED


# 18 second factor


@pytest.mark.parametrize(("factor", "reason"), [
    (SecondFactor.CODE, Reason.NEEDS_CODE), (SecondFactor.RESIDENT, Reason.NEEDS_RESIDENT),
])
def test_a_grant_with_a_second_factor_asks_for_it_and_for_the_guard(factor, reason):
    decision = decide(sighting(), policy(grant(second_factor=factor)), situation())
    assert (decision.verdict, decision.reason) == (Verdict.ASK_GUARD, reason)
    assert decision.grant_id == 1


@pytest.mark.parametrize("factor", [SecondFactor.CODE, SecondFactor.RESIDENT])
def test_a_second_factor_counts_for_its_own_grant_only(factor):
    asking = grant(second_factor=factor)
    assert _reason(sighting(), asking, at=situation(confirmed_grant=1)) is Reason.GRANTED
    assert _reason(sighting(), asking, at=situation(confirmed_grant=2)) is not Reason.GRANTED


def test_a_second_factor_opens_nothing_that_the_other_rules_keep_shut():
    asking = grant(second_factor=SecondFactor.CODE, until_at=NOW)
    assert _reason(sighting(), asking, at=situation(confirmed_grant=1)) is Reason.EXPIRED
    absent = situation(confirmed_grant=1, presence_needed=True, entry_loop=False)
    in_force = grant(second_factor=SecondFactor.CODE)
    assert _reason(sighting(), in_force, at=absent) is Reason.NO_PRESENCE


def test_of_two_entries_the_one_that_asks_for_no_second_factor_is_used():
    entries = (grant(second_factor=SecondFactor.CODE), grant(id=2))
    decision = decide(sighting(), policy(*entries), situation())
    assert (decision.reason, decision.grant_id) == (Reason.GRANTED, 2)


# Failing closed


@pytest.mark.parametrize("broken", [
    {"char_scores": (0.97,) * 6}, {"plate": "PST-101"}, {"last_mono": None},
    {"direction": None}, {"char_scores": (None,) * 7},
])
def test_what_cannot_be_evaluated_stays_closed(broken):
    decision = decide(sighting(**broken), policy(grant()), situation())
    assert (decision.verdict, decision.reason) == (Verdict.STAY_CLOSED, Reason.LOOKUP_FAILED)
    assert decision.rules[-1].rule == "lookup"
    assert not decision.rules[-1].held
    assert decision.grant_id is None


def test_a_time_without_its_zone_stays_closed():
    at = situation(now_at=NOW.replace(tzinfo=None))
    assert _reason(sighting(), grant(until_at=NOW), at=at) is Reason.LOOKUP_FAILED


def test_a_failing_lookup_stays_closed(monkeypatch):
    def fails(*_):
        raise KeyError("table")

    monkeypatch.setattr(rules.match, "find", fails)
    assert _reason(sighting(), grant()) is Reason.LOOKUP_FAILED


def test_a_list_of_rules_that_forgot_to_ask_for_a_listing_stays_closed(monkeypatch):
    monkeypatch.setattr(rules, "RULES", tuple(r for r in rules.RULES if r[0] != "listed"))
    assert _reason(sighting("PSTN999"), grant()) is Reason.LOOKUP_FAILED


@given(
    plate=st.text("PSTN10OIL", max_size=9),
    char_scores=st.lists(st.floats(), max_size=9).map(tuple),
    agreeing=st.integers(-1, 9), score=st.floats(),
    last_mono=st.floats(), direction=st.sampled_from(Direction),
)
def test_whatever_vision_sends_only_a_sound_read_of_a_listed_plate_opens(**fields):
    decision = decide(sighting(**fields), policy(grant(), grant("PSTN555", id=2)), situation())
    if decision.verdict is Verdict.OPEN:
        assert len(fields["plate"]) == 7
        assert fields["agreeing"] >= 2
        assert fields["direction"] is not Direction.OUT
        assert sum(fields["char_scores"]) / 7 >= 0.80
        wrong = [a for a, b in zip(fields["plate"], "PSTN101", strict=True) if a != b]
        assert len(wrong) <= 1


# Speed


def test_a_decision_costs_the_same_among_a_hundred_grants_and_ten_thousand():
    """Steps are counted, not milliseconds: those are in the benchmarks."""

    def steps(count: int) -> int:
        dice = random.Random(7)
        plates = sorted(
            {"".join(dice.choices("ABCDEFGHJKMNPRSTUVWXYZ0123456789", k=7)) for _ in range(count)}
        )
        kinds = (GrantKind.ALLOW, GrantKind.VISITOR, BLOCK)
        listed = policy(*(
            grant(plate, kinds[number % 3], id=number, label=f"Unit {number}")
            for number, plate in enumerate(plates, start=1)
        ))
        taken = 0

        def step(_frame: object, event: str, _arg: object) -> None:
            nonlocal taken
            taken += event in {"call", "c_call"}

        seen = [sighting(plate) for plate in plates[:100]]
        sys.setprofile(step)
        try:
            for one in seen:
                decide(one, listed, situation())
        finally:
            sys.setprofile(None)
        return taken

    assert steps(10_000) < 1.2 * steps(100)


def test_a_decision_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        decide(sighting(), policy(grant()), situation()).verdict = Verdict.OPEN
