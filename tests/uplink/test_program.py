"""The uplink's rounds with no broker and with a fake records program."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from appliance import clock, ipc
from appliance.config import Config
from appliance.config import Uplink as Settings
from appliance.uplink.program import Uplink


class FakeRecords:
    """Answers `feed` as records does; `add` puts a passage in."""

    def __init__(self, path: Path) -> None:
        self.events: list[dict[str, object]] = []
        self.asked: list[int] = []
        self._server = ipc.Server(path, {"feed": self._feed})
        self._server.start()

    def add(self, passage: str, verdict: str = "open") -> None:
        self.events.append({
            "cursor": len(self.events) + 1, "passage_id": passage,
            "at": clock.iso(clock.utc_now() + timedelta(seconds=1)),
            "lane": "main", "verdict": verdict, "reason": "granted", "direction": "in",
        })

    def stop(self) -> None:
        self._server.stop()

    def _feed(self, message: ipc.Message) -> ipc.Message:
        after, limit = message.header["after"], message.header["limit"]
        self.asked.append(after)
        newer = [e for e in self.events if int(str(e["cursor"])) > after]
        return ipc.ok({"events": newer[:limit]})


@pytest.fixture
def on(box: Config) -> Config:
    """Set to a broker at a port where nobody listens."""
    return dataclasses.replace(
        box, uplink=Settings(mqtt_host="127.0.0.1", mqtt_port=1, mqtt_tls=False)
    )


@pytest.fixture
def records(box: Config) -> Iterator[FakeRecords]:
    fake = FakeRecords(box.socket("records"))
    yield fake
    fake.stop()


def _status(uplink: Uplink) -> dict[str, object]:
    return uplink.status(ipc.Message({"verb": "status"})).header


def _issue_keys(uplink: Uplink) -> set[str]:
    issues = _status(uplink)["issues"]
    assert isinstance(issues, list)
    return {issue["key"] for issue in issues}


def test_without_a_broker_it_is_off_and_makes_no_outbox(box: Config) -> None:
    uplink = Uplink(box)

    status = _status(uplink)

    assert status["enabled"] is False
    assert (status["cursor"], status["waiting"], status["sent"], status["issues"]) == (0, 0, 0, [])
    assert not (box.device.state_dir / "uplink").exists()


def test_events_are_kept_while_the_broker_is_away(on: Config, records: FakeRecords) -> None:
    uplink = Uplink(on)
    uplink.step(100.0)
    records.add("day.1")
    records.add("day.2")

    uplink.step(101.0)

    status = _status(uplink)
    assert (status["connected"], status["waiting"], status["cursor"]) == (False, 2, 2)
    assert _issue_keys(uplink) == {"broker"}


def test_records_is_asked_again_only_after_a_while(on: Config, box: Config) -> None:
    uplink = Uplink(on)
    uplink.step(100.0)
    assert "records_down" in _issue_keys(uplink)
    fake = FakeRecords(box.socket("records"))

    uplink.step(100.5)
    assert fake.asked == []
    uplink.step(101.5)

    assert fake.asked == [0]
    assert "records_down" not in _issue_keys(uplink)
    fake.stop()


def test_an_answer_that_is_no_feed_is_an_issue_and_stores_nothing(
    on: Config, records: FakeRecords
) -> None:
    records.events.append({"cursor": 1, "passage_id": "day.1", "at": "yesterday"})
    uplink = Uplink(on)

    uplink.step(100.0)

    assert "records_down" in _issue_keys(uplink)
    assert _status(uplink)["cursor"] == 0


def test_a_public_broker_without_tls_is_told_as_an_issue_and_never_tried(
    box: Config, records: FakeRecords
) -> None:
    settings = Settings(mqtt_host="8.8.8.8", mqtt_port=1883, mqtt_tls=False)
    uplink = Uplink(dataclasses.replace(box, uplink=settings))
    records.add("day.1")

    uplink.step(100.0)

    issues = _status(uplink)["issues"]
    assert isinstance(issues, list)
    assert "public address" in issues[0]["message"]
    assert _status(uplink)["waiting"] == 1
