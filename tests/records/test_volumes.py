"""Encrypted day files: canary, damage, keys, and what a crash leaves."""

from __future__ import annotations

import threading

import pytest
import sqlcipher3

from appliance import database, vault
from appliance.errors import RecordError, VaultError
from appliance.records import volumes as volumes_module
from appliance.records.volume import is_damage
from appliance.records.volumes import all_keys
from tests.records.room import AUDITOR, MANAGER, Room, passage

CANARY = "CANARY77"
PICTURE = b"\xff\xd8\xff\xe0 JFIF canary picture " + bytes(range(256)) * 30


def _root(room: Room):
    return room.config.device.state_dir / "records"


def _spoil(path, at: int = 5000, size: int = 64) -> None:
    data = bytearray(path.read_bytes())
    data[at : at + size] = b"\0" * len(data[at : at + size])
    path.write_bytes(data)


def _leaks(room: Room) -> list[str]:
    """Files anywhere in the box that hold the canary as text or picture."""
    needles = (CANARY.encode(), CANARY.lower().encode(), CANARY.encode("utf-16-le"),
               PICTURE[:24], PICTURE[40:90], b"canary picture")  # fmt: skip
    box = room.config.device.state_dir.parent
    files = [p for p in box.rglob("*") if p.is_file()]
    assert any(p.name.endswith("-wal") for p in files), "the log must be looked at while it is full"
    return [p.name for p in files if any(n in p.read_bytes() for n in needles)]


def test_no_file_ever_holds_a_plate_or_a_picture_in_the_clear(room: Room, caplog):
    caplog.set_level("DEBUG")
    passage_id = room.keep(passage("track-1", CANARY, room.times), PICTURE)
    room.keep(passage("track-1", CANARY, room.times, revision=2), PICTURE)
    room.find(plate=f"{CANARY[:3]}*")
    room.find(plate=CANARY)
    room.ask("open_passage", **MANAGER, passage_id=passage_id)
    room.ask("journal", **MANAGER, action="grant_added", query={"plate": CANARY})
    room.ask("journal_page", **AUDITOR)
    assert _leaks(room) == []
    room.times.passes(hours=60)
    room.see("b", "PSTN102")
    room.times.passes(hours=13)
    room.records.sweep()
    assert _leaks(room) == []
    assert CANARY not in caplog.text


def test_nothing_decrypts_a_volume_after_its_end_not_even_a_copy_of_it(room: Room, tmp_path):
    room.see("a", CANARY)
    room.records.parts.volumes.named("2026-11-21").forget_deleted()
    copy = tmp_path / "2026-11-21.db"
    copy.write_bytes((_root(room) / "reads" / "2026-11-21.db").read_bytes())
    room.times.passes(hours=73)
    room.records.sweep()
    for name in vault.NAMES:
        with pytest.raises(VaultError):
            database.open_encrypted(copy, vault.key(room.config, name), read_only=True)
    with pytest.raises(VaultError):
        room.records.parts.volumes.keys.load("2026-11-21")


def test_every_day_has_a_key_of_its_own_that_does_not_open_another(room: Room):
    room.see("a", "PSTN101")
    room.times.passes(days=1)
    room.see("b", "PSTN102")
    keys = room.records.parts.volumes.keys
    one, two = keys.load("2026-11-21"), keys.load("2026-11-22")
    assert one != two
    with pytest.raises(VaultError):
        database.open_encrypted(_root(room) / "reads" / "2026-11-22.db", one, read_only=True)
    keys.path("2026-11-22").write_bytes(keys.path("2026-11-21").read_bytes())
    with pytest.raises(VaultError, match="damaged"):
        keys.load("2026-11-22")


def test_files_and_folders_are_for_this_user_alone(room: Room):
    room.see("a", "PSTN101")
    for path in [_root(room), *_root(room).rglob("*")]:
        if not path.name.endswith(("-wal", "-shm")):
            assert path.stat().st_mode & 0o077 == 0, path.name


def test_a_volume_damaged_at_start_is_set_aside_and_the_rest_goes_on(room: Room):
    room.see("a", "PSTN101")
    room.times.passes(days=1)
    room.see("b", "PSTN102")
    room.stop()
    _spoil(_root(room) / "reads" / "2026-11-21.db", at=0)
    room.start()
    assert room.plates() == ["PSTN102"]
    assert room.issues() == {"volume_damaged"}
    assert room.status()["ok"] is True
    assert (_root(room) / "reads" / "2026-11-21.db.1.damaged").exists()
    assert (_root(room) / "keys" / "2026-11-21.key.1.damaged").exists()


def test_a_damaged_volume_of_today_is_replaced_by_a_fresh_one(room: Room):
    for _ in range(2):
        room.see("a", "PSTN101")
        room.stop()
        _spoil(_root(room) / "reads" / "2026-11-21.db", at=0)
        room.start()
    room.see("b", "PSTN102")
    assert room.plates() == ["PSTN102"]
    assert set(room.records.parts.volumes.damaged()) == {"2026-11-21"}
    assert (_root(room) / "reads" / "2026-11-21.db.2.damaged").exists()


@pytest.mark.parametrize("at", [0, 4096])
def test_damage_met_while_keeping_costs_the_volume_and_not_the_car(room: Room, at: int):
    for number in range(40):
        room.see(f"k{number}", f"PSTN{number}")
    room.restart()
    path = _root(room) / "reads" / "2026-11-21.db"
    _spoil(path, at=at, size=path.stat().st_size - at)
    room.see("late", "PSTN999")
    assert room.plates() == ["PSTN999"]
    assert "volume_damaged" in room.issues()


def test_damage_met_while_looking_costs_the_volume_and_not_the_answer(room: Room):
    for number in range(40):
        room.see(f"k{number}", f"PSTN{number}")
    room.times.passes(days=1)
    room.see("b", "PSTN999")
    room.restart()
    path = _root(room) / "reads" / "2026-11-21.db"
    _spoil(path, at=4096, size=path.stat().st_size - 4096)
    assert room.plates() == ["PSTN999"]
    assert "volume_damaged" in room.issues()
    assert room.status()["volumes"] == 1


def test_a_damaged_volume_is_destroyed_when_its_youngest_read_must_be_due(room: Room):
    room.see("a", "PSTN101")
    room.stop()
    _spoil(_root(room) / "reads" / "2026-11-21.db", at=0)
    room.start()
    room.times.passes(days=14, hours=11)
    assert room.records.sweep().destroyed == 0
    room.times.passes(hours=1)
    assert room.records.sweep().destroyed == 1
    assert room.records.parts.volumes.damaged() == {}
    (receipt,) = room.ask("receipts", **AUDITOR).header["receipts"]
    assert (receipt["volume"], receipt["reads"]) == ("2026-11-21", None)


def test_a_damaged_volume_that_cannot_be_deleted_is_reported(room: Room, monkeypatch):
    room.see("a", "PSTN101")
    room.stop()
    _spoil(_root(room) / "reads" / "2026-11-21.db", at=0)
    room.start()
    room.times.passes(days=20)

    def broken(_):
        raise OSError("broken")

    monkeypatch.setattr(volumes_module.files, "shred", broken)
    assert room.records.sweep().destroyed == 0
    assert "retention_failed" in room.issues()


def test_a_volume_without_its_key_is_set_aside(room: Room):
    room.see("a", "PSTN101")
    room.stop()
    (_root(room) / "keys" / "2026-11-21.key").unlink()
    room.start()
    assert room.plates() == []
    assert room.issues() == {"volume_damaged"}


def test_a_key_whose_volume_was_never_made_is_used(room: Room):
    """Killed between the two."""
    key = room.records.parts.volumes.keys.make("2026-11-21")
    room.see("a", "PSTN101")
    assert room.records.parts.volumes.keys.load("2026-11-21") == key


def test_a_damaged_key_whose_volume_was_never_made_gives_way_to_a_new_one(room: Room):
    room.records.parts.volumes.keys.path("2026-11-21").write_bytes(b"half")
    room.see("a", "PSTN101")
    assert room.plates() == ["PSTN101"]


def test_files_that_are_no_volumes_are_left_alone(room: Room):
    stranger = _root(room) / "reads" / "notes.db"
    stranger.write_text("mine")
    room.restart()
    assert stranger.read_text() == "mine"
    assert room.issues() == set()


def test_a_passing_trouble_is_not_taken_for_damage(room: Room, monkeypatch):
    room.see("a", "PSTN101")
    room.stop()
    opened = database.open_encrypted

    def out_of_memory(path, *args, **kwargs):
        if path.name == "2026-11-21.db":
            raise VaultError("not now") from sqlcipher3.OperationalError("out of memory")
        return opened(path, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(database, "open_encrypted", out_of_memory)
        room.start()
        assert room.issues() == {"volume_unreadable"}
        told = passage("b", "PSTN102", room.times)
        with pytest.raises(Exception, match="cannot be opened now"):
            room.keep(told)
        assert room.status()["key"] == "keep_failed"
    room.see("b", "PSTN102")
    assert sorted(room.plates()) == ["PSTN101", "PSTN102"]
    assert room.status()["ok"] is True


def test_a_look_up_that_cannot_read_is_refused_rather_than_short(room: Room, monkeypatch):
    room.see("a", "PSTN101")
    volume = room.records.parts.volumes.named("2026-11-21")

    def locked():
        raise sqlcipher3.OperationalError("database is locked")

    monkeypatch.setattr(volume, "_borrow", locked)
    assert room.refusal("find", **MANAGER, query={}) == "record"
    assert room.records.sweep().allowed
    assert "retention_failed" in room.issues()


def test_a_disk_that_takes_nothing_is_told_and_recovers(room: Room):
    room.see("a", "PSTN101")
    volume = room.records.parts.volumes.named("2026-11-21")
    volume._open_writer().execute("PRAGMA max_page_count = 1")
    told = passage("b", "PSTN102", room.times)
    with pytest.raises(Exception, match="could not be kept"):
        room.keep(told, b"x" * 30_000)
    assert room.status()["key"] == "keep_failed"
    room.keep(told, b"x" * 30_000)  # a failed statement cost its connection: a fresh one has room
    assert room.status()["ok"] is True


def test_a_disk_on_which_no_volume_can_be_made_is_told(room: Room, monkeypatch):
    def full(_):
        raise OSError("full")

    monkeypatch.setattr(room.records.parts.volumes.keys, "make", full)
    with pytest.raises(Exception, match="cannot be made"):
        room.see("a", "PSTN101")
    assert room.status()["ok"] is False


def test_damage_that_comes_back_in_the_fresh_volume_is_told(room: Room, monkeypatch):
    room.see("a", "PSTN101")
    keeper = room.records.parts.keeper

    def corrupt(*_):
        raise VaultError("damaged again")

    monkeypatch.setattr(keeper, "_insert", corrupt)
    with pytest.raises(Exception, match="could not be kept"):
        room.see("b", "PSTN102")


def test_a_heavy_reader_does_not_hold_up_a_car(room: Room):
    room.see("a", "PSTN101")
    volume = room.records.parts.volumes.named("2026-11-21")
    with volume.reading() as connection:
        connection.execute("BEGIN")
        assert connection.execute("SELECT count(*) FROM reads").fetchone()[0] == 1
        room.see("b", "PSTN102")  # answered while the reader's snapshot is open
        assert connection.execute("SELECT count(*) FROM reads").fetchone()[0] == 1
        connection.execute("COMMIT")
    assert room.status()["passages"] == 2


def test_idle_readers_are_few_and_a_failed_one_is_not_used_again(room: Room):
    room.see("a", "PSTN101")
    volume = room.records.parts.volumes.named("2026-11-21")
    with volume.reading(), volume.reading(), volume.reading():
        pass
    assert len(volume._idle) == 2
    with pytest.raises(sqlcipher3.Error), volume.reading() as connection:
        connection.execute("SELECT nothing")
    assert len(volume._idle) == 1


def test_days_that_are_over_are_not_held_open_for_writing(room: Room):
    for number in range(4):
        room.see(f"k{number}", f"PSTN{number}00")
        room.times.passes(hours=24)
        room.records.sweep()
    held = {v.name: v._writer is not None for v in room.records.parts.volumes.newest_first()}
    assert held == {"2026-11-24": True, "2026-11-23": False}


def test_a_volume_that_goes_while_it_is_read_takes_its_readers_along(room: Room):
    room.see("a", "PSTN101")
    all_volumes = room.records.parts.volumes
    volume = all_volumes.named("2026-11-21")
    with volume.reading(), all_volumes.lock:
        all_volumes.remove(volume)
    assert volume._idle == []
    assert list(all_volumes.ask([volume], lambda c: c)) == []
    with pytest.raises(VaultError), volume.writing():
        pass


def test_two_who_meet_the_same_damage_set_the_volume_aside_once(room: Room):
    room.see("a", "PSTN101")
    all_volumes = room.records.parts.volumes
    volume = all_volumes.named("2026-11-21")
    with all_volumes.lock:
        all_volumes.set_aside(volume)
    room.see("b", "PSTN102")
    with all_volumes.lock:
        all_volumes.set_aside(volume)
    assert room.plates() == ["PSTN102"]


def test_all_keys_reads_the_files_themselves(room: Room):
    room.see("a", "PSTN101")
    room.times.passes(days=1)
    room.see("b", "PSTN102")
    assert all_keys(room.config) == {"a", "b"}


def test_a_full_disk_or_a_lock_is_no_damage():
    assert not is_damage(sqlcipher3.OperationalError("database or disk is full"))
    assert is_damage(VaultError("a key is damaged"))
    missing, refused = VaultError("x"), VaultError("x")
    missing.__cause__, refused.__cause__ = FileNotFoundError(), PermissionError()
    assert is_damage(missing)
    assert not is_damage(refused)
    assert issubclass(RecordError, Exception)


def test_keeping_from_many_threads_loses_nothing(room: Room):
    def keep(first: int) -> None:
        for number in range(first, first + 10):
            room.see(f"k{number}", f"PSTN{number}")

    threads = [threading.Thread(target=keep, args=(n * 10,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert room.status()["passages"] == 40
    cursors = [e["cursor"] for e in room.ask("feed", limit=500).header["events"]]
    assert cursors == list(range(1, 41))


def test_every_page_of_every_volume_is_checked_once_and_damage_set_aside(room: Room, caplog):
    caplog.set_level("INFO")
    for day in range(2):
        for number in range(40):
            room.see(f"k{day}{number}", f"PSTN{number}")
        room.times.passes(days=1)
    room.restart()
    room.records.prove()
    assert "volumes checked whole=2" in caplog.text
    room.restart()
    path = _root(room) / "reads" / "2026-11-21.db"
    _spoil(path, at=path.stat().st_size - 4096, size=4096)
    caplog.clear()
    room.records.prove()
    assert "volumes checked whole=1" in caplog.text
    assert "volume_damaged" in room.issues()
    assert room.status()["volumes"] == 1
    caplog.clear()
    room.records.prove()
    assert "volumes checked" not in caplog.text, "once a start; the journal daily"


def test_a_volume_that_contradicts_itself_is_set_aside_too(room: Room):
    for number in range(3):
        room.see(f"k{number}", f"PSTN{number}")
    volume = room.records.parts.volumes.named("2026-11-21")
    connection = volume._open_writer()
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("DELETE FROM sqlite_master WHERE name = 'reads_by_time'")
    connection.execute("PRAGMA writable_schema = OFF")
    room.restart()
    assert room.records.parts.volumes.check() == 0
    assert "volume_damaged" in room.issues()


def test_readers_of_the_volumes_asked_longest_ago_are_closed(room: Room, monkeypatch):
    monkeypatch.setattr(volumes_module, "_WITH_READERS", 2)
    for number in range(4):
        room.see(f"k{number}", f"PSTN{number}00")
        room.times.passes(days=1)
    assert len(room.plates()) == 4
    idle = {v.name: len(v._idle) for v in room.records.parts.volumes.newest_first()}
    assert [n for n, readers in idle.items() if readers] == ["2026-11-22", "2026-11-21"]
    assert len(room.plates()) == 4


def test_a_stranger_among_what_was_set_aside_is_no_volume(room: Room):
    (_root(room) / "reads" / "notes.db.1.damaged").touch()
    assert room.records.parts.volumes.damaged() == {}
