"""Closed by default: the route walk, the headers, forgery, what one may reach in which role."""

from __future__ import annotations

import pytest
from flask import Flask

from appliance.console import guard
from appliance.console.permissions import ALLOWED, PUBLIC, Permission, guard_of, needs
from appliance.values import Role
from tests.fakes.programs import passage

VALUES = {"passage_id": "p1", "grant_id": 1, "person_id": 1, "what": "enable", "code": "privacy",
          "number": 1, "token": "unsigned", "filename": "postern.css"}


def routes(app: Flask) -> list[tuple[str, str, str]]:
    """endpoint, path, method of everything the app answers."""
    found = []
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            values = {a: VALUES[a] for a in rule.arguments}
            _, path = rule.build(values, append_unknown=False)
            found += [(rule.endpoint, path, m) for m in sorted(rule.methods - {"HEAD", "OPTIONS"})]
    return found


def test_the_public_list_is_exactly_this():
    assert sorted(PUBLIC) == ["health.alive", "notice.shown", "setup.account", "setup.code",
                              "sign.join", "sign.sign_in", "static", "yes.let_in",
                              "yes.shown"]


def test_nobody_reaches_anything_but_the_public_list(desk):
    for endpoint, path, method in routes(desk.app):
        browser = desk.browser()
        data = {"csrf_token": browser.token()} if method == "POST" else None
        answer = browser.client.open(path, method=method, data=data)
        if endpoint in PUBLIC:
            assert answer.status_code in (200, 302, 400, 401, 404), (endpoint, method)
        else:
            assert answer.status_code in (302, 401), (endpoint, method)
            if answer.status_code == 302:
                assert answer.headers["Location"].startswith("/sign-in"), endpoint


@pytest.mark.parametrize("role", list(Role), ids=lambda r: r.value)
def test_each_role_reaches_exactly_what_the_table_says(desk, role):
    desk.fakes.records.keep(passage())
    purpose = {Role.AUDITOR: "audit", Role.CUSTODIAN: "audit", Role.INSTALLER: ""}.get(
        role, "visitor_query")
    browser = desk.signed_in(role, purpose=purpose)
    token = browser.token()
    for endpoint, path, method in routes(desk.app):
        if endpoint in PUBLIC:
            continue
        asked = guard_of(desk.app.view_functions[endpoint])
        if endpoint in ("sign.sign_out", "account.everywhere"):
            leaving = desk.signed_in(role)
            assert leaving.post(path).headers["Location"] == "/sign-in"
            continue
        data = {"csrf_token": token} if method == "POST" else None
        answer = browser.client.open(path, method=method, data=data)
        allowed = role in ALLOWED[asked.permission]
        if allowed:
            assert answer.status_code not in (401, 403), (endpoint, method, answer.status_code)
        else:
            assert answer.status_code == 403, (endpoint, method, answer.status_code)


def test_a_view_without_a_guard_stops_the_app_from_starting():
    app = Flask("bare")
    app.add_url_rule("/hole", "hole", lambda: "plates")
    with pytest.raises(RuntimeError, match="hole"):
        guard.check_closed(app)


def test_installers_may_never_see_a_plate():
    for permission in (Permission.WATCH, Permission.LOOK_UP, Permission.SEE_GRANTS,
                       Permission.JOURNAL, Permission.EDIT_GRANTS):
        assert Role.INSTALLER not in ALLOWED[permission]
    assert Role.CUSTODIAN not in ALLOWED[Permission.LOOK_UP]


def test_every_view_that_can_name_a_plate_asks_for_a_purpose(desk):
    naming = {Permission.WATCH, Permission.LOOK_UP, Permission.SEE_GRANTS,
              Permission.EDIT_GRANTS, Permission.JOURNAL}
    for endpoint, view in desk.app.view_functions.items():
        asked = guard_of(view)
        if asked and asked.permission in naming:
            assert asked.purpose, endpoint


def test_needs_leaves_the_view_as_it_is():
    def view() -> str:
        return "x"

    assert needs(Permission.OWN)(view) is view


def test_every_change_is_a_post_and_carries_a_token(desk):
    browser = desk.signed_in(Role.MANAGER, purpose="visitor_query")
    for endpoint, path, method in routes(desk.app):
        if method == "POST":
            answer = browser.client.post(path, data={"reason": "forged order"})
            assert answer.status_code == 400, endpoint
    assert desk.fakes.door.orders == []


def test_headers_leave_with_every_answer(desk):
    desk.fakes.records.keep(passage())
    browser = desk.signed_in(Role.MANAGER, purpose="visitor_query")
    for endpoint, path, method in routes(desk.app):
        if method != "GET":
            continue
        answer = browser.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        cached = answer.headers["Cache-Control"]
        assert (cached == "no-store") == (endpoint != "static"), (endpoint, cached)


def test_no_page_holds_inline_script_or_style(desk):
    desk.fakes.records.keep(passage())
    desk.fakes.door.at_gate = passage()
    browser = desk.signed_in(Role.MANAGER, purpose="visitor_query")
    for _, path, method in routes(desk.app):
        page = browser.get(path)
        if method == "GET" and page.mimetype == "text/html":
            assert "style=" not in page.text, path
            assert "<style" not in page.text, path
            assert " onclick" not in page.text, path
            assert "javascript:" not in page.text, path
            assert "http://" not in page.text.replace("http://www.w3.org", ""), path


def test_the_pages_weigh_less_than_they_promised(desk):
    folder = desk.app.static_folder
    weights = [(folder, n) for n in ("postern.css", "postern.js")]
    total = sum(len(open(f"{f}/{n}", "rb").read()) for f, n in weights)  # noqa: SIM115
    assert total < 60_000


def test_the_public_notice_needs_no_cookie_and_tells_the_live_values(desk):
    desk.publish(kept_hours_unmatched=36.0)
    answer = desk.browser().get("/notice")
    assert "Set-Cookie" not in answer.headers
    assert "36 hours" in answer.text
    assert "checking that the policy is kept" in answer.text
    assert "incident" not in desk.browser().get("/notice").headers
    spanish = desk.browser().get("/notice?lang=es").text
    assert "Aquí se leen placas" in spanish


def test_a_form_of_megabytes_is_refused(desk):
    browser = desk.signed_in(Role.MANAGER)
    answer = browser.post("/people/invite", {"role": "g" * 100_000})
    assert answer.status_code == 413


def test_an_unknown_address_tells_nothing_to_a_stranger(desk):
    assert desk.browser().get("/secret").headers["Location"] == "/sign-in"
    assert desk.signed_in(Role.GUARD).get("/secret").status_code == 404
