"""A disk that fills costs the oldest reads, never the journal and never what a hold named."""

from __future__ import annotations

import errno
import json
from types import SimpleNamespace

import pytest
import sqlcipher3

from appliance.errors import RecordError, VaultError
from appliance.records import disk as disk_module
from appliance.records.destruction import receipt_holds
from appliance.records.volume import is_no_room
from tests.records.room import AUDITOR, Room, passage


class Card:
    """A card of a hundred blocks: each volume takes ten, something else takes ``others``."""

    def __init__(self, room: Room, others: int) -> None:
        self.room, self.others = room, others
        room.records.parts.disk._usage = self

    def __call__(self, folder):
        used = self.others + 10 * len(list(folder.glob("*.db")))
        return SimpleNamespace(total=100, free=100 - used)


def _days(room: Room, number: int) -> None:
    for day in range(number):
        if day:
            room.times.passes(days=1)
        room.see(f"k{day}", f"PSTN{day}00")


@pytest.fixture
def full(room: Room) -> Room:
    """Four days of reads, long limits."""
    room.publish(kept_hours_matched=600, kept_hours_unmatched=600)
    _days(room, 4)
    return room


def _told(room: Room) -> list[dict]:
    return [json.loads(e["query"]) for e in room.entries(action="disk_low")]


def test_above_four_fifths_a_warning_is_given_and_journaled_once(full: Room):
    Card(full, others=41)
    full.records.sweep()
    full.records.sweep()
    assert full.issues() == {"disk_low"}
    assert _told(full) == [{"used": 0.81}]
    assert len(full.plates()) == 4
    full.records.parts.disk._usage.others = 10
    full.records.sweep()
    assert full.issues() == set()
    full.records.parts.disk._usage.others = 45
    full.records.sweep()
    assert len(_told(full)) == 2


def test_a_full_disk_costs_the_oldest_volumes_until_enough_is_free(full: Room):
    Card(full, others=60)
    full.records.sweep()
    assert full.plates() == ["PSTN300", "PSTN200"]
    answer = full.ask("receipts", **AUDITOR).header
    assert [(r["volume"], r["cause"]) for r in answer["receipts"]] == [
        ("2026-11-22", "disk"), ("2026-11-21", "disk"),
    ]  # fmt: skip
    public = bytes.fromhex(answer["public_key"])
    assert all(receipt_holds(r, public) for r in answer["receipts"])
    assert not receipt_holds({**answer["receipts"][0], "cause": "limit"}, public)
    relief = _told(full)[0]
    assert relief["destroyed"] == ["2026-11-21", "2026-11-22"]
    assert full.prove().whole


def test_below_the_purge_line_nothing_is_lost(full: Room):
    Card(full, others=51)
    full.records.sweep()
    assert len(full.plates()) == 4


def test_an_empty_room_on_a_full_disk_has_nothing_to_give(room: Room):
    Card(room, others=99)
    room.records.sweep()
    assert [t.keys() for t in _told(room)] == [{"used"}]


def test_of_the_volume_being_written_the_oldest_reads_go_until_it_has_room_inside(
    full: Room, monkeypatch
):
    monkeypatch.setattr(disk_module, "_BATCH", 2)
    monkeypatch.setattr(disk_module, "_ROOM_INSIDE", 200_000)
    for number in range(30):
        full.times.passes(seconds=1)
        full.keep(passage(f"n{number}", f"PSTN9{number:02d}", full.times), b"x" * 30_000)
    Card(full, others=95)
    full.records.sweep()
    left = full.plates()
    assert full.status()["volumes"] == 1
    assert left[0] == "PSTN929", "the newest stay"
    assert 20 <= len(left) < 30
    (told,) = [t for t in _told(full) if t.get("deleted")]
    assert told["deleted"] == 31 - len(left)
    before = full.records.parts.volumes.named("2026-11-24").path.stat().st_size
    full.records.sweep()
    assert full.plates() == left, "room inside is enough: the rest is not given up"
    for number in range(3):
        full.keep(passage(f"m{number}", "PSTN888", full.times), b"x" * 30_000)
    full.records.parts.volumes.named("2026-11-24").forget_deleted()
    assert full.records.parts.volumes.named("2026-11-24").path.stat().st_size <= before


def _no_room_once(room: Room, monkeypatch, times: int = 1) -> None:
    keeper = room.records.parts.keeper
    insert, left = keeper._insert, [times]

    def full(*args):
        if left[0]:
            left[0] -= 1
            error = sqlcipher3.OperationalError("database or disk is full")
            error.sqlite_errorname = "SQLITE_FULL"
            raise error
        return insert(*args)

    monkeypatch.setattr(keeper, "_insert", full)


def test_a_passage_that_meets_a_full_disk_costs_the_oldest_volume_and_is_kept(
    full: Room, monkeypatch
):
    _no_room_once(full, monkeypatch)
    full.see("late", "PSTN999")
    assert sorted(full.plates()) == ["PSTN100", "PSTN200", "PSTN300", "PSTN999"]
    assert _told(full) == [{"used": 1.0, "destroyed": ["2026-11-21"], "deleted": 0}]
    assert full.status()["ok"] is True
    assert full.ask("receipts", **AUDITOR).header["receipts"][0]["cause"] == "disk"


def test_where_nothing_can_go_the_passage_is_refused_and_the_gate_told(room: Room, monkeypatch):
    room.see("a", "PSTN101")
    _no_room_once(room, monkeypatch)
    with pytest.raises(Exception, match="could not be kept"):
        room.see("b", "PSTN102")
    assert room.status()["key"] == "keep_failed"
    assert room.plates() == ["PSTN101"]


def test_a_disk_that_stays_full_is_tried_once_more_and_no_oftener(full: Room, monkeypatch):
    _no_room_once(full, monkeypatch, times=2)
    with pytest.raises(Exception, match="could not be kept"):
        full.see("late", "PSTN999")
    assert full.status()["volumes"] == 3


def test_a_volume_that_cannot_be_destroyed_for_room_is_passed_over(full: Room, monkeypatch):
    _no_room_once(full, monkeypatch)
    destroyer = full.records.parts.destroyer
    destroy = destroyer.destroy

    def refuse(intent):
        if intent.volume == "2026-11-21":
            raise OSError(errno.EIO, "broken")
        destroy(intent)

    monkeypatch.setattr(destroyer, "destroy", refuse)
    full.see("late", "PSTN999")
    assert sorted(full.plates()) == ["PSTN200", "PSTN300", "PSTN999"]


def test_a_volume_that_cannot_be_trimmed_is_left(full: Room, monkeypatch):
    Card(full, others=95)

    def broken(*_):
        raise VaultError("x")

    monkeypatch.setattr(full.records.parts.disk, "_trim_once", broken)
    full.records.sweep()
    assert full.plates() == ["PSTN300"]


def test_with_the_journal_down_too_the_relief_is_told_when_it_is_back(full: Room):
    Card(full, others=60)
    full.break_journal()
    full.records.sweep()
    full.mend_journal()
    full.records.sweep()
    assert len(full.ask("receipts", **AUDITOR).header["receipts"]) == 2


def test_a_disk_really_full_inside_the_file_makes_room_and_keeps(full: Room):
    """SQLite's own refusal, not a stand-in: the newest file may not grow."""
    volume = full.records.parts.volumes.named("2026-11-24")
    volume._open_writer().execute("PRAGMA max_page_count = 1")
    full.keep(passage("late", "PSTN999", full.times), b"x" * 30_000)
    assert "PSTN999" in full.plates()
    assert full.records.parts.volumes.named("2026-11-21") is None


def test_no_room_is_told_by_the_disks_own_error_wherever_it_stands():
    deep = RecordError("a volume cannot be made")
    deep.__cause__ = VaultError("x")
    deep.__cause__.__cause__ = OSError(errno.ENOSPC, "full")
    assert is_no_room(deep)
    assert not is_no_room(OSError(errno.EIO, "broken"))


def test_a_disk_of_no_size_counts_as_full(room: Room):
    room.records.parts.disk._usage = lambda _: SimpleNamespace(total=0, free=0)
    assert room.records.parts.disk.look() == 1.0
