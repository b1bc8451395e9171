"""Passages reach records, or are counted; the hot path never waits for either."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from appliance.gate import sender as sending
from appliance.gate.issues import Issues
from appliance.gate.sender import MOST, PING_S, Sender
from appliance.values import Passage
from tests.decision.making import NOW, sighting
from tests.fakes.barrier import Time
from tests.gate.making import FakeRecords


def _passage(key: str = "t1", revision: int = 1) -> Passage:
    seen = sighting(track=key, revision=revision, crop_jpeg=b"jpeg")
    return Passage(key, "main", NOW, seen, None, None)


class Bench:
    def __init__(self) -> None:
        self.time, self.records, self.issues = Time(), FakeRecords(), Issues()
        self.sender = Sender(self.records, self.issues, self.time)

    def revisions(self) -> list[int]:
        return [p["sighting"]["revision"] for p in self.records.passages()]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_passage_is_sent_with_its_crop_beside_it(bench):
    bench.sender.put(_passage())
    assert bench.sender.step() == 0.0
    verb, fields, blob = bench.records.got[0]
    assert (verb, blob) == ("keep", b"jpeg")
    assert fields["passage"]["key"] == "t1"
    assert "crop_jpeg" not in fields["passage"]["sighting"]
    assert bench.sender.queued == 0


def test_a_passage_without_a_sighting_is_sent_too(bench):
    bench.sender.put(replace(_passage(), sighting=None))
    bench.sender.step()
    assert bench.records.got[0][2] == b""


def test_the_latest_revision_takes_the_place_of_an_unsent_one(bench):
    bench.sender.put(_passage(revision=1))
    bench.sender.put(_passage(revision=2))
    assert bench.sender.queued == 1
    bench.sender.step()
    assert bench.revisions() == [2]


def test_a_revision_that_comes_while_the_last_is_sent_is_sent_after_it(bench):
    def keeps(verb, fields, *, blob=b""):
        if not bench.records.got:
            bench.sender.put(_passage(revision=2))
        return bench.records(verb, fields, blob=blob)

    bench.sender = Sender(keeps, bench.issues, bench.time)
    bench.sender.put(_passage(revision=1))
    bench.sender.step()
    bench.sender.step()
    assert bench.revisions() == [1, 2]
    assert bench.sender.queued == 0


def test_an_unacknowledged_passage_is_sent_again_with_growing_rests(bench):
    bench.records.down = True
    bench.sender.put(_passage())
    rests = [bench.sender.step() for _ in range(8)]
    assert rests == sorted(rests)
    assert rests[-1] == 1.0
    assert bench.sender.queued == 1
    bench.records.down = False
    bench.sender.step()
    assert bench.revisions() == [1]
    bench.records.down = True
    bench.sender.put(_passage())
    assert bench.sender.step() == rests[0]


def test_records_is_not_well_before_its_first_answer(bench):
    assert not bench.sender.ok(bench.time.now)
    assert bench.sender.step() == PING_S
    assert bench.sender.ok(bench.time.now)


def test_records_is_not_well_five_seconds_after_its_last_answer(bench):
    bench.sender.step()
    bench.records.down = True
    bench.time.pass_(5.0)
    bench.sender.step()
    assert bench.sender.ok(bench.time.now)
    bench.time.pass_(0.1)
    assert not bench.sender.ok(bench.time.now)


def test_a_full_queue_loses_nothing_silently(bench):
    bench.sender.step()
    bench.records.down = True
    for number in range(MOST):
        bench.sender.put(_passage(f"t{number}"))
    assert not bench.sender.ok(bench.time.now)
    assert bench.sender.counts["lost"] == 0
    bench.sender.put(_passage("one too many"))
    assert bench.sender.counts["lost"] == 1
    assert bench.issues.stands("records_lost")
    bench.sender.put(_passage("t5", revision=9))
    assert bench.sender.counts["lost"] == 1
    assert bench.sender.queued == MOST


def test_without_a_policy_nothing_is_kept_and_nothing_is_lost(bench):
    bench.records.refusing = "no_policy"
    bench.sender.put(_passage())
    assert bench.sender.step() == 0.0
    assert bench.sender.counts["not_kept_no_policy"] == 1
    assert bench.sender.ok(bench.time.now)
    assert not bench.issues.stands("records_lost")


def test_a_letter_records_cannot_understand_is_counted_as_lost(bench):
    bench.records.refusing = "ipc"
    bench.sender.put(_passage())
    bench.sender.step()
    assert bench.sender.counts["lost"] == 1
    assert bench.sender.queued == 0
    assert bench.issues.stands("records_lost")


def test_a_letter_refused_for_now_lets_others_pass_and_is_given_up_in_the_end(bench):
    bench.sender.put(_passage("bad"))
    bench.sender.put(_passage("good"))
    bench.records.refusing = "record"
    assert bench.sender.step() > 0
    bench.records.refusing = ""
    bench.sender.step()
    assert [p["key"] for p in bench.records.passages()] == ["good"]
    bench.records.refusing = "record"
    for _ in range(30):
        bench.sender.step()
    assert bench.sender.counts["lost"] == 1


def test_a_newer_revision_is_not_moved_or_dropped_by_a_refusal_of_the_older(bench):
    def refuses(verb, fields, *, blob=b""):
        if verb != "status":
            bench.sender.put(_passage(revision=2))
        return bench.records(verb, fields, blob=blob)

    bench.records.refusing = "record"
    bench.sender = Sender(refuses, bench.issues, bench.time)
    bench.sender.put(_passage(revision=1))
    bench.sender.step()
    assert bench.sender.queued == 1


def test_records_that_refuses_passages_is_not_well_in_the_end(bench):
    bench.sender.step()
    bench.records.refusing = "record"
    bench.sender.put(_passage())
    bench.time.pass_(5.1)
    bench.sender.step()
    assert not bench.sender.ok(bench.time.now)


def test_records_that_refuses_to_say_how_it_is_is_not_well(bench):
    def refuses(verb, fields, *, blob=b""):
        from appliance import ipc
        raise ipc.Refused("no", refused_key="internal")

    sender = Sender(refuses, bench.issues, bench.time)
    assert sender.step() > 0
    assert not sender.ok(bench.time.now)


def test_records_whose_journal_cannot_be_written_is_not_well_though_it_keeps_passages(bench):
    from appliance import ipc

    bench.sender.put(_passage("before"))
    bench.sender.step()

    def keeps(verb, fields, *, blob=b""):
        bench.records(verb, fields, blob=blob)
        return ipc.ok({"passage_id": "x", "records_ok": False})

    bench.sender._call = keeps
    for second in range(7):
        bench.sender.put(_passage(f"t{second}"))
        bench.sender.step()
        bench.time.now += 1.0
    assert bench.sender.queued == 0
    assert not bench.sender.ok(bench.time.now)


def test_a_late_journal_entry_is_sent_as_it_is(bench):
    bench.sender.put_journal("man-1", {"action": "open_once"})
    bench.sender.step()
    assert bench.records.got == [("journal", {"action": "open_once"}, b"")]


def test_the_thread_sends_what_is_put_and_flushes_at_the_end():
    records, issues, kept = FakeRecords(), Issues(), threading.Event()

    def keeps(verb, fields, *, blob=b""):
        answer = records(verb, fields, blob=blob)
        if verb == "keep":
            kept.set()
        return answer

    sender = Sender(keeps, issues)
    sender.start()
    sender.put(_passage())
    assert kept.wait(10)
    sender.put(_passage(revision=2))
    sender.stop(10)
    assert records.passages()[-1]["sighting"]["revision"] == 2
    assert not issues.stands("records_down")


def test_the_thread_says_that_records_is_down_and_ends_all_the_same():
    records, issues, asked = FakeRecords(), Issues(), threading.Event()
    records.down = True

    def fails(verb, fields, *, blob=b""):
        asked.set()
        return records(verb, fields, blob=blob)

    sender = Sender(fails, issues)
    sender.start()
    sender.put(_passage())
    assert asked.wait(10)
    sender.stop(10)
    assert issues.stands("records_down")
    assert sender.queued == 1


def test_the_thread_outlives_a_fault_of_its_own(caplog, monkeypatch):
    monkeypatch.setattr(sending, "_BACK_OFF_S", (0.001, 0.001))
    records, kept = FakeRecords(), threading.Event()

    def breaks(verb, fields, *, blob=b""):
        if not records.asked:
            records.asked += 1
            raise ZeroDivisionError("PSTN101")
        if verb == "keep":
            kept.set()
        return records(verb, fields, blob=blob)

    sender = Sender(breaks, Issues())
    sender.put(_passage())
    sender.start()
    assert kept.wait(10)
    sender.stop(10)
    assert "ZeroDivisionError" in caplog.text
    assert "PSTN101" not in caplog.text


# Whoever must know


def test_whoever_asked_hears_that_a_letter_is_kept(bench):
    heard = []
    bench.sender.put(_passage(), heard.append)
    assert heard == []
    bench.sender.step()
    assert heard == [True]


@pytest.mark.parametrize(("why", "kept"), [("no_policy", True), ("reason_refused", False)])
def test_what_may_not_be_kept_is_done_with_and_what_is_lost_is_not(bench, why, kept):
    heard = []
    bench.records.refusing = why
    bench.sender.put_journal("e1", {}, heard.append)
    bench.sender.step()
    assert heard == [kept]


def test_whoever_waits_for_a_letter_hears_of_the_newer_one_in_its_place(bench):
    heard = []
    bench.sender.put(_passage(revision=1), heard.append)
    bench.sender.put(_passage(revision=2))
    bench.sender.step()
    assert (bench.revisions(), heard) == ([2], [True])


def test_a_letter_somebody_waits_for_is_handed_back_where_there_is_no_room(bench):
    heard = []
    for number in range(MOST):
        bench.sender.put(_passage(f"t{number}"))
    bench.sender.put_journal("e1", {}, heard.append)
    assert heard == [False]
    assert bench.sender.counts["lost"] == 0
    assert not bench.issues.stands("records_lost")
