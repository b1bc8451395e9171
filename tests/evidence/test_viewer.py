"""The viewer shows reads to a person who is in the log, and lets nothing out."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.evidence import viewer
from appliance.evidence.verify import examine
from appliance.evidence.viewer import IDLE_S, create_app
from tests.evidence.making import ENTRIES, PASSPHRASE, sealed

WHO = {"name": "Det. Example", "agency": "Example PD", "passphrase": PASSPHRASE}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "one.pstn"
    path.write_bytes(sealed(caveat="No warrant."))
    return path


@pytest.fixture
def client(file: Path):
    app = create_app(file)
    return app.test_client()


def ask(client, page: str):
    return client.get(page, base_url="http://127.0.0.1:4000")


def sign_in(client, **changes: str):
    return client.post("/open", data={**WHO, **changes}, base_url="http://127.0.0.1:4000")


def test_nothing_is_shown_without_a_sign_in(client, file):
    for page in ("/reads", "/openings", "/custody"):
        answer = ask(client, page)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert b"PSTN101" not in ask(client, "/").data
    assert examine(file.read_bytes()).openings == ()


def test_each_sign_in_is_in_the_file_before_a_read_is_shown(client, file):
    sign_in(client)
    (opening,) = examine(file.read_bytes()).openings
    assert (opening.name, opening.agency) == ("Det. Example", "Example PD")
    page = ask(client, "/reads").data.decode()
    assert "PSTN101" in page
    assert "No warrant." in page
    assert "Det. Example" in ask(client, "/openings").data.decode()
    assert ask(client, "/custody").data == ENTRIES["custody.html"]
    sign_in(client, name="Ms. Second")
    assert len(examine(file.read_bytes()).openings) == 2


@pytest.mark.parametrize(
    "changes", [{"passphrase": "another passphrase"}, {"name": " "}, {"agency": ""}]
)
def test_a_wrong_sign_in_opens_and_logs_nothing(client, file, changes):
    assert sign_in(client, **changes).status_code == 403
    assert ask(client, "/reads").status_code == 302
    assert examine(file.read_bytes()).openings == ()


def test_a_file_that_takes_no_log_shows_nothing(client, file, monkeypatch):
    def full(*_: object) -> None:
        raise viewer.BundleRefused("the opening cannot be logged, so nothing is shown")

    monkeypatch.setattr(viewer, "log_opening", full)
    answer = sign_in(client)
    assert answer.status_code == 403
    assert b"nothing is shown" in answer.data


@pytest.mark.parametrize("page", ["/", "/reads", "/openings", "/custody"])
def test_no_page_is_kept_printed_or_scripted(client, page):
    sign_in(client)
    answer = ask(client, page)
    assert answer.headers["Cache-Control"] == "no-store"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    text = answer.data.decode()
    assert "<script" not in text
    assert "download" not in text
    if page != "/custody":
        assert "@media print { body { display: none; } }" in text
    if page in ("/reads", "/openings"):
        assert "data:image/svg+xml;base64," in text


def test_another_name_for_this_machine_is_refused(client):
    assert client.get("/", base_url="http://evil.example:4000").status_code == 403


def test_a_quarter_of_an_hour_without_a_page_ends_the_sign_in(client, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(viewer.clock, "mono", lambda: now[0])
    sign_in(client)
    now[0] += IDLE_S
    assert ask(client, "/reads").status_code == 200
    now[0] += IDLE_S + 1
    assert ask(client, "/reads").status_code == 302
    now[0] -= 2
    assert ask(client, "/reads").status_code == 302


def test_who_leaves_is_signed_out(client):
    sign_in(client)
    client.post("/leave", base_url="http://127.0.0.1:4000")
    assert ask(client, "/reads").status_code == 302


@pytest.mark.parametrize(
    ("spoil", "word"), [(lambda d: d[:-9], "incomplete"), (lambda d: d + b"x", "not as it was")]
)
def test_a_bundle_that_is_not_whole_is_not_offered(client, file, spoil, word):
    file.write_bytes(spoil(file.read_bytes()))
    page = ask(client, "/").data.decode()
    assert word in page
    assert "<form" not in page


def test_a_name_is_never_markup(client):
    sign_in(client, name="<i>Det.</i>")
    assert "<i>Det." not in ask(client, "/openings").data.decode()
