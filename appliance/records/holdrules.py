"""Which kinds of hold exist, how long each may last, and by which law.

The rules, each a sentence
1. A hold is a preservation on a written request, an order of a court, or the site's own incident;
   no other kind exists, and the published policy names these three.
2. The law of the site's own state rules the hold. Where the policy names a state, no other can be
   given; where it names none, the asker states it.
3. Utah Code 41-6a-2005(1): a person who uses a reader preserves reads for fourteen days on the
   written statement of a government body or of a defendant in a criminal case. After that only an
   order keeps them: place a second hold, of kind ``order``, from the first.
4. Neb. Rev. Stat. 60-3205(1)(a) and Mont. Code Ann. 46-5-117 to -119: the request is sworn. The
   fourteen days are our own choice there, as everywhere else.
5. Iowa Code 321P.4: every read is gone within thirty days, without an exception of the operator's
   own. A hold there ends for each read an hour before its thirtieth day, whatever the paper says;
   what law enforcement needs it must have copied before.
6. Ark. Code 12-12-1804(a): a private owner keeps reads sixty days at most, so an incident of the
   site's own cannot hold one longer there.
7. A preservation and an order rest on a paper whose copy is kept elsewhere: its SHA-256 is given.

Pure: no clock, no file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from appliance.errors import RecordError

MARGIN = timedelta(hours=1)
"""A read that must be gone by a day is gone this long before."""

_SHORTEST = 2
_LONGEST = 500
_SHA256 = re.compile(r"[0-9a-f]{64}")
_STATE = re.compile(r"[a-z]{2,3}(-[a-z]{2,3})?|default")
_FAR = timedelta(days=3660)


class HoldKind(StrEnum):
    PRESERVATION = "preservation"  # a written request to keep, pending an order
    ORDER = "order"  # a court order, warrant or subpoena
    INCIDENT = "incident"  # damage, a claim or a dispute of the site's own


@dataclass(frozen=True, slots=True)
class HoldRule:
    """What the law (or, where it is silent, this product) says of one kind in one state."""

    longest: timedelta
    sworn: bool = False
    """The request must be sworn."""
    gone_by: timedelta | None = None
    """Age at which a read is gone in spite of the hold."""
    cite: str = ""


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """The paper a hold rests on, as a person copied it."""

    kind: HoldKind
    requester: str
    office: str
    contact: str
    instrument: str
    legal_basis: str
    days: int
    received_at: datetime
    jurisdiction: str = ""
    """Code such as us-ut."""
    instrument_no: str = ""
    sworn: bool = False
    copy_sha256: str = ""
    """Of the paper's copy, lower case hex."""


_GENERAL = {
    HoldKind.PRESERVATION: HoldRule(timedelta(days=14)),
    HoldKind.ORDER: HoldRule(timedelta(days=365)),
    HoldKind.INCIDENT: HoldRule(timedelta(days=90)),
}
_PRESERVATION = {
    "us-ut": HoldRule(timedelta(days=14), cite="Utah Code 41-6a-2005(1)"),
    "us-ne": HoldRule(timedelta(days=14), sworn=True, cite="Neb. Rev. Stat. 60-3205(1)(a)"),
    "us-mt": HoldRule(timedelta(days=14), sworn=True, cite="Mont. Code Ann. 46-5-117 to 46-5-119"),
}
_IOWA = timedelta(days=30) - MARGIN
_ARKANSAS = timedelta(days=60) - MARGIN


def rule_for(kind: HoldKind, jurisdiction: str) -> HoldRule:
    """Rules 3 to 6."""
    general = _GENERAL[kind]
    if jurisdiction == "us-ia":
        return HoldRule(general.longest, gone_by=_IOWA, cite="Iowa Code 321P.4")
    if jurisdiction == "us-ar" and kind is HoldKind.INCIDENT:
        return HoldRule(general.longest, gone_by=_ARKANSAS, cite="Ark. Code Ann. 12-12-1804(a)")
    if kind is HoldKind.PRESERVATION:
        return _PRESERVATION.get(jurisdiction, general)
    return general


def ruled_by(stated: str, policy_names: str) -> str:
    """Rule 2: the state whose law rules. Raises HoldRefused."""
    stated, named = stated.strip().lower(), policy_names.strip().lower()
    if stated and not _STATE.fullmatch(stated):
        raise HoldRefused("a state is a code such as us-ut")
    if named and stated not in ("", named):
        raise HoldRefused(
            "the law of the site's own state rules a hold",
            next_step="Leave the state as the published policy names it",
        )
    return named or stated


def check(request: HoldRequest, now_at: datetime) -> HoldRule:
    """The rule of a request that holds to it. Raises HoldRefused."""
    rule = rule_for(request.kind, request.jurisdiction)
    told = (request.requester, request.office, request.contact, request.instrument)
    if any(not _SHORTEST <= len(text.strip()) <= _LONGEST for text in (*told, request.legal_basis)):
        raise HoldRefused(
            "a hold names requester, office, contact, instrument and legal basis",
            next_step="Copy them from the paper",
        )
    if len(request.instrument_no) > _LONGEST:
        raise HoldRefused("the number of the instrument is too long")
    if not 1 <= request.days <= rule.longest.days:
        raise HoldRefused(
            f"a hold of this kind lasts 1 to {rule.longest.days} days",
            next_step="After that an order must follow: place a hold of kind order",
        )
    if rule.sworn and not request.sworn:
        raise HoldRefused(f"the request must be sworn ({rule.cite})")
    if request.copy_sha256 or request.kind is not HoldKind.INCIDENT:
        _check_copy(request.copy_sha256)
    if not now_at - _FAR < request.received_at <= now_at + timedelta(days=1):
        raise HoldRefused("the day on which the request was received cannot be right")
    return rule


def _check_copy(sha256: str) -> None:
    """Rule 7."""
    if not _SHA256.fullmatch(sha256):
        raise HoldRefused(
            "the paper's copy is named by its SHA-256, 64 hex digits in lower case",
            next_step="Keep the copy outside this box and give its hash",
        )


class HoldRefused(RecordError):
    key = "hold_refused"
