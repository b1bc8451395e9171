"""The steps of the pull-the-plug test in their order, each with what proves it.

First the things that must not happen (STOP), then what must (opening, sensors), then what happens
when something is pulled out: the cable, the box's supply, the board's own. At the end come the
steps that no wire can tell, because they are about what works without this product.
"""

from __future__ import annotations

from appliance.barrier.commissioning import (
    EVENTS,
    HOLDS,
    POSITION,
    Attempt,
    Check,
    Finding,
    Progress,
    Step,
    Trial,
    _l,
    new_events,
)

_WAIT, _PASS, _FAIL = Progress.WAITING, Progress.PASSED, Progress.FAILED


def _answers(attempt: Attempt) -> Finding:
    now = attempt.now
    if not now.answered:
        return Finding(_WAIT, _l("The gate program does not answer."))
    if now.state == "foreign":
        return Finding(_FAIL, _l("A controller answers, but this box did not give it its key."))
    if now.state in ("", "starting", "lost", "stopped"):
        return Finding(_WAIT, _l("The controller does not answer yet."))
    if not now.authenticated:
        return Finding(_PASS, _l("It answers. This kind cannot prove that it is ours alone."))
    return Finding(_PASS, _l("%(name)s answers and knows this box's key (firmware %(firmware)s)."),
                   (("name", now.name or now.serial), ("firmware", now.firmware)))


def _stop(attempt: Attempt) -> Finding:
    if attempt.now.stop is not True:
        return Finding(_WAIT, _l("STOP is not seen yet."))
    if not attempt.given:
        return Finding(_WAIT, _l("STOP is seen. Now give the order to open."))
    if not attempt.refused or _stirred(attempt):
        return Finding(_FAIL, _l("The order had an effect although STOP is open."))
    return Finding(_PASS, _l("The order was refused and nothing moved."))


def _opens(attempt: Attempt) -> Finding:
    before, now = attempt.before, attempt.now
    if now.stop is True:
        return Finding(_WAIT, _l("STOP is still open: put its wire back."))
    if not attempt.given:
        return Finding(_WAIT, _l("Wait until the arm is down, then give the order to open."))
    if attempt.refused:
        return Finding(_FAIL, _l("The order was refused."))
    if before.position != "closed":
        return Finding(_WAIT, _l("The arm was not down when the order was given: once more."))
    if "open" in now.seen:
        return Finding(_PASS, _l("The arm left its closed limit and reached its open limit."))
    if "moving" in now.seen:
        return Finding(_PASS, _l("The arm left its closed limit."))
    return Finding(_WAIT, _l("The arm still lies on its closed limit."))


def _holds(attempt: Attempt) -> Finding:
    before, now = attempt.before, attempt.now
    if attempt.refused:
        return Finding(_FAIL, _l("The order was refused."))
    if attempt.given == Trial.RELEASE:
        if not before.held:
            return Finding(_WAIT, _l("The hold had ended already: hold it open once more."))
        if now.held or now.contact is True:
            return Finding(_WAIT, _l("The contact is still closed."))
        return Finding(_PASS, _l("It was held open and let go."))
    if now.held:
        return Finding(_WAIT, _l("It is held open. Now release it."))
    return Finding(_WAIT, _l("Hold it open."))


def _toggles(name: str) -> Check:
    """The input was seen on and off, and rests now."""

    def check(attempt: Attempt) -> Finding:
        seen = {*attempt.before.seen, *attempt.now.seen}
        if f"{name} on" not in seen:
            return Finding(_WAIT, _l("It has not come on yet."))
        if getattr(attempt.now, name) is not False:
            return Finding(_WAIT, _l("It is on. Now let it go off."))
        return Finding(_PASS, _l("It came on and went off."))

    return check


def _exit(attempt: Attempt) -> Finding:
    if any(event.kind == "exit_open" for event in new_events(attempt)):
        return Finding(_PASS, _l("The exit request opened and was told."))
    return Finding(_WAIT, _l("No exit was told yet."))


def _cable(attempt: Attempt) -> Finding:
    now = attempt.now
    if attempt.given != Trial.HOLD or (attempt.refused and "lost" not in now.seen):
        return Finding(_WAIT, _l("Hold it open first."))
    if "lost" not in now.seen:
        return Finding(_WAIT, _l("It is held. Now pull the cable out and wait fifteen seconds."))
    if now.state in ("lost", "starting") or not now.answered:
        return Finding(_WAIT, _l("The cable is out. The arm must come down. Plug it in again."))
    if now.contact is True or now.held:
        return Finding(_FAIL, _l("The contact is closed although nobody holds it any more."))
    if now.boot != attempt.before.boot:
        return Finding(_FAIL, _l("The controller restarted: the cable is its supply. Give it one "
                                 "of its own."))
    if not any(event.kind == "host_lost" for event in new_events(attempt)):
        return Finding(_WAIT, _l("It answers again; it has not told of the silence yet."))
    return Finding(_PASS, _l("The hold ended by itself, and the silence was told."))


def _box_off(attempt: Attempt) -> Finding:
    now = attempt.now
    told = [event.kind for event in new_events(attempt)]
    if not {"silent", "lost"} & set(now.seen):
        return Finding(_WAIT, _l("The box still talks to the controller: switch it off."))
    if not now.answered or now.state in ("", "lost", "starting"):
        return Finding(_WAIT, _l("It is off. Press the hand button, then switch it on again."))
    if now.boot != attempt.before.boot:
        return Finding(_FAIL, _l("The controller restarted too: it needs a supply of its own."))
    if "host_lost" not in told:
        return Finding(_WAIT, _l("It answers again; it has not told of the silence yet."))
    while_silent = told[told.index("host_lost"):]
    if "manual_open" not in while_silent:
        return Finding(_WAIT, _l("No press of the hand button was told. If the arm stayed down, "
                                 "this step has failed."))
    if now.exit_request is not None and "exit_open" not in while_silent:
        return Finding(_WAIT, _l("The hand button worked; no exit was told. Ask to leave as well."))
    return Finding(_PASS, _l("The barrier opened without the box, and told of it afterwards."))


def _fire(attempt: Attempt) -> Finding:
    now = attempt.now
    if "fire on" not in now.seen:
        return Finding(_WAIT, _l("The fire contact is not seen yet."))
    if now.contact is not None and "contact" not in now.seen:
        return Finding(_WAIT, _l("Fire is seen, but the opening contact is not closed."))
    if now.fire is not False:
        return Finding(_WAIT, _l("It is held open. Now let the fire contact go."))
    if now.contact is True:
        return Finding(_WAIT, _l("Fire is over; the contact has not let go yet."))
    return Finding(_PASS, _l("Fire opened the barrier and held it open."))


def _restart(attempt: Attempt) -> Finding:
    now = attempt.now
    if _stirred(attempt):
        return Finding(_FAIL, _l("Something moved. A restart must open nothing."))
    if not now.answered or now.state in ("", "lost", "starting"):
        return Finding(_WAIT, _l("The controller is off. Give it its supply again."))
    if now.boot == attempt.before.boot:
        return Finding(_WAIT, _l("The controller has not restarted yet."))
    return Finding(_PASS, _l("It restarted and nothing moved."))


def _stirred(attempt: Attempt) -> bool:
    """The contact closed, or the arm was seen off its closed limit after lying on it."""
    seen = set(attempt.now.seen)
    left = attempt.before.position == "closed" and bool(seen & {"open", "moving"})
    return "contact" in seen or left


STEPS = (
    Step(
        "answers", _l("The controller answers"),
        _l("Nothing to do: look whether the name is the one you gave this controller."),
        _l("It answers, and it is the one this box was given the key of."),
        _answers,
    ),
    Step(
        "stop", _l("STOP stops everything"),
        _l("Wait until the arm is down. Press the stop button, or take one wire of the STOP input "
           "off its terminal. Then give the order to open."),
        _l("The order is refused and nothing moves."),
        _stop, needs=("stop",), trials=(Trial.OPEN,),
    ),
    Step(
        "opens", _l("An order moves the arm"),
        _l("Release STOP. When the arm is down, give the order to open."),
        _l("The arm goes up once and comes down by the operator's own timer."),
        _opens, measured_by=(POSITION,), trials=(Trial.OPEN,),
    ),
    Step(
        "holds", _l("Held open and released"),
        _l("Hold the barrier open, wait a few seconds, then release it."),
        _l("It stays up while held and comes down by its own timer afterwards."),
        _holds, needs=(HOLDS,), trials=(Trial.HOLD, Trial.RELEASE),
    ),
    Step(
        "entry_loop", _l("The loop before the barrier"),
        _l("Drive a car onto the loop before the barrier, then off it."),
        _l("The input comes on and goes off."),
        _toggles("entry_loop"), needs=("entry_loop",),
    ),
    Step(
        "safety_loop", _l("The loop under the arm"),
        _l("With the barrier open, drive onto the loop under the arm and off it."),
        _l("The input comes on and goes off; the arm does not come down on the car."),
        _toggles("safety_loop"), needs=("safety_loop",),
    ),
    Step(
        "photocell", _l("The light barrier"),
        _l("Break the beam with your hand, then take it away."),
        _l("The input comes on and goes off."),
        _toggles("photocell"), needs=("photocell",),
    ),
    Step(
        "tamper", _l("The cabinet contact"),
        _l("Open the door of the controller's cabinet and close it."),
        _l("The input comes on and goes off."),
        _toggles("tamper"), needs=("tamper",),
    ),
    Step(
        "exit_request", _l("The way out"),
        _l("Ask to leave: drive onto the exit loop or press the exit button."),
        _l("The barrier opens without a decision of this box."),
        _exit, needs=("exit_request",), measured_by=(EVENTS,),
    ),
    Step(
        "cable", _l("The cable is pulled"),
        _l("Hold the barrier open and pull the cable between box and controller out. Count to "
           "fifteen, see the arm come down, plug it in again."),
        _l("The hold ends by itself; nothing opens when the cable is back."),
        _cable, needs=(HOLDS,), measured_by=(EVENTS,), trials=(Trial.HOLD,),
    ),
    Step(
        "box_off", _l("The box is off"),
        _l("Switch the box off at its supply, or stop the gate program. Press the hand button at "
           "the controller, then ask to leave. Switch it on again."),
        _l("The barrier opens by hand button and by exit request, and this is in the journal "
           "afterwards."),
        _box_off, measured_by=(EVENTS,),
    ),
    Step(
        "fire", _l("Fire"),
        _l("Close the fire panel's copy contact (ask the person responsible first), then let it "
           "go."),
        _l("The barrier opens and stays open as long as the contact is closed."),
        _fire, needs=("fire",),
    ),
    Step(
        "restart", _l("A restart opens nothing"),
        _l("With the arm down, take the controller's own supply away and give it back."),
        _l("The arm does not move."),
        _restart, measured_by=(EVENTS,),
    ),
    Step(
        "hand_release", _l("The hand release"),
        _l("With the operator's supply off, release the arm by its key or crank and lift it."),
        _l("One person lifts the arm without tools that are not at hand."),
    ),
    Step(
        "fire_contact", _l("The operator's own fire contact"),
        _l("With box and controller disconnected, let the fire panel act on the operator's own "
           "fire input."),
        _l("The operator opens and stays open: fire never depends on this product."),
    ),
    Step(
        "on_foot", _l("The way out on foot"),
        _l("With everything unplugged, leave the property on foot."),
        _l("A person gets out, and nobody has to walk under the arm."),
    ),
    Step(
        "power_failure", _l("When the power fails"),
        _l("Switch the operator's supply off and see what it does. Write down what it does and "
           "who chose it; local law may demand that it opens."),
        _l("What was chosen happens."),
        note_wanted=True,
    ),
)


def step(name: str) -> Step:
    """Raises KeyError where there is no such step."""
    return {each.id: each for each in STEPS}[name]
