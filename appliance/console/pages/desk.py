"""The guard's desk: who is at the gate, the live picture, and the buttons.

The buttons need neither a purpose nor records nor a camera: only the person and a reason. Pictures
and plates need both a purpose and a journal entry; where that fails the page says so and the
buttons stay.
"""

from __future__ import annotations

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance import ipc
from appliance.console import answers, barrier_words, card, gate_answers, gate_words
from appliance.console.context import Console, here, visitor
from appliance.console.forms import Form
from appliance.console.gate_answers import AtGate, Gate
from appliance.console.gate_sentences import said
from appliance.console.permissions import Permission, needs
from appliance.console.programs import DOOR, VIEW
from appliance.console.streams import stream
from appliance.console.tongue import _
from appliance.console.views import SeenAtGate
from appliance.errors import IpcError
from appliance.values import Passage, Purpose

bp = Blueprint("desk", __name__, url_prefix="/desk")
HOLD_S = 30
PICTURE_WIDTH = 960


@bp.get("/")
@needs(Permission.WATCH, purpose=True)
def shown() -> str:
    return render_template("desk.html", **_now(), hold_s=HOLD_S)


@bp.get("/now")
@needs(Permission.WATCH, purpose=True, quiet=True)
def now() -> str:
    """The moving part of the desk, fetched by the page when something changed."""
    return render_template("desk_now.html", **_now())


@bp.get("/events")
@needs(Permission.WATCH, purpose=True, quiet=True)
def events() -> Response:
    """Server-sent events: a key that changes when the desk should be drawn again; no plate."""
    return stream(_told)


def _told(console: Console) -> dict[str, str]:
    return {"key": state_key(console.look_at_gate(), console.mono())}


@bp.get("/live.jpg")
@needs(Permission.WATCH, purpose=True, quiet=True)
def live() -> Response:
    """One picture; journaled when a view begins, not for each frame."""
    console, me = here(), visitor()
    session, mono = me.session.token_hash, console.mono()
    last = console.views.live_since.get(session, "live", mono)
    try:
        if last is None or mono - last > console.settings.live_view_gap_s:
            console.journal.must(me.who(), "view_live")
        console.views.live_since.put(session, "live", mono, mono)
        picture = console.programs.ask(VIEW, "picture", width=PICTURE_WIDTH)
    except IpcError:
        abort(503)
    if not picture.blob:
        abort(503)
    return Response(picture.blob, mimetype="image/jpeg")


@bp.get("/crop.jpg")
@needs(Permission.WATCH, purpose=True, quiet=True)
def crop() -> Response:
    """The plate at the gate, of the look that is on the page; journaled with that look."""
    console = here()
    seen = console.views.at_gate.get(visitor().session.token_hash, "car", console.mono())
    if seen is None or not seen.car.crop:
        abort(404)
    return Response(seen.car.crop, mimetype="image/jpeg")


@bp.post("/open")
@needs(Permission.OPERATE)
def open_once() -> AnyResponse:
    return _order("open_once", _("The order to open went out."))


@bp.post("/hold")
@needs(Permission.OPERATE)
def hold() -> AnyResponse:
    return _order("hold_open", _("The gate is held open for %(n)s seconds.", n=HOLD_S),
                  lease_s=HOLD_S)


@bp.post("/release")
@needs(Permission.OPERATE)
def release() -> AnyResponse:
    return _order("release", _("The gate is released."), reason_needed=False)


@bp.post("/second-factor")
@needs(Permission.OPERATE)
def second_factor() -> AnyResponse:
    """The code as the driver says it; the gate compares and counts the tries."""
    code = "".join(c for c in request.form.get("code", "") if c.isdigit())[:8]
    try:
        answer = here().programs.ask(DOOR, "second_factor",
                                     visitor().who(Purpose.ACCESS_CONTROL, "code at the gate"),
                                     code=code)
    except ipc.Refused as refusal:
        flash(_("The gate said no: %(why)s. %(next)s", why=said(refusal.message),
                next=said(refusal.next_step)), "alarm")
    except IpcError:
        flash(_("The gate program does not answer. Open with the barrier's own button."), "alarm")
    else:
        opened = answer.header.get("verdict") == "open"
        flash(_outcome(answer) or (_("The code is right. The gate opens.") if opened else
                                   _("The code is right, but another rule keeps it closed.")),
              "ok" if opened else "attention")
    return redirect(url_for("desk.shown"))


def _order(verb: str, done: str, *, reason_needed: bool = True, **fields: float) -> AnyResponse:
    """Sends an order with its reason; says what came of it on the page the person was on."""
    form = Form(request.form)
    reason = form.text("reason", longest=200, shortest=4 if reason_needed else 0)
    back = redirect(url_for("desk.shown" if form.sent.get("from") != "home" else "home.shown"))
    if form.wrong:
        flash(_("Write the reason first, in four letters or more."), "alarm")
        return back
    try:
        answer = here().programs.ask(DOOR, verb, visitor().who(Purpose.ACCESS_CONTROL, reason),
                                     **fields)
    except ipc.Refused as refusal:
        flash(_("The gate said no: %(why)s. %(next)s", why=said(refusal.message),
                next=said(refusal.next_step)), "alarm")
    except IpcError:
        flash(_("The gate program does not answer. Open with the barrier's own button."), "alarm")
    else:
        flash(_outcome(answer) or done, "ok")
    return back


def _outcome(answer: ipc.Message) -> str:
    outcome = answer.header.get("outcome")
    if not isinstance(outcome, dict):
        return ""
    if outcome.get("fault"):
        return _("The order went out. %(fault)s",
                 fault=" ".join(barrier_words.fault(str(outcome["fault"]))))
    return {"yes": _("The gate opened."),
            "no": _("The order went out, but the barrier did not move.")}.get(
                str(outcome.get("moved")), "")


def state_key(gate: Gate | None, mono: float) -> str:
    """Changes when the desk must be drawn again."""
    if gate is None:
        return "down"
    barrier = gate.barrier
    alarms = [name for name in ("stop", "fire", "tamper") if barrier.is_on(name)]
    return "-".join((barrier.position, barrier.state, str(barrier.held(mono)), gate.camera,
                     *barrier.faults, *alarms, str(gate.records_ok), str(gate.policy_version),
                     gate.at_gate_key, gate.waits.what if gate.waits else ""))


def _now() -> dict[str, object]:
    """Everything the moving part shows."""
    console = here()
    gate, mono = console.gate(), console.mono()
    car, trouble = _car(console, gate)
    laid_out, passage = None, None
    if car and car.sighting:
        passage = Passage(car.sighting.track, car.sighting.lane, car.sighting.seen_at,
                          car.sighting, car.decision, None)
        laid_out = card.lay_out(passage)
    vision = console.programs.quiet(VIEW, "status")
    return {
        "gate": gate, "mood": gate_words.mood(gate, mono), "car": car, "card": laid_out,
        "passage": passage, "trouble": trouble, "key": state_key(gate, mono),
        "sentence": gate_words.sentence(gate, mono),
        "alarms": barrier_words.alarms(gate), "factor": gate.waits if gate else None,
        "vision": answers.vision(vision) if vision else None,
    }


def _car(console: Console, gate: Gate | None) -> tuple[AtGate | None, str]:
    """The car at the gate and why it cannot be shown. Asked (and journaled) once a change."""
    if gate is None or not gate.at_gate_key:
        return None, ""
    me = visitor()
    session, mono = me.session.token_hash, console.mono()
    seen = console.views.at_gate.get(session, "car", mono)
    if seen is not None and seen.key == gate.at_gate_key:
        return seen.car, ""
    try:
        car = gate_answers.at_gate(console.programs.ask(DOOR, "at_gate", me.who()))
    except IpcError:
        return None, _("A car is at the gate. It cannot be shown, because the look cannot be "
                       "written to the journal. The buttons work.")
    console.views.at_gate.put(session, "car", SeenAtGate(gate.at_gate_key, car), mono)
    return car, ""
