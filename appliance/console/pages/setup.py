"""From nothing to a working site: the one-time code, the first manager, the first policy.

Nothing is stored before a policy is published; each step says so. Reached only while nobody has an
account (code, account) or by a manager while no policy is published (policy).
"""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from appliance.console import codes, policies
from appliance.console.context import here, visitor
from appliance.console.forms import Form
from appliance.console.pages import sign
from appliance.console.permissions import Permission, needs
from appliance.console.programs import Who
from appliance.console.tongue import _

bp = Blueprint("setup", __name__, url_prefix="/setup")
_FIELD = "setup_code"


@bp.route("/", methods=["GET", "POST"])
def code() -> str | Response | tuple[str, int]:
    console = here()
    if console.accounts.any():
        return redirect(url_for("home.shown"))
    form = Form(request.form if request.method == "POST" else None)
    if request.method == "GET":
        if request.args.get("lang"):
            session["language"] = request.args["lang"]
        return render_template("setup_code.html", form=form)
    address = request.remote_addr or ""
    if console.throttle.must_wait(address, console.mono()):
        form.refuse("code", _("Too many tries from this place. Wait ten minutes."))
        return render_template("setup_code.html", form=form), 429
    found = _code(form.text("code", longest=40))
    if found is None:
        console.throttle.failed(address, console.mono())
        form.refuse("code", _("This code is wrong, used or past its time. A restart prints a "
                              "new one."))
        return render_template("setup_code.html", form=form), 400
    session[_FIELD] = form.sent.get("code", "")
    return redirect(url_for("setup.account"))


@bp.route("/account", methods=["GET", "POST"])
def account() -> str | Response | tuple[str, int]:
    console = here()
    found = _code(str(session.get(_FIELD, "")))
    if found is None or console.accounts.any():
        return redirect(url_for("setup.code"))
    form = Form(request.form if request.method == "POST" else None)
    if request.method == "GET":
        return render_template("setup_account.html", form=form)
    person = sign.make_account(form, found)
    if person is None:
        return render_template("setup_account.html", form=form), 400
    who = Who(person.username, person.role.value, person.organisation, "access_control", "")
    console.journal.may_wait(who, "set_up", console.now(), {"step": "first_manager"})
    sign.begin(person)
    return redirect(url_for("home.shown"))


@bp.route("/policy", methods=["GET", "POST"])
@needs(Permission.PUBLISH, untrained=True)
def policy() -> str | Response | tuple[str, int]:
    """The first policy: site, zone, purposes, retention, and what publishing means."""
    console, me = here(), visitor()
    if console.policy() is not None:
        return redirect(url_for("home.shown"))
    form = policies.form(None, request.form if request.method == "POST" else None)
    if request.method == "POST":
        done = policies.publish_from(form, me)
        if done:
            return redirect(url_for("training.shown"))
    status = 400 if form.wrong else 200
    return render_template("setup_policy.html", form=form, choices=policies.choices()), status


@bp.get("/waiting")
@needs(Permission.OWN, untrained=True)
def waiting() -> str:
    return render_template("setup_waiting.html")


def _code(written: str) -> codes.Code | None:
    console = here()
    with console.store.reading() as connection:
        found = codes.find(connection, written, console.now())
    return found if found and found.first else None
