"""The door in front of every page: closed by default.

In this order, for each request
 1. the public list passes; everything else needs a person;
 2. while nobody has an account, everything leads to set-up;
 3. while no policy is published, everything leads to the page that says so;
 4. without training for the policy in force, only training is reachable;
 5. the route's permission is compared with the role;
 6. where an answer may name a plate, a purpose must have been chosen.
A view without a guard stops the app from starting.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, abort, current_app, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from appliance.console.context import Console, Visitor, here
from appliance.console.permissions import PUBLIC, Guard, guard_of, may
from appliance.values import Role

TOKEN = "token"  # noqa: S105 - the cookie's field, not a secret


def install(app: Flask) -> None:
    app.before_request(admit)


def check_closed(app: Flask) -> None:
    """Raises RuntimeError where a route is neither public nor guarded."""
    for endpoint, view in app.view_functions.items():
        if endpoint not in PUBLIC and guard_of(view) is None:
            raise RuntimeError(f"the route {endpoint} has no guard")


def admit() -> Response | None:
    """The hook; None lets the request through."""
    endpoint = request.endpoint
    if endpoint is None:
        return _unknown()
    if endpoint in ("static", "health.alive"):
        return None
    console = here()
    if not console.accounts.any():
        first = endpoint in ("setup.code", "setup.account", "notice.shown")
        return None if first else redirect(url_for("setup.code"))
    if endpoint in PUBLIC:
        return None
    guard = guard_of(_view(endpoint))
    if guard is None:
        abort(404)
    visitor = find_visitor(console, counts=not guard.quiet)
    if visitor is None:
        return _to_sign_in(guard)
    g.visitor = visitor
    return _past_the_gates(console, visitor, guard)


def find_visitor(console: Console, *, counts: bool) -> Visitor | None:
    token = session.get(TOKEN)
    if not token:
        return None
    now = console.now()
    living = console.sessions.find(str(token), now, counts=counts)
    person = console.accounts.by_id(living.person_id) if living else None
    if living is None or person is None or person.disabled:
        session.clear()
        return None
    policy = console.policy()
    trained = policy is not None and console.trainings.complete(person, policy.version)
    return Visitor(person, living, trained)


def _past_the_gates(console: Console, visitor: Visitor, guard: Guard) -> Response | None:
    if not guard.untrained:
        if console.policy() is None:
            manager = visitor.person.role is Role.MANAGER
            return _stop(guard, "setup.policy" if manager else "setup.waiting")
        if not visitor.trained:
            return _stop(guard, "training.shown")
    if not may(visitor.person.role, guard.permission):
        abort(403)
    if guard.purpose and visitor.session.purpose is None:
        return _stop(guard, "purpose.choose", then=True)
    return None


def _view(endpoint: str) -> Callable[..., object]:
    return current_app.view_functions[endpoint]


def _unknown() -> Response | None:
    """An unknown address tells nothing: without a session it looks like any closed page."""
    console = here()
    if console.accounts.any() and find_visitor(console, counts=True) is None:
        return redirect(url_for("sign.sign_in"))
    return None


def _to_sign_in(guard: Guard) -> Response:
    if guard.quiet:
        abort(401)
    then = request.path if request.method == "GET" and request.path != "/" else None
    return redirect(url_for("sign.sign_in", then=then))


def _stop(guard: Guard, endpoint: str, *, then: bool = False) -> Response:
    if guard.quiet:
        abort(401)
    come_back = request.full_path.rstrip("?") if then and request.method == "GET" else None
    return redirect(url_for(endpoint, then=come_back))


def safe_then(told: str | None) -> str:
    """Where to go on after sign-in or purpose: only a path of this console, else home."""
    path = told or ""
    inside = path.startswith("/") and not path.startswith(("//", "/\\")) and "\\" not in path
    plain = all(c.isprintable() for c in path)
    return path if inside and plain else url_for("home.shown")
