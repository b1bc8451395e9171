"""What the other programs answered, as values. Missing or odd fields become calm defaults here, so
that a page never fails because another program is older, newer or half started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from appliance import clock, codec, ipc
from appliance.errors import IpcError
from appliance.values import Decision, Passage, Sighting


@dataclass(frozen=True, slots=True)
class Issue:
    """Something a program says is wrong, in plain words."""

    program: str
    key: str
    message: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate's state, without any plate."""

    position: str
    barrier_state: str
    driver: str
    fault: str
    held_until_mono: float | None
    camera: str
    records_ok: bool
    records_queued: int
    counts: Mapping[str, int]
    latency_ms: Mapping[str, float]
    policy_version: int
    started_mono: float | None
    at_gate_key: str
    """Changes when what stands at the gate changes; empty where nothing does. Tells no plate."""
    issues: tuple[Issue, ...]


@dataclass(frozen=True, slots=True)
class AtGate:
    """The car now at the gate; journaled by the gate before it was handed over."""

    sighting: Sighting | None
    decision: Decision | None
    crop: bytes


@dataclass(frozen=True, slots=True)
class Records:
    passages: int
    passages_total: int
    journal_seq: int
    oldest_read_at: datetime | None
    volumes: int
    disk_free_share: float | None
    started_mono: float | None
    issues: tuple[Issue, ...]


@dataclass(frozen=True, slots=True)
class Vision:
    state: str
    width: int
    height: int
    fps: float
    frame_age_s: float | None
    frames: int
    dropped: int
    reconnects: int
    source_kind: str
    looks: int
    ms_p50: float | None
    ms_p95: float | None
    runtime: str
    precision: str
    rss_mb: float | None
    started_mono: float | None
    issues: tuple[Issue, ...]


@dataclass(frozen=True, slots=True)
class Uplink:
    enabled: bool
    connected: bool
    waiting: int
    sent: int
    started_mono: float | None
    issues: tuple[Issue, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """One row of a look-up."""

    passage_id: str
    at: datetime
    lane: str
    plate: str
    verdict: str
    reason: str
    actor: str
    label: str
    direction: str
    agreeing: int
    score: float


@dataclass(frozen=True, slots=True)
class FoundPage:
    total: int
    rows: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers without plates."""

    by_hour: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """ISO hour (UTC) -> verdict -> how many."""

    def total(self, verdict: str | None = None) -> int:
        return sum(
            n for hour in self.by_hour.values() for v, n in hour.items()
            if verdict is None or v == verdict
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal as a page shows it."""

    seq: int
    at: datetime
    clock: str
    actor: str
    role: str
    organisation: str
    action: str
    purpose: str
    reason: str
    query: str
    rows: int


@dataclass(frozen=True, slots=True)
class Verified:
    entries: int
    whole: bool
    first_bad: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is left of a destroyed volume."""

    volume: str
    reads: int
    destroyed_at: datetime | None
    fingerprint: str


def gate(message: ipc.Message) -> Gate:
    h = message.header
    barrier, records = _table(h, "barrier"), _table(h, "records")
    return Gate(
        position=_text(barrier, "position") or "unknown",
        barrier_state=_text(barrier, "state"),
        driver=_text(barrier, "driver"),
        fault=_text(barrier, "fault"),
        held_until_mono=_number(barrier, "held_until_mono"),
        camera=_camera(h.get("camera")),
        records_ok=bool(records.get("ok", False)),
        records_queued=_count(records, "queued"),
        counts={k: int(v) for k, v in _table(h, "counts").items() if isinstance(v, int)},
        latency_ms={k: float(v) for k, v in _table(h, "latency_ms").items()
                    if isinstance(v, int | float)},
        policy_version=_count(h, "policy_version"),
        started_mono=_number(h, "started_mono"),
        at_gate_key=_at_gate_key(h.get("at_gate")),
        issues=issues("gate", h),
    )


def at_gate(message: ipc.Message) -> AtGate:
    """Raises IpcError where the car could not be understood."""
    held = message.header.get("at_gate")
    if not isinstance(held, Mapping):
        return AtGate(None, None, b"")
    sighting, decision = held.get("sighting"), held.get("decision")
    return AtGate(
        codec.decode(Sighting, sighting) if sighting else None,
        codec.decode(Decision, decision) if decision else None,
        message.blob,
    )


def records(message: ipc.Message) -> Records:
    h = message.header
    volumes = h.get("volumes", 0)
    return Records(
        passages=_count(h, "passages"),
        passages_total=_count(h, "passages_total"),
        journal_seq=_count(h, "journal_seq"),
        oldest_read_at=_time(h.get("oldest_read_at")),
        volumes=len(volumes) if isinstance(volumes, list) else _count(h, "volumes"),
        disk_free_share=_number(h, "disk_free_share"),
        started_mono=_number(h, "started_mono"),
        issues=issues("records", h),
    )


def vision(message: ipc.Message) -> Vision:
    h = message.header
    camera, reader = _table(h, "camera"), _table(h, "reader")
    return Vision(
        state=_text(camera, "state") or "starting",
        width=_count(camera, "width"), height=_count(camera, "height"),
        fps=_number(camera, "fps") or 0.0, frame_age_s=_number(camera, "frame_age_s"),
        frames=_count(camera, "frames"), dropped=_count(camera, "dropped"),
        reconnects=_count(camera, "reconnects"), source_kind=_text(camera, "source_kind"),
        looks=_count(reader, "looks"), ms_p50=_number(reader, "ms_p50"),
        ms_p95=_number(reader, "ms_p95"), runtime=_text(reader, "runtime"),
        precision=_text(reader, "precision"), rss_mb=_number(h, "rss_mb"),
        started_mono=_number(h, "started_mono"), issues=issues("vision", h),
    )


def uplink(message: ipc.Message) -> Uplink:
    h = message.header
    return Uplink(
        enabled=bool(h.get("enabled")), connected=bool(h.get("connected")),
        waiting=_count(h, "waiting"), sent=_count(h, "sent"),
        started_mono=_number(h, "started_mono"), issues=issues("uplink", h),
    )


def found(message: ipc.Message) -> FoundPage:
    rows = tuple(
        Found(
            passage_id=str(r.get("passage_id", "")), at=_time(r.get("at")) or clock.utc_now(),
            lane=_text(r, "lane"), plate=_text(r, "plate"), verdict=_text(r, "verdict"),
            reason=_text(r, "reason"), actor=_text(r, "actor"), label=_text(r, "label"),
            direction=_text(r, "direction"), agreeing=_count(r, "agreeing"),
            score=_number(r, "score") or 0.0,
        )
        for r in _list(message.header, "rows")
    )
    return FoundPage(_count(message.header, "total"), rows)


def passage(message: ipc.Message) -> Passage:
    """Raises IpcError where the record could not be understood."""
    told = message.header.get("passage")
    if not isinstance(told, Mapping):
        raise IpcError("a passage could not be understood")
    return codec.decode(Passage, told)


def counts(message: ipc.Message) -> Counts:
    by_hour: dict[str, dict[str, int]] = {}
    told = message.header.get("by_hour", {})
    if isinstance(told, Mapping):
        for hour, verdicts in told.items():
            if isinstance(verdicts, Mapping):
                by_hour[str(hour)] = {str(v): int(n) for v, n in verdicts.items()}
    else:
        for row in _list(message.header, "by_hour"):
            by_hour.setdefault(_text(row, "hour"), {})[_text(row, "verdict")] = _count(row, "n")
    return Counts(by_hour)


def journal(message: ipc.Message) -> tuple[Entry, ...]:
    return tuple(
        Entry(
            seq=_count(e, "seq"), at=_time(e.get("at")) or clock.utc_now(),
            clock=_text(e, "clock"), actor=_text(e, "actor"), role=_text(e, "role"),
            organisation=_text(e, "organisation"), action=_text(e, "action"),
            purpose=_text(e, "purpose"), reason=_text(e, "reason"), query=_text(e, "query"),
            rows=_count(e, "rows"),
        )
        for e in _list(message.header, "entries")
    )


def verified(message: ipc.Message) -> Verified:
    first_bad = message.header.get("first_bad")
    return Verified(
        _count(message.header, "entries"), bool(message.header.get("whole")),
        first_bad if isinstance(first_bad, int) else None, _text(message.header, "why"),
    )


def receipts(message: ipc.Message) -> tuple[Receipt, ...]:
    return tuple(
        Receipt(_text(r, "volume"), _count(r, "reads"), _time(r.get("destroyed_at")),
                _text(r, "fingerprint"))
        for r in _list(message.header, "receipts")
    )


def issues(program: str, header: Mapping[str, Any]) -> tuple[Issue, ...]:
    return tuple(
        Issue(program, _text(i, "key"), _text(i, "message"), _text(i, "next_step"))
        for i in _list(header, "issues")
    )


def _at_gate_key(held: object) -> str:
    return _text(held, "mark") if isinstance(held, Mapping) else ""


def _camera(told: object) -> str:
    if isinstance(told, Mapping):
        return _text(told, "state") or "unknown"
    return str(told) if told else "unknown"


def _table(header: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    told = header.get(name)
    return told if isinstance(told, Mapping) else {}


def _list(header: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    told = header.get(name)
    return [r for r in told if isinstance(r, Mapping)] if isinstance(told, list) else []


def _text(header: Mapping[str, Any], name: str) -> str:
    told = header.get(name)
    return "" if told is None else str(told)


def _count(header: Mapping[str, Any], name: str) -> int:
    told = header.get(name)
    return int(told) if isinstance(told, int | float) else 0


def _number(header: Mapping[str, Any], name: str) -> float | None:
    told = header.get(name)
    is_number = isinstance(told, int | float) and not isinstance(told, bool)
    return float(told) if is_number else None  # type: ignore[arg-type]


def _time(told: object) -> datetime | None:
    try:
        return clock.from_iso(str(told)) if told else None
    except ValueError:
        return None
