"""People at the running console, driven by Debian's Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.browser import screens, stage

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def play() -> Iterator[stage.Play]:
    with stage.set_up() as found:
        yield found


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=screens.CHROMIUM, args=screens.FLAGS)
        page = chromium.new_context(viewport={"width": 1360, "height": 850}).new_page()
        page.troubles = []  # type: ignore[attr-defined]
        page.on("pageerror", lambda e: page.troubles.append(str(e)))  # type: ignore[attr-defined]
        page.on("console", lambda m: page.troubles.append(m.text)  # type: ignore[attr-defined]
                if "Content Security Policy" in m.text else None)
        yield page
        assert page.troubles == []  # type: ignore[attr-defined]
        chromium.close()


def test_a_guard_opens_by_keyboard_only(play, page):
    screens.sign_in(page, play.address, "joe.park", "access_control")
    page.keyboard.press("2")
    page.wait_for_url("**/desk/")
    before = len(play.desk.fakes.door.orders)
    page.keyboard.press("o")
    page.keyboard.type("Resident, known to me")
    page.keyboard.press("Enter")
    page.wait_for_selector(".note.ok")
    (order,) = play.desk.fakes.door.orders[before:]
    assert (order["verb"], order["reason"]) == ("open_once", "Resident, known to me")


def test_h_then_a_reason_then_enter_holds_open(play, page):
    screens.sign_in(page, play.address, "joe.park", "access_control")
    page.goto(play.address + "/desk/")
    before = len(play.desk.fakes.door.orders)
    page.keyboard.press("h")
    page.keyboard.type("Removal van")
    page.keyboard.press("Enter")
    page.wait_for_selector(".note.ok")
    assert [o["verb"] for o in play.desk.fakes.door.orders[before:]] == ["hold_open"]
    play.desk.fakes.door.held_until_mono = None


def test_the_desk_draws_itself_again_when_the_gate_moves(play, page):
    screens.sign_in(page, play.address, "joe.park", "access_control")
    page.goto(play.address + "/desk/")
    page.wait_for_selector(".barrier.is-closed")
    play.desk.fakes.door.position = "open"
    page.wait_for_selector(".barrier.is-open", timeout=15_000)
    assert "The gate is open" in page.text_content(".answer h1")
    play.desk.fakes.door.position = "closed"
    page.wait_for_selector(".barrier.is-closed", timeout=15_000)


def test_why_it_did_not_open_is_three_clicks_away(play, page):
    screens.sign_in(page, play.address, "ana.reyes")
    page.goto(play.address + "/")
    page.click('.menu a[href="/passages/"]')
    page.click("tbody tr:first-child a.row")
    page.wait_for_selector(".rules .won")
    assert "decided" in page.text_content(".rules .won")


def test_the_barrier_is_seen_to_rise_and_its_inputs_are_pressed_by_keyboard(play, page):
    yard = play.desk.fakes.yard
    screens.sign_in(page, play.address, "ana.reyes")
    page.keyboard.press("b")
    page.wait_for_url("**/barrier/")
    page.focus("#set-fire")
    page.keyboard.press("Enter")
    page.wait_for_selector('#set-fire[aria-pressed="true"]', timeout=15_000)
    assert yard.inputs["fire"]
    assert page.evaluate("document.activeElement.id") == "set-fire"
    yard.raised = 1.0
    page.wait_for_selector('[data-arm][transform="rotate(-84 118 318)"]', timeout=15_000)
    yard.raised, yard.inputs["fire"] = 0.0, False
    page.wait_for_selector('[data-arm][transform="rotate(0 118 318)"]', timeout=15_000)


def test_what_the_guard_types_outlives_a_new_drawing(play, page):
    play.desk.fakes.door.waits = {"waits_for": "code", "waits_left_s": 50, "waits_grant_id": 3}
    screens.sign_in(page, play.address, "joe.park", "access_control")
    page.goto(play.address + "/desk/")
    page.keyboard.press("c")
    page.keyboard.type("47")
    play.desk.fakes.door.position = "moving"
    page.wait_for_selector(".barrier.is-moving", timeout=15_000)
    page.keyboard.type("11")
    assert page.input_value("#factor-code") == "4711"
    play.desk.fakes.door.waits, play.desk.fakes.door.position = {}, "closed"


def test_a_resident_lets_the_car_in_on_a_phone(play, page):
    page.set_viewport_size({"width": 320, "height": 640})
    play.desk.fakes.door.waits = {"waits_for": "resident", "waits_left_s": 50, "waits_grant_id": 6}
    page.goto(f"{play.address}/yes/{screens.token(play, 6)}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.click("main button.primary")
    page.wait_for_selector("text=The gate opens.")
    assert play.desk.fakes.door.orders[-1]["verb"] == "confirm"


def test_no_page_scrolls_sideways_on_a_small_phone(play, page):
    page.set_viewport_size({"width": 320, "height": 640})
    screens.sign_in(page, play.address, "ana.reyes")
    wide = {}
    for name, path in screens.PAGES.items():
        page.goto(play.address + path)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 320:
            wide[name] = width
    assert wide == {}
