"""Training pages: a page a module, its questions below the text, a new try as often as needed."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.compliance import training
from appliance.console.context import here, visitor
from appliance.console.permissions import Permission, needs
from appliance.console.tongue import _
from appliance.values import PublishedPolicy

bp = Blueprint("training", __name__, url_prefix="/training")


@bp.get("/")
@needs(Permission.OWN, untrained=True)
def shown() -> str | Response:
    policy = here().policy()
    if policy is None:
        return redirect(url_for("setup.waiting"))
    passed = here().trainings.passed(visitor().person, policy.version)
    return render_template("training.html", modules=_modules(policy), passed=passed, policy=policy)


@bp.route("/<code>", methods=["GET", "POST"])
@needs(Permission.OWN, untrained=True)
def module(code: str) -> str | Response | tuple[str, int]:
    console, me, policy = here(), visitor(), here().policy()
    if policy is None:
        return redirect(url_for("setup.waiting"))
    found = next((m for m in _modules(policy) if m.code == code), None)
    if found is None:
        abort(404)
    number = training.CODES.index(code) + 1
    if request.method == "GET":
        return render_template("training_module.html", module=found, number=number,
                               of=len(training.CODES), given={}, missed=())
    given = {
        i: int(answer) for i in range(len(found.questions))
        if (answer := request.form.get(f"q{i}", "")).isdigit()
    }
    missed = training.missed(found, given)
    if missed:
        return render_template("training_module.html", module=found, number=number,
                               of=len(training.CODES), given=given, missed=missed), 400
    console.journal.may_wait(me.who(), "training_passed", console.now(),
                             {"module": code, "policy_version": policy.version})
    console.trainings.record(me.person, code, policy.version, console.now())
    passed = console.trainings.passed(me.person, policy.version)
    following = next((c for c in training.CODES if c not in passed), None)
    if following:
        return redirect(url_for("training.module", code=following))
    return redirect(url_for("home.shown"))


def _modules(policy: PublishedPolicy) -> tuple[training.Module, ...]:
    return training.modules(policy, visitor().person.role, _)
