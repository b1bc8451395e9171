"""What this room needs from a language: a function that says an English sentence in the reader's.

The console hands in ``flask_babel.gettext``; a test or the printed policy may hand in ``plain``.
"""

from __future__ import annotations

from typing import Protocol

from appliance.values import Purpose


class Say(Protocol):
    """``say("kept %(n)s days", n=7)``: translated, then filled."""

    def __call__(self, text: str, /, **values: object) -> str: ...


def plain(text: str, /, **values: object) -> str:
    """English, for tests and documents without a reader's language."""
    return text % values if values else text


def kept(hours: float, say: Say) -> str:
    """A retention as a person says it."""
    if hours >= 48 and hours % 24 == 0:
        return say("%(n)s days", n=int(hours // 24))
    return say("%(n)s hours", n=int(hours))


def purpose(code: Purpose, say: Say) -> str:
    """A purpose as the policy prints it."""
    return {
        Purpose.ACCESS_CONTROL: say("letting cars in and answering at the gate"),
        Purpose.VISITOR_QUERY: say("helping a visitor, vendor or resident who asks"),
        Purpose.INCIDENT: say("damage, theft or danger on the property"),
        Purpose.RESIDENT_REQUEST: say("answering a person who asks what is held about them"),
        Purpose.ACCURACY: say("finding and correcting wrong reads"),
        Purpose.AUDIT: say("checking that the policy is kept"),
        Purpose.LEGAL_REQUEST: say("answering a police or court instrument"),
    }[code]
