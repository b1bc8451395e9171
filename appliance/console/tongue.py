"""The reader's language, typed: ``_`` says, ``_n`` counts, ``_l`` waits for its reader."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext, lazy_gettext, ngettext


def _(text: str, /, **values: object) -> str:
    return str(gettext(text, **values))


def _n(one: str, many: str, count: int, /, **values: object) -> str:
    return str(ngettext(one, many, count, **values))


def _l(text: str, /, **values: object) -> Any:
    """For tables made when a module is read: translated each time it is shown."""
    return lazy_gettext(text, **values)
