"""The rules for opening, as sentences; below each is one function of the same name.

The rules are tried in this order. The first that does not hold ends the matter and gives the
reason; only a car for which all hold is let in. Nothing here knows a clock, a file or a socket.

 1. policy       A policy is published.
 2. block        The read is not a blocked plate. This wins over everything that follows.
 3. near_block   No blocked plate looks like the read or is one edit away from it.
 4. fresh        The sighting is at most 2 s old.
 5. direction    The car is in this gate's lane and not known to travel against the barrier's way.
 6. glimpses     Three glimpses agree; two are enough when the read is sure (whole plate and
                 weakest character 0.90 or more).
 7. score        The characters' mean score is 0.80 or more.
 8. weakest      Every character that must be right scores 0.60 or more.
 9. listed       A grant names this plate, or one that looks like it.
10. lookalike    The plate is listed to the letter; or exactly one character differs, it scores
                 less than 0.80 (the reader doubts it), and no other label has a plate of that
                 shape.
11. lane         The grant is for this lane.
12. clock        A grant with dates or hours needs a clock that is known to be right.
13. begun        The grant's first moment has come.
14. not_ended    The grant's last moment has not come.
15. hours        The hour is one of the grant's weekly hours, on the site's wall clock.
16. records      The passage can be recorded: no unlogged automatic opening.
17. presence     Where this gate wants it, a car stands on the entry loop; a loop that is not read
                 is an empty one.
18. second_factor  A grant that asks for a code or a resident's yes besides the plate got it for
                 this car.

Whatever cannot be evaluated fails closed (``lookup``). A block grant outside its own lane, dates or
hours is not in force; where the clock is untrusted it is. Of several grants of a plate the one that
comes furthest is used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean

from appliance.decision import match
from appliance.decision.situation import Situation
from appliance.decision.snapshot import IndexedPolicy
from appliance.values import (
    Decision,
    Direction,
    Grant,
    GrantKind,
    Reason,
    RuleTried,
    SecondFactor,
    Sighting,
    Verdict,
)

LIFE_S = 2.0  # a late order surprises whoever stands under the arm by then
CLOCKS_APART_S = 0.5  # a sighting from further in the future is nonsense, not fresh
PATIENCE_S = 3.0  # a car seen this long, but not read well or not on the loop, needs a person
SURE = 0.90
MEAN_NEEDED = 0.80
WEAKEST_NEEDED = 0.60
DOUBTFUL_BELOW = 0.80
MOST_DOUBTFUL = 1

VERDICTS = {
    Reason.GRANTED: Verdict.OPEN,
    Reason.VISITOR_GRANTED: Verdict.OPEN,
    Reason.LOOKALIKE_GRANTED: Verdict.OPEN,
    Reason.BLOCKED: Verdict.STAY_CLOSED,
    Reason.TOO_FEW_GLIMPSES: Verdict.STAY_CLOSED,
    Reason.TOO_OLD: Verdict.STAY_CLOSED,
    Reason.WRONG_DIRECTION: Verdict.STAY_CLOSED,
    Reason.LOOKUP_FAILED: Verdict.STAY_CLOSED,
}
"""Every other reason asks the guard."""

NEEDS = {
    SecondFactor.CODE: Reason.NEEDS_CODE,
    SecondFactor.RESIDENT: Reason.NEEDS_RESIDENT,
}
"""What a car is told that lacks nothing else."""

_MAY_MEND = frozenset({Reason.TOO_FEW_GLIMPSES, Reason.NO_PRESENCE})
_UNUSABLE = (LookupError, ValueError, TypeError, ArithmeticError, AttributeError)


@dataclass(frozen=True, slots=True)
class _Case:
    sighting: Sighting
    policy: IndexedPolicy
    situation: Situation
    found: match.Match


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one rule says. ``reason`` and ``grant`` count only where it does not hold."""

    held: bool
    note: str
    reason: Reason
    grant: Grant | None = None


def decide(sighting: Sighting, policy: IndexedPolicy, situation: Situation) -> Decision:
    """The verdict on one sighting, its reason and every rule tried, in order. Never raises for
    what a sighting or a grant may hold."""
    tried: list[RuleTried] = []
    grant: Grant | None = None
    try:
        case = _Case(sighting, policy, situation, match.find(sighting, policy, situation))
        reason, grant = _first_objection(case, tried)
        verdict = _verdict(reason, sighting)
    except _UNUSABLE as cause:
        tried.append(RuleTried("lookup", held=False, note=type(cause).__name__))
        reason, grant, verdict = Reason.LOOKUP_FAILED, None, Verdict.STAY_CLOSED
    return Decision(
        track=sighting.track,
        revision=sighting.revision,
        verdict=verdict,
        reason=reason,
        grant_id=grant.id if grant else None,
        grant_plate=grant.plate if grant else None,
        grant_label=grant.label if grant else "",
        policy_version=policy.snapshot.version,
        decided_mono=situation.now_mono,
        decided_at=situation.now_at,
        clock=situation.clock,
        rules=tuple(tried),
        grant_kind=grant.kind if grant else None,
    )


def _first_objection(case: _Case, tried: list[RuleTried]) -> tuple[Reason, Grant | None]:
    for name, rule in RULES:
        answer = rule(case)
        tried.append(RuleTried(name, answer.held, answer.note))
        if not answer.held:
            return answer.reason, answer.grant
    grant = case.found.grant
    if case.found.doubtful:
        return Reason.LOOKALIKE_GRANTED, grant
    visitor = grant is not None and grant.kind is GrantKind.VISITOR
    return (Reason.VISITOR_GRANTED if visitor else Reason.GRANTED), grant


def _verdict(reason: Reason, sighting: Sighting) -> Verdict:
    """A car that comes nearer may still be read well or reach the loop; then nobody is asked."""
    if reason in _MAY_MEND:
        waited = sighting.last_mono - sighting.first_mono >= PATIENCE_S
        return Verdict.ASK_GUARD if waited or sighting.final else Verdict.STAY_CLOSED
    return VERDICTS.get(reason, Verdict.ASK_GUARD)


def _policy(case: _Case) -> _Answer:
    version = case.policy.snapshot.version
    return _Answer(version > 0, f"version {version}", Reason.NO_POLICY)


def _block(case: _Case) -> _Answer:
    found = [
        g for g in case.policy.exactly(case.found.plate)
        if g.kind is GrantKind.BLOCK and match.block_in_force(g, case.policy, case.situation)
    ]
    return _Answer(not found, "", Reason.BLOCKED, found[0] if found else None)


def _near_block(case: _Case) -> _Answer:
    near = case.policy.nearly_blocked(case.found.plate)
    found = [g for g in near if match.block_in_force(g, case.policy, case.situation)]
    return _Answer(not found, "", Reason.LOOKS_BLOCKED, found[0] if found else None)


def _fresh(case: _Case) -> _Answer:
    age_s = case.situation.now_mono - case.sighting.last_mono
    return _Answer(-CLOCKS_APART_S <= age_s <= LIFE_S, f"{age_s:.2f} s old", Reason.TOO_OLD)


def _direction(case: _Case) -> _Answer:
    way, seen = case.situation.direction, case.sighting.direction
    if case.sighting.lane != case.situation.lane:
        return _Answer(False, "another lane", Reason.WRONG_LANE)
    right = way == "both" or seen is Direction.UNKNOWN or seen.value == way
    return _Answer(right, f"{seen.value}, lets through {way}", Reason.WRONG_DIRECTION)


def _glimpses(case: _Case) -> _Answer:
    snapshot = case.policy.snapshot
    sure = case.sighting.score >= SURE and min(case.sighting.char_scores, default=0.0) >= SURE
    needed = snapshot.agreeing_needed_when_sure if sure else snapshot.agreeing_needed
    agreeing = case.sighting.agreeing
    note = f"{agreeing} agree, {needed} needed{', sure' if sure else ''}"
    return _Answer(agreeing >= needed, note, Reason.TOO_FEW_GLIMPSES)


def _score(case: _Case) -> _Answer:
    scores = case.sighting.char_scores
    mean = fmean(scores) if scores else 0.0
    return _Answer(mean >= MEAN_NEEDED, f"{mean:.2f}, {MEAN_NEEDED:.2f} needed", Reason.LOW_SCORE)


def _weakest(case: _Case) -> _Answer:
    """A doubtful character is left to rule 10, which wants it weak."""
    scores = case.sighting.char_scores
    certain = (s for place, s in enumerate(scores) if place not in case.found.doubtful)
    weakest = min(certain, default=0.0)
    note = f"{weakest:.2f}, {WEAKEST_NEEDED:.2f} needed"
    return _Answer(weakest >= WEAKEST_NEEDED, note, Reason.LOW_SCORE)


def _listed(case: _Case) -> _Answer:
    return _Answer(case.found.grant is not None, "", Reason.NOT_LISTED)


def _lookalike(case: _Case) -> _Answer:
    doubtful = case.found.doubtful
    if not doubtful:
        return _Answer(True, "to the letter", Reason.NEAR_MISS)
    strongest = max(case.sighting.char_scores[place] for place in doubtful)
    held = len(doubtful) <= MOST_DOUBTFUL and strongest < DOUBTFUL_BELOW and case.found.alone
    note = (
        f"{len(doubtful)} doubtful, scores {strongest:.2f}, under {DOUBTFUL_BELOW:.2f} needed, "
        f"{'no other' if case.found.alone else 'another'} label of that shape"
    )
    return _Answer(held, note, Reason.NEAR_MISS, case.found.grant)


def _lane(case: _Case) -> _Answer:
    grant = _judged(case)
    return _Answer(match.for_lane(grant, case.situation), "", Reason.WRONG_LANE, grant)


def _clock(case: _Case) -> _Answer:
    grant = _judged(case)
    held = case.situation.clock_trusted or not match.timed(grant)
    note = f"{case.situation.clock.value}{', timed grant' if match.timed(grant) else ''}"
    return _Answer(held, note, Reason.CLOCK_UNTRUSTED, grant)


def _begun(case: _Case) -> _Answer:
    grant = _judged(case)
    return _Answer(match.has_begun(grant, case.situation), "", Reason.NOT_YET_VALID, grant)


def _ended(case: _Case) -> _Answer:
    grant = _judged(case)
    return _Answer(match.not_ended(grant, case.situation), "", Reason.EXPIRED, grant)


def _hours(case: _Case) -> _Answer:
    grant = _judged(case)
    held = match.in_hours(grant, case.policy, case.situation)
    return _Answer(held, "" if grant.hours else "any hour", Reason.OUTSIDE_HOURS, grant)


def _records(case: _Case) -> _Answer:
    return _Answer(case.situation.records_ok, "", Reason.NO_RECORDS, case.found.grant)


def _presence(case: _Case) -> _Answer:
    wanted, loop = case.situation.presence_needed, case.situation.entry_loop
    note = {True: "occupied", False: "empty", None: "not read"}[loop] if wanted else "not asked"
    return _Answer(not wanted or loop is True, note, Reason.NO_PRESENCE, case.found.grant)


def _second_factor(case: _Case) -> _Answer:
    grant = _judged(case)
    reason = NEEDS.get(grant.second_factor, Reason.GRANTED)
    note = grant.second_factor.value or "none asked"
    return _Answer(match.second_factor_given(grant, case.situation), note, reason, grant)


def _judged(case: _Case) -> Grant:
    if case.found.grant is None:
        raise LookupError("rule 9 lets only listed plates through")
    return case.found.grant


Rule = Callable[[_Case], _Answer]

RULES: tuple[tuple[str, Rule], ...] = (
    ("policy", _policy),
    ("block", _block),
    ("near_block", _near_block),
    ("fresh", _fresh),
    ("direction", _direction),
    ("glimpses", _glimpses),
    ("score", _score),
    ("weakest", _weakest),
    ("listed", _listed),
    ("lookalike", _lookalike),
    ("lane", _lane),
    ("clock", _clock),
    ("begun", _begun),
    ("not_ended", _ended),
    ("hours", _hours),
    ("records", _records),
    ("presence", _presence),
    ("second_factor", _second_factor),
)
