"""The gate's rules and the notes beside them, as a person reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from appliance.console.tongue import _l

RULES: Mapping[str, Any] = {
    "policy": _l("A policy is published"),
    "block": _l("The plate is not blocked"),
    "near_block": _l("No blocked plate looks like it"),
    "fresh": _l("The sighting is fresh"),
    "direction": _l("The car drives the way this gate lets through"),
    "glimpses": _l("Enough pictures agree"),
    "score": _l("The read is certain enough"),
    "weakest": _l("No character is too doubtful"),
    "listed": _l("An entry names this plate"),
    "lookalike": _l("It matches to the letter, or safely"),
    "lane": _l("The entry is for this lane"),
    "clock": _l("The clock can be trusted where hours count"),
    "begun": _l("The entry has begun"),
    "not_ended": _l("The entry has not ended"),
    "hours": _l("The entry's hours include now"),
    "records": _l("The passage can be recorded"),
    "presence": _l("A car stands on the loop, where this gate asks for that"),
    "second_factor": _l("The code or the resident's yes was given, where the entry asks for it"),
    "lookup": _l("The rules could be applied"),
}

_DOUBT = r"(\d+) doubtful, scores ([\d.]+), under [\d.]+ needed, "
_NOTES = (
    (re.compile(r"version (\d+)"), _l("version %(a)s")),
    (re.compile(r"([\d.-]+) s old"), _l("%(a)s s old")),
    (re.compile(r"(\d+) agree, (\d+) needed, sure"),
     _l("%(a)s agree, %(b)s needed: the read is sure")),
    (re.compile(r"(\d+) agree, (\d+) needed"), _l("%(a)s agree, %(b)s needed")),
    (re.compile(r"([\d.]+), ([\d.]+) needed"), _l("%(a)s, %(b)s needed")),
    (re.compile(r"to the letter"), _l("to the letter")),
    (re.compile(r"another lane"), _l("another lane")),
    (re.compile(r"any hour"), _l("any hour")),
    (re.compile(r"in, lets through (?:in|both)"), _l("driving in")),
    (re.compile(r"out, lets through (?:out|both)"), _l("driving out")),
    (re.compile(r"unknown, lets through \w+"), _l("direction unknown")),
    (re.compile(r"in, lets through out"), _l("driving in; this gate lets out")),
    (re.compile(r"out, lets through in"), _l("driving out; this gate lets in")),
    (re.compile(_DOUBT + "no other label of that shape"),
     _l("%(a)s doubtful character at %(b)s, no other entry of that shape")),
    (re.compile(_DOUBT + "another label of that shape"),
     _l("%(a)s doubtful character at %(b)s, another entry has that shape")),
    (re.compile(r"occupied"), _l("occupied")),
    (re.compile(r"empty"), _l("empty")),
    (re.compile(r"not read"), _l("not read")),
    (re.compile(r"not asked"), _l("this gate does not ask for it")),
    (re.compile(r"none asked"), _l("the entry asks for none")),
    (re.compile(r"code"), _l("a code")),
    (re.compile(r"resident"), _l("the resident's yes")),
    (re.compile(r"synced(, timed grant)?"), _l("kept by a time server")),
    (re.compile(r"free(, timed grant)?"), _l("running on its own")),
    (re.compile(r"unknown(, timed grant)?"), _l("not known to be right")),
)
"""The notes the gate writes beside its rules, as the reader's words."""


def rule_note(note: str) -> str:
    """A rule's note in the reader's language; one this version does not know stays as it is."""
    for pattern, words in _NOTES:
        found = pattern.fullmatch(note)
        if found:
            a, b = (*found.groups(), None, None)[:2]
            return str(words) % {"a": a, "b": b}
    return note
