"""The verbs about evidence (docs/SOCKETS.md): release, export, hand out, custody.

The order is this room's law: allow, look, journal, answer. An export is journaled before its first
byte is sealed and uses up its release there; if sealing fails the manager makes a new release.
What leaves is the sealed bundle alone (``bundle``), in pieces, to the person who carried it out;
the box keeps it half an hour and never longer. Handlers run on any thread.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance import clock, codec
from appliance.errors import RecordError
from appliance.ipc import Handler, Message, ok
from appliance.records import bundle, custody, files, naming, releases
from appliance.records.access import LONGEST_REASON, who_from
from appliance.records.acts import Act
from appliance.records.bundle import Cost, Sealed, Sealer, check_passphrase
from appliance.records.held import HeldRead
from appliance.records.holding import Rooms
from appliance.records.naming import Named
from appliance.records.permission import CARRYING, LISTING, RELEASING
from appliance.records.releases import Ground, Instrument, ReleaseRefused, Releases, Unspent
from appliance.records.times import Moment, TakeMoment
from appliance.values import JournalEntry, Reason

KEPT_S = 1800.0
CHUNK = 100_000
_MOST_EXPORTS = 4


@dataclass
class _Ready:
    """A sealed bundle that waits to be fetched."""

    actor: str
    path: Path
    sealed: Sealed
    until_mono: float
    handed_out: bool = False


@dataclass
class Evidence:
    """``folder`` holds nothing but sealed bundles, half an hour each."""

    folder: Path
    rooms: Rooms
    now: TakeMoment
    cost: Cost = bundle.COST
    _ready: dict[str, _Ready] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        files.make_folder(self.folder)
        self._releases = Releases(self.rooms.journal, self.rooms.keys)
        files.unlink_all(tuple(self.folder.iterdir()))

    def handlers(self) -> dict[str, Handler]:
        return {
            "evidence_terms": self.terms,
            "evidence_release": self.release,
            "evidence_export": self.export,
            "evidence_chunk": self.chunk,
            "custody": self.custody,
            "custody_note": self.custody_note,
        }

    def sweep(self, now: Moment) -> None:
        """Removes what nobody fetched."""
        with self._lock:
            for export, ready in list(self._ready.items()):
                if now.mono >= ready.until_mono:
                    del self._ready[export]
                    files.unlink_all((ready.path,))

    def terms(self, _: Message) -> Message:
        """What a form must show before a release is asked for; names nobody."""
        enough = releases.ENOUGH_IN.get(self.rooms.permission.state(), frozenset(Instrument))
        return ok(
            {
                "caveat": releases.CAVEAT,
                "handling": releases.HANDLING,
                "exceptions": [g.value for g in Ground],
                "instruments": sorted(i.value for i in enough),
            }
        )

    def release(self, asked: Message) -> Message:
        who, now = who_from(asked.header), self.now()
        with self.rooms.permission.asked(who, "evidence_released", {}, now):
            self.rooms.permission.check(who, RELEASING)
            release = releases.release_from(asked.header)
            releases.check(release, self.rooms.permission.state())
            told = {k: asked.header.get(k) for k in ("hold", "passages")}
            named = naming.named_from(told, self.rooms.volumes)
            self._check_reads(named, release.exception)
        code = self._releases.make(release, named.told(), who, now)
        until = clock.iso(now.at + releases.LIVES)
        return ok({"code": code, "until": until, "caveat": releases.CAVEAT})

    def export(self, asked: Message) -> Message:
        who, now = who_from(asked.header), self.now()
        with self._lock:
            with self.rooms.permission.asked(who, "evidence_exported", {}, now):
                self.rooms.permission.check(who, CARRYING)
                passphrase = check_passphrase(asked.header.get("passphrase"))
                code = str(asked.header.get("code") or "")
                unspent = self._releases.find_unspent(code, now.at)
                if who.actor == unspent.released_by:
                    raise ReleaseRefused("an export is carried out by another person")
                if len(self._ready) >= _MOST_EXPORTS:
                    raise RecordError("bundles wait to be fetched", next_step="Fetch them first")
                named = _named(unspent)
                reads = self._count(named)
            export = f"export-{now.at.date().isoformat()}-{secrets.token_hex(3)}"
            told = {"export": export, "release": unspent.id, **_addressee(unspent)}
            entry = self.rooms.journal.append(Act(who, "evidence_exported", told, reads), now)
            ready = self._seal(export, unspent, named, entry, passphrase)
            sealed = codec.encode(ready.sealed)
            note = {"export": export, "event": "sealed", **sealed}
            self.rooms.journal.append(Act(who, "custody_noted", note, reads), now)
            self._ready[export] = ready
        return ok({"export": export, "reads": reads, **sealed})

    def chunk(self, asked: Message) -> Message:
        who, now = who_from(asked.header), self.now()
        export, offset = str(asked.header.get("export") or "")[:60], asked.header.get("offset", 0)
        with self._lock:
            with self.rooms.permission.asked(who, "custody_noted", {"export": export}, now):
                self.rooms.permission.check_role(who, CARRYING)
                ready = self._ready.get(export)
                if ready is None or ready.actor != who.actor:
                    raise ReleaseRefused("no such bundle waits", next_step="It waits half an hour")
                if not isinstance(offset, int) or isinstance(offset, bool) or offset < 0:
                    raise RecordError("offset must be a whole number")
            if not ready.handed_out:
                note = {"export": export, "event": "handed out"}
                self.rooms.journal.append(Act(who, "custody_noted", note), now)
                ready.handed_out = True
            with ready.path.open("rb") as file:
                file.seek(offset)
                part = file.read(CHUNK)
        return ok({"offset": offset, "size": ready.sealed.size}, part)

    def custody(self, asked: Message) -> Message:
        who, now = who_from(asked.header), self.now()
        export = str(asked.header.get("export") or "")[:60]
        journal, told = self.rooms.journal, {"custody": export}
        with self.rooms.permission.asked(who, "journal_viewed", told, now):
            self.rooms.permission.check_role(who, LISTING)
        found = custody.trail(custody.entries_of(journal, export)) if export else []
        listed = custody.exports(journal)[:200]
        journal.append(Act(who, "journal_viewed", told, len(found)), now)
        return ok({"exports": listed, "trail": found})

    def custody_note(self, asked: Message) -> Message:
        """A later transfer, as somebody told it. ``handed_for``: to what purpose."""
        who, now = who_from(asked.header), self.now()
        export = str(asked.header.get("export") or "")[:60]
        told = {
            k: str(asked.header.get(k) or "").strip()[:LONGEST_REASON]
            for k in ("to", "officer", "agency", "place", "handed_for")
        }
        with self.rooms.permission.asked(who, "custody_noted", {"export": export}, now):
            self.rooms.permission.check(who, CARRYING)
            if export not in custody.exports(self.rooms.journal):
                raise RecordError("there is no such export", next_step="Look at the custody list")
            if not all(told[k] for k in ("to", "agency", "handed_for")):
                raise RecordError("a transfer says to whom, which agency and what for")
        act = Act(who, "custody_noted", {"export": export, "event": "transfer", **told})
        return ok({"seq": self.rooms.journal.append(act, now).seq})

    def _check_reads(self, named: Named, exception: Ground) -> None:
        """Only approved holds; a flagged match only where each read is one."""
        if named.hold and not self.rooms.holds.files.one(named.hold).approved_by:
            raise ReleaseRefused("the hold is not approved yet", next_step="Have it approved")
        found = 0
        for read in naming.reads(named, self.rooms.volumes, self.rooms.holds):
            found += 1
            if exception is Ground.FLAGGED_MATCH and not _flagged(read):
                raise ReleaseRefused("a read among these matched no agency's alert")
        if not found:
            raise ReleaseRefused("nothing is held that fits")

    def _count(self, named: Named) -> int:
        wanted = naming.reads(named, self.rooms.volumes, self.rooms.holds)
        reads = sum(1 for _ in wanted)
        if not reads:
            raise ReleaseRefused("nothing is held any more that fits")
        return reads

    def _seal(
        self, export: str, unspent: Unspent, named: Named, entry: JournalEntry, passphrase: str
    ) -> _Ready:
        path, spooled = self.folder / export, self.folder / f"{export}.spool"
        try:
            with spooled.open("w+b") as spool, path.open("wb") as out:
                sealer = Sealer(spool, export, passphrase, self.cost)
                reads = 0
                for read in naming.reads(named, self.rooms.volumes, self.rooms.holds):
                    _add(sealer, read)
                    reads += 1
                told = self._told(unspent, entry, reads)
                sealer.add("custody.html", custody.sheet({**told, **told["release"]}))
                receipts = custody.entries_of(self.rooms.journal, export)
                sealer.add("journal.json", _json([codec.encode(e) for e in receipts]))
                sealed = sealer.finish(out, told, self.rooms.keys, entry.at)
        except OSError as cause:
            with contextlib.suppress(OSError):
                files.unlink_all((path,))
            raise RecordError(
                "the bundle could not be written", next_step="A new release"
            ) from cause
        finally:
            spooled.unlink(missing_ok=True)
        return _Ready(entry.actor, path, sealed, self.now().mono + KEPT_S)

    def _told(self, unspent: Unspent, entry: JournalEntry, reads: int) -> dict[str, Any]:
        """The manifest's own content."""
        policy = self.rooms.permission.policy()
        return {
            "release": codec.encode(unspent.release),
            "release_id": unspent.id,
            "released_by": unspent.released_by,
            "carried_out_by": entry.actor,
            "reads": reads,
            "site": policy.site_name if policy else "",
            "policy_version": policy.version if policy else 0,
            "made_at": clock.iso(entry.at),
            "clock": entry.clock.value,
            "caveat": releases.CAVEAT,
            "handling": releases.HANDLING,
            "fingerprint": bundle.key_fingerprint(self.rooms.keys.public),
            "journal": {"seq": entry.seq, "hash": entry.hash},
        }


def _add(sealer: Sealer, read: HeldRead) -> None:
    passage = {"passage_id": read.passage_id, "passage": json.loads(read.passage)}
    sealer.add(f"passages/{read.passage_id}.json", _json(passage))
    sealer.add(f"pictures/{read.passage_id}.jpg", read.crop)


def _json(told: Any) -> bytes:
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def _flagged(read: HeldRead) -> bool:
    """The gate refused it as an exact match of a block entry."""
    decision = json.loads(read.passage).get("decision") or {}
    return decision.get("reason") == Reason.BLOCKED.value


def _named(unspent: Unspent) -> Named:
    reads = unspent.reads
    return Named(tuple(reads.get("passages") or ()), str(reads.get("hold") or ""))


def _addressee(unspent: Unspent) -> dict[str, str]:
    release = unspent.release
    return {
        "officer": release.officer,
        "agency": release.agency,
        "badge": release.badge,
        "instrument": release.instrument.value,
        "instrument_no": release.instrument_no,
    }
