"""The verbs of records.sock (docs/SOCKETS.md), each a few lines: allow, look, journal, answer.

The order is the law of this room. Whatever names a plate is read first, journaled second (with
how many rows are about to be shown) and answered last; where the journal cannot be written the
answer is thrown away and the asker refused. A refused look-up is journaled too, where possible.

``keep`` shows nothing to anybody, so it goes on while the journal is down as long as its own volume
takes the read: losing the record of a car would not protect its driver, and `status` says
``ok: false``, on which the gate opens nothing by itself (ADR 0004).

Handlers run on any thread.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from appliance import clock, codec
from appliance.errors import NoPolicy, RecordError
from appliance.ipc import Handler, Message, ok
from appliance.records import access, proof, query
from appliance.records.access import SYSTEM, Who, who_from
from appliance.records.acts import ACTIONS, TERMINAL, Act, PageAsked
from appliance.records.counters import Counters
from appliance.records.destruction import Destroyer
from appliance.records.disk import Disk
from appliance.records.issues import Issues
from appliance.records.journal import Journal
from appliance.records.keeping import Keeper
from appliance.records.keys import DeviceKeys
from appliance.records.passages import Kept
from appliance.records.policy import PolicyWatch
from appliance.records.times import TakeMoment, from_ms
from appliance.records.volumes import Volumes
from appliance.values import Passage

LARGEST_CROP = 60_000
_LARGEST_QUERY = 4000
_MOST_ENTRIES = 200
_LARGEST_PAGE = 150_000
_NAMES_A_PLATE = frozenset({"look_up", "view_passage", "view_at_gate"})
"""Actions of other programs that show a read: allowed as a look-up here is."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the verbs work with; built by `program`."""

    keys: DeviceKeys
    issues: Issues
    policy: PolicyWatch
    journal: Journal
    volumes: Volumes
    keeper: Keeper
    destroyer: Destroyer
    counters: Counters
    disk: Disk


class Service:
    """Answers the verbs. ``now`` is asked once a request."""

    def __init__(self, parts: Parts, now: TakeMoment) -> None:
        self._parts = parts
        self._now = now
        self._started_mono = clock.mono()

    def handlers(self) -> dict[str, Handler]:
        return {
            "keep": self.keep,
            "journal": self.journal,
            "find": self.find,
            "open_passage": self.open_passage,
            "counts": self.counts,
            "journal_page": self.journal_page,
            "verify": self.verify,
            "receipts": self.receipts,
            "feed": self.feed,
            "status": self.status,
        }

    def keep(self, asked: Message) -> Message:
        policy = self._parts.policy.current()
        if policy is None:
            raise NoPolicy(
                "no policy is published, so nothing is stored",
                next_step="Publish the site's policy on the console",
            )
        told = asked.header.get("passage")
        if not isinstance(told, Mapping):
            raise RecordError("a passage is missing")
        passage = codec.decode(Passage, told)
        if not passage.key or len(asked.blob) > LARGEST_CROP:
            raise RecordError("a passage needs a key and a picture of at most 60 kB")
        kept = Kept(passage, asked.blob)
        passage_id = self._parts.keeper.keep(kept, self._now(), policy)
        # A busy gate may ask nothing but this: it must learn here that the journal is down.
        records_ok = self._parts.issues.get("journal_down") is None
        return ok({"passage_id": passage_id, "records_ok": records_ok})

    def journal(self, asked: Message) -> Message:
        """An act of another program, before it takes effect."""
        who, action = who_from(asked.header), asked.header.get("action")
        told, rows = asked.header.get("query") or {}, asked.header.get("rows", 0)
        if action not in ACTIONS | TERMINAL:
            raise RecordError("the journal knows no such action")
        if not isinstance(told, dict) or len(str(told)) > _LARGEST_QUERY:
            raise RecordError("the query of an entry must be a small object")
        if not _is_count(rows):
            raise RecordError("rows must be a number")
        if action in _NAMES_A_PLATE:
            self._allow(who, action, told)
        return ok({"seq": self._journal(Act(who, action, told, rows))})

    def find(self, asked: Message) -> Message:
        who = who_from(asked.header)
        wanted = query.query_from(asked.header.get("query"))
        page = _number(asked, "page", 1, 1, 1_000_000)
        per_page = _number(asked, "per_page", 20, 1, query.MOST_PER_PAGE)
        elements = {**wanted.elements(), "page": page}
        self._allow(who, "look_up", elements)
        found = query.find(self._parts.volumes, wanted, page, per_page)
        self._journal(Act(who, "look_up", elements, len(found.rows)))
        return ok({"total": found.total, "rows": found.rows})

    def open_passage(self, asked: Message) -> Message:
        who, passage_id = who_from(asked.header), asked.header.get("passage_id")
        if not isinstance(passage_id, str):
            raise RecordError("a passage needs its id")
        elements = {"passage_id": passage_id[:40]}
        self._allow(who, "view_passage", elements)
        kept = query.open_passage(self._parts.volumes, passage_id)
        self._journal(Act(who, "view_passage", elements, int(kept is not None)))
        if kept is None:
            raise PassageGone(
                "this passage is not held", next_step="It may be past its limit and deleted"
            )
        return ok({"passage": codec.encode(kept.passage)}, kept.crop)

    def counts(self, asked: Message) -> Message:
        period = {k: asked.header.get(k) for k in ("from_at", "to_at")}
        volumes = self._parts.volumes
        return ok(
            {
                "by_hour": query.by_hour(volumes, query.query_from(period)),
                "oldest_read_at": self._oldest_read_at(),
                "volumes": len(volumes.newest_first()),
                "residents": self._parts.counters.by_day(),
            }
        )

    def journal_page(self, asked: Message) -> Message:
        who = who_from(asked.header)
        page = PageAsked(
            before_seq=_number(asked, "before_seq", 0, 0, 2**53) or None,
            limit=_number(asked, "limit", 50, 1, _MOST_ENTRIES),
            action=_word(asked, "action"),
            actor=_word(asked, "actor_filter"),
        )
        elements = {k: v for k, v in codec.encode(page).items() if v}
        self._allow_journal(who, "journal_viewed", elements)
        entries = _fitting([codec.encode(e) for e in self._parts.journal.page(page)])
        self._journal(Act(who, "journal_viewed", elements, len(entries)))
        return ok({"entries": entries})

    def verify(self, asked: Message) -> Message:
        who = who_from(asked.header)
        self._allow_journal(who, "verified", {})
        found = proof.prove(self._parts.journal.folder, self._parts.keys)
        told = {"entries": found.entries, "whole": found.whole, "first_bad": found.first_bad}
        self._journal(Act(who, "verified", told, found.entries))
        return ok(
            {
                **told,
                "why": found.why,
                "missing": found.missing,
                "heads": found.heads,
                "first_at": found.first_at,
                "last_at": found.last_at,
            }
        )

    def receipts(self, asked: Message) -> Message:
        who = who_from(asked.header)
        self._allow_journal(who, "journal_viewed", {"receipts": True})
        receipts = _fitting(self._parts.destroyer.receipts())
        self._journal(Act(who, "journal_viewed", {"receipts": True}, len(receipts)))
        return ok({"receipts": receipts, "public_key": self._parts.keys.public.hex()})

    def feed(self, asked: Message) -> Message:
        after = _number(asked, "after", 0, 0, 2**53)
        limit = _number(asked, "limit", 100, 1, query.MOST_EVENTS)
        return ok({"events": query.events_after(self._parts.volumes, after, limit)})

    def status(self, _: Message) -> Message:
        """``ok`` is false, as in a refusal, while a read could not be kept or shown lawfully."""
        parts, policy = self._parts, self._parts.policy.current()
        volumes = parts.volumes.newest_first()
        if parts.issues.get("journal_down"):
            with contextlib.suppress(RecordError):
                self._journal(Act(SYSTEM, "started", {"journal": "writable again"}))
        free = 1 - parts.disk.look()
        state = ok(
            {
                "passages": sum(v.rows for v in volumes),
                "passages_total": parts.keeper.kept_ever + parts.counters.total,
                "residents_counted": parts.counters.total,
                "journal_seq": parts.journal.seq,
                "oldest_read_at": self._oldest_read_at(),
                "volumes": len(volumes),
                "disk_free_share": round(free, 4),
                "policy_version": policy.version if policy else 0,
                "pid": os.getpid(),
                "started_mono": self._started_mono,
                "issues": parts.issues.listed(),
            }
        )
        for key in ("journal_down", "keep_failed"):
            issue = parts.issues.get(key)
            if issue is not None:
                return Message(
                    {
                        **state.header,
                        "ok": False,
                        "key": key,
                        "message": issue.message,
                        "next_step": issue.next_step,
                    }
                )
        return state

    def _journal(self, act: Act) -> int:
        """Raises RecordError where the entry is not on disk: then nothing is answered."""
        return self._parts.journal.append(act, self._now()).seq

    def _allow(self, who: Who, action: str, elements: dict[str, Any]) -> None:
        policy = self._parts.policy.current()
        self._checked(lambda: access.may_see_reads(who, policy), who, action, elements)

    def _allow_journal(self, who: Who, action: str, elements: dict[str, Any]) -> None:
        self._checked(lambda: access.may_see_journal(who), who, action, elements)

    def _checked(
        self, check: Callable[[], None], who: Who, action: str, elements: dict[str, Any]
    ) -> None:
        """Runs the check; what it refuses is journaled as refused, then refused."""
        try:
            check()
        except RecordError as refusal:
            self._journal(Act(who, action, {**elements, "refused": refusal.key}))
            raise

    def _oldest_read_at(self) -> str | None:
        oldest = [
            v.oldest_ms for v in self._parts.volumes.newest_first() if v.oldest_ms is not None
        ]
        return clock.iso(from_ms(min(oldest))) if oldest else None


class PassageGone(RecordError):
    key = "passage_gone"


def _fitting(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As many as one message holds; the asker goes on from the last it got."""
    room, fitting = _LARGEST_PAGE, []
    for item in items:
        room -= len(json.dumps(item, ensure_ascii=False).encode())
        if room < 0:
            break
        fitting.append(item)
    return fitting


def _number(asked: Message, name: str, default: int, low: int, high: int) -> int:
    """Raises RecordError for anything that is not a whole number; bounds are clamped."""
    value = asked.header.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool):
        raise RecordError(f"{name} must be a whole number")
    return max(low, min(high, value))


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _word(asked: Message, name: str) -> str:
    value = asked.header.get(name) or ""
    if not isinstance(value, str):
        raise RecordError(f"{name} must be text")
    return value
