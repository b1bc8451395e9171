"""A console beside its four fakes, a clock that stands still, and a person at the browser."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance import site
from appliance.compliance import training
from appliance.config import Config
from appliance.console import codes
from appliance.console.app import create_app
from appliance.console.context import Console
from appliance.console.settings import CHEAP
from appliance.values import Role
from tests.fakes.programs import NOON, Fakes

PASSWORD = "four quiet brown horses"
POLICY = {
    "site_name": "Alder Court", "site_zone": "America/Chicago", "jurisdiction": "us-il",
    "purposes": ["access_control", "visitor_query", "incident", "resident_request", "audit"],
    "kept_hours_matched": 168.0, "kept_hours_unmatched": 24.0,
}


@dataclass
class Desk:
    """The console under test: its app, its fakes, its clock."""

    app: Flask
    fakes: Fakes
    config: Config
    at: datetime = NOON
    mono: float = 5000.0
    clients: list[FlaskClient] = field(default_factory=list)

    @property
    def console(self) -> Console:
        found: Console = self.app.extensions["postern"]
        return found

    def pass_time(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.mono += seconds

    def publish(self, **changes: object) -> int:
        with self.console.store.reading() as connection:
            return site.publish(connection, {**POLICY, **changes}, "ana.reyes")

    def add(self, role: Role, username: str = "", *, trained: bool = True) -> Any:
        """An account with ``PASSWORD``, as an invitation would make it."""
        console, name = self.console, username or f"a.{role.value}"
        with console.store.writing() as connection:
            code = codes.make_invite(connection, role, "test", self.at, 3600)
        with console.store.reading() as connection:
            found = codes.find(connection, code, self.at)
        assert found is not None
        person = console.accounts.join(found, name, name.title(), "Alder Court HOA", PASSWORD,
                                       self.at)
        assert person is not None
        if trained:
            with console.store.reading() as connection:
                policy = site.published(connection)
            for module in training.CODES:
                console.trainings.record(person, module, policy.version if policy else 0, self.at)
        return person

    def browser(self) -> Browser:
        client = self.app.test_client()
        self.clients.append(client)
        return Browser(client)

    def signed_in(self, role: Role, *, purpose: str = "", trained: bool = True) -> Browser:
        """A person of that role at a fresh browser; with a purpose where one is named."""
        person = self.add(role, f"{role.value}.{len(self.clients)}", trained=trained)
        browser = self.browser()
        answer = browser.sign_in(person.username)
        assert answer.status_code == 302, answer.text
        if purpose:
            chosen = browser.post("/purpose", {"purpose": purpose, "reason": "case 12/2026"})
            assert chosen.status_code == 302, chosen.text
        return browser


@dataclass
class Browser:
    """A client that fetches a form's token before it posts, as a browser does."""

    client: FlaskClient

    def get(self, path: str, **rest: Any) -> TestResponse:
        return self.client.get(path, **rest)

    def token(self) -> str:
        for path in ("/account/", "/sign-in", "/setup/"):
            found = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get(path).text)
            if found:
                return found[1]
        raise AssertionError("no page with a form")

    def post(self, path: str, form: dict[str, Any] | None = None, **rest: Any) -> TestResponse:
        return self.client.post(path, data={"csrf_token": self.token(), **(form or {})}, **rest)

    def sign_in(self, username: str, password: str = PASSWORD, then: str = "") -> TestResponse:
        return self.post("/sign-in", {"username": username, "password": password, "then": then})


@contextlib.contextmanager
def opened(box: Config) -> Iterator[Desk]:
    with Fakes(box) as fakes:
        desk = Desk(None, fakes, box)  # type: ignore[arg-type]
        desk.app = create_app(box, CHEAP, now=lambda: desk.at, mono=lambda: desk.mono)
        try:
            yield desk
        finally:
            desk.console.store.close()


@pytest.fixture
def bare(box: Config) -> Iterator[Desk]:
    """Nobody has an account and nothing is published."""
    with opened(box) as desk:
        yield desk


@pytest.fixture
def desk(bare: Desk) -> Desk:
    """A policy is published and one manager exists, so that set-up is over."""
    bare.publish()
    bare.add(Role.MANAGER, "ana.reyes")
    return bare
