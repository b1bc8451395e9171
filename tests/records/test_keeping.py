"""What two messages about one car become, and where it is kept."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import sqlcipher3
from hypothesis import given
from hypothesis import strategies as st

from appliance import codec
from appliance.errors import VaultError
from appliance.records.passages import Kept, merged, row
from appliance.records.times import boot, from_ms, moment, to_ms
from appliance.values import ClockQuality, Moved, Passage, Verdict
from tests.records.room import MANAGER, NOON, Room, Times, decision, outcome, passage, sighting

TIMES = Times()


def _open(room: Room, passage_id: str) -> tuple[Passage, bytes]:
    answer = room.ask("open_passage", **MANAGER, passage_id=passage_id)
    return codec.decode(Passage, answer.header["passage"]), answer.blob


def test_a_higher_revision_replaces_the_read_under_the_same_id(room: Room):
    first = room.see("a", "PSTN1O1")
    again = room.keep(passage("a", "PSTN101", room.times, revision=2), b"better")
    assert first == again
    assert room.plates() == ["PSTN101"]
    assert _open(room, again)[1] == b"better"
    assert room.status()["passages_total"] == 1


def test_an_older_revision_that_comes_late_changes_nothing(room: Room):
    passage_id = room.keep(passage("a", "PSTN101", room.times, revision=3), b"best")
    room.keep(passage("a", "PSTN1O1", room.times, revision=2), b"worse")
    kept, crop = _open(room, passage_id)
    assert (kept.sighting.plate, kept.sighting.revision, crop) == ("PSTN101", 3, b"best")


def test_an_outcome_once_known_is_not_lost_to_a_later_read(room: Room):
    passage_id = room.see("a", "PSTN1O1", matched=True)
    room.keep(replace(passage("a", "PSTN101", room.times, revision=2), outcome=None), b"")
    kept, crop = _open(room, passage_id)
    assert kept.sighting.plate == "PSTN101"
    assert kept.outcome == outcome("o-a", room.times)
    assert kept.decision.verdict is Verdict.OPEN, "the decision that moved the arm stays"
    assert crop == b"jpeg"


def test_a_car_that_stands_over_midnight_stays_in_its_first_volume(room: Room):
    room.times.passes(hours=11, minutes=59)
    first = room.see("a", "PSTN101")
    room.times.passes(minutes=5)
    again = room.keep(passage("a", "PSTN102", room.times, revision=2))
    assert first == again
    assert first.startswith("2026-11-21.")
    assert room.status()["volumes"] == 1
    assert _open(room, again)[0].at == NOON + timedelta(hours=11, minutes=59)


def test_a_picture_that_comes_later_joins_its_passage(room: Room):
    passage_id = room.keep(passage("a", "PSTN101", room.times), b"")
    room.keep(passage("a", "PSTN101", room.times), b"late")
    assert _open(room, passage_id)[1] == b"late"


def test_a_message_sent_twice_is_kept_once_and_written_once(room: Room):
    kept = passage("a", "PSTN101", room.times)
    room.keep(kept)
    volume = room.records.parts.volumes.named("2026-11-21")
    size = volume.files[1].stat().st_size
    room.keep(kept)
    assert volume.files[1].stat().st_size == size
    assert room.status()["passages"] == 1


def test_a_guards_opening_later_is_kept_with_who_opened(room: Room):
    passage_id = room.see("a", "PSTN101")
    opened = decision("a", room.times, Verdict.OPEN)
    room.keep(replace(passage("a", "PSTN101", room.times), decision=opened,
                      outcome=outcome("o", room.times), actor="gus"))  # fmt: skip
    assert room.find()["rows"][0]["actor"] == "gus"
    assert _open(room, passage_id)[0].outcome.moved is Moved.YES


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (None, None, None),
        (None, outcome("o", TIMES), outcome("o", TIMES)),
        (outcome("o", TIMES), None, outcome("o", TIMES)),
        (outcome("o", TIMES), outcome("p", TIMES, Moved.NO), outcome("p", TIMES, Moved.NO)),
        (
            outcome("o", TIMES, fault="slow"),
            outcome("o", TIMES, Moved.UNKNOWN, acked_mono=None),
            outcome("o", TIMES, fault="slow"),
        ),
        (
            outcome("o", TIMES, Moved.UNKNOWN, acked_mono=None),
            outcome("o", TIMES, fault="stuck"),
            outcome("o", TIMES, fault="stuck"),
        ),
    ],
)
def test_what_the_barrier_answered_is_never_forgotten(old, new, expected):
    first, second = (replace(passage("a", "PSTN101", TIMES), outcome=o) for o in (old, new))
    assert merged(Kept(first, b""), Kept(second, b"")).passage.outcome == expected


reads = st.none() | st.builds(
    lambda revision, plate: sighting("a", plate, TIMES, revision),
    st.integers(1, 5),
    st.sampled_from(["PSTN101", "PSTN1O1"]),
)
decisions = st.none() | st.builds(
    lambda verdict, grant: decision("a", TIMES, verdict, grant),
    st.sampled_from(list(Verdict)),
    st.none() | st.just(7),
)
outcomes = st.none() | st.builds(
    lambda order, moved, acked: outcome(order, TIMES, moved, acked_mono=acked),
    st.sampled_from(["o", "p"]),
    st.sampled_from(list(Moved)),
    st.none() | st.just(5.0),
)
messages = st.builds(
    lambda s, d, o, actor, crop: Kept(Passage("a", "main", NOON, s, d, o, actor), crop),
    reads,
    decisions,
    outcomes,
    st.sampled_from(["", "gus"]),
    st.sampled_from([b"", b"x"]),
)


@given(messages, messages)
def test_a_later_message_never_lowers_what_is_known(old: Kept, new: Kept):
    both = merged(old, new)
    for part in ("sighting", "decision", "outcome"):
        told = [getattr(m.passage, part) for m in (old, new) if getattr(m.passage, part)]
        assert (getattr(both.passage, part) is None) == (not told)
    if both.passage.sighting:
        assert both.passage.sighting.revision == max(
            m.passage.sighting.revision for m in (old, new) if m.passage.sighting
        )
    assert bool(both.crop) == bool(old.crop or new.crop)
    assert bool(both.passage.actor) == bool(old.passage.actor or new.passage.actor)
    assert merged(both, both) == both


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ({}, 50.0),
        ({"sighting": None}, 60.0),
        ({"sighting": None, "decision": None}, 70.0),
        ({"sighting": None, "decision": None, "outcome": None}, 1_000_000.0),
    ],
)
def test_a_passage_is_dated_by_the_first_thing_that_was_seen_of_it(changes: dict[str, Any], seen):
    kept = replace(
        passage("a", "PSTN101", TIMES, matched=True),
        sighting=sighting("a", "PSTN101", TIMES, first_mono=50.0),
        decision=decision("a", TIMES, Verdict.OPEN, 7, decided_mono=60.0),
        outcome=outcome("o", TIMES, asked_mono=70.0),
    )
    columns = row(Kept(replace(kept, **changes), b""), "b", TIMES())
    assert columns["seen_mono"] == seen


def test_a_monotonic_time_of_the_future_is_cut_to_now():
    ahead = sighting("a", "PSTN101", TIMES, first_mono=TIMES.mono + 99)
    columns = row(Kept(replace(passage("a", "PSTN101", TIMES), sighting=ahead), b""), "b", TIMES())
    assert columns["seen_mono"] == TIMES.mono


def test_what_the_clock_was_worth_is_kept_with_the_read():
    free = Times()
    free.clock = ClockQuality.FREE
    columns = row(Kept(passage("a", "PSTN101", free), b""), "b", TIMES())
    assert (columns["clock"], columns["settled"]) == ("free", 0)
    manual = row(Kept(Passage("o", "main", NOON, None, None, None), b""), "b", TIMES())
    assert (manual["clock"], manual["settled"]) == ("synced", 1)


@given(st.datetimes(min_value=NOON.replace(year=1970, tzinfo=None)))
def test_times_survive_being_numbers_to_the_millisecond(at):
    at = at.replace(tzinfo=NOON.tzinfo)
    assert timedelta(0) <= at - from_ms(to_ms(at)) < timedelta(milliseconds=1)


def test_the_real_moment_and_boot_are_the_machines_own():
    now = moment()
    assert now.at.utcoffset() == timedelta(0)
    assert now.mono > 0
    assert len(boot()) == 36


def _fails_once(room: Room, monkeypatch, error: Exception) -> None:
    keeper = room.records.parts.keeper
    insert, errors = keeper._insert, [error]

    def failing(*args):
        if errors:
            raise errors.pop()
        return insert(*args)

    monkeypatch.setattr(keeper, "_insert", failing)


@pytest.mark.parametrize("answer", [False, None])
def test_damage_met_while_writing_costs_the_unsound_volume_and_not_the_car(
    room: Room, monkeypatch, answer
):
    room.see("a", "PSTN101")
    volume = room.records.parts.volumes.named("2026-11-21")

    @contextlib.contextmanager
    def unsound():
        if answer is None:
            raise VaultError("its pages cannot be read")
        found = sqlcipher3.connect(":memory:")
        yield SimpleNamespace(execute=lambda _: found.execute("SELECT 'row missing'"))

    _fails_once(room, monkeypatch, VaultError("a page is damaged"))
    find = room.records.parts.keeper._find
    monkeypatch.setattr(room.records.parts.keeper, "_find", lambda p: None if p else find(p))
    monkeypatch.setattr(volume, "reading", unsound)
    room.see("b", "PSTN102")
    assert room.plates() == ["PSTN102"]
    assert "volume_damaged" in room.issues()


def test_a_sound_volume_is_not_set_aside_for_a_passing_trouble(room: Room, monkeypatch):
    room.see("a", "PSTN101")
    _fails_once(room, monkeypatch, VaultError("damaged, it seemed"))
    room.see("b", "PSTN102")
    assert sorted(room.plates()) == ["PSTN101", "PSTN102"]
    _fails_once(room, monkeypatch, sqlcipher3.OperationalError("database is locked"))
    with pytest.raises(Exception, match="could not be kept"):
        room.see("c", "PSTN103")


def test_only_the_latest_cars_places_are_remembered(room: Room, monkeypatch):
    monkeypatch.setattr("appliance.records.keeping._RECENT", 2)
    for key in "abc":
        room.see(key, "PSTN101")
    assert list(room.records.parts.keeper._recent) == ["b", "c"]
    assert room.see("a", "PSTN101", revision=2).endswith(".1")
