"""Residents leave a number: counted once however often told, and no read of them stays."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import sqlcipher3

from appliance.errors import RecordError
from appliance.records import counters as counters_module
from appliance.records.counters import Owed
from appliance.values import ClockQuality, Direction, GrantKind, Moved, Reason, Verdict
from tests.records.room import Room, decision, outcome, passage, sighting

PICTURE = b"\xff\xd8\xff\xe0 picture of a resident " * 90


@pytest.fixture
def counting(room: Room) -> Room:
    room.publish(residents_counted=True)
    return room


def _counts(room: Room) -> list[tuple[str, str, str, int, int]]:
    return [tuple(day.values()) for day in room.ask("counts", from_at="2026-11-01T00:00:00Z")
            .header["residents"]]  # fmt: skip


def _resident(room: Room, key: str, plate: str = "PSTN101", way: Direction = Direction.IN, **more):
    seen = sighting(key, plate, room.times, direction=way)
    return passage(key, plate, room.times, matched=True, **{"sighting": seen, **more})


def _raw(room: Room) -> bytes:
    """Every row of every volume, as whoever holds all keys would read it."""
    found = b""
    for volume in room.records.parts.volumes.newest_first():
        with volume.reading() as connection:
            found += b"".join(repr(tuple(r)).encode() + bytes(r["crop"])
                              for r in connection.execute("SELECT * FROM whole"))  # fmt: skip
    return found


def test_a_resident_leaves_a_number_and_no_read(counting: Room):
    assert counting.keep(_resident(counting, "a"), PICTURE) == "counted"
    counting.keep(_resident(counting, "b", way=Direction.OUT), PICTURE)
    counting.see("c", "PSTN103")
    assert counting.plates() == ["PSTN103"]
    assert _counts(counting) == [
        ("2026-11-21", "main", "in", 1, 0), ("2026-11-21", "main", "out", 1, 0),
    ]  # fmt: skip
    status = counting.status()
    assert (status["passages"], status["passages_total"], status["residents_counted"]) == (1, 3, 2)
    assert len(counting.ask("feed").header["events"]) == 1


def test_however_often_and_however_it_is_told_a_passage_counts_once(counting: Room):
    told = _resident(counting, "a", way=Direction.UNKNOWN, outcome=None)
    counting.keep(told)
    counting.keep(told)
    counting.keep(_resident(counting, "a"))
    later = outcome("o-a", counting.times, Moved.YES)
    counting.keep(_resident(counting, "a", way=Direction.UNKNOWN, outcome=later))
    counting.restart()
    counting.keep(_resident(counting, "a"))
    assert _counts(counting) == [("2026-11-21", "main", "in", 1, 0)]
    assert counting.status()["passages_total"] == 1


def test_what_was_kept_while_undecided_vanishes_when_the_entry_lets_it_in(counting: Room):
    counting.keep(passage("a", "PSTN101", counting.times), PICTURE)
    counting.see("b", "PSTN102")
    volume = counting.records.parts.volumes.named("2026-11-21")
    assert b"picture of a resident" in _raw(counting)
    counting.keep(_resident(counting, "a"), PICTURE)
    assert b"PSTN101" not in _raw(counting)
    assert b"picture of a resident" not in _raw(counting)
    assert counting.plates() == ["PSTN102"]
    log = volume.files[1]
    assert not log.exists() or log.stat().st_size == 0
    status = counting.status()
    assert (status["passages"], status["passages_total"]) == (1, 2)
    counting.restart()
    assert counting.status()["passages_total"] == 2
    assert counting.records.parts.volumes.named("2026-11-21").reads_ever == 1


def test_no_page_of_a_vanished_read_stays_in_the_file(counting: Room):
    """The file's own pages, decrypted one by one by copying it out under no key."""
    counting.keep(passage("a", "CANARY77", counting.times), PICTURE)
    counting.see("b", "PSTN102")
    counting.keep(_resident(counting, "a", "CANARY77"), PICTURE)
    volume = counting.records.parts.volumes.named("2026-11-21")
    plain = counting.config.device.state_dir / "plain.db"
    connection = sqlcipher3.connect(str(volume.path))
    connection.execute(f"PRAGMA key = \"x'{volume._key.hex()}'\"")
    connection.execute("PRAGMA cipher_log_level = NONE")
    connection.execute(f"ATTACH DATABASE '{plain}' AS plain KEY ''")
    pages = connection.execute("SELECT count(*) FROM pragma_freelist_count").fetchone()
    connection.execute("SELECT sqlcipher_export('plain')")
    connection.close()
    assert pages is not None
    assert b"PSTN102" in plain.read_bytes()
    assert b"CANARY77" not in plain.read_bytes()


def test_a_reader_in_the_middle_keeps_the_log_until_the_next_sweep(counting: Room):
    counting.keep(passage("a", "PSTN101", counting.times), PICTURE)
    volume = counting.records.parts.volumes.named("2026-11-21")
    with volume.reading() as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM reads").fetchone()
        counting.keep(_resident(counting, "a"), PICTURE)
        assert volume.log_owed
        connection.execute("COMMIT")
    counting.records.sweep()
    assert not volume.log_owed
    assert not volume.files[1].exists() or volume.files[1].stat().st_size == 0


def test_a_car_that_turns_out_to_be_anothers_is_kept_as_a_read(counting: Room):
    counting.keep(_resident(counting, "a", outcome=None))
    counting.keep(passage("a", "PSTN999", counting.times, revision=2))
    assert counting.plates() == ["PSTN999"]
    assert _counts(counting) == []
    assert counting.status()["passages_total"] == 1


def test_once_the_arm_was_ordered_no_message_makes_a_read_of_a_resident(counting: Room):
    counting.keep(_resident(counting, "a"))
    assert counting.keep(passage("a", "PSTN101", counting.times, revision=2)) == "counted"
    bare = passage("b", "PSTN102", counting.times)
    counting.keep(_resident(counting, "b", "PSTN102", outcome=None))
    assert counting.keep(replace(bare, decision=None)) == "counted"
    assert counting.plates() == []


def test_a_policy_that_stops_counting_leaves_counted_passages_counted(counting: Room):
    counting.keep(_resident(counting, "a", outcome=None))
    counting.publish(residents_counted=False)
    assert counting.keep(_resident(counting, "a")) == "counted"
    assert counting.keep(_resident(counting, "b", "PSTN102")) != "counted"
    assert counting.plates() == ["PSTN102"]
    assert len(_counts(counting)) == 1


def test_a_visitor_is_recorded_also_where_residents_are_counted(counting: Room):
    let_in = decision("a", counting.times, Verdict.OPEN, 8, reason=Reason.LOOKALIKE_GRANTED,
                      grant_kind=GrantKind.VISITOR)  # fmt: skip
    counting.see("a", "PSTN101", decision=let_in)
    assert counting.plates() == ["PSTN101"]


@pytest.mark.parametrize("again", [True, False])
def test_a_crash_between_counting_and_removing_is_made_good_at_the_next_start(
    counting: Room, monkeypatch, again: bool
):
    counting.keep(passage("a", "PSTN101", counting.times), PICTURE)
    with monkeypatch.context() as patch:
        patch.setattr(counting.records.parts.keeper, "settle", lambda: 0)
        counting.keep(_resident(counting, "a"), PICTURE)
    assert counting.status()["passages"] == 1, "killed here"
    if again:
        counting.restart()
    else:
        counting.records.sweep()
    status = counting.status()
    assert (status["passages"], status["passages_total"]) == (0, 1)
    assert counting.records.parts.counters.owed() == []


def test_what_is_owed_never_costs_another_read_of_the_same_number(counting: Room):
    counting.keep(passage("a", "PSTN101", counting.times))
    keeper = counting.records.parts.keeper
    told = _resident(counting, "z")
    counting.records.parts.counters.count(told, counting.times(), ("2026-11-21", 1))
    counting.records.parts.counters.count(told, counting.times(), ("2026-11-21", 1))
    assert keeper.settle() == 1
    assert counting.plates() == ["PSTN101"]
    counting.records.parts.counters.count(told, counting.times(), ("2026-11-20", 1))
    assert keeper.settle() == 1, "its volume is gone: nothing is left to remove"


def test_the_days_key_and_its_hashes_die_an_hour_after_the_day(counting: Room):
    counting.keep(_resident(counting, "a"))
    keys = counting.records.parts.volumes.keys
    assert keys.path("counts-2026-11-21").exists()
    counting.times.passes(hours=12, minutes=59)
    counting.records.sweep()
    assert keys.path("counts-2026-11-21").exists()
    counting.times.passes(minutes=1)
    counting.records.sweep()
    assert not keys.path("counts-2026-11-21").exists()
    with counting.records.parts.counters._writing() as connection:
        assert connection.execute("SELECT count(*) FROM told").fetchone()[0] == 0
    assert _counts(counting) == [("2026-11-21", "main", "in", 1, 0)]
    counting.times.passes(days=732)
    counting.keep(_resident(counting, "b"))
    counting.times.passes(days=2)
    counting.records.sweep()
    assert [c[0] for c in _counts(counting)] == ["2028-11-23"]


def test_a_clock_that_cannot_be_believed_ends_no_day(counting: Room):
    counting.keep(_resident(counting, "a"))
    counting.times.at = counting.times.at.replace(year=2040)
    counting.times.clock = ClockQuality.UNKNOWN
    counting.records.sweep()
    assert counting.records.parts.volumes.keys.path("counts-2026-11-21").exists()


def test_anti_passback_tells_a_second_entry_without_an_exit_on_the_same_day(counting: Room):
    counting.publish(residents_counted=True, anti_passback=True)
    for key, way in (("a", Direction.IN), ("b", Direction.IN), ("c", Direction.OUT),
                     ("d", Direction.IN), ("e", Direction.UNKNOWN)):  # fmt: skip
        counting.keep(_resident(counting, key, way=way))
        counting.keep(_resident(counting, key, way=way))
    counting.keep(_resident(counting, "f", "PSTN202"))
    assert _counts(counting) == [
        ("2026-11-21", "main", "in", 4, 1),
        ("2026-11-21", "main", "out", 1, 0),
        ("2026-11-21", "main", "unknown", 1, 0),
    ]
    counting.times.passes(days=1)
    counting.records.sweep()
    counting.keep(_resident(counting, "g"))
    assert _counts(counting)[0] == ("2026-11-22", "main", "in", 1, 0), "yesterday is forgotten"


def test_without_anti_passback_no_hash_of_a_plate_is_kept(counting: Room):
    counting.keep(_resident(counting, "a"))
    with counting.records.parts.counters._writing() as connection:
        assert connection.execute("SELECT count(*) FROM plates").fetchone()[0] == 0


def test_the_plate_as_listed_is_what_anti_passback_knows(counting: Room):
    counting.publish(residents_counted=True, anti_passback=True)
    listed = decision("a", counting.times, Verdict.OPEN, 7, grant_plate="PSTN101")
    counting.keep(_resident(counting, "a", "P5TN101", decision=listed))
    counting.keep(_resident(counting, "b", "PSTN101"))
    counting.keep(_resident(counting, "c", sighting=None))
    assert _counts(counting)[0][3:] == (2, 1)


@pytest.mark.parametrize("harm", ["file", "key"])
def test_damaged_counters_are_begun_anew_and_the_gate_goes_on(counting: Room, harm):
    counting.keep(_resident(counting, "a"))
    counting.stop()
    root = counting.config.device.state_dir / "records"
    if harm == "file":
        (root / "counts" / "counts.db").write_bytes(b"\0" * 8192)
    else:
        (root / "keys" / "counts.key").unlink()
    counting.start()
    assert "counters_damaged" in counting.issues()
    counting.keep(_resident(counting, "b"))
    assert _counts(counting) == [("2026-11-21", "main", "in", 1, 0)]


def test_a_damaged_key_of_the_day_gives_way_to_a_new_one(counting: Room):
    counting.keep(_resident(counting, "a"))
    counting.stop()
    path = counting.config.device.state_dir / "records" / "keys" / "counts-2026-11-21.key"
    path.write_bytes(b"half")
    counting.start()
    counting.keep(_resident(counting, "b"))
    assert _counts(counting)[0][3] == 2


def test_counters_that_cannot_be_written_refuse_the_passage_and_recover(
    counting: Room, monkeypatch
):
    def locked(*_, **__):
        raise sqlcipher3.OperationalError("database is locked")

    with monkeypatch.context() as patch:
        patch.setattr(counters_module.database, "migrate", locked)
        with pytest.raises(Exception, match="could not be counted"):
            counting.keep(_resident(counting, "a"))
        assert counting.status()["ok"] is False
        counting.records.parts.counters.close()
        counting.records.parts.counters._path.touch()
        counting.records.parts.counters.load()
    counting.keep(_resident(counting, "a"))
    assert counting.status()["ok"] is True
    assert _counts(counting)[0][3] == 1


def test_only_the_right_passage_is_named_by_what_is_owed(counting: Room):
    counting.keep(_resident(counting, "a"))
    counters = counting.records.parts.counters
    assert not counters.names(Owed(b"x" * 32, "2026-11-21", 1), "a")
    told = counters.known("a")
    assert counters.names(Owed(told.mac, "2026-11-21", 1), "a")
    assert counters.known("b") is None


def test_counting_survives_a_trouble_while_removing(counting: Room, monkeypatch):
    counting.keep(passage("a", "PSTN101", counting.times), PICTURE)
    volume = counting.records.parts.volumes.named("2026-11-21")

    def busy(_):
        raise RecordError("the reads cannot be searched now")

    with monkeypatch.context() as patch:
        patch.setattr(volume, "forget", busy)
        with pytest.raises(Exception, match="searched"):
            counting.keep(_resident(counting, "a"))
        assert counting.records.sweep().allowed
    counting.records.sweep()
    assert counting.plates() == []
    assert json.dumps(_counts(counting)) == '[["2026-11-21", "main", "in", 1, 0]]'
