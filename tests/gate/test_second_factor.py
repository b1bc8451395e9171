"""The second factor over the door: codes, a resident's yes, and what is journaled about both."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from appliance import clock, gatecode, ipc, site, vault
from appliance.gate.loop import Now
from appliance.gate.second_factor import FORGOTTEN_S, MOST_WRONG, WrongCodes
from tests.fakes.barrier import Recorder
from tests.gate.making import publish
from tests.gate.test_door import Bench, Records, _until

WHO = {"actor": "guard1", "role": "guard", "organisation": "Watch Ltd",
       "purpose": "access_control", "reason": ""}
RESIDENT = {"actor": "Unit 7", "role": "resident", "organisation": "",
            "purpose": "access_control", "reason": ""}
CODE = "4711"


@pytest.fixture
def records(box):
    made = Records(box.socket("records"))
    yield made
    made.stop()


@pytest.fixture
def bench(box, records):
    publish(box, "PSTN101", "PSTN202")
    with contextlib.closing(site.open_writer(box)) as connection:
        mac = gatecode.mac(vault.key(box, "site"), CODE)
        connection.execute(
            "UPDATE grants SET second_factor = 'code', code_mac = ? WHERE id = 1", (mac,))
        connection.execute("UPDATE grants SET second_factor = 'resident' WHERE id = 2")
    made = Bench(box, Recorder())
    _until(lambda: made.gate.sender.ok(clock.mono()))
    yield made
    made.gate.end()


def _comes(bench: Bench, plate: str = "PSTN101", **changed: Any) -> None:
    bench.see(plate=plate, raw_plate=plate, **changed)


def _opened(bench: Bench) -> int:
    return len(bench.gate.driver.of("open"))


def _refusal(bench: Bench, verb: str, **fields: Any) -> str:
    with pytest.raises(ipc.Refused) as refusal:
        bench.ask(verb, **fields)
    return str(refusal.value)


def test_the_right_code_lets_the_car_in_and_is_journaled_but_not_written(records, bench):
    _comes(bench)
    waits = bench.ask("status").header["at_gate"]
    assert (waits["verdict"], waits["reason"]) == ("ask_guard", "needs_code")
    assert (waits["waits_for"], waits["waits_grant_id"]) == ("code", 1)
    assert 50 < waits["waits_left_s"] <= 60
    assert _opened(bench) == 0
    answer = bench.ask("second_factor", **WHO, code=CODE).header
    assert (answer["verdict"], answer["reason"]) == ("open", "granted")
    assert answer["outcome"]["acked_mono"] is not None
    assert _opened(bench) == 1
    (entry,) = records.of("journal")
    assert (entry["action"], entry["actor"]) == ("second_factor", "guard1")
    assert entry["query"] == {"lane": "main", "track": "t1", "grant_id": 1, "right": True}
    assert CODE not in repr(records.got)
    assert bench.ask("status").header["at_gate"]["waits_for"] is None


def test_a_wrong_code_opens_nothing_and_is_journaled_as_wrong(records, bench):
    _comes(bench)
    assert "wrong" in _refusal(bench, "second_factor", **WHO, code="0000")
    assert _opened(bench) == 0
    assert records.of("journal")[0]["query"]["right"] is False
    assert "0000" not in repr(records.got)


def test_after_five_wrong_codes_only_the_guard_lets_the_car_in(records, bench):
    _comes(bench)
    for _ in range(MOST_WRONG):
        _refusal(bench, "second_factor", **WHO, code="0000")
    assert "too many" in _refusal(bench, "second_factor", **WHO, code=CODE)
    _comes(bench, track="t2")
    assert bench.ask("status").header["at_gate"]["waits_for"] is None
    assert "too many" in _refusal(bench, "second_factor", **WHO, code=CODE)
    assert _opened(bench) == 0
    assert bench.ask("open_once", **{**WHO, "reason": "known to me"}).header["ok"]


def test_a_residents_yes_lets_the_car_in(records, bench):
    _comes(bench, "PSTN202")
    assert bench.ask("status").header["at_gate"]["waits_for"] == "resident"
    answer = bench.ask("confirm", **RESIDENT, grant_id=2).header
    assert (answer["verdict"], answer["reason"]) == ("open", "granted")
    (entry,) = records.of("journal")
    assert (entry["action"], entry["actor"], entry["role"]) == ("confirm", "Unit 7", "resident")
    assert "PSTN" not in repr(answer)


@pytest.mark.parametrize("role", ["guard", "manager"])
def test_whoever_answers_for_cars_may_say_yes_for_a_resident(records, bench, role):
    _comes(bench, "PSTN202")
    assert bench.ask("confirm", **{**WHO, "role": role}, grant_id=2).header["verdict"] == "open"


@pytest.mark.parametrize(("verb", "wrong"), [
    ("second_factor", {"role": "resident", "organisation": ""}),
    ("second_factor", {"role": "installer"}), ("second_factor", {"role": "auditor"}),
    ("confirm", {"role": "installer"}), ("confirm", {"role": "auditor"}),
    ("confirm", {"role": "resident"}), ("second_factor", {"code": 4711}),
    ("second_factor", {"code": None}), ("confirm", {"grant_id": "2"}),
    ("confirm", {"grant_id": True}), ("second_factor", {"actor": ""}),
    ("confirm", {"purpose": "curiosity"}),
])
def test_who_may_not_or_says_nonsense_is_refused_and_not_journaled(records, bench, verb, wrong):
    _comes(bench, "PSTN101" if verb == "second_factor" else "PSTN202")
    asked = {**WHO, "code": CODE, "grant_id": 2, **wrong}
    _refusal(bench, verb, **asked)
    assert records.of("journal") == []
    assert _opened(bench) == 0


@pytest.mark.parametrize(("verb", "fields"), [
    ("second_factor", {"code": CODE}), ("confirm", {"grant_id": 2}),
])
def test_without_a_car_that_waits_there_is_nothing_to_answer(records, bench, verb, fields):
    assert "no car waits" in _refusal(bench, verb, **WHO, **fields)
    _comes(bench, "PSTN999")
    assert "no car waits" in _refusal(bench, verb, **WHO, **fields)
    assert records.of("journal") == []


def test_a_yes_for_another_entry_than_the_waiting_cars_is_refused(records, bench):
    _comes(bench, "PSTN202")
    assert "no car waits" in _refusal(bench, "confirm", **RESIDENT, grant_id=1)


@pytest.mark.parametrize(("verb", "plate", "fields"), [
    ("second_factor", "PSTN101", {"code": CODE}), ("confirm", "PSTN202", {"grant_id": 2}),
])
def test_without_a_journal_entry_nothing_counts(records, bench, verb, plate, fields):
    _comes(bench, plate)
    records.refusing["journal"] = "record"
    _refusal(bench, verb, **WHO, **fields)
    assert _opened(bench) == 0
    records.refusing.clear()
    assert bench.ask(verb, **WHO, **fields).header["verdict"] == "open"


def test_a_try_without_a_journal_entry_uses_up_no_code(records, bench):
    _comes(bench)
    records.refusing["journal"] = "record"
    for _ in range(MOST_WRONG + 1):
        _refusal(bench, "second_factor", **WHO, code="0000")
    records.refusing.clear()
    assert bench.ask("second_factor", **WHO, code=CODE).header["verdict"] == "open"


def test_a_car_that_leaves_while_its_yes_is_journaled_is_not_let_in(records, bench):
    _comes(bench, "PSTN202")
    loop = bench.gate.loop
    found = loop.waiting

    def leaves(*asked):
        car = found(*asked)
        _comes(bench, "PSTN202", revision=4, final=True)
        return car

    loop.waiting = leaves
    assert "any more" in _refusal(bench, "confirm", **RESIDENT, grant_id=2)
    assert _opened(bench) == 0


def test_a_yes_that_does_not_open_yet_tells_why(records, bench):
    _comes(bench, "PSTN202")
    bench.gate.loop._now = lambda: Now(clock.mono() + 3.0, clock.utc_now())
    answer = bench.ask("confirm", **RESIDENT, grant_id=2).header
    assert (answer["verdict"], answer["reason"], answer["outcome"]) == (
        "stay_closed", "too_old", None)
    assert _opened(bench) == 0


def test_a_controller_that_does_not_answer_leaves_the_outcome_open(records, bench):
    _comes(bench)
    bench.gate.driver.silent = True
    _until(lambda: bench.gate.link.view.state == "lost")
    answer = bench.ask("second_factor", **WHO, code=CODE).header
    assert (answer["verdict"], answer["outcome"]) == ("open", None)


def test_wrong_codes_are_forgotten_a_quarter_of_an_hour_after_the_last():
    codes = WrongCodes()
    for number in range(MOST_WRONG + 1):
        assert codes.left(7, 100.0) == max(0, MOST_WRONG - number)
        codes.wrong(7, 100.0)
    assert codes.left(8, 100.0) == MOST_WRONG, "another entry"
    assert codes.left(7, 100.0 + FORGOTTEN_S) == 0
    assert codes.left(7, 100.1 + FORGOTTEN_S) == MOST_WRONG
    codes.wrong(7, 100.1 + FORGOTTEN_S)
    assert codes.left(7, 101.0 + FORGOTTEN_S) == MOST_WRONG - 1
    codes.right(7)
    assert codes.left(7, 101.0 + FORGOTTEN_S) == MOST_WRONG
