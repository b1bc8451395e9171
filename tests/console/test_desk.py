"""The desk: who is at the gate, the picture, the buttons, and what works when something is down."""

from __future__ import annotations

import json

import pytest

from appliance.console.pages import desk as desk_page
from appliance.values import Reason, Role, Verdict
from tests.fakes.programs import CROP, passage

NEAR = passage("PSTN808", verdict=Verdict.ASK_GUARD, reason=Reason.NEAR_MISS, listed="PSTNB08",
               label="Flat 27", broke="lookalike")


def test_the_desk_shows_the_car_its_decision_and_the_entry_it_resembles(desk):
    desk.fakes.door.at_gate = NEAR
    page = desk.signed_in(Role.GUARD, purpose="access_control").get("/desk/").text
    assert "PSTN808" in page
    assert "PSTNB08" in page
    assert "Your decision" in page
    assert "a person decides" in page


def test_no_plate_is_shown_before_a_purpose_is_chosen(desk):
    desk.fakes.door.at_gate = NEAR
    browser = desk.signed_in(Role.GUARD)
    answer = browser.get("/desk/")
    assert answer.headers["Location"].startswith("/purpose?then=")
    for path in ("/desk/now", "/desk/live.jpg", "/desk/crop.jpg", "/desk/events"):
        assert browser.get(path).status_code == 401, path
    assert "view_at_gate" not in desk.fakes.records.actions


def test_the_look_at_a_car_is_journaled_once_with_purpose_and_reason(desk):
    desk.fakes.door.at_gate = NEAR
    browser = desk.signed_in(Role.GUARD, purpose="access_control")
    browser.get("/desk/")
    desk.fakes.door.position = "open"
    browser.get("/desk/now")
    browser.get("/desk/crop.jpg")
    looks = [e for e in desk.fakes.records.journal if e["action"] == "view_at_gate"]
    assert len(looks) == 1
    assert (looks[0]["purpose"], looks[0]["reason"]) == ("access_control", "case 12/2026")


def test_another_car_is_another_look(desk):
    desk.fakes.door.at_gate = NEAR
    browser = desk.signed_in(Role.GUARD, purpose="access_control")
    browser.get("/desk/now")
    desk.fakes.door.at_gate = passage("PSTN101")
    assert "PSTN101" in browser.get("/desk/now").text
    assert desk.fakes.records.actions.count("view_at_gate") == 2


def test_the_crop_belongs_to_the_session_that_looked(desk):
    desk.fakes.door.at_gate = NEAR
    browser = desk.signed_in(Role.GUARD, purpose="access_control")
    browser.get("/desk/")
    assert browser.get("/desk/crop.jpg").data == CROP
    other = desk.signed_in(Role.GUARD, purpose="access_control")
    assert other.get("/desk/crop.jpg").status_code == 404


def test_the_live_picture_is_journaled_once_a_view_not_once_a_frame(desk):
    browser = desk.signed_in(Role.GUARD, purpose="access_control")
    for _ in range(20):
        assert browser.get("/desk/live.jpg").status_code == 200
        desk.pass_time(1)
    assert desk.fakes.records.actions.count("view_live") == 1
    desk.pass_time(61)
    browser.get("/desk/live.jpg")
    assert desk.fakes.records.actions.count("view_live") == 2


def test_no_journal_entry_no_picture_but_the_buttons_work(desk):
    desk.fakes.door.at_gate = NEAR
    browser = desk.signed_in(Role.GUARD, purpose="access_control")
    desk.fakes.records.stop()
    desk.fakes.door.records_ok = False
    assert browser.get("/desk/live.jpg").status_code == 503
    page = browser.get("/desk/").text
    assert "PSTN808" not in page
    assert "cannot be written to the journal" in page
    assert browser.post("/desk/open", {"reason": "resident, known to me"}).status_code == 302
    assert [o["verb"] for o in desk.fakes.door.orders] == ["open_once"]


def test_opening_carries_who_why_and_the_purpose_of_the_gate(desk):
    browser = desk.signed_in(Role.GUARD)
    browser.post("/desk/open", {"reason": "  Delivery,   announced "})
    (order,) = desk.fakes.door.orders
    assert order["reason"] == "Delivery, announced"
    assert order["purpose"] == "access_control"
    assert order["role"] == "guard"
    assert order["organisation"] == "Alder Court HOA"


@pytest.mark.parametrize("path", ["/desk/open", "/desk/hold"])
@pytest.mark.parametrize("reason", ["", "   ", "ok"])
def test_without_a_reason_nothing_moves(desk, path, reason):
    browser = desk.signed_in(Role.GUARD, purpose="access_control")
    browser.post(path, {"reason": reason})
    assert desk.fakes.door.orders == []
    assert "Write the reason first" in browser.get("/desk/").text


def test_holding_is_a_short_lease_and_can_be_released(desk):
    browser = desk.signed_in(Role.GUARD, purpose="access_control")
    browser.post("/desk/hold", {"reason": "removal van"})
    assert desk.fakes.door.orders[-1]["lease_s"] == 30
    browser.post("/desk/release")
    assert [o["verb"] for o in desk.fakes.door.orders] == ["hold_open", "release"]


def test_what_the_gate_refuses_is_told_with_the_next_step(desk):
    desk.fakes.door.refuse = "the barrier was opened a moment ago"
    browser = desk.signed_in(Role.GUARD, purpose="access_control")
    browser.post("/desk/open", {"reason": "delivery"})
    page = browser.get("/desk/").text
    assert "the barrier was opened a moment ago. Wait three seconds" in page


def test_a_barrier_that_did_not_move_is_told_as_such(desk):
    desk.fakes.door.moved = "no"
    browser = desk.signed_in(Role.GUARD, purpose="access_control")
    browser.post("/desk/open", {"reason": "delivery"})
    assert "the barrier did not move" in browser.get("/desk/").text


def test_a_dead_gate_program_is_told_and_the_page_goes_on(desk):
    desk.fakes.door.stop()
    browser = desk.signed_in(Role.GUARD, purpose="access_control")
    assert "The gate program does not answer" in browser.get("/desk/").text
    browser.post("/desk/open", {"reason": "delivery"})
    assert "Open with the barrier" in browser.get("/desk/").text


def test_a_dead_camera_leaves_the_desk_working(desk):
    desk.fakes.view.stop()
    desk.fakes.door.camera = "lost"
    browser = desk.signed_in(Role.GUARD, purpose="access_control")
    page = browser.get("/desk/").text
    assert "opens only by hand" in page
    assert browser.get("/desk/live.jpg").status_code == 503
    browser.post("/desk/open", {"reason": "delivery"})
    assert len(desk.fakes.door.orders) == 1


def test_events_tell_that_something_changed_and_never_a_plate(desk):
    desk.fakes.door.at_gate = NEAR
    browser = desk.signed_in(Role.GUARD, purpose="access_control")
    answer = browser.get("/desk/events")
    assert answer.mimetype == "text/event-stream"
    steps = iter(answer.response)
    told = [next(steps) for _ in range(2)]
    desk.mono += 1
    answer.close()
    text = b"".join(t if isinstance(t, bytes) else t.encode() for t in told).decode()
    key = json.loads(text.split("data: ")[1])["key"]
    assert key.startswith("closed")
    assert "PSTN" not in text


def test_a_closed_stream_gives_its_place_back(desk):
    browser = desk.signed_in(Role.GUARD, purpose="access_control")
    for _ in range(desk.console.settings.streams * 3):
        answer = browser.get("/desk/events")
        next(iter(answer.response))
        answer.close()
    assert browser.get("/desk/events").status_code == 200


def test_more_streams_than_threads_can_bear_are_refused(desk):
    browser = desk.signed_in(Role.GUARD, purpose="access_control")
    held = []
    for _ in range(desk.console.settings.streams):
        answer = browser.get("/desk/events", buffered=False)
        next(iter(answer.response))
        held.append(answer)
    assert browser.get("/desk/events").status_code == 503
    for answer in held:
        answer.close()


def test_the_key_of_the_desk_changes_with_the_barrier_the_car_and_nothing_else(desk):
    def key():
        from appliance.console import gate_answers, programs

        return desk_page.state_key(
            gate_answers.gate(desk.console.programs.ask(programs.DOOR, "status")), 10.0)

    first = key()
    assert key() == first
    desk.fakes.door.position = "moving"
    moved = key()
    assert moved != first
    desk.fakes.door.at_gate = NEAR
    assert key() not in (first, moved)


def test_an_auditor_cannot_open(desk):
    browser = desk.signed_in(Role.AUDITOR, purpose="audit")
    assert browser.post("/desk/open", {"reason": "just trying"}).status_code == 403
    assert desk.fakes.door.orders == []
