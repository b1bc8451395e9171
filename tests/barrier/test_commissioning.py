"""The pull-the-plug test: what proves a step, what disproves it, what only a person can say."""

from __future__ import annotations

import pytest

from appliance import codec
from appliance.barrier.commissioning import (
    INPUTS,
    Attempt,
    How,
    Progress,
    Trial,
    look,
    new_events,
    silence,
)
from appliance.barrier.commissioning_steps import STEPS, step

WIRED = {name: False for name in INPUTS}


def answer(state="ready", position="closed", events=(), boot=7, **more):
    """A door `status` of a fully wired controller, as far as the test reads it."""
    can = {"longest_lease_s": 10.0, "authenticated": True, "tells_events": True}
    who = {"name": "north gate", "serial": "e661", "firmware": "1.0.0", "boot": boot}
    barrier = {"driver": "pico", "state": state, "position": position, "contact": False,
               "held_until_mono": None, "capabilities": can, "controller": who, **WIRED, **more}
    told = [{"boot": b, "number": n, "kind": kind, "argument": "", "age_s": 1.0}
            for b, n, kind in events]
    return {"barrier": barrier, "events": told}


def seen(**more):
    return look(answer(**more))


def after(name, *story, first=None):
    """The finding after a story of looks and (trial, refused) pairs."""
    attempt = Attempt.begin(name, first or seen())
    for part in story:
        attempt = attempt.orders(part[0], refused=part[1]) if isinstance(part, tuple) \
            else attempt.sees(part)
    return step(name).check(attempt)


OPENED, REFUSED = (Trial.OPEN, False), (Trial.OPEN, True)
HELD, LET_GO = (Trial.HOLD, False), (Trial.RELEASE, False)
HOLDING = {"state": "held", "held_until_mono": 5.0, "contact": True}
LOST = {"state": "lost", "position": "unknown"}
TOLD = [(7, 3, "host_lost")]

PROOFS = {
    "answers": [seen()],
    "stop": [seen(stop=True), REFUSED, seen(stop=True)],
    "opens": [OPENED, seen(position="open")],
    "holds": [HELD, seen(**HOLDING), LET_GO, seen()],
    "entry_loop": [seen(entry_loop=True), seen()],
    "safety_loop": [seen(safety_loop=True), seen()],
    "photocell": [seen(photocell=True), seen()],
    "tamper": [seen(tamper=True), seen()],
    "exit_request": [seen(exit_request=True), seen(events=[(7, 4, "exit_open")])],
    "cable": [HELD, seen(**HOLDING), seen(**LOST), seen(events=TOLD)],
    "box_off": [silence(), seen(events=[*TOLD, (7, 4, "manual_open"), (7, 5, "exit_open")])],
    "fire": [seen(fire=True, state="fire", contact=True), seen()],
    "restart": [seen(**LOST), seen(boot=8)],
}
DISPROOFS = {
    "answers": [seen(state="foreign")],
    "stop": [seen(stop=True), OPENED],
    "opens": [REFUSED],
    "holds": [(Trial.HOLD, True)],
    "cable": [HELD, seen(**HOLDING), seen(**LOST), seen(contact=True)],
    "box_off": [silence(), seen(boot=8, events=TOLD)],
    "restart": [seen(**LOST), seen(boot=8, position="moving")],
}
MISSING = {
    "answers without an answer": ("answers", [silence()]),
    "answers while starting": ("answers", [seen(state="starting")]),
    "stop without STOP": ("stop", [REFUSED]),
    "stop without an order": ("stop", [seen(stop=True)]),
    "opens without an order": ("opens", [seen(position="open")]),
    "opens with STOP still open": ("opens", [OPENED, seen(stop=True)]),
    "opens on an arm that stays": ("opens", [OPENED, seen()]),
    "opens on an arm that moved before the order": ("opens", [
        seen(position="open"), seen(), OPENED, seen()]),
    "opens on an arm already up": ("opens", [seen(position="open"), OPENED,
                                             seen(position="open")]),
    "holds not begun": ("holds", [seen()]),
    "holds not released": ("holds", [HELD, seen(**HOLDING)]),
    "holds lapsed before its release": ("holds", [HELD, seen(**HOLDING), seen(), LET_GO, seen()]),
    "holds with a contact that stays": ("holds", [HELD, seen(**HOLDING), LET_GO,
                                                  seen(contact=True)]),
    "a loop that stays on": ("entry_loop", [seen(entry_loop=True)]),
    "an exit of yesterday": ("exit_request", [seen(exit_request=True)]),
    "cable without a hold": ("cable", [seen(**LOST), seen(events=TOLD)]),
    "cable with a refused hold": ("cable", [(Trial.HOLD, True), seen()]),
    "cable never pulled": ("cable", [HELD, seen(**HOLDING)]),
    "cable still out": ("cable", [HELD, seen(**HOLDING), seen(**LOST)]),
    "cable with nothing told": ("cable", [HELD, seen(**HOLDING), seen(**LOST), seen()]),
    "cable back and the board not greeted yet": ("cable", [
        HELD, seen(**HOLDING), seen(**LOST), silence()]),
    "box never off": ("box_off", [seen(events=[(7, 4, "manual_open")])]),
    "box still off": ("box_off", [silence()]),
    "box off and nothing told": ("box_off", [silence(), seen()]),
    "hand button pressed while the box was on": (
        "box_off", [silence(), seen(events=[(7, 2, "manual_open"), *TOLD, (7, 5, "exit_open")])]),
    "hand button without the exit": (
        "box_off", [silence(), seen(events=[*TOLD, (7, 4, "manual_open")])]),
    "fire not seen": ("fire", [seen()]),
    "fire without the contact": ("fire", [seen(fire=True), seen()]),
    "fire not over": ("fire", [seen(fire=True, contact=True)]),
    "fire over and still open": ("fire", [seen(fire=True, contact=True), seen(contact=True)]),
    "restart under way": ("restart", [seen(**LOST)]),
    "restart that was none": ("restart", [seen(**LOST), seen()]),
}


def test_every_step_that_is_measured_has_its_proof():
    assert set(PROOFS) == {each.id for each in STEPS if each.check}


@pytest.mark.parametrize("name", PROOFS)
def test_a_step_passes_when_its_proof_was_seen(name):
    assert after(name, *PROOFS[name]).progress is Progress.PASSED


@pytest.mark.parametrize("name", DISPROOFS)
def test_a_step_fails_when_the_opposite_was_seen(name):
    assert after(name, *DISPROOFS[name]).progress is Progress.FAILED


@pytest.mark.parametrize("case", MISSING)
def test_half_a_proof_is_none(case):
    name, story = MISSING[case]
    assert after(name, *story).progress is Progress.WAITING


@pytest.mark.parametrize("name", set(PROOFS) - {"answers"})
def test_no_step_passes_while_nobody_does_anything(name):
    assert after(name, *[seen()] * 5).progress is Progress.WAITING


def test_a_controller_that_is_fed_by_the_cable_fails_the_cable_step():
    story = [HELD, seen(**HOLDING), seen(**LOST), seen(boot=8)]
    found = after("cable", *story)
    assert found.progress is Progress.FAILED
    assert "supply" in found.text()


def test_an_arm_that_left_and_came_back_has_moved():
    story = [seen(**LOST), seen(position="moving"), seen(boot=8)]
    assert after("restart", *story).progress is Progress.FAILED


def test_a_contact_that_closed_between_two_looks_of_the_stop_step_is_remembered():
    story = [seen(stop=True), REFUSED, seen(stop=True, contact=True), seen(stop=True)]
    assert after("stop", *story).progress is Progress.FAILED


def test_without_exit_wires_the_box_off_step_asks_for_the_hand_button_alone():
    story = [silence(), seen(exit_request=None, events=[*TOLD, (7, 4, "manual_open")])]
    assert after("box_off", *story).progress is Progress.PASSED


def test_what_an_arm_without_an_open_limit_shows_is_enough():
    found = after("opens", OPENED, seen(position="moving"))
    assert found.progress is Progress.PASSED


def test_a_controller_without_a_key_passes_with_the_plain_word():
    told = answer()
    told["barrier"]["capabilities"]["authenticated"] = False
    found = after("answers", look(told))
    assert found.progress is Progress.PASSED
    assert "cannot prove" in found.text()


def test_a_finding_is_translated_before_it_is_filled():
    found = after("answers", *PROOFS["answers"])
    assert "north gate" in found.text()
    assert found.text(lambda _: "es: %(name)s / %(firmware)s") == "es: north gate / 1.0.0"


def test_what_is_not_wired_is_said_so_and_what_cannot_be_read_is_asked():
    bare = look({"barrier": {"driver": "lcus", "state": "ready", "position": "unknown"}})
    how = {each.id: each.how(bare) for each in STEPS}
    assert [name for name, it in how.items() if it is How.NOT_WIRED] == [
        "stop", "holds", "entry_loop", "safety_loop", "photocell", "tamper", "exit_request",
        "cable", "fire"]
    assert {how["opens"], how["box_off"], how["restart"], how["hand_release"]} == {How.TOLD}
    assert how["answers"] is How.MEASURED


def test_on_a_fully_wired_controller_only_what_lies_outside_is_asked():
    told = [each.id for each in STEPS if each.how(seen()) is not How.MEASURED]
    assert told == ["hand_release", "fire_contact", "on_foot", "power_failure"]


def test_an_attempt_survives_being_kept_between_two_pages():
    attempt = Attempt.begin("box_off", seen(events=TOLD)).sees(silence()).sees(seen())
    assert codec.decode(Attempt, codec.encode(attempt)) == attempt


def test_events_are_new_when_their_name_is():
    attempt = Attempt.begin("cable", seen(events=TOLD)).sees(
        seen(boot=8, events=[(8, 1, "started"), (7, 4, "manual_open"), *TOLD]))
    assert [event.kind for event in new_events(attempt)] == ["manual_open", "started"]


def test_an_answer_that_lacks_everything_is_a_look_that_knows_nothing():
    found = look({})
    assert (found.position, found.stop, found.events) == ("unknown", None, ())
