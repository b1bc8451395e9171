"""A records room in a temporary box, with a clock the test turns, asked through its real socket.

room = Room(box); room.publish(); room.start()
room.keep(passage("a", "PSTN101")); room.find(plate="PSTN*")
room.times.passes(hours=73); room.records.sweep()
room.restart()
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

from appliance import codec, database, ipc, site
from appliance.config import Config
from appliance.records.program import Records
from appliance.records.proof import DATABASE, Proof, prove
from appliance.records.times import Moment
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

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
PURPOSES = ("access_control", "incident", "audit")
MANAGER = {
    "actor": "mara",
    "role": "manager",
    "organisation": "Pine Court",
    "purpose": "incident",
    "reason": "case 4711",
}
AUDITOR = {**MANAGER, "actor": "aud", "role": "auditor", "purpose": "audit"}
POLICY = {
    "site_name": "Pine Court",
    "site_zone": "America/Chicago",
    "purposes": PURPOSES,
    "kept_hours_matched": 14 * 24,
    "kept_hours_unmatched": 72,
}


class Times:
    """Both clocks, and what the wall clock is worth; each can be turned alone."""

    def __init__(self, at: datetime = NOON, mono: float = 1_000_000.0) -> None:
        self.at, self.mono, self.clock = at, mono, ClockQuality.SYNCED

    def __call__(self) -> Moment:
        return Moment(self.at, self.mono, self.clock)

    def passes(self, **span: float) -> None:
        step = timedelta(**span)
        self.at += step
        self.mono += step.total_seconds()


class Room:
    def __init__(self, config: Config) -> None:
        self.config = config
        self.times = Times()
        self.boot = "boot-1"
        self.records: Records

    def start(self) -> Room:
        self.records = Records(self.config, self.times, self.boot)
        self.records.start()
        return self

    def stop(self) -> None:
        self.records.stop()

    def restart(self, boot: str = "") -> None:
        self.stop()
        self.boot = boot or self.boot
        self.start()

    def publish(self, **changes: Any) -> int:
        with contextlib.closing(site.open_writer(self.config)) as connection:
            return site.publish(connection, {**POLICY, **changes}, "mara")

    def ask(self, verb: str, blob: bytes = b"", **fields: Any) -> ipc.Message:
        return ipc.call(self.config.socket("records"), verb, fields, blob=blob, timeout_s=10)

    def refusal(self, verb: str, blob: bytes = b"", **fields: Any) -> str:
        """The key of the refusal; fails where there is none."""
        try:
            self.ask(verb, blob, **fields)
        except ipc.Refused as refused:
            return str(refused.fields["refused_key"])
        raise AssertionError(f"{verb} was not refused")

    def keep(self, kept: Passage, crop: bytes = b"jpeg") -> str:
        answer = self.ask("keep", crop, passage=codec.encode(kept))
        return str(answer.header["passage_id"])

    def see(self, key: str, plate: str, **changes: Any) -> str:
        """Keeps a passage of just now."""
        return self.keep(passage(key, plate, self.times, **changes))

    def find(
        self, who: dict[str, str] | None = None, page: int = 1, per_page: int = 20, **query: Any
    ) -> dict[str, Any]:
        return self.ask(
            "find", **(who or MANAGER), query=query, page=page, per_page=per_page
        ).header

    def plates(self, **query: Any) -> list[str]:
        return [row["plate"] for row in self.find(per_page=100, **query)["rows"]]

    def status(self) -> dict[str, Any]:
        """Also where ``ok`` is false, which `ipc.call` would raise."""
        with contextlib.closing(ipc.connect(self.config.socket("records"))) as sock:
            ipc.send(sock, {"verb": "status"})
            answer = ipc.receive(sock)
        assert answer is not None
        return answer.header

    def issues(self) -> set[str]:
        return {issue["key"] for issue in self.status()["issues"]}

    def entries(self, **fields: Any) -> list[dict[str, Any]]:
        """The journal, newest first, read beside the room: asking would add an entry."""
        with contextlib.closing(self.journal_db()) as connection:
            rows = connection.execute("SELECT * FROM entries ORDER BY seq DESC").fetchall()
        found = [dict(zip(row.keys(), row, strict=True)) for row in rows]
        return [e for e in found if all(e[k] == v for k, v in fields.items())]

    def journal_db(self) -> database.Connection:
        """journal.db as somebody with its key would open it."""
        path = self.records.parts.journal.folder / DATABASE
        return database.open_encrypted(path, self.records.parts.keys.journal)

    def break_journal(self) -> None:
        """From now on every entry fails, as on a failing disk."""
        with contextlib.closing(self.journal_db()) as connection:
            connection.execute(
                "CREATE TRIGGER full BEFORE INSERT ON entries BEGIN SELECT RAISE(ABORT, 'x'); END"
            )

    def mend_journal(self) -> None:
        with contextlib.closing(self.journal_db()) as connection:
            connection.execute("DROP TRIGGER full")

    def prove(self) -> Proof:
        return prove(self.records.parts.journal.folder, self.records.parts.keys)


def sighting(track: str, plate: str, times: Times, revision: int = 1, **changes: Any) -> Sighting:
    fields: dict[str, Any] = {
        "track": track,
        "revision": revision,
        "lane": "main",
        "plate": plate,
        "raw_plate": plate,
        "score": 0.97,
        "char_scores": (0.97,) * len(plate),
        "agreeing": 3,
        "glimpses": 4,
        "first_mono": times.mono,
        "last_mono": times.mono,
        "direction": Direction.IN,
        "seen_at": times.at,
        "clock": times.clock,
    }
    return Sighting(**{**fields, **changes})


def decision(
    track: str,
    times: Times,
    verdict: Verdict = Verdict.ASK_GUARD,
    grant_id: int | None = None,
    **changes: Any,
) -> Decision:
    fields: dict[str, Any] = {
        "track": track,
        "revision": 1,
        "verdict": verdict,
        "reason": Reason.GRANTED if grant_id else Reason.NOT_LISTED,
        "grant_id": grant_id,
        "grant_plate": None,
        "grant_label": "Unit 7" if grant_id else "",
        "policy_version": 1,
        "decided_mono": times.mono,
        "decided_at": times.at,
        "clock": times.clock,
    }
    return Decision(**{**fields, **changes})


def outcome(order: str, times: Times, moved: Moved = Moved.YES, **changes: Any) -> Outcome:
    return Outcome(
        **{
            "order_id": order,
            "asked_mono": times.mono,
            "acked_mono": times.mono + 0.1,
            "moved": moved,
            **changes,
        }
    )


def passage(
    key: str, plate: str, times: Times, *, matched: bool = False, revision: int = 1, **changes: Any
) -> Passage:
    """A car just seen: let in by grant 7 where ``matched``, else left to the guard."""
    decided = decision(key, times, Verdict.OPEN, 7) if matched else decision(key, times)
    fields: dict[str, Any] = {
        "key": key,
        "lane": "main",
        "at": times.at,
        "sighting": sighting(key, plate, times, revision),
        "decision": decided,
        "outcome": outcome(f"o-{key}", times) if matched else None,
    }
    return Passage(**{**fields, **changes})
