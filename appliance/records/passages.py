"""A passage as a row, and how a newer message about the same car replaces the older.

The rules of `merged`, each a sentence
1. The read with the higher revision stays; its picture too, unless it came without one.
2. A decision stays with the read it was made for, but a decision that moved the arm is never
   replaced by one that did not.
3. What the barrier answered is never forgotten: an acknowledgement, a movement or a fault once
   known stays until something else is known.
4. The moment of the passage, and who opened, stay as first told.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from appliance import codec
from appliance.records.classes import class_of
from appliance.records.times import Moment, to_ms
from appliance.values import (
    ClockQuality,
    Decision,
    Direction,
    Moved,
    Outcome,
    Passage,
    Reason,
    Sighting,
    Verdict,
)

COLUMNS = (
    "key",
    "at_ms",
    "counts_from_ms",
    "clock",
    "settled",
    "boot",
    "seen_mono",
    "class",
    "plate",
    "lane",
    "verdict",
    "reason",
    "direction",
    "label",
    "actor",
    "agreeing",
    "score",
    "revision",
)
_BORN = ("key", "at_ms", "counts_from_ms", "clock", "settled", "boot", "seen_mono")
"""What is written once: when the car came, by which clock."""
CHANGING = tuple(c for c in COLUMNS if c not in _BORN)
BODY = ("passage", "crop")
"""The whole record and its picture: a table of their own."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A passage with its picture."""

    passage: Passage
    crop: bytes


def merged(old: Kept, new: Kept) -> Kept:
    """What is known after both messages."""
    newer_read = _revision(new.passage) >= _revision(old.passage)
    first, last = (old, new) if newer_read else (new, old)
    passage = replace(
        new.passage,
        at=old.passage.at,
        sighting=last.passage.sighting or first.passage.sighting,
        decision=_decision(first.passage, last.passage),
        outcome=_outcome(old.passage.outcome, new.passage.outcome),
        actor=old.passage.actor or new.passage.actor,
        note=new.passage.note or old.passage.note,
    )
    return Kept(passage, last.crop or first.crop)


def row(kept: Kept, boot: str, now: Moment) -> dict[str, Any]:
    """The columns of a passage first kept ``now``, those of its body among them."""
    passage, sighting, decision = kept.passage, kept.passage.sighting, kept.passage.decision
    verdict, reason = _verdict(passage)
    worth = _clock(passage, now)
    return {
        "key": passage.key,
        "at_ms": to_ms(passage.at),
        "counts_from_ms": to_ms(passage.at),
        "clock": worth.value,
        "settled": int(worth is ClockQuality.SYNCED),
        "boot": boot,
        "seen_mono": min(_seen_mono(passage, now), now.mono),
        "class": class_of(passage).value,
        "plate": sighting.plate if sighting else "",
        "lane": passage.lane,
        "verdict": verdict,
        "reason": reason,
        "direction": (sighting.direction if sighting else Direction.UNKNOWN).value,
        "label": decision.grant_label if decision else "",
        "actor": passage.actor,
        "agreeing": sighting.agreeing if sighting else 0,
        "score": sighting.score if sighting else 0.0,
        "revision": _revision(passage),
        "passage": json.dumps(codec.encode(passage), separators=(",", ":"), ensure_ascii=False),
        "crop": kept.crop,
    }


def from_row(stored: Any) -> Kept:
    return Kept(codec.decode(Passage, json.loads(stored["passage"])), bytes(stored["crop"]))


def _revision(passage: Passage) -> int:
    """-1 for a message without a read, so that it never displaces one."""
    return passage.sighting.revision if passage.sighting else -1


def _decision(first: Passage, last: Passage) -> Decision | None:
    if last.decision is None:
        return first.decision
    acted = (
        first.decision is not None
        and first.decision.verdict is Verdict.OPEN
        and (first.outcome is not None)
    )
    return first.decision if acted and last.decision.verdict is not Verdict.OPEN else last.decision


def _outcome(old: Outcome | None, new: Outcome | None) -> Outcome | None:
    if old is None or new is None or old.order_id != new.order_id:
        return new or old
    return replace(
        new,
        acked_mono=old.acked_mono if new.acked_mono is None else new.acked_mono,
        moved=old.moved if new.moved is Moved.UNKNOWN else new.moved,
        fault=new.fault or old.fault,
    )


def _verdict(passage: Passage) -> tuple[str, str]:
    """A passage without a decision is a person's own opening, or a car nobody decided about."""
    if passage.decision is not None:
        return passage.decision.verdict.value, passage.decision.reason.value
    if passage.outcome is not None:
        return Verdict.OPEN.value, Reason.MANUAL.value
    return "", ""


def _clock(passage: Passage, now: Moment) -> ClockQuality:
    """What the clock was worth that the passage's time came from."""
    made_by: Sighting | Decision | None = passage.sighting or passage.decision
    return made_by.clock if made_by else now.clock


def _seen_mono(passage: Passage, now: Moment) -> float:
    if passage.sighting is not None:
        return passage.sighting.first_mono
    if passage.decision is not None:
        return passage.decision.decided_mono
    return passage.outcome.asked_mono if passage.outcome is not None else now.mono
