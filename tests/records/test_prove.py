"""`postern retention prove` finds what is kept too long, and a plate wherever it could lie."""

from __future__ import annotations

import base64
import json

import pytest

from appliance.__main__ import main
from appliance.commands import retention as command
from appliance.records import prove
from appliance.records.prove import examine, search, spellings
from appliance.values import ClockQuality
from tests.records.room import Room

CANARY = "PSTN4711"


def _examine(room: Room) -> prove.Standing:
    return examine(room.config, room.times(), room.boot)


def _root(room: Room):
    return room.config.device.state_dir / "records"


def test_a_room_that_keeps_its_limits_says_so(room: Room):
    room.see("a", "PSTN101", matched=True)
    room.times.passes(hours=1)
    room.see("b", "PSTN102")
    room.times.passes(hours=72)
    room.records.sweep()
    room.times.passes(days=1)
    room.see("c", "PSTN103")
    standing = _examine(room)
    assert standing.kept
    held = {c.read_class: (c.reads, c.limit_h, c.oldest_at, c.late) for c in standing.classes}
    assert held == {
        "resident": (1, 336, "2026-11-21T12:00:00.000Z", 0),
        "matched": (0, 336, "", 0),
        "unmatched": (1, 72, "2026-11-25T13:00:00.000Z", 0),
    }
    assert (standing.policy_version, standing.volumes, standing.receipts) == (1, 2, 0)


def test_a_read_past_its_limit_by_more_than_two_sweeps_is_late(room: Room):
    room.see("a", "PSTN101")
    room.times.passes(hours=72, seconds=120, milliseconds=-1)
    assert _examine(room).kept
    room.times.passes(milliseconds=1)
    standing = _examine(room)
    assert [c.late for c in standing.classes] == [0, 0, 1]
    assert not standing.kept
    room.records.sweep()
    assert _examine(room).kept


def test_three_minutes_are_late_after_thirty_seconds(room: Room):
    room.publish(kept_hours_unmatched=0.05)
    room.see("a", "PSTN101")
    room.times.passes(seconds=209)
    assert _examine(room).kept
    room.times.passes(seconds=1)
    assert not _examine(room).kept


def test_a_clock_that_cannot_be_believed_shows_nothing(room: Room):
    room.times.clock = ClockQuality.UNKNOWN
    assert not _examine(room).kept


def test_without_a_site_the_ceiling_is_the_limit(bare: Room):
    standing = _examine(bare)
    assert standing.kept
    assert {c.limit_h for c in standing.classes} == {719}
    assert standing.policy_version == 0


def test_every_receipt_is_checked_and_its_volume_must_be_gone(room: Room):
    room.see("a", "PSTN101")
    key = (_root(room) / "keys" / "2026-11-21.key").read_bytes()
    data = (_root(room) / "reads" / "2026-11-21.db").read_bytes()
    room.records.parts.volumes.named("2026-11-21").forget_deleted()
    data = (_root(room) / "reads" / "2026-11-21.db").read_bytes()
    room.times.passes(hours=73)
    room.records.sweep()
    assert (_examine(room).kept, _examine(room).receipts) == (True, 1)
    (_root(room) / "keys" / "2026-11-21.key").write_bytes(key)
    (_root(room) / "reads" / "2026-11-21.db").write_bytes(data)
    assert _examine(room).bad_receipts == ("2026-11-21",)
    (_root(room) / "reads" / "2026-11-21.db").unlink()
    connection = room.journal_db()
    connection.execute("UPDATE entries SET query = replace(query, '\"reads\":1', '\"reads\":2')")
    connection.close()
    assert _examine(room).bad_receipts == ("2026-11-21",)
    assert not _examine(room).kept


def test_a_change_of_identity_that_nobody_signed_makes_every_receipt_doubtful(
    room: Room, monkeypatch
):
    def unsigned(*_):
        raise prove.BadChange(3)

    monkeypatch.setattr(prove, "publics", unsigned)
    assert not _examine(room).kept


def test_a_volume_that_does_not_open_is_named(room: Room):
    room.see("a", "PSTN101")
    (_root(room) / "keys" / "2026-11-21.key").unlink()
    standing = _examine(room)
    assert standing.unreadable == ("2026-11-21",)
    assert not standing.kept


def test_what_was_set_aside_is_late_when_its_youngest_read_must_be(room: Room):
    room.see("a", "PSTN101")
    room.stop()
    (_root(room) / "reads" / "2026-11-21.db").write_bytes(b"\0" * 8192)
    room.start()
    assert _examine(room).set_aside == ("2026-11-21",)
    assert _examine(room).kept
    room.times.passes(days=15)
    assert _examine(room).late_set_aside == ("2026-11-21",)
    assert not _examine(room).kept
    room.records.sweep()
    assert _examine(room).kept


@pytest.mark.parametrize(
    "hidden",
    [
        CANARY.encode(),
        CANARY.lower().encode(),
        CANARY[::-1].encode(),
        CANARY.encode("utf-16-le"),
        CANARY.encode("utf-16-be"),
        CANARY.encode().hex().encode(),
        *(base64.b64encode(b"x" * n + CANARY.encode() + b"yy") for n in range(3)),
    ],
)
def test_a_canary_is_found_in_every_spelling_and_across_pieces(tmp_path, hidden, monkeypatch):
    monkeypatch.setattr(prove, "_PIECE", 16)
    (tmp_path / "folder").mkdir()
    file = tmp_path / "folder" / "log"
    for before in range(20):
        file.write_bytes(b"." * before + hidden + b"." * 9)
        assert search((tmp_path,), CANARY).found == ("log",)
    file.write_bytes(b"." * 40 + hidden[:-7])
    searched = search((tmp_path,), CANARY)
    assert (searched.clean, searched.files, searched.size) == (True, 1, 33 + len(hidden))


def test_a_canary_in_a_files_name_is_found_and_what_is_no_file_is_passed(tmp_path):
    (tmp_path / f"crop-{CANARY}.jpg").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert search((tmp_path,), CANARY).found == (f"crop-{CANARY}.jpg",)


def test_a_file_that_cannot_be_read_shows_nothing_and_one_that_went_away_is_no_matter(
    tmp_path, monkeypatch
):
    (tmp_path / "locked").touch()
    (tmp_path / "gone").touch()

    def holds(path, _):
        raise PermissionError if path.name == "locked" else FileNotFoundError

    monkeypatch.setattr(prove, "_holds", holds)
    searched = search((tmp_path,), CANARY)
    assert (searched.unread, searched.found, searched.files) == (("locked",), (), 1)
    assert not searched.clean


def test_a_short_canary_is_refused():
    with pytest.raises(ValueError, match="6 characters"):
        search((), "PSTN1")
    assert len(spellings(CANARY)) == len(set(spellings(CANARY)))


def test_the_whole_rooms_files_hold_no_byte_of_a_plate_at_any_time(room: Room):
    folders = (room.config.device.state_dir, room.config.device.run_dir)
    room.publish(residents_counted=True, anti_passback=True)
    for matched in (False, True):
        room.see("a", CANARY, matched=matched)
        room.find(plate=CANARY)
        assert search(folders, CANARY).clean
    room.times.passes(hours=73)
    room.records.sweep()
    assert search(folders, CANARY).clean


@pytest.fixture
def here(room: Room, monkeypatch):
    """The command in this room: its moment is the room's."""
    monkeypatch.setattr(command.times, "moment", room.times)
    monkeypatch.setattr(command.times, "boot", lambda: room.boot)
    monkeypatch.setattr("appliance.config.load", lambda _: room.config)
    return room


def test_the_command_says_kept_and_ends_with_0(here: Room, capsys):
    here.see("a", "PSTN101")
    assert main(["retention", "prove", "--canary", CANARY]) == 0
    told = capsys.readouterr().out
    assert "unmatched     1 held, limit 72 h" in told
    assert told.endswith("Kept.\n")
    assert CANARY not in told
    assert main(["retention", "prove", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kept"] is True


def test_the_command_says_what_is_not_kept_and_ends_with_1(here: Room, capsys):
    here.see("a", "PSTN101")
    (here.config.device.state_dir / "note").write_text(CANARY)
    assert main(["retention", "prove", "--canary", CANARY]) == 1
    assert "1 hold it: note" in capsys.readouterr().out
    here.stop()
    (_root(here) / "reads" / "2026-11-21.db").write_bytes(b"\0" * 8192)
    here.start()
    here.times.passes(days=15)
    assert main(["retention", "prove"]) == 1
    told = capsys.readouterr().out
    assert "1 past their limit: 2026-11-21" in told
    assert told.endswith("NOT KEPT.\n")
    assert main(["retention", "prove", "--canary", "P1"]) == 1
    assert "longer invented plate" in capsys.readouterr().err


def test_a_missing_journal_is_said_and_not_taken_for_a_clean_slate(here: Room, capsys):
    here.see("a", "PSTN101")
    here.stop()
    for path in (_root(here) / "journal").glob("journal.db*"):
        path.unlink()
    assert main(["retention", "prove"]) == 1
    assert "there is no journal here" in capsys.readouterr().err
    here.start()
