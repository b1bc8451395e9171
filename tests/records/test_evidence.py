"""Evidence leaves by two persons, one officer and one code, or not at all."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from appliance import clock
from appliance.evidence.verify import Verdict, contents, examine
from appliance.records import bundle, evidence
from appliance.records.bundle import key_fingerprint
from appliance.values import Reason
from appliance.values import Verdict as GateVerdict
from tests.evidence.making import CHEAP, PASSPHRASE
from tests.records.room import AUDITOR, MANAGER, PURPOSES, Room, decision
from tests.records.test_holds import CUSTODIAN, approved, place

ASKED: dict[str, Any] = {
    "exception": "investigation",
    "officer": "Sgt. Example",
    "agency": "Example PD",
    "badge": "B-12",
    "contact": "desk 4",
    "instrument": "search_warrant",
    "instrument_no": "SW-77",
    "case_no": "26-1234",
    "handling": True,
}


@pytest.fixture
def desk(room: Room) -> Room:
    """Cheap to seal, with one read kept."""
    room.records.evidence.cost = CHEAP
    room.see("a", "PSTN101")
    return room


def release(room: Room, who: dict[str, str] = MANAGER, **changes: Any) -> str:
    named = {} if {"hold", "passages"} & set(changes) else {"passages": ["2026-11-21.1"]}
    fields = {**ASKED, **named, **changes}
    return str(room.ask("evidence_release", **who, **fields).header["code"])


def export(room: Room, code: str, who: dict[str, str] = CUSTODIAN) -> dict[str, Any]:
    return room.ask("evidence_export", **who, code=code, passphrase=PASSPHRASE).header


def fetch(room: Room, told: dict[str, Any], who: dict[str, str] = CUSTODIAN) -> bytes:
    data = b""
    while len(data) < told["size"]:
        part = room.ask("evidence_chunk", **who, export=told["export"], offset=len(data))
        assert len(part.blob) <= 100_000
        data += part.blob
    return data


def told_of(room: Room, action: str) -> list[dict[str, Any]]:
    return [json.loads(entry["query"]) for entry in room.entries(action=action)]


def test_a_manager_releases_a_custodian_carries_out_and_the_bundle_proves_itself(desk: Room):
    told = export(desk, release(desk))
    data = fetch(desk, told)
    outside = examine(data)
    assert outside.verdict is Verdict.WHOLE
    assert outside.fingerprint == key_fingerprint(desk.records.parts.keys.public)
    inside = contents(data, outside, PASSPHRASE)
    assert set(inside.entries) == {
        "passages/2026-11-21.1.json",
        "pictures/2026-11-21.1.jpg",
        "custody.html",
        "journal.json",
    }
    kept = json.loads(inside.entries["passages/2026-11-21.1.json"])
    assert kept["passage"]["sighting"]["plate"] == "PSTN101"
    assert inside.entries["pictures/2026-11-21.1.jpg"] == b"jpeg"
    manifest = inside.manifest
    assert manifest["release"]["officer"] == "Sgt. Example"
    assert (manifest["released_by"], manifest["carried_out_by"]) == ("mara", "cleo")
    assert (manifest["reads"], manifest["policy_version"]) == (1, 1)
    (entry,) = desk.entries(action="evidence_exported")
    assert manifest["journal"] == {"seq": entry["seq"], "hash": entry["hash"]}
    receipts = json.loads(inside.entries["journal.json"])
    assert [r["action"] for r in receipts] == ["evidence_released", "evidence_exported"]


def test_the_custody_sheet_says_who_and_why_and_no_plate(desk: Room):
    told = export(desk, release(desk, officer="<b>Sgt.</b>", statement=""))
    data = fetch(desk, told)
    sheet = contents(data, examine(data), PASSPHRASE).entries["custody.html"].decode()
    for text in ("&lt;b&gt;Sgt.", "Example PD", "SW-77", "26-1234", "mara", "cleo", "Transfers"):
        assert text in sheet
    assert "search warrant" in sheet
    assert "PSTN101" not in sheet
    assert "Declaration" not in sheet


def test_the_code_is_told_once_and_kept_nowhere(desk: Room):
    code = release(desk)
    (entry,) = desk.entries(action="evidence_released")
    for spelled in (code, code.replace("-", "")):
        assert spelled not in json.dumps(entry)
    assert told_of(desk, "evidence_released")[0]["badge"] == "B-12"


def test_a_code_is_used_up_by_its_first_export(desk: Room):
    code = release(desk)
    export(desk, code.lower())
    assert desk.refusal("evidence_export", **CUSTODIAN, code=code, passphrase=PASSPHRASE) == (
        "release_refused"
    )
    assert told_of(desk, "evidence_exported")[0] == {"refused": "release_refused"}


@pytest.mark.parametrize("hours", [24, -1])
def test_a_code_lives_a_day_and_not_before_it_was_made(desk: Room, hours):
    code = release(desk)
    desk.times.at += timedelta(hours=hours)
    asked = {**CUSTODIAN, "code": code, "passphrase": PASSPHRASE}
    assert desk.refusal("evidence_export", **asked) == "release_refused"


def test_a_second_before_its_end_it_still_counts(desk: Room):
    code = release(desk)
    desk.times.passes(hours=24, seconds=-1)
    assert export(desk, code)["reads"] == 1


@pytest.mark.parametrize("code", ["", "AAAA-BBBB-CCCC-DDDD", "x"])
def test_a_wrong_code_opens_nothing_and_is_journaled(desk: Room, code):
    release(desk)
    asked = {**CUSTODIAN, "code": code, "passphrase": PASSPHRASE}
    assert desk.refusal("evidence_export", **asked) == "release_refused"
    assert told_of(desk, "evidence_exported") == [{"refused": "release_refused"}]


def test_who_released_cannot_carry_out(desk: Room):
    code = release(desk)
    asked = {"code": code, "passphrase": PASSPHRASE}
    assert desk.refusal("evidence_export", **MANAGER, **asked) == "release_refused"
    assert export(desk, code, {**MANAGER, "actor": "milo"})["reads"] == 1


@pytest.mark.parametrize("role", ["guard", "auditor", "installer", "system", ""])
def test_no_other_role_releases_or_exports(desk: Room, role):
    code = release(desk)
    who = {**MANAGER, "actor": "other", "role": role}
    fields = {**ASKED, "passages": ["2026-11-21.1"]}
    assert desk.refusal("evidence_release", **who, **fields) == "role_refused"
    asked = {**who, "code": code, "passphrase": PASSPHRASE}
    assert desk.refusal("evidence_export", **asked) == "role_refused"
    assert desk.refusal("evidence_chunk", **who, export="x", offset=0) == "role_refused"
    assert told_of(desk, "evidence_exported") == [{"refused": "role_refused"}]


def test_a_custodian_releases_nothing(desk: Room):
    fields = {**ASKED, "passages": ["2026-11-21.1"]}
    assert desk.refusal("evidence_release", **CUSTODIAN, **fields) == "role_refused"


@pytest.mark.parametrize(
    "changes",
    [
        {"exception": "curiosity"},
        {"officer": ""},
        {"agency": " "},
        {"badge": "1"},
        {"contact": "x" * 501},
        {"instrument": "a word"},
        {"instrument_no": ""},
        {"case_no": ""},
        {"handling": False},
        {"handling": "yes"},
        {"out_of_state": True},
        {"out_of_state": True, "statement": "too short"},
        {"statement": "x" * 501},
        {"passages": ["2026-11-21.99"]},
        {"exception": "flagged_match", "case_no": "26-1"},
        {"exception": "flagged_match", "alert_no": "A-1"},
    ],
)
def test_a_release_that_says_too_little_is_refused(desk: Room, changes):
    fields = {**ASKED, "passages": ["2026-11-21.1"], **changes}
    assert desk.refusal("evidence_release", **MANAGER, **fields) == "release_refused"
    assert told_of(desk, "evidence_released") == [{"refused": "release_refused"}]


def test_an_officer_from_another_state_declares_the_use(desk: Room):
    statement = "Not for immigration enforcement or protected care."
    assert release(desk, out_of_state=True, statement=statement)
    assert told_of(desk, "evidence_released")[0]["statement"] == statement


def test_a_flagged_match_is_a_blocked_read_and_names_the_agencys_alert(desk: Room):
    blocked = decision("b", desk.times, GateVerdict.STAY_CLOSED, reason=Reason.BLOCKED)
    found = desk.see("b", "PSTN102", decision=blocked)
    assert release(desk, exception="flagged_match", alert_no="A-1", passages=[found])
    both = {**ASKED, "exception": "flagged_match", "alert_no": "A-1", "case_no": ""}
    both["passages"] = [found, "2026-11-21.1"]
    assert desk.refusal("evidence_release", **MANAGER, **both) == "release_refused"


@pytest.mark.parametrize(
    ("state", "allowed"),
    [
        ("us-wa", {"search_warrant"}),
        ("us-nm", {"search_warrant", "court_order", "written_consent"}),
        ("us-ca", set(i.value for i in evidence.Instrument)),
    ],
)
def test_the_law_of_the_state_says_which_instrument_is_enough(desk: Room, state, allowed):
    desk.publish(jurisdiction=state)
    told = desk.ask("evidence_terms").header
    assert set(told["instruments"]) == allowed
    assert "search warrant" in told["caveat"]
    for instrument in evidence.Instrument:
        fields = {**ASKED, "instrument": instrument.value, "passages": ["2026-11-21.1"]}
        if instrument.value in allowed:
            assert desk.ask("evidence_release", **MANAGER, **fields).header["code"]
        else:
            assert desk.refusal("evidence_release", **MANAGER, **fields) == "release_refused"


def test_a_hold_is_released_once_it_is_approved(desk: Room):
    hold = place(desk)
    fields = {**ASKED, "hold": hold}
    assert desk.refusal("evidence_release", **MANAGER, **fields) == "release_refused"
    desk.ask("hold_approve", **CUSTODIAN, hold=hold)
    desk.publish(kept_hours_matched=1, kept_hours_unmatched=1)
    desk.times.passes(days=3)
    desk.records.sweep()
    told = export(desk, release(desk, hold=hold))
    assert told["reads"] == 1
    assert examine(fetch(desk, told)).verdict is Verdict.WHOLE


def test_reads_deleted_since_their_release_cannot_be_exported(desk: Room):
    hold = approved(desk)
    code = release(desk, hold=hold)
    second = release(desk)
    desk.ask("hold_end", **MANAGER, hold=hold, outcome="withdrawn")
    asked = {**CUSTODIAN, "passphrase": PASSPHRASE}
    assert desk.refusal("evidence_export", **asked, code=code) == "hold_gone"
    desk.publish(kept_hours_matched=1, kept_hours_unmatched=1)
    desk.times.passes(hours=2)
    desk.records.sweep()
    assert desk.refusal("evidence_export", **asked, code=second) == "release_refused"


def test_a_weak_passphrase_is_refused_and_costs_no_release(desk: Room):
    code = release(desk)
    asked = {**CUSTODIAN, "code": code, "passphrase": "short"}
    assert desk.refusal("evidence_export", **asked) == "passphrase_refused"
    assert export(desk, code)["reads"] == 1


def test_without_a_journal_nothing_is_released_sealed_or_handed_out(desk: Room):
    code, second = release(desk), release(desk)
    told = export(desk, second)
    desk.break_journal()
    fields = {**ASKED, "passages": ["2026-11-21.1"]}
    assert desk.refusal("evidence_release", **MANAGER, **fields) == "record"
    asked = {**CUSTODIAN, "code": code, "passphrase": PASSPHRASE}
    assert desk.refusal("evidence_export", **asked) == "record"
    assert desk.refusal("evidence_chunk", **CUSTODIAN, export=told["export"], offset=0) == "record"
    desk.mend_journal()
    assert export(desk, code)["reads"] == 1


def test_a_bundle_is_handed_to_the_person_who_carried_it_out_alone(desk: Room):
    told = export(desk, release(desk))
    who = {**MANAGER, "actor": "milo"}
    assert desk.refusal("evidence_chunk", **who, export=told["export"]) == "release_refused"
    for wrong in (-1, "0", True):
        asked = {**CUSTODIAN, "export": told["export"], "offset": wrong}
        assert desk.refusal("evidence_chunk", **asked) == "record"
    fetch(desk, told)
    fetch(desk, told)
    events = [e.get("event") for e in told_of(desk, "custody_noted") if "refused" not in e]
    assert events == ["handed out", "sealed"]


def test_the_box_keeps_a_sealed_bundle_half_an_hour_and_not_over_a_restart(desk: Room):
    folder = desk.records.evidence.folder
    told = export(desk, release(desk))
    desk.times.passes(minutes=29)
    desk.records.sweep()
    assert [p.name for p in folder.iterdir()] == [told["export"]]
    desk.times.passes(minutes=1)
    desk.records.sweep()
    assert list(folder.iterdir()) == []
    asked = {**CUSTODIAN, "export": told["export"], "offset": 0}
    assert desk.refusal("evidence_chunk", **asked) == "release_refused"
    export(desk, release(desk))
    desk.restart()
    assert list(folder.iterdir()) == []


def test_only_a_few_bundles_wait_at_once(desk: Room):
    for _ in range(4):
        export(desk, release(desk))
    asked = {**CUSTODIAN, "code": release(desk), "passphrase": PASSPHRASE}
    assert desk.refusal("evidence_export", **asked) == "record"


def test_a_disk_that_takes_no_bundle_leaves_none(desk: Room, monkeypatch):
    def full(*_: Any) -> None:
        raise OSError("no space")

    monkeypatch.setattr(bundle.Sealer, "finish", full)
    code = release(desk)
    asked = {**CUSTODIAN, "code": code, "passphrase": PASSPHRASE}
    assert desk.refusal("evidence_export", **asked) == "record"
    assert list(desk.records.evidence.folder.iterdir()) == []


def test_the_custody_trail_runs_from_release_to_the_last_transfer(desk: Room):
    told = export(desk, release(desk))
    fetch(desk, told)
    handed = {"to": "Ms. Second", "agency": "Example DA", "handed_for": "trial", "place": "court"}
    desk.ask("custody_note", **CUSTODIAN, export=told["export"], **handed)
    answer = desk.ask("custody", **AUDITOR, export=told["export"]).header
    assert answer["exports"] == [told["export"]]
    steps = [(step["action"], step.get("event", "")) for step in answer["trail"]]
    assert steps == [
        ("evidence_released", ""),
        ("evidence_exported", ""),
        ("custody_noted", "sealed"),
        ("custody_noted", "handed out"),
        ("custody_noted", "transfer"),
    ]
    assert answer["trail"][2]["sha256"] == told["sha256"]
    assert answer["trail"][4]["to"] == "Ms. Second"
    assert "code_mac" not in json.dumps(answer)
    assert "PSTN101" not in json.dumps(answer)
    assert desk.ask("custody", **AUDITOR).header["trail"] == []
    assert desk.ask("custody", **AUDITOR, export="export-none").header["trail"] == []


def test_a_transfer_says_to_whom_and_what_for(desk: Room):
    told = export(desk, release(desk))
    handed = {"to": "Ms. Second", "agency": "Example DA", "handed_for": "trial"}
    asked = {**CUSTODIAN, "export": told["export"]}
    assert desk.refusal("custody_note", **asked, **{**handed, "to": ""}) == "record"
    assert desk.refusal("custody_note", **{**asked, "export": "x"}, **handed) == "record"
    who = {**AUDITOR, "export": told["export"]}
    assert desk.refusal("custody_note", **who, **handed) == "role_refused"
    assert desk.refusal("custody", **{**MANAGER, "role": "guard"}) == "role_refused"


def test_release_and_export_need_a_published_purpose_and_a_reason(desk: Room):
    fields = {**ASKED, "passages": ["2026-11-21.1"]}
    for change, key in (
        ({"purpose": "fun"}, "purpose_refused"),
        ({"reason": ""}, "reason_refused"),
    ):
        assert desk.refusal("evidence_release", **{**MANAGER, **change}, **fields) == key
    code = release(desk)
    desk.publish(purposes=PURPOSES[:1])
    asked = {**CUSTODIAN, "code": code, "passphrase": PASSPHRASE}
    assert desk.refusal("evidence_export", **asked) == "purpose_refused"


def test_a_release_tells_until_when_it_lives_and_shows_the_caveat(desk: Room):
    fields = {**ASKED, "passages": ["2026-11-21.1"]}
    answer = desk.ask("evidence_release", **MANAGER, **fields).header
    assert answer["until"] == clock.iso(desk.times.at + timedelta(hours=24))
    assert "neither" in answer["caveat"]
    assert len(answer["code"]) == 19
