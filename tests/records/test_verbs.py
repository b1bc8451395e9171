"""Every verb through the real socket: what it answers, what it refuses, what it journals."""

from __future__ import annotations

import contextlib
import json
import shutil
import struct
from dataclasses import replace
from datetime import timedelta

import pytest

from appliance import codec, ipc
from appliance.errors import RecordError
from appliance.records import service as verbs
from appliance.values import Moved, Passage, Reason, Verdict
from tests.records.room import AUDITOR, MANAGER, NOON, Room, decision, outcome, passage, sighting


def test_nothing_is_kept_before_a_policy_is_published(bare: Room):
    told = codec.encode(passage("a", "PSTN101", bare.times))
    assert bare.refusal("keep", b"jpeg", passage=told) == "no_policy"
    assert bare.status()["passages"] == 0
    assert not list((bare.config.device.state_dir / "records" / "reads").iterdir())


def test_publishing_is_noticed_without_a_restart(bare: Room):
    bare.publish()
    bare.see("a", "PSTN101")
    assert bare.status()["policy_version"] == 1
    assert bare.publish(purposes=("audit",)) == 2
    assert bare.status()["policy_version"] == 2
    assert bare.refusal("find", **MANAGER, query={}) == "purpose_refused"


def test_a_kept_passage_comes_back_whole_with_its_picture(room: Room):
    kept = passage("a", "PSTN101", room.times, matched=True)
    passage_id = room.keep(kept, b"\xff\xd8 the plate")
    answer = room.ask("open_passage", **MANAGER, passage_id=passage_id)
    assert codec.decode(Passage, answer.header["passage"]) == kept
    assert answer.blob == b"\xff\xd8 the plate"


def test_a_row_of_a_look_up_says_what_the_gate_did(room: Room):
    passage_id = room.see("a", "PSTN101", matched=True, actor="")
    (row,) = room.find(plate="pstn 101")["rows"]
    assert row == {
        "passage_id": passage_id,
        "at": "2026-11-21T12:00:00.000Z",
        "lane": "main",
        "plate": "PSTN101",
        "verdict": "open",
        "reason": "granted",
        "actor": "",
        "label": "Unit 7",
        "direction": "in",
        "agreeing": 3,
        "score": 0.97,
    }


def test_a_persons_own_opening_is_a_passage_without_a_read(room: Room):
    room.keep(Passage("order-1", "main", NOON, None, None, outcome("order-1", room.times), "gus"))
    (row,) = room.find()["rows"]
    assert (row["plate"], row["verdict"], row["reason"], row["actor"]) == (
        "",
        "open",
        "manual",
        "gus",
    )
    assert room.plates(plate="*") == []


def test_a_message_about_nothing_decided_is_kept_too(room: Room):
    room.keep(Passage("x", "main", NOON, None, None, None))
    assert room.find()["rows"][0]["verdict"] == ""


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("PSTN101", ["PSTN101"]),
        ("pstn-101", ["PSTN101"]),
        ("PSTN10?", ["PSTN102", "PSTN101"]),
        ("PSTN*", ["PSTN102", "PSTN101"]),
        ("*02", ["PSTN102"]),
        ("?A*", ["ZA7"]),
        ("*", ["ZA7", "PSTN102", "PSTN101"]),
        ("P*1*1", ["PSTN101"]),
        ("[P]STN*", ["PSTN102", "PSTN101"]),
        ("PSTN1', '1?", []),
    ],
)
def test_a_pattern_finds_what_it_shows(room: Room, pattern, found):
    for number, plate in enumerate(("PSTN101", "PSTN102", "ZA7")):
        room.times.passes(seconds=1)
        room.see(f"k{number}", plate)
    assert room.plates(plate=pattern) == found


def test_period_lane_verdict_and_reason_narrow_a_look_up(room: Room):
    room.see("a", "PSTN101", matched=True)
    room.times.passes(hours=20)  # into the next day, another volume
    room.see("b", "PSTN102", lane="rear")
    assert room.status()["volumes"] == 2
    assert room.plates() == ["PSTN102", "PSTN101"]
    assert room.plates(lane="rear") == ["PSTN102"]
    assert room.plates(verdict="open") == ["PSTN101"]
    assert room.plates(reason_code="not_listed") == ["PSTN102"]
    assert room.plates(from_at="2026-11-21T12:00:00Z", to_at="2026-11-22T08:00:00Z") == ["PSTN101"]
    assert room.plates(from_at="2026-11-21T12:00:00.001Z") == ["PSTN102"]
    assert room.plates(to_at="2026-11-21T12:00:00Z") == []


def test_pages_run_newest_first_across_days(room: Room):
    plates = [f"PSTN{n}" for n in range(100, 130)]
    for plate in plates:
        room.see(plate, plate)
        room.times.passes(hours=4)
    newest = plates[::-1]
    pages = [room.find(page=page, per_page=7) for page in range(1, 7)]
    assert [row["plate"] for page in pages for row in page["rows"]] == newest
    assert {page["total"] for page in pages} == {30}
    assert [len(page["rows"]) for page in pages] == [7, 7, 7, 7, 2, 0]
    assert len(room.find(per_page=10_000)["rows"]) == 30


@pytest.mark.parametrize(
    "query",
    [
        None,
        [],
        {"plate": 7},
        {"colour": "red"},
        {"verdict": "perhaps"},
        {"reason_code": "because"},
        {"from_at": "yesterday"},
        {"from_at": "2026-11-21T12:00:00"},
        {"to_at": "0001-01-01T00:00:00Z"},
        {"plate": "PSTN?" * 9},
    ],
)
def test_a_query_that_cannot_be_understood_is_refused(room: Room, query):
    assert room.refusal("find", **MANAGER, query=query) == "record"


def test_a_plate_of_one_letter_is_refused_as_such(room: Room):
    assert room.refusal("find", **MANAGER, query={"plate": "P"}) == "plate_refused"


@pytest.mark.parametrize("field", ["page", "per_page"])
def test_page_numbers_must_be_numbers(room: Room, field):
    assert room.refusal("find", **MANAGER, query={}, **{field: "many"}) == "record"
    assert room.refusal("find", **MANAGER, query={}, **{field: True}) == "record"


@pytest.mark.parametrize("passage_id", ["2026-11-21.99", "2026-01-01.1", "nonsense", "../x.1", ""])
def test_a_passage_that_is_not_held_is_refused_and_the_asking_journaled(room: Room, passage_id):
    room.see("a", "PSTN101")
    assert room.refusal("open_passage", **MANAGER, passage_id=passage_id) == "passage_gone"
    (entry, *_) = room.entries(action="view_passage")
    assert entry["rows"] == 0
    assert json.loads(entry["query"]) == {"passage_id": passage_id}


def test_a_passage_id_must_be_text(room: Room):
    assert room.refusal("open_passage", **MANAGER, passage_id=17) == "record"


def test_counts_hold_no_plate_and_need_no_entry(room: Room):
    room.see("a", "PSTN101", matched=True)
    room.see("b", "PSTN102")
    room.times.passes(hours=13)
    room.see("c", "PSTN103")
    entries = len(room.entries())
    answer = room.ask("counts", from_at="2026-11-21T00:00:00Z", to_at="2026-11-23T00:00:00Z")
    assert answer.header == {
        "ok": True,
        "by_hour": {
            "2026-11-21T12:00:00.000Z": {"ask_guard": 1, "open": 1},
            "2026-11-22T01:00:00.000Z": {"ask_guard": 1},
        },
        "oldest_read_at": "2026-11-21T12:00:00.000Z",
        "volumes": 2,
        "residents": [],
    }
    assert len(room.entries()) == entries
    assert room.ask("counts").header["by_hour"] == answer.header["by_hour"]


def test_an_act_of_another_program_gets_its_number(room: Room):
    first = room.ask("journal", **MANAGER, action="grant_added", query={"grant": 7}, rows=1)
    second = room.ask("journal", **MANAGER, action="grant_ended")
    assert second.header["seq"] == first.header["seq"] + 1
    (entry,) = room.entries(action="grant_added")
    assert (entry["actor"], entry["role"], entry["organisation"]) == (
        "mara",
        "manager",
        "Pine Court",
    )
    assert (entry["purpose"], entry["reason"], entry["query"], entry["rows"]) == (
        "incident",
        "case 4711",
        '{"grant":7}',
        1,
    )
    assert (entry["at"], entry["clock"]) == ("2026-11-21T12:00:00.000Z", "synced")


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "gossip"},
        {"action": None},
        {"query": [1]},
        {"query": {"x": "y" * 5000}},
        {"rows": -1},
        {"rows": "1"},
        {"rows": True},
        {"actor": ""},
        {"actor": 7},
    ],
)
def test_an_entry_that_says_nothing_true_is_refused(room: Room, wrong):
    fields = {**MANAGER, "action": "sign_in", "query": {}, "rows": 0, **wrong}
    assert room.refusal("journal", **fields) == "record"


def test_text_that_cannot_be_stored_is_made_storable(room: Room):
    fields = {**MANAGER, "actor": "ma\ud800ra", "reason": "x" * 900}
    header = {**fields, "verb": "journal", "action": "sign_in", "query": {"note": "\ud800"}}
    text = json.dumps(header).encode()  # escaped, as our own packing never sends it
    with contextlib.closing(ipc.connect(room.config.socket("records"))) as sock:
        sock.sendall(struct.pack(">I", len(text)) + text)
        assert ipc.receive(sock).header["ok"]
    (entry,) = room.entries(action="sign_in")
    assert entry["actor"] == "ma?ra"
    assert len(entry["reason"]) == 500
    assert room.prove().whole


def test_what_the_controller_and_a_resident_did_is_journaled_without_an_account(room: Room):
    box = {"actor": "controller", "role": "system", "organisation": "",
           "purpose": "access_control", "reason": ""}
    happened = {"boot": 3, "number": 7, "kind": "manual_open"}
    room.ask("journal", **box, action="controller_event", query=happened, rows=0)
    resident = {**box, "actor": "Unit 7", "role": "resident"}
    room.ask("journal", **resident, action="confirm", query={"grant_id": 2}, rows=0)
    (event,) = room.entries(action="controller_event")
    assert (event["actor"], json.loads(event["query"])) == ("controller", happened)
    assert room.entries(action="confirm")[0]["role"] == "resident"


def test_the_journal_is_paged_newest_first_and_reading_it_is_an_entry(room: Room):
    for number in range(5):
        room.ask("journal", **{**MANAGER, "actor": f"p{number % 2}"}, action="sign_in")
    page = room.ask("journal_page", **AUDITOR, limit=3, before_seq=None, action=None).header
    assert [e["seq"] for e in page["entries"]] == [6, 5, 4]
    assert room.entries(action="journal_viewed")[0]["rows"] == 3
    older = room.ask("journal_page", **AUDITOR, before_seq=4, limit=50).header["entries"]
    assert [e["seq"] for e in older] == [3, 2, 1]
    mine = room.ask("journal_page", **AUDITOR, actor_filter="p1", action="sign_in").header
    assert [e["seq"] for e in mine["entries"]] == [5, 3]
    assert room.refusal("journal_page", **AUDITOR, action=7) == "record"


def test_a_page_of_long_entries_still_fits_one_message(room: Room):
    for _ in range(60):
        room.ask("journal", **{**MANAGER, "reason": "ä" * 500}, action="settings_changed",
                 query={"x": "é" * 1900})  # fmt: skip
    page = room.ask("journal_page", **AUDITOR, limit=200).header["entries"]
    assert 20 < len(page) < 60
    older = room.ask("journal_page", **AUDITOR, limit=200, before_seq=page[-1]["seq"]).header
    assert older["entries"][0]["seq"] == page[-1]["seq"] - 1


def test_verify_tells_what_it_found_and_is_journaled(room: Room):
    answer = room.ask("verify", **AUDITOR).header
    assert (answer["entries"], answer["whole"], answer["first_bad"], answer["why"]) == (
        1,
        True,
        None,
        "",
    )
    assert json.loads(room.entries(action="verified")[0]["query"])["whole"] is True


def test_the_feed_rises_tells_no_plate_and_tells_changes_again(room: Room):
    first = room.see("a", "PSTN101")
    room.times.passes(hours=13)
    second = room.see("b", "PSTN102")
    events = room.ask("feed", after=0, limit=10).header["events"]
    assert [(e["cursor"], e["passage_id"]) for e in events] == [(1, first), (2, second)]
    assert set(events[0]) == {
        "cursor", "passage_id", "at", "lane", "verdict", "reason", "direction",
    }  # fmt: skip
    room.keep(replace(passage("a", "PSTN101", room.times, matched=True), at=NOON))
    room.keep(replace(passage("b", "PSTN103", room.times, revision=2)))
    (changed,) = room.ask("feed", after=2).header["events"]
    assert (changed["passage_id"], changed["verdict"], changed["cursor"]) == (first, "open", 3)
    assert [e["cursor"] for e in room.ask("feed", limit=1).header["events"]] == [2]


def test_the_cursor_rises_over_a_restart(room: Room):
    room.see("a", "PSTN101")
    room.restart()
    room.see("b", "PSTN102")
    (event,) = room.ask("feed", after=1).header["events"]
    assert event["cursor"] > 1


def test_the_cursor_rises_even_when_every_volume_is_gone(room: Room):
    for number in range(3):
        room.see(f"k{number}", f"PSTN{number}00")
    room.times.passes(hours=73)
    assert room.records.sweep().destroyed == 1
    room.restart()
    room.see("b", "PSTN102")
    (event,) = room.ask("feed", after=3).header["events"]
    assert event["cursor"] > 3


def test_status_says_what_is_held(room: Room):
    room.see("a", "PSTN101")
    room.times.passes(hours=13)
    room.see("b", "PSTN102")
    status = room.status()
    assert status["ok"] is True
    assert (status["passages"], status["passages_total"], status["volumes"]) == (2, 2, 2)
    assert status["oldest_read_at"] == "2026-11-21T12:00:00.000Z"
    assert (status["journal_seq"], status["policy_version"]) == (1, 1)
    assert 0 < status["disk_free_share"] <= 1
    assert status["pid"] > 0
    room.restart()
    again = room.status()
    assert (again["passages"], again["passages_total"], again["volumes"]) == (2, 2, 2)


def test_a_full_disk_is_told_before_it_is_full(room: Room, monkeypatch):
    disk = room.records.parts.disk
    usage = shutil.disk_usage(room.config.device.state_dir)
    monkeypatch.setattr(disk, "_usage", lambda _: usage._replace(free=usage.total // 9))
    assert "disk_low" in room.issues()
    monkeypatch.setattr(disk, "_usage", lambda _: usage._replace(free=usage.total // 2))
    assert "disk_low" not in room.issues()


@pytest.mark.parametrize("told", [None, "x", {"key": "a"}, {"key": 1, "lane": "m"}])
def test_a_passage_that_cannot_be_understood_is_refused(room: Room, told):
    assert room.refusal("keep", passage=told) in {"record", "ipc"}
    assert room.status()["passages"] == 0


def test_a_passage_without_a_key_or_with_a_huge_picture_is_refused(room: Room):
    told = codec.encode(passage("a", "PSTN101", room.times))
    assert room.refusal("keep", b"x" * 60_001, passage=told) == "record"
    assert room.refusal("keep", passage={**told, "key": ""}) == "record"


def test_an_unknown_verb_is_refused(room: Room):
    assert room.refusal("export") == "unknown_verb"


def test_a_passage_kept_under_a_lane_of_its_own_choice_stays_searchable(room: Room):
    room.keep(
        Passage(
            "a",
            "rear",
            NOON - timedelta(minutes=1),
            sighting("a", "PSTN101", room.times),
            decision("a", room.times, Verdict.STAY_CLOSED, reason=Reason.BLOCKED),
            outcome("o", room.times, Moved.NO),
        )
    )
    assert room.plates(lane="rear", verdict="stay_closed", reason_code="blocked") == ["PSTN101"]


def test_the_errors_of_this_room_are_record_errors():
    assert issubclass(verbs.PassageGone, RecordError)
