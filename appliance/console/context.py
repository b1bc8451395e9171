"""What every page may reach: one object for the app, and the visitor of this request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import current_app, g

from appliance import site
from appliance.config import Config
from appliance.console import gate_answers, times
from appliance.console.journaling import Journal
from appliance.console.people import Accounts, Person
from appliance.console.programs import DOOR, Programs, Who
from appliance.console.sessions import Session, Sessions
from appliance.console.settings import Settings
from appliance.console.store import Store
from appliance.console.throttle import Throttle
from appliance.console.trainings import Trainings
from appliance.console.views import Views
from appliance.values import PublishedPolicy, Purpose


@dataclass
class Console:
    """The parts of the running console. ``now`` and ``mono`` are its only clocks."""

    config: Config
    settings: Settings
    store: Store
    programs: Programs
    journal: Journal
    accounts: Accounts
    sessions: Sessions
    trainings: Trainings
    throttle: Throttle
    now: Callable[[], datetime]
    mono: Callable[[], float]
    views: Views = field(default_factory=Views)

    def policy(self) -> PublishedPolicy | None:
        """The policy in force, read once a request."""
        if "policy" not in g:
            with self.store.reading() as connection:
                g.policy = site.published(connection)
        policy: PublishedPolicy | None = g.policy
        return policy

    def zone(self) -> ZoneInfo:
        policy = self.policy()
        return times.zone(policy.site_zone if policy else "UTC")

    def gate(self) -> gate_answers.Gate | None:
        """The gate's state, asked once a request; None where it does not answer."""
        if "gate" not in g:
            g.gate = self.look_at_gate()
        gate: gate_answers.Gate | None = g.gate
        return gate

    def look_at_gate(self) -> gate_answers.Gate | None:
        """Asked now, also outside a request."""
        answer = self.programs.quiet(DOOR, "status")
        return gate_answers.gate(answer) if answer else None

    def tell_gate(self) -> bool:
        """Tells the gate that grants or policy changed; it also looks by itself once a second."""
        return self.programs.quiet(DOOR, "policy_changed") is not None


@dataclass(frozen=True, slots=True)
class Visitor:
    """The signed-in person of this request."""

    person: Person
    session: Session
    trained: bool

    def who(self, purpose: Purpose | None = None, reason: str = "") -> Who:
        """For a question that names a plate: the chosen purpose, unless one is given."""
        chosen = self.session.purpose
        if purpose is None and chosen is not None:
            purpose, reason = chosen.purpose, reason or chosen.reason
        code = purpose.value if purpose else Purpose.ACCESS_CONTROL.value
        return Who(self.person.username, self.person.role.value, self.person.organisation, code,
                   reason)


def here() -> Console:
    console: Console = current_app.extensions["postern"]
    return console


def visitor() -> Visitor:
    """The signed-in person; only behind the guard, which put them there."""
    person: Visitor = g.visitor
    return person


def visitor_or_none() -> Visitor | None:
    found: Visitor | None = g.get("visitor")
    return found
