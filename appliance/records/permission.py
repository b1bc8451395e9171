"""Who may place a hold, release evidence, carry it out, and see that it happened.

The rules, each a sentence
1. Holds are placed, approved and ended by managers and custodians.
2. A release is made by a manager; it is carried out by another person, a custodian or a manager.
   No guard, auditor, installer and no program ever does either.
3. Managers, auditors and custodians see which holds, releases and transfers there are; what they
   see names no plate.
4. Placing, releasing and carrying out need a purpose of the published policy and a reason, as a
   look-up does (``access``). While no policy is published nothing of it can be done.
5. What is refused is journaled as refused, and then refused.

Any thread.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from appliance.errors import PurposeRefused, RecordError
from appliance.records.access import SHORTEST_REASON, ReasonRefused, RoleRefused, Who
from appliance.records.acts import Act
from appliance.records.journal import Journal
from appliance.records.times import Moment
from appliance.values import PublishedPolicy, Role

HOLDING = frozenset({Role.MANAGER.value, Role.CUSTODIAN.value})
RELEASING = frozenset({Role.MANAGER.value})
CARRYING = frozenset({Role.MANAGER.value, Role.CUSTODIAN.value})
LISTING = frozenset({Role.MANAGER.value, Role.AUDITOR.value, Role.CUSTODIAN.value})


class Permission:
    """Asks the policy in force, writes refusals to the journal."""

    def __init__(self, journal: Journal, policy: Callable[[], PublishedPolicy | None]) -> None:
        self._journal = journal
        self._policy = policy

    def policy(self) -> PublishedPolicy | None:
        return self._policy()

    def state(self) -> str:
        """The state whose law rules, as the policy names it; empty where it names none."""
        policy = self._policy()
        return policy.jurisdiction.strip().lower() if policy else ""

    @contextlib.contextmanager
    def asked(self, who: Who, action: str, told: dict[str, Any], now: Moment) -> Iterator[None]:
        """Rule 5, for everything refused within the block."""
        try:
            yield
        except RecordError as refusal:
            self._journal.append(Act(who, action, {**told, "refused": refusal.key}), now)
            raise

    def check(self, who: Who, roles: frozenset[str]) -> None:
        """Rules 1, 2 and 4. Raises RoleRefused, PurposeRefused or ReasonRefused."""
        self.check_role(who, roles)
        policy = self._policy()
        if policy is None or who.purpose not in {p.value for p in policy.purposes}:
            raise PurposeRefused(
                "this purpose is not in the published policy",
                next_step="Choose one of the published purposes",
            )
        if len(who.reason) < SHORTEST_REASON:
            raise ReasonRefused(
                "this needs a reason or a case number",
                next_step=f"Write at least {SHORTEST_REASON} characters",
            )

    def check_role(self, who: Who, roles: frozenset[str]) -> None:
        """Rules 1 to 3. Raises RoleRefused."""
        if who.role not in roles:
            raise RoleRefused("this role may not do this", next_step="Ask the site's manager")
