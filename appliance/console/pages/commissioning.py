"""The pull-the-plug test, one step at a time, watched live; its result is kept and can be printed.

What can be measured passes only when it was measured; what only a person can see is answered by the
person and marked so. Orders given here are journaled by the gate like any other; the result is
journaled before it is kept.
"""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance import ipc
from appliance.barrier import commissioning
from appliance.barrier.commissioning import Finding, How, Look, Progress, Result, Trial
from appliance.barrier.commissioning_steps import STEPS
from appliance.console.commissionings import Commissionings, Judged, Test
from appliance.console.context import Console, here, visitor
from appliance.console.forms import Form
from appliance.console.permissions import Permission, needs
from appliance.console.programs import DOOR
from appliance.console.streams import stream
from appliance.console.tongue import _
from appliance.errors import IpcError
from appliance.values import Purpose

bp = Blueprint("commissioning", __name__, url_prefix="/barrier/commissioning")
HOLD_S = 30
_VERBS = {Trial.OPEN: "open_once", Trial.HOLD: "hold_open", Trial.RELEASE: "release"}


@bp.get("/")
@needs(Permission.COMMISSION)
def shown() -> str:
    return render_template("commissioning.html", **_now())


@bp.get("/now")
@needs(Permission.COMMISSION, quiet=True)
def now() -> str:
    """What the running step found so far."""
    return render_template("commissioning_now.html", **_now())


@bp.get("/events")
@needs(Permission.COMMISSION, quiet=True)
def events() -> Response:
    """Watches the barrier while the page is open: an arm that moved and came back has moved."""
    return stream(_told, here().settings.arm_step_s)


@bp.post("/begin")
@needs(Permission.COMMISSION)
def begin() -> AnyResponse:
    at, _life = _look(here())
    if not at.answered:
        flash(_("The gate program does not answer, so nothing could be measured."), "alarm")
    else:
        Commissionings(here().store).begin(at, visitor().person.username, here().now())
    return redirect(url_for("commissioning.shown"))


@bp.post("/again")
@needs(Permission.COMMISSION)
def again() -> AnyResponse:
    Commissionings(here().store).again(_look(here())[0])
    return redirect(url_for("commissioning.shown"))


@bp.post("/order")
@needs(Permission.COMMISSION)
def order() -> AnyResponse:
    """An order of the running step; what it must do is for the step to say."""
    console, tests = here(), Commissionings(here().store)
    test = tests.see(*_look(console))
    given = request.form.get("order", "")
    if test is None or test.step is None or given not in [t.value for t in test.step.trials]:
        abort(400)
    trial = Trial(given)
    fields = {"lease_s": HOLD_S} if trial is Trial.HOLD else {}
    reason = f"pull-the-plug test, step {test.step.id}"
    tests.order(trial)
    try:
        console.programs.ask(DOOR, _VERBS[trial],
                             visitor().who(Purpose.ACCESS_CONTROL, reason), **fields)
    except IpcError as error:
        tests.refused()
        if not isinstance(error, ipc.Refused):
            flash(_("The gate program does not answer."), "alarm")
    return redirect(url_for("commissioning.shown"))


@bp.post("/judge")
@needs(Permission.COMMISSION)
def judge() -> AnyResponse:
    """The person's word on the step; \"passed\" where it is measured needs the measurement."""
    console, form = here(), Form(request.form)
    at, life = _look(console)
    tests = Commissionings(console.store)
    test = tests.see(at, life)
    back = redirect(url_for("commissioning.shown"))
    if test is None or test.step is None or form.sent.get("step") != test.step.id:
        return back
    result = form.choice("result", [r.value for r in Result])
    how, finding = test.step.how(test.basis), _finding(test)
    wanted = result == Result.FAILED or (test.step.note_wanted and result == Result.PASSED)
    note = form.text("note", longest=300, shortest=4 if wanted else 0)
    if form.wrong:
        flash(_("Write what happened, in four letters or more."), "alarm")
    elif not _fits(Result(result), how, finding):
        flash(_("This step is measured, and it has not passed yet."), "alarm")
    else:
        found = finding if how is How.MEASURED and finding else Finding(Progress.WAITING, "")
        tests.judge(Judged(test.step.id, Result(result), how, found.sentence, found.values, note,
                           visitor().person.username, console.now()), at)
    return back


@bp.post("/end")
@needs(Permission.COMMISSION)
def end() -> AnyResponse:
    """Keeps the result, whole or not."""
    console, me = here(), visitor()
    tests = Commissionings(console.store)
    test = tests.running()
    if test is None:
        return redirect(url_for("commissioning.shown"))
    failed = sum(1 for j in test.results if j.result is Result.FAILED)
    told: dict[str, str | int | float | bool] = {
        "test": test.number, "steps": len(test.results), "of": len(STEPS), "failed": failed,
        "passed": test.sound, "controller": test.basis.serial or test.basis.driver,
        "settings": test.basis.settings,
    }
    try:
        console.journal.must(me.who(Purpose.ACCESS_CONTROL), "commissioned", told)
    except IpcError:
        flash(_("Records does not answer, and a result is kept only with its journal entry. Try "
                "again in a minute."), "alarm")
        return redirect(url_for("commissioning.shown"))
    tests.end(test.number, me.person.username, console.now())
    return redirect(url_for("commissioning.result", number=test.number))


@bp.get("/<int:number>")
@needs(Permission.SEE_BARRIER)
def result(number: int) -> str:
    test = Commissionings(here().store).by_number(number)
    if test is None or test.ended_at is None:
        abort(404)
    return render_template("commissioning_result.html", test=test, steps=STEPS, say_step=_)


def _told(console: Console) -> dict[str, object]:
    test = Commissionings(console.store).see(*_look(console))
    shown = (test.step.id, test.attempt.given, _finding(test)) if test and test.step else None
    return {"key": hashlib.blake2b(repr(shown).encode(), digest_size=8).hexdigest()}


def _now() -> dict[str, object]:
    console = here()
    at, life = _look(console)
    tests = Commissionings(console.store)
    test = tests.see(at, life)
    step = test.step if test else None
    basis = test.basis if test else at
    return {
        "test": test, "step": step, "at": at, "last_test": tests.last(), "steps": STEPS,
        "how": step.how(basis) if step else None, "say_step": _,
        "hows": {each.id: each.how(basis) for each in STEPS},
        "finding": _finding(test) if test else None,
        "number": STEPS.index(step) + 1 if step else len(STEPS), "key": _told(console)["key"],
    }


def _look(console: Console) -> tuple[Look, str]:
    """The barrier now, and which life of the gate program told it."""
    answer = console.programs.quiet(DOOR, "status")
    if answer is None:
        return commissioning.silence(), ""
    told = answer.header
    return commissioning.look(told), f"{told.get('pid')}.{told.get('started_mono')}"


def _finding(test: Test) -> Finding | None:
    """None where nothing is measured."""
    if test.step is None or test.step.check is None:
        return None
    if test.step.how(test.basis) is not How.MEASURED:
        return None
    return test.step.check(test.attempt)


def _fits(result: Result, how: How, finding: Finding | None) -> bool:
    if how is How.NOT_WIRED:
        return result is Result.NOT_WIRED
    if result is Result.NOT_WIRED:
        return False
    measured = how is How.MEASURED and finding is not None
    return not (measured and result is Result.PASSED and finding
                and finding.progress is not Progress.PASSED)
