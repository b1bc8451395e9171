"""`postern controller status`: who answers, what it reads, what it cannot do, what it told.

Asks the running gate, because the gate alone owns the controller's port. Shows no plate.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from appliance import ipc
from appliance.barrier.commissioning import INPUTS
from appliance.config import Config

STATES = {
    "starting": "has not answered yet; no order goes out",
    "ready": "answers; nothing is under way",
    "ordered": "a pulse was acknowledged; the arm has not proven its movement yet",
    "held": "is held open by a lease",
    "faulty": "answers, but something is wrong",
    "lost": "stopped answering; holds lapse by themselves",
    "stopped": "the gate program ends",
    "foreign": "answers, but was not given its key by this box",
    "stopped_by_hand": "STOP is pressed or its wire is off; nothing moves",
    "fire": "the fire input holds it open",
}
LACKS = {
    "position": "reads no limit switches: nothing proves that the arm moved",
    "inputs": "reads no loops and no photocell",
    "timed_pulse": "a pulse is ended by this box: the relay may stay on if the box dies",
    "authenticated": "whoever reaches its wire can open",
    "tells_events": "does not remember what was opened by hand",
}


def ask(config: Config) -> dict[str, Any]:
    """The gate's answer. Raises IpcError where it does not run."""
    return dict(ipc.call(config.socket("door"), "status").header)


def picked(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The barrier's part of the answer, for `--json`."""
    return {name: answer.get(name) for name in ("barrier", "events", "traffic", "issues")}


def as_text(answer: Mapping[str, Any]) -> str:
    barrier = answer.get("barrier") or {}
    who, can = barrier.get("controller") or {}, barrier.get("capabilities") or {}
    state = str(barrier.get("state", ""))
    lines = [
        f"barrier     {barrier.get('driver', '-')}: {STATES.get(state, state or '-')}",
        f"controller  {who.get('name') or '-'}  number {who.get('serial') or '-'}  "
        f"firmware {who.get('firmware') or '-'}  settings {who.get('settings') or '-'}",
        f"started     {who.get('boot') or '-'} times, last by {who.get('cause') or '-'}",
        f"arm         {barrier.get('position', 'unknown')}",
        f"inputs      {_inputs(barrier)}",
        f"faults      {', '.join(barrier.get('faults') or ()) or 'none'}",
    ]
    lines += [f"cannot      {words}" for name, words in LACKS.items() if can.get(name) is False]
    if not can.get("longest_lease_s"):
        lines.append("cannot      hold open safely, so it refuses holds")
    lines += [_event(event) for event in answer.get("events") or ()]
    lines += [f"issue       {_issue(issue)}" for issue in answer.get("issues") or ()]
    return "\n".join(lines)


def _inputs(barrier: Mapping[str, Any]) -> str:
    read = {name: barrier.get(name) for name in (*INPUTS, "contact")}
    told = [f"{name} {'on' if value else 'off'}" for name, value in read.items()
            if value is not None]
    return ", ".join(told) or "none is wired"


def _event(event: Mapping[str, Any]) -> str:
    argument = f" {event['argument']}" if event.get("argument") else ""
    age = event.get("age_s")
    ago = f"{age:.0f} s ago" if isinstance(age, int | float) else ""
    return (f"event       {event.get('boot')}.{event.get('number')} "
            f"{event.get('kind')}{argument}  {ago}").rstrip()


def _issue(issue: Mapping[str, Any]) -> str:
    what = issue.get("message", issue.get("key", ""))
    return f"{what}. {issue.get('next_step', '')}".rstrip(". ")
