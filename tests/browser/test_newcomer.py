"""A newcomer's first ten minutes on the whole product: from the one-time code to a decision card.

Nothing is faked here but the car park: five programs, the demo clip as camera, the simulated arm.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.browser import screens
from tests.system.product import Product

pytestmark = [pytest.mark.browser, pytest.mark.system]

PASSWORD = "a long walk by the canal"  # noqa: S105 - of a person who does not exist
SHOTS = screens.OUT


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=screens.CHROMIUM, args=screens.FLAGS)
        page = chromium.new_context(
            viewport={"width": 1360, "height": 850}, color_scheme="light"
        ).new_page()
        page.set_default_timeout(30_000)
        page.hosts = set()  # type: ignore[attr-defined]
        page.on("request", lambda r: page.hosts.add(r.url.split("/")[2]))  # type: ignore[attr-defined]
        yield page
        chromium.close()


def test_from_the_one_time_code_to_why_a_car_was_let_in(page):
    with Product.started() as product:
        product.wait_for(lambda s: s["ok"], 60)
        address = f"http://127.0.0.1:{product.config.console.port}"
        _set_up(page, address, product.code or "")
        _train(page)
        _purpose(page, address)
        product.wait_for(lambda s: s["counts"].get("opened", 0) >= 2, 120)

        page.goto(address + "/")
        _shoot(page, "whole-home")
        page.goto(address + "/passages/")
        assert page.locator("tbody tr").count() >= 1
        _shoot(page, "whole-passages")
        page.locator("tbody tr", has_text="Opened").first.locator("a.row").click()
        page.wait_for_selector(".rules .won")
        _shoot(page, "whole-card")
        assert page.locator("img").first.evaluate("i => i.naturalWidth") > 50, "the plate's picture"

        page.goto(address + "/desk/")
        _wait_for_a_car(page)
        _shoot(page, "whole-desk")
        page.keyboard.press("o")
        page.keyboard.type("Parcel for the office")
        page.keyboard.press("Enter")
        page.wait_for_selector(".note")
        product.wait_for(lambda s: s["counts"].get("manual", 0) >= 1, 20)

        page.goto(address + "/journal/")
        text = page.text_content("main") or ""
        assert "Parcel for the office" in text
        _shoot(page, "whole-journal")
        assert page.hosts == {address.split("/")[2]}  # type: ignore[attr-defined]
        assert PASSWORD not in product.logs(10_000)


def _set_up(page: Page, address: str, code: str) -> None:
    page.goto(address + "/")
    page.fill("#code", code)
    page.click("main button.primary")
    page.wait_for_selector("#username")
    page.fill("#name", "Robin Hale")
    page.fill("#organisation", "Alder Court Homes")
    page.fill("#username", "robin.hale")
    page.fill("#password", PASSWORD)
    if page.locator("#again").count():
        page.fill("#again", PASSWORD)
    page.click("main button.primary")
    page.wait_for_url("**/training**")


def _train(page: Page) -> None:
    """Answers like someone who reads: picks, looks at what was wrong, picks again."""
    page.click("main a.primary")
    for _ in range(60):
        questions = page.locator("fieldset.question")
        if not questions.count():
            more = page.locator("main a.button.primary")
            if more.count() and "/training" in (more.get_attribute("href") or ""):
                more.click()
                continue
            return
        wrong = page.locator("fieldset.question:has(.wrong)")
        for i in range(questions.count()):
            options = questions.nth(i).locator("input")
            picked = questions.nth(i).locator("input:checked")
            if not picked.count():
                options.nth(0).check()
            elif wrong.count() and questions.nth(i).locator(".wrong").count():
                value = int(picked.get_attribute("value") or 0)
                options.nth((value + 1) % options.count()).check()
        with page.expect_navigation():
            page.click("main button.primary")
    raise AssertionError("the training could not be passed")


def _purpose(page: Page, address: str) -> None:
    page.goto(address + "/purpose")
    page.check("input[value=visitor_query]")
    page.fill("#reason", "Getting to know the gate")
    with page.expect_navigation():
        page.click("main button.primary")


def _wait_for_a_car(page: Page) -> None:
    """A car stands at the demo's gate about every ten seconds."""
    page.wait_for_selector(".cells, .plate", timeout=60_000)
    page.wait_for_timeout(600)


def _shoot(page: Page, name: str) -> None:
    SHOTS.mkdir(exist_ok=True)
    page.wait_for_timeout(300)
    page.screenshot(path=SHOTS / f"{name}.png")
