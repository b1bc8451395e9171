"""The barrier's page: what is drawn, what is said, who may see it, what a demo lets one set."""

from __future__ import annotations

import json

import pytest

from appliance import codec, ipc
from appliance.barrier.drivers.seam import Capabilities, Controller, Position, Warns
from appliance.barrier.drivers.simulator import Simulator
from appliance.barrier.orders import LinkState, LinkView
from appliance.barrier.traffic import Counted
from appliance.console import barrier_words, gate_answers, lane, programs, yard
from appliance.scenario import yard_socket
from appliance.scenario.yard_socket import YardSocket
from appliance.values import Role

WATCHERS = (Role.MANAGER, Role.GUARD, Role.INSTALLER)


@pytest.fixture
def installer(desk):
    return desk.signed_in(Role.INSTALLER)


def test_the_page_says_who_answers_and_what_it_reads(desk, installer):
    desk.fakes.door.barrier = {"entry_loop": True, "photocell": None}
    page = installer.get("/barrier/").text
    for told in ("north gate", "e66058388345a12f", "1.0.0", "9f3ac41e", "a car stands on it",
                 "not wired, or not read yet", "It obeys this box alone"):
        assert told in page


@pytest.mark.parametrize("role", WATCHERS, ids=lambda r: r.value)
def test_those_who_work_at_the_barrier_see_it_without_a_purpose_and_without_a_plate(desk, role):
    desk.fakes.door.at_gate = None
    desk.fakes.door.waits = {"waits_for": "code", "waits_left_s": 40, "waits_grant_id": 1}
    page = desk.signed_in(role).get("/barrier/")
    assert page.status_code == 200
    assert "PSTN" not in page.text


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.CUSTODIAN], ids=lambda r: r.value)
def test_those_who_check_papers_do_not(desk, role):
    assert desk.signed_in(role).get("/barrier/").status_code == 403


def test_what_a_poor_controller_cannot_do_is_said_plainly(desk, installer):
    desk.fakes.door.barrier = {
        "driver": "lcus", "controller": {},
        "capabilities": {"warns": ["relay_may_stick", "no_feedback", "unauthenticated"]}}
    page = installer.get("/barrier/").text
    for told in ("It cannot end a pulse by itself", "the relay may stay closed",
                 "Whoever reaches the wire can open", "so cars are not counted"):
        assert told in page


@pytest.mark.parametrize(("barrier", "headline", "advice"), [
    ({"stop": True, "state": "stopped_by_hand"}, "STOP is pressed", "Release STOP"),
    ({"fire": True, "state": "fire"}, "Fire: the gate is held open", "the fire panel lets go"),
    ({"state": "foreign"}, "controller is not ours", "Ask who changed it"),
    ({"tamper": True}, "The controller&#39;s cabinet is open", "close and lock it"),
])
def test_what_nobody_may_overlook_stands_on_barrier_home_and_desk(desk, barrier, headline, advice):
    desk.fakes.door.barrier = barrier
    manager = desk.signed_in(Role.MANAGER, purpose="access_control")
    for path in ("/barrier/", "/", "/desk/"):
        page = manager.get(path).text
        assert headline in page, path
        assert advice in page, path


def test_stop_comes_before_fire_in_the_headline(desk, installer):
    desk.fakes.door.barrier = {"stop": True, "fire": True, "state": "stopped_by_hand"}
    page = installer.get("/barrier/").text
    assert "<h1>STOP is pressed" in page
    assert "The fire input holds the barrier open." in page


def test_a_fault_says_what_it_means_and_what_to_do(desk, installer):
    desk.fakes.door.barrier = {"faults": ["relay", "moon_phase"]}
    page = installer.get("/barrier/").text
    assert "welded, or without supply" in page
    assert "Change the relay" in page
    assert "moon phase" in page


def test_a_running_hold_counts_down(desk, installer):
    desk.fakes.door.held_until_mono = desk.mono + 17
    assert 'data-countdown="17"' in installer.get("/barrier/").text


def test_events_and_traffic_are_told_in_words(desk, installer):
    desk.fakes.door.events = [
        {"boot": 3, "number": 9, "kind": "manual_open", "argument": "", "age_s": 60.0},
        {"boot": 3, "number": 8, "kind": "fault_on", "argument": "stuck_photo", "age_s": 90.0}]
    desk.fakes.door.traffic = {"since_mono": desk.mono - 7200, "entry_cycles": 12,
                               "passed_under": 11, "read": 9, "missed": 3, "openings": 10,
                               "tailgates": 1}
    page = installer.get("/barrier/").text
    assert "Opened by the hand button" in page
    assert "Fault began: light barrier stuck" in page
    assert "9 read, 3 not read" in page
    assert "11 passed under the arm" in page
    assert "in 2 h" in page


def test_a_silent_gate_leaves_a_calm_page(desk, installer):
    desk.fakes.door.stop()
    page = installer.get("/barrier/")
    assert page.status_code == 200
    assert "The gate program does not answer" in page.text
    assert "Nothing is known" in page.text


def test_the_arm_is_drawn_at_its_true_angle_where_something_simulates(desk, installer):
    desk.fakes.yard.raised = 0.25
    desk.fakes.yard.start()
    page = installer.get("/barrier/").text
    assert "rotate(-21.0 118 318)" in page
    assert "raised 25 %" in page


def test_an_arm_nobody_sees_is_drawn_as_a_ghost():
    assert not lane.draw("unknown", None).known
    assert lane.draw("unknown", 0.5).known
    assert lane.draw("open", None).degrees == -lane.OPEN_DEGREES
    assert lane.draw("closed", None).reach == lane.ARM
    assert lane.draw("moving", 7.0).raised == 1.0


def first_news(browser):
    answer = browser.get("/barrier/events")
    steps = iter(answer.response)
    told = b"".join(
        t if isinstance(t, bytes) else t.encode() for t in (next(steps), next(steps))).decode()
    answer.close()
    return json.loads(told.split("data: ")[1])


def test_the_stream_tells_the_angle_and_a_key_that_changes_with_the_inputs(desk, installer):
    desk.fakes.yard.start()
    first = first_news(installer)
    desk.fakes.yard.raised = 0.5
    moved = first_news(installer)
    assert (moved["raised"], moved["key"]) == (0.5, first["key"])
    desk.fakes.door.barrier = {"photocell": True}
    assert first_news(installer)["key"] != first["key"]


def test_a_real_barrier_offers_nothing_to_simulate(desk, installer):
    assert "Simulated inputs" not in installer.get("/barrier/").text
    installer.post("/barrier/simulated", {"set": "inputs.fire=on"})
    assert "Nothing is simulated here" in installer.get("/barrier/").text


def test_a_demo_lets_an_installer_press_and_release(desk, installer):
    desk.fakes.yard.start()
    assert "Simulated inputs" in installer.get("/barrier/").text
    installer.post("/barrier/simulated", {"set": "inputs.fire=on"})
    installer.post("/barrier/simulated", {"set": "faults.stuck=on"})
    assert desk.fakes.yard.inputs["fire"]
    assert desk.fakes.yard.faults["stuck"]
    installer.post("/barrier/simulated", {"set": "inputs.fire=off"})
    assert not desk.fakes.yard.inputs["fire"]
    assert "The scenario goes on in 60 s" in installer.get("/barrier/").text


@pytest.mark.parametrize("sent", ["", "inputs.fire", "inputs.fire=maybe", "inputs.moon=on",
                                  "outputs.fire=on", "fire=on"])
def test_what_is_no_input_is_refused(desk, installer, sent):
    desk.fakes.yard.start()
    assert installer.post("/barrier/simulated", {"set": sent}).status_code == 400
    assert not any(desk.fakes.yard.inputs.values())


def test_what_the_yard_refuses_is_told(desk, installer):
    desk.fakes.yard.start()
    del desk.fakes.yard.inputs["tamper"]
    installer.post("/barrier/simulated", {"set": "inputs.tamper=on"})
    assert "said no: there is no tamper" in installer.get("/barrier/").text


def test_a_guard_sees_the_simulation_but_sets_nothing(desk):
    desk.fakes.yard.start()
    desk.fakes.yard.inputs["fire"] = True
    guard = desk.signed_in(Role.GUARD)
    page = guard.get("/barrier/").text
    assert "Simulated inputs" in page
    assert "inputs.fire" not in page
    assert guard.post("/barrier/simulated", {"set": "inputs.fire=off"}).status_code == 403


def test_health_names_the_controller(desk, installer):
    assert "pico · north gate · 1.0.0" in installer.get("/health").text


def test_an_older_gate_that_tells_little_breaks_no_page(desk):
    gate = gate_answers.gate(ipc.ok({"barrier": {"position": "open", "fault": "cabinet"}}))
    assert gate.barrier.faults == ("cabinet",)
    assert gate.barrier.inputs["stop"] is None
    assert gate.traffic is None
    assert gate.waits is None
    with desk.app.test_request_context():
        assert barrier_words.sentence(gate.barrier) == ""
    asked = gate_answers.gate(desk.console.programs.ask(programs.DOOR, "status"))
    assert asked.barrier.controller.name == "north gate"


def test_what_the_gates_own_view_encodes_is_understood(desk):
    view = LinkView(
        "pico", Capabilities(True, True, True, 10.0, True, True, (Warns.NO_FEEDBACK,)),
        state=LinkState.HELD, position=Position.OPEN, faults=("relay",), held_until_mono=12.5,
        stop=False, fire=True, contact=True,
        controller=Controller("north gate", "abc", "1.0.0", 4, "watchdog", "9f3a"))
    told = gate_answers.gate(ipc.ok({
        "barrier": codec.encode(view),
        "traffic": codec.encode(Counted(7.0, 12, 11, 9, 3, 10, 1))})).barrier
    assert (told.state, told.position, told.faults) == ("held", "open", ("relay",))
    assert told.held(12.0)
    assert not told.held(12.5)
    assert (told.is_on("fire"), told.inputs["stop"], told.inputs["tamper"]) == (True, False, None)
    assert told.controller.cause == "watchdog"
    assert told.abilities.holds
    assert told.abilities.warns == ("no_feedback",)


def test_every_name_of_the_simulated_yard_has_words():
    assert set(yard_socket.INPUTS) <= set(barrier_words.INPUTS)
    assert set(yard_socket.FAULTS) == set(barrier_words.YARD_FAULTS)


def test_the_real_yards_answer_is_understood_and_set(desk, installer):
    simulator = Simulator()
    server = ipc.Server(desk.config.socket("yard"), YardSocket(simulator).handlers)
    server.start()
    try:
        installer.post("/barrier/simulated", {"set": "inputs.entry_loop=on"})
        installer.post("/barrier/simulated", {"set": "faults.obstructed=on"})
        found = yard.look(desk.console)
    finally:
        server.stop()
    assert found.inputs["entry_loop"]
    assert found.faults["obstructed"]
    assert found.by_hand_left_s > 0
    assert found.simulated == "arm"
