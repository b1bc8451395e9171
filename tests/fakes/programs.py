"""Records, gate, vision and uplink as the console meets them: real sockets, invented answers.

    with Fakes(config) as fakes:
        fakes.records.keep(passage(plate="PSTN 101"))
        fakes.door.at_gate = passage(plate="PSTN101")
        fakes.records.stop()          # one thing broken at a time
        assert fakes.records.actions == ["sign_in", "look_up"]

Each fake is an ``ipc.Server`` on the socket of its program. ``journal`` holds what was written, in
order, with who and why; a refusal is a knob, not a mock.
"""

from __future__ import annotations

import fnmatch
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from appliance import clock, codec, ipc
from appliance.config import Config
from appliance.errors import OrderRefused, PurposeRefused, RecordError
from appliance.values import (
    ClockQuality,
    Decision,
    Direction,
    GlimpseNote,
    Moved,
    Outcome,
    Passage,
    Purpose,
    Reason,
    RuleTried,
    Sighting,
    Verdict,
)

NOON = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
"""12:00 at the fakes' site (America/Chicago)."""
CROP = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")
ALL_RULES = ("policy", "block", "near_block", "fresh", "direction", "glimpses", "score", "weakest",
             "listed", "lookalike", "lane", "clock", "begun", "not_ended", "hours", "records",
             "presence", "second_factor")

ABILITIES = {"position": True, "inputs": True, "timed_pulse": True, "longest_lease_s": 10.0,
             "authenticated": True, "tells_events": True, "warns": []}
CONTROLLER = {"name": "north gate", "serial": "e66058388345a12f", "firmware": "1.0.0", "boot": 12,
              "cause": "power", "settings": "9f3ac41e"}


def passage(
    plate: str = "PSTN101", *, verdict: Verdict = Verdict.OPEN, reason: Reason = Reason.GRANTED,
    at: datetime = NOON, listed: str | None = None, label: str = "Flat 12",
    scores: tuple[float, ...] = (), key: str = "", broke: str = "", lane: str = "main",
) -> Passage:
    """A whole passage: eighteen rules tried in order up to ``broke``."""
    given = scores or tuple(0.97 - 0.01 * (i % 4) for i in range(len(plate)))
    track = key or f"t-{plate.lower()}-{int(at.timestamp())}"
    names = ALL_RULES[: ALL_RULES.index(broke) + 1] if broke else ALL_RULES
    notes = {"policy": "version 1", "fresh": "0.08 s old", "direction": "in, lets through in",
             "glimpses": "5 agree, 3 needed", "score": "0.95, 0.80 needed",
             "weakest": f"{min(given):.2f}, 0.60 needed", "hours": "any hour"}
    rules = tuple(RuleTried(n, n != broke, notes.get(n, "")) for n in names)
    found = listed if listed is not None else (plate if verdict is Verdict.OPEN else None)
    sighting = Sighting(
        track=track, revision=4, lane=lane, plate=plate, raw_plate=plate, score=min(given),
        char_scores=given, agreeing=5, glimpses=7, first_mono=1000.0, last_mono=1002.4,
        direction=Direction.IN, seen_at=at, clock=ClockQuality.SYNCED, final=True,
        notes=tuple(
            GlimpseNote(100 + i, round(i * 0.2, 2), plate if i != 1 else plate[:-1] + "8",
                        round(0.74 + i * 0.03, 2), round(0.55 + i * 0.05, 2), 120.0 + 6 * i)
            for i in range(7)
        ),
    )
    decision = Decision(
        track=track, revision=2, verdict=verdict, reason=reason, grant_id=1 if found else None,
        grant_plate=found, grant_label=label if found else "", policy_version=1,
        decided_mono=1000.62, decided_at=at, clock=ClockQuality.SYNCED, rules=rules,
    )
    outcome = None
    if verdict is Verdict.OPEN:
        outcome = Outcome(f"o-{track}", 1000.621, 1000.644, Moved.YES)
    return Passage(track, lane, at, sighting, decision, outcome, actor="system")


def by_hand(actor: str = "ana.reyes", note: str = "Delivery, announced",
            at: datetime = NOON) -> Passage:
    """A manual opening: no sighting, no rules."""
    return Passage(f"o-{int(at.timestamp())}", "main", at, None, None,
                   Outcome(f"o-{int(at.timestamp())}", 2000.0, 2000.02, Moved.YES), actor,
                   "access_control", note)


@dataclass
class FakeProgram:
    """A socket with handlers; ``stop`` and ``start`` make the program die and come back."""

    config: Config
    name: str = ""
    issues: list[dict[str, Any]] = field(default_factory=list)
    _server: ipc.Server | None = None

    def start(self) -> None:
        self._server = ipc.Server(self.config.socket(self.name), self.handlers())
        self._server.start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None
        self.config.socket(self.name).unlink(missing_ok=True)

    def handlers(self) -> dict[str, ipc.Handler]:
        raise NotImplementedError

    def base(self) -> dict[str, Any]:
        return {"pid": 1, "started_mono": clock.mono() - 7200, "issues": self.issues}


@dataclass
class FakeRecords(FakeProgram):
    """Keeps passages and a journal in memory; journals before it answers, like the real one."""

    name: str = "records"
    passages: dict[str, Passage] = field(default_factory=dict)
    crops: dict[str, bytes] = field(default_factory=dict)
    journal: list[dict[str, Any]] = field(default_factory=list)
    published: frozenset[str] = frozenset(p.value for p in Purpose)
    whole: bool = True
    receipts: list[dict[str, Any]] = field(default_factory=list)

    def keep(self, kept: Passage, crop: bytes = CROP) -> str:
        passage_id = f"p{len(self.passages) + 1}"
        self.passages[passage_id] = kept
        self.crops[passage_id] = crop if kept.sighting else b""
        return passage_id

    @property
    def actions(self) -> list[str]:
        return [e["action"] for e in self.journal]

    def handlers(self) -> dict[str, ipc.Handler]:
        return {
            "status": self._status, "journal": self._journal, "find": self._find,
            "open_passage": self._open, "counts": self._counts,
            "journal_page": self._journal_page, "verify": self._verify,
            "receipts": self._receipts,
        }

    def write(self, header: dict[str, Any], action: str, query: Any = None, rows: int = 0) -> int:
        seq = len(self.journal) + 1
        self.journal.append({
            "seq": seq, "at": clock.iso(clock.utc_now()), "clock": "synced",
            "actor": header.get("actor", ""), "role": header.get("role", ""),
            "organisation": header.get("organisation", ""), "action": action,
            "purpose": header.get("purpose", ""), "reason": header.get("reason", ""),
            "query": codec_json(query), "rows": rows, "prev_hash": "", "hash": "",
        })
        return seq

    def _check(self, message: ipc.Message) -> None:
        if message.header.get("purpose") not in self.published:
            raise PurposeRefused("the purpose is not in the published policy")

    def _status(self, message: ipc.Message) -> ipc.Message:
        return ipc.ok({**self.base(), "passages": len(self.passages),
                       "passages_total": len(self.passages), "journal_seq": len(self.journal),
                       "oldest_read_at": clock.iso(NOON - timedelta(days=6)), "volumes": 7,
                       "disk_free_share": 0.71, "policy_version": 1})

    def _journal(self, message: ipc.Message) -> ipc.Message:
        h = message.header
        return ipc.ok({"seq": self.write(h, h["action"], h.get("query"), h.get("rows", 0))})

    def _find(self, message: ipc.Message) -> ipc.Message:
        self._check(message)
        query, page = message.header["query"], message.header["page"]
        found = [(i, p) for i, p in self.passages.items() if _fits(p, query)]
        found.sort(key=lambda pair: pair[1].at, reverse=True)
        self.write(message.header, "look_up", query, len(found))
        per_page = message.header["per_page"]
        rows = [_row(i, p) for i, p in found[(page - 1) * per_page : page * per_page]]
        return ipc.ok({"total": len(found), "rows": rows})

    def _open(self, message: ipc.Message) -> ipc.Message:
        self._check(message)
        passage_id = message.header["passage_id"]
        if passage_id not in self.passages:
            raise RecordError("there is no such passage", next_step="It may have passed its limit")
        self.write(message.header, "view_passage", {"passage_id": passage_id}, 1)
        return ipc.ok({"passage": codec.encode(self.passages[passage_id])}, self.crops[passage_id])

    def _counts(self, message: ipc.Message) -> ipc.Message:
        by_hour: dict[str, dict[str, int]] = {}
        for p in self.passages.values():
            hour = clock.iso(p.at.replace(minute=0, second=0, microsecond=0))
            verdict = p.decision.verdict.value if p.decision else "open"
            if message.header["from_at"] <= clock.iso(p.at) <= message.header["to_at"]:
                held = by_hour.setdefault(hour, {})
                held[verdict] = held.get(verdict, 0) + 1
        return ipc.ok({"by_hour": by_hour})

    def _journal_page(self, message: ipc.Message) -> ipc.Message:
        h = message.header
        self.write(h, "journal_viewed")
        before = h.get("before_seq") or len(self.journal) + 1
        kept = [
            e for e in reversed(self.journal)
            if e["seq"] < before and (not h.get("action") or e["action"] == h["action"])
            and (not h.get("actor_filter") or e["actor"] == h["actor_filter"])
        ]
        return ipc.ok({"entries": kept[: h["limit"]]})

    def _verify(self, message: ipc.Message) -> ipc.Message:
        self.write(message.header, "verified")
        return ipc.ok({"entries": len(self.journal), "whole": self.whole,
                       "first_bad": None if self.whole else 3,
                       "why": "" if self.whole else "its hash does not fit"})

    def _receipts(self, message: ipc.Message) -> ipc.Message:
        return ipc.ok({"receipts": self.receipts})


@dataclass
class FakeDoor(FakeProgram):
    """The gate's door: a position, a car or none, and the orders it was given."""

    name: str = "door"
    at_gate: Passage | None = None
    crop: bytes = CROP
    position: str = "closed"
    fault: str = ""
    camera: str = "live"
    records_ok: bool = True
    policy_version: int = 1
    held_until_mono: float | None = None
    moved: str = "yes"
    refuse: str = ""
    records: FakeRecords | None = None
    barrier: dict[str, Any] = field(default_factory=dict)
    """Laid over what ``status`` tells of the barrier: a state, an input, faults, a controller."""
    waits: dict[str, Any] = field(default_factory=dict)
    """``waits_for``, ``waits_left_s``, ``waits_grant_id`` of the car at the gate."""
    events: list[dict[str, Any]] = field(default_factory=list)
    traffic: dict[str, Any] | None = None
    right_code: str = "4711"
    after_code: dict[str, Any] = field(default_factory=dict)
    """Laid over the answer to a second factor."""
    orders: list[dict[str, Any]] = field(default_factory=list)
    reloads: int = 0

    def handlers(self) -> dict[str, ipc.Handler]:
        return {"status": self._status, "at_gate": self._at_gate, "open_once": self._order,
                "hold_open": self._order, "release": self._order,
                "second_factor": self._second_factor, "confirm": self._confirm,
                "policy_changed": self._policy_changed}

    def _status(self, message: ipc.Message) -> ipc.Message:
        return ipc.ok(self._told())

    def _told(self) -> dict[str, Any]:
        told = self.at_gate
        car = None
        if told and told.sighting and told.decision:
            car = {"mark": f"{told.key}.{told.sighting.revision}.{told.decision.reason.value}",
                   "verdict": told.decision.verdict.value, "reason": told.decision.reason.value,
                   "direction": told.sighting.direction.value, "waits_for": None, **self.waits}
        elif self.waits:
            car = {"mark": "waits", "verdict": "ask_guard", "reason": "needs_resident",
                   "direction": "in", **self.waits}
        return {
            **self.base(), "verdict_now": "", "at_gate": car,
            "barrier": {
                "driver": "pico", "capabilities": ABILITIES, "controller": CONTROLLER,
                "state": "ready", "position": self.position, "fault": self.fault,
                "faults": [self.fault] if self.fault else [], "contact": False,
                "held_until_mono": self.held_until_mono, "entry_loop": False,
                "safety_loop": False, "photocell": False, "exit_request": False, "fire": False,
                "stop": False, "tamper": False, **self.barrier},
            "events": self.events, "traffic": self.traffic,
            "policy_version": self.policy_version, "camera": self.camera,
            "records": {"ok": self.records_ok, "queued": 0},
            "counts": {"sightings": 412, "opened": 96, "asked": 7, "refused": 3, "dropped": 0},
            "latency_ms": {"decide_p50": 0.21, "decide_p99": 0.62, "order_p50": 19.0,
                           "order_p95": 31.0},
        }

    def _at_gate(self, message: ipc.Message) -> ipc.Message:
        if self.records is not None:
            if self.records._server is None:
                raise RecordError("the look could not be journaled")
            self.records.write(message.header, "view_at_gate", None, 1)
        if self.at_gate is None:
            return ipc.ok({"at_gate": None})
        car = {"sighting": codec.encode(self.at_gate.sighting),
               "decision": codec.encode(self.at_gate.decision)}
        return ipc.ok({"at_gate": car}, self.crop)

    def _order(self, message: ipc.Message) -> ipc.Message:
        if self.refuse:
            raise RecordError(self.refuse, next_step="Wait three seconds")
        self.orders.append(message.header)
        if message.verb == "hold_open":
            self.held_until_mono = clock.mono() + message.header["lease_s"]
            return ipc.ok({"held_until_mono": self.held_until_mono})
        if message.verb == "release":
            self.held_until_mono = None
            return ipc.ok()
        return ipc.ok({"order_id": "o-1", "outcome": {
            "order_id": "o-1", "asked_mono": 1.0, "acked_mono": 1.02, "moved": self.moved,
            "fault": self.fault}})

    def _second_factor(self, message: ipc.Message) -> ipc.Message:
        if message.header.get("code") != self.right_code:
            raise OrderRefused("this is not the code", next_step="Ask the driver again")
        return self._let_in(message)

    def _confirm(self, message: ipc.Message) -> ipc.Message:
        if message.header.get("grant_id") != self.waits.get("waits_grant_id"):
            raise OrderRefused("no car with this entry waits", next_step="Look again")
        return self._let_in(message)

    def _let_in(self, message: ipc.Message) -> ipc.Message:
        self.orders.append(message.header)
        self.waits = {}
        return ipc.ok({"verdict": "open", "reason": "granted", "outcome": {
            "order_id": "o-2", "asked_mono": 1.0, "acked_mono": 1.02, "moved": self.moved,
            "fault": self.fault}, **self.after_code})

    def _policy_changed(self, message: ipc.Message) -> ipc.Message:
        self.reloads += 1
        return ipc.ok({"policy_version": self.policy_version})


@dataclass
class FakeView(FakeProgram):
    """Vision's picture and its state."""

    name: str = "view"
    state: str = "live"
    picture: bytes = CROP

    def handlers(self) -> dict[str, ipc.Handler]:
        return {"status": self._status, "picture": self._picture}

    def _status(self, message: ipc.Message) -> ipc.Message:
        return ipc.ok({
            **self.base(),
            "camera": {"state": self.state, "since_mono": 1.0, "source_kind": "rtsp",
                       "width": 1280, "height": 720, "fps": 9.8, "frame_age_s": 0.06,
                       "frames": 70560, "dropped": 12, "reconnects": 0},
            "reader": {"looks": 2890, "ms_p50": 38.0, "ms_p95": 61.0, "precision": "int8",
                       "runtime": "litert", "models": {}},
            "tracks": 1, "rss_mb": 174.0,
        })

    def _picture(self, message: ipc.Message) -> ipc.Message:
        return ipc.ok({"taken_at": clock.iso(clock.utc_now()), "age_s": 0.06,
                       "state": self.state}, self.picture)


@dataclass
class FakeUplink(FakeProgram):
    name: str = "uplink"

    def handlers(self) -> dict[str, ipc.Handler]:
        return {"status": lambda _: ipc.ok({**self.base(), "enabled": False, "connected": False,
                                            "cursor": 0, "waiting": 0, "sent": 0})}


@dataclass
class FakeYard(FakeProgram):
    """A simulated yard; not among the four, since a real barrier has none. Start it by hand."""

    name: str = "yard"
    raised: float = 0.0
    inputs: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(
        ("entry_loop", "safety_loop", "photocell", "exit_request", "hand_button", "fire", "stop",
         "tamper"), False))
    faults: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(
        ("stuck", "slow", "silent", "bounce", "power_lost", "obstructed"), False))
    by_hand_left_s: float = 0.0

    def handlers(self) -> dict[str, ipc.Handler]:
        return {"status": lambda _: ipc.ok(self._told()), "set": self._set}

    def _told(self) -> dict[str, Any]:
        return {"simulated": "arm", "arm": {"raised": self.raised, "motion": "resting",
                                            "openings": 3, "contact": False},
                "inputs": self.inputs, "faults": self.faults,
                "by_hand_left_s": self.by_hand_left_s}

    def _set(self, message: ipc.Message) -> ipc.Message:
        for kind, held in (("inputs", self.inputs), ("faults", self.faults)):
            for name, value in message.header.get(kind, {}).items():
                if name not in held:
                    raise OrderRefused(f"there is no {name}")
                held[name] = value
        self.by_hand_left_s = 60.0
        return ipc.ok(self._told())


class Fakes:
    """All four, started together and stopped together."""

    def __init__(self, config: Config) -> None:
        self.records = FakeRecords(config)
        self.door = FakeDoor(config, records=self.records)
        self.view = FakeView(config)
        self.uplink = FakeUplink(config)
        self.yard = FakeYard(config)

    def __enter__(self) -> Fakes:
        for program in self.all():
            program.start()
        return self

    def __exit__(self, *_: object) -> None:
        for program in (*self.all(), self.yard):
            program.stop()

    def all(self) -> tuple[FakeProgram, ...]:
        return (self.records, self.door, self.view, self.uplink)


def codec_json(query: Any) -> str:
    return json.dumps(query or {}, sort_keys=True)


def with_reason(kept: Passage, reason: Reason) -> Passage:
    """The same passage under another reason."""
    assert kept.decision is not None
    return replace(kept, decision=replace(kept.decision, reason=reason))


def _fits(kept: Passage, query: dict[str, str]) -> bool:
    plate = kept.sighting.plate if kept.sighting else ""
    at = clock.iso(kept.at)
    decision = kept.decision
    return (
        fnmatch.fnmatchcase(plate, query.get("plate", "*"))
        and query.get("from_at", "") <= at <= query.get("to_at", "9999")
        and query.get("lane", kept.lane) == kept.lane
        and (not query.get("verdict")
             or (decision is not None and decision.verdict.value == query["verdict"]))
        and (not query.get("reason_code")
             or (decision is not None and decision.reason.value == query["reason_code"]))
    )


def _row(passage_id: str, kept: Passage) -> dict[str, Any]:
    s, d = kept.sighting, kept.decision
    return {
        "passage_id": passage_id, "at": clock.iso(kept.at), "lane": kept.lane,
        "plate": s.plate if s else "", "verdict": d.verdict.value if d else "open",
        "reason": d.reason.value if d else "manual", "actor": kept.actor,
        "label": d.grant_label if d else "", "direction": s.direction.value if s else "",
        "agreeing": s.agreeing if s else 0, "score": s.score if s else 0.0,
    }
