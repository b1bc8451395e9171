"""What every page's frame shows: the person, the menu of their role, the law in one quiet line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from flask import Flask, request, url_for
from flask_babel import get_locale
from markupsafe import Markup, escape

from appliance import __version__, clock
from appliance.compliance import notices
from appliance.console import (
    barrier_words,
    gate_sentences,
    hours,
    languages,
    rule_words,
    times,
    words,
)
from appliance.console.context import here, visitor_or_none
from appliance.console.permissions import Permission, may
from appliance.console.tongue import _


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the menu."""

    link: str
    name: str
    icon: str
    key: str
    here: bool


def install(app: Flask) -> None:
    app.context_processor(_frame)
    app.jinja_env.filters.update(
        when=when, clock=clock_time, kept=times.kept, span=times.span, hours=hours.in_words,
        note=rule_words.rule_note, asked=asked,
        said=gate_sentences.said,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def when(at: datetime) -> Markup:
    """A ``<time>`` as people write it, UTC on hover."""
    return _time(at, times.day_and_time(at, here().zone(), here().now()))


def clock_time(at: datetime) -> Markup:
    """A ``<time>`` of the day with seconds."""
    return _time(at, times.hour_of(at, here().zone(), seconds=True))


def asked(query: str) -> str:
    """What a journal entry asked for, without the braces: ``plate PSTN* · page 1``."""
    try:
        told = json.loads(query or "{}")
    except ValueError:
        return query
    if not isinstance(told, dict):
        return query
    return " · ".join(f"{name} {value}" for name, value in told.items())


def _time(at: datetime, text: str) -> Markup:
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        clock.iso(at), times.utc(at), escape(text))


def _frame() -> dict[str, object]:
    visitor, policy = visitor_or_none(), here().policy()
    chosen = visitor.session.purpose if visitor else None
    return {
        "visitor": visitor, "me": visitor.person if visitor else None, "places": _places(),
        "site_name": policy.site_name if policy else "", "site_policy": policy,
        "kept_line": notices.in_short(policy, _) if policy else "",
        "purpose": chosen,
        "purpose_left_s": (chosen.until_at - here().now()).total_seconds() if chosen else 0,
        "words": words, "rule_words": rule_words, "barrier_words": barrier_words,
        "say": words.say, "look": languages.look(),
        "languages": languages.LANGUAGES, "language": str(get_locale() or "en"),
        "this_path": request.full_path.rstrip("?") if request.method == "GET" else "/",
        "version": __version__, "may": _may, "Permission": Permission,
    }


def _may(permission: Permission) -> bool:
    visitor = visitor_or_none()
    return visitor is not None and may(visitor.person.role, permission)


def _places() -> list[Place]:
    """The menu: only what this person may reach, and nothing before training."""
    visitor = visitor_or_none()
    if visitor is None or not visitor.trained:
        return []
    every = (
        ("home.shown", _("Home"), "home", "1", Permission.SEE_STATE),
        ("desk.shown", _("Desk"), "desk", "2", Permission.WATCH),
        ("barrier.shown", _("Barrier"), "barrier", "b", Permission.SEE_BARRIER),
        ("passages.shown", _("Passages"), "passages", "3", Permission.LOOK_UP),
        ("grants.shown", _("Lists"), "lists", "4", Permission.SEE_GRANTS),
        ("people.shown", _("People"), "people", "5", Permission.PEOPLE),
        ("journal.shown", _("Journal"), "journal", "6", Permission.JOURNAL),
        ("policy.shown", _("Policy"), "policy", "7", Permission.SEE_POLICY),
        ("health.shown", _("Health"), "health", "8", Permission.SEE_STATE),
        ("help.shown", _("Help"), "help", "9", Permission.OWN),
    )
    blueprint = (request.endpoint or "").partition(".")[0]
    return [
        Place(url_for(endpoint), name, icon, key, endpoint.startswith(f"{blueprint}."))
        for endpoint, name, icon, key, permission in every
        if may(visitor.person.role, permission)
    ]
