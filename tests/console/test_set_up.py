"""From nothing: the code, the first manager, the first policy, the training."""

from __future__ import annotations

from datetime import timedelta

import pytest

from appliance import site
from appliance.compliance import training
from appliance.console import codes
from appliance.values import Role
from tests.console.conftest import PASSWORD, Browser, Desk

ACCOUNT = {"name": "Ana Reyes", "organisation": "Alder Court HOA", "username": "ana.reyes",
           "password": PASSWORD, "again": PASSWORD}
FIRST_POLICY = {"site_name": "Alder Court", "site_zone": "America/Chicago",
                "purposes": ["visitor_query"], "kept_matched": "168", "kept_unmatched": "24",
                "agree": "yes"}


def first_code(bare: Desk) -> str:
    with bare.console.store.reading() as connection:
        return codes.make_setup_code(connection, bare.at)


def through_the_account(bare: Desk) -> Browser:
    browser = bare.browser()
    assert browser.post("/setup/", {"code": first_code(bare)}).status_code == 302
    assert browser.post("/setup/account", ACCOUNT).status_code == 302
    return browser


def test_every_page_leads_to_set_up_while_nobody_has_an_account(bare):
    for path in ("/", "/desk/", "/passages/", "/sign-in", "/join", "/grants/new"):
        assert bare.browser().get(path).headers["Location"] == "/setup/", path


def test_a_wrong_code_makes_no_account(bare):
    first_code(bare)
    browser = bare.browser()
    assert browser.post("/setup/", {"code": "0000-0000-0000"}).status_code == 400
    assert browser.get("/setup/account").headers["Location"] == "/setup/"
    assert browser.post("/setup/account", ACCOUNT).headers["Location"] == "/setup/"
    assert not bare.console.accounts.any()


def test_the_code_makes_one_manager_and_never_a_second(bare):
    code = first_code(bare)
    browser, rival = bare.browser(), bare.browser()
    browser.post("/setup/", {"code": code.lower().replace("-", " ")})
    rival.post("/setup/", {"code": code})
    browser.post("/setup/account", ACCOUNT)
    again = rival.post("/setup/account", {**ACCOUNT, "username": "eve"})
    assert again.status_code == 302
    people = bare.console.accounts.all()
    assert [(p.username, p.role) for p in people] == [("ana.reyes", Role.MANAGER)]


def test_an_expired_code_is_refused(bare):
    code = first_code(bare)
    bare.pass_time(timedelta(days=2).total_seconds())
    assert bare.browser().post("/setup/", {"code": code}).status_code == 400


def test_the_code_stands_in_the_database_only_as_a_hash(bare):
    code = first_code(bare)
    rows = bare.console.store.rows("SELECT * FROM codes")
    assert len(rows) == 1
    assert code not in str([tuple(r) for r in rows])
    assert code.replace("-", "") not in str([tuple(r) for r in rows])


def test_a_setup_code_is_not_made_where_a_person_exists(desk):
    with desk.console.store.reading() as connection, pytest.raises(ValueError, match="exists"):
        codes.make_setup_code(connection, desk.at)


@pytest.mark.parametrize(("field", "value"), [
    ("password", "short"), ("password", "aaaaaaaaaaaaaaaa"), ("again", "something else here"),
    ("username", "admin"), ("username", "Ana Reyes"), ("name", ""), ("organisation", ""),
])
def test_a_careless_account_is_refused_with_its_reason(bare, field, value):
    browser = bare.browser()
    browser.post("/setup/", {"code": first_code(bare)})
    answer = browser.post("/setup/account", {**ACCOUNT, field: value})
    assert answer.status_code == 400
    assert 'class="wrong"' in answer.text
    assert not bare.console.accounts.any()


def test_without_a_policy_the_manager_publishes_first_and_others_wait(bare):
    browser = through_the_account(bare)
    assert browser.get("/").headers["Location"] == "/setup/policy"
    assert "Nothing is stored before this is published" in browser.get("/setup/policy").text
    bare.add(Role.GUARD, "joe", trained=False)
    guard = bare.browser()
    guard.sign_in("joe")
    assert guard.get("/desk/").headers["Location"] == "/setup/waiting"


def test_publishing_is_journaled_before_it_takes_effect_and_told_to_the_gate(bare):
    browser = through_the_account(bare)
    assert browser.post("/setup/policy", FIRST_POLICY).headers["Location"] == "/training/"
    assert bare.fakes.records.actions == ["set_up", "sign_in", "policy_published"]
    assert bare.fakes.door.reloads == 1
    with bare.console.store.reading() as connection:
        policy = site.published(connection)
    assert policy is not None
    assert [p.value for p in policy.purposes] == ["access_control", "visitor_query", "audit"]
    assert (policy.kept_hours_matched, policy.kept_hours_unmatched) == (168.0, 24.0)


def test_a_policy_is_not_published_while_the_journal_cannot_be_written(bare):
    browser = through_the_account(bare)
    bare.fakes.records.stop()
    answer = browser.post("/setup/policy", FIRST_POLICY)
    assert answer.status_code == 400
    with bare.console.store.reading() as connection:
        assert site.published(connection) is None


@pytest.mark.parametrize("hours", ["0", "721", "8760", "-1", "week", "nan"])
def test_no_form_can_keep_reads_beyond_thirty_days(bare, hours):
    browser = through_the_account(bare)
    answer = browser.post("/setup/policy", {**FIRST_POLICY, "kept_unmatched": hours})
    assert answer.status_code == 400
    with bare.console.store.reading() as connection:
        assert site.published(connection) is None


def test_publishing_needs_the_statement_to_be_confirmed(bare):
    browser = through_the_account(bare)
    answer = browser.post("/setup/policy", {**FIRST_POLICY, "agree": ""})
    assert answer.status_code == 400


def test_the_whole_way_from_the_code_to_home(bare):
    browser = through_the_account(bare)
    browser.post("/setup/policy", FIRST_POLICY)
    pass_training(bare, browser)
    assert browser.get("/").status_code == 200


def pass_training(desk: Desk, browser: Browser) -> None:
    with desk.console.store.reading() as connection:
        policy = site.published(connection)
    assert policy is not None

    def say(text: str, /, **values: object) -> str:
        return text % values if values else text

    for module in training.modules(policy, Role.MANAGER, say):
        answers = {f"q{i}": str(q.right) for i, q in enumerate(module.questions)}
        assert browser.post(f"/training/{module.code}", answers).status_code == 302


def test_training_shows_only_itself_until_it_is_passed(desk):
    browser = desk.signed_in(Role.GUARD, trained=False)
    for path in ("/", "/desk/", "/passages/", "/health", "/help/", "/purpose"):
        assert browser.get(path).headers["Location"] == "/training/", path
    assert browser.get("/training/").status_code == 200
    assert browser.get("/account/").status_code == 200
    assert browser.get("/desk/live.jpg").status_code == 401
    assert browser.post("/desk/open", {"reason": "let me"}).headers["Location"] == "/training/"
    assert desk.fakes.door.orders == []


def test_a_wrong_answer_passes_nothing_and_tells_why(desk):
    browser = desk.signed_in(Role.GUARD, trained=False)
    answer = browser.post("/training/privacy", {"q0": "0", "q1": "2", "q2": "0"})
    assert answer.status_code == 400
    assert "any personal use, is prohibited" in answer.text
    assert "training_passed" not in desk.fakes.records.actions


def test_a_new_policy_asks_everyone_for_a_new_reading(desk):
    browser = desk.signed_in(Role.GUARD)
    assert browser.get("/").status_code == 200
    desk.publish(kept_hours_unmatched=12.0)
    assert browser.get("/").headers["Location"] == "/training/"
    assert "12 hours" in browser.get("/training/retention").text


def test_an_installer_is_trained_like_everyone(desk):
    browser = desk.signed_in(Role.INSTALLER, trained=False)
    pass_training(desk, browser)
    assert browser.get("/health").status_code == 200
    assert desk.fakes.records.actions.count("training_passed") == len(training.CODES)
