"""Who may see what, for which purpose: the whole table, through the socket."""

from __future__ import annotations

import json

import pytest

from appliance.values import Role
from tests.records.room import MANAGER, PURPOSES, Room

ROLES = [*(r.value for r in Role), "system", "", "MANAGER"]
ALL_PURPOSES = (*PURPOSES, "legal_request", "personal", "")


def _expected(role: str, purpose: str) -> str | None:
    if role not in {"manager", "guard", "auditor"}:
        return "role_refused"
    if purpose not in PURPOSES or (role == "auditor" and purpose != "audit"):
        return "purpose_refused"
    return None


@pytest.mark.parametrize("role", ROLES)
def test_reads_are_shown_by_role_and_published_purpose_alone(room: Room, role):
    passage_id = room.see("a", "PSTN101")
    for purpose in ALL_PURPOSES:
        who = {**MANAGER, "role": role, "purpose": purpose}
        expected = _expected(role, purpose)
        asked = {
            "find": {"query": {}},
            "open_passage": {"passage_id": passage_id},
            "journal": {"action": "view_at_gate"},
        }
        for verb, fields in asked.items():
            if expected is None:
                assert room.ask(verb, **who, **fields).header["ok"]
            else:
                assert room.refusal(verb, **who, **fields) == expected, (verb, purpose)


@pytest.mark.parametrize("role", ROLES)
def test_the_journal_is_shown_to_managers_auditors_and_custodians_alone(room: Room, role):
    who = {**MANAGER, "role": role}
    for verb in ("journal_page", "verify", "receipts"):
        if role in {"manager", "auditor", "custodian"}:
            assert room.ask(verb, **who).header["ok"]
        else:
            assert room.refusal(verb, **who) == "role_refused"


def test_a_refused_look_up_is_journaled_as_refused(room: Room):
    room.refusal("find", **{**MANAGER, "purpose": "personal"}, query={"plate": "PSTN101"})
    (entry,) = room.entries(action="look_up")
    assert (entry["purpose"], entry["rows"]) == ("personal", 0)
    assert json.loads(entry["query"]) == {
        "plate": "PSTN101",
        "page": 1,
        "refused": "purpose_refused",
    }


@pytest.mark.parametrize("reason", ["", "  ", "ab", " a "])
def test_a_look_up_without_a_reason_is_refused(room: Room, reason):
    assert room.refusal("find", **{**MANAGER, "reason": reason}, query={}) == "reason_refused"


def test_nobody_named_is_refused(room: Room):
    assert room.refusal("find", **{**MANAGER, "actor": " "}, query={}) == "record"
    assert room.refusal("find", **{**MANAGER, "role": 3}, query={}) == "record"


def test_without_a_published_policy_no_purpose_is_published(bare: Room):
    assert bare.refusal("find", **MANAGER, query={}) == "purpose_refused"


@pytest.mark.parametrize("action", ["sign_in", "set_up", "open_once", "view_live"])
def test_acts_that_show_no_read_need_no_published_purpose(bare: Room, action):
    who = {"actor": "ines", "role": "installer", "purpose": "", "reason": ""}
    assert bare.ask("journal", **who, action=action).header["ok"]
