"""The outbox: one transaction for events and cursor, the latest telling wins, bounded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.clock import iso
from appliance.uplink import outbox as outbox_module
from appliance.uplink.outbox import Event, Outbox

MADE = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)


def an_event(cursor: int, passage: str = "", verdict: str = "open", at: datetime = MADE) -> Event:
    return Event(cursor, passage or f"p{cursor}", iso(at), "main", verdict, "granted", "in")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "uplink" / "outbox.db"


def test_what_was_stored_is_there_after_opening_again(path: Path) -> None:
    first = Outbox(path, MADE)
    first.take_in([an_event(4), an_event(7)])
    first.close()

    again = Outbox(path, MADE + timedelta(days=1))

    assert again.cursor == 7
    assert again.next_after(0, 10) == [an_event(4), an_event(7)]


def test_an_acknowledged_event_is_gone_and_counted(path: Path) -> None:
    box = Outbox(path, MADE)
    box.take_in([an_event(1), an_event(2)])

    box.acknowledged([1, 99])

    assert [e.cursor for e in box.next_after(0, 10)] == [2]
    assert (box.sent, box.waiting) == (1, 1)


def test_a_passage_told_anew_replaces_its_waiting_event_and_keeps_its_id(path: Path) -> None:
    box = Outbox(path, MADE)
    box.take_in([an_event(1, "day.1", "ask_guard"), an_event(2, "day.2")])
    box.take_in([an_event(3, "day.1", "open")])

    told = box.next_after(0, 10)

    assert [(e.id, e.cursor, e.verdict) for e in told] == [("day.2", 2, "open"),
                                                           ("day.1", 3, "open")]
    assert told[1].body["seq"] == 3


def test_the_acknowledgement_of_an_older_telling_keeps_the_newer(path: Path) -> None:
    box = Outbox(path, MADE)
    box.take_in([an_event(1, "day.1", "ask_guard")])
    box.take_in([an_event(2, "day.1", "open")])

    box.acknowledged([1])

    assert [e.cursor for e in box.next_after(0, 10)] == [2]
    assert box.sent == 0


def test_passages_before_the_outbox_was_made_are_passed_over(path: Path) -> None:
    box = Outbox(path, MADE)

    box.take_in([an_event(1, at=MADE - timedelta(seconds=1)), an_event(2)])

    assert [e.cursor for e in box.next_after(0, 10)] == [2]
    assert box.cursor == 2


def test_a_full_outbox_has_no_room(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "MOST", 3)
    box = Outbox(path, MADE)
    box.take_in([an_event(n) for n in range(1, 4)])

    assert box.room == 0


def test_a_page_that_cannot_be_stored_leaves_events_and_cursor_as_they_were(path: Path) -> None:
    box = Outbox(path, MADE)
    box.take_in([an_event(1)])

    with pytest.raises(ValueError):
        box.take_in([an_event(2), Event(3, "p3", "no time", "main", "open", "granted", "in")])

    assert box.cursor == 1
    assert [e.cursor for e in box.next_after(0, 10)] == [1]


def test_a_damaged_file_is_put_aside_and_begun_anew(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database, only words" * 100)

    box = Outbox(path, MADE)
    box.take_in([an_event(1)])

    assert box.waiting == 1
    assert path.with_name("outbox.db.damaged").exists()


def test_only_this_user_may_read_the_file(path: Path) -> None:
    Outbox(path, MADE).close()

    assert path.stat().st_mode & 0o077 == 0
