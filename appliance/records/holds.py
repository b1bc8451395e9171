"""The evidence store: what a hold keeps after the volumes it came from are gone.

The rules, each a sentence
1. A hold copies the reads it names into a file of its own, with a random key of its own
   (``evidence/<hold>.db``, ``evidence/keys/<hold>.key``). Nothing else outlives a volume.
2. The copy is made at once, for a request may come on a read's last day; it lapses after three days
   unless a second person approves it.
3. The journal says so before anybody is answered, and the file is marked as journaled. A file
   without the mark of which the journal knows nothing is what a crash left: it is destroyed at the
   next start. A marked one stays, also where a journal was lost.
4. At its end the key is destroyed, then the file, and a signed receipt goes into the journal, as
   for a volume (``destruction``). While the journal is down the receipt waits, not the reads.
5. Where a law has every read gone by an age (``holdrules``), the rows of that age are deleted from
   the hold too. A read counts from its own time, and never from later than its hold was placed.
6. While the clock cannot be believed nothing is destroyed: `sweep` is not called then.
7. A hold that cannot be opened ends when the journal says it does.

Any thread; who changes a hold takes ``lock``.
"""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlcipher3

from appliance import clock, codec
from appliance.errors import RecordError, VaultError
from appliance.records.access import SYSTEM, Who
from appliance.records.acts import Act
from appliance.records.destruction import Destroyer, Intent
from appliance.records.held import HeldRead, Hold, HoldFiles, write_facts
from appliance.records.holdrules import HoldRefused, HoldRequest, rule_for
from appliance.records.issues import Issues
from appliance.records.journal import Journal
from appliance.records.keys import DeviceKeys
from appliance.records.times import Moment, to_ms

logger = logging.getLogger(__name__)


def new_hold(request: HoldRequest, named_by: str, who: Who, now: Moment) -> Hold:
    """A hold about to be placed; its end follows from the request and the law."""
    name = f"hold-{now.at.date().isoformat()}-{secrets.token_hex(3)}"
    ends_at = now.at + timedelta(days=request.days)
    return Hold(name, request, named_by, who.actor, now.at, ends_at)


class Holds:
    """All holds of this unit."""

    def __init__(
        self, root: Path, wrapping_key: bytes, journal: Journal, keys: DeviceKeys, issues: Issues
    ) -> None:
        self.files = HoldFiles(root, wrapping_key, issues)
        self.lock = self.files.folder.lock
        self._journal = journal
        self._destroyer = Destroyer(root / "destroyed", self.files.folder, journal, keys)

    def start(self, now: Moment) -> None:
        """Carries on what a crash cut short (rules 3 and 4); never raises for a journal's."""
        self._destroyer.carry_through()
        with contextlib.suppress(RecordError):
            self._destroyer.settle(now)
            known = self._journaled("hold_placed")
            for name in self.files.names():
                if name not in known and not self.files.marked(name):
                    logger.warning("unjournaled hold destroyed")
                    self._destroy(name, None, "")
            self._destroyer.settle(now)

    def place(self, hold: Hold, reads: Iterable[HeldRead], who: Who, now: Moment) -> Hold:
        """Rules 1 to 3. Raises RecordError: then nothing is held."""
        with self.lock:
            try:
                hold = self.files.copy(hold, reads)
                entry = self._journal.append(Act(who, "hold_placed", _told(hold), hold.reads), now)
                self.files.mark(hold.id, entry.seq)
            except (sqlcipher3.Error, VaultError, OSError, RecordError) as cause:
                self._destroy(hold.id, hold.reads, hold.fingerprint)
                if isinstance(cause, RecordError):
                    raise
                raise RecordError(
                    "the hold could not be written", next_step="See the health page"
                ) from cause
        return hold

    def approve(self, name: str, who: Who, now: Moment) -> Hold:
        """Rule 2. Raises HoldRefused for the person who placed it."""
        with self.lock:
            hold = self.files.one(name)
            if who.actor == hold.placed_by:
                raise HoldRefused(
                    "a hold is approved by another person", next_step="Ask a second manager"
                )
            if hold.approved_by:
                raise HoldRefused("this hold is approved already")
            self._journal.append(Act(who, "hold_approved", {"hold": name}, hold.reads), now)
            hold = replace(hold, approved_by=who.actor, approved_at=now.at)
            with self.files.writing(name) as connection:
                write_facts(connection, hold)
        return hold

    def end(self, name: str, outcome: str, who: Who, now: Moment) -> None:
        """Ends a hold before its time. Raises RecordError."""
        with self.lock:
            hold = self.files.one(name)
            told = {"hold": name, "outcome": outcome}
            self._journal.append(Act(who, "hold_ended", told, hold.reads), now)
            self._destroy(name, hold.reads, hold.fingerprint)
        with contextlib.suppress(RecordError):
            self._destroyer.settle(now)

    def sweep(self, now: Moment) -> int:
        """Rules 4, 5 and 7; how many holds ended. The clock is believed when this is called."""
        ended = 0
        with self.lock:
            for name in self.files.names():
                try:
                    ended += self._end_if_over(name, now)
                except (sqlcipher3.Error, VaultError, OSError, RecordError) as cause:
                    logger.error("hold not swept error=%s", type(cause).__name__)
        with contextlib.suppress(RecordError):
            self._destroyer.settle(now)
        return ended

    def open_holds(self) -> list[Hold]:
        """Every hold that can be opened, oldest first."""
        found = []
        for name in self.files.names():
            try:
                found.append(self.files.one(name))
            except RecordError:
                continue
        return sorted(found, key=lambda hold: (hold.placed_at, hold.id))

    def ended(self) -> list[dict[str, Any]]:
        """What the journal says of holds that ended, newest first. Raises RecordError."""
        entries = self._journal.all_of("hold_ended")
        return [{**json.loads(e.query), "at": clock.iso(e.at), "by": e.actor} for e in entries]

    def _end_if_over(self, name: str, now: Moment) -> int:
        try:
            hold = self.files.one(name)
            ends_at, why = hold.ends_at, "expired" if hold.approved_by else "never approved"
            reads, mark = hold.reads, hold.fingerprint
        except RecordError:
            placed = self._journaled("hold_placed").get(name, {})
            ends_at = clock.from_iso(placed["expires_at"]) if placed else now.at
            reads, mark, why = None, str(placed.get("fingerprint", "")), "damaged"
            self.files.unreadable()
        else:
            if now.at < ends_at:
                self._delete_old(hold, now)
        if now.at < ends_at:
            return 0
        with contextlib.suppress(RecordError):
            told = {"hold": name, "outcome": why}
            self._journal.append(Act(SYSTEM, "hold_ended", told, reads or 0), now)
        self._destroy(name, reads, mark)
        return 1

    def _delete_old(self, hold: Hold, now: Moment) -> None:
        """Rule 5."""
        gone_by = rule_for(hold.request.kind, hold.request.jurisdiction).gone_by
        if gone_by is None:
            return
        with self.files.writing(hold.id) as connection:
            deleted = connection.execute(
                "DELETE FROM held WHERE counts_from_ms <= ?", (to_ms(now.at - gone_by),)
            ).rowcount
        if deleted:
            logger.info("held reads deleted count=%d", deleted)

    def _destroy(self, name: str, reads: int | None, mark: str) -> None:
        tails = ("", "-wal", "-shm")
        data = tuple(f"{name}.db{tail}" for tail in tails)
        key_file = self.files.folder.keys.path(name).name
        self._destroyer.destroy(Intent(name, reads, mark, (key_file,), data))

    def _journaled(self, action: str) -> dict[str, dict[str, Any]]:
        """Hold -> what the journal said of it. Raises RecordError."""
        told = [json.loads(entry.query) for entry in self._journal.all_of(action)]
        return {t["hold"]: t for t in told if "refused" not in t}


def _told(hold: Hold) -> dict[str, Any]:
    """What the journal says of a hold: everything but the reads."""
    told = codec.encode(hold)
    request = {k: v for k, v in told.pop("request").items() if v not in ("", None)}
    named_by = json.loads(told.pop("named_by"))
    kept = {k: told[k] for k in ("expires_at", "fingerprint", "reads")}
    return {"hold": hold.id, **request, "named_by": named_by, **kept}
