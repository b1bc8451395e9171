"""Look-ups: purpose first, journaled by records, plates never in an address; the decision card."""

from __future__ import annotations

from datetime import timedelta

from appliance.values import Reason, Role, Verdict
from tests.fakes.programs import CROP, NOON, by_hand, passage


def test_a_look_up_without_a_purpose_leads_to_the_question_and_back(desk):
    browser = desk.signed_in(Role.GUARD)
    answer = browser.get("/passages/")
    assert answer.headers["Location"] == "/purpose?then=/passages/"
    assert "look_up" not in desk.fakes.records.actions
    form = {"purpose": "visitor_query", "reason": "call at 14:10", "then": "/passages/"}
    assert browser.post("/purpose", form).headers["Location"] == "/passages/"
    assert browser.get("/passages/").status_code == 200
    entry = desk.fakes.records.journal[-1]
    assert (entry["action"], entry["purpose"], entry["reason"]) == (
        "look_up", "visitor_query", "call at 14:10")


def test_a_purpose_that_is_not_published_cannot_be_chosen(desk):
    browser = desk.signed_in(Role.MANAGER)
    assert "legal request" not in browser.get("/purpose").text
    answer = browser.post("/purpose", {"purpose": "legal_request", "reason": "a warrant"})
    assert answer.status_code == 400
    assert browser.get("/passages/").status_code == 302


def test_an_auditor_may_choose_only_the_audit(desk):
    browser = desk.signed_in(Role.AUDITOR)
    assert browser.post("/purpose", {"purpose": "visitor_query", "reason": "curious"}
                        ).status_code == 400
    assert browser.post("/purpose", {"purpose": "audit", "reason": "half-year audit"}
                        ).status_code == 302


def test_a_purpose_needs_a_reason(desk):
    browser = desk.signed_in(Role.GUARD)
    for reason in ("", "   ", "abc"):
        assert browser.post("/purpose", {"purpose": "incident", "reason": reason}
                            ).status_code == 400


def test_a_purpose_is_good_for_half_an_hour(desk):
    browser = desk.signed_in(Role.GUARD, purpose="visitor_query")
    desk.pass_time(29 * 60)
    assert browser.get("/passages/").status_code == 200
    desk.pass_time(61)
    assert browser.get("/passages/").headers["Location"].startswith("/purpose")


def test_the_law_stands_quietly_in_the_frame(desk):
    page = desk.signed_in(Role.GUARD, purpose="visitor_query").get("/passages/").text
    assert "Reads kept 7 days" in page
    assert "Purpose: visitor query" in page
    assert "Your look-ups are logged" in page


def test_a_searched_plate_never_stands_in_an_address(desk):
    desk.fakes.records.keep(passage("PSTN101"))
    desk.fakes.records.keep(passage("QXR4418"))
    browser = desk.signed_in(Role.GUARD, purpose="visitor_query")
    answer = browser.post("/passages/search", {"plate": " pstn 1?1 ", "verdict": "open"})
    address = answer.headers["Location"]
    assert "PSTN" not in address.upper()
    assert "verdict=open" in address
    page = browser.get(address).text
    assert "PSTN101" in page
    assert "QXR4418" not in page
    assert '"plate": "PSTN1?1"' in desk.fakes.records.journal[-1]["query"]


def test_anothers_search_cannot_be_taken_over(desk):
    desk.fakes.records.keep(passage("PSTN101"))
    one = desk.signed_in(Role.GUARD, purpose="visitor_query")
    address = one.post("/passages/search", {"plate": "ZZZ*"}).headers["Location"]
    other = desk.signed_in(Role.GUARD, purpose="visitor_query")
    other.get(address)
    assert "ZZZ" not in desk.fakes.records.journal[-1]["query"]


def test_filters_reach_records_as_they_were_meant(desk):
    browser = desk.signed_in(Role.MANAGER, purpose="incident")
    browser.get("/passages/?from=2026-11-21T06:00&to=2026-11-21T12:30&lane=main&reason=blocked")
    query = desk.fakes.records.journal[-1]["query"]
    assert '"from_at": "2026-11-21T12:00:00.000Z"' in query
    assert '"to_at": "2026-11-21T18:30:00.000Z"' in query
    assert '"reason_code": "blocked"' in query


def test_a_wrong_filter_is_told_and_asks_records_nothing(desk):
    browser = desk.signed_in(Role.MANAGER, purpose="incident")
    assert browser.get("/passages/?from=yesterday").status_code == 400
    assert browser.get("/passages/?verdict=maybe").status_code == 400
    assert "look_up" not in desk.fakes.records.actions


def test_many_passages_come_in_pages(desk):
    for i in range(120):
        desk.fakes.records.keep(passage(f"PSTN{i:03d}", at=NOON + timedelta(minutes=i)))
    browser = desk.signed_in(Role.GUARD, purpose="visitor_query")
    first, last = browser.get("/passages/").text, browser.get("/passages/?page=3").text
    assert "PSTN119" in first
    assert "PSTN000" not in first
    assert "page=2" in first
    assert "PSTN000" in last
    assert "PSTN119" not in last


def test_the_card_shows_the_read_the_entry_and_the_rule_that_decided(desk):
    near = passage("PSTN808", verdict=Verdict.ASK_GUARD, reason=Reason.NEAR_MISS,
                   listed="PSTNB08", broke="lookalike")
    desk.fakes.records.keep(near)
    browser = desk.signed_in(Role.GUARD, purpose="visitor_query")
    page = browser.get("/passages/p1").text
    assert "Asked the guard." in page
    assert 'class="broke won"' in page
    assert page.count('class="char differs"') == 1
    assert "620 ms" in page
    assert "kept by a time server" in page
    assert browser.get("/passages/p1/crop.jpg").data == CROP


def test_a_card_and_its_picture_are_one_look(desk):
    desk.fakes.records.keep(passage())
    browser = desk.signed_in(Role.GUARD, purpose="visitor_query")
    browser.get("/passages/p1")
    browser.get("/passages/p1/crop.jpg")
    assert desk.fakes.records.actions.count("view_passage") == 1
    desk.pass_time(121)
    browser.get("/passages/p1/crop.jpg")
    assert desk.fakes.records.actions.count("view_passage") == 2


def test_an_opening_by_hand_has_a_card_too(desk):
    desk.fakes.records.keep(by_hand())
    page = desk.signed_in(Role.GUARD, purpose="visitor_query").get("/passages/p1").text
    assert "Opened by hand" in page
    assert "Delivery, announced" in page
    assert "ana.reyes" in page


def test_a_passage_that_is_gone_is_told_calmly(desk):
    answer = desk.signed_in(Role.GUARD, purpose="visitor_query").get("/passages/p404")
    assert answer.status_code == 404
    assert "It may have passed its limit" in answer.text


def test_records_may_refuse_a_purpose_the_console_thought_fine(desk):
    desk.fakes.records.keep(passage())
    browser = desk.signed_in(Role.GUARD, purpose="visitor_query")
    desk.fakes.records.published = frozenset({"audit"})
    assert browser.get("/passages/p1").status_code == 403
    assert "not in the published policy" in browser.get("/passages/").text


def test_hostile_text_in_a_record_stays_text(desk):
    desk.fakes.records.keep(passage(label="<script>alert(1)</script>"))
    browser = desk.signed_in(Role.GUARD, purpose="visitor_query")
    for path in ("/passages/", "/passages/p1"):
        assert "<script>alert" not in browser.get(path).text


def test_every_page_goes_on_while_records_is_down(desk):
    browser = desk.signed_in(Role.MANAGER, purpose="visitor_query")
    desk.fakes.records.stop()
    page = browser.get("/passages/")
    assert page.status_code == 200
    assert "No look-up is possible" in page.text
    assert browser.get("/passages/p1").status_code == 503
    assert browser.get("/journal/").status_code == 503
    assert browser.get("/grants/").status_code == 503
    for path in ("/", "/desk/", "/health", "/policy/", "/people/", "/help/", "/account/"):
        assert browser.get(path).status_code == 200, path
    assert "Records does not answer" in browser.get("/").text


def test_every_page_goes_on_while_all_are_down(desk):
    browser = desk.signed_in(Role.MANAGER, purpose="visitor_query")
    for program in desk.fakes.all():
        program.stop()
    for path in ("/", "/desk/", "/health", "/policy/", "/passages/"):
        assert browser.get(path).status_code == 200, path


def test_sign_ins_wait_in_memory_and_are_written_late_with_their_time(desk):
    desk.fakes.records.stop()
    browser = desk.signed_in(Role.GUARD)
    assert browser.get("/").status_code == 200
    assert desk.console.journal.waiting == 1
    desk.pass_time(300)
    desk.fakes.records.start()
    assert desk.console.journal.flush()
    (entry,) = desk.fakes.records.journal
    assert entry["action"] == "sign_in"
    assert "2026-11-21T18:00:00.000Z" in entry["query"]


def test_the_journal_shows_verifies_and_says_where_it_breaks(desk):
    browser = desk.signed_in(Role.AUDITOR, purpose="audit")
    assert "signed in" in browser.get("/journal/").text
    assert "The chain is whole" in browser.post("/journal/verify").text
    desk.fakes.records.whole = False
    assert "broken at entry 3" in browser.post("/journal/verify").text
    desk.fakes.records.receipts = [{"volume": "2026-11-14", "reads": 182, "fingerprint": "ab12",
                                    "destroyed_at": "2026-11-21T00:00:00.000Z"}]
    assert "182" in browser.get("/journal/receipts").text


def test_home_counts_today_without_a_plate_or_a_purpose(desk):
    for i in range(3):
        desk.fakes.records.keep(passage(at=NOON - timedelta(hours=i)))
    desk.fakes.records.keep(passage("QXR4418", verdict=Verdict.ASK_GUARD,
                                    reason=Reason.NOT_LISTED, broke="listed"))
    page = desk.signed_in(Role.INSTALLER).get("/").text
    assert "<dd>3</dd>" in page
    assert "<dd>1</dd>" in page
    assert "PSTN" not in page
    assert "QXR" not in page
