"""The door's verbs over the real socket: orders of people, with everything else dead or alive."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from appliance import clock, codec, ipc
from appliance.barrier.drivers.simulator import Simulator
from appliance.gate import door as doors
from appliance.gate.program import Gate
from tests.decision.making import sighting
from tests.fakes.barrier import Recorder
from tests.gate.making import publish

WHO = {"actor": "guard1", "role": "guard", "organisation": "Watch Ltd",
       "purpose": "access_control", "reason": "parcel van"}


class Records:
    """A records program on its socket; ``refusing`` answers no with that key."""

    def __init__(self, path) -> None:
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.refusing: dict[str, str] = {}
        self._server = ipc.Server(path, {
            verb: self._take for verb in ("keep", "journal", "status")})
        self._server.start()

    def _take(self, message: ipc.Message) -> ipc.Message:
        if message.verb in self.refusing:
            return ipc.Message({"ok": False, "key": self.refusing[message.verb], "message": "no",
                                "next_step": ""})
        self.got.append((message.verb, message.header))
        return ipc.ok()

    def of(self, verb: str) -> list[dict[str, Any]]:
        return [header for said, header in self.got if said == verb]

    def stop(self) -> None:
        self._server.stop()


class Bench:
    def __init__(self, config, driver) -> None:
        self.config = config
        self.gate = Gate(config, driver)
        self.gate.start()
        _until(lambda: self.gate.link.view.state == "ready")

    def ask(self, verb: str, **fields: Any) -> ipc.Message:
        return ipc.call(self.config.socket("door"), verb, fields)

    def see(self, **changed: Any) -> None:
        now = clock.mono()
        self.gate.loop.take(sighting(**{
            "plate": "PSTN999", "last_mono": now, "first_mono": now - 0.5, "crop_jpeg": b"jpeg",
            **changed}))


def _until(condition) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "not within 10 s"
        time.sleep(0.005)


@pytest.fixture
def records(box):
    made = Records(box.socket("records"))
    yield made
    made.stop()


@pytest.fixture
def bench(box):
    publish(box, "PSTN101")
    made = Bench(box, Recorder())
    yield made
    made.gate.end()


def test_a_person_opens_with_a_reason_and_it_is_journaled_first(records, bench):
    answer = bench.ask("open_once", **WHO)
    assert answer.header["outcome"]["acked_mono"] is not None
    (told,) = bench.gate.driver.of("open")
    assert told[1] == answer.header["order_id"]
    (entry,) = records.of("journal")
    assert (entry["action"], entry["actor"], entry["reason"]) == (
        "open_once", "guard1", "parcel van")
    assert entry["query"]["order_id"] == answer.header["order_id"]
    _until(lambda: records.of("keep"))
    passage = records.of("keep")[0]["passage"]
    assert passage["key"] == answer.header["order_id"]
    assert passage["decision"]["reason"] == "manual"
    assert passage["sighting"] is None


def test_a_manual_opening_names_the_car_that_stood_there_by_its_track(records, bench):
    bench.see(track="t9")
    bench.ask("open_once", **WHO)
    _until(lambda: len(records.of("keep")) == 2)
    assert records.of("keep")[1]["passage"]["decision"]["track"] == "t9"


def test_a_person_opens_while_camera_and_records_are_dead_and_the_entry_waits(bench):
    answer = bench.ask("open_once", **WHO)
    assert answer.header["ok"]
    assert len(bench.gate.driver.of("open")) == 1
    assert bench.gate.sender.queued == 2
    late = Records(bench.config.socket("records"))
    _until(lambda: late.of("journal") and late.of("keep"))
    late.stop()
    entry = late.of("journal")[0]
    assert entry["actor"] == "guard1"
    assert entry["query"]["happened_at"]


@pytest.mark.parametrize("why", ["no_policy", "internal", "record", "vault"])
def test_a_journal_that_cannot_be_kept_does_not_keep_people_out(records, bench, why):
    records.refusing["journal"] = why
    assert bench.ask("open_once", **WHO).header["ok"]


@pytest.mark.parametrize("why", ["purpose_refused", "role_refused", "reason_refused"])
def test_an_entry_refused_for_what_the_person_wrote_refuses_the_order(records, bench, why):
    records.refusing["journal"] = why
    with pytest.raises(ipc.Refused):
        bench.ask("open_once", **WHO)
    assert bench.gate.driver.of("open") == []


@pytest.mark.parametrize("wrong", [
    {"actor": ""}, {"actor": None}, {"purpose": "curiosity"}, {"purpose": ""}, {"reason": "  "},
    {"role": "auditor"}, {"role": "custodian"}, {"role": ""},
])
@pytest.mark.parametrize("verb", ["open_once", "hold_open"])
def test_an_order_without_who_what_for_and_why_is_refused(records, bench, verb, wrong):
    with pytest.raises(ipc.Refused):
        bench.ask(verb, **{**WHO, "lease_s": 30, **wrong})
    assert bench.gate.driver.told == []
    assert records.of("journal") == []


def test_a_second_opening_within_the_lock_out_is_refused_in_plain_words(records, bench):
    bench.ask("open_once", **WHO)
    with pytest.raises(ipc.Refused) as refusal:
        bench.ask("open_once", **WHO)
    assert "moment ago" in str(refusal.value)
    assert len(bench.gate.driver.of("open")) == 1


def test_a_silent_controller_is_told_to_the_person(records, bench):
    bench.gate.driver.silent = True
    with pytest.raises(ipc.Refused) as refusal:
        bench.ask("open_once", **WHO)
    assert refusal.value.fields["refused_key"] in ("barrier_refused", "barrier_link_lost")
    _until(lambda: records.of("keep"))
    assert records.of("keep")[0]["passage"]["outcome"]["acked_mono"] is None


def test_an_order_unanswered_until_its_deadline_may_have_opened(bench):
    class Mute(Recorder):
        def open(self, order_id, pulse_ms, **life):
            self.silent = True
            super().open(order_id, pulse_ms, **life)

    bench.gate.end()
    other = Bench(bench.config, Mute())
    try:
        with pytest.raises(ipc.Refused) as refusal:
            ipc.call(bench.config.socket("door"), "open_once", WHO, timeout_s=10)
        assert refusal.value.fields["refused_key"] == "barrier_link_lost"
    finally:
        other.gate.end()


def test_holding_renewing_and_releasing(records, bench):
    first = bench.ask("hold_open", **WHO, lease_s=30).header["held_until_mono"]
    again = bench.ask("hold_open", **WHO, lease_s=45.5).header["held_until_mono"]
    assert again > first
    assert bench.ask("status").header["barrier"]["state"] == "held"
    bench.ask("release", **{**WHO, "reason": ""})
    barrier = bench.ask("status").header["barrier"]
    assert (barrier["state"], barrier["held_until_mono"]) == ("ready", None)
    assert [e["action"] for e in records.of("journal")] == ["hold_open", "hold_open", "release"]


@pytest.mark.parametrize("lease_s", [61, 0, -1, None, "30", True])
def test_a_hold_has_a_length_of_at_most_a_minute(records, bench, lease_s):
    with pytest.raises(ipc.Refused):
        bench.ask("hold_open", **WHO, lease_s=lease_s)
    assert bench.gate.driver.told == []


def test_there_is_no_order_to_close(bench):
    for verb in ("close", "toggle", "shut", "force_close"):
        with pytest.raises(ipc.Refused) as refusal:
            bench.ask(verb, **WHO)
        assert refusal.value.fields["refused_key"] == "unknown_verb"


def test_the_status_tells_everything_the_table_promises(records, bench):
    empty = bench.ask("status").header
    assert empty["at_gate"] is None
    assert empty["verdict_now"] is None
    bench.see()
    status = bench.ask("status").header
    assert status["verdict_now"] == "ask_guard"
    assert status["at_gate"]["reason"] == "not_listed"
    assert set(status["counts"]) >= {"sightings", "opened", "asked", "refused", "dropped"}
    assert set(status["latency_ms"]) == {"decide_p50", "decide_p99", "order_p50", "order_p95"}
    assert status["policy_version"] == 1
    assert {"driver", "capabilities", "state", "position", "fault", "held_until_mono"} <= set(
        status["barrier"])
    assert {"ok", "queued"} <= set(status["records"])
    assert status["camera"]["state"] == "lost"


def test_the_status_names_no_plate_but_tells_when_there_is_another_car(records, bench):
    bench.see()
    first = bench.ask("status").header
    assert "PSTN999" not in repr(first)
    assert bench.ask("status").header["at_gate"]["mark"] == first["at_gate"]["mark"]
    bench.see(track="t2", plate="PSTN888")
    assert bench.ask("status").header["at_gate"]["mark"] != first["at_gate"]["mark"]


def test_the_car_at_the_gate_is_shown_once_the_look_is_journaled(records, bench):
    assert bench.ask("at_gate", **WHO).header["at_gate"] is None
    assert records.of("journal") == []
    bench.see()
    answer = bench.ask("at_gate", **{**WHO, "reason": ""})
    assert answer.header["at_gate"]["sighting"]["plate"] == "PSTN999"
    assert answer.blob == b"jpeg"
    assert records.of("journal")[0]["action"] == "view_at_gate"
    assert records.of("journal")[0]["rows"] == 1


def test_without_a_journal_nothing_at_the_gate_is_shown(bench):
    bench.see()
    with pytest.raises(ipc.IpcError):
        bench.ask("at_gate", **WHO)


def test_word_of_a_new_policy_is_answered_with_its_version(bench):
    publish(bench.config)
    assert bench.ask("policy_changed").header["policy_version"] == 2


def test_the_order_to_wait_is_shorter_than_a_callers_patience():
    assert doors.JOURNAL_WAIT_S + doors.ORDER_WAIT_S < 2.0


def test_issues_tell_what_is_dead_in_plain_words(bench):
    bench.gate.look()
    _until(lambda: bench.gate.issues.stands("records_down"))
    issues = {i["key"]: i for i in bench.ask("status").header["issues"]}
    assert set(issues) == {"vision_down", "records_down"}
    assert all(i["message"] and i["next_step"] and i["since_mono"] for i in issues.values())
    bench.gate.driver.silent = True
    _until(lambda: bench.gate.link.view.state == "lost")
    bench.gate.look()
    assert bench.gate.issues.stands("barrier_link")


def test_an_arm_that_does_not_move_reaches_the_guard(box, records):
    publish(box, "PSTN101")
    barrier = Simulator()
    bench = Bench(box, barrier)
    barrier.set_faults(stuck=True)
    try:
        bench.ask("open_once", **WHO)
        _until(lambda: bench.gate.link.view.fault == "did_not_move")
        bench.gate.look()
        assert bench.gate.issues.stands("did_not_move")
        _until(lambda: any(h["passage"]["outcome"]["moved"] == "no" for h in records.of("keep")))
    finally:
        bench.gate.end()


def test_many_people_at_once_are_answered(records, bench):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(bench.ask("status")))
               for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(answers) == 8


def test_a_sighting_in_its_wire_form_reaches_the_desk(records, bench):
    now = clock.mono()
    seen = sighting(plate="PSTN999", last_mono=now, first_mono=now - 0.5)
    with ipc.connect(bench.config.socket("sightings")) as vision:
        ipc.send(vision, {"verb": "camera", "state": "live", "since_mono": now})
        ipc.send(vision, {"verb": "sighting", "sighting": codec.encode(seen)}, b"jpeg")
        _until(lambda: bench.ask("status").header["at_gate"])
    assert bench.ask("status").header["camera"]["state"] == "live"
