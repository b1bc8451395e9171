"""A volume's end survives being killed at any step; its receipt is written once."""

from __future__ import annotations

import errno

import pytest

from appliance.errors import VaultError
from appliance.records import destruction, files
from tests.records.room import AUDITOR, Room

STEPS = ("note", "key", "data", "removed", "receipt", "settled")


class Killed(BaseException):
    """Stands for SIGKILL: nothing below may catch it."""


def _killed_at(room: Room, step: str) -> None:
    def stop(name: str) -> None:
        if name == step:
            raise Killed(step)

    room.records.parts.destroyer.step = stop


def _traces(room: Room) -> set[str]:
    folder = room.config.device.state_dir / "records"
    return {p.name for p in folder.rglob("*") if "2026-11-21" in p.name}


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_the_next_run_completes_it_with_one_receipt(room: Room, step):
    room.see("a", "PSTN101")
    room.times.passes(hours=73)
    _killed_at(room, step)
    with pytest.raises(Killed):
        room.records.sweep()
    room.restart()
    room.records.sweep()
    assert _traces(room) == set()
    (receipt,) = room.ask("receipts", **AUDITOR).header["receipts"]
    assert receipt["reads"] == 1
    assert room.status()["passages_total"] == 1
    assert room.prove().whole


@pytest.mark.parametrize("step", ["data", "removed", "receipt"])
def test_once_its_key_is_gone_a_volume_stays_closed(room: Room, step):
    room.see("a", "PSTN101")
    room.times.passes(hours=73)
    _killed_at(room, step)
    with pytest.raises(Killed):
        room.records.sweep()
    with pytest.raises(VaultError):
        room.records.parts.volumes.keys.load("2026-11-21")


def test_while_the_journal_is_down_the_reads_go_and_the_receipt_waits(room: Room):
    room.see("a", "PSTN101")
    room.break_journal()
    room.times.passes(hours=73)
    assert room.records.sweep().destroyed == 1
    assert {t for t in _traces(room) if not t.endswith(".json")} == set()
    room.mend_journal()
    room.records.sweep()
    assert len(room.ask("receipts", **AUDITOR).header["receipts"]) == 1
    assert _traces(room) == set()


def test_a_waiting_receipt_never_costs_a_newer_volume_of_the_same_day(room: Room):
    from tests.records.room import Times, passage

    room.see("a", "PSTN101")
    room.break_journal()
    room.times.passes(hours=73)
    room.records.sweep()
    room.keep(passage("late", "PSTN102", Times()))
    room.restart()
    assert room.status()["passages"] == 1


def test_on_a_full_disk_destroying_makes_the_room_for_its_note(room: Room, monkeypatch):
    room.see("a", "PSTN101")
    room.times.passes(hours=73)
    written = files.replace
    full = [True]

    def replace(path, data):
        if full.pop() if full else False:
            raise OSError(errno.ENOSPC, "full")
        written(path, data)

    monkeypatch.setattr(destruction.files, "replace", replace)
    assert room.records.sweep().destroyed == 1
    assert len(room.ask("receipts", **AUDITOR).header["receipts"]) == 1


def test_a_disk_that_refuses_to_delete_is_reported_and_tried_again(room: Room, monkeypatch):
    room.see("a", "PSTN101")
    room.times.passes(hours=73)

    def broken(_):
        raise OSError(errno.EIO, "broken")

    with monkeypatch.context() as patch:
        patch.setattr(destruction.files, "shred", broken)
        assert room.records.sweep().destroyed == 0
    assert room.issues() == {"retention_failed"}
    assert room.ask("receipts", **AUDITOR).header["receipts"] == []
    room.restart()
    room.records.sweep()
    assert _traces(room) == set()
    assert len(room.ask("receipts", **AUDITOR).header["receipts"]) == 1
    assert room.issues() == set()


def test_a_damaged_note_is_put_aside_and_harms_nobody(room: Room):
    note = room.records.parts.destroyer.folder / "2026-11-01.abc.json"
    note.write_text("{")
    room.restart()
    assert note.with_name(note.name + ".damaged").exists()
    assert room.status()["ok"]


def test_a_note_can_name_files_of_the_two_folders_alone(room: Room):
    outside = room.config.device.state_dir / "outside"
    outside.write_text("keep me")
    note = destruction.Intent("2026-11-01", 1, "f" * 64, ("../../outside",), ("../../outside",))
    room.records.parts.destroyer.destroy(note)
    assert outside.read_text() == "keep me"


def test_a_late_message_saves_a_volume_that_was_about_to_go(room: Room, monkeypatch):
    """Looked at again under the writer's lock."""
    room.see("a", "PSTN101")
    room.times.passes(hours=73)
    sweeper = room.records._retention
    answers = iter([True, False])
    monkeypatch.setattr(sweeper, "_nothing_to_keep", lambda *_: next(answers))
    assert room.records.sweep().destroyed == 0
    assert room.status()["passages"] == 1
