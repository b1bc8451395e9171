"""Sign-in, lock-out, sessions, invitations, one's own account."""

from __future__ import annotations

import re

import argon2

from appliance.console.settings import Settings
from appliance.values import Role
from tests.console.conftest import PASSWORD


def test_the_hash_is_as_costly_in_production_as_promised(desk):
    settings = Settings()
    assert (settings.hash_time_cost, settings.hash_memory_kib) == (3, 19_456)
    hasher = argon2.PasswordHasher(settings.hash_time_cost, settings.hash_memory_kib, 1)
    assert hasher.hash("x").startswith("$argon2id$v=19$m=19456,t=3,p=1$")
    stored = desk.console.store.row("SELECT password_hash FROM people")["password_hash"]
    assert stored.startswith("$argon2id$")


def test_the_limits_of_a_session_are_what_the_house_promises():
    settings = Settings()
    assert (settings.idle_s, settings.absolute_s, settings.purpose_s) == (1800, 43_200, 1800)
    assert (settings.failures_before_lock, settings.shortest_password) == (5, 12)


def test_signing_in_is_journaled_with_the_terms_that_were_shown(desk):
    page = desk.browser().get("/sign-in").text
    assert "never for myself" in page
    answer = desk.browser().sign_in("ana.reyes")
    assert answer.headers["Location"] == "/"
    (entry,) = desk.fakes.records.journal
    assert (entry["action"], entry["actor"], entry["role"]) == ("sign_in", "ana.reyes", "manager")
    assert "2026-11" in entry["query"]


def test_a_wrong_name_and_a_wrong_password_look_the_same(desk):
    def told(answer):
        return re.findall(r'class="wrong".*?<span>(.*?)</span>', answer.text)

    unknown = desk.browser().sign_in("nobody.here", "wrong wrong wrong")
    wrong = desk.browser().sign_in("ana.reyes", "wrong wrong wrong")
    assert unknown.status_code == wrong.status_code == 401
    assert told(unknown) == told(wrong) != []
    assert desk.fakes.records.actions == ["sign_in_failed", "sign_in_failed"]
    assert desk.fakes.records.journal[0]["actor"] == "unknown"


def test_five_failures_lock_the_account_even_for_the_right_password(desk):
    browser = desk.browser()
    for _ in range(4):
        assert browser.sign_in("ana.reyes", "wrong wrong wrong").status_code == 401
    assert browser.sign_in("ana.reyes", "wrong wrong wrong").status_code == 429
    assert browser.sign_in("ana.reyes").status_code == 429
    desk.pass_time(61)
    assert browser.sign_in("ana.reyes").status_code == 302


def test_each_further_failure_waits_twice_as_long(desk):
    browser = desk.browser()
    for _ in range(5):
        browser.sign_in("ana.reyes", "wrong wrong wrong")
    desk.pass_time(61)
    assert browser.sign_in("ana.reyes", "wrong wrong wrong").status_code == 429
    desk.pass_time(61)
    assert browser.sign_in("ana.reyes").status_code == 429
    desk.pass_time(60)
    assert browser.sign_in("ana.reyes").status_code == 302


def test_one_address_that_tries_many_names_has_to_wait(desk):
    browser = desk.browser()
    for i in range(20):
        assert browser.sign_in(f"guess{i}", "wrong wrong wrong").status_code == 401
    assert browser.sign_in("ana.reyes").status_code == 429
    desk.pass_time(601)
    assert browser.sign_in("ana.reyes").status_code == 302


def test_a_session_ends_after_half_an_hour_without_a_request(desk):
    browser = desk.signed_in(Role.MANAGER)
    desk.pass_time(29 * 60)
    assert browser.get("/").status_code == 200
    desk.pass_time(29 * 60)
    assert browser.get("/").status_code == 200
    desk.pass_time(31 * 60)
    assert browser.get("/").headers["Location"] == "/sign-in"


def test_pictures_that_refresh_by_themselves_do_not_keep_a_session_alive(desk):
    browser = desk.signed_in(Role.GUARD, purpose="access_control")
    for _ in range(4):
        desk.pass_time(9 * 60)
        browser.get("/desk/now")
    assert browser.get("/").headers["Location"] == "/sign-in"


def test_a_session_ends_after_twelve_hours_however_busy(desk):
    browser = desk.signed_in(Role.MANAGER)
    for _ in range(24):
        assert browser.get("/").status_code == 200
        desk.pass_time(29 * 60 + 59)
    desk.pass_time(120)
    assert browser.get("/").headers["Location"] == "/sign-in"


def test_signing_in_begins_a_fresh_session(desk):
    browser = desk.browser()
    browser.get("/sign-in")
    before = browser.client.get_cookie("postern").value
    browser.sign_in("ana.reyes")
    after = browser.client.get_cookie("postern").value
    assert before != after
    thief = desk.browser()
    thief.client.set_cookie("postern", before)
    assert thief.get("/").headers["Location"] == "/sign-in"


def test_the_cookie_is_kept_from_scripts_and_from_other_sites(desk):
    answer = desk.browser().sign_in("ana.reyes")
    cookie = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith("postern="))
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


def test_the_token_stands_in_the_database_only_as_a_hash(desk):
    browser = desk.signed_in(Role.MANAGER)
    with browser.client.session_transaction() as held:
        token = held["token"]
    rows = [tuple(r) for r in desk.console.store.rows("SELECT * FROM sessions")]
    assert rows
    assert token not in str(rows)


def test_signing_out_ends_the_session_for_good(desk):
    browser = desk.signed_in(Role.MANAGER)
    cookie = browser.client.get_cookie("postern").value
    browser.post("/sign-out")
    browser.client.set_cookie("postern", cookie)
    assert browser.get("/").headers["Location"] == "/sign-in"
    assert desk.fakes.records.actions[-1] == "sign_out"


def test_after_sign_in_one_goes_on_only_inside_the_console(desk):
    assert desk.browser().sign_in("ana.reyes", then="/health").headers["Location"] == "/health"
    for trap in ("https://example.org/", "//example.org", "/\\example.org", "javascript:1",
                 "/ok\r\nX: 1"):
        assert desk.browser().sign_in("ana.reyes", then=trap).headers["Location"] == "/", trap


def test_an_invitation_makes_one_account_of_its_role(desk):
    manager = desk.signed_in(Role.MANAGER)
    page = manager.post("/people/invite", {"role": "guard"}).text
    code = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}(?=</b>)", page)
    assert code is not None
    form = {"code": code[0], "name": "Joe Park", "organisation": "Night Watch", "username": "joe",
            "password": PASSWORD, "again": PASSWORD}
    assert desk.browser().post("/join", form).status_code == 302
    assert desk.browser().post("/join", {**form, "username": "joe2"}).status_code == 400
    joined = [p for p in desk.console.accounts.all() if p.username.startswith("joe")]
    assert [(p.username, p.role) for p in joined] == [("joe", Role.GUARD)]


def test_a_disabled_person_is_out_at_once_and_cannot_come_back(desk):
    guard = desk.signed_in(Role.GUARD)
    person = next(p for p in desk.console.accounts.all() if p.role is Role.GUARD)
    manager = desk.signed_in(Role.MANAGER)
    manager.post(f"/people/{person.id}/disable")
    assert guard.get("/").headers["Location"] == "/sign-in"
    assert desk.browser().sign_in(person.username).status_code == 401
    manager.post(f"/people/{person.id}/enable")
    assert desk.browser().sign_in(person.username).status_code == 302
    assert desk.fakes.records.actions.count("person_changed") == 2


def test_a_manager_cannot_disable_themself(desk):
    browser = desk.browser()
    browser.sign_in("ana.reyes")
    desk.console.trainings.record(desk.console.accounts.all()[0], "operation", 1, desk.at)
    me = next(p for p in desk.console.accounts.all() if p.username == "ana.reyes")
    browser.post(f"/people/{me.id}/disable")
    assert desk.browser().sign_in("ana.reyes").status_code == 302


def test_a_changed_password_ends_the_other_sessions(desk):
    one, other = desk.browser(), desk.browser()
    one.sign_in("ana.reyes")
    other.sign_in("ana.reyes")
    new = "seven calm green boats"
    form = {"current": PASSWORD, "password": new, "again": new}
    assert one.post("/account/password", {**form, "current": "wrong"}).status_code == 400
    assert one.post("/account/password", form).status_code == 302
    assert one.get("/").status_code == 200
    assert other.get("/").headers["Location"] == "/sign-in"
    assert desk.browser().sign_in("ana.reyes", new).status_code == 302


def test_sign_out_everywhere_means_everywhere(desk):
    one, other = desk.browser(), desk.browser()
    one.sign_in("ana.reyes")
    other.sign_in("ana.reyes")
    one.post("/account/everywhere")
    assert one.get("/").headers["Location"] == "/sign-in"
    assert other.get("/").headers["Location"] == "/sign-in"


def test_language_follows_account_then_cookie_then_browser(desk):
    browser = desk.browser()
    spanish = {"Accept-Language": "es-MX,es;q=0.9"}
    assert "Iniciar sesión" in browser.get("/sign-in", headers=spanish).text
    assert "Iniciar sesión" in browser.get("/sign-in?lang=es").text
    assert "Iniciar sesión" in browser.get("/sign-in").text
    browser.sign_in("ana.reyes")
    assert 'lang="es"' in browser.get("/").text
    browser.post("/account/language", {"language": "en", "then": "/"})
    assert 'html lang="en"' in browser.get("/", headers=spanish).text
