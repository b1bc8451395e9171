"""One way to read a form: ask for each field, collect what is wrong by field, show it again.

    form = Form(request.form)
    name = form.text("name", longest=60)
    if form.wrong: ... show the page again with ``form``
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from appliance.console import times
from appliance.console.tongue import _


class Form:
    """What was sent, and what is wrong with it (field -> sentence)."""

    def __init__(self, sent: MultiDict[str, str] | None = None,
                 defaults: Mapping[str, str | Sequence[str]] | None = None) -> None:
        self.sent = sent if sent is not None else MultiDict()
        self._defaults = defaults or {}
        self.wrong: dict[str, str] = {}

    def value(self, name: str) -> str:
        """For the template: what was sent, else the default."""
        if name in self.sent:
            return str(self.sent[name])
        default = self._defaults.get(name, "")
        return default if isinstance(default, str) else ""

    def values(self, name: str) -> list[str]:
        if self.sent:
            return self.sent.getlist(name)
        default = self._defaults.get(name, ())
        return [default] if isinstance(default, str) else list(default)

    def refuse(self, name: str, sentence: str) -> None:
        self.wrong.setdefault(name, sentence)

    def text(self, name: str, *, longest: int, shortest: int = 0) -> str:
        """One line without control characters."""
        given = " ".join(self.sent.get(name, "").split())
        if not given.isprintable():
            self.refuse(name, _("This holds characters that cannot be stored."))
        if len(given) > longest:
            self.refuse(name, _("Use at most %(n)s characters.", n=longest))
        if len(given) < shortest:
            self.refuse(name, _("Use at least %(n)s characters.", n=shortest) if given
                        else _("This is needed."))
        return given

    def choice(self, name: str, allowed: Collection[str]) -> str:
        given = self.sent.get(name, "")
        if given not in allowed:
            self.refuse(name, _("Choose one of these."))
            return ""
        return given

    def choices(self, name: str, allowed: Collection[str]) -> list[str]:
        given = self.sent.getlist(name)
        if any(g not in allowed for g in given):
            self.refuse(name, _("Choose from these."))
        return [g for g in given if g in allowed]

    def number(self, name: str, low: int, high: int) -> int:
        try:
            given = int(self.sent.get(name, ""))
        except ValueError:
            self.refuse(name, _("Write a whole number."))
            return low
        if not low <= given <= high:
            self.refuse(name, _("Between %(low)s and %(high)s.", low=low, high=high))
        return min(max(given, low), high)

    def moment(self, name: str, site: ZoneInfo) -> datetime | None:
        try:
            return times.from_local(self.sent.get(name, ""), site)
        except times.TimeRefused:
            self.refuse(name, _("Write a day and time, such as 2026-11-21 14:30."))
            return None
