"""Holds: what outlives a volume, for how long, on whose word."""

from __future__ import annotations

import contextlib
import json
from datetime import timedelta
from typing import Any

import pytest

from appliance import clock, database
from appliance.records import holds as store
from appliance.records import rotation
from appliance.records.access import Who
from appliance.records.destruction import receipt_holds
from appliance.records.keys import VolumeKeys
from appliance.records.succession import USERS, standing_still
from tests.records.room import MANAGER, Room

CUSTODIAN = {**MANAGER, "actor": "cleo", "role": "custodian"}
AUDITOR = {**MANAGER, "actor": "aud", "role": "auditor", "purpose": "audit"}
PAPER: dict[str, Any] = {
    "kind": "preservation",
    "requester": "R. Example",
    "office": "Example County Attorney",
    "contact": "desk 4",
    "instrument": "written request",
    "instrument_no": "W-1",
    "legal_basis": "pending order",
    "days": 14,
    "received_at": "2026-11-21T09:00:00Z",
    "sworn": True,
    "copy_sha256": "ab" * 32,
}


def place(room: Room, who: dict[str, str] = MANAGER, **named: Any) -> str:
    fields = {**PAPER, **(named or {"plate": "PSTN101"})}
    return str(room.ask("hold_place", **who, **fields).header["hold"])


def approved(room: Room, **named: Any) -> str:
    hold = place(room, **named)
    room.ask("hold_approve", **CUSTODIAN, hold=hold)
    return hold


def folder(room: Room):
    return room.config.device.state_dir / "records" / "evidence"


def files(room: Room) -> list[str]:
    found = [*folder(room).glob("hold-*"), *(folder(room) / "keys").glob("hold-*")]
    return [path.name for path in found]


def test_a_hold_outlives_the_volume_its_reads_came_from(room: Room):
    room.publish(kept_hours_matched=24, kept_hours_unmatched=24)
    room.see("a", "PSTN101")
    hold = approved(room)
    room.times.passes(days=5)
    room.records.sweep()
    assert room.plates() == []
    (kept,) = room.records.holds.files.reads(hold)
    assert json.loads(kept.passage)["sighting"]["plate"] == "PSTN101"
    assert kept.crop == b"jpeg"


def test_a_hold_ends_with_its_key_its_file_and_a_signed_receipt(room: Room):
    room.see("a", "PSTN101")
    hold = approved(room)
    room.times.passes(days=14, seconds=-1)
    room.records.sweep()
    assert files(room)
    room.times.passes(seconds=2)
    room.records.sweep()
    assert files(room) == []
    receipts = room.ask("receipts", **MANAGER).header
    (receipt,) = [r for r in receipts["receipts"] if r["volume"] == hold]
    assert receipt["reads"] == 1
    assert receipt_holds(receipt, bytes.fromhex(receipts["public_key"]))
    (entry,) = room.entries(action="hold_ended")
    assert (entry["actor"], json.loads(entry["query"])["outcome"]) == ("system", "expired")
    assert room.refusal("hold_approve", **CUSTODIAN, hold=hold) == "hold_gone"


def test_nothing_of_a_held_read_lies_on_the_disk_in_the_clear(room: Room):
    room.see("a", "PSTN101")
    place(room)
    for path in folder(room).rglob("*"):
        if path.is_file():
            assert b"PSTN101" not in path.read_bytes()
            assert b"jpeg" not in path.read_bytes()
            assert path.stat().st_mode & 0o077 == 0


def test_a_hold_nobody_approved_lapses_after_three_days(room: Room):
    room.see("a", "PSTN101")
    place(room)
    room.times.passes(hours=71)
    room.records.sweep()
    assert files(room)
    room.times.passes(hours=1)
    room.records.sweep()
    assert files(room) == []
    (entry,) = room.entries(action="hold_ended")
    assert json.loads(entry["query"])["outcome"] == "never approved"


def test_the_person_who_placed_it_cannot_approve_it(room: Room):
    room.see("a", "PSTN101")
    hold = place(room)
    assert room.refusal("hold_approve", **MANAGER, hold=hold) == "hold_refused"
    (entry,) = room.entries(action="hold_approved")
    assert json.loads(entry["query"])["refused"] == "hold_refused"
    room.ask("hold_approve", **CUSTODIAN, hold=hold)
    assert room.refusal("hold_approve", **CUSTODIAN, hold=hold) == "hold_refused"
    (row,) = room.ask("holds", **MANAGER).header["holds"]
    assert (row["placed_by"], row["approved_by"]) == ("mara", "cleo")


def test_the_journal_says_all_of_a_hold_before_it_is_answered(room: Room):
    room.see("a", "PSTN101")
    hold = place(room)
    (entry,) = room.entries(action="hold_placed")
    told = json.loads(entry["query"])
    assert entry["rows"] == 1
    assert told["hold"] == hold
    assert told["named_by"] == {"plate": "PSTN101", "passages": 1}
    for field in ("requester", "office", "legal_basis", "copy_sha256", "expires_at"):
        assert told[field]


def test_without_a_journal_nothing_is_held(room: Room):
    room.see("a", "PSTN101")
    room.break_journal()
    assert room.refusal("hold_place", **MANAGER, **PAPER, plate="PSTN101") == "record"
    assert files(room) == []
    room.mend_journal()


def test_a_hold_a_crash_left_without_its_entry_is_destroyed_at_start(room: Room, monkeypatch):
    room.see("a", "PSTN101")
    kept = place(room)
    with monkeypatch.context() as patched:  # killed right before the entry
        patched.setattr(room.records.parts.journal, "append", _killed)
        patched.setattr(store.Holds, "_destroy", lambda *_: None)
        assert room.refusal("hold_place", **MANAGER, **PAPER, plate="PSTN101") == "internal"
    assert len(files(room)) == 4
    room.restart()
    assert sorted(files(room)) == sorted([f"{kept}.db", f"{kept}.key"])


def test_a_hold_the_journal_once_knew_stays_when_the_journal_is_lost(room: Room, monkeypatch):
    room.see("a", "PSTN101")
    hold = place(room)
    monkeypatch.setattr(store.Holds, "_journaled", lambda *_: {})
    room.restart()
    assert {f"{hold}.db", f"{hold}.key"} <= set(files(room))


def test_a_key_whose_file_was_never_made_is_destroyed_at_start(room: Room):
    room.records.holds.files.folder.keys.make("hold-2026-11-21-abcdef")
    room.restart()
    assert files(room) == []


def _killed(*_: Any) -> None:
    raise KeyError("killed")


def test_an_order_follows_a_preservation_with_the_same_reads(room: Room):
    room.see("a", "PSTN101")
    first = approved(room)
    room.times.passes(days=13)
    room.records.sweep()
    second = approved(room, hold=first, kind="order", days=100, instrument="court order")
    room.times.passes(days=50)
    room.records.sweep()
    assert [h.id for h in room.records.holds.open_holds()] == [second]
    assert len(list(room.records.holds.files.reads(second))) == 1


def test_in_iowa_each_read_goes_before_its_thirtieth_day_whatever_the_order_says(room: Room):
    room.publish(jurisdiction="us-ia")
    room.see("a", "PSTN101")
    room.times.passes(days=2)
    room.see("b", "PSTN101")
    hold = approved(room, plate="PSTN101", kind="order", days=365)
    (row,) = room.ask("holds", **MANAGER).header["holds"]
    assert row["ends_at"] == clock.iso(room.times.at + timedelta(days=30, hours=-1))
    room.times.passes(days=27, hours=22)
    room.records.sweep()
    assert len(list(room.records.holds.files.reads(hold))) == 2
    room.times.passes(hours=2)
    room.records.sweep()
    assert len(list(room.records.holds.files.reads(hold))) == 1
    room.times.passes(days=2)
    room.records.sweep()
    assert files(room) == []


def test_the_sites_own_state_rules_and_no_other_can_be_claimed(room: Room):
    room.publish(jurisdiction="us-ia")
    room.see("a", "PSTN101")
    told = {**PAPER, "plate": "PSTN101", "jurisdiction": "us-ut"}
    assert room.refusal("hold_place", **MANAGER, **told) == "hold_refused"


def test_a_read_that_claims_the_future_counts_from_its_hold(room: Room):
    room.publish(jurisdiction="us-ia")
    room.times.at += timedelta(days=400)
    room.see("a", "PSTN101")
    room.times.at -= timedelta(days=400)
    approved(room, plate="PSTN101", kind="order", days=365)
    room.times.passes(days=30)
    room.records.sweep()
    assert files(room) == []


def test_ended_by_hand_with_an_outcome_it_is_destroyed_at_once(room: Room):
    room.see("a", "PSTN101")
    hold = approved(room)
    assert room.refusal("hold_end", **MANAGER, hold=hold, outcome="") == "hold_refused"
    room.ask("hold_end", **MANAGER, hold=hold, outcome="order withdrawn")
    assert files(room) == []
    told = room.ask("holds", **AUDITOR).header
    assert told["holds"] == []
    assert (told["ended"][0]["hold"], told["ended"][0]["by"]) == (hold, "mara")


def test_the_list_of_holds_names_no_plate(room: Room):
    room.see("a", "PSTN101")
    place(room)
    for who in (MANAGER, AUDITOR, CUSTODIAN):
        assert "PSTN101" not in json.dumps(room.ask("holds", **who).header)
    assert room.refusal("holds", **{**MANAGER, "role": "guard"}) == "role_refused"
    assert room.entries(action="journal_viewed")[0]["rows"] == 0  # the refused one


@pytest.mark.parametrize("role", ["guard", "auditor", "installer", "system", ""])
def test_holds_are_placed_by_managers_and_custodians_alone(room: Room, role):
    room.see("a", "PSTN101")
    who = {**MANAGER, "role": role}
    for verb in ("hold_place", "hold_approve", "hold_end"):
        assert room.refusal(verb, **who, **PAPER, plate="PSTN101") == "role_refused"
    assert files(room) == []


def test_holds_need_a_published_purpose_and_a_reason(room: Room):
    told = {**PAPER, "plate": "PSTN101"}
    assert room.refusal("hold_place", **{**MANAGER, "purpose": "fun"}, **told) == "purpose_refused"
    assert room.refusal("hold_place", **{**MANAGER, "reason": "x"}, **told) == "reason_refused"


@pytest.mark.parametrize(
    ("named", "key"),
    [
        ({}, "named_wrong"),
        ({"plate": "PSTN101", "hold": "hold-1"}, "named_wrong"),
        ({"plate": "PSTN*"}, "named_wrong"),
        ({"lane": "main"}, "named_wrong"),
        ({"lane": "main", "from_at": "2026-11-21T00:00:00Z"}, "named_wrong"),
        ({"passages": "2026-11-21.1"}, "named_wrong"),
        ({"hold": 7}, "named_wrong"),
        ({"passages": [7]}, "named_wrong"),
        ({"passages": ["x" * 41]}, "named_wrong"),
        ({"passages": [f"2026-11-21.{n}" for n in range(1001)]}, "named_wrong"),
        (
            {"passages": ["2026-11-21.99", "nonsense", "2020-01-01.1", "2026-11-21.x"]},
            "hold_refused",
        ),
        ({"plate": "PSTN999"}, "hold_refused"),
        ({"hold": "hold-none"}, "hold_gone"),
        ({"plate": "PSTN101", "days": 15}, "hold_refused"),
        ({"plate": "PSTN101", "kind": "whim"}, "hold_refused"),
        ({"plate": "PSTN101", "days": "ten"}, "hold_refused"),
    ],
)
def test_a_hold_that_names_nothing_right_is_refused_and_journaled(room: Room, named, key):
    room.see("a", "PSTN101")
    assert room.refusal("hold_place", **MANAGER, **{**PAPER, **named}) == key
    assert json.loads(room.entries(action="hold_placed")[0]["query"]) == {"refused": key}
    assert files(room) == []


def test_reads_are_named_by_number_or_by_gate_and_period_too(room: Room):
    one, _ = room.see("a", "PSTN101"), room.see("b", "PSTN102", lane="rear")
    assert room.ask("hold_place", **MANAGER, **PAPER, passages=[one, one]).header["reads"] == 1
    period = {"from_at": "2026-11-21T00:00:00Z", "to_at": "2026-11-22T00:00:00Z", "lane": "rear"}
    assert room.ask("hold_place", **MANAGER, **PAPER, **period).header["reads"] == 1
    rows = room.ask("holds", **MANAGER).header["holds"]
    assert [row["reads"] for row in rows] == [1, 1]


def test_a_damaged_hold_is_told_and_still_ends_when_the_journal_says_so(room: Room):
    room.see("a", "PSTN101")
    hold = approved(room)
    other = approved(room)
    path = folder(room) / f"{hold}.db"
    path.write_bytes(bytes(path.stat().st_size))
    assert [row["id"] for row in room.ask("holds", **MANAGER).header["holds"]] == [other]
    assert "hold_unreadable" in room.issues()
    assert room.refusal("hold_approve", **CUSTODIAN, hold=hold) == "record"
    room.records.sweep()
    assert f"{hold}.db" in files(room)
    room.times.passes(days=15)
    room.records.sweep()
    assert files(room) == []


def test_a_damaged_hold_the_journal_does_not_know_is_destroyed(room: Room):
    (folder(room) / "hold-2026-11-21-abcdef.db").write_bytes(b"nothing")
    room.records.sweep()
    assert files(room) == []


def test_a_disk_that_takes_no_hold_leaves_none(room: Room, monkeypatch):
    room.see("a", "PSTN101")

    def full(*_: Any, **__: Any) -> None:
        raise OSError("no space")

    monkeypatch.setattr(VolumeKeys, "make", full)
    assert room.refusal("hold_place", **MANAGER, **PAPER, plate="PSTN101") == "record"
    assert files(room) == []


def test_a_hold_that_cannot_be_swept_does_not_keep_the_others(room: Room, monkeypatch):
    room.see("a", "PSTN101")
    spoilt, sound = approved(room), approved(room)
    end = store.Holds._end_if_over

    def failing(holds: store.Holds, name: str, now: Any) -> int:
        if name == spoilt:
            raise OSError("the disk fails")
        return end(holds, name, now)

    monkeypatch.setattr(store.Holds, "_end_if_over", failing)
    room.times.passes(days=15)
    room.records.sweep()
    assert [hold.id for hold in room.records.holds.open_holds()] == [spoilt]
    assert f"{sound}.key" not in files(room)


def test_while_the_clock_cannot_be_believed_no_hold_ends(room: Room):
    room.see("a", "PSTN101")
    approved(room)
    room.records.sweep()
    room.times.clock = room.times.clock.__class__("unknown")
    room.times.at += timedelta(days=900)
    room.records.sweep()
    assert files(room)


def test_deleted_rows_leave_no_page_behind(room: Room):
    room.publish(jurisdiction="us-ia")
    room.see("a", "PSTN101")
    hold = approved(room)
    assert not (folder(room) / f"{hold}.db-wal").exists()
    key = room.records.holds.files.folder.keys.load(hold)
    with contextlib.closing(
        database.open_encrypted(folder(room) / f"{hold}.db", key, read_only=True)
    ) as connection:
        assert connection.execute("SELECT count(*) FROM held").fetchone()[0] == 1


def test_no_other_program_can_claim_a_hold_or_a_release(room: Room):
    for action in ("hold_placed", "evidence_released", "evidence_exported", "custody_noted"):
        assert room.refusal("journal", **MANAGER, action=action) == "record"


def test_reads_that_vanish_while_they_are_copied_leave_no_hold(room: Room, monkeypatch):
    room.see("a", "PSTN101")
    place_it = store.Holds.place
    monkeypatch.setattr(
        store.Holds, "place", lambda holds, hold, _, who, now: place_it(holds, hold, [], who, now)
    )
    assert room.refusal("hold_place", **MANAGER, **PAPER, plate="PSTN101") == "hold_refused"
    assert files(room) == []
    assert room.entries(action="hold_placed") == []


@pytest.mark.parametrize("which", ["reads", "device"])
def test_a_hold_and_its_end_survive_a_change_of_keys(room: Room, which: str):
    room.see("a", "PSTN101")
    hold = approved(room)
    room.stop()
    with standing_still(room.config, USERS[which]):
        rotation.rotate(room.config, which, Who("root", "system", reason="yearly"), room.times())
    room.start()
    (kept,) = room.records.holds.files.reads(hold)
    assert json.loads(kept.passage)["sighting"]["plate"] == "PSTN101"
    room.times.passes(days=14, seconds=1)
    room.records.sweep()
    assert files(room) == []
    receipts = room.ask("receipts", **MANAGER).header
    (receipt,) = [r for r in receipts["receipts"] if r["volume"] == hold]
    assert receipt_holds(receipt, bytes.fromhex(receipts["public_key"]))
