"""Which class a read belongs to, and how long a class is kept.

The rules, each a sentence
1. A car that an allow entry let in is a ``resident``'s.
2. A car that a visitor entry let in, or that a block entry names, is ``matched``.
3. Every other read is ``unmatched``: nobody the site knows.
4. Each class has the limit the published policy gives it, and whatever the policy says no read is
   kept thirty days: Iowa Code 321P.4 has the operator delete every plate image and all plate data
   within thirty days, without an exception of its own. The ceiling lies an hour below, so that the
   row is gone by then, and not merely due.
5. Where no policy can be read the ceiling alone holds.
6. Where the policy counts residents, a resident's passage leaves a counter and no read at all.

The first releases did not write down which kind of entry let a car in: there a plain ``granted``
was an allow entry's, and a look-alike, which may have been a visitor's, is ``matched``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from appliance.values import GrantKind, Passage, PublishedPolicy, Reason, Verdict

CEILING = timedelta(days=30) - timedelta(hours=1)
_HOURLY_BELOW = timedelta(hours=24)


class ReadClass(StrEnum):
    RESIDENT = "resident"
    MATCHED = "matched"
    UNMATCHED = "unmatched"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a read of each class is kept."""

    resident: timedelta
    matched: timedelta
    unmatched: timedelta

    @property
    def longest(self) -> timedelta:
        return max(self.resident, self.matched, self.unmatched)

    @property
    def hourly(self) -> bool:
        """Whether volumes are made by the hour: a day's file would outlive a shorter limit."""
        return min(self.resident, self.matched, self.unmatched) < _HOURLY_BELOW

    def of(self, read_class: ReadClass) -> timedelta:
        return {
            ReadClass.RESIDENT: self.resident,
            ReadClass.MATCHED: self.matched,
            ReadClass.UNMATCHED: self.unmatched,
        }[read_class]


def limits(policy: PublishedPolicy | None) -> Limits:
    """Rules 4 and 5."""
    if policy is None:
        return Limits(CEILING, CEILING, CEILING)
    return Limits(
        *(
            min(timedelta(hours=hours), CEILING)
            for hours in (
                policy.resident_hours,
                policy.kept_hours_matched,
                policy.kept_hours_unmatched,
            )
        )
    )


def class_of(passage: Passage) -> ReadClass:
    """Rules 1 to 3."""
    decision = passage.decision
    if decision is None or decision.grant_id is None:
        return ReadClass.UNMATCHED
    if decision.reason is Reason.BLOCKED:
        return ReadClass.MATCHED
    if decision.verdict is not Verdict.OPEN:
        return ReadClass.UNMATCHED
    by_allow = decision.grant_kind is GrantKind.ALLOW or (
        decision.grant_kind is None and decision.reason is Reason.GRANTED
    )
    return ReadClass.RESIDENT if by_allow else ReadClass.MATCHED


def is_counted(passage: Passage, policy: PublishedPolicy | None) -> bool:
    """Rule 6."""
    return (
        policy is not None
        and policy.residents_counted
        and class_of(passage) is ReadClass.RESIDENT
    )
