"""Releases: the only way evidence leaves, made by a manager for one named officer, used once.

The rules, each a sentence
1. Export is closed for every role. A release opens it for two exceptions only: every read named
   was a match to an alert an agency supplied (``flagged_match``), or the reads are needed for a
   criminal investigation with a case number (``investigation``).
2. A flagged match is a read the gate refused as an exact match of a block entry, and the release
   names the agency's alert; this product has no police list of its own.
3. A release names officer, agency, badge and contact, the legal instrument and its number. Where
   the officer comes from another state it carries that officer's written declaration that the use
   is none the site's own state forbids (625 ILCS 5/2-130; 2026 N.M. Laws ch. 20): asked everywhere.
4. Washington lets agencies have privately held reads on a warrant alone (ch. 10.130 RCW), New
   Mexico on written consent or an order of a court (2026 N.M. Laws ch. 20). Other instruments are
   refused there.
5. The agency has accepted the handling terms, and has been shown that a release is no warrant.
6. The code is told once and kept nowhere; the journal keeps a keyed hash of it. It lives 24 hours,
   and the first export uses it up.

The journal is the only store of releases. Any thread; `find_unspent` and the journaling of the
export happen under the caller's lock.
"""

from __future__ import annotations

import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from appliance import codec
from appliance.errors import IpcError, RecordError
from appliance.records.access import Who
from appliance.records.acts import Act
from appliance.records.journal import Journal
from appliance.records.keys import DeviceKeys
from appliance.records.times import Moment

LIVES = timedelta(hours=24)
CAVEAT = (
    "Having this data does not take the place of any other legal duty. Where the law asks for a"
    " search warrant or an order of a court, this release is neither."
)
HANDLING = (
    "The receiving agency keeps this bundle encrypted and under lock, behind a login with a"
    " password that records every access by name, date and time; uses it for the named case only;"
    " keeps the chain of custody; and destroys it when the law of evidence no longer needs it."
)
_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
_CODE = 16
_SHORTEST = 2
_LONGEST = 500
_SHORTEST_STATEMENT = 20


class Ground(StrEnum):
    FLAGGED_MATCH = "flagged_match"
    INVESTIGATION = "investigation"


class Instrument(StrEnum):
    SEARCH_WARRANT = "search_warrant"
    COURT_ORDER = "court_order"
    SUBPOENA = "subpoena"
    CONSENT = "written_consent"
    EMERGENCY = "emergency_statement"


ENOUGH_IN = {
    "us-wa": frozenset({Instrument.SEARCH_WARRANT}),
    "us-nm": frozenset({Instrument.SEARCH_WARRANT, Instrument.COURT_ORDER, Instrument.CONSENT}),
}
"""Rule 4."""


@dataclass(frozen=True, slots=True)
class Release:
    """What a manager released, and to whom."""

    exception: Ground
    officer: str
    agency: str
    badge: str
    contact: str
    instrument: Instrument
    instrument_no: str
    case_no: str = ""
    alert_no: str = ""
    """The agency's own number of its alert; for a flagged match."""
    out_of_state: bool = False
    statement: str = ""
    handling: bool = False


FIELDS = tuple(Release.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Unspent:
    """A release that may be carried out now."""

    id: str
    release: Release
    reads: dict[str, Any]
    """Which reads, as `naming.Named.told` says it."""
    released_by: str
    seq: int
    """Its entry in the journal."""


def release_from(told: dict[str, Any]) -> Release:
    """Raises ReleaseRefused."""
    try:
        fields = {k: told[k] for k in FIELDS if told.get(k) is not None}
        release = codec.decode(Release, fields)
    except IpcError as cause:
        raise ReleaseRefused(
            "the release cannot be understood",
            next_step="Give exception, officer, agency, badge, contact, instrument and its number",
        ) from cause
    return release


def check(release: Release, state: str) -> None:
    """Rules 1 and 3 to 5. Raises ReleaseRefused."""
    named = (release.officer, release.agency, release.badge, release.contact, release.instrument_no)
    if any(not _SHORTEST <= len(text.strip()) <= _LONGEST for text in named):
        raise ReleaseRefused("a release names officer, agency, badge, contact and instrument")
    number = release.alert_no if release.exception is Ground.FLAGGED_MATCH else release.case_no
    if not _SHORTEST <= len(number.strip()) <= _LONGEST:
        raise ReleaseRefused(
            "a release names the agency's case, or the agency's alert that was matched"
        )
    if release.instrument not in ENOUGH_IN.get(state, frozenset(Instrument)):
        raise ReleaseRefused(
            "the law of this state asks for another instrument",
            next_step="Washington: a warrant. New Mexico: consent, an order or a warrant",
        )
    stated = len(release.statement.strip())
    if stated > _LONGEST or (release.out_of_state and stated < _SHORTEST_STATEMENT):
        raise ReleaseRefused(
            "an officer from another state declares the use in writing",
            next_step="Copy the declaration: the use is none that this state forbids",
        )
    if not release.handling:
        raise ReleaseRefused("the agency has not accepted the handling terms")


class Releases:
    """``keys`` hash the codes; nothing else is kept."""

    def __init__(self, journal: Journal, keys: DeviceKeys) -> None:
        self._journal = journal
        self._keys = keys

    def make(self, release: Release, reads: dict[str, Any], who: Who, now: Moment) -> str:
        """The code, to be told once. Raises RecordError: then there is no release."""
        code = "".join(secrets.choice(_LETTERS) for _ in range(_CODE))
        told = {
            **{k: v for k, v in codec.encode(release).items() if v not in ("", None)},
            "release": f"release-{now.at.date().isoformat()}-{secrets.token_hex(3)}",
            "reads": reads,
            "code_mac": self._mac(code),
        }
        self._journal.append(Act(who, "evidence_released", told), now)
        return "-".join(code[at : at + 4] for at in range(0, _CODE, 4))

    def find_unspent(self, code: str, now_at: datetime) -> Unspent:
        """Rule 6. Raises ReleaseRefused: wrong, old and used sound the same."""
        plain = "".join(c for c in code.upper() if c.isalnum())
        wanted = self._mac(plain)
        spent = {
            told.get("release")
            for told in map(_query, self._journal.all_of("evidence_exported"))
            if "refused" not in told
        }
        for entry in self._journal.all_of("evidence_released"):
            told = _query(entry)
            if "refused" in told or not hmac.compare_digest(told["code_mac"], wanted):
                continue
            if told["release"] in spent or not entry.at <= now_at < entry.at + LIVES:
                break
            release = release_from(told)
            return Unspent(told["release"], release, told["reads"], entry.actor, entry.seq)
        raise ReleaseRefused(
            "this code opens nothing", next_step="Ask the manager for a new release"
        )

    def _mac(self, code: str) -> str:
        return self._keys.mac(b"postern release code " + code.encode())


def _query(entry: Any) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(entry.query)
    return told


class ReleaseRefused(RecordError):
    key = "release_refused"
