"""The verbs about holds (docs/SOCKETS.md): place, approve, end, list.

Whatever is done is in the journal before it is answered (``holds``), whatever is refused too
(``permission``). Nothing here shows a read: a hold is answered by its number and how many it keeps.
Handlers run on any thread.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from appliance import clock, codec
from appliance.errors import IpcError
from appliance.ipc import Handler, Message, ok
from appliance.records import naming
from appliance.records.access import LONGEST_REASON, who_from
from appliance.records.acts import Act
from appliance.records.held import Hold
from appliance.records.holdrules import HoldRefused, HoldRequest, check, ruled_by
from appliance.records.holds import Holds, new_hold
from appliance.records.journal import Journal
from appliance.records.keys import DeviceKeys
from appliance.records.permission import HOLDING, LISTING, Permission
from appliance.records.times import TakeMoment
from appliance.records.volumes import Volumes

_FIELDS = (
    "kind",
    "requester",
    "office",
    "contact",
    "instrument",
    "legal_basis",
    "days",
    "received_at",
    "instrument_no",
    "sworn",
    "copy_sha256",
)
_SHORTEST_OUTCOME = 3


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the verbs about holds and evidence work with."""

    holds: Holds
    volumes: Volumes
    journal: Journal
    keys: DeviceKeys
    permission: Permission


class Holding:
    def __init__(self, rooms: Rooms, now: TakeMoment) -> None:
        self._holds = rooms.holds
        self._volumes = rooms.volumes
        self._journal = rooms.journal
        self._permission = rooms.permission
        self._now = now

    def handlers(self) -> dict[str, Handler]:
        return {
            "hold_place": self.place,
            "hold_approve": self.approve,
            "hold_end": self.end,
            "holds": self.list,
        }

    def place(self, asked: Message) -> Message:
        who, now = who_from(asked.header), self._now()
        with self._permission.asked(who, "hold_placed", {}, now):
            self._permission.check(who, HOLDING)
            stated = str(asked.header.get("jurisdiction") or "")
            request = _request(asked.header, ruled_by(stated, self._permission.state()))
            check(request, now.at)
            named = naming.named_from(asked.header, self._volumes)
            wanted = naming.reads(named, self._volumes, self._holds)
            first = next(wanted, None)
            if first is None:
                raise HoldRefused(
                    "nothing is held that fits", next_step="It may be deleted already"
                )
        hold = new_hold(request, json.dumps(named.told()), who, now)
        # From the first again: it was only looked for, and one read more costs little.
        hold = self._holds.place(hold, naming.reads(named, self._volumes, self._holds), who, now)
        return ok({"hold": hold.id, "reads": hold.reads, "ends_at": clock.iso(hold.ends_at)})

    def approve(self, asked: Message) -> Message:
        who, now, name = who_from(asked.header), self._now(), _name(asked)
        with self._permission.asked(who, "hold_approved", {"hold": name}, now):
            self._permission.check(who, HOLDING)
            hold = self._holds.approve(name, who, now)
        return ok({"hold": hold.id, "ends_at": clock.iso(hold.ends_at)})

    def end(self, asked: Message) -> Message:
        who, now, name = who_from(asked.header), self._now(), _name(asked)
        outcome = str(asked.header.get("outcome") or "").strip()[:LONGEST_REASON]
        with self._permission.asked(who, "hold_ended", {"hold": name}, now):
            self._permission.check(who, HOLDING)
            if len(outcome) < _SHORTEST_OUTCOME:
                raise HoldRefused("say what became of the hold", next_step="Write its outcome")
            self._holds.end(name, outcome, who, now)
        return ok({"hold": name})

    def list(self, asked: Message) -> Message:
        who, now = who_from(asked.header), self._now()
        told = {"holds": True}
        with self._permission.asked(who, "journal_viewed", told, now):
            self._permission.check_role(who, LISTING)
        held, ended = [_row(hold) for hold in self._holds.open_holds()], self._holds.ended()[:100]
        self._journal.append(Act(who, "journal_viewed", told, len(held)), now)
        return ok({"holds": held, "ended": [e for e in ended if "refused" not in e]})


def _request(told: dict[str, Any], jurisdiction: str) -> HoldRequest:
    try:
        fields = {k: told[k] for k in _FIELDS if told.get(k) is not None}
        return codec.decode(HoldRequest, {**fields, "jurisdiction": jurisdiction})
    except IpcError as cause:
        raise HoldRefused(
            "the request cannot be understood",
            next_step="Give kind, requester, office, contact, instrument, legal basis, days",
        ) from cause


def _name(asked: Message) -> str:
    return str(asked.header.get("hold") or "")[:60]


def _row(hold: Hold) -> dict[str, Any]:
    """What a list says of a hold: no plate."""
    request = codec.encode(hold.request)
    told = {k: v for k, v in codec.encode(hold).items() if k not in ("request", "named_by")}
    return {**request, **told, "ends_at": clock.iso(hold.ends_at)}
