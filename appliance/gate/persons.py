"""The person behind a question at the door, and the journal's entry about it.

Every order names who gives it, for what purpose and, where the barrier moves, why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance import clock, ipc
from appliance.errors import OrderRefused
from appliance.values import Purpose, Role

MAY_ORDER = frozenset({Role.MANAGER.value, Role.GUARD.value, Role.INSTALLER.value})
"""The installer tries the barrier at hand-over; auditors and custodians never move it."""


@dataclass(frozen=True, slots=True)
class Who:
    """The person, as the console states them."""

    actor: str
    role: str
    organisation: str
    purpose: str
    reason: str


def who(message: ipc.Message, *, reason_needed: bool) -> Who:
    """Raises OrderRefused where nobody is named, or no purpose or reason is given."""
    given = {
        name: str(message.header.get(name) or "").strip()
        for name in ("actor", "role", "organisation", "purpose", "reason")
    }
    found = Who(**given)
    if not found.actor or found.purpose not in {purpose.value for purpose in Purpose}:
        raise OrderRefused("an order names who gives it and for what purpose")
    if reason_needed and not found.reason:
        raise OrderRefused(
            "an order needs its reason", next_step="Write a few words: who is let in, and why"
        )
    return found


def may_order(message: ipc.Message, *, reason_needed: bool = True) -> Who:
    """Raises OrderRefused for a role that does not move the barrier."""
    found = who(message, reason_needed=reason_needed)
    if found.role not in MAY_ORDER:
        raise OrderRefused("this role does not move the barrier", next_step="Ask the guard")
    return found


def entry(person: Who, action: str, query: Mapping[str, Any], *, rows: int = 0) -> ipc.Message:
    """What records is asked to journal."""
    return ipc.Message({
        "verb": "journal", "actor": person.actor, "role": person.role,
        "organisation": person.organisation, "purpose": person.purpose, "reason": person.reason,
        "action": action, "query": dict(query), "rows": rows,
    })


def late(journaled: ipc.Message) -> Mapping[str, Any]:
    """The entry as it is written later, with the time at which the act happened."""
    happened = {"happened_at": clock.iso(clock.utc_now())}
    header = {name: value for name, value in journaled.header.items() if name != "verb"}
    return {**header, "query": {**header["query"], **happened}}
