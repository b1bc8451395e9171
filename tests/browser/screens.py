"""Screenshots of every page, light and dark, desk and phone, English and Spanish.

    python -m tests.browser.screens [page ...]          into tests/browser/screens/ (not kept)

Looking at them is the test no machine does. Needs Debian's Chromium.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from appliance.barrier.commissioning import look
from appliance.console import second_factors
from appliance.console.commissionings import Commissionings
from appliance.console.lists import Lists
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
    "barrier": "/barrier/", "commissioning": "/barrier/commissioning/",
    "commissioned": "/barrier/commissioning/1", "resident-link": "/grants/6/yes",
    "account": "/account/", "help": "/help/", "notice": "/notice", "purpose": "/purpose",
    "training": "/training/", "training-page": "/training/privacy", "lost": "/nowhere",
}


def _stop(play: stage.Play) -> None:
    play.desk.fakes.door.barrier = {
        "state": "stopped_by_hand", "stop": True, "entry_loop": True, "tamper": True}
    play.desk.fakes.yard.inputs = {**play.desk.fakes.yard.inputs, "stop": True,
                                   "entry_loop": True, "tamper": True}


def _fire(play: stage.Play) -> None:
    door, yard = play.desk.fakes.door, play.desk.fakes.yard
    door.position = "open"
    door.barrier = {"state": "fire", "fire": True, "contact": True, "safety_loop": True,
                    "photocell": True, "faults": ["stuck_photo"]}
    yard.raised = 1.0
    yard.inputs = {**yard.inputs, "fire": True, "safety_loop": True, "photocell": True}


def _poor(play: stage.Play) -> None:
    play.desk.fakes.yard.stop()
    play.desk.fakes.door.position = "unknown"
    play.desk.fakes.door.barrier = {
        "driver": "lcus", "controller": {}, "contact": None,
        **dict.fromkeys(("entry_loop", "safety_loop", "photocell", "exit_request", "fire", "stop",
                         "tamper")),
        "capabilities": {"warns": ["relay_may_stick", "no_feedback", "unauthenticated"]}}


def _testing(play: stage.Play) -> None:
    Commissionings(play.desk.console.store).begin(
        look(play.desk.console.programs.ask("door", "status").header), "sam.ito",
        play.desk.console.now())


def _code(play: stage.Play) -> None:
    play.desk.fakes.door.waits = {"waits_for": "code", "waits_left_s": 42.0, "waits_grant_id": 3}


def _resident(play: stage.Play) -> None:
    play.desk.fakes.door.waits = {"waits_for": "resident", "waits_left_s": 42.0,
                                  "waits_grant_id": 6}


def _calm(play: stage.Play) -> None:
    door, yard = play.desk.fakes.door, play.desk.fakes.yard
    door.barrier, door.waits, door.position = {}, {}, "closed"
    yard.raised, yard.inputs = 0.0, dict.fromkeys(yard.inputs, False)
    yard.stop()
    yard.start()
    with play.desk.console.store.writing() as connection:
        connection.execute("DELETE FROM commissionings WHERE ended_at IS NULL")


STATES: dict[str, tuple[str, Callable[[stage.Play], None]]] = {
    "barrier-stop": ("/barrier/", _stop), "barrier-fire": ("/barrier/", _fire),
    "barrier-poor": ("/barrier/", _poor), "home-stop": ("/", _stop), "desk-code": ("/desk/", _code),
    "commissioning-step": ("/barrier/commissioning/", _testing), "yes": ("/yes/", _resident),
    "yes-none": ("/yes/", _calm),
}
"""Pages as they look when something is the matter: the path and what is done before."""


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
            for name, (path, prepare) in STATES.items():
                if wanted and name not in wanted:
                    continue
                prepare(play)
                if path == "/yes/":
                    path += token(play, 6)
                _shoot(page, play.address + path, f"{name}-{look.name}")
                _calm(play)
            page.context.close()
        chromium.close()
    print(f"{len(list(OUT.glob('*.png')))} pictures in {OUT}")
    return 0


def token(play: stage.Play, grant_id: int) -> str:
    """The resident's link of an entry."""
    entry = Lists(play.desk.console.store).by_id(grant_id)
    return second_factors.token(entry, play.desk.app.secret_key)


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
