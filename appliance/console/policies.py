"""Writing a policy: the form, its bounds, and the one act that publishes.

A published version is never changed; a new one takes its place. Publishing is journaled first. The
hard ceiling of 30 days stands in ``compliance.policy_document`` and cannot be chosen away here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import g
from werkzeug.datastructures import MultiDict

from appliance import site
from appliance.compliance import policy_document
from appliance.console import times, words
from appliance.console.context import Visitor, here
from appliance.console.forms import Form
from appliance.console.tongue import _
from appliance.errors import DutyError, IpcError
from appliance.values import PublishedPolicy, Purpose

KEPT_HOURS = (1, 4, 12, 24, 48, 72, 168, 336, 720)
"""Retentions offered; a form value outside the ceiling is refused whatever it says."""
_COMMON_ZONES = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Phoenix",
    "America/Los_Angeles", "America/Anchorage", "Pacific/Honolulu", "America/Puerto_Rico",
    "America/Mexico_City", "Europe/London", "Europe/Dublin", "Europe/Madrid", "Europe/Berlin",
    "UTC",
)


@dataclass(frozen=True, slots=True)
class Choice:
    code: str
    words: str
    sentence: str = ""
    fixed: bool = False
    """Always part of a policy."""


@dataclass(frozen=True, slots=True)
class Choices:
    purposes: Sequence[Choice]
    kept: Sequence[Choice]
    zones: Sequence[str]


@dataclass(frozen=True, slots=True)
class Body:
    """A policy as the form describes it."""

    site_name: str
    site_zone: str
    purposes: tuple[str, ...]
    kept_matched: float
    kept_unmatched: float

    def stored(self) -> dict[str, object]:
        """The form ``appliance.site`` reads."""
        return {
            "site_name": self.site_name, "site_zone": self.site_zone, "jurisdiction": "",
            "purposes": list(self.purposes), "kept_hours_matched": self.kept_matched,
            "kept_hours_unmatched": self.kept_unmatched,
        }


def choices() -> Choices:
    return Choices(
        [Choice(p.value, words.say(words.PURPOSES, p), words.say(words.PURPOSE_SENTENCES, p),
                p in policy_document.ALWAYS) for p in Purpose],
        [Choice(str(h), times.kept(h)) for h in KEPT_HOURS],
        _COMMON_ZONES,
    )


def form(policy: PublishedPolicy | None, sent: MultiDict[str, str] | None) -> Form:
    """The form, filled from the policy in force or with careful defaults."""
    return Form(sent, {
        "site_name": policy.site_name if policy else "",
        "site_zone": policy.site_zone if policy else "America/Chicago",
        "purposes": [p.value for p in (policy.purposes if policy else (
            *policy_document.ALWAYS, Purpose.VISITOR_QUERY, Purpose.INCIDENT,
            Purpose.RESIDENT_REQUEST))],
        "kept_matched": str(int(policy.kept_hours_matched)) if policy else "168",
        "kept_unmatched": str(int(policy.kept_hours_unmatched)) if policy else "24",
    })


def publish_from(form: Form, visitor: Visitor) -> int | None:
    """The new version's number, or None with the reasons in the form."""
    console = here()
    body = _read(form)
    if form.wrong:
        return None
    try:
        console.journal.must(
            visitor.who(Purpose.ACCESS_CONTROL), "policy_published",
            {"kept_hours_matched": body.kept_matched, "kept_hours_unmatched": body.kept_unmatched,
             "purposes": ",".join(body.purposes)},
        )
    except IpcError:
        form.refuse("agree", _("Publishing must be written to the journal first, and records does "
                               "not answer. Try again in a minute."))
        return None
    with console.store.reading() as connection:
        version = site.publish(connection, body.stored(), visitor.person.username)
    g.pop("policy", None)
    console.tell_gate()
    return version


def _read(form: Form) -> Body:
    name = form.text("site_name", longest=80, shortest=2)
    zone = form.text("site_zone", longest=64)
    if not times.known_zone(zone):
        form.refuse("site_zone", _("This zone is not known. Example: America/Chicago."))
    purposes = form.choices("purposes", [p.value for p in Purpose])
    chosen = [p.value for p in Purpose if p.value in purposes or p in policy_document.ALWAYS]
    if form.sent.get("agree") != "yes":
        form.refuse("agree", _("Confirm that you have read what publishing means."))
    return Body(name, zone, tuple(chosen), _hours(form, "kept_matched"),
                _hours(form, "kept_unmatched"))


def _hours(form: Form, field: str) -> float:
    try:
        return policy_document.check_hours(float(form.sent.get(field, "")))
    except (ValueError, DutyError):
        form.refuse(field, _("Between 1 hour and 30 days. No setting goes beyond."))
        return 1.0
