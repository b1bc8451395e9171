"""Screenshots of every page, light and dark, desk and phone, English and Spanish.

    python -m tests.browser.screens [page ...]          into tests/browser/screens/ (not kept)

Looking at them is the test no machine does. Needs Debian's Chromium.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import stage
from tests.console.conftest import PASSWORD

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]
OUT = Path(__file__).parent / "screens"
SIZES = {"desk": (1360, 850), "phone": (390, 844)}
PAGES = {
    "home": "/", "desk": "/desk/", "passages": "/passages/", "card": "/passages/p65",
    "card-open": "/passages/p1", "lists": "/grants/", "entry": "/grants/5",
    "entry-new": "/grants/new",
    "people": "/people/", "policy": "/policy/", "policy-new": "/policy/new",
    "journal": "/journal/", "receipts": "/journal/receipts", "health": "/health",
    "account": "/account/", "help": "/help/", "notice": "/notice", "purpose": "/purpose",
    "training": "/training/", "training-page": "/training/privacy", "lost": "/nowhere",
}


@dataclass(frozen=True, slots=True)
class Look:
    size: str
    look: str
    language: str

    @property
    def name(self) -> str:
        return f"{self.size}-{self.look}-{self.language}"


LOOKS = (Look("desk", "light", "en"), Look("desk", "dark", "en"), Look("phone", "light", "en"),
         Look("phone", "dark", "es"), Look("desk", "light", "es"))


def main(wanted: Sequence[str]) -> int:
    OUT.mkdir(exist_ok=True)
    names = [n for n in PAGES if not wanted or n in wanted]
    with sync_playwright() as driver, stage.set_up() as play, stage.set_up(populated=False) as new:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for look in LOOKS:
            page = _page(chromium, look)
            if not wanted or "setup" in wanted:
                _shoot(page, new.address + "/", f"setup-{look.name}")
            if not wanted or "sign-in" in wanted:
                _shoot(page, play.address + "/sign-in", f"sign-in-{look.name}")
            sign_in(page, play.address, "ana.reyes")
            page.goto(play.address + "/account/")
            page.click(f"button[name=language][value={look.language}]")
            for name in names:
                _shoot(page, play.address + PAGES[name], f"{name}-{look.name}")
            page.context.close()
        chromium.close()
    print(f"{len(list(OUT.glob('*.png')))} pictures in {OUT}")
    return 0


def sign_in(page: Page, address: str, username: str, purpose: str = "visitor_query") -> None:
    page.goto(address + "/sign-in")
    page.fill("#username", username)
    page.fill("#password", PASSWORD)
    with page.expect_navigation():
        page.click("main button.primary")
    page.goto(address + "/purpose")
    page.check(f"input[value={purpose}]")
    page.fill("#reason", "Late shift, gate desk")
    with page.expect_navigation():
        page.click("main button.primary")


def _page(chromium: Browser, look: Look) -> Page:
    width, height = SIZES[look.size]
    context = chromium.new_context(
        viewport={"width": width, "height": height}, color_scheme=look.look, locale=look.language,
        device_scale_factor=2 if look.size == "phone" else 1,
    )
    return context.new_page()


def _shoot(page: Page, address: str, name: str) -> None:
    page.goto(address)
    page.wait_for_timeout(250)
    page.screenshot(path=OUT / f"{name}.png", full_page=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
