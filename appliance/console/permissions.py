"""Who may do what: one table, shown in the docs and in Help, walked by a test as each role.

Least privilege: an installer never sees a plate; an auditor sees reads only under the purpose
``audit``; a custodian sees the journal, not the reads. Nobody reaches a route that is not named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from appliance.values import Purpose, Role

PUBLIC = frozenset({"static", "health.alive", "notice.shown", "sign.sign_in", "sign.join",
                    "setup.code", "setup.account", "yes.shown", "yes.let_in"})


class Permission(Enum):
    OWN = "own"  # one's account, training, purpose, help; home without plates
    SEE_STATE = "see_state"  # gate state and health in words, no plate
    WATCH = "watch"  # the live picture and the car at the gate
    SEE_BARRIER = "see_barrier"  # the arm, its controller, loops and events, no plate
    COMMISSION = "commission"  # the pull-the-plug test; simulated inputs of a demo
    OPERATE = "operate"  # open once, hold open, release
    LOOK_UP = "look_up"  # passages and decision cards
    SEE_GRANTS = "see_grants"
    EDIT_GRANTS = "edit_grants"
    SEE_POLICY = "see_policy"
    PUBLISH = "publish"
    PEOPLE = "people"
    JOURNAL = "journal"


_ALL = frozenset(Role)
ALLOWED: Mapping[Permission, frozenset[Role]] = {
    Permission.OWN: _ALL,
    Permission.SEE_STATE: _ALL,
    Permission.SEE_POLICY: _ALL,
    Permission.WATCH: frozenset({Role.MANAGER, Role.GUARD}),
    Permission.SEE_BARRIER: frozenset({Role.MANAGER, Role.GUARD, Role.INSTALLER}),
    Permission.COMMISSION: frozenset({Role.MANAGER, Role.INSTALLER}),
    Permission.OPERATE: frozenset({Role.MANAGER, Role.GUARD}),
    Permission.LOOK_UP: frozenset({Role.MANAGER, Role.GUARD, Role.AUDITOR}),
    Permission.SEE_GRANTS: frozenset({Role.MANAGER, Role.GUARD}),
    Permission.EDIT_GRANTS: frozenset({Role.MANAGER}),
    Permission.PUBLISH: frozenset({Role.MANAGER}),
    Permission.PEOPLE: frozenset({Role.MANAGER}),
    Permission.JOURNAL: frozenset({Role.MANAGER, Role.AUDITOR, Role.CUSTODIAN}),
}

_PURPOSES: Mapping[Role, frozenset[Purpose]] = {
    Role.MANAGER: frozenset(Purpose),
    Role.GUARD: frozenset({Purpose.ACCESS_CONTROL, Purpose.VISITOR_QUERY, Purpose.INCIDENT,
                           Purpose.ACCURACY}),
    Role.AUDITOR: frozenset({Purpose.AUDIT}),
    Role.CUSTODIAN: frozenset({Purpose.AUDIT, Purpose.RESIDENT_REQUEST, Purpose.LEGAL_REQUEST}),
    Role.INSTALLER: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Guard:
    """What a route asks of its visitor."""

    permission: Permission
    purpose: bool = False
    """A purpose must be chosen: the answer may name a plate."""
    untrained: bool = False
    """Also reachable before training and before a policy is published."""
    quiet: bool = False
    """Fetched by a page on its own: does not keep the session alive, answers 401 not a redirect."""


View = TypeVar("View", bound=Callable[..., object])
_GUARDS: dict[Callable[..., object], Guard] = {}


def needs(permission: Permission, *, purpose: bool = False, untrained: bool = False,
          quiet: bool = False) -> Callable[[View], View]:
    """Marks a view with its guard. The app refuses to start where a view has none."""

    def mark(view: View) -> View:
        _GUARDS[view] = Guard(permission, purpose, untrained, quiet)
        return view

    return mark


def guard_of(view: Callable[..., object]) -> Guard | None:
    return _GUARDS.get(view)


def may(role: Role, permission: Permission) -> bool:
    return role in ALLOWED[permission]


def purposes_for(role: Role, published: tuple[Purpose, ...]) -> tuple[Purpose, ...]:
    """The published purposes this role may look under, in the policy's order."""
    return tuple(p for p in published if p in _PURPOSES[role])
