"""The pull-the-plug test as a page: measured, told, kept, journaled; it outlives a restart."""

from __future__ import annotations

import pytest

from appliance.barrier.commissioning_steps import STEPS
from appliance.console.commissionings import Commissionings
from appliance.values import Role

PAGE = "/barrier/commissioning/"


@pytest.fixture
def installer(desk):
    return desk.signed_in(Role.INSTALLER)


def commissionings(desk):
    return Commissionings(desk.console.store)


def judge(browser, step, result="passed", note=""):
    return browser.post(PAGE + "judge", {"step": step, "result": result, "note": note})


def begin_at(desk, browser, step):
    """The test, with everything before that step failed out of the way."""
    browser.post(PAGE + "begin")
    for each in STEPS:
        if each.id == step:
            break
        judge(browser, each.id, "failed", "not today")
    running = commissionings(desk).running()
    assert running.step.id == step
    return running


def test_it_begins_with_the_steps_and_how_each_is_known(desk, installer):
    page = installer.get(PAGE).text
    assert "Begin the test" in page
    assert "STOP stops everything" in page
    assert page.count("measured") > 5
    assert "seen by a person" in page


def test_it_does_not_begin_while_the_gate_is_silent(desk, installer):
    desk.fakes.door.stop()
    installer.post(PAGE + "begin")
    assert commissionings(desk).running() is None
    assert "nothing could be measured" in installer.get(PAGE).text


def test_the_first_step_is_measured_and_leads_to_the_second(desk, installer):
    installer.post(PAGE + "begin")
    page = installer.get(PAGE).text
    assert "step 1 of 17" in page
    assert "north gate answers and knows" in page
    judge(installer, "answers")
    assert "step 2 of 17" in installer.get(PAGE).text


def test_a_measured_step_passes_only_by_measurement(desk, installer):
    begin_at(desk, installer, "entry_loop")
    judge(installer, "entry_loop")
    assert commissionings(desk).running().step.id == "entry_loop"
    assert "it has not passed yet" in installer.get(PAGE).text
    desk.fakes.door.barrier = {"entry_loop": True}
    assert "It is on. Now let it go off" in installer.get(PAGE + "now").text
    desk.fakes.door.barrier = {}
    assert "It came on and went off" in installer.get(PAGE + "now").text
    judge(installer, "entry_loop")
    kept = commissionings(desk).running().result("entry_loop")
    assert (kept.result, kept.how, kept.sentence) == (
        "passed", "measured", "It came on and went off.")


def test_an_order_goes_through_the_door_with_its_reason_and_stop_refuses_it(desk, installer):
    begin_at(desk, installer, "stop")
    desk.fakes.door.barrier = {"stop": True}
    assert "Now give the order to open" in installer.get(PAGE + "now").text
    desk.fakes.door.refuse = "STOP is pressed; nothing moves"
    installer.post(PAGE + "order", {"order": "open"})
    assert "The order was refused and nothing moved" in installer.get(PAGE + "now").text
    judge(installer, "stop")
    desk.fakes.door.refuse, desk.fakes.door.barrier = "", {}
    installer.post(PAGE + "order", {"order": "open"})
    (order,) = desk.fakes.door.orders
    assert order["verb"] == "open_once"
    assert order["role"] == "installer"
    assert "step opens" in order["reason"]


def test_what_moved_and_came_back_was_seen_by_the_open_page(desk, installer):
    begin_at(desk, installer, "opens")
    installer.post(PAGE + "order", {"order": "open"})
    for position in ("moving", "open", "moving", "closed"):
        desk.fakes.door.position = position
        answer = installer.get(PAGE + "events")
        steps = iter(answer.response)
        next(steps), next(steps)
        answer.close()
    assert "reached its open limit" in installer.get(PAGE).text


def test_an_order_of_another_step_is_refused(desk, installer):
    installer.post(PAGE + "begin")
    assert installer.post(PAGE + "order", {"order": "open"}).status_code == 400
    assert desk.fakes.door.orders == []


def test_what_is_not_wired_can_only_be_noted_as_such(desk, installer):
    desk.fakes.door.barrier = {"tamper": None}
    begin_at(desk, installer, "tamper")
    assert "Not wired here" in installer.get(PAGE).text
    judge(installer, "tamper", "passed")
    assert commissionings(desk).running().step.id == "tamper"
    judge(installer, "tamper", "not_wired")
    assert commissionings(desk).running().result("tamper").result == "not_wired"


def test_a_wired_step_cannot_be_waved_through_as_not_wired(desk, installer):
    begin_at(desk, installer, "tamper")
    judge(installer, "tamper", "not_wired")
    assert commissionings(desk).running().step.id == "tamper"


def test_a_failure_needs_its_note(desk, installer):
    installer.post(PAGE + "begin")
    judge(installer, "answers", "failed")
    assert commissionings(desk).running().step.id == "answers"
    assert "Write what happened" in installer.get(PAGE).text


def test_a_step_that_is_not_the_one_is_not_judged(desk, installer):
    installer.post(PAGE + "begin")
    judge(installer, "fire")
    assert commissionings(desk).running().results == ()


def test_the_running_test_outlives_a_restart_and_the_gates_absence_counts_as_silence(
        desk, installer):
    begin_at(desk, installer, "box_off")
    installer.get(PAGE + "now")
    before = desk.fakes.door.base
    desk.fakes.door.base = lambda: {**before(), "pid": 2}  # the gate program came back
    assert "switch it off" not in installer.get(PAGE + "now").text
    assert "silent" in commissionings(desk).running().attempt.now.seen


def test_a_step_begun_again_forgets_what_it_saw(desk, installer):
    begin_at(desk, installer, "photocell")
    desk.fakes.door.barrier = {"photocell": True}
    installer.get(PAGE + "now")
    desk.fakes.door.barrier = {}
    installer.post(PAGE + "again")
    assert "It has not come on yet" in installer.get(PAGE + "now").text


def test_the_result_is_journaled_kept_and_shown_with_who_and_what(desk, installer):
    installer.post(PAGE + "begin")
    judge(installer, "answers")
    judge(installer, "stop", "failed", "the arm went up although STOP was open")
    installer.post(PAGE + "end")
    entry = desk.fakes.records.journal[-1]
    assert entry["action"] == "commissioned"
    assert '"failed": 1' in entry["query"]
    assert '"settings": "9f3ac41e"' in entry["query"]
    page = installer.get(PAGE + "1").text
    assert "The barrier did not pass" in page
    assert "the arm went up although STOP was open" in page
    assert "not tried" in page
    assert "9f3ac41e" in page
    assert "test not passed" in desk.signed_in(Role.GUARD).get("/barrier/").text


def test_no_journal_entry_no_result(desk, installer):
    installer.post(PAGE + "begin")
    desk.fakes.records.stop()
    installer.post(PAGE + "end")
    assert commissionings(desk).running() is not None
    assert commissionings(desk).last() is None


@pytest.mark.parametrize("failing", ["", "on_foot"], ids=["none failed", "one failed"])
def test_only_a_test_with_every_step_done_and_none_failed_has_passed(desk, installer, failing):
    for name in ("entry_loop", "safety_loop", "photocell", "exit_request", "fire", "stop",
                 "tamper"):
        desk.fakes.door.barrier[name] = None
    desk.fakes.door.barrier["capabilities"] = {}
    desk.fakes.door.position = "unknown"
    installer.post(PAGE + "begin")
    while (step := commissionings(desk).running().step) is not None:
        how = step.how(commissionings(desk).running().basis)
        result = "failed" if step.id == failing else "passed"
        judge(installer, step.id, "not_wired" if how == "not_wired" else result,
              "seen with my own eyes")
    assert "All steps are done" in installer.get(PAGE).text
    installer.post(PAGE + "end")
    assert commissionings(desk).last().passed == (not failing)
    page = installer.get(PAGE + "1").text
    assert ("did not pass the pull-the-plug test" in page) == bool(failing)


def test_two_begin_at_once_and_one_test_runs(desk, installer):
    installer.post(PAGE + "begin")
    desk.signed_in(Role.MANAGER).post(PAGE + "begin")
    (count,) = desk.console.store.row("SELECT count(*) FROM commissionings")
    assert count == 1


def test_a_guard_reads_the_result_and_runs_no_test(desk, installer):
    installer.post(PAGE + "begin")
    guard = desk.signed_in(Role.GUARD)
    assert guard.get(PAGE).status_code == 403
    assert guard.post(PAGE + "order", {"order": "open"}).status_code == 403
    assert guard.get(PAGE + "1").status_code == 404
    installer.post(PAGE + "end")
    assert guard.get(PAGE + "1").status_code == 200


def test_ending_what_does_not_run_changes_nothing(desk, installer):
    assert installer.post(PAGE + "end").status_code == 302
    assert "commissioned" not in desk.fakes.records.actions


def test_the_steps_are_said_in_spanish(desk, installer):
    installer.post(PAGE + "begin")
    installer.post("/account/language", {"language": "es"})
    page = installer.get(PAGE + "?lang=es").text
    assert "El controlador responde" in page
    assert "north gate responde y conoce la clave" in page
