"""Who asks, for which purpose, and whether that is allowed.

The rules, each a sentence
1. A person is named: an empty actor, role or purpose is refused, and so is an empty reason.
2. Reads are shown to managers and guards, for a purpose of the published policy.
3. Auditors see reads for the purpose ``audit`` alone.
4. Installers, custodians and the system itself are never shown a read.
5. The journal, its proof and the deletion receipts are shown to managers, auditors, custodians.
6. While no policy is published no purpose is, so no read is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.errors import PurposeRefused, RecordError
from appliance.values import PublishedPolicy, Purpose, Role

LONGEST_NAME = 120
LONGEST_REASON = 500
SHORTEST_REASON = 3

_SEES_READS = {Role.MANAGER.value, Role.GUARD.value, Role.AUDITOR.value}
_SEES_JOURNAL = {Role.MANAGER.value, Role.AUDITOR.value, Role.CUSTODIAN.value}


class RoleRefused(RecordError):
    key = "role_refused"


class ReasonRefused(RecordError):
    key = "reason_refused"


@dataclass(frozen=True, slots=True)
class Who:
    """The person behind a question, as the asking program states it."""

    actor: str
    role: str
    organisation: str = ""
    purpose: str = ""
    reason: str = ""


SYSTEM = Who(actor="system", role="system")


def who_from(header: Mapping[str, Any]) -> Who:
    """Reads the five fields; text too long for the journal is cut. Raises RecordError."""
    who = Who(
        actor=_text(header, "actor", LONGEST_NAME),
        role=_text(header, "role", LONGEST_NAME),
        organisation=_text(header, "organisation", LONGEST_NAME),
        purpose=_text(header, "purpose", LONGEST_NAME),
        reason=_text(header, "reason", LONGEST_REASON),
    )
    if not who.actor:
        raise RecordError("nobody is named", next_step="Sign in and ask again")
    return who


def may_see_reads(who: Who, policy: PublishedPolicy | None) -> None:
    """Raises RoleRefused, PurposeRefused or ReasonRefused."""
    if who.role not in _SEES_READS:
        raise RoleRefused("this role may not see reads", next_step="Ask the site's manager")
    _published(who.purpose, policy)
    if who.role == Role.AUDITOR.value and who.purpose != Purpose.AUDIT.value:
        raise PurposeRefused(
            "an auditor looks for the purpose of an audit only",
            next_step="Choose the purpose 'audit'",
        )
    if len(who.reason) < SHORTEST_REASON:
        raise ReasonRefused(
            "a look-up needs a reason or a case number",
            next_step=f"Write at least {SHORTEST_REASON} characters",
        )


def may_see_journal(who: Who) -> None:
    """Raises RoleRefused."""
    if who.role not in _SEES_JOURNAL:
        raise RoleRefused("this role may not see the journal", next_step="Ask the site's manager")


def _published(purpose: str, policy: PublishedPolicy | None) -> None:
    if policy is None or purpose not in {p.value for p in policy.purposes}:
        raise PurposeRefused(
            "this purpose is not in the published policy",
            next_step="Choose one of the published purposes",
        )


def _text(header: Mapping[str, Any], name: str, longest: int) -> str:
    value = header.get(name, "")
    if not isinstance(value, str):
        raise RecordError(f"{name} must be text")
    # A lone surrogate is legal JSON but no storable text.
    return value.encode("utf-8", "replace").decode().strip()[:longest]
