"""Plate and something more: a code kept as its digest, a resident's yes by a signed link."""

from __future__ import annotations

import re

import pytest

from appliance import gatecode, site, vault
from appliance.console import second_factors
from appliance.console.lists import Lists
from appliance.values import Role, SecondFactor

ENTRY = {"kind": "allow", "plate": "pstn 101", "label": "M. Okafor", "unit": "Flat 12"}
CODE = {**ENTRY, "second_factor": "code"}
YES = {**ENTRY, "second_factor": "resident"}
WAITS = {"waits_for": "resident", "waits_left_s": 41.6, "waits_grant_id": 1}


@pytest.fixture
def manager(desk):
    return desk.signed_in(Role.MANAGER, purpose="access_control")


def grants(desk):
    with desk.console.store.reading() as connection:
        return site.snapshot(connection).grants


def fits(desk, code):
    (grant,) = grants(desk)
    return gatecode.matches(vault.key(desk.config, "site"), code, grant.code_mac)


def link(desk, grant_id=1):
    entry = Lists(desk.console.store).by_id(grant_id)
    return f"/yes/{second_factors.token(entry, desk.app.secret_key)}"


def test_a_typed_code_is_kept_only_as_its_digest(desk, manager):
    assert manager.post("/grants/new", {**CODE, "code": "274961", "code_again": "274961"}
                        ).headers["Location"] == "/grants/"
    assert fits(desk, "274961")
    row = desk.console.store.row("SELECT * FROM grants")
    assert not any("274961" in str(value) for value in tuple(row))
    assert "274961" not in manager.get("/grants/1").text
    assert "274961" not in str(desk.fakes.records.journal)
    assert '"second_factor": "code"' in desk.fakes.records.journal[-2]["query"]


@pytest.mark.parametrize(("code", "again"), [
    ("123", "123"), ("123456789", "123456789"), ("12a4", "12a4"), ("274961", "274962"),
    ("7777", "7777"), ("3456", "3456"), ("9876", "9876"), ("٣٤٧١", "٣٤٧١"),
])
def test_a_code_that_is_none_or_too_easy_is_refused(desk, manager, code, again):
    answer = manager.post("/grants/new", {**CODE, "code": code, "code_again": again})
    assert answer.status_code == 400
    assert grants(desk) == ()


def test_without_a_code_one_is_made_and_shown_exactly_once(desk, manager):
    where = manager.post("/grants/new", CODE).headers["Location"]
    assert where == "/grants/1/code"
    made = re.search(r'plate big">(\d+)<', manager.get(where).text)[1]
    assert fits(desk, made)
    assert manager.get(where).headers["Location"] == "/grants/1"


def test_the_code_is_shown_to_the_one_who_had_it_made_and_to_nobody_else(desk, manager):
    manager.post("/grants/new", CODE)
    other = desk.signed_in(Role.MANAGER, purpose="access_control")
    assert other.get("/grants/1/code").status_code == 302


def test_a_change_of_the_entry_keeps_its_code_unless_a_new_one_is_asked_for(desk, manager):
    manager.post("/grants/new", {**CODE, "code": "274961", "code_again": "274961"})
    manager.post("/grants/1", {**CODE, "label": "N. Okafor"})
    assert fits(desk, "274961")
    assert manager.post("/grants/1", {**CODE, "new_code": "yes"}
                        ).headers["Location"] == "/grants/1/code"
    assert not fits(desk, "274961")


def test_an_entry_without_the_factor_keeps_no_digest(desk, manager):
    manager.post("/grants/new", {**CODE, "code": "274961", "code_again": "274961"})
    manager.post("/grants/1", ENTRY)
    (grant,) = grants(desk)
    assert (grant.second_factor, grant.code_mac) == (SecondFactor.NONE, "")


def test_a_block_entry_asks_for_nothing(desk, manager):
    assert manager.post("/grants/new", {**YES, "kind": "block"}).status_code == 400
    assert manager.post("/grants/new", {**ENTRY, "second_factor": "moon"}).status_code == 400


def test_made_codes_are_six_digits_and_never_an_easy_one(monkeypatch):
    told = iter("111111" + "123456" + "480213")
    monkeypatch.setattr(second_factors.secrets, "choice", lambda _: next(told))
    assert second_factors.made_code() == "480213"


def test_the_desk_shows_what_is_awaited_and_sends_the_code(desk):
    desk.fakes.door.waits = {**WAITS, "waits_for": "code"}
    from tests.fakes.programs import passage

    desk.fakes.door.at_gate = passage()
    guard = desk.signed_in(Role.GUARD, purpose="access_control")
    page = guard.get("/desk/").text
    assert "Waits for a code" in page
    assert 'data-countdown="41"' in page
    guard.post("/desk/second-factor", {"code": " 47 11 "})
    (order,) = desk.fakes.door.orders
    assert (order["verb"], order["code"], order["role"]) == ("second_factor", "4711", "guard")
    assert "The gate opened" in guard.get("/desk/").text


def test_a_wrong_code_is_said_with_what_to_do_and_a_dead_gate_too(desk):
    desk.fakes.door.waits = {**WAITS, "waits_for": "code"}
    guard = desk.signed_in(Role.GUARD, purpose="access_control")
    guard.post("/desk/second-factor", {"code": "4712"})
    assert "this is not the code. Ask the driver again" in guard.get("/desk/").text
    desk.fakes.door.stop()
    guard.post("/desk/second-factor", {"code": "4711"})
    assert "Open with the barrier" in guard.get("/desk/").text
    assert desk.fakes.door.orders == []


def test_a_right_code_that_another_rule_overrules_is_told_as_such(desk):
    desk.fakes.door.waits = {**WAITS, "waits_for": "code"}
    desk.fakes.door.after_code = {"verdict": "ask_guard", "outcome": None}
    guard = desk.signed_in(Role.GUARD, purpose="access_control")
    guard.post("/desk/second-factor", {"code": "4711"})
    assert "another rule keeps it closed" in guard.get("/desk/").text


def test_an_auditor_enters_no_code(desk):
    auditor = desk.signed_in(Role.AUDITOR, purpose="audit")
    assert auditor.post("/desk/second-factor", {"code": "4711"}).status_code == 403


def test_the_manager_gets_the_link_with_its_picture_and_a_journal_entry(desk, manager):
    manager.post("/grants/new", YES)
    page = manager.get("/grants/1/yes").text
    assert f"http://localhost{link(desk)}" in page
    assert "<svg" in page
    assert desk.fakes.records.actions[-1] == "look_up"
    assert manager.get("/grants/2/yes").status_code == 404
    desk.fakes.records.stop()
    assert manager.get("/grants/1/yes").status_code == 503


def test_a_resident_sees_whether_their_car_waits_and_lets_it_in(desk, manager):
    manager.post("/grants/new", YES)
    resident, path = desk.browser(), link(desk)
    assert "No car with your entry waits" in resident.get(path).text
    desk.fakes.door.waits = WAITS
    page = resident.get(path).text
    assert "A car with your entry waits" in page
    assert "41" in page
    for secret in ("PSTN", "Okafor", "Flat 12"):
        assert secret not in page
    assert "The gate opens" in resident.post(path).text
    (order,) = desk.fakes.door.orders
    assert (order["verb"], order["grant_id"]) == ("confirm", 1)
    assert (order["actor"], order["role"], order["organisation"]) == ("resident", "resident", "")


def test_another_residents_car_is_none_of_theirs(desk, manager):
    manager.post("/grants/new", YES)
    desk.fakes.door.waits = {**WAITS, "waits_grant_id": 7}
    resident, path = desk.browser(), link(desk)
    assert "No car with your entry waits" in resident.get(path).text
    answer = resident.post(path)
    assert answer.status_code == 409
    assert "Nothing was opened" in answer.text
    assert desk.fakes.door.orders == []


@pytest.mark.parametrize("change", [
    lambda manager: manager.post("/grants/1", {**YES, "label": "N. Okafor"}),
    lambda manager: manager.post("/grants/1", ENTRY),
    lambda manager: manager.post("/grants/1/end"),
], ids=["changed", "factor taken away", "ended"])
def test_every_change_of_the_entry_ends_its_link(desk, manager, change):
    manager.post("/grants/new", YES)
    path = link(desk)
    desk.fakes.door.waits = WAITS
    desk.pass_time(5)
    change(manager)
    resident = desk.browser()
    assert resident.get(path).status_code == 404
    assert resident.post(path).status_code == 404
    assert desk.fakes.door.orders == []


def test_a_link_nobody_signed_opens_nothing_and_trying_is_slowed_down(desk, manager):
    manager.post("/grants/new", YES)
    desk.fakes.door.waits = WAITS
    stranger = desk.browser()
    path = link(desk)
    forged = path[:-1] + ("A" if path[-1] != "A" else "B")
    for _ in range(20):
        assert stranger.post(forged).status_code == 404
    assert stranger.get(path).status_code == 429
    assert desk.fakes.door.orders == []
    desk.pass_time(700)
    assert stranger.get(path).status_code == 200


def test_a_link_pressed_again_and_again_is_slowed_down(desk, manager):
    manager.post("/grants/new", YES)
    resident, path = desk.browser(), link(desk)
    assert [resident.post(path).status_code for _ in range(20)] == [409] * 20
    assert resident.post(path).status_code == 429


@pytest.mark.parametrize(("address", "status"), [
    ("192.168.4.20", 200), ("fe80::1", 200), ("8.8.4.4", 404), ("2a00:1450::1", 404), ("", 404),
])
def test_the_link_is_good_on_the_propertys_own_network_only(desk, manager, address, status):
    manager.post("/grants/new", YES)
    answer = desk.browser().get(link(desk), environ_overrides={"REMOTE_ADDR": address})
    assert answer.status_code == status


def test_a_silent_gate_is_told_to_the_resident(desk, manager):
    manager.post("/grants/new", YES)
    path, resident = link(desk), desk.browser()
    desk.fakes.door.stop()
    assert "The gate does not answer" in resident.get(path).text
    assert resident.post(path).status_code == 503


def test_a_yes_that_another_rule_overrules_is_told_calmly(desk, manager):
    manager.post("/grants/new", YES)
    desk.fakes.door.waits = WAITS
    desk.fakes.door.after_code = {"verdict": "stay_closed", "outcome": None}
    assert "The gate stays closed" in desk.browser().post(link(desk)).text
