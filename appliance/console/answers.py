"""What records, vision and uplink answered, as values. Missing or odd fields become calm defaults,
so that a page never fails because another program is older, newer or half started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from appliance import clock, codec, ipc
from appliance.console.reading import (
    Issue,
    count,
    issues,
    moment,
    number,
    rows,
    table,
    text,
)
from appliance.errors import IpcError
from appliance.values import Passage


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


def records(message: ipc.Message) -> Records:
    h = message.header
    volumes = h.get("volumes", 0)
    return Records(
        passages=count(h, "passages"),
        passages_total=count(h, "passages_total"),
        journal_seq=count(h, "journal_seq"),
        oldest_read_at=moment(h.get("oldest_read_at")),
        volumes=len(volumes) if isinstance(volumes, list) else count(h, "volumes"),
        disk_free_share=number(h, "disk_free_share"),
        started_mono=number(h, "started_mono"),
        issues=issues("records", h),
    )


def vision(message: ipc.Message) -> Vision:
    h = message.header
    camera, reader = table(h, "camera"), table(h, "reader")
    return Vision(
        state=text(camera, "state") or "starting",
        width=count(camera, "width"), height=count(camera, "height"),
        fps=number(camera, "fps") or 0.0, frame_age_s=number(camera, "frame_age_s"),
        frames=count(camera, "frames"), dropped=count(camera, "dropped"),
        reconnects=count(camera, "reconnects"), source_kind=text(camera, "source_kind"),
        looks=count(reader, "looks"), ms_p50=number(reader, "ms_p50"),
        ms_p95=number(reader, "ms_p95"), runtime=text(reader, "runtime"),
        precision=text(reader, "precision"), rss_mb=number(h, "rss_mb"),
        started_mono=number(h, "started_mono"), issues=issues("vision", h),
    )


def uplink(message: ipc.Message) -> Uplink:
    h = message.header
    return Uplink(
        enabled=bool(h.get("enabled")), connected=bool(h.get("connected")),
        waiting=count(h, "waiting"), sent=count(h, "sent"),
        started_mono=number(h, "started_mono"), issues=issues("uplink", h),
    )


def found(message: ipc.Message) -> FoundPage:
    lines = tuple(
        Found(
            passage_id=str(r.get("passage_id", "")), at=moment(r.get("at")) or clock.utc_now(),
            lane=text(r, "lane"), plate=text(r, "plate"), verdict=text(r, "verdict"),
            reason=text(r, "reason"), actor=text(r, "actor"), label=text(r, "label"),
            direction=text(r, "direction"), agreeing=count(r, "agreeing"),
            score=number(r, "score") or 0.0,
        )
        for r in rows(message.header, "rows")
    )
    return FoundPage(count(message.header, "total"), lines)


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
        for row in rows(message.header, "by_hour"):
            by_hour.setdefault(text(row, "hour"), {})[text(row, "verdict")] = count(row, "n")
    return Counts(by_hour)


def journal(message: ipc.Message) -> tuple[Entry, ...]:
    return tuple(
        Entry(
            seq=count(e, "seq"), at=moment(e.get("at")) or clock.utc_now(),
            clock=text(e, "clock"), actor=text(e, "actor"), role=text(e, "role"),
            organisation=text(e, "organisation"), action=text(e, "action"),
            purpose=text(e, "purpose"), reason=text(e, "reason"), query=text(e, "query"),
            rows=count(e, "rows"),
        )
        for e in rows(message.header, "entries")
    )


def verified(message: ipc.Message) -> Verified:
    first_bad = message.header.get("first_bad")
    return Verified(
        count(message.header, "entries"), bool(message.header.get("whole")),
        first_bad if isinstance(first_bad, int) else None, text(message.header, "why"),
    )


def receipts(message: ipc.Message) -> tuple[Receipt, ...]:
    return tuple(
        Receipt(text(r, "volume"), count(r, "reads"), moment(r.get("destroyed_at")),
                text(r, "fingerprint"))
        for r in rows(message.header, "receipts")
    )
