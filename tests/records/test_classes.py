"""Three classes of reads, each with its own limit; what a volume's name means."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from appliance import database, site, vault
from appliance.records import spans
from appliance.records.classes import CEILING, Limits, ReadClass, class_of, is_counted, limits
from appliance.records.keys import VolumeKeys
from appliance.records.volume import STEPS
from appliance.values import GrantKind, PublishedPolicy, Purpose, Reason, Verdict
from tests.records.room import MANAGER, NOON, Room, Times, decision, passage

HOURS = [timedelta(hours=h) for h in (1, 2, 3)]


def _policy(**changes) -> PublishedPolicy:
    fields = {
        "version": 1,
        "site_name": "x",
        "site_zone": "UTC",
        "jurisdiction": "",
        "purposes": (Purpose.AUDIT,),
        "kept_hours_matched": 2,
        "kept_hours_unmatched": 3,
        "published_at": NOON,
        "published_by": "mara",
    }
    return PublishedPolicy(**{**fields, **changes})


def _decided(verdict: Verdict, reason: Reason, grant: int | None, kind: GrantKind | None = None):
    told = decision("a", Times(), verdict, grant, reason=reason, grant_kind=kind)
    return passage("a", "PSTN101", Times(), decision=told)


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (_decided(Verdict.OPEN, Reason.GRANTED, 7, GrantKind.ALLOW), "resident"),
        (_decided(Verdict.OPEN, Reason.LOOKALIKE_GRANTED, 7, GrantKind.ALLOW), "resident"),
        (_decided(Verdict.OPEN, Reason.VISITOR_GRANTED, 7, GrantKind.VISITOR), "matched"),
        (_decided(Verdict.OPEN, Reason.LOOKALIKE_GRANTED, 7, GrantKind.VISITOR), "matched"),
        (_decided(Verdict.STAY_CLOSED, Reason.BLOCKED, 7, GrantKind.BLOCK), "matched"),
        (_decided(Verdict.STAY_CLOSED, Reason.LOOKS_BLOCKED, 7, GrantKind.BLOCK), "unmatched"),
        (_decided(Verdict.ASK_GUARD, Reason.EXPIRED, 7, GrantKind.ALLOW), "unmatched"),
        (_decided(Verdict.ASK_GUARD, Reason.NOT_LISTED, None), "unmatched"),
        (passage("a", "PSTN101", Times(), decision=None), "unmatched"),
        # A decision of the first releases, without the kind of its entry.
        (_decided(Verdict.OPEN, Reason.GRANTED, 7), "resident"),
        (_decided(Verdict.OPEN, Reason.LOOKALIKE_GRANTED, 7), "matched"),
    ],
)
def test_the_class_of_a_read_follows_from_what_let_the_car_in(told, found):
    assert class_of(told) == found


def test_each_class_has_its_own_limit_and_an_old_policy_keeps_residents_like_matched_reads():
    assert limits(_policy(kept_hours_resident=1)) == Limits(*HOURS)
    assert limits(_policy()).resident == HOURS[1]
    assert [Limits(*HOURS).of(c) for c in ReadClass] == HOURS
    assert limits(_policy(kept_hours_resident=9999)).resident == CEILING


def test_volumes_are_hourly_where_any_limit_is_under_a_day():
    long = {"kept_hours_matched": 24, "kept_hours_unmatched": 24}
    assert not limits(_policy(**long)).hourly
    assert limits(_policy(**long, kept_hours_resident=23.9)).hourly
    assert not limits(None).hourly


def test_only_a_residents_passage_is_counted_and_only_where_the_policy_counts():
    resident, other = passage("a", "P1", Times(), matched=True), passage("b", "P2", Times())
    counts = _policy(residents_counted=True)
    assert is_counted(resident, counts)
    assert not is_counted(other, counts)
    assert not is_counted(resident, _policy())
    assert not is_counted(resident, None)


def test_a_name_is_a_day_or_an_hour_of_it():
    late = datetime(2026, 11, 21, 23, 59, tzinfo=UTC)
    assert (spans.day_of(late), spans.hour_of(late)) == ("2026-11-21", "2026-11-21T23")
    assert spans.ends_at("2026-11-21T23") == datetime(2026, 11, 22, tzinfo=UTC)
    assert spans.ends_at("2026-11-21") == datetime(2026, 11, 22, tzinfo=UTC)
    assert spans.begins_at("2026-11-21T23") == datetime(2026, 11, 21, 23, tzinfo=UTC)
    assert [spans.is_name(n) for n in ("2026-11-21", "2026-11-21T23", "notes", "counts")] == [
        True, True, False, False,
    ]  # fmt: skip
    assert spans.holds("2026-11-21T23", late)
    assert not spans.holds("2026-11-21T22", late)
    assert spans.around(late)[:3] == ("2026-11-21", "2026-11-21T23", "2026-11-21T22")


def test_reads_of_three_classes_go_at_three_times(room: Room):
    room.publish(kept_hours_resident=24, kept_hours_matched=48, kept_hours_unmatched=72)
    room.see("a", "PSTN101", matched=True)
    visitor = decision("b", room.times, Verdict.OPEN, 8, reason=Reason.VISITOR_GRANTED)
    room.see("b", "PSTN102", decision=visitor)
    room.see("c", "PSTN103")
    left = []
    for _ in range(3):
        room.times.passes(hours=24)
        room.records.sweep()
        left.append(sorted(room.plates()))
    assert left == [["PSTN102", "PSTN103"], ["PSTN103"], []]


def test_under_a_short_limit_volumes_are_made_by_the_hour_and_both_kinds_are_searched(room: Room):
    first = room.see("a", "PSTN101")
    room.publish(kept_hours_unmatched=12)
    room.times.passes(minutes=5)
    second = room.see("b", "PSTN102")
    room.times.passes(hours=3)
    third = room.see("c", "PSTN103")
    names = [i.split(".")[0] for i in (first, second, third)]
    assert names == ["2026-11-21", "2026-11-21T12", "2026-11-21T15"]
    day = {"from_at": "2026-11-21T00:00:00Z", "to_at": "2026-11-22T00:00:00Z"}
    assert room.plates(**day) == ["PSTN103", "PSTN102", "PSTN101"]
    assert room.ask("open_passage", **MANAGER, passage_id=third).header["ok"]
    room.publish(kept_hours_unmatched=72)
    assert room.see("d", "PSTN104").startswith("2026-11-21T15."), "a day begun in hours goes on so"
    room.times.passes(days=1)
    assert room.see("e", "PSTN105").startswith("2026-11-22.")
    room.restart()
    assert len(room.plates()) == 5


def test_a_car_that_stands_over_the_hour_stays_in_its_volume_also_after_a_restart(room: Room):
    room.publish(kept_hours_unmatched=12)
    room.times.passes(minutes=59)
    first = room.see("a", "PSTN101")
    room.times.passes(minutes=2)
    assert room.see("a", "PSTN101", revision=2) == first
    room.restart()
    assert room.see("a", "PSTN101", revision=3) == first
    room.times.passes(hours=5)
    assert room.see("a", "PSTN101", revision=4) == first
    assert room.status()["passages"] == 1


def test_an_hours_volume_is_destroyed_with_its_last_read(room: Room):
    room.publish(kept_hours_resident=1, kept_hours_matched=1, kept_hours_unmatched=1)
    room.see("a", "PSTN101")
    room.times.passes(minutes=60)
    assert room.records.sweep().destroyed == 1
    assert room.status()["volumes"] == 0


def test_three_minutes_are_kept_to(room: Room):
    room.publish(kept_hours_unmatched=0.05)
    room.see("a", "PSTN101")
    room.times.passes(minutes=3, milliseconds=-1)
    assert room.records.sweep().deleted == 0
    room.times.passes(milliseconds=1)
    assert room.records.sweep().deleted == 1


def test_a_volume_of_the_first_release_is_brought_up_to_date_with_its_classes(room: Room):
    root = room.config.device.state_dir / "records"
    keys = VolumeKeys(root / "keys", vault.key(room.config, "reads"))
    old = database.open_encrypted(root / "reads" / "2026-11-20.db", keys.make("2026-11-20"))
    database.migrate(old, STEPS[:1])
    for number, (matched, reason) in enumerate(
        [(1, "granted"), (1, "visitor_granted"), (0, "not_listed"), (0, "blocked")]
    ):
        old.execute(
            "INSERT INTO reads VALUES (?,?,?,1,1,'synced',1,'b',0,?,'P','main','open',?,'in','','',"
            "1,1,1)",
            (number + 1, number + 1, f"k{number}", matched, reason),
        )
    old.close()
    room.restart()
    volume = room.records.parts.volumes.named("2026-11-20")
    with volume.reading() as connection:
        rows = connection.execute("SELECT class FROM reads ORDER BY id").fetchall()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    assert [r["class"] for r in rows] == ["resident", "matched", "unmatched", "unmatched"]
    assert version == len(STEPS)


def test_a_step_that_fails_leaves_the_schema_and_its_number_as_they_were(tmp_path):
    connection = database.open_encrypted(tmp_path / "x.db", b"k" * 32)
    database.migrate(connection, STEPS[:1])
    broken = STEPS[1] + "INSERT INTO nowhere VALUES (1);\n"
    with pytest.raises(Exception, match="nowhere"):
        database.migrate(connection, (STEPS[0], broken))
    assert connection.execute("PRAGMA user_version").fetchone()[0] == 1
    columns = {r["name"] for r in connection.execute("PRAGMA table_info(reads)")}
    assert "matched" in columns
    assert "class" not in columns
    connection.close()


def test_a_policy_names_its_classes_and_an_old_one_has_the_old_meaning(room: Room):
    from appliance.records.policy import PolicyWatch

    watch = PolicyWatch(room.config, room.records.parts.issues)
    old = watch.current()
    assert old.kept_hours_resident == 336
    assert (old.residents_counted, old.anti_passback) == (False, False)
    room.publish(kept_hours_resident=1, residents_counted=True, anti_passback=True)
    new = watch.current()
    assert (new.kept_hours_resident, new.residents_counted, new.anti_passback) == (1.0, True, True)
    watch.close()


@pytest.mark.parametrize("hours", [0.049, 0, -1, 721, float("nan")])
def test_a_limit_under_three_minutes_or_over_thirty_days_is_never_published(room: Room, hours):
    for name in site.KEPT_HOURS:
        with pytest.raises(ValueError, match="three minutes"):
            room.publish(**{name: hours})
    assert room.status()["policy_version"] == 1


def test_a_claim_that_is_no_claim_leaves_the_last_good_policy_in_force(room: Room):
    assert room.status()["policy_version"] == 1
    room.publish(residents_counted="no")
    assert room.status()["policy_version"] == 1
    assert "site_unreadable" in room.issues()


def test_the_demos_policy_says_openly_that_it_records_residents():
    from appliance.scenario.plan import PlannedSite
    from appliance.scenario.site import policy_body

    body = policy_body(PlannedSite("x", "UTC", "", (Purpose.AUDIT,), 24, 72))
    assert body["residents_counted"] is False
    assert json.loads(json.dumps(body))["kept_hours_resident"] == 24
