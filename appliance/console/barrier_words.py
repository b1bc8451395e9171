"""The barrier's codes as sentences: link states, faults, events, what a controller can and cannot.

Same rules as ``words``: English here, Spanish in the catalogue, a test walks the enums.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.console.gate_answers import Abilities, Barrier, Event, Gate
from appliance.console.tongue import _, _l
from appliance.console.words import say

LINK_STATES: Mapping[str, Any] = {
    "starting": _l("The controller has not answered yet, so no order goes out."),
    "ready": _l("The controller answers and waits for an order."),
    "ordered": _l("The order was acknowledged; the arm has not proven its movement yet."),
    "held": _l("A hold runs. It ends by itself unless it is renewed."),
    "faulty": _l("The controller answers, but reports a fault."),
    "foreign": _l("A controller answers, but this box did not give it its key. It gets no order."),
    "stopped_by_hand": _l("STOP is pressed or its wire is broken. Nothing moves until it is "
                          "released."),
    "fire": _l("The fire input holds the barrier open. Orders wait until it is released."),
    "lost": _l("The controller stopped answering. A hold ends by itself; nothing is sent."),
    "stopped": _l("The gate program is ending. Every output was let go."),
}

FAULTS: Mapping[str, tuple[Any, Any]] = {
    "stuck_entry": (_l("The entry loop has been occupied for 30 minutes."),
                    _l("Look whether a car stands there; else reset the loop detector.")),
    "stuck_safety": (_l("The safety loop has been occupied for 10 minutes."),
                     _l("Look under the arm; else reset the loop detector.")),
    "stuck_photo": (_l("The beam has been broken for 10 minutes."),
                    _l("Clean and align the light barrier.")),
    "stuck_exit": (_l("The exit request has been on for a minute. It opens no more until it was "
                      "off."),
                   _l("Look for a jammed button or a car on the exit loop.")),
    "stuck_button": (_l("The hand button has been on for a minute. It opens no more until it was "
                        "off."),
                     _l("Look for a jammed button.")),
    "not_moved": (_l("After a pulse the arm stayed on its closed limit."),
                  _l("Look at the arm and at the operator cabinet.")),
    "did_not_move": (_l("After a pulse the arm stayed on its closed limit."),
                     _l("Look at the arm and at the operator cabinet.")),
    "limits": (_l("Both limit switches say that the arm is there."),
               _l("One of the two is stuck or wired wrongly.")),
    "relay": (_l("The opening relay does not follow: welded, or without supply."),
              _l("Change the relay before the barrier is used again.")),
    "cabinet": (_l("The operator cabinet reports a fault."),
                _l("Look at the operator cabinet's display.")),
    "settings": (_l("The controller's settings are missing or damaged. It opens only by hand "
                    "button, exit request and fire."),
                 _l("Give it its settings anew: `postern controller provision`.")),
    "link_lost": (_l("The controller does not answer."), _l("Check its power and its cable.")),
    "refused": (_l("The controller refused the order."), _l("Look at the operator cabinet.")),
    "too_late": (_l("The order outlived its deadline."), _l("Try again.")),
    "locked_out": (_l("The barrier was opened a moment ago."), _l("Wait a few seconds.")),
    "too_many": (_l("Too many openings within a minute."), _l("Wait a minute.")),
    "already_ordered": (_l("This car was let in already."), _l("Nothing to do.")),
    "no_ledger": (_l("The order could not be written down first."),
                  _l("Look whether the runtime folder is full.")),
    "queue_full": (_l("The barrier is busy."), _l("Try again in a moment.")),
    "stop_pressed": (_l("STOP is pressed; nothing moves."),
                     _l("Look whether somebody is in danger, then release it.")),
    "fire_open": (_l("The fire input holds the barrier open already."), _l("Nothing to do.")),
    "no_presence": (_l("No car stands on the loop before the barrier."),
                    _l("Open by hand if somebody waits elsewhere.")),
    "stopped": (_l("The gate program is ending."), _l("Try again in a few seconds.")),
}
"""What it means and what to do, by code."""

FAULT_NAMES: Mapping[str, Any] = {
    "stuck_entry": _l("entry loop stuck"), "stuck_safety": _l("safety loop stuck"),
    "stuck_photo": _l("light barrier stuck"), "stuck_exit": _l("exit request stuck"),
    "stuck_button": _l("hand button stuck"), "not_moved": _l("the arm did not move"),
    "limits": _l("limit switches"), "relay": _l("opening relay"),
    "cabinet": _l("operator cabinet"), "settings": _l("its settings"),
}
"""Short, for the list of what the controller told."""

EVENTS: Mapping[str, Any] = {
    "started": _l("The controller started"),
    "manual_open": _l("Opened by the hand button"),
    "exit_open": _l("Opened by the exit request"),
    "fire_on": _l("Fire: held open"),
    "fire_off": _l("Fire over"),
    "stop_on": _l("STOP pressed"),
    "stop_off": _l("STOP released"),
    "host_lost": _l("Heard nothing from this box"),
    "host_back": _l("Heard this box again"),
    "fault_on": _l("Fault began"),
    "fault_off": _l("Fault over"),
    "lease_lapsed": _l("A hold ended because nobody renewed it"),
    "forged": _l("Messages with a wrong signature arrived"),
    "tamper_on": _l("The cabinet was opened"),
    "tamper_off": _l("The cabinet was closed"),
    "reopened": _l("Opened again: something stood in the way"),
}

WARNS: Mapping[str, Any] = {
    "relay_may_stick": _l("This box ends the pulse, not the controller. If box or cable die in the "
                          "middle of one, the relay may stay closed and the barrier open."),
    "no_feedback": _l("Nothing tells whether the relay or the arm moved. Somebody has to look."),
    "unauthenticated": _l("Whoever reaches the wire can open the barrier. Keep cable and cabinet "
                          "locked."),
}

CAUSES: Mapping[str, Any] = {
    "power": _l("power came"), "watchdog": _l("its watchdog"), "software": _l("by software"),
    "unknown": _l("unknown"), "": _l("unknown"),
}

INPUTS: Mapping[str, Any] = {
    "entry_loop": _l("Loop before the barrier"),
    "safety_loop": _l("Loop under the arm"),
    "photocell": _l("Light barrier"),
    "exit_request": _l("Exit request"),
    "hand_button": _l("Hand button"),
    "fire": _l("Fire input"),
    "stop": _l("STOP"),
    "tamper": _l("Cabinet"),
    "contact": _l("Opening contact"),
}

INPUT_STATES: Mapping[str, tuple[Any, Any]] = {
    "entry_loop": (_l("a car stands on it"), _l("free")),
    "safety_loop": (_l("a car stands on it"), _l("free")),
    "photocell": (_l("broken"), _l("free")),
    "exit_request": (_l("somebody asks to leave"), _l("quiet")),
    "hand_button": (_l("pressed"), _l("quiet")),
    "fire": (_l("holds the barrier open"), _l("quiet")),
    "stop": (_l("pressed, or its wire is broken"), _l("released")),
    "tamper": (_l("stands open"), _l("shut")),
    "contact": (_l("closed: the operator is told to open"), _l("open: at rest")),
}
"""By name: what it says when on, when off."""

YARD_FAULTS: Mapping[str, Any] = {
    "stuck": _l("The arm is stuck"),
    "slow": _l("The arm is slow"),
    "silent": _l("The cable is cut"),
    "mute": _l("Answers are lost"),
    "bounce": _l("The limit switches bounce"),
    "power_lost": _l("The power is gone"),
    "obstructed": _l("Something lies in the arm's way"),
}

RESULTS: Mapping[str, Any] = {
    "passed": _l("passed"), "failed": _l("failed"), "not_wired": _l("not wired"),
}
HOWS: Mapping[str, Any] = {
    "measured": _l("measured"), "told": _l("seen by a person"), "not_wired": _l("not wired here"),
}
PROGRESS: Mapping[str, Any] = {
    "waiting": _l("Not yet."), "passed": _l("Passed."), "failed": _l("Failed."),
}
TRIALS: Mapping[str, Any] = {
    "open": _l("Order: open"), "hold": _l("Order: hold open 30 s"), "release": _l("Order: release"),
}
"""The pull-the-plug test."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A banner over home, desk and barrier page."""

    mood: str
    sentence: str
    next_step: str
    headline: bool = False
    """The page's own headline says it already."""


def alarms(gate: Gate | None) -> tuple[Alarm, ...]:
    """What nobody may overlook, the gravest first."""
    if gate is None:
        return ()
    barrier, found = gate.barrier, []
    if barrier.is_on("stop") or barrier.state == "stopped_by_hand":
        found.append(Alarm("alarm", _("STOP is pressed, or its wire is broken. Nothing moves."),
                           _("Release STOP when the way is clear. The hand release works."),
                           headline=True))
    if barrier.is_on("fire") or barrier.state == "fire":
        found.append(Alarm("alarm", _("The fire input holds the barrier open."),
                           _("It closes by its own timer after the fire panel lets go."),
                           headline=not found))
    if barrier.state == "foreign":
        found.append(Alarm("alarm", _("The controller at the barrier is not the one this box was "
                                      "paired with."),
                           _("Ask who changed it. An installer pairs it anew."),
                           headline=not found))
    if barrier.is_on("tamper"):
        found.append(Alarm("attention", _("The controller's cabinet is open."),
                           _("Look who works there, then close and lock it.")))
    return tuple(found)


def fault(code: str) -> tuple[str, str]:
    """What a fault means and what to do."""
    if code in FAULTS:
        meaning, next_step = FAULTS[code]
        return str(meaning), str(next_step)
    return (_("The controller reports: %(code)s.", code=code.replace("_", " ")),
            _("Look at the operator cabinet."))


def event(told: Event) -> str:
    """The event with what its argument says."""
    sentence = str(EVENTS[told.kind]) if told.kind in EVENTS else told.kind.replace("_", " ")
    if told.kind in ("fault_on", "fault_off") and told.argument:
        return f"{sentence}: {say(FAULT_NAMES, told.argument)}"
    if told.kind == "started" and told.argument in CAUSES:
        return f"{sentence} ({CAUSES[told.argument]})"
    return sentence


@dataclass(frozen=True, slots=True)
class Ability:
    """One plain sentence on what this controller can or cannot do."""

    can: bool
    sentence: str


def abilities(found: Abilities) -> tuple[Ability, ...]:
    """What it can do and, as plainly, what it cannot."""
    return (
        Ability(found.authenticated, _("It obeys this box alone: every order is signed.")
                if found.authenticated else
                _("It cannot tell this box from anybody else on its wire.")),
        Ability(found.timed_pulse, _("It ends a pulse by itself, even if this box dies.")
                if found.timed_pulse else _("It cannot end a pulse by itself.")),
        Ability(found.holds, _("It holds open, and lets go by itself when nobody renews the hold.")
                if found.holds else _("It cannot hold open safely, so a hold is refused.")),
        Ability(found.position, _("It reads where the arm is, so a movement is proven.")
                if found.position else _("It cannot see whether the arm moved.")),
        Ability(found.inputs, _("It reads loops and light barrier.")
                if found.inputs else _("It reads no loops: cars are not counted.")),
        Ability(found.tells_events, _("It remembers openings by hand until they are kept.")
                if found.tells_events else _("It does not tell openings by hand.")),
    )


def input_state(name: str, value: bool | None) -> str:
    """What an input says now, in words."""
    if value is None:
        return _("not wired, or not read yet")
    on, off = INPUT_STATES[name]
    return str(on if value else off)


def input_mood(name: str, value: bool | None) -> str:
    """still where there is nothing to say; else what colour and icon it gets."""
    if value is None:
        return "unknown"
    if not value:
        return "still"
    return {"stop": "alarm", "fire": "alarm", "tamper": "attention",
            "photocell": "attention"}.get(name, "active")


def sentence(barrier: Barrier) -> str:
    """What the link is doing."""
    state = barrier.state
    return str(LINK_STATES[state]) if state in LINK_STATES else state.replace("_", " ")
