"""Which of two decisions about one car stands. Pure."""

from __future__ import annotations

from appliance.values import Decision, Reason, Verdict

_UNSETTLED = frozenset(
    {Reason.TOO_FEW_GLIMPSES, Reason.TOO_OLD, Reason.LOW_SCORE, Reason.NO_PRESENCE}
)
"""Nobody was told anything by these yet."""


def differ(before: Decision | None, after: Decision | None) -> bool:
    """Whether there is another answer, whatever the moment it was given at."""
    if before is None or after is None:
        return before is not after
    return (before.verdict, before.reason, before.grant_id) != (
        after.verdict, after.reason, after.grant_id
    )


def settled(before: Decision | None, decision: Decision) -> Decision:
    """The decision that stands: a car that turned round keeps what it was told on its way in.

    An opening that was decided but could not be ordered is not kept: the car has left.
    """
    if before is None or decision.reason is not Reason.WRONG_DIRECTION:
        return decision
    told_no = before.verdict is not Verdict.OPEN and before.reason not in _UNSETTLED
    return before if told_no else decision
