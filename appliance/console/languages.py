"""Which language and look a page has: the account's, then the cookie's, then the browser's."""

from __future__ import annotations

from flask import has_request_context, request, session

from appliance.console.context import visitor_or_none

LANGUAGES = {"en": "English", "es": "Español"}
LOOKS = ("auto", "light", "dark")
LOOK_COOKIE = "look"


def chosen() -> str:
    """For Flask-Babel. A public page takes it from ``?lang=`` so that it needs no cookie."""
    if not has_request_context():
        return "en"
    asked = request.args.get("lang", "")
    if asked in LANGUAGES:
        return asked
    visitor = visitor_or_none()
    if visitor and visitor.person.language in LANGUAGES:
        return visitor.person.language
    kept = session.get("language", "")
    if kept in LANGUAGES:
        return str(kept)
    return request.accept_languages.best_match(list(LANGUAGES)) or "en"


def look() -> str:
    """auto, light or dark."""
    asked = request.cookies.get(LOOK_COOKIE, "auto")
    return asked if asked in LOOKS else "auto"
