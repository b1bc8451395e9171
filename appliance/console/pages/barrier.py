"""The barrier: the arm as it moves, what its controller reads, what it can and cannot do.

Shows no plate. Gives no order: those are at the desk. In a demo the simulated inputs can be set
here; with a real controller that part does not exist.
"""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance import ipc
from appliance.console import barrier_words, gate_answers, gate_words, lane, yard
from appliance.console.commissionings import Commissionings
from appliance.console.context import Console, here
from appliance.console.permissions import Permission, needs
from appliance.console.programs import YARD
from appliance.console.streams import stream
from appliance.console.tongue import _
from appliance.errors import IpcError

bp = Blueprint("barrier", __name__, url_prefix="/barrier")
MOST_EVENTS = 12


@bp.get("/")
@needs(Permission.SEE_BARRIER)
def shown() -> str:
    return render_template("barrier.html", **_now())


@bp.get("/now")
@needs(Permission.SEE_BARRIER, quiet=True)
def now() -> str:
    """The moving part of the page, fetched when something changed."""
    return render_template("barrier_now.html", **_now())


@bp.get("/events")
@needs(Permission.SEE_BARRIER, quiet=True)
def events() -> Response:
    """Server-sent events: the arm's place at once, and a key that changes with all the rest."""
    return stream(_told, here().settings.arm_step_s)


@bp.post("/simulated")
@needs(Permission.COMMISSION)
def simulated() -> AnyResponse:
    """Sets one simulated input or fault, such as ``inputs.fire=on``."""
    kind, name, to = (*re.split("[.=]", request.form.get("set", "")), "", "", "")[:3]
    known = {"inputs": barrier_words.INPUTS, "faults": barrier_words.YARD_FAULTS}.get(kind, {})
    if name not in known or to not in ("on", "off"):
        abort(400)
    try:
        here().programs.ask(YARD, "set", None, **{kind: {name: to == "on"}})
    except ipc.Refused as refusal:
        flash(_("The simulated yard said no: %(why)s.", why=refusal.message), "alarm")
    except IpcError:
        flash(_("Nothing is simulated here."), "alarm")
    return redirect(url_for("barrier.shown", _anchor="simulated"))


def _told(console: Console) -> dict[str, object]:
    gate, simulation = console.look_at_gate(), yard.look(console)
    return {"key": _key(console, gate, simulation), "raised": _drawn(gate, simulation).raised}


def _drawn(gate: gate_answers.Gate | None, simulation: yard.Yard | None) -> lane.Lane:
    position = gate.barrier.position if gate else "unknown"
    return lane.draw(position, simulation.raised if simulation else None)


def _key(console: Console, gate: gate_answers.Gate | None,
         simulation: yard.Yard | None) -> str:
    """Changes when anything but the arm's angle and an age has to be drawn again."""
    shown: list[object] = []
    if gate is not None:
        shown += [gate.barrier, gate.barrier.held(console.mono()), gate.traffic, gate.camera,
                  gate.records_ok, gate.policy_version, [(e.boot, e.number) for e in gate.events]]
    if simulation is not None:
        shown += [simulation.inputs, simulation.faults, simulation.by_hand_left_s > 0]
    return hashlib.blake2b(repr(shown).encode(), digest_size=8).hexdigest()


def _now() -> dict[str, object]:
    console = here()
    gate, simulation = console.gate(), yard.look(console)
    mono = console.mono()
    barrier = gate.barrier if gate else None
    return {
        "gate": gate, "barrier": barrier, "yard": simulation,
        "key": _key(console, gate, simulation), "lane": _drawn(gate, simulation),
        "mood": gate_words.mood(gate, mono),
        "sentence": gate_words.sentence(gate, mono), "alarms": barrier_words.alarms(gate),
        "held_left_s": max(0, int((barrier.held_until_mono or 0.0) - mono))
        if barrier and barrier.held(mono) else None,
        "events": [(e, console.now() - timedelta(seconds=e.age_s))
                   for e in (gate.events[:MOST_EVENTS] if gate else ())],
        "since_s": mono - gate.traffic.since_mono
        if gate and gate.traffic and gate.traffic.since_mono is not None else None,
        "last_test": Commissionings(console.store).last(),
    }
