"""What an entry may ask for besides its plate: a code, or the resident's yes. The console's half.

- A code is typed twice or made here, shown once and kept only as ``gatecode.mac``.
- A resident's link is a signed number of the entry and a stamp of its last change: every change of
  the entry, and its end, makes older links worthless. It names no plate and no person.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from itsdangerous import BadData, URLSafeSerializer

from appliance import clock, gatecode
from appliance.console.forms import Form
from appliance.console.lists import Entry, Lists
from appliance.console.tongue import _
from appliance.values import GrantKind, SecondFactor

MADE_DIGITS = 6
_SALT = "resident's yes"
_RISING = "01234567890"


@dataclass(frozen=True, slots=True)
class Asked:
    """The form's second factor. ``made`` is a code made here, to be shown once."""

    factor: SecondFactor = SecondFactor.NONE
    code_mac: str = ""
    made: str = ""


def read(form: Form, kind: str, entry: Entry | None, site_key: bytes) -> Asked:
    """What the form asks for; what is wrong with it stands in the form afterwards."""
    if not form.sent.get("second_factor"):
        return Asked()
    chosen = form.choice("second_factor", [f.value for f in SecondFactor])
    if kind == GrantKind.BLOCK.value:
        form.refuse("second_factor", _("A block entry lets nobody in, so it asks for nothing."))
    if chosen != SecondFactor.CODE.value:
        return Asked(SecondFactor(chosen))
    code, again = form.text("code", longest=8), form.text("code_again", longest=8)
    kept = entry.grant.code_mac if entry else ""
    if not code and not again:
        if kept and form.sent.get("new_code") != "yes":
            return Asked(SecondFactor.CODE, kept)
        made = made_code()
        return Asked(SecondFactor.CODE, gatecode.mac(site_key, made), made)
    try:
        mac = gatecode.mac(site_key, code)
    except gatecode.CodeRefused:
        form.refuse("code", _("A code has 4 to 8 digits."))
        return Asked(SecondFactor.CODE)
    if _easy(code):
        form.refuse("code", _("This is too easy to guess."))
    elif code != again:
        form.refuse("code_again", _("The two are not the same."))
    return Asked(SecondFactor.CODE, mac)


def made_code() -> str:
    """Random digits that are not one of the first guesses."""
    while True:
        code = "".join(secrets.choice("0123456789") for _n in range(MADE_DIGITS))
        if not _easy(code):
            return code


def token(entry: Entry, key: str | bytes) -> str:
    """The signed part of the resident's link."""
    return str(URLSafeSerializer(key, salt=_SALT).dumps([entry.id, _stamp(entry)]))


def entry_of(written: str, lists: Lists, key: str | bytes) -> Entry | None:
    """The entry a link is good for now, or None."""
    try:
        number, stamp = URLSafeSerializer(key, salt=_SALT).loads(written)
    except (BadData, ValueError, TypeError):
        return None
    entry = lists.by_id(int(number))
    if entry is None or entry.ended_at is not None:
        return None
    if entry.grant.second_factor is not SecondFactor.RESIDENT:
        return None
    return entry if secrets.compare_digest(_stamp(entry), str(stamp)) else None


def _stamp(entry: Entry) -> str:
    changed = entry.changed_at or entry.made_at
    return hashlib.sha256(f"{entry.id} {clock.iso(changed)}".encode()).hexdigest()[:12]


def _easy(code: str) -> bool:
    return len(set(code)) == 1 or code in _RISING or code in _RISING[::-1]
