"""Nothing is kept late and nothing is deleted early, whatever the clocks do."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.errors import RecordError
from appliance.records import retention
from appliance.records.classes import CEILING, Limits, limits
from appliance.records.destruction import receipt_holds
from appliance.values import ClockQuality, PublishedPolicy, Purpose
from tests.records.room import AUDITOR, NOON, Room, Times, passage


def _policy(matched: float, unmatched: float) -> PublishedPolicy:
    return PublishedPolicy(
        1, "x", "UTC", "", (Purpose.AUDIT,), matched, unmatched, NOON, "mara"
    )  # fmt: skip


def _held(room: Room) -> list[str]:
    return sorted(room.plates())


def _sweeps(room: Room, **span: float) -> retention.Swept:
    room.times.passes(**span)
    return room.records.sweep()


@given(st.floats(0.01, 10_000), st.floats(0.01, 10_000))
def test_no_policy_keeps_a_read_for_thirty_days(matched, unmatched):
    found = limits(_policy(matched, unmatched))
    assert found.matched <= CEILING
    assert found.unmatched <= CEILING
    assert timedelta(days=30) > CEILING
    assert found.longest == max(found.matched, found.unmatched)


def test_the_policys_hours_are_the_limits_and_without_a_policy_the_ceiling_is():
    assert limits(_policy(336, 72)) == Limits(*(timedelta(hours=h) for h in (336, 336, 72)))
    assert limits(None) == Limits(CEILING, CEILING, CEILING)


def test_a_read_lives_to_the_last_millisecond_of_its_limit(room: Room):
    room.see("a", "PSTN101")
    room.see("b", "PSTN102", matched=True)
    assert _sweeps(room, hours=72, milliseconds=-1).deleted == 0
    assert _held(room) == ["PSTN101", "PSTN102"]
    assert _sweeps(room, milliseconds=1).deleted == 1
    assert _held(room) == ["PSTN102"]
    _sweeps(room, hours=14 * 24 - 72, milliseconds=-1)
    assert _held(room) == ["PSTN102"]
    assert _sweeps(room, milliseconds=1).destroyed == 1
    assert _held(room) == []


@settings(max_examples=25, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(
    reads=st.lists(st.tuples(st.floats(0, 100), st.booleans()), min_size=1, max_size=8),
    matched_h=st.floats(0.05, 60),
    unmatched_h=st.floats(0.05, 60),
    asked_h=st.floats(0, 200),
)
def test_after_a_sweep_exactly_the_reads_within_their_limit_are_held(
    quick, reads, matched_h, unmatched_h, asked_h
):
    keeper, sweeper, times = quick
    begin = times.at
    for number, (after_h, matched) in enumerate(sorted(reads)):
        times.passes(seconds=max(0.0, (begin + timedelta(hours=after_h) - times.at)
                                 .total_seconds()))  # fmt: skip
        keeper(f"{begin}{number}", f"PSTN{number}", matched, times)
    times.passes(hours=asked_h)
    expected = sum(
        times.at - _ms(begin + timedelta(hours=after_h))
        < timedelta(hours=matched_h if matched else unmatched_h)
        for after_h, matched in reads
    )
    held = sweeper(_policy(matched_h, unmatched_h), times)
    # A boundary within two milliseconds of rounding may fall either way.
    near = any(
        abs((times.at - begin - timedelta(hours=after_h)
             - timedelta(hours=matched_h if matched else unmatched_h)).total_seconds()) < 0.002
        for after_h, matched in reads
    )  # fmt: skip
    assert near or held == expected
    times.passes(hours=200)
    assert sweeper(_policy(matched_h, unmatched_h), times) == 0


def _ms(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


@pytest.fixture
def quick(box):
    """Keeps and sweeps without the socket, for many examples on one room."""
    from appliance.records.passages import Kept
    from appliance.records.program import Records

    times = Times()
    records = Records(box, times, "boot-1")
    records.parts.volumes.load()
    records.parts.keeper.start()

    def keep(key, plate, matched, times):
        kept = Kept(passage(key, plate, times, matched=matched), b"")
        records.parts.keeper.keep(kept, times())

    def sweep(policy, times):
        records._retention.sweep(policy, times())
        return sum(v.rows for v in records.parts.volumes.newest_first())

    yield keep, sweep, times
    records.parts.volumes.close()


def test_deleted_rows_are_gone_for_a_fresh_reader_and_the_log_is_empty(room: Room):
    for number in range(450):  # more than two batches
        room.records.parts.keeper.keep(
            _kept(f"k{number}", f"PSTN{number}", room.times), room.times()
        )
    room.times.passes(hours=11)
    room.see("late", "PSTN999")
    assert _sweeps(room, hours=61).deleted == 450
    wal = room.config.device.state_dir / "records" / "reads" / "2026-11-21.db-wal"
    assert not wal.exists() or wal.stat().st_size == 0
    room.restart()
    assert _held(room) == ["PSTN999"]
    status = room.status()
    assert (status["passages"], status["passages_total"]) == (1, 451)
    assert status["oldest_read_at"] == "2026-11-21T23:00:00.000Z"


def _kept(key: str, plate: str, times: Times):
    from appliance.records.passages import Kept

    return Kept(passage(key, plate, times), b"jpeg")


def test_todays_volume_is_never_destroyed_only_emptied(room: Room):
    room.publish(kept_hours_unmatched=0.05)  # three minutes
    room.see("a", "PSTN101")
    swept = _sweeps(room, minutes=3)
    assert (swept.deleted, swept.destroyed, _held(room)) == (1, 0, [])
    assert _sweeps(room, hours=12).destroyed == 1


def test_a_shorter_limit_in_a_new_policy_takes_effect_at_the_next_sweep(room: Room):
    room.see("a", "PSTN101")
    _sweeps(room, hours=24)
    assert _held(room) == ["PSTN101"]
    room.publish(kept_hours_unmatched=23)
    assert _sweeps(room, minutes=1).destroyed == 1


def test_a_destroyed_volume_leaves_a_signed_receipt_and_nothing_else(room: Room):
    room.see("a", "PSTN101")
    room.see("b", "PSTN102")
    volume = room.records.parts.volumes.named("2026-11-21")
    assert _sweeps(room, hours=73).destroyed == 1
    folder = room.config.device.state_dir / "records"
    assert not [p for p in folder.rglob("*") if "2026-11-21" in p.name]
    answer = room.ask("receipts", **AUDITOR).header
    (receipt,) = answer["receipts"]
    assert (receipt["volume"], receipt["reads"]) == ("2026-11-21", 2)
    assert receipt["destroyed_at"] == "2026-11-24T13:00:00.000Z"
    assert receipt["fingerprint"] == volume.fingerprint
    public = bytes.fromhex(answer["public_key"])
    assert receipt_holds(receipt, public)
    assert not receipt_holds({**receipt, "reads": 1}, public)
    assert room.entries(action="volume_destroyed")[0]["rows"] == 2
    room.see("c", "PSTN103")
    room.restart()
    assert room.status()["passages_total"] == 3
    assert room.prove().whole


def test_reads_of_the_same_day_after_the_volumes_end_get_a_new_volume(room: Room):
    room.see("a", "PSTN101")
    _sweeps(room, hours=73)
    room.keep(passage("late", "PSTN102", Times()))
    assert room.plates() == ["PSTN102"]
    assert _sweeps(room, minutes=1).destroyed == 1
    assert len(room.ask("receipts", **AUDITOR).header["receipts"]) == 2


def test_deletions_inside_volumes_are_journaled_at_most_once_an_hour(room: Room):
    room.publish(kept_hours_unmatched=1, kept_hours_matched=1)
    for number in range(6):
        room.see(f"k{number}", f"PSTN{number}00")
        room.times.passes(minutes=10)
    deleted = [_sweeps(room, minutes=10).deleted for _ in range(9)]
    assert sum(deleted) == 5, "the last one went with its volume"
    told = [json.loads(e["query"])["deleted"] for e in room.entries(action="retention")]
    assert (len(told), sum(told)) == (2, 5)


def test_while_the_journal_is_down_due_reads_go_and_the_count_waits(room: Room):
    room.publish(kept_hours_unmatched=1)
    room.see("a", "PSTN101")
    room.times.passes(minutes=10)
    room.see("b", "PSTN102")
    room.break_journal()
    assert _sweeps(room, minutes=50).deleted == 1
    room.mend_journal()
    assert _sweeps(room, minutes=1).deleted == 0
    (entry,) = room.entries(action="retention")
    assert json.loads(entry["query"]) == {"deleted": 1}


def test_with_an_unknown_clock_nothing_is_deleted_and_that_is_said(room: Room):
    room.see("a", "PSTN101")
    room.times.clock = ClockQuality.UNKNOWN
    assert _sweeps(room, days=400).allowed is False
    assert room.issues() == {"clock_doubted"}
    assert room.status()["passages"] == 1
    room.times.clock = ClockQuality.SYNCED
    assert _sweeps(room, minutes=1).destroyed == 1
    assert room.issues() == set()


def test_a_jump_into_the_past_deletes_nothing(room: Room):
    room.see("a", "PSTN101")
    _sweeps(room, minutes=1)
    room.times.at -= timedelta(days=700)
    assert _sweeps(room, minutes=1).deleted == 0
    assert room.status()["passages"] == 1


def test_a_free_clock_that_leaps_years_ahead_deletes_nothing_of_this_boot(room: Room):
    room.times.clock = ClockQuality.FREE
    assert room.records.sweep().allowed
    room.see("a", "PSTN101")
    assert _sweeps(room, minutes=1).allowed
    room.times.at += timedelta(days=3650)
    assert not _sweeps(room, minutes=1).allowed
    for _ in range(12):
        swept = _sweeps(room, minutes=1)
    assert swept.allowed, "ten even minutes confirm the clock"
    assert room.status()["passages"] == 1, "but the monotonic clock knows the read is young"
    for _ in range(6):
        _sweeps(room, hours=12)
    assert room.status()["passages"] == 0


def test_after_a_week_without_power_a_free_clock_must_run_evenly_first(room: Room):
    room.see("a", "PSTN101")
    _sweeps(room, minutes=1)
    room.times.passes(days=7)
    room.times.mono = 30.0
    room.times.clock = ClockQuality.FREE
    room.restart("boot-2")
    assert not room.records.sweep().allowed
    assert not _sweeps(room, minutes=9).allowed
    assert _sweeps(room, minutes=1).destroyed == 1


def test_a_restart_within_the_day_sweeps_at_once(room: Room):
    room.see("a", "PSTN101")
    _sweeps(room, hours=60)
    room.times.clock = ClockQuality.FREE
    room.restart("boot-2")
    assert _sweeps(room, hours=13).destroyed == 1


def test_a_read_dated_too_early_by_a_free_clock_is_redated_when_it_is_disciplined(room: Room):
    """The box woke with the clock of five days ago; then the time server answered."""
    room.times.clock = ClockQuality.FREE
    room.see("a", "PSTN101")
    room.times.passes(minutes=2)
    room.times.at += timedelta(days=5)
    room.times.clock = ClockQuality.SYNCED
    assert _sweeps(room, minutes=1).destroyed == 0
    _sweeps(room, hours=71, minutes=50)
    assert room.status()["passages"] == 1
    assert _sweeps(room, minutes=10).destroyed == 1


def test_a_read_dated_too_late_is_not_kept_too_long(room: Room):
    """The clock was a year ahead; then the time server answered, in this boot or a later one."""
    room.times.clock = ClockQuality.FREE
    right = room.times.at
    room.times.at += timedelta(days=365)
    room.see("a", "PSTN101")
    room.times.passes(hours=1)
    room.times.at, room.times.clock = right + timedelta(hours=1), ClockQuality.SYNCED
    room.records.sweep()
    assert _sweeps(room, hours=71, milliseconds=-1).destroyed == 0
    assert _sweeps(room, milliseconds=1).destroyed == 1


def test_a_read_from_the_future_of_an_earlier_boot_counts_from_the_first_right_time(room: Room):
    room.times.clock = ClockQuality.FREE
    right = room.times.at
    room.times.at += timedelta(days=365)
    room.see("a", "PSTN101")
    room.times.at, room.times.mono, room.times.clock = right, 5.0, ClockQuality.SYNCED
    room.restart("boot-2")
    room.records.sweep()
    assert _sweeps(room, hours=71).destroyed == 0
    assert _sweeps(room, hours=1).destroyed == 1


def test_a_read_of_an_unknown_clock_and_earlier_boot_counts_from_the_first_right_time(room: Room):
    room.times.clock, room.times.at = ClockQuality.UNKNOWN, datetime(1970, 1, 1, tzinfo=UTC)
    room.see("a", "PSTN101")
    room.times.at, room.times.mono, room.times.clock = NOON, 5.0, ClockQuality.SYNCED
    room.restart("boot-2")
    assert room.records.sweep().destroyed == 0
    assert _sweeps(room, hours=71).destroyed == 0
    assert _sweeps(room, hours=1).destroyed == 1


def test_a_read_of_a_free_clock_and_earlier_boot_keeps_its_own_time(room: Room):
    room.times.clock = ClockQuality.FREE
    room.see("a", "PSTN101")
    room.times.passes(hours=10)
    room.times.clock, room.times.mono = ClockQuality.SYNCED, 5.0
    room.restart("boot-2")
    room.records.sweep()
    assert _sweeps(room, hours=62).destroyed == 1


def test_without_a_readable_policy_the_legal_ceiling_alone_holds(box):
    room = Room(box)
    room.publish()
    room.start()
    room.see("a", "PSTN101")
    room.stop()
    for file in box.site_db.parent.iterdir():
        file.unlink()
    room.start()
    assert _sweeps(room, hours=29 * 24).destroyed == 0
    assert _sweeps(room, hours=23).destroyed == 1
    room.stop()


def test_a_journal_that_cannot_be_asked_leaves_the_clock_unconfirmed(room: Room, monkeypatch):
    room.see("a", "PSTN101")
    room.restart()
    room.times.clock = ClockQuality.FREE

    def down(_):
        raise RecordError("the journal cannot be written")

    monkeypatch.setattr(room.records.parts.journal, "remembered", down)
    assert _sweeps(room, minutes=1).allowed is False


def test_sweeps_are_as_frequent_as_the_shortest_limit_asks():
    assert retention.sweep_every_s(_policy(336, 72)) == 60
    assert retention.sweep_every_s(_policy(336, 0.05)) == 15
    assert retention.sweep_every_s(None) == 60
